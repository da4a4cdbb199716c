"""Tracks as drawings, and which of their cells a straight move meets: the ground of `Racetrack`."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import groupby, product

import numpy as np

TRACKS = {
    "bend": """
        ################
        #############..F
        ######.........F
        ####...........F
        ###............F
        ##.............F
        ##......########
        #.......########
        #......#########
        #......#########
        #......#########
        #.......########
        #.......########
        ##......########
        ##......########
        ##SSSSSS########
        """,
    "hairpin": """
        ##################
        #####........#####
        ###............###
        ##..............##
        #................#
        #......####......#
        #.....######.....#
        #.....######.....#
        #.....######.....#
        #................#
        #.....######.....#
        #.....######.....#
        #.....######.....#
        #.....######.....#
        #.....######.....#
        #SSSSS######FFFFF#
        """,
}
WALL, ROAD, START, FINISH = "#", ".", "S", "F"


def drawing_of(track: str) -> np.ndarray:
    """A drawing as an array of characters, from a track's name or its lines."""
    if not isinstance(track, str) or ("\n" not in track and track not in TRACKS):
        raise ValueError(
            f"track must be one of {sorted(TRACKS)} or a drawing of several lines, "
            f"but {track!r} came."
        )
    lines = TRACKS.get(track, track).split()
    if len({len(line) for line in lines}) != 1:
        raise ValueError(
            "the lines of a drawing must be equally long, but their lengths are "
            f"{[len(line) for line in lines]}; fill them up with {WALL!r}."
        )
    drawing = np.array([list(line) for line in lines])
    kinds = (WALL, ROAD, START, FINISH)
    if other := sorted(set(drawing.ravel().tolist()) - set(kinds)):
        raise ValueError(f"a drawing consists of {kinds}, but holds {other}.")
    for kind in (START, FINISH):
        if not (drawing == kind).any():
            raise ValueError(f"a drawing needs at least one {kind!r}, but holds none.")
    return drawing


def cells_met(down: int, right: int) -> Iterator[list[tuple[int, int]]]:
    """The cells that a straight move meets, as offsets, those met at the same moment together.

    A cell is a closed square, so that a move through a corner meets all four cells around it.
    """
    first_met = []
    rows, columns = (range(min(v, 0), max(v, 0) + 1) for v in (down, right))
    for offset in product(rows, columns):
        times = [_time_in(*pair) for pair in zip(offset, (down, right), strict=True)]
        enters, leaves = max(t[0] for t in times), min(t[1] for t in times)
        if enters <= leaves:
            first_met.append((enters, offset))
    for _, together in groupby(sorted(first_met), key=lambda met: met[0]):
        yield [offset for _, offset in together]


def _time_in(offset: int, speed: int) -> tuple[Fraction, Fraction]:
    """From when to when a move that takes one unit of time is within half a cell of `offset`."""
    if speed == 0:
        return Fraction(0), Fraction(1)  # the offset is 0 too
    ends = [Fraction(2 * offset + side, 2 * speed) for side in (-1, 1)]
    return max(Fraction(0), min(ends)), min(Fraction(1), max(ends))
