"""The frame of our SVG: the layout at a width of the page, the scale at which it is shown, and its smallest text."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf
from typing import Final, NamedTuple

from autodiff.draw.layout.bands import Lay, lay_out_within
from autodiff.draw.layout.lines import SMALLEST
from autodiff.draw.layout.positions import Layout, lay_out
from autodiff.draw.layout.sizes import SIZES
from autodiff.draw.model.picture import Cell, Picture
from autodiff.words.typeset import width

__all__ = ["LETTERS", "MARGIN", "SLIDE", "Frame", "frame", "seed_room", "smallest_text"]

#: The width of a slide in px.
SLIDE: Final = 1280.0
#: The px of text that people read from a slide.
LETTERS: Final = 9.0
MARGIN: Final = 36.0
_SMALLEST_HERE: Final = 11.5  # px of the numbers of steps, the smallest lines of text in a drawing
_NARROWEST: Final = 760.0
_SEED: Final = 46.0  # length of the seed's arrow, unless its text is longer


class Frame(NamedTuple):
    """A layout, the width ``across`` of all that stands between the margins, and the ``scale`` at which it is shown."""

    layout: Layout
    across: float
    scale: float


def frame(what: Picture, most: float | None, direction: str | None = None, lay: Lay = lay_out) -> Frame:
    """The frame of a picture that is at most ``most`` px wide on the page."""
    seed = seed_room(what.seed) + 16.0 if what.seed else 0.0
    room = inf if most is None else most * _SMALLEST_HERE / LETTERS - 2 * MARGIN
    layout = lay_out_within(what, None if most is None else room - seed, seed, direction, lay)
    across = max(layout.width + seed, min(_NARROWEST, room))
    return Frame(layout, across, 1.0 if most is None else min(1.0, most / (across + 2 * MARGIN)))


def smallest_text(what: Picture, most: float, direction: str | None = None, lay: Lay = lay_out) -> float:
    """The size in px of the smallest line of text in the drawing on a page of this width."""
    return frame(what, most, direction, lay).scale * _smallest(what)


def seed_room(seed: str) -> float:
    """The length of the arrow of the error signal that enters at the output."""
    return max(_SEED, width(seed, SIZES["wire"], bold=True) + 12.0)


def _smallest(what: Picture) -> float:
    """The smallest line of text at scale 1."""
    marks = (*(box.mark for box in what.boxes), *(wire.mark for wire in what.wires))
    tiles = [cell.tiles for cell in _cells(what) if cell.tiles is not None]
    if what.steps or what.listing or any(marks) or any(part.notes or part.left is not None for part in tiles):
        return _SMALLEST_HERE
    return min(SMALLEST, *(SIZES[cell.role] for cell in _cells(what)))


def _cells(what: Picture) -> Iterator[Cell]:
    for box in what.boxes:
        yield from box.ports
        for row in box.rows:
            yield from row.cells
