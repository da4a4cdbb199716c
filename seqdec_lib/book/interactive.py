"""Figures that a reader moves, with neither a kernel nor a network: frames of SVG, made in Python.

Dials choose the frame that is shown (the browser's own range inputs: arrow keys, Home and End move
them), or moves do (buttons). Script and style travel inside the output, so that a figure works in
JupyterLab; the website loads them once instead. Without JavaScript one frame stays. The colors are
CSS variables that follow the page from light to dark: --ink, --line, --series-1, -2 and -3."""

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from string import Template

import numpy as np

from seqdec_lib.problems.rail import CITIES, CITY_NAMES
from seqdec_lib.problems.travel_tree import TravelTree


@dataclass(frozen=True)
class Frame:
    """What is seen at one position of the dials, or after one move.

    description : a sentence on what is seen, shown below and read out by screen readers
    svg : SVG elements, drawn over the background; those of the class "kept" stay once seen
    moves : the words of a button, and the number of the frame to which it leads"""

    description: str
    svg: str
    moves: Sequence[tuple[str, int]] = ()


@dataclass(frozen=True)
class Dial:
    """What a reader can turn: its name, its values from left to right, and where it starts."""

    name: str
    values: Sequence[str]
    start: int = 0


@dataclass(frozen=True)
class InteractiveFigure:
    """A drawing of which one frame at a time is shown; display it as a cell's last line.

    alt : what the whole figure shows, for readers who don't see it
    frames : one for each position of the dials, of which the last turns fastest; or, without
        dials, the first one and all to which moves lead
    size : width and height of the drawing, in its own units
    background : SVG elements that all frames share; touching one that has the attributes
        data-dial and data-value, two numbers, turns that dial
    Raises ValueError: the frames don't fit the dials or the moves, or there is no alt text."""

    alt: str
    frames: Sequence[Frame]
    size: tuple[int, int]
    dials: Sequence[Dial] = ()
    background: str = ""

    def __post_init__(self) -> None:
        wanted, came = math.prod(len(dial.values) for dial in self.dials), len(self.frames)
        ends = [[number for _, number in frame.moves] for frame in self.frames]
        if self.dials and came != wanted:
            raise ValueError(f"the dials have {wanted} positions, but {came} frames came.")
        if not self.dials and not all(end and 0 <= min(end) <= max(end) < came for end in ends):
            raise ValueError(f"without dials, each frame needs moves to frames in 0..{came - 1}.")
        if not self.alt.strip():
            raise ValueError("alt is empty: say in a sentence what the figure shows.")

    def label(self, number: int) -> str:
        """Where the dials stand in a frame, such as "Temperature 0.50"."""
        at = np.unravel_index(number, [len(d.values) for d in self.dials] or [len(self.frames)])
        turned = [f"{d.name} {d.values[i]}" for d, i in zip(self.dials, at, strict=False)]
        return ", ".join(turned) or f"step {number}"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        room, start = files("seqdec_lib.book"), 0
        style, script, page = ((room / f"figures.{x}").read_text() for x in ("css", "js", "html"))
        for dial in self.dials:
            start = start * len(dial.values) + dial.start
        label, description = self.label(start), self.frames[start].description
        frames = "\n".join(
            f'<g data-label="{escape(self.label(i))}" display="{("none", "inline")[i == start]}" '
            f'data-description="{escape(frame.description)}"'
            + (f' data-moves="{escape(json.dumps(frame.moves))}"' if frame.moves else "")
            + f">{frame.svg}</g>"
            for i, frame in enumerate(self.frames)
        )
        dials = "".join(
            f'<div class="figure-dial"><label>{escape(dial.name)} <input type="range" min="0" '
            f'max="{len(dial.values) - 1}" value="{dial.start}" data-values='
            f'"{escape(json.dumps(dial.values, ensure_ascii=False))}"></label>'
            f"<output>{escape(dial.values[dial.start])}</output></div>\n"
            for dial in self.dials
        )
        words = {"alt": self.alt, "label": label, "description": description}
        parts = {key: escape(text) for key, text in words.items()}
        parts |= {"width": self.size[0], "height": self.size[1], "background": self.background}
        parts |= {"frames": frames, "dials": dials, "style": style, "script": script}
        plain = f"Interactive figure. {self.alt} Shown: {label}. {description}"
        return {"text/html": Template(page).substitute(parts), "text/plain": plain}


WIDTH, MAP_HEIGHT, ROW = 420, 400, 22
DASHED, FAINT = ' stroke-dasharray="4 4"', ' opacity=".65"'
CORNERS = np.array([[210.0, 40.0], [36.0, 340.0], [384.0, 340.0]])  # of the simplex


def _strokes(
    points: np.ndarray, tails: str | Iterable[str], color: str, width: float, more: str = ""
) -> str:
    """A stroke from each of the points (N, 2), which goes on as its tail says; "h0" is a dot."""
    tails = [tails] * len(points) if isinstance(tails, str) else tails
    drawn = "".join(f"M{x:.0f} {y:.0f}{t}" for (x, y), t in zip(points, tails, strict=True))
    more += ' stroke-linecap="round"' if drawn.endswith("h0") else ""
    return f'<path d="{drawn}" stroke="var(--{color})" stroke-width="{width:g}"{more}/>'


def _line(points: np.ndarray, color: str, width: float, more: str = "") -> str:
    """A line through points (N, 2)."""
    tail = "".join(f"L{x:.0f} {y:.0f}" for x, y in points[1:])
    return _strokes(points[:1], tail, color, width, more)


def _text(x: float, y: float, words: str, anchor: str = "", more: str = "") -> str:
    more += f' text-anchor="{anchor}"' if anchor else ""
    return f'<text x="{x:.0f}" y="{y:.0f}"{more}>{escape(words)}</text>'


def bar_chart(
    alt: str,
    names: Sequence[str],
    shares: np.ndarray,
    dials: Sequence[Dial],
    descriptions: Sequence[str],
    marks: np.ndarray | None = None,
    touched: int | None = None,
) -> InteractiveFigure:
    """A row with a bar for each of N names, of another length in each of F frames.

    shares : (F, N) from 0 to 1; from a tenth on, a number stands beside the bar.
    marks : (N,) shares that are marked in all frames, to compare with.
    touched : number of the dial whose values are the rows, which turn it when touched."""
    left = 10 + 8 * max(map(len, names))
    unit = (WIDTH - 50 - left) / max(shares.max(), 0 if marks is None else marks.max())
    rows = np.array([[left, ROW * (i + 0.5) + 4] for i in range(len(names))])
    background, frames = "", []
    for i, (name, (x, y)) in enumerate(zip(names, rows, strict=True)):
        turns = "" if touched is None else f' data-dial="{touched}" data-value="{i}"'
        background += _text(x - 8, y + 5, name, "end", turns)
    if marks is not None:
        at = rows + np.stack([unit * marks, -9 + 0 * marks], axis=1)
        background += _strokes(at, "v18", "series-2", 3)
    for part, words in zip(shares, descriptions, strict=True):
        tails = [f"h{unit * share:.0f}" for share in part if unit * share >= 0.5]
        drawn = _strokes(rows[unit * part >= 0.5], tails, "series-1", 12, FAINT)
        for (x, y), share in zip(rows, part, strict=True):
            drawn += _text(x + unit * share + 6, y + 5, f"{share:.0%}") if share > 0.095 else ""
        frames.append(Frame(words, drawn))
    return InteractiveFigure(alt, frames, (WIDTH, ROW * len(names) + 8), dials, background)


def simplex(
    alt: str, names: Sequence[str], probabilities: np.ndarray, samples: np.ndarray, dial: Dial
) -> InteractiveFigure:
    """Relaxed choices among three actions in a triangle, at one temperature a frame.

    probabilities : (3,) of the actions, marked by a cross.
    samples : (F, N, 3) the same N draws at each of the F temperatures of the dial."""
    frames, background = [], _line(CORNERS[[0, 1, 2, 0]], "line", 1.5)
    background += _strokes([probabilities @ CORNERS], "m-8 0h16m-8-8v16", "ink", 2.5)
    for name, (x, y) in zip(names, CORNERS, strict=True):
        background += _text(x, y + (26 if y > 200 else -12), name, "middle")
    for choices in samples:
        drawn = ""
        for i in range(3):
            dots = choices[choices.argmax(axis=1) == i] @ CORNERS
            drawn += _strokes(dots, "h0", f"series-{i + 1}", 7, FAINT)
        drawn += _strokes([choices.mean(axis=0) @ CORNERS], "m0-8l8 8-8 8-8-8z", "ink", 2.5)
        words = f"The largest share of a sample is {choices.max(axis=1).mean():.2f} on average."
        frames.append(Frame(f"{words} Cross: the probabilities; diamond: mean of samples.", drawn))
    return InteractiveFigure(alt, frames, (WIDTH, 380), [dial], background)


def _on_map() -> np.ndarray:
    """Where each city stands in a drawing that is WIDTH wide and MAP_HEIGHT high, (C, 2)."""
    north, east = np.array(list(CITIES.values())).T
    x, y = (east - east.min()) * np.cos(np.radians(north.mean())), north.max() - north
    scale = min((WIDTH - 100) / x.max(), (MAP_HEIGHT - 30) / y.max())
    return 15 + scale * np.stack([x, y], axis=1)


def wishes(
    alt: str, tree: TravelTree, asked: np.ndarray, leaves: Sequence[int], start: int
) -> InteractiveFigure:
    """The trip that a model makes for each return it is asked for, on a map and on a curve.

    asked, leaves : (F,) returns from low to high, and where the trips end; start: one of them."""
    places, worth, best = _on_map(), tree.enjoyment(np.array(leaves)), tree.optimal_return()
    corner, unit = np.array([40, MAP_HEIGHT + 180]), np.array([350 / max(asked), -150 / best])
    points, frames = corner + unit * np.stack([asked, worth], axis=1), []
    background = _strokes(places, "h0", "line", 7) + _strokes(points, "h0", "series-1", 7)
    background += _line(corner + np.array([[0, -160], [0, 0], [370, 0]]), "line", 1.5)
    background += _line(corner + unit * [[0, 0], [best, best]], "ink", 1.5, DASHED)
    background += _text(410, corner[1] + 20, "asked for (stars)", "end")
    background += _text(30, corner[1] - 168, "achieved (stars); dashed: the exact minimizer")
    for wish, leaf, value, point in zip(asked, leaves, worth, points, strict=True):
        trip = tree.itinerary(int(leaf))
        stops = [CITY_NAMES.index(city) for city in trip]
        drawn = _line(places[stops], "series-1", 3) + _strokes([point], "h0", "series-2", 14)
        drawn += _line(places[[stops[-1], 0]], "series-1", 1.5, DASHED)
        drawn += "".join(_text(*(places[i] + [8, 5]), CITY_NAMES[i]) for i in dict.fromkeys(stops))
        words = f"Asked for {wish:.1f} stars. {', '.join(trip[1:])}: worth {value:.1f} stars."
        frames.append(Frame(words, drawn))
    dial = Dial("Return asked for", [f"{wish:.1f}" for wish in asked], start)
    return InteractiveFigure(alt, frames, (WIDTH, MAP_HEIGHT + 210), [dial], background)


def value_map(
    alt: str, dials: Sequence[Dial], values: np.ndarray, leads: np.ndarray, exact: np.ndarray
) -> InteractiveFigure:
    """A column for what each city is worth so far, and a line to where its best train goes.

    values, leads : (D, K, C) after each of K numbers of sweeps, for each of D discounts.
    exact : (D, C) what the cities are worth in truth, a tick for each."""
    places, unit, frames = _on_map() + [0, 60], 75 / exact.max(), []
    named = [CITY_NAMES.index(city) for city in ("Lisbon", "Paris", "Oslo", "Rome", "Warsaw")]
    names = "".join(_text(*(places[i] + [-8, 16]), CITY_NAMES[i]) for i in named)
    for found, goes, goal in zip(values, leads, exact, strict=True):
        ticks = _strokes(places, [f"m-5 {-unit * v:.0f}h10" for v in goal], "ink", 2)
        for worth, after in zip(found, goes, strict=True):
            tails = [f"L{x:.0f} {y:.0f}" for x, y in places[after]]
            drawn = _strokes(places, tails, "series-2", 2, FAINT)
            drawn += _strokes(places, [f"v{-unit * v:.0f}" for v in worth], "series-1", 7) + ticks
            top, right = int(worth.argmax()), int((after == goes[-1]).sum())
            words = f"{CITY_NAMES[top]} is worth most so far, {worth[top]:.2f} stars. The largest "
            words += f"error is {np.abs(goal - worth).max():.2f} stars. Of the {len(after)} lines, "
            frames.append(Frame(f"{words}{right} lead where the best choice leads.", drawn))
    return InteractiveFigure(alt, frames, (WIDTH, MAP_HEIGHT + 70), dials, names)


def itineraries(alt: str, tree: TravelTree) -> InteractiveFigure:
    """A tree to travel in, choice by choice; then backward induction, morning by morning."""
    days, width, solution = tree.horizon, tree.branching, tree.solve()
    values = np.append(solution.values[: tree.first_leaf], tree.level_enjoyment(days))
    ways = [way for day in range(days + 1) for way in tree.ways(day)]  # to each node
    city = [tree.itinerary(node)[-1] for node in range(tree.n_states)]
    places, names, numbers, frames = np.empty((tree.n_states, 2)), "", [], []
    for node, (way, value) in enumerate(zip(ways, values, strict=True)):
        day = len(way) - 1
        row = (node - tree.level(day).start + 0.5) * tree.n_leaves / width**day
        x, y = places[node] = 40 + 79 * day, 19 * row
        leaf = node >= tree.first_leaf
        names += _text(x + 6, y + 5, city[node]) if leaf else _text(x, y - 6, city[node], "middle")
        place = (WIDTH - 4, y + 5) if leaf else (x, y + 20)
        side = "end" if leaf else "middle"
        numbers.append(_text(*place, f"{value:.2f}", side, ' class="value kept"'))
    for node, way in enumerate(ways):
        drawn = _line(places[way], "series-1", 5, FAINT)
        words = ", ".join(city[stop] for stop in way)
        if node < tree.first_leaf:
            words += f". Nothing is paid yet; mornings left: {days + 1 - len(way)}."
            after = range(width * node + 1, width * (node + 1) + 1)
            moves = [(f"Train to {city[c]}" if city[c] != city[node] else "Stay", c) for c in after]
        else:
            drawn, words = drawn + numbers[node], f"{words}: worth {values[node]:.2f} stars."
            moves = [("Another trip", 0), ("Show the worth of all trips", tree.n_states)]
        frames.append(Frame(words, drawn, moves))
    for day in range(days, -1, -1):
        drawn, new = "".join(numbers[tree.level(day).start :]), values[tree.level(day)]
        for node in range(tree.level(day).start, tree.first_leaf):
            best = width * node + 1 + int(solution.policy[node])
            drawn += _line(places[[node, best]], "series-1", 5, FAINT)
        words = "Each new number is the largest of those it leads to" if day < days else "All trips"
        moves = [("One morning back", len(frames) + 1)] if day else [("Travel again", 0)]
        frames.append(Frame(f"{words}; the best is {max(new):.2f} stars.", drawn, moves))
    edges = "".join(_line(places[way[-2:]], "line", 1.5) for way in ways)
    return InteractiveFigure(alt, frames, (WIDTH, 19 * tree.n_leaves), (), edges + names)
