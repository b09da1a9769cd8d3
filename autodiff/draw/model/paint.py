"""The colour of each part of a box, the same for all writers."""

from __future__ import annotations

from typing import Final

from autodiff.draw.model.palette import ERROR_COLOURS, ERROR_FILLS
from autodiff.draw.model.picture import Box, Cell, Row

__all__ = ["EDGES", "fill_colour", "text_colour"]

#: The colours of the edges of boxes, by kind; all other kinds have ink.
EDGES: Final = {"parameter": "parameter", "more": "muted", "fold": "muted", "value": "line"}

_PLAIN: Final = ("value", "fold")
_MARKS: Final = ("saturated", "loses")


def fill_colour(box: Box, row: Row, cell: Cell) -> str:
    """The background of a cell: the colour of its lane; plain in boxes off the paths; grey for an error exactly 0."""
    if cell.role == "sign" or (cell.role == "name" and row.lane in ("error", "none")):
        return "rest" if box.ports else f"{box.rows[0].lane}-fill"
    if row.lane == "none" or cell.role == "factor":
        return "paper"
    if box.kind == "value" and cell.role == "value" and len(row.cells) == 1:  # an input without a name
        return f"{row.lane}-fill"
    if box.kind in _PLAIN and cell.role != "name" and (row.lane != "error" or cell.sign):
        return "paper"
    return ERROR_FILLS[cell.sign] if row.lane == "error" else f"{row.lane}-fill"


def text_colour(row: Row, cell: Cell) -> str:
    """The text colour of a cell: ink for names, the colour of lane and sign for values and errors."""
    if cell.role in ("name", "sign", *_MARKS):
        return "ink"
    if row.lane == "none" or cell.role == "factor":
        return "muted"
    return ERROR_COLOURS[cell.sign] if row.lane == "error" else row.lane
