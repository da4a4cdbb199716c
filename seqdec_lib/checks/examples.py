"""Exercises whose cases are listed: the self-checks of assignments that are not this book's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seqdec_lib.checks.exercise import Exercise
from seqdec_lib.checks.plain import TOLERANCE, plain, same


@dataclass(frozen=True, kw_only=True)
class Listed(Exercise):
    """An exercise that has these cases and no others."""

    listed: tuple[tuple, ...]

    def cases(self, rng: np.random.Generator, size: int, number: int) -> list[tuple]:
        """All cases, as if they were of the smallest size."""
        return list(self.listed) if size == 1 else []


def examples(*answered: tuple[tuple, object], hint: str, tolerance: float = TOLERANCE) -> Listed:
    """An exercise made of examples, which are tried in their order.

    Parameters
    ----------
    answered : for each case its arguments, as a tuple, and the answer
    hint : what to think about when a case fails
    tolerance : how far a number may be off, relative or absolute

    Raises
    ------
    ValueError
        There is no example, or it is no such pair.
    """
    if not answered or not all(len(e) == 2 and isinstance(e[0], tuple) for e in answered):
        raise ValueError(
            "examples are pairs of arguments and answer, at least one: write `examples(((2, 3), "
            '6), hint="...")` for a function of two arguments.'
        )

    def answer(*case: object) -> object:
        return next(right for given, right in answered if same(plain(case), plain(given)))

    return Listed(answer, _never, hint, tolerance, listed=tuple(case for case, _ in answered))


def _never(rng: np.random.Generator, size: int) -> tuple:
    raise NotImplementedError("examples are listed, and not drawn.")
