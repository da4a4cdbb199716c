"""Feedback: what the student did, what the tests and people said, but not how they test."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import nbgrader
from nbconvert.exporters import HTMLExporter
from nbconvert.exporters.exporter import ResourcesDict
from nbformat import NotebookNode
from nbgrader.preprocessors import GetGrades, NbGraderPreprocessor

from coursework import roster
from coursework.roster import Enrolled

HIDDEN = re.compile(r"^### BEGIN HIDDEN TESTS.*?^### END HIDDEN TESTS[^\n]*", re.M | re.S)
HEADING = re.compile(r"^#+ +(.*?)(?: \(\d+ points?\))?$", re.M)
PART = re.compile(r"^\*\*(\(\w\))\*\*", re.M)
FORMGRADER = Path(nbgrader.__file__).parent / "server_extensions" / "formgrader"
TEMPLATES = [str(Path(__file__).with_name("templates"))]
INCLUDED = [  # nbgrader's own page of feedback, and its style
    str(FORMGRADER / "templates"),
    str(FORMGRADER / "static" / "node_modules" / "bootstrap" / "dist" / "css"),
]


class Page(HTMLExporter):
    """Writes a graded notebook as a page; its template is in `templates/page`."""


class HideTests(NbGraderPreprocessor):
    """Takes the hidden tests out of the feedback: next term's students will have read it."""

    def preprocess_cell(
        self, cell: NotebookNode, resources: ResourcesDict, index: int
    ) -> tuple[NotebookNode, ResourcesDict]:
        """Replace the hidden tests of a cell by a line that says that they were there."""
        if cell.cell_type == "code":
            cell.source = HIDDEN.sub("# hidden tests", cell.source)
        return cell, resources


class NameProblems(GetGrades):
    """nbgrader's, which also notes in the metadata whose notebook it is, and lists its problems."""

    def preprocess(
        self, nb: NotebookNode, resources: ResourcesDict
    ) -> tuple[NotebookNode, ResourcesDict]:
        """Get the points and comments of a notebook, the list of its problems, and a name."""
        nb, resources = super().preprocess(nb, resources)
        nb.metadata["problems"] = list(problems(nb.cells))
        student = Enrolled(resources["nbgrader"]["student"])
        # nbgrader works in the course's folder.
        enrolled = roster.read(Path("students.csv")).get(student.id, student)
        nb.metadata["student"] = enrolled.name or enrolled.id
        return nb, resources

    def _get_score(self, cell: NotebookNode, resources: ResourcesDict) -> None:
        super()._get_score(cell, resources)
        name = cell.metadata.nbgrader.grade_id
        place = (self.notebook_id, self.assignment_id, self.student_id)
        cell.metadata.nbgrader["unread"] = self.gradebook.find_grade(
            name, *place
        ).needs_manual_grade


def problems(cells: list[NotebookNode]) -> Iterator[dict]:
    """For each cell that has points what the table of problems says of it.

    A problem is called after the heading above it, and after the part of it, as in "(b)".
    """
    heading, part, answer = "", "", {}
    for cell in cells:
        marks = cell.metadata.get("nbgrader", {})
        if cell.cell_type == "markdown" and marks.get("locked"):
            titles = HEADING.findall(cell.source)
            if titles:
                heading, part = titles[-1], ""
            part = (PART.findall(cell.source) or [part])[-1]
        if marks.get("solution"):
            answer = marks
        if marks.get("grade"):
            yield {
                "name": marks["grade_id"],
                "title": f"{heading} {part}".strip() or marks["grade_id"],
                "score": marks["score"],
                "points": marks["points"],
                "unread": marks["unread"],
                "comment": answer["grade_id"] if answer.get("comment") else "",
            }
            answer = {}
