"""The grades as a table for a spreadsheet or an LMS: a line a student, a column an assignment."""

from __future__ import annotations

import csv
from pathlib import Path

from nbgrader.api import Gradebook, SubmittedAssignment
from nbgrader.plugins.export import ExportPlugin


class ByStudent(ExportPlugin):
    """nbgrader's export, with a line for each student."""

    def export(self, gradebook: Gradebook) -> None:
        """Write the table to the file `to`."""
        lines = table(gradebook)
        with Path(self.to or "grades.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(lines)


def table(gradebook: Gradebook) -> list[list[object]]:
    """The lines of the table: a heading, and for each student the points of each assignment.

    An assignment that was not handed in, or not graded, is empty. `to_read` counts the written
    answers that nobody has given points yet.
    """
    assignments = sorted(gradebook.assignments, key=lambda assignment: assignment.name)
    names = [assignment.name for assignment in assignments]
    lines: list[list[object]] = [["student_id", *names, "total", "out_of", "to_read"]]
    out_of = sum(assignment.max_score for assignment in assignments)
    for student in sorted(gradebook.students, key=lambda student: student.id):
        graded = {s.assignment.name: s for s in student.submissions if _is_graded(s)}
        points = {
            name: submission.score
            - sum(n.late_submission_penalty or 0 for n in submission.notebooks)
            for name, submission in graded.items()
        }
        to_read = sum(
            grade.needs_manual_grade
            for submission in graded.values()
            for notebook in submission.notebooks
            for grade in notebook.grades
            if grade.cell_type == "markdown"
        )
        cells = [points.get(name, "") for name in names]
        lines.append([_text(student.id), *cells, sum(points.values()), out_of, to_read])
    return lines


def _is_graded(submission: SubmittedAssignment) -> bool:
    """Whether the tests have given points to all code, where nobody else has."""
    return all(
        grade.auto_score is not None or grade.manual_score is not None
        for notebook in submission.notebooks
        for grade in notebook.grades
        if grade.cell_type == "code"
    )


def _text(student: str) -> str:
    """An id as a spreadsheet shows it, which else takes some for formulas."""
    return f"'{student}" if student.startswith(tuple("=+-@\t\r")) else student
