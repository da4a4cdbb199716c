"""Random cases for the self-checks of assignment 5."""

from __future__ import annotations

import numpy as np


def _logits(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return np.round(rng.normal(scale=2, size=shape), 1)


def _next(rng: np.random.Generator, size: int) -> tuple:
    words = 1 + size
    used = rng.permutation(words)[: rng.integers(0, words)].tolist() if size > 2 else []
    return (
        _logits(rng, words) + (1000 if size > 6 else 0),
        float(rng.choice([0.5, 1.0, 2.0])),
        float(rng.choice([0.01, 0.1, 0.3])),
        used,
    )


def _cards(rng: np.random.Generator, size: int) -> tuple:
    cards, places, vocabulary = 1 + size // 3, 2 + size // 3, 2 + size // 4
    logits, words = _logits(rng, cards, places, vocabulary), rng.integers(0, 2, (cards, places))
    return logits, words, np.arange(places) < rng.integers(2, places + 1, cards)[:, None]


def _language(rng: np.random.Generator, size: int) -> tuple[np.ndarray, int]:
    places, words = 1 + size // 3, 2 + size // 4
    weights = rng.permutation(9 * places * words**2)[: places * words**2] + 1
    weights = weights.reshape(places, words, words)
    log_p = np.log(weights / weights.sum(axis=2, keepdims=True))
    return np.round(log_p, 4), int(rng.integers(words))


def _log_shares(weights: np.ndarray) -> np.ndarray:
    return np.log(weights / weights.sum())


DRAWS = {
    "next_word": _next,
    "bits_per_word": _cards,
    "best_sentence": _language,
    "beam": lambda rng, size: (*_language(rng, size), 1 + int(rng.integers(3))),
    "preference_loss": lambda rng, size: (
        -rng.integers(1, 10 if size < 6 else 3000, size=(1 + size // 3, 2)).astype(float),
        -rng.integers(1, 10 if size < 6 else 3000, size=(1 + size // 3, 2)).astype(float),
        float(rng.choice([0.1, 0.5, 1.0])),
    ),
    "on_leash": lambda rng, size: (
        _log_shares(rng.integers(1, 6, size=1 + size)),
        rng.integers(-5, 6, size=1 + size).astype(float),
        rng.integers(-5, 6, size=1 + size).astype(float),
        float(rng.choice([0.001, 0.5, 2.0, 100.0])),
    ),
}
