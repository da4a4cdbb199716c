"""Trajectories in files: NumPy's `.npz`, and Minari, the field's standard for offline data.

Neither loader runs code from a file."""

import os
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from gymnasium.spaces import Discrete

from seqdec_lib.experience.trajectories import Trajectories, concatenate
from seqdec_lib.files import written_whole
from seqdec_lib.problems.base import Problem
from seqdec_lib.validation import check_numbers

if TYPE_CHECKING:
    from minari import MinariDataset

FORMAT = "seqdec_lib trajectories 1"
ARRAYS = tuple(field.name for field in fields(Trajectories))
KINDS = {"states": "iu", "actions": "iu", "rewards": "f", "mask": "b", "terminated": "b"}


def save(data: Trajectories, path: Path | str) -> None:
    """Write trajectories to an `.npz` file: the whole of it, or nothing at all. Raises ValueError:
    a name that doesn't end in .npz."""
    path = Path(path)
    if path.suffix != ".npz":
        raise ValueError(f"the file's name must end in .npz, but {path.name!r} came.")
    with written_whole(path) as file:
        arrays = {name: getattr(data, name) for name in ARRAYS}
        np.savez_compressed(file, format=np.array(FORMAT), **arrays)


def load(path: Path | str) -> Trajectories:
    """Read what `save` wrote, and check it as if it had just been collected.

    Raises FileNotFoundError: no such file.
    Raises ValueError: a file that is damaged, was not written by `save`, or holds no valid
        trajectories."""
    try:
        with np.load(path, allow_pickle=False) as file:
            content = {name: file[name] for name in file.files}
    except FileNotFoundError:
        raise
    except (OSError, EOFError, ValueError, TypeError, zipfile.BadZipFile) as error:
        raise ValueError(
            f"{path} is damaged or holds no plain arrays ({type(error).__name__}: {error}); "
            "save the trajectories again with storage.save."
        ) from error
    if str(content.pop("format", "")) != FORMAT or set(content) != set(ARRAYS):
        raise ValueError(
            f"{path} was not written by storage.save (expected {FORMAT!r} with {list(ARRAYS)}, "
            f"but it holds {sorted(content)})."
        )
    for name, array in content.items():
        if array.dtype.kind not in KINDS[name]:
            raise ValueError(f"{path} is no dataset of ours: its {name} are {array.dtype}.")
    try:
        return Trajectories(**content)
    except ValueError as error:
        raise ValueError(f"{path} holds no valid trajectories: {error}") from error


def to_minari(
    data: Trajectories,
    problem: Problem,
    dataset_id: str,
    folder: Path | str | None = None,
    **about: Any,
) -> "MinariDataset":
    """Make a Minari dataset of trajectories, in Minari's folder or another one.

    problem : names the two spaces: whole numbers below n_observations and n_actions.
    dataset_id : such as "seqdec/key-to-door-random-v0".
    folder : None: where Minari keeps its datasets (~/.minari, or MINARI_DATASETS_PATH).
    about : what else Minari is to write down, such as author="..." and code_permalink="...".
    Raises ImportError: minari is not installed.
    Raises ValueError: trajectories of another problem, or a dataset of this name that exists
        already."""
    minari = _minari()
    for name, size in (("states", problem.n_observations), ("actions", problem.n_actions)):
        advice = "pass the problem that the data were collected in"
        check_numbers(name, getattr(data, name), size, advice)
    last = np.arange(data.actions.shape[1]) == data.lengths[:, None] - 1
    buffers = [
        minari.data_collector.EpisodeBuffer(
            id=i,
            observations=data.states[i, : length + 1],
            actions=data.actions[i, :length],
            rewards=data.rewards[i, :length],
            terminations=last[i, :length] & data.terminated[i],
            truncations=last[i, :length] & ~data.terminated[i],
        )
        for i, length in enumerate(data.lengths)
    ]
    with _minari_folder(folder):
        if dataset_id in minari.list_local_datasets():
            raise ValueError(
                f"there is a Minari dataset {dataset_id!r} already; choose another name or "
                f"version, or delete it with minari.delete_dataset({dataset_id!r})."
            )
        with warnings.catch_warnings(action="ignore", category=UserWarning):  # optional fields
            return minari.create_dataset_from_buffers(
                dataset_id,
                buffers,
                observation_space=Discrete(problem.n_observations),
                action_space=Discrete(problem.n_actions),
                data_format="hdf5",
                **about,
            )


def from_minari(dataset_id: str, folder: Path | str | None = None) -> Trajectories:
    """Read a local Minari dataset whose observations and actions are whole numbers.

    Raises ImportError: minari is not installed.
    Raises ValueError: no such dataset, a damaged one, or other kinds of observations or actions."""
    return concatenate([*minari_parts(dataset_id, folder, None)])


def minari_parts(
    dataset_id: str, folder: Path | str | None = None, episodes: int | None = 1000
) -> Iterator[Trajectories]:
    """Yield a local Minari dataset in parts of so many episodes (None: in one), for
    `shards.save_shards`, which has at most two in memory. Raises what `from_minari` raises."""
    dataset = _local_dataset(dataset_id, folder)
    spaces = dataset.observation_space, dataset.action_space
    if not all(isinstance(space, Discrete) for space in spaces):
        raise ValueError(
            "only whole numbers are tokens here: observations and actions must be Discrete, "
            f"but {spaces[0]} and {spaces[1]} came; number them first."
        )
    first = [int(space.start) for space in spaces]
    everything = dataset.iterate_episodes()
    with _named_damage(dataset_id):
        while part := list(islice(everything, episodes)):
            yield Trajectories.from_episodes(
                [np.asarray(episode.observations) - first[0] for episode in part],
                [np.asarray(episode.actions) - first[1] for episode in part],
                [np.asarray(episode.rewards, dtype=float) for episode in part],
                [bool(episode.terminations[-1]) for episode in part],
            )


def _local_dataset(dataset_id: str, folder: Path | str | None) -> "MinariDataset":
    minari = _minari()
    with _minari_folder(folder), _named_damage(dataset_id):
        try:
            return minari.load_dataset(dataset_id)
        except FileNotFoundError as error:
            raise ValueError(
                f"there is no local Minari dataset {dataset_id!r}; look at "
                f"`minari list local`, or fetch it with minari.download_dataset({dataset_id!r})."
            ) from error


@contextmanager
def _named_damage(dataset_id: str) -> Iterator[None]:
    try:
        yield
    except (OSError, KeyError) as error:
        raise ValueError(
            f"the Minari dataset {dataset_id!r} is damaged ({error}); create or fetch it anew."
        ) from error


def _minari():
    try:
        import minari
    except ImportError as error:
        raise ImportError(
            'Minari is not installed: python -m pip install -e ".[minari]" adds it.'
        ) from error
    return minari


@contextmanager
def _minari_folder(folder: Path | str | None) -> Iterator[None]:
    """Let Minari work in a folder for a while: it knows only an environment variable."""
    before = os.environ.get("MINARI_DATASETS_PATH")
    if folder is not None:
        os.environ["MINARI_DATASETS_PATH"] = str(folder)
    try:
        yield
    finally:
        if folder is not None:
            os.environ.pop("MINARI_DATASETS_PATH")
            if before is not None:
                os.environ["MINARI_DATASETS_PATH"] = before
