"""The exercises of chapter 8, *Decision Transformer*."""

from __future__ import annotations

import numpy as np

from seqdec_lib.checks.exercise import Exercise, returns_to_go


def _choices(rng: np.random.Generator, size: int) -> tuple[list[int], list[int], int]:
    returns = rng.integers(0, 3, size).tolist()
    return rng.integers(0, 2, size).tolist(), returns, int(rng.integers(0, 3))


def _shares(actions: list[int], returns: list[int], target: int) -> list[float]:
    taken = np.array(actions)[np.array(returns) == target]
    return [float((taken == a).mean()) if len(taken) else 0.5 for a in range(2)]


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
    "action_given_return": Exercise(
        answer=_shares,
        draw=_choices,
        hint="keep the choices whose return is the target, and only then count. None may be left.",
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
    "chance_of_best": Exercise(
        answer=lambda fraction, trips: 1 - (1 - fraction) ** trips,
        draw=lambda rng, size: (float(rng.choice([0.001, 0.01, 0.1, 0.5])), 3**size),
        hint="how likely is it that one trip misses, and that all of them do?",
    ),
}
