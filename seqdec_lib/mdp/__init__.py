"""A finite Markov decision process and its exact solutions.

Everything that the book learns is measured against what this package computes: `model` holds the
world, `solutions` what is best in it.
"""

from seqdec_lib.mdp.model import MDP, policy_rows
from seqdec_lib.mdp.solutions import (
    FiniteHorizonSolution,
    Solution,
    backward_induction,
    bellman_expectation,
    bellman_optimality,
    evaluate_policy,
    policy_iteration,
    value_iteration,
)

__all__ = [
    "MDP",
    "FiniteHorizonSolution",
    "Solution",
    "backward_induction",
    "bellman_expectation",
    "bellman_optimality",
    "evaluate_policy",
    "policy_iteration",
    "policy_rows",
    "value_iteration",
]
