"""Laws of Markov decision processes and of their exact solutions."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.optimize import linprog

from seqdec_lib.mdp import (
    MDP,
    backward_induction,
    bellman_expectation,
    bellman_optimality,
    evaluate_policy,
    policy_iteration,
    value_iteration,
)
from seqdec_lib.problems import TravelTree


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
    assert np.abs(bellman_optimality(mdp, solution.values) - solution.values).max() < 1e-9


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


def optimum_in_fractions(mdp: MDP, actions: np.ndarray | None = None) -> list[Fraction]:
    """The optimum of a small dense MDP, or a policy's value: Gauss's way, without any rounding."""
    states, discount = range(mdp.n_states), Fraction(mdp.discount)
    policies = itertools.product(range(mdp.n_actions), repeat=mdp.n_states)
    values = []
    for policy in policies if actions is None else [actions]:
        rows = [
            [int(i == j) - discount * Fraction(mdp.transitions[i, policy[i], j]) for j in states]
            + [Fraction(mdp.rewards[i, policy[i]])]
            for i in states
        ]
        for i in states:  # diagonally dominant: no pivot is 0
            rows[i] = [entry / rows[i][i] for entry in rows[i]]
            for j in set(states) - {i}:
                factor = rows[j][i]
                rows[j] = [a - factor * b for a, b in zip(rows[j], rows[i], strict=True)]
        values.append([row[-1] for row in rows])
    return [max(column) for column in zip(*values, strict=True)]


@given(
    seed=seeds,
    shape=st.tuples(st.integers(1, 3), st.integers(1, 2)),
    discount=st.sampled_from([0.0, 0.3, 0.9, 0.999]) | st.floats(3, 7).map(lambda x: 1 - 10**-x),
    inertia=st.sampled_from([0.1, 1e3, 1e9, np.inf]),
    tol=st.sampled_from([1e-2, 1e-8]),
    as_sparse=st.booleans(),
)
@settings(max_examples=40, deadline=None)
def test_solutions_keep_their_promise_however_close_the_discount_is_to_1(
    seed, shape, discount, inertia, tol, as_sparse
) -> None:
    """Inertia makes chains slow: 1e9 is to stay for a billion steps, inf for ever."""
    rng = np.random.default_rng(seed)
    weights = rng.random((*shape, shape[0])) * (rng.random((*shape, shape[0])) < 0.7)
    stay = np.arange(shape[0])
    weights *= np.isfinite(inertia)
    weights[stay, :, stay] += min(inertia, 1e9)
    mdp = MDP(weights / weights.sum(axis=2, keepdims=True), rng.normal(0, 5, shape), discount)
    model = mdp
    if as_sparse:
        matrices = [sparse.csr_array(mdp.transitions[:, a]) for a in range(shape[1])]
        model = MDP(matrices, mdp.rewards, discount)
    exact = optimum_in_fractions(mdp)
    by_policies = policy_iteration(model, tol)
    for values, tolerance, truth in (
        (value_iteration(model, tol).values, tol, exact),
        (by_policies.values, tol, exact),
        (
            evaluate_policy(model, by_policies.policy),
            1e-8,
            optimum_in_fractions(mdp, by_policies.policy),
        ),
    ):
        error = max(abs(Fraction(value) - true) for value, true in zip(values, truth, strict=True))
        assert error <= max(tolerance, 4 * np.finfo(float).eps * float(max(map(abs, truth))))


@given(seeds, st.sampled_from([1e-1, 1e-4, 1e-8]), st.booleans())
@settings(max_examples=30, deadline=None)
def test_value_iteration_sweeps_until_its_bounds_meet_and_returns_their_middle(
    seed, tol, as_sparse
) -> None:
    mdp = random_mdp(seed, as_sparse=as_sparse)
    weight, gaps, bounds = mdp.discount / (1 - mdp.discount), [], (-np.inf, np.inf)
    values = np.zeros(mdp.n_states)
    while bounds[1] - bounds[0] > 2 * tol:
        new = (mdp.rewards + mdp.discount * mdp.expected_next(values)).max(axis=1)
        bounds = weight * (new - values).min(), weight * (new - values).max()
        values, gaps = new, [*gaps, bounds[1] - bounds[0]]
    solution = value_iteration(mdp, tol)
    q_values = mdp.q_values(values + sum(bounds) / 2)
    if all(abs(gap - 2 * tol) > 1e-3 * tol for gap in gaps):  # else rounding decides
        assert solution.iterations == len(gaps)
        np.testing.assert_allclose(solution.q_values, q_values, rtol=1e-12, atol=1e-12)
    assert np.array_equal(solution.values, solution.q_values.max(axis=1))
    assert np.array_equal(solution.policy, solution.q_values.argmax(axis=1))


def test_policy_iteration_counts_its_improvements() -> None:
    """None where nothing is paid. In a corridor that ends at a treasure, while staying pays a
    little, each improvement finds the way one step further back."""
    rows = np.array([[[0.5, 0.5]], [[0.5, 0.5]]])
    for reward, count in ((0.0, 0), (3.0, 1)):
        assert policy_iteration(MDP(rows, np.full((2, 1), reward), 0.9)).iterations == count
    for n in (1, 2, 5):
        transitions, rewards = np.zeros((n + 1, 2, n + 1)), np.zeros((n + 1, 2))
        for state in range(n + 1):
            transitions[state, 0, state] = 1  # stays, for a small pay
            transitions[state, 1, max(state - 1, 0)] = 1
        rewards[:, 0], rewards[0] = 0.1, 100.0
        solution = policy_iteration(MDP(transitions, rewards, 0.9))
        assert solution.policy.tolist() == [0] + [1] * n
        assert solution.iterations == n + 1


def test_only_without_discount_the_horizon_ends_the_sum() -> None:
    """After the second of three steps it is over: twice the pay; discounted, there is no clock."""
    rows = np.array([[[0.0, 1, 0]], [[0, 0, 1]], [[0, 0, 1]]])
    pays, end = np.array([[1.0], [1.0], [0.0]]), np.array([False, False, True])
    for horizon in (2, 3):
        mdp = MDP(rows, pays, 1.0, horizon, end)
        for values in (
            value_iteration(mdp).values,
            policy_iteration(mdp).values,
            evaluate_policy(mdp, np.zeros(3, dtype=int)),
        ):
            assert values.tolist() == [2, 1, 0]
        assert value_iteration(mdp).iterations == 2
    for solve in (value_iteration, policy_iteration, lambda m: evaluate_policy(m, np.ones((3, 1)))):
        with pytest.raises(ValueError, match="horizon = 1 "):
            solve(MDP(rows, pays, 1.0, 1, end))
    endless = MDP(np.ones((1, 1, 1)), np.ones((1, 1)), 0.5, horizon=1)
    assert value_iteration(endless).values.tolist() == pytest.approx([2])


def test_equal_actions_are_settled_for_the_first() -> None:
    for as_sparse in (False, True):
        mdp = random_mdp(2, discount=0.9, as_sparse=as_sparse)
        twice = list(mdp.transitions) * 2 if as_sparse else np.tile(mdp.transitions, (1, 2, 1))
        both = MDP(twice, np.tile(mdp.rewards, 2), 0.9)
        for solve in (value_iteration, policy_iteration, lambda m: backward_induction(m, 7)):
            assert np.array_equal(solve(both).policy, solve(mdp).policy)
            assert np.allclose(solve(both).values, solve(mdp).values, rtol=1e-12)


@given(seeds, st.booleans(), st.integers(1, 5))
@settings(max_examples=30, deadline=None)
def test_backward_induction_is_greedy_in_the_values_of_the_next_step(seed, as_sparse, horizon):
    mdp = random_mdp(seed, as_sparse=as_sparse)
    by_days = backward_induction(mdp, horizon)
    assert by_days.values.shape == (horizon + 1, mdp.n_states) and not by_days.values[-1].any()
    for t in range(horizon):
        q_values = mdp.q_values(by_days.values[t + 1])
        assert np.array_equal(by_days.values[t], q_values.max(axis=1))
        assert np.array_equal(by_days.policy[t], q_values.argmax(axis=1))


def test_backward_induction_takes_the_horizon_of_the_model_unless_told() -> None:
    rows, rewards = np.ones((1, 1, 1)), np.ones((1, 1))
    assert backward_induction(MDP(rows, rewards, 1.0, horizon=4)).values[:, 0].tolist() == [
        4, 3, 2, 1, 0,
    ]  # fmt: skip
    assert len(backward_induction(MDP(rows, rewards, 1.0, horizon=4), 2).policy) == 2
    with pytest.raises(ValueError, match="pass horizon"):
        backward_induction(MDP(rows, rewards, 0.5))


@pytest.mark.parametrize("as_sparse", [False, True])
def test_rows_that_are_off_by_rounding_are_mended_in_a_copy(as_sparse: bool) -> None:
    rows = np.array([[0.25, 0.75 + 5e-9], [0.5, 0.5]])
    given_rows = [sparse.csr_array(rows)] if as_sparse else rows[:, None].copy()
    mdp = MDP(given_rows, np.zeros((2, 1)), 0.9)
    own = mdp.transitions[0].toarray() if as_sparse else mdp.transitions[:, 0]
    assert np.abs(own.sum(axis=1) - 1).max() <= 4 * np.finfo(float).eps
    assert np.allclose(own, rows, rtol=0, atol=5e-9)
    kept = given_rows[0].toarray() if as_sparse else given_rows[:, 0]
    assert np.array_equal(kept, rows)


def test_sparse_rows_are_mended_row_by_row_and_kept_narrow() -> None:
    rows = np.array([[0.25, 0.75 + 5e-9, 0], [0, 1, 0], [0.5, 0.2, 0.3 - 5e-9]])
    matrix = sparse.csr_array(rows)
    matrix.indices, matrix.indptr = matrix.indices.astype(np.int64), matrix.indptr.astype(np.int64)
    (own,) = MDP([matrix], np.zeros((3, 1)), 0.9).transitions
    assert own.indices.dtype == own.indptr.dtype == np.int32
    np.testing.assert_allclose(own.toarray(), rows / rows.sum(axis=1, keepdims=True), rtol=1e-15)


def test_a_stored_zero_is_a_probability_like_any_other() -> None:
    stored = sparse.csr_array((np.array([0.0, 1.0, 1.0]), ([0, 0, 1], [0, 1, 1])))
    assert stored.nnz == 3
    (own,) = MDP([stored], np.zeros((2, 1)), 0.9).transitions
    assert own.toarray().tolist() == [[0, 1], [0, 1]]


def test_a_model_with_any_number_of_actions_names_the_best() -> None:
    """More actions than one byte can count."""
    for actions in (1, 2, 257, 300):
        rewards = np.arange(2.0 * actions).reshape(2, actions)
        rewards[1] = rewards[1, ::-1]
        for model in (
            MDP([sparse.eye_array(2)] * actions, rewards, 0.5),
            MDP(np.tile(np.eye(2)[:, None], (1, actions, 1)), rewards, 0.5),
        ):
            best, chosen = model.greedy(np.array([0.0, 2.0]))
            assert chosen.tolist() == [actions - 1, 0]
            assert best.tolist() == [actions - 1, 2 * actions - 1 + 1]


@pytest.mark.parametrize(
    ("policy", "what"),
    [
        (np.array([0, 2]), r"0\.\.1"),
        (np.array([-1, 0]), r"0\.\.1"),
        (np.array([0.0, 1.0]), "2 whole numbers"),
        (np.array([0, 1, 1]), "2 whole numbers"),
        (np.full((2, 3), 1 / 3), r"\(2, 2\)"),
        (np.full((2, 2), 0.4), "sum to 1"),
    ],
)
def test_policies_that_are_none_are_named(policy, what: str) -> None:
    for as_sparse in (False, True):
        rows = [sparse.eye_array(2)] * 2 if as_sparse else np.tile(np.eye(2)[:, None], (1, 2, 1))
        mdp = MDP(rows, np.zeros((2, 2)), 0.9)
        with pytest.raises(ValueError, match=what):
            mdp.under(policy)


@given(seeds, st.booleans())
@settings(max_examples=30, deadline=None)
def test_a_policy_makes_a_chain_of_its_own_steps(seed, as_sparse) -> None:
    mdp, dense = random_mdp(seed, as_sparse=as_sparse), random_mdp(seed)
    rng = np.random.default_rng(seed)
    actions = rng.integers(mdp.n_actions, size=mdp.n_states)
    rows = rng.dirichlet(np.ones(mdp.n_actions), size=mdp.n_states)
    for policy, shares in ((actions, np.eye(mdp.n_actions)[actions]), (rows, rows)):
        chain, rewards = mdp.under(policy)
        chain = chain.toarray() if as_sparse else chain
        for s in range(mdp.n_states):
            assert np.allclose(chain[s], shares[s] @ dense.transitions[s])
            assert np.isclose(rewards[s], shares[s] @ dense.rewards[s])


@pytest.mark.parametrize("tol", [0, -1e-8, np.nan, np.inf, "1"])
def test_tolerances_that_are_no_positive_numbers_are_refused(tol) -> None:
    for solve in (value_iteration, policy_iteration):
        with pytest.raises(ValueError, match="tol must be a number above 0"):
            solve(random_mdp(0), tol)


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
        (FAIR, np.zeros((2, 0)), r"shape \(S, A\)"),
        (FAIR, np.zeros((0, 1)), r"shape \(S, A\)"),
        ([sparse.eye_array(3)], np.zeros((2, 1)), r"1 matrices of shape \(2, 2\)"),
        ([sparse.csr_array([[1.5, -0.5], [0, 1]])], np.zeros((2, 1)), "state 0 to 1 is -0.5"),
        ([sparse.csr_array([[0.5, 0.4], [0, 1]])], np.zeros((2, 1)), "sums to 0.9"),
        ([sparse.eye_array(2)], np.zeros((2, 2)), r"2 matrices of shape \(2, 2\)"),
        ([sparse.csr_array([[1, 0], [0, np.nan]])], np.zeros((2, 1)), "state 1 to 1 is nan"),
        ([sparse.csr_array([[0, 1], [2, -1.0]])], np.zeros((2, 1)), "state 1 to 1 is -1"),
        ([sparse.csr_array((2, 2))], np.zeros((2, 1)), "sums to 0"),
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
