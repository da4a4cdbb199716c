"""What the reader sees of a chapter's Markdown, and where the words of its claims stand."""

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from sentences import blocks, claims, normal, pasted

VALUES = {"trips": 729, "regret": 0.0549, "share": 0.5, "city": "Paris", "whole": 3.0}


def seen(markdown: str) -> list[str]:
    return [text for _, text in blocks(markdown, VALUES)]


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        ("Only *two* of **them**, `x_y`\nwin.", "Only two of them, x_y win."),
        ("[The next](02_x.ipynb) and [](#a) and <b>bold</b>.", "The next and … and bold."),
        ("All {glue:text}`trips:,` in {glue:text}`city`.", "All 729 in Paris."),
        ("At {glue:text}`regret:.3f`, {glue:text}`share:.0%`.", "At 0.055, 50%."),
        ("{glue:text}`whole:.0f` of {glue:text}`trips`; {glue:text}`gone`", "3 of 729; …"),
        (r"With $\gamma = 1$ and {math}`x`.", r"With $\gamma = 1$ and $x$."),
        ("Due to {cite:t}`a`, as is known {cite:p}`b`, said twice {cite}`c`.",)
        + ("Due to …, as is known, said twice.",),
        ("{numref}`fig-x` and {eq}`e`; {ref}`here <x>`, {term}`leash`", "… and …; here, leash"),
        ("“It’s” – so\u00a0to\u202fsay --- co\u00adzy", '"It\'s" - so to say - cozy'),
        (r"five \* two \_x\_", "five * two _x_"),
    ],
)
def test_a_paragraph_as_its_reader_sees_it(markdown: str, text: str) -> None:
    assert seen(markdown) == [text]


@pytest.mark.parametrize(
    ("markdown", "texts"),
    [
        ("# Title\n\nOne.\nTwo.\n\nThree.", ["Title", "One. Two.", "Three."]),
        ("- a\n- b\n\n1. c", ["a", "b", "c"]),
        ("| a | b |\n|--|--|\n| 1 | *2* |", ["a", "b", "1", "2"]),
        ("````{admonition} Box\n:class: note\n\nIn *it*.\n\n```{tip}\nDeep.\n```\n````",)
        + (["Box", "In it.", "Deep."],),
        (":::{note}\nColons.\n:::", ["Colons."]),
        ("```python\nx = 1\n```\n\n$$\nx\n$$ (eq-x)\n\n(label)=\nText.", ["Text."]),
        ("```{code-block} python\nx\n```\n% a comment\n\n<!-- hidden -->", []),
    ],
)
def test_a_block_ends_where_the_reader_sees_it_end(markdown: str, texts: list[str]) -> None:
    assert seen(markdown) == texts


def test_a_block_knows_the_line_of_its_outermost_block() -> None:
    markdown = "# A\n\n(x)=\nText\nmore.\n\n- one\n- two\n\n```{note}\n\nBox.\n```\n"
    assert [line for line, _ in blocks(markdown, {})] == [0, 3, 6, 6, 9]


@given(st.text() | st.text("-‐−–— \u00a0\u00ad,.:“'a"))
def test_the_normal_form_is_its_own(text: str) -> None:
    assert normal(normal(text)) == normal(text)


@pytest.mark.parametrize("form", ["s", "d", ".2f", ",", ".0%", "", ".3g", ",.0f", "5d"])
@pytest.mark.parametrize("value", [3, 3.0, 0.25, True, "12"])
def test_numbers_are_formatted_as_on_the_page(value: object, form: str) -> None:
    variables = pytest.importorskip("myst_nb.core.variables")

    def outcome(paste: object) -> str:
        try:
            return paste()
        except ValueError:
            return "refused"

    theirs = outcome(lambda: variables.format_plain_text(repr(value), form))
    assert outcome(lambda: pasted(value, form)) == theirs


def claiming(*texts: str, **truth: bool) -> nbformat.NotebookNode:
    """A notebook that says the texts and has recorded claims and VALUES."""
    recorded = VALUES | {f"claim: {words}": holds for words, holds in truth.items()}
    outputs = [
        new_output(
            "display_data",
            data={"application/papermill.record/text/plain": repr(value)},
            metadata={"scrapbook": {"name": name}},
        )
        for name, value in recorded.items()
    ]
    cells = [new_markdown_cell(text) for text in texts]
    return new_notebook(cells=[new_code_cell("...", outputs=outputs), *cells])


@pytest.mark.parametrize(
    "words",
    [
        "Only 729 trips – “all” of them – are best",
        'Only 729  trips - "all" of\nthem - are best',
        'Only {glue:text}`trips` trips --- "all" of *them* --- are best',
        "all",
    ],
)
def test_the_words_of_a_claim_are_found_however_they_are_written(words: str) -> None:
    text = 'Title\n\nOnly {glue:text}`trips` trips – "all" of *them* – are best {cite}`x`.'
    (claim,) = claims(claiming("Before.", text, **{words: True}))
    assert (claim.cell, claim.line, claim.holds) == (2, 2, True)
    assert "{" not in claim.words and "*" not in claim.words


@pytest.mark.parametrize("words", ["Only 728 trips", "Title Only", "only 729", "x = 1"])
def test_words_that_no_block_says_have_no_place(words: str) -> None:
    text = "Title\n\nOnly {glue:text}`trips` trips.\n\n```python\nx = 1\n```"
    (claim,) = claims(claiming(text, **{words: False}))
    assert (claim.cell, claim.line, claim.holds) == (None, None, False)
