"""Laws of wrong models, and of what they cost."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqdec_lib.learning.simulation_lemma import (
    perturbed,
    simulation_lemma_bound,
    total_variation,
)
from seqdec_lib.mdp import MDP, evaluate_policy, value_iteration


def _rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def random_mdp(seed: int, n_states: int = 6, n_actions: int = 3, discount: float = 0.9) -> MDP:
    rng = np.random.default_rng(seed)
    rows = rng.dirichlet(np.full(n_states, 0.3), size=(n_states, n_actions))
    return MDP(rows, rng.normal(size=(n_states, n_actions)), discount)


@given(st.integers(0, 10**6), st.floats(0, 1))
@settings(max_examples=50, deadline=None)
def test_perturbed_rows_are_wrong_by_exactly_epsilon(seed, epsilon):
    mdp = random_mdp(seed)
    targets = _rng(seed).integers(6, size=(6, 3))
    wrong = perturbed(mdp, epsilon, targets)
    room = 1 - np.take_along_axis(mdp.transitions, targets[..., None], axis=-1)[..., 0]
    moved = total_variation(wrong.transitions, mdp.transitions)
    assert np.allclose(moved, np.minimum(epsilon, room))


@given(st.integers(0, 10**6), st.floats(0, 1), st.floats(0, 0.98), st.booleans())
@settings(max_examples=100, deadline=None)
def test_the_simulation_lemma_is_never_violated(seed, epsilon, discount, malice):
    mdp = random_mdp(seed, discount=discount)
    best = value_iteration(mdp)
    targets = _rng(seed).integers(6, size=(6, 3))
    if malice:
        is_best = np.arange(3) == best.policy[:, None]
        targets = np.where(is_best, best.values.argmin(), best.values.argmax())
    policy = value_iteration(perturbed(mdp, epsilon, targets)).policy
    loss = (best.values - evaluate_policy(mdp, policy)).max()
    assert loss <= simulation_lemma_bound(epsilon, discount, np.ptp(mdp.rewards)) + 1e-6


@given(st.integers(0, 10**6), st.integers(1, 40))
@settings(max_examples=40, deadline=None)
def test_nor_by_a_model_that_was_learned(seed, times):
    mdp = random_mdp(seed)
    rows = mdp.transitions.reshape(-1, 6)
    draws = [_rng(seed + i).multinomial(times, row) / times for i, row in enumerate(rows)]
    error = _rng(seed).uniform(-0.1, 0.1, size=mdp.rewards.shape)
    learned = MDP(np.reshape(draws, (6, 3, 6)), mdp.rewards + error, 0.9)
    epsilon = total_variation(learned.transitions, mdp.transitions).max()
    policy = value_iteration(learned).policy
    loss = (value_iteration(mdp).values - evaluate_policy(mdp, policy)).max()
    bound = simulation_lemma_bound(min(epsilon, 1), 0.9, np.ptp(mdp.rewards), np.abs(error).max())
    assert loss <= bound + 1e-6


def test_a_target_that_holds_everything_has_nothing_to_gain() -> None:
    mdp = MDP(np.eye(2)[:, None], np.zeros((2, 1)), 0.9, horizon=4)
    wrong = perturbed(mdp, 0.7, np.array([[0], [0]]))
    assert wrong.transitions.tolist() == [[[1, 0]], [[pytest.approx(0.7), pytest.approx(0.3)]]]
    assert (wrong.discount, wrong.horizon) == (0.9, 4)


@given(st.integers(0, 10**6))
@settings(max_examples=25, deadline=None)
def test_total_variation_is_the_largest_difference_of_any_event(seed) -> None:
    first, second = _rng(seed).dirichlet(np.ones(4), size=(2, 3, 2))
    events = np.array(list(np.ndindex(2, 2, 2, 2)))  # which outcomes belong to it
    largest = np.abs((first - second) @ events.T).max(axis=-1)
    np.testing.assert_allclose(total_variation(first, second), largest)


def test_the_bound_adds_what_each_error_costs() -> None:
    """Equal rewards everywhere: only their error counts; a discount of 0 never looks ahead."""
    assert simulation_lemma_bound(1.0, 0.5, 0.0, 0.25) == 2 * 0.25 / (1 - 0.5)
    assert simulation_lemma_bound(1.0, 0.0, 3.0) == 0
    assert simulation_lemma_bound(0.1, 0.5, 3.0) == pytest.approx(2 * 0.5 * 0.1 * 3 / 0.25)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: perturbed(random_mdp(0), 1.5, np.zeros((6, 3), int)), "epsilon"),
        (lambda: perturbed(random_mdp(0), 0.5, np.zeros((6, 2), int)), "targets must have shape"),
        (lambda: simulation_lemma_bound(0.1, 1, 1), "infinite for discount = 1"),
        (lambda: simulation_lemma_bound(0.1, 0.9, -1), "reward_span"),
        (lambda: simulation_lemma_bound(0.1, 0.9, 1, np.nan), "reward_error"),
        (lambda: simulation_lemma_bound(1.1, 0.9, 1), "epsilon"),
        (lambda: simulation_lemma_bound(0.1, 1.1, 1), "discount"),
    ],
)
def test_bad_input_is_named(make, message) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_a_sparse_model_is_named() -> None:
    from scipy import sparse

    mdp = MDP([sparse.eye_array(2)], np.zeros((2, 1)), 0.9)
    with pytest.raises(ValueError, match="dense"):
        perturbed(mdp, 0.5, np.zeros((2, 1), int))
