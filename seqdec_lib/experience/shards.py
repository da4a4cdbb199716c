"""Trajectories that need not fit into memory: files that are mapped, of which only what is asked
for is read.

A folder holds one `.npy` file for each part, an episode after the other, and an index with the
length of each episode. Neither needs code from a file to be run."""

import zipfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from seqdec_lib.experience.trajectories import Trajectories, concatenate
from seqdec_lib.files import written_whole

FORMAT = "seqdec_lib shards 1"
FIELDS = {"states": "iu", "actions": "iu", "rewards": "f", "terminated": "b"}  # kinds of numbers


def save_shards(parts: Iterable[Trajectories], folder: Path | str) -> "Shards":
    """Write parts of a dataset into a folder, each when it comes: at most two are in memory, the
    one that was written and the next.

    parts : of any size each, such as (collect(problem, policy, 10_000, seed=i) for i in range(9)).
    Raises ValueError: no parts, or a folder that has shards already."""
    folder = Path(folder)
    index = folder / "index.npz"
    if index.exists():
        raise ValueError(f"{folder} has shards already; choose another folder, or delete it.")
    lengths, sizes = [], []
    for part in parts:
        path = folder / f"{len(sizes):05d}.npy"
        with written_whole(path) as file:
            np.save(file, _records(part))
        sizes.append(path.stat().st_size)
        lengths.append(part.lengths.astype(np.int32))
    if not sizes:
        raise ValueError("save_shards needs at least one part, but none came.")
    counts = [len(of_part) for of_part in lengths]
    with written_whole(index) as file:  # the last to be written: without it nothing counts
        np.savez(file, format=FORMAT, lengths=np.concatenate(lengths), counts=counts, sizes=sizes)
    return Shards(folder)


def _records(data: Trajectories) -> np.ndarray:
    """An episode after the other, in whole numbers as small as they may be: (N,) records."""
    columns = {
        "states": data.states.astype(np.min_scalar_type(data.states.max())),
        "actions": data.actions.astype(np.min_scalar_type(data.actions.max())),
        "rewards": data.rewards,
        "terminated": data.terminated,
    }
    kinds = [(name, column.dtype, column.shape[1:]) for name, column in columns.items()]
    records = np.empty(len(data), dtype=kinds)
    for name, column in columns.items():
        records[name] = column
    return records


class Shards:
    """The episodes in a folder of shards; `shards[episodes]` reads these and no others.

    lengths : (N,) steps of each episode
    size : bytes of the files together
    Raises ValueError: a folder without an index; a shard that is missing, was cut off, or is none.
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        index = self._index()
        self.lengths, sizes = index["lengths"], index["sizes"]
        self.size = int(sizes.sum())
        self._ends = index["counts"].cumsum()
        self._maps = []
        for number, (count, size) in enumerate(zip(index["counts"], sizes, strict=True)):
            path = self.folder / f"{number:05d}.npy"
            came = path.stat().st_size if path.exists() else 0
            if came != size:
                raise ValueError(
                    f"{path} must have {size} bytes, but has {came}: it was cut off or exchanged; "
                    "write the shards again, or copy them whole."
                )
            mapped = self._mapped(path)
            if len(mapped) != count:
                raise ValueError(f"{path} must hold {count} episodes, but holds {len(mapped)}.")
            self._maps.append((path, mapped.dtype, mapped.offset, mapped.shape))

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, episodes: slice | np.ndarray) -> Trajectories:
        """Some of the episodes, in this order: a slice or whole numbers."""
        if isinstance(episodes, slice):
            episodes = np.arange(*episodes.indices(len(self)))
        shards = np.searchsorted(self._ends, episodes, side="right")
        found = {}  # from a shard's shape: (places in the answer, records) of each
        for shard in np.unique(shards):
            places = np.flatnonzero(shards == shard)
            path, kind, offset, shape = self._maps[shard]
            rows = episodes[places] - self._ends[shard] + shape[0]
            # Mapped anew each time: what is mapped for long counts as this program's memory.
            records = np.memmap(path, kind, "r", offset, shape)[rows]
            found.setdefault(kind["actions"].shape, []).append((places, records))
        parts, order = [], []
        for group in found.values():
            places, records = (np.concatenate(of_shards) for of_shards in zip(*group, strict=True))
            parts.append(self._trajectories(records, self.lengths[episodes[places]]))
            order.append(places)
        return concatenate(parts)[np.argsort(np.concatenate(order))]

    def _trajectories(self, records: np.ndarray, lengths: np.ndarray) -> Trajectories:
        states, actions = (records[name].astype(np.int64) for name in ("states", "actions"))
        mask = np.arange(actions.shape[1]) < lengths[:, None]
        return Trajectories(states, actions, records["rewards"], mask, records["terminated"])

    def _index(self) -> dict[str, np.ndarray]:
        path = self.folder / "index.npz"
        if not path.exists():
            raise ValueError(
                f"{self.folder} has no index.npz: save_shards writes it last, so there are no "
                "shards, or not all of them; write them again."
            )
        try:
            with np.load(path, allow_pickle=False) as file:
                content = dict(file)
        except (OSError, EOFError, ValueError, zipfile.BadZipFile) as error:
            raise ValueError(f"{path} is damaged ({error}); write the shards again.") from error
        if str(content.get("format")) != FORMAT:
            raise ValueError(f"{path} was not written by save_shards (expected {FORMAT!r}).")
        return content

    def _mapped(self, path: Path) -> np.memmap:
        try:
            mapped = np.load(path, mmap_mode="r", allow_pickle=False)
            kinds = {name: mapped.dtype[name].base.kind for name in mapped.dtype.names}
        except (ValueError, TypeError) as error:
            raise ValueError(f"{path} holds no trajectories ({error}).") from error
        if any(kinds.get(name) not in [*allowed] for name, allowed in FIELDS.items()):
            raise ValueError(f"{path} holds no trajectories of ours, but {kinds}.")
        return mapped
