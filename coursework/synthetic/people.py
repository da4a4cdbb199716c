"""The students: what each hands in, what it should get, and what the feedback should say.

A submission is made of the released notebook, as a real one is. In the sample assignment the
problem `return` is worth 3 points, `nodes` is worth 2, and the written answer is read by people.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode


@dataclass(frozen=True)
class Person:
    """A student.

    Attributes
    ----------
    name : the student's id
    expected : points of the cells that are graded automatically
    work : what is handed in, made of the notebook with all problems solved: another notebook,
        the bytes of a file, or what a link leads to
    says : what the feedback has to say
    """

    name: str
    expected: float
    work: Callable[[NotebookNode], NotebookNode | bytes | Path]
    says: str = ""


def solved(released: NotebookNode, source: NotebookNode) -> NotebookNode:
    """The released notebook with all problems solved as in the source notebook."""
    solutions = {cell.metadata.nbgrader.grade_id: cell.source for cell in source.cells}
    notebook = copy.deepcopy(released)
    for cell in notebook.cells:
        marks = cell.metadata.nbgrader
        if marks.solution:
            lines = solutions[marks.grade_id].splitlines()
            kept = [line for line in lines if "BEGIN SOLUTION" not in line]
            cell.source = "\n".join(line for line in kept if "END SOLUTION" not in line)
    return notebook


def filled_in(notebook: NotebookNode, cells: dict[str, str]) -> NotebookNode:
    """The notebook with other sources in some cells, by grade_id."""
    notebook = copy.deepcopy(notebook)
    for cell in notebook.cells:
        cell.source = cells.get(cell.metadata.nbgrader.grade_id, cell.source)
    return notebook


def _returns(body: str, before: str = "") -> Callable[[NotebookNode], NotebookNode]:
    """Solve `return` by the body of a function, after lines of code of its own."""
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    source = f"{before}\ndef discounted_return(rewards, discount):\n{lines}\n"
    return lambda notebook: filled_in(notebook, {"return": source})


def _other_kernel(notebook: NotebookNode) -> NotebookNode:
    notebook = copy.deepcopy(notebook)
    notebook.metadata["kernelspec"] = {"display_name": "R", "language": "R", "name": "ir"}
    return notebook


def _saved_output(notebook: NotebookNode) -> NotebookNode:
    notebook = copy.deepcopy(notebook)
    text = nbformat.v4.new_output("stream", text="x" * 200_000_000)
    next(cell for cell in notebook.cells if cell.cell_type == "code").outputs = [text]
    return notebook


RIGHT = "return sum(discount**t * reward for t, reward in enumerate(rewards))"
EQUALS_ANYTHING = """
class Anything(float):
    __class__ = float
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __le__(self, other): return True
    __lt__ = __ge__ = __gt__ = __le__
    def __sub__(self, other): return 0.0
    __rsub__ = __add__ = __radd__ = __mul__ = __rmul__ = __truediv__ = __sub__
    def __abs__(self): return 0.0
    def __array__(self, *args, **kwargs): raise TypeError
    def __array_ufunc__(self, *args, **kwargs): return True
    def __array_function__(self, *args, **kwargs): return True
    def __bool__(self): return True
    __hash__ = float.__hash__
"""
FORGERY = """
import numpy
import seqdec_lib.checks, seqdec_lib.checks.plain, seqdec_lib.checks.graded
import seqdec_lib.checks.trial as trial
numpy.allclose = numpy.array_equal = numpy.isclose = lambda *a, **k: True
for module in (seqdec_lib.checks, seqdec_lib.checks.graded):
    module.grade = module.grade_value = module.first_failure = lambda *a, **k: None
seqdec_lib.checks.plain.same = trial.same = lambda *a, **k: True
"""
SILENCE = """
import IPython
shell = IPython.get_ipython()
shell.run_cell = shell.run_cell_async = shell.showtraceback = lambda *a, **k: None
"""
EXIT_LATER = """
import os, threading
threading.Timer(0.05, os._exit, [0]).start()
"""
MEMORY_OF_NOBODY = """
import ctypes
system = ctypes.CDLL(None)
had = [system.memfd_create(b"x", 0), system.shmget(0, 10**6, 0o1600), system.unshare(0x10000000)]
raise RuntimeError(f"had {had}" if max(had) >= 0 else "none to be had")
"""
LINK = """
import os
from pathlib import Path
(kernel,) = Path("/run/kernel").glob("*-2")
kernel.unlink()
kernel.symlink_to("/run/docker.sock")
print("x" * 5_000_000)
"""
# What the kernel gets to see after this cell ran, told in the message of an exception.
SPY = """
import gc, sys
import IPython
shell, seen = IPython.get_ipython(), []
shell.events.register("pre_run_cell", lambda info: seen.append(info.raw_cell))
kernel_execute = shell.kernel.do_execute
async def listening(code, *args, **kwargs):
    seen.append(repr((code, args, kwargs)))
    return await kernel_execute(code, *args, **kwargs)
shell.kernel.do_execute = listening
"""
SPIED = """
texts = [t for t in gc.get_objects() if type(t) is str] + seen
found = [t for t in texts if "HIDDEN" + " TESTS" in t or "np.poly" + "val" in t]
raise RuntimeError(f"{'KAEL'[::-1]} {found[:1]}" if found else "nothing seen")
"""


def _mistaken() -> list[Person]:
    """Right, or wrong in a way that Python names."""
    return [
        Person("perfect", 5, lambda notebook: notebook),
        Person("mistaken", 2, _returns("return sum(rewards)"), "Hint: count from 0"),
        Person("crash", 2, _returns("return 1 / 0"), "ZeroDivisionError"),
        Person("half-a-character", 2, _returns("raise ValueError('\\ud800 of all')"), "? of all"),
        Person("half-characters", 5, _returns(RIGHT, "'\ud800'; print('\ud800')")),
        Person("syntax-error", 2, _returns("return ("), "SyntaxError"),
        Person("wrong-kernel", 5, _other_kernel, "asks for the kernel"),
    ]


def _greedy() -> list[Person]:
    """Work that takes too much: time, memory, processes, files, output; or ends its kernel."""
    return [
        Person("infinite-loop", 2, _returns("while True: pass"), "took more than"),
        Person(
            "stubborn-loop",
            2,
            _returns(
                RIGHT,
                "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass",
            ),
            "after it was interrupted",
        ),
        Person("exit-in-a-cell", 2, _returns(RIGHT, "import os; os._exit(0)"), "sandbox ended"),
        Person("exit-in-a-call", 2, _returns("import os; os._exit(0)"), "sandbox ended"),
        Person("exit-later", 2, _returns(RIGHT, EXIT_LATER), "ended the sandbox, late"),
        Person("quits", 5, _returns(f"exit()\n{RIGHT}", "quit()\nquit"), "have no effect"),
        Person("raises-an-exit", 2, _returns("raise SystemExit('so long')"), "so long"),
        Person(
            "memory-bomb",
            2,
            _returns("all = []\nwhile True: all.append(bytearray(50_000_000))"),
            "MemoryError",
        ),
        Person(
            "memory-bomb-of-many",
            2,
            _returns(
                "import os, time\nfor _ in range(8):\n    if os.fork() == 0:\n"
                "        hoard = bytearray(150_000_000)\n"
                "        hoard[::4096] = b'x' * len(hoard[::4096])\n"
                "        time.sleep(100)\ntime.sleep(5)\nreturn 0"
            ),
            "of memory",
        ),
        Person("memory-of-nobody", 2, _returns(MEMORY_OF_NOBODY), "none to be had"),
        Person("fork-bomb", 2, _returns(RIGHT, "import os\nwhile True: os.fork()"), "processes"),
        Person(
            "full-disk",
            2,
            _returns("for i in range(99): open(f'{i}', 'wb').write(b'x' * 10_000_000)\nreturn 0"),
            "No space left",
        ),
        Person(
            "large-output",
            5,
            _returns(RIGHT, "print('x' * 50_000_000)"),
            "this output was dropped",
        ),
        Person("link-for-a-socket", 2, _returns(RIGHT, LINK), "out of reach"),
        Person("large-file", 5, _saved_output),
    ]


def _cheating() -> list[Person]:
    """Answers that claim to be right, and code that listens to the tests."""
    return [
        Person(
            "equals-anything",
            2,
            _returns("return Anything()", EQUALS_ANYTHING),
            "return plain numbers",
        ),
        Person("forger", 2, _returns("return 0.5", FORGERY), "wrong on a hidden case"),
        Person("mute-kernel", 2, _returns(RIGHT, SILENCE), "ended the sandbox, late"),
        Person("spy", 2, _returns(SPIED, SPY), "nothing seen"),
    ]


def _prying(course: Path, port: int) -> list[Person]:
    """Code that looks for the answers on this machine, or for somebody to call."""
    secrets = [
        *(str(course / name) for name in ("source", "release", "submitted", "gradebook.db")),
        str(Path(__file__).resolve().parent.parent / "source"),
        str(Path.home() / ".ssh"),
        str(Path(__file__).resolve()),
        "/etc/passwd",
    ]
    reading = (
        "import os, glob\n"
        f"places = {secrets}\n"
        "found = [p for p in places if os.path.exists(p)]\n"
        "found += [p for p in glob.glob('/proc/[0-9]*/root' + places[0])]\n"
        f"found += glob.glob('/**/{course.name}/**', recursive=True)\n"
        "found += [p for p in glob.glob('/**/*.ipynb', recursive=True) if 'site-packages' not in p]"
    )
    network = (
        "import socket\n"
        "found = []\n"
        f"for address in (('127.0.0.1', {port}), ('1.1.1.1', 80), ('localhost', {port})):\n"
        "    try:\n"
        "        found.append(socket.create_connection(address, timeout=2))\n"
        "    except OSError:\n"
        "        pass"
    )
    told = "raise RuntimeError('KAEL'[::-1] + str(found) if found else 'nothing found')"
    return [
        Person("reads-the-key", 2, _returns(told, reading), "nothing found"),
        Person("uses-the-network", 2, _returns(told, network), "nothing found"),
    ]


def _no_notebooks(course: Path) -> list[Person]:
    """Files that can't be read, or should not be."""
    return [
        Person("corrupt-file", 0, lambda notebook: b'{"cells": [\x00\xff', "could not be read"),
        Person("empty-file", 0, lambda notebook: b"", "could not be read"),
        Person("no-notebook", 0, lambda notebook: b'[1, {"cells": 3}]', "could not be read"),
        Person("link-to-the-key", 0, lambda notebook: course / "source/a0/a0.ipynb", "a link"),
    ]


def hostile(course: Path, port: int) -> list[Person]:
    """Everybody who hands in the sample assignment.

    Parameters
    ----------
    course : the course's folder, which nobody should be able to read
    port : where a server listens on this machine, which nobody should be able to reach
    """
    return [
        *(*_mistaken(), *_greedy(), *_cheating()),
        *(*_prying(course, port), *_no_notebooks(course)),
    ]


def mutants(wrong: dict[str, dict[str, str]]) -> list[dict[str, str]]:
    """Submissions in which every problem is wrong, each time by another mistake.

    There are at most two, for each takes as long as a whole notebook; `tests/test_assignments.py`
    tries every single mistake without the sandbox.

    Parameters
    ----------
    wrong : for each problem, by grade_id, the mistakes and what the cell then says
    """
    problems = {problem: list(mistakes.values()) for problem, mistakes in wrong.items()}
    most = min(2, max(map(len, problems.values())))
    return [
        {problem: sources[k % len(sources)] for problem, sources in problems.items()}
        for k in range(most)
    ]
