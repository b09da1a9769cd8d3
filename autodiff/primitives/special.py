"""Functions that ``math`` or NumPy lack, for floats and for arrays, accurate to the last digits over their whole range.

Quantities that a rule needs besides a function's value (1 − σ, 1 − tanh²) lose all digits where the value rounds to 1;
here they are computed from x. Squares that would overflow, or whose rounding an exponential would magnify, are avoided.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from math import exp
from typing import Any, Final, NamedTuple

import numpy as np

__all__ = ["ARRAYS", "ERFC_SLOPE", "FLOATS", "LN2"]

_TO_A_SIXTEENTH: Final = 0.0625
_FAR: Final = 1000.0  # e^(−x²/2) is 0 for much smaller x
_SATURATED: Final = 0.03  # for 1 − z and 1 − z²: below it, a z of 53 bits leaves less than 14 digits
_ROOT_HALF: Final = 0.7071067811865476
_ROOT_HALF_SHORT: Final = 0.70709228515625  # rounded to 14 bits: its product with a multiple of 1/16 is exact
_ROOT_HALF_REST: Final = 1.44960302975244e-05
LN2: Final = 0.6931471805599453
_NEGLIGIBLE: Final = 1e-18  # relative to 1
ERFC_SLOPE: Final = -1.1283791670955126  # −2/√π, at 0


# ---- floats ----------------------------------------------------------------------------------------------------------


def _logistics(x: float) -> tuple[float, float]:
    """σ(x) = 1/(1 + e⁻ˣ), and 1 − σ(x) = e⁻ˣ·σ(x); neither overflows."""
    if x >= 0:
        e = exp(-x)
        z = 1.0 / (1.0 + e)
        return z, e * z
    e = exp(x)
    rest = 1.0 / (1.0 + e)
    return e * rest, rest


def _logistic(x: float) -> float:
    return _logistics(x)[0]


def _sech2(x: float, z: float) -> float:
    """1 − z² for z = tanh x; computed as (1 + |z|)²·e^(−2|x|) where 1 − z² cancels."""
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
    """Φ(x) = erfc(−x/√2)/2, corrected for the rounding of −x/√2, which the tail magnifies x² times."""
    t = -_ROOT_HALF * x
    if x != x or not -40.0 < x < -1.0:  # the check for nan comes first to avoid a NumPy warning
        return 0.5 * math.erfc(t)
    near = round(x / _TO_A_SIXTEENTH) * _TO_A_SIXTEENTH
    lost = (-near * _ROOT_HALF_SHORT - t) - near * _ROOT_HALF_REST - (x - near) * _ROOT_HALF
    return 0.5 * (math.erfc(t) + lost * ERFC_SLOPE * exp(-t * t))


def _lorentzian(x: float) -> float:
    """1/(1 + x²)."""
    h = math.hypot(1.0, x)
    return 1.0 / h / h


def _logaddexp(x: float, y: float) -> float:
    """ln(eˣ + eʸ)."""
    if x == y:
        return x + LN2  # also for two infinities, whose difference is nan
    top, other = (x, y) if x > y else (y, x)
    return top + math.log1p(exp(other - top))


def _sinc(x: float) -> float:
    """sin(πx)/(πx)."""
    return math.sin(math.pi * x) / (math.pi * x) if x else 1.0


def _spherical_bessel(x: float, n: float) -> float:
    """jₙ(x): by its power series where no term outweighs the sum, else upwards from j₀ and j₁, stable beyond x = n.

    j₋₁ is taken as 0, because rules multiply it by 0 and it has a pole. Source: Abramowitz and Stegun, 10.1.2 and
    10.1.19.
    """
    if n < 0 or x - x != 0:
        return x - x
    if abs(x) >= max(math.sqrt(2 * n + 3), n):
        below, z = math.cos(x) / x, math.sin(x) / x
        for k in range(int(n)):
            below, z = z, (2 * k + 1) / x * z - below
        return z
    z = term = 1.0
    k = 0
    while abs(term) > _NEGLIGIBLE:
        k += 1
        term *= -0.5 * x * x / (k * (2 * n + 2 * k + 1))
        z += term
    return z * math.prod(x / (2 * k + 3) for k in range(int(n)))


#: The functions that `autodiff.primitives.namespace.floats` has in addition to ``math``.
FLOATS: Final[dict[str, Any]] = {
    "gaussian": _gaussian, "logaddexp": _logaddexp, "logistic": _logistic, "logistics": _logistics,
    "lorentzian": _lorentzian, "normal_cdf": _normal_cdf, "sech2": _sech2, "sinc": _sinc,
    "spherical_bessel": _spherical_bessel,
}  # fmt: skip


# ---- arrays ----------------------------------------------------------------------------------------------------------


class _Type(NamedTuple):
    """Constants that depend on the dtype of an array."""

    one: Any  # 0-d: NumPy adds it in half the time of a float
    lowest: float  # below it e⁻ˣ overflows
    saturated: float  # like `_SATURATED`, for six digits in float32
    widest: float  # beyond it cosh⁻² is 0, and cosh may overflow
    largest: float  # its square is finite


_DOUBLE: Final = _Type(np.array(1.0), -700.0, _SATURATED, 400.0, 1e154)
_SINGLE: Final = _Type(np.array(1.0, np.float32), -80.0, 0.15, 60.0, 1e19)
_TYPES: Final = {"d": _DOUBLE, "f": _SINGLE}
_FEW: Final = 4096  # elements: below it, computing all is faster than selecting some, and both results may be kept


def _array_logistics(x: Any) -> Any:
    """σ(x) = 1/(1 + e⁻ˣ) of an array, and 1 − σ(x): the counterpart of `_logistics` for floats.

    Nodes keep the pair for their rule. If the array is small, this saves a second exponential.
    """
    few, kind = x.size < _FEW, _TYPES.get(x.dtype.char, _DOUBLE)
    # Finding the smallest by ``argmin`` takes a third of the time of ``min`` on small arrays, the same on large ones.
    if x.size and x.item(x.argmin()) > kind.lowest:
        e = np.exp(-x)
        if few:
            z = np.reciprocal(e + kind.one)
            return z, e * z
        e += kind.one  # in place: saves two large arrays
        return _Logistics(x, np.reciprocal(e, out=e))
    e = np.exp(np.copysign(x, -1.0))  # e^(−|x|) underflows silently
    z = np.maximum(e, kind.one * (x >= 0)) / (1.0 + e)
    return (z, np.maximum(e, kind.one * (x <= 0)) / (1.0 + e)) if few else _Logistics(x, z)


class _Logistics:
    """The pair for a large array; the second part, 1 − σ(x), is computed on request.

    Keeping e⁻ˣ for it, 8 more bytes per element between the passes, costs more in page faults than it saves.
    """

    __slots__ = ("x", "z")

    def __init__(self, x: Any, z: Any) -> None:
        self.x, self.z = x, z

    def __getitem__(self, k: int) -> Any:
        if k == 0:
            return self.z
        rest, limit = 1.0 - self.z, _TYPES.get(self.x.dtype.char, _DOUBLE).saturated
        if not rest.item(rest.argmin()) > limit:
            _mend(rest, limit, self.x, lambda x: _array_logistic(-x))
        return rest


def _array_logistic(x: Any) -> Any:
    return _array_logistics(x)[0]


def _array_sech2(x: Any, z: Any) -> Any:
    """1 − z² for z = tanh x; computed as 1/cosh² x where 1 − z² cancels, which costs as much as tanh."""
    rest = z * z
    rest = np.subtract(1.0, rest, out=rest) if rest.__class__ is np.ndarray else 1.0 - rest
    least = rest.item(rest.argmin()) if rest.size else 1.0
    if least > _SINGLE.saturated:
        return rest
    kind = _TYPES.get(x.dtype.char, _DOUBLE)
    if least > kind.saturated:
        return rest
    if not rest.ndim:
        return rest.dtype.type(_sech2(float(x), math.tanh(x)))
    if not least > 0:  # then cosh may overflow
        x = np.minimum(np.abs(x), kind.widest)
    if rest.size < _FEW:
        return np.square(np.reciprocal(np.cosh(x, out=rest), out=rest), out=rest)
    _mend(rest, kind.saturated, x, lambda x: np.square(np.reciprocal(np.cosh(x))))
    return rest


def _mend(rest: Any, limit: float, x: Any, exact: Callable[[Any], Any]) -> None:
    """Write ``exact(x)`` into ``rest``, the difference from 1, where it is not above the limit: usually few places."""
    places = (rest <= limit).ravel().nonzero()[0]
    rest.put(places, exact(x.take(places)))


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
    """A function of floats that NumPy lacks, applied to arrays element by element in float64."""
    vectorized = np.vectorize(function, otypes=[np.float64])

    def on_arrays(x: Any, *params: Any) -> Any:
        result = vectorized(x, *params)
        return result.astype(x.dtype, copy=False) if hasattr(x, "dtype") else result

    return on_arrays


def _array_logaddexp(x: Any, y: Any) -> Any:
    with np.errstate(over="ignore"):  # in x − y, which matters only where it is finite
        return np.logaddexp(x, y)


#: The functions that `autodiff.primitives.namespace.arrays` has in addition to NumPy.
ARRAYS: Final[dict[str, Any]] = {
    "erfc": _by_element(math.erfc), "gaussian": _array_gaussian, "logaddexp": _array_logaddexp,
    "logistic": _array_logistic, "logistics": _array_logistics, "lorentzian": _array_lorentzian,
    "normal_cdf": _by_element(_normal_cdf), "sech2": _array_sech2, "spherical_bessel": _by_element(_spherical_bessel),
}  # fmt: skip
