"""`Lagging`: a large leaf some of whose rows lag behind; whoever reads it sees them up to date."""

from __future__ import annotations

from typing import Any

import numpy as np

from autodiff import Tensor
from autodiff.engine.graph import Change, Node, commit
from nn.lagging.lag import Lag, catching_up

__all__ = ["Lagging", "begun", "goes_on", "lags"]

_Array = np.ndarray[Any, Any]
_raw = vars(Node)["_data"].__get__
_set_raw, _set_lag = vars(Node)["_data"].__set__, vars(Node)["db"].__set__
_set_class = vars(object)["__class__"].__set__


class Lagging(Tensor):
    """A Tensor while rows of it lag; the class of a leaf changes to this and back, and its slots are the same.

    The property ``_data`` hides the slot of that name: reading it, from anywhere, makes the leaf a plain Tensor of its
    up-to-date numbers, until the next step. Only look-ups by integers ask for their rows alone. Whoever tests
    ``__class__`` finds Tensor; ``type`` alone can tell.
    """

    __slots__ = ()
    _leaf = Tensor._leaf  # copies do not lag
    __class__ = property(lambda _: Tensor)

    def __new__(cls, *given: Any, **keywords: Any) -> Any:
        return Tensor(*given, **keywords)

    @property
    def _data(self) -> _Array:
        with catching_up:
            if type(self) is Lagging:  # else the handler of a signal has read it meanwhile
                lag, data = self.db, _raw(self)
                fresh = lag.whole() if lag is not None and data is lag.table else data  # else it was assigned
                commit((_set_raw, (self,), (fresh,)), (_set_class, (self,), (Tensor,)), (_set_lag, (self,), (None,)))
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

    def _looked_up(self, index: Any) -> Any:
        lag, data = self.db, _raw(self)
        rows = _rows_of(index) if lag is not None and data is lag.table else None
        return self._data if rows is None else _LookUp(lag, rows)


Lagging.__name__ = Lagging.__qualname__ = "Tensor"  # in messages


class _LookUp:
    """A table for a look-up that picks rows by integers: it gives up-to-date copies of what is picked."""

    def __init__(self, lag: Lag, rows: Any) -> None:
        self.lag, self.rows = lag, rows
        table = lag.table
        self.shape, self.ndim, self.size, self.dtype = table.shape, table.ndim, table.size, table.dtype

    def __getitem__(self, index: Any) -> Any:
        whole_rows = index.__class__ is not tuple or all(item == slice(None) for item in index[1:])
        return self.lag.at(index, self.rows if whole_rows else None)[0]


def _rows_of(index: Any) -> Any:
    """The integers by which an index picks from the first axis; None if it picks otherwise."""
    first = index[0] if index.__class__ is tuple and index else index
    if first.__class__ is int or isinstance(first, np.integer):
        return first
    if isinstance(first, np.ndarray | list):
        rows = np.asarray(first)
        return rows if rows.dtype.kind in "iu" else None
    return None


def lags(leaf: Any, lag: Lag) -> bool:
    """Whether a leaf lags by this lag, or did until it was read."""
    raw = _raw(leaf)
    return raw is lag.table or raw is lag.shown


def goes_on(leaf: Any, lag: Lag) -> bool:
    """Whether a leaf holds the numbers of a lag, as it does after loading both."""
    return lags(leaf, lag) or np.array_equal(lag.whole(), leaf._data)


def begun(leaf: Any, lag: Lag) -> tuple[Change, ...]:
    """The changes after which a leaf lags, beside the assignment of the lag's table as its data."""
    return (_set_lag, (leaf,), (lag,)), (_set_class, (leaf,), (Lagging,))
