"""A function run to be drawn: its inputs and results get the names of its variables and the lines of its source.

Only the thread that runs the function is traced, and only while it runs; other code pays nothing.
"""

from __future__ import annotations

import ast
import functools
import inspect
import sys
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from types import CodeType, FrameType
from typing import Any, Final

import numpy as np

from autodiff.engine.graph import Node, clock, topological
from autodiff.naming.variable_names import variables_of
from autodiff.primitives.namespace import is_plain_number
from autodiff.primitives.operands import describe
from autodiff.primitives.origin import Origin, SourceLine
from autodiff.primitives.primitive import Primitive
from autodiff.transforms.source import source_of
from autodiff.transforms.turns import Held, number_turns
from autodiff.values.reading import recorded
from autodiff.values.tensor import Tensor
from autodiff.values.value import Value
from autodiff.words.arguments import closed_over

__all__ = ["Run", "is_function", "is_network", "run"]

_MOST_LISTED: Final = 24  # lines of a listing; of a longer function, only those that computed something


def is_network(what: Any) -> bool:
    """Whether this is a network: a callable with parameters."""
    return callable(what) and not isinstance(what, type) and (hasattr(what, "parameter") or hasattr(what, "parameters"))


def is_function(what: Any) -> bool:
    """Whether this is a function of numbers: anything that can be called but a network."""
    return callable(what) and not is_network(what)


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """A call of a function: its result, its inputs by name, the variables that it saw, and its source.

    ``listing`` is empty if the source is not known or is a single line.
    """

    output: Any
    inputs: Mapping[str, Node]
    variables: Mapping[str, Any]
    listing: tuple[SourceLine, ...]

    def names(self, given: Any = None) -> dict[str, Any]:
        """The variables of ``given``, in any form that `names_in` takes, and then those that the function saw."""
        return {**({} if given is None else variables_of(given)), **self.variables}

    def node(self, name: Any) -> Any:
        """The input of that name, or the last result that had it; anything but a string is returned unchanged.

        Raises:
            ValueError: if no node of the output's graph has that name.
        """
        if not isinstance(name, str):
            return name
        if name in self.inputs:
            return self.inputs[name]
        named = [node for node in reversed(topological(self.output)) if node.name is not None]
        for node in named:
            if node.name == name:
                return node
        known = ", ".join(dict.fromkeys([*self.inputs, *(str(node.name) for node in named)]))
        if isinstance(self.variables.get(name), int | np.integer):
            raise ValueError(f"{name} is a whole number, which remains a constant here; write an input as 2.0")
        raise ValueError(f"no input or result is called {name!r}; the function has {known or 'none with a name'}")


def run(f: Callable[..., Any], inputs: Sequence[Any]) -> Run:
    """Call ``f(*inputs)`` on Values and Tensors in place of numbers and arrays, also in lists, tuples and dicts.

    Inputs have the names of the signature. A result has the name of the first variable of f that held it; the output,
    if no variable did, that of f. Whole numbers remain constants, such as a count or an exponent, if any other input
    has a decimal point: write 2.0 for an input. Values, Tensors and other objects are passed as they are.

    Raises:
        TypeError: if f cannot take so many inputs, if none of them holds a number, or if f does not return one number,
            array, Value or Tensor that depends on them; errors of f itself.

    >>> def area(width, height):
    ...     half = width / 2
    ...     return half * height
    >>> done = run(area, [3.0, 4.0])
    >>> [node.name for node in topological(done.output)], done.output.data
    (['width', 'half', 'height', 'area'], 6.0)
    """
    named = _arguments(f, inputs)
    start = clock.tick()
    whole = any(_has_decimals(item) for item in inputs)
    found: dict[str, Node] = {}
    given = [_as_input(item, name, whole, found) for name, item in named]
    if not found:
        raise TypeError(f"{_title(f)} was given no numbers to differentiate, only {_listed(inputs) or 'nothing'}")
    tracer = _Tracer(_code(f), start)
    with tracer:
        output = recorded(f, given, {}, list(found.values()))
    _check(f, output)
    order = topological(output)
    if output.name is None and output.version >= start and inspect.isroutine(f) and _title(f).isidentifier():
        output.name = _title(f)
    source = source_of(_function(f))
    if source.definition is not None:
        others = (node.name for node in order if node.version < start and node.name)
        tracer.number(source.definition, {*found, *others})
    if len({line.number for line in source.lines}) > 1:
        tracer.mark(order, {line.number: line for line in source.lines})
    return Run(output, found, _closed_over(f) | tracer.variables, _shortened(source.lines, order))


# ---- inputs ----------------------------------------------------------------------------------------------------------


def _arguments(f: Callable[..., Any], inputs: Sequence[Any]) -> list[tuple[str, Any]]:
    """The inputs with the names of the parameters that take them."""
    try:
        signature = None if isinstance(f, Primitive) else inspect.signature(f)
    except (TypeError, ValueError):  # some functions written in C have none
        signature = None
    if signature is None:
        return [(f"x{k}" if len(inputs) > 1 else "x", item) for k, item in enumerate(inputs, start=1)]
    try:
        bound = signature.bind(*inputs).arguments
    except TypeError as error:
        count = f"{len(inputs)} input{'s' * (len(inputs) != 1)}"
        raise TypeError(
            f"{_title(f)}{signature} was given {count}, {_listed(inputs) or 'none'}: {error}; "
            "pass one input for each parameter, as in see(f, 2.0, 3.0)"
        ) from None
    named: list[tuple[str, Any]] = []
    for name, item in bound.items():
        if signature.parameters[name].kind is inspect.Parameter.VAR_POSITIONAL:
            named += [(f"{name}[{k}]", part) for k, part in enumerate(item)]
        else:
            named.append((name, item))
    return named


def _has_decimals(item: Any) -> bool:
    if isinstance(item, list | tuple):
        return any(map(_has_decimals, item))
    if isinstance(item, dict):
        return any(map(_has_decimals, item.values()))
    return isinstance(item, float | np.floating | Node) or (isinstance(item, np.ndarray) and item.dtype.kind == "f")


def _as_input(item: Any, name: str, whole: bool, found: dict[str, Node]) -> Any:
    """The input as a Value or Tensor, or with these inside; ``whole`` numbers remain as they are."""
    if isinstance(item, Node):
        found[name] = item
        return item
    if type(item) in (list, tuple):
        return type(item)(_as_input(part, f"{name}[{k}]", whole, found) for k, part in enumerate(item))
    if type(item) is dict:
        return {key: _as_input(part, f"{name}[{key!r}]", whole, found) for key, part in item.items()}
    made: type[Value | Tensor] = Tensor if isinstance(item, np.ndarray) else Value
    if isinstance(item, np.ndarray):
        is_whole, is_input = item.dtype.kind in "iu", item.dtype.kind in "fiu"
    else:
        is_whole, is_input = isinstance(item, int | np.integer), is_plain_number(item)
    if not is_input or (is_whole and whole):
        return item
    found[name] = made(item, name=name)
    return found[name]


# ---- names and lines -------------------------------------------------------------------------------------------------


class _Tracer:
    """Names the results of one function as its variables hold them, and ticks the clock at each of its lines.

    A node keeps the reading of the clock at its creation, so the ticks give its line without any work at its creation.
    """

    def __init__(self, code: CodeType | None, start: int) -> None:
        self.code, self.start = code, start
        self.variables: dict[str, Any] = {}
        self.events: list[Held] = []
        self.readings: list[int] = []
        self.numbers: list[int] = []
        self._frame: FrameType | None = None

    def __enter__(self) -> None:
        self._before = sys.gettrace()
        if self.code is not None:
            sys.settrace(self._call)

    def __exit__(self, *_: object) -> None:
        sys.settrace(self._before)
        self._frame = None

    def _call(self, frame: FrameType, *_: object) -> Any:
        if frame.f_code is not self.code or self._frame is not None:
            return None
        self._frame = frame
        return self._step

    def _step(self, frame: FrameType, event: str, _: object) -> Any:
        variables = frame.f_locals
        for name, item in variables.items():
            if isinstance(item, Node) and item.version >= self.start and item.name is None and name[:1] not in "_.":
                item.name = name
                self.events.append(Held(name, self.numbers[-1] if self.numbers else frame.f_lineno, item))
        if event == "return":
            self.variables = dict(variables)
        self.readings.append(clock.tick())
        self.numbers.append(frame.f_lineno)
        return self._step

    def number(self, definition: ast.AST, taken: Set[str]) -> None:
        """Number the values that a variable had in the turns of a loop."""
        number_turns(self.events, self.numbers, definition, self.variables, taken)

    def mark(self, order: Sequence[Node], lines: Mapping[int, SourceLine]) -> None:
        """Give each node that the function made its line; an input, that of the definition."""
        known: dict[tuple[int, int], Origin] = {}
        for node in order:
            if node.version < self.start:
                continue
            k = bisect_right(self.readings, node.version) - 1
            line = lines.get(self.numbers[k] if k >= 0 else min(lines))
            if line is not None:
                origin = node.origin
                key = id(origin), line.number
                if key not in known:
                    known[key] = Origin(origin.primitive, origin.params, origin.name, line)
                node.origin = known[key]


def _function(f: Any) -> Any:
    """The plain function behind a decorated, partial or bound one, or behind an object that can be called."""
    while True:
        if isinstance(f, functools.partial):
            f = f.func
        elif hasattr(f, "__wrapped__"):
            f = f.__wrapped__
        elif inspect.ismethod(f):
            f = f.__func__
        elif not inspect.isroutine(f) and inspect.isfunction(vars(type(f)).get("__call__")):
            f = type(f).__call__
        else:
            return f


def _code(f: Any) -> CodeType | None:
    code = getattr(_function(f), "__code__", None)
    return code if isinstance(code, CodeType) else None


def _closed_over(f: Any) -> dict[str, Any]:
    """The variables outside f that it uses."""
    plain = _function(f)
    if not inspect.isfunction(plain):
        return {}
    names = {name: plain.__globals__[name] for name in plain.__code__.co_names if name in plain.__globals__}
    return names | closed_over(plain)


# ---- source ----------------------------------------------------------------------------------------------------------


def _shortened(block: Sequence[SourceLine], order: Sequence[Node]) -> tuple[SourceLine, ...]:
    """The source, or of a long one the lines that computed something; () for a single line."""
    if len(block) < 2:
        return ()
    if len(block) > _MOST_LISTED:
        used = {node.origin.line for node in order}
        block = [line for line in block if line in used][:_MOST_LISTED]
    return tuple(block)


# ---- errors ----------------------------------------------------------------------------------------------------------


def _title(f: Any) -> str:
    """The name of a function, or the type of another object that can be called."""
    return str(getattr(_function(f) if inspect.ismethod(f) else f, "__name__", type(f).__name__))


def _listed(inputs: Sequence[Any]) -> str:
    return ", ".join(map(describe, inputs))


def _check(f: Any, output: Any) -> None:
    """Raise TypeError if there is nothing to draw."""
    if isinstance(output, Node):
        return
    name = _title(f)
    if output is None:
        raise TypeError(f"{name} returned None; end it with return and the result to be drawn")
    if isinstance(output, list | tuple | dict) or (isinstance(output, np.ndarray) and output.dtype == object):
        count = output.size if isinstance(output, np.ndarray) else len(output)
        kind = "an array" if isinstance(output, np.ndarray) else f"a {type(output).__name__}"
        key = repr(next(iter(output))) if isinstance(output, dict) and output else "0"
        raise TypeError(
            f"{name} returned {kind} of {count}; draw one result at a time, as in "
            f"see(lambda *inputs: f(*inputs)[{key}], 2.0, 3.0)"
        )
    if inspect.isgenerator(output) or inspect.isawaitable(output) or inspect.isasyncgen(output):
        if inspect.iscoroutine(output):
            output.close()  # or Python warns that nobody awaited it
        raise TypeError(
            f"{name} returned a {type(output).__name__}, and none of it has run; draw a function that returns"
        )
    raise TypeError(
        f"{name} returned {describe(output)}, which does not depend on its inputs; compute the result from them"
    )
