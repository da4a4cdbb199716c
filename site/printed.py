"""Make the PDF of the whole book, from the pages of the built website.

    python site/printed.py

All pages become one, in the order of `_toc.yml`, whose links lead to places inside it. Debian's
Chromium prints that page in the site's own print style. It does so twice: only after the first time
it is known which page each line of the contents has to name.
"""

import html
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

import chromium
import take_along
import yaml
from bs4 import BeautifulSoup, Tag
from imprint import Imprint, read_imprint
from pikepdf import Name, ObjectStreamMode, OutlineItem, Pdf
from playwright.sync_api import Browser

ROOT = Path(__file__).resolve().parent.parent
STYLE = Path(__file__).with_name("printed.css")
NOT_PRINTED = ".headerlink, .toctree-wrapper, .page-tools, script, noscript"
FILL_IN = """numbers => document.querySelectorAll("nav.printed-contents a").forEach(
  (link) => { link.dataset.page = numbers[decodeURIComponent(link.hash.slice(1))] ?? ""; })"""


@dataclass
class PrintedPage:
    """A page of the site as a part of the one page: its name, its article, its style sheets."""

    docname: str
    article: Tag
    head: list[str]

    @property
    def title(self) -> str:
        """The page's heading on one line, with its number but without the word "Chapter"."""
        return re.sub(r"^Chapter (\d+) ", r"\1. ", line(self.article.h1))


def docnames(contents: object) -> Iterator[str]:
    """Yield the pages of a table of contents, as `_toc.yml` gives it, in reading order."""
    if isinstance(contents, dict):
        yield from (str(contents[key]) for key in ("root", "file") if key in contents)
        contents = list(contents.values())
    if isinstance(contents, list):
        for part in contents:
            yield from docnames(part)


def anchor(docname: str, name: str = "") -> str:
    """Return the name of a place of a page on the one page."""
    return "--".join(filter(None, (docname.replace("/", "-"), name)))


def read(site: Path, docname: str) -> PrintedPage:
    """Read a page of the site, its names made different from those of all others."""
    soup = BeautifulSoup((site / f"{docname}.html").read_text(encoding="utf-8"), "html.parser")
    article = soup.select_one("article.bd-article")
    head = soup.head.find_all("link", rel="stylesheet")
    for sheet in head:
        sheet["href"] = from_print(docname, sheet["href"])
    for image in article.find_all("img", src=True):
        image["src"] = from_print(docname, image["src"])
        image.attrs.pop("loading", None)  # nobody scrolls
    for element in article.select(NOT_PRINTED):
        element.decompose()
    name_apart(docname, article)
    if docname == "index":
        article.h1.string = "About this book"  # whose title has a sheet of its own
    for details in article.find_all("details"):
        details["open"] = ""
    article["id"] = anchor(docname)
    return PrintedPage(docname, article, list(map(str, head)))


def name_apart(docname: str, article: Tag) -> None:
    """Make the names of places different from those of all other pages, and each the only one.

    All exercises call their content the same. Drawings keep their names, which they refer to.
    """
    known: set[str] = set()
    for element in article.find_all(id=True):
        if element["id"] in known:
            del element["id"]
        elif not element.find_parent("svg"):
            known.add(element["id"])
            element["id"] = anchor(docname, element["id"])


def from_print(docname: str, address: str) -> str:
    """Return the address of a file of the site, as a page names it, for the one page."""
    if urlsplit(address).scheme:
        return address
    return posixpath.normpath(posixpath.join("../html", docname, "..", address))


def line(heading: Tag) -> str:
    """Return the text of a heading on one line."""
    return " ".join(heading.get_text().split())


def redirect(page: PrintedPage, known: set[str], imprint: Imprint) -> None:
    """Let the links of a page lead to places of the one page, or to the site on the web."""
    folder = posixpath.dirname(page.docname)
    for link in page.article.find_all("a", href=True):
        parts = urlsplit(link["href"])
        if parts.scheme:
            continue
        target = posixpath.normpath(posixpath.join(folder, parts.path)) if parts.path else ""
        docname = target.removesuffix(".html") if target else page.docname
        if docname in known:
            link["href"] = "#" + anchor(docname, parts.fragment)
        elif imprint.url:
            link["href"] = imprint.address(target)
        else:
            del link["href"]


def read_all(site: Path, names: list[str], imprint: Imprint) -> list[PrintedPage]:
    """Read some pages of the site, whose links lead to one another."""
    found = [read(site, name) for name in names]
    for page in found:
        redirect(page, set(names), imprint)
    return found


def entries(pages: list[PrintedPage]) -> list[tuple[int, str, str]]:
    """Return the level, the place and the text of each line of the contents."""
    found = []
    for page in pages:
        found.append((1, page.article["id"], page.title))
        headings = page.article.select("article > section > section > h2")
        found += [(2, heading.parent["id"], line(heading)) for heading in headings]
    return found


def contents(lines: list[tuple[int, str, str]]) -> str:
    """Return the table of contents, without page numbers yet."""
    links = [
        f'<a class="level-{level}" href="#{place}">{html.escape(text)}</a>'
        for level, place, text in lines
    ]
    return f'<nav class="printed-contents"><h1>Contents</h1>{"".join(links)}</nav>'


def title_page(imprint: Imprint) -> str:
    """Return the first page of the PDF."""
    released = f", {imprint.released}" if imprint.released else ""
    lines = [
        f"<h1>{html.escape(imprint.title)}</h1>",
        f'<p class="abstract">{html.escape(imprint.abstract)}</p>',
        f'<p class="byline">{html.escape(imprint.byline)}</p>',
        f"<p>Version {imprint.version}{released}</p>",
        f'<p><a href="{imprint.url}">{imprint.url}</a></p>' if imprint.url else "",
        "<p>Text and figures: CC BY 4.0. Code: MIT.</p>",
    ]
    return f'<section class="printed-title">{"".join(lines)}</section>'


def running_heads(pages: list[PrintedPage]) -> str:
    """Return the rules that print each page's title at the top of its sheets."""
    rules = []
    for number, page in enumerate(pages):
        title = page.title.replace("\\", "\\\\").replace('"', '\\"')
        rules.append(f'@page p{number} {{ @top-left {{ content: "{title}" }} }}')
        rules.append(f'[id="{page.article["id"]}"] {{ page: p{number} }}')
    return "\n".join(rules)


def one_page(pages: list[PrintedPage], imprint: Imprint) -> str:
    """Return the HTML of some pages of the site as one page."""
    head = dict.fromkeys(element for page in pages for element in page.head)
    front = title_page(imprint) + contents(entries(pages))
    articles = "".join(str(page.article) for page in pages)
    return f"""<!DOCTYPE html>
<html lang="en" data-mode="light" data-theme="light">
<head><meta charset="utf-8"><title>{html.escape(imprint.title)}</title>
{"".join(head)}
<style>{STYLE.read_text(encoding="utf-8")}{running_heads(pages)}</style></head>
<body><main class="bd-main"><div class="bd-content"><div class="bd-article-container">
{front}{articles}
</div></div></main></body></html>
"""


def print_page(browser: Browser, source: Path, out: Path) -> None:
    """Print the one page at `source` into the PDF `out`, with page numbers in its contents."""
    form = {"path": out, "prefer_css_page_size": True, "print_background": True, "tagged": True}
    page = browser.new_page()
    page.set_default_timeout(600_000)
    page.goto(source.as_uri())
    page.emulate_media(media="print")
    page.evaluate("document.fonts.ready.then(() => null)")
    page.pdf(**form)
    with Pdf.open(out) as pdf:
        numbers = {name: place.number + 1 for name, place in places(pdf).items()}
    page.evaluate(FILL_IN, numbers)
    page.pdf(**form)


@dataclass
class Place:
    """Where in a PDF something is: the page, counted from 0, and the height on it."""

    number: int
    top: float


def places(pdf: Pdf) -> dict[str, Place]:
    """Return the named places of a PDF."""
    numbers = {page.objgen: number for number, page in enumerate(pdf.pages)}
    return {
        unquote(name.removeprefix("/")): Place(numbers[goal[0].objgen], float(goal[3]))
        for name, goal in pdf.Root.Dests.items()
    }


def bind(pdf: Path, lines: list[tuple[int, str, str]], imprint: Imprint) -> None:
    """Give a PDF its bookmarks and the names of the book and its authors, and pack it densely."""
    with Pdf.open(pdf, allow_overwriting_input=True) as book:
        book.docinfo.Title, book.docinfo.Author = imprint.title, imprint.byline
        found = places(book)
        with book.open_outline() as outline:
            for level, name, text in lines:
                place = found[name]
                item = OutlineItem(text, place.number, "XYZ", left=0, top=place.top + 12)
                (outline.root if level == 1 else outline.root[-1].children).append(item)
        book.Root.PageMode = Name.UseOutlines
        book.save(pdf, object_stream_mode=ObjectStreamMode.generate)


def make(root: Path, out: Path, names: list[str] | None = None) -> None:
    """Write the PDF of the built book in `root`, or only of some of its pages, into `out`.

    Raises
    ------
    RuntimeError
        There is no Chromium.
    """
    site, imprint = root / "_build" / "html", read_imprint(root)
    if names is None:
        names = list(docnames(yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))))
    with chromium.launched() as browser:
        found = read_all(site, names, imprint)
        source = root / "_build" / "print" / f"{out.stem}.html"
        source.parent.mkdir(exist_ok=True)
        source.write_text(one_page(found, imprint), encoding="utf-8")
        print_page(browser, source, out)
    bind(out, entries(found), imprint)


if __name__ == "__main__":
    take_along.main(make, ".pdf", ROOT)
