"""Fewer crossings in columns that are nearly in order: each item moves to the place where its wires cross least.

The sweeps of `autodiff.draw.layout.columns` sort by means of heights, and leave crossings that single moves mend.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Final

__all__ = ["fewer_crossings"]

#: The items that wires join to each item, in other columns, with the offset of the port there.
Joined = Mapping[str, Sequence[tuple[str, float]]]
Orders = dict[int, list[str]]
Stay = Callable[[str, str], bool]

_MOST_IN_A_COLUMN: Final = 40  # a round costs the square of it
_MOST_ITEMS: Final = 400
_ROUNDS: Final = 6
_TRIES: Final = 12  # neighbours exchanged at random; 60 save hardly more (micrograd 3-4-4-1: 66, 43, 40 crossings)


def fewer_crossings(orders: Mapping[int, Sequence[str]], joined: Joined, stay: Stay) -> dict[int, list[str]]:
    """The columns, reordered until no move of one item saves a crossing of wires; of several such orders the best.

    Beside the given order, it starts from that in which a reader meets the items who follows the wires from the output,
    and from orders with neighbours exchanged. Large graphs and long columns stay as they are.

    Args:
        orders: the items of every column from top to bottom, from the output on.
        joined: the items that wires join to each item, in other columns, with the offset of the port there.
        stay: whether an item must stay above another one of its column.

    >>> columns = {0: ["a", "b"], 1: ["c", "d"]}
    >>> wires = {"a": [("d", 0.0)], "d": [("a", 0.0)], "b": [("c", 0.0)], "c": [("b", 0.0)]}
    >>> fewer_crossings(columns, wires, lambda above, below: above == "c")
    {0: ['b', 'a'], 1: ['c', 'd']}
    """
    given = {column: list(order) for column, order in sorted(orders.items())}
    if sum(map(len, given.values())) > _MOST_ITEMS:
        return given
    fewest, best = _mended(given, joined, stay)
    random = Random(1)
    for start in range(_TRIES + 1):
        if not fewest:
            break
        other = _exchanged(best, random, stay) if start else _as_met(given, joined, stay)
        count, other = _mended(other, joined, stay)
        if count < fewest:
            fewest, best = count, other
    return best


def _as_met(orders: Orders, joined: Joined, stay: Stay) -> Orders:
    """The columns in the order in which their items are met from the output on, port after port."""
    column_of = {item: column for column, order in orders.items() for item in order}
    met: dict[str, int] = {}
    waiting = [item for order in reversed(orders.values()) for item in reversed(order)]
    while waiting:
        item = waiting.pop()
        if item in met:
            continue
        met[item] = len(met)
        ports = {}
        for other, _ in joined.get(item, ()):
            if column_of[other] > column_of[item]:
                ports[other] = min(below for back, below in joined[other] if back == item)
        waiting += sorted(ports, key=ports.__getitem__, reverse=True)
    found = {}
    for column, order in orders.items():
        own = sorted(order, key=met.__getitem__)
        found[column] = own if _in_order(own, stay) else order
    return found


def _in_order(order: Sequence[str], stay: Stay) -> bool:
    return not any(stay(below, above) for k, below in enumerate(order) for above in order[:k])


def _exchanged(orders: Orders, random: Random, stay: Stay) -> Orders:
    """The columns with a quarter of their neighbours exchanged."""
    found = {column: list(order) for column, order in orders.items()}
    for order in found.values():
        for _ in range(1 + len(order) // 4 if len(order) > 1 else 0):
            k = int(random.random() * (len(order) - 1))
            if not stay(order[k], order[k + 1]):
                order[k], order[k + 1] = order[k + 1], order[k]
    return found


def _mended(orders: Orders, joined: Joined, stay: Stay) -> tuple[int, Orders]:
    """The columns after all moves that save crossings, and the number of crossings that are left."""
    found = {column: list(order) for column, order in orders.items()}
    place = {item: (column, k) for column, order in found.items() for k, item in enumerate(order)}
    for sweep in range(_ROUNDS):
        saved = 0
        for column in sorted(found, reverse=bool(sweep % 2)):
            order = found[column]
            if 1 < len(order) <= _MOST_IN_A_COLUMN:
                saved += _sifted(order, _costs(order, column, joined, place, both=True), stay)
                place.update((item, (column, k)) for k, item in enumerate(order))
        if not saved:
            break
    left = 0
    for column, order in found.items():
        costs = _costs(order, column, joined, place, both=False)
        left += sum(costs[one, other] for k, one in enumerate(order) for other in order[k + 1 :])
    return left, found


def _costs(
    order: Sequence[str], column: int, joined: Joined, place: Mapping[str, tuple[int, int]], *, both: bool
) -> dict[tuple[str, str], int]:
    """For each pair of items, the crossings of their wires with the first above the second, on the left or on both
    sides.
    """
    sides = []
    for item in order:
        left: list[tuple[int, float]] = []
        right: list[tuple[int, float]] = []
        for other, below in joined.get(item, ()):
            where, k = place[other]
            (left if where > column else right).append((k, below))
        sides.append((item, sorted(left), sorted(right) if both else []))
    return {
        (one, other): _inversions(left, left_below) + _inversions(right, right_below)
        for one, left, right in sides
        for other, left_below, right_below in sides
        if one != other
    }


def _inversions(above: Sequence[tuple[int, float]], below: Sequence[tuple[int, float]]) -> int:
    """The pairs of ends in which that of the upper item is the lower one."""
    if not above or not below or above[-1] <= below[0]:
        return 0
    return sum(len(above) - bisect_right(above, end) for end in below)


def _sifted(order: list[str], costs: Mapping[tuple[str, str], int], stay: Stay) -> int:
    """Move each item to its best place, and return how many crossings that saved."""
    saved = 0
    for item in tuple(order):
        start = order.index(item)
        best, to = 0, start
        for step in (-1, 1):
            change, k = 0, start + step
            while 0 <= k < len(order):
                above, below = (order[k], item) if step < 0 else (item, order[k])
                if stay(above, below):
                    break
                change += costs[below, above] - costs[above, below]
                if change < best:
                    best, to = change, k
                k += step
        order.insert(to, order.pop(start))
        saved -= best
    return saved
