"""Fast arithmetic of Tensors, generated from the table: the counterpart of `emit_values`.

A rule calls primitives, and each call checks the types of its operands. In a backward pass on arrays the types are
known, so each rule is run on symbols once and turned into plain NumPy source; a rule that is not a single expression is
called directly. The same is done for recording a call. A training step of the scorer (``python -m
tests.programs.benchmarks arrays``, batch 1) thus takes 1.4 times as long as hand-written NumPy code; without generated
code it took 3.3 times as long.
"""

from __future__ import annotations

from collections.abc import Callable
from inspect import Parameter
from typing import Any, Final

import numpy as np

from autodiff.engine.array_source import ArraySource, array_source
from autodiff.engine.emit import (
    clash,
    compiled,
    defaults_of,
    delivered,
    filled,
    keywords,
    param,
    passed,
)
from autodiff.engine.graph import BY_RULE, Node, clock
from autodiff.engine.plain import as_arrays, as_constant, checked
from autodiff.primitives.namespace import ARRAY_FAULTS
from autodiff.primitives.origin import Origin
from autodiff.primitives.primitive import Primitive
from autodiff.primitives.rows import LARGE, outlined, rows_at
from autodiff.primitives.table.layout import is_basic

__all__ = ["method", "sending_each", "sharing"]


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

#: In place of zeros around what a look-up picked: slices are added in place, rows of a large leaf become `Rows`.
_SHARE_OF_LOOK_UP: Final = """
    if isinstance($a, Node):
        $s = rows_at($x, g, $index) if $x.size > LARGE and $a.a is None else None
        if $s is None and is_basic($index):
            $patched
        else:
            if $s is None:
                $before
                $s = $share
                $mended
                if $misfit: $s = unbroadcast($s, $a)
            $sent
"""

_SENDING_EACH: Final = """
    def function(node, g, token, push):
        for a, s in zip(node.a, shares(node, g), strict=True):
            if s is not None:
                $sent
        $end
"""


def sharing(
    entry: Primitive, scope: dict[str, Any], *, send: bool = False, guarded: bool = False
) -> Callable[..., Any]:
    """The function ``(node, g) -> shares`` for ``entry``, which has a fixed arity; the share of a constant is None.

    With ``send``, return instead the function ``(node, g, token, push)`` that delivers the shares to the inputs' slots.
    With ``guarded``, a closed gate sends 0 even if the signal is infinite, and a function that sends returns whether a
    nan came that may go no further: rules of numbers and of look-ups pass every nan on, others may drop the element.
    ``scope`` holds the functions of the chain rule: ``unbroadcast`` (fits a share to its input's shape and type),
    ``gather`` and ``patched`` (add two shares), ``has_nan`` and ``through_gate`` (repairs 0 · inf at gates).
    """
    source = array_source(entry)
    names, parts = source.names, [f"a{k}" for k in range(len(source.names))]
    lines = filled(
        _SHARING, more=", token, push" * send, names=", ".join(names), inputs=", ".join(parts),
        result=["z = node._data"] * source.reads_result,
        params=[f"{param(key)} = node.origin.params{_lookup(key, entry.defaults[key])}" for key in source.params],
        kept=_taken_up(source), value=[f"{source.value} = z"] if source.value.isidentifier() else [],
        shares=[line for k in range(len(names)) for line in _share(entry, k, source, send, guarded)],
        end=_end(guarded and not (entry.elementwise and entry.built_in) and not source.look_up)
        if send else [f"return {', '.join(f's{k}' for k in range(len(names)))},"],
    )  # fmt: skip
    known = {"Node": Node, "ndarray": np.ndarray, "errstate": np.errstate, "edition": source.edition}
    known |= {**defaults_of(entry), "LARGE": LARGE, "is_basic": is_basic, "rows_at": rows_at}
    return compiled(f"shares of {entry.name}{', sent' * send}", lines, {**scope, **source.scope, **known})


def _share(entry: Primitive, k: int, source: ArraySource, send: bool, guarded: bool) -> list[str]:
    """Lines that compute the k-th share if its input is a node, and with ``send`` deliver it."""
    (before, share), a, s = source.shares[k], f"a{k}", f"s{k}"
    mended = f"if has_nan({s}): {s} = through_gate(node, {k}, g, {s})"
    index = source.look_up if send else None
    return filled(
        _SHARE_OF_LOOK_UP if index else _SHARE, a=a, s=s, x=f"x{k}", index=index or "",
        before=before, share=share, misfit=_misfit(entry, k),
        unset=[] if send else [f"{s} = None"], mended=[mended] * (guarded and entry.gate),
        copied=[f"if {s} is g and g.__class__ is ndarray: {s} = g.view()"] * (send and share.isidentifier()),
        patched=delivered(a, f"{a}.delta = patched(None if {a}.delta is token else {a}.delta, g, {index}, x{k})"),
        sent=_sent(a, s) * send,
    )  # fmt: skip


def sending_each(shares: Callable[..., Any], scope: dict[str, Any], *, guarded: bool) -> Callable[..., Any]:
    """The function ``(node, g, token, push)`` that delivers the shares ``shares(node, g)`` of any number of inputs."""
    lines = filled(_SENDING_EACH, sent=_sent("a", "s"), end=_end(guarded))
    return compiled("shares of each input, sent", lines, {**scope, "shares": shares})


def _sent(a: str, s: str) -> list[str]:
    """Lines that deliver a share, whether it is the first or a further one."""
    return delivered(a, f"{a}.delta = {s} if {a}.delta is token else gather({a}.delta, {s})")


def _end(asked: bool) -> list[str]:
    return ["return has_nan(g)"] * asked


def _misfit(entry: Primitive, k: int) -> str:
    """The condition that the k-th share does not have its input's shape and type."""
    kind = f"s{k}.__class__ is not x{k}.__class__"
    if entry.built_in and entry.elementwise and entry.arity == 1 and not entry.defaults:  # the share has the shape of z
        return kind
    other = f"s{k}.shape != x{k}.shape or s{k}.dtype is not x{k}.dtype"
    return f"{f'a{k}.scalar or ' * entry.takes_arrays}{kind} or (s{k}.__class__ is ndarray and ({other}))"


def _lookup(key: str, default: Any) -> str:
    return f"[{key!r}]" if default is Parameter.empty else f".get({key!r}, _{key})"


_TAKEN_UP: Final = """
    if node.db.__class__ is tuple and node.db[-1] == edition:
        $kept, _ = node.db
    else:
        with errstate(all='ignore'):
            $forward
"""


def _taken_up(source: ArraySource) -> list[str]:
    """Lines that load a node's saved results, or recompute them if other source recorded it (another definition)."""
    return filled(_TAKEN_UP, kept=", ".join(source.kept), forward=source.forward) if source.kept else []


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
        $outlined
        node = new(Tensor)
        node._data = z; node.version = clock.now; node.origin = origin
        node.a = ($inputs,); node.b = ($names,); node.da = BY_RULE
        node._grad = node.delta = None
        node.db = $kept
        return node
"""

_DATA: Final = """
    if $tested is Tensor: $x = $a._data
    elif isinstance($a, Node): $x = $a.$read
    else: $x = $a = constant(entry, $a)
"""


def method(entry: Primitive, kind: type, *, reflected: bool = False) -> Callable[..., Any]:
    """The function that records ``entry`` on Tensors (``kind``) and on constants, which are then immutable.

    With ``reflected``, it takes its operands swapped, as Python passes them to ``__rsub__``.
    """
    written = entry.methods.get(kind)
    if written is None:
        written = entry.methods[kind] = _method(entry, kind)
    return (lambda y, x: written(x, y)) if reflected else written


def _method(entry: Primitive, kind: type) -> Callable[..., Any]:
    source = array_source(entry)
    names, inputs = source.names, [f"a{k}" for k in range(len(source.names))]
    usual = " and ".join(f"{param(key)} is _{key}" for key in entry.defaults)  # such calls share one origin
    needed = any(value is Parameter.empty for value in entry.defaults.values())
    tested, read = "{}.__class__", "_data"
    if source.look_up and entry.built_in:  # only `type` tells leaves whose rows lag
        tested, read = "type({})", f"_looked_up({source.look_up})"
    body: dict[str, str | list[str]] = {
        "data": [
            line for x, a in zip(names, inputs, strict=True)
            for line in filled(_DATA, x=x, a=a, tested=tested.format(a), read=read)
        ],
        "arrays": [f"{', '.join(names)}, = as_arrays({', '.join(names)})"] * entry.takes_arrays,
        "origin": [f"origin = shared if {usual} else Origin(entry, {passed(entry)})"] if usual else [],
        "forward": source.forward, "value": source.value if entry.built_in else f"checked(entry, {source.value})",
        "names": ", ".join(names), "inputs": ", ".join(inputs), "passed": passed(entry),
        "kept": f"({', '.join([*source.kept, 'edition'])})" if source.kept else "None",
        "outlined": ["if x0.size > LARGE and a0.a is None: x0, z = outlined(x0, z)"] * bool(source.look_up),
    }  # fmt: skip
    scope = {
        **source.scope, **defaults_of(entry), "Tensor": kind, "Node": Node,
        "constant": as_constant, "as_arrays": as_arrays, "checked": checked, "entry": entry, "Origin": Origin,
        "clock": clock, "origin": entry.origin, "shared": None if needed else Origin(entry, entry.defaults),
        "BY_RULE": BY_RULE, "FAULTS": ARRAY_FAULTS, "new": object.__new__, "edition": source.edition,
        "LARGE": LARGE, "outlined": outlined,
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
    """``function`` with its params under the user's names, which clash with names in its source."""
    needed = {key for key, value in entry.defaults.items() if value is Parameter.empty}

    def renamed(*inputs: Any, **params: Any) -> Any:
        if not needed <= params.keys() <= entry.defaults.keys():
            raise entry.refusal(inputs, params, TypeError())
        return function(*inputs, **{param(key): value for key, value in params.items()})

    return renamed
