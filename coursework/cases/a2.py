"""Random cases for the self-checks of assignment 2."""

from __future__ import annotations

import numpy as np

METHODS = ("once", "often", "plan")


def _reward(rng: np.random.Generator, size: int) -> float:
    """A whole number where a case is small, one with a half where it is large."""
    reward = int(rng.integers(-2, 6))
    return reward if size < 5 else reward / 2


def _lines(rng: np.random.Generator, size: int) -> tuple[list[tuple], int, int]:
    states = 2 + size // 3
    lines = [
        (
            int(rng.integers(states)),
            int(rng.integers(2)),
            _reward(rng, size),
            int(rng.integers(states)),
            bool(rng.random() < 0.4),
        )
        for _ in range(size)
    ]
    return lines, states, 2


def _trips(rng: np.random.Generator, size: int) -> tuple[list[list[tuple]], int, float]:
    states = 2 + size // 4
    trips = [
        [
            (int(rng.integers(states)), _reward(rng, size))
            for _ in range(rng.integers(1, 2 + size // 2))
        ]
        for _ in range(1 + size // 2)
    ]
    return trips, states, float(rng.choice([0.5, 0.9, 1.0]))


DRAWS = {
    "replay": lambda rng, size: (
        *_lines(rng, size),
        float(rng.choice([0.5, 0.9])),
        0.5,
        int(rng.integers(1, 2 + size // 2)),
    ),
    "plan_in_diary": lambda rng, size: (
        *_lines(rng, size),
        float(rng.choice([0.5, 0.9])),
        int(rng.integers(1, 2 + size // 2)),
    ),
    "values_by_mean": _trips,
    "values_by_model": _trips,
    "diary_regret": lambda rng, size: (
        METHODS[int(rng.integers(3))],
        int(rng.integers(1, 1 + 5 * size)),
        int(rng.integers(100)),
    ),
}
