"""Figures with a slider that need neither a kernel nor a network: frames of SVG, made in Python.

The script and the style travel inside the output, so the figure works on the website and in
JupyterLab alike. The slider is the browser's own range input: arrow keys, Home and End move it.
Without JavaScript, or in a notebook that is not trusted, one frame stays and a sentence says so.

Inside a frame the CSS variables --ink, --line, --series-1, --series-2 and --series-3 are colors
that follow the page from light to dark."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files

import numpy as np

from seqdec_lib.problems.rail import CITIES, CITY_NAMES
from seqdec_lib.problems.travel_tree import TravelTree

CORNERS = np.array([[210.0, 40.0], [36.0, 340.0], [384.0, 340.0]])


@dataclass(frozen=True)
class Frame:
    """What is seen at one position of the slider.

    label : the value that the slider has there, such as "τ = 0.50"
    description : a sentence on what is seen, shown below and read out by screen readers
    svg : SVG elements, drawn over the background"""

    label: str
    description: str
    svg: str


@dataclass(frozen=True)
class SliderFigure:
    """A drawing of which a slider shows one frame at a time; display it as a cell's last line.

    control : what the slider changes: its visible name
    frames : at least two, from left to right
    start : number of the frame that is shown first
    alt : what the whole figure shows, for readers who don't see it
    size : width and height of the drawing, in its own units
    background : SVG elements that all frames share
    Raises ValueError: fewer than two frames, a start that is none of them, no alt text."""

    control: str
    frames: Sequence[Frame]
    start: int
    alt: str
    size: tuple[int, int]
    background: str = ""

    def __post_init__(self) -> None:
        if len(self.frames) < 2:
            raise ValueError(f"a slider needs at least two frames, but {len(self.frames)} came.")
        if not 0 <= self.start < len(self.frames):
            raise ValueError(
                f"start must be one of the frames 0..{len(self.frames) - 1}, but {self.start} came."
            )
        if not self.alt.strip():
            raise ValueError("alt is empty: say in a sentence what the figure shows.")

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        shown = self.frames[self.start]
        return {
            "text/html": self.html(),
            "text/plain": f"Interactive figure. {self.alt} Shown: {shown.label}. "
            f"{shown.description}",
        }

    def html(self) -> str:
        """The figure as HTML that stands on its own."""
        room = files("seqdec_lib.book")
        style, script = ((room / f"slider.{kind}").read_text() for kind in ("css", "js"))
        shown = self.frames[self.start]
        drawn = "\n".join(
            f'<g data-label="{escape(frame.label)}" data-description="{escape(frame.description)}" '
            f'display="{"inline" if frame is shown else "none"}">{frame.svg}</g>'
            for frame in self.frames
        )
        return f"""<div class="slider-figure">
<style>
{style}</style>
<svg viewBox="0 0 {self.size[0]} {self.size[1]}" role="img" aria-label="{escape(self.alt)}">
{self.background}
{drawn}
</svg>
<div class="slider-control" hidden><label>{escape(self.control)}
<input type="range" min="0" max="{len(self.frames) - 1}" step="1" value="{self.start}"></label>
<output>{escape(shown.label)}</output></div>
<p class="slider-description">{escape(shown.description)}</p>
<p class="slider-fallback">The figure stands at {escape(shown.label)}: with JavaScript (in \
JupyterLab, in a trusted notebook) a slider moves it.</p>
<script>
{script}</script>
</div>"""


def simplex_slider(
    samples: np.ndarray, taus: Sequence[float], probabilities: np.ndarray, names: Sequence[str]
) -> SliderFigure:
    """Relaxed choices among three actions in a triangle, with a slider for the temperature.

    samples : (F, N, 3) the same N draws at each of the F temperatures.
    taus : (F,) from low to high; the figure starts at the one nearest to 1.
    probabilities : (3,) of the actions, marked by a cross.
    names : of the actions."""
    frames = [_simplex_frame(choices, tau) for choices, tau in zip(samples, taus, strict=True)]
    corners = " ".join(f"{x:.0f},{y:.0f}" for x, y in CORNERS)
    labels = "".join(
        f'<text x="{x:.0f}" y="{y + (26 if y > 200 else -12):.0f}" text-anchor="middle">'
        f"{escape(name)}</text>"
        for name, (x, y) in zip(names, CORNERS, strict=True)
    )
    x, y = probabilities @ CORNERS
    return SliderFigure(
        control="Temperature",
        frames=frames,
        start=int(np.abs(np.log(taus)).argmin()),
        alt="A triangle whose corners are the actions "
        + ", ".join(names)
        + "; dots are relaxed choices, in the color of the action with the largest share. "
        "At low temperature they sit in the corners, at high temperature around the middle.",
        size=(420, 380),
        background=f'<polygon points="{corners}" fill="none" stroke="var(--line)" '
        f'stroke-width="1.5"/>{labels}<path d="M {x - 8:.0f} {y:.0f} h 16 m -8 -8 v 16" '
        'stroke="var(--ink)" stroke-width="2.5" fill="none"/>',
    )


def _simplex_frame(choices: np.ndarray, tau: float) -> Frame:
    winner, drawn = choices.argmax(axis=1), []
    for action in range(3):
        dots = " ".join(f"M {x:.0f} {y:.0f} h 0" for x, y in choices[winner == action] @ CORNERS)
        drawn.append(
            f'<path d="{dots}" stroke="var(--series-{action + 1})" stroke-width="7" '
            'stroke-linecap="round" stroke-opacity="0.65" fill="none"/>'
        )
    x, y = choices.mean(axis=0) @ CORNERS
    drawn.append(
        f'<path d="M {x:.0f} {y - 8:.0f} l 8 8 l -8 8 l -8 -8 z" fill="none" '
        'stroke="var(--ink)" stroke-width="2.5"/>'
    )
    return Frame(
        label=f"τ = {tau:.2f}",
        description=f"The largest share of a sample is {choices.max(axis=1).mean():.2f} on "
        "average. Cross: the probabilities; diamond: the mean of the samples.",
        svg="".join(drawn),
    )


MAP_SIZE = (420, 400)


def trip_slider(
    tree: TravelTree, targets: Sequence[float], leaves: Sequence[int], start: int
) -> SliderFigure:
    """The trip that a model makes for each return it is asked for, on a map, with a slider.

    targets : (F,) returns asked for, from low to high.
    leaves : (F,) where the trips end.
    start : which of them is shown first."""
    places = _on_map()
    dots = "".join(
        f'<circle cx="{x:.0f}" cy="{y:.0f}" r="{2 + tree.stars[i] / 2:.1f}" fill="var(--line)"/>'
        for i, (x, y) in enumerate(places)
    )
    worth = tree.enjoyment(np.asarray(leaves))
    frames = []
    for target, leaf, value in zip(targets, leaves, worth, strict=True):
        trip = tree.itinerary(int(leaf))
        stops = [CITY_NAMES.index(city) for city in trip]
        way = " ".join(f"{x:.0f},{y:.0f}" for x, y in places[stops])
        home = " ".join(f"{x:.0f},{y:.0f}" for x, y in places[[stops[-1], 0]])
        names = "".join(
            f'<circle cx="{places[i, 0]:.0f}" cy="{places[i, 1]:.0f}" r="5" '
            f'fill="var(--series-1)"/><text x="{places[i, 0] + 8:.0f}" '
            f'y="{places[i, 1] + 5:.0f}">{escape(CITY_NAMES[i])}</text>'
            for i in dict.fromkeys(stops)
        )
        frames.append(
            Frame(
                label=f"asked {target:.1f}",
                description=f"Asked for {target:.1f} stars. {', '.join(trip[1:])}: "
                f"worth {value:.1f} stars.",
                svg=f'<polyline points="{home}" fill="none" stroke="var(--series-1)" '
                f'stroke-dasharray="3 5"/><polyline points="{way}" fill="none" '
                f'stroke="var(--series-1)" stroke-width="3" stroke-linejoin="round"/>{names}',
            )
        )
    return SliderFigure(
        control="Return asked for",
        frames=frames,
        start=start,
        alt="A map of European cities, dots as large as their stars. A line shows the trip that "
        "the model makes from Amsterdam for the return it is asked for; a dotted line leads home.",
        size=MAP_SIZE,
        background=dots,
    )


def _on_map() -> np.ndarray:
    """Where each city stands in a drawing of MAP_SIZE, (C, 2)."""
    latitude, longitude = np.array(list(CITIES.values())).T
    x = (longitude - longitude.min()) * np.cos(np.radians(latitude.mean()))
    y = latitude.max() - latitude
    scale = min((MAP_SIZE[0] - 100) / x.max(), (MAP_SIZE[1] - 30) / y.max())
    return np.stack([15 + scale * x, 15 + scale * y], axis=1)
