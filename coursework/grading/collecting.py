"""Collect notebooks from what an LMS gives: files and zip archives, whatever is in them."""

from __future__ import annotations

import os
import re
import shutil
import time
import zipfile
from pathlib import Path, PurePosixPath

from nbgrader.plugins.zipcollect import ExtractorPlugin, FileNameCollectorPlugin
from traitlets import Unicode

LARGEST = 300_000_000  # bytes of one notebook


class Notebooks(ExtractorPlugin):
    """Takes the notebooks out of files and archives, and nothing else: no link, no other file."""

    def extract(self, archive_path: str, extracted_path: str) -> None:
        """Copy each notebook in `archive_path`, in archives too, to `extracted_path`."""
        self._folder, self._found = Path(extracted_path), 0
        for path in sorted(Path(archive_path).rglob("*")):
            if path.is_dir() or path.name.startswith("."):
                continue
            try:
                if path.suffix == ".zip" and not path.is_symlink():
                    self._unpack(path)
                elif path.suffix == ".ipynb" and not path.is_symlink():
                    name = path.relative_to(archive_path).as_posix()
                    shutil.copy2(path, self._place(name))
                else:
                    self.log.error("%s is no notebook and no zip archive: left out", path.name)
            except (OSError, ValueError, RuntimeError, zipfile.BadZipFile) as error:
                self.log.error("%s can't be read (%s): ask for it again", path.name, error)

    def _unpack(self, archive: Path) -> None:
        with zipfile.ZipFile(archive) as opened:
            for info in opened.infolist():
                if info.is_dir() or not info.filename.endswith(".ipynb"):
                    continue
                target = self._place(info.filename)
                with opened.open(info) as member, target.open("wb") as file:
                    file.write(member.read(LARGEST))
                handed_in = time.mktime((*info.date_time, 0, 0, -1))
                os.utime(target, (handed_in, handed_in))

    def _place(self, name: str) -> Path:
        """Where the next notebook goes: below a folder of its own, for many may have one name."""
        self._found += 1
        parts = [part for part in PurePosixPath(name).parts if part not in ("/", "..")]
        place = self._folder.joinpath(f"{self._found:05}", *parts)
        place.parent.mkdir(parents=True)
        return place


class Newest(FileNameCollectorPlugin):
    """Finds the student's id in a file's name; of several files of a student the newest counts."""

    student = Unicode(
        r"(?:.*/)?(?P<student_id>[A-Za-z0-9.@-]+)_[^/]*\.ipynb",
        help="how the whole name of a file, with its folders in the archive, shows whose it is",
    ).tag(config=True)

    def collect(self, submitted_file: str) -> dict | None:
        """Whose a file is, which notebook of the assignment, and when it was handed in.

        The files of assignment a1 are in .../a1/extracted/00001/...: what a student called the
        rest of the file does not matter.
        """
        path = Path(submitted_file)
        start = path.parts.index("extracted") + 2
        name = "/".join(path.parts[start:])
        found = re.fullmatch(self.student, name)
        if found is None:
            self.log.error("%s does not say whose it is: rename it, as in ada_a1.ipynb", name)
            return None
        handed_in = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(path.stat().st_mtime))
        assignment = path.parts[start - 3]
        return {
            "student_id": found["student_id"],
            "file_id": assignment,
            "timestamp": handed_in,
        }
