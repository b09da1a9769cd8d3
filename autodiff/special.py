"""Functions that ``math`` or NumPy lack, for floats and for arrays, right to the last digits over their whole range.

What a rule of calculus needs beside a function's value (1 − σ, 1 − tanh²) is lost where the value rounds to 1; here it
is computed from x. Squares that would overflow, or whose rounding an exponential would magnify, are avoided.
"""

from __future__ import annotations

import math
from math import exp
from typing import Any, Final, NamedTuple

import numpy as np

__all__ = ["ARRAYS", "FLOATS"]

_TO_A_SIXTEENTH: Final = 0.0625
_FAR: Final = 1000.0  # e^(−x²/2) is 0 long before
_SATURATED: Final = 0.0625  # of 1 − z²: below it, a z of 53 bits leaves less than 14 digits
_ROOT_HALF: Final = 0.7071067811865476
_ROOT_HALF_SHORT: Final = 0.70709228515625  # of 14 bits: its product with a multiple of 1/16 is exact
_ROOT_HALF_REST: Final = 1.44960302975244e-05
_ERFC_SLOPE: Final = -1.1283791670955126  # −2/√π, at 0


# ---- floats ----------------------------------------------------------------------------------------------------------


def _logistics(x: float) -> tuple[float, float, float]:
    """σ(x), and two factors of 1 − σ(x)."""
    if x >= 0:
        e = exp(-x)
        z = 1.0 / (1.0 + e)
        return z, e, z
    e = exp(x)
    rest = 1.0 / (1.0 + e)
    return e * rest, rest, 1.0


def _logistic(x: float) -> float:
    return _logistics(x)[0]


def _sech2(x: float, z: float) -> float:
    """1 − z² for z = tanh x; where that cancels it is (1 + |z|)²·e^(−2|x|)."""
    rest = 1.0 - z * z
    if rest > _SATURATED:
        return rest
    sech = (1.0 + abs(z)) * exp(-abs(x))
    return sech * sech


def _gaussian(x: float, scale: float) -> float:
    """e^(−scale·x²) by x² = h² + (|x| − h)(|x| + h) with h² exact: the rounding of x² would cost x²·ε."""
    size = abs(x)
    if size > _FAR:
        size = _FAR
    near = round(size / _TO_A_SIXTEENTH) * _TO_A_SIXTEENTH
    return exp(-scale * (near * near)) * exp(-scale * ((size - near) * (size + near)))


def _normal_cdf(x: float) -> float:
    """Φ(x) = erfc(−x/√2)/2, made good for what −x/√2 is rounded by, which the tail magnifies x² times."""
    t = -_ROOT_HALF * x
    if x != x or not -40.0 < x < -1.0:  # asking first whether it is a number keeps NumPy silent
        return 0.5 * math.erfc(t)
    near = round(x / _TO_A_SIXTEENTH) * _TO_A_SIXTEENTH
    lost = (-near * _ROOT_HALF_SHORT - t) - near * _ROOT_HALF_REST - (x - near) * _ROOT_HALF
    return 0.5 * (math.erfc(t) + lost * _ERFC_SLOPE * exp(-t * t))


def _lorentzian(x: float) -> float:
    """1/(1 + x²)."""
    h = math.hypot(1.0, x)
    return 1.0 / h / h


#: What `autodiff.namespace.floats` has beside ``math``.
FLOATS: Final[dict[str, Any]] = {
    "gaussian": _gaussian, "logistic": _logistic, "logistics": _logistics, "lorentzian": _lorentzian,
    "normal_cdf": _normal_cdf, "sech2": _sech2,
}  # fmt: skip


# ---- arrays ----------------------------------------------------------------------------------------------------------


class _Type(NamedTuple):
    """What depends on the type of an array."""

    one: Any  # without axes: NumPy adds it in half the time of a float
    lowest: float  # below it e⁻ˣ overflows
    saturated: float  # as `_SATURATED`, for six digits in float32
    widest: float  # beyond it cosh⁻² is 0, and cosh may overflow
    largest: float  # whose square is finite


_DOUBLE: Final = _Type(np.array(1.0), -700.0, _SATURATED, 400.0, 1e154)
_TYPES: Final = {"f": _Type(np.array(1.0, np.float32), -80.0, 0.25, 60.0, 1e19)}
_FEW: Final = 2048  # elements, of which to pick some takes longer than to compute all


def _array_logistics(x: Any) -> tuple[Any, Any, Any]:
    """σ(x) = 1/(1 + e⁻ˣ), and two factors of 1 − σ(x), which costs a product only where it is wanted.

    Where e⁻ˣ would overflow, by e^(−|x|), which underflows silently. Asking for the smallest by ``argmin`` costs a
    third of ``min`` on small arrays, and as much on large ones.
    """
    kind = _TYPES.get(x.dtype.char, _DOUBLE)
    if x.size and x.item(x.argmin()) > kind.lowest:
        e = np.exp(-x)
        z = np.reciprocal(e + kind.one)
        return z, e, z
    e = np.exp(-np.abs(x))
    larger, positive = 1.0 / (1.0 + e), x >= 0
    return np.where(positive, larger, e * larger), np.where(positive, e * larger, larger), kind.one


def _array_logistic(x: Any) -> Any:
    return _array_logistics(x)[0]


def _array_sech2(x: Any, z: Any) -> Any:
    """1 − z² for z = tanh x; where that cancels it is 1/cosh² x, which costs as much as tanh."""
    rest = 1.0 - z * z
    least = rest.item(rest.argmin()) if rest.size else 1.0
    if least > 0.25:  # in float32 too
        return rest
    kind = _TYPES.get(x.dtype.char, _DOUBLE)
    if least > kind.saturated:
        return rest
    if not rest.ndim:
        return rest.dtype.type(_sech2(float(x), math.tanh(x)))
    if not least > 0:  # there cosh may overflow
        x = np.minimum(np.abs(x), kind.widest)
    if rest.size < _FEW:
        return np.square(np.reciprocal(np.cosh(x, out=rest), out=rest), out=rest)
    far = (rest <= kind.saturated).ravel().nonzero()[0]
    rest.put(far, np.square(np.reciprocal(np.cosh(x.take(far)))))
    return rest


def _array_gaussian(x: Any, scale: float) -> Any:
    size = np.minimum(np.abs(x), _FAR)
    near = np.rint(size / _TO_A_SIXTEENTH) * _TO_A_SIXTEENTH
    return np.exp(-scale * (near * near)) * np.exp(-scale * ((size - near) * (size + near)))


def _array_lorentzian(x: Any) -> Any:
    size = np.abs(x)
    if not size.size or size.item(size.argmax()) < _TYPES.get(x.dtype.char, _DOUBLE).largest:
        return 1.0 / (1.0 + size * size)
    h = np.hypot(1.0, x)
    return 1.0 / h / h


def _by_element(function: Any) -> Any:
    """A function of floats for arrays, which NumPy has not: through ``math``, in float64."""
    vectorized = np.vectorize(function, otypes=[np.float64])

    def on_arrays(x: Any) -> Any:
        result = vectorized(x)
        return result.astype(x.dtype, copy=False) if hasattr(x, "dtype") else result

    return on_arrays


#: What `autodiff.namespace.arrays` has beside NumPy.
ARRAYS: Final[dict[str, Any]] = {
    "erfc": _by_element(math.erfc), "gaussian": _array_gaussian, "logistic": _array_logistic,
    "logistics": _array_logistics, "lorentzian": _array_lorentzian, "normal_cdf": _by_element(_normal_cdf),
    "sech2": _array_sech2,
}  # fmt: skip
