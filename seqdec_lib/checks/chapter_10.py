"""The exercises of chapter 10, *Beyond cloning*."""

from __future__ import annotations

import numpy as np

from seqdec_lib.checks.exercise import Exercise, softmax


def _clone(rng: np.random.Generator, size: int) -> tuple[list[float], list[list[float]]]:
    """What `size` states are worth, and a clone's row of probabilities for each."""
    values = rng.integers(-20, 0, size).astype(float).tolist()
    return values, [softmax(row).tolist() for row in rng.normal(size=(size, 3))]


def _faster_for_good(lap_times: list[float], limit: float) -> int:
    slow = [i for i, time in enumerate(lap_times) if time > limit]
    return slow[-1] + 1 if slow else 0


EXERCISES = {
    "start_table": Exercise(
        answer=lambda values, clone, temperature: (
            np.array(values)[:, None] + temperature * np.log(clone)
        ),
        draw=lambda rng, size: (*_clone(rng, size), float(rng.choice([0.1, 0.3, 1.0]))),
        hint="a row a state and a column an action. Put your table into the softmax: does the "
        "value cancel, and does the temperature?",
    ),
    "faster_for_good": Exercise(
        answer=_faster_for_good,
        draw=lambda rng, size: (
            rng.integers(10, 20, size).astype(float).tolist(),
            float(rng.integers(11, 20)),
        ),
        hint="a learner that was fast once may be slow again. Where is the last lap time above "
        "the limit? If that is the last of all, the answer is how many there are.",
    ),
}
