"""Tables of policies on the tree, the trips they make, and the best table on a leash."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqdec_lib.experience import as_policy, collect
from seqdec_lib.problems import (
    TravelTree,
    soft_backward_induction,
    table_on_tree,
    trip_probabilities,
)

TREE = TravelTree(branching=3, horizon=3)
WORTH = TREE.level_enjoyment(TREE.horizon)
quick = settings(max_examples=40, deadline=None)
seeds = st.integers(0, 2**32 - 1)


def some_rows(seed: int, sparse: bool = False) -> np.ndarray:
    """Rows (first_leaf, A) of a policy; sparse ones never do some of the actions."""
    rng = np.random.default_rng(seed)
    rows = rng.dirichlet(np.ones(3), size=TREE.first_leaf)
    rows *= (rng.random(rows.shape) < 0.6) if sparse else 1
    rows[:, 1] += 1e-3
    return rows / rows.sum(axis=1, keepdims=True)


@quick
@given(seed=seeds)
def test_the_table_of_a_policy_is_what_it_says_at_each_node(seed: int) -> None:
    rows = some_rows(seed)
    whole = np.concatenate([rows, np.full((TREE.n_leaves, 3), 1 / 3)])
    assert np.array_equal(table_on_tree(TREE, as_policy(whole, TREE)), rows)


@quick
@given(seed=seeds)
def test_the_probability_of_a_trip_is_the_product_of_its_steps(seed: int) -> None:
    rows = some_rows(seed)
    expected = []
    for actions in itertools.product(range(3), repeat=TREE.horizon):
        node, chance = 0, 1.0
        for action in actions:
            chance *= rows[node, action]
            node = 3 * node + 1 + action
        expected.append(chance)
    trips = trip_probabilities(TREE, rows)
    assert np.allclose(trips, expected, rtol=1e-12)
    assert np.isclose(trips @ WORTH, TREE.expected_return(rows))


def test_played_trips_are_as_frequent_as_they_are_probable() -> None:
    rows, n = some_rows(1), 20_000
    played = collect(TREE, np.concatenate([rows, np.full((27, 3), 1 / 3)]), n, seed=0)
    shares = np.bincount(played.states[:, -1] - TREE.first_leaf, minlength=27) / n
    assert np.abs(shares - trip_probabilities(TREE, rows)).max() < 5 * 0.5 / np.sqrt(n)


def objective(rows: np.ndarray, reference: np.ndarray, beta: float) -> float:
    trips, usual = trip_probabilities(TREE, rows), trip_probabilities(TREE, reference)
    some = trips > 0
    return trips @ WORTH - beta * (trips[some] @ np.log(trips[some] / usual[some]))


@quick
@given(seed=seeds, beta=st.floats(0.1, 100), sparse=st.booleans())
def test_the_soft_optimum_is_the_best_trade_of_reward_against_divergence(
    seed: int, beta: float, sparse: bool
) -> None:
    reference = some_rows(seed, sparse)
    best = soft_backward_induction(TREE, reference, beta)
    assert np.isclose(objective(best.policy, reference, beta), best.values[0])
    for step in (1e-3, 0.1, 1.0):
        other = (1 - step) * best.policy + step * reference
        assert objective(other, reference, beta) <= best.values[0] + 1e-9


@quick
@given(seed=seeds, beta=st.floats(-320, 300).map(lambda x: 10**x), sparse=st.booleans())
def test_every_leash_ends_between_the_reference_and_the_best_that_it_allows(
    seed: int, beta: float, sparse: bool
) -> None:
    reference = some_rows(seed, sparse)
    best = soft_backward_induction(TREE, reference, beta)
    assert np.allclose(best.policy.sum(axis=1), 1) and not best.policy[reference == 0].any()
    usual = trip_probabilities(TREE, reference)
    allowed = WORTH[usual > 0].max()
    assert usual @ WORTH - 1e-9 <= best.values[0] <= allowed + 1e-9
    if beta < 1e-6:
        assert best.values[0] == pytest.approx(allowed, abs=1e-4)
    if beta > 1e6:
        assert best.values[0] == pytest.approx(usual @ WORTH, abs=1e-3)
        assert np.allclose(best.policy, reference, atol=1e-4)


@quick
@given(seed=seeds)
def test_other_rewards_take_the_place_of_the_worth_of_trips(seed: int) -> None:
    reference, rewards = some_rows(seed), np.random.default_rng(seed).normal(size=TREE.n_leaves)
    best = soft_backward_induction(TREE, reference, 0.5, rewards)
    weights = trip_probabilities(TREE, reference) * np.exp(rewards / 0.5)
    assert np.allclose(trip_probabilities(TREE, best.policy), weights / weights.sum())
    assert np.isclose(best.values[0], 0.5 * np.log(weights.sum()))


@pytest.mark.parametrize(
    "rewards", [np.zeros(26), np.zeros((27, 1)), np.full(27, np.nan), np.full(27, np.inf)]
)
def test_rewards_of_another_shape_or_none_at_all_are_refused(rewards: np.ndarray) -> None:
    with pytest.raises(ValueError, match="27 finite numbers, one a trip"):
        soft_backward_induction(TREE, some_rows(0), 1.0, rewards)


@pytest.mark.parametrize("changed", [TravelTree(horizon=3, cancel=0.1), TravelTree(horizon=3)])
def test_where_the_trip_is_not_the_traveler_s_choice_alone_there_is_no_soft_optimum(
    changed: TravelTree,
) -> None:
    if not changed.cancel:
        changed.discount = 0.9
    with pytest.raises(ValueError, match="without cancellations and discount"):
        soft_backward_induction(changed, some_rows(0), 1.0)
