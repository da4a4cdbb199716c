"""With an LMS: whose a file is, feedback under its name, and tables that the LMS imports."""

import csv
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from traitlets.config import Config

from coursework import tables
from coursework.folder import SECRET, Folder, Stop
from coursework.grading import grades, returning
from coursework.grading.collecting import Newest
from coursework.grading.names import Students
from coursework.roster import Enrolled

CLASS = {
    "s1": Enrolled("s1", "Ada Lovelace", "ada@x.org"),
    "s2": Enrolled("s2", "Lee, Kim", "kim@x.org"),
    "s3": Enrolled("s3", "Björn Ångström"),
    "s4": Enrolled("s4", "Emmy Noether", "emmy@x.org"),
    "s5": Enrolled("s5", "Emmy Noether"),
    "4711": Enrolled("4711", "김철수"),
    "4712": Enrolled("4712"),
    "4713": Enrolled("4713", "Emmy Noether"),
}
words = st.text(st.sampled_from("abcdeßéø김"), min_size=1, max_size=5)


@given(st.lists(words, min_size=2, max_size=3), st.integers(0, 2), st.integers(1, 99999))
def test_whoever_has_a_name_is_known_by_it(name: list[str], turn: int, number: int) -> None:
    """However it is turned, and whatever Moodle's number is this time."""
    turned = name[turn:] + name[:turn]
    class_ = {"s1": Enrolled("s1", " ".join(name)), "s2": Enrolled("s2", "x" + "".join(name))}
    students = Students(class_)
    moodle = f"{' '.join(turned)}_{number}_assignsubmission_file_"
    canvas = f"{''.join(turned)}_{number}_98765_a1.ipynb"
    for file in (f"{moodle}/a1.ipynb", f"{moodle[:-1]}/a1.ipynb", f"{moodle}a1.ipynb", canvas):
        student, told = students.whose(f"week 1/all/{file}")
        assert student == "s1" and file == f"{told.file}.ipynb"
    assert students.whose("s2_a1.ipynb")[0] == "s2", "and a file by itself as ever"


@pytest.mark.parametrize(
    ("name", "whose"),
    [
        ("Kim Lee_1_assignsubmission_file_/my work_2.ipynb", "s2"),
        ("Björn Ångström_2_assignsubmission_file/a1.IPYNB", "s3"),
        ("ngstrmbjrn_LATE_17_98765_a1.ipynb", "s3"),
        ("lovelaceada_17_98765_a1-2.ipynb", "s1"),
        ("lovelaceada_4711_98765_a1.ipynb", "s1"),
        ("somebody_4712_98765_a1.ipynb", "4712"),
        ("noetheremmy_4713_98765_a1.ipynb", "4713"),
        ("S1_my_work.ipynb", "s1"),
        ("kim@x.org_a1.ipynb", "s2"),
        ("all/of/it/s4_17_98765_a1.ipynb", "s4"),
    ],
)
def test_a_name_of_the_lms_is_looked_up_in_the_roster(name: str, whose: str) -> None:
    assert Students(CLASS).whose(name)[0] == whose


@pytest.mark.parametrize(
    ("name", "roster", "advice"),
    [
        ("Ada Lovelace_1_assignsubmission_file_/a.ipynb", {}, "list the class in students.csv"),
        ("Ada_1_assignsubmission_file_a1.ipynb", CLASS, "nobody in students.csv has this name:"),
        ("Emmy Noether_1_assignsubmission_file_a1.ipynb", CLASS, "s4 and s5 and 4713 .* rename it"),
        ("curiemarie_4711_98765_a1.ipynb", CLASS, "by 'curiemarie', and nobody .*: add a line"),
        ("marie_a1.ipynb", CLASS, "nobody in students.csv has the id marie: add a line"),
        ("a1_ada.ipynb", CLASS, "which is an assignment"),
        ("a1.ipynb", CLASS, "does not say whose it is"),
    ],
)
def test_advice_says_what_to_set(name: str, roster: dict, advice: str) -> None:
    with pytest.raises(ValueError, match=advice):
        Students(roster, ["a1"]).whose(name)


@pytest.mark.parametrize(
    "own", ["s2_a1", "leekim_1_98765_a1", "Kim Lee_2_assignsubmission_file_/a1"]
)
@pytest.mark.parametrize(
    "folder", ["Ada Lovelace_1_assignsubmission_file_", "Eve_1_assignsubmission_file"]
)
def test_nobody_hands_in_for_another_by_the_name_of_a_file(folder: str, own: str) -> None:
    students = Students(CLASS)
    if folder.startswith("Ada"):
        assert students.whose(f"{folder}/{own}.ipynb")[0] == "s1"
        assert students.whose(f"{folder}{own}.ipynb")[0] == "s1"
    else:
        with pytest.raises(ValueError, match="'Eve', and nobody"):
            students.whose(f"{folder}/{own}.ipynb")


def test_without_a_roster_canvas_names_students_by_its_number() -> None:
    student, told = Students({}).whose("lovelaceada_4711_98765_a1.ipynb")
    assert (student, told.canvas) == ("4711", "4711")


@pytest.mark.parametrize(
    ("form", "name", "whose"),
    [
        (r"a1_(?P<id>\w+)_attempt_[^/]*", "a1_s4_attempt_2026.ipynb", "s4"),
        (r"[^/]*\((?P<email>[^/]+)\)[^/]*", "Work (ADA@x.org) final.ipynb", "s1"),
        (r"[^/]*\((?P<email>[^/]+)\)[^/]*", "s2_a1.ipynb", "s2"),
    ],
)
def test_a_form_of_ones_own_is_one_more(form: str, name: str, whose: str) -> None:
    assert Students(CLASS, ["a1"], form).whose(name)[0] == whose


@pytest.mark.parametrize("form", [r"(?P<student_id>\w+)_.*", r"\w+", "(?P<id>"])
def test_a_form_without_a_student_says_what_it_needs(form: str) -> None:
    with pytest.raises(Stop, match="called id, name or email"):
        Newest(config=Config(Newest={"form": form}))


# -- the way back


@pytest.fixture
def course(tmp_path: Path) -> Folder:
    """A course whose feedback for a1 is written: s1 by Moodle, s2 by exchange, s4 by hand."""
    course = Folder(tmp_path)
    for student in ("s1", "s2", "s4"):
        page = course.file("feedback", student, "a1").with_suffix(".html")
        page.parent.mkdir(parents=True)
        page.write_text(f"for {student}")
    course.file("feedback", "s2", "a1").with_name(SECRET).write_text("x")
    (tmp_path / "downloaded" / "a1").mkdir(parents=True)
    names = {"s1": "x/Ada Lovelace_1_assignsubmission_file_/../../my work.ipynb"}
    told = {student: Students(CLASS).whose(name)[1] for student, name in names.items()}
    returning.remember(tmp_path / "downloaded" / "a1", told)
    return course


def test_each_page_goes_back_by_the_way_on_which_the_work_came(course: Folder) -> None:
    packed, exchanged, by_hand = returning.give_back(course, {"s1", "s2", "s4"}, "a1")
    with zipfile.ZipFile(course.folder / "feedback" / "a1.zip") as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {
            "Ada Lovelace_1_assignsubmission_file_/my work.html": b"for s1"
        }
    assert "has 1 page," in packed and "--CourseDirectory.student_id_exclude=s1,s4`" in exchanged
    assert "s4" in by_hand
    assert len(list(returning.give_back(course, {"s4"}, "a1"))) == 0


def test_names_are_remembered_until_a_newer_file_comes(course: Folder) -> None:
    folder = course.folder / "downloaded" / "a1"
    returning.remember(folder, {"s4": Students(CLASS).whose("s4_9_98765_a1.ipynb")[1]})
    assert set(returning.recall(folder)) == {"s1", "s4"}
    for name, file in (("a2", "x_77_98765_a2.ipynb"), ("a3", "4712_a3.ipynb")):
        course.source(name).parent.mkdir(parents=True)
        course.source(name).touch()
        (course.folder / "downloaded" / name).mkdir()
        told = Students(CLASS | {"77": Enrolled("77", "x")}).whose(file)[1]
        returning.remember(course.folder / "downloaded" / name, {"4712": told})
    assert returning.canvas_numbers(course) == {"4712": "77"}


LINES = [
    {"student_id": "s1", "name": "Lovelace, Ada", "email": "ada@x.org", "a1": 17.5, "a2": ""},
    {"student_id": "s4", "name": "", "email": "", "a1": "", "a2": 3.0},
]


@pytest.mark.parametrize(
    ("lms", "text"),
    [
        (
            "canvas",
            [
                ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "a1", "a2"],
                ["    Points Possible", "", "", "", "", "20.0", "12.0"],
                ["Lovelace, Ada", "4711", "s1", "s1", "", "17.5", ""],
                ["s4", "", "s4", "s4", "", "", "3.0"],
            ],
        ),
        (
            "moodle",
            [
                ["ID number", "Full name", "Email address", "a1", "a2"],
                ["s1", "Lovelace, Ada", "ada@x.org", "17.5", ""],
                ["s4", "", "", "", "3.0"],
            ],
        ),
    ],
)
def test_a_table_has_the_header_that_the_lms_expects(
    lms: str, text: list[list[str]], tmp_path: Path
) -> None:
    rows = grades.for_lms(lms, LINES, {"a1": 20.0, "a2": 12.0}, {"s1": "4711"})
    tables.write(rows, tmp_path / "grades.csv")
    with (tmp_path / "grades.csv").open(newline="", encoding="utf-8") as file:
        assert list(csv.reader(file)) == text
