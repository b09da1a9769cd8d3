"""NumPy functions that move elements, and a few that fill with zeros or take differences of neighbours.

Most of them apply NumPy's function to the positions of the elements and take the elements at the resulting positions,
so that NumPy's logic is not written a second time.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from operator import index as as_int
from typing import Any, Final

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from autodiff.engine.graph import Node
from autodiff.engine.plain import as_tensor, constants, plain, shape_of
from autodiff.primitives.operands import describe
from autodiff.primitives.table import choices, layout, units

__all__ = ["MOVES", "ravel"]


def _places(x: Any, start: int = 0) -> Any:
    """The flat position of each element, in the shape of ``x``."""
    return start + np.arange(np.size(plain(x))).reshape(shape_of(x))


def ravel(x: Any) -> Any:
    """All elements along one axis; a Value becomes a Tensor with one element."""
    return layout.stack([x]) if isinstance(x, Node) and x.scalar else layout.reshape(x, shape=(-1,))


def _taken(x: Any, places: Any) -> Any:
    """The elements at these positions of the flattened ``x``."""
    return layout.getitem(ravel(x), index=np.asarray(places))


def _check_constants(function: str, **how: Any) -> None:
    for key, item in how.items():
        if isinstance(item, Node):
            raise TypeError(f"np.{function} takes {key} as a constant, and got {describe(item)}")


def _of_one(function: Callable[..., Any]) -> Callable[..., Any]:
    """``function`` of one array, which may be a node; all other arguments are constants."""
    signature = inspect.signature(function)
    name = next(iter(signature.parameters))

    def moved(*args: Any, **kwargs: Any) -> Any:
        how = signature.bind(*args, **kwargs).arguments
        x = how.pop(name)
        _check_constants(function.__name__, **how)
        return _taken(x, function(_places(x), **how))

    moved.__signature__ = signature  # type: ignore[attr-defined]
    return moved


def _at_least(function: Callable[..., Any]) -> Callable[..., Any]:
    """``function`` of a single array; for several arrays NumPy returns a tuple."""
    return lambda x: _taken(x, function(_places(x)))


def _of_many(function: Callable[..., Any]) -> Callable[..., Any]:
    """``function`` of a sequence of arrays, some of which are nodes."""

    def joined(items: Sequence[Any]) -> Any:
        items = list(items)
        starts = np.cumsum([0, *(np.size(plain(item)) for item in items)])
        places = function(list(map(_places, items, starts)))
        return _taken(_laid_flat(items), places)

    return joined


def _laid_flat(items: Sequence[Any]) -> Any:
    """All elements of all items, one after the other."""
    return layout.concatenate([ravel(item) for item in items])


def _concatenate(items: Sequence[Any], axis: int | None = 0) -> Any:
    return _laid_flat(items) if axis is None else layout.concatenate(items, axis=axis)


def _append(x: Any, values: Any, axis: int | None = None) -> Any:
    return _of_many(lambda items: np.append(items[0], items[1], axis))([x, values])


def _sort(x: Any, axis: int | None = -1, kind: Any = None) -> Any:
    """The elements in ascending order; the sort is stable, so each of several equal elements gets its own share."""
    return _take_along_axis(x, np.argsort(plain(x), axis=axis, kind=kind or "stable"), axis)


def _resize(x: Any, new_shape: Any) -> Any:
    """The elements, repeated as often as needed; zeros if there are none."""
    if np.size(plain(x)):
        return _taken(x, np.resize(_places(x), new_shape))
    return layout.reshape(layout.pad(_laid_flat([x]), (0, int(np.prod(new_shape)))), shape=new_shape)


def _take_along_axis(x: Any, indices: Any, axis: int | None = -1) -> Any:
    return _taken(x, np.take_along_axis(_places(x), plain(indices), axis))


def _split(function: Callable[..., Any]) -> Callable[..., Any]:
    """``function`` for one that cuts an array into several."""

    def parts(x: Any, indices_or_sections: Any, *axis: Any, **kwargs: Any) -> list[Any]:
        _check_constants(function.__name__, indices_or_sections=indices_or_sections)
        args = indices_or_sections, *axis
        return [_taken(x, places) for places in function(_places(x), *args, **kwargs)]

    return parts


def _unstack(x: Any, *, axis: int = 0) -> tuple[Any, ...]:
    return tuple(_taken(x, places) for places in np.moveaxis(_places(x), axis, 0))


def _block(arrays: Any) -> Any:
    """The blocks of nested lists, joined side by side."""
    leaves: list[Any] = []

    def placed(item: Any) -> Any:
        if isinstance(item, list):
            return [placed(part) for part in item]
        leaves.append(item)
        return _places(item, sum(np.size(plain(leaf)) for leaf in leaves[:-1]))

    places = np.block(placed(arrays))
    return layout.take(_laid_flat(leaves), places)


def _broadcast_arrays(*arrays: Any) -> tuple[Any, ...]:
    shape = np.broadcast_shapes(*(shape_of(x) for x in arrays))
    return tuple(layout.broadcast_to(as_tensor(x), shape=shape) for x in arrays)


def _meshgrid(*axes: Any, sparse: bool = False, indexing: Any = "xy") -> tuple[Any, ...]:
    grids = np.meshgrid(*(_places(x) for x in axes), sparse=sparse, indexing=indexing)
    return tuple(_taken(x, places) for x, places in zip(axes, grids, strict=True))


def _compress(condition: Any, x: Any, axis: int | None = None) -> Any:
    return _taken(x, np.compress(plain(condition), _places(x), axis))


def _extract(condition: Any, arr: Any) -> Any:
    return _taken(arr, np.extract(plain(condition), _places(arr)))


def _partition(x: Any, kth: Any, axis: int | None = -1, kind: Any = "introselect") -> Any:
    return _take_along_axis(x, np.argpartition(plain(x), kth, axis, kind), axis)


def _insert(x: Any, obj: Any, values: Any, axis: int | None = None) -> Any:
    _check_constants("insert", obj=obj)
    values = values if isinstance(values, Node) else constants(values, x)
    return _of_many(lambda items: np.insert(items[0], obj, items[1], axis))([x, values])


def _ediff1d(x: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    """The differences of neighbours in the flattened x, with ``to_begin`` in front and ``to_end`` behind."""
    parts = [to_begin, _diff(ravel(x)), to_end]
    return _laid_flat([part if isinstance(part, Node) else constants(part, x) for part in parts if part is not None])


def _unique(x: Any, return_index: bool = False, return_inverse: bool = False, return_counts: bool = False) -> Any:
    """The distinct elements in ascending order; of equal elements, the first receives the error."""
    unique: Any = np.unique
    _, first, *others = unique(plain(x), True, return_inverse, return_counts)
    kept = _taken(x, first)
    asked = [kept, *([first] if return_index else []), *others]
    return tuple(asked) if len(asked) > 1 else kept


def _pad(x: Any, pad_width: Any, mode: Any = "constant", **how: Any) -> Any:
    if mode in ("edge", "reflect", "symmetric", "wrap") and not how:
        return _taken(x, np.pad(_places(x), pad_width, mode))
    return layout.pad(x, pad_width, mode, **how)


def _kept(mask: Callable[..., Any]) -> Callable[..., Any]:
    """``x`` inside a triangle of ones, 0 elsewhere; no error gets through there."""

    def triangle(x: Any, k: int = 0) -> Any:
        return choices.where(mask(np.ones(shape_of(x), bool), k), x, 0.0)

    return triangle


def _diff(x: Any, n: int = 1, axis: int = -1) -> Any:
    """The differences of neighbours along ``axis``, ``n`` times."""
    if as_int(n) < 0:
        raise ValueError(f"np.diff needs n ≥ 0, and got n={n}")
    axis = normalize_axis_index(axis, np.ndim(plain(x)))
    for _ in range(n):
        places = np.moveaxis(_places(x), axis, 0)
        later, sooner = (np.moveaxis(part, 0, axis) for part in (places[1:], places[:-1]))
        x = _taken(x, later) - _taken(x, sooner)
    return x


def _transpose(x: Any, axes: Any = None) -> Any:
    return layout.transpose(x, axes=None if axes is None else tuple(axes))


#: The implementation of each NumPy function on nodes, by its name in NumPy.
MOVES: Final[dict[str, Callable[..., Any]]] = {
    **{
        function.__name__: _of_one(function)
        for function in (
            np.delete, np.diagonal, np.fliplr, np.flipud, np.moveaxis, np.repeat,
            np.roll, np.rollaxis, np.rot90, np.tile,
        )
    },
    **{function.__name__: _at_least(function) for function in (np.atleast_1d, np.atleast_2d, np.atleast_3d)},
    **{function.__name__: _of_many(function) for function in (np.column_stack, np.dstack, np.hstack, np.vstack)},
    **{function.__name__: _split(function) for function in (np.array_split, np.dsplit, np.hsplit, np.vsplit)},
    "append": _append, "block": _block, "broadcast_arrays": _broadcast_arrays, "compress": _compress,
    "concatenate": _concatenate, "copy": lambda x: units.identity(x), "diag": layout.diag,
    "diagflat": lambda x, k=0: layout.diag(ravel(x), k), "diff": _diff,
    "ediff1d": _ediff1d, "extract": _extract, "insert": _insert, "meshgrid": _meshgrid, "pad": _pad,
    "partition": _partition, "ravel": ravel, "resize": _resize, "sort": _sort, "split": layout.split,
    "take": layout.take, "take_along_axis": _take_along_axis, "trace": layout.trace, "transpose": _transpose,
    "tril": _kept(np.tril), "triu": _kept(np.triu), "unique": _unique, "unstack": _unstack,
}  # fmt: skip
