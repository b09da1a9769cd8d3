"""Primitives that work on each element alone: arithmetic, powers, exponentials, trigonometry, choices.

Each entry holds all facts about one operation. Rules are written in terms of ``g`` (error signal), ``z`` (result) and
the inputs; ``ruff format`` is off so that the table stays a table.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autodiff.primitives.definition import primitive
from autodiff.primitives.domain import ANY, NONZERO, POSITIVE, UNIT, Domain, Example
from autodiff.primitives.expression import Expression, read_as
from autodiff.primitives.namespace import as_float, is_plain_number
from autodiff.primitives.primitive import Primitive
from autodiff.primitives.registry import RECORDERS
from autodiff.primitives.special import ERFC_SLOPE

__all__ = [
    "absolute", "add", "arccos", "arcsin", "arctan", "clip", "cos", "cosh", "divide", "erfc", "exp", "expm1", "log",
    "log1p", "maximum", "minimum", "multiply", "negative", "pow", "power", "reciprocal", "sign", "sin", "sinh", "sqrt",
    "square", "subtract", "tan", "tanh",
]  # fmt: skip

_LN_DOMAIN = Domain(-0.9, 3.0, "x > −1")
_TAN_DOMAIN = Domain(-1.4, 1.4, "x ≠ π/2 + kπ")
_CLIP_DOMAIN = Domain(-2.0, 2.0, "all reals", kinks=(-1.0, 1.0))

# fmt: off
add = primitive("add", lambda xp, x, y: x + y,
    [lambda g, z, x, y: g, lambda g, z, x, y: g],
    symbol="+", linear=True, numpy=np.add, doc="Sum x + y.")

subtract = primitive("subtract", lambda xp, x, y: x - y,
    [lambda g, z, x, y: g, lambda g, z, x, y: -g],
    symbol="−", linear=True, numpy=np.subtract, doc="Difference x − y.")

multiply = primitive("multiply", lambda xp, x, y: x * y,
    [lambda g, z, x, y: g * y, lambda g, z, x, y: g * x],
    symbol="×", singular=True, multilinear=True, numpy=np.multiply, doc="Product x·y.")

divide = primitive("divide", lambda xp, x, y: x / y,
    [lambda g, z, x, y: g / y, lambda g, z, x, y: -(g * z / y)],
    symbol="÷", domain=(ANY, NONZERO), singular=True, numpy=(np.divide, np.true_divide),
    doc="Quotient x/y; ±inf or nan where y is 0.")

negative = primitive("negative", lambda xp, x: -x,
    [lambda g, z, x: -g],
    symbol="−", linear=True, numpy=np.negative, doc="Negation −x.")

power = primitive("power", lambda xp, x, *, n: xp.power(x, n),
    [lambda g, z, x, *, n: g * where(n == 0, 0.0, n * x ** (n - 1))],
    symbol="xⁿ", domain=POSITIVE, singular=True,
    examples=tuple(Example(((),), {"n": n}) for n in (0, 1, 2, 3, -1, -2, 0.5, 1 / 3)),
    doc="Power xⁿ with a constant exponent; nan for x < 0 unless n is whole; d(x⁰)/dx = 0, also at 0; for "
        "0 < n < 1 the derivative at 0 is inf.")

pow = primitive("pow", lambda xp, x, y: xp.power(x, y),
    [lambda g, z, x, y: g * by_convention(
        where((x * x == 0) & (y == 0), 0.0, _slope_of_power(z, x, y)), y, (x == 0) & (y == 0)),
     lambda g, z, x, y: g * _settled_at_0(where((x == 0) & (y >= 0), 0.0, z * log(x)), x, y)],
    symbol="xʸ", domain=(POSITIVE, ANY), singular=True, numpy=(np.power, np.float_power),
    doc="Power xʸ with a differentiable exponent; at 0⁰ both derivatives are 0; for x < 0 that of y is nan.")

exp: Primitive = primitive("exp", lambda xp, x: xp.exp(x),
    [lambda g, z, x: g * z],
    singular=True, numpy=np.exp, doc="Exponential eˣ.")

expm1 = primitive("expm1", lambda xp, x: xp.expm1(x),
    [lambda g, z, x: g * exp(x)],
    singular=True, numpy=np.expm1, doc="eˣ − 1, accurate near 0.")

log: Primitive = primitive("log", lambda xp, x: xp.log(x),
    [lambda g, z, x: g / x],
    symbol="ln", domain=POSITIVE, singular=True, numpy=np.log, doc="Natural logarithm ln x; −inf at 0, nan below.")

log1p = primitive("log1p", lambda xp, x: xp.log1p(x),
    [lambda g, z, x: g / (1.0 + x)],
    domain=_LN_DOMAIN, singular=True, numpy=np.log1p, doc="ln(1 + x), accurate near 0.")

sqrt: Primitive = primitive("sqrt", lambda xp, x: xp.sqrt(x),
    [lambda g, z, x: g / (2.0 * z)],
    symbol="√", domain=POSITIVE, singular=True, numpy=np.sqrt, doc="Square root √x; its derivative at 0 is inf.")

square = primitive("square", lambda xp, x: x * x,
    [lambda g, z, x: g * (2.0 * x)],
    symbol="x²", numpy=np.square, doc="Square x².")

reciprocal = primitive("reciprocal", lambda xp, x: 1.0 / x,
    [lambda g, z, x: -(g * z * z)],
    symbol="1/x", domain=NONZERO, singular=True, numpy=np.reciprocal, doc="Reciprocal 1/x; inf at 0.")

sin: Primitive = primitive("sin", lambda xp, x: xp.sin(x),
    [lambda g, z, x: g * cos(x)],
    numpy=np.sin, doc="Sine of x in radians.")

cos: Primitive = primitive("cos", lambda xp, x: xp.cos(x),
    [lambda g, z, x: -(g * sin(x))],
    numpy=np.cos, doc="Cosine of x in radians.")

tan = primitive("tan", lambda xp, x: xp.tan(x),
    [lambda g, z, x: g * (1.0 + z * z)],
    domain=_TAN_DOMAIN, numpy=np.tan, doc="Tangent of x in radians.")

arcsin = primitive("arcsin", lambda xp, x: xp.arcsin(x),
    [lambda g, z, x: g / sqrt((1.0 - x) * (1.0 + x))],
    domain=UNIT, singular=True, numpy=np.arcsin, doc="Arc sine in radians; its derivative at ±1 is inf.")

arccos = primitive("arccos", lambda xp, x: xp.arccos(x),
    [lambda g, z, x: -(g / sqrt((1.0 - x) * (1.0 + x)))],
    domain=UNIT, singular=True, numpy=np.arccos, doc="Arc cosine in radians; its derivative at ±1 is −inf.")

arctan = primitive("arctan", lambda xp, x: xp.arctan(x),
    [lambda g, z, x: g * read_as(lorentzian(x), lambda: 1.0 / (1.0 + x * x))],
    numpy=np.arctan, doc="Arc tangent in radians.")

sinh = primitive("sinh", lambda xp, x: xp.sinh(x),
    [lambda g, z, x: g * cosh(x)],
    singular=True, numpy=np.sinh, doc="Hyperbolic sine.")

cosh: Primitive = primitive("cosh", lambda xp, x: xp.cosh(x),
    [lambda g, z, x: g * sinh(x)],
    singular=True, numpy=np.cosh, doc="Hyperbolic cosine.")

tanh: Primitive = primitive("tanh", lambda xp, x: xp.tanh(x),
    [lambda g, z, x: g * read_as(sech2(x), lambda: 1.0 - z * z)],
    numpy=np.tanh, doc="Hyperbolic tangent, with derivative 1 − tanh² (notes, section 2).")

sech2: Primitive = primitive("sech2", lambda xp, x: xp.sech2(x, xp.tanh(x)),
    [lambda g, z, x: g * (-2.0 * (z * tanh(x)))],
    symbol="sech²", doc="1 − tanh² x, the slope of tanh, accurate to the last digits where tanh rounds to ±1.")

lorentzian: Primitive = primitive("lorentzian", lambda xp, x: xp.lorentzian(x),
    [lambda g, z, x: g * (-2.0 * (x * z * z))],
    symbol="1/(1 + x²)", doc="1/(1 + x²), the slope of arctan, without overflow.")

gaussian: Primitive = primitive("gaussian", lambda xp, x, *, scale=0.5: xp.gaussian(x, scale),
    [lambda g, z, x, *, scale=0.5: g * (-2.0 * scale * (x * z))],
    symbol="e^(−x²/2)", examples=(Example(((),)), Example(((),), {"scale": 1.0})),
    doc="e^(−scale·x²), accurate to the last digits where rounding x² would lose some.")

absolute = primitive("absolute", lambda xp, x: abs(x),
    [lambda g, z, x: g * by_convention(sign(x), x, x == 0)],
    symbol="|x|", domain=NONZERO, numpy=(np.absolute, np.fabs), doc="Absolute value |x|; its derivative at 0 is 0.")

sign: Primitive = primitive("sign", lambda xp, x: xp.sign(x),
    [lambda g, z, x: g * 0.0],
    domain=NONZERO, gate=True, numpy=np.sign, doc="Sign −1, 0 or 1; its derivative is 0 everywhere.")

maximum = primitive("maximum", lambda xp, x, y: xp.maximum(x, y),
    [lambda g, z, x, y: g * _larger(x, y), lambda g, z, x, y: g * _larger(y, x)],
    symbol="max", gate=True, numpy=np.maximum, doc="The larger of x and y; a tie shares the error equally.")

minimum = primitive("minimum", lambda xp, x, y: xp.minimum(x, y),
    [lambda g, z, x, y: g * _larger(y, x), lambda g, z, x, y: g * _larger(x, y)],
    symbol="min", gate=True, numpy=np.minimum, doc="The smaller of x and y; a tie shares the error equally.")

_limit = primitive("clip", lambda xp, x, *, low, high: xp.minimum(xp.maximum(x, low), high),
    [lambda g, z, x, *, low, high: g * where((x >= low) & (x <= high), 1.0, where(x == x, 0.0, x))],
    domain=_CLIP_DOMAIN, gate=True, examples=(Example(((),), {"low": -1.0, "high": 1.0}),),
    doc="x limited to [low, high]; the derivative is 1 inside and at the bounds, 0 outside.")

erfc = primitive("erfc", lambda xp, x: xp.erfc(x),
    [lambda g, z, x: g * (ERFC_SLOPE * read_as(gaussian(x, scale=1.0), lambda: exp(-(x * x))))],
    doc="Complementary error function (2/√π)·∫ₓ^∞ e^(−t²) dt.")

_select = primitive("where", lambda xp, x, y, *, condition: xp.where(condition, x, y),
    [lambda g, z, x, y, *, condition: g * where(condition, 1.0, 0.0), lambda g, z, x, y, *, condition: g * where(condition, 0.0, 1.0)],
    linear=True, gate=True, examples=(Example(((), ()), {"condition": True}), Example(((), ()), {"condition": False}),
                           Example(((2, 3), (3,)), {"condition": np.array([True, False, True])})),
    doc="x where the condition holds, else y; nothing gets through to the other branch.")

_convention = primitive("by_convention", lambda xp, slope, x, *, kink: xp.where(x == x, slope, slope),  # broadcasts
    [lambda g, z, slope, x, *, kink: g, lambda g, z, slope, x, *, kink: g * where(kink, np.nan, 0.0)],
    symbol="=", gate=True, examples=(Example(((), ()), {"kink": False}),),
    doc="A slope at x, unchanged; its derivative in x is 0, and nan at a kink, where the slope is only a convention.")
# fmt: on


def _slope_of_power(z: Any, x: Any, y: Any) -> Any:
    """y·xʸ⁻¹; for y below ½ computed as y·z/x, because y − 1 rounds and a large ln x would magnify the error."""
    return where((y < 0.5) & (abs(x) > 0) & (abs(x) < np.inf), y * (z / x), y * x ** (y - 1.0))


def by_convention(slope: Any, x: Any, kink: Any) -> Any:
    """Return ``slope``, the derivative of a function at x, which is only a convention where ``kink`` holds.

    The slope of |x| at 0 equals neither of the one-sided slopes, so it has no derivative there: nan, at every order. A
    convention that takes one side (relu at 0) needs no such mark.

    >>> by_convention(0.0, 0.0, True)
    0.0
    """
    return slope if isinstance(x, Expression) or isinstance(slope, Expression) else _convention(slope, x, kink=kink)


def _larger(x: Any, y: Any) -> Any:
    """The fraction of the error that maximum(x, y) passes on to x: 1, 0, or 1/2 at a tie."""
    tie = x == y
    return by_convention(by_convention(0.5 * ((x >= y) + 1.0 * (x > y)), x, tie), y, tie)


def _settled_at_0(slope: Any, x: Any, y: Any) -> Any:
    """∂xʸ/∂y at x = 0, which is 0 for y > 0 but has no derivative for y ≤ 1."""
    return by_convention(by_convention(slope, x, (x == 0) & (y >= 0) & (y <= 1)), y, (x == 0) & (y == 0))


def where(condition: Any, x: Any, y: Any) -> Any:
    """Return ``x`` where ``condition`` holds, else ``y``, for use in rules: a single bool selects without a node.

    The graph of a derivative thus has no nodes for choices that were made before (a Hessian of powers takes a sixth
    less time). Functions use `autodiff.where`, whose graph also shows the branch not taken.
    """
    if isinstance(condition, Expression):
        return RECORDERS[Expression](_select, (x, y), {"condition": condition})  # also for two plain numbers
    if isinstance(condition, bool | np.bool):
        return x if condition else y
    condition = np.asarray(condition)
    if condition.dtype == bool and not condition.ndim:
        return x if condition else y
    if condition.dtype != bool:
        raise TypeError(
            f"where needs a bool or a bool array as condition, and got type {condition.dtype}; "
            "use a comparison such as x > 0"
        )
    return _select(x, y, condition=condition)


def clip(x: Any, low: float | None = None, high: float | None = None) -> Any:
    """Limit ``x`` to [low, high] (None: no limit), in the units of ``x``.

    The derivative is 1 inside and at the bounds, 0 outside.

    Raises:
        TypeError: if a bound is not a plain number.
        ValueError: if low > high.

    >>> clip([-2.0, 0.5, 2.0], -1.0, 1.0)
    array([-1. ,  0.5,  1. ])
    """
    bounds = [-np.inf if low is None else low, np.inf if high is None else high]
    if not all(is_plain_number(bound) for bound in bounds):
        raise TypeError(
            f"clip takes plain numbers as bounds, and got {low!r} and {high!r}; "
            "for other bounds use maximum and minimum"
        )
    if not bounds[0] <= bounds[1]:
        raise ValueError(f"clip needs low ≤ high, and got {low!r} and {high!r}")
    return _limit(x, low=as_float(bounds[0]), high=as_float(bounds[1]))


def raise_to(x: Any, exponent: Any) -> Any:
    """``x ** exponent``: `power` if the exponent is a plain number, `pow` if it is a node or an array."""
    if is_plain_number(exponent):
        return power(x, n=exponent if isinstance(exponent, int) and abs(exponent) < 2**53 else as_float(exponent))
    return pow(x, exponent)
