"""How the commands and the pages say numbers, names and paths."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path


def counted(number: float, one: str, many: str = "") -> str:
    """A number of things: "1 page", "2 pages", "1 waits", "2 wait".

    Parameters
    ----------
    one, many : what is said of one and of any other number; by default `one` with an s
    """
    return f"{number:g} {one if number == 1 else many or f'{one}s'}"


def listed(names: Iterable[str]) -> str:
    """Names as a sentence has them."""
    return ", ".join(sorted(names))


def show(path: Path) -> str:
    """A path as it is seen from here."""
    return os.path.relpath(path)
