"""Backup diagrams as in Sutton and Barto, and policies as arrows between cities."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from seqdec_lib.book.plotting import BLUE, GRAY, ORANGE, SKY
from seqdec_lib.problems.rail import CITIES, CITY_NAMES

# Where a city's name stands on a small map: points right, points up, alignment.
_BESIDE = (5, 0, "left")
_LEFT = ["Amsterdam", "Bordeaux", "Lyon", "Munich", "Paris", "Prague", "Zurich"]
_PLACES = dict.fromkeys(_LEFT, (-6, 0, "right")) | {
    "Madrid": (-5, 5, "right"),
    "Barcelona": (4, -7, "left"),
    "Marseille": (4, -7, "left"),
    "Milan": (-5, -5, "right"),
    "Oslo": (0, 9, "center"),
    "Vienna": (0, 9, "center"),
    "Florence": (6, -5, "left"),
    "Krakow": (6, -4, "left"),
}

Node = tuple[str, Sequence[tuple[str, Any]] | None]
"""A label, and what follows: pairs of a label for the edge and a node; None at an end."""


def draw_backup(ax: Axes, root: Node, notes: Sequence[str] = (), title: str = "") -> None:
    """A backup diagram: states are circles, actions are dots, and ends are squares.

    Parameters
    ----------
    root : the state at the top; below a state stand actions, below an action states or ends.
    notes : what is done between one level and the next, written at the right.
    """
    drawn = list(_placed(root, 0.0, 0))
    deepest = max(depth for *_, depth in drawn)
    for _, _, parent, edge, (x, depth) in (row[:4] + (row[4:],) for row in drawn):
        if parent is None:
            continue
        ax.plot([parent[0], x], [-parent[1], -depth], color=GRAY, linewidth=1.3, zorder=1)
        share = 0.62 if depth % 2 else 0.5
        at = parent[0] + share * (x - parent[0]), -parent[1] - share * (depth - parent[1])
        if edge:
            box = {"facecolor": "white", "edgecolor": "none", "pad": 0.8}
            ax.text(*at, edge, fontsize=8, color=BLUE, ha="center", va="center", bbox=box)
    for label, after, _, _, x, depth in drawn:
        if depth % 2 and after is not None:
            ax.plot(x, -depth, "o", color="black", markersize=6, zorder=2)
            ax.annotate(
                label, (x, -depth), (7, 0), textcoords="offset points", va="center", fontsize=9
            )
            continue
        shape = "square,pad=0.25" if after is None else "circle,pad=0.3"
        box = {"boxstyle": shape, "facecolor": "white", "edgecolor": "black"}
        ax.text(x, -depth, label, ha="center", va="center", fontsize=9, bbox=box, zorder=2)
    right = max(x for *_, x, _ in drawn)
    for depth, note in enumerate(notes):
        ax.text(right + 0.25, -depth - 0.5, note, fontsize=9, color=ORANGE, va="center")
    ax.set(xlim=(-0.6, right + (2.3 if notes else 0.6)), ylim=(-deepest - 0.4, 0.4))
    ax.set_title(title)
    ax.set_axis_off()


def _placed(node: Node, left: float, depth: int, parent=None, edge: str = "") -> Iterator[tuple]:
    """Each node with its place: (label, what follows, parent's place, edge, x, depth)."""
    label, after = node
    x = left + (_breadth(node) - 1) / 2
    yield label, after, parent, edge, x, depth
    for name, child in after or ():
        yield from _placed(child, left, depth + 1, (x, depth), name)
        left += _breadth(child)


def _breadth(node: Node) -> int:
    """How many nodes at the bottom hang below a node."""
    return sum(_breadth(child) for _, child in node[1] or ()) or 1


def draw_next_cities(
    ax: Axes, next_city: np.ndarray, destinations: Collection[Collection[int]] = ()
) -> None:
    """A policy on the map: an arrow from each city to the next, destinations in orange.

    Parameters
    ----------
    next_city : (24,) int; a city that leads to itself is one to stay in.
    destinations : groups of cities that are never left again.
    """
    latitude, longitude = np.array(list(CITIES.values())).T
    places = np.stack([longitude, latitude], axis=1)
    final = {city for group in destinations for city in group}
    colors = [ORANGE if city in final else SKY for city in range(len(places))]
    ax.scatter(*places.T, s=40, c=colors, edgecolor="white", zorder=3)
    for city, after in enumerate(next_city):
        if city == after:
            ax.plot(*places[city], "o", color=ORANGE, markersize=12, mfc="none", zorder=2)
            continue
        loop = next_city[after] == city
        arrow = {
            "arrowstyle": "-|>",
            "color": ORANGE if city in final else BLUE,
            "linewidth": 1.5,
            "shrinkA": 4,
            "shrinkB": 4,
            "connectionstyle": "arc3,rad=0.25" if loop else "arc3",
        }
        ax.annotate("", places[after], places[city], arrowprops=arrow, zorder=2)
    for name, place, city in zip(CITY_NAMES, places, range(len(places)), strict=True):
        right, up, side = _PLACES.get(name, _BESIDE)
        color = ORANGE if city in final else "#404040"
        ax.annotate(
            name, place, (right, up), textcoords="offset points", fontsize=8, ha=side, va="center",
            color=color, zorder=4,
        )  # fmt: skip
    ax.set_aspect(1 / np.cos(np.radians(latitude.mean())))
    ax.set_xlim(longitude.min() - 4, longitude.max() + 4)
    ax.set_axis_off()
