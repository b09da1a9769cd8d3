"""Dual numbers of any precision: their parts are numbers of mpmath."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from types import SimpleNamespace
from typing import Any

from autodiff.system.extras import install
from autodiff.testing.oracles.dual import duals_over

__all__ = ["mpmath_duals"]


def _spherical_bessel(context: Any) -> Callable[[Any, Any], Any]:
    """√(π/2x)·J(x), with J of order n + ½; j₋₁ is only multiplied by 0, so its value does not matter."""

    def of(x: Any, n: Any) -> Any:
        if not x or n < 0:
            return context.mpf(not n)
        size = abs(x)
        return context.sqrt(context.pi / (2 * size)) * context.besselj(n + 0.5, size) * context.sign(x) ** int(n)

    return of


def mpmath_duals(digits: int = 50) -> SimpleNamespace:
    """The namespace for Duals of mpmath's numbers with ``digits`` decimal digits; raises ImportError without mpmath."""
    try:
        context = import_module("mpmath").mp.clone()
    except ImportError:
        raise ImportError(f'the oracle "mpmath" needs mpmath: {install("test")}') from None
    context.dps = digits
    base = SimpleNamespace(
        arccos=context.acos, arccosh=context.acosh, arcsin=context.asin, arcsinh=context.asinh, arctan=context.atan,
        arctanh=context.atanh, cbrt=lambda x: context.sign(x) * context.cbrt(abs(x)), cos=context.cos,
        cosh=context.cosh, erfc=context.erfc, exp=context.exp, exp2=lambda x: context.power(2, x), expm1=context.expm1,
        log=context.log, log10=context.log10, log1p=lambda x: context.log(1 + x), log2=lambda x: context.log(x, 2),
        pi=context.pi, power=context.power, sin=context.sin, sinc=context.sincpi, sinh=context.sinh,
        spherical_bessel=_spherical_bessel(context), sqrt=context.sqrt, tan=context.tan, tanh=context.tanh,
    )  # fmt: skip
    return duals_over(base, lambda x: context.mpf(float(x) if not isinstance(x, context.mpf) else x))
