"""The ways back: pages of feedback under the names of the download, and through the exchange."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from seqdec_lib.files import written_whole

from coursework.folder import SECRET, Folder
from coursework.grading.names import Told
from coursework.words import counted, listed, show

NAMES = "collected.json"


def remember(folder: Path, told: dict[str, Told]) -> None:
    """Keep what the names of collected files told, beside the download of an assignment."""
    new = {student: {"file": each.file, "canvas": each.canvas} for student, each in told.items()}
    with written_whole(folder / NAMES) as file:
        file.write(json.dumps(recall(folder) | new, indent=1).encode())


def recall(folder: Path) -> dict[str, dict[str, str]]:
    """For each student the name of the file, and the number that Canvas has for them."""
    path = folder / NAMES
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def canvas_numbers(course: Folder) -> dict[str, str]:
    """The number that Canvas has for each student of whom it packed a file."""
    told = [recall(course.folder / "downloaded" / name) for name in course.assignments()]
    return {
        student: each["canvas"]
        for names in told
        for student, each in names.items()
        if each["canvas"]
    }


def give_back(course: Folder, students: set[str], assignment: str) -> Iterator[str]:
    """Pack the pages of students for an LMS; say how they go back, where it isn't by hand."""
    target = course.folder / "feedback" / f"{assignment}.zip"
    target.unlink(missing_ok=True)  # whatever it had is older than the pages
    names = recall(course.folder / "downloaded" / assignment)
    pages = {student: course.page(student, assignment) for student in sorted(students)}
    downloaded = {names[student]["file"]: pages[student] for student in pages if student in names}
    if downloaded:
        pack(downloaded, target)
        yield (
            f"For an LMS {show(target)} has {counted(len(downloaded), 'page')}, under the names "
            "of the download: upload it as feedback files."
        )
    through = {student for student in pages if pages[student].with_name(SECRET).is_file()}
    past = students - through
    if through:
        but = f" --CourseDirectory.student_id_exclude={','.join(sorted(past))}" if past else ""
        yield (
            f"For the exchange run `nbgrader release_feedback {assignment}{but}`, which gives "
            f"{counted(len(through), 'page')} back."
        )
    rest = past - names.keys()
    if rest and len(rest) < len(students):
        yield f"By hand came what {listed(rest)} handed in: send them their pages."


def pack(pages: dict[str, Path], target: Path) -> None:
    """Write pages into a zip archive, each under the name of the notebook that it is about."""
    with (
        written_whole(target) as file,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for name, page in pages.items():
            parts = PurePosixPath(f"{name}.html").parts
            archive.write(page, "/".join(part for part in parts if part not in ("..", "/")))
