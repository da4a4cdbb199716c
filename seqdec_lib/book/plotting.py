"""One look for all figures: the tree, the map, and the optimum as a dashed line."""

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

from seqdec_lib.experience.evaluation import mean_interval
from seqdec_lib.experience.trajectories import Trajectories
from seqdec_lib.problems.racetrack import FINISH, ROAD, START, WALL, Racetrack
from seqdec_lib.problems.rail import CITIES, CITY_NAMES
from seqdec_lib.problems.travel_tree import TravelTree
from seqdec_lib.validation import whole_number

BLUE, ORANGE, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
DOT = 12  # points, of a city on the map
HOMEWARD = (0, (3, 1.5))  # dashes
# Where a city's label stands: points right, points up, alignment. On the maps of the book no label
# covers anything; a test holds them to it.
BESIDE = (8, 0, "left")
LABEL_PLACES = {
    "Amsterdam": (0, 12, "center"),
    "Barcelona": (6, -10, "left"),
    "Bordeaux": (-8, 0, "right"),
    "Lyon": (-8, 0, "right"),
    "Marseille": (5, -7, "left"),
    "Milan": (0, -12, "center"),
    "Munich": (5, 11, "right"),
    "Paris": (11, 3, "left"),
    "Prague": (-6, 10, "right"),
    "Vienna": (7, -13, "right"),
    "Zurich": (-6, 10, "right"),
}
YELLOW, SKY, GRAY = "#F0C808", "#56B4E9", "#8a8a8a"
GROUND = {WALL: "#b9b9b9", ROAD: "#f7f7f7", START: "#cfe6f7", FINISH: "#fbe3a6"}


def draw_optimum(ax: Axes, value: float, label: str = "optimum") -> None:
    """The optimum, as everywhere in the book: a dashed black line with its name."""
    ax.axhline(value, color="black", linestyle="--", linewidth=1.2, label=label)


def draw_curve(ax: Axes, x: np.ndarray, samples: np.ndarray, label: str, color: str) -> None:
    """The mean over independent runs, and its 95% interval as a band: samples (len(x), runs)."""
    estimates = [mean_interval(row) for row in samples]
    mean, low, high = np.array([(e.mean, e.low, e.high) for e in estimates]).T
    ax.plot(x, mean, label=label, color=color)
    ax.fill_between(x, low, high, color=color, alpha=0.2, lw=0)


def draw_tree(
    ax: Axes,
    tree: TravelTree,
    depth: int,
    visited: Collection[int] = (),
    path: Collection[int] = (),
    numbers: bool = False,
) -> None:
    """Draw the first levels of a tree from left to right: white nodes, cities as labels.

    depth : levels below the root, at most the tree's horizon.
    visited : nodes drawn in yellow, with the edges between them (what a dataset saw).
    path : nodes drawn in blue, with the edges between them (one trip).
    numbers : write each node's number into it, and on each edge its action.
    Raises ValueError: a depth below 1 or above the horizon."""
    if whole_number("depth", depth, least=1) > tree.horizon:
        raise ValueError(
            f"depth must be at most {tree.horizon}, the tree's horizon, but {depth} came."
        )
    visited, path, size = set(visited), set(path), 15 if numbers else 7
    leaves = tree.branching**depth
    place = {}  # node -> (x, y): levels side by side, the first child on top
    for t in range(depth + 1):
        level = range(tree.n_states)[tree.level(t)]
        for i, node in enumerate(level):
            place[node] = np.array([t, -(i + 0.5) * leaves / len(level)])
    for node, end in place.items():
        color = BLUE if node in path else YELLOW if node in visited else "white"
        ax.plot(*end, "o", markersize=size, color=color, markeredgecolor="black", zorder=2)
        parent = tree.parent(node) if node else node
        start, beside = place[parent], {"xytext": (0, size / 2 + 3), "ha": "center"}
        if end[0] == depth:
            beside = {"xytext": (size / 2 + 3, 0), "va": "center"}
        elif numbers:  # the edges fill the right side, and the one from the parent comes from there
            up = -size if end[1] < start[1] else size
            beside = {"xytext": (4, up), "ha": "right", "va": "center"}
        _write(ax, tree.itinerary(node)[-1], end, **beside)
        if numbers:
            ink = "white" if node in path else "black"
            ax.text(*end, node, ha="center", va="center_baseline", size=8, color=ink, zorder=3)
        if node:
            color, width = "#bdbdbd", 1.0
            if {node, parent} <= visited | path:
                color, width = (BLUE, 2.6) if {node, parent} <= path else ("#b8860b", 2.2)
            ax.plot(*zip(start, end, strict=True), color=color, linewidth=width, zorder=1)
        if node and numbers:  # halfway, or before the crowd at the last level
            spot = start + (0.72 if end[0] == depth else 0.5) * (end - start)
            on_line(ax, spot, str((node - 1) % tree.branching))
    ax.set_xlim(-0.55 if numbers else -0.35, depth + 0.75)
    ax.set_axis_off()


def on_line(ax: Axes, place: ArrayLike, text: str, size: float = 8) -> None:
    """A word on a line, which it interrupts: an action on its edge."""
    box = {"facecolor": "white", "edgecolor": "none", "pad": 0.8}
    style = {"ha": "center", "va": "center_baseline", "size": size, "color": "#404040"}
    ax.text(*place, text, bbox=box, zorder=1.5, **style)


def draw_map(ax: Axes, tree: TravelTree, leaf: int) -> None:
    """A trip on the map: its stops in blue, numbered by the nights spent there, the way home in
    orange, and the stars of all cities in their dots."""
    stops = [CITY_NAMES.index(city) for city in tree.itinerary(leaf)]
    latitude, longitude = np.array(list(CITIES.values())).T
    places = np.stack([longitude, latitude], axis=1)
    for city, (name, stars) in enumerate(zip(CITY_NAMES, tree.stars, strict=True)):
        color, ink = (BLUE, "white") if city in stops else (SKY, "black")
        shape, size, color = ("o", DOT, color) if city else ("s", DOT - 4, "black")
        ax.plot(*places[city], shape, markersize=size, color=color, markeredgewidth=0, zorder=4)
        middle = {"ha": "center", "va": "center_baseline", "size": 8, "color": ink, "zorder": 5}
        ax.text(*places[city], stars if city else "", **middle)
        nights = ", ".join(str(n) for n, stop in enumerate(stops) if stop == city and n)
        text = f"{nights}. " * bool(nights) + name + " (home)" * (city == 0)
        *offset, side = LABEL_PLACES.get(name, BESIDE)
        style = {"ha": side, "va": "center", "fontsize": 9, "zorder": 4}
        style["color"] = BLUE if city in stops else "#404040"
        ax.annotate(text, places[city], offset, textcoords="offset points", **style)
    legs = [(a, b, BLUE, "-", 0.08) for a, b in pairwise(stops) if a != b]
    legs += [(stops[-1], 0, ORANGE, HOMEWARD, 0.35)] * (stops[-1] != 0)
    for start, end, color, dashes, bend in legs:
        shape = {"arrowstyle": "-|>,head_length=5,head_width=2.5", "shrinkA": 6, "shrinkB": 6}
        shape |= {"connectionstyle": f"arc3,rad={-bend}", "color": color, "linestyle": dashes}
        ax.add_patch(FancyArrowPatch(places[start], places[end], linewidth=1.8, zorder=3, **shape))
    ways = [("the way out, night by night", BLUE, "-"), ("the way home", ORANGE, HOMEWARD)]
    for name, color, dashes in ways:
        ax.plot([], [], color=color, linestyle=dashes, label=name)
    ax.plot([], [], "o", color=SKY, markersize=DOT, label="a city with its stars")
    ax.legend(loc="lower right", fontsize=9, borderaxespad=0)  # in the sea
    ax.set_aspect(1 / np.cos(np.radians(latitude.mean())))
    ax.set(xlim=(longitude.min() - 3, longitude.max() + 8), ylim=(37.2, 61.2))
    ax.set(xlabel="longitude (degrees east)", ylabel="latitude (degrees north)")


def _write(ax: Axes, text: str, place: tuple[float, float], **style: object) -> None:
    box = {"facecolor": "white", "edgecolor": "none", "pad": 0.3, "alpha": 0.75}
    ax.annotate(text, place, textcoords="offset points", fontsize=9, bbox=box, zorder=4, **style)


def draw_track(
    ax: Axes, track: Racetrack, laps: Trajectories | None = None, color: str = BLUE
) -> None:
    """A racetrack from above, and laps on it: a dot where each step ended, a cross at a crash.

    A cross stands where the car was last seen; it goes on from the start line."""
    ground = np.zeros((*track.drawing.shape, 3))
    for kind, shade in GROUND.items():
        ground[track.drawing == kind] = to_rgb(shade)
    ax.imshow(ground, interpolation="nearest")
    for kind, name in ((START, "start"), (FINISH, "finish")):
        rows, columns = np.nonzero(track.drawing == kind)
        middle = rows.mean(), columns.mean()
        along = "vertical" if np.ptp(rows) else "horizontal"
        style = {"ha": "center", "va": "center", "fontsize": 9, "rotation": along, "zorder": 4}
        box = {"facecolor": GROUND[kind], "edgecolor": "none", "pad": 1.5}
        ax.text(*middle[::-1], name, bbox=box, **style)
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

    `keys` and `queries` say what stands along the two axes."""
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

    questions : pairs of a question, wrapped at `wrap` characters, and an answer with its own lines.
    otherwise : where the last no leads to.
    Raises ValueError: no question."""
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
