"""Hidden tests of graded work: pass, or an AssertionError that names the failure, not the answer.

A hidden test states its exact answer and its cases in its own cell, so that nothing of them is in
this library, which students have installed:

    from seqdec_lib.checks import Exercise, grade

    grade("discounted_return", discounted_return, Exercise(answer, draw, hint="..."))

The cases depend on the student and on the term: `student_seed`.
"""

from __future__ import annotations

import hashlib
import os
import reprlib
from collections.abc import Callable

from seqdec_lib.checks.exercise import Exercise
from seqdec_lib.checks.kinds import advice
from seqdec_lib.checks.plain import TOLERANCE, plain, same
from seqdec_lib.checks.trial import first_failure

SHOWN = 200  # characters of an argument or an answer

_short = reprlib.Repr()
_short.maxlevel, _short.maxstring, _short.maxother, _short.maxlong = 4, 80, SHOWN, 80
_short.maxlist = _short.maxtuple = _short.maxdict = 12


def student_seed() -> int:
    """The seed of the student whose work is graded, 0 where nobody's is.

    It comes from the environment variables SEQDEC_STUDENT, the student's id, and SEQDEC_TERM, the
    number of the term, which the grader sets.
    """
    student, term = os.environ.get("SEQDEC_STUDENT", ""), os.environ.get("SEQDEC_TERM", "")
    if not student and not term:
        return 0
    return int.from_bytes(hashlib.sha256(f"{term}/{student}".encode()).digest()[:6], "big")


def grade(name: str, attempt: Callable[..., object], exercise: Exercise) -> None:
    """Try a student's function on hidden random cases of an exercise, types as well as values.

    Raises
    ------
    AssertionError
        A case fails; the message shows its arguments and what came, not what was expected.
    """
    failure = first_failure(exercise, attempt, student_seed())
    if failure is None:
        return
    if failure.not_filled_in:
        raise AssertionError(f"{name}: not filled in.")
    arguments = ", ".join(_show(argument) for argument in failure.case)
    came = (
        f"{type(failure.came).__name__}: {failure.came}" if failure.raised else _show(failure.came)
    )
    raise AssertionError(
        f"{name}: wrong on a hidden case.\n  {name}({arguments})\n  came  {came}\n"
        f"Hint: {advice(failure.came, failure.expected, exercise.hint)}"
    )


def grade_value(
    name: str, came: object, expected: object, hint: str, tolerance: float = TOLERANCE
) -> None:
    """Compare a value that a student computed with the exact one, types as well as values.

    Raises
    ------
    AssertionError
        They differ; the message shows what came, not what was expected.
    """
    try:
        came = plain(came)
    except TypeError as error:
        raise AssertionError(f"{name}: {error}") from None
    if not same(came, plain(expected), tolerance):
        hint = advice(came, expected, hint)
        raise AssertionError(f"{name}: {_show(came)} is not right.\nHint: {hint}")


def _show(value: object) -> str:
    try:
        text = _short.repr(plain(value))
    except TypeError:
        text = f"<{type(value).__name__}>"
    return text if len(text) <= SHOWN else text[:SHOWN] + "..."
