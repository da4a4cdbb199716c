"""A whole chapter as evidence: it runs with another seed, and what it records is measured."""

import os
from collections.abc import Mapping
from numbers import Real
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from evidence.fingerprint import SHOWS_EVIDENCE
from seqdec_lib.book import CPU_SECONDS, recorded

ROOT = Path(__file__).resolve().parents[1]


def measure(chapter: Path | str, seed: int) -> Mapping[str, float]:
    """Run a chapter with SEQDEC_SEED and return every number that it records, by name.

    Cells that show evidence are left out, since a chapter may show what is being measured here.

    Parameters
    ----------
    chapter : the notebook's path from the root of the book.

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        A cell fails, for example because a claim of the chapter does not hold with this seed.
    """
    path = ROOT / chapter
    notebook = nbformat.read(path, as_version=4)
    notebook.cells = [cell for cell in notebook.cells if SHOWS_EVIDENCE not in cell.source]
    resources = {"metadata": {"path": str(path.parent)}}
    client = NotebookClient(notebook, timeout=600, startup_timeout=300, resources=resources)
    client.execute(env=os.environ | {"SEQDEC_SEED": str(seed)})
    return {
        key: float(value)
        for key, value in recorded(notebook).items()
        if isinstance(value, Real) and not isinstance(value, bool)
        if key != "cpu_budget" and not key.startswith(CPU_SECONDS)
    }
