"""The numbers on wires in our SVG: lines of text on a plate of paper, which interrupts the wires behind them."""

from __future__ import annotations

from collections.abc import Iterator

from autodiff.draw.layout.sizes import PLATE_LINE, SIZES, Rect, plate_lines
from autodiff.draw.model.palette import ERROR_COLOURS
from autodiff.draw.model.picture import Wire
from autodiff.draw.writers.svg_shapes import placed
from autodiff.draw.writers.svg_text import line_of_text, px

__all__ = ["wire_plate"]

_ROUND = 5.0


def wire_plate(wire: Wire, place: Rect) -> Iterator[str]:
    """The numbers of a wire."""
    yield f'<g data-plate="{wire.id}"><rect {placed(place)} rx="{px(_ROUND)}" class="paper"/>'
    y = place.y + place.height / 2 - PLATE_LINE * (len(plate_lines(wire)) - 1) / 2
    for text in plate_lines(wire):
        yield line_of_text(place.middle[0], y, text, SIZES["plate"], ERROR_COLOURS[wire.sign])
        y += PLATE_LINE
    yield "</g>"
