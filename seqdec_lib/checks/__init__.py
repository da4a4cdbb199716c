"""Self-checks for the exercises: a reader's function against the exact answer, on random cases.

`check("name", function)` prints a verdict: the smallest case that fails, what was expected, what
came, and a hint that teaches, never the answer.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

import numpy as np

from seqdec_lib.checks.examples import Listed, examples
from seqdec_lib.checks.exercise import Exercise
from seqdec_lib.checks.graded import grade, grade_value, student_seed
from seqdec_lib.checks.kinds import advice
from seqdec_lib.checks.trial import CASES_PER_SIZE, LARGEST_SIZE, Failure, first_failure

__all__ = [
    "EXERCISES",
    "OF_ASSIGNMENTS",
    "OF_CHAPTERS",
    "Exercise",
    "Verdict",
    "check",
    "examples",
    "grade",
    "grade_value",
    "judge",
    "ready",
    "student_seed",
]

LINE = 76  # characters: what a page shows without scrolling

CHAPTERS = [
    *(import_module(f"{__name__}.chapter_{number}") for number in range(1, 13)),
    *(import_module(f"{__name__}.appendix_{letter}") for letter in "ab"),
]
ASSIGNMENTS = [import_module(f"{__name__}.assignment_{number}") for number in range(1, 7)]
OF_CHAPTERS: dict[str, Exercise] = {
    name: exercise for chapter in CHAPTERS for name, exercise in chapter.EXERCISES.items()
}
OF_ASSIGNMENTS: dict[str, Exercise] = {
    name: exercise for assignment in ASSIGNMENTS for name, exercise in assignment.EXERCISES.items()
}
EXERCISES = OF_CHAPTERS | OF_ASSIGNMENTS


@dataclass(frozen=True)
class Verdict:
    """How an attempt did: `passed`, and the text that the reader sees."""

    passed: bool
    text: str


def check(name: str, attempt: Callable[..., object], exercise: Listed | None = None) -> None:
    """Print the verdict on a reader's function for the exercise `name`, or for one of your own."""
    print(judge(name, attempt, exercise=exercise).text)


def ready(**attempts: Callable[..., object]) -> bool:
    """Whether all these functions, named as their exercises, pass; says which ones don't.

    What builds on a reader's functions waits for them: `if ready(plan=plan): ...`.
    """
    missing = [name for name, attempt in attempts.items() if not judge(name, attempt).passed]
    if missing:
        print(f"This waits for {', '.join(missing)}.")
    return not missing


def judge(
    name: str, attempt: Callable[..., object], seed: int = 0, exercise: Listed | None = None
) -> Verdict:
    """Try a function on random cases, small ones first, until one fails.

    Raises
    ------
    ValueError
        No exercise of that name.
    """
    tried = f"{LARGEST_SIZE * CASES_PER_SIZE} random cases"
    if exercise is not None:
        tried = f"{len(exercise.listed)} examples"
    elif name not in EXERCISES:
        raise ValueError(f"there is no exercise {name!r}; the exercises are {sorted(EXERCISES)}.")
    exercise = exercise or EXERCISES[name]
    failure = first_failure(exercise, attempt, seed)
    if failure is None:
        return Verdict(True, f"{name}: right, on all {tried}.")
    if failure.not_filled_in:
        return Verdict(False, f"{name}: not filled in yet. Write it, then run this cell.")
    return Verdict(False, _explain(name, failure, exercise.hint))


def _explain(name: str, failure: Failure, hint: str) -> str:
    arguments = ", ".join(_show(argument) for argument in failure.case)
    came = failure.came
    result = f"{type(came).__name__}: {came}" if failure.raised else _show(came)
    hint = advice(came, failure.expected, hint)
    return (
        f"{name}: not yet. The smallest case that fails is\n"
        f"  {name}({arguments})\n"
        f"  expected {_show(failure.expected)}\n"
        f"  came     {result}\n"
        f"Hint: {textwrap.fill(hint, LINE, subsequent_indent='  ')}"
    )


def _show(value: object) -> str:
    return repr(value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value)
