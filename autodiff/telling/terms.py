"""Terms for the parts of a flow in sentences and formulas: δ₁⁽²⁾, error at a₁⁽²⁾, the share of W₁₁⁽²⁾.

These terms depend on the language or on the format of numbers. Labels of nodes and readings of local gradients do not:
they are data of the ledger (`autodiff.flow.labels`), and so are the notes' names and the reading order
(`autodiff.flow.order`). δ is the error signal at z; the error at a is another number with another name (notes,
Conventions).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from autodiff.engine.graph import BY_RULE, Node
from autodiff.engine.shares import local_gradients
from autodiff.flow import Factor, Flow, FlowEdge, FlowNode, Path, Signal, bracketed
from autodiff.flow.labels import read_edge
from autodiff.flow.numbering import NumberedGraph
from autodiff.flow.order import is_weighted_sum, notes_name, shares_in_order, suffix
from autodiff.flow.products import product
from autodiff.slopes.slope import Slope
from autodiff.telling.style import USUAL, Style
from autodiff.words.formulas import as_operand, of_constant, quotient
from autodiff.words.notation import Name, number

__all__ = [
    "derivative", "equal", "equation", "error_name", "error_symbol", "factor_symbol", "local_equation",
    "local_equations",
    "path_numbers", "path_symbols",
    "share_numbers", "share_text", "sum_numbers", "sum_of_shares", "window",
]  # fmt: skip

_MOST_FACTORS: Final = 40  # in one printed product
_WINDOWS: Final = ("term.true-window", "term.corrupt-window")  # the inputs of a hinge


def derivative(flow: Flow, style: Style = USUAL) -> str:
    """The gradient in symbols, as in `autodiff.flow.Flow.derivative`, preceded by the seed unless it is 1."""
    symbols = quotient(flow.output.label, flow.parameter.label)
    if flow.derivative == symbols:
        return symbols
    seed = bracketed(style.write(flow.seed)) if isinstance(flow.seed, float) else style.say("term.seed")
    return f"{seed} · {symbols}"


def error_symbol(flow: Flow, node: FlowNode, style: Style = USUAL) -> str | None:
    """The symbol of the error at a node: δ₁⁽²⁾ at z₁⁽²⁾, the derivative at the parameter; None if it has no symbol."""
    if node is flow.parameter:
        return derivative(flow, style)
    name = notes_name(node)
    if name is not None and is_weighted_sum(node):
        return f"{Name('δ', name.indices, name.layer)}{suffix(node)}"
    return None


def error_name(flow: Flow, node: FlowNode, style: Style = USUAL) -> str:
    """The name of the error at a node: its symbol if it has one, else "error at a₁⁽²⁾"."""
    return error_symbol(flow, node, style) or style.say("term.error-at", node=node.label)


def factor_symbol(edge: FlowEdge, style: Style = USUAL) -> str:
    """The local gradient of an edge as a factor: in brackets where needed, numbers in the format of ``style``."""
    return bracketed(_written(edge.local_symbol, edge.local, style))


def share_text(flow: Flow, edge: FlowEdge, style: Style = USUAL) -> str:
    """The share on an edge in symbols: δ₁⁽³⁾ · W₁₁⁽²⁾ or (error at a₁⁽²⁾) · σ′(z₁⁽²⁾); for matrices, W⁽²⁾ᵀ δ⁽³⁾."""
    consumer = flow.nodes[edge.consumer]
    error = error_symbol(flow, consumer) or f"({error_name(flow, consumer, style)})"
    if edge.local is None:
        of_matrices = product(flow.flows.node_of(consumer), edge.slot, _operands(flow, consumer), error)
        if of_matrices is not None:
            return of_matrices
    dot = "∘" if edge.local is None and edge.local_symbol != "1" and np.size(edge.share) > 1 else "·"
    return f"{error} {dot} {factor_symbol(edge, style)}"


def _operands(flow: Flow, consumer: FlowNode) -> list[str]:
    """The labels of a node's inputs; a layer's input that is not a node is a⁽ᵏ⁾, any other constant its numbers."""
    name, called = notes_name(consumer), flow.flows.label_of
    layer_input = ""
    if name is not None and name.letter == "z" and (name.layer or 0) > 1:
        layer_input = f"{Name('a', (), (name.layer or 0) - 1)}{suffix(consumer)}"
    return [
        as_operand(called(item)) if isinstance(item, Node) else layer_input or of_constant(item)[0]
        for item in flow.flows.node_of(consumer).inputs
    ]


def share_numbers(edge: FlowEdge, style: Style = USUAL) -> str:
    """The share on an edge in numbers: 0.9 × 0.1793 = 0.1614; for arrays, the shape and norm of the share in words."""
    share = style.told(edge.share)
    if edge.local is None:
        return share
    return f"{style.amount(edge.error)} × {bracketed(style.write(edge.local))} = {share}"


def sum_numbers(edges: Sequence[FlowEdge], result: Signal, style: Style = USUAL) -> str:
    """Shares and their sum in numbers; for arrays, the shape and norm of the result in words."""
    total = style.told(result)
    if np.size(result) > 1:
        return total
    return f"{' + '.join(bracketed(style.amount(edge.share)) for edge in edges)} = {total}"


def equal(symbols: str, numbers: str, value: Signal, style: Style = USUAL) -> str:
    """Symbols and what they are: an equation, or the words for an array after a comma."""
    return style.say("term.pair", first=symbols, second=numbers) if np.size(value) > 1 else f"{symbols} = {numbers}"


def equation(symbol: str, value: float | None, style: Style = USUAL) -> str:
    """An equation such as σ′(z) = 0.1793; only the number if the symbol is that number."""
    if symbol == number(value):
        return style.write(value)
    return f"{symbol} = {style.write(value)}"


def local_equation(flow: Flow, edge: FlowEdge, style: Style = USUAL) -> str:
    """The local gradient of an edge as an equation: σ′(z) = a·(1 − a) = 0.7658 × 0.2342 = 0.1793; ReLU′(z) = 1 (a > 0).

    For arrays, only the symbols. A number that the operation chose is that of ∂max(x, y)/∂x = 0 (x < y).
    """
    called = quotient(flow.nodes[edge.consumer].label, flow.nodes[edge.input].label)
    return _equation(edge.local_symbol, edge.local, flow.slope_of(edge), called, style)


def local_equations(graph: NumberedGraph, node: Node, style: Style = USUAL) -> list[str]:
    """The local gradients of a node that are formulas, as equations, without a flow."""
    locals_of = [None] * len(node.inputs) if node.da is BY_RULE else local_gradients(node)
    found = []
    for slot, (item, local) in enumerate(zip(node.inputs, locals_of, strict=True)):
        if not isinstance(item, Node):
            continue
        symbol, partner = read_edge(node, slot, local, graph.labels)
        slope = None if symbol == partner else graph.slope_of(node, slot, local)
        if slope is not None:
            called = quotient(graph.labels[node], graph.labels[item])
            found.append(_equation(symbol, local, slope, called, style))
    return found


def _equation(symbol: str, local: float | None, slope: Slope | None, called: str, style: Style) -> str:
    """A local gradient in symbols, as a formula and as a number; ``called`` is its name if it has no symbols."""
    parts = [symbol] if local is None or symbol != number(local) else []
    if slope is not None and slope.conditions and not parts:
        parts = [called]
    if slope is not None:
        parts += [part for part in (slope.symbols, slope.in_numbers(style.write)) if part and part != symbol]
    if local is not None:
        parts.append(style.write(local))
    said = style.say("term.in-brackets", text=", ".join(slope.conditions)) if slope and slope.conditions else ""
    return " = ".join(parts) + said


def _written(symbol: str, value: float | None, style: Style) -> str:
    return style.write(value) if symbol == number(value) else symbol


def sum_of_shares(flow: Flow, most: int, style: Style = USUAL) -> tuple[str, ...]:
    """The gradient as the sum of its shares, in symbols and, if several numbers are added, in numbers."""
    edges = shares_in_order(flow, flow.parameter)
    more = ["…"] if len(edges) > most else []
    symbols = " + ".join([*(share_text(flow, edge, style) for edge in edges[:most]), *more])
    if np.size(flow.gradient) > 1:
        return (symbols,)
    amounts = [bracketed(style.amount(edge.share)) for edge in edges[:most]]
    return (symbols, " + ".join([*amounts, *more])) if len(edges) > 1 else (symbols,)


def path_symbols(path: Path, style: Style = USUAL, *, most: int = _MOST_FACTORS) -> str:
    """A path's product in symbols, 1 · W₁₁⁽²⁾ · σ′(z₁⁽²⁾) · a₄⁽¹⁾; beyond ``most`` factors, only the outer ones."""
    return _multiplied(path, " · ", lambda factor: _written(factor.symbol, factor.number, style), most, style)


def path_numbers(path: Path, style: Style = USUAL, *, most: int = _MOST_FACTORS) -> str:
    """The same product in numbers, 1 × 0.9 × 0.1793 × 0.8; "" where edges carry arrays."""
    if path.product is None:
        return ""
    return _multiplied(path, " × ", lambda factor: style.write(factor.number), most, style)


def _multiplied(path: Path, dot: str, read: Callable[[Factor], str], most: int, style: Style) -> str:
    factors, half = path.factors, most // 2
    if len(factors) <= most:
        return dot.join(bracketed(read(factor)) for factor in factors)
    left_out = style.say("term.more-factors", count=len(factors) - 2 * half)
    first, last = ([bracketed(read(factor)) for factor in part] for part in (factors[:half], factors[-half:]))
    return dot.join([*first, left_out, *last])


def window(flow: Flow, edge: FlowEdge, style: Style = USUAL) -> str:
    """The window to which an edge of the max-margin objective leads; "" for any other edge."""
    return style.say(_WINDOWS[edge.slot]) if flow.nodes[edge.consumer].operation == "hinge" else ""
