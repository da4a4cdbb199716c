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


def _way(rng: np.random.Generator, size: int) -> tuple[dict[int, float], list[int]]:
    way = [0]
    for _ in range(size):
        way.append(3 * way[-1] + 1 + int(rng.integers(3)))
    seen = 1 + int(rng.integers(len(way)))
    best = np.sort(rng.integers(0, 31, size=seen))[::-1]
    others = {node: 99.0 for node in range(1, 4) if node not in way and rng.random() < 0.5}
    return others | dict(zip(way, best.astype(float).tolist(), strict=False)), way


def _wish_left(best: dict[int, float], way: list[int]) -> float:
    return [best[node] for node in way if node in best][-1]


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
    "wish_left": Exercise(
        answer=_wish_left,
        draw=_way,
        hint="the present node is the last one on the way. If it is not in `best`, go back by one "
        "node, and again, until you come to one that is; other nodes don't matter.",
    ),
}
