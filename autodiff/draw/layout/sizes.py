"""The sizes of boxes and their parts, computed from their texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, zip_longest
from math import fsum
from typing import Final

from autodiff.draw.layout.tiles import room_of
from autodiff.draw.model.picture import Box, Cell, Wire
from autodiff.words.typeset import width

__all__ = [
    "BADGE", "HATCH", "PLATE_LINE", "SIZES", "Point", "Rect", "below_texts", "cell_width", "form_of", "is_rest",
    "moved", "plate_lines", "plate_of", "widened",
]  # fmt: skip

Point = tuple[float, float]

#: The font size of each role, in pixels.
SIZES: Final = {
    "name": 17.0, "value": 15.0, "error-name": 15.0, "error": 15.0, "share": 13.5, "factor": 13.5, "rest": 14.0,
    "wire": 14.0, "plate": 13.0, "sign": 16.0, "port": 12.5, "way": 12.5, "saturated": 13.5, "loses": 13.5,
    "outer": 13.5,
}  # fmt: skip
HATCH: Final = 24.0  # room for the hatching on each side of a mark, and the gap before the text
BADGE: Final = 22.0  # room for the number of a step and the gap before the text
PLATE_LINE: Final = 20.0  # height of a line of the numbers on a wire
_ROW_HEIGHTS: Final = {
    "name": 30.0, "value": 27.0, "error-name": 30.0, "error": 27.0, "share": 26.0, "factor": 26.0, "sign": 27.0,
    "saturated": 26.0, "loses": 26.0, "outer": 26.0,
}  # fmt: skip
_PORT_PITCH: Final = 20.0
_PORT_PADDING: Final = 8.0
_NARROWEST: Final = 92.0
_PADDING: Final = 11.0
_CIRCLE: Final = 42.0


@dataclass(frozen=True, slots=True)
class Rect:
    """The place of a box: its upper left corner, its size, and the middle height of each row and port.

    The ports take ``inset`` of the width; ``columns`` are the widths of the cells in rows with several cells.
    """

    x: float
    y: float
    width: float
    height: float
    rows: tuple[float, ...] = ()
    ports: tuple[float, ...] = ()
    inset: float = 0.0
    columns: tuple[float, ...] = ()

    @property
    def right(self) -> float:
        """The right edge."""
        return self.x + self.width

    @property
    def middle(self) -> Point:
        """The middle of the box."""
        return self.x + self.width / 2, self.y + self.height / 2


def is_rest(box: Box) -> bool:
    """Whether a box is one of the grey circles."""
    return box.rows[0].lane == "rest"


def cell_width(cell: Cell) -> float:
    """The width of a cell's text with the number of its step or the hatching of its mark."""
    beside = 2 * HATCH if cell.role == "saturated" else BADGE if cell.step is not None else 0.0
    return max(width(cell.text, SIZES[cell.role], bold=cell.role == "error") + beside, room_of(cell)[0])


def below_texts(box: Box) -> list[float]:
    """For each row, the height of its tiles below the texts."""
    return [max(room_of(cell)[1] for cell in row.cells) for row in box.rows]


def form_of(box: Box, below: Sequence[float] = ()) -> Rect:
    """The size and parts of a box placed at (0, 0), with at least these heights ``below`` the texts of its rows."""
    if is_rest(box):
        wide = max(_CIRCLE, width(box.label, SIZES["rest"]) + 16.0)
        return Rect(0.0, 0.0, wide, _CIRCLE, (_CIRCLE / 2,))
    inset = max((cell_width(cell) + 2 * _PORT_PADDING for cell in box.ports), default=0.0)
    columns = _cell_widths(box)
    texts = [max(_ROW_HEIGHTS[cell.role] for cell in row.cells) for row in box.rows]
    least = zip_longest(texts, below_texts(box), below[: len(texts)], fillvalue=0.0)
    natural = [own + max(tiles, common) for own, tiles, common in least]
    height = max(fsum(natural), _PORT_PITCH * len(box.ports) + 6.0 if box.ports else 0.0)
    stretch = height / fsum(natural)
    bottoms = [stretch * bottom for bottom in accumulate(natural)]
    rows = tuple(bottom - stretch * own / 2 for bottom, own in zip(bottoms, natural, strict=True))
    ports = tuple(height * (k + 0.5) / len(box.ports) for k in range(len(box.ports)))
    return Rect(0.0, 0.0, inset + fsum(columns), height, rows, ports, inset, columns)


def _cell_widths(box: Box) -> tuple[float, ...]:
    """The widths of the cells in a row: fitted to their texts in boxes with ports, else equal."""
    most = max(len(row.cells) for row in box.rows)
    rows = [[cell_width(cell) + 2 * _PADDING for cell in row.cells] for row in box.rows]
    wide = [max(0.0, *cells) for cells in zip(*(row for row in rows if len(row) == most), strict=True)]
    across = [*map(fsum, rows)]
    if box.rows[0].cells[-1].role == "value" and most > 1:  # a box of a computation graph
        return (*wide[:-1], max(wide[-1], max(across) - fsum(wide[:-1])))
    whole = max(_NARROWEST, *across)
    return (max(whole / most, *wide, 0.0),) * most


def moved(rect: Rect, dx: float, dy: float) -> Rect:
    return replace(
        rect,
        x=rect.x + dx,
        y=rect.y + dy,
        rows=tuple(row + dy for row in rect.rows),
        ports=tuple(port + dy for port in rect.ports),
    )


def widened(form: Rect, wide: float) -> Rect:
    """A form with wider cells."""
    room = wide - form.inset
    now = fsum(form.columns)
    return replace(form, width=wide, columns=tuple(column * room / now for column in form.columns))


def plate_lines(wire: Wire) -> tuple[str, ...]:
    """The lines of text on a wire: its numbers, and the words about what it loses."""
    return (*(cell.text for cell in wire.numbers), *filter(None, [wire.label]))


def plate_of(wire: Wire) -> Rect:
    """The size of the numbers on a wire, placed at (0, 0)."""
    lines = plate_lines(wire)
    wide = max(width(line, SIZES["plate"]) for line in lines)
    return Rect(0.0, 0.0, wide, PLATE_LINE * len(lines))
