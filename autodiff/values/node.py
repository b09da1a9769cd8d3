"""`Value`, a float on a graph, and `Tensor`, an array on a graph: what users compute with.

Arithmetic comes from the table (`recording` gives both their operators); here are only the two kinds of node, their
methods, and NumPy's ways of asking for one.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Final, NoReturn

import numpy as np
from numpy import ndarray

from autodiff.engine.backward import run_backward
from autodiff.engine.graph import BY_RULE, DETACHED, LEAF, Change, Node, assign, assigned, clock, commit
from autodiff.engine.plain import as_leaf_array, as_value_data, boxed, plain
from autodiff.engine.reading import WATCHES, noted, passed
from autodiff.primitives.primitive import Origin, as_operand, describe
from autodiff.primitives.table import elementwise, layout, linear, reductions, rounding, units
from autodiff.values.compositions import COMPOSITIONS
from autodiff.values.copies import copied, reduced, twin
from autodiff.values.numpy_protocol import dispatch_function, dispatch_ufunc
from autodiff.values.read_only import ReadOnlyArray
from autodiff.values.refusals import REFUSED_METHODS

__all__ = ["Arithmetic", "Tensor", "Value", "detach", "given", "move", "moved", "stop_gradient"]


class Arithmetic(Node):
    """What both kinds of node do in the same way."""

    __slots__ = ()

    if TYPE_CHECKING:  # set from the table by `recording`; declared here for type checkers
        __add__: Callable[..., Any]
        __radd__: Callable[..., Any]
        __sub__: Callable[..., Any]
        __rsub__: Callable[..., Any]
        __mul__: Callable[..., Any]
        __rmul__: Callable[..., Any]
        __truediv__: Callable[..., Any]
        __rtruediv__: Callable[..., Any]
        __neg__: Callable[..., Any]
        __abs__: Callable[..., Any]

    def __pow__(self, exponent: Any) -> Any:
        return elementwise.raise_to(self, exponent)

    def __rpow__(self, base: Any) -> Any:
        return elementwise.pow(base, self)

    def __floordiv__(self, other: Any) -> Any:
        return rounding.floor_divide(self, other)

    def __rfloordiv__(self, other: Any) -> Any:
        return rounding.floor_divide(other, self)

    def __mod__(self, other: Any) -> Any:
        return rounding.remainder(self, other)

    def __rmod__(self, other: Any) -> Any:
        return rounding.remainder(other, self)

    def __divmod__(self, other: Any) -> Any:
        return self // other, self % other

    def __rdivmod__(self, other: Any) -> Any:
        return other // self, other % self

    def __pos__(self) -> Any:
        return self

    __hash__ = object.__hash__

    def __float__(self) -> NoReturn:
        raise TypeError(
            f"float() of a {type(self).__name__} would silently leave the graph, and the gradient with it; "
            "use autodiff's functions (autodiff.exp for math.exp), or .item() for the plain number"
        )

    __int__ = __float__
    __index__ = __float__
    __complex__ = __float__

    def item(self) -> float:
        """The plain Python number, outside the graph. Raises ValueError for more than one element.

        >>> Value(2.0).item()
        2.0
        """
        if WATCHES:
            noted(self)
        return float(np.asarray(self._data).item())

    def backward(self, seed: Any = None) -> None:
        """Backpropagate from here: add to every node's ``.grad`` its error signal δ = ∂self/∂node.

        Args:
            seed: the error signal of this node, of its shape; 1 if left out (then it must hold one number).

        ``.grad`` of a node is None until a pass has reached it; a second pass adds. If anything raises, no ``.grad``
        has changed.

        Raises:
            ValueError: no seed and more than one element, or a seed of another shape.
            StaleGraphError: ``.data`` was assigned after this node was computed.

        Source: notes, section 1.5.

        >>> x = Value(3.0)
        >>> (x * x).backward()
        >>> x.grad
        6.0
        """
        if WATCHES:
            passed(self)
        run_backward(self, seed, None)

    def conjugate(self) -> Any:
        """Itself, as of any real number: ``np.var`` and ``np.std`` of a list of Values ask for it."""
        return self

    conj = conjugate

    def clip(self, low: float | None = None, high: float | None = None, **limits: float | None) -> Any:
        """The number, or every element, limited to [low, high], which NumPy calls ``min`` and ``max``."""
        if unknown := limits.keys() - {"min", "max"}:
            raise TypeError(f"clip takes low and high, or min and max, and got {', '.join(sorted(unknown))}")
        if limits and not low is high is None:
            raise ValueError("clip takes its limits as low and high or as min and max, and got some of both")
        return elementwise.clip(self, limits.get("min", low), limits.get("max", high))

    def detach(self) -> Any:
        """A new leaf with the same data and name, through which no error signal passes.

        >>> x = Value(3.0)
        >>> (x * x.detach()).backward()
        >>> x.grad
        3.0
        """
        leaf = self._leaf(self._data, DETACHED)
        if self.name is not None:
            leaf.origin = Origin(None, DETACHED.params, self.name)
        return leaf

    @classmethod
    def _leaf(cls, data: Any, origin: Origin) -> Any:
        leaf = object.__new__(cls)
        leaf._data, leaf.origin, leaf.version = data, origin, clock.now
        leaf._grad = leaf.delta = leaf.a = leaf.b = leaf.da = leaf.db = None
        return leaf

    def _begin(self, data: Any, name: str | None) -> None:
        self._data, self.origin, self.version = data, LEAF, clock.now
        self._grad = self.delta = self.a = self.b = self.da = self.db = None
        if name is not None:
            self.name = name

    def _given(self, data: Any) -> Any:
        """New data as this leaf holds it; raises if it may not, or if this is no leaf."""
        if self.a is not None:
            raise ValueError(
                f"{self.label} was computed ({self.origin.primitive}); its data follows from its inputs. "
                "Assign to a leaf and compute again, or take .detach() first"
            )
        return self._fitted(data)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        if WATCHES:
            noted(self)
        return copied(self, memo)

    def __copy__(self) -> Any:
        if WATCHES:
            noted(self)
        return twin(self, {id(item): item for item in self.inputs if isinstance(item, Node)})

    def __reduce__(self) -> tuple[Any, ...]:
        if WATCHES:
            noted(self)
        return reduced(self)


class Value(Arithmetic):
    """A float on a graph.

    Args:
        data: a real number; ints become floats.
        name: what formulas and pictures call it.

    Works where a float does: arithmetic, comparisons (of the data), ``abs``, ``round``, formatting, ``sum``, ``max``,
    ``sorted``, and as an element of NumPy object arrays. ``.grad`` is None until a backward pass reaches it.

    Raises:
        TypeError: bools, strings, nodes, arrays, complex numbers.

    >>> a, b = Value(2.0, name="a"), Value(-3.0)
    >>> c = a * b + a
    >>> c.backward()
    >>> c.data, a.grad, b.grad
    (-4.0, -2.0, 2.0)
    """

    __slots__ = ()
    scalar = True

    def __init__(self, data: float, *, name: str | None = None) -> None:
        self._begin(as_value_data(data), name)

    @property
    def data(self) -> float:
        """The primal, a Python float. Assigning to a leaf's makes graphs computed from it stale."""
        if WATCHES:
            noted(self)
        return self._data  # type: ignore[no-any-return]

    @data.setter
    def data(self, data: float) -> None:
        assign(self, self._given(data))

    def _fitted(self, data: Any) -> float:
        return as_value_data(data)

    def _fitted_gradient(self, grad: Any) -> float:
        if grad.__class__ is float:
            return grad
        if isinstance(grad, Node):
            _refuse_node(self, grad)
        try:
            return as_value_data(grad)
        except TypeError:
            raise TypeError(f"the gradient of {self.label} is one real number, and got {describe(grad)}") from None

    shape: ClassVar[tuple[int, ...]] = ()
    ndim: ClassVar[int] = 0
    size: ClassVar[int] = 1

    def __lt__(self, other: Any) -> bool:
        return self._data < other._data if other.__class__ is Value else _compared(self._data.__lt__(plain(other)))

    def __le__(self, other: Any) -> bool:
        return self._data <= other._data if other.__class__ is Value else _compared(self._data.__le__(plain(other)))

    def __gt__(self, other: Any) -> bool:
        return self._data > other._data if other.__class__ is Value else _compared(self._data.__gt__(plain(other)))

    def __ge__(self, other: Any) -> bool:
        return self._data >= other._data if other.__class__ is Value else _compared(self._data.__ge__(plain(other)))

    def __eq__(self, other: object) -> bool:
        return _compared(self._data.__eq__(plain(other)))

    def __ne__(self, other: object) -> bool:
        return _compared(self._data.__ne__(plain(other)))

    __hash__ = object.__hash__  # by identity: two Values that are equal are still two parameters

    def __bool__(self) -> bool:
        return bool(self._data != 0.0)

    def __round__(self, digits: int | None = None) -> float:
        return round(self._data, digits)  # type: ignore[no-any-return]

    def __format__(self, spec: str) -> str:
        return format(self._data, spec) if spec else str(self)

    def __repr__(self) -> str:
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
        """``data`` as a leaf that nothing is differentiated with respect to."""
        return Value._leaf(float(data), DETACHED)

    @staticmethod
    def from_tensor(tensor: Tensor) -> Value:
        """The one number of a Tensor as a Value on the same graph."""
        node: Value = Value._leaf(float(tensor._data), units.identity.origin)
        node.a, node.b, node.da = (tensor,), (tensor._data,), BY_RULE
        return node


def _comparing(compare: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """The method of a Tensor that compares its data, element by element."""

    def compared(self: Any, other: Any) -> Any:
        try:
            return compare(self._data, plain(other))
        except (TypeError, ValueError, OverflowError) as error:
            kind = TypeError if isinstance(error, TypeError) else ValueError
            raise kind(f"{describe(self)} cannot be compared with {describe(other)}: {error}") from error

    return compared


def _meaning(function: Callable[..., Any]) -> Callable[..., Any]:
    """The method that means NumPy's function of that name."""

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return function(self, *args, **kwargs)

    method.__name__, method.__doc__ = function.__name__, f"``numpy.{function.__name__}`` of this."
    return method


class _Refused:
    """Stands for a method of arrays that a Tensor does not have, and says why.

    A ``__getattr__`` would make every attribute of a Tensor slower: a training step of the scorer by an eighth.
    """

    def __init__(self, name: str, reason: str) -> None:
        self.name, self.reason = name, reason

    def __get__(self, node: Any, kind: Any = None) -> Any:
        if node is None:
            return self
        raise AttributeError(f"a Tensor has no {self.name}: {self.reason}", name=self.name, obj=node)


class Tensor(Arithmetic):
    """An array on a graph, with NumPy's operators, methods and functions.

    Args:
        data: numbers of any shape; copied. Integers become float64; float32 stays float32.
        name: what formulas and pictures call it.

    ``.data`` is a read-only array: in-place writes raise, assigning a new array is allowed for leaves. ``.grad``, of
    the same shape and type, is None until a backward pass reaches the node.

    Raises:
        TypeError: bools, strings, nodes, complex numbers, float16, objects. ValueError: ragged sequences.

    >>> w = Tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> y = np.sum(np.exp(w @ np.array([0.0, 0.0])))
    >>> y.backward()
    >>> w.grad
    array([[0., 0.],
           [0., 0.]])
    """

    __slots__ = ()
    scalar = False

    def __init__(self, data: Any, *, name: str | None = None) -> None:
        self._begin(as_leaf_array(data), name)

    @property
    def data(self) -> np.ndarray[Any, Any]:
        """The primal, a read-only array. Assigning to a leaf's makes graphs computed from it stale."""
        if WATCHES:
            noted(self)
        view = np.asarray(self._data).view(ReadOnlyArray)
        view.setflags(write=False)
        return view

    @data.setter
    def data(self, data: Any) -> None:
        assign(self, self._given(data))

    def _fitted(self, data: Any) -> np.ndarray[Any, Any]:
        array = as_leaf_array(data)
        if array.shape != self._data.shape:
            raise ValueError(f"{self.label} has shape {self._data.shape}, and got data of shape {array.shape}")
        return array.astype(self._data.dtype, copy=False)

    def _fitted_gradient(self, grad: Any) -> np.ndarray[Any, Any]:
        array = np.asarray(None) if isinstance(grad, Node) else as_operand(f"the gradient of {self.label}", grad)
        if array.dtype == object:
            _refuse_node(self, grad)
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

    def sum(self, axis: Any = None, keepdims: bool = False, **more: Any) -> Any:
        """Sum over ``axis``; see `autodiff.sum`. NumPy's other keywords (``where``, ``initial``, ``dtype``) too."""
        if more:
            return np.sum(self, axis=axis, keepdims=keepdims, **more)
        return reductions.sum(self, axis=axis, keepdims=keepdims)

    def mean(self, axis: Any = None, keepdims: bool = False, **more: Any) -> Any:
        """Mean over ``axis``; other keywords as of `numpy.mean`."""
        if more:
            return np.mean(self, axis=axis, keepdims=keepdims, **more)
        return reductions.mean(self, axis=axis, keepdims=keepdims)

    def prod(self, axis: Any = None, keepdims: bool = False, **more: Any) -> Any:
        """Product over ``axis``; other keywords as of `numpy.prod`."""
        if more:
            return np.prod(self, axis=axis, keepdims=keepdims, **more)
        return reductions.prod(self, axis=axis, keepdims=keepdims)

    def max(self, axis: Any = None, keepdims: bool = False, **more: Any) -> Any:
        """Largest element over ``axis``; other keywords as of `numpy.max`."""
        if more:
            return np.max(self, axis=axis, keepdims=keepdims, **more)
        return reductions.max(self, axis=axis, keepdims=keepdims)

    def min(self, axis: Any = None, keepdims: bool = False, **more: Any) -> Any:
        """Smallest element over ``axis``; other keywords as of `numpy.min`."""
        if more:
            return np.min(self, axis=axis, keepdims=keepdims, **more)
        return reductions.min(self, axis=axis, keepdims=keepdims)

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
        """All elements in one axis."""
        return layout.reshape(self, shape=(-1,))

    flatten = ravel

    def transpose(self, *axes: Any) -> Any:
        """Axes in reverse, or in the given order."""
        return layout.transpose(self, axes=None if not axes or axes[0] is None else _unpacked(axes))

    def swapaxes(self, axis1: int, axis2: int) -> Any:
        """Two axes exchanged."""
        return layout.swapaxes(self, axis1=axis1, axis2=axis2)

    def squeeze(self, axis: Any = None) -> Any:
        """Axes of length 1 removed."""
        return layout.squeeze(self, axis=axis)

    def expand_dims(self, axis: Any) -> Any:
        """New axes of length 1."""
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
        """The elements along ``axis`` at which the condition holds."""
        return np.compress(condition, self, axis=axis)

    @property
    def mT(self) -> Any:
        """The last two axes exchanged."""
        return layout.swapaxes(self, axis1=-1, axis2=-2)

    @property
    def real(self) -> Any:
        """Itself, as of any real numbers."""
        return self

    @property
    def imag(self) -> np.ndarray[Any, Any]:
        """Zeros, plain: nodes hold real numbers."""
        return np.zeros_like(self._data)

    @property
    def nbytes(self) -> int:
        """The bytes that the data takes."""
        return self._data.nbytes  # type: ignore[no-any-return]

    @property
    def itemsize(self) -> int:
        """The bytes of one element."""
        return self._data.itemsize  # type: ignore[no-any-return]

    def value(self) -> Value:
        """The one number of this Tensor as a `Value` on the same graph. Raises ValueError for more than one."""
        if self.size != 1:
            raise ValueError(f"a Value is one number, and this Tensor has shape {self.shape}")
        return Value.from_tensor(self if self.ndim == 0 else self.reshape(()))

    def tolist(self) -> Any:
        """The data as nested lists of floats, outside the graph."""
        return self.data.tolist()

    def __getitem__(self, index: Any) -> Any:
        for item in index if isinstance(index, tuple) else (index,):
            if isinstance(item, Node):
                raise TypeError(f"an index is integers, slices or a mask, and got {describe(item)}; use its .data")
        return layout.getitem(self, index=index)

    def __setitem__(self, index: Any, value: Any) -> NoReturn:
        raise TypeError("a Tensor does not change in place: make the new one with where(...) or scatter(...)")

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

    __lt__ = _comparing(operator.lt)
    __le__ = _comparing(operator.le)
    __gt__ = _comparing(operator.gt)
    __ge__ = _comparing(operator.ge)
    __eq__ = _comparing(operator.eq)
    __ne__ = _comparing(operator.ne)

    __hash__ = object.__hash__

    def __bool__(self) -> bool:
        if self.size != 1:
            raise ValueError(
                f"a Tensor of shape {self.shape} is neither true nor false; use .data.any() or .data.all()"
            )
        return bool(self._data)

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec else str(self)

    def __repr__(self) -> str:
        named = f", name={self.name!r}" if self.name else ""
        kind = "" if self._data.dtype == np.float64 else f", dtype={self._data.dtype}"
        grad = "" if self.grad is None else f", grad={np.array2string(self.grad, prefix='Tensor(', threshold=20)}"
        return (
            f"Tensor({np.array2string(self._data, separator=', ', prefix='Tensor(', threshold=20)}{kind}{grad}{named})"
        )

    def __array__(self, dtype: Any = None, copy: Any = None) -> NoReturn:
        raise TypeError(
            "an array made of a Tensor would silently leave the graph; use .data for the plain array, "
            "autodiff.stack for one Tensor of several, X @ W in place of X.dot(W)"
        )

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        return dispatch_ufunc(ufunc, method, inputs, kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return dispatch_function(function, args, kwargs)

    @staticmethod
    def constant(data: Any) -> Any:
        """``data`` as a leaf that nothing is differentiated with respect to."""
        return Tensor._leaf(data, DETACHED)


for _name, _reason in REFUSED_METHODS.items():
    setattr(Tensor, _name, _Refused(_name, _reason))


def _compared(answer: Any) -> bool:
    """What a float's comparison answers, called a bool: NotImplemented goes on to Python, which asks the other side."""
    return answer  # type: ignore[no-any-return]


def _unpacked(items: tuple[Any, ...]) -> tuple[int, ...]:
    return tuple(items[0]) if len(items) == 1 and isinstance(items[0], tuple | list) else items


def _refuse_node(node: Node, grad: Any) -> NoReturn:
    raise TypeError(
        f"the gradient of {node.label} is plain numbers, to which backward passes add, and got {describe(grad)}; "
        "assign its .data, and keep what is to be differentiated again in a variable"
    )


def detach(x: Any) -> Any:
    """``x.detach()`` for a node, ``x`` itself for plain numbers and arrays.

    >>> detach(2.0)
    2.0
    """
    return x.detach() if isinstance(x, Arithmetic) else x


#: The name of `detach` elsewhere: no error signal passes.
stop_gradient = detach


def given(data: Iterable[tuple[Any, Any]]) -> tuple[Change, ...]:
    """What assigning to ``.data`` commits, for pairs of a leaf and its new data.

    Raises:
        TypeError, ValueError: the data are not of the leaf's kind, or not of its shape; the node was computed.
    """
    leaves, fresh = [], []
    for leaf, each in data:
        leaves.append(leaf)
        fresh.append(leaf._given(each))
    return assigned(leaves, fresh)


def move(changes: Iterable[tuple[Any, Any]]) -> None:
    """Add to each leaf's data its change, as an optimiser's step does: θ ← θ + change, for all or for none.

    Args:
        changes: pairs of a leaf and a number or array of its shape, which is converted to its type; changes of a leaf
            that comes more than once add up, in their order. Graphs computed from a leaf that moves become stale.

    If anything raises, Ctrl-C included, no leaf has moved.

    Raises:
        TypeError: what was given is not pairs of a node and real numbers.
        ValueError: a node was computed, or a change has another shape.

    >>> x = Value(3.0)
    >>> move([(x, -1.0)])
    >>> x.data
    2.0
    """
    commit(*moved(changes))


def moved(changes: Iterable[tuple[Any, Any]]) -> tuple[Change, ...]:
    """What `move` commits, for those who have more to change in the same step. Raises as `move` does."""
    if changes.__class__ is not list and not _is_iterable(changes):
        raise TypeError(f"{_PAIRS}, and got {describe(changes)}")
    fresh: dict[Any, Any] = {}
    for pair in changes:
        try:
            leaf, change = pair
            data = fresh.get(leaf, leaf._data)
        except (TypeError, ValueError, AttributeError):
            raise TypeError(f"{_PAIRS}, and got {describe(pair)} among them") from None
        # What `_sum` does where nothing is to be converted, written out: a call takes a sixth of the time.
        usual = change.__class__ is data.__class__ is ndarray and change.dtype is data.dtype and leaf.a is None
        fresh[leaf] = data + change if usual and change.shape == data.shape != () else _sum(leaf, data, change)
    return assigned(fresh.keys(), fresh.values())


def _is_iterable(item: Any) -> bool:
    return isinstance(item, Iterable) and not isinstance(item, Node | np.ndarray)


_PAIRS: Final = "move takes pairs of a leaf and its change, as in move([(x, 0.5)])"


def _sum(leaf: Any, before: Any, change: Any) -> Any:
    """``before`` plus a change as the leaf's kind of data."""
    if change.__class__ is float:
        came: Any = ()
    else:
        if change.__class__ is not np.ndarray or change.dtype.char not in "df":
            change = as_operand("move", change)
            if change.dtype == object:
                raise TypeError(f"{leaf.label} moves by plain numbers, and got nodes as its change; use their .data")
        came = change.shape
    shape = () if before.__class__ is float else before.shape
    if leaf.a is not None or came != shape:
        raise ValueError(
            f"only a leaf moves, by a change of its shape; {leaf.label} has shape {shape}, "
            f"{'was given' if leaf.a is None else 'was computed'}, and the change has shape {came}"
        )
    data = before + change
    if shape:
        return data if data.dtype is before.dtype else data.astype(before.dtype)
    if before.__class__ is float:
        return float(data)
    return np.asarray(data, before.dtype)  # where no axis is left, NumPy answers with a scalar of its own
