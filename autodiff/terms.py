"""What the parts of a flow are called, and in which order people read them: δ₁⁽²⁾, error at a₁⁽²⁾, W₁₁⁽²⁾'s share.

δ is the error signal at z; the error at a is another number and has another name (notes, Conventions).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import numpy as np

from autodiff.flow import Flow, FlowEdge, FlowNode, bracketed
from autodiff.notation import Name, number, parse

__all__ = [
    "amount", "columns", "equation", "error_name", "in_order", "is_weighted_sum", "notes_name", "share_text",
    "shares_in_order", "suffix", "sum_of_shares", "window",
]  # fmt: skip


def notes_name(node: FlowNode) -> Name | None:
    """The node's name as a quantity of the notes, z₁⁽²⁾, U₁ or J; None if it is called otherwise."""
    return _read(_bare(node)) if node.name else None


@lru_cache(maxsize=65536)
def _read(text: str) -> Name | None:
    try:
        name = parse(text)
    except ValueError:
        return None
    return name if name.layer is not None or name.indices or name.letter in ("s", "s_c", "U", "J") else None


def _bare(node: FlowNode) -> str:
    """The name without a call's suffix, as in z₁⁽²⁾ᶜ; "" for a node without one."""
    return (node.name or "").rstrip("ᶜ′")


def suffix(node: FlowNode) -> str:
    """What a label has after the notes' name: ᶜ for the corrupt window, # and a number for a further call."""
    return node.label[len(_bare(node)) :]


def error_name(flow: Flow, node: FlowNode) -> str:
    """What the error at a node is called: δ₁⁽²⁾ at z₁⁽²⁾, the derivative at the parameter, else "error at a₁⁽²⁾"."""
    if node is flow.parameter:
        return flow.derivative
    name = notes_name(node)
    if name is not None and is_weighted_sum(node):
        return f"{Name('δ', name.indices, name.layer)}{suffix(node)}"
    return f"error at {node.label}"


def share_text(flow: Flow, edge: FlowEdge) -> str:
    """What an edge carries, in symbols: δ₁⁽³⁾ · W₁₁⁽²⁾, or (error at a₁⁽²⁾) · σ′(z₁⁽²⁾)."""
    error = error_name(flow, flow.nodes[edge.consumer])
    return f"{f'({error})' if error.startswith('error at') else error} · {bracketed(edge.local_symbol)}"


def columns(flow: Flow) -> tuple[tuple[FlowNode, ...], ...]:
    """The nodes by their longest distance from the output; in a column by name (a₁, a₂, …), then by id."""
    depth = [0] * len(flow.nodes)
    for edge in flow.edges:
        depth[edge.input] = max(depth[edge.input], depth[edge.consumer] + 1)
    found: list[list[FlowNode]] = [[] for _ in range(max(depth, default=-1) + 1)]
    for node in flow.nodes:
        found[depth[node.id]].append(node)
    return tuple(tuple(sorted(column, key=in_order)) for column in found)


def in_order(node: FlowNode) -> tuple[Any, ...]:
    """Sorts nodes as a reader expects: the true window before the corrupt one, a₁ before a₂, then by id."""
    name = notes_name(node)
    if name is None:
        return (2, node.label[len(node.name or "") :], "", (), 0, node.id)
    return (1, suffix(node), name.letter, name.indices, name.layer or 0, node.id)


def shares_in_order(flow: Flow, node: FlowNode) -> tuple[FlowEdge, ...]:
    """The edges whose shares arrive at a node, sorted by their consumers as `in_order` says."""
    return tuple(sorted(flow.arriving(node), key=lambda edge: (in_order(flow.nodes[edge.consumer]), edge.slot)))


def amount(value: Any) -> str:
    """A number with 4 significant digits; of an array its shape and norm.

    >>> amount(-0.0405), amount(np.ones((2, 3))), amount(None)
    ('−0.0405', '2×3, norm 2.449', '–')
    """
    if not isinstance(value, np.ndarray):
        return number(value)
    if value.size == 1:
        return number(float(value.item()))
    with np.errstate(all="ignore"):
        norm = float(np.linalg.norm(value))
    return f"{'×'.join(map(str, value.shape))}, norm {number(norm)}"


def is_weighted_sum(node: FlowNode) -> bool:
    """Whether the node is a z of the notes, whose error is called δ."""
    name = notes_name(node)
    return name is not None and name.letter == "z"


def equation(symbol: str, value: float | None) -> str:
    """σ′(z) = 0.1793; a number alone where the symbol is one."""
    return symbol if symbol == number(value) else f"{symbol} = {number(value)}"


_WINDOWS: Final = ("true window", "corrupt window")  # the inputs of a hinge


def sum_of_shares(flow: Flow, most: int) -> tuple[str, ...]:
    """The gradient as the sum of the shares that arrive, in symbols and, for more than one, in numbers."""
    edges = shares_in_order(flow, flow.parameter)
    more = ["…"] if len(edges) > most else []
    symbols = " + ".join([*(share_text(flow, edge) for edge in edges[:most]), *more])
    numbers = " + ".join([*(bracketed(amount(edge.share)) for edge in edges[:most]), *more])
    return (symbols, numbers) if len(edges) > 1 else (symbols,)


def window(flow: Flow, edge: FlowEdge) -> str:
    """Which window an edge of the max-margin objective leads to; "" for any other edge."""
    return _WINDOWS[edge.slot] if flow.nodes[edge.consumer].operation == "hinge" else ""
