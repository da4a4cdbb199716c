"""Points that a person gave: they belong to an answer, and stay as long as the answer does."""

from __future__ import annotations

from pathlib import Path

import nbformat
from nbconvert.exporters.exporter import ResourcesDict
from nbformat import NotebookNode
from nbgrader import utils
from nbgrader.api import Grade
from nbgrader.preprocessors import NbGraderPreprocessor, SaveAutoGrades
from traitlets import List

from coursework.grading.done import own_error
from coursework.words import counted

EARLIER = "On an earlier answer"
DROPPED = "On a problem that was dropped"


class Drop(NbGraderPreprocessor):
    """Takes the points from the problems that are dropped; goes before what saves points."""

    dropped = List(help="the problems that count for nobody, by the grade_id of their cells").tag(
        config=True
    )

    def preprocess_cell(
        self, cell: NotebookNode, resources: ResourcesDict, index: int
    ) -> tuple[NotebookNode, ResourcesDict]:
        """Make a cell worth nothing if its problem is dropped."""
        if utils.is_grade(cell) and cell.metadata.nbgrader.grade_id in with_tests(self.dropped):
            cell.metadata.nbgrader["points"] = 0
        return cell, resources


def with_tests(problems: list[str]) -> set[str]:
    """The names of problems, and of the cells that test them."""
    return {name for problem in problems for name in (problem, f"{problem}-test")}


class SavePoints(SaveAutoGrades):
    """nbgrader's, which takes care of what a person gave to the file that was graded before.

    Where the answer is the same, points and comments stay. Where it is another one, they are for
    an answer that isn't there any more: the comment keeps both, and the new answer is to be read.
    """

    def preprocess(
        self, nb: NotebookNode, resources: ResourcesDict
    ) -> tuple[NotebookNode, ResourcesDict]:
        """Save the points of all cells."""
        names = resources["nbgrader"]
        # nbgrader works in the course's folder.
        place = Path("earlier") / names["student"] / names["assignment"]
        self._changed = set()
        if (place / f"{names['notebook']}.ipynb").is_file():
            before = answers(nbformat.read(place / f"{names['notebook']}.ipynb", as_version=4))
            now = answers(nb)
            self._changed = {name for name in now if now[name] != before.get(name)}
        self._answer_of = answers_of(nb)
        return super().preprocess(nb, resources)

    def _add_score(self, cell: NotebookNode, resources: ResourcesDict) -> None:
        """Save what the tests gave, and whether a person has to look."""
        name, place = cell.metadata.nbgrader.grade_id, (self.notebook_id, self.assignment_id)
        grade = self.gradebook.find_grade(name, *place, self.student_id)
        before, points, dropped = grade.auto_score, given(grade), grade.max_score == 0
        changed, flagged = name in self._changed, grade.needs_manual_grade
        grade.auto_score = 0 if dropped else utils.determine_grade(cell, self.log)[0]
        if changed or (dropped and points):
            grade.manual_score = grade.extra_credit = None
            if name in self._answer_of:
                comment = self.gradebook.find_comment(
                    self._answer_of[name], *place, self.student_id
                )
                comment.manual_comment = kept(comment.manual_comment, points, dropped)
        if points is None:
            again = changed and flagged and cell.cell_type == "code"
            broken = own_error(cell) is not None and not dropped
            grade.needs_manual_grade = grade.auto_score is None or again or broken
        else:
            grade.needs_manual_grade = not dropped and (changed or before != grade.auto_score)
        self.gradebook.db.commit()


def given(grade: Grade) -> float | None:
    """The points that a person gave; None if nobody did."""
    if grade.manual_score is None and grade.extra_credit is None:
        return None
    return (grade.manual_score or 0) + (grade.extra_credit or 0)


def kept(comment: str | None, points: float | None, dropped: bool) -> str | None:
    """A comment that keeps itself and the points, which don't count any more."""
    if points is None and (not comment or comment.startswith((EARLIER, DROPPED))):
        return comment
    had = "" if points is None else f", which had {counted(points, 'point')}"
    text = f"{DROPPED if dropped else EARLIER}{had}"
    return f"{text}: {comment}" if comment else f"{text}."


def answers(notebook: NotebookNode) -> dict[str, str]:
    """For each cell that has points, all that the student wrote since the one before.

    The student's own cells behind a cell with points may belong to it as well as to the next one.
    """
    found: dict[str, str] = {}
    written, last, begun = "", None, False
    for cell in notebook.cells:
        marks = cell.metadata.get("nbgrader")
        begun = begun or bool(marks)  # above are reports of the grader, and nothing that counts
        if begun and (not marks or marks["solution"]):
            written += f"{cell.source}\n"
            if not marks and last is not None:
                found[last] += f"{cell.source}\n"
        if marks:
            last = marks["grade_id"] if marks["grade"] else None
        if last is not None and marks:
            found[last], written = written, ""
    return found


def answers_of(notebook: NotebookNode) -> dict[str, str]:
    """For each cell that has points, the cell with the answer, to which comments are given."""
    found, answer = {}, None
    for cell in notebook.cells:
        marks = cell.metadata.get("nbgrader", {})
        if marks.get("solution"):
            answer = marks["grade_id"]
        if marks.get("grade") and answer is not None:
            found[marks["grade_id"]] = answer
    return found
