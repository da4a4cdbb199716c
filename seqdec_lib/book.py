"""What every chapter needs: seeds, style, numbers for the prose, rows for the leaderboard."""

from __future__ import annotations

import ast
import json
import math
import numbers
import os
import random
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
LEADERBOARD_KEY = "leaderboard: "
NEEDS = ("model", "rewards", "expert")
_rows_of_this_chapter: dict[str, dict] = {}


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
    _rows_of_this_chapter.clear()
    os.environ["TQDM_DISABLE"] = "1"
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    plt.style.use(str(files("seqdec_lib") / "seqdec.mplstyle"))
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


def add_to_leaderboard(
    method: str, regret: float, needs: tuple[str, ...] = (), trajectories: int = 0, steps: int = 0
) -> None:
    """Record a method's row: its regret on the book's tree, and what it took to get there.

    Parameters
    ----------
    regret : 0 is optimal, 1 is uniformly random (`seqdec_lib.evaluation.regret`).
    needs : any of "model", "rewards", "expert".
    trajectories : logged trips that it learned from.
    steps : steps in the environment that it took itself while learning.

    Raises
    ------
    ValueError
        A need that the leaderboard doesn't know, a regret that is not finite, counts that are not
        whole numbers.
    """
    unknown = set(needs) - set(NEEDS)
    if unknown:
        raise ValueError(f"needs must be among {NEEDS}, but {sorted(unknown)} came.")
    if not math.isfinite(regret):
        raise ValueError(f"regret must be a finite number, but {regret!r} came for {method!r}.")
    row = {"method": method, "regret": round(float(regret), 4)}
    row |= {
        "needs": sorted(needs, key=NEEDS.index),
        "trajectories": whole_number("trajectories", trajectories, least=0),
        "steps": whole_number("steps", steps, least=0),
    }
    record(LEADERBOARD_KEY + method, json.dumps(row))
    _rows_of_this_chapter[method] = row


def leaderboard(chapter: int, folder: Path | str = ".") -> Markdown:
    """All methods so far, best first: the rows of the chapters before this one and its own.

    The earlier rows are read from the notebooks `01_*.ipynb`, `02_*.ipynb`, ... in `folder`; where
    a chapter was taken out of the book, its own rows are all there is.
    """
    rows = []
    for number in range(1, whole_number("chapter", chapter, least=1)):
        for notebook in Path(folder).glob(f"{number:02}_*.ipynb"):
            written = recorded(notebook)
            rows += [
                json.loads(v) | {"chapter": number}
                for k, v in written.items()
                if k.startswith(LEADERBOARD_KEY)
            ]
    rows += [row | {"chapter": chapter} for row in _rows_of_this_chapter.values()]
    lines = [
        "| Method | Regret | Needs | Logged trips | Own steps | Chapter |",
        "|:--|--:|:--|--:|--:|--:|",
    ]
    for row in sorted(rows, key=lambda row: row["regret"]):
        needs = ", ".join(row["needs"]) or "nothing"
        counts = f"{row['trajectories']:,} | {row['steps']:,}"
        lines.append(
            f"| {row['method']} | {row['regret']:.3f} | {needs} | {counts} | {row['chapter']} |"
        )
    return Markdown("\n".join(lines))
