"""Write the page Claims while the site is built, and a place in the chapters for each claim.

An extension of Sphinx. It changes what Sphinx reads, not the files: before the paragraph that says
a claim it puts a label, and it appends to `claims.md` the claims of all chapters, each a link.
"""

import re
from pathlib import Path

import nbformat
from sentences import claims
from sphinx.application import Sphinx

PAGE = "claims"
NONE = "This chapter makes no claims yet.\n"


def chapters(root: Path) -> list[Path]:
    """Return the notebooks of the book in reading order."""
    return sorted(root.glob("chapters/*.ipynb"))


def label(chapter: Path, number: int) -> str:
    """Return the label of a chapter's claim, counted from 1."""
    return f"claim-{chapter.stem.replace('_', '-')}-{number}".lower()


def page(root: Path) -> str:
    """Return the Markdown that lists all claims, chapter by chapter."""
    parts = []
    for path in chapters(root):
        notebook = nbformat.read(path, as_version=4)
        lines = [
            f"{number}. [{escaped(claim.words)}](#{label(path, number)})\n"
            for number, claim in enumerate(claims(notebook), start=1)
            if claim.cell is not None
        ]
        parts.append(f"## {title(notebook)}\n\n{''.join(lines) or NONE}")
    return "\n".join(parts)


def labeled(path: Path) -> str:
    """Return a chapter's notebook as text, with a label before what says each claim."""
    notebook = nbformat.read(path, as_version=4)
    places = [
        (claim.cell, claim.line, label(path, number))
        for number, claim in enumerate(claims(notebook), start=1)
        if claim.cell is not None
    ]
    for cell, line, name in sorted(places, reverse=True):  # from below, so that lines stay valid
        lines = notebook.cells[cell].source.split("\n")
        lines.insert(line, f"({name})=")
        notebook.cells[cell].source = "\n".join(lines)
    return nbformat.writes(notebook)


def title(notebook: nbformat.NotebookNode) -> str:
    """Return the first heading of a notebook."""
    return re.search(r"^# (.+)$", notebook.cells[0].source, re.MULTILINE)[1]


def escaped(words: str) -> str:
    """Return the words as Markdown that shows them; mathematics stays mathematics."""
    parts = re.split(r"(\$[^$]+\$)", words)
    return "".join(p if p[:1] == "$" else re.sub(r"([\\`*_{}<>\[\]])", r"\\\1", p) for p in parts)


def read(app: Sphinx, docname: str, source: list[str]) -> None:
    """Change what Sphinx has just read of a page."""
    root = Path(app.srcdir)
    path = Path(app.env.doc2path(docname))
    if docname == PAGE:
        for chapter in chapters(root):
            app.env.note_dependency(str(chapter))
        source[0] += f"\n{page(root)}"
    elif path in chapters(root):
        source[0] = labeled(path)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension."""
    app.connect("source-read", read)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
