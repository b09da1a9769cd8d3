"""Labels of nodes and readings of local gradients: σ′(z₁⁽²⁾), W₁₁⁽²⁾, 1.

This module holds texts that do not depend on the language or on the number of digits; the others are in
`autodiff.telling.terms`. A reading comes from the table: it is the rule of the edge, run on symbols. There is no second
list of operations.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import numpy as np

from autodiff.engine.graph import Node
from autodiff.primitives.expression import Expression
from autodiff.primitives.primitive import Primitive
from autodiff.primitives.registry import remembered_by_params
from autodiff.primitives.table.units import hinge
from autodiff.slopes.arithmetic import is_number
from autodiff.slopes.slope import RESULT, mark, rule_on_symbols
from autodiff.slopes.writing import text_of
from autodiff.words.formulas import (
    HIDDEN,
    Formula,
    as_operand,
    bare,
    formula,
    is_word,
    of_constant,
    of_name,
    outside,
    quotient,
)
from autodiff.words.gaps import LONGEST_NAME, with_gaps
from autodiff.words.notation import MATRICES, number
from autodiff.words.printable import printable

__all__ = ["CORRUPT", "Reading", "labels", "read_edge", "whole_formula"]

CORRUPT: Final = "ᶜ"
_CORRUPT_SLOT: Final = 1  # hinge(score, corrupt)
_LONGEST: Final = 30
_LONGEST_WHOLE: Final = 300
_LEAST_FOR_A_SIGN: Final = 3
_MOST_SHOWN: Final = 3  # operands of a call
_ARITHMETIC: Final = frozenset({"*", "/", "**", "+", "-", "neg"})
_WIDE_INDICES: Final = re.compile(f"[{''.join(sorted(MATRICES))}][₀-₉]+,[₀-₉]")
_TWO_INDICES: Final = re.compile(f"^([{''.join(sorted(MATRICES))}][₁-₉])([₁-₉])(?![₀-₉,])")
_RAISED: Final = re.compile("[⁰¹²³⁴-⁹⁻^]")
_COMPARISONS: Final = frozenset({"<", "<=", ">", ">=", "==", "!=", "and", "or"})


class Reading(NamedTuple):
    """A local gradient as text, and the partner if it is the other factor of a product."""

    symbol: str
    partner: str | None


def labels(order: Sequence[Node], names: Mapping[Node, str] = MappingProxyType({})) -> dict[Node, str]:
    """A unique label for every node of a graph, given with inputs before consumers.

    A node without a name is labelled by its entry in ``names`` or else by what it computes, as in 0.3·gross; a leaf, by
    its number or shape. If a name occurs twice, nodes that belong only to the corrupt window's score get a superscript
    c, as in z₁⁽²⁾ᶜ. Labels that are still equal get a number, as in x·x#2. If an index of a weight has two digits, all
    weights have a comma: W₁,₂⁽¹⁾ beside W₁,₁₂⁽¹⁾.

    >>> from autodiff import Value, topological
    >>> x = Value(2.0, name="x")
    >>> list(labels(topological((x * x - 0.5) * (x * x))).values())
    ['x', 'x·x', 'x·x − 0.5', 'x·x#2', '(x·x − 0.5)·(x·x)']
    """
    found = _named(order, names)
    texts = {node: of_name(label) for node, label in found.items()}
    taken = dict.fromkeys(found.values(), 1)
    made: dict[Hashable, Formula] = {}  # in a loop the same texts come again: this halves the time
    every: dict[Node, str] = {}
    for node in order:
        if node in found:
            every[node] = found[node]
            continue
        key = _key_of(node, texts)
        text = made.get(key)
        if text is None:
            text = made[key] = _formula_of(node, texts)
        texts[node] = text
        label = text[0] if key is not node or node.is_detached else _leaf(node, text[0])
        if label in taken:
            label = _numbered(label, taken)
        else:
            taken[label] = 1
        every[node] = label
    return every


def _key_of(node: Node, texts: Mapping[Node, Formula]) -> Hashable:
    """What the formula of a node depends on; the node itself for a leaf."""
    a, b = node.a, node.b
    if a.__class__ is tuple:
        return (node.origin, *[texts[item] if isinstance(item, Node) else id(item) for item in a])
    if b is None:
        return node if a is None else (node.origin, texts[a])
    return node.origin, texts[a] if isinstance(a, Node) else id(a), texts[b] if isinstance(b, Node) else id(b)


def _named(order: Sequence[Node], names: Mapping[Node, str]) -> dict[Node, str]:
    """The unique labels of the nodes that have a name."""
    corrupt = _corrupt_only(order)
    named = [(node, printable(name)) for node in order if (name := node.origin.name or names.get(node))]
    if any(_WIDE_INDICES.match(label) for _, label in named):  # W₁,₂ beside W₁,₁₂, which would else look alike
        named = [(node, _TWO_INDICES.sub(r"\1,\2", label)) for node, label in named]
    counted = Counter(label for _, label in named)
    taken = dict.fromkeys(counted, 0)
    found: dict[Node, str] = {}
    for node, label in named:
        if node in corrupt and node.name and counted[label] > 1:
            label += CORRUPT
        found[node] = _numbered(label, taken)
    return found


def _numbered(label: str, taken: dict[str, int]) -> str:
    """A label that is not in use, numbered unless it is the first; ``taken`` counts how often each was given out."""
    count, free = taken.get(label, 0) + 1, label
    while count > 1 and (free := f"{label}#{count}") in taken:
        count += 1
    taken[label] = count
    taken.setdefault(free, 1)
    return free


def _formula_of(node: Node, texts: Mapping[Node, Formula]) -> Formula:
    """The formula of an unnamed node, with gaps if it is too long; a name that is too long by itself is a gap."""
    if node.origin.primitive is None:
        return of_constant(node._data)
    operands = [texts[item] if isinstance(item, Node) else of_constant(item) for item in node.inputs]
    text, binding = _formula_with(node, [item if len(item[0]) <= LONGEST_NAME else HIDDEN for item in operands])
    return with_gaps(text), binding


def _formula_with(node: Node, operands: Sequence[Formula]) -> Formula:
    """The formula of a result with these operands."""
    entry: Any = node.origin.primitive
    name, symbol = (entry.name, entry.symbol) if entry.built_in else (printable(entry.name), printable(entry.symbol))
    return formula(name, symbol, [*map(bare, operands)], node.origin.params, entry.defaults)


def whole_formula(node: Node, named: Callable[[Node], str | None], called: Mapping[Node, str]) -> str:
    """The formula of an unnamed node down to names and numbers, with gaps from 300 characters on.

    Args:
        node: a result.
        named: the name of a node, None for one without.
        called: the label of every node.

    >>> from autodiff import Value, topological
    >>> x = Value(2.0, name="x")
    >>> z = (x * x + 1.25) * (x * x + 2.5) * (x * x + 3.75)
    >>> every = labels(topological(z))
    >>> every[z], whole_formula(z, lambda node: node.name, every)
    ('(x·x + 1.25)·(x·x + 2.5)·(…)', '(x·x + 1.25)·(x·x + 2.5)·(x·x + 3.75)')
    """

    def made(node: Node, room: int) -> Formula:
        name = named(node)
        if name is not None or node.origin.primitive is None or room < LONGEST_NAME:
            return of_name(called[node])
        inputs, left = node.inputs, room - _LEAST_FOR_A_SIGN
        share = left // max(min(len(inputs), _MOST_SHOWN), 1)
        return _formula_with(node, [made(x, share) if isinstance(x, Node) else of_constant(x) for x in inputs])

    return with_gaps(made(node, _LONGEST_WHOLE)[0], _LONGEST_WHOLE)


def _leaf(node: Node, text: str) -> str:
    """The label of a leaf without a name, from the text of its data: Value(2) or Tensor(2×3)."""
    return f"{type(node).__name__}({text.removeprefix('array(').strip('()[]')})"


def _corrupt_only(order: Sequence[Node]) -> set[Node]:
    """The nodes that are reached only through the corrupt score of a hinge."""
    if hinge not in {node.origin.primitive for node in order}:
        return set()
    other = {order[-1]}
    for node in reversed(order):
        if node in other:
            score = node.inputs[:_CORRUPT_SLOT] if node.primitive is hinge else node.inputs
            other.update(item for item in score if isinstance(item, Node))
    return set(order) - other


def read_edge(node: Node, slot: int, local: float | None, names: Mapping[Node, str]) -> Reading:
    """The local gradient of ``node`` with respect to its input in ``slot``, as text.

    For a product or a weighted sum it is the other factor; for a unit, f′(z); for a constant or a choice, the number.
    Otherwise it is the rule's formula if that is short, and ∂y/∂x if not.

    >>> from autodiff import Value, tanh
    >>> x, y = Value(2.0, name="x"), Value(0.5, name="y")
    >>> names = {x: "x", y: "y"}
    >>> read_edge(x * y, 0, 0.5, names).symbol, read_edge(tanh(x), 0, 0.07, names).symbol
    ('y', 'tanh′(x)')
    """
    entry: Any = node.origin.primitive
    inputs = node.inputs
    kind, text, used = _form_of(entry, slot, len(inputs), node.origin.params)
    if kind is _NUMBER and (local is not None or text):
        return Reading(text if local is None else number(local), None)
    if kind is _PRIME:
        return Reading(f"{text}′({_called(inputs[slot], names)})", None)
    if kind is _FORMULA:
        if text == mark(used[0]):
            partner = _called(inputs[used[0]], names)
            return Reading(partner, partner)
        if len(used) == 1:  # four times as fast as translate; neither replaces marks inside an inserted name
            (k,) = used
            return Reading(text.replace(mark(k), _operand(node, k, names, text)), None)
        return Reading(text.translate({ord(mark(k)): _operand(node, k, names, text) for k in used}), None)
    return Reading(quotient(names[node], _called(inputs[slot], names)), None)


def _operand(node: Node, k: int, names: Mapping[Node, str], text: str) -> str:
    """An operand's label, or the result's, as part of the formula ``text``: in brackets where it has a sign."""
    called = names[node] if k == RESULT else _called(node.inputs[k], names)
    return as_operand(called, of_power=_RAISED.search(text) is not None)


def _called(item: Any, names: Mapping[Node, str]) -> str:
    """A node's label; a constant's number, or its shape."""
    if isinstance(item, Node):
        return names[item]
    return of_constant(item)[0] if np.ndim(item) else number(float(item))


class _Form(NamedTuple):
    """The reading of a rule, independent of the operands' labels: its kind, its text and the operands it names."""

    kind: str
    text: str = ""
    used: tuple[int, ...] = ()


_NUMBER: Final = "number"
_PRIME: Final = "prime"
_FORMULA: Final = "formula"
_NAMELESS: Final = "nameless"


@remembered_by_params
def _form_of(entry: Primitive, slot: int, count: int, params: Mapping[str, Any]) -> _Form:
    if not entry.elementwise:
        return _Form(_NUMBER if entry.linear else _NAMELESS)
    rule = rule_on_symbols(entry, slot, count, params)
    if rule is not None and is_number(rule):
        return _Form(_NUMBER, number(rule.parts[0]))
    if entry.linear:
        return _Form(_NUMBER)
    if entry.arity == 1 and is_word(entry.symbol):
        return _Form(_PRIME, entry.symbol)
    if rule is None:
        return _Form(_NAMELESS)
    if _is_choice(rule):
        return _Form(_NUMBER)
    text = text_of(rule, {}) if _is_plain(rule) else ""
    if not text or len(text) > _LONGEST:
        return _Form(_NAMELESS)
    return _Form(_FORMULA, text, tuple(k for k in range(RESULT, count) if mark(k) in text))


def _is_choice(part: Any) -> bool:
    """Whether a formula chooses between numbers, like sign(z): then the number says more than the formula."""
    if not isinstance(part, Expression):
        return True
    if part.head in _COMPARISONS or part.head == "number":
        return True
    if part.head == "call":
        name = part.parts[0].name
        return name == "sign" or (name == "where" and all(map(_is_choice, part.parts[1:])))
    return part.head in _ARITHMETIC and all(map(_is_choice, part.parts))


def _is_plain(part: Any) -> bool:
    """Whether a formula is pure arithmetic."""
    if not isinstance(part, Expression) or part.head in ("variable", "number"):
        return True
    return part.head in _ARITHMETIC and all(map(_is_plain, part.parts))


# ---- factors and counts as text --------------------------------------------------------------------------------------


def bracketed(factor: str) -> str:
    """``factor`` as part of a product: a sum or a negative number gets brackets.

    >>> bracketed("−0.6"), bracketed("1 + x"), bracketed("f′(z)")
    ('(−0.6)', '(1 + x)', 'f′(z)')
    """
    if "−" not in factor and "+" not in factor:
        return factor
    outer = outside(factor)
    return f"({factor})" if outer.startswith("−") or " + " in outer or " − " in outer else factor


def count_text(count: int) -> str:
    """A count for people: exact up to 15 digits, rounded beyond that.

    >>> count_text(6), count_text(2**200)
    ('6', 'about 1.6e60')
    """
    if count < 10**15:
        return str(count)
    shift = max(count.bit_length() - 64, 0)  # the decimal digits of a huge integer take quadratic time
    digits = math.log10(count >> shift) + shift * math.log10(2.0)
    exponent = math.floor(digits)
    first = f"{10 ** (digits - exponent):.1f}"
    return f"about 1.0e{exponent + 1}" if first == "10.0" else f"about {first}e{exponent}"
