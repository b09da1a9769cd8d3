"""`Value`: a float on a graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Never

import numpy as np

from autodiff.engine import emit_values
from autodiff.engine.graph import BY_RULE, DETACHED, Node, assign
from autodiff.engine.plain import as_value_data, boxed, plain
from autodiff.primitives.namespace import Number
from autodiff.primitives.operands import describe
from autodiff.primitives.table import units
from autodiff.values.base import Arithmetic, refuse_node
from autodiff.values.numpy_protocol import dispatch_function, dispatch_ufunc
from autodiff.values.operators import operators
from autodiff.values.reading import WATCHES, adopted, assigning, compared, noted, taken

if TYPE_CHECKING:
    from autodiff.values.tensor import Tensor

__all__ = ["Value"]


@operators(emit_values.method, for_objects=True)
class Value(Arithmetic):
    """A float on a graph.

    Args:
        data: a real number; ints become floats.
        name: the name in formulas and pictures.

    A Value works like a float in arithmetic, comparisons (of the data), ``abs``, ``round``, formatting, ``sum``,
    ``max``, ``sorted``, and as an element of NumPy object arrays. ``.grad`` is None until a backward pass reaches it.

    Raises:
        TypeError: if the data is a bool, string, node, array or complex number.
        ValueError: if the data is an int beyond the largest float.

    >>> a, b = Value(2.0, name="a"), Value(-3.0)
    >>> c = a * b + a
    >>> c.backward()
    >>> c.data, a.grad, b.grad
    (-4.0, -2.0, 2.0)
    """

    __slots__ = ()
    scalar = True

    def __init__(self, data: Number, *more: Never, name: str | None = None) -> None:
        if more:
            self._refuse(more[0])
        twin = adopted(Value, data) if WATCHES else None
        if twin is None:
            self._begin(as_value_data(data), name)
        else:
            self._copy_of(twin, name)

    @property
    def data(self) -> float:
        """The primal, a Python float. Assigning the data of a leaf makes graphs computed from it stale."""
        if WATCHES:
            return noted(self)  # type: ignore[no-any-return]
        return self._data  # type: ignore[no-any-return]

    @data.setter
    def data(self, data: Number) -> None:
        if WATCHES:
            assigning(self)
        assign(self, self._given(data))

    def _fitted(self, data: Any) -> float:
        return as_value_data(data)

    def _fitted_gradient(self, grad: Any) -> float:
        if grad.__class__ is float:
            return grad
        if isinstance(grad, Node):
            refuse_node(self, grad)
        try:
            return as_value_data(grad)
        except TypeError:
            raise TypeError(f"the gradient of {self.label} must be one real number, got {describe(grad)}") from None

    shape: ClassVar[tuple[int, ...]] = ()
    ndim: ClassVar[int] = 0
    size: ClassVar[int] = 1

    def __lt__(self, other: Any) -> bool:
        answer = self._data < other._data if other.__class__ is Value else self._data.__lt__(plain(other))
        return _reported("<", self, other, answer) if WATCHES else answer

    def __le__(self, other: Any) -> bool:
        answer = self._data <= other._data if other.__class__ is Value else self._data.__le__(plain(other))
        return _reported("<=", self, other, answer) if WATCHES else answer

    def __gt__(self, other: Any) -> bool:
        answer = self._data > other._data if other.__class__ is Value else self._data.__gt__(plain(other))
        return _reported(">", self, other, answer) if WATCHES else answer

    def __ge__(self, other: Any) -> bool:
        answer = self._data >= other._data if other.__class__ is Value else self._data.__ge__(plain(other))
        return _reported(">=", self, other, answer) if WATCHES else answer

    def __eq__(self, other: object) -> bool:
        answer = self._data.__eq__(plain(other))
        return _reported("==", self, other, answer) if WATCHES else answer

    def __ne__(self, other: object) -> bool:
        answer = self._data.__ne__(plain(other))
        return _reported("!=", self, other, answer) if WATCHES else answer

    __hash__ = object.__hash__  # by identity: two Values that are equal are still two parameters

    def __bool__(self) -> bool:
        answer = bool(self._data != 0.0)
        return _reported("bool", self, None, answer) if WATCHES else answer

    def __round__(self, digits: int | None = None) -> float:
        if WATCHES:
            taken((self,), "read", self._data)
        return round(self._data, digits)  # type: ignore[no-any-return]

    def __format__(self, spec: str) -> str:
        if WATCHES:
            taken((self,), "read", self._data)
        return format(self._data, spec) if spec else str(self)

    def __repr__(self) -> str:
        if WATCHES:
            taken((self,), "read", self._data)
        grad = "–" if self.grad is None else f"{self.grad:.6g}"
        named = f", name={self.name!r}" if self.name else ""
        return f"Value(data={self._data:.6g}, grad={grad}{named})"

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if any(isinstance(x, np.ndarray) and x.dtype == object for x in inputs):
            return getattr(ufunc, method)(*(boxed(x) if isinstance(x, Value) else x for x in inputs), **kwargs)
        return dispatch_ufunc(ufunc, method, inputs, kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return dispatch_function(function, args, kwargs)

    @staticmethod
    def constant(data: Any) -> Any:
        """``data`` as a constant leaf, which has no gradient."""
        return Value._leaf(float(data), DETACHED)

    @staticmethod
    def from_tensor(tensor: Tensor) -> Value:
        """The single number of a Tensor as a Value on the same graph."""
        node: Value = Value._leaf(float(tensor._data), units.identity.origin)
        node.a, node.b, node.da = (tensor,), (tensor._data,), BY_RULE
        return node


def _reported(kind: str, left: Value, right: Any, answer: Any) -> bool:
    """The answer of a comparison, reported to a recording; on NotImplemented, Python tries the other operand."""
    return compared(kind, left, right, answer)  # type: ignore[no-any-return]
