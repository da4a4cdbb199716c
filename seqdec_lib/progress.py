"""What a person who waits gets to see: that something happens, and how long it may take.

In a notebook `show_cell_bars` gives each cell that takes a while a bar that fills and then goes
away; in a terminal `progress_bar` draws one. Where nobody watches (a test, nbconvert, the grader)
there is neither, so nothing of this is ever in a committed output."""

import contextvars
import html
import io
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from numbers import Real

from IPython import get_ipython
from tqdm import tqdm

from seqdec_lib.watching import someone_watches

PATIENCE = 2.0  # seconds: what ends before that needs no bar
SIDE_BY_SIDE = "display: flex; align-items: center; gap: 0.5em"
STEP = 0.5  # seconds from one picture of the bar to the next
_counters: list[tqdm] = []  # what is being counted, the innermost last
_cell_bars: list["_CellBar"] = []  # of the cell that is running


class _Nowhere(io.TextIOBase):
    """A file for a bar that is drawn by somebody else."""

    def write(self, text: str) -> int:
        return len(text)


@contextmanager
def progress_bar(title: str, total: int, done: int = 0, shown: bool = True) -> Iterator[tqdm]:
    """Count the steps of something long, for whoever watches: `bar.update()` after each.

    In a terminal this is tqdm's own bar. In a notebook the bar of the cell shows the count."""
    how = {"disable": None if shown else True}  # None: tqdm's word for "unless in a terminal"
    if hasattr(get_ipython(), "get_parent"):
        how = {"disable": not (shown and someone_watches()), "file": _Nowhere()}
    with tqdm(total=total, initial=done, desc=title, **how) as bar:
        _counters.append(bar)
        try:
            yield bar
        finally:
            _counters.remove(bar)


def show_cell_bars() -> None:
    """From the next cell on, give each cell that takes a while its bar, where a person watches.

    A cell whose metadata says `{"seqdec": {"seconds": 30}}` has it from the beginning, and it fills
    in that time; another has it after two seconds, and it shows what `progress_bar` counts."""
    if hasattr(shell := get_ipython(), "get_parent"):
        shell.events.register("pre_run_cell", _begin_cell)
        shell.events.register("post_run_cell", _end_cell)


def _begin_cell(_: object) -> None:
    if not _cell_bars and someone_watches():  # `%%capture` runs a cell in a cell
        _cell_bars.append(_CellBar(get_ipython().display_pub, _stated_seconds()))


def _end_cell(_: object) -> None:
    while _cell_bars:
        _cell_bars.pop().close()


def _stated_seconds() -> float | None:
    """What the running cell's metadata says it takes; front ends send it with the request."""
    stated = get_ipython().get_parent().get("metadata", {}).get("seqdec", {})
    seconds = stated.get("seconds") if isinstance(stated, dict) else None
    usable = isinstance(seconds, Real) and not isinstance(seconds, bool) and seconds > 0
    return float(seconds) if usable else None


class _CellBar:
    """The bar of one cell, drawn by a thread of its own because the cell is busy."""

    def __init__(self, publisher: object, seconds: float | None) -> None:
        # Of the publisher only `publish` is used. It is asked for before the cell runs, since
        # `%%capture` puts another one in its place.
        self.publisher, self.seconds = publisher, seconds
        self.began = time.monotonic()
        self.identity = {"display_id": f"bar-{uuid.uuid4().hex}"}
        self.is_shown = False
        self.is_over = threading.Event()
        # The context knows which cell is running, so that the bar appears below that one.
        run = contextvars.copy_context().run
        self.thread = threading.Thread(target=run, args=(self._draw,), daemon=True)
        self.thread.start()

    def close(self) -> None:
        """Take the bar away; afterwards nothing is drawn."""
        self.is_over.set()
        self.thread.join()
        if self.is_shown:
            self._publish({})

    def _draw(self) -> None:
        wait = PATIENCE if self.seconds is None else 0.0
        while not self.is_over.wait(wait):
            text, share = self._state()
            value = "" if share is None else f' value="{share:.3f}"'
            bar = f'<progress max="1"{value} aria-label="Progress"></progress>'
            shown = f'<div style="{SIDE_BY_SIDE}">{bar} {html.escape(text)}</div>'
            self._publish({"text/plain": text, "text/html": shown})
            wait = STEP

    def _publish(self, data: dict[str, str]) -> None:
        self.publisher.publish(data, {}, transient=self.identity, update=self.is_shown)
        self.is_shown = True

    def _state(self) -> tuple[str, float | None]:
        """What to say, and the share that is done; None where nobody can know."""
        elapsed = time.monotonic() - self.began
        if self.seconds is not None:
            text = f"{elapsed:.0f} s of about {self.seconds:.0f} s"
            return text, min(elapsed / self.seconds, 1.0)
        for bar in _counters[-1:]:
            title = (bar.desc or "").removesuffix(": ")
            return f"{title}: {bar.n:,} of {bar.total:,}, {elapsed:.0f} s", bar.n / bar.total
        return f"{elapsed:.0f} s", None
