"""The assignments: the solved notebook is perfect, the released one is kind, mistakes lose points.

Each notebook runs in this process, without a kernel; the whole way through the grader is tested
elsewhere.
"""

import copy
import importlib
import json
import re
from collections.abc import Iterator

import matplotlib.pyplot as plt
import nbformat
import pytest
import torch
from nbformat import NotebookNode
from nbgrader.preprocessors import ClearHiddenTests, ClearSolutions

from coursework.record import ASSIGNMENTS, CHECKS, COURSEWORK, recordings, solutions
from seqdec_lib.checks import OF_ASSIGNMENTS, OF_CHAPTERS, judge
from seqdec_lib.checks.workshop import Partly, judge_laws

POINTS = dict.fromkeys(ASSIGNMENTS, 20) | {"a6": 40}
STUDENTS = ("ada", "emmy", "kim")
LONG = "a6-train"  # whose test trains a network; for one student, and for those of the class


def notebook_of(assignment: str) -> NotebookNode:
    return nbformat.read(COURSEWORK / "source" / assignment / f"{assignment}.ipynb", as_version=4)


def info(cell: NotebookNode) -> dict:
    return cell.metadata["nbgrader"]


def solution_cells(notebook: NotebookNode) -> Iterator[NotebookNode]:
    return (c for c in notebook.cells if c.cell_type == "code" and info(c)["solution"])


def written_cells(notebook: NotebookNode) -> Iterator[NotebookNode]:
    return (c for c in notebook.cells if c.cell_type == "markdown" and info(c)["grade"])


def released(notebook: NotebookNode, hidden: bool = False) -> NotebookNode:
    """What a student gets; with `hidden`, what the grader runs if nothing was filled in."""
    clear = ClearSolutions(code_stub={"python": "raise NotImplementedError"})
    notebook, _ = clear.preprocess(copy.deepcopy(notebook), {})
    return notebook if hidden else ClearHiddenTests().preprocess(notebook, {})[0]


def is_test_of(cell: NotebookNode, problem: str | None) -> bool:
    """Whether a cell is the test of a problem: hidden cases, or laws."""
    return info(cell)["grade_id"] in (f"{problem}-test", f"{problem}-laws")


def only_problems(notebook: NotebookNode, problem: str | None = None) -> NotebookNode:
    """The start, the solutions and a problem's test, or all with hidden cases; nothing else.

    The demonstrations take most of a notebook's time, and no test looks at what they made.
    """
    notebook.cells = [
        cell
        for cell in notebook.cells
        if cell.cell_type == "code"
        and (
            info(cell)["solution"]
            or info(cell)["grade_id"].endswith("-start")
            or is_test_of(cell, problem)
            or (problem is None and info(cell)["grade_id"].endswith("-test"))
        )
    ]
    return notebook


def run(
    notebook: NotebookNode, checked: bool = True, namespace: dict[str, object] | None = None
) -> dict[str, Exception | None]:
    """What each code cell raised, by its grade_id; the self-checks take their time."""
    namespace = {"__name__": "__main__"} if namespace is None else namespace
    raised: dict[str, Exception | None] = {}
    for cell in notebook.cells:
        if cell.cell_type == "code":
            name = info(cell)["grade_id"]
            raised[name] = None
            try:
                exec(compile(cell.source, name, "exec"), namespace)
            except Exception as error:
                raised[name] = error
            plt.close("all")
            if not checked:
                namespace["check"] = namespace["check_laws"] = lambda *arguments: None
    return raised


def mutants() -> Iterator[tuple[str, str, str]]:
    for assignment in ASSIGNMENTS:
        for cell, wrong in mutants_of(assignment).items():
            yield from ((assignment, cell, mistake) for mistake in wrong)


def mutants_of(assignment: str) -> dict[str, dict[str, str]]:
    return importlib.import_module(f"coursework.mutants.{assignment}").MUTANTS


@pytest.fixture(autouse=True)
def nothing_is_shown(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(plt, "show", lambda: None)
    threads, style = torch.get_num_threads(), dict(plt.rcParams)
    yield
    torch.set_num_threads(threads)
    plt.rcParams.update(style)


@pytest.mark.slow
@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_the_solved_notebook_is_perfect(
    assignment: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    """The notebook is the same for all students; their hidden cases are not."""
    notebook, names = notebook_of(assignment), {"__name__": "__main__"}
    solved = len(list(solution_cells(notebook)))
    monkeypatch.setenv("SEQDEC_STUDENT", STUDENTS[0])
    raised = run(notebook, namespace=names)
    assert {name: error for name, error in raised.items() if error} == {}
    out, err = capsys.readouterr()
    assert out.count("right, on all") == solved
    assert "waits for" not in out and not err
    tests = [c for c in notebook.cells if c.cell_type == "code" and info(c)["grade"]]
    assert len(tests) >= solved
    notebook.cells = [cell for cell in tests if not is_test_of(cell, LONG)]
    for student in STUDENTS[1:]:
        monkeypatch.setenv("SEQDEC_STUDENT", student)
        raised = run(notebook, namespace=names)
        assert {name: error for name, error in raised.items() if error} == {}


@pytest.mark.slow
@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_the_released_notebook_runs_to_its_end_and_is_kind(
    assignment: str, capsys: pytest.CaptureFixture
) -> None:
    notebook = notebook_of(assignment)
    given = released(notebook)
    assert not any(run(given).values())
    out, err = capsys.readouterr()
    stubs = list(solution_cells(given))
    assert all("raise NotImplementedError" in cell.source for cell in stubs)
    assert out.count("not filled in yet") == len(stubs) and not err
    text = nbformat.writes(given)
    for secret in ("HIDDEN TESTS", "SOLUTION", "def answer"):
        assert secret not in text


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_an_empty_submission_earns_nothing(assignment: str) -> None:
    notebook = released(notebook_of(assignment), hidden=True)
    raised = run(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code" and info(cell)["grade"]:
            error = raised[info(cell)["grade_id"]]
            assert isinstance(error, AssertionError) and "not filled in" in str(error)


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_points_and_problems_fit_together(assignment: str) -> None:
    notebook = notebook_of(assignment)
    graded = [c for c in notebook.cells if info(c)["grade"]]
    assert sum(info(cell)["points"] for cell in graded) == POINTS[assignment]
    assert f"**{POINTS[assignment]}**" in notebook.cells[0].source
    ids = [info(cell)["grade_id"] for cell in notebook.cells]
    assert len(set(ids)) == len(ids)
    solved = {info(cell)["grade_id"] for cell in solution_cells(notebook)}
    assert all(any(is_test_of(cell, name) for cell in graded) for name in solved)
    assert set(mutants_of(assignment)) == solved
    assert all(len(wrong) >= 2 for wrong in mutants_of(assignment).values())
    rubric = (COURSEWORK / "rubrics" / f"{assignment}.md").read_text(encoding="utf-8")
    for cell in written_cells(notebook):
        points = info(cell)["points"]
        word = f"{points} point" + "s" * (points != 1)
        _, _, about = rubric.partition(f"## `{info(cell)['grade_id']}`, {word}\n")
        about = about.partition("\n## ")[0]
        samples = {
            float(given) for given in re.findall(rf"^\*\*(\S+) of {word}\.\*\*", about, re.M)
        }
        assert len(samples) == 2 and samples <= {half / 2 for half in range(2 * points + 1)}
        assert about.count("\n**Ask back.** ") == 1 and about.count("?") >= 1


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_names_go_into_a_last_cell_that_nobody_grades(assignment: str) -> None:
    """An answer with names in it could not be read without knowing whose it is."""
    notebook = notebook_of(assignment)
    marks = info(notebook.cells[-1])
    assert "With whom?" in notebook.cells[-1].source
    assert not any(marks[name] for name in ("grade", "solution", "locked"))
    assert "name them in the last cell" in notebook.cells[0].source


def test_a_prediction_is_recorded_before_the_run(capsys: pytest.CaptureFixture) -> None:
    cells = {info(cell)["grade_id"]: cell.source for cell in notebook_of("a5").cells}
    setup = cells["a5-26"].partition("betas =")[0]  # the function, without its figure
    names = solutions("a5")
    exec(f"{setup}\nbetas = np.geomspace(30, 0.2, 25)", names)
    exec(cells["a5-trial"], names)
    asked = capsys.readouterr().out.splitlines()
    assert len(asked) == 4 and all("no prediction yet" in line for line in asked)
    exec(cells["a5-trial"].replace(": None,", ": 1,"), names)
    told = capsys.readouterr().out.splitlines()
    for line, unseen in zip(told, [True, True, False, False], strict=True):
        assert f"unseen={unseen}: predicted 1.00 nats" in line
        lowest, last = (
            float(found) for found in re.findall(r"([\d.]+) (?:there|at the end)", line)
        )
        assert (last > lowest + 0.1) == unseen and (last < lowest + 0.03) != unseen


@pytest.mark.slow
@pytest.mark.parametrize(("assignment", "cell", "mistake"), list(mutants()))
def test_a_mistake_loses_its_points(
    assignment: str, cell: str, mistake: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEQDEC_STUDENT", "grace")
    notebook = only_problems(notebook_of(assignment), cell)
    (wrong,) = (c for c in notebook.cells if info(c)["grade_id"] == cell)
    wrong.source = mutants_of(assignment)[cell][mistake]
    raised = run(notebook, checked=False)
    assert raised[cell] is None
    (error,) = (raised[info(c)["grade_id"]] for c in notebook.cells if is_test_of(c, cell))
    assert isinstance(error, AssertionError)
    first_two = list(mutants_of(assignment)[cell])[:2]
    assert mistake not in first_two or not isinstance(error, Partly), "the class expects 0 points"


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_the_visible_check_agrees_with_the_hidden_answer(
    assignment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It finds the same by another way, so what both call right is not just what one does."""
    verdicts = []
    monkeypatch.setattr(
        "seqdec_lib.checks.grade",
        lambda name, attempt, exercise: verdicts.append(judge(name, exercise.answer)),
    )
    raised = run(only_problems(notebook_of(assignment)), checked=False)
    assert not any(raised.values()) and len(verdicts) >= 3
    for verdict in verdicts:
        assert verdict.passed, verdict.text


@pytest.mark.parametrize(("assignment", "cell", "mistake"), list(mutants()))
def test_a_mistake_shows_in_the_visible_check(assignment: str, cell: str, mistake: str) -> None:
    """Laws are the same ones here and there, so a network isn't trained twice."""
    (source,) = (c.source for c in notebook_of(assignment).cells if info(c)["grade_id"] == cell)
    kind, name, arguments = re.search(
        r'^(check|check_laws)\("(\w+)", (.*)\)$', source, re.MULTILINE
    ).groups()
    names = solutions(assignment)
    exec(mutants_of(assignment)[cell][mistake], names)
    functions = [names[function] for function in arguments.split(", ")]
    if kind == "check":
        assert not judge(name, *functions).passed
    elif cell != LONG:
        assert not all(line.points for line in judge_laws(name, *functions))


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_the_recorded_cases_are_those_of_the_source(assignment: str) -> None:
    """The cases, that is; that the answers are right shows where the solutions pass the checks."""

    def cases(text: str) -> dict[str, list]:
        return {name: [e["case"] for e in entries] for name, entries in json.loads(text).items()}

    kept = CHECKS / f"assignment_{assignment.removeprefix('a')}.json"
    assert cases(kept.read_text(encoding="utf-8")) == cases(recordings(assignment))


def test_each_self_check_belongs_to_a_problem() -> None:
    assert not OF_ASSIGNMENTS.keys() & OF_CHAPTERS.keys()
    sources = "".join(c.source for a in ASSIGNMENTS for c in solution_cells(notebook_of(a)))
    for name in OF_ASSIGNMENTS:
        assert f'check("{name}", {name})' in sources
