"""Third stage: equal nodes form groups, layers over all examples.

Example: of two neurons zᵢ = wᵢ·x + bᵢ and aᵢ = tanh zᵢ the nodes z₁, z₂ (depth 1, a sum of one product of an input and
a parameter and of one parameter) form a group, and a₁, a₂ (depth 2, a tanh of one such sum) another::

    nodes   z₁ a₁ z₂ a₂        depths   1 2 1 2        groups   [z₁ z₂] [a₁ a₂]

The class of a node is its depth, operation and what it depends on; a group is of one class, and its operands, slot by
slot, are of one class too. The slots of a sum are sorted by class, so that equal ones stand in one block.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np

from autodiff.program.compiling.linear import Floats, Linear
from autodiff.program.compiling.reading import BATCHED, CONSTANT, FIRST_KIND, INPUT, PARAMETER, SELECTED, Graph, Ints

__all__ = ["Groups", "blocks", "grouped", "matrix"]

#: What a node depends on: parameters alone, constants, inputs, inputs with an axis of examples.
_ON_PARAMETERS, _ON_CONSTANTS, _ON_INPUTS, _ON_EXAMPLES = range(4)
_DEPENDS: Final = {
    PARAMETER: _ON_PARAMETERS,
    CONSTANT: _ON_CONSTANTS,
    INPUT: _ON_INPUTS,
    BATCHED: _ON_EXAMPLES,
    SELECTED: _ON_INPUTS,
}
_A_NUMBER: Final = 3  # the class of constants among operands; below 8 are leaves


@dataclass(frozen=True, eq=False, slots=True)
class Groups:
    """The groups of a graph, in an order in which each depends on earlier ones.

    Args:
        members: the nodes of each group, in the order of the graph.
        start, length: where the slots of each node begin, and how many it has.
        left, right, factor: the slots: of a sum its products, then its terms (right −1); of another node its operands
            (left), where a reference below 0 is a constant.
        classes: of each slot, equal for slots of one block.
        constant: the constant of each sum.
        batched: whether a node has an axis of examples.
    """

    members: list[Ints]
    start: Ints
    length: Ints
    left: Ints
    right: Ints
    factor: Floats
    classes: np.ndarray[Any, np.dtype[np.uint64]]
    constant: Floats
    batched: np.ndarray[Any, np.dtype[np.bool]]
    sums: np.ndarray[Any, np.dtype[np.bool]]


def grouped(graph: Graph, linear: Linear) -> Groups:
    """The groups of a graph."""
    count = len(graph.kinds)
    slots = _slots(graph, linear, count)
    depth, depends = _levels(graph, slots, count)
    batched = depends == _ON_EXAMPLES
    operation = np.where(linear.sums, 0, graph.kinds)
    kinds = FIRST_KIND + len(graph.table)
    classes = np.where(
        depth > 0, 8 + (depth * kinds + operation) * 4 + depends, np.where(batched, 4, np.minimum(depends, 2))
    )
    owner, left, right, factor, scaled = slots
    both = right >= 0
    swap = both & (_importance(classes, depends, left) < _importance(classes, depends, right))
    left, right = np.where(swap, right, left), np.where(swap, left, right)
    of_left = np.where(left >= 0, classes[left], _A_NUMBER)
    code = _mixed(of_left * 4 + 1) * np.uint64(3) + np.where(
        both, _mixed(classes[right] * 4 + 3), scaled.astype(np.uint64)
    )
    sums = linear.sums[owner]
    place = np.arange(len(owner)) - np.searchsorted(owner, owner)
    by_class = np.lexsort((*(np.where(sums, x, 0) for x in (scaled, classes[right] * both, of_left, ~both)), owner))
    owner, left, right, factor, code = (x[by_class] for x in (owner, left, right, factor, code))
    length = np.bincount(owner, minlength=count)
    start = np.cumsum(length) - length
    ordered = code + np.where(linear.sums[owner], 0, place + 1).astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    key = _mixed(classes) * np.uint64(5)
    filled = np.flatnonzero(length)
    if len(filled):
        key[filled] += np.add.reduceat(_mixed(ordered), start[filled])
    key += _alone(graph)[graph.kinds] * _mixed(np.arange(count))
    nodes = np.flatnonzero((depth > 0) & ~linear.merged)
    constants = linear.left < 0
    constant = np.bincount(linear.owner[constants], linear.factor[constants], count)
    members = _by_key(nodes, key[nodes], depth[nodes])
    return Groups(members, start, length, left, right, factor, code, constant, batched, linear.sums)


def _slots(graph: Graph, linear: Linear, count: int) -> tuple[Ints, Ints, Ints, Floats, Ints]:
    """All slots by owner, contributions to sums and operands of others: owner, left, right, factor, whether scaled."""
    owner = np.repeat(np.arange(count), np.diff(graph.first))
    others = ~(linear.sums | linear.merged)[owner]
    some = linear.left >= 0
    edges = owner[others]
    owners = np.concatenate([linear.owner[some], edges])
    order = np.argsort(owners, kind="stable")
    return (
        owners[order],
        np.concatenate([linear.left[some], graph.refs[others]])[order],
        np.concatenate([linear.right[some], np.full(len(edges), -1)])[order],
        np.concatenate([linear.factor[some], np.ones(len(edges))])[order],
        np.concatenate([linear.scaled[some], np.zeros(len(edges), np.intp)])[order],
    )


def _levels(graph: Graph, slots: tuple[Any, ...], count: int) -> tuple[Ints, Ints]:
    """The depth of each node, 0 for leaves, and what it depends on."""
    owner, left, right, *_ = slots
    refs = np.stack([left, right], axis=1).ravel()
    owners = np.repeat(owner, 2)[refs >= 0]
    used = refs[refs >= 0].tolist()
    filled, first = np.unique(owners, return_index=True)
    ends = [*first.tolist(), len(owners)][1:]
    depends = np.full(count, _ON_PARAMETERS)
    for kind, of in _DEPENDS.items():
        depends[graph.kinds == kind] = of
    depths, on = [0] * count, depends.tolist()
    steps = dict(zip(filled.tolist(), zip(first.tolist(), ends, strict=True), strict=True))
    if graph.selections:
        return _levels_with_selections(graph, steps, used, depths, on)
    for k, (begin, end) in steps.items():
        operands = used[begin:end]
        depths[k] = 1 + max([depths[x] for x in operands])
        on[k] = max([on[x] for x in operands])
    return _no_leaves(graph, depths), np.array(on, np.intp)


def _no_leaves(graph: Graph, depths: list[int]) -> Ints:
    """The depths; a node all of whose operands were constants is computed too."""
    depth = np.array(depths, np.intp)
    depth[(graph.kinds >= FIRST_KIND) & (depth == 0)] = 1
    return depth


def _levels_with_selections(
    graph: Graph, steps: dict[int, tuple[int, int]], used: list[int], depths: list[int], on: list[int]
) -> tuple[Ints, Ints]:
    """The same where stand-in leaves depend on their candidates."""
    known: dict[int, tuple[int, int]] = {}
    for k in sorted([*steps, *graph.selections]):
        if k in graph.selections:
            candidates = graph.selections[k].candidates
            if id(candidates) not in known:
                inside = [graph.index[x] for x in candidates if x in graph.index]
                known[id(candidates)] = (
                    max((depths[x] for x in inside), default=0), max((on[x] for x in inside), default=_ON_INPUTS)
                )  # fmt: skip
            depths[k], on[k] = known[id(candidates)][0] + 1, max(_ON_INPUTS, known[id(candidates)][1])
            continue
        operands = used[slice(*steps[k])]
        depths[k] = 1 + max([depths[x] for x in operands])
        on[k] = max([on[x] for x in operands])
    return _no_leaves(graph, depths), np.array(on, np.intp)


def _importance(classes: Ints, depends: Ints, nodes: Ints) -> Ints:
    """Of two operands the one that depends on more, and then the deeper one, comes left."""
    return depends[nodes] * (int(classes.max(initial=0)) + 1) + classes[nodes]


def _alone(graph: Graph) -> np.ndarray[Any, np.dtype[np.uint64]]:
    """For each kind whether its nodes cannot be grouped: its forward takes whole arrays, without an axis to leave."""
    alone = [not (kind.primitive.elementwise or "axis" in kind.primitive.defaults) for kind in graph.table]
    return np.array([False] * FIRST_KIND + alone).astype(np.uint64)


def _mixed(x: Any) -> np.ndarray[Any, np.dtype[np.uint64]]:
    """Well-mixed bits of integers (the finaliser of MurmurHash3)."""
    h = np.asarray(x).astype(np.uint64)
    h = (h ^ (h >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
    h = (h ^ (h >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
    return h ^ (h >> np.uint64(33))


def _by_key(nodes: Ints, key: Any, depth: Ints) -> list[Ints]:
    """The nodes with equal keys, groups by depth and then by their first node."""
    if not len(nodes):
        return []
    _, first, which = np.unique(key, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.intp)
    rank[np.lexsort((first, depth[first]))] = np.arange(len(first))
    number = rank[which]
    order = np.argsort(number, kind="stable")
    return np.split(nodes[order], np.flatnonzero(np.diff(number[order])) + 1)


def matrix(values: Any, groups: Groups, nodes: Ints) -> Any:
    """The slots of several nodes of a group, a row each."""
    return values[groups.start[nodes][:, None] + np.arange(groups.length[nodes[0]])]


def blocks(groups: Groups, nodes: Ints) -> Sequence[tuple[int, int]]:
    """The first and last slot of each block of a group of sums."""
    codes = matrix(groups.classes, groups, nodes[:1])[0]
    ends = [0, *(np.flatnonzero(np.diff(codes)) + 1).tolist(), len(codes)]
    return [(a, b) for a, b in pairwise(ends) if a < b]
