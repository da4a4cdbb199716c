"""The page Claims, and the labels in the chapters that it links to."""

from pathlib import Path

import claims_page
import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output


def claimed(*claims: str) -> list[NotebookNode]:
    """The outputs of a cell that claims these words."""
    return [
        new_output(
            "display_data",
            data={"application/papermill.record/text/plain": "True"},
            metadata={"scrapbook": {"name": f"claim: {words}"}},
        )
        for words in claims
    ]


def write(path: Path, text: str, *claims: str) -> None:
    """Write a chapter that says `text` and claims some of it."""
    cells = [new_markdown_cell("# A *title*"), new_code_cell("...", outputs=claimed(*claims))]
    path.parent.mkdir(exist_ok=True)
    nbformat.write(new_notebook(cells=[*cells, new_markdown_cell(text)]), path)


def test_each_claim_is_a_link_to_the_label_before_what_says_it(tmp_path: Path) -> None:
    first = tmp_path / "chapters" / "01_first.ipynb"
    write(
        first,
        "One.\n\n- *Two* is `a_b` at $x_1$.\n- Three.",
        "Three.",
        "Two is a_b at $x_1$",
        "One",
    )
    write(tmp_path / "chapters" / "02_second.ipynb", "Nothing.")
    assert claims_page.page(tmp_path).splitlines() == [
        "## A *title*",
        "",
        "1. [Three.](#claim-01-first-1)",
        r"2. [Two is a\_b at $x_1$](#claim-01-first-2)",
        "3. [One](#claim-01-first-3)",
        "",
        "## A *title*",
        "",
        "This chapter makes no claims yet.",
    ]
    cell = nbformat.reads(claims_page.labeled(first), as_version=4).cells[2]
    one, before, *labels, two, three = cell.source.replace("\n\n", "\n").splitlines()[0:6]
    assert (one, before) == ("(claim-01-first-3)=", "One.")
    assert set(labels) == {"(claim-01-first-1)=", "(claim-01-first-2)="}
    assert (two, three) == ("- *Two* is `a_b` at $x_1$.", "- Three.")


def test_a_chapter_without_claims_is_read_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "chapters" / "01_first.ipynb"
    write(path, "Nothing.")
    assert nbformat.reads(claims_page.labeled(path), as_version=4) == nbformat.read(path, 4)
