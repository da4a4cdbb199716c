"""An attempt on random cases, small ones first, until one fails."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from seqdec_lib.checks.exercise import Exercise
from seqdec_lib.checks.plain import plain, same

CASES_PER_SIZE = 5
LARGEST_SIZE = 8


@dataclass(frozen=True)
class Failure:
    """A case that fails: its arguments, the exact answer, and what came, maybe an exception."""

    case: tuple
    expected: object
    came: object

    @property
    def not_filled_in(self) -> bool:
        """Whether the attempt is still the stub that the reader was given."""
        return isinstance(self.came, NotImplementedError)

    @property
    def raised(self) -> bool:
        """Whether the attempt raised instead of answering, or what it answered is no answer."""
        return isinstance(self.came, BaseException)


def first_failure(exercise: Exercise, attempt: Callable[..., object], seed: int) -> Failure | None:
    """The smallest case of an exercise that the attempt fails, or None."""
    rng = np.random.default_rng(seed)
    for size in range(1, LARGEST_SIZE + 1):
        for case in exercise.cases(rng, size, CASES_PER_SIZE):
            expected = exercise.answer(*copy.deepcopy(case))
            try:
                came = plain(attempt(*copy.deepcopy(case)))
            except (Exception, SystemExit) as error:  # whatever a reader's code raises
                return Failure(case, expected, error)
            if not same(came, plain(expected), exercise.tolerance):
                return Failure(case, expected, came)
    return None
