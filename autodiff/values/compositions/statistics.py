"""Sums, means, order statistics and functions based on them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from autodiff.engine.graph import Node
from autodiff.engine.plain import constants, plain, shape_of
from autodiff.primitives.operands import describe
from autodiff.primitives.table import choices, elementwise, layout, linear, reductions
from autodiff.values.compositions.moves import MOVES, ravel

__all__ = ["REDUCTIONS", "STATISTICS", "constant", "is_number", "only"]

_take_along_axis: Final = MOVES["take_along_axis"]


# ---- sums of some elements -------------------------------------------------------------------------------------------


def _sum(x: Any, axis: Any = None, keepdims: bool = False, *, where: Any = True, initial: Any = None) -> Any:
    z = reductions.sum(only(where, x, 0.0), axis=axis, keepdims=keepdims)
    return z if initial is None else z + initial


def _prod(x: Any, axis: Any = None, keepdims: bool = False, *, where: Any = True, initial: Any = None) -> Any:
    z = reductions.prod(only(where, x, 1.0), axis=axis, keepdims=keepdims)
    return z if initial is None else z * initial


def _mean(x: Any, axis: Any = None, keepdims: bool = False, *, where: Any = True) -> Any:
    count = np.sum(np.broadcast_to(where, shape_of(x)), axis=axis, keepdims=keepdims)
    return _sum(x, axis, keepdims, where=where) / constants(count, x)


def _max(x: Any, axis: Any = None, keepdims: bool = False, *, where: Any = True, initial: Any = None) -> Any:
    """The largest of ``initial`` and the elements that ``where`` selects; NumPy requires ``initial`` with ``where``."""
    return _extreme(reductions.max, elementwise.maximum, x, axis, keepdims, where, initial)


def _min(x: Any, axis: Any = None, keepdims: bool = False, *, where: Any = True, initial: Any = None) -> Any:
    return _extreme(reductions.min, elementwise.minimum, x, axis, keepdims, where, initial)


def _extreme(
    of_all: Callable[..., Any], of_two: Callable[..., Any], x: Any, axis: Any, keepdims: bool, where: Any, initial: Any
) -> Any:
    if initial is None:
        if where is not True:
            raise ValueError("a maximum or minimum with where= needs initial=, in case where selects no element")
        return of_all(x, axis=axis, keepdims=keepdims)
    x = only(where, x, initial)
    if not np.size(plain(x)):
        return _extreme_of_none(x, axis, keepdims, initial)
    z = of_all(x, axis=axis, keepdims=keepdims)
    return z if initial == _LEAST[of_all] else of_two(z, initial)


_LEAST: Final[dict[Any, float]] = {reductions.max: -np.inf, reductions.min: np.inf}


def _extreme_of_none(x: Any, axis: Any, keepdims: bool, initial: Any) -> Any:
    """``initial`` in the shape of the result, for an array without elements."""
    return reductions.sum(x, axis=axis, keepdims=keepdims) * 0.0 + initial


def only(where: Any, x: Any, other: Any) -> Any:
    """``x`` where ``where`` selects it, ``other`` elsewhere."""
    if where is True:
        return x
    mask = np.asarray(plain(where))
    return choices.where(np.broadcast_to(mask, np.broadcast_shapes(mask.shape, shape_of(x))), x, other)


#: Reductions of the table that take NumPy's additional keywords.
REDUCTIONS: Final[dict[Any, Callable[..., Any]]] = {
    reductions.sum: _sum, reductions.prod: _prod, reductions.mean: _mean, reductions.max: _max, reductions.min: _min,
}  # fmt: skip


# ---- reductions that ignore nan --------------------------------------------------------------------------------------


def is_number(x: Any) -> Any:
    """Where x is a number, not nan."""
    return ~np.isnan(plain(x))


def _count(x: Any, axis: Any, keepdims: bool) -> Any:
    return constants(np.sum(is_number(x), axis=axis, keepdims=keepdims), x)


def _nansum(x: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    return _sum(x, axis, keepdims, where=is_number(x))


def _nanprod(x: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    return _prod(x, axis, keepdims, where=is_number(x))


def _nanmean(x: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    return _nansum(x, axis, keepdims=keepdims) / _count(x, axis, keepdims)


def _nanvar(x: Any, axis: Any = None, *, ddof: float = 0, keepdims: bool = False) -> Any:
    centred = choices.where(is_number(x), x - _nanmean(x, axis, keepdims=True), 0.0)
    return reductions.sum(elementwise.square(centred), axis=axis, keepdims=keepdims) / _freedom(x, axis, ddof, keepdims)


def _nanstd(x: Any, axis: Any = None, *, ddof: float = 0, keepdims: bool = False) -> Any:
    """By the norm, whose derivative at 0 is 0."""
    centred = choices.where(is_number(x), x - _nanmean(x, axis, keepdims=True), 0.0)
    freedom = _freedom(x, axis, ddof, keepdims)
    return reductions.norm(centred, axis=axis, keepdims=keepdims) / np.sqrt(freedom)


def _freedom(x: Any, axis: Any, ddof: float, keepdims: bool) -> Any:
    """Degrees of freedom, n − ddof; nan where there are none."""
    freedom = _count(x, axis, keepdims) - ddof
    return constants(np.where(freedom > 0, freedom, np.nan), x)


def _nanmax(x: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    return _nan_where_none(_max(x, axis, keepdims, where=is_number(x), initial=-np.inf), x, axis, keepdims)


def _nanmin(x: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    return _nan_where_none(_min(x, axis, keepdims, where=is_number(x), initial=np.inf), x, axis, keepdims)


def _nan_where_none(z: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    if not np.size(plain(x)):
        reductions.max(x, axis=axis)  # raises if there are no elements, as in NumPy
    return choices.where(np.equal(_count(x, axis, keepdims), 0), np.nan, z)


# ---- means and deviations --------------------------------------------------------------------------------------------


def _var(x: Any, axis: Any = None, *, ddof: int = 0, keepdims: bool = False) -> Any:
    return reductions.var(x, axis, keepdims, ddof=ddof)


def _std(x: Any, axis: Any = None, *, ddof: int = 0, keepdims: bool = False) -> Any:
    return reductions.std(x, axis, keepdims, ddof=ddof)


def _ptp(x: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    return reductions.max(x, axis=axis, keepdims=keepdims) - reductions.min(x, axis=axis, keepdims=keepdims)


def _average(x: Any, axis: Any = None, weights: Any = None, returned: bool = False, *, keepdims: bool = False) -> Any:
    """Σ wᵢxᵢ / Σ wᵢ; weights with one axis lie along ``axis``."""
    shape = shape_of(x)
    if weights is None:
        z, total = reductions.mean(x, axis=axis, keepdims=keepdims), None
    else:
        if shape_of(weights) != shape:
            if axis is None or not shape_of(weights):
                raise TypeError(f"weights whose shape is not {shape} need the axis that they belong to")
            axes = normalize_axis_tuple(axis, len(shape))
            others = tuple(k for k in range(len(shape)) if k not in axes)
            order = np.argsort(axes)
            weights = np.expand_dims(np.transpose(weights, tuple(int(k) for k in order)), others)
            weights = layout.broadcast_to(weights, shape=shape)
        total = reductions.sum(weights, axis=axis, keepdims=keepdims)
        z = reductions.sum(x * weights, axis=axis, keepdims=keepdims) / total
    if not returned:
        return z
    count = plain(x).size / max(np.size(plain(z)), 1)
    return z, np.full(shape_of(z), count) if total is None else total


def _cov(m: Any, y: Any = None, rowvar: bool = True, bias: bool = False, ddof: int | None = None) -> Any:
    """Covariances of variables; each row is a variable, each column an observation."""
    x = np.atleast_2d(m)
    if not rowvar and np.ndim(plain(m)) != 1:
        x = x.T
    if y is not None:
        other = np.atleast_2d(y)
        x = np.concatenate([x, other if rowvar or shape_of(other)[0] == 1 else other.T])
    freedom = max(shape_of(x)[1] - (int(not bias) if ddof is None else ddof), 0)  # NumPy divides by 0 as well
    centred = x - reductions.mean(x, axis=1, keepdims=True)
    return layout.squeeze(linear.matmul(centred, centred.T) / freedom)


def _corrcoef(x: Any, y: Any = None, rowvar: bool = True) -> Any:
    c = _cov(x, y, rowvar)
    if not np.ndim(plain(c)):
        return c / c
    deviations = elementwise.sqrt(layout.diag(c))
    return elementwise.clip(c / deviations[:, None] / deviations[None, :], -1.0, 1.0)


# ---- order statistics ------------------------------------------------------------------------------------------------


def _median(x: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    if not np.size(plain(x)):
        return _nanmedian(x, axis, keepdims=keepdims)
    return _quantile(x, 0.5, axis, method="midpoint", keepdims=keepdims)


def _nanmedian(x: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    return _nanquantile(x, 0.5, axis, method="midpoint", keepdims=keepdims)


def _percentile(x: Any, q: Any, axis: Any = None, *, method: str = "linear", keepdims: bool = False) -> Any:
    return _quantile(x, np.true_divide(constant("q", q), 100.0), axis, method=method, keepdims=keepdims)


def _nanpercentile(x: Any, q: Any, axis: Any = None, *, method: str = "linear", keepdims: bool = False) -> Any:
    return _nanquantile(x, np.true_divide(constant("q", q), 100.0), axis, method=method, keepdims=keepdims)


def _quantile(x: Any, q: Any, axis: Any = None, *, method: str = "linear", keepdims: bool = False) -> Any:
    rows = _rows(x, axis)
    if not np.size(plain(rows)):
        raise ValueError(f"a quantile needs elements, and got shape {shape_of(x)}")
    z = _quantile_of_rows(rows, q, method)
    return _keeping_axes(choices.where(np.isnan(plain(rows)).any(axis=-1), np.nan, z), x, q, axis, keepdims)


def _nanquantile(x: Any, q: Any, axis: Any = None, *, method: str = "linear", keepdims: bool = False) -> Any:
    return _keeping_axes(_quantile_of_rows(_rows(x, axis), q, method), x, q, axis, keepdims)


def constant(name: str, item: Any) -> Any:
    """An argument that must not be a node; raises TypeError if it is."""
    if isinstance(item, Node):
        raise TypeError(f"{name} must be a constant, got {describe(item)}; use its .data")
    return item


def _rows(x: Any, axis: Any) -> Any:
    """``x`` with the reduced axes merged into one, the last."""
    if axis is None:
        return ravel(x)
    axes = normalize_axis_tuple(axis, np.ndim(plain(x)))
    moved = np.moveaxis(x, axes, range(-len(axes), 0))
    shape = shape_of(moved)
    kept = len(shape) - len(axes)
    return layout.reshape(moved, shape=(*shape[:kept], int(np.prod(shape[kept:]))))


#: Interpolation between two neighbouring elements, at the fraction t from the lower to the upper one.
_BETWEEN: Final[dict[str, Callable[[Any, Any, Any], Any]]] = {
    "higher": lambda low, high, t: choices.where(t > 0, high, low),
    "linear": lambda low, high, t: low + t * (high - low),
    "lower": lambda low, high, t: low,  # noqa: ARG005
    "midpoint": lambda low, high, t: choices.where(t > 0, 0.5 * (low + high), low),
}  # fmt: skip


def _quantile_of_rows(rows: Any, q: Any, method: str) -> Any:
    """Quantiles of the sorted elements of each row, ignoring nan; the axes of ``q`` come first."""
    if method not in _BETWEEN:
        raise ValueError(f"quantiles by {method!r} have no rule on nodes; methods are {', '.join(_BETWEEN)}")
    if not np.all(np.greater_equal(constant("q", q), 0) & np.less_equal(q, 1)):
        raise ValueError(f"a quantile must be from 0 to 1 (a percentile from 0 to 100), got q={q!r}")
    if not shape_of(rows)[-1]:
        return reductions.sum(rows, axis=-1) + np.full((*np.shape(q), *shape_of(rows)[:-1]), np.nan)
    order = np.argsort(plain(rows), axis=-1, kind="stable")  # nan is sorted last
    count = np.sum(is_number(rows), axis=-1)
    places = np.multiply.outer(np.asarray(q, float), np.maximum(count - 1, 0))
    low = np.floor(places).astype(int)
    ordered = _take_along_axis(rows, order, -1)
    below, above = (_picked(ordered, np.minimum(k, np.maximum(count - 1, 0))) for k in (low, low + 1))
    z = _BETWEEN[method](below, above, constants(places - low, rows))
    return choices.where(np.broadcast_to(np.equal(count, 0), shape_of(z)), np.nan, z)


def _picked(ordered: Any, places: Any) -> Any:
    """The elements of each row at its positions; the axes of ``q`` come first."""
    shape = shape_of(ordered)
    starts = np.arange(np.prod(shape[:-1], dtype=int)).reshape(shape[:-1]) * shape[-1]
    return layout.take(ordered, starts + places)


def _keeping_axes(z: Any, x: Any, q: Any, axis: Any, keepdims: bool) -> Any:
    if not keepdims:
        return z
    ndim = np.ndim(plain(x))
    axes = range(ndim) if axis is None else normalize_axis_tuple(axis, ndim)
    return np.expand_dims(z, tuple(k + np.ndim(q) for k in axes))


#: The implementation of each NumPy function on nodes, by its name in NumPy.
STATISTICS: Final[dict[str, Callable[..., Any]]] = {
    "average": _average, "corrcoef": _corrcoef, "cov": _cov, "median": _median, "nanmax": _nanmax, "nanmean": _nanmean,
    "nanmedian": _nanmedian, "nanmin": _nanmin, "nanpercentile": _nanpercentile, "nanprod": _nanprod,
    "nanquantile": _nanquantile, "nanstd": _nanstd, "nansum": _nansum, "nanvar": _nanvar, "percentile": _percentile,
    "ptp": _ptp, "quantile": _quantile, "std": _std, "var": _var,
}  # fmt: skip
