"""The exercises of chapter 7, *Behavior cloning*."""

from __future__ import annotations

import numpy as np

from seqdec_lib.checks.exercise import Exercise


def _rows(rng: np.random.Generator, steps: int) -> np.ndarray:
    weights = rng.integers(1, 6, size=(steps, 3))
    return weights / weights.sum(axis=1, keepdims=True)


def _clone(pairs: list[tuple[int, int]], node: int, n_actions: int) -> np.ndarray:
    taken = [action for other, action in pairs if other == node]
    counts = np.bincount(taken, minlength=n_actions) if taken else np.ones(n_actions)
    return counts / counts.sum()


def _pairs(rng: np.random.Generator, size: int) -> tuple:
    pairs = np.stack([rng.integers(0, 3, size), rng.integers(0, 3, size)], axis=1)
    return [tuple(pair) for pair in pairs.tolist()], int(rng.integers(0, 3)), 3


def _padded(rng: np.random.Generator, size: int) -> tuple:
    lengths = rng.integers(1, size + 1, size=2)
    losses = np.round(rng.uniform(0.1, 2, size=(2, size)), 1)
    mask = np.arange(size) < lengths[:, None]
    return losses.tolist(), mask.astype(int).tolist()


def _questions(states: list[int], answered: list[int], budget: int) -> list[int]:
    fresh = [state for state in dict.fromkeys(states) if state not in answered]
    return fresh[:budget]


def _walk(rng: np.random.Generator, size: int) -> tuple:
    states = rng.integers(0, 4, size=2 * size).tolist()
    answered = rng.permutation(4)[: rng.integers(0, 3)].tolist()
    return states, answered, int(rng.integers(1, 4))


EXERCISES = {
    "trip_loss": Exercise(
        answer=lambda probabilities, actions: (
            -float(np.log(np.array(probabilities)[np.arange(len(actions)), actions]).sum())
        ),
        draw=lambda rng, size: (_rows(rng, size).tolist(), rng.integers(0, 3, size).tolist()),
        hint="of each inner sum one term is left, that of the action taken. It is a sum over the "
        "trip, not a mean, and losses are positive.",
    ),
    "clone_by_counting": Exercise(
        answer=_clone,
        draw=_pairs,
        hint="count the actions of the pairs whose node it is, and divide by their number; what "
        "is that number where nobody was?",
    ),
    "mean_loss": Exercise(
        answer=lambda losses, mask: float(np.array(losses)[np.array(mask, dtype=bool)].mean()),
        draw=_padded,
        hint="by how many steps was the sum divided, and how many were taken? Means of each trip "
        "won't do either: a step of a short trip would weigh more than one of a long trip.",
    ),
    "steps_in_ditch": Exercise(
        answer=lambda error, horizon: sum(1 - (1 - error) ** t for t in range(1, horizon + 1)),
        draw=lambda rng, size: (float(rng.choice([0.01, 0.1, 0.5])), size),
        hint="with which probability has there been no error after t steps? Sum over the steps, "
        "the first one included.",
    ),
    "first_questions": Exercise(
        answer=_questions,
        draw=_walk,
        hint="a state is asked about once, at its first visit, and not at all if it was answered; "
        "the list ends at the budget.",
    ),
}
