"""The exercises of appendix B, *More than one machine*."""

from __future__ import annotations

import numpy as np

from seqdec_lib.checks.exercise import Exercise


def _shares(rng: np.random.Generator, size: int) -> tuple[list[float], list[int]]:
    losses = np.round(rng.uniform(0.1, 3, size), 1)
    return losses.tolist(), rng.integers(1, 6, size).tolist()


def _best_interval(step: float, write: float, between: float) -> int:
    return min(range(1, 1001), key=lambda k: write / k + step * (k - 1) / 2 / between)


EXERCISES = {
    "joined_loss": Exercise(
        answer=lambda losses, counts: float(np.average(losses, weights=counts)),
        draw=_shares,
        hint="a process with more targets has more to say: weight each loss by its count, and "
        "divide by the number of all targets.",
    ),
    "best_interval": Exercise(
        answer=_best_interval,
        draw=lambda rng, size: (
            float(rng.choice([0.1, 0.3, 1.0])),
            float(rng.choice([0.7, 2.3, 11.0])),
            float(rng.integers(5, 40) * size),
        ),
        hint="what does a step cost in addition with k = 1, with a very large k, and between?",
    ),
}
