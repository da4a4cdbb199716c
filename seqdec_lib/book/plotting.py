"""One look for all figures: the tree, the map, and the optimum as a dashed line."""

import textwrap
from collections.abc import Collection, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.text import Annotation
from numpy.typing import ArrayLike

from seqdec_lib.experience.evaluation import mean_interval
from seqdec_lib.experience.trajectories import Trajectories
from seqdec_lib.problems.racetrack import FINISH, ROAD, START, WALL, Racetrack
from seqdec_lib.problems.rail import CITIES, CITY_NAMES
from seqdec_lib.problems.travel_tree import TravelTree
from seqdec_lib.validation import whole_number

BLUE, ORANGE, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
BESIDE = (7, 0, "left")  # where a city's label stands: points right, points up, alignment
LABEL_PLACES = dict.fromkeys(
    ["Amsterdam", "Bordeaux", "Lyon", "Paris", "Prague", "Zurich"], (-7, 0, "right")
)
LABEL_PLACES |= {
    "Barcelona": (7, -7, "left"),
    "Marseille": (7, -8, "left"),
    "Milan": (0, -12, "center"),
    "Munich": (0, 11, "center"),
    "Vienna": (-4, -11, "right"),
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
) -> None:
    """Draw the first levels of a tree from left to right: white nodes, cities as labels.

    depth : levels below the root, at most the tree's horizon.
    visited : nodes drawn in yellow, with the edges between them (what a dataset saw).
    path : nodes drawn in blue, with the edges between them (one trip).
    Raises ValueError: a depth below 1 or above the horizon."""
    if whole_number("depth", depth, least=1) > tree.horizon:
        raise ValueError(
            f"depth must be at most {tree.horizon}, the tree's horizon, but {depth} came."
        )
    visited, path = set(visited), set(path)
    leaves = tree.branching**depth
    place = {}  # node -> (x, y): levels side by side, the first child on top
    for t in range(depth + 1):
        level = range(tree.n_states)[tree.level(t)]
        for i, node in enumerate(level):
            place[node] = t, -(i + 0.5) * leaves / len(level)
    for node in list(place)[1:]:
        edge = {node, tree.parent(node)}
        color, width = ("#bdbdbd", 1.0)
        if edge <= visited:
            color, width = "#b8860b", 2.2
        if edge <= path:
            color, width = BLUE, 2.6
        (x0, y0), (x1, y1) = place[tree.parent(node)], place[node]
        ax.plot([x0, x1], [y0, y1], color=color, linewidth=width, zorder=1)
    for node, (x, y) in place.items():
        color = BLUE if node in path else YELLOW if node in visited else "white"
        ax.plot(x, y, "o", markersize=7, color=color, markeredgecolor="black", zorder=2)
        above, right = {"xytext": (0, 7), "ha": "center"}, {"xytext": (7, 0), "va": "center"}
        _write(ax, tree.itinerary(node)[-1], (x, y), **(right if x == depth else above))
    ax.set_xlim(-0.35, depth + 0.75)
    ax.set_axis_off()


def draw_map(ax: Axes, tree: TravelTree, leaf: int) -> None:
    """A trip on the map: dots as large as a city's stars, days below, the way home dotted."""
    latitude, longitude = np.array(list(CITIES.values())).T
    ax.scatter(longitude, latitude, s=6 + 9 * tree.stars, color=SKY, edgecolor="white", zorder=2)
    stops = [CITY_NAMES.index(city) for city in tree.itinerary(leaf)]
    for city, place in enumerate(zip(longitude, latitude, strict=True)):
        days = ", ".join(str(day) for day, stop in enumerate(stops) if stop == city and day)
        text = CITY_NAMES[city] + (f" {tree.stars[city]}★" if tree.stars[city] else "")
        text += f"\nday {days}" if days else ""
        color = BLUE if city in stops else "#404040"
        right, up, ha = LABEL_PLACES.get(CITY_NAMES[city], BESIDE)
        _write(ax, text, place, xytext=(right, up), ha=ha, va="center", color=color)
    arrow = {"arrowstyle": "-|>", "color": BLUE, "linewidth": 2, "shrinkA": 2, "shrinkB": 3}
    for start, end in zip(stops, stops[1:], strict=False):
        if start != end:
            ends = [(longitude[city], latitude[city]) for city in (end, start)]
            ax.annotate("", *ends, arrowprops=arrow, zorder=3)
    home = [stops[-1], 0]
    ax.plot(longitude[home], latitude[home], ":", color=BLUE, linewidth=1.5, zorder=1)
    ax.set_aspect(1 / np.cos(np.radians(latitude.mean())))
    ax.set_xlim(longitude.min() - 2, longitude.max() + 7)
    ax.set_xlabel("longitude (degrees east)")
    ax.set_ylabel("latitude (degrees north)")


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
