"""Laws: what holds for every right model, whatever its design, with points for each that holds.

A law asks a student's functions for numbers, asks again after a change, and compares the answers.
It believes nothing that a model says of itself, and it says what is right, not how to get there;
so the self-checks and the hidden tests share it, and differ in what they draw.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from seqdec_lib.checks.plain import plain


@dataclass(frozen=True)
class Law:
    """Something that should hold.

    Attributes
    ----------
    says : what should hold, in a few words
    points : what it is worth
    seen : looks at what was prepared; returns what was seen, or raises an AssertionError that says
        how the law is broken
    """

    says: str
    points: int
    seen: Callable[[object], str]


@dataclass(frozen=True)
class Laws:
    """The laws of a problem.

    Attributes
    ----------
    prepare : (generator, the student's functions) -> what the laws look at; an AssertionError
        breaks them all
    laws : in the order of the table
    """

    prepare: Callable[..., object]
    laws: tuple[Law, ...]

    @property
    def points(self) -> int:
        """What all of them together are worth."""
        return sum(law.points for law in self.laws)


@dataclass(frozen=True)
class Line:
    """A line of the table: what should hold, what was seen, and what it earns."""

    says: str
    seen: str
    points: int
    out_of: int


def judged(laws: Laws, functions: tuple, seed: int) -> list[Line]:
    """A line for each law.

    Raises
    ------
    NotImplementedError
        One of the functions was not filled in.
    """
    rng = np.random.default_rng(seed)
    try:
        prepared = laws.prepare(rng, *functions)
    except NotImplementedError:
        raise
    except Exception as error:  # whatever a student's code raises is part of the verdict
        return [Line(law.says, _told(error), 0, law.points) for law in laws.laws]
    return [_line(law, prepared) for law in laws.laws]


def demand(holds: bool, broken: str) -> None:
    """Break the law with a sentence unless this holds."""
    if not holds:
        raise AssertionError(broken)


def numbers(name: str, value: object, shape: tuple[int, ...] | None = None) -> np.ndarray:
    """What a student's function returned, as numbers.

    Raises
    ------
    AssertionError
        It has another shape, or not all of it are finite numbers.
    """
    demand(value is not None, f"{name} returned None: is a `return` missing?")
    try:
        found = np.asarray(plain(value), dtype=float)
    except (TypeError, ValueError):
        raise AssertionError(f"{name} should return numbers, as an array or tensor.") from None
    fits = shape is None or found.shape == shape
    demand(fits, f"{name}: shape {found.shape} came, and should be {shape}.")
    demand(np.isfinite(found).all(), f"{name}: some of what came is nan or infinite.")
    return found


def as_text(lines: list[Line]) -> str:
    """The lines below each other, what was seen under what should hold."""
    return "\n".join(
        f"  {line.points} of {line.out_of}  {line.says}\n          {line.seen}" for line in lines
    )


def _line(law: Law, prepared: object) -> Line:
    try:
        return Line(law.says, law.seen(prepared), law.points, law.points)
    except Exception as error:
        return Line(law.says, _told(error), 0, law.points)


def _told(error: Exception) -> str:
    text = str(error) if isinstance(error, AssertionError) else f"{type(error).__name__}: {error}"
    return " ".join(text.split())[:300]
