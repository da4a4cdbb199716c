"""What is graded: the file that was handed in and the tests that were run are those of now.

A graded notebook carries a seal, made of both. Whatever ended before its grades were saved, or was
handed in anew, or was graded by other tests, has none or another one.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from nbconvert.exporters.exporter import ResourcesDict
from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.preprocessors import NbGraderPreprocessor

from coursework.grading.reading import content

BROKEN = "Broken"  # the name of the error in a test that failed by itself, whatever it tested


class Seal(NbGraderPreprocessor):
    """Seals a notebook; goes first, so that the tests are those that are about to run.

    nbgrader writes the notebook after all preprocessors, that is after its grades were saved.
    """

    def preprocess(
        self, nb: NotebookNode, resources: ResourcesDict
    ) -> tuple[NotebookNode, ResourcesDict]:
        """Note in the notebook's metadata what is being graded, and by which tests."""
        with Gradebook(resources["nbgrader"]["db_url"]) as gradebook:
            tests = tests_of(gradebook, resources["nbgrader"]["assignment"])
        nb.metadata["seal"] = seal(nb.metadata.get("seqdec", {}).get("content", ""), tests)
        return nb, resources


def seal(work: str, tests: str) -> str:
    """One text for what was handed in and what it was tested with."""
    return f"{work} {tests}"


def tests_of(gradebook: Gradebook, assignment: str) -> str:
    """A hash of all that `release` saved of an assignment: its cells, tests and points."""
    cells: list[tuple] = []
    for notebook in gradebook.find_assignment(assignment).notebooks:
        cells += [(cell.name, cell.source) for cell in notebook.source_cells]
        cells += [(cell.name, cell.max_score) for cell in notebook.grade_cells]
    return hashlib.sha256(repr(sorted(cells, key=repr)).encode("utf-8")).hexdigest()


def graded(folder: Path, gradebook: Gradebook, assignment: str) -> set[str]:
    """The students whose submission, as it is now, is graded by the tests as they are now."""
    tests = tests_of(gradebook, assignment)
    with_points = {
        submission.student.id
        for submission in gradebook.assignment_submissions(assignment)
        if all(
            grade.auto_score is not None or grade.manual_score is not None
            for notebook in submission.notebooks
            for grade in notebook.grades
            if grade.cell_type == "code"
        )
    }
    sealed = set()
    for student in with_points:
        file = Path(student) / assignment / f"{assignment}.ipynb"
        work = content(folder / "submitted" / file)
        if seal_on(folder / "autograded" / file) == seal(work, tests):
            sealed.add(student)
    return sealed


def broken(path: Path) -> dict[str, str]:
    """The tests of a graded notebook that ended with an error of their own, and what they say."""
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    except (OSError, ValueError):  # no points of it are saved either
        return {}
    return {
        cell["metadata"]["nbgrader"]["grade_id"]: error
        for cell in cells
        if (error := own_error(cell)) and cell["metadata"]["nbgrader"]["points"]
    }


def own_error(cell: dict) -> str | None:
    """What a test says that ended with an error of its own; None where it judged, or is none."""
    said = cell["outputs"] if is_test(cell) else []
    return next((output["evalue"] for output in said if output.get("ename") == BROKEN), None)


def is_test(cell: dict) -> bool:
    """Whether a cell of an assignment is a test, whose points are given automatically."""
    marks = cell["metadata"].get("nbgrader", {})
    is_graded = marks.get("grade", False) and not marks.get("solution", False)
    return cell["cell_type"] == "code" and is_graded


def seal_on(path: Path) -> str | None:
    """The seal on a graded notebook; None if it has none, or there is no notebook."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))["metadata"].get("seal")
    except (OSError, ValueError):  # a grader was ended while it wrote
        return None
