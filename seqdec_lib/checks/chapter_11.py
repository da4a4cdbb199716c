"""The exercises of chapter 11, *Learning from feedback*."""

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


EXERCISES = {
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
