"""Third stage: equal nodes form groups, layers over all examples.

Example: of two neurons zᵢ = wᵢ·x + bᵢ and aᵢ = tanh zᵢ the nodes z₁, z₂ (depth 1, a sum of one product of an input and
a parameter and of one parameter) form a group, and a₁, a₂ (depth 2, a tanh of one such sum) another::

    nodes   z₁ a₁ z₂ a₂        depths   1 2 1 2        groups   [z₁ z₂] [a₁ a₂]

A group has one depth, one operation and, slot by slot, operands of one class: their operation, what they depend on, and
how deep they are among the operands of their node. The slots of a sum are sorted by class, so that equal ones stand in
one block.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np

from autodiff.program.compiling.levels import ON_EXAMPLES, Slots, aligned, levels, slots_of
from autodiff.program.compiling.linear import Floats, Linear
from autodiff.program.compiling.reading import FIRST_KIND, Graph, Ints

__all__ = ["Groups", "blocks", "grouped", "matrix"]

_A_NUMBER: Final = 3  # the class of constants among operands; below 8 are leaves
_MOST_ALIGNED: Final = 2000  # groups: more are those of an irregular graph


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
        loose: of sums of one block equal for those that differ in the number of slots only, else 0.
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
    loose: np.ndarray[Any, np.dtype[np.uint64]]


def grouped(graph: Graph, linear: Linear) -> Groups:
    """The groups of a graph."""
    slots = slots_of(graph, linear)
    depth, depends = levels(graph, slots)
    groups = _at_depths(graph, linear, slots, depth, depends)
    if 1 < len(groups.members) <= _MOST_ALIGNED:
        key, loose, *_ = _keys(graph, linear, slots, np.minimum(depth, 1), depends)
        moved = aligned(graph, slots, depth, groups.members, np.where(loose > 0, loose, key))
        if moved is not None:
            groups = _at_depths(graph, linear, slots, moved, depends)
    return groups


def _at_depths(graph: Graph, linear: Linear, slots: Slots, depth: Ints, depends: Ints) -> Groups:
    key, loose, code, slots = _keys(graph, linear, slots, depth, depends)
    nodes = np.flatnonzero((depth > 0) & ~linear.merged)
    constants = linear.left < 0
    constant: Any = np.bincount(linear.owner[constants], linear.factor[constants], len(depth))
    length = np.bincount(slots.owner, minlength=len(depth))
    return Groups(
        _by_key(nodes, key[nodes], depth[nodes]), np.cumsum(length) - length, length, slots.left, slots.right,
        slots.factor, code, constant, depends == ON_EXAMPLES, linear.sums,
        loose,
    )  # fmt: skip


def _keys(graph: Graph, linear: Linear, slots: Slots, depth: Ints, depends: Ints) -> tuple[Any, Any, Any, Slots]:
    """The key of each node, equal in a group; its loose key; the classes of slots, and the slots, sorted by them."""
    kinds = FIRST_KIND + len(graph.table)
    operation = np.where(linear.sums, 0, graph.kinds)
    leaf = np.where(depends == ON_EXAMPLES, 4, np.minimum(depends, 2))
    alike = np.where(depth > 0, 8 + operation * 4 + depends, leaf)  # equal for nodes that differ in depth only
    owner, left, right = slots.owner, slots.left, slots.right
    both, sums = right >= 0, linear.sums[owner]
    deep = depends * (int(depth.max(initial=0)) + 1) + depth
    swap = both & ((deep[left] < deep[right]) | ((deep[left] == deep[right]) & (alike[left] > alike[right])))
    left, right = np.where(swap, right, left), np.where(swap, left, right)
    ranks = _ranks(owner, depth[left] * (left >= 0), depth[right] * both)
    most = 8 + 4 * kinds
    of_left = np.where(left >= 0, alike[left] + most * ranks[0], _A_NUMBER)
    of_right = np.where(both, alike[right] + most * ranks[1], slots.scaled)
    code = _mixed(of_left * 2 + both + 1) * np.uint64(3) + _mixed(of_right + 1)
    place = np.arange(len(owner)) - np.searchsorted(owner, owner)
    order = np.lexsort((*(np.where(sums, x, 0) for x in (of_right, of_left, ~both)), owner))
    ordered = code + np.where(sums, 0, place + 1).astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    key = _mixed(alike + most * depth) * np.uint64(5)
    loose = np.zeros(len(depth), np.uint64)
    if len(owner):
        first = np.flatnonzero(np.append(True, np.diff(owner) != 0))
        uniform = np.logical_and.reduceat(
            (code == code[np.repeat(first, np.diff(np.append(first, len(owner))))]) & sums, first
        )
        uniform &= (right[first] < 0) | (depth[right[first]] > 0)
        uniform &= depth[left[first]] > 0
        loose[owner[first[uniform]]] = (key[owner[first]] + _mixed(code[first] + np.uint64(7)))[uniform]
        key[owner[first]] += np.add.reduceat(_mixed(ordered), first) + _mixed(np.diff(np.append(first, len(owner))))
    key += _alone(graph)[graph.kinds] * _mixed(np.arange(len(depth)))
    columns: Any = (owner, left, right, slots.factor, slots.scaled)
    return key, loose, code[order], Slots(*(x[order] for x in columns))


def _ranks(owner: Ints, left: Ints, right: Ints) -> tuple[Ints, Ints]:
    """The depths of the operands of each owner, as their ranks among the depths that occur there."""
    owners, depths = np.concatenate([owner, owner]), np.concatenate([left, right])
    order = np.lexsort((depths, owners))
    owners, depths = owners[order], depths[order]
    fresh = np.append(False, np.diff(owners) != 0)
    steps = np.cumsum(fresh | np.append(False, np.diff(depths) != 0))
    ranks = np.empty(len(order), np.intp)
    ranks[order] = steps - np.maximum.accumulate(np.where(fresh, steps, 0))
    return ranks[: len(owner)], ranks[len(owner) :]


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
