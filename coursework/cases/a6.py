"""Random cases for the self-checks of assignment 6."""

from __future__ import annotations

import numpy as np
from seqdec_lib.checks.country import ACTIONS, CITIES, NOT_LEARNED


def _matrix(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return np.round(rng.normal(size=shape), 1)


def _heads(rng: np.random.Generator, size: int) -> tuple:
    heads, tokens = 1 + (size > 2), 1 + size // 2
    width = heads * (1 + (size > 1))
    x = _matrix(rng, 1 + size // 4, tokens, width)
    return x, _matrix(rng, width, 3 * width), _matrix(rng, width, width), heads


def _block(rng: np.random.Generator, size: int) -> tuple:
    x, w_qkv, w_out, heads = _heads(rng, size + 2)
    width = x.shape[-1]
    x = np.round(x * 10 + rng.integers(-50, 50, size=(*x.shape[:2], 1)), 1)
    return x, w_qkv, w_out, _matrix(rng, width, 4 * width), _matrix(rng, 4 * width, width), heads


def _scored(rng: np.random.Generator, size: int) -> tuple:
    rows, places = 1 + size // 3, 1 + size // 2
    targets = rng.integers(ACTIONS, size=(rows, places))
    if size > 2:
        targets[:, 1::2] = NOT_LEARNED
        targets[rng.random(targets.shape) < 0.3] = NOT_LEARNED
        targets[0, 0] = 1
    return _matrix(rng, rows, places, ACTIONS) * (400 if size > 6 else 1), targets


def _logged(rng: np.random.Generator, size: int) -> tuple:
    trips, days = 1 + size // 3, 1 + size // 2
    cities = rng.integers(CITIES, size=(trips, days))
    rewards = rng.integers(-2, 6, size=(trips, days)).astype(float)
    return cities, rng.integers(ACTIONS, size=(trips, days)), rewards, _edges(rng, size)


def _edges(rng: np.random.Generator, size: int) -> np.ndarray:
    return np.sort(rng.permutation(np.arange(-8, 9))[: 1 + size]).astype(float)


def _wish(rng: np.random.Generator, size: int) -> tuple:
    cities, actions, rewards, edges = _logged(rng, size)
    return float(rng.integers(-1, 5)), edges, cities, actions[:, :-1], rewards[:, :-1]


DRAWS = {
    "many_heads": _heads,
    "one_block": _block,
    "slope_of_loss": _scored,
    "encode": _logged,
    "wish_tokens": _wish,
    "choose": lambda rng, size: (
        _matrix(rng, size, 2 + size // 3) * (900 if size > 6 else 1),
        float(rng.choice([0.0, 0.5, 1.0, 2.0])),
        np.round(rng.random(size), 3),
    ),
}
