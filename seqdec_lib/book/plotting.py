"""One look for all figures: the tree, the map, and the optimum as a dashed line."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Sequence
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.patches import FancyArrowPatch
from matplotlib.text import Annotation
from numpy.typing import ArrayLike

from seqdec_lib.book.labels import Labels
from seqdec_lib.experience.evaluation import mean_interval
from seqdec_lib.experience.trajectories import Trajectories
from seqdec_lib.problems.racetrack import FINISH, ROAD, START, WALL, Racetrack
from seqdec_lib.problems.rail import CITIES, CITY_NAMES
from seqdec_lib.problems.travel_tree import TravelTree
from seqdec_lib.validation import whole_number

BLUE, ORANGE, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
HOMEWARD = (0, (3, 1.5))  # dashes
DOT = 12  # points, of a city on the map
YELLOW, SKY, GRAY = "#F0C808", "#56B4E9", "#8a8a8a"
GROUND = {WALL: "#b9b9b9", ROAD: "#f7f7f7", START: "#cfe6f7", FINISH: "#fbe3a6"}


def draw_optimum(ax: Axes, value: float, label: str = "optimum") -> None:
    """The optimum, as everywhere in the book: a dashed black line with its name."""
    ax.axhline(value, color="black", linestyle="--", linewidth=1.2, label=label)


def draw_curve(ax: Axes, x: np.ndarray, samples: np.ndarray, label: str, color: str) -> None:
    """The mean over independent runs, and its 95% interval as a band: samples (len(x), runs)."""
    estimates = [mean_interval(row) for row in samples]
    ax.plot(x, [e.mean for e in estimates], label=label, color=color)
    ax.fill_between(
        x, [e.low for e in estimates], [e.high for e in estimates], color=color, alpha=0.2, lw=0
    )


def draw_tree(
    ax: Axes,
    tree: TravelTree,
    depth: int,
    visited: Collection[int] = (),
    path: Collection[int] = (),
    numbers: bool = False,
) -> None:
    """Draw the first levels of a tree from left to right: white nodes, cities as labels.

    Parameters
    ----------
    depth : levels below the root, at most the tree's horizon.
    visited : nodes drawn in yellow, with the edges between them (what a dataset saw).
    path : nodes drawn in blue, with the edges between them (one trip).
    numbers : write each node's number into it, and on each edge its action.

    Raises
    ------
    ValueError
        A depth below 1 or above the horizon.
    """
    if whole_number("depth", depth, least=1) > tree.horizon:
        raise ValueError(
            f"depth must be at most {tree.horizon}, the tree's horizon, but {depth} came."
        )
    visited, path = set(visited), set(path)
    places = _places(tree.branching, depth)
    for node in range(1, len(places)):
        edge = {node, tree.parent(node)}
        color, width = ("#bdbdbd", 1.0)
        if edge <= visited:
            color, width = "#b8860b", 2.2
        if edge <= path:
            color, width = BLUE, 2.6
        ends = places[[tree.parent(node), node]]
        ax.plot(*ends.T, color=color, linewidth=width, zorder=1)
        if numbers:
            # halfway, or before the crowd at the last level
            spot = ends[0] + (0.5 if ends[1, 0] < depth else 0.72) * (ends[1] - ends[0])
            _on_line(ax, spot, str((node - 1) % tree.branching))
    size = 15 if numbers else 7
    for node, (x, y) in enumerate(places):
        color = BLUE if node in path else YELLOW if node in visited else "white"
        ax.plot(x, y, "o", markersize=size, color=color, markeredgecolor="black", zorder=2)
        if numbers:
            ink = "white" if node in path else "black"
            ax.text(x, y, node, ha="center", va="center_baseline", size=8, color=ink, zorder=3)
        beside = {"xytext": (size / 2 + 3, 0), "va": "center"}
        if x < depth:
            beside = {"xytext": (0, size / 2 + 3), "ha": "center"}
            if numbers:  # the edges fill the right side, and the one from the parent comes from y0
                below = node > 0 and y < places[tree.parent(node)][1]
                beside = {"xytext": (4, -size if below else size), "ha": "right", "va": "center"}
        _write(ax, tree.itinerary(node)[-1], (x, y), **beside)
    ax.set_xlim(-0.55 if numbers else -0.35, depth + 0.75)
    ax.set_axis_off()


def draw_backup(
    ax: Axes, values: Sequence[float], branching: int, path: Collection[int] = (), names: str = ""
) -> None:
    """Draw a tree in heap order with a value in each node, backed up from the leaves at the right.

    Parameters
    ----------
    values : of all nodes of a full tree: 1 + branching + branching ** 2 + ... of them.
    path : nodes drawn in blue, with the edges between them.
    names : of the actions, separated by blanks; they stand on the edges.

    Raises
    ------
    ValueError
        A number of values that no full tree has.
    """
    depth, nodes = 0, 1
    while nodes < len(values):
        depth, nodes = depth + 1, branching * nodes + 1
    if nodes != len(values):
        raise ValueError(
            f"values must be one for each node of a full tree, {nodes} for depth {depth}, but "
            f"{len(values)} came."
        )
    places = _places(branching, depth)
    for node in range(1, nodes):
        parent, action = divmod(node - 1, branching)
        color, width = (BLUE, 2.6) if {node, parent} <= set(path) else ("#bdbdbd", 1.2)
        ends = places[[parent, node]]
        ax.plot(*ends.T, color=color, linewidth=width, zorder=1)
        if names:
            _on_line(ax, ends.mean(axis=0), names.split()[action], size=9)
    for node, (x, y) in enumerate(places):
        color, ink = (BLUE, "white") if node in path else ("white", "black")
        ax.plot(x, y, "o", markersize=24, color=color, markeredgecolor="black", zorder=2)
        text = f"{values[node]:g}"
        ax.text(x, y, text, ha="center", va="center_baseline", size=10, color=ink, zorder=3)
    ax.margins(0.08, 0.2)
    ax.set_axis_off()


def _places(branching: int, depth: int) -> np.ndarray:
    """Where the nodes of a tree are drawn: levels side by side, the first child on top (N, 2)."""
    leaves = branching**depth
    return np.array(
        [
            (t, -(i + 0.5) * leaves / branching**t)
            for t in range(depth + 1)
            for i in range(branching**t)
        ]
    )


def _on_line(ax: Axes, place: ArrayLike, text: str, size: float = 8) -> None:
    box = {"facecolor": "white", "edgecolor": "none", "pad": 0.8}
    style = {"ha": "center", "va": "center_baseline", "size": size, "color": "#404040"}
    ax.text(*place, text, bbox=box, zorder=1.5, **style)


def draw_map(ax: Axes, tree: TravelTree, leaf: int) -> None:
    """A trip on the map: its stops in blue, numbered by the nights spent there, the way home in
    orange, and the stars of all cities in their dots.

    Every label is placed where it covers no dot, no line and no other label, if there is such a
    place.
    """
    stops = [CITY_NAMES.index(city) for city in tree.itinerary(leaf)]
    latitude, longitude = np.array(list(CITIES.values())).T
    places = np.stack([longitude, latitude], axis=1)
    for city, (place, stars) in enumerate(zip(places, tree.stars, strict=True)):
        color, ink = (BLUE, "white") if city in stops else (SKY, "black")
        shape, size, color = ("o", DOT, color) if city else ("s", DOT - 4, "black")
        ax.plot(*place, shape, markersize=size, color=color, markeredgewidth=0, zorder=2)
        text = stars if city else ""
        ax.text(*place, text, ha="center", va="center_baseline", size=8, color=ink, zorder=5)
    ax.set_aspect(1 / np.cos(np.radians(latitude.mean())))
    ax.set(xlim=(longitude.min() - 3, longitude.max() + 8), ylim=(37.2, 61.2))
    ax.set_xlabel("longitude (degrees east)")
    ax.set_ylabel("latitude (degrees north)")
    legs = [(a, b, BLUE, "-", 0.08) for a, b in pairwise(stops) if a != b]
    if stops[-1]:
        legs.append((stops[-1], 0, ORANGE, HOMEWARD, 0.35))
    labels = Labels(ax)
    for start, end, color, dashes, bend in legs:
        arrow = FancyArrowPatch(
            places[start],
            places[end],
            arrowstyle="-|>,head_length=5,head_width=2.5",
            connectionstyle=f"arc3,rad={-bend}",
            color=color,
            linewidth=1.8,
            linestyle=dashes,
            shrinkA=DOT / 2,
            shrinkB=DOT / 2,
            zorder=3,
        )
        ax.add_patch(arrow)
        labels.keep_off_arc(places[start], places[end], -bend)
    labels.keep_off_dots(places, np.full(len(places), DOT**2))
    for city in sorted(range(len(CITIES)), key=lambda city: city not in stops):
        nights = ", ".join(str(n) for n, stop in enumerate(stops) if stop == city and n)
        text = f"{nights}. " * bool(nights) + CITY_NAMES[city] + " (home)" * (city == 0)
        labels.add(text, *places[city], DOT / 2 + 2, BLUE if city in stops else "#404040")
    labels.place()
    ways = [("the way out, night by night", BLUE, "-"), ("the way home", ORANGE, HOMEWARD)]
    for name, color, dashes in ways:
        ax.plot([], [], color=color, linestyle=dashes, label=name)
    ax.plot([], [], "o", color=SKY, markersize=DOT, label="a city with its stars")
    ax.legend(loc="lower right", fontsize=9, borderaxespad=0)  # in the sea


def _write(ax: Axes, text: str, place: tuple[float, float], **style: object) -> None:
    box = {"facecolor": "white", "edgecolor": "none", "pad": 0.3, "alpha": 0.75}
    ax.annotate(text, place, textcoords="offset points", fontsize=9, bbox=box, zorder=4, **style)


def draw_track(
    ax: Axes, track: Racetrack, laps: Trajectories | None = None, color: str = BLUE
) -> None:
    """A racetrack from above, and laps on it: a dot where each step ended, a cross at a crash.

    A cross stands where the car was last seen; it goes on from the start line.
    """
    ground = np.zeros((*track.drawing.shape, 3))
    for kind, shade in GROUND.items():
        ground[track.drawing == kind] = to_rgb(shade)
    ax.imshow(ground, interpolation="nearest")
    for kind, name in ((START, "start"), (FINISH, "finish")):
        rows, columns = np.nonzero(track.drawing == kind)
        middle = rows.mean(), columns.mean()
        along = "vertical" if np.ptp(rows) else "horizontal"
        box = {"facecolor": GROUND[kind], "edgecolor": "none", "pad": 1.5}
        ax.text(
            *middle[::-1],
            name,
            ha="center",
            va="center",
            fontsize=9,
            rotation=along,
            bbox=box,
            zorder=4,
        )
    for i in range(0 if laps is None else len(laps)):
        states = laps.states[i, : laps.lengths[i] + 1]
        anew = np.flatnonzero(track.crashed[states])
        row, column, _, _ = track.unpack(states)
        strength = max(0.15, 1 / np.sqrt(len(laps)))
        for part in np.split(np.arange(len(states)), anew):
            ax.plot(column[part], row[part], "o-", color=color, alpha=strength, markersize=3)
        ax.plot(column[anew - 1], row[anew - 1], "x", color="black", markersize=7, zorder=3)
    ax.set_axis_off()


def draw_attention(ax: Axes, weights: ArrayLike, keys: str, queries: str) -> None:
    """Who looks at whom: weights (K, S), a query a row, a key a column, white is 0.

    `keys` and `queries` say what stands along the two axes.
    """
    weights = np.asarray(weights, dtype=float)
    image = ax.imshow(weights, cmap="Blues", vmin=0, vmax=1, aspect="auto", interpolation="nearest")
    ax.figure.colorbar(image, ax=ax, label="attention weight (share)")
    ax.set(xlabel=keys, ylabel=queries)
    ax.grid(visible=False)


def new_figure(width: float = 5.2, height: float = 3.5) -> Axes:
    """One empty panel, `width` x `height` inches."""
    return plt.subplots(figsize=(width, height))[1]


def draw_simplex(ax: Axes, choices: np.ndarray, names: Collection[str]) -> None:
    """Relaxed choices (N, 3) as dots in a triangle, in the color of the largest share."""
    corners = np.array([[0.5, 0.866], [0.0, 0.0], [1.0, 0.0]])
    ax.plot(*corners[[0, 1, 2, 0]].T, color=GRAY, linewidth=1)
    x, y = choices @ corners[:, 0], choices @ corners[:, 1]
    colors = np.array([BLUE, ORANGE, GREEN])[choices.argmax(axis=1)]
    ax.scatter(x, y, s=9, c=colors, alpha=0.6, linewidth=0, zorder=2)
    for name, (x, y) in zip(names, corners, strict=True):
        ax.text(x, y + (0.05 if y else -0.13), name, ha="center", fontsize=9)
    ax.set_aspect("equal")
    ax.set_axis_off()


def draw_decisions(
    ax: Axes, questions: Sequence[tuple[str, str]], otherwise: str, wrap: int = 19
) -> None:
    """A flow chart: each question leads to its answer if yes, and down to the next one if no.

    Parameters
    ----------
    questions : pairs of a question, wrapped at `wrap` characters, and an answer with its own lines.
    otherwise : where the last no leads to.

    Raises
    ------
    ValueError
        No question.
    """
    if not questions:
        raise ValueError("a flow chart needs at least one question, but none came.")
    asks = {"boxstyle": "round,pad=0.5", "facecolor": "#e8f1f8", "edgecolor": BLUE}
    says = {"boxstyle": "square,pad=0.5", "facecolor": "white", "edgecolor": GRAY}
    arrow = {"arrowstyle": "-|>", "color": "black", "shrinkA": 5, "shrinkB": 5}
    for i, (question, answer) in enumerate(questions):
        asked = _boxed(ax, (0.2, -i), textwrap.fill(question, wrap), asks)
        said = _boxed(ax, (0.46, -i), answer, says, ha="left")
        below = (0.2, -i - 0.71)
        ax.annotate("", (0, 0.5), (1, 0.5), xycoords=said, textcoords=asked, arrowprops=arrow)
        ax.annotate("", below, (0.5, 0), xycoords="data", textcoords=asked, arrowprops=arrow)
        ax.text(0.405, -i + 0.08, "yes", fontsize=9, ha="center")
        ax.text(0.22, -i - 0.52, "no", fontsize=9, va="center")
    _boxed(ax, (0.2, -len(questions)), otherwise, says)
    ax.set(xlim=(0, 1), ylim=(-len(questions) - 0.5, 0.5))
    ax.set_axis_off()


def _boxed(
    ax: Axes, place: tuple[float, float], text: str, box: dict[str, str], ha: str = "center"
) -> Annotation:
    return ax.annotate(text, place, ha=ha, va="center", fontsize=9, bbox=box)
