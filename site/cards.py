"""Pictures with a title: a card for each chapter, where somebody posts it, and the EPUB's cover."""

import base64
import io
import textwrap
from pathlib import Path

import nbformat
from matplotlib.figure import Figure
from PIL import Image

DOTS = 100  # per inch
CARD, COVER = (12.0, 6.3), (12.0, 16.0)  # inches; 1200 x 630 dots are what such places show
INK, BLUE, COLORS = "#1d2430", "#0b5cad", 48


def first_figure(chapter: Path) -> bytes:
    """Return the first picture that a chapter's committed cells show, b"" where there is none."""
    for cell in nbformat.read(chapter, as_version=4).cells:
        for output in cell.get("outputs", ()):
            if picture := output.get("data", {}).get("image/png"):
                return base64.b64decode(picture)
    return b""


def card(title: str, book: str, picture: bytes) -> bytes:
    """Draw the card of a chapter, a PNG of 1200 x 630 dots: the title left, its figure right."""
    figure = paper(CARD)
    lines = lines_of(title, 18 if picture else 34)
    write(figure, (0.05, 0.87), lines, 35 if len(lines) < 5 else 30)
    figure.text(0.05, 0.08, "\n".join(lines_of(book, 30)), fontsize=17, color=BLUE)
    if picture:
        show(figure, (0.47, 0.05, 0.5, 0.9), picture)
    return small_png(figure)


def cover(title: str, byline: str, picture: bytes) -> bytes:
    """Draw the cover of the book, a PNG of 1200 x 1600 dots."""
    figure = paper(COVER)
    write(figure, (0.08, 0.93), lines_of(title, 20), 58)
    show(figure, (0.06, 0.14, 0.88, 0.54), picture)
    figure.text(0.08, 0.06, byline, fontsize=26, color=BLUE)
    return small_png(figure)


def paper(size: tuple[float, float]) -> Figure:
    """Return an empty drawing, where all has its place, whatever the settings arrange elsewhere."""
    return Figure(figsize=size, dpi=DOTS, facecolor="white", layout="none")


def lines_of(title: str, width: int) -> list[str]:
    """Return the lines of a title; no word with a hyphen is broken."""
    return textwrap.wrap(title, width, break_on_hyphens=False)


def write(figure: Figure, place: tuple[float, float], lines: list[str], size: float) -> None:
    """Write a title whose first line begins at a place."""
    style = {"color": INK, "weight": "bold", "va": "top", "linespacing": 1.15}
    figure.text(*place, "\n".join(lines), fontsize=size, **style)


def show(figure: Figure, box: tuple[float, float, float, float], picture: bytes) -> None:
    """Show a picture in a box, as large as it fits."""
    axes = figure.add_axes(box)
    axes.imshow(Image.open(io.BytesIO(picture)).convert("RGB"), interpolation="antialiased")
    axes.axis("off")


def small_png(figure: Figure) -> bytes:
    """Return a drawing as a PNG of few colors."""
    drawn, small = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png")
    image = Image.open(drawn).convert("RGB").quantize(COLORS)
    image.save(small, format="PNG", optimize=True)
    return small.getvalue()
