"""Compute a recorded graph again, on other leaves, node by node: a new graph of the same structure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np

from autodiff.engine import emit_values
from autodiff.engine.graph import Node
from autodiff.primitives.registry import RECORDERS, Objects
from autodiff.primitives.table.units import identity
from autodiff.program.recording.integers import index_of
from autodiff.program.recording.recording import Recording
from autodiff.values.tensor import Tensor
from autodiff.values.value import Value

__all__ = ["ordered", "rerun"]


def ordered(outputs: Sequence[Node], selections: Mapping[Node, Any]) -> list[Node]:
    """All nodes on which the outputs depend, through selections too, inputs first.

    A node stays on the stack until its inputs are in order; a search that pushes each node twice takes twice as long.
    """
    order: list[Node] = []
    done: set[Node] = set()
    for output in outputs:
        stack = [output]
        while stack:
            node = stack[-1]
            if node in done:
                stack.pop()
                continue
            count = len(stack)
            a = node.a
            if a is None:
                if node in selections:
                    stack += [x for x in selections[node].candidates if isinstance(x, Node) and x not in done]
            elif a.__class__ is tuple:
                stack += [x for x in a if isinstance(x, Node) and x not in done]
            else:
                b = node.b
                if b is not None and b.__class__ is not float and b not in done:
                    stack.append(b)
                if a.__class__ is not float and a not in done:
                    stack.append(a)
            if len(stack) == count:
                done.add(node)
                order.append(node)
                stack.pop()
    return order


def rerun(
    recording: Recording, order: Sequence[Node], leaves: Mapping[Node, Any], integers: Sequence[int],
    shifts: Mapping[Node, float] = MappingProxyType({}),
) -> dict[Node, Any]:  # fmt: skip
    """For each node of the recorded graph, the new node that was computed in its place.

    Args:
        order: the nodes, as `ordered` gives them.
        leaves: nodes, and what takes their place; other leaves stay.
        integers: the integers of the run.
        shifts: numbers to add to some Values, which become constants.
    """
    found: dict[Node, Any] = dict(leaves)
    selections, indices = recording.selections, recording.indices
    calls: dict[Any, Any] = {}
    for node in order:
        if node in found:
            continue
        a, b, origin = node.a, node.b, node.origin
        if a is None:
            found[node] = _leaf(node, selections, found, integers)
            continue
        call = calls.get(origin)
        if call is None:
            call = calls[origin] = _call_of(node)
        if a.__class__ is tuple:
            inputs = [found[x] if isinstance(x, Node) else x for x in a]
            made = _at_index(node, inputs, indices[node], integers) if node in indices else call(*inputs)
        elif b is None:
            made = call(found[a])
        else:
            made = call(a if a.__class__ is float else found[a], b if b.__class__ is float else found[b])
        if origin.name is not None or origin.line is not None:
            made.origin = origin
        if node in shifts:
            made = Value.constant(made._data + shifts[node])
        found[node] = made
    return found


def _leaf(node: Node, selections: Mapping[Node, Any], found: Mapping[Node, Any], integers: Sequence[int]) -> Any:
    if node not in selections:
        return node
    chosen = selections[node]
    item = chosen.candidates[integers[chosen.which]]
    return found[item] if isinstance(item, Node) else Value.constant(float(item))


def _call_of(node: Any) -> Any:
    """The function that records the call that made a node, as for all nodes of its origin."""
    entry, params, scalar = node.origin.primitive, dict(node.origin.params), node.scalar
    if scalar and entry is identity and not node.inputs[0].scalar:
        return _identity
    if scalar and entry.reduces:
        return lambda *inputs: RECORDERS[Objects](entry, (_row(inputs),), params)
    if not scalar:
        return lambda *inputs: RECORDERS[Tensor](entry, inputs, params)
    method = emit_values.method(entry, Value)
    if method is not None:
        return partial(method, **params) if params else method
    return lambda *inputs: RECORDERS[Value](entry, inputs, params)


def _identity(item: Any) -> Any:
    return Value.from_tensor(item) if not item.scalar else identity(item)


def _row(inputs: Sequence[Any]) -> Any:
    row = np.empty(len(inputs), object)
    row[:] = inputs
    return row


def _at_index(node: Any, inputs: list[Any], index: Any, integers: Sequence[int]) -> Any:
    params = {**node.origin.params, "index": index_of(index, integers)}
    return RECORDERS[Tensor](node.origin.primitive, tuple(inputs), params)
