"""Make the reader's notebooks: the chapters in Markdown that any Jupyter front end shows.

    python site/notebooks.py

Sphinx reads the sources and resolves numbers, figures, equations, citations and links, as for the
website. `plain_markdown.Writer` writes the text of each cell; code cells come from the source with
their committed outputs. This file is the Sphinx extension that puts both together.
"""

import copy
import platform
import shutil
import sys
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import nbformat
from bookkeeping import is_bookkeeping, is_for_readers
from docutils import nodes
from elsewhere import add_launch_buttons, install_cell
from freshness import stamp
from nbformat import NotebookNode
from plain_markdown import Writer, slug
from run_sphinx import run_sphinx
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.builders import Builder
from sphinx.errors import SphinxError
from sphinx_exercise.nodes import exercise_enumerable_node, exercise_node

ROOT = Path(__file__).resolve().parent.parent
CHAPTERS = "chapters/"
# Exactly what JupyterLab would write, so that opening a notebook doesn't change it.
KERNEL = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {
        "codemirror_mode": {"name": "ipython", "version": 3},
        "file_extension": ".py",
        "mimetype": "text/x-python",
        "name": "python",
        "nbconvert_exporter": "python",
        "pygments_lexer": "ipython3",
        "version": platform.python_version(),
    },
}
ARCHIVE = "sequential-decision-making-notebooks.zip"


def build(root: Path, out: Path, after: str = "") -> list[Path]:
    """Write the reader's notebooks of the book in `root` into `out`, and a zip of them all.

    Parameters
    ----------
    after : the name of a folder beside `out`, for which the sources have just been read.

    Returns
    -------
    The notebooks, in the order of their names.

    Raises
    ------
    RuntimeError
        Sphinx failed or warned; stderr says why.
    """
    if not run_sphinx(root, "notebooks", out, after):
        raise RuntimeError("the reader's notebooks were not made: mend what the lines above name")
    shutil.rmtree(out / "_static", ignore_errors=True)  # some extensions leave style sheets there
    stamp(root, out)
    return sorted(out.glob("*.ipynb"))


class Chapter:
    """A chapter: its resolved tree, where its links lead, and the notebook that comes of it."""

    def __init__(self, book: "NotebookBuilder", docname: str) -> None:
        self.book, self.docname = book, docname
        self.name = docname.removeprefix(CHAPTERS) + ".ipynb"
        self.tree = book.resolved(docname)
        self.source = nbformat.read(book.env.doc2path(docname), as_version=4)
        self.cited: set[str] = set()  # keys of the bibliography
        self.led_to: set[str] = set()  # ids that links lead to and that are no headings
        self.marked: set[str] = set()  # those of them that were written
        self.cells = {  # that the places are in, by the ids of the places
            name: self.source.cells[index].id
            for index, _, node in self.blocks()
            for name in names(node)
        }
        self.headings: dict[str, str] = {}  # ids of headings, and what JupyterLab calls them
        for node in filter(is_heading, self.tree.findall(nodes.Element)):
            fragment = slug(f"{self.number(node)} {node.children[0].astext()}")
            if fragment and fragment not in self.headings.values():
                self.headings |= dict.fromkeys(node["ids"], fragment)

    def number(self, node: nodes.Element) -> str:
        """What the site calls a numbered node, like "Figure 1.3"; "" for one without a number."""
        return self.book.number(self.docname, node)

    def anchor(self, node: nodes.Element) -> str:
        """An invisible mark for each link that leads to this node and not to a heading."""
        names = [name for name in node["ids"] if name in self.led_to]
        self.marked |= set(names)
        return "".join(f'<a id="{name}"></a>' for name in names)

    def is_own(self, reference: nodes.Element) -> bool:
        """Whether a link offers this very notebook."""
        return CHAPTERS + Path(reference["reftarget"]).stem == self.docname

    def target(self, reference: nodes.Element) -> str:
        """The destination of a link, "" where the notebooks have none."""
        address = reference.get("refuri", "")
        if urlsplit(address).scheme:
            return address
        docname, _, name = address.partition("#")
        if isinstance(reference, addnodes.download_reference):
            docname = CHAPTERS + Path(reference["reftarget"]).stem
        elif "refid" in reference:
            docname, name = self.docname, reference["refid"]
        if key := self.book.citations.get((docname, name)):
            self.cited.add(key)
            return f"#{key}"
        if docname not in self.book.chapters:
            return ""
        chapter = self.book.chapters[docname]
        if not name:
            return chapter.name
        if chapter is not self:  # JupyterLab opens it, and finds cells before they are drawn
            return f"{chapter.name}#cell-id={chapter.cells[name]}"
        if name not in self.headings:
            self.led_to.add(name)
        return "#" + self.headings.get(name, name)

    def follow_links(self) -> None:
        """Note what the links of the chapter lead to, before it is written."""
        for kind in (nodes.reference, addnodes.number_reference):
            for reference in self.tree.findall(kind):
                self.target(reference)

    def notebook(self) -> NotebookNode:
        """The reader's notebook: the cells of the source, their text resolved."""
        self.follow_links()
        texts = self.texts()
        cells: list[NotebookNode] = []
        for index, cell in enumerate(self.source.cells):
            if cell.cell_type == "code" and is_for_readers(cell):
                if not any(before.cell_type == "code" for before in cells):
                    cells.append(install_cell(self.book.app))
                cells.append(reader_cell(cell))
            if index in texts:
                name = cell.id if cell.cell_type == "markdown" else f"{cell.id}-caption"
                cells.append(nbformat.v4.new_markdown_cell("\n\n".join(texts[index]), id=name))
        if missing := self.led_to - self.marked:
            raise ValueError(
                f"links lead to places of {self.name} that were not written: {missing}"
            )
        if self.cited:
            cells.append(nbformat.v4.new_markdown_cell(self.references(), id="references"))
        return nbformat.v4.new_notebook(cells=cells, metadata=KERNEL)

    def texts(self) -> dict[int, list[str]]:
        """The Markdown of each cell of the source, by index; for a code cell, its figure's."""
        writer = Writer(self)
        texts: dict[int, list[str]] = {}
        for index, level, node in self.blocks():
            writer.level = level
            if "cell_index" in node:
                image = node["cell_metadata"].get("mystnb", {}).get("image", {})
                text = writer.caption(node, image.get("alt", ""))
            elif isinstance(node, nodes.title):
                text = writer.heading(node.parent, node, level)
            else:
                text = writer(node)
            if text:
                texts.setdefault(index, []).append(text)
        return texts

    def blocks(self) -> Iterator[tuple[int, int, nodes.Element]]:
        """All blocks and titles in order, each with its cell's index and its section's level.

        MyST-NB numbers the lines of a notebook's cell from 10,000 times the number of the cell.
        """
        index = 0
        for level, node in blocks(self.tree, 0):
            if "cell_index" in node:
                index = node["cell_index"]
            elif node.line:
                index = node.line // 10_000 - 1
            yield index, level, node

    def references(self) -> str:
        """What the chapter cites, in the order of the bibliography."""
        writer = Writer(self)
        entries = [
            f'- <a id="{key}"></a>{writer.blocks(entry.children[1:])}'
            for key, entry in self.book.bibliography.items()
            if key in self.cited
        ]
        return "\n".join(["## References", "", *entries])


def is_heading(node: nodes.Element) -> bool:
    """Whether a node is a section or an exercise, whose titles are headings in a notebook."""
    titled = bool(node.children) and isinstance(node.children[0], nodes.title)
    return titled and isinstance(node, (nodes.section, exercise_node, exercise_enumerable_node))


def names(node: nodes.Element) -> list[str]:
    """The ids of a block and of all in it; those of its section, if it is a title."""
    if isinstance(node, nodes.title):
        return node.parent["ids"]
    return [name for element in node.findall(nodes.Element) for name in element["ids"]]


def blocks(node: nodes.Element, level: int) -> Iterator[tuple[int, nodes.Element]]:
    """The blocks of a page one after the other, titles too, each with the level of its section."""
    for child in node.children:
        if isinstance(child, nodes.section):
            yield from blocks(child, level + 1)
        else:
            yield level, child


def reader_cell(cell: NotebookNode) -> NotebookNode:
    """A cell of code with its outputs; what the page hides or folds away is folded."""
    cell = copy.deepcopy(cell)
    cell.metadata.pop("mystnb", None)
    if is_bookkeeping(cell) or "hide-input" in cell.metadata.get("tags", ()):
        cell.metadata["jupyter"] = {"source_hidden": True}
    if seconds := cell.metadata.get("seqdec", {}).get("seconds"):
        cell.source = f"# This cell takes about {seconds:g} seconds.\n{cell.source}"
    return cell


class NotebookBuilder(Builder):
    """The Sphinx builder `notebooks`."""

    name = "notebooks"
    format = "notebook"
    allow_parallel = False

    def get_outdated_docs(self) -> str:
        """All of them: each notebook shows numbers and links of the others."""
        return "all notebooks"

    def get_target_uri(self, docname: str, typ: str | None = None) -> str:
        return docname

    def get_relative_uri(self, from_: str, to: str, typ: str | None = None) -> str:
        return to

    def write(
        self, build_docnames: Iterable[str], updated_docnames: Iterable[str], method: str = "update"
    ) -> None:
        """Write all notebooks, and the zip; remove those of chapters that are gone."""
        self.read_bibliography()
        names = sorted(name for name in self.env.found_docs if name.startswith(CHAPTERS))
        names = [name for name in names if self.env.doc2path(name).endswith(".ipynb")]
        self.chapters = {name: Chapter(self, name) for name in names}
        out = Path(self.outdir)
        for path in out.glob("*.ipynb"):
            if path.name not in {chapter.name for chapter in self.chapters.values()}:
                path.unlink()
        for chapter in self.chapters.values():
            try:
                notebook = chapter.notebook()
            except ValueError as error:
                raise SphinxError(f"{chapter.docname}: {error}") from error
            nbformat.validate(notebook)
            nbformat.write(notebook, out / chapter.name)
        with zipfile.ZipFile(out / ARCHIVE, "w") as archive:
            for chapter in self.chapters.values():
                entry = zipfile.ZipInfo(f"{Path(ARCHIVE).stem}/{chapter.name}")  # undated
                entry.external_attr = 0o644 << 16
                archive.writestr(entry, (out / chapter.name).read_bytes(), zipfile.ZIP_DEFLATED)

    def resolved(self, docname: str) -> nodes.document:
        """The tree of a page, resolved for this builder, without the outputs of its cells."""
        tree = self.env.get_doctree(docname)
        for output in list(tree.findall(nodes.container)):
            if output.get("nb_element") == "mime_bundle":
                output.parent.remove(output)
        return self.env.get_and_resolve_doctree(docname, self, doctree=tree)

    def read_bibliography(self) -> None:
        """Find the key of each entry by its page and id, and the entry by its key."""
        cited = self.env.domains["cite"].citations if "cite" in self.env.domains else []
        self.citations = {(c.bibliography_key.docname, c.citation_id): c.key for c in cited}
        self.bibliography = {
            self.citations[docname, node["ids"][0]]: node
            for docname in sorted({docname for docname, _ in self.citations})
            for node in self.resolved(docname).findall(nodes.citation)
        }

    def number(self, docname: str, node: nodes.Element) -> str:
        """What the site calls a numbered node of a page; a chapter's title has its number too."""
        if isinstance(node, nodes.section):
            first = isinstance(node.parent, nodes.document)
            numbers = self.env.toc_secnumbers.get(docname, {}).get("", ()) if first else ()
            return ".".join(map(str, numbers)) + "." if numbers else ""
        if isinstance(node, nodes.math_block):
            kind, form = "displaymath", "%s"
        else:
            kind = self.env.get_domain("std").get_enumerable_node_type(node)
            form = self.config.numfig_format.get(kind, f"{str(kind).capitalize()} %s")
        of_kind = self.env.toc_fignumbers.get(docname, {}).get(kind, {})
        numbers = [of_kind[name] for name in node["ids"] if name in of_kind]
        return form % ".".join(map(str, numbers[0])) if numbers else ""


def setup(app: Sphinx) -> dict[str, bool]:
    """Make this file an extension of Sphinx."""
    app.add_builder(NotebookBuilder)
    app.connect("html-page-context", add_launch_buttons, priority=502)  # after the theme's buttons
    return {"parallel_read_safe": True, "parallel_write_safe": True}


if __name__ == "__main__":
    try:
        for notebook in build(ROOT, ROOT / "_build" / "notebooks"):
            print(notebook)
    except RuntimeError as error:
        sys.exit(str(error))
