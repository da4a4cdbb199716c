"""What every chapter needs: seeds, style, numbers for the prose, rows for the leaderboard."""

from __future__ import annotations

import ast
import json
import math
import numbers
import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import torch
from IPython.display import Markdown, display

from seqdec_lib.validation import whole_number

LARGEST_BUDGET = 90
RECORD_TYPE = "application/papermill.record/"
NEEDS = ("model", "rewards", "expert", "preferences")
# What the keys of a board's rows begin with. Seconds stand apart, since no test compares them.
LEADERBOARD, LAP_TIMES, CPU_SECONDS = "leaderboard: ", "lap times: ", "cpu seconds: "
_recorded_here: dict[str, float | int | bool | str] = {}
_seconds_here: dict[str, float] = {}


def start(budget: float, seed: int = 0) -> int:
    """Prepare a chapter: seeds, one torch thread, the book's figure style, no progress bars.

    Parameters
    ----------
    budget : CPU seconds that the chapter takes, at most 90; the tests hold it to twice that.
    seed : added to the environment variable SEQDEC_SEED (0 if unset), so that a whole chapter can
        be measured again with other seeds without being edited.

    Returns
    -------
    The seed, to be passed on to whatever draws random numbers of its own.

    Raises
    ------
    ValueError
        A budget outside (0, 90]; a seed or SEQDEC_SEED that is not a whole number of at least 0.
    """
    if (
        isinstance(budget, bool)
        or not isinstance(budget, numbers.Real)
        or not 0 < budget <= LARGEST_BUDGET
    ):
        raise ValueError(
            f"budget must be CPU seconds in (0, {LARGEST_BUDGET}], but {budget!r} came; "
            "make the chapter's experiments smaller if it needs more."
        )
    seed = whole_number("seed", seed, least=0) + _seed_of_environment()
    _recorded_here.clear()
    _seconds_here.clear()
    os.environ["TQDM_DISABLE"] = "1"
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    plt.style.use(str(files("seqdec_lib.book") / "seqdec.mplstyle"))
    record("cpu_budget", budget)
    return seed


def _seed_of_environment() -> int:
    text = os.environ.get("SEQDEC_SEED", "0")
    if not text.isdecimal():
        raise ValueError(
            "the environment variable SEQDEC_SEED must be a whole number of at least 0, "
            f"but {text!r} came; set for example SEQDEC_SEED=1, or unset it."
        )
    return int(text)


def record(key: str, value: float | int | bool | str) -> None:
    """Glue a value into the notebook: the prose shows it as {glue:text}`key`, the tests compare it.

    This writes what `myst_nb.glue(key, value, display=False)` writes, without loading Sphinx.

    Raises
    ------
    ValueError
        An empty key; a value that is not a finite number or a string.
    """
    if not isinstance(key, str) or not key.strip():
        raise ValueError(
            f"a record needs a name, but {key!r} came; pass for example record('my_regret', ...)."
        )
    plain = value.item() if isinstance(value, np.generic) else value
    if not isinstance(plain, (int, float, str)) or (
        isinstance(plain, float) and not math.isfinite(plain)
    ):
        raise ValueError(
            f"record({key!r}, ...) takes a finite number or a string, but {value!r} came; "
            "make a number of an array or a tensor of one element with .item()."
        )
    _recorded_here[key] = plain
    display(
        {f"{RECORD_TYPE}text/plain": repr(plain)},
        raw=True,
        metadata={"scrapbook": {"name": key, "mime_prefix": RECORD_TYPE}},
    )


def recorded(notebook: Path | str) -> dict[str, float | int | bool | str]:
    """Everything that the committed cells of a notebook recorded, by key, in order."""
    values = {}
    for cell in nbformat.read(notebook, as_version=4).cells:
        for output in cell.get("outputs", []):
            name = output.get("metadata", {}).get("scrapbook", {}).get("name")
            if name is not None:
                values[name] = ast.literal_eval(output["data"][f"{RECORD_TYPE}text/plain"])
    return values


# -- one table for the whole book


@contextmanager
def stopwatch(method: str, runs: int = 1) -> Iterator[None]:
    """Measure the CPU seconds of what is inside: what a method's row will say that it took.

    Uses with the same name add up.

    Parameters
    ----------
    method : as it will be called in `add_to_leaderboard` or `add_lap_time`.
    runs : repetitions that run side by side; a row tells what one of them takes.
    """
    runs, begin = whole_number("runs", runs, least=1), time.process_time()
    yield
    taken = (time.process_time() - begin) / runs
    _seconds_here[method] = _seconds_here.get(method, 0.0) + taken


def add_to_leaderboard(
    method: str,
    regret: float,
    needs: tuple[str, ...] = (),
    trajectories: int = 0,
    steps: int = 0,
    while_learning: float | None = None,
) -> None:
    """Record a method's row: its regret on the book's tree, and what it took to get there.

    Parameters
    ----------
    regret : 0 is optimal, 1 is uniformly random (`seqdec_lib.experience.regret`).
    needs : any of "model", "rewards", "expert", "preferences".
    trajectories : logged trips that it learned from.
    steps : steps in the environment that it took itself while learning.
    while_learning : mean regret of the trips that these steps were, the price of exploring;
        None where there were none.

    Raises
    ------
    ValueError
        A need that the leaderboard doesn't know, a regret that is not finite, counts that are not
        whole numbers.
    """
    row = {"regret": _finite("regret", method, regret)}
    if while_learning is not None:
        row["while_learning"] = _finite("while_learning", method, while_learning)
    _add_row(LEADERBOARD, method, row, needs, trajectories, steps)


def add_lap_time(
    method: str,
    lap_time: float,
    crashes: int = 0,
    needs: tuple[str, ...] = (),
    trajectories: int = 0,
    steps: int = 0,
    crashes_a_lap: float | None = None,
) -> None:
    """Record a driver's row: its expected lap time in steps, and its crashes while learning.

    `crashes_a_lap` is what the driver that was learned goes on to have, on average; None where it
    was not measured. The other arguments, and what is raised, are as for `add_to_leaderboard`.
    """
    row = {"lap_time": _finite("lap_time", method, lap_time)}
    row["crashes"] = whole_number("crashes", crashes, least=0)
    if crashes_a_lap is not None:
        row["crashes_a_lap"] = _finite("crashes_a_lap", method, crashes_a_lap)
    _add_row(LAP_TIMES, method, row, needs, trajectories, steps)


def _finite(name: str, method: str, value: float) -> float:
    if not math.isfinite(value):
        raise ValueError(f"{name} must be a finite number, but {value!r} came for {method!r}.")
    return round(float(value), 4)


def _add_row(
    board: str, method: str, row: dict, needs: tuple[str, ...], trajectories: int, steps: int
) -> None:
    if unknown := set(needs) - set(NEEDS):
        raise ValueError(f"needs must be among {NEEDS}, but {sorted(unknown)} came.")
    row = {"method": method} | row
    row |= {
        "needs": sorted(needs, key=NEEDS.index),
        "trajectories": whole_number("trajectories", trajectories, least=0),
        "steps": whole_number("steps", steps, least=0),
    }
    record(board + method, json.dumps(row))
    if method in _seconds_here:
        record(CPU_SECONDS + method, float(f"{_seconds_here[method]:.2g}"))


def leaderboard(chapter: int, folder: Path | str = ".", costs: bool = False) -> Markdown:
    """All methods so far, best first: the rows of the chapters before this one and its own.

    The earlier rows are read from the notebooks `01_*.ipynb`, `02_*.ipynb`, ... in `folder`; where
    a chapter was taken out of the book, its own rows are all there is.

    Parameters
    ----------
    costs : show the regret while learning and the CPU seconds too.
    """
    columns = {
        "Method": lambda row: row["method"],
        "Regret": lambda row: f"{row['regret']:.3f}",
        "Needs": lambda row: ", ".join(row["needs"]) or "nothing",
        "Logged trips": lambda row: f"{row['trajectories']:,}",
        "Own steps": lambda row: f"{row['steps']:,}",
    }
    if costs:
        columns["Regret while learning"] = lambda row: (
            f"{row['while_learning']:.2f}" if "while_learning" in row else ""
        )
        columns["CPU seconds"] = _seconds_of
    columns["Chapter"] = lambda row: str(row["chapter"])
    return _table(columns, sorted(rows(LEADERBOARD, chapter, folder), key=lambda r: r["regret"]))


def lap_times(chapter: int, folder: Path | str = ".") -> Markdown:
    """All drivers so far, fastest first, read as for `leaderboard`."""
    columns = {
        "Driver": lambda row: row["method"],
        "Lap time": lambda row: f"{row['lap_time']:.2f}",
        "Crashes a lap": lambda row: (
            f"{row['crashes_a_lap']:.3f}" if "crashes_a_lap" in row else ""
        ),
        "Needs": lambda row: ", ".join(row["needs"]) or "-",
        "Logged laps": lambda row: f"{row['trajectories']:,}",
        "Own steps": lambda row: f"{row['steps']:,}",
        "Crashes while learning": lambda row: f"{row['crashes']:,}",
        "CPU seconds": _seconds_of,
    }
    return _table(columns, sorted(rows(LAP_TIMES, chapter, folder), key=lambda r: r["lap_time"]))


def _seconds_of(row: dict) -> str:
    return f"{row['cpu_seconds']:.2g}" if "cpu_seconds" in row else ""


def rows(board: str, chapter: int, folder: Path | str = ".") -> list[dict]:
    """The rows of LEADERBOARD or LAP_TIMES up to a chapter, as they were recorded, in order.

    Each is what was added, and "chapter" and, where a stopwatch ran, "cpu_seconds".
    """
    found = []
    for number in range(1, whole_number("chapter", chapter, least=1) + 1):
        written = [_recorded_here]
        if number < chapter:
            written = [recorded(path) for path in sorted(Path(folder).glob(f"{number:02}_*.ipynb"))]
        for values in written:
            for key, value in values.items():
                if key.startswith(board):
                    row = json.loads(value) | {"chapter": number}
                    if (seconds := values.get(CPU_SECONDS + row["method"])) is not None:
                        row["cpu_seconds"] = seconds
                    found.append(row)
    return found


def _table(columns: dict[str, Callable[[dict], str]], rows: list[dict]) -> Markdown:
    """A Markdown table; the first column is text, and so is what a method needs."""
    texts = {next(iter(columns)), "Needs"}
    lines = [
        "| " + " | ".join(columns) + " |",
        "|" + "|".join(":--" if title in texts else "--:" for title in columns) + "|",
    ]
    lines += ["| " + " | ".join(show(row) for show in columns.values()) + " |" for row in rows]
    return Markdown("\n".join(lines))


def claim(words, condition):
    assert bool(condition), words
