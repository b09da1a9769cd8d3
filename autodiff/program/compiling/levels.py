"""The depths at which nodes are computed, so that equal work is done at equal depth.

Example: a sum over a list of one node is that node, so that in a GPT the first token reaches its output layer one step
before the others. It could wait::

    depth        1    2    3            first token   x  y  z         after   x  y  ·  z
    others       x    y    s  z         others        x  y  s  z              x  y  s  z

A group that may be computed at several depths takes the one at which the most nodes like its own can be.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from autodiff.program.compiling.linear import Floats, Linear
from autodiff.program.compiling.reading import BATCHED, CONSTANT, INPUT, PARAMETER, SELECTED, Graph, Ints

__all__ = ["ON_EXAMPLES", "Slots", "aligned", "levels", "slots_of"]

#: What a node depends on: parameters alone, constants, inputs, inputs with an axis of examples.
_ON_PARAMETERS, _ON_CONSTANTS, _ON_INPUTS, ON_EXAMPLES = range(4)
_DEPENDS: Final = (
    (PARAMETER, _ON_PARAMETERS), (CONSTANT, _ON_CONSTANTS), (INPUT, _ON_INPUTS), (BATCHED, ON_EXAMPLES),
    (SELECTED, _ON_INPUTS),
)  # fmt: skip


@dataclass(frozen=True, eq=False, slots=True)
class Slots:
    """All slots by owner: the contributions to sums, and the operands of other nodes; see `Groups` and `Linear`."""

    owner: Ints
    left: Ints
    right: Ints
    factor: Floats
    scaled: Ints


def slots_of(graph: Graph, linear: Linear) -> Slots:
    """The slots of all nodes that were not merged into others."""
    owner = np.repeat(np.arange(len(graph.kinds)), np.diff(graph.first))
    others = ~(linear.sums | linear.merged)[owner]
    some = linear.left >= 0
    edges = owner[others]
    owners = np.concatenate([linear.owner[some], edges])
    order = np.argsort(owners, kind="stable")
    columns = (
        (owners,),
        (linear.left[some], graph.refs[others]),
        (linear.right[some], np.full(len(edges), -1)),
        (linear.factor[some], np.ones(len(edges))),
        (linear.scaled[some], np.zeros(len(edges), np.intp)),
    )
    return Slots(*(np.concatenate(column)[order] for column in columns))


def levels(graph: Graph, slots: Slots) -> tuple[Ints, Ints]:
    """The depth of each node, 0 for leaves, and what it depends on."""
    depends = np.full(len(graph.kinds), _ON_PARAMETERS)
    for kind, of in _DEPENDS:
        depends[graph.kinds == kind] = of
    refs = np.stack([slots.left, slots.right], axis=1).ravel()
    owners = np.repeat(slots.owner, 2)[refs >= 0]
    refs = refs[refs >= 0]
    np.maximum.at(depends, owners, np.where(graph.kinds[refs] < SELECTED, depends[refs], 0))
    computed = graph.kinds[refs] >= SELECTED
    owners, refs = owners[computed], refs[computed]
    first = np.flatnonzero(np.append(True, np.diff(owners) != 0)) if len(owners) else owners
    used, ends = refs.tolist(), [*first.tolist(), len(owners)][1:]
    depths, on = (graph.kinds >= SELECTED).astype(np.intp).tolist(), depends.tolist()
    steps: Any = zip(owners[first].tolist(), first.tolist(), ends, strict=True)
    for k, begin, end in _with_selections(graph, steps, used) if graph.selections else steps:
        operands = used[begin:end]
        depths[k] = 1 + max([depths[x] for x in operands])
        on[k] = max(on[k], max([on[x] for x in operands]))
    return np.array(depths, np.intp), np.array(on, np.intp)


def _with_selections(graph: Graph, steps: Any, used: list[int]) -> Iterator[tuple[int, int, int]]:
    """The steps, and those of stand-in leaves, which depend on their candidates, in order."""
    known: dict[int, tuple[int, int]] = {}
    more = []
    for k, selection in graph.selections.items():
        key = id(selection.candidates)
        if key not in known:
            begin = len(used)
            used.extend(graph.index[x] for x in selection.candidates if x in graph.index)
            known[key] = begin, len(used)
        if known[key][0] < known[key][1]:
            more.append((k, *known[key]))
    yield from sorted([*steps, *more])


def aligned(graph: Graph, slots: Slots, depth: Ints, members: Sequence[Ints], likeness: Any) -> Ints | None:
    """Depths at which more equal work is done at once; None if they are those that came.

    ``likeness`` is equal for nodes that would form one group at equal depth.
    """
    group = np.full(len(depth), -1)
    for k, nodes in enumerate(members):
        group[nodes] = k
    before = _operands(graph, slots, group, len(members))
    soonest = [int(depth[nodes[0]]) for nodes in members]
    latest = [max(soonest)] * len(members)
    for k in range(len(members) - 1, -1, -1):
        for operand in before[k]:
            latest[operand] = min(latest[operand], latest[k] - 1)
    alike: dict[int, list[int]] = {}
    for k, nodes in enumerate(members):
        alike.setdefault(int(likeness[nodes[0]]), []).append(k)
    chosen = soonest.copy()
    for k, nodes in enumerate(members):
        first = 1 + max((chosen[operand] for operand in before[k]), default=0)
        chosen[k] = first
        same = alike[int(likeness[nodes[0]])]
        if first < latest[k] and len(same) > 1:
            reached = {first, *(soonest[j] for j in same if first < soonest[j] <= latest[k])}
            work = {at: sum(len(members[j]) for j in same if soonest[j] <= at <= latest[j]) for at in reached}
            chosen[k] = min(reached, key=lambda at: (-work[at], at))
    if chosen == soonest:
        return None
    moved = depth.copy()
    for at, nodes in zip(chosen, members, strict=True):
        moved[nodes] = at
    return moved


def _operands(graph: Graph, slots: Slots, group: Ints, count: int) -> list[list[int]]:
    """For each group the groups that it reads."""
    owners, refs = np.tile(slots.owner, 2), np.concatenate([slots.left, slots.right])
    pairs = group[owners] * count + group[refs]
    kept = (refs >= 0) & (group[refs] >= 0) & (group[owners] >= 0)
    found: list[list[int]] = [[] for _ in range(count)]
    for pair in np.unique(pairs[kept]).tolist():
        found[pair // count].append(pair % count)
    for leaf, selection in graph.selections.items():
        candidates = {int(group[graph.index[x]]) for x in selection.candidates if x in graph.index} - {-1}
        found[int(group[leaf])] += sorted(candidates.difference(found[int(group[leaf])]))
    return found
