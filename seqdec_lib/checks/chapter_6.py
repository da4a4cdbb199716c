"""The exercises of chapter 6, *Gradients through a choice*."""

from __future__ import annotations

import numpy as np

from seqdec_lib.checks.exercise import Exercise, softmax


def _logits(rng: np.random.Generator, size: int) -> np.ndarray:
    return np.round(rng.normal(scale=1.5, size=size + 1), 2)


def _relaxed_jacobian(shares: list[float], tau: float) -> np.ndarray:
    shares = np.array(shares)
    return (np.diag(shares) - np.outer(shares, shares)) / tau


def _exact_gradient(logits: list[float], rewards: list[float]) -> np.ndarray:
    probabilities = softmax(np.array(logits))
    return probabilities * (np.array(rewards) - probabilities @ rewards)


def _mean_relaxed_choice(logits: list[float], tau: float, draws: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    noisy = np.array(logits) + rng.gumbel(size=(draws, len(logits)))
    return np.mean([softmax(row / tau) for row in noisy], axis=0)


EXERCISES = {
    "noise_from_uniform": Exercise(
        answer=lambda uniform: -np.log(-np.log(np.array(uniform))),
        draw=lambda rng, size: (np.round(rng.uniform(0.01, 0.99, size), 3).tolist(),),
        hint="solve u = exp(-exp(-g)) for g, from the outside in; at u = 1/e the noise is 0.",
    ),
    "chosen_action": Exercise(
        answer=lambda logits, noise: int(np.argmax(np.add(logits, noise))),
        draw=lambda rng, size: (
            _logits(rng, size).tolist(),
            np.round(rng.gumbel(size=size + 1), 2).tolist(),
        ),
        hint="which action has the largest sum of logit and noise? No softmax is needed.",
    ),
    "exact_gradient": Exercise(
        answer=_exact_gradient,
        draw=lambda rng, size: (
            _logits(rng, size).tolist(),
            rng.integers(0, 10, size + 1).tolist(),
        ),
        hint="differentiate the sum of pi_k r_k; the derivative of pi_k with respect to z_i is "
        "pi_k (1 - pi_i) for k = i and -pi_k pi_i otherwise. The entries add up to 0.",
    ),
    "leave_one_out_advantages": Exercise(
        answer=lambda returns: [
            r - np.mean(returns[:i] + returns[i + 1 :]) for i, r in enumerate(returns)
        ],
        draw=lambda rng, size: (rng.integers(0, 31, size + 1).tolist(),),
        hint="with two returns each one's baseline is the other; the mean of all returns contains "
        "the sample's own and would be half of it there.",
    ),
    "relaxed_jacobian": Exercise(
        answer=_relaxed_jacobian,
        draw=lambda rng, size: (
            softmax(_logits(rng, size)).tolist(),
            float(rng.choice([0.1, 0.5, 1.0, 5.0])),
        ),
        hint="row i, column j: how share i changes with logit j. A softmax of z / tau has the "
        "derivative of a softmax, and the chain rule adds one factor.",
    ),
    "mean_relaxed_choice": Exercise(
        answer=_mean_relaxed_choice,
        draw=lambda rng, size: (
            _logits(rng, size).tolist(),
            float(rng.choice([0.5, 1.0])),
            size,
            int(rng.integers(0, 100)),
        ),
        hint="with a single draw it is right; with two, print both samples before averaging them.",
    ),
}
