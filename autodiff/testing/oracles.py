"""The oracles that run the program again: in exact arithmetic, dual numbers, mpmath, or complex numbers.

Each gives the derivative along a direction, or raises `NotApplicable` with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from typing import Any, Final

import numpy as np

from autodiff.graph import Node, topological
from autodiff.testing.dual import Dual, duals, exact, mpmath_duals
from autodiff.testing.subject import Arrays, OwnFunction, PlainPair, Subject
from autodiff.tree import flatten

__all__ = ["ORACLES", "NotApplicable", "slope_by"]

Slope = Callable[[Subject, Arrays, Arrays, Arrays], float]

_COMPLEX_STEP: Final = 2.0**-200  # its square is lost beside 1, and nothing is subtracted
_SHORT: Final = 2**10  # multiples of 1/1024 below 2¹³: products and sums of them are exact in float64


class NotApplicable(Exception):  # noqa: N818 - an answer, not an error
    """An oracle cannot run this program."""


def slope_by(oracle: str, subject: Subject, points: Arrays, direction: Arrays, weights: Arrays) -> float:
    """⟨weights, ∂f/∂direction⟩ by an oracle of `ORACLES`; raises NotApplicable."""
    try:
        with np.errstate(all="ignore"):
            return ORACLES[oracle](subject, points, direction, weights)
    except NotApplicable:
        raise
    except ImportError:
        raise
    except Exception as error:  # the user's function may do anything with numbers it does not know
        raise NotApplicable(f"{type(error).__name__}: {' '.join(str(error).split())}") from None


def _by_duals(xp: Any, subject: Subject, points: Arrays, direction: Arrays, weights: Arrays) -> Any:
    """The program on dual numbers: the tangents of its outputs, weighted and added up."""
    if not isinstance(subject, OwnFunction):
        raise NotApplicable("dual numbers run programs of this project only")
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
    return box


def _by_floats(subject: Subject, points: Arrays, direction: Arrays, weights: Arrays) -> float:
    return float(_by_duals(duals, subject, points, direction, weights))


def _by_mpmath(subject: Subject, points: Arrays, direction: Arrays, weights: Arrays) -> float:
    return float(_by_duals(mpmath_duals(), subject, points, direction, weights))


def _by_fractions(subject: Subject, points: Arrays, direction: Arrays, weights: Arrays) -> float:
    """Exact where floats are: every value on the way is a short number, and so is the derivative."""
    slope = Fraction(_by_duals(exact, subject, points, direction, weights))
    if not isinstance(subject, OwnFunction) or not all(map(_is_short, [slope, *_data(subject, points)])):
        raise NotApplicable("floats round on the way")
    return float(slope)


def _data(subject: OwnFunction, points: Arrays) -> Iterable[float]:
    """Every number of the recorded graph, constants too."""
    for output in subject.call(points)[1]:
        for node in topological(output):
            for item in (node, *node.inputs):
                yield from np.ravel(item._data if isinstance(item, Node) else item).tolist()


def _is_short(number: Any) -> bool:
    scaled = number * _SHORT
    return bool(scaled == int(scaled) and abs(number) < 8 * _SHORT)


class _Analytic(np.ndarray[Any, Any]):
    """A complex array that refuses what has no complex derivative: comparisons, absolute values, rounding."""

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if ufunc not in _HOLOMORPHIC:
            raise NotApplicable(f"{ufunc.__name__} has no complex derivative")
        plain = [x.view(np.ndarray) if isinstance(x, _Analytic) else x for x in inputs]
        kwargs.pop("out", None)
        return np.asarray(getattr(ufunc, method)(*plain, **kwargs)).view(_Analytic)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if function not in _LINEAR:
            raise NotApplicable(f"{function.__name__} is not known to have a complex derivative")
        return super().__array_function__(function, types, args, kwargs)


def _refused(name: str) -> Any:
    def refuse(_: Any) -> Any:
        raise NotApplicable(f"{name} has no complex derivative")

    return property(refuse)


for _name in ("real", "imag", "conj", "conjugate", "astype", "item", "tolist", "sort", "argsort", "argmax", "argmin"):
    setattr(_Analytic, _name, _refused(_name))

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
        raise NotApplicable("the complex step runs pairs over NumPy arrays only")
    leaves = [
        np.asarray(x + 1j * _COMPLEX_STEP * v).view(_Analytic) for x, v in zip(points, direction, strict=True)
    ]
    terms = []
    for output, weight in zip(flatten(subject.f(*subject.arguments(leaves))), weights, strict=True):
        plain = np.asarray(output)
        if plain.dtype.kind != "c":
            raise NotApplicable("the function made real numbers of complex ones")
        terms.append(float(np.sum(weight * plain.imag)) / _COMPLEX_STEP)
    return float(sum(terms))


#: From the sharpest to the one that always applies, which is in `check`.
ORACLES: Final[Mapping[str, Slope]] = {
    "exact": _by_fractions, "dual": _by_floats, "mpmath": _by_mpmath, "complex": _by_complex_step,
}  # fmt: skip
