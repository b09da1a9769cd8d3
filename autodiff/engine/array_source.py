"""NumPy source for a primitive on arrays: its forward and its rules, run on symbols, as lines of Python."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from operator import is_
from sys import intern
from typing import Any, Final

from autodiff.engine.emit import NotAnExpressionError, Writer, handed_on, is_name, param, param_variables, traced, words
from autodiff.engine.plain import lent
from autodiff.primitives.expression import Expression, variable
from autodiff.primitives.namespace import arrays
from autodiff.primitives.primitive import Primitive
from autodiff.primitives.registry import remembered
from autodiff.primitives.table.layout import scatter

__all__ = ["ArraySource", "array_source"]


@dataclass(frozen=True)
class ArraySource:
    """NumPy source for a primitive on arrays: lines and expression for its value and for the share of each input.

    ``names`` are the inputs' data, ``params`` the params that the shares use, ``scope`` the constants and functions.
    Intermediate results of the forward that a share needs are saved instead of being computed again: ``kept`` holds
    their names, in the order in which a node saves them in ``db``, followed by the ``edition`` of the source.
    ``look_up`` is the param that picks elements of the only input, if the rule is that of a look-up.
    """

    names: list[str]
    forward: list[str]
    value: str
    shares: list[tuple[list[str], str]]
    params: list[str]
    kept: list[str]
    scope: dict[str, Any]
    look_up: str | None

    @cached_property
    def reads_result(self) -> bool:
        """Whether any share is computed from the result z."""
        texts = [text for lines, share in self.shares for text in (*lines, share)]
        return "z" in words(texts) or self.value.isidentifier()

    @cached_property
    def edition(self) -> str:
        """A key for the saved intermediate results: equal for equal source, also in another process."""
        return intern("\n".join([", ".join(self.kept), *self.forward]))


@remembered(1024)  # used twice: when a call is first recorded and when it first sends shares
def array_source(entry: Primitive) -> ArraySource:
    writer, names = _Writer(), [f"x{k}" for k in range(entry.arity or 0)]
    params = param_variables(entry)
    value = writer.call(entry, tuple(variable(name) for name in names), params)
    forward, known, shares = writer.lines, writer.memo, []
    for k in range(len(names)):
        writer.lines, writer.memo, writer.uses = [], dict(known), {}
        shares.append(_share_source(entry, k, names, writer))
    needed = words(text for lines, share in shares for text in (*lines, share))
    kept = sorted(needed.intersection(known.values()) - {value})
    if kept:
        needed |= words(forward)
    asked = [key for key in entry.defaults if param(key) in needed]
    return ArraySource(names, forward, value, shares, asked, kept, writer.scope, writer.look_up)


def _share_source(entry: Primitive, k: int, names: list[str], writer: _Writer) -> tuple[list[str], str]:
    """Lines and expression for the share of the k-th input, in terms of g, z, the inputs' data and the params."""
    params = param_variables(entry)
    try:
        g, inputs = variable("g"), [variable(name) for name in names]
        rule = traced(entry, k, g, variable("z"), *inputs, **params)
        writer.look_up = _look_up(entry, rule, g, inputs[k], params)
        writer.tally(rule)
        text = writer.text(rule)
    except NotAnExpressionError:
        writer.scope |= {f"rule{k}": entry.rule(k), "lent": lent}
        return [], f"lent(rule{k}(g, z, {', '.join(names)}{handed_on(entry)}))"
    return writer.lines, text


def _look_up(entry: Primitive, rule: Any, g: Expression, x: Expression, params: Mapping[str, Expression]) -> str | None:
    """The param that is the index, as source, if a rule is that of a look-up: ``scatter(g, index, x.shape)``."""
    if entry.arity != 1 or not _is(rule, "call", scatter, g) or not _is(rule.params["shape"], "attribute", x, "shape"):
        return None
    index = rule.params["index"]
    return next((param(key) for key, each in params.items() if each is index), None)


def _is(part: Any, head: str, *parts: Any) -> bool:
    """Whether an expression has this head and these very parts."""
    return isinstance(part, Expression) and part.head == head and all(map(is_, part.parts, parts))


_SIGNS: Final = {"and": "&", "or": "|", "neg": "-"}


class _Writer(Writer):
    """Turns an expression into NumPy source that computes each call once; ``scope`` collects the names it uses."""

    def __init__(self) -> None:
        super().__init__()
        self.uses: dict[int, int] = {}
        self.scope: dict[str, Any] = {"arrays": arrays}
        self.look_up: str | None = None
        self.held: dict[int, tuple[str, Any]] = {}  # by id; the value is held so that its id is not reused

    def text(self, part: Any) -> str:
        """The source of ``part``."""
        if isinstance(part, slice):
            return f"slice({self.text(part.start)}, {self.text(part.stop)}, {self.text(part.step)})"
        if part.__class__ is tuple and not any(isinstance(item, slice) for item in part):
            return f"({', '.join(map(self.text, part))},)" if part else "()"
        if not isinstance(part, Expression):
            return self._constant(part)
        head, parts = part.head, part.parts
        if head == "variable" and is_name(parts[0]):
            return str(parts[0])
        if head == "call":
            return self.call(parts[0], parts[1:], part.params)
        if head in ("number", "read as"):
            return self.text(parts[0])
        if head == "xp":
            return self.shared(f"{self._function(parts[0])}({self._list(parts[1:], part.params)})")
        if head == "attribute" and is_name(parts[1]):
            return f"{self.text(parts[0])}.{parts[1]}"
        if head == "item":
            return self._again(part, f"{self.text(parts[0])}[{self.text(parts[1])}]")
        if head == "invoke":
            return self._again(part, f"{self.text(parts[0])}({self._list(parts[1:], part.params)})")
        if head in ("variable", "attribute"):
            raise NotAnExpressionError(str(part))
        return self._again(part, self._operation(head, *parts))

    def _operation(self, head: str, *operands: Any) -> str:
        """The source of a unary or binary operation."""
        sign, texts = _SIGNS.get(head, head), [self.text(item) for item in operands]
        return f"({sign}{texts[0]})" if len(texts) == 1 else f"({texts[0]} {sign} {texts[1]})"

    def _again(self, part: Expression, text: str) -> str:
        """The source of a part: the name of a variable if the part occurs more than once."""
        return self.shared(text) if self.uses.get(id(part), 0) > 1 or text in self.memo else text

    def tally(self, part: Any) -> None:
        """Count how often each part of an expression occurs; a part that occurs twice is computed once."""
        if isinstance(part, Expression):
            self.uses[id(part)] = self.uses.get(id(part), 0) + 1
            if self.uses[id(part)] == 1:
                for item in part.parts:
                    self.tally(item)

    def call(self, entry: Primitive, operands: tuple[Any, ...], params: Mapping[str, Any]) -> str:
        """A call of a primitive's forward: its expression if it has one, else the function itself."""
        if not (entry.reduces or (entry.linear and not entry.elementwise)):  # the others call NumPy directly
            try:
                expression = traced(entry, None, *operands, **params)
                if isinstance(expression, Expression):
                    self.tally(expression)
                    for item in operands:  # counted as operands of the call, and again in the expression
                        self.uses[id(item)] = self.uses.get(id(item), 0) - 1
                    return self.text(expression)
            except NotAnExpressionError:
                pass
        return self.shared(f"{self._held('forward', entry.forward)}(arrays, {self._list(operands, params)})")

    def _list(self, operands: tuple[Any, ...], params: Mapping[str, Any]) -> str:
        if not all(map(is_name, params)):
            raise NotAnExpressionError(", ".join(map(str, params)))
        named = [f"{key}={self.text(item)}" for key, item in params.items()]
        return ", ".join([*(self.text(item) for item in operands), *named])

    def _function(self, name: str) -> str:
        if not hasattr(arrays, name):
            raise NotAnExpressionError(name)
        self.scope[name] = getattr(arrays, name)
        return name

    def _constant(self, value: Any) -> str:
        if value is None or value.__class__ in (bool, int) or (value.__class__ is float and math.isfinite(value)):
            return repr(value)
        return self._held("constant", value)

    def _held(self, kind: str, value: Any) -> str:
        """The variable that holds ``value``, which cannot be written as a literal."""
        if id(value) not in self.held:
            name = f"{kind}{len(self.held)}"
            self.held[id(value)] = name, value
            self.scope[name] = lent(value)
        return self.held[id(value)][0]
