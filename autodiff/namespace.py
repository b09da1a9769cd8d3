"""Plain numbers, and the two namespaces a forward computes with: `floats` (Python's ``math``) and `arrays` (NumPy).

``forward(xp, x)`` is written once; ``xp.exp`` is ``math.exp`` on a float (several times faster there than
``np.exp``, and a ``float`` comes back) and ``np.exp`` on an array.
"""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any, Final

import numpy as np

__all__ = ["FLOAT_FAULTS", "arrays", "as_float", "floats", "is_plain_number"]

#: What ``math`` and Python's operators raise where IEEE arithmetic answers inf or nan.
FLOAT_FAULTS: Final = (ZeroDivisionError, OverflowError, ValueError)


def is_plain_number(item: Any) -> bool:
    """Whether ``item`` is a real number of Python or NumPy: no bool, no array, no node."""
    return isinstance(item, int | float | np.integer | np.floating) and not isinstance(item, bool)


def as_float(number: Any) -> float:
    """The float nearest to an integer or NumPy number. Raises ValueError for one beyond the largest float."""
    try:
        return float(number)
    except OverflowError:
        raise ValueError(
            f"an int of {number.bit_length()} bits is beyond the largest float, about 1.8e308; scale it down first"
        ) from None


def _maximum(x: float, y: float) -> float:
    return x if x >= y or x != x else y


def _minimum(x: float, y: float) -> float:
    return x if x <= y or x != x else y


def _sign(x: float) -> float:
    return 1.0 if x > 0 else -1.0 if x < 0 else x * 0.0


def _where(condition: bool, x: float, y: float) -> float:
    return x if condition else y


def _logistic(x: float) -> float:
    if x >= 0:
        return 1.0 / (1.0 + math.exp(-x))
    e = math.exp(x)
    return e / (1.0 + e)


floats: Final = SimpleNamespace(
    absolute=math.fabs, copysign=math.copysign, cos=math.cos, cosh=math.cosh, erfc=math.erfc, exp=math.exp,
    expm1=math.expm1, arccos=math.acos, arcsin=math.asin, arctan=math.atan, log=math.log, log1p=math.log1p,
    logistic=_logistic, maximum=_maximum, minimum=_minimum, power=math.pow, sign=_sign, sin=math.sin, sinh=math.sinh,
    sqrt=math.sqrt, tan=math.tan, tanh=math.tanh, where=_where,
)  # fmt: skip

_erfc: Final = np.vectorize(math.erfc, otypes=[np.float64])


def _array_erfc(x: Any) -> Any:
    """erfc of each element; NumPy has none, and ``math.erfc`` is right to the last bit."""
    result = _erfc(x)
    return result.astype(x.dtype, copy=False) if hasattr(x, "dtype") else result


def _array_power(x: Any, n: Any) -> Any:
    return x**n  # the operator takes NumPy's short cuts for n = 2, 0.5, −1; np.power does not


#: By type: the x below which e⁻ˣ overflows, and 1; NumPy adds an array without axes in half the time of a float.
_LOGISTIC: Final = {"d": (-700.0, np.array(1.0)), "f": (-80.0, np.array(1.0, np.float32))}


def _array_logistic(x: Any) -> Any:
    """1/(1 + e⁻ˣ); where e⁻ˣ would overflow, by e^(−|x|), which underflows silently.

    Asking for the smallest by ``argmin`` costs a third of ``min`` on small arrays, and as much on large ones.
    """
    limit, one = _LOGISTIC.get(x.dtype.char) or (-700.0, 1.0)
    if x.size and x.item(x.argmin()) > limit:
        e = np.exp(-x)
        e += one
        return np.reciprocal(e)
    e = np.exp(np.copysign(x, -1.0))
    return np.maximum(e, 1.0 * (x >= 0)) / (1.0 + e)


arrays: Final = SimpleNamespace(**vars(np))
arrays.erfc = _array_erfc
arrays.logistic = _array_logistic
arrays.power = _array_power
