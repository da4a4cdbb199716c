"""What is exactly best in a Markov decision process, and what exactly a policy is worth.

Value iteration, policy iteration and backward induction for the optimum, one linear solve for the
value of a given policy. Equations follow Sutton and Barto, *Reinforcement Learning: An
Introduction* (2nd ed., 2018), chapters 3 and 4, and Puterman, *Markov Decision Processes* (1994),
chapters 4 and 6.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import fsum

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import spsolve

from seqdec_lib.mdp.model import MDP
from seqdec_lib.validation import positive_number, whole_number

EPS = np.finfo(float).eps
EVALUATION_TOLERANCE = 1e-8
MOST_STEPS = 1000


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
        values[t] is the optimal expected return from step t on; values[T] is 0. The Q-values of
        step t are `mdp.q_values(values[t + 1])`.
    policy : (T, S) int
        A best action in each state (the first one where several are best).
    """

    values: np.ndarray
    policy: np.ndarray


def bellman_expectation(mdp: MDP, policy: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The Bellman expectation operator: (S,) -> (S,). Its fixed point is the policy's value."""
    chain, rewards = mdp.under(policy)
    return rewards + mdp.discount * (chain @ values)


def bellman_optimality(mdp: MDP, values: np.ndarray) -> np.ndarray:
    """The Bellman optimality operator: (S,) -> (S,). Its fixed point is the optimal value."""
    return mdp.best(values)


def value_iteration(mdp: MDP, tol: float = 1e-8) -> Solution:
    """Apply the optimality operator until the values are within `tol` of the optimal ones.

    For discount < 1 the optimum lies between bounds that one sweep's smallest and largest change
    give (Puterman 1994, section 6.6); the sweeps stop when these are at most 2 `tol` apart, and
    return their middle. Close to discount = 1 sweeps are many, and their rounding is multiplied by
    1 / (1 - discount): where they take longer than solving, or can't keep `tol`, policy iteration
    finishes the work (see `policy_iteration`). For discount = 1 the episodes must be over within
    the MDP's horizon, and the sweeps are exact.

    Where `tol` is less than a millionth of a billionth of the largest value, float64 can't hold it,
    and the values are right to four units in its last place.

    Raises
    ------
    ValueError
        `tol` not positive; discount = 1 and an MDP that is not over after `horizon` steps.
    """
    tol = positive_number("tol", tol)
    if mdp.discount == 1:
        values, sweeps = _sweep_until_the_episode_is_over(mdp)
        return _greedy(mdp.q_values(values), sweeps)
    values, sweeps, within = _sweep_until_bounds_meet(mdp, tol)
    if within:
        return _greedy(mdp.q_values(values), sweeps)
    return _improve(mdp, values, tol, sweeps)


def _greedy(q_values: np.ndarray, iterations: int) -> Solution:
    return Solution(q_values.max(axis=1), q_values, q_values.argmax(axis=1), iterations)


def _sweep_until_bounds_meet(mdp: MDP, tol: float) -> tuple[np.ndarray, int, bool]:
    """Values, the number of sweeps, and whether the values are within `tol` of the optimum."""
    weight = mdp.discount / (1 - mdp.discount)
    values = np.zeros(mdp.n_states)
    for sweep in range(1, max(1000, mdp.n_states) + 1):  # S sweeps cost as much as solving
        new_values = bellman_optimality(mdp, values)
        change = new_values - values
        low, high = weight * change.min(), weight * change.max()
        values, middle = new_values, (low + high) / 2
        rounding = _rounding(mdp, values, middle)
        if high - low <= 2 * (tol - rounding):
            return values + middle, sweep, True
        if rounding > tol:
            break
    return values + middle, sweep, False


def _sweep_until_the_episode_is_over(mdp: MDP) -> tuple[np.ndarray, int]:
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


def policy_iteration(mdp: MDP, tol: float = 1e-8) -> Solution:
    """Evaluate a policy exactly, act greedily in its values, and repeat until nothing is gained.

    This is Newton's method on the Bellman optimality equation T V = V (Puterman and Brumelle,
    1979): V + (I - discount * P)^-1 (T V - V), P of the greedy policy, is that policy's value. It
    stops by the bound |V - V*| <= max |T V - V| / (1 - discount) (T contracts by the discount), so
    the values are within `tol` of the optimal ones, as far as float64 can hold them (see
    `value_iteration`). Where rounding, multiplied by 1 / (1 - discount), could be larger than
    `tol`, the differences T V - V are summed exactly; a step is then also a step of iterative
    refinement of the linear system.

    Raises
    ------
    ValueError
        `tol` not positive; a discount so close to 1 that no step gains any more; discount = 1 and
        an MDP that is not over after `horizon` steps (see `evaluate_policy`).
    """
    return _improve(mdp, np.zeros(mdp.n_states), positive_number("tol", tol), 0)


def _improve(mdp: MDP, values: np.ndarray, tol: float, iterations: int) -> Solution:
    """Policy iteration from the policy that is greedy in `values` (S,)."""
    rest = np.zeros(mdp.n_states)  # of the values, below their last place
    for step in range(MOST_STEPS):
        rounding = _rounding(mdp, values)
        if 2 * rounding <= tol:
            gains = mdp.q_values(values) - values[:, None]
        else:
            gains, rounding = _exact_gains(mdp, values, rest), 0.0
        gain = gains.max(axis=1)
        within = max(tol - rounding, 4 * EPS * np.abs(values).max())
        if np.abs(gain).max() * _steps_ahead(mdp) <= within:
            return _greedy(values[:, None] + (rest[:, None] + gains), iterations + step)
        chain, _ = mdp.under(gains.argmax(axis=1))
        correction = rest + _value_of_chain(mdp, chain, gain)
        improved = values + correction
        values, rest = improved, correction - (improved - values)
    raise ValueError(
        f"after {MOST_STEPS} steps the values are not within tol = {tol!r} of the optimum, with "
        f"discount = {mdp.discount!r}; choose a discount further from 1."
    )


def _exact_gains(mdp: MDP, values: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """r + discount * P V - V for each state and action, V = values + rest: (S,), (S,) -> (S, A).

    Rounded as if it were rounded once. Halves of numbers have exact products (Dekker, 1971), which
    `math.fsum` adds up exactly; what is rounded on the way, P V, is multiplied by 1 - discount.
    """
    gains = np.empty((mdp.n_states, mdp.n_actions))
    parts = [*_halves(values), rest]
    for action in range(mdp.n_actions):
        matrix = mdp.transitions[action] if mdp.is_sparse else mdp.transitions[:, action]
        matrix = sparse.csr_array(matrix)
        products = [p * v[matrix.indices] for p in _halves(matrix.data) for v in parts]
        terms = np.stack(products, axis=1).ravel().tolist()
        ends = (len(products) * matrix.indptr).tolist()
        for state in range(mdp.n_states):
            later = terms[ends[state] : ends[state + 1]]
            now = mdp.rewards[state, action], -values[state], -rest[state]
            gains[state, action] = fsum([*later, *now, (mdp.discount - 1) * fsum(later)])
    return gains


def _halves(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Two numbers of at most 26 binary digits each with the same sum (Veltkamp, 1968)."""
    large = (2**27 + 1) * numbers
    high = large - (large - numbers)
    return high, numbers - high


def _rounding(mdp: MDP, values: np.ndarray, shift: float = 0.0) -> float:
    """How far the rounding of one sweep at `values` + `shift`, (S,), may move the fixed point."""
    return 4 * EPS * float(np.abs(values).max() + abs(shift)) * _steps_ahead(mdp)


def _steps_ahead(mdp: MDP) -> float:
    """How many steps count, sum of discount ** t: what an error in each step adds up to."""
    return mdp.horizon if mdp.discount == 1 else 1 / (1 - mdp.discount)


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
    policy = np.zeros((steps, mdp.n_states), dtype=np.int64)
    for t in reversed(range(steps)):
        values[t], policy[t] = mdp.greedy(values[t + 1])
    return FiniteHorizonSolution(values, policy)


def evaluate_policy(mdp: MDP, policy: np.ndarray) -> np.ndarray:
    """Exact value (S,) of a policy, given as actions (S,) int or probabilities (S, A).

    For discount < 1 this solves (I - discount * P) V = r, to 1e-8 or what float64 can hold (see
    `value_iteration`); for discount = 1 it sums `horizon` steps.

    Raises
    ------
    ValueError
        A policy of the wrong shape or whose rows don't sum to 1; discount = 1 and an MDP that is
        not over after `horizon` steps.
    """
    chain, rewards = mdp.under(policy)
    values = _value_of_chain(mdp, chain, rewards)
    if mdp.discount == 1 or _rounding(mdp, values) <= EVALUATION_TOLERANCE:
        return values
    only_choice = MDP([chain] if mdp.is_sparse else chain[:, None], rewards[:, None], mdp.discount)
    return _improve(only_choice, values, EVALUATION_TOLERANCE, 0).values


def _value_of_chain(mdp: MDP, chain: np.ndarray | sparse.csr_array, rewards: np.ndarray):
    """The value (S,) of a Markov chain (S, S) that pays `rewards` (S,)."""
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
