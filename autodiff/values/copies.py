"""Copies of graphs for ``copy``, ``copy.deepcopy`` and ``pickle``, without recursion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autodiff.engine.graph import BY_RULE, Node, check_all_fresh, link, topological
from autodiff.engine.plain import data_of, read_only
from autodiff.engine.shares import local_gradients
from autodiff.primitives.rows import Rows, own_grad
from autodiff.primitives.whole import unfolded

__all__ = ["copied", "reduced", "twin"]


def reduced(output: Node) -> tuple[Any, ...]:
    """The result of ``__reduce__``: the graph of ``output`` as plain data. Raises StaleGraphError."""
    output = unfolded(output, topological(output))
    order = topological(output)
    check_all_fresh(order)
    place = {node: k for k, node in enumerate(order)}
    if output.a is None:
        return unpacked, ([packed(output, place)],)
    # leaves are pickled as separate objects: pickled beside the output, as in a net, they stay its leaves
    return unpacked, ([node if node.a is None else packed(node, place) for node in order],)


def packed(node: Node, place: Mapping[Node, int]) -> tuple[Any, ...]:
    """One node as plain data, with its inputs as positions in a list, so that pickling does not recurse."""
    inputs = [(True, place[x]) if isinstance(x, Node) else (False, x) for x in node.inputs]
    partials = node.db if node.da is BY_RULE else local_gradients(node)
    return node.__class__, node._data, _kept(node._grad), node.origin, inputs, partials, node.da is BY_RULE


def _kept(grad: Any) -> Any:
    """A gradient as it counts, without the wrapping of a lent one."""
    return own_grad(grad)[0] if grad.__class__ is tuple else Rows.kept(grad)


def unpacked(records: list[Any]) -> Node:
    """The last node of the graph that ``records`` describe; a record may also be a leaf itself."""
    made: list[Any] = []
    for record in records:
        if isinstance(record, Node):
            made.append(record)
            continue
        kind, data, grad, origin, places, partials, by_rule = record
        node = kind._leaf(read_only(data), origin)
        node._grad = grad
        if places:
            inputs = tuple(made[x] if is_node else read_only(x) for is_node, x in places)
            if by_rule:
                node.a, node.b, node.da, node.db = inputs, data_of(origin.primitive, inputs), BY_RULE, partials
            else:
                link(node, inputs, partials)
        made.append(node)
    return made[-1]  # type: ignore[no-any-return]


def copied(output: Node, memo: dict[int, Any]) -> Node:
    """A copy of the graph of ``output``, without recursion; nodes that are already in ``memo`` are not copied again."""
    for node in topological(output):
        if id(node) not in memo:
            memo[id(node)] = twin(node, memo)
    return memo[id(output)]  # type: ignore[no-any-return]


def twin(node: Any, memo: Mapping[int, Any]) -> Any:
    """A copy of one node whose inputs are replaced according to ``memo``; the copy of a stale node is stale too."""
    copy = type(node)._leaf(node._data, node.origin)
    copy.version = node.version
    grad = _kept(node._grad)
    copy._grad = grad if node.scalar or grad is None else grad.copy()
    if node.a is not None:
        inputs = tuple(memo[id(x)] if isinstance(x, Node) else x for x in node.inputs)
        if node.da is BY_RULE:
            copy.a, copy.b, copy.da, copy.db = inputs, node.b, BY_RULE, node.db
        else:
            link(copy, inputs, local_gradients(node))
    return copy
