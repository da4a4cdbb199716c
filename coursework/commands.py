"""nbgrader's commands, each in a process of its own that has imported nbgrader already.

To import it takes three CPU seconds, more than most commands. So a process that does nothing else
(Python's fork server) imports it once, and each command is forked from it; where there is no fork,
on Windows, each command imports it for itself.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from pathlib import Path

FORKS = "forkserver" in multiprocessing.get_all_start_methods()
PROCESSES = multiprocessing.get_context("forkserver" if FORKS else "spawn")
IMPORTED = ("feedback", "points", "release", "restore", "run")
if FORKS:
    PROCESSES.set_forkserver_preload(
        ["nbgrader.apps.nbgraderapp", *(f"coursework.grading.{name}" for name in IMPORTED)]
    )


def run(arguments: list[str], folder: Path, environment: dict[str, str], log: Path) -> int:
    """Run a command of nbgrader in a folder, and return its exit code.

    Parameters
    ----------
    environment : the whole environment of the command
    log : the file that gets what the command says
    """
    log.parent.mkdir(exist_ok=True)
    log.write_bytes(b"")
    process = PROCESSES.Process(target=_take, args=(arguments, folder, environment, log))
    process.start()
    process.join()
    return process.exitcode


def _take(arguments: list[str], folder: Path, environment: dict[str, str], log: Path) -> None:
    with log.open("wb") as file:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
            os.dup2(file.fileno(), stream.fileno())
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    from nbgrader.apps.nbgraderapp import NbGraderApp

    NbGraderApp.launch_instance(arguments)
