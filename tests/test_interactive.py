"""Interactive figures: complete without a script, and the library's numbers in every frame."""

import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from seqdec_lib.book.interactive import (
    Dial,
    Frame,
    InteractiveFigure,
    bar_chart,
    itineraries,
    simplex,
    value_map,
    wishes,
)
from seqdec_lib.problems import CITY_NAMES, TravelTree

FRAMES = [Frame("first & only", "<circle r='1'/>"), Frame("second", "<g/>")]
ALT = "Two frames."


def figure(**changes: object) -> InteractiveFigure:
    values = {"frames": FRAMES, "dials": [Dial("Speed", ["a < b", "two"], 1)], "alt": ALT}
    return InteractiveFigure(**values | {"size": (10, 20)} | changes)


def html(made: InteractiveFigure) -> str:
    return made._repr_mimebundle_()["text/html"]


class Reader(HTMLParser):
    """Collects the attributes of each element by its name."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: dict[str, list[dict]] = {}
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.found.setdefault(tag, []).append(dict(attrs))


def test_only_the_first_shown_frame_is_visible_before_any_script_runs() -> None:
    found = Reader(html(figure())).found
    frames = [g for g in found["g"] if "data-label" in g]
    assert [g["display"] for g in frames] == ["none", "inline"]
    assert frames[0]["data-label"] == "Speed a < b"
    assert frames[0]["data-description"] == "first & only"
    assert "hidden" in next(d for d in found["div"] if d.get("class") == "figure-controls")


def test_a_dial_is_a_native_input_inside_its_label() -> None:
    text = html(figure())
    (dial,) = Reader(text).found["input"]
    assert dial["type"] == "range" and dial["max"] == "1" and dial["value"] == "1"
    assert json.loads(dial["data-values"]) == ["a < b", "two"]
    assert text.index("<label>Speed") < text.index("<input") < text.index("</label>")
    assert Reader(text).found["svg"][0]["aria-label"] == ALT


def test_the_last_dial_turns_fastest() -> None:
    dials = [Dial("day", ["1", "2"], 1), Dial("hour", ["7", "8", "9"], 2)]
    made = figure(frames=[Frame(str(i), "<g/>") for i in range(6)], dials=dials)
    assert [made.label(i) for i in (1, 3)] == ["day 1, hour 8", "day 2, hour 7"]
    assert made._repr_mimebundle_()["text/plain"].endswith("Shown: day 2, hour 9. 5")


def test_the_figure_fetches_nothing_and_has_a_plain_form() -> None:
    bundle = figure()._repr_mimebundle_()
    assert "http" not in bundle["text/html"] and "src=" not in bundle["text/html"]
    assert bundle["text/plain"].endswith("Shown: Speed two. second")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"frames": FRAMES[:1]}, "the dials have 2 positions, but 1 frames came"),
        ({"dials": ()}, "each frame needs moves"),
        ({"dials": (), "frames": [Frame("", "", [("on", 2)])] * 2}, r"frames in 0\.\.1"),
        ({"alt": " "}, "alt is empty"),
    ],
)
def test_incomplete_figures_are_refused(changes: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        figure(**changes)


def test_the_corners_of_the_simplex_are_sure_choices() -> None:
    dial = Dial("Temperature", ["1", "2"])
    shown = simplex(ALT, "abc", np.full(3, 1 / 3), np.eye(3)[None].repeat(2, 0), dial)
    for place in ["M210 40h0", "M36 340h0", "M384 340h0"]:
        assert place in shown.frames[0].svg
    assert "largest share of a sample is 1.00 on average" in shown.frames[0].description


def test_each_wish_has_its_trip_on_the_map_and_its_point_on_the_curve() -> None:
    tree = TravelTree(horizon=2)
    leaves = [tree.first_leaf, tree.n_states - 1]
    made = wishes(ALT, tree, [1.0, 2.5], leaves, start=1)
    assert made.dials[0].values == ["1.0", "2.5"] and made.dials[0].start == 1
    for frame, leaf in zip(made.frames, leaves, strict=True):
        for city in tree.itinerary(leaf):
            assert city in frame.svg
        assert f"worth {tree.enjoyment([leaf])[0]:.1f} stars" in frame.description


def test_bars_are_as_long_as_the_shares() -> None:
    shares, dial = np.array([[0.5, 0.25, 0.0], [0.0, 0.05, 0.5]]), Dial("Head", ["1", "2"])
    made = bar_chart(ALT, ["Rome", "Paris", "<b>"], shares, [dial], ["one", "two"], touched=0)
    first, second = ([int(x) for x in re.findall(r"h(\d+)", f.svg)] for f in made.frames)
    assert len(first) == 2 and abs(first[0] - 2 * first[1]) <= 1 and first[0] == second[1]
    assert "50%" in made.frames[0].svg and "5%" not in made.frames[1].svg.replace("50%", "")
    assert made.background.count("data-dial=") == 3 and "&lt;b&gt;" in made.background


def test_columns_grow_to_their_ticks() -> None:
    values = np.array([[np.zeros(24), np.arange(24.0)]])  # (1 discount, 2 sweeps, 24 cities)
    leads, dials = np.zeros((1, 2, 24), dtype=int), [Dial("discount", ["0.9"])]
    leads[0, 0, 5] = 7
    made = value_map(ALT, [*dials, Dial("sweeps", ["0", "1"])], values, leads, values[:, 1])
    before, after = (frame.description for frame in made.frames)
    assert "largest error is 23.00 stars" in before and "23 lead where" in before
    assert f"{CITY_NAMES[23]} is worth most so far, 23.00 stars" in after and "24 lead" in after
    assert "v-75" in after.replace(after, made.frames[1].svg)


def test_choices_lead_through_the_tree_and_induction_back_to_its_root() -> None:
    tree = TravelTree(horizon=2)
    made = itineraries(ALT, tree)
    here = made.frames[0]
    for action in (2, 1):
        words, number = here.moves[action]
        here = made.frames[number]
        assert words.removeprefix("Train to ") in here.description
    leaf = 3 * 3 + 2  # after actions 2 and 1
    assert f"worth {tree.enjoyment([leaf])[0]:.2f} stars" in here.description
    assert [words for words, _ in here.moves][0] == "Another trip" and here.moves[0][1] == 0
    hidden = [f"{worth:.2f}" for worth in tree.level_enjoyment(2)]
    assert not any(worth in frame.svg for worth in hidden for frame in made.frames[:4])
    here = made.frames[here.moves[1][1]]
    assert all(worth in here.svg for worth in hidden)
    while here.moves[0][1]:
        here = made.frames[here.moves[0][1]]
    assert f"the best is {tree.optimal_return():.2f} stars" in here.description
