"""Slider figures: complete without a script, and the same numbers wherever they are shown."""

from html.parser import HTMLParser

import numpy as np
import pytest

from seqdec_lib.book.interactive import Frame, SliderFigure, simplex_slider, trip_slider
from seqdec_lib.problems import TravelTree

FRAMES = [Frame("a < b", "first & only", "<circle r='1'/>"), Frame("two", "second", "<g/>")]


def figure(**changes: object) -> SliderFigure:
    values = {"control": "Speed", "frames": FRAMES, "start": 1, "alt": "Two frames."}
    return SliderFigure(**values | {"size": (10, 20)} | changes)


class Reader(HTMLParser):
    """Collects the attributes of each element by its name."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: dict[str, list[dict]] = {}
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.found.setdefault(tag, []).append(dict(attrs))


def test_only_the_first_shown_frame_is_visible_before_any_script_runs() -> None:
    found = Reader(figure().html()).found
    frames = [g for g in found["g"] if "data-label" in g]
    assert [g["display"] for g in frames] == ["none", "inline"]
    assert frames[0]["data-label"] == "a < b" and frames[0]["data-description"] == "first & only"
    assert "hidden" in next(d for d in found["div"] if d.get("class") == "slider-control")


def test_the_slider_is_a_native_input_inside_its_label() -> None:
    html = figure().html()
    (slider,) = Reader(html).found["input"]
    assert slider["type"] == "range" and slider["max"] == "1" and slider["value"] == "1"
    assert html.index("<label>Speed") < html.index("<input") < html.index("</label>")
    assert Reader(html).found["svg"][0]["aria-label"] == "Two frames."


def test_the_figure_fetches_nothing_and_has_a_plain_form() -> None:
    bundle = figure()._repr_mimebundle_()
    assert "http" not in bundle["text/html"] and "src=" not in bundle["text/html"]
    assert bundle["text/plain"].endswith("Shown: two. second")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"frames": FRAMES[:1], "start": 0}, "at least two frames"),
        ({"start": 2}, "start must be one of the frames 0..1"),
        ({"alt": " "}, "alt is empty"),
    ],
)
def test_incomplete_figures_are_refused(changes: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        figure(**changes)


def test_the_simplex_starts_at_temperature_one() -> None:
    samples = np.random.default_rng(0).dirichlet(np.ones(3), size=(3, 5))
    shown = simplex_slider(samples, [0.1, 1.0, 10.0], np.full(3, 1 / 3), ["a", "b", "c"])
    assert shown.start == 1 and shown.frames[1].label == "τ = 1.00"
    corners = simplex_slider(np.eye(3)[None].repeat(2, 0), [1.0, 2.0], np.full(3, 1 / 3), "abc")
    for place in ["M 210 40 h 0", "M 36 340 h 0", "M 384 340 h 0"]:
        assert place in corners.frames[0].svg


def test_each_wish_has_its_trip_on_the_map():
    tree = TravelTree(horizon=2)
    leaves = [tree.first_leaf, tree.n_states - 1]
    figure = trip_slider(tree, [1.0, 2.5], leaves, start=1)
    assert [frame.label for frame in figure.frames] == ["asked 1.0", "asked 2.5"]
    for frame, leaf in zip(figure.frames, leaves, strict=True):
        for city in tree.itinerary(leaf):
            assert city in frame.svg
        assert f"worth {tree.enjoyment([leaf])[0]:.1f} stars" in frame.description
    assert figure.background.count("<circle") == len(tree.stars)
