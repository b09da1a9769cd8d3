"""`Lag`: a table and its slots, each row as of its last step, and the steps that rows have missed since."""

from __future__ import annotations

import threading
from itertools import repeat
from typing import Any, Final

import numpy as np

from autodiff.engine.graph import Change
from nn.lagging.missed import MOST, Missed

__all__ = ["Behind", "Lag", "catching_up"]

_Array = np.ndarray[Any, Any]
_Rows = tuple[_Array, tuple[_Array, ...]]

#: Rows are read and written; two threads must not do so at once.
catching_up: Final = threading.RLock()

#: Rows that catch up at once when all of them do, so that what is computed between stays in the processor's cache.
_SOME: Final = 256


class Lag:
    """What an optimiser keeps of a table whose rows lag; it alone holds these arrays.

    Reading changes none of this: who reads gets copies that have caught up. Only steps write, so that a run has the
    same bits whether or not someone read, drew or saved the table on the way.

    Args:
        missed: the steps so far.
        table: the table, each row as of its last step.
        slots: the slots in the same state, arrays of the table's shape.
        last: the number of steps after which each row last moved.
    """

    __slots__ = ("last", "missed", "shown", "slots", "table")

    shown: _Array | None  # the whole table up to date, if someone has read it since the last step

    def __init__(self, missed: Missed, table: _Array, slots: tuple[_Array, ...], last: _Array | None = None) -> None:
        self.missed, self.table, self.slots, self.shown = missed, table, slots, None
        self.last = np.zeros(len(table), np.intp) if last is None else last

    def at(self, index: Any, rows: Any = None) -> _Rows:
        """Copies of the table and of its slots at an index, up to date; ``rows`` is its part for the first axis.

        Without ``rows``, the index may pick any elements.
        """
        with catching_up:
            missed, table = self.missed, self.table
            found, slots = table[index], tuple([slot[index] for slot in self.slots])
            if rows is None:
                last = np.broadcast_to(self.last.reshape(-1, *(1,) * (table.ndim - 1)), table.shape)[index]
            else:
                last = self.last[rows]
                last = last.reshape(np.shape(last) + (1,) * (table.ndim - 1))
        found, slots = missed.caught_up(missed.count - last, found, slots)
        kind = table.dtype
        return found.astype(kind, copy=False), tuple([slot.astype(kind, copy=False) for slot in slots])

    def now(self) -> _Rows:
        """Copies of the table and of its slots, up to date."""
        table, *slots = (np.empty_like(x) for x in (self.table, *self.slots))
        with catching_up:
            for start in range(0, len(table), _SOME):
                rows = slice(start, start + _SOME)
                table[rows], some = self.at(rows, rows)
                for slot, each in zip(slots, some, strict=True):
                    slot[rows] = each
        return table, tuple(slots)

    def whole(self) -> _Array:
        """The table up to date: the same read-only array until the next step."""
        with catching_up:
            while (shown := self.shown) is None:
                missed, shown = self.missed, self.now()[0]
                shown.setflags(write=False)
                if missed is self.missed:  # no handler of a signal has made a step meanwhile
                    self.shown = shown
            return shown

    def due(self) -> _Array:
        """The rows that catch up in the next step whether or not they have a gradient: each once in `MOST` steps."""
        turn, count = self.missed.count % MOST, len(self.table)
        return np.arange(turn * count // MOST, (turn + 1) * count // MOST)

    def writing(self, indices: _Array, rows: _Rows, missed: Missed) -> list[Change]:
        """The changes that write rows after all of these steps."""
        arrays, each = (self.table, *self.slots, self.last), (rows[0], *rows[1], missed.count)
        return [
            (np.ndarray.__setitem__, arrays, repeat(indices), each),
            (object.__setattr__, repeat(self), ("missed", "shown"), (missed, None)),
        ]

    def copied(self) -> Lag:
        """A lag with arrays of its own."""
        with catching_up:
            return Lag(self.missed, self.table.copy(), tuple([x.copy() for x in self.slots]), self.last.copy())

    def __reduce__(self) -> Any:
        own = self.copied()
        return Lag, (own.missed, own.table, own.slots, own.last)


class Behind(tuple[Any, ...]):
    """The slots of a table whose rows lag: the number of its steps, if the formula counts them, and a `Lag`."""

    __slots__ = ()

    @property
    def lag(self) -> Lag:
        return self[-1]  # type: ignore[no-any-return]

    def now(self) -> tuple[Any, ...]:
        """The slots as copies that have caught up."""
        return *self[:-1], *self.lag.now()[1]

    def copied(self) -> Behind:
        return Behind((*self[:-1], self.lag.copied()))
