"""A chapter as its reader sees it: sentences without markup, with the numbers filled in.

The tests look here for the words of a `claim`, and the site for the place it is linked to, so that
both mean the same. It reads Markdown with the parser of the website (the extra `site`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from myst_parser.config.main import MdParserConfig
from myst_parser.parsers.mdit import create_md_parser
from nbformat import NotebookNode

from seqdec_lib.book.records import CLAIM, recorded

# As in _config.yml, as far as it concerns what stands in a sentence.
EXTENSIONS = {"amsmath", "attrs_block", "attrs_inline", "colon_fence", "deflist", "dollarmath"}
ELSEWHERE = "…"  # what a reference shows whose words depend on the page that it leads to
DIRECTIVE = re.compile(r"\{(?!code|math|bibliography|figure)[\w:-]+\}\s*(?P<title>.*)")
OPTIONS = re.compile(r"(?:\s*:[\w-]+:.*(?:\n|$))+")
CITED_ASIDE = ("cite", "cite:p", "cite:ps")  # in parentheses, where a sentence can be read without
# Written in many ways, read in one.
ALIKE = str.maketrans("‘’‚“”„«»–—−‑‐", '\'\'\'"""""-----') | dict.fromkeys(map(ord, "\xad\u200b"))
CONVERSIONS = {str: "s", int: "bcdoxX", float: "eEfFgGn%"}  # by the last letter of a format
parser = create_md_parser(MdParserConfig(enable_extensions=EXTENSIONS), RendererHTML)


@dataclass(frozen=True)
class Claim:
    """A claim of a chapter.

    words : as the reader sees them.
    holds : what was recorded.
    cell, line : of the Markdown that says it (of its outermost block), counted from 0; None where
        the chapter does not say it.
    """

    words: str
    holds: bool
    cell: int | None
    line: int | None


def claims(notebook: NotebookNode) -> list[Claim]:
    """All claims that the committed cells of a chapter recorded, in order."""
    values = recorded(notebook)
    said = [
        (index, line, text)
        for index, cell in enumerate(notebook.cells)
        if cell.cell_type == "markdown"
        for line, text in blocks(cell.source, values)
    ]
    found = []
    for key, holds in values.items():
        if key.startswith(CLAIM):
            forms = forms_of(key.removeprefix(CLAIM), values)
            places = ((i, line) for i, line, text in said if any(form in text for form in forms))
            cell, line = next(places, (None, None))
            found.append(Claim(forms[-1], holds is True, cell, line))
    return found


def forms_of(words: str, values: Mapping[str, object]) -> list[str]:
    """The words of a claim as they stand and, last, as a reader sees them if they are Markdown."""
    return [normal(words), normal(" ".join(text for _, text in blocks(words, values)))]


def blocks(markdown: str, values: Mapping[str, object]) -> list[tuple[int, str]]:
    """The paragraphs, headings, list items and table cells of some Markdown, in order.

    Emphasis, links and code are their text; mathematics stays as it is written; a citation in
    parentheses vanishes, and any other reference is "…" where it has no words of its own. What
    stands in a box (a directive) is prose, what stands in a code block is not.

    Parameters
    ----------
    values : what `{glue:text}` shows, by key.

    Returns
    -------
    For each, the line where its outermost block begins, and its text in the form of `normal`.
    """
    return [(line, normal(text)) for line, text in _blocks(markdown, values)]


def normal(text: str) -> str:
    """The text with one kind of quotes, dashes and white space, and none before a comma."""
    words = " ".join(re.sub("-{2,}", "-", text.translate(ALIKE)).split())
    return re.sub(r" ([,.;:!?])", r"\1", words)


def pasted(value: float | int | bool | str, form: str = "s") -> str:
    """What `{glue:text}` makes of a recorded value and a format: a whole float may end in "d"."""
    kind = next((k for k, last in CONVERSIONS.items() if form[-1:] in last and form), None)
    return format(kind(value) if kind else value, form) if form else str(value)


def _blocks(markdown: str, values: Mapping[str, object]) -> Iterator[tuple[int, str]]:
    top = 0
    for token in parser.parse(markdown):
        if token.level == 0 and token.map:
            top = token.map[0]
        if token.type == "inline":
            yield top, "".join(_inline(token.children or [], values))
        elif token.type in ("fence", "colon_fence"):
            if directive := DIRECTIVE.fullmatch(token.info.strip()):
                inside = directive["title"] + "\n\n" + OPTIONS.sub("", token.content, count=1)
                yield from ((top, text) for _, text in _blocks(inside, values))


def _inline(tokens: list[Token], values: Mapping[str, object]) -> Iterator[str]:
    for before, token in zip([None, *tokens], tokens, strict=False):
        if token.type in ("text", "code_inline"):
            yield token.content
        elif token.type in ("softbreak", "hardbreak"):
            yield " "
        elif token.type == "math_inline":
            yield f"${token.content}$"
        elif token.type == "myst_role":
            yield _role(token.meta["name"], token.content, values)
        elif token.type == "link_close" and before.type == "link_open":
            yield ELSEWHERE


def _role(name: str, content: str, values: Mapping[str, object]) -> str:
    if name == "glue:text":
        key, _, form = content.rpartition(":") if ":" in content else (content, "", "s")
        return pasted(values[key], form) if key in values else ELSEWHERE
    if name in CITED_ASIDE:
        return ""
    if name == "math":
        return f"${content}$"
    if name in ("term", "download", "sub", "sup") or re.fullmatch(r"[^%]+<[^<>]+>", content):
        return content.partition("<")[0].strip()
    return ELSEWHERE
