"""Primitives that round: step functions, whose derivative is 0 between the jumps, and remainders of division."""

from __future__ import annotations

import numpy as np

from autodiff.primitives.definition import primitive
from autodiff.primitives.domain import Domain
from autodiff.primitives.primitive import Primitive

__all__ = ["ceil", "floor", "floor_divide", "fmod", "remainder", "rint", "trunc"]

_BETWEEN_WHOLE = Domain(-1.9, 1.9, "x not whole", kinks=(-1.0, 0.0, 1.0))
_BETWEEN_HALVES = Domain(-1.4, 1.4, "x not halfway between whole numbers", kinks=(-0.5, 0.5))
_QUOTIENT_NOT_WHOLE = (Domain(0.62, 0.78, "x/y not whole"), Domain(0.4, 0.6, "x ≠ 0"))

# fmt: off
floor: Primitive = primitive("floor", lambda xp, x: xp.floor(x),
    [lambda g, z, x: g * 0.0],
    symbol="⌊x⌋", domain=_BETWEEN_WHOLE, gate=True, numpy=np.floor,
    doc="The largest whole number ≤ x; its derivative is 0 everywhere.")

ceil: Primitive = primitive("ceil", lambda xp, x: xp.ceil(x),
    [lambda g, z, x: g * 0.0],
    symbol="⌈x⌉", domain=_BETWEEN_WHOLE, gate=True, numpy=np.ceil,
    doc="The smallest whole number ≥ x; its derivative is 0 everywhere.")

trunc: Primitive = primitive("trunc", lambda xp, x: xp.trunc(x),
    [lambda g, z, x: g * 0.0],
    domain=_BETWEEN_WHOLE, gate=True, numpy=(np.trunc, np.fix),
    doc="x rounded towards 0; its derivative is 0 everywhere.")

rint: Primitive = primitive("rint", lambda xp, x: xp.rint(x),
    [lambda g, z, x: g * 0.0],
    domain=_BETWEEN_HALVES, gate=True, numpy=np.rint,
    doc="The whole number nearest to x, the even one at a tie; its derivative is 0 everywhere.")

floor_divide: Primitive = primitive("floor_divide", lambda xp, x, y: xp.floor_divide(x, y),
    [lambda g, z, x, y: g * 0.0, lambda g, z, x, y: g * 0.0],
    symbol="//", domain=_QUOTIENT_NOT_WHOLE, gate=True, numpy=np.floor_divide,
    doc="⌊x/y⌋; its derivatives are 0 everywhere.")

remainder: Primitive = primitive("remainder", lambda xp, x, y: xp.remainder(x, y),
    [lambda g, z, x, y: g, lambda g, z, x, y: -(g * rint((x - z) / y))],
    symbol="%", domain=_QUOTIENT_NOT_WHOLE, singular=True, numpy=np.remainder,
    doc="x − y·⌊x/y⌋, with the sign of y; at a jump the derivatives are those of the side to which the value belongs.")

fmod: Primitive = primitive("fmod", lambda xp, x, y: xp.fmod(x, y),
    [lambda g, z, x, y: g, lambda g, z, x, y: -(g * rint((x - z) / y))],
    domain=_QUOTIENT_NOT_WHOLE, singular=True, numpy=np.fmod,
    doc="The remainder of x/y, with the sign of x; at a jump the derivatives are those of the side to which the value "
        "belongs.")
# fmt: on
