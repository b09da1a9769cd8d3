"""Routes of wires: the points from the edge of one box, past the columns between, to the edge of another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final

from autodiff.draw.layout.columns import DUMMY, Passes, by_column
from autodiff.draw.layout.sizes import Point, Rect
from autodiff.draw.model.picture import Picture, Wire

__all__ = ["ends", "route", "waypoints_of"]

_CORNER: Final = 9.0


def waypoints_of(
    picture: Picture, passes: Passes, tops: Mapping[str, float],
    left: Mapping[int, float], rects: Mapping[str, Rect], top: float,
) -> dict[str, list[Point]]:  # fmt: skip
    """The points where each wire enters and leaves columns: at both ends and in the columns it passes."""
    wide = {column: max(rects[box.id].width for box in boxes) for column, boxes in by_column(picture).items()}
    column_of = {box.id: box.column for box in picture.boxes}
    found: dict[str, list[Point]] = {}
    for wire in picture.wires:
        start, end = column_of[wire.tail], column_of[wire.head]
        to_the_left = end > start
        tail, head = ends(wire, rects)
        points = [(left[start] if to_the_left else left[start] + wide[start], tail)]
        for column, place in passes.get(wire.id, ()):
            y = tops[place] + DUMMY / 2 - top
            sides = [(left[column], y), (left[column] + wide[column], y)]
            points += sides[::-1] if to_the_left else sides
        points.append((left[end] + wide[end] if to_the_left else left[end], head))
        found[wire.id] = points
    return found


def ends(wire: Wire, rects: Mapping[str, Rect]) -> tuple[float, float]:
    """The heights at which a wire leaves its tail and reaches its head."""
    tail, head = rects[wire.tail], rects[wire.head]
    back = wire.lane == "error"
    start = tail.ports[wire.port] if wire.port is not None and back else tail.rows[wire.tail_row]
    end = head.ports[wire.port] if wire.port is not None and not back else head.rows[wire.head_row]
    return start, end


def route(picture: Picture, wire: Wire, rects: Mapping[str, Rect], waypoints: Sequence[Point]) -> tuple[Point, ...]:
    """The points of a wire: its waypoints, between the edges of the boxes it joins."""
    tail, head = rects[wire.tail], rects[wire.head]
    above = picture.beside if picture.kind == "rail" else ()
    if wire.tail in above or wire.head in above:
        start = (tail.right, tail.middle[1]) if wire.tail in above else (tail.right - _CORNER, tail.y)
        end = (head.x, head.middle[1]) if wire.head in above else (head.x + _CORNER, head.y)
        return start, end  # it joins boxes of the rail at their upper edges, so it never crosses the rail
    to_the_left = tail.x > head.x
    leaves, arrives = ends(wire, rects)
    first = tail.x if to_the_left else tail.right, leaves
    last = head.right if to_the_left else head.x, arrives
    return _curve([first, *waypoints, last])


def _curve(points: Sequence[Point]) -> tuple[Point, ...]:
    """A line if all points are at one height, else curves that start and end horizontally."""
    if all(point[1] == points[0][1] for point in points):
        return (points[0], points[-1])
    path = [points[0]]
    for (x, y), (to_x, to_y) in pairwise(points):
        if (x, y) != (to_x, to_y):
            half = (to_x - x) / 2
            path += [(x + half, y), (to_x - half, to_y), (to_x, to_y)]
    return tuple(path)
