"""What readers take along: it lies in the site's folder of downloads, linked where it exists.

The notebooks are made with the site. The PDF and the EPUB take minutes and programs that not
everybody has, so the landing page names them only after `make pdf` and `make epub`, and until a
page changes.
"""

import hashlib
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from built import pages_in
from imprint import FILE

LABELS = {
    f"{FILE}.pdf": "The whole book as a PDF",
    f"{FILE}.epub": "The whole book as an EPUB, for e-readers",
    f"{FILE}-notebooks.zip": "All chapters as notebooks",
}
PLACE = re.compile(r'(<ul id="take-along">).*?(</ul>)', re.DOTALL)
VERSION = re.compile(r"\?v=\w+")  # of a style sheet, which the next build may add
EDITION = "edition"  # the file among the books that says of which pages they were made


def main(make: Callable[[Path, Path], None], suffix: str, root: Path) -> None:
    """Let a program make a book out of the site in `root`, and offer it there."""
    site, take = root / "_build" / "html", root / "_build" / "take"
    if not (site / "index.html").is_file():
        sys.exit("The book is made from the website: run `make book` first.")
    take.mkdir(exist_ok=True)
    try:
        make(root, take / f"{FILE}{suffix}")
    except RuntimeError as error:
        sys.exit(str(error))
    (take / EDITION).write_text(edition(site))
    offer(site, take)
    print(f"The whole book is in {take / FILE}{suffix}")


def offer(site: Path, take: Path) -> None:
    """Put the books in `take` among the downloads of the site; those of other pages are removed."""
    noted, downloads = take / EDITION, site / "_downloads"
    if not noted.is_file() or noted.read_text() != edition(site):
        shutil.rmtree(take, ignore_errors=True)
    downloads.mkdir(exist_ok=True)
    for old in downloads.glob(f"{FILE}.*"):
        old.unlink()
    for book in take.glob(f"{FILE}.*"):
        shutil.copyfile(book, downloads / book.name)
    link(site)


def edition(site: Path) -> str:
    """Return a hash of the pages of the site, whatever is offered there, and however styled."""
    digest = hashlib.sha256()
    for page in pages_in(site):
        text = VERSION.sub("", PLACE.sub("", page.read_text(encoding="utf-8")))
        digest.update(f"{page.relative_to(site).as_posix()}\n{text}".encode())
    return digest.hexdigest()


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
