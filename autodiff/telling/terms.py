"""What the parts of a flow are called, and in which order people read them: δ₁⁽²⁾, error at a₁⁽²⁾, W₁₁⁽²⁾'s share.

δ is the error signal at z; the error at a is another number and has another name (notes, Conventions).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Final

import numpy as np

from autodiff.engine.graph import Node
from autodiff.flow import Factor, Flow, FlowEdge, FlowNode, Path, bracketed, count_text
from autodiff.flow.products import product
from autodiff.words.notation import Name, number, parse
from autodiff.words.phrases import say

__all__ = [
    "Write", "amount", "columns", "counted", "derivative", "equation", "error_name", "error_symbol", "factor_symbol",
    "in_order", "is_weighted_sum", "notes_name", "path_numbers", "path_symbols", "share_numbers", "share_text",
    "shares_in_order", "suffix", "sum_numbers", "sum_of_shares", "window",
]  # fmt: skip

#: How a number is written; `number` gives 4 significant digits, ``partial(number, digits=8)`` more.
Write = Callable[[float | None], str]


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


def derivative(flow: Flow, *, language: str = "en", write: Write = number) -> str:
    """What the gradient is, in symbols, as in `autodiff.flow.Flow.derivative`: after the seed if that is not 1."""
    quotient = f"∂{flow.output.label}/∂{flow.parameter.label}"
    if flow.derivative == quotient:
        return quotient
    seed = bracketed(write(flow.seed)) if isinstance(flow.seed, float) else say("term.seed", language)
    return f"{seed} · {quotient}"


def error_symbol(flow: Flow, node: FlowNode, *, language: str = "en", write: Write = number) -> str | None:
    """The sign for the error at a node: δ₁⁽²⁾ at z₁⁽²⁾, the derivative at the parameter; None where it has none."""
    if node is flow.parameter:
        return derivative(flow, language=language, write=write)
    name = notes_name(node)
    if name is not None and is_weighted_sum(node):
        return f"{Name('δ', name.indices, name.layer)}{suffix(node)}"
    return None


def error_name(flow: Flow, node: FlowNode, *, language: str = "en", write: Write = number) -> str:
    """What the error at a node is called: its sign where it has one, else "error at a₁⁽²⁾"."""
    sign = error_symbol(flow, node, language=language, write=write)
    return sign or say("term.error-at", language, node=node.label)


def factor_symbol(edge: FlowEdge, *, write: Write = number) -> str:
    """How an edge's local gradient reads, in brackets where a product needs them; a number as `write` writes it."""
    return bracketed(_written(edge.local_symbol, edge.local, write))


def share_text(flow: Flow, edge: FlowEdge, *, language: str = "en", write: Write = number) -> str:
    """What an edge carries, in symbols: δ₁⁽³⁾ · W₁₁⁽²⁾, or (error at a₁⁽²⁾) · σ′(z₁⁽²⁾); for matrices W⁽²⁾ᵀ δ⁽³⁾."""
    consumer = flow.nodes[edge.consumer]
    error = error_symbol(flow, consumer) or f"({error_name(flow, consumer, language=language)})"
    if edge.local is None:
        of_matrices = product(flow.flows.node_of(consumer), edge.slot, _operands(flow, consumer), error)
        if of_matrices is not None:
            return of_matrices
    sign = "∘" if edge.local is None and edge.local_symbol != "1" and np.size(edge.share) > 1 else "·"
    return f"{error} {sign} {factor_symbol(edge, write=write)}"


def _operands(flow: Flow, consumer: FlowNode) -> list[str]:
    """What a node's inputs are called; a layer's plain input is a⁽ᵏ⁾."""
    name, called = notes_name(consumer), flow.flows.label_of
    plain = "x"
    if name is not None and name.letter == "z" and (name.layer or 0) > 1:
        plain = f"{Name('a', (), (name.layer or 0) - 1)}{suffix(consumer)}"
    return [called(item) if isinstance(item, Node) else plain for item in flow.flows.node_of(consumer).inputs]


def share_numbers(edge: FlowEdge, *, language: str = "en", write: Write = number) -> str:
    """What an edge carries, in numbers: 0.9 × 0.1793 = 0.1614; of arrays the share's shape and norm."""
    share = amount(edge.share, language=language, write=write)
    if edge.local is None:
        return f"[{share}]"
    return f"{amount(edge.error, language=language, write=write)} × {bracketed(write(edge.local))} = {share}"


def sum_numbers(edges: Sequence[FlowEdge], result: Any, *, language: str = "en", write: Write = number) -> str:
    """Shares and what they add up to, in numbers; of arrays the shape and norm of the result."""
    total = amount(result, language=language, write=write)
    if np.size(result) > 1:
        return f"[{total}]"
    return f"{' + '.join(bracketed(amount(edge.share, language=language, write=write)) for edge in edges)} = {total}"


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


def amount(value: Any, *, language: str = "en", write: Write = number) -> str:
    """A number as `write` writes it; of an array its shape and norm.

    >>> amount(-0.0405), amount(np.ones((2, 3))), amount(None)
    ('−0.0405', '2×3, norm 2.449', '–')
    """
    if not isinstance(value, np.ndarray):
        return write(value)
    if value.size == 1:
        return write(float(value.item()))
    with np.errstate(all="ignore"):
        norm = float(np.linalg.norm(value))
    return say("term.norm", language, shape="×".join(map(str, value.shape)), norm=write(norm))


def counted(count: int, *, language: str = "en") -> str:
    """A count in words: exact up to 15 digits, beyond that its size.

    >>> counted(6), counted(2**200, language="zh")
    ('6', '约 1.6e60')
    """
    text = count_text(count)
    size = text.removeprefix("about ")
    return text if size == text else say("term.about", language, number=size)


def is_weighted_sum(node: FlowNode) -> bool:
    """Whether the node is a z of the notes, whose error is called δ."""
    name = notes_name(node)
    return name is not None and name.letter == "z"


def equation(symbol: str, value: float | None, *, write: Write = number) -> str:
    """σ′(z) = 0.1793; a number alone where the symbol is one."""
    if symbol == number(value):
        return write(value)
    return f"{symbol} = {write(value)}"


def _written(symbol: str, value: float | None, write: Write) -> str:
    return write(value) if symbol == number(value) else symbol


_MOST_FACTORS: Final = 40  # in one printed product
_WINDOWS: Final = ("term.true-window", "term.corrupt-window")  # the inputs of a hinge


def sum_of_shares(flow: Flow, most: int, *, language: str = "en", write: Write = number) -> tuple[str, ...]:
    """The gradient as the sum of the shares that arrive, in symbols and, for more than one number, in numbers."""
    edges = shares_in_order(flow, flow.parameter)
    more = ["…"] if len(edges) > most else []
    symbols = " + ".join([*(share_text(flow, edge, language=language, write=write) for edge in edges[:most]), *more])
    if np.size(flow.gradient) > 1:
        return (symbols,)
    amounts = [bracketed(amount(edge.share, language=language, write=write)) for edge in edges[:most]]
    return (symbols, " + ".join([*amounts, *more])) if len(edges) > 1 else (symbols,)


def path_symbols(path: Path, *, write: Write = number, most: int = _MOST_FACTORS, language: str = "en") -> str:
    """A path's product in symbols, 1 · W₁₁⁽²⁾ · σ′(z₁⁽²⁾) · a₄⁽¹⁾; of more than ``most`` factors the outer ones."""
    return _multiplied(path, " · ", lambda factor: _written(factor.symbol, factor.number, write), most, language)


def path_numbers(path: Path, *, write: Write = number, most: int = _MOST_FACTORS, language: str = "en") -> str:
    """The same product in numbers, 1 × 0.9 × 0.1793 × 0.8; "" where edges are arrays."""
    if path.product is None:
        return ""
    return _multiplied(path, " × ", lambda factor: write(factor.number), most, language)


def _multiplied(path: Path, sign: str, read: Callable[[Factor], str], most: int, language: str) -> str:
    factors, half = path.factors, most // 2
    if len(factors) <= most:
        return sign.join(bracketed(read(factor)) for factor in factors)
    left_out = say("term.more-factors", language, count=len(factors) - 2 * half)
    first, last = ([bracketed(read(factor)) for factor in part] for part in (factors[:half], factors[-half:]))
    return sign.join([*first, left_out, *last])


def window(flow: Flow, edge: FlowEdge, *, language: str = "en") -> str:
    """Which window an edge of the max-margin objective leads to; "" for any other edge."""
    return say(_WINDOWS[edge.slot], language) if flow.nodes[edge.consumer].operation == "hinge" else ""
