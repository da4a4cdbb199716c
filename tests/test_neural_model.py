"""Laws of a network in the place of counts."""

import numpy as np
import pytest

from seqdec_lib.experience.trajectories import collect
from seqdec_lib.learning.neural_model import NeuralModel
from seqdec_lib.learning.simulation_lemma import total_variation
from seqdec_lib.learning.table import Transitions
from seqdec_lib.learning.world_model import CountModel
from seqdec_lib.problems import from_gymnasium


def _rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_with_a_feature_for_each_state_the_network_learns_the_counts():
    lake = from_gymnasium("FrozenLake-v1")
    walks = collect(lake, None, 500, seed=0)
    counts = CountModel(16, 4).add(walks)
    network = NeuralModel(np.eye(16), 4).fit(walks)
    assert network.losses[-1] < network.losses[0]
    often = counts.visits >= 20
    wrong = total_variation(network.next_state_probabilities(), counts.next_state_probabilities())
    assert wrong[often].mean() < 0.05
    assert np.allclose(network.probabilities.sum(axis=2), 1)
    assert np.allclose(network.plan(0.9)[0][often], counts.plan(0.9)[0][often], atol=0.05)
    after, _, _ = network.sample(np.full(5000, 8), np.full(5000, 1), _rng())
    share = np.bincount(after, minlength=16) / 5000
    assert total_variation(share, network.next_state_probabilities()[8, 1]) < 0.03


def ring(n_states: int = 6, kept: slice = slice(None)) -> Transitions:
    """Action 0 stays, action 1 goes one up for a pay of 2, from the last one it ends there."""
    states, actions = (pair.ravel()[kept] for pair in np.indices((n_states, 2)))
    after = np.minimum(states + actions, n_states - 1)
    ended = (actions == 1) & (states == n_states - 1)
    return Transitions(np.zeros_like(states), states, actions, 2.0 * actions, after, ended)


@pytest.fixture(scope="module")
def fitted() -> NeuralModel:
    return NeuralModel(np.eye(6), 2).fit(ring(), epochs=200)


def test_what_always_happens_is_learned_with_its_pay_and_its_end(fitted) -> None:
    seen, counts = ring(), CountModel(6, 2).add(ring())
    after, rewards, ended = fitted.sample(seen.observations, seen.actions, _rng())
    assert after.tolist() == seen.next_observations.tolist()
    assert rewards.tolist() == seen.rewards.tolist() and ended.tolist() == seen.terminated.tolist()
    np.testing.assert_allclose(fitted.plan(0.9), counts.plan(0.9), atol=0.3)
    np.testing.assert_allclose(fitted.mdp(0.9).rewards, counts.mdp(0.9).rewards, atol=0.05)
    wrong = total_variation(fitted.next_state_probabilities(), counts.next_state_probabilities())
    assert wrong.max() < 0.03


def test_chances_are_a_distribution_and_nothing_leads_outside(fitted) -> None:
    np.testing.assert_allclose(fitted.probabilities.sum(axis=2), 1)
    after = np.arange(6)[:, None] + fitted.changes
    outside = (after < 0) | (after > 5)
    assert outside.any() and (fitted.probabilities.sum(axis=1)[outside] == 0).all()
    seen = fitted.outcomes()
    np.testing.assert_allclose(np.bincount(seen.pairs, seen.chances), 1)


def test_what_is_sampled_comes_as_often_as_it_is_likely() -> None:
    rough = NeuralModel(np.eye(6), 2).fit(ring(), epochs=3)
    after, _, _ = rough.sample(np.full(20_000, 2), np.full(20_000, 1), _rng())
    share = np.bincount(after, minlength=6) / 20_000
    assert total_variation(share, rough.next_state_probabilities()[2, 1]) < 0.02


def test_features_that_states_share_carry_over_to_what_was_never_tried() -> None:
    """With nothing but the action to see, what held for three states holds for all."""
    blind = NeuralModel(np.ones((6, 1)), 2).fit(ring(kept=slice(6)))
    table = blind.next_state_probabilities()
    assert table[3, 0, 3] > 0.9 and table[3, 1, 4] > 0.9
    alone = CountModel(6, 2).add(ring(kept=slice(6)))
    assert not alone.known[3].any()


def test_losses_fall_and_the_same_seed_learns_the_same() -> None:
    first, again, other = (
        NeuralModel(np.eye(6), 2, seed=seed).fit(ring(), epochs=20) for seed in (1, 1, 2)
    )
    assert first.losses == again.losses != other.losses
    assert len(first.losses) == 20 and first.losses[-1] < first.losses[0]
    outcomes = np.log(len(first.changes))
    assert first.losses[0] < outcomes + 1  # near that of guessing


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: NeuralModel(np.zeros(3), 2), "features must be finite"),
        (lambda: NeuralModel(np.full((3, 1), np.nan), 2), "features must be finite"),
        (lambda: NeuralModel(np.eye(3), 0), "n_actions"),
        (lambda: NeuralModel(np.eye(3), 2, hidden=0), "hidden"),
        (lambda: NeuralModel(np.eye(6), 2).fit(ring(), epochs=0), "epochs"),
        (lambda: NeuralModel(np.eye(6), 2).fit(ring(kept=slice(0))), "needs steps"),
        (lambda: NeuralModel(np.eye(5), 2).fit(ring()), "needs steps"),
    ],
)
def test_bad_input_is_named(make, message) -> None:
    with pytest.raises(ValueError, match=message):
        make()
