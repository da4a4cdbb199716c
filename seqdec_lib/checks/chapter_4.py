"""The exercises of chapter 4, *World models*."""

from __future__ import annotations

import numpy as np

from seqdec_lib.checks.exercise import Exercise, returns_to_go, rewards_and_discount


def _dream(q: list[list[float]], diary: list, picked: list[int], discount: float) -> list:
    table = np.array(q, dtype=float)
    for state, action, reward, after, ended in (diary[i] for i in picked):
        table[state, action] = reward + discount * table[after].max() * (not ended)
    return table.tolist()


def _night(rng: np.random.Generator, size: int) -> tuple:
    """A table (size + 1, 2), steps that were taken, which of them are imagined, a discount."""
    states = size + 1
    diary = [
        [int(rng.integers(states)), int(rng.integers(2)), int(rng.integers(5))]
        + [int(rng.integers(states)), bool(rng.random() < 0.3)]
        for _ in range(states)
    ]
    q = rng.integers(-3, 6, size=(states, 2)).tolist()
    picked = rng.integers(states, size=2 * size).tolist()
    return q, diary, picked, float(rng.choice([0.5, 1.0]))


EXERCISES = {
    "cliff_loss": Exercise(
        answer=lambda fall, discount: sum(discount**t * (1 - (1 - fall) ** t) for t in range(4000)),
        draw=lambda rng, size: (
            float(rng.integers(0, size + 1)) / (size + 1),
            float(rng.choice([0.5, 0.9, 0.99])),
        ),
        hint="write the Bellman equation of the path: it pays 1, and with probability 1 - fall you "
        "are on the path again. Do the same without falls, and subtract.",
    ),
    "dream": Exercise(
        answer=_dream,
        draw=_night,
        hint="go through the picked steps in their order, and let each update see what the earlier "
        "ones have written; where an episode ended, nothing follows.",
    ),
    "backed_up": Exercise(
        answer=returns_to_go,
        draw=rewards_and_discount,
        hint="what was earned before a node was reached says nothing about the node; and what "
        "comes k steps after it is discounted k times, wherever the node is.",
    ),
    "pessimist": Exercise(
        answer=lambda ensemble: np.min(ensemble, axis=0).argmax(axis=1).tolist(),
        draw=lambda rng, size: (rng.integers(0, 9, size=(size + 1, size, 3)).tolist(),),
        hint="an action is worth what the least trusting model says; compare the actions by that.",
    ),
}
