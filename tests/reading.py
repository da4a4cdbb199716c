"""What a reader reads: the text of a page of the site, and that of a reader's notebook.

Both come as lists of blocks (paragraphs, headings, cells of tables, code, formulas), in order, so
that they can be compared. The notebook is read with markdown-it, which had no part in writing it.
"""

import re
from functools import cache
from pathlib import Path

import nbformat
from bs4 import BeautifulSoup, Tag
from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin

BLOCKS = [*(f"h{level}" for level in range(1, 7)), "p", "li", "td", "th", "pre", "summary", "math"]
MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable("table").use(dollarmath_plugin)
STRAIGHT = str.maketrans("‘’“”", "''\"\"")  # a heading is an address, so its quotes are plain


@cache
def page_blocks(page: Path) -> list[str]:
    """The text of a page: without the cells, but with the captions of their figures."""
    article = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser").select_one("article")
    for cell in article.select("div.cell"):
        captions = [caption.extract() for caption in cell.select("figcaption")]
        cell.replace_with(*captions)
    for extra in article.select(
        ".headerlink, h2 .section-number, h3 .section-number, .glossary-preview"
    ):
        extra.decompose()
    for offer in article.select("p:has(a.download)"):  # whoever reads the notebook has it
        offer.decompose()
    for formula in article.select(".math"):
        number = formula.select_one(".eqno")
        tag = rf"\tag{{{number.extract().get_text().strip('() ¶#')}}}" if number else ""
        tex = re.sub(r"^\\[\[(]|\\[\])]$", "", formula.get_text().strip())
        tex = re.sub(r"\\(begin|end)\{split\}", "", tex)  # Sphinx's own
        set_formula(formula, tex + tag, display=formula.name == "div")
    return texts(article)


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
        set_formula(formula, formula.get_text(), display="block" in formula["class"])
    return [re.sub(r"^((?:Figure|Table) [\d.]+)\. ", r"\1 ", text) for text in texts(soup)]


def rendered(markdown: str) -> BeautifulSoup:
    """What a Jupyter front end makes of Markdown, more or less."""
    return BeautifulSoup(MARKDOWN.render(markdown), "html.parser")


def set_formula(element: Tag, tex: str, display: bool) -> None:
    """Put a formula as plain text in the place of what a program made of it."""
    tex = tex.replace("&", " & ")
    if display:
        element.name = "math"
    element.string = f"${''.join(tex.split())}$"


def texts(soup: Tag) -> list[str]:
    """The texts of the innermost blocks, in order, white space and quotes made equal."""
    leaves = [block for block in soup.find_all(BLOCKS) if not block.find(BLOCKS)]
    found = [" ".join(block.get_text().split()).translate(STRAIGHT) for block in leaves]
    return [text for text in found if text]
