"""Recording of calls as nodes: on Values, on object arrays of Values, on Tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from autodiff.engine import emit_arrays as array
from autodiff.engine import emit_values as scalar
from autodiff.engine.graph import BY_RULE, Node, clock, link
from autodiff.engine.plain import as_constant, as_value_data, boxed, checked, data_of, plain, read_only
from autodiff.primitives.namespace import ARRAY_FAULTS, arrays
from autodiff.primitives.operands import describe
from autodiff.primitives.origin import Origin
from autodiff.primitives.primitive import Primitive, real
from autodiff.primitives.registry import RECORDERS, Objects, remembered
from autodiff.primitives.table.layout import reshape, stack
from autodiff.values.tensor import Tensor
from autodiff.values.value import Value

__all__ = ["record_objects", "record_tensor", "record_value"]


def record_value(entry: Primitive, inputs: tuple[Any, ...], params: dict[str, Any]) -> Any:
    """The node of a call on Values and numbers; if an input is an array or a Tensor, the node is a Tensor."""
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
        if entry.takes_arrays and not entry.reduces:
            return _record_whole(entry, inputs, params)
        if entry.packed:
            return record_tensor(entry, inputs, params)
        return entry.evaluate([boxed(x) if isinstance(x, Value) else x for x in inputs], params)
    inputs = tuple([x if x.__class__ is Value or x.__class__ is float else _scalar(entry, x) for x in inputs])
    method = scalar.method(entry, Value)
    if method is not None:
        return method(*inputs, **params)
    params = _completed(entry, params)
    origin = _origin(entry, params)
    data = [x._data if x.__class__ is Value else x for x in inputs]
    z, partials = scalar.kernel(entry, len(data))(*data, **params)
    return _value_node(origin, inputs, partials, z)


def _record_whole(entry: Primitive, inputs: tuple[Any, ...], params: dict[str, Any]) -> Any:
    """The node of a user-defined primitive that is not elementwise, on Values and numbers, by its rule on 0-d arrays.

    If the result is more than one number, the node is a Tensor.
    """
    if any(isinstance(x, list | tuple) for x in inputs):
        return record_tensor(entry, inputs, params)
    inputs = tuple([x if x.__class__ is Value else _scalar(entry, x) for x in inputs])
    data, params = tuple(map(read_only, data_of(entry, inputs))), _completed(entry, params)
    z = entry.evaluate(data, params)
    if np.ndim(z):
        return record_tensor(entry, inputs, params)
    with np.errstate(all="ignore"):
        partials = [_partial(entry, k, z, data, params) if x.__class__ is Value else None for k, x in enumerate(inputs)]
    return _value_node(_origin(entry, params), inputs, tuple(partials), real(entry, "forward", z))


def _completed(entry: Primitive, params: dict[str, Any]) -> dict[str, Any]:
    """All params in an immutable form; raises TypeError for a node among them."""
    return dict(Origin(entry, entry.completed(params)).params) if entry.defaults else params


def _origin(entry: Primitive, params: dict[str, Any]) -> Origin:
    return scalar.origin_of(entry, **params) if params else entry.origin


def _partial(entry: Primitive, k: int, z: Any, data: tuple[Any, ...], params: dict[str, Any]) -> float:
    """The local gradient of the k-th input: its share of the error signal 1."""
    share = entry.rule(k)(np.ones(()), z, *data, **params)
    return real(entry, "rule", np.sum(share) if np.ndim(share) else share)


def _record_many(entry: Primitive, inputs: tuple[Any, ...]) -> Any:
    """The node of a call on any number of Values and floats, such as a neuron's weighted sum; None for other kinds."""
    first, middle = inputs[0], inputs[len(inputs) // 2]
    if first.__class__ is Value is middle.__class__:  # then usually all are; checking each costs as much as the sum
        method = _method_of_values(entry, len(inputs))
        try:
            node = method(inputs) if method is not None else None
        except (AttributeError, TypeError, ValueError):  # not all were Values, or the shape of a Tensor does not fit
            node = None
        if node is not None and node._data.__class__ is float:
            return node
    method = _method_of_many(entry, tuple(map(type, inputs)))
    return None if method is None else method(inputs)


@remembered(512)
def _method_of_many(entry: Primitive, kinds: tuple[type, ...]) -> Callable[..., Any] | None:
    return scalar.many(entry, kinds, Value) if set(kinds) <= {Value, float} else None


@remembered(512)
def _method_of_values(entry: Primitive, count: int) -> Callable[..., Any] | None:
    return _method_of_many(entry, (Value,) * count)


def _scalar(entry: Primitive, item: Any) -> float:
    try:
        return as_value_data(item)
    except TypeError:
        raise TypeError(f"{entry.name} takes Values and real numbers, and got {describe(item)}") from None


def _value_node(origin: Origin, inputs: tuple[Any, ...], partials: Any, z: float) -> Value:
    node: Value = _new(Value)
    node._data, node.version, node.origin = z, clock.now, origin
    node._grad = node.delta = None
    node.a = node.b = inputs
    node.da = node.db = partials
    if float in map(type, inputs):
        link(node, inputs, partials)
    return node


_new: Final = object.__new__


def record_objects(entry: Primitive, operands: tuple[Any, ...], params: dict[str, Any]) -> Any:
    """A reduction over an object array of Values, one node for each element of the result; other calls by Tensors."""
    if not entry.reduces or len(operands) > 1 or (operands[0].ndim > 1 and "axis" not in entry.defaults):
        return _by_tensors(entry, operands, params)
    (values,) = operands
    others = {key: item for key, item in params.items() if key not in ("axis", "keepdims")}
    axis, keepdims = params.get("axis"), params.get("keepdims", False)
    axes = tuple(range(values.ndim)) if axis is None else tuple(int(a) % values.ndim for a in np.atleast_1d(axis))
    rest = tuple(a for a in range(values.ndim) if a not in axes)
    rows = np.transpose(values, rest + axes).reshape(*(values.shape[a] for a in rest), -1)
    result = np.empty(rows.shape[:-1], dtype=object)
    for place in np.ndindex(result.shape):
        result[place] = _reduced(entry, tuple(rows[place]), others)
    if not result.ndim and (not keepdims or not values.ndim):
        return result[()]
    return result.reshape([1 if a in axes else n for a, n in enumerate(values.shape)]) if keepdims else result


def _reduced(entry: Primitive, values: tuple[Any, ...], params: dict[str, Any]) -> Value:
    data = np.array([plain(x) for x in values], dtype=float)
    with np.errstate(all="ignore"):
        z = np.asarray(entry.forward(arrays, data, **params))
        partials = np.broadcast_to(entry.rule(0)(np.ones(()), z, data, **params), data.shape).tolist()
    inputs = tuple(x if isinstance(x, Node) else float(x) for x in values)
    return _value_node(_origin(entry, params), inputs, tuple(partials), real(entry, "forward", z))


def _by_tensors(entry: Primitive, operands: tuple[Any, ...], params: dict[str, Any]) -> Any:
    """A call on object arrays of Values, computed on Tensors; the result consists of Values again."""
    if not any(isinstance(x, Node) for operand in operands if operand.dtype == object for x in operand.flat):
        return entry.forward(arrays, *operands, **params)
    result = record_tensor(entry, tuple(map(_joined, operands)), params)
    values = np.empty(result.shape, dtype=object)
    for place in np.ndindex(result.shape):
        values[place] = (result[place] if place else result).value()
    return values if values.ndim else values[()]


def _joined(operand: np.ndarray[Any, Any]) -> Any:
    """An object array of Values and numbers as one Tensor; any other array unchanged."""
    if operand.dtype != object:
        return operand
    return reshape(stack(list(operand.flat)), shape=operand.shape) if operand.size else operand.astype(float)


def record_tensor(entry: Primitive, inputs: tuple[Any, ...], params: dict[str, Any]) -> Any:
    """The node of a call on arrays."""
    if entry.arity is not None:
        return array.method(entry, Tensor)(*inputs, **params)
    params = entry.completed(params)
    origin = Origin(entry, params) if params else entry.origin
    kept = tuple([x if isinstance(x, Node) else as_constant(entry, x) for x in inputs])
    data = data_of(entry, kept)
    try:
        z = checked(entry, entry.forward(arrays, *data, **params))
    except ARRAY_FAULTS as error:
        raise entry.refusal(data, params, error) from error
    node: Tensor = Tensor._leaf(z, origin)
    node.a, node.b, node.da = kept, data, BY_RULE
    return node


RECORDERS[Value] = record_value
RECORDERS[Tensor] = record_tensor
RECORDERS[Objects] = record_objects
