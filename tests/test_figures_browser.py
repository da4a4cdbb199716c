"""Interactive figures and predictions in Chromium, on a phone's width."""

import html
import json
import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Browser, Locator, Page
from predictions import boxes
from sentences import normal

from seqdec_lib.problems import TravelTree
from tests.browser import USABLE, WHOLE, elsewhere, needs_chromium

pytestmark = needs_chromium

ROOT = Path(__file__).resolve().parent.parent
CHAPTERS = sorted(path.stem for path in ROOT.glob("chapters/*.ipynb"))
FIGURES = {  # of each chapter that has one: how many dials
    "01_the_tree_problem": 0,
    "02_the_bellman_equation": 2,
    "05_sequences": 2,
    "06_gumbel_softmax": 1,
    "08_decision_transformer": 1,
    "09_language_models": 2,
    "11_learning_from_feedback": 1,
}
MOST_BYTES = 60_000
FRAME = re.compile(r'^<g data-label="([^"]*)" display="\w+" data-description="([^"]*)"', re.M)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A phone's page, with nothing kept from the test before."""
    context = browser.new_context(viewport={"width": 390, "height": 844})
    yield context.new_page()
    context.close()


def visit(page: Page, site: Path, chapter: str) -> None:
    """Open a chapter, or open it again, shown whole."""
    address = (site / "chapters" / f"{chapter}.html").as_uri()
    if page.url == address:
        page.reload()
    else:
        page.goto(address)
    page.evaluate(USABLE)
    page.add_style_tag(content=WHOLE)


def figure_of(page: Page, site: Path, chapter: str) -> Locator:
    visit(page, site, chapter)
    figure = page.locator(".interactive-figure")
    assert figure.count() == 1
    return figure


def committed(chapter: str) -> str:
    """The figure that the chapter's run computed, which the chapter's own test makes again."""
    notebook = nbformat.read(ROOT / "chapters" / f"{chapter}.ipynb", as_version=4)
    outputs = [o.data for c in notebook.cells for o in c.get("outputs", ()) if "data" in o]
    (figure,) = [text for d in outputs if "interactive-figure" in (text := d.get("text/html", ""))]
    return figure


def shown(figure: Locator) -> tuple[str, str]:
    """The label of the only frame that is visible, and the sentence below the drawing."""
    labels = figure.evaluate(
        "f => [...f.querySelectorAll('svg > g[data-label]')]"
        ".filter(g => g.getAttribute('display') === 'inline').map(g => g.dataset.label)"
    )
    assert len(labels) == 1
    return labels[0], figure.locator(".figure-description").inner_text()


def test_each_of_the_seven_figures_is_on_its_page_once_and_light(site: Path) -> None:
    for chapter in CHAPTERS:
        text = (site / "chapters" / f"{chapter}.html").read_text(encoding="utf-8")
        found = re.findall(r'<div class="interactive-figure">.*?\n</div>\n', text, re.DOTALL)
        assert len(found) == (chapter in FIGURES)
        for figure in found:
            assert "<script" not in figure and "<style" not in figure and "aria-label=" in figure
            assert len(figure.encode()) < MOST_BYTES, chapter


@pytest.mark.parametrize("chapter", [name for name, dials in FIGURES.items() if dials])
def test_dials_answer_to_keys_and_pointer_and_show_the_numbers_of_the_run(
    page: Page, site: Path, chapter: str
) -> None:
    figure = figure_of(page, site, chapter)
    frames = {
        label: html.unescape(description)
        for label, description in FRAME.findall(committed(chapter))
    }
    dials = figure.locator("input[type=range]")
    assert dials.count() == FIGURES[chapter] and figure.locator(".figure-fallback").count() == 0
    seen = []
    for i in range(dials.count()):
        dial = dials.nth(i)
        dial.focus()
        for key in ("Home", "ArrowRight", "End", "ArrowLeft"):
            page.keyboard.press(key)
            seen.append(shown(figure))
            place = int(dial.input_value())
            assert place == {"Home": 0, "ArrowRight": 1}.get(key, place)
            values = json.loads(dial.get_attribute("data-values") or "")
            assert dial.get_attribute("aria-valuetext") == values[place]
            assert figure.locator("output").nth(i).inner_text() == values[place]
        before, box = dial.input_value(), dial.bounding_box()
        assert box is not None
        page.mouse.click(box["x"] + 4, box["y"] + box["height"] / 2)
        assert dial.input_value() == "0" != before
        seen.append(shown(figure))
    assert len(set(seen)) > 3
    assert all(frames[label] == description for label, description in seen)


def test_a_touched_word_turns_its_dial(page: Page, site: Path) -> None:
    figure = figure_of(page, site, "05_sequences")
    word = figure.locator('[data-dial="1"][data-value="7"]')
    word.click()
    assert figure.locator("input").nth(1).input_value() == "7"
    assert word.get_attribute("class") == "chosen"


def test_the_tree_tells_the_worth_at_the_leaf_and_induction_the_optimum(
    page: Page, site: Path
) -> None:
    tree = TravelTree(horizon=3)
    figure = figure_of(page, site, "01_the_tree_problem")
    buttons = figure.locator("button")

    def worths() -> str:
        return " ".join(figure.locator("svg .value:visible").all_text_contents())

    buttons.first.focus()
    for key in ("Tab", "Enter", "Enter", "Enter"):  # the second choice, then twice the first
        assert worths() == ""
        page.keyboard.press(key)
    leaf = tree.first_leaf + 9  # actions 1, 0, 0
    assert f"worth {tree.enjoyment([leaf])[0]:.2f} stars" in shown(figure)[1]
    assert worths() == f"{tree.enjoyment([leaf])[0]:.2f}"
    buttons.nth(1).click()
    assert all(f"{worth:.2f}" in worths() for worth in tree.level_enjoyment(3))
    for _ in range(3):
        assert buttons.all_inner_texts() == ["One morning back"]
        buttons.first.click()
    assert f"the best is {tree.optimal_return():.2f} stars" in shown(figure)[1]
    buttons.first.click()
    assert buttons.count() == 3


def test_each_wish_shows_what_its_trip_is_worth(page: Page, site: Path) -> None:
    figure, tree = figure_of(page, site, "08_decision_transformer"), TravelTree()
    worth = {
        ", ".join(tree.itinerary(leaf)[1:]): tree.enjoyment([leaf])[0]
        for leaf in range(tree.first_leaf, tree.n_states)
    }
    figure.locator("input").focus()
    page.keyboard.press("Home")
    for _ in range(16):
        label, words = shown(figure)
        asked, trip, value = re.fullmatch(
            r"Asked for (.+) stars\. (.+): worth (.+) stars\.", words
        ).groups()
        assert label == f"Return asked for {asked}" and value == f"{worth[trip]:.1f}"
        page.keyboard.press("ArrowRight")


def controls_of(page: Page) -> list[Locator]:
    return page.locator("form.prediction :is(input, select)").all()


def fill(control: Locator, i: int) -> str:
    """Choose the last of some choices, or a number; return what is to be shown."""
    if control.evaluate("c => c.tagName") == "INPUT":
        control.fill(f"0.{i + 1}")
        return f"0.{i + 1}"
    last = control.locator("option").last.text_content()
    control.select_option(last)
    return last


def write_and_return(page: Page, site: Path, chapter: str) -> list[str]:
    """Fill in every prediction, open the chapter again, and return what was written.

    A busy Chromium loses now and then what a fresh profile stores, for good: up to three tries.
    """
    for _ in range(3):
        said = [fill(control, i) for i, control in enumerate(controls_of(page))]
        visit(page, site, chapter)
        if [control.input_value() for control in controls_of(page)] == said:
            break
    return said


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_predictions_are_kept_and_shown_at_their_answers(
    page: Page, site: Path, chapter: str
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    visit(page, site, chapter)
    questions = [q for box in boxes() if box.chapter == chapter for q in box.questions]
    assert page.locator("div.predicted:not([hidden])").count() == 0
    said = write_and_return(page, site, chapter)
    assert len(said) == len(questions)
    assert [control.input_value() for control in controls_of(page)] == said
    for question, value in zip(questions, said, strict=True):
        line = page.locator(f'div.predicted p[data-key="{question.key}"]')
        assert line.is_visible() and value in line.text_content()
        before = line.evaluate(
            "p => { let e = p.closest('.predicted'); while (e.matches('.predicted')) "
            "e = e.previousElementSibling; return e.textContent; }"
        )
        assert question.answer in normal(before), question.key
    for control in controls_of(page):
        control.select_option("") if control.evaluate("c => c.options") else control.fill("")
    assert page.locator("div.predicted:not([hidden])").count() == 0
    assert elsewhere(asked) == []


def test_without_a_script_a_chapter_is_text_and_its_figure_a_picture(
    browser: Browser, site: Path
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((site / "chapters" / "02_the_bellman_equation.html").as_uri())
    assert page.locator(".interactive-figure svg > g[data-label]:visible").count() == 1
    assert page.locator(".figure-fallback").is_visible()
    for hidden in (".figure-controls", "form.prediction", "div.predicted"):
        assert page.locator(hidden).count() and not page.locator(f"{hidden}:visible").count()
    context.close()
