"""Plotting: the figures draw what they are told to, and refuse what they can't."""

from collections.abc import Iterator

import matplotlib.pyplot as plt
import pytest

from seqdec_lib.book import plotting
from seqdec_lib.experience.trajectories import collect
from seqdec_lib.problems import Racetrack, TravelTree


@pytest.fixture(autouse=True)
def closed_figures() -> Iterator[None]:
    backend = plt.get_backend()
    plt.switch_backend("agg")
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


@pytest.mark.parametrize("depth", [0, -1, 5, 1.5, True])
def test_a_depth_that_the_tree_does_not_have_is_refused(depth: object) -> None:
    with pytest.raises(ValueError, match="depth must be .* came"):
        plotting.draw_tree(plotting.new_figure(), TravelTree(horizon=4), depth)


def test_a_map_shows_every_city_and_the_days_of_the_trip() -> None:
    tree, ax = TravelTree(), plotting.new_figure()
    leaf = tree.first_leaf + 500
    plotting.draw_map(ax, tree, leaf)
    written = " ".join(text.get_text() for text in ax.texts)
    assert all(city in written for city in tree.itinerary(leaf))
    assert ax.get_xlabel() and ax.get_ylabel()
    ax.figure.canvas.draw()


def test_a_map_of_a_node_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="node must lie in"):
        plotting.draw_map(plotting.new_figure(), TravelTree(horizon=2), leaf=13)


def test_the_optimum_is_a_dashed_line() -> None:
    ax = plotting.new_figure()
    plotting.draw_optimum(ax, 3.0)
    (line,) = ax.lines
    assert line.get_linestyle() == "--" and set(line.get_ydata()) == {3.0}


def test_a_flow_chart_shows_all_its_texts() -> None:
    ax = plotting.new_figure()
    plotting.draw_decisions(ax, [("Is it late?", "Sleep"), ("Is it dark?", "Read")], "Walk")
    texts = [text.get_text().replace("\n", " ") for text in ax.texts]
    assert {"Is it late?", "Sleep", "Is it dark?", "Read", "Walk"} <= set(texts)
    assert texts.count("yes") == texts.count("no") == 2
    with pytest.raises(ValueError, match="at least one question"):
        plotting.draw_decisions(ax, [], "Walk")


def test_a_track_shows_each_step_of_a_lap_and_each_crash() -> None:
    track, ax = Racetrack("bend", horizon=60), plotting.new_figure()
    laps = collect(track, None, 3, seed=0)  # nobody steers: there are crashes
    plotting.draw_track(ax, track, laps)
    crashes = track.crashed[laps.states[:, 1:]].sum()
    assert crashes > 3
    crosses = [line for line in ax.lines if line.get_marker() == "x"]
    paths = [line for line in ax.lines if line.get_marker() == "o"]
    assert sum(len(line.get_xdata()) for line in crosses) == crashes
    assert sum(len(line.get_xdata()) for line in paths) == (laps.lengths + 1).sum()
    assert [text.get_text() for text in ax.texts] == ["start", "finish"]
    ax.figure.canvas.draw()
