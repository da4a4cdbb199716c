"""The steps of a week: release, collect, grade, give feedback, and the gradebook.

Each wraps commands of nbgrader, keeps what they say in `log/`, and ends in one sentence.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path

from coursework.sandbox.box import trouble

HERE = Path(__file__).resolve().parent


class Stop(Exception):
    """A step can't be taken; the message is a sentence that says what to do."""


class Course:
    """A folder with `source/`, in which nbgrader keeps everything else.

    Attributes
    ----------
    folder : coursework/ itself, or another one
    settings : options of nbgrader for all commands, such as "--RunInSandbox.cell_seconds=5"
    """

    def __init__(self, folder: Path = HERE, settings: tuple[str, ...] = ()) -> None:
        self.folder, self.settings = folder.resolve(), settings

    # -- the steps

    def prepare(self) -> str:
        """Look whether everything is there that grading needs."""
        names = ", ".join(self.assignments())
        problem = trouble()
        if problem is not None:
            raise Stop(problem)
        return (
            f"Everything is there, the sandbox too. Assignments: {names}. Hand one out with "
            "`make release A=a1`."
        )

    def release(self, assignment: str) -> str:
        """Make the students' version of an assignment."""
        self._check(assignment)
        target = self.folder / "release" / assignment / f"{assignment}.ipynb"
        self._nbgrader("generate_assignment", assignment, "--force")
        return f"Hand out {self._show(target)}: no solution and no hidden test is in it."

    def collect(self, assignment: str) -> str:
        """Sort what was handed in by student."""
        self._check_released(assignment)
        archive = self.folder / "downloaded" / assignment / "archive"
        if not archive.is_dir() or not any(archive.iterdir()):
            archive.mkdir(parents=True, exist_ok=True)
            raise Stop(
                f"Nothing was handed in yet: put the notebooks, or the archive that your LMS "
                f"makes of them, into {self._show(archive)}, and run this again. A file's name "
                "begins with the student's id, as in ada_a1.ipynb."
            )
        log = self._nbgrader("zip_collect", assignment, "--force")
        left_out = [line for line in log.splitlines() if "| ERROR]" in line]
        for line in left_out:
            print(line.partition("| ERROR]")[2].strip())
        students = self._students("submitted", assignment)
        return f"Collected {len(students)} submissions of {assignment}, left out {len(left_out)}."

    def grade(self, assignment: str) -> str:
        """Run what was collected in the sandbox, and test it.

        What was graded already is left alone unless it was handed in again; with AGAIN=1 in the
        environment everything is graded again. Points that a person gave stay.
        """
        from coursework.grading.reading import complaints  # nbconvert takes a second

        self._check_released(assignment)
        unsafe = os.environ.get("UNSAFE", "") == "1"
        if not unsafe and trouble() is not None:
            raise Stop(trouble())
        submitted = self._students("submitted", assignment)
        if not submitted:
            raise Stop(
                f"There is nothing to grade: run `make collect A={assignment}` first, or put each "
                f"notebook into {self._show(self.folder / 'submitted')}/ID/{assignment}/."
            )
        self._set_aside(assignment)
        for student in sorted(submitted):
            file = self.folder / "submitted" / student / assignment / f"{assignment}.ipynb"
            for sentence in complaints(file):
                print(sentence)
        more = ["--force"] * (os.environ.get("AGAIN", "") == "1")
        more += [f"--RunInSandbox.unsafe={unsafe}"]
        self._nbgrader("autograde", assignment, *more, may_fail=True)
        lost = sorted(submitted - self._students("autograded", assignment))
        if lost:
            raise Stop(
                f"{len(submitted) - len(lost)} of {len(submitted)} submissions were graded; these "
                f"were not: {', '.join(lost)}. See {self._show(self._log('autograde'))}, mend "
                "them, and run this again."
            )
        return (
            f"Graded {len(submitted)} submissions of {assignment}. Read the written answers with "
            f"`make formgrader`, then run `make feedback A={assignment}`."
        )

    def formgrader(self) -> str:
        """Open nbgrader's page for reading written answers, until it is interrupted."""
        with contextlib.suppress(KeyboardInterrupt):
            subprocess.run(
                [sys.executable, "-m", "jupyterlab", str(self.folder)],
                cwd=self.folder,
                env=_environment(),
            )
        return "Write each student's feedback with `make feedback A=a1`."

    def feedback(self, assignment: str) -> str:
        """Write each student's feedback as a page."""
        self._check(assignment)
        if not self._students("autograded", assignment):
            raise Stop(f"Nothing was graded yet: run `make grade A={assignment}` first.")
        self._nbgrader("generate_feedback", assignment, "--force")
        return (
            f"Send each student {self._show(self.folder / 'feedback')}/ID/{assignment}/"
            f"{assignment}.html."
        )

    def gradebook(self) -> str:
        """Write the grades as a table."""
        if not (self.folder / "gradebook.db").is_file():
            raise Stop("There is no gradebook yet: run `make release A=a1` first.")
        target = self.folder / "grades.csv"
        self._nbgrader("export", f"--to={target}")
        return f"The grades are in {self._show(target)}, a line for each student."

    # -- what they share

    def assignments(self) -> list[str]:
        """The assignments that there are."""
        sources = (self.folder / "source").glob("a*/a*.ipynb")
        return sorted(path.stem for path in sources if path.stem == path.parent.name)

    def _check(self, assignment: str) -> None:
        if assignment not in self.assignments():
            raise Stop(
                f"There is no assignment {assignment!r}: name one of "
                f"{', '.join(self.assignments())}, as in A=a1."
            )

    def _check_released(self, assignment: str) -> None:
        self._check(assignment)
        if not (self.folder / "release" / assignment / f"{assignment}.ipynb").is_file():
            raise Stop(
                f"Assignment {assignment} was not released yet: run `make release A={assignment}` "
                "first."
            )

    def _students(self, step: str, assignment: str) -> set[str]:
        return {path.parent.name for path in (self.folder / step).glob(f"*/{assignment}")}

    def _set_aside(self, assignment: str) -> None:
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

    def _nbgrader(self, command: str, *arguments: str, may_fail: bool = False) -> str:
        """Run a command of nbgrader in the course's folder; return what it logged."""
        result = subprocess.run(
            [
                *(sys.executable, "-m", "nbgrader", command, *arguments, *self.settings),
                f"--CourseDirectory.root={self.folder}",
            ],
            cwd=self.folder,
            env=_environment(),
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        log = self._log(command)
        log.parent.mkdir(exist_ok=True)
        log.write_text(result.stdout, encoding="utf-8")
        if result.returncode != 0 and not may_fail:
            last = (result.stdout.strip().splitlines() or ["it gave no reason"])[-1]
            raise Stop(f"nbgrader {command} failed ({last}): see {self._show(log)}.")
        return result.stdout

    def _log(self, command: str) -> Path:
        return self.folder / "log" / f"{command}.log"

    def _show(self, path: Path) -> str:
        return os.path.relpath(path)


def _environment() -> dict[str, str]:
    scripts = Path(sys.executable).parent  # nbgrader looks for alembic on the path
    return os.environ | {
        "PATH": f"{scripts}{os.pathsep}{os.environ.get('PATH', '')}",
        "PYTHONPATH": str(HERE.parent),
        "JUPYTER_CONFIG_PATH": str(HERE),  # where nbgrader_config.py is
    }


def _is_odd(path: Path) -> bool:
    """Whether something in the folder of a submission is neither its notebook nor its time."""
    if path.name == f"{path.parent.name}.ipynb":
        return False  # a link is named when it is read
    return path.is_symlink() or path.name != "timestamp.txt"
