"""Each guard over the chapters catches a copy of a chapter that was broken for it.

Static guards read a broken copy of the first chapter. Guards that need a run share one: two
short chapters, one healthy and one injured in every way at once, go through pytest in a process
of its own, and each test then looks for its own failure with its own message.
"""

import base64
import copy
import io
import json
import math
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import bookkeeping
import nbformat
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from nbclient import NotebookClient
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image

from seqdec_lib.book.interactive import Dial, Frame, InteractiveFigure
from tests import guards
from tests.comparison import (
    Tolerance,
    compare_images,
    compare_outputs,
    compare_text,
    compare_values,
)
from tests.prose import counts, decimals, fence_faults

ROOT = Path(__file__).parents[1]
ALT = "A line that rises from the lower left to the upper right."


def png(pixels: np.ndarray, **options: int) -> str:
    """Encode (height, width, 3) bytes as a notebook stores a figure."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format="png", **options)
    return base64.b64encode(file.getvalue()).decode()


def figure_output() -> NotebookNode:
    """Return the output of a cell that drew a figure."""
    return new_output("display_data", data={"image/png": png(np.zeros((2, 2, 3), np.uint8))})


# --- static guards: break a copy of the first chapter --------------------------------------------


@pytest.fixture(scope="module")
def original() -> NotebookNode:
    """Return the first chapter."""
    return nbformat.read(min((ROOT / "chapters").glob("*.ipynb")), as_version=4)


@pytest.fixture
def chapter(original: NotebookNode) -> NotebookNode:
    """Return a copy of the first chapter, free to be broken."""
    return copy.deepcopy(original)


def add_cell(chapter: NotebookNode, source: str = "1", **metadata: object) -> NotebookNode:
    """Append a code cell that was run in its turn, and return it."""
    count = 1 + sum(cell.cell_type == "code" for cell in chapter.cells)
    cell = new_code_cell(source, execution_count=count, metadata=metadata)
    chapter.cells.append(cell)
    return cell


def add_text(chapter: NotebookNode, text: str, **metadata: object) -> None:
    """Append a markdown cell."""
    chapter.cells.append(new_markdown_cell(text, metadata=metadata))


def set_budget(chapter: NotebookNode, argument: str) -> None:
    """Write `argument` instead of the budget into the first code cell."""
    cell = next(cell for cell in chapter.cells if cell.cell_type == "code")
    cell.source, replaced = re.subn(r"budget=[\w.]+", argument, cell.source)
    assert replaced == 1


def only_complaint(chapter: NotebookNode) -> str:
    """Return the complaint about a chapter that was broken in one way."""
    (complaint,) = guards.static_complaints(chapter, size=0)
    return complaint


def test_unbroken_copy_passes(chapter: NotebookNode) -> None:
    add_cell(chapter, mystnb={"image": {"alt": ALT}}).outputs = [figure_output()]
    tolerance = {"relative": 0.1, "reason": "trained with floating-point sums"}
    add_cell(chapter, seqdec={"tolerance": tolerance})
    add_cell(chapter, seqdec={"not_compared": "a time differs between machines"})
    add_text(chapter, "The discount is 0.9.", seqdec={"inputs": {"0.9": "discount, chosen"}})
    assert guards.static_complaints(chapter, size=guards.LARGEST_FILE) == []


def test_unrun_cell_is_caught(chapter: NotebookNode) -> None:
    add_cell(chapter).execution_count = None
    assert "(1) was committed without being run: run `make notebooks`" in only_complaint(chapter)


def test_cell_run_out_of_order_is_caught(chapter: NotebookNode) -> None:
    add_cell(chapter).execution_count += 1
    assert "was run out of order" in only_complaint(chapter)


def test_empty_cell_is_caught(chapter: NotebookNode) -> None:
    add_cell(chapter, source=" \n")
    assert "is empty" in only_complaint(chapter)


def test_committed_error_is_caught(chapter: NotebookNode) -> None:
    add_cell(chapter).outputs = [new_output("error", ename="KeyError", evalue="", traceback=[])]
    assert "was committed with an error (KeyError)" in only_complaint(chapter)


def test_committed_stderr_is_caught(chapter: NotebookNode) -> None:
    add_cell(chapter).outputs = [new_output("stream", name="stderr", text="a warning")]
    assert "on stderr (a warning)" in only_complaint(chapter)


def test_the_place_of_a_progress_bar_is_caught(chapter: NotebookNode) -> None:
    add_cell(chapter).outputs = [new_output("display_data", data={})]
    assert "the empty place of a progress bar" in only_complaint(chapter)


@pytest.mark.parametrize("tag", ["nbval-ignore-output", "nbval-new", "raises-exception"])
def test_nbval_tag_is_caught(chapter: NotebookNode, tag: str) -> None:
    add_cell(chapter, tags=[tag])
    assert f"marker of nbval ({tag})" in only_complaint(chapter)


def test_nbval_comment_is_caught(chapter: NotebookNode) -> None:
    add_cell(chapter, source="# NBVAL_IGNORE_OUTPUT\n1")
    assert "marker of nbval (# NBVAL_IGNORE_OUTPUT)" in only_complaint(chapter)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"reason": None}, 'needs a "reason"'),
        ({"reason": "  "}, 'needs a "reason"'),
        ({"relative": None}, "allows nothing"),
        ({"relativ": 0.1}, 'unknown key "relativ"'),
        ({"relative": -0.1}, '"relative" must be a number, 0 or larger, and is -0.1'),
        ({"absolute": "0.1"}, '"absolute" must be a number'),
        ({"absolute": True}, '"absolute" must be a number'),
        ({"absolute": float("nan")}, '"absolute" must be a number'),
        ({"pixels": 5}, '"pixels" is a share'),
        ({"frames": 1.1}, '"frames" is a share'),
    ],
)
def test_invalid_tolerance_is_caught(chapter: NotebookNode, changes: dict, complaint: str) -> None:
    tolerance = {"relative": 0.1, "reason": "trained"} | changes
    tolerance = {key: value for key, value in tolerance.items() if value is not None}
    cell = add_cell(chapter, seqdec={"tolerance": tolerance})
    assert complaint in only_complaint(chapter)
    assert guards.tolerance_of(cell) == Tolerance()


@pytest.mark.parametrize(
    ("metadata", "complaint"),
    [
        ({"tolerence": {}}, 'unknown key "tolerence"'),
        ({"not_compared": ""}, '"not_compared" needs a reason'),
        ({"seconds": 9}, '"seconds" must be a number, 10 or larger'),
        ({"seconds": "30"}, '"seconds" must be a number'),
        (
            {"not_compared": "timing", "tolerance": {"relative": 1, "reason": "timing"}},
            'both "tolerance" and "not_compared"',
        ),
    ],
)
def test_invalid_metadata_is_caught(chapter: NotebookNode, metadata: dict, complaint: str) -> None:
    add_cell(chapter, seqdec=metadata)
    assert complaint in only_complaint(chapter)


def test_record_that_is_not_compared_is_caught(chapter: NotebookNode) -> None:
    cell = add_cell(chapter, seqdec={"not_compared": "timing"})
    cell.outputs = [record_output("seconds", "1.5")]
    assert "records seconds and is not compared" in only_complaint(chapter)


@pytest.mark.parametrize(
    "argument", ["", "budget=0", "budget=-5", "budget=90.1", "budget=SHORT", "budget=True", "!"]
)
def test_missing_or_forbidden_budget_is_caught(chapter: NotebookNode, argument: str) -> None:
    set_budget(chapter, argument)
    assert "write book.start(budget=20)" in only_complaint(chapter)


@pytest.mark.parametrize("budget", ["0.5", "90"])
def test_allowed_budget_passes(chapter: NotebookNode, budget: str) -> None:
    set_budget(chapter, f"budget={budget}")
    assert guards.budget_of(chapter) == float(budget)


def test_fence_that_is_never_closed_is_caught(chapter: NotebookNode) -> None:
    add_text(chapter, "```{exercise} Open\nInvent a rule.\n\n## Summary")
    assert "line 1 opens ```{exercise} Open and never closes it" in only_complaint(chapter)


@pytest.mark.parametrize(
    "text",
    [
        "````{solution} ex\n```python\n1\n```\n````",
        "```{note}\na\n```\n\n```{note}\nb\n```",
        ":::{note}\n```python\n:::{tip}\n```\n:::",
        "````md\n```{note}\n````",
        "```x``` is code in a line",
    ],
)
def test_fences_that_balance(text: str) -> None:
    assert fence_faults(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "```{exercise} a\ntext\n````{solution} b\nanswer\n````",
        "```{exercise} a\ntext\n```{solution} b\nanswer\n```",
        "```python\n1\n```{note}\n```",
        "````{solution} a\n```python\n1\n````",
        ":::{note}\n::::{tip}\n::::\n:::",
        "```{note}\n~~~",
    ],
)
def test_fences_that_do_not_balance(text: str) -> None:
    assert fence_faults(text)


@pytest.mark.parametrize("page", ["index.md", "references.md", "coursework/README.md"])
def test_fences_of_a_page_balance(page: str) -> None:
    assert fence_faults((ROOT / page).read_text(encoding="utf-8")) == []


@given(seconds=st.floats(0, 1000))
def test_a_cell_that_takes_a_while_says_so(seconds: float) -> None:
    silent = guards.waiting_complaints(new_code_cell(), seconds)
    assert len(silent) == (seconds > 20)
    for complaint in silent:
        said = json.loads(re.search(r"\{.*\}", complaint)[0])
        assert guards.waiting_complaints(new_code_cell(metadata=said), seconds) == []


@given(stated=st.floats(10, 90), factor=st.floats(0.01, 100))
def test_a_cell_says_about_how_long_it_takes(stated: float, factor: float) -> None:
    assume(not any(math.isclose(factor, edge) for edge in (1 / 3, 3)))
    cell = new_code_cell(metadata={"seqdec": {"seconds": stated}})
    assert bool(guards.waiting_complaints(cell, stated * factor)) == (not 1 / 3 <= factor <= 3)


def test_typed_result_is_caught(chapter: NotebookNode) -> None:
    add_text(chapter, "The regret falls to 0.93.")
    assert "types the number 0.93" in only_complaint(chapter)


def test_typed_result_in_a_caption_is_caught(chapter: NotebookNode) -> None:
    add_cell(chapter, mystnb={"figure": {"caption": "Regret falls by 12 %."}})
    assert "types the number 12%" in only_complaint(chapter)


def test_input_that_does_not_occur_is_caught(chapter: NotebookNode) -> None:
    add_text(chapter, "The discount is high.", seqdec={"inputs": {"0.9": "discount, chosen"}})
    assert "lists the input 0.9, which does not occur" in only_complaint(chapter)


def test_input_without_meaning_is_caught(chapter: NotebookNode) -> None:
    add_text(chapter, "The discount is 0.9.", seqdec={"inputs": {"0.9": ""}})
    assert "lists the input 0.9 without its meaning" in only_complaint(chapter)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("is 0.93, then .5 and 1,234.5", {"0.93", ".5", "1,234.5"}),
        ("93 % or 12.5% or 7\\% or 3 percent", {"93%", "12.5%", "7%", "3%"}),
        ("a rate of 3e-4 and 1.5e6", {"3e-4", "1.5e6"}),
        (r"with $\gamma = 0.9$ and `epsilon=0.1`", {"0.9", "0.1"}),
        ("```{note}\nfalls by 0.4\n```", {"0.4"}),
        ("```{note}\n```\nfalls by 0.4\n```{note}\n```", {"0.4"}),
        ("````{note}\n0.4\n```python\nx = 0.5\n```\n0.6\n````\n0.7", {"0.4", "0.6", "0.7"}),
        ("```\n~~~\n0.3\n```\n0.4", {"0.4"}),
        ("$x<y$ or 0.5 if $y>x$, $$(0.6)$$", {"0.5", "0.6"}),
        (":::{note}\nfalls by 0.4\n:::", {"0.4"}),
        ("{math}`0.3` and {glue:text}`a:.2f` 0.7", {"0.3", "0.7"}),
        ("three of 12 in 2024. 5 more, torch 2.13.0, x.5", set()),
        ("{glue:text}`regret:.2f` and {glue:text}`share:.1f`% of it", set()),
        ("{cite}`[Section 3.2]sutton2018` {cite:t}`a1.5` {eq}`eq-1.5` {ref}`see 1.2 <a>`", set()),
        ("```python\nx = 0.5\n```\n~~~\n0.7\n~~~", set()),
        ("```{code-block} python\nx = 0.5\n```", set()),
        ("```{figure} map.svg\n:name: fig-1.5\n:width: 80%\nA map.\n```", set()),
        ("$$\nx\n$$ (eq-1.5)\n\n(section-1.5)=\n", set()),
        ("https://a.org/1.5 [x](b-2.5.html) arXiv:1706.03762 <b style='width:50%'>", set()),
    ],
)
def test_decimals_in_prose(text: str, found: set[str]) -> None:
    assert decimals(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("the 729 trips, 1,000 of 16000; 243", {"729", "1,000", "16000", "243"}),
        ("$3^6 = 729$ and ($64$), \u201c30\u201d.", {"729", "64", "30"}),
        ("twelve, 12, and `729` or `x = 729`", set()),
        ("in 2024, 1998-2003, 729.5, x729, 729%, -729, $3^{20}$, $x_20$, 3/14, v1.20", set()),
        ("{glue:text}`trips` of {eq}`eq-729`, [729](729.html)", {"729"}),
        ("```python\n729\n```\n```{note}\n730\n```", {"730"}),
    ],
)
def test_counts_in_prose(text: str, found: set[str]) -> None:
    assert counts(text) == found


def record_cell(chapter: NotebookNode, source: str, *names: str, value: str = "True") -> None:
    """Append a cell that the reader doesn't see, with what it recorded."""
    cell = add_cell(chapter, source, tags=[bookkeeping.TAG])
    cell.outputs = [record_output(name, value) for name in names]


def test_typed_count_that_is_recorded_is_caught(chapter: NotebookNode) -> None:
    record_cell(chapter, 'record("goats", 4321)', "goats", value="4321.0")
    add_text(chapter, "There are 4,320 sheep and {glue:text}`goats:,` goats.")
    assert guards.static_complaints(chapter, size=0) == []
    add_text(chapter, "These 4,321 goats.")
    assert "types the number 4,321" in only_complaint(chapter)
    chapter.cells[-1].metadata["seqdec"] = {"inputs": {"4,321": "goats, bought"}}
    assert guards.static_complaints(chapter, size=0) == []


def test_claim_that_the_chapter_says_passes(chapter: NotebookNode) -> None:
    add_text(chapter, "# A title\n\nOne *goat* and the {glue:text}`goats` others\nare white.")
    record_cell(chapter, 'record("goats", 99)', "goats", value="99")
    record_cell(chapter, "claim(...)", "claim: the 99 others are white")
    assert guards.static_complaints(chapter, size=0) == []


def test_claim_that_the_chapter_does_not_say_is_caught(chapter: NotebookNode) -> None:
    record_cell(chapter, "claim(...)", "claim: the goats are white")
    assert 'claims "the goats are white", which no paragraph says' in only_complaint(chapter)


def test_name_that_is_recorded_twice_is_caught(chapter: NotebookNode) -> None:
    for _ in range(2):
        record_cell(chapter, 'record("goats", 99)', "goats", value="99")
    assert 'records "goats" 2 times' in only_complaint(chapter)


def test_claim_committed_as_false_is_caught(chapter: NotebookNode) -> None:
    add_text(chapter, "The goats are white.")
    record_cell(chapter, "claim(...)", "claim: The goats are white.", value="False")
    assert 'claims "The goats are white.", which is not true' in only_complaint(chapter)


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        (
            "goats = 3\nprint(goats)\nassert goats",
            "does more than record and claim: do `print(goats)`",
        ),
        ("record('a', 1)\nfigure", "do `figure` in a cell that is seen"),
        ("goats = 3", "records and claims nothing: take the tag remove-cell off"),
    ],
)
def test_hidden_cell_that_does_more_than_bookkeeping_is_caught(
    chapter: NotebookNode, source: str, complaint: str
) -> None:
    record_cell(chapter, source)
    assert complaint in only_complaint(chapter)


def test_hidden_cell_with_something_to_see_is_caught(chapter: NotebookNode) -> None:
    record_cell(chapter, "assert 1")
    chapter.cells[-1].outputs = [new_output("stream", name="stdout", text="5 goats")]
    assert "shows something: show it in a cell that is seen" in only_complaint(chapter)


def test_seen_cell_that_needs_a_hidden_one_is_caught(chapter: NotebookNode) -> None:
    record_cell(chapter, "goats = [g for g in range(3)]\nassert goats")
    add_cell(chapter, "[g for g in range(4)]\nlen(goats)")
    assert "makes goats, which a cell that readers get needs" in only_complaint(chapter)


def test_handed_out_cell_that_needs_one_left_out_is_caught(
    chapter: NotebookNode,
) -> None:
    """Of the cells out of sight, they get those that record a number, and not those that claim."""
    record_cell(chapter, "goats = [g for g in range(3)]\nassert goats")
    record_cell(chapter, "record('herd', len(goats))", "herd", value="3")
    assert "makes goats, which a cell that readers get needs" in only_complaint(chapter)


@pytest.mark.parametrize("alt", [None, "", "figure", "01_chapter/figure-number-one.png"])
def test_missing_alt_text_is_caught(chapter: NotebookNode, alt: str | None) -> None:
    add_cell(chapter, mystnb={"image": {"alt": alt}}).outputs = [figure_output()]
    assert "draws a figure and its alt text is" in only_complaint(chapter)


def test_long_cell_is_caught(chapter: NotebookNode) -> None:
    add_cell(chapter, source="\n".join(["x = 1"] * 26))
    assert "has 26 lines" in only_complaint(chapter)


@pytest.mark.parametrize("path", ["/home/ann/a.py", "/Users/ann", "/tmp/x", r"C:\Users\ann"])
def test_machine_path_is_caught(chapter: NotebookNode, path: str) -> None:
    add_cell(chapter).outputs = [new_output("stream", name="stdout", text=f"in {path}\n")]
    assert "shows paths of one machine" in only_complaint(chapter)


def test_large_file_is_caught(chapter: NotebookNode) -> None:
    assert "2.5 MB" in guards.static_complaints(chapter, size=2_500_000)[0]


# --- comparison of outputs -----------------------------------------------------------------------


def record_output(name: str, value: str) -> NotebookNode:
    """Return the output of record(name, value)."""
    data = {"application/papermill.record/text/plain": value}
    return new_output("display_data", data=data, metadata={"scrapbook": {"name": name}})


@given(st.text())
def test_a_text_agrees_with_itself(text: str) -> None:
    assert compare_text(text, text, Tolerance()) is None
    assert compare_text(text, text + " ", Tolerance(absolute=1)) is None


thousandths = st.integers(-(10**9), 10**9)


@given(thousandths, thousandths, st.integers(0, 10**9))
def test_numbers_agree_exactly_within_the_absolute_tolerance(
    old: int, shift: int, tolerance: int
) -> None:
    texts = [f"loss: {value / 1000:.3f} nats" for value in (old, old + shift)]
    complaint = compare_text(*texts, Tolerance(absolute=tolerance / 1000, relative=1e-30))
    assert (complaint is None) == (abs(shift) <= tolerance or shift == 0)


@given(st.integers(1, 10**6), st.integers(-99, 300))
def test_the_relative_tolerance_scales_with_the_committed_number(old: int, percent: int) -> None:
    new = old * (100 + percent)  # in hundredths, to be exact
    complaint = compare_text(f"{old}", f"{new / 100:.2f}", Tolerance(relative=0.5))
    assert (complaint is None) == (abs(percent) <= 50)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("[ 0.1 -0.2]", "[-0.1  0.2]"),
        ("[1. 2.]", "[1.04 1.96]"),
        ("It is 5.", "It is 5.1."),
        ("1e-3 s", "2.5e-2 s"),
        ("total 1,234 km", "total 1,233.9 km"),
        ("12ms, 40%", "12.2ms, 40.3%"),
        ("\u22120.1", "0.1"),
        ("<td>0.5</td>", "<td>0.55</td>"),
        ("nan inf -inf 0.1", "nan inf -inf 0.2"),
        ("loss 9.9\nend", "loss  10.0 \nend"),
    ],
)
def test_numbers_within_the_tolerance_agree(old: str, new: str) -> None:
    assert compare_text(old, new, Tolerance(absolute=0.5)) is None
    assert "states no tolerance" in compare_text(old, new, Tolerance(pixels=0.5))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("loss 0.5", "gain 0.5"),
        ("x1 0.5", "x2 0.5"),
        ("0.5", "0.5 0.5"),
        ("1 2", "12"),
        ("0.5", "nan"),
        ("inf", "-inf"),
        ("0.5 km", "0.5km/h"),
        ("a-b 4", "a--b 4"),
        ("1e300", "1e301"),
    ],
)
def test_other_differences_are_caught_under_any_tolerance(old: str, new: str) -> None:
    assert compare_text(old, new, Tolerance(absolute=20, relative=0.5)) is not None


def test_outputs_are_compared_by_kind() -> None:
    stream = new_output("stream", name="stdout", text="a")
    record = record_output("regret", "0.5")
    assert compare_outputs([stream, record], [record, stream], Tolerance()) == []
    renamed = compare_outputs([record], [record_output("return", "0.5")], Tolerance())
    assert [text.partition(":")[0] for text in renamed] == ["record regret", "record return"]
    (missing,) = compare_outputs([stream], [], Tolerance())
    assert missing.startswith("stdout: 1 committed, 0 in the new run")


def test_the_seconds_of_a_method_must_be_recorded_and_may_differ() -> None:
    slow, fast = (record_output("cpu seconds: mine", value) for value in ("0.5", "0.1"))
    assert compare_outputs([slow], [fast], Tolerance()) == []
    assert compare_outputs([slow], [], Tolerance()) != []


def test_pixels_are_compared_and_not_bytes() -> None:
    white = np.full((10, 20, 3), 255, np.uint8)
    changed = white.copy()
    changed[:, :5, 1] = 254
    small, large = png(white), png(white, compress_level=0)
    assert small != large and compare_images(small, large, Tolerance()) is None
    assert "25.00% of the pixels differ" in compare_images(small, png(changed), Tolerance())
    assert compare_images(small, png(changed), Tolerance(pixels=0.25)) is None
    assert compare_images(small, png(changed), Tolerance(pixels=0.24)) is not None
    assert "20 x 10 pixels and is 20 x 9" in compare_images(
        small, png(white[1:]), Tolerance(pixels=1)
    )


def slider(*drawings: str, control: str = "asked") -> str:
    """Return a figure with a dial as it is committed, a frame for each drawing."""
    frames = [Frame(f"trip to {text}", text) for text in drawings]
    dial = Dial(control, [str(i) for i in range(len(drawings))])
    figure = InteractiveFigure(ALT, frames, size=(9, 9), dials=[dial])
    return figure._repr_mimebundle_()["text/html"]


def test_frames_of_a_slider_may_differ_as_far_as_stated() -> None:
    old, new = slider("Rome", "Paris", "Lyon", "Bonn"), slider("Rome", "Nice", "Lyon", "Bonn")
    assert compare_values(old, new, Tolerance(frames=0.25)) is None
    assert "1 of 4 frames differ (asked 1)" in compare_values(old, new, Tolerance(frames=0.24))
    for tolerance in (Tolerance(), Tolerance(absolute=99)):
        assert compare_values(old, new, tolerance) is not None


@pytest.mark.parametrize(
    "new",
    [
        slider("Rome", "Paris", control="goal"),
        slider("Rome", "Paris", "Lyon"),
        slider("Rome", "Paris").replace('data-label="asked 1"', 'data-label="asked 9"'),
        slider("Nice", "Paris"),  # what is shown first is told below the figure, too
        "",
    ],
)
def test_what_surrounds_the_frames_may_not_differ(new: str) -> None:
    assert compare_values(slider("Rome", "Paris"), new, Tolerance(frames=1.0)) is not None


# --- guards that need a run ----------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """A code cell, how it is injured after its run, and what the harness must say then.

    Without a `message` the injured cell must pass: it stays within what it states.
    """

    source: str
    injure: Callable[[NotebookNode], None]
    message: str | None
    metadata: dict = field(default_factory=dict)


@pytest.mark.parametrize(("new", "same"), [("0.1148517006549573", True), ("0.1148527", False)])
def test_the_last_digits_of_a_record_belong_to_the_processor(new: str, same: bool) -> None:
    runs = ([record_output("share", number)] for number in ("0.1148517006549576", new))
    assert (compare_outputs(*runs, Tolerance()) == []) == same


def commit_text(text: str) -> Callable[[NotebookNode], None]:
    """Injure a cell: it was committed with `text` as what it printed."""

    def injure(cell: NotebookNode) -> None:
        cell.outputs[0].text = text + "\n"

    return injure


def commit_record(cell: NotebookNode) -> None:
    """Injure a cell: it was committed with another recorded number."""
    cell.outputs[0].data["application/papermill.record/text/plain"] = "41.0"


def commit_stripes(cell: NotebookNode) -> None:
    """Injure a cell: a tenth of its committed figure is black."""
    (data,) = (output.data for output in cell.outputs if "image/png" in output.data)
    image = Image.open(io.BytesIO(base64.b64decode(data["image/png"]))).convert("RGB")
    pixels = np.array(image)
    pixels[::10] = (1, 2, 3)
    data["image/png"] = png(pixels)


def announce_a_minute(cell: NotebookNode) -> None:
    """Injure a cell: it states a time that it doesn't take."""
    cell.metadata["seqdec"] = {"seconds": 60}


def do_instead(source: str) -> Callable[[NotebookNode], None]:
    """Injure a cell: after its run its source became `source`."""

    def injure(cell: NotebookNode) -> None:
        cell.source = source

    return injure


def allowing(**tolerance: float) -> dict:
    """Return the metadata of a cell with a tolerance."""
    return {"seqdec": {"tolerance": {**tolerance, "reason": "for this test"}}}


DRAW = "import matplotlib.pyplot as plt\n\nplt.plot([0, 1])\nplt.show()"
SWALLOW = "try:\n    {}\nexcept OSError:\n    pass"
URL = SWALLOW.format('__import__("urllib.request").request.urlopen("https://example.org/data")')
ADDRESS = SWALLOW.format('__import__("socket").socket().connect(("192.0.2.1", 80))')
PROXY = SWALLOW.format('__import__("socket").socket().connect(("127.0.0.1", 9))')
CHILD = (
    "import subprocess\nimport sys\n\n"
    "code = 'import socket; socket.gethostbyname(\"child.example.org\")'\n"
    "_ = subprocess.run([sys.executable, '-c', code], stderr=subprocess.DEVNULL)"
)
CASES = {
    "wrong number": Case("print(0.5)", commit_text("0.6"), "states no tolerance"),
    "wrong record": Case('book.record("answer", 42.0)', commit_record, "record answer 1: differs"),
    "number outside its tolerance": Case(
        "print('loss 1.5')",
        commit_text("loss 1.7"),
        "was 1.7, is 1.5, which is outside the tolerance",
        allowing(absolute=0.1),
    ),
    "number within its tolerance": Case(
        "print('loss 1.5')", commit_text("loss 1.55"), None, allowing(absolute=0.1)
    ),
    "changed figure": Case(DRAW, commit_stripes, "the committed figure is not what the cell draws"),
    "figure within its tolerance": Case(DRAW, commit_stripes, None, allowing(pixels=0.11)),
    "missing figure": Case(DRAW, do_instead("pass"), "image/png: 1 committed, 0 in the new run"),
    "additional figure": Case("pass", do_instead(DRAW), "image/png: 0 committed, 1 in the new run"),
    "time that is not compared": Case(
        "print(0.5)", commit_text("0.6"), None, {"seqdec": {"not_compared": "for this test"}}
    ),
    "false claim": Case(
        'book.claim("All of it is well.", True)',
        do_instead('book.claim("All of it is well.", 1 > 2)'),
        'the chapter says "All of it is well.", and that is not true here',
    ),
    "claim that is no longer made": Case(
        'book.claim("No page is missing.", True)',
        do_instead("pass"),
        "record claim: No page is missing.: 1 committed, 0 in the new run",
    ),
    "error": Case("pass", do_instead("1 / 0"), "ZeroDivisionError"),
    "error that is not compared": Case(
        "pass", do_instead("1 / 0"), "ZeroDivisionError", {"seqdec": {"not_compared": "a time"}}
    ),
    "record that is not compared": Case(
        "pass",
        do_instead('book.record("seconds", 1.5)'),
        "records seconds and is not compared",
        {"seqdec": {"not_compared": "for this test"}},
    ),
    "wait that does not come": Case("pass", announce_a_minute, None),
    "new warning": Case(
        "pass", do_instead("import warnings\n\nwarnings.warn('old')"), "stderr: 0 committed"
    ),
}
NETWORK = {
    "URL": (URL, "https://example.org/data"),
    "address": (ADDRESS, "192.0.2.1:80"),
    "closed proxy": (PROXY, "the network, by the closed proxy"),
    "child process": (CHILD, "child.example.org"),
    "downloader": (SWALLOW.format('__import__("os").system("curl --version")'), "curl"),
}


@dataclass(frozen=True)
class Results:
    """What pytest said about the two chapters: the failure text of each test, "" if it passed.

    noted : the names of the chapters that were noted as verified.
    """

    healthy: dict[str, str]
    injured: dict[str, str]
    terminal: str
    noted: set[str]


@pytest.fixture(scope="module")
def harness_run(original: NotebookNode, tmp_path_factory: pytest.TempPathFactory) -> Results:
    """Run pytest on a short healthy chapter and on its injured copy, in a process of its own."""
    folder = tmp_path_factory.mktemp("chapters")
    chapter = short_chapter(original)
    nbformat.write(chapter, folder / "healthy.ipynb")
    injure(chapter)
    nbformat.write(chapter, folder / "injured.ipynb")
    terminal = run_pytest(folder)
    report = ET.parse(folder / "report.xml")
    failures = {"healthy": {}, "injured": {}}
    for case in report.iter("testcase"):
        texts = [found.text or "" for found in case if found.tag in ("failure", "error")]
        failures[Path(case.get("classname")).stem][case.get("name")] = "".join(texts)
    noted = {path.stem for path in (folder.parent / ".verified").glob("*.json")}
    return Results(**failures, terminal=terminal, noted=noted)


def short_chapter(original: NotebookNode) -> NotebookNode:
    """Return the first chapter's first code cell and a cell for each case, run."""
    start = next(cell for cell in original.cells if cell.cell_type == "code")
    cases = [new_code_cell(case.source, metadata=case.metadata) for case in CASES.values()]
    network = [new_code_cell("pass") for _ in NETWORK]
    chapter = new_notebook(cells=[copy.deepcopy(start), *cases, *network])
    for cell in chapter.cells[1:]:
        cell.metadata["mystnb"] = {"image": {"alt": ALT}}
    add_text(chapter, "All of *it* is well. No page is missing.")
    return NotebookClient(chapter, resources={"metadata": {"path": ROOT}}).execute()


def injure(chapter: NotebookNode) -> None:
    """Injure each cell of the short chapter after its run."""
    set_budget(chapter, "budget=0.1")
    injuries = [case.injure for case in CASES.values()]
    injuries += [do_instead(source) for source, _ in NETWORK.values()]
    for cell, harm in zip(chapter.cells[1:-1], injuries, strict=True):
        harm(cell)
    add_text(chapter, "The regret falls to 0.93.")


def run_pytest(folder: Path) -> str:
    """Run the harness over the chapters in `folder` as the book's own configuration does."""
    settings = f"[pytest]\npythonpath = '{(ROOT / 'site').as_posix()}'\n"
    (folder / "pytest.ini").write_text(settings, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-c", str(folder / "pytest.ini"), str(folder)]
    command += ["--disable-plugin-autoload", "-pxdist", "-pnbval", "-ptests.chapter_plugin"]
    command += ["-pno:cacheprovider", "-n1", "--dist=loadfile"]  # a worker, which tells another
    command += ["--nbval", "--nbval-current-env", f"--junitxml={folder / 'report.xml'}"]
    outer = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    run = subprocess.run(
        command, cwd=ROOT, env=outer, capture_output=True, text=True, timeout=900, check=False
    )
    assert run.returncode == pytest.ExitCode.TESTS_FAILED, run.stdout + run.stderr
    return run.stdout


def cell_name(case: str) -> str:
    """Return the name that nbval gives the cell of `case`, after the start in Cell 0."""
    return f"Cell {1 + list(CASES | NETWORK).index(case)}"


def test_healthy_chapter_passes(harness_run: Results) -> None:
    names = ["committed", "Cell 0", *map(cell_name, CASES | NETWORK), "budget and network"]
    assert harness_run.healthy == dict.fromkeys(names, "")


def test_only_a_chapter_that_passed_is_noted_as_verified(harness_run: Results) -> None:
    assert harness_run.noted == {"healthy"}


def test_static_guards_are_part_of_the_run(harness_run: Results) -> None:
    assert "types the number 0.93" in harness_run.injured["committed"]


@pytest.mark.parametrize("case", CASES)
def test_run_of_injured_cell(harness_run: Results, case: str) -> None:
    failure, message = harness_run.injured[cell_name(case)], CASES[case].message
    assert failure == "" if message is None else message in failure


@pytest.mark.parametrize("case", NETWORK)
def test_network_attempt_is_caught_though_swallowed(harness_run: Results, case: str) -> None:
    assert harness_run.injured[cell_name(case)] == ""
    attempt = f"{cell_name(case)} tried to reach {NETWORK[case][1]}: a chapter runs offline"
    assert attempt in harness_run.injured["budget and network"]


def test_overrun_of_the_budget_is_caught_though_cells_failed(harness_run: Results) -> None:
    assert "more than twice its budget of 0.1" in harness_run.injured["budget and network"]


def test_a_wait_that_is_stated_and_not_taken_is_caught(harness_run: Results) -> None:
    complaint = f"{cell_name('wait that does not come')} takes 0 CPU seconds and states 60"
    assert complaint in harness_run.injured["budget and network"]


def test_cpu_time_and_budget_are_reported(harness_run: Results) -> None:
    assert re.search(r"^injured: \d+ s of CPU, budget 0.1 s$", harness_run.terminal, re.MULTILINE)
    assert re.search(r"^healthy: \d+ s of CPU, budget \d+ s$", harness_run.terminal, re.MULTILINE)
