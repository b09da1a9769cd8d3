"""The jax primitives that only move elements, as operations of this engine.

Where jax computes positions from indices (gather, scatter, sort), jax itself applies the equation to the positions
0, 1, 2, … of its operand, and the result says which element goes where.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from autodiff.foreign.jax_call import Call, is_node
from autodiff.foreign.singles import holds_values
from autodiff.foreign.windows import at_positions, index_at, padded, picked, positions
from autodiff.primitives.table.choices import where
from autodiff.primitives.table.elementwise import add, multiply
from autodiff.primitives.table.layout import (
    broadcast_to,
    concatenate,
    flip,
    getitem,
    reshape,
    scatter,
    stack,
    transpose,
)

__all__ = ["MOVES", "ordered", "shaped", "stacked"]

Operation = Callable[[Call], Any]


def shaped(x: Any, shape: tuple[int, ...]) -> Any:
    """x in another shape; x itself if it has that."""
    return x if np.shape(x) == shape else reshape(x, shape=shape)


def ordered(x: Any, axes: tuple[int, ...]) -> Any:
    """x with its axes in this order; x itself if they are."""
    return x if axes == (*range(len(axes)),) else transpose(x, axes=axes)


def _reshape(call: Call) -> Any:
    return shaped(call.operand(0), call.shape)


def _transpose(call: Call) -> Any:
    return ordered(call.operand(0), tuple(call.param("permutation")))


def _broadcast(call: Call) -> Any:
    x, shape = call.operand(0), call.shape
    if np.shape(x) == shape:
        return x
    lengths = [1] * len(shape)
    for axis, n in zip(call.param("broadcast_dimensions"), np.shape(x), strict=True):
        lengths[axis] = n
    trailing = tuple(lengths[len(shape) - np.ndim(x) :])
    if trailing != np.shape(x):
        x = reshape(x, shape=tuple(lengths))
    return x if np.shape(x) == shape else broadcast_to(x, shape=shape)


def _slice(call: Call) -> Any:
    starts, ends = call.param("start_indices"), call.param("limit_indices")
    steps = call.param("strides") or (1,) * len(starts)
    return _taken(call.operand(0), [slice(*part) for part in zip(starts, ends, steps, strict=True)])


def _taken(x: Any, parts: list[slice]) -> Any:
    lengths = [len(range(*part.indices(n))) for part, n in zip(parts, np.shape(x), strict=True)]
    return x if tuple(lengths) == np.shape(x) else getitem(x, index=tuple(parts))


def _start(call: Call, first: int, sizes: Any, shape: tuple[int, ...]) -> list[int]:
    """The start of a dynamic slice, moved inside as jax does."""
    given = [int(call.data(first + k)) for k in range(len(sizes))]
    return [min(max(k, 0), n - m) for k, m, n in zip(given, sizes, shape, strict=True)]


def _dynamic_slice(call: Call) -> Any:
    x, sizes = call.operand(0), call.param("slice_sizes")
    starts = _start(call, 1, sizes, np.shape(x))
    return _taken(x, [slice(k, k + m) for k, m in zip(starts, sizes, strict=True)])


def _dynamic_update(call: Call) -> Any:
    x, new = call.operand(0), call.operand(1)
    starts = _start(call, 2, np.shape(new), call.shape)
    index = tuple(slice(k, k + m) for k, m in zip(starts, np.shape(new), strict=True))
    return _replaced(x, new, index, call.shape)


def _replaced(x: Any, new: Any, index: Any, shape: tuple[int, ...]) -> Any:
    mask = np.zeros(shape, dtype=bool)
    mask[index] = True
    return where(mask, scatter(new, index=index, shape=shape), x)


def _concatenate(call: Call) -> Any:
    axis = call.param("dimension")
    parts = list(call.operands)
    return np.concatenate(parts, axis=axis) if any(map(holds_values, parts)) else concatenate(parts, axis=axis)


def stacked(parts: list[Any]) -> Any:
    """The parts along a new first axis."""
    if not any(map(holds_values, parts)):
        return stack(parts, axis=0)
    made = np.empty((len(parts), *np.shape(parts[0])), dtype=object)
    for k, part in enumerate(parts):
        made[k] = part
    return made


def _pad(call: Call) -> Any:
    x, value, config = call.operand(0), call.operand(1), call.param("padding_config")
    margins, steps = [(low, high) for low, high, _ in config], [gap + 1 for *_, gap in config]
    placed = padded(x, margins, steps) if is_node(x) else call.by_jax(x, np.zeros((), call.data(1).dtype))
    if not is_node(value) and value == 0.0:
        return placed
    inside = padded(np.ones(np.shape(x)), margins, steps) != 0.0
    return where(inside, placed, value)


def _split(call: Call) -> list[Any]:
    axis, ends = call.param("axis"), np.cumsum(call.param("sizes"))
    before = (slice(None),) * axis
    return [
        getitem(call.operand(0), index=(*before, slice(int(end) - n, int(end))))
        for n, end in zip(call.param("sizes"), ends, strict=True)
    ]


def _tile(call: Call) -> Any:
    return at_positions(call.operand(0), np.asarray(call.by_jax(positions(np.shape(call.operand(0))))))


def _gather(call: Call) -> Any:
    x = call.operand(0)
    fills = call.param("mode").name == "FILL_OR_DROP"
    places = np.asarray(call.by_jax(positions(np.shape(x)), call.data(1), **({"fill_value": -1} if fills else {})))
    if not (places < 0).any():
        return at_positions(x, places)
    value = call.param("fill_value")
    filled = np.nan if value is None else float(value)
    return where(places >= 0, at_positions(x, np.maximum(places, 0)), filled)


def _destinations(call: Call) -> Any:
    """The position of each update in the operand, −1 if jax drops it: the transpose of adding reads the positions."""
    jax, zeros = sys.modules["jax"], np.zeros(call.shape)
    marks = (positions(call.shape) + 1.0).astype(zeros.dtype)

    def spread(new: Any) -> Any:
        return call.by_jax(jax.numpy.asarray(zeros), call.data(1), new)

    (found,) = jax.vjp(spread, jax.numpy.zeros(np.shape(call.operand(2))))[1](jax.numpy.asarray(marks))
    return np.asarray(found).astype(int) - 1


def _scatter_add(call: Call) -> Any:
    x, places = call.operand(0), _destinations(call)
    kept = places >= 0
    if not kept.any():
        return x
    new = call.operand(2) if kept.all() else getitem(call.operand(2), index=kept)
    index = index_at(places if kept.all() else places[kept], call.shape)
    return add(x, scatter(new, index=index, shape=call.shape))


def _scatter_mul(call: Call) -> Any:
    """x times the updates at their places; jax has a derivative only if no two of them meet."""
    x, size = call.operand(0), np.shape(call.operand(2))
    met = np.asarray(call.by_jax(np.ones(call.shape), call.data(1), np.full(size, 2.0)))
    if (met > 2.0).any():
        raise NotImplementedError("two updates meet in one element, where jax has no derivative either")
    if not (met > 1.0).any():
        return x
    sources = np.asarray(call.by_jax(np.ones(call.shape), call.data(1), positions(size) + 2.0)).astype(int) - 2
    return multiply(x, where(met > 1.0, at_positions(call.operand(2), np.maximum(sources, 0)), 1.0))


def _scatter(call: Call) -> Any:
    x, new = call.operand(0), call.operand(2)
    sources = np.asarray(call.by_jax(-1 - positions(np.shape(x)), call.data(1), positions(np.shape(new))))
    replaced = sources >= 0
    taken = at_positions(new, np.maximum(sources, 0)) if np.size(new) else x
    return where(replaced, taken, x)


def _sort(call: Call) -> list[Any]:
    axis, shape = call.param("dimension"), call.shape
    places = np.moveaxis(
        np.broadcast_to(np.arange(shape[axis]), np.moveaxis(np.empty(shape), axis, -1).shape), -1, axis
    )
    *ordered, taken = call.by_jax(*call.plain_inputs, np.array(places))
    taken = np.asarray(taken)
    pairs = zip(call.inputs, ordered, strict=True)
    return [picked(item, taken, axis) if is_node(item) else constant for item, constant in pairs]


def _top_k(call: Call) -> list[Any]:
    _, taken = call.by_jax(*call.plain_inputs)
    axis = call.equation.params.get("axis", -1) % np.ndim(call.operand(0))
    return [picked(call.operand(0), np.asarray(taken), axis), taken]


def _select(call: Call) -> Any:
    which, *cases = call.operands
    chosen = cases[0]
    for k, case in enumerate(cases[1:], 1):
        chosen = where(np.equal(which, k), case, chosen)
    return chosen


MOVES: Final[dict[str, Operation]] = {
    "broadcast_in_dim": _broadcast, "concatenate": _concatenate, "dynamic_slice": _dynamic_slice,
    "dynamic_update_slice": _dynamic_update, "expand_dims": _reshape, "gather": _gather, "pad": _pad,
    "reshape": _reshape, "rev": lambda call: flip(call.operand(0), axis=tuple(call.param("dimensions"))),
    "scatter": _scatter, "scatter-add": _scatter_add, "scatter_add": _scatter_add,
    "scatter-mul": _scatter_mul, "scatter_mul": _scatter_mul,
    "select_n": _select,
    "slice": _slice, "sort": _sort, "split": _split, "squeeze": _reshape, "tile": _tile, "top_k": _top_k,
    "transpose": _transpose,
}  # fmt: skip
