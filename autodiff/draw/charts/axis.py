"""An axis of a chart: the range of its numbers, their places in px, and round numbers to mark."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10
from typing import Any, Final, Self

import numpy as np

from autodiff.words.notation import number, superscript

__all__ = ["Axis"]

_MARKS: Final = 6  # at most, on a linear axis
_STEPS: Final = (1.0, 2.0, 5.0, 10.0)
_WRITTEN_OUT: Final = 4  # powers of ten from 10⁻⁴ and 10⁴ on are not written out
_FLAT: Final = 1e-12  # of the largest number: a narrower range is a flat line
_NOTHING: Final = 1e-290  # a range whose marks might vanish is flat too


@dataclass(frozen=True, slots=True)
class Axis:
    """Numbers from ``low`` to ``high`` between two places in px; on a logarithmic axis, both are powers of 10."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    @classmethod
    def over(
        cls, columns: Sequence[np.ndarray[Any, Any]], start: float, end: float, *, log: bool = False, zero: bool = False
    ) -> Self:
        """The axis that shows all numbers of the columns; with ``zero``, from 0 if none is negative.

        >>> Axis.over([np.array([1.0, 3.0])], 0.0, 300.0, zero=True).place(1.0)
        100.0
        """
        low = min(float(column.min()) for column in columns)
        high = max(float(column.max()) for column in columns)
        if log:
            low, high = floor(log10(low)), ceil(log10(high))
            return cls(low, max(high, low + 1.0), start, end, log)
        low = 0.0 if zero and 0.0 <= low < high else low
        if high - low <= max(_FLAT * max(abs(low), abs(high)), _NOTHING):
            room = abs(high) / 2 if abs(high) > _NOTHING else 1.0
            low, high = low - room, high + room
        return cls(low, high, start, end)

    def place(self, value: Any) -> Any:
        """The place of a number, or of each number of an array, in px."""
        at = np.log10(value) if self.log else value
        return self.start + (at - self.low) / (self.high - self.low) * (self.end - self.start)

    def marks(self) -> Iterator[tuple[float, str]]:
        """Round numbers on the axis, each with its text.

        >>> [text for _, text in Axis(0.0, 1.0, 0.0, 300.0).marks()]
        ['0', '0.2', '0.4', '0.6', '0.8', '1']
        """
        if self.log:
            every = ceil((self.high - self.low) / _MARKS)
            yield from ((10.0**k, _power(k)) for k in range(int(self.low), int(self.high) + 1, every))
            return
        rough = (self.high - self.low) / _MARKS
        scale = 10.0 ** floor(log10(rough))
        step = next(scale * each for each in _STEPS if scale * each >= rough * (1 - 1e-9))
        for k in range(ceil(self.low / step - 1e-9), floor(self.high / step + 1e-9) + 1):
            yield k * step, number(round(k * step, 12 - floor(log10(step))))


def _power(k: int) -> str:
    return number(10.0**k) if abs(k) < _WRITTEN_OUT else f"10{superscript(str(k))}"
