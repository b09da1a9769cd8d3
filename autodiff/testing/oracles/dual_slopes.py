"""The slopes of the elementary functions, for dual numbers, and the rounding functions, whose slope is 0."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

__all__ = ["ROUNDED", "SLOPES"]

#: dz/dx of each elementary function, in x and z, with the functions of ``m``.
SLOPES: Final[Mapping[str, Callable[..., Any]]] = {
    "exp": lambda m, x, z: z,
    "expm1": lambda m, x, z: m.exp(x),
    "log": lambda m, x, z: 1 / x,
    "log1p": lambda m, x, z: 1 / (1 + x),
    "sqrt": lambda m, x, z: 1 / (z + z),
    "sin": lambda m, x, z: m.cos(x),
    "cos": lambda m, x, z: -m.sin(x),
    "tan": lambda m, x, z: 1 / m.cos(x) ** 2,
    "arcsin": lambda m, x, z: 1 / m.cos(z),
    "arccos": lambda m, x, z: -1 / m.sin(z),
    "arctan": lambda m, x, z: m.cos(z) ** 2,
    "sinh": lambda m, x, z: m.cosh(x),
    "cosh": lambda m, x, z: m.sinh(x),
    "tanh": lambda m, x, z: 1 / m.cosh(x) ** 2,
    "exp2": lambda m, x, z: z * m.log(2),
    "log2": lambda m, x, z: 1 / (x * m.log(2)),
    "log10": lambda m, x, z: 1 / (x * m.log(10)),
    "cbrt": lambda m, x, z: z / (3 * x),
    "arcsinh": lambda m, x, z: 1 / m.cosh(z),
    "arccosh": lambda m, x, z: 1 / m.sinh(z),
    "arctanh": lambda m, x, z: m.cosh(z) ** 2,
    "sinc": lambda m, x, z: -m.pi * m.spherical_bessel(m.pi * x, 1),
    "erfc": lambda m, x, z: -2 / m.sqrt(m.pi) * m.exp(-x * x),
}


def _floor(x: Any) -> int:
    """The floor by ``int``, which all types of numbers support."""
    whole = int(x)
    return whole if whole <= x else whole - 1


def _rint(x: Any) -> int:
    whole = _floor(x)
    rest = x - whole
    return whole + int(rest > 0.5 or (rest == 0.5 and whole % 2))


ROUNDED: Final[Mapping[str, Callable[[Any], int]]] = {
    "ceil": lambda x: -_floor(-x), "floor": _floor, "rint": _rint, "trunc": int,
}  # fmt: skip
