"""How much of a chapter's numbers is luck? Run it with several seeds and keep what it records.

    python -m seqdec_lib.book.seeds chapters/07_*.ipynb

runs each chapter once a seed (SEQDEC_SEED = 0, 1, ...), prints mean and interval of every number
that it records, and writes all of them to `seeds.json` beside this module, where `table` finds
them for the chapter itself.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from importlib.resources import files
from numbers import Real
from pathlib import Path
from tempfile import TemporaryDirectory

from IPython.display import Markdown

from seqdec_lib.book import CPU_SECONDS, recorded
from seqdec_lib.experience.evaluation import mean_interval
from seqdec_lib.validation import whole_number

FILE = Path(str(files("seqdec_lib.book"))) / "seeds.json"


def measure(notebook: Path | str, seeds: int) -> dict[str, list[float]]:
    """Run a chapter once for each seed 0, 1, ...: every number that it records, by name.

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        A cell fails, for example because an assertion of the chapter does not hold.
    """
    import nbformat
    from nbclient import NotebookClient  # the book's environment has it, the library needs it not

    notebook, values = Path(notebook).resolve(), {}
    for seed in range(whole_number("seeds", seeds, least=1)):
        copy = nbformat.read(notebook, as_version=4)
        environment = os.environ | {"SEQDEC_SEED": str(seed)}
        resources = {"metadata": {"path": str(notebook.parent)}}
        NotebookClient(copy, timeout=600, startup_timeout=300, resources=resources).execute(
            env=environment
        )
        with TemporaryDirectory() as folder:
            path = Path(folder) / notebook.name
            nbformat.write(copy, path)
            for key, value in recorded(path).items():
                if isinstance(value, Real) and not isinstance(value, bool):
                    values.setdefault(key, []).append(float(value))
    return {
        key: numbers
        for key, numbers in values.items()
        if key != "cpu_budget" and not key.startswith(CPU_SECONDS)
    }


def table(chapter: str, keys: Mapping[str, str]) -> Markdown:
    """What was measured of a chapter, such as "07_decision_transformer".

    Parameters
    ----------
    keys : from the names of records to what the reader is to see.

    What was not measured yet is left out.
    """
    measured = json.loads(FILE.read_text()) if FILE.exists() else {}
    lines = ["| | Mean | From | To | Seeds |", "|:--|--:|--:|--:|--:|"]
    for key, title in keys.items():
        if key in measured.get(chapter, {}):
            lines.append(f"| {title} | {_row(measured[chapter][key])} |")
    return Markdown("\n".join(lines))


def _row(values: Sequence[float]) -> str:
    if len(values) < 2:
        return f"{values[0]:.3f} | | | 1"
    estimate = mean_interval(values)
    return f"{estimate.mean:.3f} | {estimate.low:.3f} | {estimate.high:.3f} | {len(values)}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure the chapters that the command line names."""
    parser = argparse.ArgumentParser(prog="python -m seqdec_lib.book.seeds", description=__doc__)
    parser.add_argument("chapters", nargs="+", type=Path)
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args(arguments)
    for chapter in options.chapters:
        values = measure(chapter, options.seeds)
        measured = json.loads(FILE.read_text()) if FILE.exists() else {}
        FILE.write_text(json.dumps(measured | {chapter.stem: values}, indent=1) + "\n")
        print(f"{chapter.stem}: mean | interval from | to | seeds")
        for key, numbers in values.items():
            print(f"  {key:32} {_row(numbers)}")


if __name__ == "__main__":
    sys.exit(main())
