"""Hyperparameters: their signs, defaults and ranges, and the one check of a number against its range."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Any

from autodiff.primitives.namespace import as_float, is_plain_number
from autodiff.primitives.operands import describe

__all__ = ["Hyper", "number_in"]


@dataclass(frozen=True, slots=True)
class Hyper:
    """A hyperparameter: its keyword, its sign in formulas, its default, and its range ``low <= value < high``.

    With ``open_low`` the range does not contain its lower end, with ``closed_high`` it contains its upper end.
    ``words`` is what messages call it, if not by its keyword.
    """

    keyword: str
    sign: str
    default: float
    low: float = 0.0
    high: float = inf
    open_low: bool = False
    closed_high: bool = False
    words: str = ""

    @property
    def range(self) -> str:
        """The range as words.

        >>> Hyper("mu", "μ", 0.9, high=1.0).range, Hyper("decay", "λ", 0.0).range
        ('number from 0 to below 1', 'finite number not below 0')
        >>> Hyper("keep", "p", 0.5, high=1.0, open_low=True, closed_high=True).range
        'number above 0 and at most 1'
        """
        if self.high < inf:
            low = f"above {self.low:g} and" if self.open_low else f"from {self.low:g} to"
            return f"number {low} {'at most' if self.closed_high else 'below'} {self.high:g}"
        return "positive finite number" if self.open_low else "finite number not below 0"


def number_in(value: Any, hyper: Hyper) -> float:
    """The number as a float, if it lies in the range of a hyperparameter.

    Raises:
        TypeError: if it is not a number. ValueError: if it is out of range.

    >>> number_in(1, Hyper("decay", "λ", 0.0))
    1.0
    """
    what = hyper.words or hyper.keyword
    if not is_plain_number(value):
        raise TypeError(f"the {what} must be a {hyper.range.replace('finite ', '')}, and got {describe(value)}")
    at_end = (value == hyper.low and not hyper.open_low) or (value == hyper.high and hyper.closed_high)
    if not (hyper.low < value < hyper.high or at_end):
        raise ValueError(f"the {what} must be a {hyper.range}, and got {value}")
    return as_float(value)
