"""A chapter's first line: seeds, one thread, the look of its figures, and its budget."""

import numbers
import os
import random
from importlib.resources import files
from io import StringIO

import matplotlib.pyplot as plt
import matplotlib_inline.backend_inline  # noqa: F401 - sets the formats of figures, once
import numpy as np
import torch
from IPython import get_ipython
from matplotlib.figure import Figure

from seqdec_lib.book.boards import seconds_here
from seqdec_lib.book.records import record, recorded_here
from seqdec_lib.progress import show_cell_bars
from seqdec_lib.validation import whole_number

LARGEST_BUDGET = 90


def start(budget: float, seed: int = 0) -> int:
    """Prepare a chapter: seeds, one torch thread, the book's figure style, nothing recorded.

    Where a person watches, each later cell that takes a while shows a bar until it is done.

    budget : CPU seconds that the chapter takes, at most 90; the tests hold it to twice that.
    seed : added to the environment variable SEQDEC_SEED (0 if unset), so that a whole chapter can
        be measured again with other seeds without being edited.

    Returns the seed, to be passed on to whatever draws random numbers of its own.
    Raises ValueError: a budget outside (0, 90]; a seed or SEQDEC_SEED that is not a whole number of
        at least 0."""
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
    recorded_here.clear()
    seconds_here.clear()
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    show_cell_bars()
    plt.style.use(str(files("seqdec_lib.book") / "seqdec.mplstyle"))
    if shell := get_ipython():
        shell.display_formatter.formatters["image/svg+xml"].for_type(Figure, _as_lines)
    record("cpu_budget", budget)
    return seed


def _as_lines(figure: Figure) -> str:
    """The figure as SVG, laid out once: the PNG that Jupyter draws after it is the same drawing."""
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    text = StringIO()
    figure.savefig(text, format="svg", bbox_inches="tight", metadata={"Date": None})
    return text.getvalue()


def _seed_of_environment() -> int:
    text = os.environ.get("SEQDEC_SEED", "0")
    if not text.isdecimal():
        raise ValueError(
            "the environment variable SEQDEC_SEED must be a whole number of at least 0, "
            f"but {text!r} came; set for example SEQDEC_SEED=1, or unset it."
        )
    return int(text)
