"""Which colour of the palette each part of a box has, the same for all writers."""

from __future__ import annotations

from typing import Final

from autodiff.draw.model.palette import ERROR_COLOURS, ERROR_FILLS
from autodiff.draw.model.picture import Box, Cell, Row

__all__ = ["EDGES", "fill_colour", "text_colour"]

#: The colours of boxes' edges; of all other kinds it is ink.
EDGES: Final = {"parameter": "parameter", "more": "muted", "fold": "muted", "value": "line"}

_PLAIN: Final = ("value", "fold")


def fill_colour(box: Box, row: Row, cell: Cell) -> str:
    """The ground of a cell: of its lane; plain in boxes off the way; an error that is exactly 0 is grey."""
    if cell.role == "sign" or (cell.role == "name" and row.lane in ("error", "none")):
        return "rest" if box.ports else f"{box.rows[0].lane}-fill"
    if row.lane == "none" or cell.role == "factor":
        return "paper"
    if box.kind in _PLAIN and cell.role != "name" and (row.lane != "error" or cell.sign):
        return "paper"
    return ERROR_FILLS[cell.sign] if row.lane == "error" else f"{row.lane}-fill"


def text_colour(row: Row, cell: Cell) -> str:
    """The text of a cell: names in ink, values and errors in the colour of their lane and sign."""
    if cell.role in ("name", "sign"):
        return "ink"
    if row.lane == "none" or cell.role == "factor":
        return "muted"
    return ERROR_COLOURS[cell.sign] if row.lane == "error" else row.lane
