"""`Lagging`: a large leaf some of whose rows lag behind; whoever reads it sees them up to date."""

from __future__ import annotations

import threading
from itertools import repeat
from sys import getrefcount
from typing import Any, Final

import numpy as np

from autodiff import Tensor
from autodiff.engine.graph import Change, Node, commit
from autodiff.primitives.registry import RECORDERS
from autodiff.values.updates import overwriting
from nn.lagging.missed import Missed

__all__ = ["Lag", "Lagging", "begun", "catching_up", "owned", "up_to_date"]

_Array = np.ndarray[Any, Any]
_Rows = tuple[_Array, tuple[_Array, ...]]
_raw = vars(Node)["_data"].__get__
_set_record = vars(Node)["db"].__set__

#: Rows are read and written; two threads must not do so at once.
catching_up: Final = threading.RLock()


class Lag:
    """How far each row of a table lags: its last step, those that the others have missed since, and the slots.

    ``token`` is another object after each change, so that a reader can tell that one came between its readings.
    """

    __slots__ = ("last", "missed", "slots", "token")

    def __init__(self, missed: Missed, slots: tuple[_Array, ...], rows: int) -> None:
        self.missed, self.slots, self.last, self.token = missed, slots, np.zeros(rows, np.intp), object()

    def caught_up(self, table: _Array, indices: _Array) -> _Rows:
        """Rows of the table and of its slots as they are after all steps; nothing is written."""
        while True:
            token = self.token
            rows, slots, last = table[indices], tuple([x[indices] for x in self.slots]), self.last[indices]
            late = last < self.missed.count
            if late.any():
                since = last[late].reshape(-1, *(1,) * (rows.ndim - 1))
                found, theirs = self.missed.caught_up(since, rows[late], tuple([x[late] for x in slots]))
                rows[late] = found
                for slot, each in zip(slots, theirs, strict=True):
                    slot[late] = each
            if token is self.token:
                return rows, slots

    def writing(self, table: _Array, indices: _Array, rows: _Rows, missed: Missed) -> list[Change]:
        """The changes that write rows after all of these steps, to commit."""
        done = np.full(len(indices), missed.count, np.intp)
        changes = [*overwriting(table, indices, rows[0]), *overwriting(self.last, indices, done)]
        for slot, each in zip(self.slots, rows[1], strict=True):
            changes += overwriting(slot, indices, each)
        return [*changes, (object.__setattr__, repeat(self), ("missed", "token"), (missed, object()))]


class Lagging(Tensor):
    """A Tensor while rows of it lag; the class of a leaf changes to this and back, and its slots are the same.

    The property ``_data`` hides the slot of that name: reading it, from anywhere, first brings all rows up to date.
    Only look-ups by integers ask for their rows alone.
    """

    __slots__ = ()
    _leaf = Tensor._leaf  # copies do not lag

    def __new__(cls, *given: Any, **keywords: Any) -> Any:
        return Tensor(*given, **keywords)

    @property
    def _data(self) -> _Array:
        up_to_date(self)
        return _raw(self)  # type: ignore[no-any-return]

    @property
    def shape(self) -> tuple[int, ...]:
        return _raw(self).shape  # type: ignore[no-any-return]

    @property
    def ndim(self) -> int:
        return _raw(self).ndim  # type: ignore[no-any-return]

    @property
    def size(self) -> int:
        return _raw(self).size  # type: ignore[no-any-return]

    @property
    def dtype(self) -> np.dtype[Any]:
        return _raw(self).dtype  # type: ignore[no-any-return]

    def __len__(self) -> int:
        return len(_raw(self))

    def _looked_up(self, index: Any) -> _Array:
        rows = _rows_of(index, len(self))
        if rows is None:
            return self._data
        with catching_up:
            lag = self.db
            if lag is not None:
                _catch_up(self, lag, rows)
        return _raw(self)  # type: ignore[no-any-return]


Lagging.__name__ = Lagging.__qualname__ = "Tensor"  # in messages


def _record(entry: Any, inputs: tuple[Any, ...], params: dict[str, Any]) -> Any:
    written = entry.methods.get(Tensor)
    return RECORDERS[Tensor](entry, inputs, params) if written is None else written(*inputs, **params)


RECORDERS[Lagging] = _record


def up_to_date(leaf: Any) -> None:
    """Bring all rows of a leaf and of its slots up to date; then it is a plain Tensor."""
    with catching_up:
        lag = leaf.db if leaf.__class__ is Lagging else None  # read once: a signal's handler may read the leaf too
        if lag is not None:
            ended = (object.__setattr__, (leaf,), ("__class__",), (Tensor,)), (_set_record, (leaf,), (None,))
            _catch_up(leaf, lag, np.flatnonzero(lag.last < lag.missed.count), *ended)


def begun(leaf: Any, lag: Lag) -> tuple[Change, ...]:
    """The changes after which a leaf lags."""
    return (_set_record, (leaf,), (lag,)), (object.__setattr__, (leaf,), ("__class__",), (Lagging,))


def _catch_up(leaf: Any, lag: Lag, indices: _Array, *more: Change) -> None:
    table = _raw(leaf)
    changes = lag.writing(table, indices, lag.caught_up(table, indices), lag.missed) if len(indices) else []
    commit(*changes, *more)


def _rows_of(index: Any, length: int) -> _Array | None:
    """The rows that an index reads, each once, if it picks them by integers and the result is no view."""
    first = index[0] if index.__class__ is tuple and index else index
    if not (first.__class__ is int or isinstance(first, np.integer | np.ndarray | list)) or length < 4:
        return None
    try:
        places = np.unique(np.asarray(first))
    except (TypeError, ValueError):
        return None
    if places.dtype.kind not in "iu" or not places.size or places[0] < -length or places[-1] >= length:
        return None  # for NumPy to judge
    return np.unique(places % length)


def owned(leaf: Any) -> _Array:
    """The array of an up-to-date leaf, or a copy where someone else holds the array, whose numbers must not change."""
    alone = getrefcount(_raw(leaf)) == _ONE
    table: _Array = _raw(leaf)
    return table if leaf.__class__ is Lagging or (alone and table.flags.owndata) else table.copy()


def _of_one_leaf() -> int:
    leaf = Tensor(np.zeros(1))
    return getrefcount(_raw(leaf))


#: The references to an array that only its leaf holds; measured, because versions of Python count differently.
_ONE: Final = _of_one_leaf()
