"""Self-checks for the exercises: a reader's function against the exact answer, on random cases.

`check("name", function)` prints a verdict: the smallest case that fails, what was expected, what
came, and a hint that teaches, never the answer.
"""

from __future__ import annotations

import copy
import textwrap
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from seqdec_lib.checks import (
    chapter_1,
    chapter_10,
    chapter_2,
    chapter_3,
    chapter_4,
    chapter_5,
    chapter_6,
    chapter_7,
)
from seqdec_lib.checks.exercise import Exercise

CASES_PER_SIZE = 5
LARGEST_SIZE = 8
TOLERANCE = 1e-9
LINE = 76  # characters: what a page shows without scrolling

CHAPTERS = (chapter_1, chapter_2, chapter_3, chapter_4, chapter_5, chapter_6, chapter_7, chapter_10)
EXERCISES: dict[str, Exercise] = {
    name: exercise for chapter in CHAPTERS for name, exercise in chapter.EXERCISES.items()
}


@dataclass(frozen=True)
class Verdict:
    """How an attempt did: `passed`, and the text that the reader sees."""

    passed: bool
    text: str


def check(name: str, attempt: Callable[..., object]) -> None:
    """Print the verdict on a reader's function for the exercise `name`."""
    print(judge(name, attempt).text)


def judge(name: str, attempt: Callable[..., object], seed: int = 0) -> Verdict:
    """Try a function on random cases, small ones first, until one fails.

    Raises
    ------
    ValueError
        No exercise of that name.
    """
    if name not in EXERCISES:
        raise ValueError(f"there is no exercise {name!r}; the exercises are {sorted(EXERCISES)}.")
    exercise, rng = EXERCISES[name], np.random.default_rng(seed)
    for size in range(1, LARGEST_SIZE + 1):
        for _ in range(CASES_PER_SIZE):
            case = exercise.draw(rng, size)
            expected = exercise.answer(*copy.deepcopy(case))
            try:
                came = attempt(*copy.deepcopy(case))
            except NotImplementedError:
                return Verdict(False, f"{name}: not filled in yet. Write it, then run this cell.")
            except Exception as error:  # whatever a reader's code raises is part of the verdict
                came = error
            if not _equal(came, expected):
                return Verdict(False, _explain(name, case, expected, came, exercise.hint))
    return Verdict(True, f"{name}: right, on all {LARGEST_SIZE * CASES_PER_SIZE} random cases.")


def _equal(came: object, expected: object) -> bool:
    """Same numbers within rounding, same shape; lists and arrays are the same thing here."""
    try:
        numbers, exact = np.asarray(came, dtype=float), np.asarray(expected, dtype=float)
    except Exception:  # whatever a strange answer raises here, it is not a number
        return False
    return numbers.shape == exact.shape and np.allclose(
        numbers, exact, rtol=TOLERANCE, atol=TOLERANCE
    )


def _explain(name: str, case: tuple, expected: object, came: object, hint: str) -> str:
    arguments = ", ".join(_show(argument) for argument in case)
    result = f"{type(came).__name__}: {came}" if isinstance(came, Exception) else _show(came)
    return (
        f"{name}: not yet. The smallest case that fails is\n"
        f"  {name}({arguments})\n"
        f"  expected {_show(expected)}\n"
        f"  came     {result}\n"
        f"Hint: {textwrap.fill(hint, LINE, subsequent_indent='  ')}"
    )


def _show(value: object) -> str:
    return repr(value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value)
