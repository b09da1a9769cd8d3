"""Labels of nodes and readings of local gradients: σ′(z₁⁽²⁾), W₁₁⁽²⁾, 1.

This module holds texts that do not depend on the language or on the number of digits; the others are in
`autodiff.telling.terms`. A reading comes from the table: it is the rule of the edge, run on symbols. There is no second
list of operations.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, NamedTuple

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
    formula,
    is_word,
    of_constant,
    of_name,
    outside,
    quotient,
)
from autodiff.words.notation import number
from autodiff.words.printable import printable, shortened

__all__ = ["CORRUPT", "Reading", "labels", "read_edge"]

CORRUPT: Final = "ᶜ"
_CORRUPT_SLOT: Final = 1  # hinge(score, corrupt)
_LONGEST: Final = 30
_LONGEST_FORMULA: Final = 40
_MOST_HIDDEN: Final = 8
_ALL_SHOWN: Final = 2  # operands of an operation, whatever it is
_ARITHMETIC: Final = frozenset({"*", "/", "**", "+", "-", "neg"})
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
    c, as in z₁⁽²⁾ᶜ. Labels that are still equal get a number, as in x·x#2.

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
    """The formula of an unnamed node; operands that make it too long are left out, the longest first."""
    entry, inputs = node.origin.primitive, node.inputs
    if entry is None:
        return of_constant(node._data)
    operands = [texts[item] if isinstance(item, Node) else of_constant(item) for item in inputs]
    params, defaults = node.origin.params, entry.defaults
    name, symbol = (entry.name, entry.symbol) if entry.built_in else (printable(entry.name), printable(entry.symbol))
    lengths = [len(operand[0]) for operand in operands]
    made = HIDDEN if _is_too_long(lengths) else formula(name, symbol, operands, params, defaults)
    if made is HIDDEN or len(made[0]) > _LONGEST_FORMULA:
        for k in sorted(range(len(operands)), key=lambda k: -lengths[k])[:_MOST_HIDDEN]:
            operands[k], lengths[k] = HIDDEN, len(HIDDEN[0])
            if _is_too_long(lengths):
                continue
            made = formula(name, symbol, operands, params, defaults)
            if len(made[0]) <= _LONGEST_FORMULA:
                break
    text, binding = made
    return shortened(text, _LONGEST_FORMULA), binding


def _is_too_long(lengths: Sequence[int]) -> bool:
    """Whether a formula of operands of these lengths is certainly too long: one or two, it contains in full."""
    return len(lengths) <= _ALL_SHOWN and sum(lengths) > _LONGEST_FORMULA


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
    return number(item) if isinstance(item, float | int) else f"array {item.shape}"


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
