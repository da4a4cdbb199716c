"""What readers take along: it lies in the site's folder of downloads, linked where it exists.

The notebooks are made with the site. The PDF and the EPUB take minutes and programs that not
everybody has, so the landing page names them only after `make pdf` and `make epub`.
"""

import re
import shutil
from pathlib import Path

from imprint import FILE

LABELS = {
    f"{FILE}.pdf": "The whole book as a PDF",
    f"{FILE}.epub": "The whole book as an EPUB, for e-readers",
    f"{FILE}-notebooks.zip": "All chapters as notebooks",
}
MADE_LATER = (".pdf", ".epub")
PLACE = re.compile(r'(<ul id="take-along">).*?(</ul>)', re.DOTALL)
NOT_PAGES = ("index.html", "search.html")  # the one is written here, the other at each build


def offer(book: Path, site: Path) -> None:
    """Put a book among the downloads of the built site, and name it on the landing page."""
    downloads = site / "_downloads"
    downloads.mkdir(exist_ok=True)
    shutil.copyfile(book, downloads / book.name)
    link(site)


def drop_old(site: Path) -> None:
    """Remove the books among the downloads that are older than a page of the site."""
    pages = (path for path in site.rglob("*.html") if path.name not in NOT_PAGES)
    newest = max((path.stat().st_mtime for path in pages), default=0.0)
    for book in (site / "_downloads").glob(f"{FILE}.*"):
        if book.suffix in MADE_LATER and book.stat().st_mtime < newest:
            book.unlink()


def link(site: Path) -> None:
    """Let the landing page of the built site name the downloads that exist, each with its size."""
    files = {name: site / "_downloads" / name for name in LABELS}
    items = "".join(
        f'<li><a href="_downloads/{name}" download="">{LABELS[name]}</a> ({size(path)})</li>'
        for name, path in files.items()
        if path.is_file()
    )
    page = site / "index.html"
    text = page.read_text(encoding="utf-8")
    page.write_text(PLACE.sub(rf"\g<1>{items}\g<2>", text), encoding="utf-8")


def size(path: Path) -> str:
    """Return how large a file is, in megabytes."""
    return f"{path.stat().st_size / 1e6:.1f} MB"
