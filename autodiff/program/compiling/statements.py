"""Sixth stage: one statement for each group.

Example: the group z₁₁ … z₃₂ of a layer of 2 units over 3 examples, with one block of 2 products and a bias, becomes
a ``Sum`` of shape (3, 2) with one product of ``View(a, 0, (3, 2, 2), (2, 0, 1))`` and
``View(p, 0, (3, 2, 2), (0, 2, 1))``, and one term ``View(p, 4, (3, 2, 1), (0, 1, 0))``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from autodiff.primitives.registry import TABLE
from autodiff.program.compiling.affine import shape_of, strides_of
from autodiff.program.compiling.form import Apply, Call, Chosen, Product, Segment, Statement, Sum, Term, View
from autodiff.program.compiling.groups import Groups, blocks, matrix
from autodiff.program.compiling.layout import LEAVES
from autodiff.program.compiling.names import Names
from autodiff.program.compiling.operands import MANY, Found, Operands, common_shape
from autodiff.program.compiling.reading import FIRST_KIND, SELECTED, Graph, Ints, Kind

__all__ = ["state"]

_SHORT = 4

_Block = tuple[Found, Found | None, Any]  # left, right (None in a term), factors


def state(graph: Graph, groups: Groups, operands: Operands) -> None:
    """Add the statement of every group, and their segments, to the operands."""
    names, many = Names(), len(operands.layout.members) > MANY
    for members in operands.layout.members[LEAVES:]:
        names.fixed = "J" if graph.outputs.tolist() == members.tolist() else ""
        kind, batched = int(graph.kinds[members[0]]), bool(groups.batched[members[0]])

        def target(shape: tuple[int, ...], name: str, batched: bool = batched) -> Segment:
            operands.segments.append(Segment("computed", shape, name, batched))
            return operands.segments[-1]

        if kind == SELECTED:
            statement = _selected(graph, members, operands, target)
        elif many and _is_short(graph, groups, members):
            statement = _single(graph, groups, int(members[0]), operands, target, names)
        elif groups.sums[members[0]]:
            statement = _sum(groups, members, operands, target, names)
        else:
            statement = _applied(graph.table[kind - FIRST_KIND], groups, members, operands, target, names)
        operands.statements.append(statement)


def _is_short(graph: Graph, groups: Groups, members: Ints) -> bool:
    """Whether a group is one node with few operands."""
    kind = int(graph.kinds[members[0]])
    elementwise = kind < FIRST_KIND or graph.table[kind - FIRST_KIND].primitive.elementwise
    return len(members) == 1 and elementwise and 0 < int(groups.length[members[0]]) <= _SHORT


def _single(graph: Graph, groups: Groups, node: int, operands: Operands, target: Any, names: Names) -> Statement:
    """The statement of a single node with few operands, slot by slot: in a tenth of the time."""
    start, end = groups.start[node], groups.start[node] + groups.length[node]
    left, right = groups.left[start:end].tolist(), groups.right[start:end].tolist()
    if not groups.sums[node]:
        kind = graph.table[graph.kinds[node] - FIRST_KIND]
        read = tuple([operands.scalar(k, ()) for k in left])
        return Apply(
            target((), names.of_unit(kind.primitive, [x for x in read if x.__class__ is View])),
            kind.primitive,
            read,
            kind.params,
        )
    factors = groups.factor[start:end].tolist()
    slots = list(zip(left, right, factors, strict=True))
    products = [Product(operands.scalar(a, (1,)), operands.scalar(b, (1,)), c) for a, b, c in slots if b >= 0]
    terms = [Term(operands.scalar(a, (1,)), c) for a, b, c in slots if b < 0]
    return Sum(target((), names.of_sum(products)), tuple(products), tuple(terms), float(groups.constant[node]))


def _sum(groups: Groups, members: Ints, operands: Operands, target: Any, names: Names) -> Statement:
    left, right, factor = (matrix(x, groups, members) for x in (groups.left, groups.right, groups.factor))
    found = [
        part for a, b in blocks(groups, members)
        for part in _block(left[:, a:b], right[:, a:b], factor[:, a:b], operands, groups)
    ]  # fmt: skip
    shape = common_shape([x for one, other, _ in found for x in (one, other) if x is not None])
    products, terms = [], []
    for one, other, factors in found:
        if other is not None:
            products.append(Product(operands.operand(one, shape), operands.operand(other, shape), float(factors[0, 0])))
        elif (factors == factors[0, 0]).all():
            terms.append(Term(operands.operand(one, shape), float(factors[0, 0])))
        else:
            terms.append(Term(operands.operand(one, shape), tuple(factors[0].tolist())))
    constant = groups.constant[members]
    if (constant != constant[0]).any():
        terms.append(Term(operands.operand(Found(None, constant[:, None]), shape)))
        constant = np.zeros(1)
    return Sum(target(shape, names.of_sum(products)), tuple(products), tuple(terms), float(constant[0]))


def _block(left: Ints, right: Ints, factor: Any, operands: Operands, groups: Groups) -> Iterator[_Block]:
    """The products or terms of a block, as several where their factors differ."""
    one = operands.find(left)
    other = operands.find(right) if right[0, 0] >= 0 else None
    if len(left) == 1 and left.shape[1] > 1:  # the order of a single sum is free
        keys = (*(() if other is None else (other.places[0],)), one.places[0], factor[0])
        order = np.lexsort(keys)
        one, factor = Found(one.segment, one.places[:, order]), factor[:, order]
        other = None if other is None else Found(other.segment, other.places[:, order])
    elif (factor == factor[0, 0]).all() and left.shape[1] > 1:
        one, other = _in_order(one, other)
    same_in_rows = (factor == factor[0]).all()
    if other is None:
        if same_in_rows:
            yield one, None, factor
        else:
            yield Found(None, factor), one, np.ones((1, 1))
        return
    values = np.unique(factor[0])
    if same_in_rows and len(values) <= _MOST_FACTORS:
        for value in values:
            chosen = factor[0] == value
            yield (
                Found(one.segment, one.places[:, chosen]),
                Found(other.segment, other.places[:, chosen]),
                factor[:, chosen],
            )
        return
    yield _scaled(one, factor, operands, bool(groups.batched[left[0, 0]])), other, np.ones((1, 1))


def _in_order(one: Found, other: Found | None) -> tuple[Found, Found | None]:
    """The slots of each row in the order of their places, if these are not regular: the order of a sum is free."""
    for key in (one, other):
        if key is not None and key.base is None and key.segment is not None:
            order = np.argsort(key.places, axis=1, kind="stable")
            moved = [
                None if x is None else Found(x.segment, np.take_along_axis(x.places, order, 1)) for x in (one, other)
            ]
            if all(x is None or x.base is not None for x in moved):
                return moved[0] or one, moved[1]
    return one, other


_MOST_FACTORS = 4


def _scaled(found: Found, factor: Any, operands: Operands, batched: bool) -> Found:
    """The numbers times constants that are not the same for all: a segment of its own."""
    rows = np.concatenate([found.places, factor.view(np.intp)], axis=1)
    _, first, which = np.unique(rows, axis=0, return_index=True, return_inverse=True)
    rank = np.argsort(np.argsort(first))  # equal rows once, as they come
    first, which = np.sort(first), rank[which.ravel()]
    places, factor = found.places[first], factor[first]
    flat = Found(found.segment, places.reshape(-1, 1))
    constants = operands.operand(Found(None, factor.reshape(-1, 1)), places.shape)
    target = Segment("computed", places.shape, "scaled", batched)
    operands.statements.append(Sum(target, (Product(constants, operands.operand(flat, places.shape)),)))
    return Found(target, which[:, None] * places.shape[1] + np.arange(places.shape[1]))


def _applied(kind: Kind, groups: Groups, members: Ints, operands: Operands, target: Any, names: Names) -> Statement:
    refs = matrix(groups.left, groups, members)
    entry = kind.primitive
    if not entry.elementwise:
        return _called(kind, refs, operands, target)
    found = [operands.find(refs[:, k : k + 1]) for k in range(refs.shape[1])]
    shape = common_shape([x for x in found if x.segment is not None])
    read = []
    for item in found:
        same = item.segment is None and (item.places == item.places[0]).all()
        read.append(float(item.places[0, 0]) if same else operands.operand(item, shape, summed=False))
    return Apply(target(shape, names.of_unit(entry, found)), entry, tuple(read), kind.params)


def _called(kind: Kind, refs: Ints, operands: Operands, target: Any) -> Statement:
    """A reduction of the rows of an operand, or one call of a primitive on numbers."""
    entry = kind.primitive
    if not entry.reduces:
        read: list[Any] = []
        for k in range(refs.shape[1]):
            found = operands.find(refs[:, k : k + 1])
            read.append(
                float(found.places[0, 0]) if found.segment is None else operands.operand(found, (), summed=False)
            )
        return Call(target((), entry.name), entry, tuple(read), kind.params)
    found = operands.find(refs)
    shape = common_shape([found])
    axis = {"axis": -1} if "axis" in entry.defaults else {}
    return Call(target(shape, entry.name), entry, (operands.operand(found, shape),), {**kind.params, **axis})


def _selected(graph: Graph, members: Ints, operands: Operands, target: Any) -> Statement:
    """The numbers that integers of the run choose, copied."""
    tables: dict[int, tuple[Segment, int, int]] = {}
    rows = []
    for node in members.tolist():
        selection = graph.selections[node]
        key = id(selection.candidates)
        if key not in tables:
            tables[key] = _table(graph, selection.candidates, operands)
        rows.append((*tables[key], selection.which, len(selection.candidates)))
    segments = list(dict.fromkeys(row[0] for row in rows))
    if len(segments) > 1:
        copied = operands.copied([_whole(segment) for segment in segments], "joined")
        starts = dict(zip(segments, np.cumsum([0, *(segment.size for segment in segments)]).tolist(), strict=False))
        rows = [(copied, starts[row[0]] + row[1], *row[2:]) for row in rows]
    base, step, which, limit = (np.array(column, np.intp) for column in zip(*(row[1:] for row in rows), strict=True))
    bases = np.stack([base, step, which])
    shape = () if len(rows) == 1 else shape_of(bases) or (len(rows),)
    chosen = Chosen(rows[0][0], *(column.reshape(shape) for column in (base, step, which, limit)))
    return Apply(target(shape, "chosen"), TABLE["identity"], (chosen,))


def _table(graph: Graph, candidates: tuple[Any, ...], operands: Operands) -> tuple[Segment, int, int]:
    """The segment, start and stride of candidates; they are copied if they have none."""
    if all(x in graph.index for x in candidates):
        found = operands.find(np.array([[graph.index[x] for x in candidates]], np.intp))
        regular = strides_of(found.places[0])
        if regular is not None:
            return found.segment, regular[0], regular[1][0]
        return operands.copied([operands.operand(found, (), summed=True)], "table"), 0, 1
    parts: list[Any] = []
    for x in candidates:
        if x in graph.index:
            found = operands.find(np.array([[graph.index[x]]], np.intp))
            parts.append(operands.operand(found, (), summed=True))
        else:
            parts.append(_whole(operands.constant(np.array([float(x)]))))
    return operands.copied(parts, "table"), 0, 1


def _whole(segment: Segment) -> Any:
    return View(segment, 0, (segment.size,), (1,))
