"""Norms of vectors and matrices in `numpy.linalg`, and the functions based on them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from autodiff.engine.plain import plain, shape_of
from autodiff.primitives.namespace import is_plain_number
from autodiff.primitives.table import choices, elementwise, layout, reductions
from autodiff.primitives.table import factorizations as of
from autodiff.values.compositions.linalg import matrices

__all__ = ["NORMS"]


def _norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    ndim = len(shape_of(x))
    if ord is None:
        return reductions.norm(x, axis=axis, keepdims=keepdims)
    axes = tuple(range(ndim)) if axis is None else normalize_axis_tuple(axis, ndim)
    if len(axes) == 1:
        return _vector_norm_over(x, ord, axes, keepdims)
    if len(axes) == 2:
        return _matrix_norm_over(x, ord, axes, keepdims)
    raise ValueError(
        f"np.linalg.norm with ord={ord!r} takes one axis or two, and got shape {shape_of(x)} with axis={axis!r}"
    )


def _vector_norm(x: Any, /, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:
    ndim = len(shape_of(x))
    axes = tuple(range(ndim)) if axis is None else normalize_axis_tuple(axis, ndim)
    return _vector_norm_over(x, ord, axes, keepdims)


def _matrix_norm(x: Any, /, *, keepdims: bool = False, ord: Any = "fro") -> Any:
    matrices("matrix_norm", x)
    axes = len(shape_of(x)) - 2, len(shape_of(x)) - 1
    return _matrix_norm_over(x, "fro" if ord is None else ord, axes, keepdims)


def _vector_norm_over(x: Any, ord: Any, axes: tuple[int, ...], keepdims: bool) -> Any:
    """(Σ|x|ᵖ)^(1/p) and its limits over ``axes``, which are treated as one vector."""
    if ord is None or (is_plain_number(ord) and ord == 2):
        return reductions.norm(x, axis=axes, keepdims=keepdims)
    if not is_plain_number(ord):
        raise ValueError(f"a vector norm takes a number as ord, and got {ord!r}")
    size = elementwise.absolute(x)
    if ord == 0:
        return reductions.sum(elementwise.sign(size), axis=axes, keepdims=keepdims)
    if abs(ord) == math.inf:
        extreme = reductions.max if ord > 0 else reductions.min
        return extreme(size, axis=axes, keepdims=keepdims)
    if ord == 1:
        return reductions.sum(size, axis=axes, keepdims=keepdims)
    even = ord > 0 and ord % 2 == 0  # without |x|: even powers have no kink at 0
    total = reductions.sum(elementwise.raise_to(x if even else size, ord), axis=axes, keepdims=keepdims)
    nothing = plain(total) == 0
    root = elementwise.raise_to(choices.where(nothing, 1.0, total), 1.0 / ord)
    # If all elements are 0 the gradient is 0, like that of the Euclidean norm.
    return choices.where(nothing, 0.0 if ord > 0 else plain(root) * 0.0, root)


def _matrix_norm_over(x: Any, ord: Any, axes: tuple[int, ...], keepdims: bool) -> Any:
    """The norm of the matrices whose rows and columns lie along ``axes``."""
    if ord in ("fro", "f"):
        return reductions.norm(x, axis=axes, keepdims=keepdims)
    if ord not in _OF_COLUMNS and ord not in _OF_ROWS and ord not in _OF_SINGULAR_VALUES:
        raise ValueError(f"a matrix norm takes 1, -1, 2, -2, inf, -inf, 'fro' or 'nuc' as ord, and got {ord!r}")
    rest = tuple(k for k in range(len(shape_of(x))) if k not in axes)
    last = layout.transpose(x, axes=rest + axes)
    if ord in _OF_SINGULAR_VALUES:
        found = _OF_SINGULAR_VALUES[ord](of.svdvals(last), axis=-1)
    else:
        extreme, axis = (_OF_COLUMNS[ord], -2) if ord in _OF_COLUMNS else (_OF_ROWS[ord], -1)
        found = extreme(reductions.sum(elementwise.absolute(last), axis=axis), axis=-1)
    if not keepdims:
        return found
    return layout.reshape(found, shape=tuple(1 if k in axes else n for k, n in enumerate(shape_of(x))))


_OF_COLUMNS: Final[dict[Any, Callable[..., Any]]] = {1: reductions.max, -1: reductions.min}
_OF_ROWS: Final[dict[Any, Callable[..., Any]]] = {math.inf: reductions.max, -math.inf: reductions.min}
_OF_SINGULAR_VALUES: Final[dict[Any, Callable[..., Any]]] = {
    2: reductions.max, -2: reductions.min, "nuc": reductions.sum,
}  # fmt: skip


def _cond(x: Any, p: Any = None) -> Any:
    matrices("cond", x, square=p not in (None, 2, -2))
    if 0 in shape_of(x):
        raise np.linalg.LinAlgError(f"np.linalg.cond takes matrices with elements, and got shape {shape_of(x)}")
    if p in (None, 2, -2):
        sizes = of.svdvals(x)
        most, least = sizes[..., 0], sizes[..., -1]
        return least / most if p == -2 else most / least
    axes = len(shape_of(x)) - 2, len(shape_of(x)) - 1
    if np.any(np.linalg.det(plain(x)) == 0):
        raise np.linalg.LinAlgError(f"np.linalg.cond with p={p!r} takes invertible matrices; use p=2 for others")
    return _matrix_norm_over(x, p, axes, False) * _matrix_norm_over(of.inv(x), p, axes, False)


#: The implementation of each NumPy function on nodes, by its name in NumPy.
NORMS: Final[dict[str, Callable[..., Any]]] = {
    "linalg.cond": _cond, "linalg.matrix_norm": _matrix_norm, "linalg.norm": _norm, "linalg.vector_norm": _vector_norm,
}  # fmt: skip
