"""The grades as a table for a spreadsheet or an LMS: a line a student, a column an assignment."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from datetime import datetime

from nbgrader.api import Grade, Gradebook, SubmittedAssignment

from coursework.deadlines import Deadlines
from coursework.roster import Enrolled
from coursework.words import counted, listed

LMS = {  # and the columns before those of the assignments
    "canvas": ("Student", "ID", "SIS User ID", "SIS Login ID", "Section"),
    "moodle": ("ID number", "Full name", "Email address"),
}


def table(
    gradebook: Gradebook,
    graded: dict[str, set[str]],
    roster: dict[str, Enrolled],
    deadlines: Deadlines,
    handed_in: Callable[[str, str], datetime | None],
) -> list[dict[str, object]]:
    """The lines of the table, for whoever is on the roster and whoever else handed in.

    An assignment that was not handed in, or not graded as it is now, is empty. `to_read` counts
    the answers that a person has still to look at.

    Parameters
    ----------
    graded : for each assignment the students whose submission is graded
    handed_in : when the work of a student for an assignment came
    """
    work = {student.id: student.submissions for student in gradebook.students}
    out_of = sum(gradebook.find_assignment(name).max_score for name in graded)
    lines = []
    for student in [*roster, *sorted(work.keys() - roster.keys())]:
        line: dict[str, object] = {"student_id": _text(student)}
        if roster:
            about = roster.get(student, Enrolled(student))
            line |= {"name": _text(about.name), "email": _text(about.email)}
        submissions = {s.assignment.name: s for s in work.get(student, [])}
        done = {name: submissions[name] for name in graded if student in graded[name]}
        for name in graded:
            line[name] = done[name].score if name in done else ""
            if deadlines.has(name):
                late = deadlines.hours_late(name, student, handed_in(student, name))
                line[f"{name}_hours_late"] = "" if late is None else late
        line["total"] = sum(submission.score for submission in done.values())
        line["out_of"] = out_of
        line["to_read"] = sum(len(list(to_read(submission))) for submission in done.values())
        lines.append(line)
    return lines


def for_lms(
    lms: str, lines: list[dict[str, object]], points: dict[str, float], numbers: dict[str, str]
) -> list[dict[str, object]]:
    """The lines of a table that Canvas or Moodle imports.

    Canvas looks for a student in the first four columns, and creates what it doesn't find. Moodle
    asks what each column is.

    Parameters
    ----------
    lms : one of LMS
    points : what each assignment is worth, by the title that it has there too
    numbers : those that Canvas has for students, as far as the names of their files told them
    """
    rows = []
    for line in lines:
        student = line["student_id"]
        name, email = line.get("name", ""), line.get("email", "")
        if lms == "canvas":
            about = (name or student, numbers.get(student, ""), student, student, "")
        else:
            about = (student, name, email)
        who = dict(zip(LMS[lms], about, strict=True))
        rows.append(who | {assignment: line[assignment] for assignment in points})
    if lms == "canvas":
        rows.insert(0, dict.fromkeys(LMS[lms], "") | {"Student": "    Points Possible"} | points)
    return rows


def unread_answers(gradebook: Gradebook, assignment: str, graded: set[str]) -> str:
    """Which answers nobody has read yet, and whose, in words without an end; "" if there are none.

    Parameters
    ----------
    graded : the students whose submission is graded
    """
    submissions = gradebook.assignment_submissions(assignment)
    waiting = {s.student.id: [grade.name for grade in to_read(s)] for s in submissions}
    waiting = {student: names for student, names in waiting.items() if names and student in graded}
    answers = list(itertools.chain(*waiting.values()))
    if not answers:
        return ""
    read = f"Nobody has read {counted(len(answers), 'answer')} yet"
    return f"{read} ({listed(set(answers))}), of {listed(waiting)}"


def to_read(submission: SubmittedAssignment) -> Iterator[Grade]:
    """The answers that a person has still to look at: written ones, and code that had points."""
    for notebook in submission.notebooks:
        yield from (grade for grade in notebook.grades if grade.needs_manual_grade)


def _text(value: str) -> str:
    """A text as a spreadsheet shows it, which else takes some for formulas."""
    return f"'{value}" if value.startswith(tuple("=+-@\t\r")) else value
