"""The fan of a network: straight wires between neighbouring layers, and the parameter's box on its own wire."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from math import fsum
from typing import Final

from autodiff.draw.layout.columns import dense_gaps
from autodiff.draw.layout.routes import Passes, by_column, ends, thin_columns
from autodiff.draw.layout.sizes import Point, Rect, is_rest, moved, widened
from autodiff.draw.model.picture import Picture, Wire

__all__ = ["fan", "of_one_width", "on_its_wire"]

_CLEAR: Final = 3.0  # between a wire and a box that it passes

_Span = tuple[float, float]


def of_one_width(picture: Picture, forms: Mapping[str, Rect]) -> dict[str, Rect]:
    """The forms of the units on the error's path, in each column as wide as the widest."""
    found: dict[str, Rect] = {}
    for boxes in by_column(picture).values():
        units = [box.id for box in boxes if not is_rest(box)]
        wide = max((forms[unit].width for unit in units), default=0.0)
        found.update((unit, widened(forms[unit], wide)) for unit in units)
    return found


def on_its_wire(picture: Picture, rects: Mapping[str, Rect]) -> dict[str, Rect]:
    """The places, with the parameter's box moved up or down onto the line between the boxes that its values join."""
    found, columns = dict(rects), by_column(picture)
    for column in thin_columns(picture):
        (box,) = columns[column]
        own = [wire for wire in picture.wires if wire.lane == "forward" and box.id in (wire.tail, wire.head)]
        came = [(rects[wire.tail].right, rects[wire.tail].rows[wire.tail_row]) for wire in own if wire.head == box.id]
        goes = [(rects[wire.head].x, rects[wire.head].rows[wire.head_row]) for wire in own if wire.tail == box.id]
        if goes:
            place = rects[box.id]
            (x, y), (to_x, to_y) = _mean(came or goes), _mean(goes)
            part = (place.middle[0] - x) / (to_x - x) if came else 0.0
            row = next(wire.tail_row for wire in own if wire.tail == box.id)
            found[box.id] = moved(place, 0.0, y + part * (to_y - y) - place.rows[row])
    return found


def fan(picture: Picture, passes: Passes, rects: Mapping[str, Rect]) -> dict[str, tuple[Point, ...]]:
    """The points of the wires in dense gaps, all those of a network: straight from box to box.

    On a side of a column where such a line would run behind another box of the column, all wires start at the column's
    edge, and level lines lead there.
    """
    inside = {column: [(box.id, rects[box.id]) for box in boxes] for column, boxes in by_column(picture).items()}
    spans = {
        column: (min(rect.x for _, rect in own), max(rect.right for _, rect in own)) for column, own in inside.items()
    }
    column_of = {box.id: box.column for box in picture.boxes}
    dense = dense_gaps(picture)
    wires = [
        wire for wire in picture.wires
        if not passes.get(wire.id) and column_of[wire.tail] != column_of[wire.head]
        and max(column_of[wire.tail], column_of[wire.head]) in dense
    ]  # fmt: skip
    lines = {wire.id: _from_edge_to_edge(wire, rects) for wire in wires}
    level: set[tuple[int, bool]] = set()
    for wire in wires:
        for end, other in ((wire.tail, wire.head), (wire.head, wire.tail)):
            side = column_of[end], rects[other].x > rects[end].x
            if side not in level and _meets(lines[wire.id], [rect for id, rect in inside[side[0]] if id != end]):
                level.add(side)
    found = {}
    for wire in wires:
        start, last = lines[wire.id]
        to_the_right = last[0] > start[0]
        points = [start]
        if (column_of[wire.tail], to_the_right) in level:
            points.append((spans[column_of[wire.tail]][to_the_right], start[1]))
        if (column_of[wire.head], not to_the_right) in level:
            points.append((spans[column_of[wire.head]][not to_the_right], last[1]))
        found[wire.id] = tuple(_bent([*points, last]))
    return found


def _mean(points: Sequence[Point]) -> Point:
    return fsum(x for x, _ in points) / len(points), fsum(y for _, y in points) / len(points)


def _from_edge_to_edge(wire: Wire, rects: Mapping[str, Rect]) -> tuple[Point, Point]:
    tail, head = rects[wire.tail], rects[wire.head]
    leaves, arrives = ends(wire, rects)
    if tail.x > head.x:
        return (tail.x, leaves), (head.right, arrives)
    return (tail.right, leaves), (head.x, arrives)


def _meets(line: tuple[Point, Point], rects: Sequence[Rect]) -> bool:
    """Whether a line runs behind one of the boxes, or very close to it."""
    (x, y), (to_x, to_y) = sorted(line)
    for rect in rects:
        left, right = max(x, rect.x), min(to_x, rect.right)
        if left < right:
            heights = [y + (to_y - y) * (at - x) / (to_x - x) for at in (left, right)]
            if min(heights) < rect.y + rect.height + _CLEAR and max(heights) > rect.y - _CLEAR:
                return True
    return False


def _bent(points: Sequence[Point]) -> Iterator[Point]:
    """The points of one straight line; of several, each as a curve, since a wire is either one line or curves."""
    points = [point for point, following in pairwise([*points, (-1.0, -1.0)]) if point != following]
    yield points[0]
    if len(points) == 2:
        yield points[1]
        return
    for (x, y), (to_x, to_y) in pairwise(points):
        for part in (1 / 3, 2 / 3):
            yield x + part * (to_x - x), y + part * (to_y - y)
        yield to_x, to_y
