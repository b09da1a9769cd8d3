"""Primitives of a scientific calculator: logarithms and powers of other bases, lengths and angles, inverse hyperbolic
functions, log-add-exp, sinc and spherical Bessel functions.

Each entry holds all facts about one operation, as in `autodiff.primitives.table.elementwise`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autodiff.primitives.definition import primitive
from autodiff.primitives.domain import NONZERO, POSITIVE, UNIT, Domain, Example
from autodiff.primitives.expression import read_as
from autodiff.primitives.primitive import Primitive
from autodiff.primitives.special import LN2
from autodiff.primitives.table.elementwise import by_convention, cos, sqrt, where
from autodiff.primitives.table.units import sigmoid

__all__ = [
    "arccosh",
    "arcsinh",
    "arctan2",
    "arctanh",
    "cbrt",
    "exp2",
    "hypot",
    "log2",
    "log10",
    "logaddexp",
    "sinc",
]  # fmt: skip

_LOG2_E = 1.4426950408889634
_LOG10_E = 0.4342944819032518

# fmt: off
exp2: Primitive = primitive("exp2", lambda xp, x: xp.exp2(x),
    [lambda g, z, x: g * (LN2 * z)],
    symbol="2ˣ", singular=True, numpy=np.exp2, doc="Power of two 2ˣ.")

log2: Primitive = primitive("log2", lambda xp, x: xp.log2(x),
    [lambda g, z, x: g * (_LOG2_E / x)],
    symbol="log₂", domain=POSITIVE, singular=True, numpy=np.log2,
    doc="Logarithm log₂ x to base 2; −inf at 0, nan below.")

log10: Primitive = primitive("log10", lambda xp, x: xp.log10(x),
    [lambda g, z, x: g * (_LOG10_E / x)],
    symbol="log₁₀", domain=POSITIVE, singular=True, numpy=np.log10,
    doc="Logarithm log₁₀ x to base 10; −inf at 0, nan below.")

cbrt: Primitive = primitive("cbrt", lambda xp, x: xp.cbrt(x),
    [lambda g, z, x: g / (3.0 * (z * z))],
    symbol="∛", domain=NONZERO, singular=True, numpy=np.cbrt,
    doc="Cube root ∛x, also for x < 0; its derivative at 0 is inf.")

hypot: Primitive = primitive("hypot", lambda xp, x, y: xp.hypot(x, y),
    [lambda g, z, x, y: g * _cosine(x, y, z), lambda g, z, x, y: g * _cosine(y, x, z)],
    symbol="√(x² + y²)", domain=NONZERO, numpy=np.hypot,
    doc="Length √(x² + y²), without overflow; its derivatives at (0, 0) are 0.")

arctan2: Primitive = primitive("arctan2", lambda xp, y, x: xp.arctan2(y, x),
    [lambda g, z, y, x: g * _over_square(x, x, y), lambda g, z, y, x: -(g * _over_square(y, x, y))],
    domain=(NONZERO, POSITIVE), singular=True, numpy=np.arctan2,
    doc="Angle of the point (x, y) in radians, from −π to π, with arguments y, x; its derivatives at (0, 0) are nan.")

arcsinh = primitive("arcsinh", lambda xp, x: xp.arcsinh(x),
    [lambda g, z, x: g / read_as(hypot(x, 1.0), lambda: sqrt(x * x + 1.0))],
    numpy=np.arcsinh, doc="Inverse hyperbolic sine.")

arccosh = primitive("arccosh", lambda xp, x: xp.arccosh(x),
    [lambda g, z, x: g / (sqrt(x - 1.0) * sqrt(x + 1.0))],
    domain=Domain(1.1, 4.0, "x > 1"), singular=True, numpy=np.arccosh,
    doc="Inverse hyperbolic cosine, the branch with z ≥ 0; its derivative at 1 is inf, nan below.")

arctanh = primitive("arctanh", lambda xp, x: xp.arctanh(x),
    [lambda g, z, x: g / ((1.0 - x) * (1.0 + x))],
    domain=UNIT, singular=True, numpy=np.arctanh, doc="Inverse hyperbolic tangent; ±inf at ±1, nan beyond.")

logaddexp: Primitive = primitive("logaddexp", lambda xp, x, y: xp.logaddexp(x, y),
    [lambda g, z, x, y: g * sigmoid(x - y), lambda g, z, x, y: g * sigmoid(y - x)],
    symbol="ln(eˣ + eʸ)", singular=True, numpy=np.logaddexp,
    doc="ln(eˣ + eʸ), without overflow; its derivatives are the softmax.")

sinc = primitive("sinc", lambda xp, x: xp.sinc(x),
    [lambda g, z, x: g * read_as(-math.pi * spherical_bessel(math.pi * x, n=1), lambda: _slope_of_sinc(z, x))],
    numpy=np.sinc, doc="sin(πx)/(πx), and 1 at 0.")

spherical_bessel: Primitive = primitive("spherical_bessel", lambda xp, x, *, n: xp.spherical_bessel(x, n),
    [lambda g, z, x, *, n: g * ((n * spherical_bessel(x, n=n - 1) - (n + 1) * spherical_bessel(x, n=n + 1)) / (2 * n + 1))],
    symbol="jₙ", examples=tuple(Example(((),), {"n": n}) for n in (0, 1, 2)),
    doc="Spherical Bessel function jₙ(x), n = 0, 1, 2 …; j₀ is sin(x)/x, the others derive from its derivatives.")
# fmt: on


def _cosine(x: Any, y: Any, z: Any) -> Any:
    """x/z, the cosine of the angle of the point (x, y) with length z; by convention 0 at the origin."""
    origin = z == 0
    slope = where(origin, 0.0, x / where(origin, 1.0, z))
    return read_as(by_convention(by_convention(slope, x, origin), y, origin), lambda: x / z)


def _over_square(side: Any, x: Any, y: Any) -> Any:
    """side/(x² + y²), computed by the length, because its square may overflow."""
    h = hypot(x, y)
    return read_as(side / h / h, lambda: side / (x * x + y * y))


def _slope_of_sinc(z: Any, x: Any) -> Any:
    """The textbook formula for display; computed, it would have no correct digits near 0."""
    return (cos(math.pi * x) - z) / x
