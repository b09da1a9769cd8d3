"""Places as affine functions of indices: the shape in which rows of places are regular, and their strides.

Example: the places (0 0 4 4 8 8) of one operand and (0 4 0 4 0 4) of another are both regular in the shape (3, 2), with
strides (4, 0) and (0, 4).
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["repeated", "shape_of", "strides_of"]

_MOST_AXES = 4


def shape_of(rows: Any) -> tuple[int, ...] | None:
    """The shape in which each of several rows of numbers is affine in the indices; None if there is none.

    >>> shape_of(np.array([[0, 0, 4, 4, 8, 8], [0, 4, 0, 4, 0, 4]]))
    (3, 2)
    """
    inner: tuple[int, ...] = ()
    while len(inner) < _MOST_AXES:
        count = rows.shape[1]
        if count == 1:
            return inner or (1,)
        steps = np.diff(rows, axis=1)
        breaks = (steps != steps[:, :1]).any(axis=0)
        if not breaks.any():
            return (count, *inner)
        length = int(np.argmax(breaks)) + 1
        if count % length:
            return None
        table = rows.reshape(len(rows), -1, length)
        if (table - table[:, :, :1] != table[:, :1] - table[:, :1, :1]).any():
            return None
        rows, inner = table[:, :, 0], (length, *inner)
    return None


def strides_of(places: Any) -> tuple[int, tuple[int, ...]] | None:
    """Start and strides of places that are affine in their indices; None if they are not.

    >>> strides_of(np.array([[3, 5], [3, 5]]))
    (3, (0, 2))
    """
    strides, affine = [], places
    for axis, length in enumerate(places.shape):
        corner: list[Any] = [0] * places.ndim
        corner[axis] = 1
        strides.append(int(places[tuple(corner)] - places[(0,) * places.ndim]) if length > 1 else 0)
    start = int(places[(0,) * places.ndim])
    affine = np.full(places.shape, start)
    for axis, stride in enumerate(strides):
        if stride:
            affine += stride * np.arange(places.shape[axis]).reshape(
                [-1 if a == axis else 1 for a in range(places.ndim)]
            )
    return (start, tuple(strides)) if (affine == places).all() else None


def repeated(values: Any) -> tuple[Any, tuple[int, ...]]:
    """The values without the axes along which they repeat, and the strides that repeat them.

    >>> repeated(np.array([[1.0, 2.0], [1.0, 2.0]]))
    (array([1., 2.]), (0, 1))
    """
    axes = [a for a in range(values.ndim) if values.shape[a] > 1 and not _same(values, a)]
    kept = values[tuple(slice(None) if a in axes else 0 for a in range(values.ndim))]
    strides: list[int] = [0] * values.ndim
    size = 1
    for axis in reversed(axes):
        strides[axis] = size
        size *= values.shape[axis]
    return kept, tuple(strides)


def _same(values: Any, axis: int) -> bool:
    return bool(np.array_equal(values, np.broadcast_to(values.take([0], axis), values.shape), equal_nan=True))
