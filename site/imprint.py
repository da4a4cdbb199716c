"""What the book says about itself: its title and authors, its version, and where it can be found.

Title, authors and version stand in `CITATION.cff`. Two lines of `_config.yml` say where it lives:

    html: {baseurl: https://owner.github.io/name/}
    repository: {url: https://github.com/owner/name}

While they are not there, nothing that needs them is either.
"""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
FILE = "sequential-decision-making"  # and then .pdf, .epub


@dataclass(frozen=True)
class Imprint:
    """Who made what, and where it is; `url` ends with a slash or is ""."""

    title: str
    abstract: str
    authors: tuple[tuple[str, str], ...]  # family name or the name of a group, given name or ""
    version: str
    released: str  # as in 2026-11-27; "" before that
    licenses: tuple[str, ...]
    url: str
    repository: str
    branch: str  # of the repository, where pages are edited

    @property
    def byline(self) -> str:
        """The authors as readers see them."""
        return " and ".join(f"{given} {family}".strip() for family, given in self.authors)

    def address(self, page: str = "") -> str:
        """The address of a page on the web, "" while the book has none."""
        return self.url + page if self.url else ""


@cache
def read_imprint(root: Path = ROOT) -> Imprint:
    """Read the imprint of the book in `root`."""
    cited = yaml.safe_load((root / "CITATION.cff").read_text(encoding="utf-8"))
    config = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
    url = (config.get("html") or {}).get("baseurl") or ""
    repository = config.get("repository") or {}
    return Imprint(
        title=cited["title"],
        abstract=" ".join(cited["abstract"].split()),
        authors=tuple(
            (author.get("family-names") or author["name"], author.get("given-names", ""))
            for author in cited["authors"]
        ),
        version=str(cited["version"]),
        released=str(cited.get("date-released", "")),
        licenses=tuple(cited["license"]),
        url=f"{url.rstrip('/')}/" if url else "",
        repository=repository.get("url", "").rstrip("/").removesuffix(".git"),
        branch=repository.get("branch", "main"),
    )


def bibtex(imprint: Imprint, title: str = "", page: str = "") -> str:
    """Return the BibTeX entry of the book, or of a chapter with a title like "1. The start"."""
    number, words = re.match(r"(?:(\w+)\. )?(.*)", title).groups("")
    names = [
        f"{family}, {given}" if given else f"{{{family}}}" for family, given in imprint.authors
    ]
    word = re.sub(r"[^a-z]", "", imprint.authors[0][0].lower())
    year = imprint.released[:4]
    fields = {
        "author": " and ".join(names),
        "title": f"{{{words or imprint.title}}}",
        "booktitle": f"{{{imprint.title}}}" if title else "",
        "chapter": number,
        "year": year,
        "note": f"Version {imprint.version}",
        "url": imprint.address(page),
    }
    chapter = re.sub(r"\W+", "-", Path(page).stem) if title else ""
    key = "-".join(filter(None, (word + year, "seqdec", chapter)))
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
    kind = "incollection" if title else "book"
    return "\n".join([f"@{kind}{{{key},", *lines, "}"])
