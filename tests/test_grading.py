"""Grading: what crosses the sandbox's wall, cells put back, files read, tests run outside."""

import json
import os
import re
import tempfile
import time
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import nbformat
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coursework.grading import collecting
from coursework.grading.collecting import Newest, called
from coursework.grading.done import own_error
from coursework.grading.feedback import HideTests
from coursework.grading.names import Students
from coursework.grading.reading import complaints, harmless, read
from coursework.grading.release import SetTerm
from coursework.grading.restore import Original, restored
from coursework.grading.returning import NAMES as NAMES_KEPT
from coursework.grading.run import defined_again, report
from coursework.grading.run import test as run_test
from coursework.roster import Enrolled
from coursework.sandbox import wire
from coursework.sandbox.box import HOME
from coursework.sandbox.inside import answers
from coursework.sandbox.kernel import LARGEST_TEXT, Printed
from seqdec_lib.checks.plain import same

# -- the wall

plain_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.floats(-1e9, 1e9).map(np.array)  # without dimensions
    | st.lists(st.floats(-1e9, 1e9), min_size=1).map(np.array)
    | st.lists(st.integers(0, 255)).map(lambda numbers: np.array(numbers, dtype=np.uint8)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@settings(deadline=None)
@given(plain_values)
def test_plain_values_come_out_as_they_are(value: object) -> None:
    kind, came = wire.answer(answers._answer(value))
    assert kind == "data" and same(came, value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{}",
        "42",
        '{"data": {"array": ["<f8", [2], "AAAA"]}}',
        '{"data": {"array": ["O", [1], "AAAAAAAAAAA="]}}',
        '{"data": {"array": ["<f8", [-1], ""]}}',
        '{"data": {"array": "x"}}',
        '{"data": {"dict": [[[1], 2]]}}',
        '{"data": {"other": 1, "two": 2}}',
        '{"raised": 3}',
        '{"refused": "an object"}',
        "[" * 100_000,
    ],
)
def test_whatever_else_comes_out_is_no_answer(text: str) -> None:
    with pytest.raises(wire.NoAnswer):
        wire.answer(text)


@pytest.mark.parametrize(
    ("name", "raised"),
    [
        ("NotImplementedError", NotImplementedError),
        ("ValueError", ValueError),
        ("SystemExit", RuntimeError),
        ("KeyboardInterrupt", RuntimeError),
        ("UnicodeDecodeError", RuntimeError),
        ("exec", RuntimeError),
        ("Mine", RuntimeError),
    ],
)
def test_an_exception_is_raised_again_outside(name: str, raised: type[Exception]) -> None:
    with pytest.raises(raised, match="no idea"):
        wire.answer(json.dumps({"raised": [name, "no idea"]}))


def test_arguments_that_cannot_enter_are_the_instructors_mistake() -> None:
    with pytest.raises(TypeError, match="hand over numbers"):
        wire.arguments((lambda: 1,), {})


def test_the_students_folder_hides_nothing_of_this_machine() -> None:
    """A book that lies below it could not be seen from inside."""
    assert not Path(HOME).exists()


def test_outputs_are_text_and_png_and_not_too_long() -> None:
    printed = Printed()
    printed.add("display_data", {"data": {"text/html": "<script>", "image/png": "no base64"}})
    printed.add("display_data", {"data": {"image/png": "aGVsbG8=", "application/javascript": "x"}})
    printed.add("stream", {"name": "stdout", "text": "x" * (LARGEST_TEXT + 1)})
    printed.add("stream", {"name": "stdout", "text": 3})
    printed.add("execute_result", {})
    printed.add("error", {"ename": "A", "evalue": "b", "traceback": "not a list"})
    figure, text, error, note = printed.outputs()
    assert figure.data == {"image/png": "aGVsbG8="}
    assert len(text.text) == LARGEST_TEXT
    assert error.ename == "A" and error.evalue == "b" and "too long" in note.text


# -- tests, run outside


class Fake:
    """A student's notebook without a sandbox."""

    def __init__(self, **names: object) -> None:
        self.names, self.asked = names, []

    def look(self, name: str) -> object:
        self.asked.append(name)
        return self.names[name]


def error_of(source: str, **names: object) -> str:
    outputs = run_test(source, Fake(**names))
    return outputs[-1].evalue if outputs and outputs[-1].output_type == "error" else ""


def test_a_test_sees_the_students_names_in_functions_too() -> None:
    source = "def f():\n    return theirs + len([1])\nassert f() == 3, 'no'"
    assert error_of(source, theirs=2) == ""
    assert error_of(source, theirs=3) == "no"


def test_a_test_asks_for_nothing_that_it_defines_itself() -> None:
    student = Fake()
    assert run_test("import math\nx = 1\nprint(x, math.pi, len('a'))", student)[0].text
    assert student.asked == []


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("gone(1)", "NameError"),
        ("raise SystemExit", "SystemExit"),
        ("1 +", "SyntaxError"),
        ("assert False", "hidden test failed"),
    ],
)
def test_a_test_that_ends_badly_is_failed(source: str, says: str) -> None:
    assert says in error_of(source)


class FakeRaises(Fake):
    """A notebook whose function raises in the sandbox."""

    def look(self, name: str) -> Callable:
        def called(*_: object) -> object:
            return wire.answer('{"raised": ["ValueError", "no idea"]}')

        return called


@pytest.mark.parametrize(
    ("source", "student", "is_broken"),
    [
        ("assert theirs == 3", Fake(theirs=2), False),
        ("theirs(1)", FakeRaises(), False),
        ("theirs(1)", Fake(), False),
        ("thiers(1)", Fake(theirs=len), True),
        ("theirs.nothing", Fake(theirs=2), True),
        ("import math\nmath.theirs", Fake(), True),
        ("1 +", Fake(), True),
        ("raise SystemExit", Fake(), True),
    ],
)
def test_a_test_that_fails_by_itself_is_known(source: str, student: Fake, is_broken: bool) -> None:
    """Other than a wrong answer, an error of the student's, and what was never defined."""
    (output,) = run_test(source, student, lambda: "Write the function `theirs`.")
    marks = {"grade_id": "a", "grade": True, "solution": False, "points": 2}
    test = {"cell_type": "code", "outputs": [output], "metadata": {"nbgrader": marks}}
    assert (own_error(test) is not None) == is_broken == ("error of its own" in output.evalue)
    assert own_error(test | {"metadata": {"nbgrader": marks | {"solution": True}}}) is None
    assert own_error(test | {"metadata": {}}) is None, "whatever a student's own cell raises"


# -- cells, put back

ORIGINALS = {
    name: Original(
        "markdown" if name == "e" else "code",
        f"source of {name}",
        f"released {name}",
        {
            "grade": name in "ce",
            "grade_id": name,
            "locked": name in "ac",
            "solution": name in "bde",
        },
    )
    for name in "abcde"
}


def cell_of(name: str, source: str) -> nbformat.NotebookNode:
    cell = nbformat.v4.new_code_cell(source)
    if name in ORIGINALS and ORIGINALS[name].cell_type == "markdown":
        cell = nbformat.v4.new_markdown_cell(source)
    if name:
        cell.metadata["nbgrader"] = {"grade_id": name}
    return cell


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from([*ORIGINALS, "", "x"]), st.integers(0, 3))))
def test_afterwards_each_cell_is_there_once_in_order(handed_in: list[tuple[str, int]]) -> None:
    cells = [cell_of(name, f"work {k}") for name, k in handed_in]
    result, notices = restored(cells, ORIGINALS)
    marked = [cell for cell in result if "nbgrader" in cell.metadata]
    assert [cell.metadata.nbgrader.grade_id for cell in marked] == list(ORIGINALS)
    for cell in marked:
        original = ORIGINALS[cell.metadata.nbgrader.grade_id]
        assert cell.cell_type == original.cell_type
        assert cell.metadata.nbgrader == original.marks
        if not original.written:
            assert cell.source == original.source
    own = [f"work {k}" for name, k in handed_in if name in ("", "b", "d", "e", "x")]
    kept = "\n".join(cell.source for cell in result)
    assert all(kept.count(work) >= own.count(work) for work in own), "no work is lost"
    assert restored(result, ORIGINALS)[0] == result or notices


def test_what_was_handed_out_comes_back_without_a_word() -> None:
    cells = [cell_of(name, original.released) for name, original in ORIGINALS.items()]
    result, notices = restored(cells, ORIGINALS)
    assert notices == []
    assert [cell.source for cell in result] == [
        original.released if original.written else original.source
        for original in ORIGINALS.values()
    ]


@pytest.mark.parametrize(
    ("names", "notice"),
    [
        ("abcd", "`e` was missing"),
        ("aabcde", "`a` was there more than once"),
        ("axcde", "`b` had another name"),
        ("acbde", "changed their order"),
    ],
)
def test_what_was_amiss_is_named(names: str, notice: str) -> None:
    cells = [cell_of(n, ORIGINALS[n].released if n in ORIGINALS else "mine") for n in names]
    _, notices = restored(cells, ORIGINALS)
    assert len(notices) == 1 and notice in notices[0]


FUNCTION = "def f(x):\n    raise NotImplementedError\n\nf(1)"


def handed_out(**changes: Original) -> dict[str, Original]:
    """The assignment, in which `b` asks for a function."""
    return ORIGINALS | {"b": replace(ORIGINALS["b"], released=FUNCTION)} | changes


def made_of(*parts: str, name: str = "b") -> tuple[list[nbformat.NotebookNode], list[str]]:
    """The restored notebook in which a cell became several: by Split, or by Copy."""
    originals = handed_out()
    cells = [[cell_of(n, o.released)] for n, o in originals.items()]
    cells[list(originals).index(name)] = [cell_of(name, part) for part in parts]
    return restored([cell for some in cells for cell in some], originals)


def what_runs(cells: list[nbformat.NotebookNode]) -> dict[str, object]:
    names: dict[str, object] = {}
    for cell in cells:
        if cell.cell_type == "code" and cell.source.split()[0] not in ("source", "released"):
            exec(cell.source, names)
    return names


@pytest.mark.parametrize(
    ("parts", "result"),
    [
        (("import math", "def f(x):\n    return math.pi"), 3),
        (("def f(x):\n    return g()", "def g():\n    return 3"), 3),
        (("def f(x):\n    return 2", "def f(x):\n    return 3"), 3),
        ((FUNCTION, "def f(x):\n    return 3"), 3),
        (("def f(x):\n    return 3", FUNCTION), 3),
        (("def f(x):\n    return 3", FUNCTION, "f(1)", FUNCTION), 3),
        (("def f(x):\n    return 3", "f(1)"), 3),
        (("def f(x):\u2028    return 3", FUNCTION), None),
    ],
)
def test_a_cell_that_was_split_or_copied_runs_as_at_home(
    parts: tuple[str, ...], result: float | None
) -> None:
    cells, notices = made_of(*parts)
    assert [n for n in notices if "more than once" in n and "`b`" in n] == notices
    (counts,) = (cell for cell in cells if cell.metadata.get("nbgrader", {}).get("grade_id") == "b")
    assert "def f" in counts.source and (counts.source != FUNCTION)
    if result is not None:
        assert int(what_runs(cells)["f"](1)) == result


@pytest.mark.parametrize(
    ("parts", "counts"), [(("released e", "Mine."), "Mine."), (("One.", "Two."), "One.")]
)
def test_of_an_answer_in_two_cells_nothing_is_lost(parts: tuple[str, ...], counts: str) -> None:
    cells, _ = made_of(*parts, name="e")
    by_name = {cell.metadata.get("nbgrader", {}).get("grade_id"): cell for cell in cells}
    assert by_name["e"].source == counts
    assert {cell.source for cell in cells} >= set(parts)


@pytest.mark.parametrize(
    ("before", "after", "is_read"),
    [
        ([], [], False),
        ([], ["", "released e"], False),
        ([], ["Because."], True),
        (["Because."], [], True),
        ([], ["", "![](attachment:a.png)"], True),
    ],
)
def test_an_answer_in_a_cell_of_ones_own_is_read(
    before: list[str], after: list[str], is_read: bool
) -> None:
    """What has changed is not "no response" to nbgrader, but waits for a person."""
    question = replace(ORIGINALS["a"], cell_type="markdown", marks={**ORIGINALS["a"].marks})
    originals = {"q": question, "e": ORIGINALS["e"]}
    cells = [cell_of("q", "released a"), cell_of("e", "released e")]
    cells[0].cell_type = "markdown"
    own = [[nbformat.v4.new_markdown_cell(text) for text in texts] for texts in (before, after)]
    result, notices = restored([cells[0], *own[0], cells[1], *own[1]], originals)
    (answer,) = (c for c in result if c.metadata.get("nbgrader", {}).get("grade_id") == "e")
    assert (answer.source != "released e") == is_read
    assert ["a person reads" in notice for notice in notices] == [True] * is_read


def test_what_was_handed_out_beside_an_answer_is_no_answer() -> None:
    """A cell to play with, neither locked nor graded, has a name that is nobody's."""
    play = nbformat.v4.new_code_cell("x = 1", metadata={"nbgrader": {"grade_id": "play"}})
    cells = [cell_of("d", "released d"), cell_of("e", "released e"), play]
    result, notices = restored(cells, {name: ORIGINALS[name] for name in "de"})
    assert notices == [] and result[1].source == "released e"


def test_the_source_itself_can_be_handed_in_for_a_trial() -> None:
    cells, notices = restored([cell_of(n, o.source) for n, o in ORIGINALS.items()], ORIGINALS)
    assert [notices, [cell.source for cell in cells]] == [[], [f"source of {n}" for n in "abcde"]]


@pytest.mark.parametrize("name", ["a", "c"])
def test_what_was_written_in_a_locked_cell_is_kept_unless_it_is_a_test(name: str) -> None:
    cells, (notice,) = made_of("import torch", name=name)
    assert "had been changed" in notice
    sources = [cell.source for cell in cells]
    assert f"source of {name}" in sources
    assert ("import torch" in sources) == (name == "a")


def test_cells_without_their_names_are_known_again() -> None:
    """Some editors drop the metadata of all cells."""
    originals = {
        "text": replace(ORIGINALS["a"], cell_type="markdown"),
        "answer": ORIGINALS["e"],
        "f": replace(ORIGINALS["b"], released="def f(x):\n    raise NotImplementedError"),
        "test": ORIGINALS["c"],
    }
    sources = {
        "text": "released a",
        "answer": "Because.",
        "f": "import math\n\ndef f(x):\n    return 1",
        "test": "released c",
    }
    cells = [cell_of("", source) for source in ("x = 1", *sources.values())]
    for cell, name in zip(cells[1:], originals, strict=True):
        cell.cell_type = originals[name].cell_type
    result, notices = restored(cells, originals)
    work = {c.metadata.nbgrader.grade_id: c.source for c in result if "nbgrader" in c.metadata}
    assert (work["e"], work["b"]) == (sources["answer"], sources["f"])
    assert [c.source for c in result if "nbgrader" not in c.metadata] == ["x = 1"]
    assert len(notices) == 4 and all("name or none" in notice for notice in notices)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("def f(x): return 0", True),
        ("if True:\n    f = 3", True),
        ("for f in []: pass", True),
        ("def g():\n    f = 3", False),
        ("f(1)\nx = f", False),
        ("%matplotlib inline", False),
    ],
)
def test_a_function_that_is_defined_again_is_named(source: str, said: bool) -> None:
    asked = cell_of("b", "def f(x):\n    y = x\n    return y")
    asked.metadata["nbgrader"]["solution"] = True
    notices = list(defined_again([asked, cell_of("", "y = 3"), cell_of("", source)]))
    assert bool(notices) == said and all("`f`" in notice for notice in notices)


# -- files


@pytest.mark.parametrize(
    ("kernel", "named"),
    [
        (None, False),
        ({"name": "seqdec", "language": "python"}, False),
        ({"name": "python3"}, False),
        ({"name": "ir", "language": "R"}, True),
    ],
)
def test_another_language_is_named(tmp_path: Path, kernel: dict | None, named: bool) -> None:
    cells = [nbformat.v4.new_code_cell("1")]
    notebook = nbformat.v4.new_notebook(cells=cells) | {"metadata": {"kernelspec": kernel}}
    tmp_path.joinpath("a1.ipynb").write_text(json.dumps(notebook))
    found = read(tmp_path / "a1.ipynb")
    assert found.cells[0].source == "1"
    assert [f"`{(kernel or {}).get('name')}`" in n for n in found.metadata.seqdec.notices] == (
        [True] * named
    )


def test_a_notebook_is_read_without_its_outputs(tmp_path: Path) -> None:
    cell = nbformat.v4.new_code_cell("1 + 1", outputs=[nbformat.v4.new_output("stream", text="2")])
    cell.metadata["nbgrader"] = {"grade_id": "a", "points": 99, "locked": False}
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), tmp_path / "a1.ipynb")
    notebook = read(tmp_path / "a1.ipynb")
    assert notebook.metadata.seqdec.notices == []
    assert notebook.cells[0].outputs == []
    assert notebook.cells[0].metadata == {"nbgrader": {"grade_id": "a"}}


def test_a_notebook_of_too_many_values_is_not_parsed(tmp_path: Path) -> None:
    path = tmp_path / "a1.ipynb"
    path.write_text(f'{{"cells": [{"[]," * 2_000_000}[]]}}')
    assert "million values" in read(path).metadata.seqdec.notices[0]


@pytest.mark.parametrize(
    "text",
    ["1, 2, [3], {4}\n" * 400_000, '"\\' * 2_000_000, '\\\\",' * 500_000],
    ids=["commas", "quotes", "backslashes"],
)
def test_a_text_is_one_value_whatever_was_printed(tmp_path: Path, text: str) -> None:
    printed = nbformat.v4.new_output("stream", text=text)
    cells = [nbformat.v4.new_code_cell("work", outputs=[printed])]
    tmp_path.joinpath("a1.ipynb").write_text(json.dumps(nbformat.v4.new_notebook(cells=cells)))
    notebook = read(tmp_path / "a1.ipynb")
    assert notebook.metadata.seqdec.notices == [] and notebook.cells[0].source == "work"


def test_as_many_printed_lines_as_you_like_are_read(tmp_path: Path) -> None:
    """JupyterLab saves each line as a text of its own."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1")])
    lines = ["0.5, 0.25\n"] * 1_000_000
    notebook.cells[0].outputs = [{"output_type": "stream", "name": "stdout", "text": lines}]
    tmp_path.joinpath("a1.ipynb").write_text(json.dumps(notebook))
    assert len(read(tmp_path / "a1.ipynb").cells) == 1


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]
)
def test_a_notebook_may_be_saved_in_any_unicode(tmp_path: Path, encoding: str) -> None:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x = 'Łódź 책상'")])
    text = json.dumps(notebook, ensure_ascii=False)
    tmp_path.joinpath("a1.ipynb").write_bytes(text.encode(encoding))
    found = read(tmp_path / "a1.ipynb")
    assert found.metadata.seqdec.notices == [] and found.cells[0].source == "x = 'Łódź 책상'"


def test_half_a_character_costs_no_submission(tmp_path: Path) -> None:
    cell = nbformat.v4.new_code_cell("x = '\ud800'", metadata={"nbgrader": {"grade_id": "\udfff"}})
    path = tmp_path / "a1.ipynb"
    path.write_text(json.dumps(nbformat.v4.new_notebook(cells=[cell])))
    assert "x = '?'" in nbformat.writes(read(path)).encode().decode()


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\x00", b"[]", b'{"cells": 1}', b"null"])
def test_what_is_no_notebook_is_an_empty_one_with_a_notice(tmp_path: Path, content: bytes) -> None:
    tmp_path.joinpath("a1.ipynb").write_bytes(content)
    notebook = read(tmp_path / "a1.ipynb")
    assert notebook.cells == []
    assert "could not be read" in notebook.metadata.seqdec.notices[0]


@pytest.mark.parametrize(("content", "said"), [(b"{", 1), (b"[]", 1), (None, 0)])
def test_grading_says_whose_file_it_cannot_read(
    tmp_path: Path, content: bytes | None, said: int
) -> None:
    path = tmp_path / "submitted" / "ada" / "a1" / "a1.ipynb"
    path.parent.mkdir(parents=True)
    path.write_bytes(content or nbformat.writes(nbformat.v4.new_notebook()).encode())
    sentences = complaints(path)
    assert len(sentences) == said
    assert all(s.startswith("ada: The file could not be read") for s in sentences)


@pytest.mark.parametrize(
    ("text", "becomes"),
    [
        ("$a<b$ and a < b", "$a< b$ and a < b"),
        ("<script>x</script>", "< script>x< /script>"),
        ("a\n<!-- -->", "a\n< !-- -->"),
        ("[a](javascript:x)", "[a](#javascript:x)"),
        ("[a]( <&#106;avascript:x>)", "[a]( <#&#106;avascript:x>)"),
        ("[a](&#106;avascript:x)", "[a](#&#106;avascript:x)"),
        ("[a]: data:text/html,x", "[a]: #data:text/html,x"),
        ("> [a]: javascript:x", "> [a]: #javascript:x"),
        ("- [b]: javascript:x", "- [b]: #javascript:x"),
        ("[c\\]]: javascript:x", "[c\\]]: #javascript:x"),
        ("> [a]:\n>  javascript:x", "> [a]:\n>  #javascript:x"),
        ("> [a](\n> javascript:x)", "> [a](\n> #javascript:x)"),
        ("[a]( https://example.org/)", "[a]( https://example.org/)"),
        ("[a](https://example.org/) [b](#c)", "[a](https://example.org/) [b](#c)"),
        ("![a](attachment:b.png)", "![a](attachment:b.png)"),
        ("$f[x](y)$", "$f[x](y)$"),
    ],
)
def test_written_answers_run_no_script(text: str, becomes: str) -> None:
    assert harmless(text) == becomes


def test_a_report_quotes_a_cell_without_running_it() -> None:
    source = report(["The cell that begins with `# `<img src=x onerror=y>`: stopped."]).source
    assert "<img" not in source and "stopped" in source


def test_pasted_pictures_stay(tmp_path: Path) -> None:
    attachments = {"a.png": {"image/png": "aGVs\nbG8=\n"}, "b.svg": {"image/svg+xml": "<svg/>"}}
    cell = nbformat.v4.new_markdown_cell("![a](attachment:a.png)", attachments=attachments)
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), tmp_path / "a1.ipynb")
    assert read(tmp_path / "a1.ipynb").cells[0].attachments == {
        "a.png": {"image/png": "aGVs\nbG8=\n"}
    }


def test_no_link_is_followed(tmp_path: Path) -> None:
    key = tmp_path / "key" / "a1"
    key.mkdir(parents=True)
    nbformat.write(nbformat.v4.new_notebook(), key / "a1.ipynb")
    student = tmp_path / "submitted" / "eve"
    student.mkdir(parents=True)
    student.joinpath("a1").symlink_to(key)
    student.joinpath("a2").mkdir()
    student.joinpath("a2", "a2.ipynb").symlink_to(key / "a1.ipynb")
    for path in (student / "a1" / "a1.ipynb", student / "a2" / "a2.ipynb"):
        assert "a link" in read(path).metadata.seqdec.notices[0]


@pytest.fixture
def collected(tmp_path: Path) -> Callable[..., tuple[dict[str, str], list[str]]]:
    """What is collected from `tmp_path/archive`, by student, and what is said of the rest."""
    (tmp_path / "archive").mkdir()

    def collect(**more: object) -> tuple[dict[str, str], list[str]]:
        return collect_from(tmp_path, **more)

    return collect


def collect_from(folder: Path, **more: object) -> tuple[dict[str, str], list[str]]:
    cells = {"a0": {"a0-start", "a0-why"}, "a4": {"a4-start", "a4-why"}}
    submitted = folder / "submitted"
    students, said = collecting.collect(folder / "archive", submitted, "a0", cells, **more)
    found = {path.parent.parent.name: path.read_text() for path in submitted.rglob("*.ipynb")}
    assert sorted(found) == students
    assert {path.name for path in folder.iterdir()} <= {"archive", "submitted", NAMES_KEPT}
    assert all(len(sentence.splitlines()) == 1 for sentence in said)
    return found, said


def packed(path: Path, files: dict[str, str], **when: tuple) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name, when.get("at", (2026, 10, 5, 12, 0, 0))), text)


NAMES = st.sampled_from(
    [
        *("ada_a0.ipynb", "Ada_late.ipynb", "emmy_77_my work.ipynb", "EMMY.ipynb", "kim_a0.IPYNB"),
        *("a0_ada.ipynb", "A0_emmy.ipynb", "MEYER_ANNA_a0.ipynb", "MEYER_BEN_a0.ipynb"),
        *("Ada_7_assignsubmission_file_/a0.ipynb", "emmy_LATE_7_1234_a0.ipynb"),
        *("_a0.ipynb", "-x_a0.ipynb", "sub/kim_a0.ipynb", "kim_notes.txt", "broken.zip"),
    ]
)
FILES = st.dictionaries(
    st.tuples(NAMES, st.sampled_from(["", "all.zip", "ada_a0.zip", "monday/more.zip"])),
    st.tuples(st.sampled_from(["a0-why", "a4-why", "none"]), st.integers(0, 9)),
    max_size=9,
)


@settings(deadline=None, max_examples=60)
@given(FILES, st.sampled_from([(), ("ada", "Emmy", "kim")]))
def test_each_file_is_collected_or_named(
    files: dict[tuple[str, str], tuple[str, int]], known: tuple[str, ...]
) -> None:
    """Count of files in = count collected + count named, whatever was downloaded."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "archive").mkdir()
        text = {}
        for number, ((name, archive), (cell, day)) in enumerate(files.items()):
            text[name, archive] = f'{number} {{"grade_id": "{cell}"}}'
            target = folder / "archive" / (archive or name)
            target.parent.mkdir(exist_ok=True, parents=True)
            if archive:
                at = (2026, 10, 1 + day, 12, 0, 0)
                with zipfile.ZipFile(target, "a") as into:
                    into.writestr(zipfile.ZipInfo(name, at), text[name, archive])
            else:
                target.write_text(text[name, archive])
                seconds = time.mktime((2026, 10, 1 + day, 12, 0, 0, 0, 0, -1))
                os.utime(target, (seconds, seconds))
        roster = {student: Enrolled(student, student) for student in known}
        found, said = collect_from(folder, roster=roster)
    assert len(found) + len(said) == len(files)
    taken = set(found.values())
    for file, content in text.items():
        named = [s for s in said if re.match(rf"{re.escape(called(*file))} (?!in ')", s)]
        assert len(named) == (content not in taken)
        assert content not in taken or files[file][0] != "a4-why"
    students = Students(roster, ("a0", "a4"))
    for student, content in found.items():
        assert student.casefold() != "a0" and (not known or student in known)
        own = [
            files[file][1]
            for file, written in text.items()
            if (
                written in taken
                or any(s.startswith(f"{called(*file)} is left out, for of") for s in said)
            )
            and students.whose(file[0])[0].casefold() == student.casefold()
        ]
        (chosen,) = (files[file][1] for file, written in text.items() if written == content)
        assert chosen == max(own)


def test_notebooks_are_collected_from_files_and_archives(
    tmp_path: Path, collected: Callable
) -> None:
    archive = tmp_path / "archive"
    archive.joinpath("ada_a1.ipynb").write_text("1")
    archive.joinpath("notes.txt").write_text("no notebook")
    archive.joinpath("broken.zip").write_bytes(b"PK no archive")
    archive.joinpath("eve_a1.ipynb").symlink_to("/etc/passwd")
    files = {
        "folder/emmy_12345_My work.ipynb": "2",
        "../../kim_a1.ipynb": "3",
        "folder/readme.txt": "no notebook",
        "folder/_a1.ipynb": "nobody's",
        "Anna Li_77_file_/a1.ipynb": "4",
        "Anna Wu_88_file_a1.ipynb": "5",
    }
    packed(archive / "all.zip", files)
    found, said = collected()
    assert found == {"ada": "1", "emmy": "2", "kim": "3"} and len(said) == 7
    other = Newest(form=r"[^/]*_(?P<id>\d+)_file_[^/]*/?[^/]*")
    assert collected(newest=other)[0] == found | {"77": "4", "88": "5"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_the_cells_of_another_assignment_are_known_in_any_encoding(
    tmp_path: Path, collected: Callable, encoding: str
) -> None:
    text = '{"é": {"grade_id":"a4-why", "x": "\\"grade_id\\": \\"a0-why\\""}}'
    (tmp_path / "archive" / "ada_a0.ipynb").write_text(text, encoding=encoding)
    found, (said,) = collected()
    assert not found and "the cells of a4" in said


def test_a_student_is_called_as_before(tmp_path: Path, collected: Callable) -> None:
    packed(tmp_path / "archive" / "all.zip", {"Ada_a0.ipynb": "1"})
    assert collected() == ({"Ada": "1"}, [])
    packed(tmp_path / "archive" / "all.zip", {"ADA_a0.ipynb": "2"})
    assert collected() == ({"Ada": "2"}, [])


def test_a_file_has_the_time_at_which_it_was_handed_in(tmp_path: Path, collected: Callable) -> None:
    path = tmp_path / "archive" / "ada_a0.ipynb"
    path.write_text("1")
    os.utime(path, (86400, 86400))
    collected()
    told = (tmp_path / "submitted" / "ada" / "a0" / "timestamp.txt").read_text()
    assert told == "1970-01-02 00:00:00"


def test_a_broken_member_of_an_archive_loses_no_other(tmp_path: Path, collected: Callable) -> None:
    path, long = tmp_path / "archive" / "all.zip", f"long_{'x' * 300}.ipynb"
    text = "".join(map(chr, range(32, 127)))
    packed(path, {"bad_1.ipynb": text, "ada_1.ipynb": "1", long: "2", "crc_1.ipynb": "3" * 99})
    content = bytearray(path.read_bytes())
    start = content.index(b"bad_1.ipynb") + len("bad_1.ipynb")
    content[start : start + 9] = b"\xff" * 9  # no deflated data
    with zipfile.ZipFile(path) as archive:
        crc = archive.getinfo("crc_1.ipynb").CRC.to_bytes(4, "little")
    path.write_bytes(bytes(content).replace(crc, b"\0\0\0\0"))
    found, said = collected()
    assert found == {"ada": "1", "long": "2"}
    assert len(said) == 2 and "bad_1.ipynb" in said[0] and "crc_1.ipynb" in said[1]


@pytest.mark.parametrize("name", ["cy_1.ipynb.txt", "dan_1.zip", "eve_1.json", "_1.ipynb"])
def test_what_is_left_out_of_an_archive_is_named(
    name: str, tmp_path: Path, collected: Callable
) -> None:
    packed(tmp_path / "archive" / "all.zip", {name: "", "bob_1.IPYNB": "1"})
    found, (said,) = collected()
    assert found == {"bob": "1"} and name in said


@pytest.mark.parametrize(
    "name", [".._1.ipynb", "-x_1.ipynb", "@SUM_1.ipynb", f"{'x' * 200}_1.ipynb", "a\nb_1.ipynb"]
)
def test_an_id_that_is_none_is_named(name: str, tmp_path: Path, collected: Callable) -> None:
    packed(tmp_path / "archive" / "all.zip", {name: "", "autograded_1.ipynb": "1"})
    found, (said,) = collected()
    assert found == {"autograded": "1"} and repr(name) in said


def test_what_a_computer_packed_too_is_no_submission(tmp_path: Path, collected: Callable) -> None:
    names = ("._a1.ipynb", "__MACOSX/._ada_a1.ipynb", ".ipynb_checkpoints/ada_a1.ipynb")
    packed(tmp_path / "archive" / "ada_a1.ZIP", dict.fromkeys(names, "0") | {"ada_1.ipynb": "1"})
    assert collected() == ({"ada": "1"}, [])


def test_an_archive_with_nothing_in_it_is_named(tmp_path: Path, collected: Callable) -> None:
    packed(tmp_path / "archive" / "ada_a0.zip", {"._a1.ipynb": "0"})
    found, (said,) = collected()
    assert not found and "'ada_a0.zip'" in said and "nothing is in it" in said


def test_nobody_hands_in_for_somebody_else(tmp_path: Path, collected: Callable) -> None:
    packed(tmp_path / "archive" / "ada_a1.zip", {"ada_a1.ipynb": "1", "emmy_a1.ipynb": "2"})
    found, (said,) = collected()
    assert found == {"ada": "1"} and "emmy_a1.ipynb" in said and "ada's" in said


def test_an_archive_that_grows_too_large_is_not_unpacked(
    tmp_path: Path, collected: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collecting, "LARGEST", 1000)
    monkeypatch.setattr(collecting, "LARGEST_ARCHIVE", 1500)
    sizes = {"a_1.ipynb": 900, "b_1.ipynb": 1001, "c_1.ipynb": 900}
    packed(tmp_path / "archive" / "all.zip", {name: "x" * n for name, n in sizes.items()})
    found, said = collected()
    assert found == {"a": "x" * 900}
    assert len(said) == 2 and "b_1.ipynb" in said[0] and "c_1.ipynb" in said[1]


# -- release and feedback


@pytest.mark.parametrize(
    ("term", "start"),
    [(0, "seed = book.start(budget=20)"), (7, "seed = book.start(budget=20, seed=7)")],
)
def test_the_term_is_the_seed_of_the_notebook(term: int, start: str) -> None:
    cell = nbformat.v4.new_code_cell("import x\n\nseed = book.start(budget=20)  # CPU seconds")
    source = SetTerm(term=term).preprocess_cell(cell, {}, 0)[0].source
    assert source == f"import x\n\n{start}  # CPU seconds"


def test_feedback_does_not_show_hidden_tests() -> None:
    source = "a = 1\n### BEGIN HIDDEN TESTS\nassert a == 1\n### END HIDDEN TESTS\nb = 2"
    cell = HideTests().preprocess_cell(nbformat.v4.new_code_cell(source), {}, 0)[0]
    assert cell.source == "a = 1\n# hidden tests\nb = 2"
