"""Rules on arrays without dispatch, generated from the table.

A rule calls primitives, and each call asks what its operands are. In a backward pass on arrays the answer is known, so
a rule run on symbols is written out once as a plain NumPy expression; a rule that is more than one expression is used
as it stands. On the scorer of the notes this halves the time of a backward pass.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from inspect import Parameter
from typing import Any, Final, NamedTuple

from autodiff.namespace import arrays
from autodiff.primitive import TABLE, Primitive
from autodiff.source import NotAnExpressionError, Tracer, compiled
from autodiff.symbol import Symbol, variable

__all__ = ["Pullback", "pullbacks"]

_NEW_ARRAY: Final = frozenset({"+", "-", "*", "/", "**", "@", "neg"})


class Pullback(NamedTuple):
    """The rule of one input on arrays, and whether its result is always a new array."""

    share: Callable[..., Any]
    fresh: bool


@cache
def pullbacks(primitive: Primitive, count: int) -> tuple[Pullback, ...]:
    """One `Pullback` for each of ``count`` inputs."""
    if primitive.arity is None:
        return tuple(Pullback(primitive.rule(k), False) for k in range(count))
    return tuple(_pullback(primitive, k) for k in range(count))


def _pullback(primitive: Primitive, k: int) -> Pullback:
    names = [f"x{j}" for j in range(primitive.arity or 0)]
    inputs = [variable(name) for name in names]
    params = {key: variable(key) for key in primitive.defaults}
    try:
        rule = primitive.rule(k)(variable("g"), variable("z"), *inputs, **params)
        writer = _ArrayWriter()
        text = writer.text(rule)
    except (NotAnExpressionError, TypeError):
        return Pullback(primitive.rule(k), False)
    keywords = [key if value is Parameter.empty else f"{key}=_{key}" for key, value in primitive.defaults.items()]
    head = ", ".join(["g", "z", *names, *(["*", *keywords] if keywords else [])])
    scope = {**writer.scope, **{f"_{key}": value for key, value in primitive.defaults.items()}}
    lines = [f"def function({head}):", *(f"    {line}" for line in writer.lines), f"    return {text}"]
    share = compiled(f"rule {k + 1} of {primitive.name}", lines, scope)
    return Pullback(share, isinstance(rule, Symbol) and rule.head in _NEW_ARRAY)


class _ArrayWriter:
    """Turns an expression into NumPy source, each call computed once; ``scope`` collects what the source names."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.memo: dict[str, str] = {}
        self.scope: dict[str, Any] = {"arrays": arrays}

    def text(self, part: Any) -> str:
        """The source of ``part``."""
        if not isinstance(part, Symbol):
            return self._constant(part)
        head, parts = part.head, part.parts
        if head == "variable":
            return str(parts[0])
        if head == "number":
            return repr(parts[0])
        if head == "call":
            return self._call(TABLE[parts[0]], parts[1:], part.params)
        if head == "xp":
            return self._shared(f"{self._function(parts[0])}({self._list(parts[1:], part.params)})")
        if head == "attribute":
            return f"{self.text(parts[0])}.{parts[1]}"
        if head == "item":
            return f"{self.text(parts[0])}[{self.text(parts[1])}]"
        if head == "invoke":
            return f"{self.text(parts[0])}({self._list(parts[1:], {})})"
        if head == "neg":
            return f"(-{self.text(parts[0])})"
        sign = {"and": "&", "or": "|"}.get(head, head)
        return f"({self.text(parts[0])} {sign} {self.text(parts[1])})"

    def _call(self, entry: Primitive, operands: tuple[Any, ...], params: Mapping[str, Any]) -> str:
        """A primitive's forward: its expression where it is one, else the function itself."""
        try:
            if entry.reduces or (entry.linear and not entry.elementwise):
                raise NotAnExpressionError(entry.name)  # these call NumPy themselves
            expression = entry.forward(Tracer(), *operands, **params)
            if isinstance(expression, Symbol):
                return self.text(expression)
        except (NotAnExpressionError, TypeError, AttributeError):
            pass
        name = f"forward_{entry.name}"
        self.scope[name] = entry.forward
        return self._shared(f"{name}(arrays, {self._list(operands, params)})")

    def _shared(self, text: str) -> str:
        if text not in self.memo:
            self.memo[text] = f"t{len(self.memo)}"
            self.lines.append(f"{self.memo[text]} = {text}")
        return self.memo[text]

    def _list(self, operands: tuple[Any, ...], params: Mapping[str, Any]) -> str:
        named = [f"{key}={self.text(item)}" for key, item in params.items()]
        return ", ".join([*(self.text(item) for item in operands), *named])

    def _function(self, name: str) -> str:
        if not hasattr(arrays, name):
            raise NotAnExpressionError(name)
        self.scope[name] = getattr(arrays, name)
        return name

    def _constant(self, value: Any) -> str:
        if isinstance(value, bool | int | float) or value is None:
            return repr(value)
        name = f"constant{len(self.scope)}"
        self.scope[name] = value
        return name
