"""Dual numbers: a value with its slope along a direction, through the forwards of the table.

A forward is written once for floats, arrays and symbols; here it runs on `Dual`s and on arrays of them (norm,
logsumexp and linear algebra by their definitions, as NumPy cannot compute their forwards on objects). The slopes come
from the elementary derivatives in `autodiff.testing.oracles.dual_slopes`, not from rules of the table, so they are an
independent derivation of every primitive.
The parts of a Dual may be floats, ``Fraction``s or mpmath's numbers; `duals_over` makes the namespace for each.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from fractions import Fraction
from types import SimpleNamespace
from typing import Any, Final

import numpy as np

from autodiff.primitives.namespace import FLOAT_FAULTS, arrays, floats
from autodiff.primitives.primitive import Primitive
from autodiff.primitives.registry import BUILT_IN, RECORDERS, TABLE
from autodiff.testing.oracles.dual_matrices import ON_MATRICES
from autodiff.testing.oracles.dual_slopes import ROUNDED, SLOPES

__all__ = ["Dual", "DualArray", "TieError", "duals", "duals_over", "exact"]


class TieError(ArithmeticError):
    """Two equal values were compared: the program is at a kink, where its slope is not unique."""


class Dual:
    """primal + tangent·ε with ε² = 0; operators and all primitives of the table accept it.

    >>> x = Dual(3.0, 1.0)
    >>> (x * x + 2.0).tangent
    6.0
    >>> TABLE["sigmoid"](Dual(0.0, 1.0)).tangent
    0.25
    """

    __slots__ = ("primal", "tangent", "xp")

    def __init__(self, primal: Any, tangent: Any, xp: Any = None) -> None:
        self.primal, self.tangent = primal, tangent
        self.xp = duals if xp is None else xp

    def parts(self, other: Any) -> tuple[Any, Any]:
        """Primal and tangent of an operand; the tangent of a plain number is 0."""
        if other.__class__ is Dual:
            return other.primal, other.tangent
        return self.xp.constant(other), self.xp.zero

    def __add__(self, other: Any) -> Any:
        y, dy = self.parts(other)
        return Dual(self.primal + y, self.tangent + dy, self.xp)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Any:
        y, dy = self.parts(other)
        return Dual(self.primal - y, self.tangent - dy, self.xp)

    def __rsub__(self, other: Any) -> Any:
        return -self + other

    def __mul__(self, other: Any) -> Any:
        y, dy = self.parts(other)
        if not y and other.__class__ is not Dual:  # a constant 0 blocks even an infinite slope
            return Dual(self.primal * y, self.xp.zero, self.xp)
        return Dual(self.primal * y, self.primal * dy + self.tangent * y, self.xp)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Any:
        y, dy = self.parts(other)
        try:
            return Dual(self.primal / y, (self.tangent * y - self.primal * dy) / (y * y), self.xp)
        except self.xp.faults:
            return _undefined(self.xp)

    def __rtruediv__(self, other: Any) -> Any:
        y, dy = self.parts(other)
        return Dual(y, dy, self.xp) / self

    def __pow__(self, other: Any) -> Any:
        return self.xp.power(self, other)

    def __rpow__(self, other: Any) -> Any:
        return self.xp.power(Dual(*self.parts(other), self.xp), self)

    def __neg__(self) -> Any:
        return Dual(-self.primal, -self.tangent, self.xp)

    def __pos__(self) -> Any:
        return self

    def __abs__(self) -> Any:
        return self if self > 0 else -self

    def __lt__(self, other: Any) -> bool:
        return bool(self.primal < self.apart(other))

    def __le__(self, other: Any) -> bool:
        return bool(self.primal <= self.apart(other))

    def __gt__(self, other: Any) -> bool:
        return bool(self.primal > self.apart(other))

    def __ge__(self, other: Any) -> bool:
        return bool(self.primal >= self.apart(other))

    def __eq__(self, other: object) -> bool:
        return self is other or bool(self.primal == self.apart(other))

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = object.__hash__

    def apart(self, other: Any) -> Any:
        """The other primal, for comparison; raises TieError if it equals ours and their tangents differ."""
        y, dy = self.parts(other)
        if self.primal == y and self.tangent != dy:
            raise TieError("the program compares two equal values here, so it is at a kink")
        return y

    def __float__(self) -> float:
        raise TypeError("float() of a dual number would lose its slope; use its .primal if that is intended")

    def __bool__(self) -> bool:
        return self != 0

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """Primitives as methods, as Values have them."""
        entry = TABLE.get(name)
        if entry is None or not (entry.elementwise and entry.built_in):  # a user may call one dtype, or __array__
            raise AttributeError(f"a dual number has no attribute {name}")
        return lambda *operands, **params: entry(self, *operands, **params)

    def __repr__(self) -> str:
        return f"{self.primal} + {self.tangent}·ε"


class DualArray(np.ndarray[Any, Any]):
    """An array of `Dual`s, on which the forwards of all primitives run: NumPy adds and multiplies its elements.

    >>> x = np.array([Dual(3.0, 1.0), Dual(2.0, 0.0)]).view(DualArray)
    >>> TABLE["sum"](x * x).tangent
    6.0
    """

    def __array_wrap__(self, array: Any, context: Any = None, return_scalar: bool = False) -> Any:
        """A DualArray for arrays of objects; results without axes, and of other types, are plain."""
        if return_scalar or not array.ndim:
            return array[()]
        return array.view(DualArray) if array.dtype == object else np.asarray(array)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """Primitives as methods, as Tensors have them."""
        if name not in BUILT_IN:
            raise AttributeError(f"an array of dual numbers has no attribute {name}")
        return lambda *operands, **params: TABLE[name](self, *operands, **params)


def _recorded(entry: Primitive, inputs: tuple[Any, ...], params: dict[str, Any]) -> Any:
    """The result of a primitive that has a Dual, or an array of them, among its inputs."""
    if entry.elementwise and not any(isinstance(x, np.ndarray | list | tuple) for x in inputs):
        xp = next(x.xp for x in inputs if x.__class__ is Dual)
        return entry.forward(xp, *inputs, **params)
    operands = [np.asarray(x, dtype=object) for x in inputs]
    if entry.elementwise:
        return _as_duals(entry.evaluate(operands, params))
    own = _OWN.get(entry.name)
    return _as_duals(entry.forward(arrays, *operands, **params) if own is None else own(*operands, **params))


def _as_duals(result: Any) -> Any:
    if not isinstance(result, np.ndarray) or result.dtype != object:
        return result
    return result.view(DualArray) if result.ndim else result[()]


def _norm(x: Any, *, axis: Any = None, keepdims: bool = False) -> Any:
    return TABLE["sqrt"]((x * x).sum(axis=axis, keepdims=keepdims))


def _logsumexp(x: Any, *, axis: Any = None, keepdims: bool = False) -> Any:
    top = float(max(item.primal if item.__class__ is Dual else item for item in x.flat))  # any constant will do
    return TABLE["log"](TABLE["exp"](x - top).sum(axis=axis, keepdims=keepdims)) + top


#: Definitions of the forwards that call functions of NumPy which do not support objects.
_OWN: Final[Mapping[str, Callable[..., Any]]] = {
    "astype": lambda x, *, dtype: x, "logsumexp": _logsumexp, "norm": _norm, **ON_MATRICES,
}  # fmt: skip

RECORDERS[Dual] = _recorded
RECORDERS[DualArray] = _recorded


def duals_over(
    base: Any, constant: Callable[[Any], Any] = float, *, faults: tuple[type[Exception], ...] = FLOAT_FAULTS
) -> SimpleNamespace:
    """The namespace for forwards on Duals whose parts are numbers of ``base``, a namespace like ``math``.

    ``constant`` converts a plain number; errors of the types ``faults``, raised where a number is not finite, become
    nan. A function that ``base`` lacks is missing here too.
    """
    xp = SimpleNamespace(constant=constant, zero=constant(0.0), base=base, faults=faults)
    for name, slope in SLOPES.items():
        if hasattr(base, name):
            setattr(xp, name, _lifted(xp, getattr(base, name), slope, base))
    xp.absolute = lambda x: abs(x) if x.__class__ is Dual else abs(constant(x))
    xp.maximum = lambda x, y: x if x > y else y
    xp.minimum = lambda x, y: x if x < y else y
    xp.where = lambda condition, x, y: x if condition else y
    xp.sign = lambda x: constant(1.0 if x > 0 else -1.0 if x < 0 else 0.0)
    xp.copysign = lambda x, y: abs(x) if y > 0 else -abs(x)
    xp.power = _power(xp)
    for name, rounded in ROUNDED.items():
        setattr(xp, name, _constant_between_jumps(xp, rounded))
    xp.floor_divide = lambda x, y: xp.floor(x / y)
    xp.remainder = lambda x, y: x - y * xp.floor(x / y)
    xp.fmod = lambda x, y: x - y * xp.trunc(x / y)
    if hasattr(xp, "exp"):
        _add_special(xp)
    return xp


def _add_special(xp: Any) -> None:
    """Add the functions of `autodiff.primitives.special` by their plain definitions."""

    def logistic(x: Any) -> Any:
        positive = (x.primal if x.__class__ is Dual else x) > 0
        return 1.0 / (1.0 + xp.exp(-x)) if positive else 1.0 - 1.0 / (1.0 + xp.exp(x))

    xp.logistic = logistic
    xp.logistics = lambda x: (logistic(x), logistic(-x))
    xp.sech2 = lambda x, z: 1.0 / (xp.cosh(x) * xp.cosh(x))
    xp.gaussian = lambda x, scale: xp.exp(-scale * (x * x))
    xp.normal_cdf = lambda x: 0.5 * xp.erfc(-x / xp.sqrt(xp.constant(2.0)))
    xp.lorentzian = lambda x: 1.0 / (1.0 + x * x)
    xp.hypot = lambda x, y: xp.sqrt(x * x + y * y)
    xp.arctan2 = lambda y, x: _angle(xp, y, x)
    xp.logaddexp = lambda x, y: xp.maximum(x, y) + xp.log1p(xp.exp(-abs(x - y)))
    xp.spherical_bessel = lambda x, n: _lifted(
        xp,
        lambda y: xp.base.spherical_bessel(y, n),
        lambda m, y, z: (n * m.spherical_bessel(y, n - 1) - (n + 1) * m.spherical_bessel(y, n + 1)) / (2 * n + 1),
        xp.base,
    )(x)


def _angle(xp: Any, y: Any, x: Any) -> Any:
    """The angle of (x, y) by an arc tangent, plus or minus half a turn if x < 0."""
    if x > 0:
        return xp.arctan(y / x)
    turn = xp.base.pi if y >= 0 else -xp.base.pi
    return xp.arctan(y / x) + turn if x < 0 else turn / 2 - xp.arctan(x / y)


def _constant_between_jumps(xp: Any, rounded: Callable[[Any], int]) -> Callable[[Any], Any]:
    """A rounding function, whose slope is 0."""

    def on_duals(x: Any) -> Any:
        primal = x.primal if x.__class__ is Dual else xp.constant(x)
        try:
            z = xp.constant(rounded(primal))
        except (ValueError, OverflowError):  # of inf or nan
            return _undefined(xp)
        return Dual(z, xp.zero, xp) if x.__class__ is Dual else z

    return on_duals


def _undefined(xp: Any) -> Dual:
    """A Dual of nan, for a number or slope that is not finite: it matters only if no closed gate blocks it."""
    return Dual(xp.constant(math.nan), xp.constant(math.nan), xp)


def _lifted(xp: Any, function: Callable[..., Any], slope: Callable[..., Any], base: Any) -> Callable[..., Any]:
    def on_duals(x: Any) -> Any:
        moves = x.__class__ is Dual
        try:
            z = function(x.primal if moves else xp.constant(x))
        except xp.faults:
            return _undefined(xp)
        if not moves:
            return z
        try:
            return Dual(z, slope(base, x.primal, z) * x.tangent, xp)
        except xp.faults:
            return Dual(z, xp.constant(math.nan), xp)

    return on_duals


def _power(xp: Any) -> Callable[..., Any]:
    def power(x: Any, n: Any) -> Any:
        if n.__class__ is not Dual and n == int(n) and abs(n) <= 64:
            return _whole_power(x, int(n))
        y, dy = x.parts(x) if x.__class__ is Dual else (xp.constant(x), xp.zero)
        m, dm = n.parts(n) if n.__class__ is Dual else (xp.constant(n), xp.zero)
        try:
            z = xp.base.power(y, m)
            tangent = m * xp.base.power(y, m - 1) * dy
            return Dual(z, tangent + (z * xp.base.log(y) * dm if dm else xp.zero), xp)
        except xp.faults:
            return _undefined(xp)

    return power


def _whole_power(x: Any, n: int) -> Any:
    """xⁿ by multiplications: exact on Fractions."""
    if n < 0:
        return 1.0 / _whole_power(x, -n)
    if n == 0:
        return x * 0.0 + 1.0
    half = _whole_power(x, n // 2) if n > 1 else None
    square = x if half is None else half * half
    return square * x if n > 1 and n % 2 else square


_floats: Final = SimpleNamespace(**vars(floats), pi=math.pi)
_floats.power = lambda x, n: x**n

#: The namespace for Duals of floats.
duals: Final = duals_over(_floats)

#: The namespace for Duals of Fractions: arithmetic and whole powers, no rounding.
exact: Final = duals_over(SimpleNamespace(), Fraction, faults=())
