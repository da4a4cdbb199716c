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


def line(seed: int = 0, n_states: int = 5, steps: int = 60) -> Transitions:
    """Chance moves one down, not at all, or one up, and pays what action 1 was worth there."""
    rng = np.random.default_rng(seed)
    states, actions = rng.integers(n_states, size=steps), rng.integers(2, size=steps)
    after = np.clip(states + rng.integers(-1, 2, size=steps), 0, n_states - 1)
    return Transitions(
        0 * states, states, actions, 1.0 * actions, after, (after == 0) & (states == 1)
    )


def chance_of(model: NeuralModel, seen: Transitions) -> np.ndarray:
    """What a model says of each step: (N,)."""
    change = seen.next_observations - seen.observations
    wanted = np.stack([change, seen.rewards, seen.terminated], axis=1)
    known = np.stack([model.changes, model.rewards, model.ended], axis=1)
    (_, which) = np.nonzero((wanted[:, None] == known).all(axis=2))
    return model.probabilities[seen.observations, seen.actions, which]


@pytest.mark.parametrize("epochs", [1, 2, 30])
def test_the_losses_are_those_before_each_epoch(epochs) -> None:
    seen, features = line(), np.random.default_rng(1).normal(size=(5, 3))
    model = NeuralModel(features, 2, hidden=7, seed=3).fit(seen, epochs=epochs)
    longer = NeuralModel(features, 2, hidden=7, seed=3).fit(seen, epochs=epochs + 1)
    assert longer.losses[:-1] == model.losses and len(model.losses) == epochs
    expected = -np.log(chance_of(model, seen)).mean()
    assert longer.losses[-1] == pytest.approx(expected, rel=1e-5)


def test_outcomes_are_what_happened_anywhere_and_lead_where_they_say() -> None:
    seen = line()
    model = NeuralModel(np.eye(5), 2).fit(seen, epochs=5)
    change = seen.next_observations - seen.observations
    happened = set(zip(change, seen.rewards, seen.terminated, strict=True))
    assert set(zip(model.changes, model.rewards, model.ended, strict=True)) == happened
    table, told = model.next_state_probabilities(), model.outcomes()
    np.testing.assert_allclose(table.sum(axis=2), 1)
    pays = np.zeros(10)
    for pair in range(10):
        state, row = pair // 2, np.zeros(5)
        for k, chance in enumerate(model.probabilities[state, pair % 2]):
            arrived = state + model.changes[k]
            assert 0 <= arrived < 5 or chance == 0
            row[np.clip(arrived, 0, 4)] += chance
            pays[pair] += chance * model.rewards[k]
        np.testing.assert_allclose(table[state, pair % 2], row)
    np.testing.assert_allclose(np.bincount(told.pairs, told.chances * told.rewards), pays)
    ends = np.bincount(told.pairs, told.chances * told.ended).reshape(5, 2)
    np.testing.assert_allclose(ends, model.probabilities @ model.ended)


@pytest.mark.parametrize("draw", [0.0, 0.3, 0.8, np.nextafter(1, 0)])
def test_whatever_is_drawn_names_an_outcome_that_may_come(draw) -> None:
    """The outcomes stand on a line of length 1, in their order; what is drawn is a place on it."""

    class Drawing:
        def random(self, shape: tuple[int, ...]) -> np.ndarray:
            return np.full(shape, draw)

    model = NeuralModel(np.eye(5), 2).fit(line(), epochs=2)
    states, actions = (pair.ravel() for pair in np.indices((5, 2)))
    after, rewards, ended = model.sample(states, actions, Drawing())
    for row in range(10):
        ends = model.probabilities[states[row], actions[row]].cumsum()
        k = int(np.searchsorted(ends, draw * ends[-1], side="right"))
        assert model.probabilities[states[row], actions[row], k] > 0
        assert after[row] == states[row] + model.changes[k]
        assert (rewards[row], ended[row]) == (model.rewards[k], model.ended[k])


def test_sizes_are_those_that_are_asked_for() -> None:
    smallest = NeuralModel(np.ones((1, 1)), 1, hidden=1)
    alone = Transitions(*(np.zeros(1, dtype=int) for _ in range(5)), np.zeros(1, dtype=bool))
    assert smallest.fit(alone, epochs=1).probabilities.tolist() == [[[1.0]]]
    usual = NeuralModel(np.eye(2), 2).fit(line(n_states=2, steps=9))
    assert usual.hidden == 64 and len(usual.losses) == 300
    assert usual.probabilities.shape == (2, 2, len(usual.changes))


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
        (lambda: NeuralModel(np.zeros((3, 0)), 2), "features must be finite"),
        (lambda: NeuralModel(np.eye(6), 1).fit(ring(kept=slice(11, 12))), "needs steps"),
        (
            lambda: NeuralModel(np.eye(6), 2).fit(ring()._replace(actions=-np.ones(12, int))),
            "needs",
        ),
    ],
)
def test_bad_input_is_named(make, message) -> None:
    with pytest.raises(ValueError, match=message):
        make()
