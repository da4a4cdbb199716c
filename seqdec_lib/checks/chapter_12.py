"""The exercises of chapter 12, *Bridging imitation and innovation*."""

from __future__ import annotations

import numpy as np

from seqdec_lib.checks.exercise import Exercise


def _best_tried(worths: np.ndarray, trips: np.ndarray) -> np.ndarray:
    return np.array([max(row[drawn]) for row, drawn in zip(worths, trips, strict=True)])


def _tries(p: float, c: float) -> int:
    tries = 1
    while (1 - p) ** tries > 1 - c:
        tries += 1
    return tries


def _chances(rng: np.random.Generator, size: int) -> tuple[float, float]:
    p = float(rng.integers(1, 10)) / 10 if size < 3 else float(rng.integers(1, 100)) / 729
    return p, float(rng.choice([0.11, 0.43, 0.57, 0.87, 0.93]))


EXERCISES = {
    "best_tried": Exercise(
        answer=_best_tried,
        draw=lambda rng, size: (
            rng.integers(0, 31, (size, 3 * size)).astype(float),
            rng.integers(3 * size, size=(size, size + 1)),
        ),
        hint="each row of `trips` names columns of the same row of `worths`. The largest worth "
        "among these is meant, also where all of them are small.",
    ),
    "fair_score": Exercise(
        answer=lambda regrets: float(np.mean(regrets)),
        draw=lambda rng, size: (rng.integers(0, 20, size).astype(float).tolist(),),
        hint="which number of many runs is, on average, what one more run will give?",
    ),
    "tries_needed": Exercise(
        answer=_tries,
        draw=_chances,
        hint="all n tries miss with probability (1 - p) ** n. Which is the smallest n for which "
        "this is at most 1 - c?",
    ),
}
