"""Appendix B: the time of a step alone, with two threads and in two processes.

The same program trains the book's Decision Transformer, a narrow and a wide one, on 64 rows in
memory: in one process with one thread, in one with two threads, and in two processes with one
thread each, in turn, `ROUNDS` times. Of each run we take the median step of process 0, and of these
medians the shortest, since other programs can only make a step longer. It is the time on the clock,
in milliseconds. The machine needs two cores, and should do nothing else."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

SEEDS = (0,)
CASES = ("two cores",)
AGREEMENT = 1.0  # another machine has other times
ROOT = Path(__file__).resolve().parents[2]
WIDTHS, ROUNDS, STEPS = (64, 256), 5, 12
TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")
WAYS = {"one": ((), 1), "two threads": ((), 2), "two": (TORCHRUN, 1)}  # launcher and threads
TRAIN = """
import os, sys, time
import numpy as np, torch
from seqdec_lib.experience import collect
from seqdec_lib.problems import KeyToDoor
from seqdec_lib.sequences import TokenLayout, fit, minibatches

width, steps, seed, threads = map(int, sys.argv[1:])
torch.set_num_threads(threads)
torch.manual_seed(seed)
data, begins = collect(KeyToDoor(), None, 5_000, seed), []
layout = TokenLayout.of(KeyToDoor(), data, "return_to_go")
batches = minibatches(layout.encode(data), 64)

def draw(generator):
    begins.append(time.perf_counter())
    return batches(generator)

fit(layout.transformer(width=width), draw, steps)
if os.environ.get("RANK", "0") == "0":
    print(1000 * np.median(np.diff(begins)))
"""


def run(case: str, seed: int) -> dict[str, float]:
    """Milliseconds of a step, by width and by way."""
    shortest: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "train.py"
        program.write_text(TRAIN)
        for _ in range(ROUNDS):
            for width in WIDTHS:
                for name, (launch, threads) in WAYS.items():
                    took = milliseconds(*launch, program, width, STEPS, seed, threads)
                    key = f"width {width}, {name}"
                    shortest[key] = min(took, shortest.get(key, took))
    return shortest


def milliseconds(*command: str | Path | int) -> float:
    """What a program prints last."""
    variables = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    program = [sys.executable, *map(str, command)]
    ran = subprocess.run(program, env=variables, capture_output=True, text=True, check=True)
    return float(ran.stdout.splitlines()[-1])
