"""Columns whose wires cross least: counted here wire by wire, and no move of one item saves a crossing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from random import Random

import numpy as np

from autodiff.draw.layout.exchange import _costs, _mended, _sides, fewer_crossings
from tests.support.cases import each

#: Two items of neighbouring columns, and the port at which the wire ends at the right one, which is given first.
Wire = tuple[str, str, float]


def drawn(
    seed: int, most: int = 6, ports: Sequence[float] = (0.0, 0.0, 8.0)
) -> tuple[dict[int, list[str]], list[Wire]]:
    """Three columns and some wires between neighbours, several of them to one port."""
    random = Random(seed)
    columns = {k: [f"{k}.{n}" for n in range(random.randint(2, most))] for k in range(3)}
    wires = [
        (random.choice(columns[k]), random.choice(columns[k + 1]), random.choice(ports))
        for k in (0, 1) for _ in range(random.randint(2, 2 * most))
    ]  # fmt: skip
    return columns, wires


def joined(wires: Sequence[Wire]) -> dict[str, list[tuple[str, float]]]:
    """The wires at each item."""
    found: dict[str, list[tuple[str, float]]] = {}
    for one, other, below in wires:
        found.setdefault(one, []).append((other, 0.0))
        found.setdefault(other, []).append((one, below))
    return found


def crossings(columns: Mapping[int, Sequence[str]], wires: Sequence[Wire]) -> int:
    """The pairs of wires between the same columns whose ends are in opposite orders."""
    place = {item: k for order in columns.values() for k, item in enumerate(order)}
    ends = [(one[0], (place[one], below), place[other]) for one, other, below in wires]
    return sum(
        column == other and x != u and y != v and (x < u) != (y < v)
        for (column, x, y), (other, u, v) in combinations(ends, 2)
    )


def no_move_saves(columns: Mapping[int, Sequence[str]], wires: Sequence[Wire]) -> bool:
    """Whether each item is at a best place of its column."""
    fewest = crossings(columns, wires)
    for k, order in columns.items():
        for item in order:
            others = [other for other in order if other != item]
            places = ([*others[:n], item, *others[n:]] for n in range(len(order)))
            if any(crossings({**columns, k: moved}, wires) < fewest for moved in places):
                return False
    return True


@each("seed", range(20))
def test_no_move_of_one_item_saves_a_crossing(seed: int) -> None:
    """And there are no more crossings than in the order that was given."""
    columns, wires = drawn(seed)
    found = fewer_crossings(columns, joined(wires), lambda above, below: False)
    assert {k: sorted(order) for k, order in found.items()} == columns
    assert crossings(found, wires) <= crossings(columns, wires)
    assert no_move_saves(found, wires)


@each("seed", range(20))
def test_each_try_ends_where_no_move_saves_a_crossing(seed: int) -> None:
    """With the number of crossings that are left; a column is asked again once its neighbours have changed."""
    columns, wires = drawn(seed, most=9, ports=[0.0])  # two wires from two ports of one box cross whatever moves
    left, found = _mended(columns, _sides(columns, joined(wires)), lambda above, below: False)
    assert left == crossings(found, wires)
    assert no_move_saves(found, wires)


@each("seed", range(10))
def test_what_stays_above_stays(seed: int) -> None:
    """The items of the first column in their order, whatever that costs."""
    columns, wires = drawn(seed)
    found = fewer_crossings(columns, joined(wires), lambda above, below: above < below and above[0] == "0")
    assert found[0] == columns[0]


@each("seed", range(10))
def test_costs_are_the_crossings_of_two_items(seed: int) -> None:
    """With one above the other, on the left or on both sides; wires that end at one port do not cross there."""
    columns, wires = drawn(seed)
    sides, place = _sides(columns, joined(wires)), {x: k for order in columns.values() for k, x in enumerate(order)}
    for both in (False, True):
        costs = _costs(columns[1], sides, place, both=both)
        expected = np.zeros(costs.shape)
        for k, j in combinations(range(len(columns[1])), 2):
            for one, other in ((k, j), (j, k)):
                above, below = (sides[columns[1][n]] for n in (one, other))
                expected[one, other] = sum(
                    (place[a], at) > (place[b], off)
                    for side in (0, 1)[: 1 + both] for a, at in above[side] for b, off in below[side]
                )  # fmt: skip
        assert np.array_equal(costs - np.diag(np.diag(costs)), expected)
