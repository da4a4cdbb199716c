"""Write a resolved docutils tree as Markdown that every Jupyter front end shows as it is.

Sphinx has done the resolving: numbers stand in their places, references know their targets. What is
left is spelling, and `Writer` has one method for each type of node: `on_<type>` returns Markdown. A
node of a type without a method is an error, so that nothing disappears in silence.
"""

import html
import re
from collections.abc import Iterable
from typing import Protocol

from docutils import nodes
from sphinx import addnodes

CODE_LANGUAGES = {"ipython3": "python", "default": "", "none": "", "text": ""}
FOLDED = {"dropdown", "toggle"}


class Page(Protocol):
    """What a writer has to ask the book about."""

    def is_own(self, reference: nodes.Element) -> bool:
        """Whether a link offers the very notebook that is being written."""

    def target(self, reference: nodes.Element) -> str:
        """The destination of a link, "" where the notebooks have none."""

    def number(self, node: nodes.Element) -> str:
        """What the site calls a numbered node, like "Figure 1.3"; "" for one without a number."""

    def anchor(self, node: nodes.Element) -> str:
        """An invisible mark for the links that lead to this node; "" where no link does."""


class Writer:
    """Writes nodes of one page; a method for each type of node, named after the type."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.level = 1  # of the section that is being written
        self.in_quote = self.in_table = False

    def __call__(self, node: nodes.Node) -> str:
        """The Markdown of a node.

        Raises
        ------
        ValueError
            A node of a type that has no method here.
        """
        for kind in type(node).__mro__:
            if method := getattr(self, f"on_{kind.__name__}", None):
                return method(node)
        where = f"{node.source}:{node.line}" if node.line else "this page"
        raise ValueError(
            f"{where} holds a <{type(node).__name__}>, which has no form in plain Markdown yet: "
            "give Writer in site/plain_markdown.py a method for it, or say it in another way."
        )

    def inline(self, node: nodes.Element) -> str:
        """The children of a node, one after the other."""
        return "".join(self(child) for child in node.children)

    def blocks(self, children: Iterable[nodes.Node]) -> str:
        """Blocks with an empty line between them."""
        return "\n\n".join(text for child in children if (text := self(child)))

    # -- text

    def on_Text(self, node: nodes.Text) -> str:
        text = escaped(node.astext().replace("\n", " "))
        return text.replace("|", r"\|") if self.in_table else text

    def on_emphasis(self, node: nodes.emphasis) -> str:
        return f"*{self.inline(node)}*"

    def on_strong(self, node: nodes.strong) -> str:
        return f"**{self.inline(node)}**"

    def on_inline(self, node: nodes.inline) -> str:
        return self.inline(node)

    def on_literal(self, node: nodes.literal) -> str:
        text = node.astext().replace("\n", " ")
        fence = "`" * (longest_run("`", text) + 1)
        pad = " " if "`" in (text[:1], text[-1:]) else ""
        code = f"{fence}{pad}{text}{pad}{fence}"
        return code.replace("|", r"\|") if self.in_table else code

    def on_math(self, node: nodes.math) -> str:
        tex = " ".join(node.astext().split())
        if self.in_table:  # a bar would end the cell
            tex = tex.replace(r"\|", r"\Vert ").replace("|", r"\vert ")
        return f"${tex}$"

    def on_reference(self, node: nodes.reference) -> str:
        text, target = self.inline(node), self.page.target(node)
        if re.search(r"[()<> ]", target):
            target = f"<{target}>"
        lead = " " if text.startswith(" ") else ""
        return f"{lead}[{text.strip()}]({target})" if target else text

    def on_download_reference(self, node: nodes.Element) -> str:
        label = "".join(map(self.inline, node.children))  # Sphinx sets it as code, to no use
        target = self.page.target(node)
        return f"[{label}]({target})" if target else label

    def on_raw(self, node: nodes.raw) -> str:
        return node.astext() if node.get("format") == "html" else ""

    def on_target(self, node: nodes.target) -> str:
        return ""

    def on_comment(self, node: nodes.comment) -> str:
        return ""

    # -- blocks

    def on_paragraph(self, node: nodes.paragraph) -> str:
        if any(map(self.page.is_own, node.findall(addnodes.download_reference))):
            return ""  # "Take the notebook", says the site
        text = self.inline(node)
        text = re.sub(r"^(#|>|[-+](?=\s|$)|[-=]+$)", r"\\\1", text)
        return self.page.anchor(node) + re.sub(r"^(\d+)([.)])(?=\s|$)", r"\1\\\2", text)

    def on_math_block(self, node: nodes.math_block) -> str:
        number = self.page.number(node)
        tex = "\n".join(line for line in node.astext().strip().splitlines() if line.strip())
        tag = rf" \tag{{{number}}}" if number else ""
        if self.in_quote:  # the quote's marks would end up between the dollars
            formula = f"$$ {' '.join(tex.split())}{tag} $$"
        else:
            formula = f"$$\n{tex}{tag}\n$$"
        anchor = self.page.anchor(node).replace("a id=", "div id=").replace("</a>", "</div>")
        return f"{anchor}\n\n{formula}" if anchor else formula

    def on_literal_block(self, node: nodes.literal_block) -> str:
        text = node.astext().rstrip("\n")
        fence = "`" * max(3, longest_run("`", text) + 1)
        language = node.get("language", "")
        return f"{fence}{CODE_LANGUAGES.get(language, language)}\n{text}\n{fence}"

    def on_bullet_list(self, node: nodes.bullet_list) -> str:
        return self.items(node, ["-"] * len(node))

    def on_enumerated_list(self, node: nodes.enumerated_list) -> str:
        first = node.get("start", 1)
        return self.items(node, [f"{first + i}." for i in range(len(node))])

    def items(self, node: nodes.Element, marks: list[str]) -> str:
        """The items of a list, each behind its mark."""
        texts = [self.blocks(item.children) for item in node.children]
        pairs = zip(marks, texts, strict=True)
        return "\n".join(f"{mark} {indented(text, len(mark) + 1)}" for mark, text in pairs)

    def on_table(self, node: nodes.table) -> str:
        self.in_table = True
        rows = [[self.cell(entry) for entry in row] for row in node.findall(nodes.row)]
        head = next(iter(node.findall(nodes.row)))
        marks = [alignment(entry) for entry in head]
        self.in_table = False
        lines = ["| " + " | ".join(row) + " |" for row in rows]
        lines.insert(1, "|" + "|".join(marks) + "|")
        titles = [self.numbered(node, title) for title in node.findall(nodes.title)]
        return "\n\n".join(
            [self.page.anchor(node) + title for title in titles] + ["\n".join(lines)]
        )

    def cell(self, entry: nodes.entry) -> str:
        """The text of a table's cell, on one line."""
        return "<br>".join(self(child) for child in entry.children)

    def on_block_quote(self, node: nodes.block_quote) -> str:
        return self.quoted(lambda: self.blocks(node.children))

    def on_transition(self, node: nodes.transition) -> str:
        return "---"

    # -- boxes, exercises and figures

    def on_Admonition(self, node: nodes.Element) -> str:
        title, body = titled(node)
        if FOLDED & set(node.get("classes", ())):
            return self.folded(title, body)
        head = self.page.anchor(node) + self.numbered(node, title, "")
        return self.quoted(lambda: f"{head}\n\n{self.blocks(body)}")

    def on_exercise_node(self, node: nodes.Element) -> str:
        """An exercise: its title is a heading, so that contents lists and links find it."""
        title, body = titled(node)
        return f"{self.heading(node, title, self.level + 1)}\n\n{self.blocks(body)}"

    on_exercise_enumerable_node = on_exercise_node

    def on_solution_node(self, node: nodes.Element) -> str:
        return self.folded(*titled(node))

    def on_section(self, node: nodes.section) -> str:
        """The body of an exercise or a theorem; sections with titles are written as cells."""
        return self.blocks(node.children)

    def on_proof_node(self, node: nodes.Element) -> str:
        return self.quoted(lambda: self.blocks(node.children))

    def heading(self, node: nodes.Element, title: nodes.Element, level: int) -> str:
        """A heading of a section or an exercise."""
        text = straight(f"{self.page.number(node)} {self.inline(title)}")
        return f"{'#' * level} {self.page.anchor(node)}{' '.join(text.split())}"

    def numbered(self, node: nodes.Element, title: nodes.Element, end: str = ".") -> str:
        """A bold number, and then the words of a caption, or a bold title."""
        number, words = self.page.number(node), self.inline(title).strip()
        if end and number:
            return f"**{number}{end}** {words}"
        return f"**{' '.join(filter(None, (number, words)))}**"

    def caption(self, cell: nodes.Element, words_for_image: str) -> str:
        """What stands under a cell's figure: its number and caption, and what one sees, folded."""
        parts = [
            self.page.anchor(figure) + self.numbered(figure, caption)
            for figure in cell.findall(nodes.figure)
            for caption in figure.findall(nodes.caption)
        ]
        if words_for_image:
            parts.append(details("The figure in words", escaped(words_for_image)))
        return "\n\n".join(parts)

    def folded(self, title: nodes.Element, body: list[nodes.Node]) -> str:
        """Something to be opened with a click."""
        summary = "".join(
            f"${text}$" if isinstance(text.parent, nodes.math) else html.escape(text, quote=False)
            for text in title.findall(nodes.Text)
        )
        return details(" ".join(summary.split()), self.blocks(body))

    def quoted(self, write) -> str:
        """What `write` writes, as a quoted block."""
        outer, self.in_quote = self.in_quote, True
        lines = write().strip().splitlines()
        self.in_quote = outer
        return "\n".join(f"> {line}".rstrip() for line in lines)


def titled(node: nodes.Element) -> tuple[nodes.Element, list[nodes.Node]]:
    """The title of a box and what is in it; a box without a title is called what it is."""
    if node.children and isinstance(node.children[0], nodes.title):
        return node.children[0], node.children[1:]
    return nodes.title("", type(node).__name__.capitalize()), node.children


def details(summary: str, body: str) -> str:
    """A block that opens with a click; Markdown inside it needs the empty lines."""
    return f"<details>\n<summary>{summary}</summary>\n\n{body}\n\n</details>"


def escaped(text: str) -> str:
    """Text whose characters mean themselves in Markdown.

    Underscores inside words and brackets that make no link are left alone, to be read by people.
    """
    text = re.sub(r"([\\`*~$])", r"\\\1", text)
    text = re.sub(r"(?<![^\W_])_|_(?![^\W_])", r"\\_", text)
    text = re.sub(r"<(?=[A-Za-z/!?])", r"\\<", text)
    text = re.sub(r"&(?=#?\w+;)", r"\\&", text)
    return re.sub(r"\](?=[(\[:])", r"\\]", text)


def straight(text: str) -> str:
    """Text with plain quotation marks: a heading is the address of its section."""
    return text.translate({ord("‘"): "'", ord("’"): "'", ord("“"): '"', ord("”"): '"'})


def slug(text: str) -> str:
    """The address that JupyterLab gives to a heading; "" if a link to that wouldn't find it.

    JupyterLab compares what the browser makes of a link, so nothing in it may need escaping.
    """
    address = "-".join(straight(text).split())
    return address if re.fullmatch(r"[\w.,:;!?'()/+=*-]+", address, re.ASCII) else ""


def indented(text: str, width: int) -> str:
    """Text whose lines after the first stand `width` blanks to the right."""
    return re.sub(r"\n(?=[^\n])", "\n" + " " * width, text)


def alignment(entry: nodes.entry) -> str:
    """The mark under a column's head."""
    classes = entry.get("classes", ())
    right, center = "text-right" in classes, "text-center" in classes
    return "--:" if right else ":-:" if center else ":--"


def longest_run(character: str, text: str) -> int:
    """How often a character stands in a row, at most."""
    return max(map(len, re.findall(f"{re.escape(character)}+", text)), default=0)
