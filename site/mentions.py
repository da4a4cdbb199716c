"""Turn every mention of another chapter, figure, table, exercise or equation into a link.

An extension of Sphinx, so that nobody has to write the links. "chapter 7", "chapters 3 and 4",
"appendix A", "the last chapter", "Figure 4.2", "exercise 3.2", "equation (2.5)", and the title of a
page in italics are found when a page has been read, and resolved when the book is complete; where
a mention leads nowhere, the build warns. A chapter doesn't link to itself. Code, headings, links,
outputs of cells, and what belongs to another book ("chapter 5" beside a citation) stay as they are.
"""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from docutils import nodes
from sphinx.addnodes import download_reference, pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms import SphinxTransform
from sphinx.util.nodes import make_refnode

CHAPTERS = "chapters/"
# Pages that speak of chapters of other books, or by the numbers of their day.
OTHER_CHAPTERS = ("CHANGELOG", "api/")
KINDS = {  # from the words before a number to the names that Sphinx has for what is numbered
    "chapter": "chapter",
    "chapters": "chapter",
    "appendix": "chapter",
    "appendices": "chapter",
    "figure": "figure",
    "figures": "figure",
    "table": "table",
    "tables": "table",
    "exercise": "exercise",
    "exercises": "exercise",
    "equation": "displaymath",
    "equations": "displaymath",
}
NEIGHBORS = {"last": -1, "previous": -1, "next": 1}
WHOLE = r"(?:\d+|[A-Z])(?![\w.]*\w)"
PART = r"(?:\d+|[A-Z])\.\d+"
LIST = r"{0}(?:(?:,\s+(?:and\s+)?|\s+(?:and|or|to)\s+|[–-]){0})*"
MENTION = re.compile(
    rf"\b(?P<chapter>(?i:chapters?|appendix|appendices))\s+{LIST.format(WHOLE)}"
    rf"|\b(?P<part>(?i:figures?|tables?|exercises?))\s+{LIST.format(PART)}"
    rf"|\b(?P<equation>(?i:equations?))\s+{LIST.format(rf'[(]{PART}[)]')}"
    r"|\b(?P<neighbor>last|previous|next) chapter\b"
)
NUMBER = re.compile(r"\(?((?:\d+|\b[A-Z])(?:\.\d+)?)\)?")
NO_PROSE = (
    nodes.title,
    nodes.reference,
    nodes.literal,
    nodes.literal_block,
    nodes.math,
    nodes.math_block,
    nodes.raw,
    nodes.comment,
    nodes.Invisible,
    pending_xref,
    download_reference,
)


class MarkMentions(SphinxTransform):
    """Put a pending reference in the place of each mention on a page."""

    default_priority = 500

    def apply(self) -> None:
        """Mark the mentions, and the titles in italics."""
        if self.env.docname.startswith(OTHER_CHAPTERS):
            return
        for text in list(self.document.findall(nodes.Text)):
            if is_prose(text):
                mark(text)
        for table in self.document.findall(nodes.table):
            mark_column(table)


def is_prose(text: nodes.Text) -> bool:
    """Whether a text is something that the author says, and no link yet."""
    node: nodes.Node | None = text.parent
    while node is not None:
        if isinstance(node, NO_PROSE):
            return False
        if isinstance(node, nodes.container) and (
            node.get("nb_element") == "mime_bundle" or "sd-card" in node["classes"]
        ):
            return False  # the output of a cell; a card, which is a link itself
        node = node.parent
    return True


def mark(text: nodes.Text) -> None:
    """Put pending references into a text, which may be the whole of something in italics."""
    parent, found = text.parent, list(mentions(text.astext()))
    if isinstance(parent, nodes.emphasis) and parent.children == [text] and not found:
        title = pending("title", text.astext(), text)
        parent.replace(text, title)
        return
    parts: list[nodes.Node] = []
    done = 0
    for start, end, kind, target in found:
        if not belongs_to_another_book(text, start, end):
            parts += [nodes.Text(text[done:start]), pending(kind, target, text[start:end])]
            done = end
    if done:
        parent.replace(text, [*parts, nodes.Text(text[done:])])


def mark_column(table: nodes.table) -> None:
    """Put pending references into the column of a table that is headed "Chapter"."""
    head, *rows = table.findall(nodes.row)
    for row in rows:
        for title, entry in zip((entry.astext() for entry in head), row, strict=False):
            texts = list(entry.findall(nodes.Text))
            if title == "Chapter" and re.fullmatch(WHOLE, entry.astext()) and len(texts) == 1:
                texts[0].parent.replace(texts[0], pending("chapter", texts[0], texts[0]))


def mentions(text: str) -> Iterator[tuple[int, int, str, str]]:
    """Where mentions stand in a text (start and end), and of what: its kind and its number.

    In "chapters 3 and 4" the word belongs to the first of the two.
    """
    for found in MENTION.finditer(text):
        if neighbor := found["neighbor"]:
            yield found.start(), found.end(), "neighbor", neighbor.lower()
            continue
        word = found["chapter"] or found["part"] or found["equation"]
        for number in NUMBER.finditer(text, found.start() + len(word), found.end()):
            is_first = found.start() + len(word) == len(text[: number.start()].rstrip())
            start = found.start() if is_first else number.start()
            yield start, number.end(), KINDS[word.lower()], number[1]


def belongs_to_another_book(text: nodes.Text, start: int, end: int) -> bool:
    """Whether a citation stands beside a mention: "Sutton and Barto, chapters 3 and 4"."""
    siblings = text.parent.children
    place = siblings.index(text)
    before, after = siblings[:place], siblings[place + 1 :]
    words = rf"(?:chapters?\s+)?(?:{WHOLE}|,|and|or|to|\s)*"
    cited_before = before and is_citation(before[-1])
    cited_after = after and is_citation(after[0])
    return bool(
        cited_before
        and re.fullmatch(rf",?\s*(?:in\s+)?{words}", text[:start], re.IGNORECASE)
        or cited_after
        and re.fullmatch(rf"{words}\s*(?:of|in)\s+", text[end:], re.IGNORECASE)
    )


def is_citation(node: nodes.Node) -> bool:
    """Whether a node leads to the references."""
    return isinstance(node, pending_xref) and node.get("refdomain") == "cite"


def pending(kind: str, target: str, words: str) -> pending_xref:
    """A mention that is to be resolved."""
    return pending_xref(
        "", nodes.Text(words), refdomain="", reftype="mention", reftarget=target, kind=kind
    )


def resolve(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, words: nodes.Node
) -> nodes.Node | None:
    """Make a link of a mention; return its bare words where it needs none, None if it is wrong."""
    if node["reftype"] != "mention":
        return None
    here = node["refdoc"]
    found = place_of(env, node["kind"], node["reftarget"], here)
    if found is None:
        return words if node["kind"] in ("title", "neighbor") else None
    docname, name = found
    if docname == here and not name:
        return words
    title = env.titles[docname].astext()
    link = make_refnode(app.builder, here, docname, name, words, title)
    link["classes"].append("mention")
    return link


def place_of(env: BuildEnvironment, kind: str, target: str, here: str) -> tuple[str, str] | None:
    """The page, and the place on it ("" for the page), that a mention on the page `here` means."""
    if kind == "title":
        titles = {title.astext(): name for name, title in env.titles.items()}
        return (titles[target], "") if target in titles else None
    if kind == "neighbor":
        order = chapters(env)
        place = order.index(here) + NEIGHBORS[target] if here in order else -1
        return (order[place], "") if 0 <= place < len(order) else None
    if kind == "chapter":
        numbers = {number_of(name): name for name in chapters(env)}
        return (numbers[target], "") if target in numbers else None
    for docname, numbered in env.toc_fignumbers.items():
        for name, number in numbered.get(kind, {}).items():
            if ".".join(map(str, number)) == target:
                return docname, name
    return None


def chapters(env: BuildEnvironment) -> list[str]:
    """The chapters and appendices of the book, in its order."""
    return sorted(name for name in env.found_docs if name.startswith(CHAPTERS))


def number_of(docname: str) -> str:
    """The number of a chapter or the letter of an appendix, as its file name has it."""
    return PurePosixPath(docname).name.partition("_")[0].lstrip("0")


def name_of(docname: str) -> str:
    """What a chapter or an appendix is called in a sentence: "chapter 7", "appendix A"."""
    number = number_of(docname)
    return f"{'chapter' if number.isdigit() else 'appendix'} {number}"


def setup(app: Sphinx) -> dict[str, bool]:
    """Make this file an extension of Sphinx."""
    app.add_transform(MarkMentions)
    app.connect("missing-reference", resolve)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
