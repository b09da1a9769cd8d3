"""`Value`, a float on a graph, and `Tensor`, an array on a graph: what users compute with.

Arithmetic comes from the table; here are only the two kinds of node, how each records a call, and Python's and
NumPy's ways of asking for one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, ClassVar, Final, NoReturn

import numpy as np

from autodiff import array, scalar
from autodiff.backprop import local_gradients, send_back
from autodiff.graph import BY_RULE, DETACHED, LEAF, Node, check_fresh, clock, topological
from autodiff.namespace import arrays, as_float
from autodiff.numpy_protocol import dispatch_function, dispatch_ufunc
from autodiff.ops import elementwise, layout, linear, reductions, units
from autodiff.primitive import RECORDERS, TABLE, Objects, Origin, Primitive, as_operand, describe

__all__ = ["Tensor", "Value", "detach", "move", "stop_gradient"]


class _Arithmetic(Node):
    """What both kinds of node do in the same way."""

    __slots__ = ()

    if TYPE_CHECKING:  # set from the table below; declared here for type checkers
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
        send_back(self, seed, None)

    def clip(self, low: float | None = None, high: float | None = None) -> Any:
        """The number, or every element, limited to [low, high]."""
        return elementwise.clip(self, low, high)

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
        leaf._data, leaf.origin, leaf.stamp = data, origin, clock.now
        leaf.grad = leaf.mark = leaf.a = leaf.b = leaf.da = leaf.db = None
        return leaf

    def _assign(self, data: Any) -> None:
        if self.a is not None:
            raise ValueError(
                f"{self.label} was computed ({self.origin.primitive}); its data follows from its inputs. "
                "Assign to a leaf and compute again, or take .detach() first"
            )
        self._data = data
        self.stamp = clock.tick()

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return _copied(self, memo)

    def __copy__(self) -> Any:
        return _twin(self, {id(item): item for item in self.inputs if isinstance(item, Node)})

    def __reduce__(self) -> tuple[Any, ...]:
        order = topological(self)
        for node in order:
            for item in node.inputs:
                if isinstance(item, Node):
                    check_fresh(node, item)
        place = {node: k for k, node in enumerate(order)}
        if self.a is None:
            return _restored, ([_record(self, place)],)
        # leaves go as objects of their own: pickled beside the output, as in a net, they stay its leaves
        return _restored, ([node if node.a is None else _record(node, place) for node in order],)


class Value(_Arithmetic):
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
        self._data = _as_float(data)
        self.stamp = clock.now
        self.origin = LEAF
        self.grad = self.mark = self.a = self.b = self.da = self.db = None
        if name is not None:
            self.name = name

    @property
    def data(self) -> float:
        """The primal, a Python float. Assigning to a leaf's makes graphs computed from it stale."""
        return self._data  # type: ignore[no-any-return]

    @data.setter
    def data(self, data: float) -> None:
        self._assign(_as_float(data))

    shape: ClassVar[tuple[int, ...]] = ()
    ndim: ClassVar[int] = 0
    size: ClassVar[int] = 1

    def __lt__(self, other: Any) -> bool:
        return self._data < other._data if other.__class__ is Value else _compared(self._data.__lt__(_plain(other)))

    def __le__(self, other: Any) -> bool:
        return self._data <= other._data if other.__class__ is Value else _compared(self._data.__le__(_plain(other)))

    def __gt__(self, other: Any) -> bool:
        return self._data > other._data if other.__class__ is Value else _compared(self._data.__gt__(_plain(other)))

    def __ge__(self, other: Any) -> bool:
        return self._data >= other._data if other.__class__ is Value else _compared(self._data.__ge__(_plain(other)))

    def __eq__(self, other: object) -> bool:
        return _compared(self._data.__eq__(_plain(other)))

    def __ne__(self, other: object) -> bool:
        return _compared(self._data.__ne__(_plain(other)))

    __hash__ = object.__hash__  # by identity: two Values that are equal are still two parameters

    def __bool__(self) -> bool:
        return bool(self._data != 0.0)

    def __round__(self, digits: int | None = None) -> float:
        return float(round(self._data, digits or 0)) if digits is not None else round(self._data)

    def __format__(self, spec: str) -> str:
        return format(self._data, spec) if spec else str(self)

    def __repr__(self) -> str:
        grad = "–" if self.grad is None else f"{self.grad:.6g}"
        named = f", name={self.name!r}" if self.name else ""
        return f"Value(data={self._data:.6g}, grad={grad}{named})"

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if any(isinstance(x, np.ndarray) and x.dtype == object for x in inputs):
            boxed = [_boxed(x) if isinstance(x, Value) else x for x in inputs]
            return getattr(ufunc, method)(*boxed, **kwargs)
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


class Tensor(_Arithmetic):
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
        self._data = _as_leaf_array(data)
        self.stamp = clock.now
        self.origin = LEAF
        self.grad = self.mark = self.a = self.b = self.da = self.db = None
        if name is not None:
            self.name = name

    @property
    def data(self) -> np.ndarray[Any, Any]:
        """The primal, a read-only array. Assigning to a leaf's makes graphs computed from it stale."""
        view = np.asarray(self._data).view()
        view.setflags(write=False)
        return view

    @data.setter
    def data(self, data: Any) -> None:
        given = _as_leaf_array(data)
        if given.shape != self._data.shape:
            raise ValueError(f"{self.label} has shape {self._data.shape}, and got data of shape {given.shape}")
        self._assign(given.astype(self._data.dtype, copy=False))

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

    def sum(self, axis: Any = None, keepdims: bool = False) -> Any:
        """Sum over ``axis``; see `autodiff.sum`."""
        return reductions.sum(self, axis=axis, keepdims=keepdims)

    def mean(self, axis: Any = None, keepdims: bool = False) -> Any:
        """Mean over ``axis``."""
        return reductions.mean(self, axis=axis, keepdims=keepdims)

    def prod(self, axis: Any = None, keepdims: bool = False) -> Any:
        """Product over ``axis``."""
        return reductions.prod(self, axis=axis, keepdims=keepdims)

    def max(self, axis: Any = None, keepdims: bool = False) -> Any:
        """Largest element over ``axis``."""
        return reductions.max(self, axis=axis, keepdims=keepdims)

    def min(self, axis: Any = None, keepdims: bool = False) -> Any:
        """Smallest element over ``axis``."""
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
        return layout.transpose(self, axes=_unpacked(axes) if axes and axes != (None,) else None)

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

    def value(self) -> Value:
        """The one number of this Tensor as a `Value` on the same graph. Raises ValueError for more than one."""
        if self.size != 1:
            raise ValueError(f"a Value is one number, and this Tensor has shape {self.shape}")
        return Value.from_tensor(self if self.ndim == 0 else self.reshape(()))

    def tolist(self) -> Any:
        """The data as nested lists of floats, outside the graph."""
        return self._data.tolist()

    def __getitem__(self, index: Any) -> Any:
        for item in index if isinstance(index, tuple) else (index,):
            if isinstance(item, Node):
                raise TypeError(f"an index is integers, slices or a mask, and got {describe(item)}; use its .data")
        return layout.getitem(self, index=_own_index(index))

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

    def __lt__(self, other: Any) -> Any:
        return self._data < _plain(other)

    def __le__(self, other: Any) -> Any:
        return self._data <= _plain(other)

    def __gt__(self, other: Any) -> Any:
        return self._data > _plain(other)

    def __ge__(self, other: Any) -> Any:
        return self._data >= _plain(other)

    def __eq__(self, other: object) -> Any:
        return self._data == _plain(other)

    def __ne__(self, other: object) -> Any:
        return self._data != _plain(other)

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
            "autodiff.stack for one Tensor of several"
        )

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        return dispatch_ufunc(ufunc, method, inputs, kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return dispatch_function(function, args, kwargs)

    @staticmethod
    def constant(data: Any) -> Any:
        """``data`` as a leaf that nothing is differentiated with respect to."""
        return Tensor._leaf(data, DETACHED)


# ---- plain data in and out -------------------------------------------------------------------------------------------


def _as_float(data: Any) -> float:
    kind = data.__class__
    if kind is float:
        return data  # type: ignore[no-any-return]
    if kind is int or (isinstance(data, int | float | np.integer | np.floating) and not isinstance(data, bool)):
        return as_float(data)
    if isinstance(data, np.ndarray) and data.ndim == 0 and data.dtype.kind in "fiu":
        return float(data)
    hint = "; for an array use Tensor" if isinstance(data, np.ndarray | list | tuple) else ""
    hint = "; it is a node already" if isinstance(data, Node) else hint
    raise TypeError(f"a Value holds one real number, and got {describe(data)}{hint}")


def _as_leaf_array(data: Any) -> np.ndarray[Any, Any]:
    """A read-only copy of ``data`` as float64 or float32."""
    if isinstance(data, Node):
        raise TypeError(f"a Tensor is made of plain numbers, and got {describe(data)}; use its .data or .detach()")
    if isinstance(data, list | tuple) and any(isinstance(item, Node) for item in data):
        raise TypeError("a Tensor is made of plain numbers, and got nodes; join nodes with autodiff.stack")
    array = as_operand("a Tensor", data)
    if array.dtype == object:
        raise TypeError("a Tensor is made of plain numbers, and got objects; join nodes with autodiff.stack")
    array = np.array(array, order="C")
    array.setflags(write=False)
    return array


def _constant(entry: Primitive, item: Any) -> np.ndarray[Any, Any] | float:
    """A constant operand as the graph may keep it: an array nobody can write to, copied only if somebody could."""
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
            raise TypeError(f"{entry.name} got objects beside a Tensor; autodiff.stack makes one Tensor of Values")
    array.setflags(write=False)
    return array


_KEPT: Final = "dfbBhHiIlLqQ?"  # types that NumPy's arithmetic takes as they are: not float16, not objects


def _own_index(index: Any) -> Any:
    """An index whose arrays nobody else can write to: the backward pass must see the same ones."""
    if isinstance(index, tuple):
        return tuple(map(_own_index, index))
    return np.array(index) if isinstance(index, np.ndarray | list) else index


def _plain(item: Any) -> Any:
    return item._data if isinstance(item, Node) else item


def _compared(answer: Any) -> bool:
    return answer  # type: ignore[no-any-return]


def _boxed(value: Value) -> np.ndarray[Any, Any]:
    box = np.empty((), dtype=object)
    box[()] = value
    return box


def _unpacked(items: tuple[Any, ...]) -> tuple[int, ...]:
    return tuple(items[0]) if len(items) == 1 and isinstance(items[0], tuple | list) else items


# ---- how a call is recorded ------------------------------------------------------------------------------------------


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
        return entry.evaluate([_boxed(x) if isinstance(x, Value) else x for x in inputs], params)
    inputs = tuple([x if x.__class__ is Value or x.__class__ is float else _scalar(entry, x) for x in inputs])
    method = _value_method(entry)
    if method is not None:
        return method(*inputs, **params)
    data = [x._data if x.__class__ is Value else x for x in inputs]
    z, partials = scalar.kernel(entry, len(data))(*data, **params)
    return _value_node(entry, inputs, partials, params, z)


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
        return _as_float(item)
    except TypeError:
        raise TypeError(f"{entry.name} takes Values and real numbers, and got {describe(item)}") from None


def _value_node(entry: Primitive, inputs: tuple[Any, ...], partials: Any, params: dict[str, Any], z: float) -> Value:
    node: Value = _new(Value)
    node._data, node.stamp = z, clock.now
    node.origin = scalar.origin_of(entry, **params) if params else entry.origin
    node.grad = node.mark = None
    node.a = node.b = inputs
    node.da = node.db = partials
    if float in map(type, inputs):
        _link(node, inputs, partials)
    return node


def _link(node: Node, inputs: tuple[Any, ...], partials: tuple[Any, ...]) -> None:
    """Set the edges of a Value with its inputs in a tuple; ``b`` and ``db`` leave the constants out."""
    edges = [(x, local) for x, local in zip(inputs, partials, strict=True) if isinstance(x, Node)]
    node.a, node.da = inputs, partials
    node.b, node.db = (tuple(part) for part in zip(*edges, strict=True))


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
    data = np.array([_plain(x) for x in values], dtype=float)
    with np.errstate(all="ignore"):
        z = np.asarray(entry.forward(arrays, data))
        partials = np.broadcast_to(entry.rule(0)(np.ones(()), z, data), data.shape).tolist()
    return _value_node(
        entry, tuple(float(x) if not isinstance(x, Node) else x for x in values), tuple(partials), {}, float(z)
    )


def record_tensor(entry: Primitive, inputs: tuple[Any, ...], params: dict[str, Any]) -> Any:
    """The node of a call on arrays."""
    if entry.arity is not None:
        return _tensor_method(entry)(*inputs, **params)
    kept = tuple([x if isinstance(x, Node) else _constant(entry, x) for x in inputs])
    data = tuple([_plain(x) for x in kept])
    try:
        z = array.checked(entry, entry.forward(arrays, *data, **params))
    except array.FORWARD_FAULTS as error:
        raise entry.refusal(data, params, error) from error
    node: Tensor = Tensor._leaf(z, Origin(entry, params) if params else entry.origin)
    node.a, node.b, node.da = kept, data, BY_RULE
    return node


def _tensor_method(entry: Primitive) -> Callable[..., Any]:
    if Tensor not in entry.methods:
        entry.methods[Tensor] = array.method(entry, Tensor, _constant)
    return entry.methods[Tensor]


RECORDERS[Value] = record_value
RECORDERS[Tensor] = record_tensor
RECORDERS[Objects] = record_objects

# ---- copies ----------------------------------------------------------------------------------------------------------


def _record(node: Node, place: Mapping[Node, int]) -> tuple[Any, ...]:
    """One node as plain data, its inputs as positions in a list: pickling depth does not grow with the graph's."""
    packed = [(True, place[x]) if isinstance(x, Node) else (False, x) for x in node.inputs]
    partials = node.db if node.da is BY_RULE else local_gradients(node)
    return type(node), node._data, node.grad, node.origin, packed, partials, node.da is BY_RULE


def _restored(records: list[Any]) -> Node:
    made: list[Any] = []
    for record in records:
        if isinstance(record, Node):
            made.append(record)
            continue
        kind, data, grad, origin, packed, partials, by_rule = record
        node = kind._leaf(_read_only(data), origin)
        node.grad = grad
        if packed:
            inputs = tuple(made[x] if is_node else _read_only(x) for is_node, x in packed)
            if by_rule:
                node.a, node.b, node.da, node.db = inputs, tuple(map(_plain, inputs)), BY_RULE, partials
            else:
                _link(node, inputs, partials)
        made.append(node)
    return made[-1]  # type: ignore[no-any-return]


def _read_only(item: Any) -> Any:
    if isinstance(item, np.ndarray):
        item.setflags(write=False)
    return item


def _copied(output: Node, memo: dict[int, Any]) -> Node:
    """A copy of the graph under ``output``, without recursion; what ``memo`` holds already is not copied again."""
    for node in topological(output):
        if id(node) not in memo:
            memo[id(node)] = _twin(node, memo)
    return memo[id(output)]  # type: ignore[no-any-return]


def _twin(node: Any, memo: Mapping[int, Any]) -> Any:
    """A copy of one node, with the inputs that ``memo`` has for its inputs; a stale node's copy is as stale."""
    twin = type(node)._leaf(node._data, node.origin)
    twin.stamp = node.stamp
    twin.grad = node.grad if node.scalar else None if node.grad is None else node.grad.copy()
    if node.a is not None:
        inputs = tuple(memo[id(x)] if isinstance(x, Node) else x for x in node.inputs)
        if node.da is BY_RULE:
            twin.a, twin.b, twin.da, twin.db = inputs, node.b, BY_RULE, node.db
        else:
            _link(twin, inputs, local_gradients(node))
    return twin


def detach(x: Any) -> Any:
    """``x.detach()`` for a node, ``x`` itself for plain numbers and arrays.

    >>> detach(2.0)
    2.0
    """
    return x.detach() if isinstance(x, _Arithmetic) else x


def move(changes: Sequence[tuple[Any, Any]]) -> None:
    """Add to each leaf's data its change, as an optimiser's step does: θ ← θ + change, for all or for none.

    Args:
        changes: pairs of a leaf and a number or array of its shape and type. Graphs computed from it become stale.

    Raises:
        ValueError: a node was computed, or a change has another shape.

    >>> x = Value(3.0)
    >>> move([(x, -1.0)])
    >>> x.data
    2.0
    """
    moved = [_moved(leaf, change) for leaf, change in changes]
    now = clock.tick()
    for (leaf, _), data in zip(changes, moved, strict=True):
        leaf._data, leaf.stamp = data, now


def _moved(leaf: Any, change: Any) -> Any:
    before = leaf._data
    shape = () if before.__class__ is float else before.shape
    if leaf.a is not None or getattr(change, "shape", ()) != shape:
        raise ValueError(
            f"only a leaf moves, by a change of its shape; {leaf.label} has shape {shape}, "
            f"{'was given' if leaf.a is None else 'was computed'}, and the change has shape {np.shape(change)}"
        )
    data = before + change
    if shape:
        return data if data.dtype is before.dtype else data.astype(before.dtype)
    if before.__class__ is float:
        return float(data)
    return np.asarray(data, before.dtype)  # where no axis is left, NumPy answers with a scalar of its own


#: The name of `detach` elsewhere: no error signal passes.
stop_gradient = detach

# ---- operators -------------------------------------------------------------------------------------------------------

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
    for entry in TABLE.values():
        if entry.elementwise and entry.arity == 1 and not hasattr(_Arithmetic, entry.name):
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
