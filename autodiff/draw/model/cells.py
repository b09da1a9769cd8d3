"""The cells and rows of boxes, and texts that all kinds of pictures share."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np

from autodiff.draw.model.picture import Cell, Row
from autodiff.flow import Flow, FlowEdge, FlowNode, Number, Signal, bracketed
from autodiff.telling.steps import Step
from autodiff.telling.style import Style
from autodiff.telling.terms import equation, error_name, error_symbol, factor_symbol, local_equation, share_text, window
from autodiff.words.gaps import LONGEST_NAME, with_gaps
from autodiff.words.operations import ENGLISH_SYMBOLS

__all__ = [
    "StepNumbers", "brief", "edge_hint", "error_cells", "factor_text", "forward_rows", "hint", "in_full",
    "line_numbers", "operation_symbol", "share_cell", "sign", "strokes", "whole", "whole_factor",
]  # fmt: skip

_LONGEST: Final = LONGEST_NAME + 6  # characters: f′(name) fits; the tooltip has the whole text
_LONGEST_SYMBOL: Final = 9
_LONGEST_FACTOR: Final = 60  # characters on a wire
_WIDEST_STROKE: Final = 2.2


class StepNumbers:
    """The places of step numbers: at the errors that a step states, or at its edges if it states none."""

    def __init__(self, flow: Flow, steps: Sequence[Step]) -> None:
        self._nodes = {node: step.number for step in steps for node in step.nodes}
        silent = (step for step in steps if not step.nodes)
        self._edges = {id(flow.edges[edge]): step.number for step in silent for edge in step.edges}

    def node(self, node: FlowNode) -> int | None:
        return self._nodes.get(node.id)

    def edge(self, edge: FlowEdge) -> int | None:
        return self._edges.get(id(edge))


def brief(label: str) -> str:
    """A label, shortened to fit in a box."""
    return with_gaps(label, _LONGEST)


def whole(label: str) -> str:
    """The label if it does not fit in a box, for a tooltip; "" if it does."""
    return label if len(label) > _LONGEST else ""


def forward_rows(nodes: Sequence[FlowNode], style: Style, *, lane: str = "forward") -> tuple[Row, Row]:
    """Names and, below them, values."""
    return (
        Row(lane, tuple(Cell("name", brief(node.label)) for node in nodes)),
        Row(lane, tuple(Cell("value", style.amount(node.value), node.value) for node in nodes)),
    )


def error_cells(flow: Flow, node: FlowNode, step: int | None, style: Style) -> tuple[Cell, Cell]:
    """The name of the error at a node, and its number."""
    called = error_symbol(flow, node, style)
    if called is None:
        called = style.say("term.error-sum" if len(flow.arriving(node)) > 1 else "term.error")
    its_sign = sign(node.error)
    return (
        Cell("error-name", brief(called), step=step, sign=its_sign, whole=whole(called)),
        Cell("error", style.amount(node.error), node.error, sign=its_sign),
    )


def share_cell(flow: Flow, edge: FlowEdge, step: int | None, style: Style) -> Cell:
    """The share that arrives on a wire: δ₁⁽³⁾ · W₁₁⁽²⁾ = 0.9."""
    if edge.local is not None and error_symbol(flow, flow.nodes[edge.consumer]) is None:
        led, factor = window(flow, edge, style), factor_symbol(edge, style)
        error = style.say("term.error")
        symbols = style.say("term.told", name=led, text=f"× {factor}") if led else f"{error} × {factor}"
    else:
        symbols = share_text(flow, edge, style)
    return Cell("share", f"{symbols} = {style.amount(edge.share)}", edge.share, step, sign(edge.share))


def edge_hint(flow: Flow, edge: FlowEdge, style: Style) -> str:
    """The tooltip of an edge: its local gradient as an equation; "" if that is only a number."""
    text = local_equation(flow, edge, style)
    return text if " = " in text else ""


def factor_text(flow: Flow, edge: FlowEdge, style: Style, *, has_room: bool = False) -> str:
    """The factor of an edge: × σ′(z₁⁽²⁾) = 0.1793; for arrays W⁽²⁾ᵀ δ⁽³⁾ or ∘ σ′(z⁽²⁾).

    With ``has_room``, it is also written as a formula in symbols and numbers, a long one without the ∂y/∂x that it is.
    """
    if edge.local is None:
        if error_symbol(flow, flow.nodes[edge.consumer]) is not None:
            return share_text(flow, edge, style)
        factor = bracketed(brief(edge.local_symbol))
        return f"× {factor}" if edge.local_symbol == "1" else f"∘ {factor}"
    slope = flow.slope_of(edge) if has_room else None
    if slope is not None and not slope.conditions:
        told = local_equation(flow, edge, style)
        called, _, rest = told.partition(" = ")
        return f"× {rest}" if len(told) > _LONGEST_FACTOR and called.startswith("∂") and " = " in rest else f"× {told}"
    text = equation(edge.local_symbol, edge.local, style)
    return f"× {brief_equation(text)}"


def whole_factor(edge: FlowEdge, style: Style) -> str:
    """The whole factor of an edge, for a tooltip; "" if `factor_text` does not cut it."""
    if edge.local is None:
        return whole(edge.local_symbol)
    text = equation(edge.local_symbol, edge.local, style)
    return f"× {text}" if whole(text.rpartition(" = ")[0]) else ""


def brief_equation(text: str) -> str:
    """An equation with a shortened left side; a number alone gets brackets where a product needs them."""
    left, equals, right = text.rpartition(" = ")
    return f"{brief(left)} = {right}" if equals else bracketed(text)


def operation_symbol(node: FlowNode, style: Style) -> str:
    """The symbol of a node's operation, or its name if that is shorter to read or the symbol is an English word."""
    known = node.symbol or ""
    is_short = len(known) <= _LONGEST_SYMBOL and known not in ENGLISH_SYMBOLS
    return known if is_short else style.operation(node.operation)


def hint(flow: Flow, node: FlowNode, style: Style) -> str:
    """The tooltip of a box: one line with the numbers in full."""
    whole = flow.flows.numbered.whole_of(flow.flows.node_of(node))
    return in_full(node, error_name(flow, node, style), style, whole)


def in_full(node: FlowNode, error_name: str, style: Style, whole: str = "") -> str:
    """A node's label, value and error with every digit, and its source line; for arrays, shapes, ranges and norms.

    ``whole`` is the formula of a node whose label has gaps.
    """
    told = _numbers_in_full(node, error_name, style, whole)
    if node.line is None:
        return told
    return style.say("term.at-line", told=told, number=node.line.number, text=node.line.text.strip())


def line_numbers(nodes: Iterable[FlowNode]) -> tuple[int, ...]:
    """The numbers of the source lines that computed the nodes of a box."""
    return tuple(sorted({node.line.number for node in nodes if node.line is not None}))


def _numbers_in_full(node: FlowNode, error_name: str, style: Style, whole: str) -> str:
    made = whole or (f"{node.label} = {style.operation(node.operation)}(…)" if node.operation else node.label)
    value = _every_digit(node.value, style)
    if node.error is None:
        return style.say("term.told", name=made, text=value)
    number = _every_digit(node.error, style)
    return style.say("term.hint", node=made, value=value, error=error_name, number=number)


def _every_digit(value: Number, style: Style) -> str:
    if isinstance(value, np.ndarray) and value.size > 1:
        return Style(style.language).statistics(value)
    return repr(value) if isinstance(value, float) else Style(style.language).amount(value)


def sign(value: Signal) -> int:
    """−1 for a negative number, 0 for exactly zero or an array of zeros, else 1."""
    if isinstance(value, float):
        return -1 if value < 0 else int(value != 0)
    if not np.any(value):
        return 0
    return -1 if np.size(value) == 1 and bool(np.all(np.less(value, 0))) else 1


def strokes(edges: Iterable[FlowEdge]) -> dict[int, float]:
    """The width of each edge's wire by id(edge): 1 + 2.2·|share| / largest |share|, and 1 where none is finite."""
    sizes = {id(edge): _size(edge.share) for edge in edges}
    largest = max((size for size in sizes.values() if math.isfinite(size)), default=0.0)
    if not largest:
        return dict.fromkeys(sizes, 1.0)
    return {
        key: 1.0 if size != size else 1.0 + _WIDEST_STROKE * min(size / largest, 1.0) for key, size in sizes.items()
    }


def _size(share: Number) -> float:
    """|share|; for an array, its norm."""
    if isinstance(share, float):
        return abs(share)
    with np.errstate(all="ignore"):
        return float(np.linalg.norm(share))
