"""Whether the reader's notebooks in a folder are those of the present sources.

Making them takes half a minute, so whoever only wants to read them asks first.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

STAMP = ".made-from"
SOURCES = ("_config.yml", "_toc.yml", "references.*", "requirements.txt", "chapters/*", "site/*.py")


def content_hash(path: Path) -> str:
    """A hash of what is in a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def state(root: Path, out: Path) -> str:
    """A hash of all that the notebooks are made from, and of themselves."""
    files = [path for pattern in SOURCES for path in root.glob(pattern) if path.is_file()]
    digest = hashlib.sha256()
    for path in sorted(files) + sorted(out.glob("*.ipynb")):
        digest.update(f"{path.name} {content_hash(path)}\n".encode())
    return digest.hexdigest()


def stamp(root: Path, out: Path) -> None:
    """Note that the notebooks in `out` have just been made from the book in `root`."""
    (out / STAMP).write_text(state(root, out), encoding="ascii")


def is_current(root: Path, out: Path) -> bool:
    """Whether nothing has changed since that was noted."""
    noted = out / STAMP
    return noted.is_file() and noted.read_text(encoding="ascii") == state(root, out)
