"""Places for the numbers on wires: on the wire itself, clear of boxes, of each other and of other numbered wires."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import fsum
from typing import Final

from autodiff.draw.layout.positions import Layout
from autodiff.draw.layout.sizes import Point, Rect, plate_of
from autodiff.draw.model.picture import Picture, Wire

__all__ = ["plates"]

_PARTS: Final = tuple(k / 40 for k in range(4, 37))  # of a wire's length, where its numbers may stand
_APART: Final = 3.0
_PIECES: Final = 6  # straight pieces of a curve


def plates(picture: Picture, layout: Layout) -> dict[str, Rect]:
    """The place of the numbers of each wire that has any; a wire without room for them has no place.

    Wide wires come first. Numbers stand near the end at which their wire is apart from other numbered wires.
    """
    numbered = [wire for wire in picture.wires if wire.numbers]
    lines = {wire.id: list(_straightened(layout.wires[wire.id])) for wire in numbered}
    taken = list(layout.boxes.values())
    found: dict[str, Rect] = {}
    for wire in sorted(numbered, key=lambda wire: (not wire.loses, -wire.width)):
        form, others = plate_of(wire), [line for id, line in lines.items() if id != wire.id]
        wished = _wished(wire, numbered)
        best: tuple[float, float, Rect] | None = None
        for part, (x, y) in zip(_PARTS, _at(lines[wire.id], _PARTS), strict=True):
            place = Rect(x - form.width / 2, y - form.height / 2, form.width, form.height)
            if place.x < 0.0 or place.right > layout.width or any(_overlap(place, other) for other in taken):
                continue
            crossed = sum(_crosses(line, place) for line in others)
            cost = crossed, abs(part - wished)
            if best is None or cost < best[:2]:
                best = *cost, place
        if best is not None:
            found[wire.id] = best[2]
            taken.append(best[2])
    return found


def _wished(wire: Wire, numbered: Sequence[Wire]) -> float:
    """The part of the length at which the wires that share an end with this one have separated."""
    beside = sum(other.head == wire.head for other in numbered) - sum(other.tail == wire.tail for other in numbered)
    return 0.5 if not beside else 0.3 if beside > 0 else 0.7


def _straightened(points: Sequence[Point]) -> Iterator[Point]:
    """The points of a line, or of straight pieces along its curves."""
    yield points[0]
    if len(points) == 2:
        yield points[1]
        return
    for k in range(0, len(points) - 1, 3):
        for step in range(1, _PIECES + 1):
            t = step / _PIECES
            weights = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3
            x, y = (fsum(w * p[axis] for w, p in zip(weights, points[k : k + 4], strict=True)) for axis in (0, 1))
            yield x, y


def _at(line: Sequence[Point], parts: Sequence[float]) -> Iterator[Point]:
    """The points at these parts of the length."""
    sizes = [abs(b[0] - a[0]) + abs(b[1] - a[1]) for a, b in pairwise(line)]
    length = fsum(sizes)
    for part in parts:
        left, found = part * length, line[-1]
        for (a, b), size in zip(pairwise(line), sizes, strict=True):
            if size and left <= size:
                found = a[0] + left / size * (b[0] - a[0]), a[1] + left / size * (b[1] - a[1])
                break
            left -= size
        yield found


def _overlap(one: Rect, other: Rect) -> bool:
    across = min(one.right, other.right) - max(one.x, other.x)
    down = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    return across > -_APART and down > -_APART


def _crosses(line: Sequence[Point], place: Rect) -> bool:
    """Whether a line of straight pieces runs through a place."""
    return any(_cut(a, b, place) for a, b in pairwise(line))


def _cut(a: Point, b: Point, place: Rect) -> bool:
    """Whether a straight piece has a part inside (the method of Liang and Barsky)."""
    low, high = 0.0, 1.0
    for axis, least, most in ((0, place.x, place.right), (1, place.y, place.y + place.height)):
        moves = b[axis] - a[axis]
        if not moves:
            if not least < a[axis] < most:
                return False
            continue
        one, other = sorted(((least - a[axis]) / moves, (most - a[axis]) / moves))
        low, high = max(low, one), min(high, other)
    return low < high
