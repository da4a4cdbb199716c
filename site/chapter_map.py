"""Draw the map of the chapters while the site is built: what needs what, each box a link.

An extension of Sphinx with the directive `{chapter-map}`. All of the map comes from the chapters:
from the paragraph "You need" in the box at the top of each. An arrow leads to a chapter from each
one that it needs, except from those that another one which it needs stands on already.
"""

import html
import itertools
import textwrap
from dataclasses import dataclass
from pathlib import Path

import networkx as nx
from boxes import Box, read_box
from docutils import nodes
from docutils.parsers.rst import Directive
from mentions import chapters, number_of
from sphinx.application import Sphinx

WIDTH, BOX, HEIGHT, LINE = 420, 112, 62, 13  # of the picture, a box (width and height), a line
GAP, BETWEEN, LANE = 14, 22, 8  # beside boxes, between rows, of an arrow that passes a row


class Map(nodes.Element, nodes.General):
    """The place of the map on a page."""


class MapDirective(Directive):
    """`{chapter-map}`: the map of the chapters."""

    def run(self) -> list[nodes.Node]:
        """Mark the place, and let the page be read again when a chapter has changed."""
        env = self.state.document.settings.env
        for name in chapters(env):
            env.note_dependency(env.doc2path(name))
        return [Map()]


@dataclass(frozen=True)
class Passing:
    """The place where an arrow passes a row of the map on its way further down."""

    start: str
    end: str
    row: int


def needs(boxes: dict[str, Box]) -> nx.DiGraph:
    """The chapters, with an arrow from each to those that need it and have no other way to it."""
    graph = nx.DiGraph()
    graph.add_nodes_from(boxes)
    graph.add_edges_from((need, name) for name, box in boxes.items() for need in box.needs)
    if unknown := set(graph) - set(boxes):
        raise ValueError(f"a chapter's box needs {sorted(unknown)}, which the book doesn't have.")
    return nx.transitive_reduction(graph)


def rows(graph: nx.DiGraph) -> tuple[list[list], list[list]]:
    """The rows of the map from top to bottom, and the ways of the arrows from place to place.

    A chapter stands one row below the lowest that it needs. In a row, what comes from the left
    stands on the left.
    """
    depth: dict = {}
    for name in nx.topological_sort(graph):
        depth[name] = 1 + max((depth[need] for need in graph.predecessors(name)), default=-1)
    found: list[list] = [[] for _ in range(1 + max(depth.values(), default=-1))]
    for name in graph:
        found[depth[name]].append(name)
    ways = []
    for start, end in sorted(graph.edges):  # networkx gives them in another order each time
        between = [Passing(start, end, row) for row in range(depth[start] + 1, depth[end])]
        ways.append([start, *between, end])
        for place in between:
            found[place.row].append(place)
    before: dict = {}
    for way in ways:
        for above, below in itertools.pairwise(way):
            before.setdefault(below, []).append(above)
    middle: dict = {}
    for row in found:
        heights = {
            place: sum(middle[p] for p in before.get(place, ()))
            / max(1, len(before.get(place, ())))
            for place in row
        }
        row.sort(key=lambda place: heights[place])
        middle |= {place: x for place, (x, _) in zip(row, spread(row), strict=True)}
    return found, ways


def spread(row: list) -> list[tuple[float, float]]:
    """The middle and the width of each place in a row, which stands in the middle of the map."""
    widths = [LANE if isinstance(place, Passing) else BOX for place in row]
    left = (WIDTH - sum(widths) - GAP * (len(row) - 1)) / 2
    starts = itertools.accumulate((width + GAP for width in widths), initial=left)
    return [(start + width / 2, width) for start, width in zip(starts, widths, strict=False)]


def picture(boxes: dict[str, Box], links: dict[str, str]) -> str:
    """The map as SVG.

    boxes : of the chapters, by the stems of their files.
    links : where each chapter's box leads.
    """
    found, ways = rows(needs(boxes))
    at = {
        place: (x, number * (HEIGHT + BETWEEN) + 1)
        for number, row in enumerate(found)
        for place, (x, _) in zip(row, spread(row), strict=True)
    }
    arrows = [f'<path class="arrow" d="{way_of([at[place] for place in way])}"/>' for way in ways]
    drawn = [chapter(name, box, links[name], *at[name]) for name, box in boxes.items()]
    height = len(found) * (HEIGHT + BETWEEN) - BETWEEN + 2
    return "\n".join(
        [
            f'<svg class="chapter-map" viewBox="0 0 {WIDTH} {height}" role="group" '
            'aria-labelledby="chapter-map-title" aria-describedby="chapter-map-words">',
            '<title id="chapter-map-title">Map of the chapters</title>',
            '<defs><marker id="chapter-map-tip" viewBox="0 0 8 8" refX="7" refY="4" '
            'markerWidth="7" markerHeight="7" orient="auto">'
            '<path d="M0 0L8 4L0 8z"/></marker></defs>',
            *arrows,
            *drawn,
            "</svg>",
        ]
    )


def way_of(points: list[tuple[float, float]]) -> str:
    """The way of an arrow from the lower edge of a box to the upper edge of another one."""
    (x, y), *rest = points
    y += HEIGHT
    parts = [f"M{x:g} {y:g}"]
    for number, (next_x, next_y) in enumerate(rest):
        half = (y + next_y) / 2
        parts.append(f"C{x:g} {half:g} {next_x:g} {half:g} {next_x:g} {next_y:g}")
        if number < len(rest) - 1:
            parts.append(f"V{next_y + HEIGHT:g}")
        x, y = next_x, next_y + HEIGHT
    return "".join(parts)


def chapter(name: str, box: Box, link: str, x: float, y: float) -> str:
    """A chapter's box: its number, how long it takes to read, and its title."""
    head = f"{number_of(name)}" + (f" · {box.minutes} min" if box.minutes else "")
    lines = [head, *textwrap.wrap(box.title, 17)]
    top = y + (HEIGHT - LINE * len(lines)) / 2 + 10
    kinds = ['class="number" ', *[""] * (len(lines) - 1)]
    texts = [
        f'<text {kind}x="{x:g}" y="{top + LINE * line:g}">{html.escape(text)}</text>'
        for line, (kind, text) in enumerate(zip(kinds, lines, strict=True))
    ]
    frame = f'<rect x="{x - BOX / 2:g}" y="{y:g}" width="{BOX}" height="{HEIGHT}" rx="5"/>'
    return f'<a href="{html.escape(link)}">{frame}{"".join(texts)}</a>'


def in_words(boxes: dict[str, Box], links: dict[str, str]) -> str:
    """The map as a folded list, which also says what the picture leaves out: the running times."""
    items = []
    for name, box in boxes.items():
        named = [f'<a href="{html.escape(links[n])}">{number_of(n)}</a>' for n in box.needs]
        needed = " and ".join(filter(None, [", ".join(named[:-1]), *named[-1:]]))
        facts = [
            f"needs {needed}" if named else "needs no other chapter",
            f"{box.minutes} minutes to read" if box.minutes else "",
            f"{box.seconds:g} CPU seconds to run" if box.seconds else "",
        ]
        title = (
            f'{number_of(name)}. <a href="{html.escape(links[name])}">{html.escape(box.title)}</a>'
        )
        items.append(f"<li>{title}: {', '.join(filter(None, facts))}.</li>")
    return (
        '<details class="chapter-map-words"><summary>The map in words</summary>'
        f'<ul id="chapter-map-words">{"".join(items)}</ul></details>'
    )


def draw(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Put the map in its place."""
    for place in list(doctree.findall(Map)):
        names = chapters(app.env)
        boxes = {Path(name).name: read_box(Path(app.env.doc2path(name))) for name in names}
        links = {Path(name).name: app.builder.get_relative_uri(docname, name) for name in names}
        svg = f"{picture(boxes, links)}\n{in_words(boxes, links)}" if boxes else ""
        place.replace_self(nodes.raw("", svg, format="html"))


def setup(app: Sphinx) -> dict[str, bool]:
    """Make this file an extension of Sphinx."""
    app.add_node(Map)
    app.add_directive("chapter-map", MapDirective)
    app.connect("doctree-resolved", draw)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
