"""The elementwise functions of the table with their first two derivatives, as mathematics in mpmath.

They owe nothing to the table, and are written so that at 40 digits nothing cancels. ``sizes`` gives what an error is
compared to where that is not the exact value: near a root the sum of the magnitudes of the terms that cancel there;
where a factor below the smallest normal number has few digits, that number times the other factors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import mpmath

__all__ = ["BINARY", "UNARY", "Pair", "Single", "m"]

m = mpmath.mp.clone()
m.dps = 40
SMALLEST = m.ldexp(1, -1022)  # normal number: below it digits are lost


@dataclass(frozen=True)
class Single:
    """f, f′ and f″ of one number; ``sizes`` by order; ``inside`` says where f is smooth."""

    f: Callable[..., Any]
    first: Callable[..., Any]
    second: Callable[..., Any]
    sizes: Mapping[int, Callable[..., Any]] = field(default_factory=dict)
    inside: Callable[[float], bool] = lambda x: True
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Pair:
    """f and its two partial derivatives of two numbers; ``sizes`` of f as 0, of the derivatives as 1 and 2."""

    f: Callable[..., Any]
    partials: tuple[Callable[..., Any], Callable[..., Any]]
    sizes: Mapping[int, Callable[..., Any]] = field(default_factory=dict)
    inside: Callable[[float, float], bool] = lambda x, y: True
    params: Mapping[str, Any] = field(default_factory=dict)


def _sigma(x: Any) -> Any:
    return 1 / (1 + m.exp(-x))


def _phi(x: Any) -> Any:
    return m.exp(-x * x / 2) / m.sqrt(2 * m.pi)


def _erfc(x: Any) -> Any:
    return m.erfc(x) if abs(x) < 1e5 else m.mpf(2 * (x < 0))  # mpmath's fails for numbers whose square no float holds


def _ncdf(x: Any) -> Any:
    return _erfc(-x / m.sqrt(2)) / 2


def _power(n: float) -> Single:
    def size(order: int) -> Callable[..., Any]:
        """x^(n − order), n − order rounded to a float: an error of half its last digit times ln x."""

        def of(x: Any) -> Any:
            factor = m.fprod(m.mpf(n) - k for k in range(order))
            return abs(factor * m.power(x, m.mpf(n) - order)) * (1 + order * abs(m.log(x)) / 50 * (n != int(n)))

        return of

    def derivative(order: int) -> Callable[..., Any]:
        return lambda x: m.fprod(m.mpf(n) - k for k in range(order)) * m.power(x, m.mpf(n) - order)

    return Single(
        derivative(0), derivative(1), derivative(2), {k: size(k) for k in range(3)},
        inside=lambda x: x > 0, params={"n": n},
    )  # fmt: skip


def _gaussian(c: float) -> Single:
    def g(x: Any) -> Any:
        return m.exp(-c * x * x)

    return Single(
        g, lambda x: -2 * c * x * g(x), lambda x: (4 * c * c * x * x - 2 * c) * g(x),
        {2: lambda x: (4 * c * c * x * x + 2 * c) * (g(x) + SMALLEST)},
        inside=lambda x: abs(x) < 4e307, params={"scale": c},
    )  # fmt: skip


def _elu(alpha: float) -> Single:
    return Single(
        lambda x: x if x > 0 else alpha * m.expm1(x), lambda x: 1 if x > 0 else alpha * m.exp(x),
        lambda x: 0 if x > 0 else alpha * m.exp(x), params={"alpha": alpha},
    )  # fmt: skip


def _steps(f: Callable[[Any], Any], first: Callable[[Any], Any], /, *kinks: float, **params: Any) -> Single:
    return Single(f, first, lambda x: 0, inside=lambda x: x not in kinks, params=params)


def _rounding(f: Callable[[Any], Any]) -> Single:
    return Single(f, lambda x: 0, lambda x: 0, inside=lambda x: 2 * x != int(2 * x) if abs(x) < 1e18 else False)


def _cbrt(x: Any) -> Any:
    return m.sign(x) * m.cbrt(abs(x))


def _bessel(x: Any, n: int) -> Any:
    """The spherical Bessel function jₙ, by its series for small x, where mpmath's loses digits or divides by 0."""
    if n < 0:
        return m.cos(x) / x
    if abs(x) < 1e-3:
        terms = ((-x * x / 2) ** k / (m.factorial(k) * m.fac2(2 * n + 2 * k + 1)) for k in range(12))
        return x**n * m.fsum(terms)
    below, z = m.cos(x) / x, m.sin(x) / x
    for k in range(n):
        below, z = z, (2 * k + 1) / x * z - below
    return z


def _bessel_slope(x: Any, n: int) -> Any:
    return (n * _bessel(x, n - 1) if n else 0) / m.mpf(2 * n + 1) - (n + 1) * _bessel(x, n + 1) / m.mpf(2 * n + 1)


def _bessel_curvature(x: Any, n: int) -> Any:
    below = n * _bessel_slope(x, n - 1) if n else 0
    return (below - (n + 1) * _bessel_slope(x, n + 1)) / m.mpf(2 * n + 1)


def _size_of_bessel(n: int, factor: Any = 1) -> Callable[..., Any]:
    """About factor·(factor·x)ⁿ near 0, and no smaller elsewhere, since rounding x shifts the roots of jₙ."""
    return lambda x: factor * min(abs(factor * x), m.one) ** n + SMALLEST


#: By name; several for a primitive with params.
UNARY: dict[str, tuple[Single, ...]] = {
    "negative": (_steps(lambda x: -x, lambda x: -1),),
    "identity": (_steps(lambda x: x, lambda x: 1),),
    "absolute": (_steps(abs, m.sign, 0.0),),
    "sign": (_steps(m.sign, lambda x: 0, 0.0),),
    "relu": (_steps(lambda x: max(x, m.zero), lambda x: int(x > 0), 0.0),),
    "leaky_relu": (_steps(lambda x: x if x > 0 else 0.25 * x, lambda x: 1 if x > 0 else 0.25, 0.0, slope=0.25),),
    "hard_tanh": (_steps(lambda x: min(max(x, -m.one), m.one), lambda x: int(-1 <= x <= 1), -1.0, 1.0),),
    "clip": (_steps(
        lambda x: min(max(x, -m.one), 3 * m.one), lambda x: int(-1 <= x <= 3), -1.0, 3.0, low=-1.0, high=3.0,
    ),),
    "power": tuple(map(_power, (0, 1, 2, 3, -1, -2, 0.5, 1.5, 1 / 3, 0.1, -0.7))),
    "exp": (Single(m.exp, m.exp, m.exp),),
    "expm1": (Single(m.expm1, m.exp, m.exp),),
    "log": (Single(m.log, lambda x: 1 / x, lambda x: -1 / x**2, inside=lambda x: x > 0),),
    "log1p": (Single(m.log1p, lambda x: 1 / (1 + x), lambda x: -1 / (1 + x) ** 2, inside=lambda x: x > -1),),
    "sqrt": (Single(
        m.sqrt, lambda x: 1 / (2 * m.sqrt(x)), lambda x: -1 / (4 * m.sqrt(x) ** 3), inside=lambda x: x > 0,
    ),),
    "square": (Single(lambda x: x * x, lambda x: 2 * x, lambda x: 2),),
    "reciprocal": (Single(lambda x: 1 / x, lambda x: -1 / x**2, lambda x: 2 / x**3, inside=lambda x: x != 0),),
    "sin": (Single(m.sin, m.cos, lambda x: -m.sin(x)),),
    "cos": (Single(m.cos, lambda x: -m.sin(x), lambda x: -m.cos(x)),),
    "tan": (Single(m.tan, lambda x: 1 + m.tan(x) ** 2, lambda x: 2 * m.tan(x) * (1 + m.tan(x) ** 2)),),
    "arcsin": (Single(
        m.asin, lambda x: 1 / m.sqrt((1 - x) * (1 + x)), lambda x: x / m.sqrt((1 - x) * (1 + x)) ** 3,
        {2: lambda x: 1 / m.sqrt((1 - x) * (1 + x)) ** 3}, inside=lambda x: -1 < x < 1,
    ),),
    "arccos": (Single(
        m.acos, lambda x: -1 / m.sqrt((1 - x) * (1 + x)), lambda x: -x / m.sqrt((1 - x) * (1 + x)) ** 3,
        {2: lambda x: 1 / m.sqrt((1 - x) * (1 + x)) ** 3}, inside=lambda x: -1 < x < 1,
    ),),
    "arctan": (Single(m.atan, lambda x: 1 / (1 + x * x), lambda x: -2 * x / (1 + x * x) ** 2),),
    "sinh": (Single(m.sinh, m.cosh, m.sinh),),
    "cosh": (Single(m.cosh, m.sinh, m.cosh),),
    "tanh": (Single(m.tanh, lambda x: m.sech(x) ** 2, lambda x: -2 * m.tanh(x) * m.sech(x) ** 2),),
    "sech2": (Single(
        lambda x: m.sech(x) ** 2, lambda x: -2 * m.tanh(x) * m.sech(x) ** 2,
        lambda x: (4 * m.tanh(x) ** 2 - 2 * m.sech(x) ** 2) * m.sech(x) ** 2,
        {2: lambda x: (4 * m.tanh(x) ** 2 + 2 * m.sech(x) ** 2) * m.sech(x) ** 2},
    ),),
    "lorentzian": (Single(
        lambda x: 1 / (1 + x * x), lambda x: -2 * x / (1 + x * x) ** 2, lambda x: (6 * x * x - 2) / (1 + x * x) ** 3,
        {2: lambda x: (6 * x * x + 2) / (1 + x * x) ** 3},
    ),),
    "gaussian": (_gaussian(0.5), _gaussian(1.0)),
    "floor": (_rounding(m.floor),),
    "ceil": (_rounding(m.ceil),),
    "trunc": (_rounding(lambda x: m.mpf(int(x))),),
    "rint": (_rounding(m.nint),),
    "exp2": (Single(
        lambda x: m.power(2, x), lambda x: m.log(2) * m.power(2, x), lambda x: m.log(2) ** 2 * m.power(2, x),
    ),),
    "log2": (Single(
        lambda x: m.log(x, 2), lambda x: 1 / (x * m.log(2)), lambda x: -1 / (x**2 * m.log(2)), inside=lambda x: x > 0,
    ),),
    "log10": (Single(
        m.log10, lambda x: 1 / (x * m.log(10)), lambda x: -1 / (x**2 * m.log(10)), inside=lambda x: x > 0,
    ),),
    "cbrt": (Single(
        _cbrt, lambda x: 1 / (3 * _cbrt(x) ** 2), lambda x: -2 / (9 * _cbrt(x) ** 5), inside=lambda x: x != 0,
    ),),
    "arcsinh": (Single(
        m.asinh, lambda x: 1 / m.sqrt(1 + x * x), lambda x: -x / m.sqrt(1 + x * x) ** 3,
    ),),
    "arccosh": (Single(
        m.acosh, lambda x: 1 / m.sqrt((x - 1) * (x + 1)), lambda x: -x / m.sqrt((x - 1) * (x + 1)) ** 3,
        inside=lambda x: x > 1,
    ),),
    "arctanh": (Single(
        m.atanh, lambda x: 1 / ((1 - x) * (1 + x)), lambda x: 2 * x / ((1 - x) * (1 + x)) ** 2,
        {2: lambda x: 2 / ((1 - x) * (1 + x)) ** 2}, inside=lambda x: -1 < x < 1,
    ),),
    "sinc": (Single(
        lambda x: _bessel(m.pi * x, 0), lambda x: -m.pi * _bessel(m.pi * x, 1),
        lambda x: -(m.pi**2) * _bessel_slope(m.pi * x, 1),
        {0: lambda x: 1, 1: _size_of_bessel(1, m.pi), 2: lambda x: m.pi**2}, inside=lambda x: abs(x) < 5e307,
    ),),
    "spherical_bessel": tuple(
        Single(
            lambda x, n=n: _bessel(x, n), lambda x, n=n: _bessel_slope(x, n), lambda x, n=n: _bessel_curvature(x, n),
            {0: _size_of_bessel(n), 1: _size_of_bessel(abs(n - 1)), 2: _size_of_bessel(n % 2)}, params={"n": n},
        )
        for n in (0, 1, 2)
    ),
    "erfc": (Single(
        _erfc, lambda x: -2 / m.sqrt(m.pi) * m.exp(-x * x), lambda x: 4 * x / m.sqrt(m.pi) * m.exp(-x * x),
    ),),
    "normal_cdf": (Single(_ncdf, _phi, lambda x: -x * _phi(x)),),
    "gelu": (Single(
        lambda x: x * _ncdf(x), lambda x: _ncdf(x) + x * _phi(x), lambda x: (2 - x * x) * _phi(x),
        {1: lambda x: _ncdf(x) + abs(x) * _phi(x), 2: lambda x: (2 + x * x) * (_phi(x) + SMALLEST)},
    ),),
    "sigmoid": (Single(
        _sigma, lambda x: _sigma(x) * _sigma(-x), lambda x: -_sigma(x) * _sigma(-x) * m.tanh(x / 2),
        {2: lambda x: _sigma(x) * _sigma(-x)},
    ),),
    "co_sigmoid": (Single(
        lambda x: _sigma(-x), lambda x: -_sigma(x) * _sigma(-x), lambda x: _sigma(x) * _sigma(-x) * m.tanh(x / 2),
        {2: lambda x: _sigma(x) * _sigma(-x)},
    ),),
    "log_sigmoid": (Single(
        lambda x: -m.log1p(m.exp(-x)), lambda x: _sigma(-x), lambda x: -_sigma(x) * _sigma(-x),
    ),),
    "softplus": (Single(lambda x: m.log1p(m.exp(x)), _sigma, lambda x: _sigma(x) * _sigma(-x)),),
    "soft_sign": (Single(
        lambda x: x / (1 + abs(x)), lambda x: 1 / (1 + abs(x)) ** 2, lambda x: -2 * m.sign(x) / (1 + abs(x)) ** 3,
        inside=lambda x: x != 0,
    ),),
    "elu": (_elu(1.0), _elu(0.5)),
}  # fmt: skip


def _choice(take_first: Callable[[Any, Any], bool], **params: Any) -> Pair:
    return Pair(
        lambda x, y: x if take_first(x, y) else y,
        (lambda x, y: int(take_first(x, y)), lambda x, y: int(not take_first(x, y))),
        inside=lambda x, y: x != y, params=params,
    )  # fmt: skip


def _unit(x: Any, y: Any) -> Any:
    """1/√(x² + y²), where the length is of few digits by as much more."""
    return (1 + SMALLEST / m.hypot(x, y)) / m.hypot(x, y)


def _logaddexp(x: Any, y: Any) -> Any:
    return max(x, y) + m.log1p(m.exp(-abs(x - y)))


def _quotient_is_known(x: float, y: float) -> bool:
    """Whether x/y is not a whole number, and is small enough for 53 bits to decide that."""
    return y != 0 and 1e-300 < abs(x / y) < 1e15 and m.mpf(x) / m.mpf(y) != int(m.mpf(x) / m.mpf(y))


BINARY: dict[str, tuple[Pair, ...]] = {
    "add": (Pair(lambda x, y: x + y, (lambda x, y: 1, lambda x, y: 1)),),
    "subtract": (Pair(lambda x, y: x - y, (lambda x, y: 1, lambda x, y: -1)),),
    "multiply": (Pair(lambda x, y: x * y, (lambda x, y: y, lambda x, y: x)),),
    "divide": (Pair(
        lambda x, y: x / y, (lambda x, y: 1 / y, lambda x, y: -x / y**2),
        {2: lambda x, y: abs(x) / y**2 + SMALLEST / abs(y)}, inside=lambda x, y: y != 0,
    ),),
    "pow": (Pair(
        m.power, (lambda x, y: y * m.power(x, y - 1), lambda x, y: m.log(x) * m.power(x, y)),
        {
            1: lambda x, y: abs(y) * (m.power(x, y - 1) + SMALLEST),
            2: lambda x, y: abs(m.log(x)) * (m.power(x, y) + SMALLEST),
        },
        inside=lambda x, y: x >= SMALLEST,
    ),),
    "maximum": (_choice(lambda x, y: x > y),),
    "minimum": (_choice(lambda x, y: x < y),),
    "where": (_choice(lambda x, y: True, condition=True), _choice(lambda x, y: False, condition=False)),
    "hinge": (Pair(
        lambda s, c: max(1 + c - s, m.zero),
        (lambda s, c: -int(1 + c - s > 0), lambda s, c: int(1 + c - s > 0)),
        {0: lambda s, c: 1 + abs(c) + abs(s)}, inside=lambda s, c: abs(1 + c - s) > 1e-14 * (1 + abs(c) + abs(s)),
    ),),
    "hypot": (Pair(
        m.hypot, (lambda x, y: x / m.hypot(x, y), lambda x, y: y / m.hypot(x, y)),
        {1: lambda x, y: abs(x) * _unit(x, y), 2: lambda x, y: abs(y) * _unit(x, y)},
        inside=lambda x, y: x != 0 or y != 0,
    ),),
    "arctan2": (Pair(
        m.atan2, (lambda y, x: x / (x * x + y * y), lambda y, x: -y / (x * x + y * y)),
        {
            1: lambda y, x: (abs(x) / m.hypot(x, y) + SMALLEST) * _unit(x, y),
            2: lambda y, x: (abs(y) / m.hypot(x, y) + SMALLEST) * _unit(x, y),
        },
        inside=lambda y, x: x != 0 and y != 0,
    ),),
    "logaddexp": (Pair(
        _logaddexp, (lambda x, y: _sigma(x - y), lambda x, y: _sigma(y - x)),
        {
            0: lambda x, y: max(abs(x), abs(y), 1),
            1: lambda x, y: _sigma(x - y) * (1 + abs(x - y) / 50),
            2: lambda x, y: _sigma(y - x) * (1 + abs(x - y) / 50),
        },
    ),),
    "remainder": (Pair(
        lambda x, y: x - y * m.floor(x / y), (lambda x, y: 1, lambda x, y: -m.floor(x / y)),
        {0: lambda x, y: abs(y)}, inside=_quotient_is_known,
    ),),
    "fmod": (Pair(
        lambda x, y: x - y * int(x / y), (lambda x, y: 1, lambda x, y: -int(x / y)), inside=_quotient_is_known,
    ),),
    "floor_divide": (Pair(
        lambda x, y: m.floor(x / y), (lambda x, y: 0, lambda x, y: 0), inside=_quotient_is_known,
    ),),
}  # fmt: skip
