"""Record the cases of the assignments' self-checks, and the answers to them.

    .venv/bin/python -m coursework.record

draws the random cases of `coursework/cases/`, answers them with the solutions in the source
notebooks, and writes `seqdec_lib/checks/assignment_N.json`. Run it after a change to any of these.
"""

from __future__ import annotations

import copy
import importlib
import json
from collections.abc import Callable
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import nbformat
import numpy as np
import torch
from seqdec_lib.checks.recorded import to_json
from seqdec_lib.checks.trial import CASES_PER_SIZE, LARGEST_SIZE

COURSEWORK = Path(__file__).resolve().parent
CHECKS = COURSEWORK.parent / "seqdec_lib" / "checks"
ASSIGNMENTS = sorted(path.name for path in (COURSEWORK / "source").glob("a[0-9]*"))


def solutions(assignment: str) -> dict[str, object]:
    """What a source notebook's imports and solutions define, and nothing else of it."""
    notebook = nbformat.read(
        COURSEWORK / "source" / assignment / f"{assignment}.ipynb", as_version=4
    )
    namespace: dict[str, object] = {}
    for cell in notebook.cells:
        info = cell.metadata["nbgrader"]
        if cell.cell_type == "code" and (info["solution"] or info["grade_id"].endswith("-start")):
            with redirect_stdout(StringIO()):
                exec(compile(cell.source, assignment, "exec"), namespace)
            for name in ("check", "check_laws"):  # its cases are yet to be recorded
                namespace[name] = lambda *arguments: None
    return namespace


def record(draw: Callable, solve: Callable) -> list[dict]:
    """Random cases of all sizes with their answers, small ones first."""
    rng, entries = np.random.default_rng(0), []
    for size in range(1, LARGEST_SIZE + 1):
        for _ in range(CASES_PER_SIZE):
            case = draw(rng, size)
            answer = _arrays(solve(*copy.deepcopy(case)))
            entries.append({"size": size, "case": to_json(case), "answer": to_json(answer)})
    return entries


def _arrays(answer: object) -> object:
    """The answer with arrays in the place of tensors."""
    if isinstance(answer, tuple):
        return tuple(_arrays(part) for part in answer)
    return answer.numpy() if isinstance(answer, torch.Tensor) else answer


def as_text(cases: dict[str, list[dict]]) -> str:
    """JSON with a case a line."""
    parts = [
        f"{json.dumps(name)}: [\n" + ",\n".join(json.dumps(entry) for entry in entries) + "\n]"
        for name, entries in cases.items()
    ]
    return "{\n" + ",\n".join(parts) + "\n}\n"


def recordings(assignment: str) -> str:
    """What the file of an assignment's recorded cases should say."""
    solved = solutions(assignment)
    draws = importlib.import_module(f"coursework.cases.{assignment}").DRAWS
    return as_text({name: record(draw, solved[name]) for name, draw in draws.items()})


if __name__ == "__main__":
    for assignment in ASSIGNMENTS:
        target = CHECKS / f"assignment_{assignment.removeprefix('a')}.json"
        target.write_text(recordings(assignment), encoding="utf-8")
        print(target.name)
