"""Checkpoints: a file that holds the whole of a run, or the whole of an earlier state of it."""

from __future__ import annotations

import os
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import torch

FORMAT = "seqdec_lib checkpoint 2"


def save_checkpoint(content: dict[str, Any], path: Path | str) -> None:
    """Write tensors and plain values to a file: the whole of it, or nothing at all."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, part = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            torch.save({"format": FORMAT, **content}, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)  # atomic: readers see the old file or the new one
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise


def load_checkpoint(path: Path | str) -> dict[str, Any]:
    """Read what `save_checkpoint` wrote. Never runs code from the file.

    Raises
    ------
    ValueError
        A file that is damaged, or was not written by `save_checkpoint`.
    """
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
