"""The exercises of chapter 12, *Bridging imitation and innovation*."""

from __future__ import annotations

import numpy as np

from seqdec_lib.checks.exercise import Exercise


def _best_tried(worths: np.ndarray, trips: np.ndarray) -> np.ndarray:
    return np.array([max(row[drawn]) for row, drawn in zip(worths, trips, strict=True)])


def _lowest(regrets: np.ndarray) -> int:
    return min(range(len(regrets)), key=lambda setting: sum(regrets[setting]))


def _lost(sure: float, high: float, cancel: float) -> float:
    runs = 1 - cancel
    return max(0.0, sure - (cancel * sure + runs * runs * high))


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
    "honest_score": Exercise(
        answer=lambda chosen_on, tested_on: float(np.mean(tested_on[_lowest(chosen_on)])),
        draw=lambda rng, size: tuple(rng.random((2, size + 1, size)).round(3)),
        hint="the first trees only choose the row. Which numbers of this row count?",
    ),
    "lost_by_wishing": Exercise(
        answer=_lost,
        draw=lambda rng, size: (
            *sorted(map(float, rng.choice(10 + 2 * size, 2, replace=False))),
            float(rng.integers(1, 10)) / 10,
        ),
        hint="only the wish for `high` can fail, and in two ways that end differently. A traveler "
        "whose wish is the better plan loses nothing.",
    ),
    "tries_needed": Exercise(
        answer=_tries,
        draw=_chances,
        hint="all n tries miss with probability (1 - p) ** n. Which is the smallest n for which "
        "this is at most 1 - c?",
    ),
}
