"""Laws of data on disk: what is drawn is what would have been drawn from memory, and no more is
read."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from seqdec_lib.experience import Shards, Trajectories, collect, concatenate, save_shards
from seqdec_lib.experience.storage import ARRAYS
from seqdec_lib.problems import KeyToDoor, ShortestPath, TravelTree
from seqdec_lib.sequences import TokenLayout, minibatches, shard_minibatches
from tests.small_models import few

WALKS = ShortestPath()
PARTS = [collect(WALKS, None, count, seed) for seed, count in enumerate((30, 1, 12))]
WHOLE = concatenate(PARTS)


def same(one: Trajectories, other: Trajectories) -> bool:
    """Whether two datasets are one, but for padding at the end."""
    both = concatenate([one, other])
    halves = both[: len(one)], both[len(one) :]
    return all(np.array_equal(*(getattr(half, name) for half in halves)) for name in ARRAYS)


@pytest.fixture(scope="module")
def shards(tmp_path_factory) -> Shards:
    return save_shards(iter(PARTS), tmp_path_factory.mktemp("shards") / "deep")


def test_shards_give_back_what_was_saved(shards):
    assert len(shards) == 43 and same(shards[:], WHOLE) and same(shards[3:40:5], WHOLE[3:40:5])
    assert same(Shards(str(shards.folder))[-4:], WHOLE[-4:])
    assert np.array_equal(shards.lengths, WHOLE.lengths)
    assert shards.size == sum(path.stat().st_size for path in shards.folder.glob("*.npy"))
    in_memory = sum(getattr(WHOLE, name).nbytes for name in ARRAYS)
    assert shards.size < in_memory, "whole numbers take no more room than they need"


@few
@given(st.lists(st.integers(0, 42), min_size=1, max_size=60))
def test_any_episodes_come_in_the_order_asked_for(shards, episodes):
    assert same(shards[np.array(episodes)], WHOLE[np.array(episodes)])


def test_shards_whose_numbers_take_different_room_are_read_together(tmp_path):
    large = collect(TravelTree(), None, 20, 0)
    small = replace(large, states=large.states % 200)
    shards = save_shards([large, small, large], tmp_path)
    assert len({path.stat().st_size for path in tmp_path.glob("*.npy")}) == 2
    assert same(shards[:], concatenate([large, small, large]))


@pytest.mark.parametrize("goal", [None, "return", "return_to_go"])
@pytest.mark.parametrize("context", [1, 3, None])
def test_batches_from_disk_are_those_from_memory(shards, goal, context):
    layout = TokenLayout.of(WALKS, WHOLE, goal, rewards=True, context=context)
    from_memory = minibatches(layout.encode(WHOLE), 16)
    from_disk = shard_minibatches(shards, layout, 16)
    generators = [torch.Generator().manual_seed(5) for _ in range(2)]
    for _ in range(20):
        one, other = from_memory(generators[0]), from_disk(generators[1])
        assert torch.equal(one.tokens, other.tokens) and torch.equal(one.targets, other.targets)
        assert torch.equal(one.at, other.at) and one.mask is other.mask is None


def test_a_layout_can_come_from_a_part_of_the_data(tmp_path):
    tree = TravelTree(horizon=3)
    shards = save_shards((collect(tree, None, 50, seed) for seed in range(4)), tmp_path)
    layout = TokenLayout.of(tree, shards[:60], "return_to_go")
    batch = shard_minibatches(shards, layout, 200)(torch.Generator().manual_seed(0))
    assert batch.tokens.max() < layout.vocabulary and len(batch.tokens) == 200


def test_windows_are_found_in_many_blocks(tmp_path):
    data = collect(KeyToDoor(), None, 2000, seed=3)
    layout = TokenLayout.of(KeyToDoor(), data, context=17)
    from_disk = shard_minibatches(save_shards([data], tmp_path), layout, 500)
    draws = minibatches(layout.encode(data), 500), from_disk
    batches = [draw(torch.Generator().manual_seed(8)) for draw in draws]
    assert torch.equal(batches[0].tokens, batches[1].tokens)


PROGRAM = """
import sys, torch
from pathlib import Path
from seqdec_lib.experience import Shards
from seqdec_lib.problems import KeyToDoor
from seqdec_lib.sequences import TokenLayout, shard_minibatches

def peak():  # not getrusage, which begins with the peak of the process that started this one
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) * 1024

shards = Shards(sys.argv[1])
layout = TokenLayout.of(KeyToDoor(), shards[:100], "return_to_go")
draw, generator = shard_minibatches(shards, layout, 64), torch.Generator().manual_seed(0)
draw(generator)
before = peak()
seen = sum(len(draw(generator).tokens) for _ in range(500))
assert seen == 32_000
print((peak() - before) / shards.size)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="measures memory as Linux does")
def test_drawing_needs_a_small_part_of_the_datasets_size_in_memory(tmp_path):
    part = collect(KeyToDoor(), None, 50_000, seed=0)
    shards = save_shards((part for _ in range(6)), tmp_path)
    assert shards.size > 32e6
    ran = [sys.executable, "-c", PROGRAM, str(tmp_path)]
    root = Path(__file__).resolve().parents[1]
    grown = float(subprocess.run(ran, cwd=root, capture_output=True, check=True, text=True).stdout)
    assert grown < 0.25


# -- what was cut off, or is none


def fresh(folder: Path) -> Path:
    save_shards(PARTS, folder)
    return folder


def test_shards_that_were_cut_off_are_named(tmp_path):
    folder = fresh(tmp_path / "a")
    shard, index = folder / "00002.npy", folder / "index.npz"
    content = shard.read_bytes()
    for cut in (content[:-1], content[:100], b"", content + b"x"):
        shard.write_bytes(cut)
        with pytest.raises(ValueError, match=f"00002.npy must have {len(content)} bytes, but has"):
            Shards(folder)
    shard.unlink()
    with pytest.raises(ValueError, match="but has 0"):
        Shards(folder)
    shard.write_bytes(content)
    assert len(Shards(folder)) == 43
    whole = index.read_bytes()
    for damaged in (b"", whole[:80], whole[:-30]):
        index.write_bytes(damaged)
        with pytest.raises(ValueError, match="index.npz is damaged"):
            Shards(folder)
    index.unlink()
    with pytest.raises(ValueError, match="no index.npz: save_shards writes it last"):
        Shards(folder)


def test_a_writing_that_breaks_off_leaves_no_dataset(tmp_path):
    def parts():
        yield PARTS[0]
        raise ConnectionError

    with pytest.raises(ConnectionError):
        save_shards(parts(), tmp_path)
    with pytest.raises(ValueError, match="not all of them"):
        Shards(tmp_path)
    assert len(save_shards(PARTS, tmp_path)) == 43, "what is left is no hindrance"


def test_foreign_files_are_named(tmp_path):
    folder = fresh(tmp_path / "a")
    shard, size = folder / "00001.npy", (folder / "00001.npy").stat().st_size
    shard.write_bytes(b"x" * size)
    with pytest.raises(ValueError, match="holds no trajectories"):
        Shards(folder)
    np.save(shard, np.zeros(10_000, dtype=np.uint8))
    shard.write_bytes(shard.read_bytes()[:size])
    with pytest.raises(ValueError, match="holds no trajectories"):
        Shards(folder)
    np.savez(folder / "index.npz", format="another", lengths=[1])
    with pytest.raises(ValueError, match="not written by save_shards"):
        Shards(folder)


def test_what_cannot_be_written_is_named(tmp_path):
    with pytest.raises(ValueError, match="at least one part"):
        save_shards([], tmp_path)
    folder = fresh(tmp_path / "a")
    with pytest.raises(ValueError, match="has shards already"):
        save_shards(PARTS, folder)
    layout = TokenLayout.of(WALKS, WHOLE)
    with pytest.raises(ValueError, match="size must be"):
        shard_minibatches(Shards(folder), layout, 0)
    other = save_shards([collect(TravelTree(horizon=6), None, 50, 0)], tmp_path / "tree")
    with pytest.raises(ValueError, match="another problem"):
        shard_minibatches(other, layout, 50)(torch.Generator().manual_seed(0))
