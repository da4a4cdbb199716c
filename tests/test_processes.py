"""Laws of one run on several processes: it is the run of one process, and survives a killed one."""

import json
import math
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from seqdec_lib.sequences.checkpoint import load_checkpoint
from seqdec_lib.sequences.processes import placed
from tests import two_processes
from tests.two_processes import CHECKPOINT_EVERY, DIES_AT, SETTINGS, STEPS

ROOT = Path(__file__).resolve().parents[1]
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder in which two processes trained, and what they and torchrun said."""
    folder = tmp_path_factory.mktemp("two")
    here = {"PYTHONPATH": str(ROOT), "TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1"}
    ran = subprocess.run(
        [*TORCHRUN, "--max-restarts=1", two_processes.__file__, str(folder)],
        env=os.environ | here,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
    )
    assert ran.returncode == 0, ran.stdout
    return folder, ran.stdout


def told(log: tuple[Path, str], part: str) -> list[dict[str, Any]]:
    return [json.loads((log[0] / f"{part}-{rank}.json").read_text()) for rank in (0, 1)]


def apart(one: list[float], other: list[float]) -> float:
    return max(abs(a - b) for a, b in zip(one, other, strict=True))


@pytest.mark.slow
@pytest.mark.usefixtures("one_thread")
def test_two_processes_train_as_one_does(log):
    alone = two_processes.train(two_processes.transformer())
    for found in told(log, "first"):
        whole = found["whole"]
        assert apart(whole["losses"], alone["losses"]) < 1e-5
        assert apart(whole["weights"], alone["weights"]) < 1e-4
        steps, losses = zip(*whole["held_out"], strict=True)
        assert list(steps) == [step for step, _ in alone["held_out"]] == [6, 12, 18, 24]
        assert apart(losses, [loss for _, loss in alone["held_out"]]) < 1e-5
        assert whole["best_step"] == alone["best_step"]


@pytest.mark.slow
def test_both_processes_know_the_same(log):
    first, second = told(log, "first")
    for name in ("whole", "one start", "with dropout", "refused"):
        assert first[name] == second[name], name
    assert first["whole"]["watched"] == [[step, 5.0] for step in (6, 12, 18, 24)]
    assert (first["asked"], second["asked"]) == (4, 0), "only the first process is asked"


@pytest.mark.slow
@pytest.mark.usefixtures("one_thread")
def test_dropout_is_drawn_anew_by_each_process(log):
    alone = two_processes.train(two_processes.transformer(dropout=0.3))["losses"]
    together = told(log, "first")[0]["with dropout"]
    assert 1e-4 < apart(together, alone) < 0.3


@pytest.mark.slow
@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("setting", "disagree: decay is 0.0 in process 0, but 0.1 in process 1"),
        ("model", r"disagree: weights token.weight is \(7, 8\) in process 0, but \(7, 16\)"),
        ("data", "disagree: the first batch is"),
        ("small", "each of 2 processes needs a row with something to learn, but a batch of 1 rows"),
        ("kind", "a mean over its targets, but a Tensor came; train this on one process"),
    ],
)
def test_processes_that_cannot_train_together_are_told_why(log, what, says):
    for found in told(log, "first"):
        with pytest.raises(ValueError, match=says):
            raise ValueError(found["refused"][what])


@pytest.mark.slow
def test_a_killed_process_costs_nothing_before_the_last_checkpoint(log):
    folder, said = log
    assert f"exitcode: {-signal.SIGKILL}" in said, "nobody was killed"
    first, second = told(log, "second")
    assert first["life"] == second["life"] == 1
    assert first["again"] == second["again"]
    again, kept = first["again"], load_checkpoint(folder / "run.pt")
    assert again["losses"] == kept["result"]["losses"] and len(again["losses"]) == STEPS
    uninterrupted = told(log, "first")[0]["with dropout"]
    assert again["losses"] == uninterrupted, "a step was lost, or learned twice"


@pytest.mark.slow
def test_the_new_processes_go_on_from_the_last_checkpoint(log):
    survivor, killed = (
        list(map(int, (log[0] / f"steps-{rank}.txt").read_text().split())) for rank in (0, 1)
    )
    last = DIES_AT // CHECKPOINT_EVERY * CHECKPOINT_EVERY
    assert killed == [DIES_AT, STEPS - last]
    assert survivor == [STEPS - last], "it did not begin again, or not there"


def test_a_batch_follows_the_model_and_stays_what_it_is():
    batch = two_processes.DATA._replace(at=slice(None))
    moved = placed((batch, "a word", 3), torch.device("meta"))
    assert type(moved) is tuple and type(moved[0]) is type(batch) and moved[1:] == ("a word", 3)
    assert moved[0].tokens.device.type == "meta" and moved[0].at == slice(None)
    here = placed(batch, torch.device("cpu"))
    assert here.tokens is batch.tokens, "what is there already is not copied"


def test_the_rows_of_a_batch_fall_to_one_process_each():
    batch = two_processes.DATA._replace(at=torch.arange(100).reshape(50, 2))
    parts, shares = zip(*(two_processes.part_of(batch, rank, 3) for rank in range(3)), strict=True)
    assert math.isclose(sum(shares), 1)
    for i, whole in enumerate(batch):
        joined = torch.cat([part[i] for part in parts])
        order = torch.cat([torch.arange(rank, 50, 3) for rank in range(3)])
        assert torch.equal(joined, whole[order])
    shared = batch._replace(at=torch.tensor([0, 2]))
    assert two_processes.part_of(shared, 1, 3)[0].at.tolist() == [0, 2]


@pytest.mark.slow
def test_the_seed_alone_decides_what_one_process_does_under_torchrun(monkeypatch):
    """torchrun with a single process is no team."""
    alone = two_processes.train(two_processes.transformer(), steps=2)
    for name, value in {"TORCHELASTIC_RUN_ID": "x", "WORLD_SIZE": "1", "RANK": "0"}.items():
        monkeypatch.setenv(name, value)
    assert two_processes.train(two_processes.transformer(), steps=2) == alone


def test_a_run_that_could_not_come_back_is_warned_of(monkeypatch):
    def no_group(backend: str) -> None:
        raise ConnectionError(backend)

    monkeypatch.setattr(torch.distributed, "init_process_group", no_group)
    names = {"RUN_ID": "x", "MAX_RESTARTS": "3", "USE_AGENT_STORE": "True"}
    for name, value in names.items():
        monkeypatch.setenv(f"TORCHELASTIC_{name}", value)
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.warns(UserWarning, match="would not come back"):
        with pytest.raises(ConnectionError, match="gloo"):
            two_processes.train(nn.Linear(2, 2), steps=1, **{"seed": SETTINGS["seed"]})
