"""Exercises whose exact answers are recorded as data: the self-checks of the assignments.

Whoever reads the library finds what a case's answer is, and no function that would find it. The
random cases are drawn, and answered by the source notebooks' solutions, by `coursework/record.py`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np

from seqdec_lib.checks.exercise import Exercise
from seqdec_lib.checks.plain import TOLERANCE


@dataclass(frozen=True, kw_only=True)
class Recorded(Exercise):
    """An exercise of which there are only so many cases of a size, so that each is tried once."""

    recordings: Callable[[int], list[tuple]]

    def cases(self, rng: np.random.Generator, size: int, number: int) -> list[tuple]:
        """The first cases of that size."""
        return self.recordings(size)[:number]


def recorded(
    assignment: str, hints: dict[str, str], tolerances: dict[str, float] | None = None
) -> dict[str, Exercise]:
    """The exercises of an assignment, whose cases are in `<assignment>.json`.

    Parameters
    ----------
    hints : for each exercise, what to think about when a case fails
    tolerances : of the exercises in which rounding weighs more than usual, as in the hidden tests
    """
    tolerances = tolerances or {}
    return {
        name: _exercise(assignment, name, hint, tolerances.get(name, TOLERANCE))
        for name, hint in hints.items()
    }


def to_json(value: object) -> object:
    """A case or an answer as JSON, in which arrays and tuples are marked."""
    if isinstance(value, np.ndarray):
        return (
            {"array": value.tolist()}
            if value.size
            else {"empty": [value.dtype.str, [*value.shape]]}
        )
    if isinstance(value, tuple):
        return {"tuple": [to_json(item) for item in value]}
    if isinstance(value, list):
        return [to_json(item) for item in value]
    return value.item() if isinstance(value, np.generic) else value


def from_json(value: object) -> object:
    """The inverse of `to_json`."""
    if isinstance(value, dict):
        ((kind, items),) = value.items()
        if kind == "empty":
            return np.empty(items[1], items[0])
        return np.array(items) if kind == "array" else tuple(from_json(item) for item in items)
    return [from_json(item) for item in value] if isinstance(value, list) else value


def _exercise(assignment: str, name: str, hint: str, tolerance: float) -> Recorded:
    def recordings(size: int) -> list[tuple]:
        entries = _entries(assignment)[name]
        return [from_json(entry["case"]) for entry in entries if entry["size"] == size]

    def draw(rng: np.random.Generator, size: int) -> tuple:
        cases = recordings(size)
        return cases[rng.integers(len(cases))]

    def answer(*case: object) -> object:
        return from_json(_answers(assignment, name)[json.dumps(to_json(case))])

    return Recorded(answer, draw, hint, tolerance, recordings=recordings)


@cache
def _entries(assignment: str) -> dict[str, list[dict]]:
    text = files("seqdec_lib.checks").joinpath(f"{assignment}.json").read_text(encoding="utf-8")
    return json.loads(text)


@cache
def _answers(assignment: str, name: str) -> dict[str, object]:
    """The answer to each case, by the case's text: nan is not equal to nan."""
    return {json.dumps(entry["case"]): entry["answer"] for entry in _entries(assignment)[name]}
