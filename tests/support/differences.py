"""Derivatives independent of the engine: differences extrapolated to step 0, and mpmath at 50 digits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import mpmath
import numpy as np

FIFTY = mpmath.mp.clone()
FIFTY.dps = 50

#: The namespace that forward rules compute with at 50 digits.
digits = SimpleNamespace(
    absolute=FIFTY.fabs, copysign=lambda x, y: FIFTY.fabs(x) * (1 if y > 0 else -1), cos=FIFTY.cos, cosh=FIFTY.cosh,
    erfc=FIFTY.erfc, exp=FIFTY.exp, expm1=FIFTY.expm1, arccos=FIFTY.acos, arcsin=FIFTY.asin, arctan=FIFTY.atan,
    log=FIFTY.log, log1p=FIFTY.log1p, logistic=lambda x: 1 / (1 + FIFTY.exp(-x)), maximum=max, minimum=min,
    logistics=lambda x: (1 / (1 + FIFTY.exp(-x)), 1 / (1 + FIFTY.exp(x))), sech2=lambda x, z: FIFTY.sech(x) ** 2,
    gaussian=lambda x, scale: FIFTY.exp(-scale * x * x), normal_cdf=FIFTY.ncdf, lorentzian=lambda x: 1 / (1 + x * x),
    power=FIFTY.power, sign=FIFTY.sign, sin=FIFTY.sin, sinh=FIFTY.sinh, sqrt=FIFTY.sqrt, tan=FIFTY.tan,
    tanh=FIFTY.tanh, where=lambda condition, x, y: x if condition else y,
    arccosh=FIFTY.acosh, arcsinh=FIFTY.asinh, arctan2=FIFTY.atan2, arctanh=FIFTY.atanh, ceil=FIFTY.ceil,
    cbrt=lambda x: FIFTY.sign(x) * FIFTY.cbrt(abs(x)), exp2=lambda x: FIFTY.power(2, x), floor=FIFTY.floor,
    floor_divide=lambda x, y: FIFTY.floor(x / y), fmod=lambda x, y: x - y * FIFTY.mpf(int(x / y)), hypot=FIFTY.hypot,
    log10=FIFTY.log10, log2=lambda x: FIFTY.log(x, 2), logaddexp=lambda x, y: FIFTY.log(FIFTY.exp(x) + FIFTY.exp(y)),
    remainder=lambda x, y: x - y * FIFTY.floor(x / y), rint=FIFTY.nint, sinc=FIFTY.sincpi,
    spherical_bessel=lambda x, n: (
        FIFTY.sign(x) ** int(n) * FIFTY.sqrt(FIFTY.pi / (2 * abs(x))) * FIFTY.besselj(n + 0.5, abs(x))
    ),
    trunc=lambda x: FIFTY.mpf(int(x)),
)  # fmt: skip


def exact(f: Callable[..., Any], point: Sequence[float], orders: Sequence[int]) -> float:
    """∂ⁿf at ``point``, ``orders`` times in each variable, right to far more than 16 digits."""
    return float(FIFTY.diff(f, tuple(FIFTY.mpf(float(x)) for x in point), tuple(orders)))


def slope(phi: Callable[[Any], Any], *, step: float = 2.0**-10) -> tuple[float, float]:
    """φ′(0) by central differences over four steps, extrapolated in h² to h = 0, and a bound on its error.

    The bound adds the last change of the extrapolation to what rounding of φ does at the smallest step.
    """
    steps = [step / 2**k for k in range(4)]
    pairs = [(phi(h), phi(-h)) for h in steps]
    rows = [[(up - down) / (2 * h)] for h, (up, down) in zip(steps, pairs, strict=True)]
    for k, row in enumerate(rows[1:], 1):
        for j in range(k):
            row.append(row[j] + (row[j] - rows[k - 1][j]) / (4 ** (j + 1) - 1))
    size = np.max(np.abs(pairs))
    rounding = 8 * np.finfo(np.asarray(size).dtype).eps * size / steps[-1]
    return float(rows[-1][-1]), float(abs(rows[-1][-1] - rows[-2][-1]) + rounding)


def slopes(f: Callable[..., Any], points: Sequence[Any], *, step: float = 2.0**-10) -> list[tuple[Any, Any]]:
    """For each point, the array of ∂f/∂element and the array of error bounds; ``f`` returns one number."""
    found = []
    for k, point in enumerate(points):
        values, bounds = np.zeros(np.shape(point)), np.zeros(np.shape(point))
        for place in np.ndindex(np.shape(point)):

            def along(t: Any, k: int = k, place: tuple[int, ...] = place) -> Any:
                moved = [np.array(x) for x in points]
                moved[k][place] += t
                return f(*moved)

            values[place], bounds[place] = slope(along, step=step)
        found.append((values, bounds))
    return found


def assert_close(ours: Any, found: tuple[Any, Any], *, rounding: float = 1e-12) -> None:
    """``ours`` within four error bounds, and within ``rounding`` of the largest element: sums of products cancel."""
    values, bounds = found
    assert np.shape(ours) == np.shape(values)
    scale = np.max(np.abs(values), initial=0.0)
    wrong = np.abs(ours - values) - 4 * bounds - rounding * scale
    assert np.all(wrong <= 0), f"{ours} is not {values} ± {bounds}"
