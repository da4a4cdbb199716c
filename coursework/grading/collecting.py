"""Collect notebooks from what an LMS gives: files and zip archives, whatever is in them."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from nbgrader.plugins.zipcollect import ExtractorPlugin, FileNameCollectorPlugin
from traitlets import Unicode

from coursework.grading.reading import LARGEST

LARGEST_ARCHIVE = 5_000_000_000  # bytes of all that is in it
STUDENT_ID = r"[A-Za-z0-9][A-Za-z0-9.@_-]{0,99}"  # it becomes a folder, and a cell of a spreadsheet
LITTER = {"__MACOSX", ".DS_Store", ".ipynb_checkpoints"}
NAMES = "names.json"  # beside the folder of what was extracted


class Notebooks(ExtractorPlugin):
    """Takes the notebooks out of files and archives, and nothing else: no link, no other file.

    They are numbered, for a student may call a file anything; `names.json` has their names, each
    with that of the archive that it was in, or "".
    """

    def extract(self, archive_path: str, extracted_path: str) -> None:
        """Copy each notebook in `archive_path`, in archives too, to `extracted_path`."""
        self._folder, self._names = Path(extracted_path), {}
        for path in sorted(Path(archive_path).rglob("*")):
            name = path.relative_to(archive_path).as_posix()
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
        self._folder.with_name(NAMES).write_text(json.dumps(self._names), encoding="utf-8")

    def _unpack(self, path: Path, name: str) -> None:
        total = 0
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                if info.is_dir() or _is_litter(info.filename):
                    continue
                with self._naming_what_fails(info.filename, name), archive.open(info) as file:
                    total += info.file_size
                    if total > LARGEST_ARCHIVE:
                        raise ValueError(f"above it are {LARGEST_ARCHIVE / 1e9:g} GB already")
                    handed_in = time.mktime((*info.date_time, 0, 0, -1))
                    self._keep(file, info.filename, name, info.file_size, handed_in)

    def _keep(self, file: BinaryIO, name: str, archive: str, size: int, handed_in: float) -> None:
        """Copy a notebook, or nothing of it where that fails."""
        if not name.lower().endswith(".ipynb"):
            raise ValueError("it is no notebook and no zip archive")
        if size > LARGEST:
            raise ValueError(f"it has more than {LARGEST / 1e6:g} MB")
        place = self._folder / f"{len(self._names) + 1:05}.ipynb"
        try:
            with place.open("wb") as target:
                shutil.copyfileobj(file, target)
        except BaseException:
            place.unlink()
            raise
        os.utime(place, (handed_in, handed_in))
        self._names[place.name] = [name, archive]

    @contextlib.contextmanager
    def _naming_what_fails(self, name: str, archive: str = "") -> Iterator[None]:
        """Go on after a file that can't be read."""
        try:
            yield
        except Exception as error:  # whatever a broken archive makes of a reader
            self.log.error("%s is left out (%s): ask for it again", _called(name, archive), error)


class Newest(FileNameCollectorPlugin):
    """Finds the student's id in a file's name; of several files of a student the newest counts."""

    student = Unicode(
        r"(?:.*/)?(?P<student_id>[A-Za-z0-9.@-]+)_[^/]*\.ipynb",
        help="how the whole name of a file, with its folders in the archive, shows whose it is",
    ).tag(config=True)

    def collect(self, submitted_file: str) -> dict | None:
        """Whose a file is, which notebook of the assignment, and when it was handed in.

        The files of assignment a1 are in .../a1/extracted/: what a student called the rest of
        the file does not matter. In an archive that has a student's id in its name, nobody
        else's is taken.
        """
        path = Path(submitted_file)
        folder = path.parent.parent
        name, archive = json.loads((folder / NAMES).read_text(encoding="utf-8"))[path.name]
        student, owner = self._whose(name), self._whose(archive)
        if student is None:
            self.log.error(
                "%s does not say whose it is: rename it, as in ada_a1.ipynb", _called(name, archive)
            )
            return None
        if owner not in (None, student):
            self.log.error(
                "%s is left out, for the archive is %s's: if it is everybody's, call it all.zip",
                *(_called(name, archive), owner),
            )
            return None
        handed_in = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(path.stat().st_mtime))
        return {"student_id": student, "file_id": folder.name, "timestamp": handed_in}

    def _whose(self, name: str) -> str | None:
        """The id in the name of a notebook, or of an archive that is called like one."""
        found = re.fullmatch(self.student, re.sub(r"\.(ipynb|zip)$", ".ipynb", name, flags=re.I))
        student = found["student_id"] if found else None
        return student if student and re.fullmatch(STUDENT_ID, student) else None


def _is_litter(name: str) -> bool:
    """Whether no student made it, but macOS or Jupyter for itself."""
    parts = PurePosixPath(name).parts
    return any(part in LITTER or part.startswith("._") for part in parts)


def _called(name: str, archive: str) -> str:
    """What a file is called in a message: on one line, whatever is in its name."""
    return f"{name!r} in {archive!r}" if archive else repr(name)
