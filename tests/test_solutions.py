"""Each exercise has a stub, a check and a solution, and the solution passes the check."""

import ast
import builtins
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import bookkeeping
import nbformat
import numpy as np
import pytest

from seqdec_lib.checks import OF_CHAPTERS as EXERCISES
from seqdec_lib.checks import judge

CHAPTERS = sorted((Path(__file__).resolve().parent.parent / "chapters").glob("*.ipynb"))
SOLUTION = re.compile(r"^(`{3,}|:{3,})\{solution[\w-]*\} *(\S+)\n(.*?)^\1 *$", re.M | re.S)
PYTHON = re.compile(r"^(`{3,})(?:python|\{code-block\} python)\n(.*?)^\1 *$", re.M | re.S)


@cache
def cells(kind: str) -> tuple[str, ...]:
    notebooks = (nbformat.read(path, as_version=4) for path in CHAPTERS)
    return tuple(c.source for notebook in notebooks for c in notebook.cells if c.cell_type == kind)


def solution_blocks() -> Iterator[str]:
    for source in cells("markdown"):
        for solution in SOLUTION.finditer(source):
            yield from (block[2] for block in PYTHON.finditer(solution[3]))


def functions_of(source: str) -> dict[str, Callable]:
    """The functions that a block defines, where NumPy is np; nothing else of it runs."""
    kept = (ast.FunctionDef, ast.Import, ast.ImportFrom)
    body = [node for node in ast.parse(source).body if isinstance(node, kept)]
    namespace: dict[str, object] = {"np": np}
    exec(compile(ast.Module(body, type_ignores=[]), "<chapter>", "exec"), namespace)
    return {n.name: namespace[n.name] for n in body if isinstance(n, ast.FunctionDef)}


def checked_cells() -> dict[str, Callable]:
    """For each exercise, the function that its cell hands to check()."""
    found = {}
    for source in cells("code"):
        if "check(" not in source or source.lstrip().startswith("%"):
            continue
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Call) and getattr(node.func, "id", None) == "check":
                name, attempt = ast.literal_eval(node.args[0]), ast.unparse(node.args[1])
                found[name] = functions_of(source)[attempt]
    return found


SOLUTIONS = {
    name: function
    for block in solution_blocks()
    for name, function in functions_of(block).items()
    if name in EXERCISES
}
CELLS = checked_cells()


@pytest.mark.parametrize("name", sorted(EXERCISES))
def test_the_solution_passes_its_own_check(name: str) -> None:
    assert name in SOLUTIONS, f"no {{solution}} of any chapter defines {name}"
    for seed in range(5):
        verdict = judge(name, SOLUTIONS[name], seed)
        assert verdict.passed, verdict.text


@pytest.mark.parametrize("name", sorted(EXERCISES))
def test_the_cell_of_an_exercise_does_not_pass_before_it_is_done(name: str) -> None:
    """Neither a stub, which hears a kind word, nor a function with a silent bug in it."""
    assert name in CELLS, f"no chapter calls check({name!r}, ...)"
    verdict = judge(name, CELLS[name])
    is_stub = "raise NotImplementedError" in "".join(
        source for source in cells("code") if f'check("{name}"' in source
    )
    assert not verdict.passed
    assert ("not filled in yet" if is_stub else "smallest case that fails") in verdict.text


def test_only_exercises_that_exist_are_checked() -> None:
    assert set(CELLS) <= set(EXERCISES)


def test_every_block_of_every_solution_is_python() -> None:
    blocks = list(solution_blocks())
    assert len(blocks) >= len(EXERCISES)
    for block in blocks:
        ast.parse(block)


def makers(notebook: nbformat.NotebookNode) -> dict[str, list[bool]]:
    """For each name that the reader's cells make, in order: whether a loop or the like made it."""
    found = defaultdict(list)
    for cell in notebook.cells:
        if cell.cell_type == "code" and bookkeeping.is_for_readers(cell):
            for statement in bookkeeping.statements(cell.source):
                for name in bookkeeping.bound(statement):
                    found[name].append(isinstance(statement, ast.For | ast.With | ast.Try))
    return found


def taken_from_the_page(solution: str) -> set[str]:
    """The names that a solution uses before it has made them itself."""
    taken, made = set(), set(dir(builtins))
    for block in PYTHON.finditer(solution):
        for statement in bookkeeping.statements(block[2]):
            own = bookkeeping.bound(statement)
            here = own if hasattr(statement, "body") else set()  # a loop makes its variable first
            taken |= bookkeeping.used(statement) - here - made
            made |= own
    return taken


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_what_a_solution_takes_from_its_page_is_there_and_not_overwritten(path: Path) -> None:
    """A solution is pasted at the end of the page: each name that it doesn't make itself was made
    there in one place, and no later loop uses it for something else."""
    notebook = nbformat.read(path, as_version=4)
    made = makers(notebook)
    for cell in notebook.cells:
        for solution in SOLUTION.finditer(cell.source if cell.cell_type == "markdown" else ""):
            for name in taken_from_the_page(solution[3]):
                assert made[name], f"{solution[2]}: no cell makes {name}"
                assert made[name].count(False) <= 1, f"{solution[2]}: {name} is made anew"
                last_is_a_loop = made[name][-1] and len(made[name]) > 1
                assert not last_is_a_loop, f"{solution[2]}: a loop overwrites {name}"
