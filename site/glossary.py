"""Link the terms of the glossary: to what introduces them, and from their first use in a chapter.

An extension of Sphinx. `glossary.md` holds the terms and what they mean, and nothing else. A term
is introduced where a chapter sets it in bold for the first time, and the glossary links there
(unless the entry has a link of its own). The chapters after that one link its first use back, and
the page carries what it means for `glossary.js`, which shows it. A chapter that sets a term in bold
itself explains it, and needs no link.
"""

import re
from functools import cache
from pathlib import Path

from boxes import BOX
from docutils import nodes
from mentions import CHAPTERS, chapters, is_prose, name_of
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder
from sphinx.environment import BuildEnvironment
from sphinx.transforms import SphinxTransform
from sphinx.util.nodes import clean_astext, make_refnode

PAGE = "glossary"
LINK = "glossary-term"  # the class of a link to the glossary
INTRODUCED = "glossary-introduced"  # the class of what the glossary says about the place
# Terms that are ordinary words as well: the form in which a use is linked, None for none.
ORDINARY = {"return": "[Rr]eturn", "span": None, "surprise": None, "value": "[Vv]alues"}
Place = tuple[str, str]  # an id, and the title of its section


@cache
def entries(page: Path, modified: int) -> list[list[str]]:
    """The terms of the glossary, those that mean the same together."""
    text = page.read_text(encoding="utf-8")
    body = re.search(r"^```\{glossary\}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)[1]
    found: list[list[str]] = [[]]
    for before, line in zip(["", *body.splitlines()], body.splitlines(), strict=False):
        if line and not line.startswith(" "):
            found += [] if before and not before.startswith(" ") else [[]]
            found[-1].append(line)
    return [terms for terms in found if terms]


def terms_of(env: BuildEnvironment) -> dict[str, str]:
    """The first name of an entry, by each of its names."""
    page = Path(env.srcdir) / f"{PAGE}.md"
    if not page.is_file():
        return {}
    groups = entries(page, page.stat().st_mtime_ns)
    return {term: group[0] for group in groups for term in group}


def pattern(term: str) -> str:
    """A regular expression of a term in a text: also in the plural, and with a capital letter."""
    if term.isupper():
        return rf"{term}s?"
    stem = rf"(?:{re.escape(term[:-1])}(?:y|ies))" if term[-1] == "y" else rf"{re.escape(term)}s?"
    first = stem.index(term[0])
    either = f"[{term[0].lower()}{term[0].upper()}]"
    return stem[:first] + either + stem[first + 1 :].replace(r"\ ", r"\s+")


@cache
def finder(terms: tuple[str, ...], in_bold: bool) -> re.Pattern:
    """A pattern that finds the terms, the longest where several begin, in groups by number."""
    forms = [pattern(term) if in_bold else ORDINARY.get(term, pattern(term)) for term in terms]
    either = "|".join(f"({form or '(?!)'})" for form in forms)
    return re.compile(rf"(?<![\w-])(?:{either})(?![\w-])")


class MarkTerms(SphinxTransform):
    """Note where a chapter introduces terms, and put a pending reference at their first use."""

    default_priority = 510  # after the mentions, whose links stay as they are

    def apply(self) -> None:
        """Mark the terms of a chapter, or the entries of the glossary."""
        self.heads = terms_of(self.env)
        self.terms = tuple(sorted(self.heads, key=len, reverse=True))
        if self.env.docname == PAGE:
            self.mark_entries()
        elif self.env.docname.startswith(CHAPTERS) and self.terms:
            self.env.note_dependency(str(Path(self.env.srcdir) / f"{PAGE}.md"))
            places = self.introductions()
            introduced_in(self.env)[self.env.docname] = places
            self.mark_uses(set(places))

    def mark_entries(self) -> None:
        """Say in each entry where its term is introduced."""
        for item in self.document.findall(nodes.definition_list_item):
            term, definition = item.children[0], item.children[-1]
            own = definition.next_node(
                lambda node: isinstance(node, nodes.reference | pending_xref)
            )
            if own is None:
                place = pending("introduction", term.astext(), "")
                definition += nodes.paragraph("", "", place, classes=[INTRODUCED])

    def introductions(self) -> dict[str, Place]:
        """The places where the chapter sets a term in bold, by its entry."""
        places: dict[str, Place] = {}
        for strong in self.document.findall(nodes.strong):
            words = strong.astext().replace(r"\lambda", "λ").replace(r"\varepsilon", "ε")
            found = finder(self.terms, in_bold=True).fullmatch(words)
            section = section_of(strong)
            if found and section and is_prose(strong.children[0]):
                head = self.heads[self.terms[found.lastindex - 1]]
                if head not in places:
                    strong["ids"].append(nodes.make_id(f"introduces-{head}"))
                    places[head] = (strong["ids"][-1], clean_astext(section[0]))
        return places

    def mark_uses(self, explained: set[str]) -> None:
        """Put a pending reference at the first use of each term not explained here."""
        done = set(explained)
        for text in list(self.document.findall(nodes.Text)):
            if not is_prose(text) or section_of(text) is None:
                continue
            words, parts, end = text.astext(), [], 0
            for found in finder(self.terms, in_bold=False).finditer(words):
                term = self.terms[found.lastindex - 1]
                if self.heads[term] not in done:
                    done.add(self.heads[term])
                    before = nodes.Text(words[end : found.start()])
                    parts += [before, pending("term", term, found[0])]
                    end = found.end()
            if parts:
                text.parent.replace(text, [*parts, nodes.Text(words[end:])])


def section_of(node: nodes.Node) -> nodes.section | None:
    """The section that a node stands in; None in the box that opens a chapter."""
    while node is not None and not isinstance(node, nodes.section):
        title = node.children[0] if isinstance(node, nodes.Admonition) else None
        if title is not None and BOX.fullmatch(title.astext()):
            return None
        node = node.parent
    return node


def pending(kind: str, term: str, words: str) -> pending_xref:
    """A reference that is to be resolved when all pages have been read."""
    return pending_xref(
        "", nodes.Text(words), refdomain="", reftype="glossary", reftarget=term, kind=kind
    )


def introduced_in(env: BuildEnvironment) -> dict[str, dict[str, Place]]:
    """By chapter, and by entry, the places where terms are introduced."""
    if not hasattr(env, "glossary_places"):
        env.glossary_places = {}
    return env.glossary_places


def introduction(env: BuildEnvironment, term: str) -> tuple[str, str, str] | None:
    """The page, the id and the section where a term is introduced; None where none sets it bold."""
    places = introduced_in(env)
    for docname in chapters(env):
        if term in places.get(docname, {}):
            return docname, *places[docname][term]
    return None


def resolve(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, words: nodes.Node
) -> nodes.Node | None:
    """Make a link of a term, or of the place that introduces it."""
    if node["reftype"] != "glossary":
        return None
    here, term = node["refdoc"], node["reftarget"]
    if node["kind"] == "introduction":
        place = introduction(env, term)
        if place is None:
            return None
        docname, name, section = place
        chapter = name_of(docname)
        text = nodes.Text(f"{chapter[0].upper()}{chapter[1:]}, {section}")
        return make_refnode(app.builder, here, docname, name, text)
    place = introduction(env, terms_of(env)[term])
    if place and chapters(env).index(here) < chapters(env).index(place[0]):
        return words  # what the book has not introduced yet is an ordinary word
    docname, name = env.get_domain("std").objects["term", term]
    link = make_refnode(app.builder, here, docname, name, words)
    link["classes"].append(LINK)
    return link


def add_previews(
    app: Sphinx, pagename: str, template: str, context: dict, doctree: nodes.document | None
) -> None:
    """Put the meanings of the terms that a page links to at its end, out of sight."""
    if app.builder.name != "html" or doctree is None or not pagename.startswith(CHAPTERS):
        return
    links = [link for link in doctree.findall(nodes.reference) if LINK in link["classes"]]
    names = dict.fromkeys(link["refuri"].partition("#")[2] for link in links)
    boxes = [
        f'<div class="glossary-preview" id="preview-{name}" role="tooltip" hidden>{text}</div>'
        for name, text in ((name, meanings(app.builder)[name]) for name in names)
    ]
    context["body"] += "\n".join(boxes)


@cache
def meanings(builder: StandaloneHTMLBuilder) -> dict[str, str]:
    """What the terms mean, as HTML, by the ids of the terms."""
    page = builder.env.get_and_resolve_doctree(PAGE, builder)
    found = {}
    for item in page.findall(nodes.definition_list_item):
        definition = item.children[-1].deepcopy()
        for node in list(definition.findall(nodes.paragraph)):
            if INTRODUCED in node["classes"]:
                node.parent.remove(node)
        for link in list(definition.findall(nodes.reference)):
            link.parent.remove(link)
        inside = nodes.container("", *definition.children)
        html = builder.render_partial(inside)["fragment"]
        found |= dict.fromkeys(
            (name for term in item.findall(nodes.term) for name in term["ids"]), html.strip()
        )
    return found


def forget(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    """Forget what was noted about a page that is read again, or gone."""
    introduced_in(env).pop(docname, None)


def gather(
    app: Sphinx, env: BuildEnvironment, docnames: list[str], other: BuildEnvironment
) -> None:
    """Take over what another process has noted."""
    introduced_in(env).update(
        {name: places for name, places in introduced_in(other).items() if name in docnames}
    )


def read(app: Sphinx, docname: str, source: list[str]) -> None:
    """Let the glossary be read again when a chapter has changed."""
    if docname == PAGE:
        for name in chapters(app.env):
            app.env.note_dependency(app.env.doc2path(name))


def setup(app: Sphinx) -> dict[str, bool]:
    """Make this file an extension of Sphinx."""
    app.add_transform(MarkTerms)
    app.connect("source-read", read)
    app.connect("missing-reference", resolve)
    app.connect("env-purge-doc", forget)
    app.connect("env-merge-info", gather)
    app.connect("html-page-context", add_previews, priority=400)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
