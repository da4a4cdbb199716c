"""Run a submission in a sandbox, and the tests outside of it."""

from __future__ import annotations

import ast
import builtins
import contextlib
import io
import os
import random
import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import nbformat
import numpy as np
from nbconvert.exporters.exporter import ResourcesDict
from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader import utils
from nbgrader.preprocessors import NbGraderPreprocessor
from seqdec_lib.checks.workshop import Partly
from traitlets import Bool, Float, Integer, Unicode

from coursework.grading.done import BROKEN, is_test
from coursework.grading.reading import harmless, writable
from coursework.grading.restore import functions
from coursework.sandbox.box import Limits, join, trouble
from coursework.sandbox.forks import NoSandbox
from coursework.sandbox.student import Student, Times
from coursework.sandbox.wire import NoAnswer, is_students

OWN_ERROR = "The hidden test ended with an error of its own, and waits to be mended"


class RunInSandbox(NbGraderPreprocessor):
    """Takes the place of nbgrader's Execute.

    First all cells but the tests run in a sandbox, in which nothing of the tests ever is. Then
    the tests run here. A name that a test does not define itself stands for what the student's
    notebook defined: its value, as plain data, or a function whose calls are carried out in the
    sandbox. So a mark depends on nothing but the values that the student's functions return.
    """

    unsafe = Bool(False, help="run submissions without a sandbox").tag(config=True)
    warm = Unicode(
        "", help="where a warm process listens, of a program that has tried the sandbox already"
    ).tag(config=True)
    term = Integer(0, help="the number of the term, from which all hidden cases follow").tag(
        config=True
    )
    cell_seconds = Float(60, help="CPU seconds that a cell may take").tag(config=True)
    call_seconds = Float(30, help="CPU seconds that a call in a test may take").tag(config=True)
    all_seconds = Float(
        300, help="CPU seconds that a submission may take; its cells leave a third to the tests"
    ).tag(config=True)
    memory = Integer(2_000_000_000, help="bytes of memory").tag(config=True)
    disk = Integer(100_000_000, help="bytes of files").tag(config=True)
    processes = Integer(64, help="processes and threads").tag(config=True)

    def preprocess(
        self, nb: NotebookNode, resources: ResourcesDict
    ) -> tuple[NotebookNode, ResourcesDict]:
        """Run the notebook; each cell gets its outputs, and the first cell says what went wrong."""
        if self.warm:
            join(self.warm)
        elif not self.unsafe and trouble() is not None:
            raise NoSandbox(trouble())
        tests = [cell for cell in nb.cells if is_test(cell)]
        own = [cell for cell in nb.cells if cell.cell_type == "code" and not is_test(cell)]
        limits = Limits(memory=self.memory, disk=self.disk, processes=self.processes)
        times = Times(self.cell_seconds, self.call_seconds, self.all_seconds)
        student = Student(limits, times, self.unsafe)
        try:
            for number, cell in enumerate(own, start=1):
                cell.execution_count, cell.outputs = number, student.run(cell.source)
            given = partial(handed_out, resources["nbgrader"])
            with _seeded(resources["nbgrader"]["student"], self.term):
                for number, cell in enumerate(tests, start=len(own) + 1):
                    cell.execution_count, cell.outputs = number, test(cell.source, student, given)
        finally:
            student.end()
        notices = nb.metadata.pop("seqdec", {}).get("notices", [])
        notices += [*defined_again(own), *_what_stopped(nb)]
        if notices:
            nb.cells.insert(0, report(notices))
        return writable(nb), resources


class Names(dict):
    """The names in a test: its own, and behind them the student's."""

    def __init__(self, student: Student) -> None:
        own = {"__name__": "hidden_test", "__builtins__": builtins}
        super().__init__(vars(builtins) | own)  # all here, for a test looks them up often
        self._student = student

    def __missing__(self, name: str) -> object:
        self[name] = self._student.look(name)
        return self[name]


def handed_out(names: dict) -> str:
    """All that students were given of an assignment; nbgrader works in the course's folder."""
    release = Path("release") / names["assignment"] / f"{names['notebook']}.ipynb"
    return "\n".join(cell.source for cell in nbformat.read(release, as_version=4).cells)


def test(
    source: str, student: Student, given: Callable[[], str] = lambda: ""
) -> list[NotebookNode]:
    """Run a test; the outputs of a failed one end with an error, as nbgrader expects it, and those
    of one that gives a part of its points end with this part.

    Parameters
    ----------
    given : returns all that the student was given, with the names that were asked for; few tests
        need it
    """
    printed = io.StringIO()
    names, results = Names(student), []
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002 - whatever draws from it must not depend on other students
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        try:
            exec(compile(source, "<test>", "exec"), names)
        except Partly as part:  # nbgrader takes a result that is a number for the points
            print(part)
            results = [new_output("execute_result", {"text/plain": str(part.points)})]
        except (Exception, SystemExit) as error:
            kind, text = type(error).__name__, f"{type(error).__name__}: {error}"
            if isinstance(error, (AssertionError, NoAnswer)):
                text = str(error) or "A hidden test failed."
            elif not (is_students(error) or _was_asked_for(error, given)):
                kind, text = BROKEN, f"{OWN_ERROR} ({text})."
            results = [new_output("error", ename=kind, evalue=text, traceback=[text])]
    text = printed.getvalue()
    return [new_output("stream", name="stdout", text=text)] * bool(text) + results


def _was_asked_for(error: BaseException, given: Callable[[], str]) -> bool:
    """Whether what is missing is a name that the student should have defined."""
    return isinstance(error, NameError) and error.name in re.findall(r"\w+", given())


def report(notices: list[str]) -> NotebookNode:
    """The cell on top of a graded notebook that says what went wrong."""
    lines = "\n".join(f"- {harmless(notice)}" for notice in notices)
    return nbformat.v4.new_markdown_cell(f"**What happened while this was graded**\n\n{lines}")


def _what_stopped(nb: NotebookNode) -> Iterator[str]:
    for cell in nb.cells:
        for output in cell.get("outputs", []):
            if output.get("ename") == "Stopped":
                yield f"{_called(cell)}: {output.evalue}"


def defined_again(cells: list[NotebookNode]) -> Iterator[str]:
    """What says why a function is wrong that was right where it was asked for."""
    asked: set[str] = set()
    for cell in cells:
        again = asked & _defined(cell.source)
        if again and not utils.is_solution(cell):
            names = ", ".join(f"`{name}`" for name in sorted(again))
            yield f"{_called(cell)} defines {names} again, and this last definition was tested."
        if utils.is_solution(cell):
            asked |= functions(cell.source)


def _defined(source: str) -> set[str]:
    """The names that a cell, not a function in it, gives to something."""
    with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError):
        statements = [s for s in ast.parse(source).body if not isinstance(s, ast.FunctionDef)]
        nodes = [node for statement in statements for node in ast.walk(statement)]
        names = [node for node in nodes if isinstance(node, ast.Name)]
        return functions(source) | {n.id for n in names if isinstance(n.ctx, ast.Store)}
    return set()


def _called(cell: NotebookNode) -> str:
    first = cell.source.strip().partition("\n")[0][:60]
    return f"The cell that begins with `{first}`"


@contextlib.contextmanager
def _seeded(student: str, term: int) -> Iterator[None]:
    """The environment from which `seqdec_lib.checks.student_seed` reads."""
    before = dict(os.environ)
    os.environ.update(SEQDEC_STUDENT=student, SEQDEC_TERM=str(term))
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
