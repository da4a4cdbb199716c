"""What an exercise asks for, and the answers and cases that several exercises share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from seqdec_lib.checks.plain import TOLERANCE


@dataclass(frozen=True)
class Exercise:
    """What an exercise asks for.

    Attributes
    ----------
    answer : the exact answer to a case
    draw : (generator, size) -> the arguments of one random case; larger sizes are harder
    hint : what to think about when a case fails
    tolerance : how far a number may be off, relative or absolute: what rounding may do to it
    """

    answer: Callable[..., object]
    draw: Callable[[np.random.Generator, int], tuple]
    hint: str
    tolerance: float = TOLERANCE

    def cases(self, rng: np.random.Generator, size: int, number: int) -> list[tuple]:
        """So many cases of one size."""
        return [self.draw(rng, size) for _ in range(number)]


# -- what the exercises of several chapters share


def rewards_and_discount(rng: np.random.Generator, size: int) -> tuple:
    """Rewards of `size` steps, and a discount."""
    return rng.integers(-3, 10, size=size).tolist(), float(rng.choice([0.5, 0.9, 1.0]))


def returns_to_go(rewards: list[float], discount: float) -> list[float]:
    """G_t of every step, by its definition."""
    return [
        sum(discount**k * reward for k, reward in enumerate(rewards[t:]))
        for t in range(len(rewards))
    ]


def softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities (K,) of logits (K,)."""
    weights = np.exp(logits - logits.max())
    return weights / weights.sum()
