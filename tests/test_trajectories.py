"""Trajectories: returns-to-go, padding, filters, mixtures, and whether play follows the policy."""

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from seqdec_lib.experience.trajectories import (
    Trajectories,
    as_policy,
    collect,
    collect_mixture,
    concatenate,
    sample_actions,
)
from seqdec_lib.mdp import MDP
from seqdec_lib.problems import KeyToDoor, Problem, ShortestPath, TravelTree
from seqdec_lib.problems.base import History

quick = settings(max_examples=50, deadline=None, derandomize=True)


class Staircase(Problem):
    """Five stairs: action 1 climbs one and pays its number, action 0 stays; the top ends it all."""

    n_states, n_actions, horizon, discount = 5, 2, 6, 0.9

    def reset(self, episodes: int, rng: np.random.Generator) -> np.ndarray:
        return np.zeros(episodes, dtype=np.int64)

    def step(
        self, states: np.ndarray, actions: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        self.check_step(states, actions)
        assert (states < 4).all(), "an episode that is over was stepped"
        arrived = states + actions
        return arrived, np.where(actions == 1, arrived, 0.0), arrived == 4

    def mdp(self) -> MDP:
        transitions, rewards = np.zeros((5, 2, 5)), np.zeros((5, 2))
        for state in range(5):
            for action in range(2):
                arrived = min(state + action, 4)
                transitions[state, action, arrived] = 1
                rewards[state, action] = arrived * (arrived > state)
        return MDP(transitions, rewards, self.discount)

    def start_distribution(self) -> np.ndarray:
        return np.eye(5)[0]


@st.composite
def trajectories(draw: st.DrawFn) -> Trajectories:
    n, steps = draw(st.integers(1, 5)), draw(st.integers(1, 7))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    lengths = rng.integers(1, steps + 1, size=n)
    return Trajectories(
        states=rng.integers(9, size=(n, steps + 1)),
        actions=rng.integers(3, size=(n, steps)),
        rewards=rng.normal(size=(n, steps)),  # in the padding too: it must not count
        mask=np.arange(steps) < lengths[:, None],
        terminated=rng.random(n) < 0.5,
    )


@quick
@given(data=trajectories(), discount=st.sampled_from([0.0, 0.3, 0.99, 1.0]))
def test_returns_to_go_are_their_definition_sum_by_sum(data: Trajectories, discount: float) -> None:
    to_go = data.returns_to_go(discount)
    for i, length in enumerate(data.lengths):
        for t in range(data.actions.shape[1]):
            later = range(t, length)
            total = sum(discount ** (k - t) * data.rewards[i, k] for k in later)
            assert np.isclose(to_go[i, t], total, rtol=1e-12, atol=1e-12)
    assert np.array_equal(data.returns(discount), to_go[:, 0])


@quick
@given(data=trajectories())
def test_some_of_the_episodes_are_trajectories_too(data: Trajectories) -> None:
    last = data[-1:]
    assert len(last) == 1
    assert np.array_equal(last.returns(), data.returns()[-1:])
    best = data[np.argsort(data.returns())[::-1]]
    assert (np.diff(best.returns()) <= 0).all()
    assert len(data[data.lengths >= 1]) == len(data)


def two_episodes(**changes: np.ndarray) -> dict[str, np.ndarray]:
    fields = {
        "states": np.zeros((2, 4), int),
        "actions": np.zeros((2, 3), int),
        "rewards": np.zeros((2, 3)),
        "mask": np.ones((2, 3), bool),
        "terminated": np.ones(2, bool),
    }
    return fields | changes


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"actions": np.zeros(3, int)}, r"actions must have shape \(N, T\)"),
        ({"actions": np.zeros((0, 3), int)}, r"actions must have shape \(N, T\)"),
        ({"actions": np.zeros((2, 0), int)}, r"actions must have shape \(N, T\)"),
        ({"mask": np.array([[1, 1, 0], [1, 0, 1]], bool)}, "mask must be True from the first"),
        ({"states": np.zeros((2, 3), int)}, r"states must have shape \(2, 4\).*\(2, 3\) came"),
        ({"rewards": np.zeros((2, 2))}, r"rewards must have shape \(2, 3\).*\(2, 2\) came"),
        ({"terminated": np.ones(3, bool)}, r"terminated must have shape \(2,\)"),
        ({"mask": np.array([[1, 0, 1], [1, 1, 1]], bool)}, "mask must be True from the first"),
        ({"mask": np.array([[0, 0, 0], [1, 1, 1]], bool)}, "mask must be True from the first"),
        ({"rewards": np.full((2, 3), np.nan)}, "rewards must be finite"),
        ({"rewards": np.full((2, 3), np.inf)}, "rewards must be finite"),
    ],
)
def test_arrays_that_do_not_fit_together_are_refused(changes: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Trajectories(**two_episodes(**changes))


@pytest.mark.parametrize("discount", [-0.1, 1.1, np.nan])
def test_odd_discounts_are_refused(discount: float) -> None:
    with pytest.raises(ValueError, match="discount must be a number from 0 to 1"):
        Trajectories(**two_episodes()).returns_to_go(discount)


# -- collecting


def test_the_same_seed_plays_the_same_episodes() -> None:
    tree = TravelTree(cancel=0.3, dense=True)
    first, again, other = (collect(tree, None, 50, seed) for seed in (3, 3, 4))
    assert same(first, again)
    assert not np.array_equal(first.actions, other.actions)


def test_episodes_of_different_lengths_are_padded() -> None:
    stairs = Staircase()
    data = collect(stairs, None, 500, seed=0)
    assert set(data.lengths) == {4, 5, 6}
    taken = data.mask
    assert not data.rewards[~taken].any() and not data.actions[~taken].any()
    climbed = (data.actions * taken).sum(axis=1)
    assert np.array_equal(data.terminated, climbed == 4)
    assert (data.lengths[~data.terminated] == stairs.horizon).all()
    at_end = data.states[np.arange(500), data.lengths]
    assert np.array_equal(at_end, climbed)
    assert (data.states[:, -1] == at_end).all(), "after its end an episode stays where it was"
    moved = np.diff(data.states, axis=1)
    assert np.array_equal(moved[taken], data.actions[taken])
    assert np.array_equal(data.rewards[taken], (data.states[:, 1:] * data.actions)[taken])


def test_columns_in_which_nobody_plays_are_left_out() -> None:
    data = collect(Staircase(), np.ones(5, int), 3, seed=0)
    assert data.actions.shape == (3, 4)
    assert data.states.tolist() == [[0, 1, 2, 3, 4]] * 3
    assert data.returns(0.5).tolist() == [1 + 2 / 2 + 3 / 4 + 4 / 8] * 3
    assert data.terminated.all()


def test_actions_are_drawn_as_the_policy_says() -> None:
    tree, n = TravelTree(horizon=2), 30_000
    rows = np.array([[0.7, 0.3, 0.0], [0.2, 0.2, 0.6], [0.0, 1.0, 0.0], [0.25, 0.25, 0.5]])
    table = np.concatenate([rows, np.full((tree.n_states - 4, 3), 1 / 3)])
    data = collect(tree, table, n, seed=0)
    for node in range(4):
        chosen = data.actions[data.states[:, :-1] == node]
        counts = np.bincount(chosen, minlength=3)
        possible = table[node] > 0
        assert not counts[~possible].any()
        if possible.sum() > 1 and len(chosen):
            expected = table[node][possible] * len(chosen)
            assert stats.chisquare(counts[possible], expected).pvalue > 1e-4


@quick
@given(seed=st.integers(0, 10**6), n_actions=st.integers(1, 6))
def test_actions_without_probability_are_never_drawn(seed: int, n_actions: int) -> None:
    rng = np.random.default_rng(seed)
    rows = rng.random((200, n_actions)) * (rng.random((200, n_actions)) < 0.5)
    rows[:, rng.integers(n_actions)] += 0.01
    rows /= rows.sum(axis=1, keepdims=True)
    chosen = sample_actions(rows, rng)
    assert (np.take_along_axis(rows, chosen[:, None], axis=1) > 0).all()


@pytest.mark.parametrize("draw", [0.0, 0.25, 0.5, np.nextafter(1, 0)])
def test_whatever_is_drawn_names_an_action_that_may_be_taken(draw: float) -> None:
    """The actions stand on a line of length 1, in their order; what is drawn is a place on it."""

    class Drawing:
        def random(self, shape: tuple[int, ...]) -> np.ndarray:
            return np.full(shape, draw)

    rows = np.array(
        [[0, 0.5, 0, 0.5, 0], [0, 0, 0, 0, 1], [1, 0, 0, 0, 0], [0.25, 0.25, 0, 0.5, 0]]
    )
    rows = np.vstack([rows, 0.1 * np.array([3, 3, 3, 1, 0])])  # sums to 0.9999...
    for row, action in zip(rows, sample_actions(rows, Drawing()), strict=True):
        assert row[action] > 0
        assert row[:action].sum() <= draw + 1e-12 and draw <= row[: action + 1].sum() + 1e-12
    if draw == 0.5:  # a place between two actions belongs to the later one
        assert sample_actions(rows, Drawing())[[0, 3]].tolist() == [3, 3]


def test_a_policy_is_the_same_in_each_of_its_forms() -> None:
    stairs = Staircase()
    actions = np.array([1, 0, 1, 1, 0])
    rows = np.eye(2)[actions]
    forms = [actions, rows, lambda history: rows[history.states[:, -1]]]
    played = [collect(stairs, form, 20, seed=1) for form in forms]
    assert all(np.array_equal(played[0].states, data.states) for data in played)
    uniform = [collect(stairs, form, 20, seed=1) for form in (None, np.full((5, 2), 0.5))]
    assert np.array_equal(uniform[0].actions, uniform[1].actions)
    assert as_policy(forms[2], stairs) is forms[2]


def test_a_policy_sees_the_whole_history() -> None:
    seen: list[History] = []

    def policy(history: History) -> np.ndarray:
        seen.append(history)
        return np.full((7, 2), 0.5)

    data = collect(Staircase(), policy, 7, seed=0)
    for t, history in enumerate(seen):
        assert np.array_equal(history.states, data.states[:, : t + 1])
        assert np.array_equal(history.actions, data.actions[:, :t])
        assert np.array_equal(history.rewards, data.rewards[:, :t])


@pytest.mark.parametrize("days", [1, 3])
def test_histories_of_the_last_step_make_trajectories(days: int) -> None:
    tree = TravelTree(horizon=days, dense=True)
    whole = Trajectories.complete(tree.histories(tree.horizon))
    assert whole.mask.all() and whole.terminated.all() and len(whole) == tree.n_leaves
    assert np.allclose(whole.returns(), tree.level_enjoyment(days))


def test_the_rounding_of_single_precision_is_no_error() -> None:
    logits = np.random.default_rng(0).normal(size=(1093, 3)).astype(np.float32)
    exponents = np.exp(logits)
    rows = (exponents / exponents.sum(axis=1, keepdims=True)).astype(np.float32)
    assert np.abs(rows.astype(float).sum(axis=1) - 1).max() > 1e-8
    collect(TravelTree(), rows, 5, seed=0)
    with pytest.raises(ValueError, match="sum to 1"):
        collect(TravelTree(), rows.astype(float), 5, seed=0)


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        (np.full((5, 2), 0.4), r"sum to 1, but row .* sums to 0\.8; divide"),
        (np.full((4, 2), 0.5), r"\(5, 2\).*\(4, 2\)"),
        (np.full(5, 2), r"0\.\.1, but 2\.\.2 came"),
        (lambda history: np.full((3, 2), 0.4), "sum to 1"),
        (lambda history: np.full(3, 0.5), r"shape \(3, 2\), but \(3,\) came"),
        (lambda history: np.full((3, 2), np.nan), "NaN"),
        (lambda history: np.tile([1.5, -0.5], (3, 1)), "below 0"),
        (1, "shape"),
    ],
)
def test_policies_that_are_none_are_refused(policy: object, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        collect(Staircase(), policy, 3, seed=0)


@pytest.mark.parametrize(("episodes", "seed"), [(0, 0), (2.5, 0), (3, -1), (3, None)])
def test_odd_numbers_of_episodes_and_seeds_are_refused(episodes: object, seed: object) -> None:
    with pytest.raises(ValueError, match="must be a whole number of at least"):
        collect(Staircase(), None, episodes, seed)


def same(one: Trajectories, other: Trajectories) -> bool:
    return all(
        np.array_equal(getattr(one, field.name), getattr(other, field.name))
        for field in fields(Trajectories)
    )


def episodes_of(data: Trajectories) -> tuple[list, list, list, np.ndarray]:
    rows = list(enumerate(data.lengths))
    return (
        [data.states[i, : n + 1] for i, n in rows],
        [data.actions[i, :n] for i, n in rows],
        [data.rewards[i, :n] for i, n in rows],
        data.terminated,
    )


# -- padding


@quick
@given(seed=st.integers(0, 10**6), episodes=st.integers(1, 12))
def test_padding_loses_nothing(seed, episodes):
    walks = collect(ShortestPath(seed=seed % 5), None, episodes, seed)
    again = Trajectories.from_episodes(*episodes_of(walks))
    np.testing.assert_array_equal(again.lengths, walks.lengths)
    assert same(again, walks)


def test_the_last_state_is_repeated_in_the_padding():
    data = Trajectories.from_episodes([[1, 2], [3, 4, 5, 6]], [[0], [1, 1, 0]], [[1.0], [0, 0, 2]])
    np.testing.assert_array_equal(data.states, [[1, 2, 2, 2], [3, 4, 5, 6]])
    np.testing.assert_array_equal(data.mask, [[True, False, False], [True] * 3])
    np.testing.assert_array_equal(data.returns(), [1, 2])
    assert data.terminated.all()


@pytest.mark.parametrize(
    "states, actions, rewards, says",
    [
        ([], [], [], "at least one"),
        ([[0, 1]], [[0]], [], "lists of"),
        ([[0]], [[]], [[]], "episode 0"),
        ([[0, 1], [0, 1]], [[0], [0, 1]], [[0.0], [0.0, 0.0]], "episode 1"),
        ([[0, 1]], [[0]], [[0.0, 1.0]], "2 rewards"),
        ([[0, 1]], [[0]], [[np.nan]], "NaN"),
        ([[0, 1.5]], [[0]], [[0.0]], "whole numbers"),
        ([[0, 1]], [[0.5]], [[0.0]], "whole numbers"),
    ],
)
def test_ragged_and_empty_episodes_are_refused(states, actions, rewards, says):
    with pytest.raises(ValueError, match=says):
        Trajectories.from_episodes(states, actions, rewards)


def test_a_return_that_is_no_number_is_refused():
    huge = Trajectories.from_episodes([[0, 0, 0]], [[0, 0]], [[1.7e308, 1.7e308]])
    with pytest.raises(ValueError, match="finite"):
        huge.returns()


# -- filters and mixtures


@quick
@given(seed=st.integers(0, 10**6), share=st.sampled_from([0.1, 0.5, 0.9, 1.0]))
def test_the_best_share_keeps_its_order_and_values_rewards_by_the_discount(seed, share):
    data = collect(Staircase(), None, 30, seed)
    for discount in (0.1, 1.0):
        returns = data.returns(discount)
        order = sorted(range(30), key=lambda i: (-returns[i], i))[: max(1, round(share * 30))]
        assert same(data.top(share, discount), data[np.sort(order)])


@quick
@given(seed=st.integers(0, 10**6), share=st.floats(0.001, 1))
def test_the_best_share_is_the_best(seed, share):
    trips = collect(TravelTree(horizon=3), None, 57, seed)
    best = trips.top(share)
    assert len(best) == max(1, round(share * 57))
    left_out = np.sort(trips.returns())[: 57 - len(best)]
    assert not len(left_out) or best.returns().min() >= left_out.max()


def test_of_equally_good_episodes_the_first_are_kept():
    trips = collect(KeyToDoor(), None, 50, seed=1)
    assert same(trips[trips.returns() == 0].top(0.2), trips[trips.returns() == 0][slice(0, 10)])


@pytest.mark.parametrize("share", [0, -0.1, 1.5, np.nan, "all"])
def test_odd_shares_are_refused(share):
    with pytest.raises(ValueError, match="share"):
        collect(KeyToDoor(), None, 5, seed=0).top(share)


@quick
@given(share=st.floats(0, 1), episodes=st.integers(1, 200), seed=st.integers(0, 1000))
def test_a_mixture_shares_out_the_episodes(share, episodes, seed):
    tree = TravelTree(horizon=2)
    always = np.zeros(tree.n_states, dtype=int)
    data = collect_mixture(tree, [always, always + 1], [share, 1 - share], episodes, seed)
    assert len(data) == episodes
    assert abs((data.actions[:, 0] == 0).sum() - share * episodes) <= 0.5
    np.testing.assert_array_equal(data.actions[:, 0], data.actions[:, 1])


def test_a_mixture_is_shuffled_and_repeatable():
    tree = TravelTree(horizon=2)
    always = np.zeros(tree.n_states, dtype=int)
    mixed = [collect_mixture(tree, [always, always + 1], [0.5, 0.5], 100, s) for s in (0, 0, 1)]
    assert same(mixed[0], mixed[1]) and not same(mixed[0], mixed[2])
    assert 10 < mixed[0].actions[:50, 0].sum() < 40


def test_mixtures_need_a_share_a_policy():
    for shares, says in (([0.5, 0.4], "sum to 1"), ([1.0], "one share each")):
        with pytest.raises(ValueError, match=says):
            collect_mixture(KeyToDoor(), [None, None], shares, 10, 0)


@quick
@given(parts=st.lists(trajectories(), min_size=1, max_size=3), discount=st.sampled_from([0.3, 1.0]))
def test_one_dataset_of_several_has_their_episodes_in_order(parts, discount):
    whole = concatenate(parts)
    assert len(whole) == sum(map(len, parts))
    assert whole.actions.shape[1] == max(part.actions.shape[1] for part in parts)
    expected = [part.returns(discount) for part in parts]
    np.testing.assert_array_equal(whole.returns(discount), np.concatenate(expected))
    for name in ("terminated", "lengths"):
        expected = [getattr(part, name) for part in parts]
        np.testing.assert_array_equal(getattr(whole, name), np.concatenate(expected))
    first = 0
    for part in parts:
        steps = part.actions.shape[1]
        for name, used in (("states", steps + 1), ("actions", steps), ("mask", steps)):
            padded = getattr(whole, name)[first : first + len(part)]
            np.testing.assert_array_equal(padded[:, :used], getattr(part, name))
            later = getattr(part, name)[:, -1:] if name == "states" else np.zeros((len(part), 1))
            assert (padded[:, used:] == later).all()
        first += len(part)


def test_datasets_of_different_lengths_are_padded_to_the_longest():
    short, long = (collect(TravelTree(horizon=h), None, 3, seed=0) for h in (2, 4))
    both = concatenate([short, long])
    np.testing.assert_array_equal(both.lengths, [2] * 3 + [4] * 3)
    np.testing.assert_array_equal(both.returns(), np.r_[short.returns(), long.returns()])
    np.testing.assert_array_equal(both.states[:3, 2:], short.states[:, [-1] * 3])
    with pytest.raises(ValueError, match="at least one"):
        concatenate([])
