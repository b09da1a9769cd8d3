"""Fast arithmetic of Values, generated from the table.

Run on symbols, a primitive's forward and its rule (with error signal 1) become the source text of one Python function,
which computes the value and the local gradients of the edges and fills the slots of a new node. The one table thus
gives the speed of hand-written scalar code without a second copy of any rule.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

from autodiff.engine.emit import (
    NotAnExpressionError,
    Writer,
    clash,
    compiled,
    defaults_of,
    filled,
    handed_on,
    keywords,
    param,
    param_variables,
    passed,
    traced,
)
from autodiff.engine.graph import clock
from autodiff.primitives.expression import ONE, Expression, variable
from autodiff.primitives.namespace import FLOAT_FAULTS, as_float, floats
from autodiff.primitives.origin import Origin
from autodiff.primitives.primitive import Primitive, ieee_partials, real
from autodiff.primitives.registry import remembered

__all__ = ["kernel", "many", "method", "origin_of"]

_COMPARISONS: Final = ("<", "<=", ">", ">=", "==", "!=")
_MOST_UNROLLED: Final = 2048  # inputs of one n-ary node: source for this many compiles in a quarter of a second


class _Writer(Writer):
    """Turns expressions into lines of Python that compute each shared part once."""

    def __init__(self, known: dict[str, str]) -> None:
        super().__init__()
        self.known = known

    def text(self, part: Any, *, condition: bool = False) -> str:
        """The source of ``part`` as a number, or as a condition."""
        if not isinstance(part, Expression):
            return repr(float(part)) if isinstance(part, bool | int | float) else self._refuse(part)
        head, parts = part.head, part.parts
        if head == "variable":
            return self.known[parts[0]]
        if head == "number":
            return repr(float(parts[0]))
        if head == "call":
            return self.text(traced(parts[0], None, *parts[1:], **part.params))
        if head == "read as":
            return self.text(parts[0])
        if head == "item" and parts[1].__class__ is int:
            return f"{self.text(parts[0])}[{parts[1]}]"
        if head == "xp" and (parts[0] == "where" or not part.params):
            return self._called(*parts)
        if head == "**":
            return self.shared(f"power({self.text(parts[0])}, {self.text(parts[1])})")
        if head == "neg":
            return f"(-{self.text(parts[0])})"
        if head in ("and", "or", *_COMPARISONS):
            holds = self._condition(head, *parts)
            return holds if condition else f"(1.0 if {holds} else 0.0)"
        if head in ("+", "-", "*", "/"):
            return f"({self._left(parts[0], head)} {head} {self.text(parts[1])})"
        return self._refuse(part)

    def _called(self, name: str, *operands: Any) -> str:
        """A call of a function of ``xp``."""
        if name == "where":
            condition, one, other = operands
            return f"({self.text(one)} if {self.text(condition, condition=True)} else {self.text(other)})"
        return self.shared(f"{self._function(name)}({', '.join(map(self.text, operands))})")

    def _condition(self, head: str, left: Any, right: Any) -> str:
        if head in _COMPARISONS:
            return f"{self.text(left)} {head} {self.text(right)}"
        return f"({self.text(left, condition=True)} {head} {self.text(right, condition=True)})"

    def _left(self, part: Any, head: str) -> str:
        """The left operand; a long sum is written line by line, because Python's parser limits nesting."""
        spine = []
        while head == "+" and isinstance(part, Expression) and part.head == "+":
            spine.append(part.parts[1])
            part = part.parts[0]
        text = self.text(part)
        for k, term in enumerate(reversed(spine), 1):
            text = f"{text} + {self.text(term)}"
            if k % 32 == 0:
                text = self.shared(text)
        return text

    def assign(self, target: str, part: Any) -> None:
        """Add the line ``target = part``."""
        self.lines.append(f"{target} = {self.text(part)}")

    def _function(self, name: str) -> str:
        if not hasattr(floats, name):
            raise NotAnExpressionError(name)
        return name

    @staticmethod
    def _refuse(part: Any) -> str:
        raise NotAnExpressionError(str(part))


def _writer(primitive: Primitive, names: list[str]) -> _Writer:
    known = ["z", *names, *map(param, primitive.defaults)]
    return _Writer(dict(zip(known, known, strict=True)))


def _lines(primitive: Primitive, names: list[str], slots: list[int]) -> list[str]:
    """Source lines that set ``z`` and, for each slot, ``d<slot>`` from the variables ``names``."""
    writer = _writer(primitive, names)
    inputs = [variable(name) for name in names]
    params = param_variables(primitive)
    writer.assign("z", traced(primitive, None, *inputs, **params))
    for k in slots:
        writer.assign(f"d{k}", traced(primitive, k, ONE, variable("z"), *inputs, **params))
    return writer.lines


def _scope(primitive: Primitive) -> dict[str, Any]:
    return {
        **vars(floats), **defaults_of(primitive), "inf": math.inf, "nan": math.nan, "primitive": primitive,
        "FAULTS": FLOAT_FAULTS, "as_float": as_float, "ieee_partials": ieee_partials, "origin_of": origin_of,
        "origin": primitive.origin, "clock": clock, "new": object.__new__,
    }  # fmt: skip


# ---- templates -------------------------------------------------------------------------------------------------------

_NEW: Final = """
    node = new(Value)
    node._data = z; node._grad = None; node.origin = origin; node.version = clock.now; node.delta = None
"""

_NODE: Final = f"""{_NEW.rstrip()}
    node.a = a; node.b = b; node.da = d0; node.db = d1
    return node
"""

#: z and the required local gradients, by Python's arithmetic or, if that raises, by IEEE arithmetic.
_GUARDED: Final = """
    try:
        $lines
    except FAULTS:
        $every = ieee_partials(primitive, ($names,), $passed)
"""

_OF_ONE: Final = """
    def function(x$keywords):
        $renamed
        if x.__class__ is not Value:
            return primitive(x$asked)
        a, b, d1, x = x, None, None, x._data
        $origin
        $first
        $node
"""

_OF_TWO: Final = """
    def function(x, y$keywords):
        $renamed
        a, b = x, y
        if y.__class__ is Value:
            y = y._data
            if x.__class__ is Value:
                x = x._data
                $origin
                $both
            elif x.__class__ is float or x.__class__ is int:
                if x.__class__ is int: a = x = as_float(x)
                $origin
                $second
                d0 = None
            else:
                return primitive(a, b$asked)
        elif x.__class__ is Value and (y.__class__ is float or y.__class__ is int):
            x = x._data
            if y.__class__ is int: b = y = as_float(y)
            $origin
            $first
            d1 = None
        else:
            return primitive(x, y$asked)
        $node
"""

#: As Python calls ``__rsub__``: the Value comes first, then the number that is the left operand.
_REFLECTED: Final = """
    def function(y, x$keywords):
        $renamed
        if y.__class__ is not Value or not (x.__class__ is float or x.__class__ is int):
            return primitive(x, y$asked)
        b, y = y, y._data
        a = x = as_float(x) if x.__class__ is int else x
        $origin
        $second
        d0 = None
        $node
"""

_OF_MANY: Final = """
    def function(inputs):
        $parts, = inputs
        $data
        $all
        $new
        node.a = inputs; node.b = $nodes
        node.da = partials; node.db = $locals
        return node
"""

_KERNEL: Final = """
    def function($names$keywords):
        $renamed
        $all
        return z, partials
"""


def _function(primitive: Primitive, scope: dict[str, Any], template: str, **parts: str | list[str]) -> list[str]:
    """The lines of a function whose keyword arguments are the params of ``primitive``.

    Raises NotAnExpressionError if a param would shadow a name that the function needs.
    """
    if clash(primitive.defaults, filled(template, keywords="", renamed=[], **parts), scope):
        raise NotAnExpressionError(primitive.name)
    renamed = [f"{param(key)} = {key}" for key in primitive.defaults]
    return filled(template, keywords=keywords(primitive), renamed=renamed, **parts)


def _guarded(primitive: Primitive, names: list[str], slots: list[int]) -> list[str]:
    every = ", ".join(["z", *(f"d{k}" for k in range(len(names)))])
    lines = _lines(primitive, names, slots)
    return filled(_GUARDED, lines=lines, every=every, names=", ".join(names), passed=passed(primitive))


@remembered()
def method(primitive: Primitive, kind: type, *, reflected: bool = False) -> Callable[..., Any] | None:
    """The function that applies ``primitive`` to one or two operands, which are nodes of class ``kind`` or numbers.

    With ``reflected``, it takes its operands swapped, as Python passes them to ``__rsub__``. Other operands are passed
    to the primitive. None if the primitive is not a single expression, or not elementwise in one or two inputs.
    """
    if not primitive.elementwise or primitive.arity not in (1, 2):
        return None
    names = ["x", "y"][: primitive.arity]
    asked = handed_on(primitive)
    template = _OF_ONE if len(names) == 1 else _REFLECTED if reflected else _OF_TWO
    wanted = {"first": [0], "second": [1], "both": [0, 1]} if len(names) == 2 else {"first": [0]}
    scope = {**_scope(primitive), "Value": kind}
    try:
        parts = {name: _guarded(primitive, names, slots) for name, slots in wanted.items()}
        checked = [f"origin = origin_of(primitive{asked})"] if asked else []  # first, because it checks the params
        lines = _function(primitive, scope, template, asked=asked, origin=checked, node=filled(_NODE), **parts)
    except NotAnExpressionError:
        return None
    function = compiled(f"{primitive.name} of Values{', reflected' * reflected}", lines, scope)
    function.__name__ = function.__qualname__ = primitive.name
    function.__doc__ = primitive.doc
    return function


@remembered()
def kernel(primitive: Primitive, count: int) -> Callable[..., tuple[float, tuple[float, ...]]]:
    """The function ``(*floats, **params) -> (z, local gradients)`` of a primitive with ``count`` inputs."""
    names = [f"x{k}" for k in range(count)]
    scope = _scope(primitive)
    try:
        lines = _function(primitive, scope, _KERNEL, names=", ".join(names), all=_unrolled(primitive, names))
    except NotAnExpressionError:
        return lambda *operands, **params: _by_rules(primitive, operands, params)
    function = compiled(f"{primitive.name} of {count} floats", lines, scope)
    function.__name__ = function.__qualname__ = primitive.name
    return function


def many(primitive: Primitive, kinds: tuple[type, ...], kind: type) -> Callable[[tuple[Any, ...]], Any] | None:
    """The function that records a call of ``primitive`` on a tuple of operands of the classes ``kinds``.

    Each class is ``kind`` or float. None if the primitive is not a single expression, has params or is not elementwise.
    """
    if not primitive.elementwise or primitive.defaults:
        return None
    names, parts = [f"x{k}" for k in range(len(kinds))], [f"a{k}" for k in range(len(kinds))]
    nodes = [k for k, each in enumerate(kinds) if each is kind]
    constants = len(nodes) < len(kinds)  # some operands are constants, which have no edge
    try:
        lines = filled(
            _OF_MANY, parts=", ".join(parts), all=_unrolled(primitive, names), new=filled(_NEW),
            data=[f"{x} = {a}{'._data' * (each is kind)}" for x, a, each in zip(names, parts, kinds, strict=True)],
            nodes=f"({', '.join(parts[k] for k in nodes)},)" if constants else "inputs",
            locals=f"({', '.join(f'partials[{k}]' for k in nodes)},)" if constants else "partials",
        )  # fmt: skip
    except NotAnExpressionError:
        return None
    return compiled(f"{primitive.name} of {len(kinds)} operands", lines, {**_scope(primitive), "Value": kind})


def _unrolled(primitive: Primitive, names: list[str]) -> list[str]:
    """Lines that set z and the tuple ``partials`` of all local gradients from the variables ``names``."""
    if len(names) > _MOST_UNROLLED:
        raise NotAnExpressionError(primitive.name)
    inputs, params = [variable(name) for name in names], param_variables(primitive)
    writer = _writer(primitive, names)
    writer.assign("z", traced(primitive, None, *inputs, **params))
    partials = [writer.text(traced(primitive, k, ONE, variable("z"), *inputs, **params)) for k in range(len(names))]
    lines = [*writer.lines, f"partials = ({', '.join(partials)},)"]
    guarded = filled(_GUARDED, lines=lines, every="z, *partials", names=", ".join(names), passed=passed(primitive))
    return [*guarded, "    partials = tuple(partials)"]


def _by_rules(primitive: Primitive, operands: Any, params: Any) -> tuple[float, tuple[float, ...]]:
    """Call the forward and the rules directly, for primitives that are not a single expression."""
    try:
        z = real(primitive, "forward", primitive.forward(floats, *operands, **params))
        rules = map(primitive.rule, range(len(operands)))
        return z, tuple([real(primitive, "rule", rule(1.0, z, *operands, **params)) for rule in rules])
    except (*FLOAT_FAULTS, AttributeError, TypeError):
        z, *partials = ieee_partials(primitive, operands, params)
        return z, tuple(partials)


def origin_of(primitive: Primitive, **params: Any) -> Origin:
    """The origin of a call with params; equal calls share one origin, so that x**2 needs no dictionary per node."""
    try:
        return _shared_origin(primitive, tuple(params.items()), tuple(map(type, params.values())))
    except TypeError:  # params that cannot be hashed, such as an index array
        return Origin(primitive, params)


@remembered(4096)
def _shared_origin(primitive: Primitive, items: tuple[tuple[str, Any], ...], _kinds: tuple[type, ...]) -> Origin:
    return Origin(primitive, dict(items))
