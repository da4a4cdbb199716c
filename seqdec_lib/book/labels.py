"""Labels that find a place of their own: beside their dot, and on nothing else of the figure."""

from __future__ import annotations

from itertools import product

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke
from matplotlib.text import Annotation
from numpy.typing import ArrayLike

GAP = 1.5  # points between a label and whatever else there is
# By preference: right, left, above, below, then the corners and what lies between.
SIDES = np.array(
    [(1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1)]
    + [(1, 0.5), (1, -0.5), (-1, 0.5), (-1, -0.5), (0.5, 1), (-0.5, 1), (0.5, -1), (-0.5, -1)]
)
FURTHER = (0.0, 3.0, 6.0, 10.0, 15.0, 21.0)  # points
# What it costs to stand further away, or on a less preferred side; to cover something; and to
# stand as near to another label's dot as to one's own.
PREFERENCE = np.array([(far / 8) ** 2 + i / 100 for far in FURTHER for i in range(len(SIDES))])
COVERS = 100.0
MISLEADS = 3
STARTS = 40


class Labels:
    """The labels of one panel. Limits, aspect and axis labels have to be set before.

    First say where no label may lie (`keep_off_dots`, `keep_off_arc`), then `add` labels, the
    important ones first, then `place` them all. Places are in the units of the data.
    """

    def __init__(self, ax: Axes) -> None:
        self.ax = ax
        ax.figure.draw_without_rendering()  # settles the layout, so that data become points
        self._points_of_pixel = 72 / ax.figure.dpi
        self._dots: list[np.ndarray] = []  # each (N, 2) in points, as the arcs
        self._arcs: list[np.ndarray] = []
        self._texts: list[Annotation] = []
        self._anchors: list[np.ndarray] = []
        self._away: list[float] = []

    def _to_points(self, places: ArrayLike) -> np.ndarray:
        return self.ax.transData.transform(places) * self._points_of_pixel

    def keep_off_dots(self, places: ArrayLike, areas: ArrayLike) -> None:
        """Dots at places (N, 2) with areas (N,) in points squared, as `scatter` takes them."""
        angles = np.linspace(0, 2 * np.pi, 16, endpoint=False)
        circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
        radii = np.sqrt(np.asarray(areas, dtype=float)) / 2
        rims = self._to_points(places)[:, None] + radii[:, None, None] * circle
        self._dots += [rims.reshape(-1, 2), self._to_points(places)]

    def keep_off_arc(self, start: ArrayLike, end: ArrayLike, bend: float) -> None:
        """An arrow with connectionstyle `arc3,rad=bend`."""
        self._arcs.append(self._to_points(self.arc(start, end, bend)))

    def arc(self, start: ArrayLike, end: ArrayLike, bend: float) -> np.ndarray:
        """Fifty-one places (51, 2) along such an arrow, the middle at 25."""
        a, b = self.ax.transData.transform([start, end])
        middle = (a + b) / 2 + bend * np.array([1, -1]) * (b - a)[::-1]
        t = np.linspace(0, 1, 51)[:, None]
        curve = (1 - t) ** 2 * a + 2 * t * (1 - t) * middle + t**2 * b
        return self.ax.transData.inverted().transform(curve)

    def add(self, text: str, x: float, y: float, away: float, color: str) -> None:
        """A label for the place (x, y), at least `away` points from it."""
        label = self.ax.annotate(
            text,
            (x, y),
            xytext=(0, 0),
            textcoords="offset points",
            ha="center",
            va="center",
            fontsize=9,
            color=color,
            zorder=4,
            path_effects=[withStroke(linewidth=2, foreground="white")],
        )
        label.set_in_layout(False)  # it must not move what it was fitted to
        self._texts.append(label)
        self._anchors.append(self._to_points((x, y)))
        self._away.append(away)

    def place(self) -> None:
        """Move each label to the best place that is left to it by the others.

        From several random starts each label in turn takes its best place, until none wants to
        move; the best of these ends is drawn.
        """
        obstacles = np.concatenate(self._dots + self._arcs)
        boxes = np.array([self._candidates(i) for i in range(len(self._texts))])  # (L, C, 2, 2)
        alone = np.array([self._covered(candidates, obstacles) for candidates in boxes])
        alone = COVERS * alone + MISLEADS * self._misleading(boxes)
        alone += PREFERENCE  # (L, C)
        crowded = COVERS * _overlap(boxes)  # (L, C, L, C)
        rng = np.random.default_rng(0)
        ends = [_settle(alone, crowded, rng) for _ in range(STARTS)]
        _, chosen = min(ends, key=lambda end: end[0])
        for i, text in enumerate(self._texts):
            text.set_position(boxes[i, chosen[i]].mean(axis=0) - self._anchors[i])

    def _candidates(self, i: int) -> np.ndarray:
        """Boxes (C, 2, 2) around the anchor: lower left and upper right corner, in points."""
        extent = self._texts[i].get_window_extent()
        size = np.array([extent.width, extent.height]) * self._points_of_pixel
        boxes = []
        for further, side in product(FURTHER, SIDES):
            away = (self._away[i] + further) * side / np.hypot(*side)
            center = self._anchors[i] + away + side * size / 2
            boxes.append((center - size / 2, center + size / 2))
        return np.array(boxes)

    def _covered(self, boxes: np.ndarray, obstacles: np.ndarray) -> np.ndarray:
        """How many obstacles each box covers (C,); what leaves the panel counts as many."""
        within = (obstacles > boxes[:, :1] - GAP) & (obstacles < boxes[:, 1:] + GAP)
        panel = self.ax.bbox.get_points() * self._points_of_pixel
        outside = (boxes[:, 0] < panel[0]).any(axis=1) | (boxes[:, 1] > panel[1]).any(axis=1)
        return within.all(axis=2).sum(axis=1) + 100 * outside

    def _misleading(self, boxes: np.ndarray) -> np.ndarray:
        """Whether each candidate (L, C, 2, 2) is hardly nearer to its own dot than to another's, or
        cut off from it by a line: (L, C).
        """
        anchors, own = np.array(self._anchors), np.arange(len(boxes))
        nearest = np.clip(anchors, boxes[:, :, None, 0], boxes[:, :, None, 1])  # (L, C, L, 2)
        distances = np.linalg.norm(nearest - anchors, axis=-1)
        to_own, nearest = distances[own, :, own], nearest[own, :, own]
        distances[own, :, own] = np.inf
        ambiguous = distances.min(axis=2) < to_own + 3
        if not self._arcs:
            return ambiguous
        between = nearest + 0.5 * (anchors[:, None] - nearest)
        between = np.stack([nearest, between], axis=2)[..., None, :]  # (L, C, 2, 1, 2)
        cut = np.linalg.norm(between - np.concatenate(self._arcs), axis=-1) < 3
        return ambiguous | cut.any(axis=(2, 3))


def _settle(
    alone: np.ndarray, crowded: np.ndarray, rng: np.random.Generator
) -> tuple[float, np.ndarray]:
    """The total cost, and the candidate of each label (L,), where no label alone does better."""
    labels, total = np.arange(len(alone)), np.inf
    chosen = rng.integers(alone.shape[1], size=len(alone))
    for _ in range(20):
        before, total = total, 0.0
        for i in rng.permutation(len(alone)):
            cost = alone[i] + crowded[i][:, labels, chosen].sum(axis=1)
            chosen[i] = cost.argmin()
        total = alone[labels, chosen].sum()
        total += crowded[labels[:, None], chosen[:, None], labels, chosen].sum() / 2
        if total == before:
            break
    return total, chosen


def _overlap(boxes: np.ndarray) -> np.ndarray:
    """Which candidates come closer than the gap to which of another label: (L, C, L, C)."""
    low, high = boxes[:, :, None, None, 0], boxes[None, None, :, :, 1]
    apart = (low > high + GAP).any(axis=-1)
    close = ~(apart | apart.transpose(2, 3, 0, 1))
    close[np.arange(len(boxes)), :, np.arange(len(boxes))] = False
    return close
