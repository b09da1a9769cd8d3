"""Display of the code that is generated from the table for one operation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from autodiff.engine import emit_arrays, emit_values
from autodiff.engine.emit import source_of
from autodiff.engine.shares import GUARDED, SENDERS
from autodiff.primitives.operands import describe
from autodiff.primitives.primitive import Primitive
from autodiff.values.tensor import Tensor
from autodiff.values.value import Value

__all__ = ["show_source"]


def show_source(primitive: Primitive) -> None:
    """Print the Python code generated for an operation: for its calls, and for the shares of its error signals.

    The code results from running the operation's forward and rules on symbols. For Values, one function computes z and
    the local gradients together; for Tensors, one function records the call and another delivers the shares. A forward
    or rule that is not a single expression is called directly.

    Args:
        primitive: an operation of the table, such as ``autodiff.sigmoid``.

    Raises:
        TypeError: if the argument is not a primitive.

    >>> from autodiff import exp
    >>> show_source(exp)  # doctest: +ELLIPSIS
    # exp of Values
    def function(x):
        if x.__class__ is not Value:
            return primitive(x)
        ...
        try:
            t0 = exp(x)
            z = t0
            d0 = z
        except FAULTS:
            z, d0 = ieee_partials(primitive, (x,), {})
        ...
    """
    if not isinstance(primitive, Primitive):
        came = describe(primitive)
        raise TypeError(f"show_source takes an operation of the table, such as autodiff.exp, and got {came}")
    texts = [f"# {title}\n{source_of(function).rstrip()}" for title, function in _written(primitive)]
    print("\n\n".join(texts) or f"# {primitive.name}: its forward and its rules are called directly")


def _written(entry: Primitive) -> Iterator[tuple[str, Callable[..., Any]]]:
    """The generated functions with their titles; with any number of inputs, those for the largest example."""
    found: dict[str, Callable[..., Any] | None]
    if entry.arity is None:
        count = max((len(example.shapes) for example in entry.examples), default=2)
        found = {f"{entry.name} of {count} Values": emit_values.many(entry, (Value,) * count, Value)}
    else:
        found = {
            f"{entry.name} of Values": emit_values.method(entry, Value),
            f"{entry.name} of Tensors": emit_arrays.method(entry, Tensor),
            f"{entry.name} of Tensors: its shares, delivered": (GUARDED if entry.singular else SENDERS)[entry],
        }
    yield from ((title, function) for title, function in found.items() if function is not None)
