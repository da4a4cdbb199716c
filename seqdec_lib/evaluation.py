"""How good is a policy? Exact values where a problem can be enumerated, means with intervals where
not, and regret.

This is the only place of the book that says what regret is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from seqdec_lib.problems.base import Problem
from seqdec_lib.trajectories import Policy, collect
from seqdec_lib.validation import fraction


@dataclass(frozen=True)
class Estimate:
    """A mean and its confidence interval."""

    mean: float
    low: float
    high: float

    def contains(self, value: float) -> bool:
        return self.low <= value <= self.high

    def __str__(self) -> str:
        return f"{self.mean:.4g} [{self.low:.4g}, {self.high:.4g}]"


def mean_interval(samples: np.ndarray, confidence: float = 0.95) -> Estimate:
    """Mean of independent samples (N,) with Student's t interval.

    Raises
    ------
    ValueError
        Fewer than two samples, or a sample that is not finite.
    """
    samples = np.asarray(samples, dtype=float)
    if samples.ndim != 1 or len(samples) < 2 or not np.isfinite(samples).all():
        raise ValueError(f"samples must be at least two finite numbers, but {samples!r} came.")
    confidence = fraction("confidence", confidence)
    half_width = stats.t.ppf((1 + confidence) / 2, len(samples) - 1) * stats.sem(samples)
    mean = samples.mean()
    return Estimate(float(mean), float(mean - half_width), float(mean + half_width))


def estimate_return(
    problem: Problem,
    policy: Policy | np.ndarray | None,
    episodes: int,
    seed: int,
    confidence: float = 0.95,
) -> Estimate:
    """Expected return of any policy by playing: the mean over episodes, with its interval."""
    returns = collect(problem, policy, episodes, seed).returns(problem.discount)
    return mean_interval(returns, confidence)


def regret(achieved: float, optimal: float, random: float) -> float:
    """How much of the way from random to optimal is missing: 0 is optimal, 1 is uniformly random.

    (optimal - achieved) / (optimal - random): one minus the normalised score of Fu et al., *D4RL*
    (2020), with the exact optimum in place of an expert. Worse than random is above 1.

    Raises
    ------
    ValueError
        Where random play is as good as the optimum there is nothing to measure.
    """
    if not optimal > random:
        raise ValueError(
            f"regret needs an optimum above random play, but optimal={optimal!r} "
            f"and random={random!r} came."
        )
    return float((optimal - achieved) / (optimal - random))


def regret_of(problem: Problem, policy: np.ndarray) -> float:
    """Exact regret of a policy over states, given as actions (S,) int or probabilities (S, A)."""
    return regret(
        problem.expected_return(policy), problem.optimal_return(), problem.random_return()
    )
