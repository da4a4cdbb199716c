"""Whose a file is: its name says so, as the LMS calls it or with the student's id in front.

An LMS writes a student's name into it, and a number. Moodle's number is another one for each
assignment, so the name is looked up in the roster. Canvas's stays the same for a whole course; but
the ids of a roster may be other numbers, so there too the name goes first.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from coursework.roster import ID, Enrolled

FORMS = (
    # Moodle: "Ada Lovelace_4711_assignsubmission_file_/a1.ipynb"
    r"(?P<name>[^/_]+)_\d+_assignsubmission_file(?:_?/|_).*",
    # Canvas: "lovelaceada_LATE_4711_98765_a1.ipynb"
    r"(?P<name>[^/_]+)_(?:LATE_)?(?P<canvas>\d+)_\d{3,}_[^/]*",
    # a file by itself: "ada_a1.ipynb"
    r"(?P<id>[A-Za-z0-9.@-]+)_(?!\d+_assignsubmission_file)[^/]*",
)


@dataclass(frozen=True)
class Told:
    """What the name of a file tells of its student; what it doesn't tell is "".

    Attributes
    ----------
    file : the name, without the folders before the student's part
    canvas : the number that Canvas has for the student
    """

    file: str
    id: str = ""
    name: str = ""
    email: str = ""
    canvas: str = ""


class Students:
    """The class, by whatever the name of a file may call a student.

    Parameters
    ----------
    roster : the students of the class, or none if anybody may hand in
    assignments : names that begin some files and are no student's
    form : one more form of names, which is tried first
    wanted : the assignment that was to be handed in
    """

    def __init__(
        self,
        roster: dict[str, Enrolled],
        assignments: Iterable[str] = (),
        form: str = "",
        wanted: str = "a1",
    ) -> None:
        self._example = f"ada_{wanted}.ipynb"
        self._roster, self._assignments = roster, set(map(str.casefold, assignments))
        self._forms = [form, *FORMS] if form else list(FORMS)

    def whose(self, name: str) -> tuple[str, Told]:
        """The id of the student whose file has this name, and what the name tells.

        Raises
        ------
        ValueError
            It is nobody's, or could be two people's; the message says what to do.
        """
        told = list(self._told(name))
        if not told:
            raise ValueError(f"does not say whose it is: rename it, as in {self._example}")
        longest = max(len(each.file) for each in told)  # what is within was called by the student
        told = [each for each in told if len(each.file) == longest]
        for each in told:
            found = self._find(each)
            if len(found) == 1:
                return found[0], each
        raise ValueError(self._advice(told[0], self._find(told[0])))

    def _told(self, name: str) -> Iterator[Told]:
        """What a name tells by each of the forms that it has."""
        name = re.sub(r"\.(ipynb|zip)$", "", name, flags=re.IGNORECASE)
        for form in self._forms:
            match = re.fullmatch(f"(?:.*?/)??(?P<file>{form})", name, flags=re.DOTALL)
            if match and not (match.groupdict().get("id") and not re.fullmatch(ID, match["id"])):
                yield Told(**{key: value or "" for key, value in match.groupdict().items()})

    def _find(self, told: Told) -> list[str]:
        """The students that can be meant."""
        if told.id.casefold() in self._assignments:
            return []
        if not self._roster:
            return [each for each in (told.id, told.canvas) if each]
        wanted = "".join(_words(told.name))
        ways: list[Callable[[Enrolled], bool]] = [
            lambda student: student.id.casefold() == told.id.casefold(),
            lambda student: student.email.casefold() in _given(told.email, told.id),
            lambda student: wanted in _turned(student.name),
            lambda student: wanted in _ascii(student.name),
            lambda student: student.id == told.canvas and not student.name,
        ]
        found = next((f for way in ways if (f := list(filter(way, self._roster.values())))), [])
        numbered = [student for student in found if student.id == told.canvas]
        return [student.id for student in numbered or found]

    def _advice(self, told: Told, found: list[str]) -> str:
        """What to do about a file for which there is not one student."""
        if told.id.casefold() in self._assignments:
            return (
                f"begins with {told.id}, which is an assignment and no student: rename it, as in "
                f"{self._example}"
            )
        if told.id:
            return (
                f"is left out, for nobody in students.csv has the id {told.id}: add a line, or "
                "rename the file"
            )
        called = told.name or told.email
        if not self._roster:
            return (
                f"says only that it is by {called!r}: list the class in students.csv, in columns "
                "`id`, `name` and `email`, and collect again"
            )
        if found:
            return (
                f"is by {called!r}, which {' and '.join(found)} in students.csv are called: "
                f"rename it so that it begins with the id, as in {self._example}"
            )
        return (
            f"is by {called!r}, and nobody in students.csv has this name: add a line, or write the "
            "name there as it is here"
        )


def _given(*texts: str) -> set[str]:
    return {text.casefold() for text in texts if text}


def _words(name: str) -> list[str]:
    """The words of a name, without marks over their letters."""
    letters = unicodedata.normalize("NFKD", name.casefold())
    return re.findall(r"\w+", "".join(c for c in letters if not unicodedata.combining(c)))


def _turned(name: str) -> set[str]:
    """A name in one piece, whichever of its words is put first."""
    words = _words(name)
    return {"".join(words[k:] + words[:k]) for k in range(len(words))}


def _ascii(name: str) -> set[str]:
    """The same without letters that some programs drop from the names of files."""
    return _turned(re.sub(r"[^\x00-\x7f]", "", unicodedata.normalize("NFC", name)))
