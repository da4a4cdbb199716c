"""How a learner acts on what it believes so far, and what remains when it stops exploring.

Three ways to act: greedily but for a share of random actions, by softmax, or as a given policy
says. Each answers three questions: which actions now (`choose`), with which probabilities
(`probabilities`), and what is a state worth to somebody who acts like this (`expected_q`).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import softmax

from seqdec_lib.learning.targets import argmax_columns
from seqdec_lib.validation import fraction, whole_number

Array, Generator = np.ndarray, np.random.Generator
Schedule = float | Callable[[int], float]
"""A number, or a function of the steps that a chain has taken so far."""


def linear_decay(start: float, end: float, steps: int) -> Callable[[int], float]:
    """A share that falls from `start` to `end` within `steps` steps of a chain, then stays."""
    start, end = fraction("start", start), fraction("end", end)
    steps = whole_number("steps", steps, least=1)
    return lambda step: start + (end - start) * min(1.0, step / steps)


def greedy(q_values: Array, within: float = 0.0) -> Array:
    """The greedy policy in action values (..., A), as probabilities: best actions share alike.

    So a state that was never visited is played at random, and not by the first action's luck.

    Parameters
    ----------
    within : float
        How much worse than the best an action may look and still count as equally good: the error
        of the values, where they were computed to a tolerance.

    Raises
    ------
    ValueError
        A value that is NaN, or a negative `within`.
    """
    if not within >= 0 or np.isnan(q_values).any():
        raise ValueError(
            f"greedy() needs numbers and within >= 0, but {int(np.isnan(q_values).sum())} values "
            f"are NaN and within is {within!r}; look for inf - inf where the values were made."
        )
    best = q_values >= q_values.max(axis=-1, keepdims=True) - within
    return best / best.sum(axis=-1, keepdims=True)


class EpsilonGreedy:
    """A uniformly random action with chance epsilon, else one of the best: ties by lot."""

    def __init__(self, epsilon: Schedule) -> None:
        self._epsilon = epsilon if callable(epsilon) else fraction("exploration", epsilon)

    def epsilon(self, step: int) -> float:
        """The chance of a random action after so many steps."""
        if callable(self._epsilon):
            return fraction("exploration", self._epsilon(step))
        return self._epsilon

    def choose(self, q: Array, observations: Array, step: int, rng: Generator) -> Array:
        """Actions (N,) where Q(s, .) is q (A, N)."""
        epsilon = self.epsilon(step)
        if epsilon == 1:
            return rng.integers(len(q), size=len(observations))
        # Uniformly one of the best, or where the chain explores, of all: the largest of numbers
        # drawn for each action, 0 where it may not be chosen.
        eligible = q == q.max(axis=0)
        if epsilon:
            eligible |= rng.random(len(observations), dtype=np.float32) < epsilon
        lots = rng.random(q.shape, dtype=np.float32)
        np.subtract(1, lots, out=lots)
        lots *= eligible
        return argmax_columns(lots)

    def probabilities(self, q_values: Array, step: int) -> Array:
        """Of each action, for values (..., S, A)."""
        epsilon = self.epsilon(step)
        return (1 - epsilon) * greedy(q_values) + epsilon / q_values.shape[-1]

    def expected_q(self, q: Array, observations: Array, step: int) -> Array:
        """The mean of Q(s, .) over these actions: (A, N) -> (N,)."""
        epsilon = self.epsilon(step)
        return (1 - epsilon) * q.max(axis=0) + epsilon * q.mean(axis=0)


class Boltzmann:
    """Actions by softmax(Q / temperature): the better one believes an action, the likelier it is.

    Only differences to the best action are divided, so that no temperature is too low.
    """

    def __init__(self, temperature: Schedule) -> None:
        self._temperature = temperature
        self.temperature(0)

    def temperature(self, step: int) -> float:
        """The temperature after so many steps."""
        value = self._temperature(step) if callable(self._temperature) else self._temperature
        if not value > 0:
            raise ValueError(
                f"temperature must be positive, but {value!r} came; "
                "for a greedy policy leave it out and pass exploration=0."
            )
        return float(value)

    def _logits(self, q: Array, step: int, axis: int) -> Array:
        with np.errstate(over="ignore"):  # -inf, a chance of 0, is what is meant
            return (q - q.max(axis=axis, keepdims=True)) / self.temperature(step)

    def choose(self, q: Array, observations: Array, step: int, rng: Generator) -> Array:
        """As for `EpsilonGreedy`: the largest of Q / temperature + Gumbel noise."""
        return argmax_columns(self._logits(q, step, axis=0) + rng.gumbel(size=q.shape))

    def probabilities(self, q_values: Array, step: int) -> Array:
        return softmax(self._logits(q_values, step, axis=-1), axis=-1)

    def expected_q(self, q: Array, observations: Array, step: int) -> Array:
        return (softmax(self._logits(q, step, axis=0), axis=0) * q).sum(axis=0)


class FixedPolicy:
    """Actions as a policy (S, A) says, whatever is learned."""

    def __init__(self, policy: Array) -> None:
        self._columns = np.ascontiguousarray(policy.T)
        self._cumulative = self._columns.cumsum(axis=0)

    def choose(self, q: Array, observations: Array, step: int, rng: Generator) -> Array:
        """As for `EpsilonGreedy`."""
        cumulative = self._cumulative[:, observations]
        return (rng.random(len(observations)) * cumulative[-1] >= cumulative).sum(axis=0)

    def probabilities(self, q_values: Array, step: int) -> Array:
        policy = self._columns.T
        return np.broadcast_to(policy, (*q_values.shape[:-2], *policy.shape))

    def expected_q(self, q: Array, observations: Array, step: int) -> Array:
        return (self._columns[:, observations] * q).sum(axis=0)
