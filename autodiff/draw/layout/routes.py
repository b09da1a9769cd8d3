"""Routes of wires: the points from the edge of one box, past the columns between, to the edge of another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final

from autodiff.draw.layout.sizes import Point, Rect
from autodiff.draw.model.picture import Box, Picture, Wire

__all__ = ["DUMMY", "Passes", "by_column", "ends", "passes_of", "route", "thin_columns", "waypoints_of"]

#: For each wire that passes columns between its ends: these columns, from its tail on, and its place in each.
Passes = Mapping[str, Sequence[tuple[int, str]]]

DUMMY: Final = 10.0  # room for a wire that passes a column
_MOST_PLACES: Final = 30_000  # boxes and passing wires together; with more, long wires are drawn straight
_CORNER: Final = 9.0
_MOST_WHOLE: Final = 1_000  # boxes; 10,000 boxes with a weight that 3,000 of them share would take 110 MB


def by_column(picture: Picture) -> dict[int, list[Box]]:
    """The boxes of every column, from top to bottom."""
    columns: dict[int, list[Box]] = {}
    for box in picture.boxes:
        columns.setdefault(box.column, []).append(box)
    return columns


def thin_columns(picture: Picture) -> frozenset[int]:
    """In a network, the column of the parameter if it stands there alone: wires between units pass behind its box."""
    if picture.kind != "network":
        return frozenset()
    return frozenset(
        column for column, boxes in by_column(picture).items() if [box.kind for box in boxes] == ["parameter"]
    )


def passes_of(picture: Picture) -> dict[str, list[tuple[int, str]]]:
    """For each wire that passes columns between its ends: these columns, from its tail on, and its place in each.

    The grey wires that leave one box share one place in a column. If there would be too many places, no wire has any.
    """
    column_of = {box.id: box.column for box in picture.boxes}
    reach: dict[str, int] = {}
    for wire in picture.wires:
        bundle = _bundle(wire)
        reach[bundle] = max(reach.get(bundle, 0), abs(column_of[wire.head] - column_of[wire.tail]) - 1)
    if len(picture.boxes) + sum(reach.values()) > _MOST_PLACES:
        return {}
    thin = thin_columns(picture)
    longest: dict[tuple[str, int], list[tuple[int, str]]] = {}
    found: dict[str, list[tuple[int, str]]] = {}
    for wire in picture.wires:
        start, end = column_of[wire.tail], column_of[wire.head]
        bundle, step = _bundle(wire), 1 if end > start else -1
        passed = [column for column in range(start + step, end, step) if column not in thin]
        way = longest.setdefault((bundle, step), [])
        way += [(column, f"{bundle} at {column}") for column in passed[len(way) :]]
        found[wire.id] = way[: len(passed)]
    return found


def _bundle(wire: Wire) -> str:
    return wire.tail if wire.lane == "rest" else wire.id


def waypoints_of(
    picture: Picture, passes: Passes, tops: Mapping[str, float],
    left: Mapping[int, float], rects: Mapping[str, Rect], top: float,
) -> dict[str, list[Point]]:  # fmt: skip
    """The points where each wire leaves a box or a column or enters one: at its tail, in the columns it passes, and
    before its head.

    In a large picture, a wire starts where it leaves the way that it shares with an earlier one of its bundle.
    """
    wide = {column: max(rects[box.id].width for box in boxes) for column, boxes in by_column(picture).items()}
    column_of = {box.id: box.column for box in picture.boxes}
    found: dict[str, list[Point]] = {}
    ways: dict[str, list[Point]] = {}  # through the columns that the longest wire of each bundle passes
    whole = len(picture.boxes) <= _MOST_WHOLE
    for wire in picture.wires:
        start, end = column_of[wire.tail], column_of[wire.head]
        to_the_left = end > start
        tail, head = ends(wire, rects)
        passed = passes.get(wire.id, ())
        way = ways.setdefault(passed[0][1], []) if passed else []
        shared = 0 if whole else min(len(way), 2 * len(passed))
        for column, place in passed[len(way) // 2 :]:
            y = tops[place] + DUMMY / 2 - top
            sides = [(left[column], y), (left[column] + wide[column], y)]
            way += sides[::-1] if to_the_left else sides
        points = way[max(shared - 1, 0) : 2 * len(passed)]
        if not shared:
            edge = rects[wire.tail].x if to_the_left else rects[wire.tail].right
            points = [(edge, tail), (left[start] if to_the_left else left[start] + wide[start], tail), *points]
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
    """The points of a wire: its waypoints, if it has any, or the edge of its tail, and then the edge of its head."""
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
    return _curve([*(waypoints or [first]), last])


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
