"""The code generated from the table: its text, the operations that are called directly, and errors of the generator."""

from __future__ import annotations

from collections.abc import Callable
from inspect import unwrap
from typing import Any

import pytest

import autodiff as ad
from autodiff import Primitive, Tensor, Value
from autodiff.engine import array_source, emit_values
from autodiff.engine.emit import NotAnExpressionError, filled, traced
from autodiff.primitives.expression import variable

OWN = {name: entry for name, entry in ad.TABLE.items() if entry.built_in}

SQUARE_OF_VALUES = """\
# square of Values
def function(x):
    if x.__class__ is not Value:
        return primitive(x)
    a, b, d1, x = x, None, None, x._data
    try:
        z = (x * x)
        d0 = (2.0 * x)
    except FAULTS:
        z, d0 = ieee_partials(primitive, (x,), {})
    node = new(Value)
    node._data = z; node._grad = None; node.origin = origin; node.version = clock.now; node.delta = None
    node.a = a; node.b = b; node.da = d0; node.db = d1
    return node
"""

MULTIPLY_OF_VALUES = """\
# multiply of Values
def function(x, y):
    a, b = x, y
    if y.__class__ is Value:
        y = y._data
        if x.__class__ is Value:
            x = x._data
            try:
                z = (x * y)
                d0 = y
                d1 = x
            except FAULTS:
                z, d0, d1 = ieee_partials(primitive, (x, y,), {})
        elif x.__class__ is float or x.__class__ is int:
            if x.__class__ is int: a = x = as_float(x)
            try:
                z = (x * y)
                d1 = x
            except FAULTS:
                z, d0, d1 = ieee_partials(primitive, (x, y,), {})
            d0 = None
        else:
            return primitive(a, b)
    elif x.__class__ is Value and (y.__class__ is float or y.__class__ is int):
        x = x._data
        if y.__class__ is int: b = y = as_float(y)
        try:
            z = (x * y)
            d0 = y
        except FAULTS:
            z, d0, d1 = ieee_partials(primitive, (x, y,), {})
        d1 = None
    else:
        return primitive(x, y)
    node = new(Value)
    node._data = z; node._grad = None; node.origin = origin; node.version = clock.now; node.delta = None
    node.a = a; node.b = b; node.da = d0; node.db = d1
    return node
"""

WEIGHTED_SUM_OF_VALUES = """\
# weighted_sum of 5 Values
def function(inputs):
    a0, a1, a2, a3, a4, = inputs
    x0 = a0._data
    x1 = a1._data
    x2 = a2._data
    x3 = a3._data
    x4 = a4._data
    try:
        z = (x4 + (x0 * x2) + (x1 * x3))
        partials = (x2, x3, x0, x1, 1.0,)
    except FAULTS:
        z, *partials = ieee_partials(primitive, (x0, x1, x2, x3, x4,), {})
        partials = tuple(partials)
    node = new(Value)
    node._data = z; node._grad = None; node.origin = origin; node.version = clock.now; node.delta = None
    node.a = inputs; node.b = inputs
    node.da = partials; node.db = partials
    return node
"""

EXP_OF_TENSORS = """\
# exp of Tensors
def function(a0):
    if a0.__class__ is Tensor: x0 = a0._data
    elif isinstance(a0, Node): x0 = a0._data
    else: x0 = a0 = constant(entry, a0)
    try:
        t0 = exp(x0)
        z = t0
    except FAULTS as error:
        raise entry.refusal((x0,), {}, error) from error
    node = new(Tensor)
    node._data = z; node.version = clock.now; node.origin = origin
    node.a = (a0,); node.b = (x0,); node.da = BY_RULE
    node._grad = node.delta = None
    node.db = None
    return node

# exp of Tensors: its shares, delivered
def function(node, g, token, push):
    x0, = node.b
    a0, = node.a
    z = node._data
    t0 = z
    if isinstance(a0, Node):
        s0 = (g * z)
        if s0.__class__ is not x0.__class__: s0 = unbroadcast(s0, a0)
        a0.delta = s0 if a0.delta is token else gather(a0.delta, s0)
        due = a0.due
        if due == 1:
            push(a0)
        else:
            a0.due = due - 1
"""


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        (ad.square, SQUARE_OF_VALUES), (ad.multiply, MULTIPLY_OF_VALUES),
        (ad.TABLE["weighted_sum"], WEIGHTED_SUM_OF_VALUES), (ad.exp, EXP_OF_TENSORS),
    ],
    ids=["unary", "binary", "n-ary", "arrays"],
)  # fmt: skip
def test_what_is_written_reads_like_this(
    entry: Primitive, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """One operation of each kind, as `show_source` prints it."""
    ad.show_source(entry)
    assert f"{text.strip()}\n" in capsys.readouterr().out


def test_what_is_not_written_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    """An operation on any number of arrays has no generated code; anything but an operation is refused."""
    ad.show_source(ad.TABLE["stack"])
    assert capsys.readouterr().out == "# stack: its forward and its rules are called directly\n"
    with pytest.raises(TypeError, match=r"such as autodiff.exp, and got <built-in function len>"):
        ad.show_source(len)  # type: ignore[arg-type]


def test_a_template_is_filled_line_by_line() -> None:
    """Lists become lines with the indentation of their place; an empty list leaves no line."""
    filling = {"head": "if x:", "body": ["y = 1", "", "z = 2"], "none": []}
    lines = filled("\n    $head\n        $body\n        $none\n", **filling)
    assert lines == ["if x:", "    y = 1", "    ", "    z = 2"]


#: Their rules ask for what arrays have and expressions have not: shapes, loops, decompositions.
RULES_CALLED = {
    "transpose", "det", "log_abs_det", "cholesky", "eigh", "eigvalsh", "svd", "svdvals", "qr", "prod", "logsumexp",
    "cumprod",
}  # fmt: skip


def test_every_elementwise_operation_is_written() -> None:
    """For Values as one function, for Tensors as one expression and with shares in line: nothing falls back."""
    for entry in OWN.values():
        if entry.elementwise and entry.arity in (1, 2):
            assert emit_values.method(entry, Value) is not None, entry
            source = array_source.array_source(entry)
            assert "forward" not in " ".join([*source.forward, source.value]), entry


def test_rules_that_are_called_are_these() -> None:
    """A rule that falls back is right but several times slower: a new one is listed here or rewritten."""
    called = {
        name for name, entry in OWN.items() if entry.arity
        if any(share.startswith("lent(") for _, share in array_source.array_source(entry).shares)
    }  # fmt: skip
    assert called == RULES_CALLED


WRITERS = {
    "method": lambda: unwrap(emit_values.method)(ad.multiply, Value),
    "many": lambda: emit_values.many(ad.TABLE["weighted_sum"], (Value,) * 3, Value),
    "arrays": lambda: unwrap(array_source.array_source)(ad.multiply),
}


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
def test_a_fault_of_the_writer_shows(write: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Mistaken for an error in a user's rule, it would leave gradients right and make calls 3.5 times slower."""

    def broken(*_: Any) -> str:
        raise ZeroDivisionError("a fault of the writer")

    monkeypatch.setattr(emit_values._Writer, "text", broken)
    monkeypatch.setattr(array_source._Writer, "text", broken)
    with pytest.raises(ZeroDivisionError, match="a fault of the writer"):
        write()


def test_what_a_user_s_rule_raises_is_no_fault(define: Callable[..., Primitive]) -> None:
    """A rule that does not accept symbols is called with numbers and gives the gradient."""

    def forward(xp: Any, x: Any) -> Any:
        return x * x if float(x) > 0 else x

    entry = define("odd", forward, [lambda g, z, x: g * float(2 * x)], elementwise=False)
    with pytest.raises(NotAnExpressionError, match="odd: "):
        traced(entry, None, variable("x"))
    x = Value(3.0)
    entry(x).backward()
    assert x.grad == 6.0
    t = Tensor(3.0)
    entry(t).backward()
    assert t.grad == 6.0
