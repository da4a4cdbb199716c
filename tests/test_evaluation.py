"""Evaluation: where regret is 0 and 1, and how often an interval holds what it promises."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from seqdec_lib.experience.evaluation import (
    Estimate,
    estimate_return,
    mean_interval,
    regret,
    regret_of,
    share_interval,
)
from seqdec_lib.experience.trajectories import collect
from seqdec_lib.problems import TravelTree

quick = settings(max_examples=50, deadline=None, derandomize=True)
returns = st.floats(-1e3, 1e3)


@quick
@given(random=returns, gap=st.floats(0.1, 1e3), share=st.floats(-2, 2))
def test_regret_is_linear_from_0_at_the_optimum_to_1_at_random(
    random: float, gap: float, share: float
) -> None:
    optimal = random + gap
    assert regret(optimal, optimal, random) == 0
    assert regret(random, optimal, random) == 1
    assert math.isclose(regret(optimal - share * gap, optimal, random), share, abs_tol=1e-9)


@quick
@given(
    achieved=returns, random=returns, gap=st.floats(0.1, 1e3), scale=st.floats(0.1, 10), by=returns
)
def test_regret_does_not_mind_units(
    achieved: float, random: float, gap: float, scale: float, by: float
) -> None:
    values = np.array([achieved, random + gap, random])
    assert math.isclose(regret(*values), regret(*(scale * values + by)), rel_tol=1e-6, abs_tol=1e-6)


@pytest.mark.parametrize("cancel", [0.0, 0.4])
def test_regret_of_policies_on_the_tree(cancel: float) -> None:
    tree = TravelTree(cancel=cancel, discount=0.9)
    uniform = np.full((tree.n_states, 3), 1 / 3)
    assert regret_of(tree, tree.solve().policy.astype(int)) == pytest.approx(0, abs=1e-12)
    assert regret_of(tree, uniform) == pytest.approx(1, abs=1e-12)
    rng = np.random.default_rng(0)
    for _ in range(20):
        assert regret_of(tree, rng.integers(3, size=tree.n_states)) >= 0


def test_where_actions_do_not_matter_there_is_no_regret() -> None:
    for seed in range(5):
        with pytest.raises(ValueError, match="above random play.*choose a problem"):
            tree = TravelTree(cancel=1.0, seed=seed, dense=True)  # no train ever leaves
            regret_of(tree, np.zeros(tree.n_states, int))


@pytest.mark.parametrize(
    "values", [(0, 1, 1), (0, 1, 2), (math.nan, 1, 0), (0, math.inf, 0), (0, math.nan, 0)]
)
def test_regret_refuses_scales_without_length(values: tuple) -> None:
    with pytest.raises(ValueError, match="regret needs .* came"):
        regret(*values)


@pytest.mark.parametrize("confidence", [0.5, 0.95])
def test_intervals_hold_the_mean_as_often_as_they_say(confidence: float) -> None:
    rng, rounds = np.random.default_rng(0), 600
    held = sum(
        mean_interval(rng.normal(3.0, 2.0, size=8), confidence).contains(3.0) for _ in range(rounds)
    )
    spread = math.sqrt(confidence * (1 - confidence) / rounds)
    assert abs(held / rounds - confidence) < 4 * spread


def test_intervals_of_simulated_returns_hold_the_exact_value_as_often_as_they_say() -> None:
    tree = TravelTree(horizon=3, cancel=0.2)
    exact = tree.random_return()
    held = [estimate_return(tree, None, 100, seed).contains(exact) for seed in range(200)]
    assert abs(np.mean(held) - 0.95) < 4 * math.sqrt(0.95 * 0.05 / 200)


def test_equal_samples_make_a_point_that_holds_their_value() -> None:
    for value in (0.1, 26.3 / 7, -1e6 / 3):
        estimate = mean_interval(np.full(11, value))
        assert estimate.contains(value)
        assert not estimate.contains(value + 1e-6 * abs(value))
    tree = TravelTree()
    policy = tree.solve().policy.astype(int)
    assert estimate_return(tree, policy, 7, seed=0).contains(tree.optimal_return())


@quick
@given(
    samples=st.lists(returns, min_size=2, max_size=9), confidence=st.sampled_from([0.5, 0.9, 0.99])
)
def test_the_interval_is_that_of_the_t_test(samples: list[float], confidence: float) -> None:
    """The test's p-value is 1 - confidence at both ends of the interval."""
    estimate = mean_interval(samples, confidence)
    assert math.isclose(estimate.mean, np.mean(samples), rel_tol=1e-9, abs_tol=1e-9)
    assert math.isclose(estimate.mean - estimate.low, estimate.high - estimate.mean, abs_tol=1e-9)
    if np.std(samples) > 1e-3:
        for end in (estimate.low, estimate.high):
            p_value = stats.ttest_1samp(samples, end).pvalue
            assert math.isclose(p_value, 1 - confidence, rel_tol=1e-6)
    assert estimate.contains(estimate.low) and estimate.contains(estimate.high)
    width = estimate.high - estimate.low
    if width > 1e-3:
        for outside in (estimate.low - 0.01 * width, estimate.high + 0.01 * width):
            assert not estimate.contains(outside)


def test_intervals_hold_95_of_100_unless_told() -> None:
    samples, tree = [1.0, 2.0, 4.0], TravelTree(horizon=2)
    assert mean_interval(samples) == mean_interval(samples, 0.95) != mean_interval(samples, 0.9)
    assert share_interval(1, 3) == share_interval(1, 3, 0.95) != share_interval(1, 3, 0.9)
    assert estimate_return(tree, None, 9, 0) == estimate_return(tree, None, 9, 0, 0.95)
    found = estimate_return(tree, None, 9, 0, 0.5)
    assert found == mean_interval(collect(tree, None, 9, 0).returns(), 0.5)
    discounted = TravelTree(horizon=2, discount=0.5)
    by_hand = mean_interval(collect(discounted, None, 9, 0).returns(0.5))
    assert estimate_return(discounted, None, 9, 0) == by_hand


def test_an_estimate_reads_well() -> None:
    assert str(Estimate(1.23456, 1.0, 1.5)) == "1.235 [1, 1.5]"


@pytest.mark.parametrize("samples", [[1.0], [], [1.0, math.nan], [[1.0, 2.0]], 3.0])
def test_odd_samples_are_refused(samples: list) -> None:
    with pytest.raises(ValueError, match="at least two finite numbers"):
        mean_interval(samples)


@pytest.mark.parametrize("confidence", [0, 1, 1.5, 95, math.nan, "high"])
def test_odd_confidences_are_refused(confidence: object) -> None:
    with pytest.raises(ValueError, match="confidence must .* came"):
        mean_interval([1.0, 2.0], confidence)


@quick
@given(st.integers(1, 60), st.data())
def test_the_interval_of_a_count_holds_every_share_under_which_it_is_not_rare(trials, data) -> None:
    """Clopper and Pearson invert two binomial tests of 2.5% each: checked at the ends."""
    successes = data.draw(st.integers(0, trials))
    found = share_interval(successes, trials)
    assert 0 <= found.low <= found.mean == successes / trials <= found.high <= 1
    if successes:
        assert stats.binom.sf(successes - 1, trials, found.low) == pytest.approx(0.025)
    else:
        assert found.low == 0
    if successes < trials:
        assert stats.binom.cdf(successes, trials, found.high) == pytest.approx(0.025)
    else:
        assert found.high == 1


@pytest.mark.parametrize("counts", [(3, 2), (-1, 2), (0, 0), (0.5, 2), (1, 2, 1.0), (1, 2, 0)])
def test_counts_that_are_none_are_refused(counts) -> None:
    with pytest.raises(ValueError, match="must"):
        share_interval(*counts)
