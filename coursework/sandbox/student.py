"""A student's notebook in a sandbox: cells are run, names looked up, functions called inside.

When a cell or a call ends the sandbox, a new one runs the cells again that went well, so that a
mistake in one problem costs nothing in another. A cell may end it late, when others run: it shows
when the cells run again, each with a moment of its own, and is left out.
"""

from __future__ import annotations

import ast
import contextlib
import time
from dataclasses import dataclass

from nbformat import NotebookNode
from nbformat.v4 import new_output

from coursework.sandbox import wire
from coursework.sandbox.box import Limits
from coursework.sandbox.kernel import PATIENCE, Kernel, Run, dropped
from coursework.words import counted

LARGEST_OUTPUTS = 20_000_000  # characters that all cells may leave
SETTLES = 0.2  # seconds in which a cell that ran again may end the sandbox


@dataclass(frozen=True)
class Times:
    """CPU seconds that a submission may take: a cell, a call of a function, and all in all.

    What waits instead of working, or runs on a busy machine, has `kernel.PATIENCE` times as many
    seconds on the clock.
    """

    cell: float = 60
    call: float = 30
    all: float = 300

    @property
    def for_tests(self) -> float:
        """What of `all` the cells can't use up, so that a test finds some left."""
        return self.all / 3


@dataclass
class Ran:
    """A cell that went well, and its outputs; more come where it turns out that it did not."""

    source: str
    outputs: list[NotebookNode]


class Student:
    """A student's notebook that is being run."""

    def __init__(self, limits: Limits, times: Times, unsafe: bool = False) -> None:
        self._limits, self._times, self._unsafe = limits, times, unsafe
        self._went_well: list[Ran] = []
        self._kernel: Kernel | None = None
        self._deadline = time.monotonic() + PATIENCE * times.all
        self._spent = 0.0  # CPU seconds, of sandboxes that have ended
        self._room = LARGEST_OUTPUTS

    def run(self, source: str) -> list[NotebookNode]:
        """Run a cell; its outputs end with an error that says so where it was stopped.

        The list grows by that error if a later cell shows that it was this one's doing.
        """
        run = self._run(source, self._times.cell)
        while run.stopped is not None and self._another_ended_it():
            run = self._run(source, self._times.cell)
        self._room -= sum(len(str(output)) for output in run.outputs)
        outputs = run.outputs if self._room >= 0 else [dropped()] * bool(run.outputs)
        if run.stopped is None:
            self._went_well.append(Ran(source, outputs))
            return outputs
        return [*outputs, stopped(run.stopped)]

    def look(self, name: str) -> object:
        """The value that the notebook has under a name, or a function that is called inside.

        Raises
        ------
        KeyError
            There is no such name.
        coursework.sandbox.wire.NoAnswer
            It is no plain value.
        """
        kind, content = wire.answer(self._ask(f"look({name!r})"))
        if kind == "missing":
            raise KeyError(name)
        return Function(self, name) if kind == "function" else content

    def call(self, name: str, *args: object, **kwargs: object) -> object:
        """What a function of the notebook returns; what it raises is raised."""
        return wire.answer(self._ask(f"call({name!r}, {wire.arguments(args, kwargs)!r})"))[1]

    def end(self) -> None:
        """End the sandbox."""
        if self._kernel is not None:
            self._spent += self._kernel.box.cpu_seconds
            self._kernel.end()
            self._kernel = None

    def _ask(self, expression: str) -> str:
        expression = f"__import__('answers').{expression}"
        run = self._run("", self._times.call, {"answer": expression})
        if run.stopped is not None:
            raise wire.NoAnswer(run.stopped)
        try:
            return str(ast.literal_eval(run.expressions["answer"]))
        except (KeyError, ValueError, SyntaxError, MemoryError, RecursionError):
            raise wire.NoAnswer("nothing came back that can be read.") from None

    def _run(self, source: str, seconds: float, expressions: dict | None = None) -> Run:
        try:
            self._start_again()
        except RuntimeError as error:
            return Run(stopped=f"Not run: {error}")
        if self._left() <= 0:
            self.end()
        kept = self._times.for_tests if expressions is None else 0
        if self._left() <= kept:
            return Run(
                stopped=f"Not run: the time of {counted(self._times.all - kept, 'second')} is over."
            )
        return self._kernel.run(source, min(seconds, self._left() - kept), expressions)

    def _left(self) -> float:
        """CPU seconds that are left, fewer where the clock has gone too far."""
        spent = self._kernel.box.cpu_seconds if self._kernel is not None else 0
        by_the_clock = (self._deadline - time.monotonic()) / PATIENCE
        return min(self._times.all - self._spent - spent, by_the_clock)

    def _start_again(self) -> None:
        """Have a kernel that has run every cell that went well, and find those that did not."""
        while not self._running() and self._left() > 0:
            self.end()
            self._kernel = Kernel(self._limits, self._deadline, self._unsafe)
            for ran in list(self._went_well):
                run = self._kernel.run(ran.source, min(self._times.cell, self._left()))
                reason = run.stopped or self._trouble_after_a_moment()
                if self._left() <= 0:
                    return  # that is the reason, and no cell's doing
                if reason is not None:
                    self._went_well.remove(ran)
                    ran.outputs.append(stopped(f"It ended the sandbox, late: {reason}"))
                    self.end()
                    break

    def _running(self) -> bool:
        return self._kernel is not None and self._kernel.running

    def _trouble_after_a_moment(self) -> str | None:
        """What is wrong with the kernel a moment after a cell, or None."""
        time.sleep(SETTLES)
        return self._kernel.run("", self._times.call, {}).stopped

    def _another_ended_it(self) -> bool:
        """Whether an earlier cell ends the sandbox, now that it is gone and they run again."""
        before = len(self._went_well)
        with contextlib.suppress(RuntimeError):
            self._start_again()
        return len(self._went_well) < before


class Function:
    """A student's function, seen from outside: a call is carried out inside."""

    def __init__(self, student: Student, name: str) -> None:
        self._student, self.__name__ = student, name

    def __call__(self, *args: object, **kwargs: object) -> object:
        """Call it; see `Student.call`."""
        return self._student.call(self.__name__, *args, **kwargs)


def stopped(reason: str) -> NotebookNode:
    """The output of a cell that was stopped."""
    return new_output("error", ename="Stopped", evalue=reason, traceback=[reason])
