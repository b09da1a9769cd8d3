"""Where everything in a picture stands: sizes from the texts, columns from right to left, nothing on another thing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from math import fsum
from typing import Final

from autodiff.draw.model.picture import Box, Cell, Picture, Wire
from autodiff.words.typeset import width

__all__ = ["SIZES", "Layout", "Point", "Rect", "lay_out"]

Point = tuple[float, float]

#: Font size of each role's text, in pixels.
SIZES: Final = {
    "name": 17.0, "value": 15.0, "error-name": 15.0, "error": 15.0, "share": 13.5, "factor": 13.5, "rest": 14.0,
    "wire": 14.0, "sign": 16.0, "port": 12.5, "way": 12.5,
}  # fmt: skip

BADGE: Final = 22.0  # the room a step's number takes, with its distance to the text

_ROW_HEIGHTS: Final = {
    "name": 30.0, "value": 27.0, "error-name": 30.0, "error": 27.0, "share": 26.0, "factor": 26.0, "sign": 27.0,
}  # fmt: skip
_PORT_PITCH: Final = 20.0
_PORT_PADDING: Final = 8.0
_NARROWEST: Final = 92.0
_PADDING: Final = 11.0
_GAP: Final = 24.0  # between boxes of a column
_COLUMN_GAP: Final = 96.0
_WIRE_ROOM: Final = 18.0  # on each side of a wire's label
_CIRCLE: Final = 42.0
_REST_PITCH: Final = 60.0
_DUMMY: Final = 10.0  # the room of a wire that passes a column
_SWEEPS: Final = 8
_MOST_STEPS: Final = 250_000  # of placing one thing once: what a layout may take, whatever the machine
_CORNER: Final = 9.0
_CLUSTER_PADDING: Final = 14.0
_CLUSTER_LABEL: Final = 24.0
_MOST_PLACES: Final = 30_000  # of boxes and passing wires together; beyond it long wires are drawn straight
_LAYERED: Final = ("shares", "graph", "network")


@dataclass(frozen=True, slots=True)
class Rect:
    """A box's place: its left upper corner, its size, and the middle height of each of its rows and ports.

    The ports take ``inset`` of its width; ``columns`` are the widths of the cells in a row that has several.
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


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """The size of the drawing, a place for every box and cluster, and points for every wire.

    Two points are a line, 4, 7, 10 … cubic curves.
    """

    width: float
    height: float
    boxes: Mapping[str, Rect]
    wires: Mapping[str, tuple[Point, ...]]
    clusters: Mapping[str, Rect]


def lay_out(picture: Picture) -> Layout:
    """Place a picture's boxes and wires; x grows to the right, y downwards, in pixels.

    >>> from autodiff import Value
    >>> from autodiff.draw.views.choose_view import picture
    >>> from autodiff.flow import error_flow
    >>> x, w = Value(3.0, name="x"), Value(2.0, name="w")
    >>> places = lay_out(picture(error_flow(w * x, w))).boxes
    >>> places["n1"].right < places["n0"].x and places["n2"].y < places["n1"].y  # x beside w, above the line
    True
    """
    forms = {box.id: _form(box) for box in picture.boxes}
    sizes = {key: (form.width, form.height) for key, form in forms.items()}
    left = _lefts(picture, sizes)
    layered = picture.kind in _LAYERED
    passes = _passes(picture) if layered else {}
    tops = _tops_of_layers(picture, forms, passes) if layered else _tops_of_rail(picture)
    columns = _columns(picture)
    rects = {}
    for column, boxes in columns.items():
        wide = max(forms[box.id].width for box in boxes)
        for box in boxes:
            form = forms[box.id]
            rects[box.id] = _moved(form, left[column] + (wide - form.width) / 2, tops[box.id])
    clusters = _frames(picture, rects, passes, tops)
    every = [*rects.values(), *clusters.values()]
    passing = [top + _DUMMY / 2 for place, top in tops.items() if place not in forms]  # wires, between their columns
    x, y = min(rect.x for rect in every), min([rect.y for rect in every] + passing)
    rects = {key: _moved(rect, -x, -y) for key, rect in rects.items()}
    clusters = {key: _moved(rect, -x, -y) for key, rect in clusters.items()}
    left = {column: at - x for column, at in left.items()}
    waypoints = _waypoints(picture, passes, tops, left, rects, y) if layered else {}
    wires = {wire.id: _route(picture, wire, rects, waypoints.get(wire.id, ())) for wire in picture.wires}
    every = [*rects.values(), *clusters.values()]
    right = max(rect.right for rect in every)
    bottom = max([rect.y + rect.height for rect in every] + [at - y for at in passing])
    return Layout(right, bottom, rects, wires, clusters)


def _moved(rect: Rect, dx: float, dy: float) -> Rect:
    return replace(
        rect,
        x=rect.x + dx,
        y=rect.y + dy,
        rows=tuple(row + dy for row in rect.rows),
        ports=tuple(port + dy for port in rect.ports),
    )


def _frames(
    picture: Picture, rects: Mapping[str, Rect], passes: Mapping[str, Sequence[tuple[int, str]]],
    tops: Mapping[str, float],
) -> dict[str, Rect]:  # fmt: skip
    """The frames of the clusters: their members with some room, and above them the label, clear of passing wires."""
    if not picture.clusters:
        return {}
    column_of = {box.id: box.column for box in picture.boxes}
    passing: dict[int, set[float]] = {}
    for passed in passes.values():
        for column, place in passed:
            passing.setdefault(column, set()).add(tops[place])
    frames = {}
    for cluster in picture.clusters:
        own = [rects[box] for box in cluster.boxes]
        wires = set().union(*(passing.get(column, set()) for column in {column_of[box] for box in cluster.boxes}))
        frames[cluster.id] = _around(own, wires)
    return frames


def _around(rects: Sequence[Rect], wires: Iterable[float]) -> Rect:
    x, y = min(rect.x for rect in rects) - _CLUSTER_PADDING, min(rect.y for rect in rects)
    for wire in sorted(wires, reverse=True):
        if y - _CLUSTER_LABEL - _DUMMY < wire < y:
            y = wire
    right = max(rect.right for rect in rects) + _CLUSTER_PADDING
    bottom = max(rect.y + rect.height for rect in rects) + _CLUSTER_PADDING
    return Rect(x, y - _CLUSTER_LABEL, right - x, bottom - y + _CLUSTER_LABEL)


# ---- sizes -----------------------------------------------------------------------------------------------------------


def is_rest(box: Box) -> bool:
    """Whether a box is one of the grey circles."""
    return box.rows[0].lane == "rest"


def cell_width(cell: Cell) -> float:
    """The room a cell's text needs, with its step's number."""
    return width(cell.text, SIZES[cell.role], bold=cell.role == "error") + (BADGE if cell.step is not None else 0.0)


def _form(box: Box) -> Rect:
    """A box's size and parts, at (0, 0)."""
    if is_rest(box):
        wide = max(_CIRCLE, width(box.label, SIZES["rest"]) + 16.0)
        return Rect(0.0, 0.0, wide, _CIRCLE, (_CIRCLE / 2,))
    inset = max((cell_width(cell) + 2 * _PORT_PADDING for cell in box.ports), default=0.0)
    columns = _cell_widths(box)
    natural = [max(_ROW_HEIGHTS[cell.role] for cell in row.cells) for row in box.rows]
    height = max(fsum(natural), _PORT_PITCH * len(box.ports) + 6.0 if box.ports else 0.0)
    stretch = height / fsum(natural)
    bottoms = [stretch * bottom for bottom in accumulate(natural)]
    rows = tuple(bottom - stretch * own / 2 for bottom, own in zip(bottoms, natural, strict=True))
    ports = tuple(height * (k + 0.5) / len(box.ports) for k in range(len(box.ports)))
    return Rect(0.0, 0.0, inset + fsum(columns), height, rows, ports, inset, columns)


def _cell_widths(box: Box) -> tuple[float, ...]:
    """The widths of the cells of a row of several: as wide as their texts beside ports, else all the same."""
    most = max(len(row.cells) for row in box.rows)
    wide = [0.0] * most
    for row in box.rows:
        if len(row.cells) == most:
            wide = [max(old, cell_width(cell) + 2 * _PADDING) for old, cell in zip(wide, row.cells, strict=True)]
    if box.rows[0].cells[-1].role == "value" and most > 1:  # a computation graph's
        return tuple(wide)
    whole = max([_NARROWEST, *(fsum(cell_width(cell) + 2 * _PADDING for cell in row.cells) for row in box.rows)])
    return (max(whole / most, *wide, 0.0),) * most


# ---- columns ---------------------------------------------------------------------------------------------------------


def _columns(picture: Picture) -> dict[int, list[Box]]:
    columns: dict[int, list[Box]] = {}
    for box in picture.boxes:
        columns.setdefault(box.column, []).append(box)
    return columns


def _lefts(picture: Picture, sizes: Mapping[str, tuple[float, float]]) -> dict[int, float]:
    """The left edge of every column; the largest number stands leftmost."""
    column_of = {box.id: box.column for box in picture.boxes}
    gaps: dict[int, float] = {}
    for wire in picture.wires:
        head, tail = sorted((column_of[wire.tail], column_of[wire.head]))
        if wire.label and tail == head + 1:
            room = width(wire.label, SIZES["wire"]) + 2 * _WIRE_ROOM + (BADGE if wire.step is not None else 0.0)
            gaps[tail] = max(gaps.get(tail, 0.0), room)
    lefts: dict[int, float] = {}
    x = 0.0
    least = {"shares": _COLUMN_GAP, "network": 84.0}.get(picture.kind, 64.0)
    for column, boxes in sorted(_columns(picture).items(), reverse=True):
        lefts[column] = x
        x += max(sizes[box.id][0] for box in boxes) + max(least, gaps.get(column, 0.0))
    return lefts


def _tops_of_rail(picture: Picture) -> dict[str, float]:
    """The rail on one line at the bottom; the rest of the graph above it, every column around the same height."""
    beside = picture.beside
    columns = [[box for box in boxes if box.id in beside] for boxes in _columns(picture).values()]
    tallest = max(map(len, columns))
    tops = {box.id: 0.0 for box in picture.boxes}
    for rest in columns:
        for k, box in enumerate(rest):
            tops[box.id] = _REST_PITCH * (k - (tallest + len(rest)) / 2) - 8.0
    return tops


# ---- columns in layers -----------------------------------------------------------------------------------------------


def _passes(picture: Picture) -> dict[str, list[tuple[int, str]]]:
    """For each wire that passes columns between its ends: those columns, from its tail on, and the place it has there.

    The grey wires that leave one box pass a column in one place. Where there would be too many places no wire has any.
    """
    column_of = {box.id: box.column for box in picture.boxes}
    reach: dict[str, int] = {}
    for wire in picture.wires:
        bundle = _bundle(wire)
        reach[bundle] = max(reach.get(bundle, 0), abs(column_of[wire.head] - column_of[wire.tail]) - 1)
    if len(picture.boxes) + sum(reach.values()) > _MOST_PLACES:
        return {}
    found: dict[str, list[tuple[int, str]]] = {}
    for wire in picture.wires:
        start, end = column_of[wire.tail], column_of[wire.head]
        step = 1 if end > start else -1
        found[wire.id] = [(column, f"{_bundle(wire)} at {column}") for column in range(start + step, end, step)]
    return found


def _bundle(wire: Wire) -> str:
    return wire.tail if wire.lane == "rest" else wire.id


def _neighbours(
    picture: Picture, forms: Mapping[str, Rect], passes: Mapping[str, Sequence[tuple[int, str]]]
) -> dict[str, list[tuple[str, float]]]:
    """Which boxes and passing wires are joined, and how far below the other's middle: at its port, if it has ports."""
    joined: dict[str, list[tuple[str, float]]] = {}
    for wire in picture.wires:
        consumer = wire.tail if wire.lane == "error" else wire.head
        port = {consumer: _port_below_middle(forms[consumer], wire.port)}
        for one, other in pairwise([wire.tail, *(place for _, place in passes.get(wire.id, ())), wire.head]):
            joined.setdefault(one, []).append((other, port.get(other, 0.0)))
            joined.setdefault(other, []).append((one, port.get(one, 0.0)))
    return joined


def _port_below_middle(form: Rect, port: int | None) -> float:
    return 0.0 if port is None else form.ports[port] - form.height / 2


def _tops_of_layers(
    picture: Picture, forms: Mapping[str, Rect], passes: Mapping[str, Sequence[tuple[int, str]]]
) -> dict[str, float]:
    """Columns in an order with few crossings, every box as near to its neighbours' height as the others allow."""
    members = {column: [box.id for box in boxes] for column, boxes in sorted(_columns(picture).items())}
    for passed in passes.values():
        for column, place in passed:
            members[column].append(place)
    orders = {column: list(dict.fromkeys(order)) for column, order in members.items()}
    heights = {item: forms[item].height if item in forms else _DUMMY for order in orders.values() for item in order}
    joined = _neighbours(picture, forms, passes)
    middles = _stacked(orders, heights)
    sweeps = max(min(_SWEEPS, _MOST_STEPS // len(heights)), 2)
    fixed = picture.kind == "network"  # units stand in the order of their names, wires pass between them
    for sweep in range(sweeps):
        for column in sorted(orders, reverse=bool(sweep % 2)):
            order = orders[column]
            wished = {
                item: _mean([middles[other] + below for other, below in joined.get(item, [(item, 0.0)])])
                for item in order
            }
            if sweep < max(sweeps - 2, 1) and not (fixed and all(item in forms for item in order)):
                order.sort(key=lambda item, wished=wished: round(wished[item], 6))  # type: ignore[misc]
            middles.update(_spaced(order, wished, heights))
    return {item: middle - heights[item] / 2 for item, middle in middles.items()}


def _stacked(orders: Mapping[int, Sequence[str]], heights: Mapping[str, float]) -> dict[str, float]:
    """Every column by itself, its middle at height 0."""
    middles: dict[str, float] = {}
    for order in orders.values():
        gaps = [_gap(one, other, heights) for one, other in pairwise(order)]
        y = -(fsum(heights[item] for item in order) + fsum(gaps)) / 2
        for item, gap in zip(order, [*gaps, 0.0], strict=True):
            middles[item] = y + heights[item] / 2
            y += heights[item] + gap
    return middles


def _gap(one: str, other: str, heights: Mapping[str, float]) -> float:
    """The room between two neighbours of a column: less where wires pass."""
    return _GAP / (1 + (heights[one] == _DUMMY) + (heights[other] == _DUMMY))


def _spaced(order: Sequence[str], wished: Mapping[str, float], heights: Mapping[str, float]) -> dict[str, float]:
    """The middles nearest to the wished ones (least squares) that keep the order and the gaps.

    Without the boxes' heights the middles only have to increase: neighbours that do not are pooled at their mean.
    """
    offset = 0.0
    offsets: dict[str, float] = {}
    pools: list[list[float]] = []
    for k, item in enumerate(order):
        if k:
            offset += _gap(order[k - 1], item, heights) + heights[order[k - 1]] / 2 + heights[item] / 2
        offsets[item] = offset
        pools.append([wished[item] - offset])
        while len(pools) > 1 and _mean(pools[-2]) >= _mean(pools[-1]):
            last = pools.pop()
            pools[-1] += last
    levels = [_mean(pool) for pool in pools for _ in pool]
    return {item: level + offsets[item] for item, level in zip(order, levels, strict=True)}


def _mean(values: Sequence[float]) -> float:
    return fsum(values) / len(values)


def _waypoints(
    picture: Picture, passes: Mapping[str, Sequence[tuple[int, str]]], tops: Mapping[str, float],
    left: Mapping[int, float], rects: Mapping[str, Rect], top: float,
) -> dict[str, list[Point]]:  # fmt: skip
    """Where each wire enters and leaves the columns: its own at both ends, and those it passes."""
    wide = {column: max(rects[box.id].width for box in boxes) for column, boxes in _columns(picture).items()}
    column_of = {box.id: box.column for box in picture.boxes}
    found: dict[str, list[Point]] = {}
    for wire in picture.wires:
        start, end = column_of[wire.tail], column_of[wire.head]
        to_the_left = end > start
        tail, head = _ends(wire, rects)
        points = [(left[start] if to_the_left else left[start] + wide[start], tail)]
        for column, place in passes.get(wire.id, ()):
            y = tops[place] + _DUMMY / 2 - top
            sides = [(left[column], y), (left[column] + wide[column], y)]
            points += sides[::-1] if to_the_left else sides
        points.append((left[end] + wide[end] if to_the_left else left[end], head))
        found[wire.id] = points
    return found


def _ends(wire: Wire, rects: Mapping[str, Rect]) -> tuple[float, float]:
    """The heights at which a wire leaves its tail and reaches its head."""
    tail, head = rects[wire.tail], rects[wire.head]
    back = wire.lane == "error"
    start = tail.ports[wire.port] if wire.port is not None and back else tail.rows[wire.tail_row]
    end = head.ports[wire.port] if wire.port is not None and not back else head.rows[wire.head_row]
    return start, end


# ---- wires -----------------------------------------------------------------------------------------------------------


def _route(picture: Picture, wire: Wire, rects: Mapping[str, Rect], waypoints: Sequence[Point]) -> tuple[Point, ...]:
    tail, head = rects[wire.tail], rects[wire.head]
    above = picture.beside if picture.kind == "rail" else ()
    if wire.tail in above or wire.head in above:
        start = (tail.right, tail.middle[1]) if wire.tail in above else (tail.right - _CORNER, tail.y)
        end = (head.x, head.middle[1]) if wire.head in above else (head.x + _CORNER, head.y)
        return start, end  # it leaves and reaches the rail's boxes at their upper edges, and never crosses the rail
    to_the_left = tail.x > head.x
    leaves, arrives = _ends(wire, rects)
    first = tail.x if to_the_left else tail.right, leaves
    last = head.right if to_the_left else head.x, arrives
    return _curve([first, *waypoints, last])


def _curve(points: Sequence[Point]) -> tuple[Point, ...]:
    """A line where all points are at one height, else curves that leave and arrive horizontally."""
    if all(point[1] == points[0][1] for point in points):
        return (points[0], points[-1])
    path = [points[0]]
    for (x, y), (to_x, to_y) in pairwise(points):
        if (x, y) != (to_x, to_y):
            half = (to_x - x) / 2
            path += [(x + half, y), (to_x - half, to_y), (to_x, to_y)]
    return tuple(path)
