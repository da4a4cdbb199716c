"""The exercises of chapter 4, *World models*."""

from __future__ import annotations

import numpy as np

from seqdec_lib.checks.exercise import Exercise, returns_to_go, rewards_and_discount


def _choose(visits: list[int], totals: list[float], c: float) -> int:
    scores = [
        np.inf if n == 0 else total / n + c * np.sqrt(2 * np.log(sum(visits)) / n)
        for n, total in zip(visits, totals, strict=True)
    ]
    return int(np.argmax(scores))


EXERCISES = {
    "estimate_row": Exercise(
        answer=lambda next_states, n_states: [
            next_states.count(s) / len(next_states) if next_states else 1 / n_states
            for s in range(n_states)
        ],
        draw=lambda rng, size: (
            rng.integers(size + 1, size=rng.integers(0, 2 * size)).tolist(),
            size + 1,
        ),
        hint="count each state and divide by how many followed in all; a list without entries has "
        "nothing to divide by.",
    ),
    "error_allowed": Exercise(
        answer=lambda loss, discount, reward_span: (
            min(1.0, loss * (1 - discount) ** 2 / (2 * discount * reward_span))
            if discount * reward_span
            else 1.0
        ),
        draw=lambda rng, size: (
            float(rng.integers(1, 5 * size)) / 4,
            float(rng.choice([0.0, 0.5, 0.9, 0.99])),
            float(rng.integers(1, 5)),
        ),
        hint="set the bound equal to the loss and solve for epsilon; then look at the smallest "
        "discount: what does a wrong next state cost if the future does not count?",
    ),
    "choose": Exercise(
        answer=_choose,
        draw=lambda rng, size: (
            rng.integers(0 if size % 2 else 1, 8, size=size + 1).tolist(),
            (rng.integers(0, 100, size=size + 1) / 100).tolist(),
            float(rng.choice([0.0, 0.5, 1.0])),
        ),
        hint="the mean is totals / visits; the logarithm is of the visits of the node, the sum of "
        "its actions' visits. What if one of the visits is 0?",
    ),
    "cliff_loss": Exercise(
        answer=lambda fall, discount: sum(discount**t * (1 - (1 - fall) ** t) for t in range(4000)),
        draw=lambda rng, size: (
            float(rng.integers(0, size + 1)) / (size + 1),
            float(rng.choice([0.5, 0.9, 0.99])),
        ),
        hint="write the Bellman equation of the path: it pays 1, and with probability 1 - fall you "
        "are on the path again. Do the same without falls, and subtract.",
    ),
    "backed_up": Exercise(
        answer=returns_to_go,
        draw=rewards_and_discount,
        hint="what was earned before a node was reached says nothing about the node; and what "
        "comes k steps after it is discounted k times, wherever the node is.",
    ),
}
