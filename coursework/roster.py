"""The roster: who is in the class, as `students.csv` says, a line a student.

Its first line names the columns: `id`, and if you like `name` and `email`. The id is what the
files, the folders and the table of grades call a student. Moodle's list of participants will do as
it is: who has no id there has the e-mail address for one.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from pathlib import Path

ID = r"[A-Za-z0-9][A-Za-z0-9.@_-]{0,99}"  # it becomes a folder, and a cell of a spreadsheet
MOODLE = {"id number": "id", "full name": "name", "email address": "email"}


@dataclass(frozen=True)
class Enrolled:
    """A student of the class; what the roster doesn't say is ""."""

    id: str
    name: str = ""
    email: str = ""


def read(path: Path) -> dict[str, Enrolled]:
    """The students in a file, by id and in its order; none where there is no file.

    Raises
    ------
    ValueError
        The file is no roster; the message says what to mend.
    """
    if not path.is_file():
        return {}
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise ValueError(f"{path.name} can't be read: save it as CSV in UTF-8.") from None
    heading = lines[0] if lines else ""
    rows = csv.DictReader(lines, delimiter=";" if heading.count(";") > heading.count(",") else ",")
    names = [name.strip().lower() for name in rows.fieldnames or []]
    rows.fieldnames = [MOODLE.get(name, name) for name in names]
    if not {"id", "email"} & set(rows.fieldnames):
        raise ValueError(
            f"{path.name} has no column `id`: let its first line be `id,name,email`, of which "
            "the last two may be missing."
        )
    roster: dict[str, Enrolled] = {}
    for row in rows:
        student = _student(row)
        if student == Enrolled(""):
            continue
        if not re.fullmatch(ID, student.id):
            raise ValueError(
                f"line {rows.line_num} of {path.name} has the id {student.id!r}: let it have up to "
                "100 letters, digits and `.@_-`, and begin with a letter or digit."
            )
        if student.id.casefold() in map(str.casefold, roster):
            raise ValueError(
                f"line {rows.line_num} of {path.name} has the id {student.id!r} once more: give "
                "each student one line and an id of their own."
            )
        roster[student.id] = student
    return roster


def _student(row: dict[str, str | None]) -> Enrolled:
    id_, name, email, *both = (
        (row.get(column) or "").strip()
        for column in ("id", "name", "email", "first name", "last name")
    )
    return Enrolled(id_ or email, name or " ".join(both).strip(), email)
