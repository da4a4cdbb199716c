"""Collect notebooks from what an LMS gives: files and zip archives, whatever is in them.

Each file is collected or named together with the reason, so that none is lost in silence.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import tempfile
import time
import zipfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from traitlets import Unicode, validate
from traitlets.config import Configurable

from coursework.folder import Stop
from coursework.grading import returning
from coursework.grading.names import Students, Told
from coursework.grading.reading import LARGEST, ids
from coursework.roster import Enrolled

LARGEST_ARCHIVE = 5_000_000_000  # bytes of all that is in it
LITTER = {"__MACOSX", ".DS_Store", ".ipynb_checkpoints"}


@dataclass(frozen=True)
class Found:
    """A notebook that was handed in.

    Attributes
    ----------
    name : with its folders, as the student or the LMS called it
    archive : the name of the archive that it was in, or ""
    handed_in : seconds since 1970
    place : where its copy is, under a number, for a student may call a file anything
    told : what its name tells, once that is known
    """

    name: str
    archive: str
    handed_in: float
    place: Path
    told: Told | None = None

    def __str__(self) -> str:
        return called(self.name, self.archive)


class Newest(Configurable):
    """Finds whose each file is; of several files of a student the newest counts."""

    form = Unicode(
        "",
        help="one more form of the names of files, beside those of Moodle, of Canvas and of files "
        "by themselves: an expression for a name without folders and ending, with a group that is "
        "called id, name or email",
    ).tag(config=True)

    @validate("form")
    def _has_a_group(self, proposal: dict) -> str:
        form, groups = proposal["value"], set()
        with contextlib.suppress(re.error):
            groups = set(re.compile(form).groupindex)
        if form and not (groups and groups <= {"id", "name", "email"}):
            raise Stop(
                f"c.Newest.form in nbgrader_config.py is {form!r}: let it be an expression with a "
                r"group that is called id, name or email, as in r'a\d_(?P<id>\w+)_.*'."
            )
        return form

    def choose(
        self,
        found: list[Found],
        assignment: str,
        cells: dict[str, set[str]],
        roster: dict[str, Enrolled],
        before: Collection[str],
    ) -> tuple[dict[str, Found], list[str]]:
        """The file that counts for each student, and a sentence for each one that doesn't.

        Parameters
        ----------
        assignment : the one that was to be handed in
        cells : the names of the cells of each assignment there is
        roster : the students of the class, or none if anybody may hand in
        before : the ids of whoever handed in something before, which may be spelled another way now
        """
        students = Students(roster, cells, self.form, assignment)
        chosen: dict[str, Found] = {}
        left_out: list[str] = []
        spelled = {student.casefold(): student for student in [*before, *roster]}
        for file in sorted(found, key=lambda file: file.handed_in):
            try:
                student, told = students.whose(file.name)
                student = spelled.setdefault(student.casefold(), student)
                _check_archive(file, student, students)
                other = foreign(ids(file.place), assignment, cells)
                if other is not None:
                    raise ValueError(f"holds the cells of {other}: ask {student} for {assignment}")
            except ValueError as error:
                left_out.append(f"{file} {error}.")
                continue
            if student in chosen:
                left_out.append(
                    f"{chosen[student]} is left out, for of {student}'s files the newest counts, "
                    f"and that is {file}: if they are two people's, rename both."
                )
            chosen[student] = replace(file, told=told)
        return chosen, left_out


def _check_archive(file: Found, student: str, students: Students) -> None:
    """Let nobody hand in for somebody else, in an archive of their own."""
    try:
        owner, _ = students.whose(file.archive)
    except ValueError:
        return
    if owner.casefold() != student.casefold():
        raise ValueError(
            f"is left out, for the archive is {owner}'s: if it is everybody's, call it all.zip"
        )


@dataclass
class Download:
    """What was found in the files and archives of a folder, and what could not be read.

    Attributes
    ----------
    folder : where the notebooks are copied to; no link and no other file is
    found : the notebooks
    left_out : a sentence for each file that is no notebook, or not to be read
    """

    folder: Path
    found: list[Found] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    def read(self, archive: Path) -> None:
        """Take the notebooks out of everything in a folder, and out of its archives."""
        for path in sorted(archive.rglob("*")):
            name = path.relative_to(archive).as_posix()
            if (path.is_dir() and not path.is_symlink()) or _is_litter(name):
                continue
            with self._naming_what_fails(name):
                if path.is_symlink() or not path.is_file():
                    raise ValueError("it is no file but a link")
                if path.suffix.lower() == ".zip":
                    self._unpack(path, name)
                else:
                    with path.open("rb") as file:
                        about = path.stat()
                        self._keep(file, name, "", about.st_size, about.st_mtime)

    def _unpack(self, path: Path, name: str) -> None:
        total, files = 0, 0
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                if info.is_dir() or _is_litter(info.filename):
                    continue
                files += 1
                with self._naming_what_fails(info.filename, name), archive.open(info) as file:
                    total += info.file_size
                    if total > LARGEST_ARCHIVE:
                        raise ValueError(f"above it are {LARGEST_ARCHIVE / 1e9:g} GB already")
                    handed_in = time.mktime((*info.date_time, 0, 0, -1))
                    self._keep(file, info.filename, name, info.file_size, handed_in)
        if not files:
            raise ValueError("nothing is in it")

    def _keep(self, file: BinaryIO, name: str, archive: str, size: int, handed_in: float) -> None:
        """Copy a notebook, or nothing of it where that fails."""
        if not name.lower().endswith(".ipynb"):
            raise ValueError("it is no notebook")
        if size > LARGEST:
            raise ValueError(f"it has more than {LARGEST / 1e6:g} MB")
        place = self.folder / f"{len(self.found) + 1:05}.ipynb"
        try:
            with place.open("wb") as target:
                shutil.copyfileobj(file, target)
        except BaseException:
            place.unlink()
            raise
        self.found.append(Found(name, archive, handed_in, place))

    @contextlib.contextmanager
    def _naming_what_fails(self, name: str, archive: str = "") -> Iterator[None]:
        """Go on after a file that can't be read."""
        try:
            yield
        except Exception as error:  # whatever a broken archive makes of a reader
            why = " ".join(str(error).split()) or type(error).__name__
            self.left_out.append(f"{called(name, archive)} is left out ({why}): ask for it again.")


def collect(
    archive: Path,
    submitted: Path,
    assignment: str,
    cells: dict[str, set[str]],
    roster: dict[str, Enrolled] | None = None,
    newest: Newest | None = None,
) -> tuple[list[str], list[str]]:
    """Sort what was handed in by student; return their ids, and a sentence for each other file.

    Parameters
    ----------
    archive : the folder of what was handed in
    submitted : the folder that gets a folder for each student
    assignment, cells, roster : as for `Newest.choose`
    newest : tells whose a file is; by default the one without settings
    """
    with tempfile.TemporaryDirectory(dir=archive.parent, prefix="extracted-") as folder:
        download = Download(Path(folder))
        download.read(archive)
        newest = newest or Newest()
        before = [path.name for path in submitted.glob("*")]
        chosen, left_out = newest.choose(download.found, assignment, cells, roster or {}, before)
        for student, file in chosen.items():
            place = submitted / student / assignment
            place.mkdir(parents=True, exist_ok=True)
            file.place.replace(place / f"{assignment}.ipynb")
            handed_in = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(file.handed_in))
            place.joinpath("timestamp.txt").write_text(handed_in, encoding="utf-8")
    returning.remember(archive.parent, {student: file.told for student, file in chosen.items()})
    return sorted(chosen), download.left_out + left_out


def foreign(found: set[str], assignment: str, cells: dict[str, set[str]]) -> str | None:
    """The other assignment that a notebook with these cells is of; None if it is of none."""
    shared = {name: len(found & theirs) for name, theirs in cells.items()}
    other = max(shared, key=lambda name: (shared[name], name == assignment))
    return None if other == assignment else other


def _is_litter(name: str) -> bool:
    """Whether no student made it, but macOS or Jupyter for itself."""
    parts = PurePosixPath(name).parts
    return any(part in LITTER or part.startswith("._") for part in parts)


def called(name: str, archive: str) -> str:
    """What a file is called in a message: on one line, whatever is in its name."""
    return f"{name!r} in {archive!r}" if archive else repr(name)
