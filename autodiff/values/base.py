"""The common base of `Value` and `Tensor`: arithmetic, backward passes, leaving the graph, copies."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from autodiff.engine.backward import run_backward
from autodiff.engine.graph import DETACHED, LEAF, Node, clock
from autodiff.primitives.operands import describe
from autodiff.primitives.origin import Origin
from autodiff.primitives.rows import Rows
from autodiff.primitives.table import elementwise, rounding
from autodiff.system.display import bundle
from autodiff.values.copies import copied, reduced, twin
from autodiff.values.reading import WATCHES, noted, passed, recorder, taken

__all__ = ["Arithmetic", "detach", "refuse_node", "stop_gradient"]


class Arithmetic(Node):
    """The common base of `Value` and `Tensor`."""

    __slots__ = ()

    if TYPE_CHECKING:  # generated from the table by `operators`; declared here for type checkers
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

        def absolute(self, **params: Any) -> Any: ...

        arccos = arccosh = arcsin = arcsinh = arctan = arctanh = cbrt = ceil = co_sigmoid = cos = cosh = elu = absolute
        erfc = exp = exp2 = expm1 = floor = gaussian = gelu = hard_tanh = identity = leaky_relu = log = log10 = absolute
        log1p = log2 = log_sigmoid = lorentzian = negative = normal_cdf = power = reciprocal = relu = rint = absolute
        sech2 = sigmoid = sign = sin = sinc = sinh = soft_sign = softplus = spherical_bessel = sqrt = absolute
        square = tan = tanh = trunc = absolute

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

    def __float__(self) -> float:
        if WATCHES and recorder() is not None:
            taken((self,), "read", self._data)
            return float(self._data)
        raise TypeError(
            f"float() of a {type(self).__name__} would silently leave the graph and lose the gradient; "
            "use autodiff's functions (autodiff.exp for math.exp), or .item() for the plain number"
        )

    def __complex__(self) -> complex:
        return complex(self.__float__())

    def __index__(self) -> NoReturn:
        raise TypeError(
            f"an int or an index made of a {type(self).__name__} would silently leave the graph; write int(x.data) "
            "where a constant is meant"
        )

    def __int__(self) -> int:
        if WATCHES and recorder() is not None:
            taken((self,), "int", int(self._data))
            return int(self._data)
        return self.__index__()

    def item(self) -> float:
        """Return the plain Python number, outside the graph; raises ValueError if there is more than one element.

        >>> from autodiff import Value
        >>> Value(2.0).item()
        2.0
        """
        if WATCHES:
            read = noted(self)
            if recorder() is not None:
                return read if read.scalar else read.value()  # type: ignore[no-any-return]
        return float(np.asarray(self._data).item())

    def backward(self, seed: Any = None) -> None:
        """Backpropagate from this node: add the error signal δ = ∂self/∂node, times the seed, to each node's ``.grad``.

        Args:
            seed: the error signal of this node, of its shape; 1 if omitted (then this node must hold one number).

        The ``.grad`` of a node is None until a pass has reached it; a second pass adds to it. If an error is raised, no
        ``.grad`` changes.

        Raises:
            TypeError: if the seed is a node, or not made of real numbers.
            ValueError: if the seed has another shape, or is omitted and this node has more than one element.
            StaleGraphError: if ``.data`` was assigned after this node was computed.

        Source: notes, section 1.5.

        >>> from autodiff import Value
        >>> x = Value(3.0)
        >>> (x * x).backward()
        >>> x.grad
        6.0
        """
        if WATCHES:
            passed(self)
        run_backward(self, seed, None)

    @property
    def grad_rows(self) -> Any:
        """The gradient as it is kept: `Rows` where a large table was only looked up, else what ``.grad`` returns.

        Reading it takes no time. ``.grad`` makes an array of `Rows`, which counts in their place once it is written to.

        >>> from autodiff import Tensor
        >>> L = Tensor(np.zeros((100_000, 2)))
        >>> L[[7, 7]].sum().backward()
        >>> L.grad_rows.indices, L.grad_rows.rows
        (array([7]), array([[2., 2.]]))
        """
        return self.grad if self._grad.__class__ is tuple else Rows.kept(self._grad)

    def _looked_up(self, index: Any) -> Any:  # noqa: ARG002
        """What a look-up reads: the data; of a leaf whose rows lag, only those picked at ``index`` come up to date."""
        return self._data

    def conjugate(self) -> Any:
        """This node, as for any real number; ``np.var`` and ``np.std`` of a list of Values call it."""
        return self

    conj = conjugate

    def clip(self, low: float | None = None, high: float | None = None, **limits: float | None) -> Any:
        """Limit the number, or every element, to [low, high]; NumPy's names ``min`` and ``max`` work too."""
        if unknown := limits.keys() - {"min", "max"}:
            raise TypeError(f"clip takes low and high, or min and max, and got {', '.join(sorted(unknown))}")
        if limits and not low is high is None:
            raise ValueError("clip takes its limits as low and high or as min and max, and got some of both")
        return elementwise.clip(self, limits.get("min", low), limits.get("max", high))

    def detach(self) -> Any:
        """Return a new leaf with the same data and name, through which no error signal passes.

        >>> from autodiff import Value
        >>> x = Value(3.0)
        >>> (x * x.detach()).backward()
        >>> x.grad
        3.0
        """
        if WATCHES and (made := recorder()) is not None:
            return made.detached(self)
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

    def _refuse(self, more: Any) -> NoReturn:
        """Raise TypeError for an argument after the data."""
        kind = type(self).__name__
        written = f"{kind}(…, name={more!r})" if isinstance(more, str) else f"{kind}(data, name='w')"
        raise TypeError(
            f"a {kind} takes its data only, and a name by keyword, and got {describe(more)} too; write {written}"
        )

    def _given(self, data: Any) -> Any:
        """New data in the form that this leaf holds; raises if the data do not fit or this is not a leaf."""
        if self.a is not None:
            raise ValueError(
                f"{self.label} was computed ({self.origin.primitive}); its data follows from its inputs. "
                "Assign to a leaf and compute again, or take .detach() first"
            )
        return self._fitted(data)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        """The formula, and a picture of a small graph, for notebooks."""
        return bundle(self)

    def _copy_of(self, node: Any, name: str | None) -> None:
        """Begin as a copy of a node of this class, with its edges."""
        self._begin(node._data, name)
        self.origin = node.origin if name is None else Origin(node.origin.primitive, node.origin.params, name)
        self.a, self.b, self.da, self.db = node.a, node.b, node.da, node.db

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        if WATCHES:
            noted(self)
            taken((self,), "read", self._data)
        return copied(self, memo)

    def __copy__(self) -> Any:
        if WATCHES:
            noted(self)
            taken((self,), "read", self._data)
        return twin(self, {id(item): item for item in self.inputs if isinstance(item, Node)})

    def __reduce__(self) -> tuple[Any, ...]:
        if WATCHES:
            noted(self)
            taken((self,), "read", self._data)
        return reduced(self)


def refuse_node(node: Node, grad: Any) -> NoReturn:
    """Raise the TypeError for assigning a node to ``.grad``."""
    raise TypeError(
        f"the gradient of {node.label} must be plain numbers, to which backward passes add, got {describe(grad)}; "
        "assign its .data, and keep a gradient that you want to differentiate in a variable"
    )


def detach(x: Any) -> Any:
    """Return ``x.detach()`` for a node, and ``x`` itself for plain numbers and arrays.

    >>> detach(2.0)
    2.0
    """
    return x.detach() if isinstance(x, Arithmetic) else x


#: The name of `detach` in other libraries.
stop_gradient = detach
