"""The exercises of chapter 11, *Learning from feedback*."""

from __future__ import annotations

import numpy as np
from scipy.special import logsumexp

from seqdec_lib.checks.exercise import Exercise, softmax


def _log_rows(rng: np.random.Generator, size: int) -> tuple[list[float], list[float]]:
    """Log-probabilities of `size` trips under a policy and under the reference."""
    both = np.round(rng.uniform(-6, -0.5, size=(2, size)), 1)
    return both[0].tolist(), both[1].tolist()


def _soft_backup(chances: list[float], values: list[float], beta: float) -> float:
    return float(beta * logsumexp(np.array(values) / beta, b=chances))


def _centered(rewards: list[list[float]]) -> list[list[float]]:
    return [[reward - float(np.mean(group)) for reward in group] for group in rewards]


def _share_agreed(worth: list[float], better: list[int], worse: list[int]) -> float:
    signs = [np.sign(worth[i] - worth[j]) for i, j in zip(better, worse, strict=True)]
    return float((1 + np.mean(signs)) / 2)


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
    "soft_backup": Exercise(
        answer=_soft_backup,
        draw=lambda rng, size: (
            softmax(rng.normal(size=size + 1)).tolist(),
            rng.integers(-3, 12, size + 1).tolist(),
            float(rng.choice([0.01, 0.5, 1.0, 20.0])),
        ),
        hint="weigh exp(value / beta) of each action by its chance, add up, take beta times the "
        "logarithm. Where all values are equal it is that value; a low price must not overflow.",
    ),
    "centered": Exercise(
        answer=_centered,
        draw=lambda rng, size: (rng.integers(0, 2, (size, rng.integers(1, 5))).tolist(),),
        hint="each group has its own mean. A group of one, or one whose rewards are all equal, "
        "becomes all zeros.",
    ),
    "share_agreed": Exercise(
        answer=_share_agreed,
        draw=lambda rng, size: (
            rng.integers(0, 4, size + 1).tolist(),
            rng.integers(0, size + 1, size).tolist(),
            rng.integers(0, size + 1, size).tolist(),
        ),
        hint="a comparison counts 1 where the preferred trip is worth more, 1/2 where both are "
        "worth the same, 0 otherwise.",
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
