"""Random cases for the self-checks of assignment 4."""

from __future__ import annotations

import numpy as np


def _padded(rng: np.random.Generator, size: int) -> tuple:
    trips, days = 1 + size // 3, 1 + size // 2
    rewards = rng.integers(-20, 60, size=(trips, days)) / 10
    lengths = rng.integers(1, days + 1, size=trips)
    rewards[np.arange(days) >= lengths[:, None]] = 9999 if size % 2 else np.nan
    return rewards, lengths, float(rng.choice([0.5, 0.9, 1.0]))


def _logged(rng: np.random.Generator, size: int) -> tuple:
    days = 1 + size // 2
    to_go, states, actions = (rng.integers(low, low + 10, days).tolist() for low in (-3, 100, 200))
    return to_go, states, actions, int(rng.integers(days)), int(rng.integers(1, days + 2))


def _guides(rng: np.random.Generator, size: int) -> tuple:
    guides, states = 1 + size // 3, 1 + size // 2
    shares = rng.integers(1, 5, size=guides)
    visits = rng.integers(0, 3, size=(guides, states)) / 2
    weights = rng.integers(0, 3, size=(guides, states, 2)) + [1, 0]
    return shares / shares.sum(), visits, weights / weights.sum(axis=2, keepdims=True)


def _wishes(rng: np.random.Generator, size: int) -> tuple:
    branching = 2 if size < 4 else int(rng.integers(2, 4))
    leaves = rng.integers(0, 10, size=branching ** (1 + size // 4)).tolist()
    return leaves, branching, int(rng.integers(0, 11)), float(rng.choice([0.0, 0.2, 0.5]))


DRAWS = {
    "goals": _padded,
    "reading": _logged,
    "clone_of_mixture": _guides,
    "wish_policy": _wishes,
    "wish_regret": lambda rng, size: (
        int(rng.integers(1, 2 + 3 * size)),
        float(rng.choice([0.0, 0.2, 0.5])),
        int(rng.integers(100)),
    ),
}
