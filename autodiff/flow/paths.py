"""Paths through a graph of edges: their number and the strongest ones, by dynamic programming.

Nodes are numbered so that every edge leads to a larger number, and edges are sorted by their start. All paths lead
from node 0 to the last node. No function here recurses or lists all paths: their number doubles with every diamond.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from operator import itemgetter

__all__ = ["count_paths", "exact_sum", "most_roundings", "strongest_paths", "total_strength"]

Edges = Sequence[tuple[int, int]]


#: The end of a path: the logarithm of its strength, its last edge, and the rank of the path that it continues.
_End = tuple[float, int, int]


def count_paths(edges: Edges, last: int) -> int:
    """The number of paths from node 0 to node ``last``, exactly.

    >>> count_paths([(0, 1), (0, 1), (1, 2), (1, 2)], 2)
    4
    """
    counts = {0: 1}
    before = 0
    for consumer, item in edges:
        if consumer != before:
            del counts[before]  # a count may have as many bits as the graph has nodes, so keep only those still needed
            before = consumer
        counts[item] = counts.get(item, 0) + counts[consumer]
    return counts[last]


def total_strength(edges: Edges, gains: Sequence[float], last: int, *, start: float = 1.0) -> float:
    """Σ over all paths of ``start`` times the product of their |gains|: the sum if no two paths cancelled.

    >>> total_strength([(0, 1), (0, 1)], [2.0, -3.0], 1)
    5.0
    """
    arrived = [0.0] * (last + 1)
    arrived[0] = start
    for (consumer, item), gain in zip(edges, gains, strict=True):
        if arrived[consumer]:
            arrived[item] += arrived[consumer] * abs(gain)
    return arrived[last]


def exact_sum(edges: Edges, gains: Sequence[float], last: int) -> Fraction:
    """Σ over all paths of the product of their finite gains, without rounding.

    >>> exact_sum([(0, 1), (0, 1)], [0.1, -0.3], 1) == Fraction(0.1) - Fraction(0.3)
    True
    """
    arrived = [Fraction(0)] * (last + 1)
    arrived[0] = Fraction(1)
    for (consumer, item), gain in zip(edges, gains, strict=True):
        if arrived[consumer]:
            arrived[item] += arrived[consumer] * Fraction(gain)
    return arrived[last]


def most_roundings(edges: Edges, last: int) -> int:
    """The largest number of roundings on a path: per edge two for its gain (an ulp) and one for its product, plus one
    for each addition.

    >>> most_roundings([(0, 1), (0, 1)], 1)
    4
    """
    deepest = [0] * (last + 1)
    arrived = [1] + [0] * last
    for consumer, item in edges:
        arrived[item] += 1
        deepest[item] = max(deepest[item], deepest[consumer] + arrived[consumer] - 1 + 3)
    return deepest[last] + arrived[last] - 1


def strongest_paths(edges: Edges, gains: Sequence[float], last: int, count: int) -> list[list[int]]:
    """The ``count`` paths with the largest product of |gains|, strongest first, each as the indices of its edges.

    Products are compared as sums of logarithms, so long paths neither overflow nor underflow. Ties keep the order of
    the edges.

    >>> strongest_paths([(0, 1), (0, 1), (1, 2)], [2.0, -3.0, 0.5], 2, 2)
    [[1, 2], [0, 2]]
    """
    ends: list[list[_End]] = [[] for _ in range(last + 1)]
    ends[0] = [(0.0, -1, 0)]
    pending = [0] * (last + 1)
    for _, item in edges:
        pending[item] += 1
    for edge, ((consumer, item), gain) in enumerate(zip(edges, gains, strict=True)):
        loss = _logarithm(gain)
        arrived = ends[item]
        arrived += [(_joined(end[0], loss), edge, rank) for rank, end in enumerate(ends[consumer])]
        pending[item] -= 1
        if len(arrived) > 1 and (not pending[item] or len(arrived) > 8 * count):
            arrived.sort(key=_strength, reverse=True)
            del arrived[count:]
    return [_traced(edges, ends, last, rank) for rank in range(len(ends[last]))]


_strength = itemgetter(0)


def _logarithm(gain: float) -> float:
    """ln |gain|; −inf for a gain of 0, and inf for nan, so that nan is not overlooked."""
    size = abs(gain)
    return math.inf if size != size else math.log(size) if size else -math.inf


def _joined(strength: float, loss: float) -> float:
    return -math.inf if -math.inf in (strength, loss) else strength + loss  # a zero stays zero, even times infinity


def _traced(edges: Edges, ends: list[list[_End]], last: int, rank: int) -> list[int]:
    """The edges of one path, starting at node 0."""
    path: list[int] = []
    node = last
    while node:
        _, edge, rank = ends[node][rank]
        path.append(edge)
        node = edges[edge][0]
    return path[::-1]
