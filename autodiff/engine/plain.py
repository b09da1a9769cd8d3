"""Conversion of plain data for use in a graph, and back: what a Value, a Tensor or a constant may hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from autodiff.engine.graph import Node
from autodiff.primitives.namespace import as_float, is_plain_number
from autodiff.primitives.operands import as_operand, describe
from autodiff.primitives.primitive import Primitive
from autodiff.primitives.table.layout import reshape, stack

__all__ = [
    "as_arrays", "as_constant", "as_leaf_array", "as_tensor", "as_value_data", "boxed", "checked", "constants",
    "data_of", "lent", "plain", "read_only", "shape_of",
]  # fmt: skip


def as_value_data(data: Any) -> float:
    """The float that a Value made from ``data`` holds; raises TypeError if ``data`` is not a real number."""
    kind = data.__class__
    if kind is float:
        return data  # type: ignore[no-any-return]
    if kind is int or is_plain_number(data):
        return as_float(data)
    if isinstance(data, np.ndarray) and data.ndim == 0 and data.dtype.kind in "fiu":
        return float(data)
    hint = "; for an array use Tensor" if isinstance(data, np.ndarray | list | tuple) else ""
    hint = "; it is already a node" if isinstance(data, Node) else hint
    raise TypeError(f"a Value takes one real number, and got {describe(data)}{hint}")


def as_leaf_array(data: Any) -> np.ndarray[Any, Any]:
    """A read-only copy of ``data`` as float64 or float32."""
    if isinstance(data, Node):
        raise TypeError(f"a Tensor takes plain numbers, and got {describe(data)}; use its .data or .detach()")
    if isinstance(data, list | tuple) and any(isinstance(item, Node) for item in data):
        raise TypeError("a Tensor takes plain numbers, and got nodes; join nodes with autodiff.stack")
    array = as_operand("a Tensor", data)
    if array.dtype == object:
        raise TypeError("a Tensor takes plain numbers, and got objects; join nodes with autodiff.stack")
    array = np.array(array, order="C")
    array.setflags(write=False)
    return array


def as_constant(entry: Primitive, item: Any) -> np.ndarray[Any, Any] | float:
    """A constant operand as the graph may keep it: a read-only array, copied only if someone could write to it.

    A read-only array that owns its memory is kept without a copy, because a training set should not be copied at every
    step. Making it writable again and writing to it gives gradients for the new numbers.
    """
    if item.__class__ is float:
        return item
    if item.__class__ is int:
        return as_float(item)
    if item.__class__ is np.ndarray and item.dtype.char in _KEPT:
        flags = item.flags
        if not flags.writeable and flags.owndata:
            return item
        array = item.copy()
    else:
        array = np.array(as_operand(entry, item))
        if array.dtype == object:
            raise TypeError(f"{entry.name} got an object array beside a Tensor; join its Values with autodiff.stack")
    array.setflags(write=False)
    return array


_KEPT: Final = "dfbBhHiIlLqQ?"  # types that NumPy's arithmetic takes as they are: not float16, not objects


def plain(item: Any) -> Any:
    """The data of a node; anything else unchanged."""
    return item._data if isinstance(item, Node) else item


def shape_of(item: Any) -> tuple[int, ...]:
    """The shape of a node, an array, a number or nested lists."""
    return np.shape(plain(item))


def constants(numbers: Any, x: Any) -> np.ndarray[Any, Any]:
    """Numbers as an array of the type of ``x``, a node or an array, so that they do not promote float32 to float64."""
    return np.asarray(numbers, getattr(plain(x), "dtype", np.float64))


def boxed(value: Any) -> np.ndarray[Any, Any]:
    """A Value as a 0-d object array."""
    box = np.empty((), dtype=object)
    box[()] = value
    return box


def read_only(item: Any) -> Any:
    """The same array, made read-only."""
    if isinstance(item, np.ndarray):
        item.setflags(write=False)
    return item


def as_arrays(*operands: Any) -> tuple[Any, ...]:
    """Plain operands with numbers as 0-d arrays, of the type that NumPy would give a number among these operands."""
    kind = np.result_type(*{item.dtype for item in operands if item.__class__ is not float}, 0.0)
    return tuple([np.asarray(item, kind) if item.__class__ is float else item for item in operands])


def data_of(entry: Primitive, inputs: Sequence[Any]) -> tuple[Any, ...]:
    """The data of these inputs, nodes and constants, as the forward and the rules of ``entry`` receive it."""
    data = [item._data if isinstance(item, Node) else item for item in inputs]
    return as_arrays(*data) if entry.takes_arrays else tuple(data)


def as_tensor(item: Any) -> Any:
    """A Value as a 0-d Tensor, a number as a 0-d array; anything else unchanged."""
    if isinstance(item, Node):
        return reshape(stack((item,)), shape=()) if item.scalar else item
    return np.asarray(item) if item.__class__ is float else item


def lent(share: Any) -> Any:
    """A view of an array that a rule may still hold; the engine never adds in place to views."""
    return share.view() if share.__class__ is np.ndarray else share


def checked(entry: Primitive, z: Any) -> Any:
    """``z`` if it is an array or number of float64 or float32, as a forward must return; else raises TypeError."""
    if z.__class__ is float or (isinstance(z, np.ndarray | np.generic) and z.dtype.char in "df"):
        return z
    raise TypeError(f"the forward of {entry.name} must return an array of float64 or float32, not {describe(z)}")
