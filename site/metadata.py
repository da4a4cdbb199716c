"""What pages say to machines, and how to cite, correct and report them, while the site is built.

An extension of Sphinx, of functions from an imprint to text. Descriptions, JSON-LD and how to cite
are on each page. What needs an address is there once `_config.yml` says where the book lives (see
`imprint.py`): cards, the sitemap, `llms.txt`, "edit this page" and "report an error".
"""

import json
import re
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape, unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from cards import card, first_figure
from docutils import nodes
from imprint import Imprint, bibtex, read_imprint
from sphinx.application import Sphinx

CHAPTERS = "chapters/"
LONGEST = 200  # characters of a description
SHORTEST = 60  # of the paragraph that becomes one
LICENSES = {
    "CC-BY-4.0": "https://creativecommons.org/licenses/by/4.0/",
    "MIT": "https://opensource.org/license/mit",
}
DESCRIPTION = re.compile(r'<meta name="description" content="([^"]*)"')
NOT_PROSE = (nodes.Admonition, nodes.table, nodes.figure, nodes.list_item, nodes.footnote)


@dataclass(frozen=True)
class Page:
    """A page of the site: its name without suffix, its title, its first words, its source."""

    docname: str
    title: str
    description: str
    source: str = ""

    @property
    def file(self) -> str:
        """Where the page is in the site."""
        return "" if self.docname == "index" else f"{self.docname}.html"

    @property
    def is_chapter(self) -> bool:
        """Whether the page is a chapter of the book."""
        return self.docname.startswith(CHAPTERS)

    @property
    def card(self) -> str:
        """Where its picture is in the site, "" if it has none."""
        return f"cards/{self.docname.removeprefix(CHAPTERS)}.png" if self.is_chapter else ""


def description(tree: nodes.document) -> str:
    """Return the first words of a page: its first paragraph of prose, cut to a fair length."""
    for paragraph in tree.findall(nodes.paragraph):
        text = " ".join(paragraph.astext().split())
        if len(text) >= SHORTEST and not isinstance(paragraph.parent, NOT_PROSE):
            return textwrap.shorten(text, LONGEST, placeholder=" ...")
    return ""


def tags(imprint: Imprint, page: Page) -> str:
    """Return the elements for a page's head: its description, its card, and what it is."""
    properties = {
        "og:type": "article" if page.is_chapter else "website",
        "og:site_name": imprint.title,
        "og:title": page.title,
        "og:description": page.description,
        "og:url": imprint.address(page.file),
        "og:image": imprint.address(page.card) if page.card else "",
    }
    found = [f'<meta name="description" content="{escape(page.description)}"/>']
    found = found if page.description else []
    found += [
        f'<meta property="{name}" content="{escape(value)}"/>'
        for name, value in properties.items()
        if value
    ]
    if properties["og:image"]:
        found.append('<meta name="twitter:card" content="summary_large_image"/>')
    found.append(f'<script type="application/ld+json">{json_ld(imprint, page)}</script>')
    return "\n".join(found)


def json_ld(imprint: Imprint, page: Page) -> str:
    """Return what schema.org calls a book, or a chapter of one; a block of data, not a script."""
    book = {
        "@type": "Book",
        "name": imprint.title,
        "abstract": imprint.abstract,
        "author": [
            {"@type": "Person" if given else "Organization", "name": f"{given} {family}".strip()}
            for family, given in imprint.authors
        ],
        "version": imprint.version,
        "datePublished": imprint.released,
        "inLanguage": "en",
        "license": [LICENSES[name] for name in imprint.licenses],
        "url": imprint.url,
    }
    book = {name: value for name, value in book.items() if value}
    if page.is_chapter:
        part = {"@type": "Chapter", "name": page.title, "description": page.description}
        part |= {"url": imprint.address(page.file)} if imprint.url else {}
        book = part | {"isPartOf": book}
    text = json.dumps({"@context": "https://schema.org"} | book, ensure_ascii=False)
    return text.replace("<", "\\u003c")  # no title may end the block


def foot(imprint: Imprint, page: Page) -> str:
    """Return what stands below a page: how to cite it, and how to mend it."""
    links = ""
    if imprint.repository:
        edit = f"{imprint.repository}/edit/{imprint.branch}/{page.source}"
        links = (
            f'<p><a href="{escape(report(imprint, page))}">Report an error</a> '
            f'<a href="{escape(edit)}">Edit this page</a></p>'
        )
    what = "chapter" if page.is_chapter else "book"
    entry = bibtex(imprint, page.title, page.file) if page.is_chapter else bibtex(imprint)
    return (
        f'<div class="page-tools"><details><summary>Cite this {what}</summary>'
        f'<div class="highlight"><pre>{escape(entry)}</pre></div></details>{links}</div>'
    )


def report(imprint: Imprint, page: Page) -> str:
    """Return the address of a form that already says which page of which version is wrong."""
    where = imprint.address(page.file) or page.source
    form = {
        "title": f"Error in: {page.title}",
        "body": f"Page: {where}\nVersion: {imprint.version}\n\nWhat is wrong, and what is right?\n",
    }
    return f"{imprint.repository}/issues/new?{urlencode(form)}"


def sitemap(imprint: Imprint, pages: Iterable[Page]) -> str:
    """Return the list of all pages for search engines."""
    places = "".join(f"<url><loc>{escape(imprint.address(p.file))}</loc></url>\n" for p in pages)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{places}</urlset>\n'
    )


def llms(imprint: Imprint, pages: Iterable[Page]) -> str:
    """Return the book's page for language models (llmstxt.org): what it is, and what is where."""
    lines = [f"# {imprint.title}", "", f"> {imprint.abstract}", "", "## Pages", ""]
    lines += [f"- [{p.title}]({imprint.address(p.file)}): {p.description}" for p in pages]
    return "\n".join(lines) + "\n"


def described(html: str) -> str:
    """Return the description that a page of the site has been given."""
    found = DESCRIPTION.search(html)
    return unescape(found[1]) if found else ""


def page_of(app: Sphinx, docname: str, description: str) -> Page:
    """Return what is known of a page of the book."""
    env = app.env
    numbers = env.toc_secnumbers.get(docname, {}).get("", ())
    title = " ".join([f"{number}." for number in numbers] + [env.titles[docname].astext()])
    source = Path(env.doc2path(docname)).relative_to(app.srcdir).as_posix()
    return Page(docname, title, description, source)


def add_to_page(app: Sphinx, docname: str, template: str, context: dict[str, Any], tree) -> None:
    """Give a page its metadata and its foot, and a chapter its card."""
    if tree is None or app.builder.name != "html":
        return
    imprint, page = read_imprint(Path(app.srcdir)), page_of(app, docname, description(tree))
    context["metatags"] = context.get("metatags", "") + tags(imprint, page)
    context["body"] += foot(imprint, page)
    if imprint.url and page.card:
        path = Path(app.outdir, page.card)
        path.parent.mkdir(exist_ok=True)
        picture = first_figure(Path(app.srcdir, page.source))
        path.write_bytes(card(page.title, imprint.title, picture))


def write_lists(app: Sphinx, exception: Exception | None) -> None:
    """Write the sitemap and `llms.txt`, with all pages in the order of the book."""
    imprint = read_imprint(Path(app.srcdir))
    if exception or app.builder.name != "html" or not imprint.url:
        return
    texts = {name: Path(app.builder.get_outfilename(name)) for name in app.env.collect_relations()}
    pages = [page_of(app, n, described(p.read_text(encoding="utf-8"))) for n, p in texts.items()]
    for name, write in (("sitemap.xml", sitemap), ("llms.txt", llms)):
        Path(app.outdir, name).write_text(write(imprint, pages), encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Make this file an extension of Sphinx."""
    app.connect("html-page-context", add_to_page)
    app.connect("build-finished", write_lists)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
