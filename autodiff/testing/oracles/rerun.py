"""The oracles that run the program again: in exact arithmetic, dual numbers, mpmath, or complex numbers.

Each returns the derivative along a direction, or raises `NotApplicable` with the reason.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from typing import Any, Final

import numpy as np

from autodiff.engine.backward import backpropagate
from autodiff.engine.graph import topological
from autodiff.engine.plain import plain
from autodiff.engine.shares import edge_shares
from autodiff.engine.trees import flatten, tree_map
from autodiff.testing.oracles.dual import Dual, DualArray, duals, exact
from autodiff.testing.oracles.dual_mpmath import mpmath_duals
from autodiff.testing.subject import Arrays, OwnFunction, PlainPair, Subject

__all__ = ["ORACLES", "NotApplicable", "elements", "rounding_back", "slope_by"]

Slope = Callable[[Subject, Arrays, Arrays, Arrays], float]

_COMPLEX_STEP: Final = 2.0**-200  # its square vanishes beside 1, and nothing is subtracted
_SHORT: Final = 2**10  # multiples of 1/1024 below 2¹³: products and sums of them are exact in float64
_LAST_DIGITS: Final = 1e-12


class NotApplicable(Exception):  # noqa: N818 - not an error
    """An oracle cannot run this program."""


def slope_by(oracle: str, subject: Subject, points: Arrays, direction: Arrays, weights: Arrays) -> float:
    """⟨weights, ∂f/∂direction⟩ by an oracle of `ORACLES`; raises NotApplicable if it cannot run the program."""
    try:
        with np.errstate(all="ignore"):
            slope = ORACLES[oracle](subject, points, direction, weights)
        if not math.isfinite(slope):
            raise NotApplicable(f"its numbers overflow: it returns {slope}")
        return slope
    except NotApplicable:
        raise
    except ImportError:
        raise
    except Exception as error:  # the user's function may do anything with unknown types of numbers
        raise NotApplicable(f"{type(error).__name__}: {' '.join(str(error).split())}") from None


def _by_duals(xp: Any, subject: Subject, points: Arrays, direction: Arrays, weights: Arrays) -> Any:
    """The weighted sum of the tangents of the outputs, by running the program on dual numbers."""
    if not isinstance(subject, OwnFunction):
        raise NotApplicable("it runs functions of Values and Tensors only")
    if any(v.any() for leaf, v in zip(subject.leaves, direction, strict=True) if leaf.argument is None):
        raise NotApplicable("it differentiates arguments, not parameters that f holds")
    leaves = [
        _lifted(xp, x, v, scalar=leaf.scalar) for leaf, x, v in zip(subject.leaves, points, direction, strict=True)
    ]
    outputs = flatten(subject.f(*subject.arguments(leaves)))
    terms = [
        xp.constant(float(w)) * z.tangent
        for output, weight in zip(outputs, weights, strict=True)
        for w, z in zip(np.ravel(weight), np.ravel(np.asarray(output, dtype=object)), strict=True)
        if isinstance(z, Dual)
    ]
    return sum(terms, xp.zero)


def _lifted(xp: Any, x: Any, v: Any, *, scalar: bool) -> Any:
    if scalar:
        return Dual(xp.constant(float(x)), xp.constant(float(v)), xp)
    box = np.empty(x.shape, dtype=object)
    for place in np.ndindex(x.shape):
        box[place] = Dual(xp.constant(float(x[place])), xp.constant(float(v[place])), xp)
    return box.view(DualArray)


def _by_floats(subject: Subject, points: Arrays, direction: Arrays, weights: Arrays) -> float:
    return float(_by_duals(duals, subject, points, direction, weights))


def _by_mpmath(subject: Subject, points: Arrays, direction: Arrays, weights: Arrays) -> float:
    return float(_by_duals(mpmath_duals(), subject, points, direction, weights))


def _by_fractions(subject: Subject, points: Arrays, direction: Arrays, weights: Arrays) -> float:
    """The exact derivative, where floats are exact too: every value, and the derivative, is a short number."""
    if isinstance(subject, OwnFunction) and not all(map(_is_short, _data(subject, points))):
        raise NotApplicable("floats round in the forward pass")  # and Fractions grow: 100,000 steps would never end
    slope = Fraction(_by_duals(exact, subject, points, direction, weights))
    if not _is_short(slope):
        raise NotApplicable("floats round the derivative")
    return float(slope)


def _data(subject: OwnFunction, points: Arrays) -> Iterable[float]:
    """All numbers of the recorded graph, including constants."""
    for output in subject.call(points)[1]:
        for node in topological(output):
            for item in (node, *node.inputs):
                yield from np.ravel(plain(item)).tolist()


def elements(subject: OwnFunction, points: Arrays) -> int:
    """How many numbers the arrays of the recorded graph hold, which dual numbers compute one by one."""
    nodes = {node for output in subject.call(points)[1] for node in topological(output)}
    return sum(np.size(node._data) for node in nodes if not node.scalar)


def rounding_back(subject: OwnFunction, points: Arrays, cotangents: Arrays) -> float:
    """A bound on the rounding of the backward pass; 0 if all its numbers are short, up to their last digits.

    A sum of ten x/10 has short values and the derivative 1, but ten rounded tenths add up to a little less.
    """
    numbers: list[float] = []
    for output, cotangent in zip(subject.call(points)[1], cotangents, strict=True):
        signals = backpropagate(output, float(cotangent) if output.scalar else cotangent)
        shares = (share for node, signal in signals.items() for _, share in edge_shares(node, signal))
        numbers += (x for part in (*signals.values(), *shares) for x in np.ravel(part).tolist())
    return 0.0 if all(map(_is_nearly_short, numbers)) else _LAST_DIGITS * sum(map(abs, numbers))


def _is_nearly_short(number: float) -> bool:
    scaled = number * _SHORT
    return math.isfinite(scaled) and abs(scaled - round(scaled)) <= _LAST_DIGITS * abs(scaled)


def _is_short(number: Any) -> bool:
    scaled = number * _SHORT
    return bool(scaled == int(scaled) and abs(number) < 8 * _SHORT)


class _Analytic(np.lib.mixins.NDArrayOperatorsMixin):
    """A complex array that refuses functions without a complex derivative: comparisons, absolute values, rounding.

    It is not an ndarray, so that nothing converts it silently to a plain array or number: a lost derivative would
    acquit a gradient that lost the same.
    """

    def __init__(self, data: Any) -> None:
        self._data = np.asarray(data)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if ufunc not in _HOLOMORPHIC:
            raise NotApplicable(f"{ufunc.__name__} has no complex derivative")
        into = kwargs.get("out", ())
        if not all(isinstance(out, _Analytic) for out in into):
            raise NotApplicable(f"{ufunc.__name__} writes to an array of real numbers")
        result = getattr(ufunc, method)(*_plain(inputs), **_plain(kwargs))
        return into[0] if into else _Analytic(result)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if function not in _LINEAR:
            raise NotApplicable(f"{function.__name__} is not known to have a complex derivative")
        return _Analytic(function(*_plain(args), **_plain(kwargs)))

    def __getattr__(self, name: str) -> Any:
        if name in _FACTS:
            return getattr(self._data, name)
        if name == "T":
            return _Analytic(self._data.T)
        if name not in _METHODS:
            raise NotApplicable(f"{name} has no complex derivative")
        return lambda *args, **kwargs: _Analytic(getattr(self._data, name)(*_plain(args), **_plain(kwargs)))

    def __getitem__(self, index: Any) -> Any:
        return _Analytic(self._data[index])

    def __setitem__(self, index: Any, item: Any) -> None:
        self._data[index] = _plain(item)

    def __len__(self) -> int:
        return len(self._data)

    def _refuse(self, *_: Any, **__: Any) -> Any:
        raise NotApplicable("a conversion to a plain number or array has no complex derivative")

    __array__ = __float__ = __int__ = __complex__ = __bool__ = __index__ = _refuse


def _plain(item: Any) -> Any:
    """Arguments with plain complex arrays instead of `_Analytic` ones."""
    if isinstance(item, _Analytic):
        return item._data
    return tree_map(_plain, item) if isinstance(item, list | tuple | dict) else item


#: The attributes of a complex array, and the methods that have a complex derivative.
_FACTS: Final = frozenset({"shape", "ndim", "size"})
_METHODS: Final = frozenset({
    "sum", "mean", "prod", "dot", "copy", "reshape", "ravel", "flatten", "transpose", "squeeze", "swapaxes", "cumsum",
    "cumprod", "trace", "diagonal", "repeat", "take",
})  # fmt: skip

_HOLOMORPHIC: Final = frozenset({
    np.add, np.subtract, np.multiply, np.divide, np.negative, np.positive, np.power, np.exp, np.expm1, np.log,
    np.log1p, np.sqrt, np.square, np.reciprocal, np.sin, np.cos, np.tan, np.arctan, np.sinh, np.cosh, np.tanh,
    np.matmul,
})  # fmt: skip
_LINEAR: Final = frozenset({
    np.sum, np.mean, np.prod, np.dot, np.einsum, np.transpose, np.reshape, np.ravel, np.concatenate, np.stack, np.trace,
    np.cumsum, np.squeeze, np.expand_dims, np.swapaxes, np.outer, np.roll, np.flip, np.tensordot, np.broadcast_to,
})  # fmt: skip


def _by_complex_step(subject: Subject, points: Arrays, direction: Arrays, weights: Arrays) -> float:
    """Im f(x + i h v)/h: no subtraction, so h may be tiny. Source: Squire and Trapp (1998)."""
    if not isinstance(subject, PlainPair):
        raise NotApplicable("it runs pairs of functions of NumPy arrays only")
    leaves = [_Analytic(x + 1j * _COMPLEX_STEP * v) for x, v in zip(points, direction, strict=True)]
    terms = []
    for output, weight in zip(flatten(subject.f(*subject.arguments(leaves))), weights, strict=True):
        if not isinstance(output, _Analytic):
            raise NotApplicable("the function turned complex numbers into real ones")
        terms.append(float(np.sum(weight * output._data.imag)) / _COMPLEX_STEP)
    return float(sum(terms))


#: From the sharpest on. Differences, in `autodiff.testing.oracles.interval`, always apply.
ORACLES: Final[Mapping[str, Slope]] = {
    "exact": _by_fractions, "dual": _by_floats, "mpmath": _by_mpmath, "complex": _by_complex_step,
}  # fmt: skip
