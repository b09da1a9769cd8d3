"""Expressions as text: in symbols, a·(1 − a), and in numbers, 0.7658 × 0.2342."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from autodiff.primitives.expression import Expression
from autodiff.primitives.registry import TABLE
from autodiff.slopes.arithmetic import is_number
from autodiff.slopes.evaluation import value
from autodiff.words.formulas import ATOM, POWER, PRODUCT, SIGN, Formula, formula, of_constant, of_name

__all__ = ["Written", "in_numbers", "in_symbols", "text_of"]

#: The operations that rules write as operators, by the heads of their expressions; the table has their symbols.
_OPERATIONS: Final = {
    "+": "add", "-": "subtract", "*": "multiply", "/": "divide", "neg": "negative", "**": "pow", "//": "floor_divide",
}  # fmt: skip
_OPEN: Final = frozenset({"+", "-", "neg"})  # their operands are written out too
_ENDLESS: Final = (3, 6, 7, 9, 11, 12)  # denominators whose quotients have endless decimals
_LARGEST_QUOTIENT: Final = 1e4
_AS_EXACT: Final = 1e-15
_SIGNS: Final = {">": ">", "<": "<", "==": "="}


class Written(NamedTuple):
    """A formula in numbers, and the number that it has as it stands there."""

    made: Formula
    value: float
    is_number: bool = False


def in_symbols(part: Expression, names: Mapping[str, Formula]) -> Formula:
    """An expression as text, with these texts for its variables.

    >>> from autodiff.primitives.expression import variable
    >>> x = variable("x")
    >>> in_symbols(x * (1 - x), {"x": ("a", 5)})[0]
    'a·(1 − a)'
    """
    head, parts = part.head, part.parts
    if head == "variable":
        return names[parts[0]] if parts[0] in names else _constant(parts[0])
    if head == "number":
        return _of_symbol(float(parts[0]))
    if head == "read as":
        return in_symbols(part.params["formula"], names)
    if head in _SIGNS:
        left, right = (in_symbols(item, names)[0] for item in parts)
        return f"{left} {_SIGNS[head]} {right}", 0
    if head == "**" and is_number(parts[1]) and float(parts[1].parts[0]).is_integer():
        return _operation("power", [in_symbols(parts[0], names)], n=parts[1].parts[0])
    if head in _OPERATIONS:
        return _operation(_OPERATIONS[head], [in_symbols(item, names) for item in parts])
    if head == "xp" and parts[0] == "absolute":  # Python's abs
        return _operation(parts[0], [in_symbols(item, names) for item in parts[1:]])
    if head == "call" and parts[0].elementwise:
        entry = parts[0]
        operands = [in_symbols(item, names) for item in parts[1:]]
        return formula(entry.name, entry.symbol, operands, part.params, entry.defaults)
    raise ValueError(f"{part} is not a formula")


def _operation(name: str, operands: Sequence[Formula], **params: float) -> Formula:
    return formula(name, TABLE[name].symbol, operands, params, {})


def _of_symbol(known: float) -> Formula:
    """A number in a formula: 2, 0.5, and 1/3 where decimals would have no end."""
    for below in _ENDLESS if abs(known) < _LARGEST_QUOTIENT else ():
        above = round(known * below)
        if math.gcd(above, below) == 1 and math.isclose(above / below, known, rel_tol=_AS_EXACT):
            return f"{above}/{below}".replace("-", "−"), PRODUCT
    return of_constant(known)


def _constant(name: str) -> Formula:
    made = of_name(name)
    return made if " " not in name else (name, POWER)


def text_of(part: Expression, names: Mapping[str, str]) -> str:
    """An expression as text, with these labels for its variables."""
    return in_symbols(part, {key: of_name(name) for key, name in names.items()})[0]


def in_numbers(
    part: Expression, numbers: Mapping[str, float], write: Callable[[float], str], *, inside: bool = False
) -> Written:
    """An expression in numbers; sums inside a product, and functions, are shown by their values.

    >>> from autodiff.primitives.expression import variable
    >>> in_numbers(variable("z") * (1 - variable("z")), {"z": 0.25}, str).made[0]
    '0.25·0.75'
    """
    head, parts = part.head, part.parts
    if head == "read as" and not inside:
        return in_numbers(part.params["formula"], numbers, write)
    if head not in _OPERATIONS or (inside and head in ("+", "-")):
        return _number(float(value(part, numbers)), write)
    if head == "**":
        base = in_numbers(parts[0], numbers, write, inside=True)
        exponent = float(value(parts[1], numbers))
        if exponent.is_integer():
            made = _operation("power", [base.made], n=exponent)
        else:
            made = _operation("pow", [base.made, _of_number(write(exponent))])
        return Written(made, base.value**exponent)
    operands = [in_numbers(item, numbers, write, inside=inside or head not in _OPEN) for item in parts]
    made = _operation(_OPERATIONS[head], [operand.made for operand in operands])
    if head == "neg" and operands[0].is_number:
        return _number(-operands[0].value, write)
    values = [Expression("number", operand.value) for operand in operands]
    if made[0].startswith("−") and made[1] == PRODUCT:  # so that a sum writes it in brackets
        made = made[0], SIGN
    return Written(made, float(value(Expression(head, *values), {})))


def _number(known: float, write: Callable[[float], str]) -> Written:
    return Written(_of_number(write(known)), known, True)


def _of_number(text: str) -> Formula:
    """A number as it was written, with the strength of its sign or its power of ten."""
    return text, SIGN if text.startswith("−") else POWER if "e" in text or "×" in text else ATOM


