"""Random cases for the self-checks of assignment 1."""

from __future__ import annotations

import numpy as np


def _leaves(rng: np.random.Generator, size: int) -> tuple[list[float], int]:
    branching = int(rng.integers(2, 4))
    leaves = rng.integers(-2, 10, size=branching ** (1 + size // 3))
    return _halves(leaves, size).tolist(), branching


def _halves(numbers: np.ndarray, size: int) -> np.ndarray:
    """Whole numbers where a case is small, floats where it is large."""
    return numbers if size < 5 else numbers / 2


def _rows(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Rows of probabilities in eighths, which add up to 1 exactly."""
    return rng.multinomial(8, rng.dirichlet(np.ones(shape[-1]), size=shape[:-1])) / 8


def _passes(rng: np.random.Generator, size: int) -> tuple:
    states, actions = 1 + (size + 1) // 2, int(rng.integers(1, 3)) if size < 3 else 2
    rewards = rng.integers(-2, 6, size=(states, actions))
    last = rng.integers(-4, 5, size=states)
    days = int(rng.integers(1, 2 + size // 2))
    discount = float(rng.choice([0.5, 0.9, 1.0]))
    rewards, last = _halves(rewards, size), _halves(last, size)
    return _rows(rng, states, actions, states), rewards, last, days, discount


def _chains(rng: np.random.Generator, size: int) -> tuple:
    states = 1 + (size + 1) // 2
    rewards = rng.integers(-2, 6, size=states)
    discount = float(rng.choice([0.5, 0.9, 1.0]))
    chain = _rows(rng, states, states)
    if size % 2:  # nothing is left to chance: the variance is 0, but for rounding
        chain = np.eye(states)[rng.integers(states, size=states)]
    return chain, _halves(rewards, size), discount, int(rng.integers(1, 2 + size // 2))


def _worth(rng: np.random.Generator, size: int) -> tuple:
    branching, horizon = (2 if size < 4 else int(rng.integers(2, 4))), 1 + size // 3
    nodes = (branching ** (horizon + 1) - 1) // (branching - 1)
    worth = rng.integers(-4, 10, size=nodes) if size % 2 else rng.permutation(3 * nodes)[:nodes]
    return _halves(worth, size), branching, int(rng.integers(1, horizon + 2))


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
