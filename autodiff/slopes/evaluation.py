"""The values of expressions at given numbers, and the choices (relu, max, where) that these numbers settle."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from typing import Any, Final

from autodiff.primitives.expression import Expression, number
from autodiff.primitives.namespace import floats
from autodiff.slopes.arithmetic import CONSTANTS, is_number, simplified

__all__ = ["COMPARISONS", "has_choice", "settled", "value"]

_OPERATORS: Final[dict[str, Callable[..., Any]]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "//": operator.floordiv,
    "**": operator.pow, "neg": operator.neg,
}  # fmt: skip
COMPARISONS: Final[dict[str, Callable[..., Any]]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq, "!=": operator.ne,
}  # fmt: skip
_LOGIC: Final[dict[str, Callable[..., Any]]] = {"and": operator.and_, "or": operator.or_}
_BOTH: Final[dict[str, Callable[..., Any]]] = {**_OPERATORS, **COMPARISONS, **_LOGIC}


def value(part: Any, numbers: Mapping[str, float]) -> Any:
    """The number, or the truth value, of an expression whose variables have these numbers.

    Raises whatever arithmetic on floats raises; ValueError for what has no number, such as a shape.
    """
    if not isinstance(part, Expression):
        return part
    head, parts = part.head, part.parts
    if head == "variable":
        return numbers[parts[0]] if parts[0] in numbers else CONSTANTS[parts[0]]
    if head == "number":
        return parts[0]
    if head == "read as":
        return value(parts[0], numbers)
    if head in _BOTH:
        return _BOTH[head](*(value(item, numbers) for item in parts))
    if head == "xp":
        return getattr(floats, parts[0])(*(value(item, numbers) for item in parts[1:]))
    if head == "call" and parts[0].name == "where":
        return value(parts[1 if value(part.params["condition"], numbers) else 2], numbers)
    if head == "call" and parts[0].elementwise:
        params = {key: value(item, numbers) for key, item in part.params.items()}
        return parts[0].evaluate([float(value(item, numbers)) for item in parts[1:]], params)
    raise ValueError(f"{part} has no number")


def has_choice(part: Any) -> bool:
    """Whether a formula as shown compares numbers, or takes their sign."""
    if not isinstance(part, Expression):
        return False
    if part.head == "read as":
        return has_choice(part.params["formula"])
    if part.head in COMPARISONS or (part.head == "call" and part.parts[0].name in ("where", "sign")):
        return True
    return any(map(has_choice, part.parts))


def settled(part: Expression, numbers: Mapping[str, float], said: dict[str, Expression]) -> Expression:
    """The formula that holds at these numbers: of each choice the part taken. ``said`` collects why, as comparisons."""
    head, parts = part.head, part.parts
    if head == "read as":
        return settled(part.params["formula"], numbers, said) if has_choice(part) else part
    if head == "call" and parts[0].name == "where":
        condition = part.params["condition"]
        _compare(condition, numbers, said)
        return settled(_lifted(parts[1 if value(condition, numbers) else 2]), numbers, said)
    if head == "call" and parts[0].name == "sign":
        _compare(Expression(">", parts[1], number(0.0)), numbers, said)
        return number(value(part, numbers))
    if head in COMPARISONS or head in _LOGIC:
        _compare(part, numbers, said)
        return number(float(value(part, numbers)))
    if head in _OPERATORS:
        return Expression(head, *(settled(item, numbers, said) for item in parts))
    if head == "call":
        operands = (settled(_lifted(item), numbers, said) for item in parts[1:])
        return Expression("call", parts[0], *operands, params=part.params)
    return part


def _lifted(part: Any) -> Expression:
    return part if isinstance(part, Expression) else number(part)


def _compare(condition: Any, numbers: Mapping[str, float], said: dict[str, Expression]) -> None:
    """Add to ``said`` how the two sides of each comparison in a condition relate: >, = or <."""
    if not isinstance(condition, Expression):
        return
    if condition.head in _LOGIC:
        for part in condition.parts:
            _compare(part, numbers, said)
    elif condition.head in COMPARISONS:
        left, right = map(simplified, map(_lifted, condition.parts))
        if str(left) != str(right) and not (is_number(left) and is_number(right)):
            said[f"{min(str(left), str(right))} {max(str(left), str(right))}"] = _relation(left, right, numbers)


def _relation(left: Expression, right: Expression, numbers: Mapping[str, float]) -> Expression:
    a, b = float(value(left, numbers)), float(value(right, numbers))
    if math.isnan(a) or math.isnan(b):
        raise ValueError("nan is neither above nor below")
    return Expression("==" if a == b else ">" if a > b else "<", left, right)
