"""One table for the whole book: what each method is worth on the tree, and what it took."""

import json
import math
import time
from collections import ChainMap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from IPython.display import Markdown

from seqdec_lib.book.records import keep, recorded, recorded_here
from seqdec_lib.validation import whole_number

NEEDS = ("model", "rewards", "expert", "preferences")
# What the keys of a board's rows begin with. Seconds stand apart, since no test compares them.
LEADERBOARD, LAP_TIMES, CPU_SECONDS = "leaderboard: ", "lap times: ", "cpu seconds: "
seconds_here: dict[str, float] = {}  # what the stopwatch measured since the chapter's start


@contextmanager
def stopwatch(method: str, runs: int = 1) -> Iterator[None]:
    """Measure the CPU seconds of what is inside: what a method's row will say that it took.

    Uses with the same name add up.

    method : as it will be called in `add_to_leaderboard` or `add_lap_time`.
    runs : repetitions that run side by side; a row tells what one of them takes."""
    runs, begin = whole_number("runs", runs, least=1), time.process_time()
    yield
    taken = (time.process_time() - begin) / runs
    seconds_here[method] = seconds_here.get(method, 0.0) + taken


def add_to_leaderboard(
    method: str,
    regret: float,
    needs: tuple[str, ...] = (),
    trajectories: int = 0,
    steps: int = 0,
    while_learning: float | None = None,
) -> None:
    """Record a method's row: its regret on the book's tree, and what it took to get there.

    regret : 0 is optimal, 1 is uniformly random (`seqdec_lib.experience.regret`).
    needs : any of "model", "rewards", "expert", "preferences".
    trajectories : logged trips that it learned from.
    steps : steps in the environment that it took itself while learning.
    while_learning : mean regret of the trips that these steps were, the price of exploring;
        None where there were none.
    Raises ValueError: a need that the leaderboard doesn't know, a regret that is not finite, counts
        that are not whole numbers."""
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
    was not measured. The other arguments, and what is raised, are as for `add_to_leaderboard`."""
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
    keep(board + method, json.dumps(row))
    if method in seconds_here:
        keep(CPU_SECONDS + method, float(f"{seconds_here[method]:.2g}"))


def leaderboard(chapter: int, folder: Path | str = ".", costs: bool = False) -> Markdown:
    """All methods so far, best first: the rows of the chapters before this one and its own.

    The earlier rows are read from the notebooks `01_*.ipynb`, `02_*.ipynb`, ... in `folder`; where
    a chapter was taken out of the book, its own rows are all there is.

    costs : show the regret while learning and the CPU seconds too."""
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

    Each is what was added, and "chapter" and, where a stopwatch ran, "cpu_seconds". Of a chapter
    that lies there twice, as a copy made in JupyterLab does, the rows count once."""
    found = []
    for number in range(1, whole_number("chapter", chapter, least=1) + 1):
        values = recorded_here
        if number < chapter:
            paths = sorted(Path(folder).glob(f"{number:02}_*.ipynb"), key=lambda p: len(p.name))
            values = ChainMap(*map(recorded, paths))
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
