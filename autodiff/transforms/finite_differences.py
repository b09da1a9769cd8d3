"""Numerical derivatives, computed from function values alone, as a check of gradients.

A central difference (f(x+h) − f(x−h))/2h has the error c₁h² + c₂h⁴ + …, so differences at halved steps are
extrapolated to h = 0 (Richardson). Large steps suffer little from rounding, small steps little from curvature. The
extrapolation table shows which entry is best; its distance from the neighbouring entries is the stated error.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from autodiff.primitives.operands import describe
from autodiff.words.notation import number

__all__ = ["NumericalDerivative", "extrapolated", "inner_entries", "numerical_derivative"]

_EPSILON: Final = 2.0**-52
_FIRST_STEP: Final = 2.0**-4
_ROWS: Final = 30  # the last step is 2⁻³³: beyond it rounding only grows
_ENOUGH: Final = 1e-11
_KINK_STEPS: Final = (2.0**-18, 2.0**-20, 2.0**-22)

Function = Callable[[float], float]


@dataclass(frozen=True, slots=True)
class NumericalDerivative:
    """A derivative f′(x) by differences: ``value`` ± ``error`` (units of f per unit of x), and the number of calls.

    At a kink ``value`` ± ``error`` spans the slopes on both sides; at a jump ``error`` is inf.
    """

    value: float
    error: float
    evaluations: int

    def agrees(self, gradient: float) -> bool:
        """Whether ``gradient`` may be the same derivative: within four error bars plus 1e-7 of the larger one.

        False if the error or the gradient is not finite.

        >>> numerical_derivative(math.sin, 0.0).agrees(1.0)
        True
        """
        tolerance = 4 * self.error + 1e-7 * max(abs(gradient), abs(self.value))
        return math.isfinite(tolerance) and abs(gradient - self.value) <= tolerance

    def __str__(self) -> str:
        return f"{number(self.value)} ± {number(self.error, digits=1)}"


def numerical_derivative(f: Function, x: float) -> NumericalDerivative:
    """f′(x) = lim (f(x+h) − f(x−h))/2h, by central differences at halved steps, extrapolated in h².

    Args:
        f: a function of one float; it returns a float, and nan or inf where it is not defined.
        x: the point, a finite number in the units that f expects.

    Returns:
        the derivative with its error, see `NumericalDerivative`; nan ± inf if f is not defined around x.

    Raises:
        TypeError: if f is not callable, or x or f(x) is not a number.
        ValueError: if x is not finite.

    Source: notes, section 2 ("gradient check"), with the step chosen by extrapolation.

    >>> print(numerical_derivative(lambda x: x**3, 2.0))
    12 ± 2e−13
    >>> print(numerical_derivative(abs, 0.0))  # a kink: every slope from −1 to 1
    0 ± 1
    """
    if not callable(f):
        raise TypeError(f"a numerical derivative needs a function, and got {describe(f)}")
    if isinstance(x, bool | str) or not isinstance(x, int | float):
        raise TypeError(f"a numerical derivative needs a number x, and got {describe(x)}")
    if not math.isfinite(x):
        raise ValueError(f"a numerical derivative needs a finite x, and got {x!r}")
    return _Table(f, float(x)).derivative()


class _Table:
    """The extrapolation table: row i holds the difference at step h₀/2ⁱ and its extrapolations."""

    def __init__(self, f: Function, x: float) -> None:
        self.f, self.x = f, x
        self.scale = 2.0 ** min(math.ceil(math.log2(max(1.0, abs(x)))), 1023)
        self.evaluations = 0
        self.best = (math.nan, math.inf)

    def derivative(self) -> NumericalDerivative:
        rows: list[list[float]] = []
        step = _FIRST_STEP * self.scale
        for _ in range(_ROWS):
            if self.x + step == self.x - step:
                break  # the step is smaller than the spacing of floats around x
            difference, rounding = self.difference(step)
            if not math.isfinite(difference):
                rows, step = [], step / 8  # the step left the domain: start again closer to x
                continue
            rows.append(extrapolated(difference, rows[-1] if rows else []))
            self.keep_best(rows, rounding)
            if self.best[1] <= _ENOUGH * abs(self.best[0]):
                break
            step /= 2
        value, error = self.best
        return NumericalDerivative(value, max(error, self.half_gap()), self.evaluations)

    def difference(self, step: float) -> tuple[float, float]:
        """The central difference at this step, and a bound on its error from rounding of f."""
        right, left = self.x + step, self.x - step
        above, below = self.at(right), self.at(left)
        width = right - left  # the distance between the rounded x ± h, not 2h
        return (above - below) / width, 4 * _EPSILON * max(abs(above), abs(below)) / width

    def at(self, x: float) -> float:
        self.evaluations += 1
        return float(self.f(x))

    def keep_best(self, rows: list[list[float]], rounding: float) -> None:
        """Keep the entry of the last row with the smallest error: its distance from the entries it is computed from."""
        if len(rows) < 3:
            return
        for value, distance in inner_entries(rows[-1], rows[-2]):
            if distance + rounding < self.best[1]:
                self.best = value, distance + rounding

    def half_gap(self) -> float:
        """Half the difference between the slopes to the right and left of x: 0 if f is smooth, inf if it jumps."""
        middle = self.at(self.x)
        gaps = []
        for step in _KINK_STEPS:
            h = step * self.scale
            right, left = self.at(self.x + h), self.at(self.x - h)
            rounding = 16 * _EPSILON * max(abs(right), abs(middle), abs(left))
            gaps.append(max(abs(right - 2 * middle + left) - rounding, 0.0) / h)
        if gaps[-1] > 4 * gaps[0] > 0:
            return math.inf
        return max(gaps) / 2 if min(gaps) > max(gaps) / 2 else 0.0


def inner_entries(row: list[float], before: list[float]) -> Iterator[tuple[float, float]]:
    """The entries of a row without its ends, each with its largest distance from the entries it is computed from."""
    for j in range(1, len(row) - 1):
        made_of = (row[j - 1], before[j - 1], before[j])
        yield row[j], max(abs(row[j] - entry) for entry in made_of)


def extrapolated(difference: float, before: list[float], base: float = 4.0) -> list[float]:
    """One row of the table: T[j] = T[j−1] + (T[j−1] − before[j−1]) / (baseʲ − 1); base 4 for halved steps and h²."""
    row = [difference]
    for j, entry in enumerate(before, start=1):
        row.append(row[-1] + (row[-1] - entry) / (base**j - 1))
    return row
