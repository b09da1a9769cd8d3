"""Expressions: the results of running the table's rules on symbols instead of numbers.

A rule such as ``lambda g, z, x: g * (1 - z * z)`` uses only operators and primitives, so the same code that computes
floats and arrays also builds an `Expression`: the formula shown in pictures and documentation, and the source of the
fast code in `autodiff.engine.emit_values` and `autodiff.engine.emit_arrays`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NoReturn

__all__ = ["ONE", "Expression", "number", "read_as", "variable"]

_BINDING: Final = {  # how tightly an operator binds, in Python's order
    "or": 1, "and": 2, ">": 3, ">=": 3, "<": 3, "<=": 3, "==": 3, "!=": 3,
    "+": 4, "-": 4, "*": 5, "/": 5, "//": 5, "@": 5, "neg": 6, "**": 7,
}  # fmt: skip
_ATOM: Final = 9
_UNICODE: Final = {"*": "·", "-": "−", ">=": "≥", "<=": "≤", "!=": "≠", "==": "="}


class Expression:
    """A node of an expression: ``head`` is its kind, ``parts`` are its operands, ``params`` its keywords.

    Heads: ``variable``, ``number``, an operator, ``call`` (of a primitive, which is the first part), ``xp`` (a function
    of the array or float namespace), ``attribute``, ``item``, ``invoke`` (a method of an array) and ``read as``
    (`read_as`).
    """

    __slots__ = ("head", "params", "parts")
    __array_ufunc__ = None  # so that ndarray operators defer to Expression

    def __init__(self, head: str, *parts: Any, params: dict[str, Any] | None = None) -> None:
        self.head = head
        self.parts = parts
        self.params = params or {}

    def __add__(self, other: Any) -> Expression:
        return Expression("+", self, _lift(other))

    def __radd__(self, other: Any) -> Expression:
        return Expression("+", _lift(other), self)

    def __sub__(self, other: Any) -> Expression:
        return Expression("-", self, _lift(other))

    def __rsub__(self, other: Any) -> Expression:
        return Expression("-", _lift(other), self)

    def __mul__(self, other: Any) -> Expression:
        other = _lift(other)
        return other if self is ONE else self if other is ONE else Expression("*", self, other)

    def __rmul__(self, other: Any) -> Expression:
        return _lift(other) * self

    def __truediv__(self, other: Any) -> Expression:
        other = _lift(other)
        return self if other is ONE else Expression("/", self, other)

    def __rtruediv__(self, other: Any) -> Expression:
        return _lift(other) / self

    def __floordiv__(self, other: Any) -> Expression:
        return Expression("//", self, _lift(other))

    def __pow__(self, other: Any) -> Expression:
        return Expression("**", self, _lift(other))

    def __rpow__(self, other: Any) -> Expression:
        return Expression("**", _lift(other), self)

    def __matmul__(self, other: Any) -> Expression:
        return Expression("@", self, _lift(other))

    def __neg__(self) -> Expression:
        return number(-self.parts[0]) if self.head == "number" else Expression("neg", self)

    def __lt__(self, other: Any) -> Expression:
        return Expression("<", self, _lift(other))

    def __le__(self, other: Any) -> Expression:
        return Expression("<=", self, _lift(other))

    def __gt__(self, other: Any) -> Expression:
        return Expression(">", self, _lift(other))

    def __ge__(self, other: Any) -> Expression:
        return Expression(">=", self, _lift(other))

    def __eq__(self, other: object) -> Expression:  # type: ignore[override]
        return Expression("==", self, _lift(other))

    def __ne__(self, other: object) -> Expression:  # type: ignore[override]
        return Expression("!=", self, _lift(other))

    def __and__(self, other: Any) -> Expression:
        return Expression("and", self, _lift(other))

    def __or__(self, other: Any) -> Expression:
        return Expression("or", self, _lift(other))

    __hash__ = object.__hash__
    __iter__ = None  # otherwise Python would iterate by __getitem__, forever

    def __bool__(self) -> bool:
        raise TypeError(
            f"a rule used the symbol {self} as a truth value; choose with where(condition, x, y) instead, "
            "so that the rule can also be read as a formula"
        )

    def __abs__(self) -> Expression:
        return Expression("xp", "absolute", self)

    def __array__(self, dtype: Any = None, copy: Any = None) -> NoReturn:
        raise TypeError(f"the symbol {self} is not an array")  # so that NumPy's functions do not build one of objects

    def __getitem__(self, index: Any) -> Expression:
        return Expression("item", self, index)

    def __call__(self, *operands: Any, **params: Any) -> Expression:
        return Expression("invoke", self, *operands, params=params)

    def __getattr__(self, name: str) -> Expression:
        if name.startswith("__"):
            raise AttributeError(name)
        return Expression("attribute", self, name)

    def __str__(self) -> str:
        return _text(self)[0]

    def __repr__(self) -> str:
        return f"Expression({str(self)!r})"


def variable(name: str) -> Expression:
    """The variable called ``name``.

    >>> x, z = variable("x"), variable("z")
    >>> print(x * (1 - z * z))
    x·(1 − z·z)
    """
    return Expression("variable", name)


def number(value: float) -> Expression:
    """The constant ``value``.

    >>> print(number(2.0) * variable("z"))
    2·z
    """
    return Expression("number", value)


def read_as(computed: Any, formula: Callable[[], Any]) -> Any:
    """``computed``, displayed as ``formula()``: the same number except for the rounding error of the latter.

    >>> from autodiff import exp
    >>> print(variable("g") * read_as(exp(variable("x")), lambda: variable("z") + 1))
    g·(z + 1)
    """
    if isinstance(computed, Expression):
        return Expression("read as", computed, params={"formula": formula()})
    return computed


#: The error signal 1, which is dropped from products; a literal 1 in a rule stays (it turns a bool into a number).
ONE: Final = Expression("number", 1)


def _lift(value: Any) -> Expression:
    return value if isinstance(value, Expression) else number(value)


def _text(value: Any) -> tuple[str, int]:
    """The Unicode text of an expression and how tightly its outermost operator binds."""
    if not isinstance(value, Expression):
        return _plain_text(value), _ATOM
    head, parts = value.head, value.parts
    if head == "variable":
        return parts[0], _ATOM
    if head == "number":
        if not isinstance(parts[0], int | float):
            return _plain_text(parts[0]).replace("-", "−"), _ATOM
        return f"{parts[0]:g}".replace("-", "−"), _ATOM if parts[0] >= 0 else _BINDING["neg"]
    if head == "read as":
        return _text(value.params["formula"])
    if head in ("call", "xp", "invoke"):
        function = parts[0].name if head == "call" else _text(parts[0])[0]
        first = [_text(item)[0] for key, item in value.params.items() if key == "condition"]  # as NumPy's where
        named = [f"{key}={_text(item)[0]}" for key, item in value.params.items() if key != "condition"]
        return f"{function}({', '.join([*first, *(_text(part)[0] for part in parts[1:]), *named])})", _ATOM
    if head == "attribute":
        return f"{_bracketed(parts[0], _ATOM)}.{parts[1]}", _ATOM
    if head == "item":
        return f"{_bracketed(parts[0], _ATOM)}[{_text(parts[1])[0]}]", _ATOM
    binding = _BINDING[head]
    if head == "neg":
        return "−" + _bracketed(parts[0], binding), binding
    left = _bracketed(parts[0], binding + (head == "**"))  # x**y**z is x**(y**z), x − y − z is (x − y) − z
    right = _bracketed(parts[1], binding + (head in ("-", "*", "/", "//", "@")))
    if head == "==" and left == right:
        return f"{left} is a number", binding
    sign = _UNICODE.get(head, head)
    return (f"{left}{sign}{right}" if head in ("*", "/", "**") else f"{left} {sign} {right}"), binding


def _plain_text(value: Any) -> str:
    """The text of an object that is not an expression but may contain some: an index, a tuple of axes."""
    if isinstance(value, slice):
        ends = ("" if end is None else _text(end)[0] for end in (value.start, value.stop))
        return ":".join([*ends, *([] if value.step is None else [_text(value.step)[0]])])
    if isinstance(value, tuple):
        return ", ".join(_text(item)[0] for item in value)
    return str(value.tolist() if hasattr(value, "tolist") else value)


def _bracketed(value: Any, binding: int) -> str:
    text, own = _text(value)
    return text if own >= binding else f"({text})"
