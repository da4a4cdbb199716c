"""Assignment 6's own `check` and `grade`: laws, with points for each, and the table that grows.

In the notebook:

    check_laws("model", initial_weights, model_logits)  # prints the verdict
    so_far(globals())  # prints the whole table
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from seqdec_lib.checks.assignment_6 import EXERCISES, LAWS, ORDER, POINTS
from seqdec_lib.checks.graded import student_seed
from seqdec_lib.checks.laws import Line, as_text, judged
from seqdec_lib.checks.trial import first_failure

NOT_FILLED_IN = "not filled in yet."
_seen: dict[str, list[Line]] = {}  # what the laws said last, by problem


class Partly(AssertionError):
    """Some laws hold and some don't.

    Attributes
    ----------
    points : what those that hold are worth
    """

    def __init__(self, points: int, text: str) -> None:
        super().__init__(text)
        self.points = points


def judge_laws(name: str, *functions: Callable, seed: int = 0) -> list[Line]:
    """A line for each law of a problem, in the order of the table."""
    try:
        return judged(LAWS[name], functions, seed)
    except NotImplementedError:
        return [Line(law.says, NOT_FILLED_IN, 0, law.points) for law in LAWS[name].laws]


def check_laws(name: str, *functions: Callable) -> None:
    """Print which laws a student's functions keep, and how they break the others."""
    lines = _seen[name] = judge_laws(name, *functions)
    if _untouched(lines):
        print(f"{name}: not filled in yet. Write it, then run this cell.")
    else:
        verdict = "right, on all laws." if all(line.points for line in lines) else "not yet."
        print(f"{name}: {verdict}\n{as_text(lines)}")


def kept(*problems: str) -> bool:
    """Whether some law of each of these problems held when it was last checked; says which wait."""
    missing = [name for name in problems if not any(n.points for n in _seen.get(name, []))]
    if missing:
        print(f"This waits for {', '.join(missing)}.")
    return not missing


def grade_laws(name: str, *functions: Callable) -> None:
    """Hold a student's functions to the laws, with what is drawn for this student; print them.

    Raises
    ------
    Partly
        Some of the laws are broken.
    AssertionError
        All of them are.
    """
    lines = judge_laws(name, *functions, seed=student_seed())
    points, text = sum(line.points for line in lines), as_text(lines)
    if _untouched(lines):
        raise AssertionError(f"{name}: not filled in.")
    if not points:
        raise AssertionError(f"{name}: no law holds.\n{text}")
    print(text)
    if not all(line.points for line in lines):
        raise Partly(points, f"{name}: some laws hold, which is worth {points}.")


def so_far(names: dict[str, object]) -> None:
    """Print the table: every problem and law, and what it has earned by the visible checks.

    Parameters
    ----------
    names : the notebook's, `globals()`
    """
    lines = [line for name in ORDER for line in _lines_of(name, names.get(name))]
    for line in lines:
        print(f"{line.says:<68} {line.points} of {line.out_of}")
    together = sum(line.points for line in lines), sum(line.out_of for line in lines)
    print(f"{'together, by the visible checks':<67} {together[0]:>2} of {together[1]}")


def _lines_of(name: str, attempt: object) -> list[Line]:
    """What a problem has earned: one with a right answer is tried again, laws are remembered."""
    if name in POINTS:
        right = callable(attempt) and first_failure(EXERCISES[name], attempt, 0) is None
        return [Line(name, "", POINTS[name] * right, POINTS[name])]
    nothing = [Line(law.says, "", 0, law.points) for law in LAWS[name].laws]
    return [replace(line, says=f"{name}: {line.says}") for line in _seen.get(name, nothing)]


def _untouched(lines: list[Line]) -> bool:
    return all(line.seen == NOT_FILLED_IN for line in lines)
