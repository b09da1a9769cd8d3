"""How a call leaves a node: on Values, on object arrays of Values, on Tensors; and Python's operators, which call."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any, Final

import numpy as np

from autodiff import array, scalar
from autodiff.graph import BY_RULE, Node, clock, link
from autodiff.namespace import arrays
from autodiff.node import Arithmetic, Tensor, Value
from autodiff.ops import elementwise
from autodiff.plain import as_constant, as_value_data, boxed, plain
from autodiff.primitive import RECORDERS, TABLE, Objects, Origin, Primitive, describe

__all__ = ["record_objects", "record_tensor", "record_value"]


def record_value(entry: Primitive, inputs: tuple[Any, ...], params: dict[str, Any]) -> Any:
    """The node of a call in which Values meet numbers; arrays and Tensors among the inputs make it a Tensor's."""
    if entry.arity is None and not params:
        node = _record_many(entry, inputs)
        if node is not None:
            return node
    if any(isinstance(item, np.ndarray) for item in params.values()):
        return record_tensor(entry, inputs, params)
    for item in inputs:
        if item.__class__ is Tensor:
            return record_tensor(entry, inputs, params)
        if isinstance(item, np.ndarray) and item.ndim:
            return entry.evaluate(inputs, params) if item.dtype == object else record_tensor(entry, inputs, params)
    if not entry.elementwise:
        if entry.packed:
            return record_tensor(entry, inputs, params)
        return entry.evaluate([boxed(x) if isinstance(x, Value) else x for x in inputs], params)
    inputs = tuple([x if x.__class__ is Value or x.__class__ is float else _scalar(entry, x) for x in inputs])
    method = _value_method(entry)
    if method is not None:
        return method(*inputs, **params)
    origin = scalar.origin_of(entry, **params) if params else entry.origin
    data = [x._data if x.__class__ is Value else x for x in inputs]
    z, partials = scalar.kernel(entry, len(data))(*data, **params)
    return _value_node(origin, inputs, partials, z)


def _record_many(entry: Primitive, inputs: tuple[Any, ...]) -> Any:
    """The node of a call on any number of Values and floats, such as a neuron's weighted sum; None with other kinds."""
    first, middle = inputs[0], inputs[len(inputs) // 2]
    if first.__class__ is Value is middle.__class__:  # then most often all are: asking each costs as much as the sum
        method = _method_of_values(entry, len(inputs))
        try:
            node = method(inputs) if method is not None else None
        except (AttributeError, TypeError, ValueError):  # they were not, or a Tensor's shape does not fit
            node = None
        if node is not None and node._data.__class__ is float:
            return node
    method = _method_of_many(entry, tuple(map(type, inputs)))
    return None if method is None else method(inputs)


@lru_cache(maxsize=512)
def _method_of_many(entry: Primitive, kinds: tuple[type, ...]) -> Callable[..., Any] | None:
    return scalar.many(entry, kinds, Value) if entry.elementwise and set(kinds) <= {Value, float} else None


@lru_cache(maxsize=512)
def _method_of_values(entry: Primitive, count: int) -> Callable[..., Any] | None:
    return _method_of_many(entry, (Value,) * count)


@cache
def _value_method(entry: Primitive) -> Callable[..., Any] | None:
    return scalar.method(entry, Value) if entry.arity in (1, 2) else None


def _scalar(entry: Primitive, item: Any) -> float:
    try:
        return as_value_data(item)
    except TypeError:
        raise TypeError(f"{entry.name} takes Values and real numbers, and got {describe(item)}") from None


def _value_node(origin: Origin, inputs: tuple[Any, ...], partials: Any, z: float) -> Value:
    node: Value = _new(Value)
    node._data, node.stamp, node.origin = z, clock.now, origin
    node._grad = node.delta = None
    node.a = node.b = inputs
    node.da = node.db = partials
    if float in map(type, inputs):
        link(node, inputs, partials)
    return node


_new: Final = object.__new__


def record_objects(entry: Primitive, operands: tuple[Any, ...], params: dict[str, Any]) -> Any:
    """A reduction over an object array of Values: one node for each element of the result."""
    (values,) = operands
    axis, keepdims = params.get("axis"), params.get("keepdims", False)
    axes = tuple(range(values.ndim)) if axis is None else tuple(int(a) % values.ndim for a in np.atleast_1d(axis))
    rest = tuple(a for a in range(values.ndim) if a not in axes)
    rows = np.transpose(values, rest + axes).reshape(*(values.shape[a] for a in rest), -1)
    result = np.empty(rows.shape[:-1], dtype=object)
    for place in np.ndindex(result.shape):
        result[place] = _reduced(entry, tuple(rows[place]))
    if not result.ndim and (not keepdims or not values.ndim):
        return result[()]
    return result.reshape([1 if a in axes else n for a, n in enumerate(values.shape)]) if keepdims else result


def _reduced(entry: Primitive, values: tuple[Any, ...]) -> Value:
    data = np.array([plain(x) for x in values], dtype=float)
    with np.errstate(all="ignore"):
        z = np.asarray(entry.forward(arrays, data))
        partials = np.broadcast_to(entry.rule(0)(np.ones(()), z, data), data.shape).tolist()
    inputs = tuple(float(x) if not isinstance(x, Node) else x for x in values)
    return _value_node(entry.origin, inputs, tuple(partials), float(z))


def record_tensor(entry: Primitive, inputs: tuple[Any, ...], params: dict[str, Any]) -> Any:
    """The node of a call on arrays."""
    if entry.arity is not None:
        return _tensor_method(entry)(*inputs, **params)
    origin = Origin(entry, params) if params else entry.origin
    kept = tuple([x if isinstance(x, Node) else as_constant(entry, x) for x in inputs])
    data = tuple([plain(x) for x in kept])
    try:
        z = array.checked(entry, entry.forward(arrays, *data, **params))
    except array.FORWARD_FAULTS as error:
        raise entry.refusal(data, params, error) from error
    node: Tensor = Tensor._leaf(z, origin)
    node.a, node.b, node.da = kept, data, BY_RULE
    return node


def _tensor_method(entry: Primitive) -> Callable[..., Any]:
    if Tensor not in entry.methods:
        entry.methods[Tensor] = array.method(entry, Tensor, as_constant)
    return entry.methods[Tensor]


RECORDERS[Value] = record_value
RECORDERS[Tensor] = record_tensor
RECORDERS[Objects] = record_objects


_BINARY: Final = {
    "add": elementwise.add, "sub": elementwise.subtract, "mul": elementwise.multiply, "truediv": elementwise.divide,
}  # fmt: skip
_UNARY: Final = {"neg": elementwise.negative, "abs": elementwise.absolute}


def _starting_at_zero(add: Callable[..., Any]) -> Callable[..., Any]:
    """``sum()`` begins with the int 0; adding it makes no node, so that a sum reads as its terms."""

    def added(self: Any, other: Any) -> Any:
        return self if other.__class__ is int and other == 0 else add(self, other)

    return added


def _swapped(record: Callable[..., Any]) -> Callable[..., Any]:
    return lambda y, x: record(x, y)


def _install() -> None:
    """Give both classes their operators, and a method for each function of one number, such as ``x.tanh()``."""
    for entry in TABLE.values():
        if entry.elementwise and entry.arity == 1 and not hasattr(Arithmetic, entry.name):
            setattr(Value, entry.name, _value_method(entry))
            setattr(Tensor, entry.name, _tensor_method(entry))
    for name, entry in _UNARY.items():
        setattr(Value, f"__{name}__", _value_method(entry))
        setattr(Tensor, f"__{name}__", _tensor_method(entry))
    for name, entry in _BINARY.items():
        setattr(Value, f"__{name}__", _value_method(entry))
        setattr(Value, f"__r{name}__", scalar.method(entry, Value, reflected=True))
        setattr(Tensor, f"__{name}__", _tensor_method(entry))
        setattr(Tensor, f"__r{name}__", _swapped(_tensor_method(entry)))
    for kind in (Value, Tensor):
        kind.__radd__ = _starting_at_zero(kind.__radd__)


_install()
