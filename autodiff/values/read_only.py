"""The read-only array that a Tensor's ``.data`` returns; ``t.data -= step`` assigns a new array to the Tensor."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["ReadOnlyArray"]


def _replacing(in_place: Callable[[Any, Any], Any], compute: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """The operator of ``x += y``: for a read-only x its result is a new array, which the assignment stores."""

    def replaced(self: Any, other: Any) -> Any:
        return in_place(self, other) if self.flags.writeable else compute(np.asarray(self), other)

    return replaced


class ReadOnlyArray(np.ndarray):
    """A read-only view of an array; its ``copy()`` and the results of arithmetic and functions are plain arrays.

    ``x -= y`` makes a new array: ``t.data -= y`` stores it in the Tensor, but ``d = t.data; d -= y`` does not.

    >>> from autodiff import Tensor
    >>> w = Tensor([1.0, 2.0])
    >>> w.data -= 0.5
    >>> w.data
    array([0.5, 1.5])
    """

    __iadd__ = _replacing(np.ndarray.__iadd__, operator.add)
    __isub__ = _replacing(np.ndarray.__isub__, operator.sub)
    __imul__ = _replacing(np.ndarray.__imul__, operator.mul)
    __itruediv__ = _replacing(np.ndarray.__itruediv__, operator.truediv)
    __ifloordiv__ = _replacing(np.ndarray.__ifloordiv__, operator.floordiv)
    __imod__ = _replacing(np.ndarray.__imod__, operator.mod)
    __ipow__ = _replacing(np.ndarray.__ipow__, operator.pow)
    __imatmul__ = _replacing(np.ndarray.__imatmul__, operator.matmul)

    def __setitem__(self, index: Any, value: Any) -> None:
        if not self.flags.writeable:
            raise ValueError(
                "a Tensor's data is read-only, because graphs computed from it would not notice a change; assign a new "
                "array: data = t.data.copy(); data[0] = 5.0; t.data = data"
            )
        super().__setitem__(index, value)

    def __array_wrap__(self, array: Any, context: Any = None, return_scalar: bool = False) -> Any:
        return array[()] if return_scalar else array

    def copy(self, order: Any = "C") -> Any:
        """Return a plain array with the same numbers."""
        return np.array(self, order=order)

    def __reduce__(self) -> Any:
        return np.asarray(self).__reduce__()

    def __repr__(self) -> str:
        return repr(np.asarray(self))


ReadOnlyArray.__name__ = "array"  # the name that NumPy, its test functions and its masked arrays print
