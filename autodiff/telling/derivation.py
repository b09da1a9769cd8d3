"""Explicit differentiation: the equations from a parameter to the output, differentiated with respect to it.

For a matrix, the last of these products is an outer product δaᵀ, or a sum of them over a batch.

The notes derive a gradient in two ways (section 1.5). Error sharing starts at the output and goes back. Explicit
differentiation applies the chain rule to each equation in the order of computation. Both give the same number.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any, Final

import numpy as np

from autodiff.engine.graph import Node
from autodiff.flow import Flow, FlowEdge, FlowNode, bracketed
from autodiff.flow.order import shares_in_order
from autodiff.flow.products import factor_matrices, factors
from autodiff.telling.story import Block, Heading, Listing, Paragraph, Table
from autodiff.telling.style import USUAL, Style
from autodiff.telling.terms import derivative, error_name, error_symbol, factor_symbol, share_text
from autodiff.words.columns import columns
from autodiff.words.formulas import PRODUCT, SUM, as_operand, formula, of_constant, of_name, within
from autodiff.words.notation import number

__all__ = ["Derived", "OuterProduct", "derivation", "equation_of", "outer_product", "outer_product_in_numbers"]

_SIGNS: Final = {"add": ("+", SUM), "subtract": ("−", SUM), "multiply": ("·", PRODUCT), "divide": ("/", PRODUCT)}
_MOST_TERMS: Final = 3
_MOST_PRINTED: Final = 8  # rows or columns of a matrix
_MOST_LARGEST: Final = 3
_WIDEST: Final = 80  # columns of a terminal
_SAME: Final = 1e-12  # relative: a few roundings

Matrix = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class Derived:
    """One equation and its derivative: ∂node/∂parameter = Σ local gradient · ∂input/∂parameter.

    ``edges`` lead to the inputs that depend on the parameter, ``of_inputs`` are the derivatives of these inputs, and
    ``derivative`` is that of the node, all with respect to the parameter.
    """

    node: FlowNode
    edges: tuple[FlowEdge, ...]
    of_inputs: tuple[float, ...]
    derivative: float

    def symbols(self, style: Style = USUAL) -> str:
        """The right-hand side, such as σ′(z₁⁽²⁾) · 0.8; of a long sum, only the first terms."""
        pairs = list(zip(self.edges, self.of_inputs, strict=True))
        shown = pairs[:_MOST_TERMS]
        terms = [f"{factor_symbol(edge, style)} · {bracketed(style.write(known))}" for edge, known in shown]
        return " + ".join([*terms, *(["…"] if len(pairs) > len(shown) else [])])


def derivation(flow: Flow) -> tuple[Derived, ...]:
    """The equations from the parameter to the output in the order of computation, each differentiated; () for arrays.

    Source: notes, section 1.5 ("explicit differentiation").

    >>> from autodiff import Value
    >>> from autodiff.flow import error_flow
    >>> x, w = Value(3.0, name="x"), Value(2.0, name="w")
    >>> [(line.node.label, line.derivative) for line in derivation(error_flow((w * x) * (w * x), w))]
    [('w·x', 3.0), ('w·x#2', 3.0), ('w·x·(w·x)', 36.0)]
    """
    if flow.is_empty or any(edge.local is None for edge in flow.edges):
        return ()
    inputs: dict[int, list[FlowEdge]] = {}
    for edge in flow.edges:
        inputs.setdefault(edge.consumer, []).append(edge)
    known = {flow.parameter.id: 1.0}
    shut: set[int] = set()  # nodes with closed edges only: their derivative 0 stays 0 in any product
    found = []
    for node in reversed(flow.nodes[:-1]):
        edges = tuple(inputs[node.id])
        of_inputs = tuple(known[edge.input] for edge in edges)
        opened = [edge for edge in edges if not edge.closed and edge.input not in shut]
        known[node.id] = reduce(add, ((edge.local or 0.0) * known[edge.input] for edge in opened), 0.0)
        if not opened:
            shut.add(node.id)
        found.append(Derived(node, edges, of_inputs, known[node.id]))
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
    items = flow.flows.numbered.inputs_of(flow.flows.node_of(node))
    inputs = [flow.flows.label_of(item) if isinstance(item, Node) else _constant(item) for item in items]
    right = _right(flow, node, inputs, style)
    return f"{node.label} = {right}" if node.name else right


def _constant(item: Any) -> str:
    return of_constant(item)[0] if np.ndim(item) else number(float(item))


def _right(flow: Flow, node: FlowNode, called: Sequence[str], style: Style) -> str:
    made, operation, symbol = flow.flows.node_of(node), node.operation or "", node.symbol or ""
    names = [*map(as_operand, called)]
    if operation in _SIGNS:
        sign, binding = _SIGNS[operation]
        first, *others = map(of_name, called)
        return f" {sign} ".join([within(first, binding), *(within(other, binding + 1) for other in others)])
    if operation == "identity":
        return names[0]
    if operation == "hinge":
        return f"max(0, {number(made.params.get('margin', 1.0))} + {names[1]} − {names[0]})"
    if operation == "weighted_sum":
        return _weighted(flow, node, names)
    if operation == "affine":
        return f"{names[0]} {names[1]} + {names[2]}"
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


# ---- matrices --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class OuterProduct:
    """The gradient of a matrix as ``left`` (m, k) times ``right`` (k, n): the sum of k outer products.

    One of the two holds error signals: the left one if ``error_first``. ``sum`` says what the sum is over, "" if k = 1.
    ``rest`` is what other shares add, such as 2λW of a penalty λ‖W‖², and ``rest_name`` its text; None and "" if there
    are none.
    """

    left: Matrix
    right: Matrix
    left_name: str
    right_name: str
    error_first: bool
    sum: str
    rest: Matrix | None = None
    rest_name: str = ""

    def factors(self) -> tuple[tuple[str, Matrix], tuple[str, Matrix]]:
        """Both factors with their lanes, ``error`` and ``forward``."""
        first, second = ("error", "forward") if self.error_first else ("forward", "error")
        return (first, self.left), (second, self.right)


def outer_product(flow: Flow, style: Style = USUAL) -> OuterProduct | None:
    """The gradient of a matrix as an outer product or a sum of them, plus other shares; None for any other gradient.

    >>> from autodiff import Tensor
    >>> from autodiff.flow import error_flow
    >>> W, x = Tensor(np.eye(2), name="W"), Tensor([3.0, 4.0], name="x")
    >>> found = outer_product(error_flow((W @ x).sum(), W))
    >>> found.left_name, found.right_name, found.right
    ('(error at W @ x)', 'xᵀ', array([[3., 4.]]))
    """
    pairs: list[tuple[Matrix, Matrix]] = []
    names: list[tuple[str, str]] = []
    first: set[bool] = set()
    edges = [] if flow.is_empty else shares_in_order(flow, flow.parameter)
    others: list[FlowEdge] = []
    for edge in edges:
        made = flow.flows.node_of(flow.nodes[edge.consumer])
        operands, matrices = factors(made, edge.slot), factor_matrices(made, edge.slot, edge.error)
        if operands is None or matrices is None:
            others.append(edge)
            continue
        error_first = operands[0].slot < 0
        first.add(error_first)
        pairs.append(matrices)
        names.append(_names(flow, edge, error_first=error_first, transposed=operands[not error_first].transposed))
    if len(first) != 1:
        return None
    left, right = np.hstack([pair[0] for pair in pairs]), np.vstack([pair[1] for pair in pairs])
    of_rows = len(pairs) == len(edges) == 1 and flow.nodes[edges[0].consumer].operation == "affine_rows"
    total = style.say(f"tiles.{'examples' if of_rows else 'products'}", count=len(right)) if len(right) != 1 else ""
    left_name, right_name = (", ".join(dict.fromkeys(part)) for part in zip(*names, strict=True))
    return OuterProduct(left, right, left_name, right_name, first.pop(), total, *_rest(flow, others, style))


def _rest(flow: Flow, edges: Sequence[FlowEdge], style: Style) -> tuple[Matrix | None, str]:
    """The sum of these shares and its text: a multiple of the parameter if it is one, else the shares."""
    if not edges:
        return None, ""
    total = reduce(add, (np.asarray(edge.share) for edge in edges))
    value, parameter = np.asarray(flow.parameter.value), as_operand(flow.parameter.label)
    with np.errstate(all="ignore"):
        k = int(np.argmax(np.abs(value)))
        factor = float(total.flat[k] / value.flat[k])
        is_multiple = np.isfinite(factor) and np.allclose(total, factor * value, rtol=_SAME, atol=0.0)
    if is_multiple:
        return total, f"{bracketed(style.write(factor))}·{parameter}"
    return total, " + ".join(share_text(flow, edge, style) for edge in edges)


def _names(flow: Flow, edge: FlowEdge, *, error_first: bool, transposed: bool) -> tuple[str, str]:
    """The names of the two factors of a share: its text without the name of the error, and that name."""
    consumer, whole = flow.nodes[edge.consumer], share_text(flow, edge)
    error = (error_symbol(flow, consumer) or f"({error_name(flow, consumer)})") + "ᵀ" * transposed
    if error_first:
        return error, whole.removeprefix(error).strip()
    return whole.removesuffix(error).strip(), error


def outer_product_in_numbers(flow: Flow, style: Style = USUAL) -> Iterator[Block]:
    """The gradient of a matrix entry by entry, with its factors; of a large one, ranges and the largest entries."""
    made = outer_product(flow, style)
    if made is None or not np.size(flow.gradient):
        return
    gradient = np.asarray(flow.gradient)
    right = f"{made.right_name} + {made.rest_name}" if made.rest_name else made.right_name
    names = {"derivative": derivative(flow, style), "left": made.left_name, "right": right}
    yield Heading(style.say("explain.outer"))
    is_sum = made.sum or made.rest_name
    top, left = (np.arange(1, n + 1) for n in gradient.shape[::-1]) if is_sum else (made.right[0], made.left[:, 0])
    table = None if max(gradient.shape) > _MOST_PRINTED else _table(top, left, gradient, style)
    if table is None:
        yield Listing(style.say("outer.large", **names), tuple(_summary(made, gradient, names["derivative"], style)))
        return
    key = "outer.sum" if made.sum else "outer.rest" if made.rest_name else "outer.entries"
    yield Paragraph((style.say(key, sum=made.sum, **names),))
    yield table


def _table(top: Matrix, left: Matrix, entries: Matrix, style: Style) -> Table | None:
    """Entries below one row and beside one column, with fewer digits if they are wider than a terminal; or None."""
    for write in (style.write, *(lambda x, digits=digits: number(x, digits) for digits in (3, 2))):
        head = "", *(write(x.item()) for x in top)
        rows = tuple((write(x.item()), *map(write, row)) for x, row in zip(left, entries.tolist(), strict=True))
        wide = sum(2 + max(map(columns, column)) for column in zip(head, *rows, strict=True))
        if wide <= _WIDEST:
            return Table(head, rows)
    return None


def _summary(made: OuterProduct, gradient: Matrix, name: str, style: Style) -> Iterator[str]:
    """Ranges of the factors and of the gradient, then its largest entries, each with its factors if it has two."""
    rest = [] if made.rest is None else [(made.rest_name, made.rest)]
    for called, array in ((made.left_name, made.left), (made.right_name, made.right), *rest, (name, gradient)):
        yield style.say("term.told", name=called, text=style.statistics(array))
    size = np.nan_to_num(np.abs(gradient), nan=np.inf, posinf=np.inf)  # nan is not to be overlooked
    largest = np.argsort(-size, axis=None, kind="stable")[:_MOST_LARGEST]
    for i, j in zip(*(axis.tolist() for axis in np.unravel_index(largest, gradient.shape)), strict=True):
        text = style.write(float(gradient[i, j]))
        if not made.sum:
            pair = (bracketed(style.write(float(x))) for x in (made.left[i, 0], made.right[0, j]))
            more = "" if made.rest is None else f" + {bracketed(style.write(float(made.rest[i, j])))}"
            text = f"{' × '.join(pair)}{more} = {text}"
        yield style.say("outer.entry", row=i + 1, column=j + 1, text=text)
