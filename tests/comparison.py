"""Compare a cell's committed outputs with those of a new run, within the tolerance it states.

Pure functions: outputs in, a list of complaints out; an empty list means that the outputs agree.
"""

import base64
import difflib
import io
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
from PIL import Image

IMAGES = ("image/png", "image/jpeg")
LINES = "image/svg+xml"  # the drawing of the PNG beside it, for the website: that one is compared
RECORD = "application/papermill.record/"
SECONDS = "cpu seconds: "  # what a method took, shown in the leaderboard and never the same twice
WIDGET = "application/vnd.jupyter.widget-view+json"  # model identifiers are random

# A frame of an interactive figure, as seqdec_lib.book.interactive writes it: a line of its own.
FRAME = re.compile(r'^<g data-label="([^"]*)".*</g>$', re.MULTILINE)

# Digits that continue a word or another number (x1, 0x7f, 2.13.0) are text. A final period is
# part of the number, because "1." is how numpy prints a whole float.
NUMBER = re.compile(
    r"(?:(?<![\w.)\]])[-+\u2212])?"
    r"(?<![\w.])(?:(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?|\.\d+)"
    r"(?:\.?[eE][-+]?\d{1,3}(?!\w))?\.?"
)


@dataclass(frozen=True)
class Tolerance:
    """How far a new output may be from the committed one.

    Numbers agree where |new - old| <= absolute + relative * |old|; `pixels` is the largest share
    of a figure's pixels that may differ, `frames` that of the frames of an interactive figure.
    """

    relative: float = 0.0
    absolute: float = 0.0
    pixels: float = 0.0
    frames: float = 0.0

    @property
    def is_exact(self) -> bool:
        """Whether text has to be the same to the last character."""
        return self.relative == 0 and self.absolute == 0

    def admits(self, old: Decimal, new: Decimal) -> bool:
        """Whether `new` is close enough to `old`; decimal, so that the limit itself is inside."""
        allowed = Decimal(str(self.absolute)) + Decimal(str(self.relative)) * abs(old)
        return new == old or abs(new - old) <= allowed


# The last digits of a sum belong to the processor that adds it up, and no reader sees them.
ROUNDING = Tolerance(relative=1e-9, absolute=1e-9)


def compare_outputs(old: Iterable[dict], new: Iterable[dict], tolerance: Tolerance) -> list[str]:
    """Compare two lists of notebook outputs, the pieces of each stream joined."""
    committed, rerun = _by_kind(old), _by_kind(new)
    complaints = []
    for kind in sorted(committed | rerun):
        before, after = committed.get(kind, []), rerun.get(kind, [])
        if len(before) != len(after):
            complaints.append(_other_count(kind, before, after))
            continue
        compare = compare_images if kind in IMAGES else compare_values
        for number, (was, now) in enumerate(zip(before, after, strict=True), start=1):
            if kind.startswith("record ") and compare(was, now, ROUNDING) is None:
                continue
            if complaint := compare(was, now, tolerance):
                complaints.append(f"{kind} {number}: {complaint}")
    return complaints


def records(outputs: Iterable[dict]) -> list[str]:
    """Return the names under which `outputs` record values for the prose."""
    kinds = _by_kind(outputs)
    return sorted(kind.removeprefix("record ") for kind in kinds if kind.startswith("record "))


def _by_kind(outputs: Iterable[dict]) -> dict[str, list[Any]]:
    """Sort outputs by stream name, media type or record name: only order within a kind counts."""
    kinds = defaultdict(list)
    for output in outputs:
        if output["output_type"] == "stream":
            # A stream comes in as many pieces as the machine is slow.
            kinds[output["name"]] = ["".join([*kinds[output["name"]], output["text"]])]
        for media_type, value in output.get("data", {}).items():
            if media_type.startswith(RECORD):
                name = output["metadata"].get("scrapbook", {}).get("name")
                # That seconds were recorded counts; how many does not.
                value = "" if str(name).startswith(SECONDS) else value
                kinds[f"record {name}"].append(value)
            elif media_type not in (LINES, WIDGET):
                kinds[media_type].append(value)
    return dict(kinds)


def _other_count(kind: str, before: list, after: list) -> str:
    """Say how many outputs of `kind` there were and are, and show the first one without partner."""
    shorter, longer = sorted((before, after), key=len)
    partnerless = "" if kind in IMAGES else f"\n{str(longer[len(shorter)])[:200]}"
    return f"{kind}: {len(before)} committed, {len(after)} in the new run{partnerless}"


def compare_values(old: Any, new: Any, tolerance: Tolerance) -> str | None:
    """Compare two outputs that are not images; return a complaint or None."""
    if isinstance(old, str) and isinstance(new, str):
        if tolerance.frames and FRAME.search(old):
            return compare_sliders(old, new, tolerance)
        return compare_text(old, new, tolerance)
    return None if old == new else f"was {old}, is {new}"


def compare_text(old: str, new: str, tolerance: Tolerance) -> str | None:
    """Compare the numbers of two texts within `tolerance` and what stands between them exactly.

    Where numbers may vary so may their widths: then a run of whitespace equals any other.
    """
    if old == new:
        return None
    if tolerance.is_exact:
        return "differs and the cell states no tolerance\n" + _difference(old, new)
    if _words_between(old) != _words_between(new):
        return "differs by more than its numbers\n" + _difference(old, new)
    for was, now in zip(NUMBER.findall(old), NUMBER.findall(new), strict=True):
        if not tolerance.admits(_decimal(was), _decimal(now)):
            return (
                f"was {was}, is {now}, which is outside the tolerance that the cell states "
                f"(absolute {tolerance.absolute:g}, relative {tolerance.relative:g})"
            )
    return None


def compare_sliders(old: str, new: str, tolerance: Tolerance) -> str | None:
    """Compare two interactive figures frame by frame, and what surrounds the frames as text.

    Where the dials stand in each frame, its label, has to be the same.
    """
    before, after = FRAME.sub(r"\1", old), FRAME.sub(r"\1", new)
    if complaint := compare_text(before, after, tolerance):
        return complaint
    pairs = list(zip(FRAME.finditer(old), FRAME.finditer(new), strict=True))
    changed = [was[1] for was, now in pairs if compare_text(was[0], now[0], tolerance)]
    if len(changed) <= tolerance.frames * len(pairs):
        return None
    return (
        f"{len(changed)} of {len(pairs)} frames differ ({', '.join(changed)}), which is more than "
        f"the cell allows ({tolerance.frames:.0%})"
    )


def _words_between(text: str) -> list[list[str]]:
    """Return the words before, between and after the numbers of `text`."""
    return [part.split() for part in NUMBER.split(text)]


def _decimal(number: str) -> Decimal:
    """Return the value of a match of NUMBER."""
    return Decimal(number.rstrip(".").replace(",", "").replace("\u2212", "-"))


def _difference(old: str, new: str) -> str:
    lines = difflib.unified_diff(
        old.splitlines(), new.splitlines(), "committed", "new run", n=0, lineterm=""
    )
    return "\n".join(lines)


def compare_images(old: str, new: str, tolerance: Tolerance) -> str | None:
    """Compare two base64 images pixel by pixel; return a complaint or None."""
    if old == new:
        return None
    before, after = _pixels(old), _pixels(new)
    if before.shape != after.shape:
        return f"the figure was {_size(before)} pixels and is {_size(after)}"
    share = float((before != after).any(axis=2).mean())
    if share <= tolerance.pixels:
        return None
    return (
        f"the committed figure is not what the cell draws: {share:.2%} of the pixels differ, "
        f"the cell allows {tolerance.pixels:.2%}"
    )


def _pixels(image: str) -> np.ndarray:
    """Decode a base64 image to (height, width, 4) bytes."""
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(image))).convert("RGBA"))


def _size(pixels: np.ndarray) -> str:
    height, width, _ = pixels.shape
    return f"{width} x {height}"
