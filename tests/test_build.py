"""site/build.py and site/notebooks.py on a tiny book: failures repeat, nothing removed stays."""

import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import take_along
from imprint import FILE
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from notebooks import ARCHIVE

ROOT = Path(__file__).resolve().parent.parent
pytestmark = pytest.mark.slow
CONFIG = """\
title: A book
only_build_toc_files: true
execute: {execute_notebooks: "off"}
sphinx:
  local_extensions: {notebooks: site, status_page: site}
"""
TOC = "format: jb-book\nroot: index\n"


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """The folder of a book of one page."""
    folder = tmp_path / "a book"
    folder.joinpath("site").mkdir(parents=True)
    for script in (ROOT / "site").glob("*.py"):
        shutil.copy(script, folder / "site")
    folder.joinpath("_config.yml").write_text(CONFIG)
    folder.joinpath("_toc.yml").write_text(TOC)
    folder.joinpath("requirements.txt").write_text("")
    folder.joinpath("index.md").write_text("# A book\n")
    return folder


def run(folder: Path, script: str) -> subprocess.CompletedProcess[str]:
    """Run a script of the book's folder `site`."""
    command = [sys.executable, f"site/{script}"]
    return subprocess.run(command, cwd=folder, text=True, encoding="utf-8", capture_output=True)


def add_chapter(folder: Path, text: str) -> None:
    """Give the book a chapter, and a page that each build writes anew."""
    pages = "chapters:\n  - file: chapters/1_x\n  - file: status\n"
    folder.joinpath("_toc.yml").write_text(TOC + pages)
    folder.joinpath("status.md").write_text("# Status\n")
    folder.joinpath("chapters").mkdir(exist_ok=True)
    cells = [new_markdown_cell(f"# A chapter\n\n{text}", id="a"), new_code_cell("1", id="b")]
    kernel = {"name": "python3", "language": "python", "display_name": "Python 3"}
    notebook = new_notebook(cells=cells, metadata={"kernelspec": kernel})
    nbformat.write(notebook, folder / "chapters" / "1_x.ipynb")


def test_a_failed_build_fails_again_until_it_is_mended(book: Path) -> None:
    book.joinpath("index.md").write_text("# A book\n\n[a dead link](gone.md)\n")
    for _ in range(2):
        result = run(book, "build.py")
        assert result.returncode != 0
        assert "gone.md" in result.stderr
    book.joinpath("index.md").write_text("# A book\n")
    result = run(book, "build.py")
    assert result.returncode == 0, result.stderr
    assert "index.html" in result.stdout


def test_notebooks_made_alone_are_those_of_the_site_and_a_removed_chapter_leaves_both(
    book: Path,
) -> None:
    """Byte by byte, so that whoever has copies of them can tell what has changed."""
    add_chapter(book, "See [the chapter](1_x.ipynb) and $x$.")
    result = run(book, "build.py")
    assert result.returncode == 0, result.stderr
    page, folder = book / "_build/html/chapters/1_x.html", book / "_build/notebooks"
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert page.is_file() and {"1_x.ipynb", ARCHIVE} < set(before)

    shutil.rmtree(folder)
    result = run(book, "notebooks.py")
    assert result.returncode == 0, result.stderr
    assert result.stdout == f"{folder / '1_x.ipynb'}\n"
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before

    book.joinpath("_toc.yml").write_text(TOC)
    assert run(book, "build.py").returncode == 0
    assert not page.exists() and not list(folder.glob("*.ipynb"))


def test_a_book_to_take_along_stays_until_a_page_changes(book: Path) -> None:
    add_chapter(book, "A text.")
    for suffix in (".pdf", ".epub"):
        assert run(book, "build.py").returncode == 0
        take_along.main(lambda root, out: out.write_bytes(b"x"), suffix, book)
    made = {f"{FILE}.pdf", f"{FILE}.epub"}
    places = [book / "_build" / "take", book / "_build" / "html" / "_downloads"]
    assert all(made <= {path.name for path in place.iterdir()} for place in places)
    add_chapter(book, "Another text.")
    assert run(book, "build.py").returncode == 0
    assert not [place for place in places for _ in place.glob(f"{FILE}.*")]


def test_what_a_notebook_cannot_show_fails_by_name(book: Path) -> None:
    add_chapter(book, "```{math}\nx\n```\n\nA word[^1].\n\n[^1]: A note.")
    result = run(book, "notebooks.py")
    assert result.returncode != 0
    assert "chapters/1_x" in result.stderr and "<footnote_reference>" in result.stderr
