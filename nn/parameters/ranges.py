"""Hyperparameters: their signs, defaults and ranges, and the check of a number against its range."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Any, Final

from autodiff.primitives.namespace import as_float, is_plain_number
from autodiff.primitives.operands import describe

__all__ = ["Hyper", "number_in"]


@dataclass(frozen=True, slots=True)
class Hyper:
    """A hyperparameter: its keyword, its sign in formulas, its default, and its range ``low <= value < high``.

    With ``open_low`` the range does not contain its lower end.
    """

    keyword: str
    sign: str
    default: float
    low: float = 0.0
    high: float = inf
    open_low: bool = False

    @property
    def range(self) -> str:
        """The range as words.

        >>> Hyper("mu", "μ", 0.9, high=1.0).range, Hyper("decay", "λ", 0.0).range
        ('number from 0 to below 1', 'finite number not below 0')
        """
        if self.high < inf:
            return f"number from {self.low:g} to below {self.high:g}"
        return "positive finite number" if self.open_low else "finite number not below 0"


_WORDS: Final = {"rate": "learning rate"}


def number_in(value: Any, hyper: Hyper) -> float:
    """The number as a float, if it lies in the range of a hyperparameter.

    Raises:
        TypeError: if it is not a number. ValueError: if it is out of range.

    >>> number_in(1, Hyper("decay", "λ", 0.0))
    1.0
    """
    what = _WORDS.get(hyper.keyword, hyper.keyword)
    if not is_plain_number(value):
        raise TypeError(f"the {what} must be a {hyper.range.replace('finite ', '')}, and got {describe(value)}")
    if not (hyper.low < value < hyper.high or (value == hyper.low and not hyper.open_low)):
        raise ValueError(f"the {what} must be a {hyper.range}, and got {value}")
    return as_float(value)
