"""Release an assignment: the term's number, and nothing saved of what can't be released."""

from __future__ import annotations

import copy
import re

from nbconvert.exporters.exporter import ResourcesDict
from nbformat import NotebookNode
from nbgrader.preprocessors import (
    ClearHiddenTests,
    ClearMarkScheme,
    NbGraderPreprocessor,
    SaveCells,
)
from traitlets import Integer

from coursework.folder import Folder, Stop
from coursework.grading.points import Drop
from coursework.words import listed

START = re.compile(r"book\.start\(budget=(\d+)\)")


class SetTerm(NbGraderPreprocessor):
    """Makes the term the seed of a notebook, in its first cell; goes before all others."""

    term = Integer(0, help="the number of the term").tag(config=True)

    def preprocess_cell(
        self, cell: NotebookNode, resources: ResourcesDict, index: int
    ) -> tuple[NotebookNode, ResourcesDict]:
        """Give `book.start` the term as its seed."""
        if cell.cell_type == "code" and self.term:
            cell.source = START.sub(rf"book.start(budget=\1, seed={self.term})", cell.source)
        return cell, resources


class SaveIfWhole(SaveCells):
    """nbgrader's, after a trial of what follows it: a release that fails changes no gradebook."""

    def preprocess(
        self, nb: NotebookNode, resources: ResourcesDict
    ) -> tuple[NotebookNode, ResourcesDict]:
        """Save the cells of a notebook from which tests and marking schemes can be cleared."""
        for clear in (ClearHiddenTests, ClearMarkScheme):
            clear(parent=self.parent).preprocess(copy.deepcopy(nb), resources)
        return super().preprocess(nb, resources)


def check_problems(course: Folder, assignment: str) -> None:
    """Stop where nbgrader could not save what changed, or DROPPED has a name of nothing."""
    unknown = set(Drop(config=course.config()).dropped) - set().union(*course.cells().values())
    if unknown:
        raise Stop(
            f"There is no problem {listed(unknown)}: a name in DROPPED in nbgrader_config.py "
            "is the grade_id of a cell."
        )
    now = course.kept_cells(assignment)
    if now is None or not (course.folder / "gradebook.db").is_file():
        return
    with course.database() as gradebook:
        graded = gradebook.assignment_submissions(assignment)
        before = {
            cell.name
            for submission in graded[:1]
            for notebook in submission.notebooks
            for cell in notebook.notebook.source_cells
        }
    if graded and now != before:
        changes = [("new", now - before), ("gone", before - now)]
        told = [f"{listed(names)} ({what})" for what, names in changes if names]
        raise Stop(
            f"Some of {assignment} is graded already, so its cells must stay the same: "
            f"{' and '.join(told)}. Put back what is gone, and name a problem that shall not "
            "count in DROPPED in nbgrader_config.py; what is new makes another assignment."
        )
