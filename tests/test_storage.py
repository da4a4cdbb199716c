"""Mixtures, filters, padding and files: nothing is lost, and nothing odd comes in."""

import os
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqdec_lib.experience import storage
from seqdec_lib.experience.trajectories import Trajectories, collect, collect_mixture, concatenate
from seqdec_lib.problems import KeyToDoor, ShortestPath, TravelTree

quick = settings(max_examples=40, deadline=None, derandomize=True)


def same(one: Trajectories, other: Trajectories) -> bool:
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in storage.ARRAYS)


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


def test_datasets_of_different_lengths_are_padded_to_the_longest():
    short, long = (collect(TravelTree(horizon=h), None, 3, seed=0) for h in (2, 4))
    both = concatenate([short, long])
    np.testing.assert_array_equal(both.lengths, [2] * 3 + [4] * 3)
    np.testing.assert_array_equal(both.returns(), np.r_[short.returns(), long.returns()])
    np.testing.assert_array_equal(both.states[:3, 2:], short.states[:, [-1] * 3])
    with pytest.raises(ValueError, match="at least one"):
        concatenate([])


# -- files


def test_a_file_gives_back_what_was_saved(tmp_path):
    data = collect(ShortestPath(), None, 40, seed=3)
    path = tmp_path / "deep" / "walks.npz"
    storage.save(data, path)
    assert same(storage.load(path), data)
    assert [p.name for p in path.parent.iterdir()] == ["walks.npz"]


RAN = []


class Bomb:
    def __reduce__(self):
        return explode, ()


def explode():
    RAN.append("code from a file")


def test_loading_never_runs_code_from_a_file(tmp_path):
    arrays = {name: np.array([Bomb()], dtype=object) for name in storage.ARRAYS}
    np.savez(tmp_path / "a.npz", **arrays, format=storage.FORMAT)
    (tmp_path / "b.npz").write_bytes(pickle.dumps(Bomb(), protocol=2))
    for name in ("a.npz", "b.npz"):
        with pytest.raises(ValueError, match="damaged or holds no plain arrays"):
            storage.load(tmp_path / name)
    assert not RAN
    pickle.loads(pickle.dumps(Bomb()))
    assert RAN, "the bomb of this test is a dud"


def test_damaged_and_foreign_files_are_refused(tmp_path):
    data = collect(KeyToDoor(), None, 200, seed=0)
    storage.save(data, tmp_path / "good.npz")
    content = (tmp_path / "good.npz").read_bytes()
    (tmp_path / "cut.npz").write_bytes(content[: len(content) // 2])
    (tmp_path / "empty.npz").write_bytes(b"")
    np.savez(tmp_path / "foreign.npz", states=data.states)
    arrays = {name: getattr(data, name) for name in storage.ARRAYS}
    broken = arrays | {"rewards": data.rewards + np.nan}
    np.savez(tmp_path / "nan.npz", format=storage.FORMAT, **broken)
    np.savez(
        tmp_path / "float.npz", format=storage.FORMAT, **(arrays | {"states": data.states / 2})
    )
    for name, says in {
        "cut": "damaged",
        "empty": "damaged",
        "foreign": "was not written",
        "nan": "NaN",
        "float": "float64",
    }.items():
        with pytest.raises(ValueError, match=says):
            storage.load(tmp_path / f"{name}.npz")
    with pytest.raises(FileNotFoundError):
        storage.load(tmp_path / "none.npz")
    with pytest.raises(ValueError, match=".npz"):
        storage.save(data, tmp_path / "data.pkl")


# -- Minari


def test_minari_and_back(tmp_path):
    pytest.importorskip("minari")
    pytest.importorskip("h5py")
    problem, before = ShortestPath(), os.environ.get("MINARI_DATASETS_PATH")
    data = collect(problem, None, 25, seed=0)
    dataset = storage.to_minari(data, problem, "seqdec/walks-v0", tmp_path)
    assert dataset.total_episodes == 25 and dataset.total_steps == data.mask.sum()
    assert same(storage.from_minari("seqdec/walks-v0", tmp_path), data)
    assert os.environ.get("MINARI_DATASETS_PATH") == before
    with pytest.raises(ValueError, match="already"):
        storage.to_minari(data, problem, "seqdec/walks-v0", tmp_path)
    with pytest.raises(ValueError, match="no local Minari dataset"):
        storage.from_minari("seqdec/others-v0", tmp_path)
    with pytest.raises(ValueError, match="states must lie in"):
        storage.to_minari(data, ShortestPath(nodes=3, edge_probability=0.9), "x/y-v0", tmp_path)
    (file,) = tmp_path.rglob("*.hdf5")
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(ValueError, match="is damaged"):
        storage.from_minari("seqdec/walks-v0", tmp_path)
