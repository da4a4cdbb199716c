"""Checkpoints: a file that holds the whole of a run, or the whole of an earlier state of it."""

import zipfile
from pathlib import Path
from typing import Any

import torch

from seqdec_lib.files import written_whole

FORMAT = "seqdec_lib checkpoint 2"


def save_checkpoint(content: dict[str, Any], path: Path | str) -> None:
    """Write tensors and plain values to a file: the whole of it, or nothing at all."""
    with written_whole(Path(path)) as file:
        torch.save({"format": FORMAT, **content}, file)


def load_checkpoint(path: Path | str) -> dict[str, Any]:
    """Read what `save_checkpoint` wrote. Never runs code from the file. Raises ValueError: a file
    that is damaged, or was not written by `save_checkpoint`."""
    try:
        with zipfile.ZipFile(path) as archive:
            if (broken := archive.testzip()) is not None:
                raise zipfile.BadZipFile(f"{broken} has another checksum than it should")
        content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise
    except Exception as error:  # damaged bytes fail in many ways
        raise ValueError(
            f"{path} is damaged or no checkpoint ({type(error).__name__}); delete it to start anew."
        ) from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ValueError(
            f"{path} was not written by this library (expected {FORMAT!r}); pass another file."
        )
    return content
