"""What appendix B says of clusters: its launchers start the page's own program, no other one."""

import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
from functools import cache
from pathlib import Path

import nbformat
import numpy as np
import pytest
import torch
import yaml

from seqdec_lib.sequences import Batch, Transformer, fit

PAGE = Path(__file__).resolve().parents[1] / "chapters" / "B_more_than_one_machine.ipynb"
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
VARIABLE = "TORCH_DISABLE_SHARE_RDZV_TCP_STORE"


@cache
def page() -> nbformat.NotebookNode:
    return nbformat.read(PAGE, as_version=4)


def blocks(language: str) -> list[str]:
    """The blocks of code in the page's prose."""
    prose = [cell.source for cell in page().cells if cell.cell_type == "markdown"]
    return [code for text in prose for kind, code in FENCE.findall(text) if kind == language]


def job() -> dict:
    """The job for Kubernetes."""
    (text,) = blocks("yaml")
    return yaml.safe_load(text)


def worker() -> dict:
    return job()["spec"]["pytorchReplicaSpecs"]["Worker"]


def after_the_launcher(words: list[str]) -> list[str]:
    """The program and its arguments, which follow torchrun and its options."""
    words = words[words.index("torchrun") + 1 :]
    return words[next(i for i, word in enumerate(words) if not word.startswith("--")) :]


def commands() -> dict[str, list[str]]:
    """What each launcher starts."""
    scripts = [text.replace("\\\n", " ") for text in blocks("bash")]
    found = {}
    for script in scripts:
        (line,) = [line for line in script.splitlines() if "torchrun" in line]
        found["Slurm" if "srun" in line else "terminal"] = shlex.split(line)
    (container,) = worker()["template"]["spec"]["containers"]
    return found | {"Kubernetes": container["command"]}


def test_all_launchers_start_the_same_program() -> None:
    assert commands().keys() == {"terminal", "Slurm", "Kubernetes"}
    started = {name: after_the_launcher(words) for name, words in commands().items()}
    assert set(map(tuple, started.values())) == {("train.py", "large", "two.pt")}, started


def test_the_page_itself_starts_it_so() -> None:
    """The page runs the program through `accident.py`, which hands on what follows it."""
    source = "\n".join(cell.source for cell in page().cells if cell.cell_type == "code")
    assert 'folder / "accident.py", folder / "large", "two.pt"' in source
    assert "write_text(TRAIN)" in source and 'parent / "train.py"' in source
    started = set(re.findall(r'"(--\w[^"]*)"', source))
    terminal = commands()["terminal"]
    assert started >= set(terminal[1 : terminal.index("train.py")])


@pytest.mark.slow
def test_two_launchers_meet_with_the_options_of_the_slurm_file(tmp_path: Path) -> None:
    """Both on this machine, with two processes each."""
    program = tmp_path / "ranks.py"
    program.write_text("import os\nprint(f\"<{os.environ['RANK']}>\", end='')\n")
    words = commands()["Slurm"]
    options = [word for word in words[words.index("torchrun") + 1 :] if word.startswith("--")]
    with socket.socket() as free:
        free.bind(("localhost", 0))
        place = f"localhost:{free.getsockname()[1]}"
    known = {"$SLURM_JOB_ID": "7", "$head:$port": place, "node=4": "node=2"}
    for name, value in known.items():
        options = [option.replace(name, value) for option in options]
    command = [sys.executable, "-m", "torch.distributed.run", *options, str(program)]
    settings = {"env": os.environ | {VARIABLE: "1"}, "stdout": subprocess.PIPE, "text": True}
    both = [subprocess.Popen(command, **settings) for _ in range(2)]
    try:
        said = "".join(launcher.communicate(timeout=240)[0] for launcher in both)
    finally:
        for launcher in both:
            launcher.kill()
    assert sorted(said.replace(">", "").split("<")) == ["", "0", "1", "2", "3"]


def test_every_launcher_lets_processes_come_back() -> None:
    for script in blocks("bash"):
        assert f"export {VARIABLE}=1\n" in script and "--max-restarts=3" in script
    (container,) = worker()["template"]["spec"]["containers"]
    assert {"name": VARIABLE, "value": "1"} in container["env"]
    assert job()["spec"]["elasticPolicy"]["maxRestarts"] == 3


def test_the_job_is_one_that_the_operator_knows() -> None:
    assert (job()["apiVersion"], job()["kind"]) == ("kubeflow.org/v1", "PyTorchJob")
    policy, replicas = job()["spec"]["elasticPolicy"], worker()["replicas"]
    assert policy["minReplicas"] <= replicas <= policy["maxReplicas"]
    spec = worker()["template"]["spec"]
    volumes = {volume["name"] for volume in spec["volumes"]}
    (container,) = spec["containers"]
    assert {mount["name"] for mount in container["volumeMounts"]} == volumes
    gpus = container["resources"]["limits"]["nvidia.com/gpu"]
    assert job()["spec"]["nprocPerNode"] == str(gpus), "a process for each GPU"


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash on this machine")
@pytest.mark.parametrize("number", range(2))
def test_the_scripts_are_bash(number: int) -> None:
    done = subprocess.run(["bash", "-n"], input=blocks("bash")[number], text=True)
    assert done.returncode == 0


def test_slurm_is_asked_for_what_torchrun_is_told() -> None:
    (script,) = [text for text in blocks("bash") if "sbatch" in text.lower()]
    asked = dict(re.findall(r"^#SBATCH --([\w-]+)=(\S+)$", script, re.MULTILINE))
    told = dict(re.findall(r"--(nnodes|nproc-per-node)=(\d+)", script))
    assert asked["nodes"] == told["nnodes"] and asked["ntasks-per-node"] == "1"
    assert asked["gpus-per-node"] == told["nproc-per-node"]


@pytest.mark.slow
def test_the_forecast_of_the_solution_can_be_made() -> None:
    """With smaller runs than there, and in the functions of the page."""
    cells = {cell.id: cell.source for cell in page().cells}
    (solution,) = re.findall(
        r"\{solution\} exB-forecast.*?```python\n(.*?)```", cells["sB-summary"], re.DOTALL
    )
    names = {"np": np, "time": time, "torch": torch, "fit": fit}
    names |= {"Batch": Batch, "Transformer": Transformer}
    smaller = {'"width": 160': '"width": 32', '"context": 96': '"context": 8'}
    for theirs, ours in smaller.items():
        assert theirs in solution
        solution = solution.replace(theirs, ours)
    for source in (cells["sB-speed-def"], cells["sB-measure"], solution):
        exec(source, names)
    assert min(names["at_one_price"], names["large_step"]) > 0
