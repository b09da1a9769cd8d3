"""The history of a training: the numbers of its steps, as columns, as CSV, as a chart."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from math import isfinite, isnan, nan
from typing import Any, Final

import numpy as np

from autodiff.engine.graph import Change, commit
from autodiff.primitives.namespace import as_float, is_plain_number
from autodiff.primitives.operands import describe
from nn.parameters.saved import assigning, check_mapping
from nn.training.step import Step

__all__ = ["History"]

Floats = np.ndarray[Any, Any]
_EXACT: Final = 2**53  # floats below it that are whole are written without a point


class History:
    """The numbers of all steps of a training, column by column.

    Called with a stream of steps, it passes them on and keeps their numbers; `add` keeps those of a loop of one's own.
    A number that only some steps have, such as a measure of `validated`, is nan at the others.

    >>> history = History()
    >>> for step in history([Step(1, 1, 0.5, 0.1, 2.0, 0.001), Step(2, 1, 0.4, 0.1, 1.5, 0.001)]):
    ...     pass
    >>> history["J"]
    array([0.5, 0.4])
    """

    def __init__(self) -> None:
        self._rows: list[dict[str, float]] = []

    def __call__(self, stream: Iterable[Step]) -> Iterator[Step]:
        for step in stream:
            self._rows.append(step.numbers())
            yield step

    def add(self, **numbers: float) -> None:
        """Add one line of numbers, by name.

        Raises:
            TypeError: if one of them is not a number; ValueError: if it is beyond the largest float. Nothing has been
                added.

        >>> history = History()
        >>> history.add(J=0.5)
        >>> len(history)
        1
        """
        for name, number in numbers.items():
            if not is_plain_number(number):
                raise TypeError(f"a history keeps numbers, and {name!r} is {describe(number)}")
        for number in numbers.values():
            as_float(number)  # an integer may be too large for a column
        self._rows.append(numbers)

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, name: str) -> Floats:
        columns = self.columns()
        if name not in columns:
            raise KeyError(f"the history has no {name!r}; it has {', '.join(columns) or 'no number yet'}")
        return columns[name]

    def columns(self) -> dict[str, Floats]:
        """The numbers by name, in the order in which the names came, each of shape (number of lines,).

        >>> History().columns()
        {}
        """
        names = dict.fromkeys(name for row in self._rows for name in row)
        return {name: np.array([row.get(name, nan) for row in self._rows], dtype=float) for name in names}

    def state(self) -> dict[str, Floats]:
        """The columns, as `columns` gives them."""
        return self.columns()

    def load(self, state: Mapping[str, Any]) -> None:
        """Replace all lines by saved columns; if an error is raised, nothing has changed.

        Raises:
            ValueError: if the columns are not one-dimensional and of equal length.
            TypeError: if ``state`` is not a mapping of arrays of numbers.

        >>> history = History()
        >>> history.load({"J": [0.5, 0.25]})
        >>> history["J"]
        array([0.5 , 0.25])
        """
        commit(*self.load_changes(state))

    def load_changes(self, state: Mapping[str, Any]) -> list[Change]:
        """The changes that `load` makes, checked but not made."""
        check_mapping(state)
        if not all(isinstance(name, str) for name in state):
            raise TypeError(f"the columns of a history are named by strings, and got {describe(state)}")
        columns = {name: _column(name, column) for name, column in state.items()}
        lengths = {name: len(column) for name, column in columns.items()}
        if len({*lengths.values()}) > 1:
            raise ValueError(f"the columns of a history must have equal lengths, and have {lengths}")
        numbers = (column.tolist() for column in columns.values())
        rows = [dict(zip(columns, row, strict=True)) for row in zip(*numbers, strict=True)]
        return [assigning(self, _rows=rows)]

    def csv(self) -> str:
        """The history as CSV: a line of names, then a line for each step; every number reads back exactly.

        >>> history = History()
        >>> history.add(step=1, J=0.5)
        >>> print(history.csv(), end="")
        step,J
        1,0.5
        """
        columns = self.columns()
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(map(_written, row) for row in zip(*columns.values(), strict=True))
        return text.getvalue()

    def svg(self, *names: str, over: str = "step", log: bool = False, theme: str = "auto") -> str:
        """The columns of these names, J if none is given, as a chart over another column.

        Args:
            names: columns to draw, with one vertical axis.
            over: the column along the horizontal axis.
            log: whether the vertical axis is logarithmic; numbers that are not positive are left out then.
            theme: "auto", "light", "dark" or "print".

        Raises:
            KeyError: if a column does not exist. ValueError: if no number can be drawn.

        >>> history = History()
        >>> history.load({"step": [1, 2, 3], "J": [0.5, 0.25, 0.125]})
        >>> history.svg().startswith("<svg")
        True
        """
        x = self[over]
        charts = import_module("autodiff.draw.charts.lines")  # on first use, since drawing takes long to import
        lines = [charts.Line(name, x, self[name]) for name in names or ("J",)]
        chart: str = charts.line_chart(lines, across=over, log=log, theme=theme)
        return chart


def _column(name: str, data: Any) -> Floats:
    """A saved column as an array."""
    try:
        column = np.asarray(data)
    except ValueError:  # lists of different lengths
        column = np.asarray(None)
    if column.ndim != 1 or column.dtype.kind not in "fiub":
        raise ValueError(f"a column of a history is one row of numbers, and {name!r} is {describe(data)}")
    return column


def _written(number: float) -> str:
    """The shortest decimal that reads back as the number; nothing for nan."""
    if isnan(number):
        return ""
    is_whole = isfinite(number) and number == int(number) and abs(number) < _EXACT
    return str(int(number)) if is_whole else repr(float(number))
