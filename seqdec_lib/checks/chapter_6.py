"""The exercises of chapter 6, *Gradients through a choice*."""

from __future__ import annotations

import numpy as np

from seqdec_lib.checks.exercise import Exercise, softmax


def _logits(rng: np.random.Generator, size: int) -> np.ndarray:
    return np.round(rng.normal(scale=1.5, size=size + 1), 2)


def _relaxed_choice(logits: list[float], noise: list[float], tau: float) -> np.ndarray:
    return softmax(np.add(logits, noise) / tau)


def _straight_through_push(places: list[float], friend: float) -> list[np.ndarray]:
    places = np.array(places)
    slopes, rewards = -2 * (places.mean() - friend) * places, -((places - friend) ** 2)
    return [(vector - vector.mean()) / len(places) for vector in (slopes, rewards)]


def _best_baseline(logits: list[float], rewards: list[float]) -> float:
    probabilities = softmax(np.array(logits))
    scores = np.eye(len(probabilities)) - probabilities
    weights = probabilities * (scores**2).sum(axis=1)
    return float(weights @ np.array(rewards) / weights.sum())


def _draw_errors(rng: np.random.Generator, size: int) -> tuple:
    biases = np.sort(np.round(rng.uniform(0, 2, size + 1), 2))
    variances = np.sort(np.round(rng.uniform(0.1, 40, size + 1), 1))[::-1]
    return biases.tolist(), variances.tolist(), int(rng.integers(1, 200))


EXERCISES = {
    "relaxed_choice": Exercise(
        answer=_relaxed_choice,
        draw=lambda rng, size: (
            _logits(rng, size).tolist(),
            np.round(rng.gumbel(size=size + 1), 2).tolist(),
            float(rng.choice([0.1, 0.5, 1.0, 5.0])),
        ),
        hint="work this case out by hand, sum by sum, and compare with the chapter's formula.",
    ),
    "straight_through_push": Exercise(
        answer=_straight_through_push,
        draw=lambda rng, size: (
            np.round(rng.uniform(0, size, 3), 1).tolist(),
            float(np.round(rng.uniform(0, size), 1)),
        ),
        hint="first the mean of the derivative over the winner, then subtract the mean of its "
        "three entries and divide by 3; the rewards go the same way.",
    ),
    "best_baseline": Exercise(
        answer=_best_baseline,
        draw=lambda rng, size: (
            _logits(rng, size).tolist(),
            rng.integers(0, 10, size + 1).tolist(),
        ),
        hint="a weighted mean of the rewards; the weight of an action is its probability times the "
        "squared length of its score, the one-hot row minus the probabilities.",
    ),
    "best_place": Exercise(
        answer=lambda biases, variances, trips: int(
            np.argmin(np.square(biases) + np.array(variances) / trips)
        ),
        draw=_draw_errors,
        hint="square the bias, and divide the variance by the number of trips; return a place in "
        "the list, counted from 0.",
    ),
}
