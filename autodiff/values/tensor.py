"""`Tensor`: an array on a graph."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import Any, Never, NoReturn

import numpy as np

from autodiff.engine import emit_arrays
from autodiff.engine.graph import DETACHED, Node, assign
from autodiff.engine.plain import as_leaf_array
from autodiff.primitives.operands import as_operand, describe
from autodiff.primitives.signatures import no_keyword
from autodiff.primitives.table import layout, linear, reductions
from autodiff.values.base import Arithmetic, refuse_node
from autodiff.values.compositions import COMPOSITIONS
from autodiff.values.numpy_protocol import dispatch_function, dispatch_ufunc
from autodiff.values.operators import comparing, operators
from autodiff.values.read_only import ReadOnlyArray
from autodiff.values.reading import WATCHES, adopted, assigning, compared, indexed, noted, recorder, taken
from autodiff.values.refusals import REFUSED_METHODS
from autodiff.values.value import Value

__all__ = ["Tensor"]


def _meaning(function: Callable[..., Any]) -> Callable[..., Any]:
    """The method that calls NumPy's function of that name."""

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return function(self, *args, **kwargs)

    method.__name__, method.__doc__ = function.__name__, f"``numpy.{function.__name__}`` of this."
    return method


def _reduction(name: str, what: str) -> Callable[..., Any]:
    """The method that calls the primitive of that name, or NumPy's function if other keywords are given."""
    usual, whole = getattr(reductions, name), getattr(np, name)
    known = ("axis", "keepdims", "dtype", "initial", "where")

    def method(self: Any, axis: Any = None, keepdims: bool = False, **more: Any) -> Any:
        if more:
            if not more.keys() <= {*known}:
                raise no_keyword(name, known, more)
            return whole(self, axis=axis, keepdims=keepdims, **more)
        return (usual.methods.get(self.__class__) or usual)(self, axis=axis, keepdims=keepdims)

    method.__name__, method.__doc__ = name, what
    return method


class _Refused:
    """A method of arrays that a Tensor does not have; accessing it raises an error that says why.

    A ``__getattr__`` would slow down every attribute of a Tensor, and a training step of the scorer by an eighth.
    """

    def __init__(self, name: str, reason: str) -> None:
        self.name, self.reason = name, reason

    def __get__(self, node: Any, kind: Any = None) -> Any:
        if node is None:
            return self
        raise AttributeError(f"a Tensor has no {self.name}: {self.reason}", name=self.name, obj=node)


@operators(emit_arrays.method)
class Tensor(Arithmetic):
    """An array on a graph, with NumPy's operators, methods and functions.

    Args:
        data: numbers of any shape, which are copied. Integers become float64; float32 stays float32.
        name: the name in formulas and pictures.

    ``.data`` is a read-only array: writing into it raises an error, but a leaf accepts a new array by assignment.
    ``.grad``, of the same shape and type, is None until a backward pass reaches the node.

    Raises:
        TypeError: if the data are bools, strings, nodes, complex numbers, float16 or objects. ValueError: if ragged.

    >>> w = Tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> y = np.sum(np.exp(w @ np.array([0.0, 0.0])))
    >>> y.backward()
    >>> w.grad
    array([[0., 0.],
           [0., 0.]])
    """

    __slots__ = ()
    scalar = False

    def __init__(self, data: Any, *more: Never, name: str | None = None) -> None:
        if more:
            self._refuse(more[0])
        twin = adopted(Tensor, data) if WATCHES else None
        self._begin(as_leaf_array(data), name) if twin is None else self._copy_of(twin, name)

    @property
    def data(self) -> np.ndarray[Any, Any]:
        """The primal, a read-only array. Assigning the data of a leaf makes graphs computed from it stale."""
        if WATCHES:
            read = noted(self)
            if read is not self._data:
                return read  # type: ignore[no-any-return]
        view = np.asarray(self._data).view(ReadOnlyArray)
        view.setflags(write=False)
        return view

    @data.setter
    def data(self, data: Any) -> None:
        if WATCHES:
            assigning(self)
        assign(self, self._given(data))

    def _fitted(self, data: Any) -> np.ndarray[Any, Any]:
        array = as_leaf_array(data)
        if array.shape != self._data.shape:
            raise ValueError(f"{self.label} has shape {self._data.shape}, and got data of shape {array.shape}")
        return array.astype(self._data.dtype, copy=False)

    def _fitted_gradient(self, grad: Any) -> np.ndarray[Any, Any]:
        array = np.asarray(None) if isinstance(grad, Node) else as_operand(f"the gradient of {self.label}", grad)
        if array.dtype == object:
            refuse_node(self, grad)
        if array.shape != self._data.shape:
            raise ValueError(f"{self.label} has shape {self._data.shape}, and got a gradient of shape {array.shape}")
        return array.astype(self._data.dtype)

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of the axes."""
        return self._data.shape  # type: ignore[no-any-return]

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self._data.ndim  # type: ignore[no-any-return]

    @property
    def size(self) -> int:
        """The number of elements."""
        return self._data.size  # type: ignore[no-any-return]

    @property
    def dtype(self) -> np.dtype[Any]:
        """float64 or float32."""
        return self._data.dtype  # type: ignore[no-any-return]

    @property
    def T(self) -> Any:
        """Axes in reverse."""
        return layout.transpose(self)

    sum = _reduction("sum", "Sum over ``axis``; other keywords as in `numpy.sum`.")
    mean = _reduction("mean", "Mean over ``axis``; other keywords as in `numpy.mean`.")
    prod = _reduction("prod", "Product over ``axis``; other keywords as in `numpy.prod`.")
    max = _reduction("max", "Largest element over ``axis``; other keywords as in `numpy.max`.")
    min = _reduction("min", "Smallest element over ``axis``; other keywords as in `numpy.min`.")

    def var(self, axis: Any = None, keepdims: bool = False, *, ddof: int = 0) -> Any:
        """Variance over ``axis``."""
        return reductions.var(self, axis, keepdims, ddof=ddof)

    def std(self, axis: Any = None, keepdims: bool = False, *, ddof: int = 0) -> Any:
        """Standard deviation over ``axis``."""
        return reductions.std(self, axis, keepdims, ddof=ddof)

    def cumsum(self, axis: int | None = None) -> Any:
        """Running sum along ``axis``, or of the flattened elements."""
        return reductions.cumsum(self, axis=axis) if axis is not None else reductions.cumsum(self.ravel(), axis=0)

    def dot(self, other: Any) -> Any:
        """``numpy.dot`` with ``other``."""
        return linear.dot(self, other)

    def reshape(self, *shape: Any) -> Any:
        """The same elements in another shape, given as one tuple or as ints."""
        return layout.reshape(self, shape=_unpacked(shape))

    def ravel(self) -> Any:
        """All elements along one axis."""
        return layout.reshape(self, shape=(-1,))

    flatten = ravel

    def transpose(self, *axes: Any) -> Any:
        """The axes in reverse, or in the given order."""
        return layout.transpose(self, axes=None if not axes or axes[0] is None else _unpacked(axes))

    def swapaxes(self, axis1: int, axis2: int) -> Any:
        """Two axes exchanged."""
        return layout.swapaxes(self, axis1=axis1, axis2=axis2)

    def squeeze(self, axis: Any = None) -> Any:
        """Remove axes of length 1."""
        return layout.squeeze(self, axis=axis)

    def expand_dims(self, axis: Any) -> Any:
        """Insert axes of length 1."""
        return layout.expand_dims(self, axis=axis)

    def take(self, indices: Any, axis: int | None = None) -> Any:
        """Elements at integer ``indices`` along ``axis``."""
        return layout.take(self, indices, axis)

    all = _meaning(np.all)
    any = _meaning(np.any)
    argmax = _meaning(np.argmax)
    argmin = _meaning(np.argmin)
    argpartition = _meaning(np.argpartition)
    argsort = _meaning(np.argsort)
    copy = _meaning(np.copy)
    cumprod = _meaning(np.cumprod)
    diagonal = _meaning(np.diagonal)
    nonzero = _meaning(np.nonzero)
    repeat = _meaning(np.repeat)
    round = _meaning(np.round)
    searchsorted = _meaning(np.searchsorted)
    trace = _meaning(np.trace)

    def astype(self, dtype: Any) -> Any:
        """The same numbers as float64 or float32."""
        return COMPOSITIONS["astype"](self, dtype)

    def compress(self, condition: Any, axis: int | None = None) -> Any:
        """The elements along ``axis`` for which the condition holds."""
        return np.compress(condition, self, axis=axis)

    @property
    def mT(self) -> Any:
        """The transpose of each matrix: the last two axes exchanged."""
        return layout.swapaxes(self, axis1=-1, axis2=-2)

    @property
    def real(self) -> Any:
        """This Tensor, as for any real numbers."""
        return self

    @property
    def imag(self) -> np.ndarray[Any, Any]:
        """A plain array of zeros, because nodes hold real numbers."""
        return np.zeros_like(self._data)

    @property
    def nbytes(self) -> int:
        """The size of the data in bytes."""
        return self._data.nbytes  # type: ignore[no-any-return]

    @property
    def itemsize(self) -> int:
        """The size of one element in bytes."""
        return self._data.itemsize  # type: ignore[no-any-return]

    def value(self) -> Value:
        """Return the single number of this Tensor as a `Value` on the same graph; raises ValueError for other sizes."""
        if self.size != 1:
            raise ValueError(f"a Value holds one number, but this Tensor has shape {self.shape}")
        return Value.from_tensor(self if self.ndim == 0 else self.reshape(()))

    def tolist(self) -> Any:
        """The data as nested lists of floats, outside the graph."""
        if WATCHES and recorder() is not None:
            return np.asarray(self).tolist()
        return self.data.tolist()

    def __getitem__(self, index: Any) -> Any:
        if WATCHES and (item := indexed(self, index)) is not None:
            return item
        for item in index if isinstance(index, tuple) else (index,):
            if isinstance(item, Node):
                raise TypeError(
                    f"an index must be integers, slices or a mask, got {describe(item)}; "
                    "use its .data as an int, or .data.astype(int)"
                )
        return (layout.getitem.methods.get(self.__class__) or layout.getitem)(self, index=index)

    def __setitem__(self, index: Any, value: Any) -> NoReturn:
        raise TypeError("a Tensor cannot be changed in place; make a new one with where(...) or scatter(...)")

    def __len__(self) -> int:
        if not self._data.ndim:
            raise TypeError("a Tensor with no axes has no length")
        return len(self._data)

    def __iter__(self) -> Iterator[Any]:
        return (self[k] for k in range(len(self)))

    def __matmul__(self, other: Any) -> Any:
        return linear.matmul(self, other)

    def __rmatmul__(self, other: Any) -> Any:
        return linear.matmul(other, self)

    __lt__ = comparing(operator.lt, "<")
    __le__ = comparing(operator.le, "<=")
    __gt__ = comparing(operator.gt, ">")
    __ge__ = comparing(operator.ge, ">=")
    __eq__ = comparing(operator.eq, "==")
    __ne__ = comparing(operator.ne, "!=")

    __hash__ = object.__hash__

    def __bool__(self) -> bool:
        if self.size != 1:
            raise ValueError(
                f"a Tensor of shape {self.shape} is neither true nor false; use .data.any() or .data.all()"
            )
        answer = bool(self._data)
        return bool(compared("bool", self, None, answer)) if WATCHES else answer

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec else str(self)

    def __repr__(self) -> str:
        named = f", name={self.name!r}" if self.name else ""
        kind = "" if self._data.dtype == np.float64 else f", dtype={self._data.dtype}"
        grad = "" if self.grad is None else f", grad={np.array2string(self.grad, prefix='Tensor(', threshold=20)}"
        data = np.array2string(self._data, separator=", ", prefix="Tensor(", threshold=20)
        return f"Tensor({data}{kind}{grad}{named})"

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray[Any, Any]:
        if WATCHES and recorder() is not None:
            taken((self,), "read", self._data)
            return np.array(self._data, dtype)
        raise TypeError(
            "an array of a Tensor would silently leave the graph; use .data for the plain array, "
            "autodiff.stack for one Tensor of several, or X @ W instead of X.dot(W)"
        )

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        return dispatch_ufunc(ufunc, method, inputs, kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return dispatch_function(function, args, kwargs)

    @staticmethod
    def constant(data: Any) -> Any:
        """``data`` as a constant leaf, which has no gradient."""
        return Tensor._leaf(data, DETACHED)


for _name, _reason in REFUSED_METHODS.items():
    setattr(Tensor, _name, _Refused(_name, _reason))


def _unpacked(items: tuple[Any, ...]) -> tuple[int, ...]:
    return tuple(items[0]) if len(items) == 1 and isinstance(items[0], tuple | list) else items
