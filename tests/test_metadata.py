"""What pages say to machines and how to cite them: site/imprint.py, site/metadata.py, cards.py."""

import dataclasses
import io
import json
import re
import textwrap
import warnings
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pytest
import yaml
from bs4 import BeautifulSoup
from cards import card, first_figure
from docutils.core import publish_doctree
from imprint import Imprint, bibtex, read_imprint
from metadata import Page, described, description, foot, llms, sitemap, tags
from PIL import Image

from tests.reading import soup_of

ROOT = Path(__file__).resolve().parent.parent
HOMELESS = dataclasses.replace(read_imprint(ROOT), url="", repository="")
AT_HOME = dataclasses.replace(
    HOMELESS, url="https://example.org/book/", repository="https://github.com/somebody/a-book"
)
CHAPTER = Page("chapters/01_x", '1. The <tree> & "I"', "A traveler leaves.", "chapters/01_x.ipynb")
OTHER = Page("claims", "Claims", "Sentences that a program checks.", "claims.md")
INDEX = Page("index", "A book", "What it is.", "index.md")


def soup(text: str) -> BeautifulSoup:
    return BeautifulSoup(text, "html.parser")


def properties(imprint: Imprint, page: Page) -> dict[str, str]:
    """The `meta` elements of a page's head."""
    found = soup(tags(imprint, page)).find_all("meta")
    return {element.get("property") or element["name"]: element["content"] for element in found}


def data(imprint: Imprint, page: Page) -> dict:
    (block,) = soup(tags(imprint, page)).find_all("script")
    assert block["type"] == "application/ld+json", "data, which no browser runs"
    return json.loads(block.string)


def test_without_an_address_nothing_names_one() -> None:
    for page in (CHAPTER, OTHER, INDEX):
        text = tags(HOMELESS, page) + foot(HOMELESS, page)
        addresses = re.findall(r"https?://[^\"'<> ]+", text)
        assert {urlsplit(address).netloc for address in addresses} <= {
            "schema.org",
            "creativecommons.org",
            "opensource.org",
        }
        assert "og:url" not in text and "og:image" not in text and "<a " not in text


def test_with_an_address_a_chapter_names_its_own_and_its_card() -> None:
    found = properties(AT_HOME, CHAPTER)
    assert found["og:url"] == "https://example.org/book/chapters/01_x.html"
    assert found["og:image"] == "https://example.org/book/cards/01_x.png"
    assert found["twitter:card"] == "summary_large_image"
    assert found["og:title"] == CHAPTER.title and found["description"] == CHAPTER.description
    page = dataclasses.replace(CHAPTER, description='He said "<go>" & went.')
    assert described(tags(AT_HOME, page)) == page.description and described("") == ""
    assert properties(AT_HOME, INDEX)["og:url"] == "https://example.org/book/"
    assert "og:image" not in properties(AT_HOME, OTHER)


def test_a_chapter_is_part_of_a_book_for_machines() -> None:
    chapter = data(AT_HOME, CHAPTER)
    assert chapter["@type"] == "Chapter" and chapter["name"] == CHAPTER.title
    assert chapter["url"].endswith("chapters/01_x.html")
    assert chapter["isPartOf"]["@type"] == "Book"
    assert chapter["isPartOf"]["author"][0] == {"@type": "Person", "name": "Taewoon Kim"}
    assert data(HOMELESS, INDEX)["version"] == HOMELESS.version
    assert "url" not in data(HOMELESS, INDEX) and "url" not in data(HOMELESS, CHAPTER)


def test_no_title_can_end_the_block_of_data() -> None:
    page = dataclasses.replace(CHAPTER, title="</script><script>alert(1)</script>")
    assert data(AT_HOME, page)["name"] == page.title


def test_a_report_says_which_page_of_which_version() -> None:
    report, edit = [a["href"] for a in soup(foot(AT_HOME, CHAPTER)).find_all("a")]
    form = parse_qs(urlsplit(report).query)
    assert report.startswith("https://github.com/somebody/a-book/issues/new?")
    assert form["title"] == [f"Error in: {CHAPTER.title}"]
    assert "https://example.org/book/chapters/01_x.html" in form["body"][0]
    assert f"Version: {AT_HOME.version}" in form["body"][0]
    assert edit == "https://github.com/somebody/a-book/edit/main/chapters/01_x.ipynb"
    assert len(soup(foot(AT_HOME, OTHER)).find_all("a")) == 2
    assert soup(foot(HOMELESS, OTHER)).pre.string == bibtex(HOMELESS)


def test_chapters_and_the_book_say_how_to_cite_them() -> None:
    chapter = soup(foot(AT_HOME, CHAPTER)).pre.string
    assert chapter == bibtex(AT_HOME, CHAPTER.title, CHAPTER.file)
    assert chapter.startswith("@incollection{kim") and "booktitle" in chapter
    assert 'title = {{The <tree> & "I"}}' in chapter and "chapter = {1}" in chapter
    assert "url = {https://example.org/book/chapters/01_x.html}" in chapter
    assert "author = {Kim, Taewoon and {the contributors}}" in chapter
    assert chapter.count("{") == chapter.count("}")
    assert "url" not in bibtex(HOMELESS)
    dated = dataclasses.replace(AT_HOME, released="2026-11-27")
    assert bibtex(dated).startswith("@book{kim2026-seqdec,") and "year = {2026}" in bibtex(dated)


def test_the_readme_cites_the_book_as_its_pages_do() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert textwrap.indent(bibtex(read_imprint(ROOT)), "    ") in readme


def test_the_citation_file_says_what_the_settings_say() -> None:
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    book = read_imprint(ROOT)
    assert cited.get("url", "").rstrip("/") == book.url.rstrip("/")
    assert cited.get("repository-code", "").rstrip("/") == book.repository
    package = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f'version = "{cited["version"]}"' in package


@pytest.mark.parametrize("slash", ["", "/"])
def test_two_lines_say_where_the_book_lives(tmp_path: Path, slash: str) -> None:
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    (tmp_path / "CITATION.cff").write_text(citation, encoding="utf-8")
    config = (
        f"repository: {{url: https://github.com/somebody/a-book{slash}}}\n"
        f"html: {{baseurl: https://example.org/book{slash}}}\n"
    )
    (tmp_path / "_config.yml").write_text(config)
    book = read_imprint(tmp_path)
    assert (book.url, book.repository) == (AT_HOME.url, AT_HOME.repository)
    assert book.address("a.html") == "https://example.org/book/a.html"
    assert HOMELESS.address("a.html") == ""


def test_the_first_words_are_the_first_prose() -> None:
    words = "A traveler leaves Amsterdam, and chooses a next city on each of six mornings. " * 4
    tree = publish_doctree(f"Title\n=====\n\n.. note:: {words}\n\n* {words}\n\nShort.\n\n{words}")
    found = description(tree)
    assert found.startswith("A traveler leaves Amsterdam, and") and found.endswith(" ...")
    assert len(found) <= 200
    assert description(publish_doctree("Short.")) == ""


def test_the_sitemap_lists_all_pages_by_their_addresses() -> None:
    root = ElementTree.fromstring(sitemap(AT_HOME, [INDEX, CHAPTER, OTHER]))
    base = "https://example.org/book/"
    places = [element.text for element in root.findall(".//{*}loc")]
    assert places == [base, f"{base}chapters/01_x.html", f"{base}claims.html"]


def test_language_models_get_a_list_of_what_is_where() -> None:
    lines = llms(AT_HOME, [INDEX, OTHER]).splitlines()
    assert lines[0] == f"# {AT_HOME.title}" and lines[2].startswith("> An executable book")
    assert f"- [Claims](https://example.org/book/claims.html): {OTHER.description}" in lines


def test_a_card_shows_the_first_figure_of_its_chapter() -> None:
    picture = first_figure(ROOT / "chapters" / "01_the_tree_problem.ipynb")
    drawn = card("1. The tree problem", "A book", picture)
    image = Image.open(io.BytesIO(drawn))
    assert image.format == "PNG" and image.size == (1200, 630)
    assert len(drawn) < 150_000
    without = Image.open(io.BytesIO(card("1. The tree problem", "A book", b"")))
    right = [np.asarray(drawing.convert("L"))[:, 600:] for drawing in (image, without)]
    assert np.mean(right[0] != right[1]) > 0.02, "the figure is on the right"


def test_a_card_is_drawn_without_a_warning_where_chapters_arrange_their_figures() -> None:
    picture = first_figure(ROOT / "chapters" / "01_the_tree_problem.ipynb")
    plain = card("1. The tree problem", "A book", picture)
    with matplotlib.rc_context({"figure.constrained_layout.use": True}):
        with warnings.catch_warnings(action="error"):
            assert card("1. The tree problem", "A book", picture) == plain


def test_the_pages_of_the_site_have_it_all(site: Path) -> None:
    book = read_imprint(ROOT)
    for path in (site / "chapters").glob("*.html"):
        page = soup_of(path)
        words = page.find("meta", attrs={"name": "description"})["content"]
        assert len(words) >= 60 and not re.search(r"\d\d_|pasted|\$", words), "references resolved"
        block = json.loads(page.find("script", type="application/ld+json").string)
        assert block["name"] in " ".join(page.title.string.split())
        assert page.select_one(".page-tools pre").string.startswith("@incollection{kim")
        canonical = page.find("link", rel="canonical")
        assert (canonical is not None) == bool(book.url)
    assert (site / "sitemap.xml").exists() == (site / "llms.txt").exists() == bool(book.url)
