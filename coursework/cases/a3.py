"""Random cases for the self-checks of assignment 3."""

from __future__ import annotations

import numpy as np

PADDING = (99, np.nan, 9999)  # none of it may matter


def _numbers(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return np.round(rng.normal(size=shape), 1)


def _noise(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return np.round(rng.gumbel(size=shape), 2)


def _orders(rng: np.random.Generator, size: int) -> tuple[np.ndarray, list[int]]:
    ways = 2 + size // 3
    logits = _numbers(rng, ways) + (1000 if size > 5 else 0)
    closed = int(rng.integers(ways)) if size > 3 else None
    if closed is not None:
        logits[closed] = -np.inf
    order = [int(way) for way in rng.permutation(ways) if way != closed]
    return logits, order[: rng.integers(1, len(order) + 1)]


def _notebooks(rng: np.random.Generator, size: int) -> tuple:
    batch, days, width = 1 + size // 4, 1 + size // 2, 1 + size // 4
    queries, keys = _numbers(rng, 2, batch, days, width)
    values = rng.integers(-50, 100, size=(batch, days, 1 + size // 6)) / 10
    lengths = rng.integers(1, days + 1, size=batch)
    for array in (queries, keys, values):
        array[np.arange(days) < days - lengths[:, None]] = PADDING[size % len(PADDING)]
    return queries, keys, values, lengths


def _climbs(rng: np.random.Generator, size: int) -> tuple:
    method = ("score", "relaxed")[int(rng.integers(2))]
    rewards = rng.permutation(10)[: 2 + size // 3] - 3.0
    return method, bool(rng.random() < 0.6), rewards, size, int(rng.integers(100))


DRAWS = {
    "order_probability": _orders,
    "attend": _notebooks,
    "score_gradient": lambda rng, size: (
        _numbers(rng, 2 + size // 4),
        _noise(rng, 2 + size // 3, 2 + size // 4),
        5 + _numbers(rng, 2 + size // 4),
    ),
    "relaxed_gradient": lambda rng, size: (
        _numbers(rng, 2 + size // 4),
        _noise(rng, 1 + size // 3, 2 + size // 4),
        _numbers(rng, 2 + size // 4),
        float(rng.choice([0.5, 1.0, 2.0])),
    ),
    "climb_regret": _climbs,
}
