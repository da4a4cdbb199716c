"""One look for all figures: the tree, the map, and the optimum as a dashed line."""

from collections.abc import Collection
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch
from numpy.typing import ArrayLike

from seqdec_lib.experience.evaluation import mean_interval
from seqdec_lib.problems.rail import CITIES, CITY_NAMES
from seqdec_lib.problems.travel_tree import TravelTree
from seqdec_lib.validation import whole_number

BLUE, ORANGE, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
# Where a city's label stands: points right, points up, alignment. On the maps of the book no label
# covers anything; a test holds them to it.
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


def draw_optimum(ax: Axes, value: float, label: str = "optimum") -> None:
    """The optimum, as everywhere in the book: a dashed black line with its name."""
    ax.axhline(value, color="black", linestyle="--", linewidth=1.2, label=label)


def draw_curve(ax: Axes, x: np.ndarray, samples: np.ndarray, label: str, color: str) -> None:
    """The mean over independent runs, and its 95% interval as a band: samples (len(x), runs)."""
    mean, low, high = np.array([(e.mean, e.low, e.high) for e in map(mean_interval, samples)]).T
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
    place = {}  # node -> (x, y): levels side by side, the first child on top
    for t in range(depth + 1):
        for i, node in enumerate(range(tree.n_states)[tree.level(t)]):
            place[node] = np.array([t, -(i + 0.5) * tree.branching ** (depth - t)])
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
        box = {"facecolor": "white", "edgecolor": "none", "pad": 0.3, "alpha": 0.75}
        beside |= {"textcoords": "offset points", "fontsize": 9, "bbox": box, "zorder": 4}
        ax.annotate(tree.itinerary(node)[-1], end, **beside)
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
    places = np.array(list(CITIES.values()))[:, ::-1]  # longitude and latitude
    for city, (name, stars) in enumerate(zip(CITY_NAMES, tree.stars, strict=True)):
        color, ink = (BLUE, "white") if city in stops else (SKY, "black")
        shape, size, color = ("o", 12, color) if city else ("s", 8, "black")
        ax.plot(*places[city], shape, markersize=size, color=color, markeredgewidth=0, zorder=4)
        middle = {"ha": "center", "va": "center_baseline", "size": 8, "color": ink, "zorder": 5}
        ax.text(*places[city], stars if city else "", **middle)
        nights = ", ".join(str(n) for n, stop in enumerate(stops) if stop == city and n)
        text = f"{nights}. {name}" if nights else name + " (home)" * (city == 0)
        *offset, side = LABEL_PLACES.get(name, (8, 0, "left"))
        style = {"ha": side, "va": "center", "fontsize": 9, "zorder": 4}
        style["color"] = BLUE if city in stops else "#404040"
        ax.annotate(text, places[city], offset, textcoords="offset points", **style)
    legs = [(a, b, BLUE, "-", 0.08) for a, b in pairwise(stops) if a != b]
    legs += [(stops[-1], 0, ORANGE, (0, (3, 1.5)), 0.35)] * (stops[-1] != 0)
    for start, end, color, dashes, bend in legs:
        shape = {"arrowstyle": "-|>,head_length=5,head_width=2.5", "shrinkA": 6, "shrinkB": 6}
        shape |= {"connectionstyle": f"arc3,rad={-bend}", "color": color, "linestyle": dashes}
        ax.add_patch(FancyArrowPatch(places[start], places[end], linewidth=1.8, zorder=3, **shape))
    ax.plot([], [], color=BLUE, label="the way out, night by night")
    ax.plot([], [], color=ORANGE, linestyle="--", label="the way home")
    ax.plot([], [], "o", color=SKY, markersize=12, label="a city with its stars")
    ax.legend(loc="lower right", fontsize=9, borderaxespad=0, handlelength=1.4)  # in the sea
    ax.set(xlim=(-12.1, 29), ylim=(37.2, 61.2), aspect=1.5)
    ax.set(xlabel="longitude (degrees east)", ylabel="latitude (degrees north)")


def draw_attention(ax: Axes, weights: ArrayLike, keys: str, queries: str) -> None:
    """Who looks at whom: weights (K, S), a query a row, a key a column, named along the axes."""
    weights = np.asarray(weights, dtype=float)
    image = ax.imshow(weights, cmap="Blues", vmin=0, vmax=1, aspect="auto", interpolation="nearest")
    ax.figure.colorbar(image, ax=ax, label="attention weight (share)")
    ax.set(xlabel=keys, ylabel=queries)
    ax.grid(visible=False)


def new_figure(width: float = 5.2, height: float = 3.5) -> Axes:
    """One empty panel, `width` x `height` inches."""
    return plt.subplots(figsize=(width, height))[1]
