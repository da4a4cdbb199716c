"""The exercises of chapter 8, *Decision Transformer*."""

from __future__ import annotations

import numpy as np

from seqdec_lib.checks.exercise import Exercise, returns_to_go


def _weights(returns: list[float], share: float) -> list[float]:
    won = np.array(returns) > 0
    return np.where(won, share / won.sum(), (1 - share) / (~won).sum()).tolist()


def _returns(rng: np.random.Generator, size: int) -> tuple[list[float], float]:
    """Successes and failures, at least one of each, and the share of the successes."""
    won = rng.random(size + 1) < rng.uniform(0.1, 0.9)
    won[rng.permutation(size + 1)[:2]] = True, False
    return won.astype(float).tolist(), float(rng.choice([0.5, 0.1, 0.8]))


def _bayes(behavior: list[float], chances: list[float]) -> np.ndarray:
    weights = np.array(behavior) * np.array(chances)
    return weights / weights.sum() if weights.any() else np.array(behavior)


def _behavior_and_chances(rng: np.random.Generator, size: int) -> tuple[list[float], list[float]]:
    weights = rng.integers(1, 6, size + 1)
    chances = rng.choice([0, 0, 0.25, 0.5, 1], size + 1)
    return (weights / weights.sum()).tolist(), chances.tolist()


EXERCISES = {
    "next_target": Exercise(
        answer=lambda target, reward, discount: (target - reward) / discount,
        draw=lambda rng, size: (
            float(rng.integers(0, 10 * size)),
            float(rng.integers(-3, 4)),
            float(rng.choice([1.0, 0.9, 0.5])),
        ),
        hint="solve G_t = r + discount * G_{t+1} for what is still to come.",
    ),
    "balanced_weights": Exercise(
        answer=_weights,
        draw=_returns,
        hint="all successes together weigh `share`, in equal parts. The failures have the rest.",
    ),
    "goal_column": Exercise(
        answer=lambda rewards: returns_to_go(rewards, 1.0),
        draw=lambda rng, size: (rng.integers(-2, 5, size).astype(float).tolist(),),
        hint="try a trip that pays only at its end: what should stand before its first step?",
    ),
    "given_return": Exercise(
        answer=_bayes,
        draw=_behavior_and_chances,
        hint="multiply action by action, then divide by the sum, unless it is 0.",
    ),
}
