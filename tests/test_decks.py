"""The decks of slides: all that the chapters show and claim is there, and nothing from outside."""

import base64
import re
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from playwright.sync_api import Page
from sentences import claims, normal

from coursework import decks
from coursework.decks import chapter, packed, split, weeks
from coursework.quiz import Choice, Question, quizzes
from tests.browser import elsewhere, needs_chromium, opened
from tests.test_claims_page import claimed
from tests.test_notebooks import markup_in

ROOT = Path(__file__).resolve().parents[1]
CHAPTERS = {int(path.name[:2]): path for path in sorted(ROOT.glob("chapters/[0-9]*.ipynb"))}
WEEKS = weeks((ROOT / decks.GUIDE).read_text(encoding="utf-8"))
LOADING = {"src", "srcset", "href", "xlink:href", "poster", "data", "action", "background", "style"}


# -- the decks of this book


@pytest.fixture(scope="module")
def files(notebooks: list[Path], tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The decks, one a week."""
    return decks.save(tmp_path_factory.mktemp("slides"))


@pytest.fixture(scope="module")
def read(files: list[Path]) -> list[BeautifulSoup]:
    """The decks as they are read, without scripts and styles."""
    soups = []
    for path in files:
        text = re.sub(r"(?s)<(script|style)>.*?</\1>", "", path.read_text(encoding="utf-8"))
        soups.append(BeautifulSoup(text, "html.parser"))
    return soups


def test_every_week_has_a_deck_and_every_chapter_a_week(files: list[Path]) -> None:
    assert [path.name for path in files] == [f"week{week.number}.html" for week in WEEKS]
    assert [number for week in WEEKS for number in week.chapters] == list(CHAPTERS)


def test_every_figure_is_there_with_its_words_and_caption(read: list[BeautifulSoup]) -> None:
    for week, deck in zip(WEEKS, read, strict=True):
        cells = [c for n in week.chapters for c in nbformat.read(CHAPTERS[n], 4).cells]
        shown = [
            (base64.b64decode(output.data["image/png"]), cell.metadata.mystnb.image.alt)
            for cell in cells
            for output in cell.get("outputs", [])
            if any(kind.startswith("image/") for kind in output.get("data", {}))
        ]
        images = deck.select("section figure img")
        found = [(base64.b64decode(i["src"].partition(",")[2]), i["alt"]) for i in images]
        assert found == shown and all(words for _, words in shown)
        captions = [image.parent.figcaption.get_text().strip() for image in images]
        numbers = "|".join(map(str, week.chapters))
        assert all(re.match(rf"Figure ({numbers})\.\d+\. \w", words) for words in captions)


def test_every_claim_is_marked_and_no_exercise_is_told(read: list[BeautifulSoup]) -> None:
    for week, deck in zip(WEEKS, read, strict=True):
        text = normal(deck.get_text())
        marked = normal(" ".join(mark.get_text() for mark in deck.select("mark")))
        for number in week.chapters:
            notebook = nbformat.read(CHAPTERS[number], 4)
            starts = {
                heading: next(
                    i for i, c in enumerate(notebook.cells) if f"## {heading}" in c.source
                )
                for heading in ("Exercises", "Summary")
            }
            for claim in claims(notebook):
                if claim.cell < starts["Exercises"]:
                    assert claim.words in marked
                elif claim.cell == starts["Summary"]:
                    assert claim.words in text
        assert not [h for h in deck.select("h2") if re.match("Exercise|Solution", h.get_text())]


def test_each_chapter_has_a_prediction_a_summary_and_its_questions(
    read: list[BeautifulSoup],
) -> None:
    questions = {int(quiz.number): len(quiz.questions) for quiz in quizzes(ROOT)}
    for week, deck in zip(WEEKS, read, strict=True):
        parts: list[list[str]] = []
        for section in deck.select("section"):
            if "chapter" in section["class"]:
                parts.append([])
            elif parts:
                parts[-1].append(section.h2.get_text())
        for number, titles in zip(week.chapters, parts, strict=True):
            named = dict.fromkeys(title for title in titles if decks.PREDICTION.match(title))
            assert len(named) == 1 and "Summary" in titles
            expected = [
                title
                for n in range(1, questions.get(number, 0) + 1)
                for title in (f"Question {n}", f"Answer to question {n}")
            ]
            assert [title for title in titles if "uestion " in title] == expected


def test_no_markup_is_left_and_no_id_is_there_twice(read: list[BeautifulSoup]) -> None:
    for deck in read:
        prose = re.sub(r"(?s)\$[^$]+\$|\\\(.*?\\\)|\\\[.*?\\\]", "", deck.get_text())
        assert markup_in(prose) == [] and not re.search(r"\{\w+\}`|\]\(|\*\*|…|\x01|\x02", prose)
        ids = [element["id"] for element in deck.select("[id]")]
        assert len(ids) == len(set(ids))
        assert deck.select("a, iframe, link, script") == []


def test_nothing_is_loaded_from_elsewhere(files: list[Path], read: list[BeautifulSoup]) -> None:
    for path, deck in zip(files, read, strict=True):
        named = [tag[name] for tag in deck.find_all() for name in LOADING & tag.attrs.keys()]
        assert named and all(address.startswith("data:") for address in named)
        (style,) = re.findall(r"(?s)<style>(.*?)</style>", path.read_text(encoding="utf-8"))
        assert "url(" not in style and "@import" not in style


def look(page: Page, slide: str) -> dict:
    """What is seen of a slide, once it is the one that is shown."""
    return page.evaluate(
        """id => { const slide = document.getElementById(id); return {
            shown: [...document.querySelectorAll("section")].filter(
                s => getComputedStyle(s).visibility === "visible").map(s => s.id),
            over: slide.scrollHeight - slide.clientHeight } }""",
        slide,
    )


@needs_chromium
def test_slides_fit_a_projector_and_turn_by_keys_without_a_network(files: list[Path]) -> None:
    too_long = []
    with opened() as (page, asked):
        for path in files:
            page.goto(path.as_uri())
            page.evaluate("() => MathJax.startup.promise")
            assert page.locator("mjx-merror").count() == 0
            slides = page.eval_on_selector_all("section", "all => all.map(one => one.id)")
            over = [(path.stem, slide, look(page, slide)["over"]) for slide in slides]
            too_long += [each for each in over if each[2] > 0]
            for key, there in (
                ("ArrowRight", 1),
                ("PageDown", 2),
                ("ArrowLeft", 1),
                ("End", -1),
                ("ArrowRight", -1),
                ("Home", 0),
                ("ArrowLeft", 0),
            ):
                page.keyboard.press(key)
                assert look(page, slides[there])["shown"] == [slides[there]], key
    assert elsewhere(asked) == []
    assert too_long == []


# -- a chapter that is made up


def made_up(text: str, *said: str, alt: str = "A dot.") -> list[decks.Slide]:
    """The slides of a chapter that says some text, claims some of it and shows a figure."""
    picture = new_output("display_data", data={"image/png": "aGk="})
    cells = [
        new_markdown_cell("# 1. A *title*\n\nIt begins."),
        new_code_cell("...", outputs=claimed(*said)),
        new_markdown_cell(f"## A section\n\n{text}"),
        new_code_cell("...", outputs=[picture], metadata={"mystnb": {"image": {"alt": alt}}}),
        new_markdown_cell("## Exercises\n\nOne.\n\n## Summary\n\nTwo. Three."),
    ]
    notebook = new_notebook(cells=cells)
    answers = (Choice("yes", "It is.", True), Choice("no", "It is.", False))
    return chapter(notebook, notebook, [Question("a", "Is $x_1 < 2$?", answers)])


def test_a_sentence_is_shown_with_its_claims_marked() -> None:
    title, figure, said, summary, question, answer = made_up(
        "Nothing. So [it](there.ipynb) is *less* & more (see. This) than $a_1$. No.",
        "less & more",
        "than $a_1$",
    )
    assert (title.title, title.kind) == ("1. A <em>title</em>", "chapter")
    assert 'alt="A dot."' in figure.body and figure.title == said.title == "A section"
    assert said.body == (
        "<ul><li>So it is <mark>less &amp; more</mark> (see. This) "
        "<mark>than $a_1$</mark>.</li></ul>"
    )
    assert summary.body.count("<li>") == 2
    assert r"\(x_1 &lt; 2\)" in question.body and "It is." not in question.body
    assert '<li class="right"><strong>yes</strong> It is.</li>' in answer.body


def test_a_claim_that_nobody_says_and_a_figure_without_words_are_named() -> None:
    assert made_up("It is so.", "is not so")  # the book's own test names it
    with pytest.raises(ValueError, match="no alternative text"):
        made_up("It is so.", alt="")


def test_a_guide_without_weeks_is_named() -> None:
    with pytest.raises(ValueError, match="has no row"):
        weeks("| week | read | in the room | assignment |")
    (week,) = weeks("| 5 | chapters 9, 10 and 11 | Talk. | a5, *Postcards* |\n| any | x | y | z |")
    assert week == (5, [9, 10, 11], "Talk.", "a5, *Postcards*")


WORDS = st.sampled_from(
    ["A", "b.", "(C.", "d.)", "**E?", "f!**", "$g. H$", "*et", "al.*", "(2021)"]
)


@given(st.lists(WORDS))
def test_no_word_is_lost_where_text_is_divided(words: list[str]) -> None:
    text = " ".join(words)
    assert " ".join(split(text)) == text
    parts = packed(split(text), " ")
    assert " ".join(parts) == text and all(parts)


def test_sentences_end_where_they_should() -> None:
    assert split("See (A. B) now. Then **C? D.** Chen *et al.* (2021) say 0.5. $x. Y$ is 3.") == [
        "See (A. B) now.",
        "Then **C? D.**",
        "Chen *et al.* (2021) say 0.5.",
        "$x. Y$ is 3.",
    ]


@given(st.lists(st.integers(1, 80)))
def test_a_slide_has_few_words(lengths: list[int]) -> None:
    parts = ["<b>w</b> " + "w " * (length - 1) for length in lengths]
    for together in packed(parts, " "):
        assert together in parts or len(re.findall("w", together)) <= decks.WORDS
