"""Where the numbers of a graph stop being finite: the first values and the first errors that are inf or nan."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from autodiff.engine.gates import has_nan
from autodiff.engine.graph import Node
from autodiff.flow.parts import FlowEdge, FlowNode, Number, Signal

__all__ = ["Anomaly", "first_errors", "first_values", "is_finite"]


@dataclass(frozen=True, slots=True, eq=False)
class Anomaly:
    """A place where a number is not finite although the numbers it was computed from are (or, for nan, are not nan).

    ``kind`` is ``value`` for the value of ``node``. The other kinds describe an error: ``explodes`` (a finite error
    meets an infinite local gradient), ``overflows`` (beyond the largest float) and ``nan`` (as in 0 · inf and
    inf − inf). They refer to the share on ``edge``, which arrives at ``node``, or, if ``edge`` is None, to the sum of
    the shares at ``node``.
    """

    kind: str
    node: FlowNode
    edge: FlowEdge | None = None


def first_values(
    graph: Iterable[Node], values: Iterable[Number], described: Callable[[Node], FlowNode]
) -> Iterator[Anomaly]:
    """The values that are not finite although the values of all their inputs are, in the order given."""
    for node, value in zip(graph, values, strict=True):
        if not is_finite(value) and all(is_finite(x._data) for x in node.inputs if isinstance(x, Node)):
            yield Anomaly("value", described(node))


def first_errors(nodes: Sequence[FlowNode], edges: Iterable[FlowEdge]) -> Iterator[Anomaly]:
    """The errors that are not finite although the numbers they are made of are, in the order of the backward pass.

    Args:
        nodes: by their ids, consumers before their inputs.
        edges: between these nodes.

    >>> from autodiff import Value, sqrt
    >>> from autodiff.flow import error_flow
    >>> x = Value(0.0, name="x")
    >>> flow = error_flow(sqrt(x * x), x)
    >>> [(anomaly.kind, anomaly.node.label) for anomaly in first_errors(flow.nodes, flow.edges)]
    [('explodes', 'x·x'), ('nan', 'x'), ('nan', 'x')]
    """
    leaving: dict[int, list[FlowEdge]] = {}
    arriving: dict[int, list[Number]] = {}
    for edge in edges:
        leaving.setdefault(edge.consumer, []).append(edge)
        arriving.setdefault(edge.input, []).append(edge.share)
    for node in nodes:
        if (kind := _of_sum(node.error, arriving.get(node.id, ()))) is not None:
            yield Anomaly(kind, node)
        for edge in leaving.get(node.id, ()):
            if (kind := _of_share(edge)) is not None:
                yield Anomaly(kind, nodes[edge.input], edge)


def _of_sum(error: Signal, shares: Sequence[Number]) -> str | None:
    if not shares or is_finite(error):
        return None
    if has_nan(error):
        return None if any(map(has_nan, shares)) else "nan"
    return "overflows" if all(map(is_finite, shares)) else None


def _of_share(edge: FlowEdge) -> str | None:
    if is_finite(edge.share):
        return None
    if has_nan(edge.share):
        return None if has_nan(edge.error) else "nan"
    if not is_finite(edge.error):
        return None
    return "explodes" if edge.local is None or math.isinf(edge.local) else "overflows"


def is_finite(value: Number) -> bool:
    """Whether a number, or every entry of an array, is neither inf nor nan."""
    return math.isfinite(value) if value.__class__ is float else bool(np.all(np.isfinite(value)))
