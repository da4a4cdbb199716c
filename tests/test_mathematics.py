"""Mathematics on the course's pages, in a real browser and without a network."""

from pathlib import Path

import nbformat
import pytest
from nbconvert.exporters import HTMLExporter
from nbgrader.server_extensions.formgrader.formgrader import FormgradeExtension

from coursework.course import Course
from coursework.grading.feedback import Page
from coursework.grading.reading import harmless
from tests.browser import elsewhere, needs_chromium, opened

TEXT = r"""
The value is $\mathbb{E}[G] = \sum_t \gamma^t r_t$, and \$5 is no formula, nor is `$x$`.

$$\int_0^1 \frac{x^2}{\sqrt{1 - x}}\,dx$$

\begin{align} a &= \href{javascript:alert(1)}{b} \end{align}
"""
SEEN = """async () => {
    await MathJax.startup.promise;
    await document.fonts.ready;
    const fonts = [...document.fonts].filter(font => font.status === "loaded");
    return {
        formulas: document.querySelectorAll("mjx-container").length,
        links: document.querySelectorAll("mjx-container a").length,
        fonts: fonts.map(font => font.family),
    };
}"""


def written(kind: str) -> str:
    """A notebook with formulas as feedback, or as the formgrader shows it."""
    cell = nbformat.v4.new_markdown_cell(harmless(TEXT))
    notebook = nbformat.v4.new_notebook(cells=[cell], metadata={"problems": [], "student": "Ada"})
    about = dict.fromkeys(("score", "max_score", "late_penalty", "index", "total"), 1)
    about |= {"notebook": "a0", "base_url": "file://"}
    config = Course().config()
    if kind == "feedback":
        exporter = Page(config=config)
    else:
        formgrader = FormgradeExtension().build_extra_config()
        formgrader.merge(config)
        exporter = HTMLExporter(config=formgrader)
    return exporter.from_notebook_node(notebook, about | {"nbgrader": about})[0]


@pytest.mark.slow
@needs_chromium
@pytest.mark.parametrize("kind", ["feedback", "formgrader"])
def test_formulas_are_typeset_without_a_network(kind: str, tmp_path: Path) -> None:
    """And none is a link, which could run a script."""
    place = tmp_path / "page.html"
    place.write_text(written(kind), encoding="utf-8")
    with opened() as (page, asked):
        page.goto(place.as_uri())
        seen = page.evaluate(SEEN)
    assert elsewhere(asked) == []
    assert seen["formulas"] == 3 and seen["links"] == 0
    assert len(seen["fonts"]) >= 3, "those of the book, not the browser's own"
