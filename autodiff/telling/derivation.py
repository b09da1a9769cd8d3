"""Explicit differentiation: the equations from a parameter to the output, each differentiated by that parameter.

The notes derive a gradient in two ways (section 1.5). Error sharing starts at the output and goes back. Explicit
differentiation applies the chain rule to each equation in the order of computation. Both give the same number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any, Final

from autodiff.engine.graph import Node
from autodiff.flow import Flow, FlowEdge, FlowNode, bracketed
from autodiff.telling.style import USUAL, Style
from autodiff.telling.terms import factor_symbol
from autodiff.words.formulas import as_operand, formula, of_name
from autodiff.words.notation import number

__all__ = ["Derived", "derivation", "equation_of"]

_SIGNS: Final = {"add": "+", "subtract": "−", "multiply": "·", "divide": "/"}
_MOST_TERMS: Final = 3


@dataclass(frozen=True, slots=True, eq=False)
class Derived:
    """One equation and its derivative: ∂node/∂parameter = Σ local gradient · ∂input/∂parameter.

    ``edges`` lead to the inputs that depend on the parameter, ``slopes`` are the derivatives of these inputs, and
    ``slope`` is the derivative of the node.
    """

    node: FlowNode
    edges: tuple[FlowEdge, ...]
    slopes: tuple[float, ...]
    slope: float

    def symbols(self, style: Style = USUAL) -> str:
        """The right-hand side, such as σ′(z₁⁽²⁾) · 0.8; of a long sum, only the first terms."""
        pairs = list(zip(self.edges, self.slopes, strict=True))
        shown = pairs[:_MOST_TERMS]
        terms = [f"{factor_symbol(edge, style)} · {bracketed(style.write(slope))}" for edge, slope in shown]
        return " + ".join([*terms, *(["…"] if len(pairs) > len(shown) else [])])


def derivation(flow: Flow) -> tuple[Derived, ...]:
    """The equations from the parameter to the output in the order of computation, each differentiated; () for arrays.

    Source: notes, section 1.5 ("explicit differentiation").

    >>> from autodiff import Value
    >>> from autodiff.flow import error_flow
    >>> x, w = Value(3.0, name="x"), Value(2.0, name="w")
    >>> [(line.node.label, line.slope) for line in derivation(error_flow((w * x) * (w * x), w))]
    [('w·x', 3.0), ('w·x#2', 3.0), ('w·x·(w·x)', 36.0)]
    """
    if flow.is_empty or any(edge.local is None for edge in flow.edges):
        return ()
    inputs: dict[int, list[FlowEdge]] = {}
    for edge in flow.edges:
        inputs.setdefault(edge.consumer, []).append(edge)
    slope = {flow.parameter.id: 1.0}
    shut: set[int] = set()  # nodes with closed edges only: their slope 0 stays 0 in any product
    found = []
    for node in reversed(flow.nodes[:-1]):
        edges = tuple(inputs[node.id])
        slopes = tuple(slope[edge.input] for edge in edges)
        opened = [edge for edge in edges if not edge.closed and edge.input not in shut]
        slope[node.id] = reduce(add, ((edge.local or 0.0) * slope[edge.input] for edge in opened), 0.0)
        if not opened:
            shut.add(node.id)
        found.append(Derived(node, edges, slopes, slope[node.id]))
    return tuple(found)


def equation_of(flow: Flow, node: FlowNode, style: Style = USUAL) -> str:
    """The equation by which a node was computed; of a long sum, only the terms that depend on the parameter.

    For a node without a name it is only the right-hand side.

    >>> from autodiff import Value
    >>> from autodiff.flow import error_flow
    >>> x, w = Value(3.0, name="x"), Value(2.0, name="w")
    >>> flow = error_flow(w * x, w)
    >>> equation_of(flow, flow.output)
    'w · x'
    """
    made = flow.flows.node_of(node)
    called = flow.flows.label_of
    names = [as_operand(called(item) if isinstance(item, Node) else _constant(item)) for item in made.inputs]
    right = _right(flow, node, names, style)
    return f"{node.label} = {right}" if node.name else right


def _constant(item: Any) -> str:
    return number(item) if isinstance(item, float | int) else f"array {item.shape}"


def _right(flow: Flow, node: FlowNode, names: Sequence[str], style: Style) -> str:
    made, operation, symbol = flow.flows.node_of(node), node.operation or "", node.symbol or ""
    if operation in _SIGNS:
        return f" {_SIGNS[operation]} ".join(names)
    if operation == "identity":
        return names[0]
    if operation == "hinge":
        return f"max(0, {number(made.params.get('margin', 1.0))} + {names[1]} − {names[0]})"
    if operation == "weighted_sum":
        return _weighted(flow, node, names)
    if operation == "affine":
        return f"{names[0]} {names[1]} + {names[2]}"
    called = [flow.flows.label_of(item) if isinstance(item, Node) else _constant(item) for item in made.inputs]
    defaults = made.origin.primitive.defaults if made.origin.primitive is not None else {}
    text = formula(operation, symbol, [of_name(name) for name in called], made.params, defaults)[0]
    told = style.operation(operation)
    for own in (operation, *[symbol] * (told != operation and len(names) > 1)):
        if text.startswith(f"{own}("):
            return told + text.removeprefix(own)
    return text


def _weighted(flow: Flow, node: FlowNode, names: Sequence[str]) -> str:
    count = len(names) // 2
    terms = [f"{names[k]} · {names[count + k]}" for k in range(count)] + list(names[2 * count :])
    if len(terms) > _MOST_TERMS:
        slots = {edge.slot for edge in flow.edges if edge.consumer == node.id}
        on_the_way = {2 * count if slot == 2 * count else slot % count for slot in slots}
        kept = [term for k, term in enumerate(terms) if (k if k < count else 2 * count) in on_the_way]
        terms = [*kept[:_MOST_TERMS], "…"] if len(kept) < len(terms) else kept
    return " + ".join(terms)
