"""Plain numbers, and the two namespaces in which a forward computes: `floats` (Python's ``math``) and `arrays` (NumPy).

``forward(xp, x)`` is written once; ``xp.exp`` is ``np.exp`` for an array and ``math.exp`` for a float, where it is
several times faster than ``np.exp`` and returns a ``float``.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Final

import numpy as np

from autodiff.primitives.special import ARRAYS, FLOATS

__all__ = ["ARRAY_FAULTS", "FLOAT_FAULTS", "Number", "WholeNumber", "arrays", "as_float", "floats", "is_plain_number"]

#: A real number of Python or NumPy; type checkers accept an int as a float.
Number = float | np.integer[Any] | np.floating[Any]
WholeNumber = int | np.integer[Any]

#: The exceptions that ``math`` and Python's operators raise where IEEE arithmetic gives inf or nan.
FLOAT_FAULTS: Final = (ZeroDivisionError, OverflowError, ValueError)

#: The exceptions that NumPy raises for operands that do not fit.
ARRAY_FAULTS: Final = (ValueError, TypeError, IndexError, OverflowError)


def is_plain_number(item: Any) -> bool:
    """Whether ``item`` is a real number of Python or NumPy, not a bool, an array or a node."""
    return isinstance(item, int | float | np.integer | np.floating) and not isinstance(item, bool)


def as_float(number: Any) -> float:
    """The float nearest to an integer or NumPy number; raises ValueError beyond the largest float."""
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


def _whole(function: Callable[[float], int]) -> Callable[[float], float]:
    """A rounding function of ``math`` that returns a float, with NumPy's sign of zero."""
    return lambda x: math.copysign(function(x), x)


floats: Final = SimpleNamespace(
    absolute=math.fabs, arccos=math.acos, arccosh=math.acosh, arcsin=math.asin, arcsinh=math.asinh, arctan=math.atan,
    arctan2=math.atan2, arctanh=math.atanh, cbrt=math.cbrt, ceil=_whole(math.ceil), copysign=math.copysign,
    cos=math.cos, cosh=math.cosh, erfc=math.erfc, exp=math.exp, exp2=math.exp2, expm1=math.expm1,
    floor=_whole(math.floor), floor_divide=operator.floordiv, fmod=math.fmod, hypot=math.hypot, log=math.log,
    log10=math.log10, log1p=math.log1p, log2=math.log2, maximum=_maximum, minimum=_minimum, power=math.pow,
    remainder=operator.mod, rint=_whole(round), sign=_sign, sin=math.sin, sinh=math.sinh, sqrt=math.sqrt, tan=math.tan,
    tanh=math.tanh, trunc=_whole(math.trunc), where=_where, **FLOATS,
)  # fmt: skip


def _array_power(x: Any, n: Any) -> Any:
    return x**n  # the operator uses NumPy's shortcuts for n = 2, 0.5, −1; np.power does not


arrays: Final = SimpleNamespace(**{**vars(np), **ARRAYS})
arrays.power = _array_power
