"""Assign new data to many leaves at once, all or none; used by optimisers and by loading."""

from __future__ import annotations

from collections.abc import Iterable
from sys import getrefcount
from typing import Any, Final

import numpy as np
from numpy import ndarray

from autodiff.engine.graph import Change, Node, assigned, commit
from autodiff.primitives.operands import as_operand, describe
from autodiff.primitives.rows import Rows

__all__ = ["given", "move", "moved_by_rows", "overwriting"]


def given(data: Iterable[tuple[Any, Any]]) -> tuple[Change, ...]:
    """The changes that assign ``.data``, for pairs of a leaf and its new data.

    Raises:
        TypeError, ValueError: if the data do not fit the kind or shape of the leaf, or the node was computed.
    """
    leaves, fresh = [], []
    for leaf, each in data:
        leaves.append(leaf)
        fresh.append(leaf._given(each))
    return assigned(leaves, fresh)


def move(changes: Iterable[tuple[Any, Any]]) -> None:
    """Add a change to the data of each leaf, as in a step of an optimiser: θ ← θ + change, for all leaves or none.

    Args:
        changes: pairs of a leaf and a number, array or `Rows` of its shape, converted to the leaf's type. If a leaf
            occurs more than once, its changes add up in their order. Graphs computed from the leaves become stale.

    `Rows` are written into the leaf's array, unless someone else holds it or a view of it, such as an earlier
    ``.data``; then the leaf gets a new array first. If an error is raised, Ctrl-C included, no leaf changes.

    Raises:
        TypeError: if the changes are not pairs of a node and real numbers.
        ValueError: if a node was computed, or a change has another shape.

    >>> from autodiff import Value
    >>> x = Value(3.0)
    >>> move([(x, -1.0)])
    >>> x.data
    2.0
    """
    commit(*_moved(changes))


def _moved(changes: Iterable[tuple[Any, Any]]) -> tuple[Change, ...]:
    """The changes that `move` commits. Raises its errors."""
    if changes.__class__ is not list and not _is_iterable(changes):
        raise TypeError(f"{_PAIRS}, and got {describe(changes)}")
    fresh: dict[Any, Any] = {}
    rows: dict[Any, Rows] = {}  # of leaves that no other change moves
    for pair in changes:
        try:
            leaf, change = pair
            if change.__class__ is Rows:
                if leaf not in fresh and leaf not in rows and _fits(leaf, change):
                    rows[leaf] = change
                    continue
                change = change.dense()
            if leaf in rows:
                fresh[leaf] = _with_rows(leaf._data, rows.pop(leaf))
            data = fresh.get(leaf, leaf._data)
        except (TypeError, ValueError, AttributeError):
            raise TypeError(f"{_PAIRS}, and got {describe(pair)} among them") from None
        # `_sum` inlined for the case without conversion: a call takes a sixth of the time.
        usual = change.__class__ is data.__class__ is ndarray and change.dtype is data.dtype and leaf.a is None
        fresh[leaf] = data + change if usual and change.shape == data.shape != () else _sum(leaf, data, change)
    return _written(rows, fresh)


def _written(rows: dict[Any, Rows], fresh: dict[Any, Any]) -> tuple[Change, ...]:
    """The changes that move leaves by ``rows`` and assign the ``fresh`` data of others, at one clock time."""
    writing: list[Change] = []
    for leaf, change in rows.items():
        fresh[leaf], changes = moved_by_rows(leaf, change.indices, leaf._data[change.indices] + change.rows)
        writing += changes
    return (*writing, *assigned(fresh.keys(), fresh.values()))


def moved_by_rows(leaf: Any, indices: ndarray[Any, Any], rows: ndarray[Any, Any]) -> tuple[Any, tuple[Change, ...]]:
    """The data of a leaf with new rows at indices without repetition, and the changes that write them.

    An array that only the leaf holds is written in place. A view that a user took, a plain net or a copy of the leaf
    also hold it, and must not change; then the leaf gets a new array, once, and later steps write into that.
    """
    alone = _references(leaf) == _ONE  # first, before a variable refers to the array
    before = leaf._data
    if not (alone and before.flags.owndata):
        data = before.copy()
        data[indices] = rows
        return data, ()
    return before, overwriting(before, indices, rows)


def _with_rows(before: ndarray[Any, Any], change: Rows) -> ndarray[Any, Any]:
    data = before.copy()
    data[change.indices] += change.rows
    return data


def _fits(leaf: Any, change: Rows) -> bool:
    return leaf.a is None and not leaf.scalar and change.shape == leaf._data.shape


def overwriting(array: ndarray[Any, Any], indices: ndarray[Any, Any], rows: ndarray[Any, Any]) -> tuple[Change, ...]:
    """The changes that write rows into an array that owns its memory; it may be read-only, and stays so.

    Python code cannot run between them (`commit`), but other threads can: one that reads the array during a step may
    see some rows from before it and some from after it.
    """
    write: Change = ndarray.__setitem__, (array,), (indices,), (rows.astype(array.dtype, copy=False),)
    if array.flags.writeable:
        return (write,)
    return (ndarray.setflags, (array,), (True,)), write, (ndarray.setflags, (array,), (False,))


def _references(leaf: Any) -> int:
    """How many references to the array of a leaf exist while it is counted; views hold one to the array they show."""
    return getrefcount(leaf._data)


def _of_one_leaf() -> int:
    leaf = object.__new__(Node)
    leaf._data = np.zeros(1)
    return _references(leaf)


#: `_references` where only the leaf holds the array; measured, because versions of Python count differently.
_ONE: Final = _of_one_leaf()


def _is_iterable(item: Any) -> bool:
    return isinstance(item, Iterable) and not isinstance(item, Node | np.ndarray)


_PAIRS: Final = "move takes pairs of a leaf and its change, as in move([(x, 0.5)])"


def _sum(leaf: Any, before: Any, change: Any) -> Any:
    """``before`` plus a change as the leaf's kind of data."""
    if change.__class__ is float:
        came: Any = ()
    else:
        if change.__class__ is not np.ndarray or change.dtype.char not in "df":
            change = as_operand("move", change)
            if change.dtype == object:
                raise TypeError(f"the change of {leaf.label} must be plain numbers, got nodes; use their .data")
        came = change.shape
    shape = () if before.__class__ is float else before.shape
    if leaf.a is not None or came != shape:
        raise ValueError(
            f"move changes a leaf by an array of its shape; {leaf.label} has shape {shape} and "
            f"{'is a leaf' if leaf.a is None else 'was computed'}, and the change has shape {came}"
        )
    data = before + change
    if shape:
        return data if data.dtype is before.dtype else data.astype(before.dtype)
    if before.__class__ is float:
        return float(data)
    return np.asarray(data, before.dtype)  # for 0-d arrays, NumPy returns a NumPy scalar
