"""The course: one sentence for whatever is missing, and a class of students who don't exist."""

import csv
import os
import platform
import re
import shutil
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import nbformat
import psutil
import pytest
from bs4 import BeautifulSoup
from nbgrader.auth import Authenticator
from nbgrader.coursedir import CourseDirectory
from nbgrader.exchange import default as exchange

from coursework import skeleton
from coursework.course import HERE, Course, Stop
from coursework.folder import SECRET
from coursework.grading import done
from coursework.sandbox import box, seccomp
from coursework.sandbox.box import Limits, trouble
from coursework.sandbox.forks import NoSandbox
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


def with_sample(folder: Path) -> Course:
    """A course with the sample assignment."""
    source = folder / "source" / "a0"
    source.mkdir(parents=True)
    nbformat.write(sample.notebook(), source / "a0.ipynb")
    return Course(folder)


@pytest.fixture
def course(tmp_path: Path) -> Course:
    """A course that nobody has touched."""
    return with_sample(tmp_path / "a course")


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
    [((), "one of assignment, release"), (("dance",), "'dance'"), (("release",), "A=a1")],
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


def edit(course: Course, name: str, source: str | None) -> None:
    """Change a cell in the source of a0, or take it out."""
    notebook = sample.notebook()
    for cell in list(notebook.cells):
        if cell.metadata.nbgrader.grade_id == name:
            cell.source = source
            if source is None:
                notebook.cells.remove(cell)
    nbformat.write(notebook, course.source("a0"))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")  # of nbgrader's own saving
def test_a_release_that_fails_changes_nothing(course: Course) -> None:
    course.release("a0")
    released = course.folder / "release" / "a0" / "a0.ipynb"
    with course.database() as gradebook:
        before = released.read_bytes(), done.tests_of(gradebook, "a0")
        gradebook.add_student("ada")
        gradebook.add_submission("a0", "ada")
    edit(course, "nodes-test", "### BEGIN HIDDEN TESTS\nassert True")
    with pytest.raises(Stop, match="generate_assignment failed .*log"):
        course.release("a0")
    assert course.log("generate_assignment").stat().st_size > 0
    edit(course, "why", None)
    with pytest.raises(Stop, match=r"why \(gone\).*DROPPED") as caught:
        course.release("a0")
    assert is_a_sentence(str(caught.value))
    with course.database() as gradebook:
        assert (released.read_bytes(), done.tests_of(gradebook, "a0")) == before
    edit(course, "nothing", "")
    settings = course.folder / "nbgrader_config.py"
    settings.write_text("c = get_config()\nc.Drop.dropped = ['wy']\n")
    with pytest.raises(Stop, match="no problem wy"):
        course.release("a0")
    settings.write_text("c = get_config()\nc.Drop.dropped = ['why']\n")
    course.release("a0")
    with course.database() as gradebook:
        assert gradebook.find_assignment("a0").max_score == 5


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


def test_what_processes_share_is_counted_once_and_what_they_hide_is_counted(
    student: Student,
) -> None:
    """Seven processes seem to have 2 GB, of which each has nearly nothing for itself."""
    student.run(
        "import os, time\nshared = b'x' * 200_000_000\n"
        "children = [os.fork() or time.sleep(100) for _ in range(6)]"
    )
    time.sleep(5 * box.LOOKS)
    sandbox = student._kernel.box
    processes = sandbox._processes()
    seeming = sum(int((process / "statm").read_text().split()[1]) for process in processes)
    assert seeming * os.sysconf("SC_PAGE_SIZE") > sandbox.limits.memory and sandbox.running
    orphans = (
        "for _ in range(3):\n    if os.fork() == 0:\n        os.setsid()\n"
        "        if os.fork() == 0:\n            own = b'y' * 300_000_000\n"
        "            time.sleep(100)\n        os._exit(0)\ntime.sleep(30)"
    )
    outputs = student.run(orphans)
    assert "GB of memory" in outputs[-1].evalue


def test_what_cannot_be_counted_is_ended(student: Student) -> None:
    student.run("x = 1")
    sandbox = student._kernel.box
    sandbox._inside = "gone"
    time.sleep(5 * box.LOOKS)
    assert not sandbox.running and "could not be counted" in sandbox.ended_by


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
def test_a_warm_process_of_another_program_is_joined_as_long_as_it_is_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """So it is started once, however many programs grade."""
    address, other = box.share(), box._warm.__wrapped__(box.LIBRARY)
    monkeypatch.setattr(box, "_warm", lambda library: other)
    for there in (address, address + "-gone"):
        box.join(there)
        student = Student(Limits(), Times(cell=3, call=2, all=60))
        student.run("x = 1")
        assert student.look("x") == 1 and (other.process is None) == (there == address)
        student.end()


@needs_a_sandbox
def test_a_sandbox_that_no_kernel_enters_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(*_: object) -> int:
        raise NoSandbox("No kernel could enter a sandbox: it was refused.")

    monkeypatch.setattr(box.Warm, "kernel", refuses)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = set(psutil.Process().children())
    with pytest.raises(NoSandbox, match="refused"):
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


# -- a term, with its accidents


def points(course: Course, *names: str) -> list[tuple[str, ...]]:
    """The table of grades, of which these columns."""
    course.gradebook()
    with (course.folder / "grades.csv").open(encoding="utf-8") as file:
        return [tuple(line[name] for name in names) for line in csv.DictReader(file)]


def hand_in(course: Course, name: str, notebook: nbformat.NotebookNode, day: int) -> None:
    """Put a file into the download of a0, with the date of a day in October."""
    place = course.folder / "downloaded" / "a0" / "archive" / name
    place.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, place)
    at = time.mktime((2026, 10, day, 12, 0, 0, 0, 0, -1))
    os.utime(place, (at, at))


def through_the_exchange(course: Course, step: str, student: str = "*", but: str = "") -> None:
    """Do what a command of nbgrader does on JupyterHub, whose exchange is a folder of all.

    The student's home is a folder beside the course.
    """
    config, beside = course.config(), course.folder.parent
    config.Exchange.root, config.Exchange.cache = str(beside / "exchange"), str(beside / "cache")
    config.Exchange.assignment_dir = str(beside / "home")
    config.CourseDirectory.root = str(course.folder)
    config.CourseDirectory.student_id_exclude = but
    folder = CourseDirectory(config=config, assignment_id="a0", student_id=student)
    kind = getattr(exchange, f"Exchange{step}")
    kind(coursedir=folder, authenticator=Authenticator(config=config), config=config).start()


def hand_in_through_the_exchange(course: Course, student: str, cells: dict[str, str]) -> None:
    """Release, fetch, write, submit and collect."""
    for folder in ("exchange", "home"):
        course.folder.with_name(folder).mkdir(mode=0o777)
    through_the_exchange(course, "ReleaseAssignment")
    through_the_exchange(course, "FetchAssignment", student)
    notebook = course.folder.parent / "home" / "a0" / "a0.ipynb"
    fetched = nbformat.read(notebook, as_version=4)
    nbformat.write(people.filled_in(fetched, cells), notebook)
    through_the_exchange(course, "Submit", student)
    through_the_exchange(course, "Collect")


@pytest.fixture(scope="module")
def term(
    sandbox: None, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Course, nbformat.NotebookNode]:
    """A course after its first week: a0 came as files, by hand, through the exchange; graded."""
    course = with_sample(tmp_path_factory.mktemp("term") / "a course")
    course.release("a0")
    released = nbformat.read(course.folder / "release" / "a0" / "a0.ipynb", as_version=4)
    with pytest.raises(Stop, match="Nothing was handed in yet"):
        course.collect("a0")
    course.folder.joinpath("students.csv").write_text(
        "id,name\nkim,Kim Lee\nada,Ada\nemmy,=1+1\njoan,Joan\n"
    )
    course.deadline("a0", "2026-10-09 18:00")
    course.deadline("a0", "2026-10-12", who="emmy")
    course.deadline("a0", "2999-10-12", who="joan")
    solved = people.solved(released, sample.notebook())
    solved.cells[-1].source = "Because <script>alert('read')</script> <b onclick='read()'>so</b>."
    hand_in(course, "ada_a0.ipynb", solved, day=10)
    hand_in(course, "emmy_77_my homework.ipynb", released, day=11)
    hand_in(course, "a0_ada.ipynb", released, day=11)
    assert "Collected 2 of 3 files" in course.collect("a0")
    emmys = course.folder / "submitted" / "emmy" / "a0"
    emmys.joinpath("key.txt").symlink_to(course.source("a0"))
    emmys.parent.with_name("eve").mkdir()
    emmys.parent.with_name("eve").joinpath("a0").symlink_to(course.folder / "source")
    hand_in_through_the_exchange(course, "joan", {"nodes": sample.NODES})
    assert "Graded 4" in course.grade("a0")
    return course, solved


def test_a_week_from_release_to_the_table_of_grades(
    term: tuple, capsys: pytest.CaptureFixture
) -> None:
    """As an instructor does it, with files from an LMS, and a written answer to read."""
    course, _ = term
    columns = ("student_id", "name", "a0", "a0_hours_late", "total", "out_of", "to_read")
    assert points(course, *columns) == [
        ("kim", "Kim Lee", "", "", "0", "6.0", "0"),
        ("ada", "Ada", "5.0", "18.0", "5.0", "6.0", "1"),
        ("emmy", "'=1+1", "0.0", "0.0", "0.0", "6.0", "0"),
        ("joan", "Joan", "2.0", "0.0", "2.0", "6.0", "0"),
        ("eve", "", "0.0", "", "0.0", "6.0", "0"),
    ]
    with pytest.raises(Stop, match=r"Nobody has read 1 answer yet \(why\), of ada: .*UNREAD=1"):
        course.feedback("a0")
    with course.database() as gradebook:
        grade = gradebook.find_grade("why", "a0", "a0", "ada")
        grade.manual_score, grade.needs_manual_grade = 1, False
        gradebook.find_comment("why", "a0", "a0", "ada").manual_comment = "Well put."
        gradebook.db.commit()
    course.feedback("a0")
    others = re.search("student_id_exclude=(.*)`", capsys.readouterr().out)[1]
    assert others == "ada,emmy,eve"
    page = (course.folder / "feedback" / "ada" / "a0" / "a0.html").read_text(encoding="utf-8")
    assert "np.polyval" not in page and "hidden tests" in page
    assert "Because" in page and "alert('read')" in page  # as text, and nowhere else
    html = BeautifulSoup(page, "html.parser")
    assert not html.find_all(onclick=True)
    assert not [script for script in html.find_all("script") if "alert('read')" in script.text]
    rows = [[c.text.strip() for c in row.find_all("td")] for row in html.table.find_all("tr")[1:]]
    assert rows == [
        ["1. The return", "3 of 3", ""],
        ["2. The nodes (a)", "2 of 2", ""],
        ["2. The nodes (b)", "1 of 1", "comment"],
    ]
    targets = {anchor.get("name") or anchor.get("id") for anchor in html.find_all(True)}
    assert {a["href"][1:] for a in html.table.find_all("a")} <= targets
    for step in ("autograded", "feedback"):
        kept = {path.name for path in (course.folder / step).glob("*/a0/*")}
        assert kept <= {"a0.ipynb", "a0.html", "timestamp.txt", SECRET}
    with zipfile.ZipFile(course.folder / "feedback" / "a0.zip") as archive:
        assert archive.namelist() == ["ada_a0.html", "emmy_77_my homework.html"]
    through_the_exchange(course, "ReleaseFeedback", but=others)
    through_the_exchange(course, "FetchFeedback", "joan")
    (fetched,) = course.folder.parent.glob("home/a0/feedback/*/a0.html")
    assert fetched.read_bytes() == course.folder.joinpath("feedback/joan/a0/a0.html").read_bytes()
    assert points(course, "total", "out_of", "to_read")[1] == ("6.0", "6.0", "0")
    assert "grades-canvas.csv" in course.gradebook("canvas")
    with pytest.raises(Stop, match="say LMS=canvas or LMS=moodle"):
        course.gradebook("ilias")


def test_corrected_files_mended_tests_and_one_student(
    term: tuple, capsys: pytest.CaptureFixture
) -> None:
    """The file is older than the one before, as an LMS may have it."""
    course, solved = term
    with course.database() as gradebook:
        grade = gradebook.find_grade("why", "a0", "a0", "ada")
        grade.manual_score, grade.needs_manual_grade = 1, False
        gradebook.db.commit()
    course.assignment("hw1")
    hand_in(course, "ada_a0.ipynb", people.filled_in(solved, {"why": "Or not."}), day=5)
    hand_in(course, "emmy_9.ipynb", skeleton.notebook("hw1"), day=12)
    course.collect("a0")
    assert "'emmy_9.ipynb' holds the cells of hw1: ask emmy for a0." in capsys.readouterr().out
    place = course.file("submitted", "eve", "a0")
    place.write_bytes((course.folder / "downloaded/a0/archive/emmy_9.ipynb").read_bytes())
    edit(course, "nodes-test", sample.NODES_TEST.replace("- 1) // (", "+ 1) // ("))
    with pytest.raises(Stop, match="name one of ada, emmy, eve, joan"):
        course.grade("a0", who="kim")
    told = course.grade("a0", who="emmy")
    assert "Graded 1 submission of a0." in told and "3 more; run `make grade A=a0`." in told
    assert points(course, "student_id", "a0")[1:] == [
        ("ada", ""),
        ("emmy", "0.0"),
        ("joan", ""),
        ("eve", ""),
    ]
    with pytest.raises(Stop, match=r"Graded 3 of 4 submissions\. Not graded: eve\."):
        course.grade("a0")
    assert "What eve handed in holds the cells of hw1" in capsys.readouterr().out
    assert points(course, "a0", "a0_hours_late", "to_read")[1:] == [
        ("3.0", "0.0", "1"),
        ("0.0", "0.0", "0"),
        ("0.0", "0.0", "0"),
        ("", "", "0"),
    ], "the tests are the mended ones, and the new answer is unread"
    old = course.file("feedback", "eve", "a0").with_suffix(".html")
    old.parent.mkdir(parents=True, exist_ok=True)
    old.write_text("from before", encoding="utf-8")
    assert "Wrote 3 pages" in course.feedback("a0", unread=True)
    assert not old.exists()
    assert "No page for eve" in capsys.readouterr().out
    page = (course.folder / "feedback" / "ada" / "a0" / "a0.html").read_text(encoding="utf-8")
    assert page.count("nobody has read it yet") == 2 and "which had 1 point" in page
    assert "Score: 0.0 / 1.0" not in page, "it has no points yet, and not none"
    html = BeautifulSoup(page, "html.parser")
    assert html.h1.text == "a0 of Ada: 3 of 6 points so far; 1 waits to be read"
    assert html.title.text == "a0 of Ada"
