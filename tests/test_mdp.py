"""Laws of Markov decision processes and of their exact solutions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.optimize import linprog

from seqdec_lib.experience.evaluation import estimate_return
from seqdec_lib.mdp import (
    MDP,
    backward_induction,
    bellman_expectation,
    bellman_optimality,
    bellman_residual,
    evaluate_policy,
    policy_iteration,
    value_iteration,
)
from seqdec_lib.problems import TabularProblem, TravelTree, from_gymnasium


def random_mdp(seed: int, discount: float | None = None, as_sparse: bool = False) -> MDP:
    rng = np.random.default_rng(seed)
    states, actions = int(rng.integers(1, 12)), int(rng.integers(1, 5))
    weights = rng.random((states, actions, states)) * (rng.random((states, actions, states)) < 0.5)
    weights[..., 0] += 0.1
    transitions = weights / weights.sum(axis=2, keepdims=True)
    rewards = rng.normal(scale=5, size=(states, actions))
    discount = float(rng.uniform(0, 0.97)) if discount is None else discount
    if as_sparse:
        transitions = [sparse.csr_array(transitions[:, a]) for a in range(actions)]
    return MDP(transitions, rewards, discount)


def by_linear_program(mdp: MDP) -> np.ndarray:
    """Least values that no action improves on: minimise sum V with V >= r + discount * P V."""
    flat = mdp.transitions.reshape(-1, mdp.n_states)
    stay = np.repeat(np.eye(mdp.n_states), mdp.n_actions, axis=0)
    options = {"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10}
    solved = linprog(
        np.ones(mdp.n_states),
        A_ub=mdp.discount * flat - stay,
        b_ub=-mdp.rewards.ravel(),
        bounds=(None, None),
        method="highs-ds",
        options=options,
    )
    assert solved.success
    return solved.x


# -- operators

seeds = st.integers(0, 2**32 - 1)


@given(seeds, seeds, st.booleans())
@settings(max_examples=60, deadline=None)
def test_the_operators_contract_in_the_largest_entry(seed, other, as_sparse) -> None:
    mdp, rng = random_mdp(seed, as_sparse=as_sparse), np.random.default_rng(other)
    v, w = rng.normal(scale=20, size=(2, mdp.n_states))
    policy = rng.dirichlet(np.ones(mdp.n_actions), size=mdp.n_states)
    bound = mdp.discount * np.abs(v - w).max() + 1e-10
    assert np.abs(bellman_optimality(mdp, v) - bellman_optimality(mdp, w)).max() <= bound
    expected = bellman_expectation(mdp, policy, v) - bellman_expectation(mdp, policy, w)
    assert np.abs(expected).max() <= bound


@given(seeds, seeds)
@settings(max_examples=30, deadline=None)
def test_the_operators_are_monotone(seed, other) -> None:
    mdp, rng = random_mdp(seed), np.random.default_rng(other)
    v = rng.normal(scale=20, size=mdp.n_states)
    higher = v + rng.random(mdp.n_states)
    assert (bellman_optimality(mdp, higher) >= bellman_optimality(mdp, v) - 1e-12).all()


def test_sparse_and_dense_models_are_the_same_model() -> None:
    for seed in range(20):
        dense, thin = random_mdp(seed), random_mdp(seed, as_sparse=True)
        values = np.random.default_rng(seed).normal(size=dense.n_states)
        policy = np.random.default_rng(seed).integers(dense.n_actions, size=dense.n_states)
        assert np.allclose(dense.q_values(values), thin.q_values(values))
        assert np.allclose(dense.best(values), dense.q_values(values).max(axis=1))
        assert np.allclose(dense.best(values), thin.best(values))
        assert np.allclose(evaluate_policy(dense, policy), evaluate_policy(thin, policy))
        assert np.allclose(value_iteration(dense).values, value_iteration(thin).values)


# -- solutions


@pytest.mark.parametrize("seed", range(100))
def test_three_ways_to_the_optimum_agree(seed: int) -> None:
    mdp = random_mdp(seed)
    values = value_iteration(mdp, tol=1e-9).values
    by_policies = policy_iteration(mdp)
    assert np.abs(values - by_policies.values).max() < 1e-8
    assert np.abs(values - by_linear_program(mdp)).max() < 1e-8
    assert np.abs(values - evaluate_policy(mdp, by_policies.policy)).max() < 1e-8


@given(seeds, st.sampled_from([1e-2, 1e-5, 1e-8]))
@settings(max_examples=40, deadline=None)
def test_value_iteration_keeps_its_promise(seed, tol) -> None:
    mdp = random_mdp(seed)
    error = np.abs(value_iteration(mdp, tol).values - policy_iteration(mdp).values).max()
    assert error <= tol * (1 + 1e-6)


@given(seeds)
@settings(max_examples=40, deadline=None)
def test_the_optimal_policy_is_greedy_in_its_own_values(seed) -> None:
    mdp = random_mdp(seed)
    solution = policy_iteration(mdp)
    own = mdp.q_values(evaluate_policy(mdp, solution.policy))
    assert np.allclose(own.max(axis=1), own[np.arange(mdp.n_states), solution.policy])
    assert bellman_residual(mdp, solution.values) < 1e-9


def test_no_policy_is_better_than_the_optimal_one() -> None:
    mdp, rng = random_mdp(3, discount=0.9), np.random.default_rng(0)
    optimum = value_iteration(mdp).values
    for _ in range(50):
        policy = rng.dirichlet(np.ones(mdp.n_actions), size=mdp.n_states)
        assert (evaluate_policy(mdp, policy) <= optimum + 1e-7).all()


def test_backward_induction_approaches_value_iteration() -> None:
    mdp = random_mdp(1, discount=0.8)
    by_days = backward_induction(mdp, horizon=150)
    assert np.allclose(by_days.values[0], value_iteration(mdp).values)
    assert np.allclose(by_days.values[-2], mdp.rewards.max(axis=1))


def test_value_iteration_on_the_tree_takes_a_sweep_a_day() -> None:
    tree = TravelTree(horizon=4)
    for mdp in (tree.mdp(), tree.mdp(sparse_transitions=True)):
        solution = value_iteration(mdp)
        assert solution.iterations == tree.horizon
        assert np.array_equal(solution.values, tree.solve().values)
        assert np.array_equal(policy_iteration(mdp).values, solution.values)


def test_a_discount_close_to_one_still_stops() -> None:
    mdp = random_mdp(5, discount=0.9999)
    assert np.allclose(value_iteration(mdp, 1e-12).values, policy_iteration(mdp).values)


# -- bad input is named

FAIR = np.full((2, 1, 2), 0.5)


@pytest.mark.parametrize(
    ("transitions", "rewards", "what"),
    [
        (np.array([[[0.5, 0.5]], [[0.5, 0.4]]]), np.zeros((2, 1)), r"row \(1, 0\) sums to 0.9"),
        (np.array([[[0.5, 0.5]], [[1.5, -0.5]]]), np.zeros((2, 1)), r"\(1, 0, 1\) is -0.5"),
        (np.full((2, 1, 2), np.nan), np.zeros((2, 1)), "4 entries are NaN"),
        (FAIR, np.zeros((2, 2)), r"shape \(S, A, S\) = \(2, 2, 2\)"),
        (FAIR, np.array([[0.0], [np.inf]]), r"rewards\[1, 0\] is inf"),
        (FAIR, np.zeros(2), r"shape \(S, A\)"),
        ([sparse.eye_array(3)], np.zeros((2, 1)), r"1 matrices of shape \(2, 2\)"),
        ([sparse.csr_array([[1.5, -0.5], [0, 1]])], np.zeros((2, 1)), "state 0 to 1 is -0.5"),
        ([sparse.csr_array([[0.5, 0.4], [0, 1]])], np.zeros((2, 1)), "sums to 0.9"),
    ],
)
def test_bad_models_are_named(transitions, rewards, what: str) -> None:
    with pytest.raises(ValueError, match=what):
        MDP(transitions, rewards, 0.9)


@pytest.mark.parametrize("discount", [-0.1, 1.0, 1.5, np.nan, "0.9"])
def test_bad_discounts_are_named(discount) -> None:
    with pytest.raises(ValueError, match="discount"):
        MDP(FAIR, np.zeros((2, 1)), discount)


@pytest.mark.parametrize("as_sparse", [False, True])
def test_mistakes_about_the_end_are_named(as_sparse: bool) -> None:
    def mdp(last_row, last_reward, terminal):
        rows = np.array([[0.5, 0.5], last_row])
        transitions = [sparse.csr_array(rows)] if as_sparse else rows[:, None]
        return MDP(transitions, np.array([[1.0], [last_reward]]), 0.9, terminal=terminal)

    end = np.array([False, True])
    assert mdp([0, 1], 0, end).terminal.tolist() == [False, True]
    with pytest.raises(ValueError, match="in state 1 action 0 does so with probability 0.75"):
        mdp([0.25, 0.75], 0, end)
    with pytest.raises(ValueError, match="terminal state 1 pays 2"):
        mdp([0, 1], 2, end)
    with pytest.raises(ValueError, match="2 booleans"):
        mdp([0, 1], 0, np.array([1]))


def test_an_episode_that_never_ends_needs_a_discount() -> None:
    endless = MDP(np.ones((1, 1, 1)), np.ones((1, 1)), 1.0, horizon=5)
    for solve in (value_iteration, policy_iteration):
        with pytest.raises(ValueError, match="horizon = 5"):
            solve(endless)


# -- tables of outcomes


@pytest.mark.parametrize("name", ["FrozenLake-v1", "Taxi-v4"])
def test_gymnasium_tables_are_read_exactly(name: str) -> None:
    problem = from_gymnasium(name, discount=0.9)
    mdp, policy = problem.mdp(), value_iteration(problem.mdp()).policy
    assert np.allclose(policy_iteration(mdp).values, value_iteration(mdp).values)
    # With a discount of 0.9 what comes after the clock's last step hardly counts.
    played = estimate_return(problem, policy, episodes=20_000, seed=0, confidence=0.9999)
    assert played.low - 0.01 < problem.optimal_return() < played.high + 0.01


def test_a_table_plays_its_own_model() -> None:
    mdp = random_mdp(8, discount=0.8)
    start = np.full(mdp.n_states, 1 / mdp.n_states)
    for model in (mdp, random_mdp(8, discount=0.8, as_sparse=True)):
        problem = TabularProblem.from_mdp(model, start, horizon=60)
        assert np.allclose(problem.mdp().transitions, mdp.transitions)
        assert np.allclose(problem.mdp().rewards, mdp.rewards)
    played = estimate_return(problem, None, episodes=20_000, seed=0, confidence=0.9999)
    assert played.low - 1e-3 < problem.random_return() < played.high + 1e-3


def test_a_state_that_ends_the_episode_only_sometimes_is_named() -> None:
    class Odd:
        P = {
            0: {0: [(1.0, 1, 0.0, True)], 1: [(1.0, 1, 0.0, False)]},
            1: {0: [(1.0, 0, 0.0, False)], 1: [(1.0, 0, 0.0, False)]},
        }
        initial_state_distrib, spec = np.array([1.0, 0.0]), None

        @property
        def unwrapped(self):
            return self

    with pytest.raises(ValueError, match="state 1 ends the episode .* from state 0 by action 1"):
        from_gymnasium(Odd(), horizon=5)
    with pytest.raises(ValueError, match="pass horizon"):
        from_gymnasium(Odd())


def test_environments_without_a_table_are_named() -> None:
    with pytest.raises(ValueError, match="exact model"):
        from_gymnasium("CartPole-v1")


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"probabilities": np.full((2, 1, 1), 0.5)}, "sum to 1"),
        ({"probabilities": np.ones((2, 1))}, r"\(S, A, K\)"),
        ({"next_states": np.full((2, 1, 1), 2)}, r"0\.\.1"),
        ({"rewards": np.zeros((2, 1))}, r"rewards must have shape \(2, 1, 1\)"),
        ({"rewards": np.full((2, 1, 1), np.nan)}, "finite"),
        ({"start": np.array([0.0, 1.0])}, "terminal state 1"),
    ],
)
def test_bad_tables_are_named(change: dict, what: str) -> None:
    table = {
        "probabilities": np.ones((2, 1, 1)),
        "next_states": np.ones((2, 1, 1), dtype=int),
        "rewards": np.zeros((2, 1, 1)),
        "terminal": np.array([False, True]),
        "start": np.array([1.0, 0.0]),
    }
    with pytest.raises(ValueError, match=what):
        TabularProblem(**(table | change), discount=0.9, horizon=3)
