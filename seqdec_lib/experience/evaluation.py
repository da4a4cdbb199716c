"""How good is a policy? Exact values where a problem can be enumerated, means with intervals where
not, and regret.

This is the only place of the book that says what regret is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from seqdec_lib.experience.trajectories import collect
from seqdec_lib.problems.base import Policy, Problem
from seqdec_lib.validation import fraction, whole_number

ROUNDING = 1e-12  # relative


@dataclass(frozen=True)
class Estimate:
    """A mean and its confidence interval."""

    mean: float
    low: float
    high: float

    def contains(self, value: float) -> bool:
        """Whether a value lies in the interval, up to rounding: equal samples make it a point."""
        rounding = ROUNDING * max(abs(self.mean), abs(value))
        return self.low - rounding <= value <= self.high + rounding

    def __str__(self) -> str:
        return f"{self.mean:.4g} [{self.low:.4g}, {self.high:.4g}]"


def mean_interval(samples: np.ndarray, confidence: float = 0.95) -> Estimate:
    """Mean of independent samples (N,) with Student's t interval.

    Raises
    ------
    ValueError
        Fewer than two samples, a sample that is not finite, or a confidence outside (0, 1).
    """
    samples = np.asarray(samples, dtype=float)
    if samples.ndim != 1 or len(samples) < 2 or not np.isfinite(samples).all():
        raise ValueError(
            f"samples must be an array (N,) of at least two finite numbers, but {samples!r} came; "
            "one sample says nothing about its spread."
        )
    quantile = stats.t.ppf((1 + _confidence(confidence)) / 2, len(samples) - 1)
    half_width = quantile * stats.sem(samples)
    mean = samples.mean()
    return Estimate(float(mean), float(mean - half_width), float(mean + half_width))


def share_interval(successes: int, trials: int, confidence: float = 0.95) -> Estimate:
    """Share of successes in independent trials with the interval of Clopper and Pearson (1934).

    It holds the true share with at least this confidence, also where all or none succeed.

    Raises
    ------
    ValueError
        Counts that are not whole numbers with 0 <= successes <= trials and 1 <= trials, or a
        confidence outside (0, 1).
    """
    trials = whole_number("trials", trials, least=1)
    successes = whole_number("successes", successes, least=0)
    if successes > trials:
        raise ValueError(f"successes must be at most {trials} (trials), but {successes} came.")
    tail = (1 - _confidence(confidence)) / 2
    failures = trials - successes
    low = stats.beta.ppf(tail, successes, failures + 1) if successes else 0.0
    high = stats.beta.ppf(1 - tail, successes + 1, failures) if failures else 1.0
    return Estimate(successes / trials, float(low), float(high))


def _confidence(value: float) -> float:
    value = fraction("confidence", value)
    if value in (0, 1):
        raise ValueError(
            f"confidence must lie between 0 and 1, but {value!r} came; "
            "no interval is certain: pass for example confidence=0.95."
        )
    return value


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

    (optimal - achieved) / (optimal - random): one minus the normalized score of Fu et al., *D4RL*
    (2020), with the exact optimum in place of an expert. Worse than random is above 1.

    Raises
    ------
    ValueError
        A return that is not finite; random play as good as the optimum (up to rounding), so that
        there is nothing to measure.
    """
    if not np.isfinite([achieved, optimal, random]).all():
        raise ValueError(
            f"regret needs finite returns, but achieved={achieved!r}, optimal={optimal!r} "
            f"and random={random!r} came."
        )
    if not optimal - random > ROUNDING * max(abs(optimal), abs(random)):
        raise ValueError(
            f"regret needs an optimum above random play, but optimal={optimal!r} "
            f"and random={random!r} came; choose a problem in which actions matter."
        )
    return float((optimal - achieved) / (optimal - random))


def regret_of(problem: Problem, policy: np.ndarray) -> float:
    """Exact regret of a policy over states, given as actions (S,) int or probabilities (S, A)."""
    return regret(
        problem.expected_return(policy), problem.optimal_return(), problem.random_return()
    )
