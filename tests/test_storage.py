"""Trajectories in files: nothing is lost, and nothing odd comes in."""

import os
import pickle

import numpy as np
import pytest

from seqdec_lib.experience import storage
from seqdec_lib.experience.trajectories import Trajectories, collect, concatenate
from seqdec_lib.files import written_whole
from seqdec_lib.problems import KeyToDoor, ShortestPath


def same(one: Trajectories, other: Trajectories) -> bool:
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in storage.ARRAYS)


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


def test_a_file_that_is_not_finished_leaves_the_old_one(tmp_path):
    path = tmp_path / "table.bin"
    path.write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt), written_whole(path) as file:
        file.write(b"new, but not to its end")
        assert path.read_bytes() == b"old"
        raise KeyboardInterrupt
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
    with written_whole(path) as file:
        file.write(b"new")
    assert path.read_bytes() == b"new"


# -- Minari


def test_minari_and_back(tmp_path):
    pytest.importorskip("minari")
    pytest.importorskip("h5py")
    problem, before = ShortestPath(), os.environ.get("MINARI_DATASETS_PATH")
    data = collect(problem, None, 25, seed=0)
    dataset = storage.to_minari(data, problem, "seqdec/walks-v0", tmp_path)
    assert dataset.total_episodes == 25 and dataset.total_steps == data.mask.sum()
    assert same(storage.from_minari("seqdec/walks-v0", tmp_path), data)
    parts = list(storage.minari_parts("seqdec/walks-v0", tmp_path, 10))
    assert [len(part) for part in parts] == [10, 10, 5] and same(concatenate(parts), data)
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
