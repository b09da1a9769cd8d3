"""The style of a text: its language and the format of its numbers, chosen once by the caller and passed on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np

from autodiff.flow import Signal, count_text
from autodiff.words.notation import number
from autodiff.words.operations import operation_name
from autodiff.words.phrases import checked_language, say
from autodiff.words.printable import printable

__all__ = ["USUAL", "Style", "Write", "least_mean_most"]

#: The format of a number; `number` gives 4 significant digits, ``partial(number, digits=8)`` gives 8.
Write = Callable[[float | None], str]


@dataclass(frozen=True, slots=True)
class Style:
    """A language, "en" or "zh", and the format of every number.

    Raises:
        ValueError: if the language is not supported.

    >>> Style("zh").say("term.gradient"), Style.of("en", 2).write(0.1291)
    ('梯度', '0.13')
    """

    language: str = "en"
    write: Write = number

    def __post_init__(self) -> None:
        checked_language(self.language)

    @classmethod
    def of(cls, language: str, digits: int) -> Style:
        """The style with a language and a number of significant digits.

        Raises:
            ValueError: if the language is not supported or digits is less than 1.
        """
        number(0.0, digits)
        return cls(language, partial(number, digits=digits))

    def say(self, key: str, **fields: object) -> str:
        """A phrase of `autodiff.words.phrases` in this language."""
        return say(key, self.language, **fields)

    def operation(self, name: str | None) -> str:
        """What an operation is called in this language (`autodiff.words.operations`); "" for a leaf, which has none."""
        return printable(operation_name(name, self.language)) if name else ""

    def amount(self, value: Signal) -> str:
        """A number in the format of ``write``; for an array, its shape and norm.

        >>> USUAL.amount(-0.0405), USUAL.amount(np.ones((2, 3))), USUAL.amount(None)
        ('−0.0405', '2×3, norm 2.449', '–')
        """
        if not isinstance(value, np.ndarray):
            return self.write(value)
        if value.size == 1:
            return self.write(float(value.item()))
        with np.errstate(all="ignore"):
            norm = float(np.linalg.norm(value))
        return self.say("term.norm", shape="×".join(map(str, value.shape)), norm=self.write(norm))

    def told(self, value: Signal) -> str:
        """A number in the format of ``write``; an array in words, with its shape and norm.

        >>> USUAL.told(np.ones((2, 3))), USUAL.told(np.array([3.0, 4.0])), USUAL.told(2.0)
        ('a 2×3 matrix of norm 2.449', 'a vector of 2 entries and norm 5', '2')
        """
        if np.size(value) == 1 or value is None:
            return self.amount(value)
        with np.errstate(all="ignore"):
            norm = self.write(float(np.linalg.norm(value)))
        kind = {1: "vector", 2: "matrix"}.get(np.ndim(value), "array")
        return self.say(f"term.{kind}", shape="×".join(map(str, np.shape(value))), norm=norm)

    def statistics(self, array: Signal) -> str:
        """The shape, the least, the mean and the largest entry, and the norm of an array; of an empty one, its shape.

        >>> USUAL.statistics(np.array([[3.0, -4.0]]))
        '1×2, min −4, mean −0.5, max 3, norm 5'
        """
        if not array.size:
            return self.amount(array)
        with np.errstate(all="ignore"):
            norm = self.write(float(np.linalg.norm(array)))
        shape = self.say("term.pair", first="×".join(map(str, array.shape)), second=self.extent(array))
        return self.say("term.norm", shape=shape, norm=norm)

    def extent(self, array: Signal) -> str:
        """The least, the mean and the largest entry of an array that is not empty."""
        least, mean, most = map(self.write, least_mean_most(array))
        return self.say("term.extent", least=least, mean=mean, most=most)

    def counted(self, count: int) -> str:
        """A count as text: exact up to 15 digits, rounded beyond that.

        >>> USUAL.counted(6), Style("zh").counted(2**200)
        ('6', '约 1.6e60')
        """
        text = count_text(count)
        size = text.removeprefix("about ")
        return text if size == text else self.say("term.about", number=size)


def least_mean_most(array: Signal) -> tuple[float, float, float]:
    """The least, the mean and the largest entry of an array that is not empty.

    >>> least_mean_most(np.array([3.0, -4.0]))
    (-4.0, -0.5, 3.0)
    """
    with np.errstate(all="ignore"):
        return float(np.min(array)), float(np.mean(array)), float(np.max(array))


USUAL: Final = Style()  # English, numbers of 4 significant digits
