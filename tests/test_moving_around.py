"""Mentions, terms, symbols, the map, the API and the status: what lets a reader move around."""

import ast
import importlib
import inspect
import json
import pkgutil
import re
import tomllib
from copy import copy
from functools import cache
from pathlib import Path

import api_pages
import boxes
import chapter_map
import mentions
import nbformat
import networkx as nx
import pytest
import status_page
import yaml
from built import pages_in
from freshness import content_hash
from glossary import entries, finder

import seqdec_lib
from tests import site_checks
from tests.browser import needs_chromium, opened, visit
from tests.reading import article

ROOT = Path(__file__).resolve().parent.parent
CHAPTERS = sorted(ROOT.glob("chapters/*.ipynb"))
ROOMS = [path.stem for path in (ROOT / "api").glob("*.md")]
# Written apart from the pattern in site/mentions.py, and wider.
MENTION = re.compile(
    r"\b((?i:chapters?|appendix|appendices))\s+(\d+|[A-Z]\b)"
    r"|\b((?i:figures?|tables?|exercises?))\s+((\d+|[A-Z])\.\d+)"
    r"|\b(?:last|previous|next) chapter\b"
)
CITATION = "\N{LEFT DOUBLE ANGLE BRACKET}"  # stands where a citation stood
NOT_PROSE = (
    "h1, h2, h3, h4, pre, code, .math, .caption-number, .cell_output, .sd-card, p.admonition-title"
)


def bare_prose(page: Path) -> list[str]:
    """The paragraphs of a page without what is a link already."""
    soup = copy(article(page))
    for element in soup.select(NOT_PROSE):
        element.decompose()
    for link in soup.select("a"):
        link.replace_with(CITATION if "references.html" in link.get("href", "") else " ")
    return [" ".join(p.get_text().split()) for p in soup.select("p, li, td, dd, figcaption")]


def unlinked(page: Path) -> list[str]:
    """The mentions on a page that are no links and should be."""
    own = mentions.number_of(page.stem) if page.parent.name == "chapters" else None
    found = []
    for text in bare_prose(page):
        for match in MENTION.finditer(text):
            around = text[: match.start()][-5:] + text[match.end() :][:30]
            if match[2] != own and CITATION not in around:
                found.append(f"{page.name}: {text[max(0, match.start() - 30) : match.end()]}")
    return found


def test_every_mention_of_a_chapter_figure_table_or_exercise_is_a_link(site: Path) -> None:
    pages = [page for page in pages_in(site) if article(page)]
    names = {page: page.relative_to(site).as_posix() for page in pages}
    pages = [page for page in pages if not names[page].startswith(mentions.OTHER_CHAPTERS)]
    assert len(pages) > len(CHAPTERS)
    assert [found for page in pages for found in unlinked(page)] == []


def test_every_link_with_a_number_leads_to_what_has_that_number(site: Path) -> None:
    """Those that the book's authors wrote, too."""
    checked = 0
    for page in filter(article, pages_in(site)):
        for link in article(page).select("a[href]"):
            words = " ".join(link.get_text().split())
            address, _, anchor = link["href"].partition("#")
            target = (page.parent / address).resolve() if address else page.resolve()
            if chapter := re.fullmatch(r"(?:[Cc]hapters? )?(\d+)", words):
                if target.parent.name == "chapters" and not anchor:
                    assert mentions.number_of(target.stem) == chapter[1], (page.name, words)
                    checked += 1
            elif part := re.fullmatch(r"(?:Figure|Table|[Ee]xercise) [\dA-Z]+\.\d+", words):
                place = article(target).find(id=anchor)
                assert words.lower() in place.get_text().lower(), (page.name, part[0])
                checked += 1
    assert checked > 150


@pytest.mark.parametrize(
    "text, found",
    [
        ("as chapter 7 said", [("chapter 7", "chapter", "7")]),
        ("Chapters 3, 4 and 12.", [("Chapters 3", "3"), ("4", "4"), ("12", "12")]),
        ("chapters 3 to 5", [("chapters 3", "3"), ("5", "5")]),
        ("see appendix A and", [("appendix A", "A")]),
        ("in Figure 4.2 and exercise A.3", [("Figure 4.2", "4.2"), ("exercise A.3", "A.3")]),
        ("equations (2.5) and (2.6)", [("equations (2.5)", "2.5"), ("(2.6)", "2.6")]),
        ("the last chapter", [("last chapter", "last")]),
        ("in this chapter a clone; Figure 3; a table of 7 rows; chapter 7th", []),
    ],
)
def test_mentions_are_found_with_their_numbers(text: str, found: list[tuple]) -> None:
    seen = [(text[start:end], target) for start, end, _, target in mentions.mentions(text)]
    assert seen == [(words[0], words[-1]) for words in found]


# The glossary and the notation


def glossary() -> list[list[str]]:
    """The terms of the glossary."""
    page = ROOT / "glossary.md"
    return entries(page, page.stat().st_mtime_ns)


@cache
def prose() -> str:
    """All that the chapters say, with the names of Greek letters as the glossary writes them."""
    cells = [c for path in CHAPTERS for c in nbformat.read(path, as_version=4).cells]
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    return text.replace(r"\lambda", "λ").replace(r"\varepsilon", "ε").replace("$", "")


@pytest.mark.parametrize("terms", glossary(), ids=lambda terms: terms[0])
def test_each_term_occurs_in_a_chapter(terms: list[str]) -> None:
    assert finder(tuple(terms), in_bold=True).search(prose())


def test_the_glossary_is_in_the_order_of_the_alphabet_and_names_nothing_twice() -> None:
    first = [terms[0].lower() for terms in glossary()]
    assert first == sorted(first, key=lambda term: term.replace("-", " ")) or first == sorted(first)
    names = [term for terms in glossary() for term in terms]
    assert len(set(names)) == len(names) and len(first) > 70


def test_each_entry_leads_to_a_section_of_a_chapter(site: Path) -> None:
    """That there is such a section, the test of all links sees."""
    meanings = article(site / "glossary.html").select("dl.glossary dd")
    assert len(meanings) == len(glossary())
    for meaning in meanings:
        last = meaning.select("a[href*='chapters/']")[-1]
        assert re.search(r"chapters/\w+\.html#.", last["href"]), meaning.get_text()


def test_first_uses_lead_to_the_glossary_once_and_carry_the_meaning(site: Path) -> None:
    counted = 0
    for path in CHAPTERS:
        page = article((site / "chapters" / path.name).with_suffix(".html"))
        links = [link["href"] for link in page.select("a.glossary-term")]
        previews = [box["id"] for box in page.select(".glossary-preview")]
        assert len(set(links)) == len(links)
        assert previews == [f"preview-{link.partition('#')[2]}" for link in links]
        assert all(box.get_text(strip=True) for box in page.select(".glossary-preview"))
        counted += len(links)
    assert counted > 100


@needs_chromium
@pytest.mark.slow
@pytest.mark.parametrize("width", [1280, 390])
def test_a_preview_comes_with_pointer_and_keyboard_and_goes(site: Path, width: int) -> None:
    with opened(width) as (page, _):
        visit(page, (site / "chapters" / "08_decision_transformer.html").as_uri())
        terms = page.locator("a.glossary-term")
        for number in range(terms.count()):
            box = page.locator(f"#{terms.nth(number).get_attribute('aria-describedby')}")
            assert not box.is_visible()
            terms.nth(number).focus()
            assert box.is_visible()
            place = box.bounding_box()
            assert 0 <= place["x"] and place["x"] + place["width"] <= width
            page.keyboard.press("Escape")
            assert not box.is_visible()
        term = terms.first
        box = page.locator(f"#{term.get_attribute('aria-describedby')}")
        term.hover()
        assert box.is_visible()
        box.hover()  # the pointer may go there, to read or to copy
        page.wait_for_timeout(400)
        assert box.is_visible()
        page.mouse.move(0, 0)
        box.wait_for(state="hidden")
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def notation() -> list[list[str]]:
    """The rows of the tables of symbols: symbol, meaning, shape, names in code, chapter."""
    text = (ROOT / "notation.md").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.startswith("| $")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


@cache
def formulas(chapter: str) -> str:
    """All mathematics of a chapter."""
    (path,) = [path for path in CHAPTERS if mentions.number_of(path.stem) == chapter]
    cells = nbformat.read(path, as_version=4).cells
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    return " ".join(re.findall(r"\$\$.*?\$\$|\$[^$]+\$", text, re.DOTALL))


@cache
def names_in_code() -> set[str]:
    """All names in the code of the library and of the chapters."""
    sources = [p.read_text(encoding="utf-8") for p in (ROOT / "seqdec_lib").rglob("*.py")]
    names = set()
    for source in sources:
        for node in ast.walk(ast.parse(source)):
            names |= {str(getattr(node, key, "")) for key in ("id", "attr", "arg", "name")}
    return names


def test_each_symbol_is_used_first_in_the_chapter_that_is_named_and_each_name_exists() -> None:
    rows = notation()
    assert len(rows) > 35
    numbers = [mentions.number_of(path.stem) for path in CHAPTERS]
    for row in rows:
        symbol, chapter = row[0].strip("$"), row[-1]
        using = [number for number in numbers if symbol in formulas(number)]
        assert using and using[0] == chapter, (symbol, using)
        assert set(re.findall(r"`(\w+)`", " ".join(row))) <= names_in_code(), row


# The map


def test_the_map_holds_every_chapter_with_all_that_it_needs() -> None:
    found = {path.stem: boxes.read_box(path) for path in CHAPTERS}
    graph = chapter_map.needs(found)
    for name, box in found.items():
        assert set(box.needs) <= nx.ancestors(graph, name) and box.minutes and box.seconds
    rows, ways = chapter_map.rows(graph)
    level = {place: number for number, row in enumerate(rows) for place in row}
    assert set(found) < set(level) | {""}
    ends = [(way[0], way[-1]) for way in ways]
    assert ends == sorted(ends), "the map is the same in each build"
    for way in ways:  # from row to row, and always down
        assert [level[place] for place in way] == list(range(level[way[0]], level[way[-1]] + 1))
    for row in rows:
        places = chapter_map.spread(row)
        assert places[0][0] - places[0][1] / 2 >= 0
        assert places[-1][0] + places[-1][1] / 2 <= chapter_map.WIDTH


def test_a_box_that_needs_a_chapter_that_is_not_there_is_named() -> None:
    with pytest.raises(ValueError, match="13_more"):
        chapter_map.needs({"01_x": boxes.Box("X", ("13_more",), None, None)})


@needs_chromium
@pytest.mark.slow
def test_the_map_can_be_read_on_a_phone_and_every_box_is_a_link(site: Path) -> None:
    with opened(390) as (page, _):
        page.goto((site / "index.html").as_uri())
        links = page.locator("svg.chapter-map a")
        assert links.count() == len(CHAPTERS)
        for number in range(links.count()):
            frame = links.nth(number).locator("rect").bounding_box()
            for text in links.nth(number).locator("text").all():
                words = text.bounding_box()
                assert frame["x"] <= words["x"]
                assert words["x"] + words["width"] <= frame["x"] + frame["width"]
                assert words["height"] > 9
        links.first.focus()
        page.keyboard.press("Enter")
        page.wait_for_url("**/01_the_tree_problem.html")


# The API


def test_every_room_has_a_page_with_all_that_it_offers(site: Path) -> None:
    rooms = {p.parent.name for p in (ROOT / "seqdec_lib").glob("*/__init__.py")} - {"checks"}
    assert set(ROOMS) == rooms
    for room in rooms:
        anchors = site_checks.read_page(site / "api" / f"{room}.html").anchors
        package = importlib.import_module(f"seqdec_lib.{room}")
        offered = api_pages.public(package)
        assert offered and {f"seqdec_lib.{room}.{name}" for name in offered} <= anchors


def test_what_a_chapter_uses_says_which_one_is_the_first() -> None:
    uses = api_pages.first_uses(tuple(CHAPTERS))
    assert uses["problems", "TravelTree"].startswith("[chapter 1, ")
    for (room, name), link in uses.items():
        package = importlib.import_module(f"seqdec_lib.{room}")
        modules = [m.name for m in pkgutil.iter_modules(package.__path__)]
        offered = {*vars(package), *modules}.union(
            *(vars(importlib.import_module(f"seqdec_lib.{room}.{module}")) for module in modules)
        )
        assert name in offered, link


def test_a_docstring_of_the_library_becomes_fields() -> None:
    """...and so does its order, and code stays code."""
    lines = inspect.getdoc(seqdec_lib.mdp.MDP).splitlines()
    api_pages.fields(None, "class", "MDP", seqdec_lib.mdp.MDP, None, lines)
    text = "\n".join(lines)
    assert re.search(r"^:param transitions: ", text, re.MULTILINE)
    assert re.search(r"^:raises ValueError: ", text, re.MULTILINE)
    assert api_pages.plain("a `b_c` * d_") == r"a ``b_c`` \* d\_"
    assert api_pages.plain("2 * n * k of *One\nBook*, pi*") == "2 \\* n \\* k of *One\nBook*, pi\\*"


def test_each_of_several_parameters_has_the_text_that_they_share() -> None:
    written = api_pages.rewritten("a, *b : of *A\n    B*\nRaises ValueError: never\nSo it is.")
    assert written == (
        ":param a: of *A B*\n\n:param \\*b: of *A B*\n\n:raises ValueError: never\n\nSo it is."
    )


# Status, errata, changelog


def test_the_status_of_a_chapter_is_known_only_for_the_notebook_that_was_run(
    tmp_path: Path,
) -> None:
    chapter = tmp_path / "chapters" / "01_x.ipynb"
    chapter.parent.mkdir()
    nbformat.write(nbformat.v4.new_notebook(), chapter)
    assert status_page.note_of(tmp_path, chapter) is None
    note = {"notebook": content_hash(chapter), "date": "2026-01-02", "cpu_seconds": 3.2}
    (tmp_path / ".verified").mkdir()
    (tmp_path / ".verified" / "01_x.json").write_text(json.dumps(note | {"memory": None}))
    assert "| 2026‑01‑02 | – | 3 | – |" in status_page.run_of(tmp_path, chapter, [])
    chapter.write_text(chapter.read_text() + "\n")
    assert status_page.note_of(tmp_path, chapter) is None


def test_the_status_page_has_a_row_for_each_chapter(site: Path) -> None:
    links = [link["href"] for link in article(site / "status.html").select("td a")]
    assert {f"chapters/{path.stem}.html" for path in CHAPTERS} <= set(links)


def test_one_version_with_one_date() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    log = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    newest = re.search(r"^## ([\d.]+) - (\d{4}-\d\d-\d\d)$", log, re.MULTILINE)
    assert newest, "the newest release in CHANGELOG.md has a version and a date"
    assert newest[1] == citation["version"] == project["version"] == seqdec_lib.__version__
    assert newest[2] == str(citation["date-released"])
    errata = (ROOT / "ERRATA.md").read_text(encoding="utf-8")
    assert f"\n## {newest[1]}\n" in errata
