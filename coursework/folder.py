"""The folder of a course: what lies where, and nbgrader's commands in it."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import time
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from coursework import commands, roster
from coursework.deadlines import Deadlines
from coursework.words import show

if TYPE_CHECKING:  # nbgrader takes seconds, and not every step needs it
    from nbgrader.api import Gradebook
    from traitlets.config import Config

HERE = Path(__file__).resolve().parent
MOST_JOBS = 4  # each may take the memory of a submission
NAME = r"[A-Za-z0-9][A-Za-z0-9_-]*"  # of an assignment
SECRET = "submission_secret.txt"  # by which JupyterHub's exchange gives the feedback back


class Stop(Exception):
    """A step can't be taken; the message is a sentence that says what to do."""


class Folder:
    """A folder with `source/`, in which nbgrader keeps everything else.

    Attributes
    ----------
    folder : coursework/ itself, or another one
    settings : options of nbgrader for all commands, such as "--RunInSandbox.cell_seconds=5"
    jobs : how many submissions are graded at once
    """

    def __init__(
        self, folder: Path = HERE, settings: tuple[str, ...] = (), jobs: int | None = None
    ) -> None:
        self.folder, self.settings = folder.resolve(), settings
        self.jobs = jobs or min(MOST_JOBS, os.cpu_count() or 1)

    def assignments(self) -> list[str]:
        """The assignments that there are."""
        sources = (path.stem for path in (self.folder / "source").glob("*/*.ipynb"))
        return sorted(
            name for name in sources if re.fullmatch(NAME, name) and self.source(name).is_file()
        )

    def source(self, assignment: str) -> Path:
        """The notebook with the solutions and the hidden tests."""
        return self.folder / "source" / assignment / f"{assignment}.ipynb"

    def file(self, step: str, student: str, assignment: str) -> Path:
        """A student's notebook in the folder of a step, such as "submitted"."""
        return self.folder / step / student / assignment / f"{assignment}.ipynb"

    def page(self, student: str, assignment: str) -> Path:
        """A student's page of feedback."""
        return self.file("feedback", student, assignment).with_suffix(".html")

    def handed_in(self, student: str, assignment: str) -> datetime | None:
        """When the work came that is there now, in UTC without a time zone; None if not known."""
        from nbgrader.utils import parse_utc

        told = self.file("submitted", student, assignment).with_name("timestamp.txt")
        return parse_utc(told.read_text(encoding="utf-8").strip()) if told.is_file() else None

    def students(self, step: str, assignment: str) -> set[str]:
        """Everybody who has something in the folder of a step."""
        return {path.parent.name for path in (self.folder / step).glob(f"*/{assignment}")}

    def roster(self) -> dict[str, roster.Enrolled]:
        """The students of the class; none where there is no `students.csv`."""
        try:
            return roster.read(self.folder / "students.csv")
        except ValueError as error:
            raise Stop(_sentence(error)) from None

    def deadlines(self) -> Deadlines:
        """The deadlines; none where there is no `deadlines.csv`."""
        try:
            return Deadlines(self.folder / "deadlines.csv")
        except ValueError as error:
            raise Stop(_sentence(error)) from None

    def database(self) -> Gradebook:
        """nbgrader's gradebook, to be used in a `with` statement."""
        from nbgrader.api import Gradebook

        return Gradebook(f"sqlite:///{self.folder / 'gradebook.db'}")

    def config(self) -> Config:
        """The settings, as nbgrader's commands find them too."""
        from traitlets.config.loader import PyFileConfigLoader

        config = PyFileConfigLoader("nbgrader_config.py", str(HERE)).load_config()
        if self.folder != HERE and (self.folder / "nbgrader_config.py").is_file():
            own = PyFileConfigLoader("nbgrader_config.py", str(self.folder))
            config.merge(own.load_config())
        return config

    def nbgrader(
        self,
        command: str,
        *arguments: str,
        but: Iterable[str] = (),
        may_fail: bool = False,
        log: str = "",
    ) -> None:
        """Run a command of nbgrader in the folder, and keep what it says in `log/`.

        Parameters
        ----------
        but : students who are left out
        may_fail : whether it is enough to look in the log
        log : the name of the log, by default that of the command
        """
        kept = self.log(log or command)
        failed = commands.run(
            [
                *(command, *arguments, *self.settings),
                f"--CourseDirectory.root={self.folder}",
                f"--CourseDirectory.student_id_exclude={','.join(sorted(but))}",
            ],
            self.folder,
            environment(),
            kept,
        )
        if failed and not may_fail:
            said = kept.read_text(encoding="utf-8", errors="replace").strip().splitlines()
            last = (said or ["it gave no reason"])[-1]
            raise Stop(f"nbgrader {command} failed ({last}): see {show(kept)}.")

    def log(self, name: str) -> Path:
        """What a command of nbgrader said when it ran last."""
        return self.folder / "log" / f"{name}.log"

    def set_aside(self, assignment: str) -> None:
        """Move what is not the notebook out of the way of nbgrader, which would copy it.

        It would follow links, and copy to the feedback what they lead to.
        """
        aside = self.folder / "set_aside" / time.strftime("%Y-%m-%d %H-%M-%S")
        for folder in (self.folder / "submitted").glob(f"*/{assignment}"):
            odd = [folder] if folder.is_symlink() else [p for p in folder.iterdir() if _is_odd(p)]
            for path in odd:
                target = aside / path.relative_to(self.folder / "submitted")
                target.parent.mkdir(parents=True, exist_ok=True)
                path.replace(target)
            folder.mkdir(exist_ok=True)
            if not os.path.lexists(folder / f"{assignment}.ipynb"):
                folder.joinpath(f"{assignment}.ipynb").touch()  # to be graded as what it is

    def keep_earlier(self, students: Iterable[str], assignment: str) -> None:
        """Move graded notebooks to `earlier/`, before they are made anew."""
        from coursework.grading.done import seal_on

        for student in students:
            graded = self.file("autograded", student, assignment)
            if seal_on(graded) is not None:
                earlier = self.file("earlier", student, assignment).parent
                shutil.rmtree(earlier, ignore_errors=True)
                earlier.parent.mkdir(parents=True, exist_ok=True)
                graded.parent.replace(earlier)
            shutil.rmtree(graded.parent, ignore_errors=True)  # a grader was ended here

    def cells(self) -> dict[str, set[str]]:
        """The names of the cells of each assignment."""
        from coursework.grading.reading import ids

        return {name: ids(self.source(name)) for name in self.assignments()}

    def kept_cells(self, assignment: str) -> set[str] | None:
        """The names of the cells of a source that nbgrader keeps; None if it is no notebook."""
        try:
            notebook = json.loads(self.source(assignment).read_text(encoding="utf-8"))
            marks = [cell["metadata"].get("nbgrader", {}) for cell in notebook["cells"]]
        except (ValueError, KeyError, TypeError, AttributeError):
            return None
        kept = ("grade", "solution", "locked")
        return {mark["grade_id"] for mark in marks if any(mark.get(name) for name in kept)}


def changed_cells(before: Path, after: Path) -> set[str]:
    """The names of the cells in which two releases differ; none if there is only one."""
    if not before.is_file():
        return set()
    old, new = (
        {
            (cell["metadata"].get("nbgrader", {}).get("grade_id"), "".join(cell["source"]))
            for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]
        }
        for path in (before, after)
    )
    return {name for name, _ in old ^ new if name}


def environment() -> dict[str, str]:
    """The environment of nbgrader's commands."""
    scripts = Path(sys.executable).parent  # nbgrader looks for alembic on the path
    return os.environ | {
        "PATH": f"{scripts}{os.pathsep}{os.environ.get('PATH', '')}",
        "PYTHONPATH": str(HERE.parent),
        "JUPYTER_CONFIG_PATH": str(HERE),  # where nbgrader_config.py is
    }


def _sentence(error: ValueError) -> str:
    text = str(error)
    return text[0].upper() + text[1:]


def _is_odd(path: Path) -> bool:
    """Whether something in the folder of a submission is neither its notebook nor about it."""
    if path.name == f"{path.parent.name}.ipynb":
        return False  # a link is named when it is read
    return path.is_symlink() or not path.is_file() or path.name not in ("timestamp.txt", SECRET)
