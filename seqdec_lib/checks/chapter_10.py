"""The exercises of chapter 10, *Beyond cloning*."""

from __future__ import annotations

import numpy as np

from seqdec_lib.checks.exercise import Exercise, softmax


def _log_rows(rng: np.random.Generator, size: int) -> tuple[list[float], list[float]]:
    """Log-probabilities of `size` trips under a policy and under the reference."""
    both = np.round(rng.uniform(-6, -0.5, size=(2, size)), 1)
    return both[0].tolist(), both[1].tolist()


def _leashed_optimum(reference: list[float], rewards: list[float], beta: float) -> np.ndarray:
    return softmax(np.log(reference) + np.array(rewards) / beta)


def _preferred(
    log_pi: list[float], log_reference: list[float], beta: float, i: int, j: int
) -> float:
    margin = (log_pi[i] - log_reference[i]) - (log_pi[j] - log_reference[j])
    return 1 / (1 + np.exp(-beta * margin))


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
    "leashed_returns": Exercise(
        answer=lambda rewards, log_pi, log_reference, beta: [
            r - beta * (p - q) for r, p, q in zip(rewards, log_pi, log_reference, strict=True)
        ],
        draw=lambda rng, size: (
            rng.integers(0, 10, size).tolist(),
            *_log_rows(rng, size),
            float(rng.choice([0.1, 0.5, 1.0])),
        ),
        hint="take a trip that the policy likes and the reference would hardly ever make: should "
        "its return be lower than its reward, or higher?",
    ),
    "leashed_optimum": Exercise(
        answer=_leashed_optimum,
        draw=lambda rng, size: (
            softmax(rng.normal(size=size + 1)).tolist(),
            rng.integers(0, 6, size + 1).tolist(),
            float(rng.choice([0.5, 1.0, 2.0])),
        ),
        hint="weigh each choice's probability by exp(reward / beta), then make them add up to 1. "
        "Where all rewards are equal it is the reference.",
    ),
    "preferred": Exercise(
        answer=_preferred,
        draw=lambda rng, size: (
            *_log_rows(rng, size + 1),
            float(rng.choice([0.1, 0.5, 1.0])),
            int(rng.integers(0, size + 1)),
            int(rng.integers(0, size + 1)),
        ),
        hint="the policy's own reward is beta times its log-ratio to the reference; then Bradley "
        "and Terry. If i and j are the same trip it is one half.",
    ),
}
