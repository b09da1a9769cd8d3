"""Fewer crossings in columns that are nearly in order: each item moves to the place where its wires cross least.

The sweeps of `autodiff.draw.layout.columns` sort by means of heights, and leave crossings that single moves mend.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from random import Random
from typing import Any, Final

import numpy as np

__all__ = ["fewer_crossings"]

#: The items that wires join to each item, in other columns, with the offset of the port there.
Joined = Mapping[str, Sequence[tuple[str, float]]]
Orders = dict[int, list[str]]
Sides = Mapping[str, tuple[Sequence[tuple[str, float]], ...]]
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
    sides, stay = _sides(given, joined), cache(stay)
    fewest, best = _mended(given, sides, stay)
    random = Random(1)
    for start in range(_TRIES + 1):
        if not fewest:
            break
        other = _exchanged(best, random, stay) if start else _as_met(given, joined, stay)
        count, other = _mended(other, sides, stay)
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


def _mended(orders: Orders, sides: Sides, stay: Stay) -> tuple[float, Orders]:
    """The columns after all moves that save crossings, and the number of crossings that are left."""
    found = {column: list(order) for column, order in orders.items()}
    place = {item: k for order in found.values() for k, item in enumerate(order)}
    settled: set[int] = set()  # columns that no move mends while the columns of their wires stay as they are
    for sweep in range(_ROUNDS):
        for column in sorted(found, reverse=bool(sweep % 2)):
            order = found[column]
            if column in settled or not 1 < len(order) <= _MOST_IN_A_COLUMN:
                continue
            if _sifted(order, _costs(order, sides, place, both=True), stay):
                place.update((item, k) for k, item in enumerate(order))
                settled.clear()
            else:
                settled.add(column)
        if settled >= {column for column, order in found.items() if 1 < len(order) <= _MOST_IN_A_COLUMN}:
            break
    left = 0.0
    for order in found.values():
        left += float(np.triu(_costs(order, sides, place, both=False), 1).sum())
    return left, found


def _sides(orders: Orders, joined: Joined) -> Sides:
    """For each item, the ends of its wires on the left, and those on the right."""
    column_of = {item: column for column, order in orders.items() for item in order}
    return {
        item: tuple(
            [(other, below) for other, below in joined.get(item, ()) if (column_of[other] > column) == on_the_left]
            for on_the_left in (True, False)
        )
        for item, column in column_of.items()
    }


def _costs(order: Sequence[str], sides: Sides, place: Mapping[str, int], *, both: bool) -> np.ndarray[Any, Any]:
    """At [k, j], the crossings of the wires of items k and j with k above j, on the left or on both sides.

    They are the pairs of ends in which that of the upper item is the lower one: a product of matrices, since item k has
    as many ends below each height, and item j as many at it.
    """
    costs = np.zeros((len(order), len(order)))
    for side in (0, 1) if both else (0,):
        ends = [[(place[other], below) for other, below in sides[item][side]] for item in order]
        ranks = {end: rank for rank, end in enumerate(sorted({end for own in ends for end in own}))}
        if len(ranks) < 2:
            continue
        rows = [[0.0] * len(ranks) for _ in order]
        for row, own in zip(rows, ends, strict=True):
            for end in own:
                row[ranks[end]] += 1.0
        at = np.array(rows)
        costs += (at.sum(1, keepdims=True) - at.cumsum(1)) @ at.T
    return costs


def _sifted(order: list[str], costs: np.ndarray[Any, Any], stay: Stay) -> float:
    """Move each item to its best place, and return how many crossings that saved."""
    changes = (costs.T - costs).tolist()  # where the first item of a pair leaves its place above the second
    if not any(map(any, changes)):
        return 0.0
    numbers = list(range(len(order)))
    named = tuple(order)
    saved = 0.0
    for item, change_of in enumerate(changes):
        start = numbers.index(item)
        best, to = 0.0, start
        for step in (-1, 1):
            change, k = 0.0, start + step
            while 0 <= k < len(numbers):
                other = numbers[k]
                above, below = (other, item) if step < 0 else (item, other)
                if stay(named[above], named[below]):
                    break
                change += step * change_of[other]
                if change < best:
                    best, to = change, k
                k += step
        numbers.insert(to, numbers.pop(start))
        saved -= best
    order[:] = [named[k] for k in numbers]
    return saved
