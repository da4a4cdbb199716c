"""Deadlines, as `deadlines.csv` says: a line for each assignment, and for each extension of one.

A line has the assignment, the student whom it concerns or nothing, and the time on the clock of
this machine. Lateness is told and never punished: what it costs is for people to decide.
"""

from __future__ import annotations

import csv
from datetime import UTC, datetime, time
from pathlib import Path

from coursework import tables

COLUMNS = ("assignment", "student", "due")
FORM = "%Y-%m-%d %H:%M"


class Deadlines:
    """The deadlines in a file, which need not exist yet."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._due: dict[tuple[str, str], datetime] = {}
        if not path.is_file():
            return
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = csv.DictReader(file)
            if not set(COLUMNS) <= set(rows.fieldnames or ()):
                raise ValueError(f"{path.name} has to begin with the line {','.join(COLUMNS)}.")
            for row in rows:
                self._due[row["assignment"], row["student"]] = moment(row["due"] or "")

    def set(self, assignment: str, student: str, due: str) -> datetime:
        """Keep a deadline, of one student or (with "") of everybody, and return what it means."""
        self._due[assignment, student] = moment(due)
        lines = [(*key, f"{at:{FORM}}") for key, at in sorted(self._due.items())]
        tables.write([dict(zip(COLUMNS, line, strict=True)) for line in lines], self._path)
        return self._due[assignment, student]

    def of(self, assignment: str, student: str = "") -> datetime | None:
        """When a student has to hand in, by the extension if there is one."""
        return self._due.get((assignment, student), self._due.get((assignment, "")))

    def has(self, assignment: str) -> bool:
        """Whether there is a deadline for anybody."""
        return any(name == assignment for name, _ in self._due)

    def hours_late(self, assignment: str, student: str, handed_in: datetime | None) -> float | None:
        """Hours after the deadline, 0 before it; None where one of both times is not known.

        Parameters
        ----------
        handed_in : in UTC and without a time zone, as nbgrader keeps it
        """
        due = self.of(assignment, student)
        if due is None or handed_in is None:
            return None
        late = handed_in.replace(tzinfo=UTC) - due.astimezone()
        return round(max(0.0, late.total_seconds() / 3600), 2)


def moment(text: str) -> datetime:
    """A time as in "2026-10-09 18:00"; a day alone means its end.

    Raises
    ------
    ValueError
        It is no time; the message says how one is written.
    """
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(
            f"{text!r} is no deadline: write a day and a time, as in 2026-10-09 18:00."
        ) from None
    if at.tzinfo is not None:
        at = at.astimezone().replace(tzinfo=None)
    return datetime.combine(at, time(23, 59)) if len(text.strip()) <= len("2026-10-09") else at
