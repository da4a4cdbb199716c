"""What a reader reads: the text of a page of the site, and that of a reader's notebook.

Both come as lists of blocks (paragraphs, headings, cells of tables, code, formulas), in order, so
that they can be compared. The notebook is read with markdown-it, which had no part in writing it.
"""

import re
from collections.abc import Iterable
from copy import copy
from functools import cache
from pathlib import Path

import nbformat
from bs4 import BeautifulSoup, Tag
from formulas import in_lines, mathml
from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin

from tests.guards import budget_of

BLOCKS = [*(f"h{level}" for level in range(1, 7)), "p", "li", "td", "th", "pre", "summary", "math"]
MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable("table").use(dollarmath_plugin)
# A heading is an address, so its quotes are plain; a minus sign is a hyphen in a notebook.
STRAIGHT = str.maketrans("‘’“”−", "''\"\"-")


@cache
def soup_of(page: Path) -> BeautifulSoup:
    """A page of the site, read once by all tests of a worker; whoever changes it takes a copy."""
    return BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")


def article(page: Path) -> Tag:
    """What stands on a page."""
    return soup_of(page).select_one("article")


@cache
def page_blocks(page: Path) -> list[str]:
    """The text of a page: without the cells, but with the captions of their figures."""
    text = copy(article(page))
    for cell in text.select("div.cell"):
        captions = [caption.extract() for caption in cell.select("figcaption")]
        cell.replace_with(*captions)
    for extra in text.select(
        ".headerlink, h2 .section-number, h3 .section-number, .glossary-preview, "
        "form.prediction, .predicted, .page-tools, .in-the-dark"
    ):
        extra.decompose()
    for offer in text.select("p:has(a.download)"):  # whoever reads the notebook has it
        offer.decompose()
    for formula in text.select(".math"):
        number = formula.select_one(".eqno")
        tag = rf"\tag{{{number.extract().get_text().strip('() ¶#')}}}" if number else ""
        formula.insert_after(*formula.find_all(string=True, recursive=False))  # its comma
        set_formula(formula, f"{formula.math}{tag}", display=formula.name == "div")
    for number in text.select("h1 .section-number"):
        number.string = re.sub(r"^Chapter (\d+) ", r"\1. ", number.get_text())
    return texts(text)


@cache
def notebook_blocks(notebook: Path) -> list[str]:
    """The text of a notebook, up to its references and without the figures in words."""
    cells = nbformat.read(notebook, as_version=4).cells
    sources = [c.source for c in cells if c.cell_type == "markdown" and c.id != "references"]
    soup = rendered("\n\n".join(sources))
    for box in soup.select("details"):
        if box.select_one("summary").get_text() == "The figure in words":
            box.decompose()
    for formula in soup.select(".math"):
        tex, number, tag = formula.get_text().partition(r"\tag")
        display = "block" in formula["class"]
        typeset = mathml(in_lines(tex) if display else tex, display)
        said = BeautifulSoup(typeset, "html.parser").math
        set_formula(formula, f"{said}{number}{tag.strip()}", display)
    return [re.sub(r"^((?:Figure|Table) [\w.]+)\. ", r"\1 ", text) for text in texts(soup)]


def shortest(chapters: Iterable[Path]) -> Path:
    """The chapter that runs soonest."""
    return min(chapters, key=lambda path: budget_of(nbformat.read(path, as_version=4)))


def rendered(markdown: str) -> BeautifulSoup:
    """What a Jupyter front end makes of Markdown, more or less."""
    return BeautifulSoup(MARKDOWN.render(markdown), "html.parser")


def set_formula(element: Tag, said: str, display: bool) -> None:
    """Put the elements of a typeset formula in its place, as text."""
    if display:
        element.name = "math"
    element.string = f"${''.join(said.split())}$"


def texts(soup: Tag) -> list[str]:
    """The texts of the innermost blocks, in order, white space and quotes made equal."""
    leaves = [block for block in soup.find_all(BLOCKS) if not block.find(BLOCKS)]
    found = [" ".join(block.get_text().split()).translate(STRAIGHT) for block in leaves]
    return [plain_title(text) for text in found if text]


def plain_title(text: str) -> str:
    """The title of an exercise, or of its solution, without the parentheses around it."""
    return re.sub(r"^((?:Solution to )?Exercise [\w.]+) \((.*)\)$", r"\1 \2", text)
