"""Appendix B: a dataset of 4 GiB on disk, and the memory of a process that trains on it.

Random episodes of the corridor are collected into shards until they take 4 GiB (in the system's
folder for temporary files, and they are deleted again). A process of its own then trains the book's
Decision Transformer on batches from the shards. "peak" is the largest memory of that process, all
included: Python, PyTorch, the index and whatever of the files was mapped; "over dataset" is its
share of the dataset. "before" is what it was when the shards had not been opened yet, but on Linux
not less than the largest memory of the process that had written them. Both are in bytes."""

import json
import subprocess
import sys
import tempfile
from itertools import count
from pathlib import Path

from seqdec_lib.experience import collect, save_shards
from seqdec_lib.problems import KeyToDoor

SEEDS = (0,)
CASES = ("4 GiB",)
AGREEMENT = 0.3  # memory differs between systems
ROOT = Path(__file__).resolve().parents[2]
SIZE, PART, STEPS = 2**32, 250_000, 500
TRAIN = """
import json, resource, sys, torch
from seqdec_lib.experience import Shards
from seqdec_lib.problems import KeyToDoor
from seqdec_lib.sequences import TokenLayout, fit, shard_minibatches

torch.set_num_threads(1)
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
found = {"before": peak()}
shards = Shards(sys.argv[1])
layout = TokenLayout.of(KeyToDoor(), shards[:1000], "return_to_go")
torch.manual_seed(0)
run = fit(layout.transformer(), shard_minibatches(shards, layout, 64), int(sys.argv[2]))
found |= {"peak": peak(), "size": shards.size, "episodes": len(shards)}
print(json.dumps(found | {"first loss": run.losses[0], "last loss": run.losses[-1]}))
"""


def run(case: str, seed: int) -> dict[str, float]:
    """Bytes, and losses that show that something was learned."""
    with tempfile.TemporaryDirectory() as folder:
        save_shards(parts(seed), folder)
        program = [sys.executable, "-c", TRAIN, folder, str(STEPS)]
        ran = subprocess.run(program, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    found = json.loads(ran.stdout)
    return found | {"over dataset": found["peak"] / found["size"]}


def parts(seed: int):
    """Episodes until they take SIZE bytes on disk: 18 steps of 10 bytes, and two more."""
    episodes = 0
    for number in count(1000 * seed):
        if episodes * 182 >= SIZE:
            return
        yield collect(KeyToDoor(), None, PART, number)
        episodes += PART
