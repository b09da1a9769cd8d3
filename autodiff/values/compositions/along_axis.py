"""Cumulative sums and products along an axis, integrals and finite differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from autodiff.engine.plain import constants, plain, shape_of
from autodiff.primitives.table import layout, reductions
from autodiff.values.compositions.moves import ravel
from autodiff.values.compositions.statistics import constant, is_number, only

__all__ = ["ALONG_AXIS"]


def _running(of_axis: Callable[..., Any]) -> Callable[..., Any]:
    """A cumulative sum or product with NumPy's signature: over the flattened elements if no axis is given."""
    return lambda x, axis=None: of_axis(ravel(x), axis=0) if axis is None else of_axis(x, axis=axis)


_cumsum: Final = _running(reductions.cumsum)
_cumprod: Final = _running(reductions.cumprod)


def _nancumsum(x: Any, axis: int | None = None) -> Any:
    return _cumsum(only(is_number(x), x, 0.0), axis)


def _nancumprod(x: Any, axis: int | None = None) -> Any:
    return _cumprod(only(is_number(x), x, 1.0), axis)


def _cumulative(running: Callable[..., Any], first: float) -> Callable[..., Any]:
    """A cumulative sum or product as in the array API: along one axis, optionally starting with the empty one."""

    def cumulative(x: Any, /, *, axis: int | None = None, include_initial: bool = False) -> Any:
        x = np.atleast_1d(x)
        if axis is None and np.ndim(plain(x)) > 1:
            raise ValueError(f"a running sum or product of an array of shape {shape_of(x)} needs an axis")
        k = normalize_axis_index(axis or 0, np.ndim(plain(x)))
        z = running(x, axis=k)
        shape = list(shape_of(x))
        shape[k] = 1
        return layout.concatenate([constants(np.full(shape, first), x), z], axis=k) if include_initial else z

    return cumulative


def _trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    """∫ y dx by the trapezoidal rule: Σ (y_{i+1} + y_i)/2 · (x_{i+1} − x_i)."""
    y = np.moveaxis(y, axis, -1)
    if x is not None:
        dx = np.diff(x) if np.ndim(plain(x)) == 1 else np.diff(np.moveaxis(x, axis, -1))
    return reductions.sum((y[..., 1:] + y[..., :-1]) * dx, axis=-1) / 2.0


def _gradient(f: Any, *spacing: Any, axis: Any = None, edge_order: int = 1) -> Any:
    """Difference quotients of neighbours, of second order in the interior, with NumPy's coefficients."""
    shape = shape_of(f)
    axes = tuple(range(len(shape))) if axis is None else normalize_axis_tuple(axis, len(shape))
    each = spacing * len(axes) if len(spacing) == 1 else spacing or (1.0,) * len(axes)
    if len(each) != len(axes):
        raise TypeError(f"gradient takes one spacing, or one for each of {len(axes)} axes, and got {len(spacing)}")
    found = [_slopes(f, k, constant("spacing", h), edge_order) for k, h in zip(axes, each, strict=True)]
    return found[0] if len(found) == 1 else tuple(found)


def _slopes(f: Any, axis: int, spacing: Any, edge_order: int) -> Any:
    """Slopes along one axis: a, b and c times three neighbours at distances h and k."""
    f = np.moveaxis(f, axis, 0)
    count = shape_of(f)[0]
    if edge_order not in (1, 2) or count <= edge_order:
        raise ValueError(f"gradient with edge_order={edge_order} needs more than {edge_order} elements along an axis, "
                         f"and got {count}; edge_order is 1 or 2")  # fmt: skip
    steps = np.diff(spacing) if np.ndim(spacing) else np.full(count - 1, float(spacing))
    if len(steps) != count - 1:
        raise ValueError(f"gradient takes as many coordinates as elements, {count}, and got {len(steps) + 1}")
    if np.ndim(spacing) == 0:
        parts = [(f[2:] - f[:-2]) * (0.5 / float(spacing))]
    else:
        h, k = steps[:-1], steps[1:]
        inner = (-k / (h * (h + k)), (k - h) / (h * k), h / (k * (h + k)))
        columns = [constants(part.reshape(-1, *[1] * (np.ndim(plain(f)) - 1)), f) for part in inner]
        parts = [sum(part * f[j : count - 2 + j] for j, part in enumerate(columns))]
    if edge_order == 1:
        first, last = (f[1:2] - f[:1]) * float(1.0 / steps[0]), (f[-1:] - f[-2:-1]) * float(1.0 / steps[-1])
    else:
        first = _slope_at_first(f[:3], steps[0], steps[1])
        last = -_slope_at_first(np.flip(f[-3:], axis=0), steps[-1], steps[-2])
    return np.moveaxis(layout.concatenate([first, *parts, last], axis=0), 0, axis)


def _slope_at_first(f: Any, h: float, k: float) -> Any:
    """The slope at the first of three neighbours."""
    a, b, c = -(2.0 * h + k) / (h * (h + k)), (h + k) / (h * k), -h / (k * (h + k))
    return f[:1] * float(a) + f[1:2] * float(b) + f[2:3] * float(c)


#: The implementation of each NumPy function on nodes, by its name in NumPy.
ALONG_AXIS: Final[dict[str, Callable[..., Any]]] = {
    "cumprod": _cumprod, "cumsum": _cumsum, "cumulative_prod": _cumulative(_cumprod, 1.0),
    "cumulative_sum": _cumulative(_cumsum, 0.0), "gradient": _gradient, "nancumprod": _nancumprod,
    "nancumsum": _nancumsum, "trapezoid": _trapezoid,
}  # fmt: skip
