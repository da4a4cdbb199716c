"""Predictions: what the site asks, and where, fits the chapters."""

from pathlib import Path

import nbformat
import pytest
from docutils import nodes
from moving_figures import FIGURE, TRAVELING
from predictions import block, boxes
from sentences import blocks
from sphinx.errors import ExtensionError

from seqdec_lib.book.interactive import Dial, Frame, InteractiveFigure
from seqdec_lib.book.records import recorded

ROOT = Path(__file__).resolve().parent.parent
CHAPTERS = sorted(path.stem for path in ROOT.glob("chapters/*.ipynb"))


def test_every_chapter_asks_for_a_prediction() -> None:
    assert sorted({box.chapter for box in boxes()}) == CHAPTERS


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_questions_and_answers_have_one_place_each_and_in_this_order(chapter: str) -> None:
    notebook = nbformat.read(ROOT / "chapters" / f"{chapter}.ipynb", as_version=4)
    values = recorded(notebook)
    cells = (cell for cell in notebook.cells if cell.cell_type == "markdown")
    said = [text for cell in cells for _, text in blocks(cell.source, values)]
    for box in (box for box in boxes() if box.chapter == chapter):
        (asked,) = (i for i, text in enumerate(said) if box.after in text)
        for question in box.questions:
            (answered,) = (i for i, text in enumerate(said) if question.answer in text)
            assert asked < answered, question.ask


def test_each_question_has_a_key_of_its_own_and_is_either_a_choice_or_a_number() -> None:
    questions = [question for box in boxes() for question in box.questions]
    assert len({question.key for question in questions}) == len(questions)
    for question in questions:
        assert bool(question.unit) != bool(question.choices), question.key
        assert ("<select" in question.form()) == bool(question.choices)


def test_words_that_no_paragraph_says_stop_the_build() -> None:
    page = nodes.document(None, None, source="page.md")
    page += nodes.section("", nodes.paragraph("", "A “quoted” word."))
    assert block(page, 'A "quoted" word').astext() == "A “quoted” word."
    with pytest.raises(ExtensionError, match="no paragraph of page.md says “gone”"):
        block(page, "gone")


def test_the_site_takes_script_and_style_out_of_a_figure_and_nothing_else() -> None:
    frames, dial = [Frame("one", "<g/>"), Frame("two", "<g/>")], Dial("a", ["1", "2"])
    html = InteractiveFigure("A figure.", frames, (9, 9), [dial])._repr_mimebundle_()["text/html"]
    assert html.startswith(FIGURE)
    left = TRAVELING.sub("", html)
    assert "<script" not in left and "<style" not in left
    assert left.count("<g ") == 2 and left.count("<p ") == 2 and left.count("<input") == 1
