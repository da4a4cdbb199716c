"""What is exactly best in a Markov decision process, and what exactly a policy is worth.

Value iteration, policy iteration and backward induction for the optimum, one linear solve for the
value of a given policy. Equations follow Sutton and Barto, *Reinforcement Learning: An
Introduction* (2nd ed., 2018), chapters 3 and 4, and Puterman, *Markov Decision Processes* (1994),
chapters 4 and 6.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import spsolve

from seqdec_lib.mdp.model import MDP
from seqdec_lib.validation import whole_number


@dataclass(frozen=True)
class Solution:
    """An optimal solution of an MDP with S states and A actions.

    Attributes
    ----------
    values : (S,) float
        Optimal expected discounted return from each state.
    q_values : (S, A) float
        The same after taking a given action first.
    policy : (S,) int
        A best action in each state (the first one where several are best).
    iterations : int
        Sweeps over all states (value iteration) or improvements of the policy (policy iteration).
    """

    values: np.ndarray
    q_values: np.ndarray
    policy: np.ndarray
    iterations: int


@dataclass(frozen=True)
class FiniteHorizonSolution:
    """What is best with 0, 1, ..., T steps behind you: a policy that may change with time.

    Attributes
    ----------
    values : (T + 1, S) float
        values[t] is the optimal expected return from step t on; values[T] is 0.
    q_values : (T, S, A) float
    policy : (T, S) int
    """

    values: np.ndarray
    q_values: np.ndarray
    policy: np.ndarray


def bellman_expectation(mdp: MDP, policy: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The Bellman expectation operator: (S,) -> (S,). Its fixed point is the policy's value."""
    chain, rewards = mdp.under(policy)
    return rewards + mdp.discount * (chain @ values)


def bellman_optimality(mdp: MDP, values: np.ndarray) -> np.ndarray:
    """The Bellman optimality operator: (S,) -> (S,). Its fixed point is the optimal value."""
    return mdp.best(values)


def bellman_residual(mdp: MDP, values: np.ndarray) -> float:
    """How far `values` (S,) are from their own backup: max |T V - V|, 0 at the optimum."""
    return float(np.abs(bellman_optimality(mdp, values) - values).max())


def value_iteration(mdp: MDP, tol: float = 1e-8) -> Solution:
    """Apply the optimality operator until the values are within `tol` of the optimal ones.

    For discount < 1 the optimum lies between bounds that one sweep's smallest and largest change
    give (Puterman 1994, section 6.6); the sweeps stop when these are at most 2 `tol` apart, and
    return their middle. For discount = 1 the episodes must be over within the MDP's horizon, and
    the sweeps are exact.

    Raises
    ------
    ValueError
        `tol` not positive; discount = 1 and an MDP that is not over after `horizon` steps.
    """
    if not tol > 0:
        raise ValueError(f"tol must be positive, but {tol!r} came; pass for example tol=1e-8.")
    solve = _sweep_until_the_episode_is_over if mdp.discount == 1 else _sweep_until_bounds_meet
    values, sweeps = solve(mdp, tol)
    q_values = mdp.q_values(values)
    return Solution(q_values.max(axis=1), q_values, q_values.argmax(axis=1), sweeps)


def _sweep_until_bounds_meet(mdp: MDP, tol: float) -> tuple[np.ndarray, int]:
    weight = mdp.discount / (1 - mdp.discount)
    values, sweeps = np.zeros(mdp.n_states), 0
    while True:
        new_values = bellman_optimality(mdp, values)
        change = new_values - values
        low, high = weight * change.min(), weight * change.max()
        values, sweeps = new_values, sweeps + 1
        # Rounding keeps changes from shrinking below some 1e-16 of the values: ask for no more.
        if high - low <= 2 * max(tol, 1e-15 * weight * np.abs(values).max()):
            return values + (low + high) / 2, sweeps


def _sweep_until_the_episode_is_over(mdp: MDP, tol: float) -> tuple[np.ndarray, int]:
    values = np.zeros(mdp.n_states)
    for sweep in range(mdp.horizon + 1):
        new_values = bellman_optimality(mdp, values)
        if np.abs(new_values - values).max() == 0:
            return values, sweep
        values = new_values
    raise ValueError(
        f"with discount = 1 each episode must be over after horizon = {mdp.horizon} steps, "
        "but the values still change; use backward_induction, a longer horizon, "
        "or a discount below 1."
    )


def policy_iteration(mdp: MDP) -> Solution:
    """Evaluate a policy exactly, act greedily in its values, and repeat until nothing changes.

    Raises
    ------
    ValueError
        Discount = 1 and an MDP that is not over after `horizon` steps (see `evaluate_policy`).
    """
    policy = mdp.rewards.argmax(axis=1)
    iterations = 0
    while True:
        q_values = mdp.q_values(evaluate_policy(mdp, policy))
        iterations += 1
        current = np.take_along_axis(q_values, policy[:, None], axis=1)[:, 0]
        # Only a gain beyond rounding counts as an improvement: ties must not make the policy cycle.
        improvable = q_values.max(axis=1) > current + 1e-12 * np.maximum(1, np.abs(current))
        if not improvable.any():
            return Solution(q_values.max(axis=1), q_values, q_values.argmax(axis=1), iterations)
        policy = np.where(improvable, q_values.argmax(axis=1), policy)


def backward_induction(mdp: MDP, horizon: int | None = None) -> FiniteHorizonSolution:
    """Solve the last step first: the optimum for exactly `horizon` steps (default: the MDP's own).

    Raises
    ------
    ValueError
        No horizon, neither here nor in the MDP.
    """
    if horizon is None and mdp.horizon is None:
        raise ValueError("backward induction needs to know where to start: pass horizon=...")
    steps = whole_number("horizon", mdp.horizon if horizon is None else horizon, least=1)
    values = np.zeros((steps + 1, mdp.n_states))
    q_values = np.zeros((steps, mdp.n_states, mdp.n_actions))
    for t in reversed(range(steps)):
        q_values[t] = mdp.q_values(values[t + 1])
        values[t] = q_values[t].max(axis=1)
    return FiniteHorizonSolution(values, q_values, q_values.argmax(axis=2))


def evaluate_policy(mdp: MDP, policy: np.ndarray) -> np.ndarray:
    """Exact value (S,) of a policy, given as actions (S,) int or probabilities (S, A).

    For discount < 1 this solves (I - discount * P) V = r; for discount = 1 it sums `horizon` steps.

    Raises
    ------
    ValueError
        A policy of the wrong shape or whose rows don't sum to 1; discount = 1 and an MDP that is
        not over after `horizon` steps.
    """
    chain, rewards = mdp.under(policy)
    if mdp.discount < 1 and mdp.is_sparse:
        return spsolve(
            sparse.eye_array(mdp.n_states, format="csc") - mdp.discount * chain.tocsc(), rewards
        )
    if mdp.discount < 1:
        return np.linalg.solve(np.eye(mdp.n_states) - mdp.discount * chain, rewards)
    values = np.zeros(mdp.n_states)
    for _ in range(mdp.horizon):
        values = rewards + chain @ values
    if not np.array_equal(rewards + chain @ values, values):
        raise ValueError(
            f"with discount = 1 each episode must be over after horizon = {mdp.horizon} steps, "
            "but under this policy rewards still come; use a longer horizon or a discount below 1."
        )
    return values
