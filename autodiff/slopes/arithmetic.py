"""Expressions in the form in which people write them: z·z as z², (1/x)/y as 1/(x·y), −(x/y)/y as −x/y²."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from autodiff.primitives.expression import Expression, number, variable

__all__ = ["CONSTANTS", "ONE_BELOW", "is_number", "simplified"]

#: Constants that rules hold as numbers, by their usual names.
CONSTANTS: Final = {
    "π": 3.141592653589793, "ln 2": 0.6931471805599453, "√(2π)": 2.5066282746310002, "ln 10": 2.302585092994046,
    "√π": 1.7724538509055159,
}  # fmt: skip
_LAST: Final = frozenset(CONSTANTS) - {"π"}  # in a product
_NAMES: Final = {value: name for name, value in CONSTANTS.items()}
#: The numbers that are a quotient with one of these constants: its numerator, and the name below it.
ONE_BELOW: Final = {
    1.4426950408889634: (1.0, "ln 2"), 0.4342944819032518: (1.0, "ln 10"), 1.1283791670955126: (2.0, "√π"),
}  # fmt: skip


class _Product(NamedTuple):
    """A number, and the factors above and below the bar; equal factors stand side by side."""

    coefficient: float
    above: list[Expression]
    below: list[Expression]


def is_number(part: Expression) -> bool:
    """Whether an expression is one real number."""
    return part.head == "number" and isinstance(part.parts[0], float | int)


def simplified(part: Expression) -> Expression:
    """The same formula with powers of equal factors, at most one bar, and its sign and number in front.

    >>> from autodiff.primitives.expression import variable
    >>> x, y = variable("x"), variable("y")
    >>> print(simplified(-((x / y) / y)), simplified(2.0 * (x * x) * 3.0))
    −(x/y**2) 6·x**2
    """
    head = part.head
    if head in ("*", "/", "neg"):
        return _written(_product(part))
    if head in ("+", "-"):
        left, right = map(simplified, part.parts)
        if is_number(left) and is_number(right):
            return number(left.parts[0] + right.parts[0] if head == "+" else left.parts[0] - right.parts[0])
        if is_number(right) and right.parts[0] == 0:
            return left
        if is_number(left) and left.parts[0] == 0:
            return right if head == "+" else simplified(-right)
        return Expression(head, left, right)
    if head == "**":
        base, exponent = map(simplified, part.parts)
        if is_number(exponent) and exponent.parts[0] in (0, 1):
            return base if exponent.parts[0] else number(1.0)
        return Expression("**", base, exponent)
    if head == "read as":
        shown = simplified(part.params["formula"])
        return Expression("read as", part.parts[0], params={"formula": shown})
    if head == "call":
        entry, *operands = part.parts
        return Expression("call", entry, *map(simplified, operands), params=part.params)
    if head == "xp":
        return Expression("xp", part.parts[0], *map(simplified, part.parts[1:]))
    if is_number(part) and part.parts[0] in _NAMES:
        return variable(_NAMES[part.parts[0]])
    return part


def _product(part: Expression) -> _Product:
    head = part.head
    if head == "neg":
        inner = _product(part.parts[0])
        return _Product(-inner.coefficient, inner.above, inner.below)
    if head in ("*", "/"):
        left, right = map(_product, part.parts)
        if head == "*":
            return _Product(left.coefficient * right.coefficient, left.above + right.above, left.below + right.below)
        if right.coefficient != 1.0:  # 1/(2·y), not 0.5/y
            right.above.insert(0, number(right.coefficient))
        return _Product(left.coefficient, left.above + right.below, left.below + right.above)
    if is_number(part) and part.parts[0] not in _NAMES:
        size = abs(part.parts[0])
        if size in ONE_BELOW:
            above, below = ONE_BELOW[size]
            return _Product(above if part.parts[0] > 0 else -above, [], [variable(below)])
        return _Product(part.parts[0], [], [])
    whole = simplified(part)
    return _Product(whole.parts[0], [], []) if is_number(whole) else _Product(1.0, [whole], [])


def _written(product: _Product) -> Expression:
    """The product as one expression, its number first."""
    above, below = list(_powers(product.above)), list(_powers(product.below))
    size, sign = abs(product.coefficient), product.coefficient < 0
    if size == 0:
        return number(0.0)
    if size != 1.0 or not above:
        above.insert(0, number(size))
    made = _multiplied(above)
    if below:
        made = Expression("/", made, _multiplied(below))
    return (number(-made.parts[0]) if is_number(made) else Expression("neg", made)) if sign else made


def _multiplied(factors: list[Expression]) -> Expression:
    made, *others = factors
    for factor in others:
        made = Expression("*", made, factor)
    return made


def _powers(factors: list[Expression]) -> Iterator[Expression]:
    """The factors in the order of their first occurrence, equal ones as a power."""
    exponents: dict[str, float] = {}
    bases: dict[str, Expression] = {}
    for factor in factors:
        base, exponent = factor, 1.0
        if factor.head == "**" and is_number(factor.parts[1]) and factor.parts[1].parts[0] > 0:
            base, exponent = factor.parts[0], factor.parts[1].parts[0]
        key = str(base)
        bases.setdefault(key, base)
        exponents[key] = exponents.get(key, 0.0) + exponent
    for key, base in sorted(bases.items(), key=lambda item: item[0] in _LAST):  # x·ln 2, not ln 2·x
        yield base if exponents[key] == 1 else Expression("**", base, number(exponents[key]))
