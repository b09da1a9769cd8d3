"""Positions of columns, and the order and heights of their members: few crossings, no overlaps."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from itertools import pairwise
from math import fsum, inf
from typing import Final

from autodiff.draw.layout.exchange import fewer_crossings
from autodiff.draw.layout.order import Rank, ranks, with_names_in_order
from autodiff.draw.layout.routes import DUMMY, Passes, by_column, thin_columns
from autodiff.draw.layout.sizes import BADGE, SIZES, Rect, plate_of
from autodiff.draw.model.picture import Box, Picture
from autodiff.words.typeset import width

__all__ = ["dense_gaps", "lefts", "tops_of_layers", "tops_of_rail"]

#: An end of a wire: a box or a place of passing wires, and the offset below its middle (for ports).
_End = tuple[str, float]

_GAP: Final = 24.0  # between boxes of a column
_COLUMN_GAP: Final = 96.0
_FAN_GAP: Final = 110.0
_LEAST_FAN_GAP: Final = 56.0
_ROUNDING: Final = 0.5
_WIDEST_FAN_GAP: Final = 260.0
_DENSE: Final = 24  # wires between two columns
_FLATTEST: Final = 0.2  # of the height of a column: the gap beside it
_WIRE_ROOM: Final = 18.0  # on each side of a wire's label
_REST_PITCH: Final = 60.0  # of grey circles
_REST_GAP: Final = 18.0  # between larger boxes there
_SWEEPS: Final = 8
_MOST_COUNTED: Final = 60  # items of a column whose crossings are counted
_MOST_STEPS: Final = 250_000  # placements of one item: a limit that does not depend on the machine


def dense_gaps(picture: Picture) -> frozenset[int]:
    """The columns with very many wires to the next one, as between two layers of folded units; in a network, all."""
    if picture.kind == "network":
        return frozenset(box.column for box in picture.boxes)
    column_of = {box.id: box.column for box in picture.boxes}
    between = Counter(
        max(column_of[wire.tail], column_of[wire.head])
        for wire in picture.wires
        if wire.port is None and wire.lane == "rest" and abs(column_of[wire.tail] - column_of[wire.head]) == 1
    )
    return frozenset(column for column, count in between.items() if count >= _DENSE)


def lefts(picture: Picture, forms: Mapping[str, Rect], most: float | None = None) -> dict[int, float]:
    """The left edge of every column; the highest column is leftmost.

    The gaps of a network, and other gaps with very many wires, are smaller where the drawing would otherwise be wider
    than ``most`` px.
    """
    column_of = {box.id: box.column for box in picture.boxes}
    gaps: dict[int, float] = {}
    for wire in picture.wires:
        head, tail = sorted((column_of[wire.tail], column_of[wire.head]))
        if wire.label and (wire.loses or tail == head + 1):
            room = width(wire.label, SIZES["wire"]) + 2 * _WIRE_ROOM + (BADGE if wire.step is not None else 0.0)
            beside = head + 1 if wire.lane == "error" else tail  # the gap at the wire's tail, where its label is
            gaps[beside] = max(gaps.get(beside, 0.0), room)
    columns = by_column(picture)
    least = {"shares": _COLUMN_GAP, "network": _LEAST_FAN_GAP}.get(picture.kind, 64.0)
    wide = {column: max(forms[box.id].width for box in boxes) for column, boxes in columns.items()}
    labelled = {column: max(least, gaps.get(column, 0.0)) for column in columns if column}
    gaps = labelled | {
        column: max(labelled.get(column, least), _beside(_stack(columns[column], forms)))
        for column in dense_gaps(picture)
    }
    if picture.kind == "network":
        gaps = _gaps_of_a_fan(picture, forms, most)
    elif most is not None:
        gaps = _squeezed(gaps, labelled, most - _ROUNDING - fsum(wide.values()))
    lefts: dict[int, float] = {}
    x = 0.0
    for column in sorted(columns, reverse=True):
        lefts[column] = x
        x += wide[column] + max(least, gaps.get(column, 0.0))
    return lefts


def _gaps_of_a_fan(picture: Picture, forms: Mapping[str, Rect], most: float | None) -> dict[int, float]:
    """The gap on the right of each column: wider between tall columns, and with room for the numbers on wires.

    Where the columns fit into ``most`` with smaller gaps, each gap gives up the same part of what it can.
    """
    columns = by_column(picture)
    halves = {column: 0.5 for thin in thin_columns(picture) for column in (thin, thin + 1)}
    wished = {
        column: halves.get(column, 1.0) * _beside(_stack(boxes, forms))
        for column, boxes in columns.items()
    }
    least = dict.fromkeys(columns, _LEAST_FAN_GAP)
    column_of = {box.id: box.column for box in picture.boxes}
    shared = Counter(wire.head for wire in picture.wires if wire.numbers)
    for wire in picture.wires:
        tail, head = column_of[wire.tail], column_of[wire.head]
        if wire.numbers and abs(head - tail) == 1:
            room = plate_of(wire).width + 2 * _WIRE_ROOM
            gap = max(tail, head)
            wished[gap] = max(wished[gap], room * (1.6 if shared[wire.head] > 1 else 1.0))
            if wire.loses:
                least[gap] = max(least[gap], room)
    gaps = {column: max(gap, least[column]) for column, gap in wished.items()}
    wide = fsum(max(forms[box.id].width for box in boxes) for boxes in columns.values())
    room = inf if most is None else most - _ROUNDING - wide
    return _squeezed(gaps, least, room)


def _squeezed(gaps: Mapping[int, float], least: Mapping[int, float], room: float) -> dict[int, float]:
    """The gaps, between their smallest and these sizes, that fill the room, if they can."""
    smallest, natural = (fsum(each for column, each in of.items() if column) for of in (least, gaps))
    if natural <= room or smallest >= room:  # or the columns are wrapped
        return {**gaps}
    part = (room - smallest) / (natural - smallest)
    return {column: least[column] + part * (gap - least[column]) for column, gap in gaps.items()}


def _beside(high: float) -> float:
    """The gap beside a column of this height, in which straight wires are not too steep."""
    return min(max(_FLATTEST * high, _FAN_GAP), _WIDEST_FAN_GAP)


def _stack(boxes: Sequence[Box], forms: Mapping[str, Rect]) -> float:
    return fsum(forms[box.id].height + _GAP for box in boxes)


def tops_of_rail(picture: Picture, heights: Mapping[str, float]) -> dict[str, float]:
    """The rail on one line at the bottom, and the rest of the graph above it, with columns centred at one height."""
    beside = picture.beside
    columns = [[box.id for box in boxes if box.id in beside] for boxes in by_column(picture).values()]
    room = {id: max(_REST_PITCH, heights[id] + _REST_GAP) for id in beside}
    tallest = max(fsum(room[id] for id in rest) for rest in columns)
    tops = {box.id: 0.0 for box in picture.boxes}
    for rest in columns:
        top = -(tallest + fsum(room[id] for id in rest)) / 2 - 8.0
        for id in rest:
            tops[id] = top
            top += room[id]
    return tops


def _neighbours(picture: Picture, forms: Mapping[str, Rect], passes: Passes) -> dict[str, dict[_End, int]]:
    """The other ends of the wires at every box and place of passing wires, each with the number of wires.

    The wires of a bundle are counted, not listed: a weight that 3,000 steps share has 3,000 wires in every column.
    """
    joined: dict[str, dict[_End, int]] = {}
    ways: dict[str, list[str]] = {}  # the longest of each bundle, by its first place
    ended: dict[str, Counter[int]] = {}  # its wires by the number of places that they pass
    for wire in picture.wires:
        consumer = wire.tail if wire.lane == "error" else wire.head
        port = {consumer: _port_below_middle(forms[consumer], wire.port)}
        way = [wire.tail, *(place for _, place in passes.get(wire.id, ()))]
        linked = 0
        if len(way) > 1:
            ended.setdefault(way[1], Counter())[len(way) - 1] += 1
            known = ways.setdefault(way[1], way[:1])
            linked = min(len(way), len(known)) - 1
            known += way[len(known) :]
        for one, other in pairwise([*way, wire.head][linked:]):
            for here, end in ((one, (other, port.get(other, 0.0))), (other, (one, port.get(one, 0.0)))):
                ends = joined.setdefault(here, {})
                ends[end] = ends.get(end, 0) + 1
    for first, way in ways.items():
        more = -1  # each link counts one wire already
        for k in range(len(way) - 1, 0, -1):
            more += ended[first][k]
            if more:  # grey wires, which have ports only at their heads
                joined[way[k - 1]][way[k], 0.0] += more
                joined[way[k]][way[k - 1], 0.0] += more
    return joined


def _heights(ends: Mapping[_End, int], middles: Mapping[str, float]) -> list[float]:
    """The height of the other end of every wire."""
    return [height for (other, below), count in ends.items() for height in [middles[other] + below] * count]


def _mean_height(ends: Mapping[_End, int], middles: Mapping[str, float]) -> float:
    """The mean of `_heights`, to the last bit but without a list: a height times a power of two is exact."""
    parts = []
    for (other, below), count in ends.items():
        height = middles[other] + below
        while count:
            parts.append(height * (count & -count))
            count &= count - 1
    return fsum(parts) / sum(ends.values())


def _port_below_middle(form: Rect, port: int | None) -> float:
    return 0.0 if port is None else form.ports[port] - form.height / 2


def tops_of_layers(picture: Picture, forms: Mapping[str, Rect], passes: Passes) -> dict[str, float]:
    """Columns in an order with few crossings, with every box as close to its neighbours' height as possible."""
    members = {column: [box.id for box in boxes] for column, boxes in sorted(by_column(picture).items())}
    met: dict[str, int] = {}  # how much of the longest way of each bundle
    for passed in passes.values():
        known = met.get(passed[0][1], 0) if passed else 0
        for column, place in passed[known:]:
            members[column].append(place)
            met[passed[0][1]] = len(passed)
    orders = {column: list(dict.fromkeys(order)) for column, order in members.items()}
    heights = {item: forms[item].height if item in forms else DUMMY for order in orders.values() for item in order}
    joined = _neighbours(picture, forms, passes)
    middles = _stacked(orders, heights)
    column_of = {item: column for column, order in orders.items() for item in order}
    sweeps = max(min(_SWEEPS, _MOST_STEPS // len(heights)), 2)
    sweeps *= picture.kind != "network" or any(passes.values())  # the layers of a net alone are centred at one height
    named = ranks(picture.boxes)
    boxes = forms if picture.kind == "network" else {}
    crossings = partial(_crossings, joined=joined, column_of=column_of, middles=middles)
    for sweep in range(sweeps):
        if sweep == sweeps - 2 and picture.kind == "graph":
            ends = {item: [end for end, n in own.items() for _ in range(n)] for item, own in joined.items()}
            orders = fewer_crossings(orders, ends, partial(_stays_above, named))
            middles.update(_stacked(orders, heights))
        for column in sorted(orders, reverse=bool(sweep % 2)):
            order = orders[column]
            wished = {
                item: _mean_height(joined[item], middles) if item in joined else middles[item] for item in order
            }
            if len(order) > 1 and sweep < max(sweeps - 2, 1):
                order[:] = _arranged(order, wished, crossings, named, boxes)
            elif picture.kind == "graph" and 1 < len(order) <= _MOST_COUNTED:
                order[:] = _named_if_free(order, crossings, named)
            middles.update(_spaced(order, wished, heights))
    return {item: middle - heights[item] / 2 for item, middle in middles.items()}


def _arranged(
    order: Sequence[str], wished: Mapping[str, float], crossings: Callable[[Sequence[str]], int],
    named: Mapping[str, Rank], boxes: Collection[str],
) -> list[str]:  # fmt: skip
    """A column in the order of the wished heights, with names of the notes in their order, others if that is free.

    If any of ``boxes`` has such a name, all of them keep their order.
    """
    found = sorted(order, key=lambda item: round(wished[item], 6))
    if any(item in named for item in order if item in boxes):
        given = iter([item for item in order if item in boxes])
        return [next(given) if item in boxes else item for item in found]
    found = with_names_in_order(found, {item: of for item, of in named.items() if of.of_the_notes})
    if len(found) > _MOST_COUNTED:
        return found
    return _named_if_free(found, crossings, named)


def _named_if_free(
    order: Sequence[str], crossings: Callable[[Sequence[str]], int], named: Mapping[str, Rank]
) -> list[str]:
    in_order = with_names_in_order(order, named)
    return in_order if in_order == [*order] or crossings(in_order) <= crossings(order) else [*order]


def _stays_above(named: Mapping[str, Rank], above: str, below: str) -> bool:
    """Whether the names of the notes say so: x₁ stays above x₂."""
    one, other = named.get(above), named.get(below)
    return one is not None and other is not None and one.of_the_notes and one.family == other.family and one < other


def _crossings(
    order: Sequence[str], joined: Mapping[str, Mapping[_End, int]], column_of: Mapping[str, int],
    middles: Mapping[str, float],
) -> int:  # fmt: skip
    """The crossings of wires on both sides of a column, given the columns and middles of their other ends."""
    count = 0
    for side in (False, True):
        above: list[float] = []
        for item in order:
            ends = joined.get(item, {}).items()
            own = _heights({end: n for end, n in ends if (column_of[end[0]] > column_of[item]) == side}, middles)
            count += sum(len(above) - bisect_right(above, height) for height in own)
            above += own
            above.sort()
    return count


def _stacked(orders: Mapping[int, Sequence[str]], heights: Mapping[str, float]) -> dict[str, float]:
    """Every column stacked separately, with its middle at height 0."""
    middles: dict[str, float] = {}
    for order in orders.values():
        gaps = [_gap(one, other, heights) for one, other in pairwise(order)]
        y = -(fsum(heights[item] for item in order) + fsum(gaps)) / 2
        for item, gap in zip(order, [*gaps, 0.0], strict=True):
            middles[item] = y + heights[item] / 2
            y += heights[item] + gap
    return middles


def _gap(one: str, other: str, heights: Mapping[str, float]) -> float:
    """The gap between two neighbours in a column, smaller beside passing wires."""
    return _GAP / (1 + (heights[one] == DUMMY) + (heights[other] == DUMMY))


def _spaced(order: Sequence[str], wished: Mapping[str, float], heights: Mapping[str, float]) -> dict[str, float]:
    """The middles closest to the wished ones (least squares) that keep the order and the gaps.

    After subtraction of heights and gaps, the middles only have to increase; neighbours that violate this are pooled
    at their mean.
    """
    offset = 0.0
    offsets: dict[str, float] = {}
    pools: list[list[float]] = []
    means: list[float] = []
    for k, item in enumerate(order):
        if k:
            offset += _gap(order[k - 1], item, heights) + heights[order[k - 1]] / 2 + heights[item] / 2
        offsets[item] = offset
        pools.append([wished[item] - offset])
        means.append(wished[item] - offset)
        while len(pools) > 1 and means[-2] >= means[-1]:
            last = pools.pop()
            pools[-1] += last
            means.pop()
            means[-1] = _mean(pools[-1])
    levels = [mean for mean, pool in zip(means, pools, strict=True) for _ in pool]
    return {item: level + offsets[item] for item, level in zip(order, levels, strict=True)}


def _mean(values: Sequence[float]) -> float:
    return fsum(values) / len(values)
