"""The domain of a primitive, and examples of its calls, for tests and documentation."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from autodiff.primitives.namespace import is_plain_number
from autodiff.primitives.operands import describe, whole_number

__all__ = ["ANY", "NONZERO", "POSITIVE", "UNIT", "Domain", "Example", "Shape"]

Shape = tuple[int, ...]  #: the lengths of the axes


@dataclass(frozen=True, slots=True)
class Domain:
    """An interval of the reals in which a primitive is smooth, apart from kinks at ``kinks``.

    Tests draw points between ``low`` and ``high``; ``text`` describes the domain in the documentation.

    Raises:
        TypeError: if the bounds or kinks are not real numbers, or the text is not a string.
        ValueError: if the bounds are not finite with low < high.

    >>> 0.5 in Domain(-0.9, 0.9, "−1 < x < 1")
    True
    """

    low: float
    high: float
    text: str
    kinks: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if not all(map(is_plain_number, (self.low, self.high, *self.kinks))) or not isinstance(self.text, str):
            raise TypeError(
                "a Domain takes real numbers as low, high and kinks, and a string as text, as in Domain(0.0, 1.0, "
                f"'0 < x < 1'), and got {', '.join(map(describe, (self.low, self.high, self.text, self.kinks)))}"
            )
        if not -math.inf < self.low < self.high < math.inf:
            raise ValueError(f"a Domain needs finite bounds with low < high, and got {self.low!r} and {self.high!r}")

    def draw(self, random: np.random.Generator, shape: Shape) -> np.ndarray[Any, Any]:
        """Random points of this domain; points within 0.05 of a kink are moved to a distance of 0.1 from it."""
        points = random.uniform(self.low, self.high, shape)
        for kink in self.kinks:
            near = np.abs(points - kink) < 0.05
            points = np.where(near, kink + np.where(points < kink, -0.1, 0.1), points)
        return self.arranged(points)

    def arranged(self, points: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Numbers from the interval as an operand; a domain of whole arrays, such as matrices, overrides this."""
        return points

    def __contains__(self, x: Any) -> bool:
        """Whether a number, or every element of an array, lies in the interval."""
        return bool(self.low <= x <= self.high if x.__class__ is float else np.all((self.low <= x) & (x <= self.high)))


ANY: Final = Domain(-2.0, 2.0, "all reals")
POSITIVE: Final = Domain(0.1, 3.0, "x > 0")
UNIT: Final = Domain(-0.9, 0.9, "−1 < x < 1")
NONZERO: Final = Domain(-2.0, 2.0, "x ≠ 0", kinks=(0.0,))


@dataclass(frozen=True)
class Example:
    """One call for tests and documentation: the shapes of the inputs, and the params.

    Raises:
        TypeError: if the shapes are not a tuple of tuples of ints, or the params are not a mapping.
        ValueError: if the length of an axis is negative.

    >>> Example(((2, 3),), {"axis": 0}).params["axis"]
    0
    """

    shapes: tuple[Shape, ...]
    params: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        shapes = self.shapes if isinstance(self.shapes, tuple | list) else (None,)
        if not all(isinstance(shape, tuple | list) for shape in shapes) or not isinstance(self.params, Mapping):
            raise TypeError(
                "an Example takes a tuple of shapes and a dict of params, as in Example(((2, 3),), {'axis': 0}), and "
                f"got {describe(self.shapes)} and {describe(self.params)}"
            )
        for length in (length for shape in shapes for length in shape or ()):
            whole_number(length, "the length of an axis")
