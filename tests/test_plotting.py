"""Plotting: the figures draw what they are told to, and refuse what they can't."""

from collections import Counter
from collections.abc import Iterator
from importlib.resources import files

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.patches import FancyArrowPatch
from matplotlib.text import Text

from seqdec_lib.book import plotting
from seqdec_lib.problems import CITY_NAMES, TravelTree


@pytest.fixture(autouse=True)
def closed_figures() -> Iterator[None]:
    backend = plt.get_backend()
    plt.switch_backend("agg")
    with plt.style.context(str(files("seqdec_lib.book") / "seqdec.mplstyle")):
        yield
    plt.close("all")
    plt.switch_backend(backend)


@pytest.mark.parametrize(("branching", "depth"), [(2, 4), (3, 1), (4, 2)])
def test_a_tree_shows_each_node_once_with_its_city(branching: int, depth: int) -> None:
    tree, ax = TravelTree(branching, horizon=4), plotting.new_figure()
    plotting.draw_tree(ax, tree, depth, visited=[0, 1], path=range(2))
    nodes = tree.level(depth).stop
    assert [text.get_text() for text in ax.texts] == [tree.itinerary(n)[-1] for n in range(nodes)]
    assert len(ax.lines) == nodes + nodes - 1  # and an edge to each but the root
    ax.figure.canvas.draw()


@pytest.mark.parametrize(("branching", "depth"), [(2, 3), (3, 2)])
def test_a_numbered_tree_says_each_node_and_the_action_that_leads_there(
    branching: int, depth: int
) -> None:
    tree, ax = TravelTree(branching, horizon=4), plotting.new_figure()
    plotting.draw_tree(ax, tree, depth, path=[0, 1], numbers=True)
    nodes = range(tree.level(depth).stop)
    written = Counter(text.get_text() for text in ax.texts)
    expected = Counter(tree.itinerary(node)[-1] for node in nodes)
    expected += Counter(str(node) for node in nodes)
    expected += Counter(str(tree.path(node)[-1]) for node in nodes if node)
    assert written == expected


@pytest.mark.parametrize("depth", [0, -1, 5, 1.5, True])
def test_a_depth_that_the_tree_does_not_have_is_refused(depth: object) -> None:
    with pytest.raises(ValueError, match="depth must be .* came"):
        plotting.draw_tree(plotting.new_figure(), TravelTree(horizon=4), depth)


def test_a_map_shows_every_city_its_stars_and_the_nights_of_the_trip() -> None:
    tree, ax = TravelTree(), plotting.new_figure(5.2, 5.4)
    plotting.draw_map(ax, tree, leaf=tree.first_leaf + int(tree.level_enjoyment(6).argmax()))
    written = [text.get_text() for text in ax.texts]
    stops = ["1. Paris", "2. Lyon", "3. Marseille", "4, 5. Barcelona", "6. Bordeaux"]
    others = [name for name in CITY_NAMES[1:] if not any(name in stop for stop in stops)]
    assert {*stops, *others, "Amsterdam (home)"} <= set(written)
    assert sorted(filter(str.isdecimal, written)) == sorted(map(str, tree.stars[1:]))
    assert ax.get_xlabel() and ax.get_ylabel()


def boxes_of(labels: list[Text]) -> np.ndarray:
    """Lower left and upper right corners (N, 2, 2), in pixels."""
    return np.array([label.get_window_extent().get_points() for label in labels])


@pytest.mark.parametrize("best", [True, False])
def test_no_label_of_the_chapters_maps_covers_a_dot_a_line_or_another_label(best: bool) -> None:
    tree, ax = TravelTree(), plotting.new_figure(5.2, 5.4)
    leaf = tree.first_leaf + int(tree.level_enjoyment(6).argmax())
    if not best:  # the trip that the first chapter begins with
        leaf = 0
        for action in [2, 1, 1, 1, 0, 2]:
            leaf = 3 * leaf + 1 + action
    plotting.draw_map(ax, tree, leaf)
    ax.figure.canvas.draw()
    boxes = boxes_of([text for text in ax.texts if any(map(str.isalpha, text.get_text()))])
    low, high = boxes[:, 0], boxes[:, 1]
    assert len(boxes) == len(CITY_NAMES)
    apart = (low[:, None] >= high) | (low >= high[:, None])
    assert (apart.any(axis=2) | np.eye(len(boxes), dtype=bool)).all(), "labels overlap"
    dots = ax.transData.transform(
        [line.get_xydata()[0] for line in ax.lines if len(line.get_xdata())]
    )
    nearest = np.clip(dots[:, None], low, high)  # (dots, labels, 2)
    radius = 6 * ax.figure.dpi / 72
    assert np.linalg.norm(nearest - dots[:, None], axis=2).min() >= radius - 1
    for arrow in (patch for patch in ax.patches if isinstance(patch, FancyArrowPatch)):
        path = arrow.get_transform().transform_path(arrow.get_path())
        line = np.concatenate(path.to_polygons(closed_only=False))[:, None]
        assert not ((line > low) & (line < high)).all(axis=2).any(), "a label lies on a line"


def test_a_map_of_a_node_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="node must lie in"):
        plotting.draw_map(plotting.new_figure(), TravelTree(horizon=2), leaf=13)


def test_the_optimum_is_a_dashed_line() -> None:
    ax = plotting.new_figure()
    plotting.draw_optimum(ax, 3.0)
    (line,) = ax.lines
    assert line.get_linestyle() == "--" and set(line.get_ydata()) == {3.0}
