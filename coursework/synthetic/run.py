"""Run the class through the course as an instructor would, and compare.

python -m coursework test
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import json
import socket
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbgrader.api import Gradebook

from coursework import skeleton
from coursework.course import HERE, Course
from coursework.grading.done import is_test
from coursework.grading.mathematics import script
from coursework.synthetic import people, rearranged, sample

QUICK = (  # limits that hostile work runs into soon
    "--RunInSandbox.cell_seconds=4",
    "--RunInSandbox.call_seconds=2",
    "--RunInSandbox.all_seconds=60",
    "--RunInSandbox.memory=1000000000",
)
OWN = "of-ones-own"  # an assignment as it begins
NEXT_TERM = ("--SetTerm.term=1", "--RunInSandbox.term=1")


@dataclass(frozen=True)
class Row:
    """What a student should get for an assignment, and what it got; None: it was lost.

    Points are those of the cells that are graded automatically.
    """

    student: str
    assignment: str
    out_of: float
    expected: float
    got: float | None
    says: str
    feedback: str

    @property
    def right(self) -> bool:
        """Whether the points are as expected, the failure is named, and nothing got out."""
        return (
            self.got == self.expected and self.says in self.feedback and "LEAK" not in self.feedback
        )


def run(only: str = "") -> list[Row]:
    """Everybody in two courses side by side, which take about the same time.

    Parameters
    ----------
    only : an assignment, whose students alone are taken
    """
    if only:
        with tempfile.TemporaryDirectory(prefix="course-") as folder:
            return mistaken(Path(folder), [only])
    assignments = [*Course(HERE).assignments(), OWN]
    early, late = assignments[:2], assignments[2:]
    with tempfile.TemporaryDirectory(prefix="course-") as folder, ThreadPoolExecutor(2) as pool:
        first = pool.submit(
            lambda: hostile(Path(folder) / "a") + mistaken(Path(folder) / "b", early)
        )
        second = pool.submit(mistaken, Path(folder) / "c", late)
        return first.result() + second.result()


def hostile(folder: Path) -> list[Row]:
    """The sample assignment, handed in by everybody in `people.hostile`."""
    source = sample.notebook()
    _write(folder / "source" / "a0" / "a0.ipynb", source)
    course = Course(folder, QUICK, jobs=1)
    course.release("a0")
    perfect = people.solved(_released(course, "a0"), source)
    with _listening() as port:
        everybody = [*people.hostile(course.folder, port), *rearranged.rearranged()]
        for person in everybody:
            _write(_place(course, person.name, "a0"), person.work(perfect))
        course.grade("a0")
    course.feedback("a0", unread=True)
    course.gradebook()
    return [_row(course, p.name, "a0", p.expected, p.says) for p in everybody]


def mistaken(folder: Path, assignments: list[str]) -> list[Row]:
    """Real assignments and a new one, as next term's: perfect, empty, and with common mistakes."""
    course, rows = Course(folder, NEXT_TERM, jobs=1), []
    for assignment in assignments:
        original = Course(HERE).source(assignment)
        if original.is_file():
            source = nbformat.read(original, as_version=4)
        else:
            source = skeleton.notebook(assignment)
        _write(course.source(assignment), source)
        course.release(assignment)
        released = _released(course, assignment)
        perfect = people.solved(released, source)
        class_ = {"perfect": perfect, "empty": released}
        expected = {"perfect": _points(source)}
        if importlib.util.find_spec(f"coursework.mutants.{assignment}"):
            mutants = importlib.import_module(f"coursework.mutants.{assignment}")
            for number, cells in enumerate(people.mutants(mutants.MUTANTS), start=1):
                class_[f"mistaken-{number}"] = people.filled_in(perfect, cells)
            for student, (points, cells) in getattr(mutants, "PARTLY", {}).items():
                class_[student], expected[student] = people.filled_in(released, cells), points
        for student, notebook in class_.items():
            _write(_place(course, student, assignment), notebook)
        course.grade(assignment)
        rows += [_row(course, name, assignment, expected.get(name, 0)) for name in class_]
    return rows


def _points(source: NotebookNode) -> float:
    return sum(cell.metadata.nbgrader.points for cell in source.cells if is_test(cell))


def table(rows: list[Row]) -> str:
    """The rows as text."""
    lines = [f"{'student':<20} {'assignment':<11} {'expected':>8} {'got':>6} {'of':>4}"]
    for row in rows:
        got = "lost" if row.got is None else f"{row.got:g}"
        line = (
            f"{row.student:<20} {row.assignment:<11} {row.expected:>8g} {got:>6} {row.out_of:>4g}"
        )
        lines.append(line if row.right else f"{line}  WRONG: {_why(row)}")
    return "\n".join(lines)


def _why(row: Row) -> str:
    if "LEAK" in row.feedback:
        return "it got hold of something"
    if row.says not in row.feedback:
        return f"the feedback does not say {row.says!r}"
    return "the points"


def _row(course: Course, student: str, assignment: str, expected: float, says: str = "") -> Row:
    graded = course.folder / "autograded" / student / assignment / f"{assignment}.ipynb"
    page = course.folder / "feedback" / student / assignment / f"{assignment}.html"
    feedback = page.read_text(encoding="utf-8") if page.is_file() else ""
    feedback = feedback.replace(script(), "")  # whose words say nothing of the student
    got, out_of = None, 0.0
    with Gradebook(f"sqlite:///{course.folder / 'gradebook.db'}") as gradebook:
        tests = {
            cell.name: cell.max_score
            for cell in gradebook.find_notebook(assignment, assignment).grade_cells
            if cell.cell_type == "code"
        }
        out_of = sum(tests.values())
        if graded.is_file():
            grades = gradebook.find_submission_notebook(assignment, assignment, student).grades
            points = [grade.auto_score for grade in grades if grade.name in tests]
            got = None if None in points or len(points) < len(tests) else sum(points)
    return Row(student, assignment, out_of, expected, got, says, feedback)


def _released(course: Course, assignment: str) -> NotebookNode:
    path = course.folder / "release" / assignment / f"{assignment}.ipynb"
    return nbformat.read(path, as_version=4)


def _place(course: Course, student: str, assignment: str) -> Path:
    return course.folder / "submitted" / student / assignment / f"{assignment}.ipynb"


def _write(path: Path, what: NotebookNode | bytes | Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(what, Path):
        path.symlink_to(what)
    elif isinstance(what, bytes):
        path.write_bytes(what)
    else:
        path.write_text(json.dumps(what), encoding="utf-8")


@contextlib.contextmanager
def _listening() -> Iterator[int]:
    """A port of this machine at which somebody answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]
