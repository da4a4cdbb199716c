"""What a chapter found: numbers for its prose, and its sentences held against the truth."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterable, Mapping
from pathlib import Path

import nbformat
import numpy as np
from IPython.display import display

from seqdec_lib.watching import someone_watches

RECORD_TYPE = "application/papermill.record/"
CLAIM = "claim: "  # what the name of a claim's record begins with; the words follow
Value = float | int | bool | str
recorded_here: dict[str, Value] = {}  # since the chapter's start, by key, in order


def record(key: str, value: Value) -> None:
    """Glue a value into the notebook: the prose shows it as {glue:text}`key`, the tests compare it.

    This writes what `myst_nb.glue(key, value, display=False)` writes, without loading Sphinx. Where
    a person runs the notebook, `key = value` is shown; committed outputs show nothing.

    Raises
    ------
    ValueError
        An empty key; a value that is not a finite number or a string.
    """
    keep(key, value)
    if someone_watches():
        print(f"{key} = {recorded_here[key]!r}")


def claim(words: str, condition: bool) -> None:
    """Hold a sentence of the chapter against the truth, and record that it passed.

    The tests demand that the words stand in the chapter, as a reader sees it: with the numbers that
    were glued into them and without markup (CONTRIBUTING.md has the rules). The site lists all
    claims on one page.

    Parameters
    ----------
    words : a sentence of the chapter, or the part of one that says it.
    condition : a bool, or a bool of NumPy.

    Raises
    ------
    ValueError
        No words; a condition that is not a bool, such as a number that is merely not zero.
    AssertionError
        The condition is False: the sentence is not true. The message quotes it.
    """
    if not isinstance(words, str) or not words.strip():
        raise ValueError(
            f"a claim needs words of the chapter, but {words!r} came; "
            'write for example claim("The greedy trip is not the best", greedy < best).'
        )
    if not isinstance(condition, bool | np.bool_):
        raise ValueError(
            f"claim({words!r}, ...) takes True or False, but {condition!r} came; "
            "compare with something, and make one bool of many with .all() or .any()."
        )
    keep(CLAIM + words, bool(condition))
    if not condition:
        raise AssertionError(f'the chapter says "{words}", and that is not true here.')
    if someone_watches():
        print(f"true: {words}")


def keep(key: str, value: Value) -> None:
    """Write a record into the cell's output, where only the tests and the prose see it.

    Raises what `record` raises.
    """
    if not isinstance(key, str) or not key.strip():
        raise ValueError(
            f"a record needs a name, but {key!r} came; pass for example record('my_regret', ...)."
        )
    plain = value.item() if isinstance(value, np.generic) else value
    if not isinstance(plain, (int, float, str)) or (
        isinstance(plain, float) and not math.isfinite(plain)
    ):
        raise ValueError(
            f"record({key!r}, ...) takes a finite number or a string, but {value!r} came; "
            "make a number of an array or a tensor of one element with .item()."
        )
    recorded_here[key] = plain
    display(
        {f"{RECORD_TYPE}text/plain": repr(plain)},
        raw=True,
        metadata={"scrapbook": {"name": key, "mime_prefix": RECORD_TYPE}},
    )


def recorded(notebook: Path | str | nbformat.NotebookNode) -> dict[str, Value]:
    """Everything that the committed cells of a notebook recorded, by key, in order."""
    if not isinstance(notebook, nbformat.NotebookNode):
        notebook = nbformat.read(notebook, as_version=4)
    outputs = (output for cell in notebook.cells for output in cell.get("outputs", []))
    return recorded_in(outputs)


def recorded_in(outputs: Iterable[Mapping]) -> dict[str, Value]:
    """Everything that these outputs of cells recorded, by key, in order."""
    values = {}
    for output in outputs:
        name = output.get("metadata", {}).get("scrapbook", {}).get("name")
        if name is not None:
            values[name] = ast.literal_eval(output["data"][f"{RECORD_TYPE}text/plain"])
    return values
