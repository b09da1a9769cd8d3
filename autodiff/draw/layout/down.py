"""Layout from top to bottom: inputs at the top, the output at the bottom, for long chains on narrow pages.

Everything is placed as from left to right with width and height exchanged, and exchanged back at the end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from autodiff.draw.layout.columns import tops_of_layers, tops_of_rail
from autodiff.draw.layout.fan import fan, on_its_wire
from autodiff.draw.layout.positions import Layout
from autodiff.draw.layout.routes import by_column, passes_of, route, waypoints_of
from autodiff.draw.layout.sizes import BADGE, PLATE_LINE, SIZES, Point, Rect, form_of, moved, plate_lines
from autodiff.draw.model.picture import Box, Picture, Wire
from autodiff.words.typeset import width

__all__ = ["KINDS", "lay_out_down"]

#: The kinds of pictures that can run from top to bottom: in the others, inputs have ports on the left of a box.
KINDS: Final = ("rail", "shares", "network")

_ROW_GAP: Final = 60.0
_FORWARD: Final = 0.32  # of the width of a box: where its values leave and arrive
_ERROR: Final = 0.68
_CLOSER: Final = 0.85  # of the distances between grey circles in a rail from left to right
_BESIDE: Final = 10.0  # between a wire and its label


def lay_out_down(picture: Picture, beside: float = 0.0) -> Layout:
    """Place the boxes and wires of a picture from top to bottom.

    The width leaves out the ``beside`` px on the right of the output, where its seed enters.

    >>> from autodiff import Value
    >>> from autodiff.draw.views.choose_view import picture
    >>> from autodiff.flow import error_flow
    >>> x, w = Value(3.0, name="x"), Value(2.0, name="w")
    >>> places = lay_out_down(picture(error_flow(w * x, w))).boxes
    >>> places["n1"].y + places["n1"].height < places["n0"].y  # w above w·x
    True
    """
    forms = {box.id: form_of(box) for box in picture.boxes}
    turned = {box.id: _turned(box, forms[box.id]) for box in picture.boxes}
    is_rail = picture.kind == "rail"
    passes = {} if is_rail else passes_of(picture)
    tops = _rail_tops(picture, forms) if is_rail else tops_of_layers(picture, turned, passes)
    heights = _tops_of_rows(picture, forms)
    places = {}
    for column, boxes in by_column(picture).items():
        high = max(forms[box.id].height for box in boxes)
        for box in boxes:
            places[box.id] = moved(turned[box.id], heights[column] + (high - forms[box.id].height) / 2, tops[box.id])
    if picture.kind == "network":
        places = on_its_wire(picture, places)
    waypoints = {} if is_rail else waypoints_of(picture, passes, tops, heights, places, 0.0)
    wires = {wire.id: route(picture, wire, places, waypoints.get(wire.id, ())) for wire in picture.wires}
    if picture.kind == "network":
        wires |= fan(picture, passes, places)
    labels = [end for wire in picture.wires for end in _label_ends(wire, wires[wire.id])]
    across = [y for points in wires.values() for _, y in points] + labels
    left = min([place.y for place in places.values()] + across)
    rects = {id: moved(forms[id], place.y - left, place.x) for id, place in places.items()}
    right = max([rect.right for rect in rects.values()] + [y - left for y in across])
    output = max(rects[box.id].right for box in picture.boxes if not box.column)
    right = max(right - beside, output)
    bottom = max(rect.y + rect.height for rect in rects.values())
    down = {id: tuple((y - left, x) for x, y in points) for id, points in wires.items()}
    return Layout(right, bottom, rects, down, {}, down=True)


def _turned(box: Box, form: Rect) -> Rect:
    """A form with width and height exchanged; its rows are where wires meet its upper and lower edge."""
    blocks = max(sum(row.cells[0].role == "name" for row in box.rows), 1)
    arriving = max(sum(row.cells[0].role == "share" for row in box.rows), 1)
    rows, block, shares = [], -1, 0
    for row in box.rows:
        block += row.cells[0].role == "name"
        part = 0.5 if row.lane == "rest" else _ERROR if row.lane in ("error", "none") else _FORWARD
        if row.cells[0].role == "share":
            shares += 1
            part = 0.5 + 0.5 * (shares - 0.5) / arriving
        rows.append(form.width * (max(block, 0) + part) / blocks)
    return Rect(0.0, 0.0, form.height, form.width, tuple(rows))


def _rail_tops(picture: Picture, forms: Mapping[str, Rect]) -> dict[str, float]:
    """The rail on one vertical line, and the rest of the graph to its left."""
    beside = picture.beside
    widest = max(forms[box.id].width for box in picture.boxes if box.id not in beside)
    tops = tops_of_rail(picture, {id: form.width / _CLOSER for id, form in forms.items()})
    on_it = {id: -form.width / 2 for id, form in forms.items()}
    return on_it | {id: _CLOSER * tops[id] - widest / 2 for id in beside}


def _tops_of_rows(picture: Picture, forms: Mapping[str, Rect]) -> dict[int, float]:
    """The upper edge of every row of boxes, with room for the numbers on wires between the rows."""
    column_of = {box.id: box.column for box in picture.boxes}
    room: dict[int, float] = {}
    for wire in picture.wires:
        if wire.numbers:
            last = max(column_of[wire.tail], column_of[wire.head])
            room[last] = max(room.get(last, 0.0), PLATE_LINE * (1 + len(plate_lines(wire))))
    found: dict[int, float] = {}
    y = 0.0
    for column, boxes in sorted(by_column(picture).items(), reverse=True):
        found[column] = y
        y += max(forms[box.id].height for box in boxes) + _ROW_GAP + room.get(column, 0.0)
    return found


def _label_ends(wire: Wire, points: Sequence[Point]) -> tuple[float, ...]:
    """The far end of a label beside a wire: of an error on its right, of a value on its left."""
    if not wire.label or wire.numbers:
        return ()
    wide = _BESIDE + width(wire.label, SIZES["wire"]) + (BADGE if wire.step is not None else 0.0)
    middle = (points[0][1] + points[-1][1]) / 2
    return (middle + (wide if wire.lane == "error" else -wide),)
