"""A small input at each prediction, and what was put in beside the answer: an extension of Sphinx.

What is asked, and the places, stand in `predictions.toml`. Both are HTML that is hidden until
`assets/predictions.js` shows it, and only the website has it: without the script a prediction is
the text of the chapter, as in the notebooks.
"""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path

from docutils import nodes
from sentences import normal
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

DATA = Path(__file__).with_name("predictions.toml")
FOLDER = "chapters/"


@dataclass(frozen=True)
class Question:
    """What the reader predicts.

    key : under which a browser keeps it
    ask, unit, choices : as in the file; without choices it is a number of this unit
    answer : words of the paragraph after which the prediction is shown again"""

    key: str
    ask: str
    answer: str
    unit: str = ""
    choices: tuple[str, ...] = ()

    def form(self) -> str:
        """A labeled input of HTML."""
        if self.choices:
            options = "".join(f"<option>{escape(choice)}</option>" for choice in self.choices)
            control = f'<select data-key="{self.key}"><option value="">–</option>{options}</select>'
        else:
            control = (
                f'<input type="number" step="any" min="0" data-key="{self.key}"> '
                f"<span>{escape(self.unit)}</span>"
            )
        return f"<label><span>{escape(self.ask)}</span> {control}</label>"

    def shown(self) -> str:
        """Where the script writes the prediction."""
        words = f'data-ask="{escape(self.ask)}" data-unit="{escape(self.unit)}"'
        return f'<p data-key="{self.key}" {words} hidden></p>'


@dataclass(frozen=True)
class Box:
    """The questions that stand after one paragraph of a chapter."""

    chapter: str
    after: str
    questions: tuple[Question, ...]

    def form(self) -> str:
        """All inputs, with what becomes of them."""
        inputs = "\n".join(question.form() for question in self.questions)
        return (
            f'<form class="prediction" id="{self.key}" autocomplete="off" hidden>\n<fieldset>'
            f"<legend>Your prediction</legend>\n{inputs}\n<p>It stays in this browser, is sent "
            "nowhere, and is shown to you again beside the answer.</p></fieldset></form>"
        )

    @property
    def key(self) -> str:
        """Of the first question, as the form's id."""
        return f"prediction-{self.questions[0].key}".replace("/", "-").lower()


@cache
def boxes() -> tuple[Box, ...]:
    """All boxes of the file, in its order."""
    found, number = [], {}
    for box in tomllib.loads(DATA.read_text(encoding="utf-8"))["box"]:
        chapter, questions = box["chapter"], []
        for question in box["question"]:
            number[chapter] = number.get(chapter, 0) + 1
            key = f"{chapter}/{number[chapter]}"
            choices = tuple(question.get("choices", ()))
            questions.append(Question(**question | {"key": key, "choices": choices}))
        found.append(Box(chapter, box["after"], tuple(questions)))
    return tuple(found)


def block(page: nodes.document, words: str) -> nodes.Element:
    """The outermost block of a section in which a paragraph has these words."""
    for node in page.findall(nodes.paragraph):
        if words in normal(node.astext()):
            while not isinstance(node.parent, (nodes.section, nodes.document)):
                node = node.parent
            return node
    raise ExtensionError(f"{DATA.name}: no paragraph of {page['source']} says “{words}”")


def additions(page: nodes.document, chapter: str) -> Iterator[tuple[nodes.Element, str]]:
    """Blocks of a page, each with the HTML that belongs after it."""
    for box in boxes():
        if box.chapter == chapter:
            yield block(page, box.after), box.form()
            shown: dict[str, str] = {}
            for question in box.questions:
                shown[question.answer] = shown.get(question.answer, "") + question.shown()
            for answer, parts in shown.items():
                html = (
                    f'<div class="predicted" role="note" data-form="{box.key}" hidden>{parts}</div>'
                )
                yield block(page, answer), html


def add(app: Sphinx, page: nodes.document, docname: str) -> None:
    """Put the inputs and the places of the answers into a chapter of the website."""
    if app.builder.name == "html" and docname.startswith(FOLDER):
        for node, html in list(additions(page, docname.removeprefix(FOLDER))):
            node.parent.insert(node.parent.index(node) + 1, nodes.raw("", html, format="html"))


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension."""
    app.connect("doctree-resolved", add)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
