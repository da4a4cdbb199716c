"""Laws of acting on what is believed so far."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from seqdec_lib.learning.exploration import (
    Boltzmann,
    EpsilonGreedy,
    FixedPolicy,
    greedy,
    linear_decay,
)

few = settings(max_examples=40, deadline=None)
values = st.sampled_from([0.0, -0.0, 1.0, -1.0, 1 + 2**-52, 1e-300, 1e150, -1e150]) | st.floats(
    -1e3, 1e3
)
tables = arrays(float, st.tuples(st.integers(1, 4), st.integers(1, 4)), elements=values)
temperatures = st.sampled_from([5e-324, 1e-200, 1e-3, 1.0, 1e6, 1e300, np.inf])


@few
@given(arrays(float, array_shapes(min_dims=1, max_dims=4), elements=values | st.just(-np.inf)))
def test_greedy_shares_all_among_the_best(q_values) -> None:
    policy = greedy(q_values)
    np.testing.assert_allclose(policy.sum(axis=-1), 1)
    best = q_values == q_values.max(axis=-1, keepdims=True)
    assert (best == (policy > 0)).all()
    shares = np.broadcast_to(policy.max(axis=-1, keepdims=True), policy.shape)
    np.testing.assert_array_equal(policy[best], shares[best])  # alike


def test_greedy_counts_as_best_what_is_within_the_error() -> None:
    q_values = np.array([1.0, 0.75, 0.5])
    assert greedy(q_values, within=0.2).tolist() == [1, 0, 0]
    assert greedy(q_values, within=0.25).tolist() == [0.5, 0.5, 0]
    np.testing.assert_allclose(greedy(q_values, within=np.inf), 1 / 3)


@pytest.mark.parametrize("options", [{}, {"within": -1e-9}, {"within": np.nan}])
def test_greedy_names_bad_input(options) -> None:
    with pytest.raises(ValueError, match="NaN"):
        greedy(np.array([[0.0, 0.0], [1.0, 0.0 if options else np.nan]]), **options)


def behaviors(n_states: int, n_actions: int, seed: int, share: float, temperature: float) -> list:
    policy = np.random.default_rng(seed).dirichlet(np.ones(n_actions), size=n_states)
    return [EpsilonGreedy(share), Boltzmann(temperature), FixedPolicy(policy)]


@few
@given(tables, st.integers(0, 99), st.floats(0, 1), temperatures)
def test_what_is_expected_is_the_mean_over_what_is_done(q_values, seed, share, temperature) -> None:
    states = np.arange(len(q_values))
    for behavior in behaviors(*q_values.shape, seed, share, temperature):
        policy = behavior.probabilities(q_values, step=3)
        assert policy.shape == q_values.shape
        assert (policy >= 0).all()
        np.testing.assert_allclose(policy.sum(axis=1), 1)
        expected = behavior.expected_q(np.ascontiguousarray(q_values.T), states, step=3)
        scale = np.abs(q_values).max(axis=1) + 1
        np.testing.assert_allclose(
            expected / scale, (policy * q_values).sum(axis=1) / scale, atol=1e-12
        )


@few
@given(
    arrays(float, array_shapes(min_dims=3, max_dims=4, max_side=4), elements=values),
    st.integers(0, 99),
    st.floats(0, 1),
    temperatures,
)
def test_tables_side_by_side_are_tables_one_by_one(q_values, seed, share, temperature) -> None:
    for behavior in behaviors(*q_values.shape[-2:], seed, share, temperature):
        together = behavior.probabilities(q_values, step=3)
        assert together.shape == q_values.shape
        for place in np.ndindex(q_values.shape[:-2]):
            alone = behavior.probabilities(q_values[place], step=3)
            np.testing.assert_allclose(together[place], alone, rtol=1e-12)


@few
@given(tables, st.integers(0, 99), st.floats(0, 1), temperatures)
def test_only_possible_actions_are_chosen(q_values, seed, share, temperature) -> None:
    states, rng = np.arange(len(q_values)), np.random.default_rng(seed)
    for behavior in behaviors(*q_values.shape, seed, share, temperature):
        chosen = behavior.choose(np.ascontiguousarray(q_values.T), states, 0, rng)
        assert (behavior.probabilities(q_values, 0)[states, chosen] > 0).all()


@pytest.mark.parametrize("behavior", range(3))
@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_actions_come_as_often_as_their_probability_says(behavior, share) -> None:
    q_values, n = np.array([[1.0, 1.0, 0.0, -0.5], [0.2, 0.1, 0.3, 0.0]]), 20_000
    way = behaviors(2, 4, 0, share, 0.5 + share)[behavior]
    states, rng = np.arange(2).repeat(n), np.random.default_rng(1)
    chosen = way.choose(np.ascontiguousarray(q_values[states].T), states, 0, rng)
    shares = np.bincount(4 * states + chosen, minlength=8).reshape(2, 4) / n
    assert np.abs(shares - way.probabilities(q_values, 0)).max() < 5 * 0.5 / np.sqrt(n)


@few
@given(tables, temperatures, st.floats(-1e3, 1e3))
def test_softmax_forgets_a_constant_and_knows_only_ratios(q_values, temperature, constant) -> None:
    q_values = np.clip(q_values, -1e3, 1e3).round()  # whole numbers: sums are exact
    policy = Boltzmann(temperature).probabilities(q_values, 0)
    moved = Boltzmann(temperature).probabilities(q_values + round(constant), 0)
    np.testing.assert_array_equal(policy, moved)
    if 1e-100 < temperature < 1e100:
        scaled = Boltzmann(2 * temperature).probabilities(2 * q_values, 0)
        np.testing.assert_array_equal(policy, scaled)


def test_the_logarithm_of_odds_is_the_difference_by_the_temperature() -> None:
    q_values = np.random.default_rng(0).normal(size=(5, 3))
    log_odds = np.log(Boltzmann(0.3).probabilities(q_values, 0))
    expected = (q_values - q_values[:, :1]) / 0.3
    np.testing.assert_allclose(log_odds - log_odds[:, :1], expected)


@few
@given(tables)
def test_cold_softmax_is_greedy_and_hot_softmax_is_uniform(q_values) -> None:
    q_values = np.clip(q_values, -1e3, 1e3)
    q_values[abs(q_values) < 1e-300] = 0  # what differs, differs by far more than the temperature
    cold = Boltzmann(5e-324).probabilities(q_values, 0)
    np.testing.assert_allclose(cold, greedy(q_values))
    hot = Boltzmann(np.inf).probabilities(q_values, 0)
    np.testing.assert_allclose(hot, 1 / q_values.shape[1])


def test_schedules_are_asked_with_the_step() -> None:
    falling = linear_decay(1.0, 0.2, steps=4)
    np.testing.assert_allclose([falling(t) for t in (0, 2, 4, 99)], [1, 0.6, 0.2, 0.2])
    q = np.array([[0.0, 1.0]])
    np.testing.assert_allclose(EpsilonGreedy(falling).probabilities(q, 2), [[0.3, 0.7]])
    warm = Boltzmann(lambda step: 1.0 + step)
    np.testing.assert_array_equal(warm.probabilities(q, 2), Boltzmann(3.0).probabilities(q, 0))


@pytest.mark.parametrize("share", [-0.1, 1.1, np.nan])
def test_a_share_outside_its_range_is_named_at_once_or_when_a_schedule_gives_it(share) -> None:
    with pytest.raises(ValueError, match="exploration"):
        EpsilonGreedy(share)
    with pytest.raises(ValueError, match="exploration"):
        EpsilonGreedy(lambda step: share).epsilon(0)
    for start, end in [(share, 0.5), (0.5, share)]:
        with pytest.raises(ValueError, match="start|end"):
            linear_decay(start, end, 3)
    with pytest.raises(ValueError, match="steps"):
        linear_decay(1.0, 0.0, 0)


@pytest.mark.parametrize("temperature", [0.0, -1.0, np.nan])
def test_a_temperature_outside_its_range_is_named_at_once(temperature) -> None:
    for given_so in (temperature, lambda step: temperature):
        with pytest.raises(ValueError, match="temperature"):
            Boltzmann(given_so)
