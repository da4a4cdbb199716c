"""Random cases for the self-checks of assignment 1."""

from __future__ import annotations

import numpy as np


def _leaves(rng: np.random.Generator, size: int) -> tuple[list[float], int]:
    branching = int(rng.integers(2, 4))
    return rng.integers(0, 10, size=branching ** (1 + size // 3)).tolist(), branching


def _rows(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Rows of probabilities in eighths, which add up to 1 exactly."""
    return rng.multinomial(8, rng.dirichlet(np.ones(shape[-1]), size=shape[:-1])) / 8


def _passes(rng: np.random.Generator, size: int) -> tuple:
    states, actions = 1 + (size + 1) // 2, int(rng.integers(1, 3)) if size < 3 else 2
    rewards = rng.integers(-2, 6, size=(states, actions))
    last = rng.integers(-4, 5, size=states)
    days = int(rng.integers(1, 2 + size // 2))
    discount = float(rng.choice([0.5, 0.9, 1.0]))
    return _rows(rng, states, actions, states), rewards, last, days, discount


def _chains(rng: np.random.Generator, size: int) -> tuple:
    states = 1 + (size + 1) // 2
    rewards = rng.integers(-2, 6, size=states)
    discount = float(rng.choice([0.5, 0.9, 1.0]))
    return _rows(rng, states, states), rewards, discount, int(rng.integers(1, 2 + size // 2))


def _worth(rng: np.random.Generator, size: int) -> tuple:
    branching, horizon = (2 if size < 4 else int(rng.integers(2, 4))), 1 + size // 3
    nodes = (branching ** (horizon + 1) - 1) // (branching - 1)
    return rng.permutation(3 * nodes)[:nodes], branching, int(rng.integers(1, horizon + 2))


DRAWS = {
    "value_with_cancellations": lambda rng, size: (
        *_leaves(rng, size),
        float(rng.choice([0.0, 0.2, 0.5])),
    ),
    "plan": _passes,
    "spread": _chains,
    "look_ahead": _worth,
    "mean_regret": lambda rng, size: (
        int(rng.integers(1, 4)),
        rng.integers(1, 100, size=1 + size // 4).tolist(),
    ),
}
