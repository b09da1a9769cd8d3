"""Fast arithmetic of Tensors, generated from the table: what `emit_values` is for Values.

A rule calls primitives, and each call asks what its operands are. In a backward pass on arrays the answer is known, so
a rule run on symbols is written out once as plain NumPy source; a rule that is more than one expression is called as it
stands. The same is done for recording a call. A training step of the scorer (``python -m tests.programs.benchmarks
arrays``, batch 1) thus takes 1.4 times as long as NumPy code written by hand; with rules and calls as they stand it
took 3.3 times as long.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from inspect import Parameter
from sys import intern
from typing import Any, Final

import numpy as np

from autodiff.engine.emit import (
    NotAnExpressionError,
    Writer,
    clash,
    compiled,
    defaults_of,
    filled,
    handed_on,
    is_name,
    keywords,
    param,
    param_variables,
    passed,
    traced,
    words,
)
from autodiff.engine.graph import BY_RULE, Node, clock
from autodiff.primitives.expression import Expression, variable
from autodiff.primitives.namespace import ARRAY_FAULTS, arrays
from autodiff.primitives.operands import describe
from autodiff.primitives.origin import Origin
from autodiff.primitives.primitive import Primitive
from autodiff.primitives.registry import remembered
from autodiff.primitives.table.layout import reshape, stack

__all__ = ["as_tensor", "checked", "data_of", "lent", "method", "sharing"]


_SHARING: Final = """
    def function(node, g$more):
        $names, = node.b
        $inputs, = node.a
        $result
        $params
        $kept
        $value
        $shares
        $end
"""

_SHARE: Final = """
    $unset
    if isinstance($a, Node):
        $before
        $s = $share
        $mended
        if $misfit: $s = unbroadcast($s, $a)
        $copied
        $sent
"""

_SENT: Final = """
    $a.delta = $s if $a.delta is token else accumulate($a.delta, $s, g)
    if $a.due == 1: push($a)
    else: $a.due -= 1
"""


def sharing(
    entry: Primitive, scope: dict[str, Any], *, send: bool = False, guarded: bool = False
) -> Callable[..., Any]:
    """The function ``(node, g) -> shares`` of a node of ``entry``, which has an arity; None in place of a constant's.

    With ``send``, the function ``(node, g, token, push)`` that delivers the shares to the slots of the inputs itself.
    With ``guarded``, a closed gate sends 0 even of an infinite signal.
    ``scope`` holds what the chain rule brings: ``unbroadcast`` (a share in its input's shape and type), ``accumulate``
    (two shares as one), ``has_nan`` and ``through_gate`` (mends 0 · inf, for gates).
    """
    source = _source(entry)
    names, parts = source.names, [f"a{k}" for k in range(len(source.names))]
    lines = filled(
        _SHARING, more=", token, push" * send, names=", ".join(names), inputs=", ".join(parts),
        result=["z = node._data"] * source.reads_result,
        params=[f"{param(key)} = node.origin.params{_lookup(key, entry.defaults[key])}" for key in source.params],
        kept=_taken_up(source), value=[f"{source.value} = z"] if source.value.isidentifier() else [],
        shares=[line for k in range(len(names)) for line in _share(entry, k, source, send, guarded)],
        end=[] if send else [f"return {', '.join(f's{k}' for k in range(len(names)))},"],
    )  # fmt: skip
    known = {"Node": Node, "ndarray": np.ndarray, "errstate": np.errstate, "edition": source.edition}
    known |= defaults_of(entry)
    return compiled(f"shares of {entry.name}{', sent' * send}", lines, {**scope, **source.scope, **known})


def _share(entry: Primitive, k: int, source: _Source, send: bool, guarded: bool) -> list[str]:
    """Lines that compute the k-th share where it is wanted, and with ``send`` deliver it."""
    (before, share), a, s = source.shares[k], f"a{k}", f"s{k}"
    mended = f"if has_nan({s}): {s} = through_gate(node, {k}, g, {s})"
    return filled(
        _SHARE, a=a, s=s, before=before, share=share, misfit=_misfit(entry, k),
        unset=[] if send else [f"{s} = None"], mended=[mended] * (guarded and entry.gate),
        copied=[f"if {s} is g and g.__class__ is ndarray: {s} = g.copy()"] * (send and share == "g"),
        sent=filled(_SENT, a=a, s=s) * send,
    )  # fmt: skip


def _misfit(entry: Primitive, k: int) -> str:
    """The condition that the k-th share is not of its input's shape and type."""
    kind = f"s{k}.__class__ is not x{k}.__class__"
    if entry.built_in and entry.elementwise and entry.arity == 1 and not entry.defaults:  # it has those of z
        return kind
    other = f"s{k}.shape != x{k}.shape or s{k}.dtype is not x{k}.dtype"
    return f"{f'a{k}.scalar or ' * entry.takes_arrays}{kind} or (s{k}.__class__ is ndarray and ({other}))"


def _lookup(key: str, default: Any) -> str:
    return f"[{key!r}]" if default is Parameter.empty else f".get({key!r}, _{key})"


@dataclass(frozen=True)
class _Source:
    """A primitive on arrays as NumPy source: lines and expression of its value, and of the share of each input.

    ``names`` are the inputs' data, ``params`` the params that the shares name, ``scope`` the constants and functions.
    What a share needs and the forward has computed on the way is not computed again: ``kept`` are its names, in the
    order in which a node keeps it in ``db``, with the ``edition`` of the source that computed it at the end.
    """

    names: list[str]
    forward: list[str]
    value: str
    shares: list[tuple[list[str], str]]
    params: list[str]
    kept: list[str]
    scope: dict[str, Any]

    @cached_property
    def reads_result(self) -> bool:
        """Whether a share is computed from the result z."""
        texts = [text for lines, share in self.shares for text in (*lines, share)]
        return "z" in words(texts) or self.value.isidentifier()

    @cached_property
    def edition(self) -> str:
        """What was computed on the way, and how: the same for the same source, also in another process."""
        return intern("\n".join([", ".join(self.kept), *self.forward]))


_TAKEN_UP: Final = """
    if node.db.__class__ is tuple and node.db[-1] == edition:
        $kept, _ = node.db
    else:
        with errstate(all='ignore'):
            $forward
"""


def _taken_up(source: _Source) -> list[str]:
    """Lines that set what a node kept; computed again where other source recorded it, as from another definition."""
    return filled(_TAKEN_UP, kept=", ".join(source.kept), forward=source.forward) if source.kept else []


@remembered(1024)  # read twice: when a call is first recorded, and when it first shares a signal
def _source(entry: Primitive) -> _Source:
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
    return _Source(names, forward, value, shares, asked, kept, writer.scope)


def _share_source(entry: Primitive, k: int, names: list[str], writer: _Writer) -> tuple[list[str], str]:
    """Lines and the expression of the k-th input's share, in g, z, the inputs' data and the params."""
    params = param_variables(entry)
    try:
        inputs = [variable(name) for name in names]
        rule = traced(entry, k, variable("g"), variable("z"), *inputs, **params)
        writer.tally(rule)
        text = writer.text(rule)
    except NotAnExpressionError:
        writer.scope |= {f"rule{k}": entry.rule(k), "lent": lent}
        return [], f"lent(rule{k}(g, z, {', '.join(names)}{handed_on(entry)}))"
    return writer.lines, text


def as_arrays(*operands: Any) -> tuple[Any, ...]:
    """Plain operands with their numbers as arrays without axes, of the type that NumPy gives a number beside them."""
    kind = np.result_type(*{item.dtype for item in operands if item.__class__ is not float}, 0.0)
    return tuple([np.asarray(item, kind) if item.__class__ is float else item for item in operands])


def data_of(entry: Primitive, inputs: Sequence[Any]) -> tuple[Any, ...]:
    """What the forward and the rules of ``entry`` get of these inputs, nodes and constants."""
    data = [item._data if isinstance(item, Node) else item for item in inputs]
    return as_arrays(*data) if entry.takes_arrays else tuple(data)


def as_tensor(item: Any) -> Any:
    """A Value as a Tensor without axes, a number as an array without axes; anything else as it is."""
    if isinstance(item, Node):
        return reshape(stack((item,)), shape=()) if item.scalar else item
    return np.asarray(item) if item.__class__ is float else item


def lent(share: Any) -> Any:
    """A view of an array whose owner is not known, such as one that a rule keeps: the engine never adds into views."""
    return share.view() if share.__class__ is np.ndarray else share


def checked(entry: Primitive, z: Any) -> Any:
    """``z`` if it is what a forward must give, an array or number of float64 or float32, else TypeError."""
    if z.__class__ is float or (isinstance(z, np.ndarray | np.generic) and z.dtype.char in "df"):
        return z
    raise TypeError(f"the forward of {entry.name} must give an array of float64 or float32, and gave {describe(z)}")


_RECORDING: Final = """
    def function($inputs$keywords):
        $renamed
        $data
        $arrays
        $origin
        try:
            $forward
            z = $value
        except FAULTS as error:
            raise entry.refusal(($names,), $passed, error) from error
        node = new(Tensor)
        node._data = z; node.version = clock.now; node.origin = origin
        node.a = ($inputs,); node.b = ($names,); node.da = BY_RULE
        node._grad = node.delta = None
        node.db = $kept
        return node
"""

_DATA: Final = """
    if $a.__class__ is Tensor: $x = $a._data
    elif isinstance($a, Node): $x = $a._data
    else: $x = $a = constant(entry, $a)
"""


def method(entry: Primitive, kind: type, constant: Callable[[Primitive, Any], Any]) -> Callable[..., Any]:
    """The function that records ``entry`` on Tensors (``kind``) and on constants, which ``constant`` makes safe."""
    source = _source(entry)
    names, inputs = source.names, [f"a{k}" for k in range(len(source.names))]
    usual = " and ".join(f"{param(key)} is _{key}" for key in entry.defaults)  # then calls share one origin
    needed = any(value is Parameter.empty for value in entry.defaults.values())
    body: dict[str, str | list[str]] = {
        "data": [line for x, a in zip(names, inputs, strict=True) for line in filled(_DATA, x=x, a=a)],
        "arrays": [f"{', '.join(names)}, = as_arrays({', '.join(names)})"] * entry.takes_arrays,
        "origin": [f"origin = shared if {usual} else Origin(entry, {passed(entry)})"] if usual else [],
        "forward": source.forward, "value": source.value if entry.built_in else f"checked(entry, {source.value})",
        "names": ", ".join(names), "inputs": ", ".join(inputs), "passed": passed(entry),
        "kept": f"({', '.join([*source.kept, 'edition'])})" if source.kept else "None",
    }  # fmt: skip
    scope = {
        **source.scope, **defaults_of(entry), "Tensor": kind, "Node": Node,
        "constant": constant, "as_arrays": as_arrays, "checked": checked, "entry": entry, "Origin": Origin,
        "clock": clock, "origin": entry.origin, "shared": None if needed else Origin(entry, entry.defaults),
        "BY_RULE": BY_RULE, "FAULTS": ARRAY_FAULTS, "new": object.__new__, "edition": source.edition,
    }  # fmt: skip
    hidden = clash(entry.defaults, filled(_RECORDING, keywords="", renamed=[], **body), scope)
    renamed = [] if hidden else [f"{param(key)} = {key}" for key in entry.defaults]
    lines = filled(_RECORDING, keywords=keywords(entry, param if hidden else str), renamed=renamed, **body)
    function = compiled(f"{entry.name} of Tensors", lines, scope)
    if hidden:
        function = _renaming(entry, function)
    function.__name__ = function.__qualname__ = entry.name
    function.__doc__ = entry.doc
    return function


def _renaming(entry: Primitive, function: Callable[..., Any]) -> Callable[..., Any]:
    """``function`` with its params under their own names, which its source needs for something else."""
    needed = {key for key, value in entry.defaults.items() if value is Parameter.empty}

    def renamed(*inputs: Any, **params: Any) -> Any:
        if not needed <= params.keys() <= entry.defaults.keys():
            raise entry.refusal(inputs, params, TypeError())
        return function(*inputs, **{param(key): value for key, value in params.items()})

    return renamed


_SIGNS: Final = {"and": "&", "or": "|", "neg": "-"}


class _Writer(Writer):
    """Turns an expression into NumPy source, each call computed once; ``scope`` collects what the source names."""

    def __init__(self) -> None:
        super().__init__()
        self.uses: dict[int, int] = {}
        self.scope: dict[str, Any] = {"arrays": arrays}
        self.held: dict[int, tuple[str, Any]] = {}  # by identity; held, so that no id comes to mean another

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
        """One or two operands with Python's sign."""
        sign, texts = _SIGNS.get(head, head), [self.text(item) for item in operands]
        return f"({sign}{texts[0]})" if len(texts) == 1 else f"({texts[0]} {sign} {texts[1]})"

    def _again(self, part: Expression, text: str) -> str:
        """The source of a part: a variable's name where it stands in more than one place."""
        return self.shared(text) if self.uses.get(id(part), 0) > 1 or text in self.memo else text

    def tally(self, part: Any) -> None:
        """Count in how many places each part of an expression stands: one that stands twice is computed once."""
        if isinstance(part, Expression):
            self.uses[id(part)] = self.uses.get(id(part), 0) + 1
            if self.uses[id(part)] == 1:
                for item in part.parts:
                    self.tally(item)

    def call(self, entry: Primitive, operands: tuple[Any, ...], params: Mapping[str, Any]) -> str:
        """A primitive's forward: its expression where it is one, else the function itself."""
        if not (entry.reduces or (entry.linear and not entry.elementwise)):  # those call NumPy themselves
            try:
                expression = traced(entry, None, *operands, **params)
                if isinstance(expression, Expression):
                    self.tally(expression)
                    for item in operands:  # counted as operands of the call, and again where the expression has them
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
        """The variable that holds ``value``, which the source cannot spell."""
        if id(value) not in self.held:
            name = f"{kind}{len(self.held)}"
            self.held[id(value)] = name, value
            self.scope[name] = lent(value)
        return self.held[id(value)][0]
