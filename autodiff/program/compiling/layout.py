"""Fourth stage: the order of each group's members, and the place of every node in its segment.

Example: a layer z = W a of 2 units over 3 examples has the members (z₁₁ z₁₂ z₂₁ z₂₂ z₃₁ z₃₂). Their left rows are the
examples (a₁ a₁ a₂ a₂ a₃ a₃), their right rows the units (w₁ w₂ w₁ w₂ w₁ w₂). Every pair occurs once, so that the group
is a matrix product, and is sorted by left row, then by right row. The parameters are placed as the largest group meets
them: w₁₁ w₁₂ … w₂₁ w₂₂ …
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from autodiff.program.compiling.affine import shape_of
from autodiff.program.compiling.groups import Groups, blocks, matrix
from autodiff.program.compiling.reading import BATCHED, CONSTANT, INPUT, PARAMETER, Graph, Ints

__all__ = ["LEAVES", "Layout", "laid_out"]

#: The segments of leaves come first, by kind: parameters, constants, inputs, inputs with an axis of examples.
LEAVES = 4
_SHORT = 8  # slots of a single node that are not worth an order of their own


@dataclass(frozen=True, eq=False, slots=True)
class Layout:
    """Where each node's number is.

    Args:
        members: the nodes of each segment in the order of their places; first the leaves of each kind.
        segment: the number of the segment of each node, −1 for a node that was merged into another.
        place: its place there.
    """

    members: list[Ints]
    segment: Ints
    place: Ints


def laid_out(graph: Graph, groups: Groups) -> Layout:
    """The segments and places of all nodes."""
    count = len(graph.kinds)
    segment, place = np.full(count, -1), np.zeros(count, np.intp)
    leaves = [np.flatnonzero(graph.kinds == kind) for kind in (PARAMETER, CONSTANT)]
    leaves += [np.array([k for k in graph.inputs if graph.kinds[k] == kind], np.intp) for kind in (INPUT, BATCHED)]
    for k in (2, 3):
        segment[leaves[k]], place[leaves[k]] = k, np.arange(len(leaves[k]))
    ordered: list[Ints] = []
    for members in groups.members:
        if len(members) == 1:
            segment[members[0]] = LEAVES + len(ordered)
            ordered.append(members)
            continue
        for part in _sorted(groups, members, segment, place):
            segment[part] = LEAVES + len(ordered)
            place[part] = np.arange(len(part))
            ordered.append(part)
    met = _met(graph, groups, ordered)
    for k in (PARAMETER, CONSTANT):
        leaves[k] = leaves[k][np.argsort(met[leaves[k]], kind="stable")]
    for k, members in enumerate(leaves):
        segment[members] = k
        place[members] = np.arange(len(members))
    return Layout([*leaves, *ordered], segment, place)


def _sorted(groups: Groups, members: Ints, segment: Ints, place: Ints) -> Iterator[Ints]:
    """The members in an order in which products factor, in several parts if they are several matrix products."""
    if not groups.length[members[0]]:
        yield members
        return
    if groups.sums[members[0]]:
        a, b = max(blocks(groups, members), key=lambda block: block[1] - block[0])
        left, right = (matrix(x, groups, members)[:, a:b] for x in (groups.left, groups.right))
        if right[0, 0] >= 0 and b - a > 1:
            yield from _as_products(members, left, right, segment, place)
            return
    else:
        left = matrix(groups.left, groups, members)
    yield members[_by_operand(left, segment, place)]


def _by_operand(refs: Ints, segment: Ints, place: Ints) -> Ints:
    """The order of the places of the first operand that is computed and not the same for all."""
    for column in refs.T:
        if (column >= 0).all() and (segment[column] >= 0).all():
            key = segment[column] * (len(place) + 1) + place[column]
            if (key != key[0]).any():
                return np.argsort(key, kind="stable")
    return np.arange(len(refs))


def _as_products(members: Ints, left: Ints, right: Ints, segment: Ints, place: Ints) -> Iterator[Ints]:
    """The members by left row, then by right row, if in each connected part every pair of rows occurs once."""
    rows, columns = _numbered(left, segment, place), _numbered(right, segment, place)
    part = _connected(rows, columns)
    if (part != part[0]).any() and shape_of(np.stack([rows, columns])) is not None:
        yield members  # several products, regular as they are: heads within tokens
        return
    order = np.lexsort((columns, rows, part))
    rows, columns, part = rows[order], columns[order], part[order]
    firsts = np.append(np.flatnonzero(np.append(True, np.diff(part) != 0)), len(part))
    sizes = np.diff(firsts)
    pieces = [slice(a, b) for a, b in pairwise(firsts)]
    if len(pieces) > 64 and len(set(sizes.tolist())) > 1:
        yield members
        return
    shapes = [(len(np.unique(rows[p])), len(np.unique(columns[p]))) for p in pieces] if len(pieces) <= 64 else []
    twice = ((np.diff(rows) == 0) & (np.diff(columns) == 0)).any()
    if twice or not all(m * n == size for (m, n), size in zip(shapes, sizes.tolist(), strict=False)):
        yield members
    elif len(set(shapes)) <= 1:
        yield members[order]
    else:
        for piece in pieces:
            yield members[order[piece]]


def _numbered(refs: Ints, segment: Ints, place: Ints) -> Ints:
    """A number for each row, equal for equal rows: in the order of the places of their first numbers, or as met."""
    weights = np.random.default_rng(0).integers(1, 2**62, refs.shape[1]).astype(np.uint64) | np.uint64(1)
    code = (refs.astype(np.uint64) * weights).sum(axis=1)
    _, first, which = np.unique(code, return_index=True, return_inverse=True)
    lead = refs[first, 0]
    rank = np.empty(len(first), np.intp)
    rank[np.lexsort((first, place[lead], segment[lead]))] = np.arange(len(first))
    return rank[which]


def _connected(rows: Ints, columns: Ints) -> Ints:
    """The number of the connected part of each pair, where pairs with a common row or column are connected."""
    of_row, of_column = np.arange(rows.max() + 1), np.full(columns.max() + 1, len(rows))
    for _ in range(64):
        np.minimum.at(of_column, columns, of_row[rows])
        before = of_row.copy()
        np.minimum.at(of_row, rows, of_column[columns])
        if (before == of_row).all():
            break
    return of_row[rows]


def _met(graph: Graph, groups: Groups, ordered: list[Ints]) -> Ints:
    """When each leaf is met: by the largest group that uses it, groups in their order, products before terms."""
    count = len(graph.kinds)
    used: list[Ints] = []
    owner: list[Ints] = []
    sizes = [int(groups.length[members[0]]) * len(members) for members in ordered]
    several = [k for k in range(len(ordered)) if len(ordered[k]) > 1 or sizes[k] > _SHORT]
    numbers = sorted(several, key=lambda k: -sizes[k])
    for k in numbers:
        if sizes[k]:
            spread = _spread(groups, ordered[k])
            used.append(spread)
            owner.append(np.full(len(spread), k))
    single = np.array(
        [part[0] for part, size in zip(ordered, sizes, strict=True) if len(part) == 1 and size <= _SHORT], np.intp
    )
    if len(single):  # all at once
        length = groups.length[single]
        slots = np.arange(length.sum()) + np.repeat(groups.start[single] - np.cumsum(length) + length, length)
        used += [np.stack([groups.right[slots], groups.left[slots]], 1).ravel()]
        owner += [np.full(2 * len(slots), len(ordered))]
    for table in _tables(graph):
        used.append(table)
        owner.append(np.full(len(table), -1))
    if not used:
        return np.zeros(count, np.intp)
    refs, owners = np.concatenate(used), np.concatenate(owner)
    kept = (refs >= 0) & (graph.kinds[refs] <= CONSTANT)
    refs, owners = refs[kept], owners[kept]
    first = np.full(count, len(refs))
    backwards = np.arange(len(refs))[::-1]
    first[refs[backwards]] = backwards  # what was written last stays: the first
    rank = np.empty(len(refs), np.intp)
    rank[np.argsort(owners, kind="stable")] = np.arange(len(refs))
    return np.asarray(np.append(rank, len(refs))[first])


def _spread(groups: Groups, members: Ints) -> Ints:
    """The operands of a group: block by block, right ones and then left ones, row by row."""
    if not groups.sums[members[0]]:
        return np.asarray(matrix(groups.left, groups, members).T.ravel())
    left, right = matrix(groups.left, groups, members), matrix(groups.right, groups, members)
    parts: list[Any] = []
    for a, b in blocks(groups, members):
        parts += [right[:, a:b].ravel(), left[:, a:b].ravel()]
    return np.concatenate(parts)


def _tables(graph: Graph) -> Iterator[Ints]:
    """The candidates of all selections, those of neighbouring columns side by side: tables of one length at a time."""
    tables: dict[int, list[list[int]]] = {}
    for selection in {id(s.candidates): s for s in graph.selections.values()}.values():
        nodes = [graph.index[x] for x in selection.candidates if x in graph.index]
        tables.setdefault(len(nodes), []).append(nodes)
    return (np.array(columns, np.intp).T.ravel() for columns in tables.values())
