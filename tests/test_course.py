"""The course: one sentence for whatever is missing, and a class of students who don't exist."""

import csv
import os
import platform
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
import psutil
import pytest
from bs4 import BeautifulSoup

from coursework.course import HERE, Course, Stop
from coursework.sandbox import box, seccomp
from coursework.sandbox.box import Limits, trouble
from coursework.sandbox.student import Student, Times
from coursework.sandbox.wire import NoAnswer
from coursework.synthetic import people, sample
from coursework.synthetic.run import Row, run, table

ROOT = HERE.parent
needs_a_sandbox = pytest.mark.usefixtures("sandbox")


@pytest.fixture(scope="session")
def sandbox() -> None:
    """Skip a test where this machine has no sandbox, asked once and by whoever runs such a test."""
    if trouble() is not None:
        pytest.skip(trouble())


def is_a_sentence(text: str) -> bool:
    return text.endswith(".") and len(text.splitlines()) == 1 and text[0].isupper()


@pytest.fixture
def course(tmp_path: Path) -> Course:
    """A course with the sample assignment."""
    folder = tmp_path / "a course"
    source = folder / "source" / "a0"
    source.mkdir(parents=True)
    nbformat.write(sample.notebook(), source / "a0.ipynb")
    return Course(folder)


# -- whatever is missing


@pytest.mark.parametrize(
    ("step", "arguments", "advice"),
    [
        ("release", ("a9",), "name one of a0"),
        ("collect", ("a9",), "name one of a0"),
        ("grade", ("../a0",), "name one of a0"),
        ("collect", ("a0",), "run `make release A=a0` first"),
        ("grade", ("a0",), "run `make release A=a0` first"),
        ("feedback", ("a0",), "run `make grade A=a0` first"),
        ("gradebook", (), "run `make release A=a1` first"),
    ],
)
def test_a_step_too_early_says_which_comes_first(
    course: Course, step: str, arguments: tuple, advice: str
) -> None:
    with pytest.raises(Stop, match=advice) as caught:
        getattr(course, step)(*arguments)
    assert is_a_sentence(str(caught.value))


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [((), "one of release, collect"), (("dance",), "'dance'"), (("release",), "A=a1")],
)
def test_a_command_that_is_none_says_what_there_is(arguments: tuple, advice: str) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "coursework", *arguments], cwd=ROOT, text=True, capture_output=True
    )
    assert result.returncode == 1 and advice in result.stderr
    assert is_a_sentence(result.stderr.strip())


def test_without_a_sandbox_nothing_is_graded(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = course.folder / "release" / "a0"
    release.mkdir(parents=True)
    release.joinpath("a0.ipynb").write_text("{}")
    monkeypatch.setattr(box.shutil, "which", lambda name: None)
    trouble.cache_clear()
    try:
        with pytest.raises(Stop, match="install it.*UNSAFE=1") as caught:
            course.grade("a0")
        with pytest.raises(Stop, match="install it.*UNSAFE=1"):
            course.prepare()
    finally:
        trouble.cache_clear()
    assert is_a_sentence(str(caught.value))


@needs_a_sandbox
def test_a_sandbox_without_the_library_grades_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would give everybody 0 points."""
    folders = [folder for folder in box._readable() if folder.name != "seqdec_lib"]
    monkeypatch.setattr(box, "_readable", lambda: folders)
    trouble.cache_clear()
    try:
        assert "seqdec_lib" in trouble() and is_a_sentence(trouble())
    finally:
        trouble.cache_clear()


@pytest.mark.slow
def test_what_nbgrader_says_is_kept(course: Course) -> None:
    (course.folder / "source" / "a0" / "a0.ipynb").write_text("no notebook")
    with pytest.raises(Stop, match="generate_assignment failed .*log"):
        course.release("a0")
    assert (course.folder / "log" / "generate_assignment.log").stat().st_size > 0


# -- the sandbox


@pytest.fixture
def student(sandbox: None) -> Iterator[Student]:
    """A student's notebook in a sandbox."""
    student = Student(Limits(memory=1_000_000_000), Times(cell=3, call=2, all=60))
    yield student
    student.end()


def test_values_and_functions_of_a_notebook_are_used_from_outside(student: Student) -> None:
    student.run("import numpy as np\nx = np.arange(3)\ndef f(a, b=1): return a * b, 'text'")
    assert student.look("x").tolist() == [0, 1, 2]
    assert student.look("f")(2, b=3) == [6, "text"]
    with pytest.raises(KeyError):
        student.look("gone")
    with pytest.raises(NoAnswer, match="module came"):
        student.look("np")


def test_the_sandbox_finds_the_library_of_the_tests_outside(
    student: Student, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not one that happens to be installed."""
    library = shutil.copytree(box.LIBRARY, tmp_path / "seqdec_lib")
    monkeypatch.setattr(box, "LIBRARY", library)
    student.run("import seqdec_lib\nwhere = seqdec_lib.__file__")
    assert student.look("where") == str(library / "__init__.py")


def test_after_an_end_the_cells_that_went_well_run_again(student: Student) -> None:
    student.run("x = 1")
    assert student.run("x = 2\nimport os\nos._exit(0)")[-1].ename == "Stopped"
    assert student.look("x") == 1


@needs_a_sandbox
def test_all_cells_together_have_their_cpu_seconds() -> None:
    student = Student(Limits(), Times(cell=3, call=2, all=4))
    work = "import time\nend = time.process_time() + 1\nwhile time.process_time() < end: pass"
    try:
        student.run("def twice(x): return 2 * x")
        outputs = [student.run(work) for _ in range(6)]
        assert student.look("twice")(3) == 6, "a test finds some seconds left"
    finally:
        student.end()
    assert not outputs[0] and "seconds" in outputs[-1][-1].evalue
    assert sum(not output for output in outputs) <= 3


@needs_a_sandbox
def test_all_cells_together_have_their_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("coursework.sandbox.student.LARGEST_OUTPUTS", 2500)
    student = Student(Limits(), Times(cell=3, call=2, all=60))
    try:
        texts = [student.run("print('x' * 1000)")[0].text for _ in range(3)]
    finally:
        student.end()
    assert len(texts[1]) > 1000 and "dropped" in texts[2]


def test_a_link_in_place_of_the_kernels_socket_leads_nowhere(
    student: Student, tmp_path: Path
) -> None:
    with socket.socket(socket.AF_UNIX) as host:
        host.bind(str(tmp_path / "host"))
        host.listen()
        host.settimeout(1)
        outputs = student.run(
            "import os\nos.remove('/run/kernel/k-2')\n"
            f"os.symlink({str(tmp_path / 'host')!r}, '/run/kernel/k-2')\nprint('x' * 5_000_000)"
        )
        assert "out of reach" in outputs[-1].evalue
        with pytest.raises(TimeoutError):
            host.accept()


def test_the_sandbox_has_none_of_our_environment_and_no_rights(
    student: Student, monkeypatch: pytest.MonkeyPatch
) -> None:
    student.run("import os, pathlib\nnames = list(os.environ)\nuser = os.getuid()")
    assert not set(student.look("names")) & {"PYTEST_CURRENT_TEST", "SSH_AUTH_SOCK", "OLDPWD"}
    student.run(
        "status = pathlib.Path('/proc/self/status').read_text()\n"
        "rights = dict(line.split(':\\t') for line in status.splitlines())\n"
        "capable = [int(value, 16) for name, value in rights.items() if name.startswith('Cap')]\n"
        "there = [f'/proc/self/fd/{number}' for number in range(200)]\n"
        "files = [os.readlink(file) for file in there if os.path.lexists(file)]\n"
        "writable = [d for d in ('/', '/usr', '/etc', '/dev', '/run') if os.access(d, os.W_OK)]\n"
        "own = sorted(p for p in os.listdir('/proc') if p.isdigit())"
    )
    assert len(student.look("capable")) == 5 and not any(student.look("capable"))
    assert student.look("rights")["NoNewPrivs"] == "1"
    warm = Path(f"/proc/{box._warm(box.LIBRARY).process.pid}/fd")
    theirs = {os.readlink(file) for file in warm.iterdir()} - {os.devnull}
    assert len(theirs) >= 2 and not theirs & set(student.look("files")), "no way to who started it"
    assert student.look("writable") == []
    assert len(student.look("own")) <= 3, "no process but its own"
    if os.geteuid() == 0:
        assert student.look("user") > 1000


@pytest.mark.skipif(platform.machine() not in seccomp.REFUSED, reason="no filter for this machine")
def test_memory_that_nobody_would_count_is_refused(student: Student) -> None:
    clone, new_user = seccomp.REFUSED[platform.machine()][1], seccomp.CLONE_NEWUSER
    student.run(
        "import ctypes, subprocess, threading\nsystem = ctypes.CDLL(None)\n"
        "def ask(name, *arguments): return getattr(system, name)(*arguments)"
    )
    ask = student.look("ask")
    assert ask("memfd_create", "x", 0) == -1
    assert ask("shmget", 0, 1000, 0o1600) == -1
    assert ask("unshare", new_user) == -1
    assert ask("syscall", clone, new_user | 17, 0, 0, 0, 0) == -1
    assert ask("syscall", seccomp.CLONE3, 0, 0) == -1
    student.run("x = subprocess.run(['true']).returncode\nthreading.Thread(target=ask).start()")
    assert student.look("x") == 0, "other processes and threads are allowed"


@needs_a_sandbox
def test_nothing_goes_from_one_sandbox_to_another() -> None:
    one, other = (Student(Limits(), Times(cell=3, call=2, all=60)) for _ in range(2))
    try:
        for student in (one, other):
            student.run("import os, seqdec_lib, matplotlib as m\nbefore = os.listdir()\nm.mark = 1")
        one.run("open('left', 'w').close()\nseqdec_lib.mark = 1\nuser = os.getuid()")
        other.run(
            "found = os.listdir() != before or hasattr(seqdec_lib, 'mark')\nuser = os.getuid()"
        )
        assert other.look("found") is False
        assert os.geteuid() or one.look("user") != other.look("user")
    finally:
        one.end()
        other.end()


@needs_a_sandbox
def test_a_warm_process_that_died_is_started_again(student: Student) -> None:
    student.run("x = 1")
    warm = box._warm(box.LIBRARY)
    first = warm.process
    first.kill()
    first.wait()
    assert student.look("x") == 1, "a kernel needs it no more"
    student.end()
    assert student.look("x") == 1 and warm.process is not first


@needs_a_sandbox
def test_a_sandbox_that_no_kernel_enters_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(*_: object) -> int:
        raise box.NoSandbox("No kernel could enter a sandbox: it was refused.")

    monkeypatch.setattr(box.Warm, "kernel", refuses)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = set(psutil.Process().children())
    with pytest.raises(box.NoSandbox, match="refused"):
        box.Box(Limits())
    assert not any(tmp_path.iterdir())
    assert set(psutil.Process().children()) == before


def test_unsafe_runs_without_a_sandbox() -> None:
    student = Student(Limits(), Times(cell=3, call=2, all=60), unsafe=True)
    try:
        student.run("def f(x): return [x]")
        assert student.look("f")(3) == [3]
    finally:
        student.end()


# -- the class


@pytest.fixture(scope="module")
def rows(sandbox: None) -> list[Row]:
    """Everybody and what they got; some minutes."""
    return run()


def test_everybody_gets_what_they_should(rows: list[Row]) -> None:
    print(table(rows))
    assert all(row.right for row in rows), table(rows)


def test_the_class_is_complete(rows: list[Row]) -> None:
    for assignment in Course().assignments():
        there = {row.student for row in rows if row.assignment == assignment}
        assert {"perfect", "empty", "mistaken-1", "mistaken-2"} <= there
    hostile = [row for row in rows if row.assignment == "a0"]
    assert len(hostile) >= 25 and all(row.feedback for row in hostile)


@needs_a_sandbox
def test_a_week_from_release_to_the_table_of_grades(course: Course) -> None:
    """As an instructor does it, with an archive from an LMS, and a written answer to read."""
    course.release("a0")
    released = nbformat.read(course.folder / "release" / "a0" / "a0.ipynb", as_version=4)
    archive = course.folder / "downloaded" / "a0" / "archive"
    with pytest.raises(Stop, match="Nothing was handed in yet"):
        course.collect("a0")
    solved = people.solved(released, sample.notebook())
    solved.cells[-1].source = "Because <script>alert('read')</script> <b onclick='read()'>so</b>."
    nbformat.write(solved, archive / "ada_a0.ipynb")
    nbformat.write(released, archive / "emmy_77_my homework.ipynb")
    assert "Collected 2 submissions" in course.collect("a0")
    emmys = course.folder / "submitted" / "emmy" / "a0"
    emmys.joinpath("key.txt").symlink_to(course.folder / "source" / "a0" / "a0.ipynb")
    emmys.parent.with_name("eve").mkdir()
    emmys.parent.with_name("eve").joinpath("a0").symlink_to(course.folder / "source")
    assert "Graded 3" in course.grade("a0")
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{course.folder / 'gradebook.db'}") as gradebook:
        gradebook.add_student("kim")
        gradebook.add_submission("a0", "kim")  # and then grading it failed
    course.gradebook()
    lines = list(csv.DictReader(course.folder.joinpath("grades.csv").open()))
    assert [(line["student_id"], line["a0"], line["to_read"]) for line in lines] == [
        ("ada", "5.0", "1"),
        ("emmy", "0.0", "0"),
        ("eve", "0.0", "0"),
        ("kim", "", "0"),
    ]
    with Gradebook(f"sqlite:///{course.folder / 'gradebook.db'}") as gradebook:
        grade = gradebook.find_grade("why", "a0", "a0", "ada")
        grade.manual_score, grade.needs_manual_grade = 1, False
        gradebook.db.commit()
    course.feedback("a0")
    page = (course.folder / "feedback" / "ada" / "a0" / "a0.html").read_text(encoding="utf-8")
    assert "np.polyval" not in page and "hidden tests" in page
    assert "Because" in page and "alert('read')" in page  # as text, and nowhere else
    html = BeautifulSoup(page, "html.parser")
    assert not html.find_all(onclick=True)
    assert not [script for script in html.find_all("script") if "alert('read')" in script.text]
    for step in ("autograded", "feedback"):
        kept = {path.name for path in (course.folder / step).glob("*/a0/*")}
        assert kept <= {"a0.ipynb", "a0.html", "timestamp.txt"}
    course.gradebook()
    first = next(csv.DictReader(course.folder.joinpath("grades.csv").open()))
    assert first["total"] == first["out_of"] == "6.0" and first["to_read"] == "0"
