"""What a term is made of, without a sandbox: the roster, deadlines, points of people, the table."""

import ast
import itertools
import json
import re
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nbgrader.api import Gradebook

import coursework.__main__ as command
from coursework import roster, skeleton, tables
from coursework.course import HERE, Course, Stop
from coursework.deadlines import Deadlines
from coursework.folder import changed_cells, environment
from coursework.grading import done, feedback, grades
from coursework.grading.points import DROPPED, EARLIER, Drop, SavePoints, answers
from coursework.grading.reading import content
from coursework.synthetic import sample
from coursework.words import counted
from seqdec_lib.checks import examples, judge

# nbgrader's own database warns of its order of saving.
pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")

# -- the roster


@pytest.mark.parametrize(
    "text",
    [
        "id,name,email\nada,Ada,a@x.org\nkim,,\n",
        "\ufeffID; Name ;email\r\nada;Ada;a@x.org\r\n\r\nkim;;\r\n",
        'name,id,group,email\n"Ada",ada,7,a@x.org\n,kim\n',
    ],
)
def test_a_roster_is_read_as_people_save_it(tmp_path: Path, text: str) -> None:
    path = tmp_path / "students.csv"
    path.write_text(text, encoding="utf-8")
    assert list(roster.read(path).values()) == [
        roster.Enrolled("ada", "Ada", "a@x.org"),
        roster.Enrolled("kim"),
    ]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "no column `id`"),
        (b"name\nAda\n", "no column `id`"),
        (b"id\nada\nAda\n", "line 3 .*'Ada' once more"),
        (b"id,name\n,Ada\n", "line 2 .*the id ''"),
        (b"id\n../ada\n", "the id '../ada'"),
        (b"id,name\nada,M\xfcller\n", "UTF-8"),
    ],
)
def test_what_is_no_roster_says_what_to_mend(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "students.csv"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=says):
        roster.read(path)


@pytest.mark.parametrize(
    ("text", "student"),
    [
        (
            '"First name","Last name","ID number","Email address",Groups\nAda,Lovelace,17,a@x.org,',
            roster.Enrolled("17", "Ada Lovelace", "a@x.org"),
        ),
        (
            "Full name,Email address\nAda Lovelace,a@x.org",
            roster.Enrolled("a@x.org", "Ada Lovelace", "a@x.org"),
        ),
    ],
)
def test_moodles_list_of_participants_is_a_roster(
    tmp_path: Path, text: str, student: roster.Enrolled
) -> None:
    path = tmp_path / "students.csv"
    path.write_text(text, encoding="utf-8")
    assert list(roster.read(path).values()) == [student]


def test_without_a_roster_anybody_may_hand_in(tmp_path: Path) -> None:
    assert roster.read(tmp_path / "students.csv") == {}


# -- deadlines


def test_an_extension_is_one_students_and_stays_when_the_deadline_moves(tmp_path: Path) -> None:
    path = tmp_path / "deadlines.csv"
    Deadlines(path).set("a1", "", "2026-10-09 18:00")
    Deadlines(path).set("a1", "ada", "2026-10-11")
    Deadlines(path).set("a1", "", "2026-10-10 18:00")
    kept = Deadlines(path)
    assert kept.of("a1", "ada") == datetime(2026, 10, 11, 23, 59)
    assert kept.of("a1", "kim") == datetime(2026, 10, 10, 18)
    assert kept.of("a2", "ada") is None and not kept.has("a2")
    assert path.read_text().splitlines()[1] == "a1,,2026-10-10 18:00"


@given(st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31)), st.floats(-1000, 1000))
def test_hours_late_are_hours_after_the_deadline(due: datetime, hours: float) -> None:
    deadlines = Deadlines(Path("nowhere"))
    deadlines._due["a1", ""] = due
    handed_in = datetime.fromtimestamp(due.timestamp() + 3600 * hours, UTC).replace(tzinfo=None)
    late = deadlines.hours_late("a1", "ada", handed_in)
    assert late == pytest.approx(max(0, hours), abs=0.01)
    assert deadlines.hours_late("a1", "ada", None) is None


def test_a_deadline_with_a_time_zone_is_that_moment(tmp_path: Path) -> None:
    due = Deadlines(tmp_path / "deadlines.csv").set("a1", "", "2026-10-09T18:00+02:00")
    assert due.astimezone(UTC) == datetime(2026, 10, 9, 16, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "Friday", "9.10.2026", "2026-13-01"])
def test_a_deadline_that_is_none_says_how_one_is_written(tmp_path: Path, text: str) -> None:
    with pytest.raises(ValueError, match="2026-10-09 18:00"):
        Deadlines(tmp_path / "deadlines.csv").set("a1", "", text)
    assert not any(tmp_path.iterdir())


def test_a_file_of_something_else_is_no_deadlines(tmp_path: Path) -> None:
    path = tmp_path / "deadlines.csv"
    path.write_text("a1;2026-10-09\n")
    with pytest.raises(ValueError, match="assignment,student,due"):
        Deadlines(path)


def test_an_extension_is_for_somebody_of_the_class(tmp_path: Path) -> None:
    course = Course(tmp_path)
    course.assignment("hw1")
    assert "2026-10-09 at 18:00, for Ada." in course.deadline("hw1", "2026-10-09 18:00", "Ada")
    tmp_path.joinpath("students.csv").write_text("id\nada\nkim\n")
    with pytest.raises(Stop, match="has the id Ada: name one of ada, kim"):
        course.deadline("hw1", "2026-10-09 18:00", "Ada")
    with pytest.raises(Stop, match="Say DUE="):
        course.deadline("hw1", "", "ada")


# -- an assignment that ada handed in


class Desk:
    """A course with the sample assignment, in which a submission is graded without a kernel."""

    def __init__(self, folder: Path) -> None:
        self.course, self.notebook = Course(folder), sample.notebook()
        self.url = f"sqlite:///{folder / 'gradebook.db'}"

    def begin(self) -> None:
        """Save the cells of the assignment, as a release does."""
        source = self.course.source("a0")
        source.parent.mkdir(parents=True)
        nbformat.write(self.notebook, source)
        with self.open() as gradebook:
            gradebook.add_assignment("a0")
            gradebook.add_notebook("a0", "a0")
            for cell in self.notebook.cells:
                marks, place = cell.metadata.nbgrader, ("a0", "a0")
                kind = {"cell_type": cell.cell_type}
                if marks.grade:
                    points = {"max_score": marks.points}
                    gradebook.add_grade_cell(marks.grade_id, *place, **points, **kind)
                if marks.solution:
                    gradebook.add_solution_cell(marks.grade_id, *place)
                gradebook.add_source_cell(marks.grade_id, *place, source=cell.source, **kind)

    def open(self) -> Gradebook:
        return Gradebook(self.url)

    def hand_in(self, student: str, **sources: str) -> nbformat.NotebookNode:
        """A submission with other sources in some cells, by grade_id with _ for -."""
        notebook = nbformat.from_dict(self.notebook)
        for cell in notebook.cells:
            name = cell.metadata.nbgrader.grade_id.replace("-", "_")
            cell.source = sources.get(name, cell.source)
        place = self.course.file("submitted", student, "a0")
        place.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, place)
        return notebook

    def grade(
        self, student: str, failed: tuple[str, ...] = (), ename: str = "x", **sources: str
    ) -> None:
        """Do what nbgrader does with the tests' outputs, and with what is kept of before."""
        notebook = self.hand_in(student, **sources)
        with self.open() as gradebook:
            gradebook.update_or_create_student(student)
            gradebook.update_or_create_submission("a0", student)
        for cell in notebook.cells:
            if cell.metadata.nbgrader.grade_id in failed:
                cell.outputs = [nbformat.v4.new_output("error", ename=ename, evalue="y")]
        about = {"student": student, "assignment": "a0", "notebook": "a0", "db_url": self.url}
        handed_in = self.course.file("submitted", student, "a0")
        notebook.metadata["seqdec"] = {"content": content(handed_in)}
        self.course.keep_earlier({student}, "a0")
        notebook, _ = done.Seal().preprocess(notebook, {"nbgrader": about})
        SavePoints().preprocess(notebook, {"nbgrader": about})
        graded = self.course.file("autograded", student, "a0")
        graded.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, graded)

    def give(self, name: str, points: float, comment: str, cell: str = "") -> None:
        """What a person does in the formgrader."""
        with self.open() as gradebook:
            grade = gradebook.find_grade(name, "a0", "a0", "ada")
            grade.manual_score, grade.needs_manual_grade = points, False
            where = (cell or name, "a0", "a0", "ada")
            gradebook.find_comment(*where).manual_comment = comment
            gradebook.db.commit()

    def told(self, name: str, cell: str = "") -> tuple[float, bool, str | None]:
        """The points of a cell, whether somebody has to look, and the comment."""
        with self.open() as gradebook:
            grade = gradebook.find_grade(name, "a0", "a0", "ada")
            comment = gradebook.find_comment(cell or name, "a0", "a0", "ada").manual_comment
            return grade.score, grade.needs_manual_grade, comment

    def graded(self) -> set[str]:
        with self.open() as gradebook:
            return done.graded(self.course.folder, gradebook, "a0")


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("begun")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", environment()["PATH"])
        Desk(folder).begin()
    return folder


@pytest.fixture
def desk(begun: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    folder = tmp_path / "course"
    shutil.copytree(begun, folder)
    monkeypatch.chdir(folder)  # where nbgrader works
    return Desk(folder)


@pytest.mark.slow
def test_graded_means_this_content_and_these_tests(desk: Desk) -> None:
    """Not: there is a file; nor: it is not newer than another."""
    desk.grade("ada", why="one")
    desk.grade("kim", why="two")
    assert desk.graded() == {"ada", "kim"}
    desk.hand_in("kim", why="three")
    assert desk.graded() == {"ada"}, "handed in again, whatever its date is"
    desk.hand_in("kim", why="two")
    assert desk.graded() == {"ada", "kim"}
    place = desk.course.file("autograded", "kim", "a0")
    whole = json.loads(place.read_text())
    place.write_text(json.dumps(whole | {"metadata": {"seqdec": {}}}))
    assert desk.graded() == {"ada"}, "the grader was ended before it had run the tests"
    place.write_text(json.dumps(whole)[:-9])
    assert desk.graded() == {"ada"}, "the grader was ended while it wrote"
    with desk.open() as gradebook:
        gradebook.find_grade("nodes-test", "a0", "a0", "ada").auto_score = None
        gradebook.db.commit()
    assert desk.graded() == set(), "there is another gradebook"


@pytest.mark.parametrize("what", ["source", "points"])
def test_with_other_tests_nobody_is_graded(desk: Desk, what: str) -> None:
    desk.grade("ada")
    with desk.open() as gradebook:
        if what == "source":
            gradebook.update_or_create_source_cell("nodes-test", "a0", "a0", source="mended")
        else:
            gradebook.update_or_create_grade_cell("nodes-test", "a0", "a0", max_score=7)
    assert desk.graded() == set()


def test_each_submission_is_graded_or_named(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    """Also where nbgrader gives up on one, and where somebody handed in another assignment."""
    course, asked = desk.course, []

    def autograde(self: Course, due: list[str], *_: object) -> None:
        asked.append(due)
        for student in due:
            if student != "kim" or len(asked) > 1:
                desk.grade(student)

    monkeypatch.setattr(Course, "_autograde", autograde)
    monkeypatch.setattr(Course, "release", lambda *_: "")
    monkeypatch.setattr("coursework.course.trouble", lambda: None)
    for step, student in (("release", "."), ("submitted", "ada"), ("submitted", "kim")):
        place = course.file(step, student, "a0")
        place.parent.mkdir(parents=True)
        nbformat.write(desk.notebook, place)
    course.assignment("hw1")
    place = course.file("submitted", "eve", "a0")
    place.parent.mkdir(parents=True)
    place.write_bytes(course.source("hw1").read_bytes())
    with pytest.raises(Stop, match=r"Graded 1 of 3 submissions\. Not graded: eve, kim\."):
        course.grade("a0")
    assert "What eve handed in holds the cells of hw1: ask for a0." in capsys.readouterr().out
    with pytest.raises(Stop, match=r"Graded 2 of 3 submissions\. Not graded: eve\."):
        course.grade("a0")
    shutil.rmtree(place.parent)
    told = course.grade("a0")
    assert "Graded 0 submissions of a0, beside 2 from before. Read" in told
    assert asked == [["ada", "kim"], ["kim"]], "and none of them twice"
    course.grade("a0", who="ada")
    course.grade("a0", again=True)
    assert asked[2:] == [["ada"], ["ada", "kim"]]


def test_nobody_loses_points_to_a_test_that_fails_by_itself(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    """Each look names it, its points wait, and the mended one is as if there had been no other."""
    slip = {"failed": ("nodes-test",), "ename": done.BROKEN}
    named = "nodes-test, for ada, kim: y\n"

    def autograde(self: Course, due: list[str], *_: object) -> None:
        for student in due:
            desk.grade(student, **slip)

    monkeypatch.setattr(Course, "_autograde", autograde)
    monkeypatch.setattr(Course, "release", lambda *_: "")
    monkeypatch.setattr("coursework.course.trouble", lambda: None)
    for step, student in (("release", "."), ("submitted", "ada"), ("submitted", "kim")):
        place = desk.course.file(step, student, "a0")
        place.parent.mkdir(parents=True)
        nbformat.write(desk.notebook, place)
    for who in ("", "", "ada"):
        with pytest.raises(Stop, match="Mend nodes-test in .*a0.ipynb, and .* these points wait"):
            desk.course.grade("a0", who=who)
        assert capsys.readouterr().out == named
    desk.course.gradebook()
    told = capsys.readouterr().out
    assert f"{named}Mend nodes-test" in told
    assert "Nobody has read 4 answers yet (nodes-test, why), of ada, kim: their points" in told
    assert desk.told("nodes-test", "nodes") == (0, True, None)
    with pytest.raises(Stop, match="Nobody has read 4 answers yet"):
        desk.course.feedback("a0")
    slip.clear()
    assert "Graded 2 submissions" in desk.course.grade("a0", again=True)
    desk.course.gradebook()
    assert "nodes-test" not in capsys.readouterr().out
    assert desk.told("nodes-test", "nodes") == (2, False, None)


def test_a_release_that_differs_says_where(tmp_path: Path) -> None:
    releases = [sample.notebook() for _ in range(3)]
    releases[1].cells[0].source, releases[2].cells[-1].metadata = "# Another", {"nbgrader": {}}
    for number, release in enumerate(releases):
        nbformat.write(release, tmp_path / f"{number}.ipynb")
    paths = [tmp_path / f"{number}.ipynb" for number in range(4)]
    assert changed_cells(paths[0], paths[1]) == {"title"}
    assert changed_cells(paths[0], paths[2]) == {"why"}
    assert changed_cells(paths[3], paths[0]) == set()


# -- points that people gave


def test_points_and_comments_stay_with_the_same_answer(desk: Desk) -> None:
    desk.grade("ada", why="so", failed=("return-test",))
    assert desk.told("why") == (0, True, None)
    desk.give("why", 1, "Well put.")
    desk.give("return-test", 2, "Nearly.", "return")
    for others in ({}, {"nodes": "def count_nodes(b, h): return 1"}):
        desk.grade("ada", why="so", failed=("return-test",), **others)
        assert desk.told("why") == (1, False, "Well put.")
        assert desk.told("return-test", "return") == (2, False, "Nearly.")


def test_a_new_answer_waits_for_a_reader_and_the_comment_keeps_the_points(desk: Desk) -> None:
    desk.grade("ada", why="so")
    desk.give("why", 1, "Well put.")
    desk.grade("ada", why="or so")
    kept = f"{EARLIER}, which had 1 point: Well put."
    assert desk.told("why") == (0, True, kept)
    desk.grade("ada", why="or not")
    assert desk.told("why") == (0, True, kept), "once, and as often as it is graded"
    desk.give("why", 0.5, "Better.")
    desk.grade("ada", why="at last")
    assert desk.told("why") == (0, True, f"{EARLIER}, which had 0.5 points: Better.")


def test_points_for_code_do_not_outlive_the_code(desk: Desk) -> None:
    """A corrected file that passes used to keep what a person gave to the one that failed."""
    desk.grade("ada", why="so", failed=("return-test",))
    desk.give("return-test", 1, "Nearly.", "return")
    desk.grade("ada", why="so", **{"return": "def discounted_return(r, d): return 3"})
    assert desk.told("return-test", "return") == (3, True, f"{EARLIER}, which had 1 point: Nearly.")
    assert desk.told("why")[1], "and nobody has read the other one"


def test_points_for_code_are_looked_at_again_when_the_test_says_something_else(desk: Desk) -> None:
    desk.grade("ada", failed=("return-test",))
    desk.give("return-test", 1, "Nearly.", "return")
    desk.grade("ada")
    assert desk.told("return-test", "return") == (1, True, "Nearly.")


def test_a_dropped_problem_counts_for_nobody(desk: Desk) -> None:
    desk.grade("ada", why="so")
    desk.give("why", 1, "Well put.")
    drop = Drop(dropped=["why", "nodes"])
    dropped, _ = drop.preprocess(nbformat.from_dict(desk.notebook), {})
    points = {
        c.metadata.nbgrader.grade_id: c.metadata.nbgrader.get("points") for c in dropped.cells
    }
    assert (points["return-test"], points["nodes-test"], points["why"]) == (3, 0, 0)
    with desk.open() as gradebook:
        for name in ("why", "nodes-test"):
            gradebook.update_or_create_grade_cell(name, "a0", "a0", max_score=0)
    assert desk.graded() == set()
    desk.grade("ada", why="so")
    assert desk.told("why") == (0, False, f"{DROPPED}, which had 1 point: Well put.")
    with desk.open() as gradebook:
        submission = gradebook.find_submission("a0", "ada")
        assert (submission.score, submission.max_score) == (3, 3)


sources = st.sampled_from(["x", "y"])


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["own", "solution", "locked", "test", "words"]), sources))
)
def test_an_answer_changes_with_what_a_student_wrote_and_nothing_else(cells: list) -> None:
    def notebook(change: int = -1) -> nbformat.NotebookNode:
        made: list[dict] = [{"source": f"Report {change}.", "metadata": {}}, title]
        for number, (kind, source) in enumerate(cells):
            marks = {"solution": kind in ("solution", "words"), "grade": kind in ("test", "words")}
            about = {"nbgrader": marks | {"grade_id": str(number)}} if kind != "own" else {}
            made.append({"source": "new" if number == change else source, "metadata": about})
        return nbformat.from_dict({"cells": made})

    title = {"source": "The title.", "metadata": {"nbgrader": {"solution": False, "grade": False}}}
    before = answers(notebook())
    graded = [n for n, (kind, _) in enumerate(cells) if kind in ("test", "words")]
    assert list(before) == list(map(str, graded))
    for number, (kind, _) in enumerate(cells):
        now = answers(notebook(change=number))
        changed = {int(name) for name in now if now[name] != before[name]}
        if kind in ("locked", "test"):
            assert not changed
        else:
            after = [n for n in graded if n >= number]
            assert set(after[:1]) <= changed, "it belongs to the next points"
            assert all(n in graded for n in changed) and len(changed) <= 2


# -- the table


def test_everybody_on_the_roster_is_in_the_table(desk: Desk, tmp_path: Path) -> None:
    desk.grade("ada", why="so")
    desk.grade("eve", why="so")
    class_ = {name: roster.Enrolled(name, name.title()) for name in ("kim", "ada")}
    deadlines = Deadlines(tmp_path / "deadlines.csv")
    with desk.open() as gradebook:
        lines = grades.table(gradebook, {"a0": {"ada"}}, class_, deadlines, desk.course.handed_in)
    tables.write(lines, tmp_path / "grades.csv")
    assert (tmp_path / "grades.csv").read_text().splitlines() == [
        "student_id,name,email,a0,total,out_of,to_read",
        "kim,Kim,,,0,6.0,0",
        "ada,Ada,,5.0,5.0,6.0,1",
        "eve,,,,0,6.0,0",
    ], "and what is not graded as it is now is empty"


def test_the_time_is_that_of_the_file_as_it_is_now(desk: Desk) -> None:
    """Whoever saved it from a mail mends the time, and nobody is graded again for it."""
    desk.grade("ada", why="so")
    desk.course.deadline("a0", "2026-10-09T18:00+00:00")
    told = desk.course.file("submitted", "ada", "a0").with_name("timestamp.txt")
    for text, late in (("10-09 17:00:00", "0.0"), ("10-09 20:00:00", "2.0"), ("", "")):
        told.write_text(f"2026-{text}") if text else told.unlink()
        desk.course.gradebook()
        line = (desk.course.folder / "grades.csv").read_text().splitlines()[1]
        assert line.split(",")[2] == late


def test_problems_are_called_by_their_headings() -> None:
    notebook = sample.notebook()
    for cell in notebook.cells:
        cell.metadata.nbgrader.update(score=1, unread=False, comment="x", points=2)
    told = [(p["title"], p["name"], p["comment"]) for p in feedback.problems(notebook.cells)]
    assert told == [
        ("1. The return", "return-test", "return"),
        ("2. The nodes (a)", "nodes-test", "nodes"),
        ("2. The nodes (b)", "why", "why"),
    ]


# -- what is said

PLURAL = re.compile(r" (?:are|have|were|(?!(?:defines|has|holds|is|was)\b)[a-z]+s)\b")
PROGRAMS = [
    path for path in HERE.rglob("*.py") if path.parent.name not in ("cases", "mutants", "source")
]


def bare_counts(program: str) -> list[str]:
    """What texts of a program say in the plural of a number that may be 1."""
    found = []
    for node in ast.walk(ast.parse(program)):
        parts = node.values if isinstance(node, ast.JoinedStr) else []
        for value, after in itertools.pairwise(parts):
            if isinstance(value, ast.FormattedValue) and isinstance(after, ast.Constant):
                if match := PLURAL.match(after.value):
                    found.append(ast.unparse(value.value) + match[0])
    return found


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.relative_to(HERE).as_posix())
def test_one_is_no_plural(path: Path) -> None:
    assert bare_counts(path.read_text(encoding="utf-8")) == []


def test_pages_say_one_in_the_singular() -> None:
    for path in HERE.rglob("*.j2"):
        after = path.read_text(encoding="utf-8").split("}}")[1:]
        assert [text[:20] for text in after if PLURAL.match(text)] == [], path.name


@pytest.mark.parametrize(
    ("program", "found"),
    [
        ('f"{n} pages"', ["n pages"]),
        ('f"{n:g} "  f"points"', ["n points"]),
        ('f"{n} are there"', ["n are"]),
        ('f"{name} is there, {counted(n, 1)}."', []),
    ],
)
def test_a_bare_count_is_seen(program: str, found: list[str]) -> None:
    assert bare_counts(program) == found


def test_numbers_are_said_as_people_do() -> None:
    assert [counted(n, "page") for n in (0, 1, 2)] == ["0 pages", "1 page", "2 pages"]
    assert counted(1.0, "waits", "wait") == "1 waits"
    assert counted(0.5, "point") == "0.5 points"


# -- the command line


@pytest.mark.parametrize(
    ("step", "said", "told"),
    [
        (Course.grade, ["WHO=ada", "again=1"], {"again": False, "unsafe": False, "who": "ada"}),
        (Course.grade, ["AGAIN=1", ""], {"again": True, "unsafe": False, "who": "kim"}),
        (Course.deadline, ["DUE=9 = 9", "WHO="], {"due": "9 = 9", "who": ""}),
        (Course.release, ["WHO=ada"], {}),
    ],
)
def test_a_step_is_told_by_make_or_by_hand(
    step: Callable, said: list[str], told: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WHO", "kim")
    assert command.told(getattr(Course(), step.__name__), said) == told


# -- an assignment of one's own


def test_an_assignment_of_ones_own_begins_whole(tmp_path: Path) -> None:
    course = Course(tmp_path)
    told = course.assignment("hw1").replace("\\", "/")
    assert "source/hw1/hw1.ipynb" in told and "`make course-test A=hw1`" in told
    assert course.assignments() == ["hw1"]
    before = course.source("hw1").read_bytes()
    with pytest.raises(Stop, match="already"):
        course.assignment("hw1")
    assert course.source("hw1").read_bytes() == before
    for name in ("../x", "", "a b", "-x"):
        with pytest.raises(Stop, match="can't be called"):
            course.assignment(name)
    names: dict[str, object] = {}
    for cell in skeleton.notebook("hw1").cells:
        if cell.cell_type == "code":
            exec(cell.source, names)
    names["mean_step"] = lambda positions: positions[-1] - positions[0]
    with pytest.raises(AssertionError, match="hidden case"):
        exec(skeleton.TEST, names)


@pytest.mark.parametrize(
    ("attempt", "says"),
    [
        (lambda a, b: a * b, "right, on all 2 examples"),
        (lambda a, b: 6, r"smallest case that fails is\s+times\(0, 3\)\s+expected 0"),
    ],
)
def test_examples_are_tried_in_their_order(attempt: object, says: str) -> None:
    listed = examples(((2, 3), 6), ((0, 3), 0), hint="multiply.")
    assert re.search(says, judge("times", attempt, exercise=listed).text)


@pytest.mark.parametrize("wrong", [(), (((2, 3),),), (([2, 3], 6),)])
def test_what_is_no_example_says_how_one_is_written(wrong: tuple) -> None:
    with pytest.raises(ValueError, match="arguments and answer"):
        examples(*wrong, hint="")
