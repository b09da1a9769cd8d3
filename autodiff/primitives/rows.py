"""`Rows`: the gradient of a table of which a program looked up a few rows, such as word vectors."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from autodiff.primitives.operands import as_operand, describe

__all__ = ["LARGE", "Rows", "dense", "outlined", "own_grad", "rows_at"]

_Array = np.ndarray[Any, Any]
_Part = tuple[_Array, _Array]

#: A table with more elements than this gets `Rows`; a smaller one is filled with zeros in the time that sorting takes.
LARGE: Final = 16384
#: Rows of at least this share of a table are not sparse: an array takes less time and memory.
_MANY: Final = 0.25
#: Sums of more look-ups than this are joined at once, so that the time of many look-ups is not quadratic.
_UNJOINED: Final = 32
#: Rows of one index that are added turn by turn.
_FEW: Final = 4


class Rows:
    """An array that is zero outside some rows of its first axis: row ``indices[k]`` is ``rows[k]``.

    Args:
        indices: integers of shape (n,), from −V to V − 1, dimensionless; rows of a repeated index add up.
        rows: numbers of shape (n, …), in the units of the array; float32 stays float32.
        shape: the shape (V, …) of the array.

    ``indices`` and ``rows`` return ascending indices without repetition and their sums, read-only; ``dense()`` returns
    the array. Rows + Rows is Rows, or an array if they cover a quarter of it; Rows + array is an array. Products with
    and quotients by a finite number are Rows. Every sum is added in the order in which the array's would be, so its
    bits are equal.

    Raises:
        TypeError: if the indices are not integers, or the rows are not real numbers.
        ValueError: if the shapes do not fit. IndexError: if an index is out of range.

    >>> g = Rows([2, 0, 2], [[1.0], [3.0], [4.0]], (4, 1))
    >>> g.indices.tolist(), g.rows.tolist()
    ([0, 2], [[3.0], [5.0]])
    >>> (0.5 * g).dense().ravel()
    array([1.5, 0. , 2.5, 0. ])
    """

    __slots__ = ("_joined", "_parts", "_shown", "shape")
    __array_ufunc__ = None  # so that array + Rows calls `__radd__`

    shape: tuple[int, ...]
    _parts: tuple[_Part, ...]
    _joined: bool
    #: The array of these rows that ``.grad`` of a node has returned; whoever has it may write to it.
    _shown: _Array | None

    def __init__(self, indices: Any, rows: Any, shape: Sequence[int]) -> None:
        places, data, shape = np.asarray(indices), np.array(as_operand("Rows", rows)), _as_shape(shape)
        if places.size == 0:
            places = places.astype(np.intp)
        if places.dtype.kind not in "iu" or data.dtype == object:
            raise TypeError(f"Rows takes integer indices and rows of plain numbers, got {describe(indices)}")
        if not shape or places.ndim != 1 or data.shape != (*places.shape, *shape[1:]):
            raise ValueError(
                f"Rows of an array of shape {shape} takes n indices and n rows of shape {shape[1:]}, and got indices "
                f"of shape {places.shape} and rows of shape {data.shape}"
            )
        if places.size and not -shape[0] <= places.min() <= places.max() < shape[0]:
            raise IndexError(
                f"indices of {shape[0]} rows must be in {-shape[0]} … {shape[0] - 1}, and got "
                f"{places.min()} … {places.max()}"
            )
        self._parts, self.shape, self._joined = ((_counted_up(places, shape[0]), data),), shape, False
        self._shown = None

    @staticmethod
    def of_parts(parts: tuple[_Part, ...], shape: tuple[int, ...], *, joined: bool = False) -> Rows:
        """Rows of pairs of indices and rows, not checked; ``joined`` says that indices ascend without repetition."""
        rows: Rows = object.__new__(Rows)
        rows._parts, rows.shape, rows._joined, rows._shown = parts, shape, joined, None
        return rows

    @property
    def indices(self) -> _Array:
        """The indices of the rows, ascending, each once."""
        return self._sums()[0]

    @property
    def rows(self) -> _Array:
        """The rows at ``indices``."""
        return self._sums()[1]

    @property
    def dtype(self) -> np.dtype[Any]:
        """float64 or float32."""
        kind: np.dtype[Any] = self._parts[0][1].dtype
        return kind

    def _sums(self) -> _Part:
        """The indices without repetition and the sums of their rows, computed on first use."""
        if not self._joined:
            parts = self._parts
            joined = parts[0] if len(parts) == 1 else tuple(map(np.concatenate, zip(*parts, strict=True)))
            sums = _summed(*joined)
            for array in sums:
                array.setflags(write=False)
            self._parts, self._joined = (sums,), True
        return self._parts[0]

    def dense(self) -> _Array:
        """The array, made anew."""
        indices, rows = self._sums()
        whole = np.zeros(self.shape, self.dtype)
        whole[indices] = rows
        return whole

    def map(self, function: Callable[[_Array], Any]) -> Rows:
        """These rows with an elementwise ``function`` applied, for which f(0) = 0, such as a limit on each number."""
        indices, rows = self._sums()
        mapped = as_operand("Rows", function(rows))
        if mapped.shape != rows.shape:
            raise ValueError(f"a function of rows of shape {rows.shape} returned {describe(mapped)}")
        return Rows.of_parts(((indices, mapped),), self.shape, joined=True)

    def astype(self, dtype: Any) -> Rows:
        """The same numbers as float64 or float32."""
        return self if self.dtype == dtype else self.map(lambda rows: rows.astype(dtype))

    def copy(self) -> Rows:
        """The same rows, which do not change."""
        return Rows.of_parts((self._sums(),), self.shape, joined=True)

    def shown(self) -> tuple[Rows, _Array]:
        """The same rows, for one owner, and their array, which may be written to; `kept` finds out whether it was."""
        if (array := self._shown) is not None:
            return self, array
        rows: Rows = self.copy()
        rows._shown = array = self.dense()
        return rows, array

    @staticmethod
    def kept(grad: Any) -> Any:
        """A gradient as it counts: for Rows whose array was shown and written to, that array; all else unchanged."""
        if grad.__class__ is not Rows:
            return grad
        rows_of: Rows = grad
        array = rows_of._shown
        if array is None:
            return grad
        indices, rows = rows_of._sums()
        same = np.array_equal(array[indices], rows) and np.count_nonzero(array) == np.count_nonzero(rows)
        return grad if same else array

    def has_nan(self) -> bool:
        """Whether a number is nan."""
        return any(np.isnan(rows).any() for _, rows in self._parts)

    def __add__(self, other: Any) -> Any:
        if other.__class__ is not Rows:
            return self.__radd__(other)
        _check_shape(self, other)
        if self.dtype != other.dtype:
            kind = np.result_type(self.dtype, other.dtype)
            return self.astype(kind) + other.astype(kind)
        alone = other._joined or (len(other._parts) == 1 and len(other._parts[0][0]) == 1)
        more = other._parts if alone else (other._sums(),)  # summed first, as an array's shares are
        total = Rows.of_parts(self._parts + more, self.shape)
        count = sum(len(indices) for indices, _ in total._parts)
        if len(total._parts) <= _UNJOINED and not _is_many(count, self.shape):
            return total
        return total.dense() if _is_many(len(total.indices), self.shape) else total

    def __radd__(self, other: Any) -> Any:
        if not isinstance(other, np.ndarray):
            return NotImplemented
        _check_shape(self, other)
        indices, rows = self._sums()
        total = np.array(other, np.result_type(other, rows))
        total[indices] += rows
        return total

    def __mul__(self, factor: Any) -> Rows:
        return self.map(lambda rows: rows * factor) if _is_number(factor) else NotImplemented

    __rmul__ = __mul__

    def __truediv__(self, divisor: Any) -> Rows:
        return self.map(lambda rows: rows / divisor) if _is_number(divisor) else NotImplemented

    def __neg__(self) -> Rows:
        return self.map(np.negative)

    def __reduce__(self) -> Any:
        return Rows, (*self._sums(), self.shape)

    def __repr__(self) -> str:
        indices, rows = self._sums()
        return f"Rows({len(indices)} of shape {self.shape}, {rows.dtype})"


def own_grad(grad: Any) -> tuple[Any, Any]:
    """A gradient to keep, and its array for everyone to read and write: of Rows beside them, of a lent array a copy."""
    if grad.__class__ is Rows:
        return grad.shown()
    own = np.array(grad[0]) if grad.__class__ is tuple else grad
    return own, own


def _as_shape(shape: Any) -> tuple[int, ...]:
    return tuple(shape) if isinstance(shape, tuple | list) else ()


def _is_number(item: Any) -> bool:
    return item.__class__ is float or (isinstance(item, int | float | np.number) and not isinstance(item, bool))


def _check_shape(rows: Rows, other: Any) -> None:
    if rows.shape != other.shape:
        raise ValueError(f"Rows of an array of shape {rows.shape} cannot be added to one of shape {other.shape}")


def _counted_up(indices: _Array, length: int) -> _Array:
    """The same places, counted from the front."""
    places = indices.astype(np.intp)
    if places.size and places.min() < 0:
        places[places < 0] += length
    return places


def _summed(indices: _Array, rows: _Array) -> _Part:
    """Ascending indices without repetition, and for each the sum of its rows in their order, from 0.0 on.

    Where no index has many rows, the first of each are added, the second of each, and so on. Else `numpy.bincount` adds
    in that order, in a quarter to a half of the time of `numpy.add.at` on rows; `numpy.add.reduceat` adds in another.
    """
    order = indices.argsort(kind="stable")
    ranked = indices[order]
    fresh = np.ones(len(ranked), bool)
    np.not_equal(ranked[1:], ranked[:-1], out=fresh[1:])
    known = ranked[fresh]
    if len(known) == len(ranked):
        return known, rows[order] + 0.0  # as a sum from 0.0 on: −0.0 becomes 0.0
    starts = fresh.nonzero()[0]
    counts = np.append(starts[1:], len(ranked)) - starts
    most = int(counts.max())
    if most <= _FEW:
        sums: _Array = rows[order[starts]] + 0.0
        for k in range(1, most):
            more = (counts > k).nonzero()[0]
            sums[more] += rows[order[starts[more] + k]]
        return known, sums
    place = np.empty_like(order)
    place[order] = np.cumsum(fresh) - 1
    width = math.prod(rows.shape[1:])
    keys = (place[:, None] * width + np.arange(width)).ravel()
    if rows.dtype == np.float64:
        sums = np.bincount(keys, rows.ravel(), len(known) * width)
    else:  # bincount adds float32 in float64
        sums = np.zeros(len(known) * width, rows.dtype)
        np.add.at(sums, keys, rows.ravel())
    return known, sums.reshape(len(known), *rows.shape[1:])


def _is_many(count: int, shape: tuple[int, ...]) -> bool:
    """Whether so many rows of an array of that shape should be kept as the array."""
    return count >= _MANY * shape[0]


def dense(signal: Any) -> Any:
    """A signal as everyone knows it: Rows become an array, all else is returned unchanged."""
    return signal.dense() if signal.__class__ is Rows else signal


def rows_at(data: _Array, signal: Any, index: Any) -> Rows | None:
    """``scatter(signal, index, data.shape)`` as Rows; None where ``index`` does not pick whole rows, or many.

    It picks rows if it is an int or integers on the first axis, with nothing but whole slices after it.
    """
    if index.__class__ is tuple:
        if not index or not all(item is Ellipsis or (item.__class__ is slice and item == _WHOLE) for item in index[1:]):
            return None
        index = index[0]
    if index.__class__ is int or isinstance(index, np.integer | np.ndarray | list):
        places = np.asarray(index)
        kind = signal.dtype if isinstance(signal, np.ndarray | np.generic) else data.dtype
        if places.dtype.kind in "iu" and kind == data.dtype and not _is_many(places.size, data.shape):
            rows = np.array(signal, kind).reshape(places.size, *data.shape[1:])  # a copy: `.grad` shares no memory
            return Rows.of_parts(((_counted_up(places.ravel(), len(data)), rows),), data.shape)
    return None


_WHOLE: Final = slice(None)


def outlined(data: Any, result: Any) -> tuple[Any, Any]:
    """What a node of a look-up keeps of a leaf: its shape and type, and a result that is no view, unless of most of it.

    So a recorded graph neither keeps an old table in memory nor stands in the way of changing it in place.
    """
    outline = np.ndarray(data.shape, data.dtype, _NOTHING, strides=(0,) * data.ndim)
    if result.__class__ is np.ndarray and result.base is not None and result.size <= data.size // 2:
        result = result.copy()
    return outline, result


_NOTHING: Final = bytes(8)  # the zeros of every outline
