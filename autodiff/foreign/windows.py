"""Elements by position: index arrays, windows that slide over an array, and convolutions made of them.

Spatial axes are the last ones. All functions take nodes, object arrays of Values and plain arrays.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from autodiff.foreign.singles import product
from autodiff.primitives.table.choices import where
from autodiff.primitives.table.layout import broadcast_to, expand_dims, getitem, reshape, scatter, transpose
from autodiff.primitives.table.reductions import logsumexp

__all__ = [
    "at_positions", "columns_of_windows", "convolution", "dilated", "index_at", "padded", "picked", "positions",
    "running_logsumexp", "windows", "windows_along",
]  # fmt: skip


def picked(item: Any, taken: Any, axis: int) -> Any:
    """The elements at the indices ``taken`` along an axis."""
    index = list(np.ix_(*map(range, taken.shape)))
    index[axis] = taken
    return getitem(item, index=tuple(index))


def positions(shape: tuple[int, ...]) -> Any:
    """The position of every element of an array of that shape, in row-major order."""
    return np.arange(math.prod(shape)).reshape(shape)


def at_positions(item: Any, places: Any) -> Any:
    """The elements at places that count in row-major order."""
    shape = np.shape(item)
    return getitem(item, index=index_at(places, shape)) if shape else broadcast_to(item, shape=places.shape)


def index_at(places: Any, shape: tuple[int, ...]) -> Any:
    """The index of elements in an array of that shape: of whole rows where possible, so that ``x[3]`` stays one."""
    rows = shape[1:]
    if places.size and places.shape[places.ndim - len(rows) :] == rows:
        lead = places.shape[: places.ndim - len(rows)]
        first = places.reshape(*lead, -1)[..., 0] // math.prod(rows)
        if np.array_equal(positions(shape)[first], places):
            return int(first) if not lead else first
    index = np.unravel_index(places, shape)
    return tuple(map(int, index)) if not places.ndim else index


def padded(x: Any, margins: Sequence[tuple[int, int]], steps: Sequence[int] | None = None) -> Any:
    """Zeros around the last axes of x and ``steps − 1`` zeros between elements; negative margins cut elements off."""
    steps = [1] * len(margins) if steps is None else steps
    shape = np.shape(x)
    kept, lengths = shape[: len(shape) - len(margins)], shape[len(shape) - len(margins) :]
    spread = [max(step * (n - 1) + 1, 0) for n, step in zip(lengths, steps, strict=True)]
    if any(low > 0 or high > 0 for low, high in margins) or any(step > 1 for step in steps):
        starts = [max(low, 0) for low, _ in margins]
        places = [slice(start, start + n, step) for n, start, step in zip(spread, starts, steps, strict=True)]
        outer = [max(low, 0) + n + max(high, 0) for n, (low, high) in zip(spread, margins, strict=True)]
        x = scatter(x, index=(..., *places), shape=(*kept, *outer))
    if any(low < 0 or high < 0 for low, high in margins):
        x = getitem(x, index=(..., *(slice(max(-low, 0), min(high, 0) or None) for low, high in margins)))
    return x


def dilated(x: Any, steps: Sequence[int]) -> Any:
    """x with ``steps − 1`` zeros between its elements along the last axes."""
    return padded(x, [(0, 0)] * len(steps), steps)


def windows(x: Any, size: Sequence[int], stride: Sequence[int], dilation: Sequence[int]) -> Any:
    """The windows of that size over the last axes of x: shape (…, *places, *size)."""
    count = len(size)
    lengths = np.shape(x)[np.ndim(x) - count :]
    index: list[Any] = [...]
    for k, (n, m, step, gap) in enumerate(zip(lengths, size, stride, dilation, strict=True)):
        places = np.arange(max((n - gap * (m - 1) - 1) // step + 1, 0)) * step
        shape = [1] * (2 * count)
        shape[k], shape[count + k] = len(places), m
        index.append((places[:, None] + np.arange(m) * gap).reshape(shape))
    return x[tuple(index)] if x.__class__ is np.ndarray else getitem(x, index=tuple(index))


def windows_along(x: Any, axis: int, size: int, step: int) -> Any:
    """The windows of that size along one axis, their elements as the last axis, like ``Tensor.unfold`` of torch."""
    axis %= np.ndim(x)
    places = np.arange(0, np.shape(x)[axis] - size + 1, step)
    found = getitem(x, index=(*[slice(None)] * axis, places[:, None] + np.arange(size)))
    order = [k for k in range(np.ndim(x) + 1) if k != axis + 1]
    return transpose(found, axes=(*order, axis + 1))


def columns_of_windows(
    x: Any, size: Sequence[int], stride: Sequence[int], margins: Sequence[int], dilation: Sequence[int]
) -> Any:
    """The windows over the last two axes of x as columns: shape (…, C·size, places), like ``unfold`` of torch."""
    parts = windows(padded(x, [(n, n) for n in margins]), size, stride, dilation)
    lead, (channels, *places) = np.shape(parts)[: np.ndim(x) - 3], np.shape(parts)[np.ndim(x) - 3 : -2]
    first = len(lead) + 1
    order = (*range(first), first + 2, first + 3, first, first + 1)
    return reshape(transpose(parts, axes=order), shape=(*lead, channels * math.prod(size), math.prod(places)))


def running_logsumexp(x: Any, axis: int) -> Any:
    """ln Σ exp of the elements up to each one along an axis: a sum for each, because a running one would underflow."""
    if not np.ndim(x):
        return x
    axis %= np.ndim(x)
    n = np.shape(x)[axis]
    known = np.tri(n, dtype=bool).reshape(n, n, *[1] * (np.ndim(x) - axis - 1))
    return logsumexp(where(known, expand_dims(x, axis=axis), -np.inf), axis=axis + 1)


def convolution(
    x: Any, w: Any, *, stride: Sequence[int], margins: Sequence[tuple[int, int]], dilation: Sequence[int],
    groups: int = 1,
) -> Any:  # fmt: skip
    """The cross-correlation of x (N, C, *lengths) with w (O, C/groups, *size), which nets call a convolution."""
    size = np.shape(w)[2:]
    count = len(size)
    parts = windows(padded(x, margins), size, stride, dilation)
    n, c, *places = np.shape(parts)[: 2 + count]
    outputs, terms = np.shape(w)[0] // groups, c // groups * math.prod(size)
    split = reshape(parts, shape=(n, groups, c // groups, *places, *size))
    order = (1, 0, *range(3, 3 + count), 2, *range(3 + count, 3 + 2 * count))
    rows = (groups, n * math.prod(places), terms) if groups > 1 else (n * math.prod(places), terms)
    weights = (groups, outputs, terms) if groups > 1 else (outputs, terms)
    lines = reshape(transpose(split, axes=order), shape=rows)
    columns = transpose(reshape(w, shape=weights), axes=(0, 2, 1) if groups > 1 else (1, 0))
    made = reshape(product(lines, columns), shape=(groups, n, *places, outputs))
    return reshape(transpose(made, axes=(1, 0, 2 + count, *range(2, 2 + count))), shape=(n, groups * outputs, *places))
