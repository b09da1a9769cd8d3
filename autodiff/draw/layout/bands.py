"""Wrapping of wide drawings: the columns in bands, read like lines of text, with each wire led on to the next band."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import hypot, inf
from typing import Any, Final, NamedTuple

from autodiff.draw.layout.columns import dense_gaps
from autodiff.draw.layout.down import KINDS, lay_out_down
from autodiff.draw.layout.positions import Layout, lay_out
from autodiff.draw.layout.routes import by_column
from autodiff.draw.layout.sizes import Point, Rect, moved
from autodiff.draw.model.picture import Picture

__all__ = ["DIRECTIONS", "Lay", "bands_of", "check_direction", "lay_out_in_bands", "lay_out_within"]

#: In which a drawing can run from its inputs to its output.
DIRECTIONS: Final = ("right", "down")
Lay = Callable[[Picture, float | None], Layout]

_LANE: Final = 7.0  # between wires that are led on side by side
_EDGE: Final = 24.0  # between the boxes of a band and the nearest lane
_NO_LABELS: Final = 100.0  # a gap between columns that is wider has labels on its wires
_ROUND: Final = 8.0
_MOST_COLUMNS: Final = 400  # wider drawings are for zooming
_BAND_COST: Final = 1000.0
_FRAME_COST: Final = 20.0


def lay_out_within(
    picture: Picture, most: float | None, beside: float = 0.0, direction: str | None = None, lay: Lay = lay_out
) -> Layout:
    """`lay_out`, with the columns wrapped into bands where the drawing is wider than ``most`` px.

    Where it then is less high, or fits and the bands do not, it runs from top to bottom; there are ``beside`` px more
    on the right of the output. With a ``direction``, it runs in that one; a graph with ports only to the right. ``lay``
    is `lay_out`, or remembers what it returned.

    Wires that lead from one band to the next run in lanes around the ends of the bands, so that they cross no box.

    >>> from autodiff import Value
    >>> from autodiff.draw.views.computation import computation
    >>> x = Value(0.5, name="x")
    >>> what = computation(((((x * x) * x) * x) * x) * x)
    >>> lay_out_within(what, None).width > 1000.0 > lay_out_within(what, 600.0).width
    True
    """
    check_direction(picture, direction)
    if direction == "down" and picture.kind in KINDS:
        return lay_out_down(picture, beside)
    if most is None:
        return lay(picture, None)
    wrapped = lay_out_in_bands(picture, most, lay)
    fits = wrapped.width <= most
    if direction == "right" or picture.kind not in KINDS or (fits and (picture.kind == "shares" or not wrapped.bands)):
        return wrapped  # shares that fit cross less in bands
    down = lay_out_down(picture, beside)
    if picture.kind == "network" and min(wrapped.width, down.width) > most:
        return down  # bands would cut the fan
    return min((wrapped, down), key=lambda made: (max(made.width, most), made.height))


def check_direction(picture: Picture, direction: str | None) -> None:
    """Refuse to lay out a graph from top to bottom."""
    if direction == "down" and picture.kind == "graph":
        raise ValueError(
            "the view 'graph' runs to the right only, since inputs have their ports on the left of a box; with "
            "direction='down', use the view 'rail', 'shares' or 'network'"
        )


def lay_out_in_bands(picture: Picture, most: float, lay: Lay = lay_out) -> Layout:
    """`lay_out`, with the columns, if there are several, wrapped where it is wider than ``most``."""
    layout = _in_one_piece(picture, most, lay)
    wrapped = _wrapped(picture, layout, most)
    return layout if wrapped is None else wrapped.layout()


def bands_of(picture: Picture, most: float, lay: Lay = lay_out) -> Mapping[str, int]:
    """The ``bands`` of `lay_out_in_bands`, without any routes of wires."""
    if not _has_bands(picture):
        return {}
    layout = _in_one_piece(picture, most, lay)
    wrapped = _wrapped(picture, layout, most)
    return {} if wrapped is None else {key: wrapped.band_at(rect.x) for key, rect in layout.boxes.items()}


def _in_one_piece(picture: Picture, most: float, lay: Lay) -> Layout:
    """The layout before it is wrapped; only that of a picture with a fan depends on the width."""
    return lay(picture, most if dense_gaps(picture) else None)


def _has_bands(picture: Picture) -> bool:
    return 1 < len(by_column(picture)) <= _MOST_COLUMNS


def _wrapped(picture: Picture, layout: Layout, most: float) -> _Wrapped | None:
    if layout.width <= most or not _has_bands(picture):
        return None
    spans = [
        (min(layout.boxes[box.id].x for box in boxes), max(layout.boxes[box.id].right for box in boxes))
        for _, boxes in sorted(by_column(picture).items(), reverse=True)
    ]
    return _Wrapped(layout, spans, most)


class _Piece(NamedTuple):
    """A piece of a wire from left to right: a line, or a curve that starts and ends level."""

    start: Point
    controls: tuple[Point, ...]
    end: Point

    def heights(self, cut: float) -> Point:
        """The heights at which the piece reaches a cut and goes on behind it."""
        (x, y), (to_x, to_y) = self.start, self.end
        if self.controls:
            return y, to_y
        height = y + (to_y - y) * (cut - x) / (to_x - x)
        return height, height


@dataclass(frozen=True, slots=True)
class _Band:
    """A band: its ends and its lower edge before it is moved, and how far it is moved."""

    left: float
    right: float
    bottom: float
    dx: float
    dy: float

    def at(self, x: float, y: float) -> Point:
        return x + self.dx, y + self.dy


class _Wrapped:
    """Wraps one layout whose columns have these spans, from left to right."""

    def __init__(self, layout: Layout, spans: Sequence[tuple[float, float]], most: float) -> None:
        self.old, self.spans = layout, spans
        self.gaps = [(one[1] + other[0]) / 2 for one, other in pairwise(spans)]
        #: at each gap, the room between the boxes at the ends of bands and the nearest lane
        self.rooms = [wide if wide > _NO_LABELS else _EDGE for wide in (b[0] - a[1] for a, b in pairwise(spans))]
        self.pieces = {key: _pieces(points) for key, points in layout.wires.items()}
        self.lanes = self.lanes_at_gaps()
        starts = self.starts(most)
        self.cuts = [k - 1 for k in starts[1:]]  # positions in ``gaps``
        self.ends = [self.gaps[cut] for cut in self.cuts]
        self.bands = self.placed(starts)
        self.paths: dict[tuple[Any, ...], tuple[Point, ...]] = {}

    def lanes_at_gaps(self) -> list[list[int]]:
        """For each gap between columns, the heights at which wires cross it, each once."""
        found: list[set[int]] = [set() for _ in self.gaps]
        for pieces in self.pieces.values():
            for piece in pieces:
                for k in range(bisect_right(self.gaps, piece.start[0]), bisect_left(self.gaps, piece.end[0])):
                    found[k].add(round(piece.heights(self.gaps[k])[0]))
        return [sorted(heights) for heights in found]

    def starts(self, most: float) -> list[int]:
        """The first column of each band: as few bands as possible, cut where few wires cross, and not in a frame."""
        loads = [0, *map(len, self.lanes), 0]
        rooms = [0.0, *self.rooms, 0.0]
        costs: list[float] = [*loads]
        for frame in self.old.clusters.values():
            for k, gap in enumerate(self.gaps, start=1):
                costs[k] += _FRAME_COST * (frame.x < gap < frame.right)
        best: list[tuple[float, int]] = [(0.0, 0)]
        for end in range(1, len(self.spans) + 1):
            found = (inf, 0)
            for start in range(end - 1, -1, -1):
                beside = _LANE * (loads[start] + loads[end]) + rooms[start] + rooms[end]
                wide = self.spans[end - 1][1] - self.spans[start][0] + beside + _EDGE
                if wide > most and start < end - 1:
                    break
                found = min(found, (best[start][0] + _BAND_COST + costs[end], start))
            best.append(found)
        starts = [best[-1][1]]
        while starts[0]:
            starts.insert(0, best[starts[0]][1])
        return starts

    def placed(self, starts: Sequence[int]) -> list[_Band]:
        """The bands one below the other, with room for their lanes; the last one ends where the widest ends."""
        lanes = [0, *(len(self.lanes[cut]) for cut in self.cuts), 0]
        ends = [*starts[1:], len(self.spans)]
        sides = [(self.spans[start][0], self.spans[end - 1][1]) for start, end in zip(starts, ends, strict=True)]
        bands, y = [], 0.0
        for k, ((left, right), heights) in enumerate(zip(sides, self.heights(sides), strict=True)):
            top, bottom = min(heights), max(heights)
            indent = lanes[k] * _LANE + self.rooms[starts[k] - 1] if k else 0.0
            bands.append(_Band(left, right, bottom, indent - left, y - top))
            y += bottom - top + 2 * _EDGE + _LANE * lanes[k + 1]
        return bands

    def heights(self, sides: Sequence[tuple[float, float]]) -> list[list[float]]:
        """The heights of everything in each band; the bands are given by their left and right ends."""
        found: list[list[float]] = [[] for _ in sides]
        lefts, rights = zip(*sides, strict=True)
        for rect in (*self.old.boxes.values(), *self.old.clusters.values()):
            for k in range(bisect_right(rights, rect.x), bisect_left(lefts, rect.right)):
                found[k] += (rect.y, rect.y + rect.height)
        for pieces in self.pieces.values():
            for piece in pieces:
                for k in range(bisect_right(rights, piece.start[0]), bisect_left(lefts, piece.end[0])):
                    found[k] += (piece.start[1], piece.end[1])
        return found

    def layout(self) -> Layout:
        boxes = {key: self.moved(rect) for key, rect in self.old.boxes.items()}
        frames = {key: list(self.frame_parts(frame)) for key, frame in self.old.clusters.items()}
        wires = {}
        for key, pieces in self.pieces.items():
            points = tuple(self.wire(pieces))
            old = self.old.wires[key]
            wires[key] = points[::-1] if old[0][0] > old[-1][0] else points
        rects = [*boxes.values(), *(part for parts in frames.values() for part in parts)]
        right = max([rect.right for rect in rects] + [x for points in wires.values() for x, _ in points])
        bottom = max([rect.y + rect.height for rect in rects] + [y for points in wires.values() for _, y in points])
        clusters = {key: parts[0] for key, parts in frames.items()}
        more = {key: tuple(parts[1:]) for key, parts in frames.items()}
        bands = {key: self.band_at(rect.x) for key, rect in self.old.boxes.items()}
        return Layout(right, bottom, boxes, wires, clusters, more, bands=bands)

    def moved(self, rect: Rect) -> Rect:
        band = self.bands[self.band_at(rect.x)]
        return moved(rect, band.dx, band.dy)

    def band_at(self, x: float) -> int:
        return bisect_left(self.ends, x)

    def frame_parts(self, frame: Rect) -> Iterator[Rect]:
        """The part of a frame in each band that it spans."""
        for band in self.bands[self.band_at(frame.x) : self.band_at(frame.right) + 1]:
            left, right = max(frame.x, band.left - _EDGE / 2), min(frame.right, band.right + _EDGE / 2)
            yield moved(replace(frame, x=left, width=right - left), band.dx, band.dy)

    def wire(self, pieces: Sequence[_Piece]) -> Iterator[Point]:
        """The points of a wire from left to right, led on at each cut."""
        k = self.band_at(pieces[0].start[0])
        if len(pieces) == 1 and not pieces[0].controls and k == self.band_at(pieces[0].end[0]):
            yield from (self.bands[k].at(*pieces[0].start), self.bands[k].at(*pieces[0].end))
            return
        at: Point = self.bands[k].at(*pieces[0].start)
        yield at
        for piece in pieces:
            whole = True
            while k < len(self.cuts) and piece.start[0] < self.gaps[self.cuts[k]] < piece.end[0]:
                out, back = piece.heights(self.gaps[self.cuts[k]])
                path = self.path(at, k, out if whole else back, back)
                yield from path
                at, k, whole = path[-1], k + 1, False
            end = self.bands[k].at(*piece.end)
            if whole and piece.controls:
                yield from (self.bands[k].at(*control) for control in piece.controls)
                yield end
            elif at != end:
                yield from _line(at, end)
            at = end

    def path(self, *way: Any) -> tuple[Point, ...]:
        """The points of `led_on`, computed once: the grey wires that leave one box run together."""
        found = self.paths.get(way)
        if found is None:
            found = self.paths[way] = tuple(self.led_on(*way))
        return found

    def led_on(self, start: Point, k: int, out: float, back: float) -> Iterator[Point]:
        """From a point in band k around its right end, and back on the left to the next band; wires do not cross."""
        room = self.rooms[self.cuts[k]]
        band, following, lanes = self.bands[k], self.bands[k + 1], self.lanes[self.cuts[k]]
        place = bisect_left(lanes, out)
        if place and (place == len(lanes) or out - lanes[place - 1] <= lanes[place] - out):
            place -= 1
        near = len(lanes) - 1 - place
        right = band.right + band.dx + room + near * _LANE
        gutter = band.bottom + band.dy + _EDGE + near * _LANE
        entry = following.left + following.dx
        left, (_, low) = entry - room - place * _LANE, following.at(0.0, back)
        down = [start, (right, out + band.dy), (right, gutter)]
        yield from _bent([*down, (left, gutter), (left, low), (entry - _EDGE / 3, low)])


def _pieces(points: Sequence[Point]) -> list[_Piece]:
    """The pieces of a wire, from left to right."""
    points = points[::-1] if points[0][0] > points[-1][0] else points
    if len(points) == 2:
        return [_Piece(points[0], (), points[1])]
    return [_Piece(points[k], tuple(points[k + 1 : k + 3]), points[k + 3]) for k in range(0, len(points) - 1, 3)]


def _line(start: Point, end: Point) -> Iterator[Point]:
    """A straight line as a curve, without its start."""
    for part in (1 / 3, 2 / 3):
        yield start[0] + part * (end[0] - start[0]), start[1] + part * (end[1] - start[1])
    yield end


def _bent(corners: Sequence[Point]) -> Iterator[Point]:
    """Straight lines with round corners as curves, without the start."""
    at = corners[0]
    for corner, following in pairwise(corners[1:]):
        before, behind = _toward(corner, at), _toward(corner, following)
        yield from _line(at, before)
        yield from (corner, corner, behind)
        at = behind
    yield from _line(at, corners[-1])


def _toward(corner: Point, other: Point) -> Point:
    """A point near a corner on the line to another point, at most half-way."""
    size = hypot(other[0] - corner[0], other[1] - corner[1])
    part = min(_ROUND / size, 0.5) if size else 0.0
    return corner[0] + part * (other[0] - corner[0]), corner[1] + part * (other[1] - corner[1])
