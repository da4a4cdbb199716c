"""The reader's notebooks: they say what the site says, and run as the sources do."""

import io
import re
import zipfile
from functools import cache
from pathlib import Path

import nbformat
import pytest
from bookkeeping import is_bookkeeping
from bs4 import Tag
from built import pages_in
from nbclient import NotebookClient
from nbformat import NotebookNode

from seqdec_lib.book import recorded
from tests.comparison import compare_outputs
from tests.guards import tolerance_of
from tests.reading import article, notebook_blocks, page_blocks, plain_title, rendered, shortest

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted((ROOT / "chapters").glob("*.ipynb"))
ROLE = re.compile(r"\{[a-z][\w:+-]*\}`")
DIRECTIVE = re.compile(r"(`{3,}|~{3,}|:{3,})\s*\{[a-z]")
TARGET = re.compile(r"^\([a-z][\w-]*\)=", re.MULTILINE)
CITATION = re.compile(r"\{cite(?::\w+)?\}`([^`]*)`")
OPTION = re.compile(r"^:[a-z-]+:", re.MULTILINE)
APPENDIX = re.compile(r"[A-Z]_")
LEVEL = re.compile(r"Exercise [\dA-Z]+\.\d+ ★{1,3} .+ \(\d+ minutes\)")
MARKUP = (ROLE, DIRECTIVE, TARGET, OPTION)


@cache
def read(path: Path) -> NotebookNode:
    return nbformat.read(path, as_version=4)


@cache
def text_of(notebook: Path) -> str:
    """All Markdown of a notebook."""
    return "\n\n".join(c.source for c in read(notebook).cells if c.cell_type == "markdown")


def article_of(site: Path, name: str) -> Tag:
    """The text of a chapter's page."""
    return article((site / "chapters" / name).with_suffix(".html"))


def cited_in(chapter: Path) -> set[str]:
    """The keys of the works that a chapter cites."""
    return {key.strip() for keys in CITATION.findall(text_of(chapter)) for key in keys.split(",")}


def markup_in(text: str) -> list[str]:
    """What stands in a text that only the site's programs understand."""
    return [match[0] for pattern in MARKUP for match in pattern.finditer(text)]


def test_each_chapter_has_its_notebook_and_all_are_in_the_zip(notebooks: list[Path]) -> None:
    names = [path.name for path in SOURCES]
    assert [path.name for path in notebooks] == names
    for folder in (notebooks[0].parent, notebooks[0].parent.parent / "html" / "_downloads"):
        (archive,) = folder.glob("*.zip")
        packed = zipfile.ZipFile(io.BytesIO(archive.read_bytes()))
        assert [packed.read(name) for name in packed.namelist()] == [
            path.read_bytes() for path in notebooks
        ]
        assert packed.namelist() == [f"{archive.stem}/{name}" for name in names]


def test_without_a_repository_nothing_offers_to_run_a_chapter_elsewhere(site: Path) -> None:
    """One line of `_config.yml` names it, and `tests/test_elsewhere.py` has what follows."""
    assert "\nrepository:" not in (ROOT / "_config.yml").read_text(encoding="utf-8")
    for page in pages_in(site):
        text = page.read_text(encoding="utf-8")
        assert "colab" not in text and "mybinder" not in text, page.name


# What they say


@pytest.mark.parametrize(
    "text",
    [
        "worth {glue:text}`tree:.2f`",
        "as {numref}`fig` shows",
        "```{exercise} Nodes",
        "::::{grid}",
        "text\n(eq-sweep)=\n",
        ":class: dropdown",
    ],
)
def test_markup_that_is_left_is_found(text: str) -> None:
    assert markup_in(text)


@pytest.mark.parametrize("name", [path.name for path in SOURCES])
def test_no_markup_of_the_sources_is_left(name: str, notebooks: list[Path]) -> None:
    notebook = notebooks[0].with_name(name)
    assert markup_in(text_of(notebook)) == []
    assert not [cell.id for cell in read(notebook).cells if "mystnb" in cell.metadata]


@pytest.mark.parametrize("name", [path.name for path in SOURCES])
def test_no_markup_is_left_on_the_page(name: str, site: Path) -> None:
    assert markup_in(article_of(site, name).get_text()) == []


@pytest.mark.parametrize("name", [path.name for path in SOURCES])
def test_a_notebook_says_what_the_page_says(name: str, site: Path, notebooks: list[Path]) -> None:
    """Block by block, so every number stands in the same sentence, every caption is there."""
    page = page_blocks((site / "chapters" / name).with_suffix(".html"))
    assert notebook_blocks(notebooks[0].with_name(name)) == page
    assert len(page) > 50


def test_the_comparison_sees_numbers_captions_and_formulas(notebooks: list[Path]) -> None:
    blocks = "\n".join(notebook_blocks(notebooks[0]))
    assert re.search(r"can expect \d+\.\d\d stars", blocks)
    assert re.search(r"^Figure 1\.1 \w", blocks, re.MULTILINE)
    assert re.search(r"^\$<math.*</mrow>.*\\tag\{1\.1\}\$$", blocks, re.MULTILINE)


@pytest.mark.parametrize("name", [path.name for path in SOURCES])
def test_the_page_offers_its_notebook_and_the_notebook_does_not(
    name: str, site: Path, notebooks: list[Path]
) -> None:
    (offer,) = article_of(site, name).select("p:has(a.download)")
    assert offer.a["href"].endswith("/" + name) and "otebook" in offer.get_text()
    assert offer.get_text() not in text_of(notebooks[0].with_name(name))


@pytest.mark.parametrize("name", [path.name for path in SOURCES])
def test_a_figure_has_its_words_below_it(name: str, notebooks: list[Path]) -> None:
    """The caption is compared with the page's; the alternative text stands in the source."""
    cells = read(notebooks[0].with_name(name)).cells
    below = {before.id: after.source for before, after in zip(cells, cells[1:], strict=False)}
    for cell in read(ROOT / "chapters" / name).cells:
        if alt := cell.metadata.get("mystnb", {}).get("image", {}).get("alt"):
            words = rendered(below[cell.id]).select_one("details p").get_text()
            assert words.split() == alt.split()


@pytest.mark.parametrize("name", [path.name for path in SOURCES])
def test_the_page_shows_figures_as_lines(name: str, site: Path) -> None:
    """Sharp in any size, in print too, and a tenth of the weight of dots."""
    shown = article_of(site, name).select("div.cell_output img")
    assert shown and all(image["src"].endswith(".svg") for image in shown)


@pytest.mark.parametrize("name", [path.name for path in SOURCES])
def test_every_exercise_has_its_solution_under_solutions(
    name: str, site: Path, notebooks: list[Path]
) -> None:
    """On the page and in the notebook; an open exercise may do without."""
    blocks = page_blocks((site / "chapters" / name).with_suffix(".html"))
    end = blocks.index("Solutions")
    exercises = [text for text in blocks[:end] if re.match(r"Exercise [\dA-Z]+\.\d+ ★", text)]
    solutions = [text for text in blocks if text.startswith("Solution to ")]
    assert len(exercises) >= (2 if APPENDIX.match(name) else 5)
    assert all(LEVEL.fullmatch(text) for text in exercises), "level, name and minutes"
    wanted = {f"Solution to {text}" for text in exercises if " Open: " not in text}
    assert wanted <= set(solutions) <= {f"Solution to {text}" for text in exercises}
    assert set(solutions) <= set(blocks[end:])

    text = text_of(notebooks[0].with_name(name))
    before, _, after = text.partition("\n## Solutions\n")
    summaries = [plain_title(tag.get_text()) for tag in rendered(after).select("details > summary")]
    assert summaries == solutions and "Solution to" not in before


# Where they lead


@pytest.mark.parametrize("name", [path.name for path in SOURCES])
def test_every_link_leads_somewhere(name: str, notebooks: list[Path]) -> None:
    """To a heading or a mark, to a cell of another notebook, or to another host.

    JupyterLab calls a heading by its text, with hyphens for blanks. In a notebook that it has yet
    to draw it finds cells by their ids.
    """
    soup = rendered(text_of(notebooks[0].with_name(name)))
    headings = {h.get_text().replace(" ", "-") for h in soup.select("h1, h2, h3, h4, h5")}
    marks = [tag["id"] for tag in soup.select("[id]")]
    assert len(headings | set(marks)) == len(headings) + len(marks), "two places of one name"
    links = [(link["href"], link.get_text()) for link in soup.select("a[href]")]
    assert len(links) > 5
    for address, text in links:
        other, _, place = address.partition("#")
        if not other:
            assert place in headings or place in marks, address
        elif not address.startswith("https://"):
            cells = {cell.id: cell.source for cell in read(notebooks[0].with_name(other)).cells}
            assert not place or place.removeprefix("cell-id=") in cells, address
            if number := re.fullmatch(r"\(([\dA-Z]+\.\d+)\)", text):
                assert rf"\tag{{{number[1]}}}" in cells[place.removeprefix("cell-id=")]


@pytest.mark.parametrize("name", [path.name for path in SOURCES])
def test_what_is_cited_is_listed_at_the_end(name: str, notebooks: list[Path]) -> None:
    """That, and nothing else, and each leads there."""
    soup = rendered(text_of(notebooks[0].with_name(name)))
    listed = [tag["id"] for tag in soup.select("li > a[id]")]
    linked = {link["href"].removeprefix("#") for link in soup.select("a[href^='#']")}
    assert sorted(listed) == sorted(cited_in(ROOT / "chapters" / name)) and set(listed) <= linked
    assert (soup.select("h2")[-1].get_text() == "References") == bool(listed)


def test_every_work_of_the_bibliography_is_cited_by_a_chapter() -> None:
    bibliography = (ROOT / "references.bib").read_text(encoding="utf-8")
    works = re.findall(r"^@\w+\{([^,]+),", bibliography, re.MULTILINE)
    assert sorted(works) == sorted(set().union(*map(cited_in, SOURCES)))


# How they run


@pytest.mark.parametrize("name", [path.name for path in SOURCES])
def test_cells_of_code_are_those_of_the_source_with_their_outputs(
    name: str, notebooks: list[Path]
) -> None:
    """Cell by cell in the same order, so the runs of the sources are runs of the notebooks.

    The one in front does nothing where the library is installed. Those that are missing are out of
    sight in the source too, only hold claims, and make nothing that others need, which the guards
    over the chapters check.
    """
    source, reader = read(ROOT / "chapters" / name), read(notebooks[0].with_name(name))
    first, *cells = [cell for cell in reader.cells if cell.cell_type == "code"]
    assert first.id == "install" and not first.outputs
    kept = {cell.id for cell in cells}
    originals = [cell for cell in source.cells if cell.cell_type == "code" and cell.id in kept]
    assert [cell.id for cell in cells] == [cell.id for cell in originals]
    for cell, original in zip(cells, originals, strict=True):
        assert re.sub(r"^# This cell takes about .*\n", "", cell.source) == original.source
        assert cell.outputs == original.outputs
    for cell in source.cells:
        if cell.cell_type == "code" and cell.id not in kept:
            assert is_bookkeeping(cell)
            records = recorded(nbformat.v4.new_notebook(cells=[cell]))
            assert all(key.startswith("claim: ") for key in records)


def test_a_chapter_runs_in_a_folder_of_its_own(notebooks: list[Path], tmp_path: Path) -> None:
    """The shortest, from the first cell to the last, with nothing beside it; the outputs are those
    kept."""
    folder, name = tmp_path / "나의 책", shortest(SOURCES).name
    folder.mkdir()
    committed = read(notebooks[0].with_name(name))
    nbformat.write(committed, folder / name)
    run = read(folder / name)
    NotebookClient(run, resources={"metadata": {"path": str(folder)}}).execute()
    for before, after in zip(committed.cells, run.cells, strict=True):
        if before.cell_type == "code" and "not_compared" not in before.metadata.get("seqdec", {}):
            assert compare_outputs(before.outputs, after.outputs, tolerance_of(before)) == []
