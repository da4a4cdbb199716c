"""The picture that stands for a chapter where somebody posts its address: title and figure."""

import base64
import io
import textwrap
from pathlib import Path

import nbformat
from matplotlib.figure import Figure
from PIL import Image

INCHES, DOTS = (12.0, 6.3), 100  # 1200 x 630 dots, which is what such places show
INK, BLUE = "#1d2430", "#0b5cad"


def first_figure(chapter: Path) -> bytes:
    """Return the first picture that a chapter's committed cells show, b"" where there is none."""
    for cell in nbformat.read(chapter, as_version=4).cells:
        for output in cell.get("outputs", ()):
            if picture := output.get("data", {}).get("image/png"):
                return base64.b64decode(picture)
    return b""


def card(title: str, book: str, picture: bytes) -> bytes:
    """Draw the card of a chapter: a PNG of 1200 x 630 dots in few colors, so that it is small."""
    figure = Figure(figsize=INCHES, dpi=DOTS, facecolor="white")
    lines = textwrap.wrap(title, 18 if picture else 34)
    style = {"color": INK, "weight": "bold", "va": "top", "linespacing": 1.15}
    figure.text(0.05, 0.87, "\n".join(lines), fontsize=35 if len(lines) < 5 else 30, **style)
    figure.text(0.05, 0.08, "\n".join(textwrap.wrap(book, 30)), fontsize=17, color=BLUE)
    if picture:
        axes = figure.add_axes((0.47, 0.05, 0.5, 0.9))
        axes.imshow(Image.open(io.BytesIO(picture)).convert("RGB"), interpolation="antialiased")
        axes.axis("off")
    drawn, small = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png")
    image = Image.open(drawn).convert("RGB").quantize(48)
    image.save(small, format="PNG", optimize=True)
    return small.getvalue()
