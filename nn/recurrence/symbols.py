"""Text as integers: a vocabulary of characters or words, and sequences cut from a text for training."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np

from autodiff.primitives.operands import describe, whole_number

__all__ = ["Vocabulary", "checked_ids", "sequences"]

_WORDS: Final = re.compile(r"\w+|[^\w\s]|\n")


class Vocabulary:
    """The symbols of a text, characters or words, each with an id from 0.

    Args:
        text: the text; symbols get their ids in the order of their number, the most frequent first, and of the alphabet
            where numbers are equal.
        words: whether symbols are words, punctuation marks and line ends, instead of characters.
        most: keep so many symbols at most; all others share one id, that of ``unknown``.
        unknown: the text of that symbol.

    ``len(vocabulary)`` is the number of symbols, ``vocabulary[id]`` the text of one.

    Raises:
        TypeError: if the text is not a str. ValueError: if it has no symbol, or ``most`` is below 1.

    >>> vocabulary = Vocabulary("banana")
    >>> vocabulary.ids("ban"), vocabulary.text([0, 1])
    (array([2, 0, 1]), 'an')
    """

    def __init__(self, text: str, *, words: bool = False, most: int | None = None, unknown: str = "�") -> None:
        if not isinstance(text, str):
            raise TypeError(f"a vocabulary takes a text as a str, and got {describe(text)}")
        self._words, self.unknown = bool(words), unknown
        counts = Counter(self.split(text))
        ranked = sorted(counts, key=lambda symbol: (-counts[symbol], symbol))
        if not ranked:
            raise ValueError("a vocabulary needs a text with at least one symbol, and got an empty one")
        if most is not None and whole_number(most, "most", least=1) < len(ranked):
            ranked = [*ranked[: most - 1], unknown]
        self.symbols: tuple[str, ...] = tuple(ranked)
        self._ids = {symbol: k for k, symbol in enumerate(ranked)}

    def split(self, text: str) -> Sequence[str]:
        """The symbols of a text, in order.

        >>> Vocabulary("a", words=True).split("It is. Is it?")
        ['It', 'is', '.', 'Is', 'it', '?']
        """
        return _WORDS.findall(text) if self._words else text

    def ids(self, text: str) -> np.ndarray[Any, Any]:
        """The ids of the symbols of a text, shape (length,).

        Raises:
            ValueError: if a symbol is not in the vocabulary, and the vocabulary has no symbol for unknown ones.
        """
        other = self._ids.get(self.unknown)
        found = [self._ids.get(symbol, other) for symbol in self.split(text)]
        if None in found:
            symbol = self.split(text)[found.index(None)]
            raise ValueError(
                f"{symbol!r} is not among the {len(self)} symbols of this vocabulary; make it from a text that has all "
                "symbols, or with most= to let the rare ones be one symbol"
            )
        return np.array(found, dtype=np.intp)

    def text(self, ids: Iterable[int]) -> str:
        """The text of ids; between words stands a space.

        Raises:
            IndexError: if an id names no symbol.
        """
        between = " " if self._words else ""
        return between.join(self[int(k)] for k in ids)

    def __getitem__(self, id: int) -> str:
        if not 0 <= id < len(self):
            raise IndexError(f"ids of this vocabulary are in 0 … {len(self) - 1}, and got {id}")
        return self.symbols[id]

    def __len__(self) -> int:
        return len(self.symbols)

    def __repr__(self) -> str:
        return f"Vocabulary({len(self)} {'words' if self._words else 'characters'})"


def sequences(ids: Any, length: int, *, streams: int = 1) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Cut a text into stretches and their targets, which are the symbols one place later.

    Args:
        ids: the text as integers, shape (N,).
        length: T, the number of steps of a stretch.
        streams: cut the text into so many parts that are read side by side, the batch of truncated backpropagation.

    Returns:
        two arrays of shape (stretches · streams, T). Rows k · streams … k · streams + streams − 1 are the k-th stretch
        of every stream, and row by row continue the ``streams`` rows before, so that `nn.Batches` of this size, in
        order, can carry their states on (`nn.Carried`). What does not fill a stretch at the end is left out.

    Raises:
        ValueError: if the text is too short for one stretch; TypeError: if ids are not integers.

    >>> x, y = sequences([0, 1, 2, 3, 4], 2)
    >>> x.tolist(), y.tolist()
    ([[0, 1], [2, 3]], [[1, 2], [3, 4]])
    """
    array, T = checked_ids(ids, None), whole_number(length, "the length of a stretch", least=1)
    streams = whole_number(streams, "streams", least=1)
    count = (len(array) - 1) // (T * streams) if array.ndim == 1 else 0
    if not count:
        raise ValueError(
            f"a stretch of {T} steps in {streams} stream{'s' * (streams != 1)} needs a text of at least "
            f"{T * streams + 1} symbols, and got shape {array.shape}"
        )
    used = count * T * streams
    x, y = (array[k : k + used].reshape(streams, count, T).swapaxes(0, 1).reshape(-1, T) for k in (0, 1))
    return x, y


def checked_ids(ids: Any, symbols: int | None) -> np.ndarray[Any, Any]:
    """Ids of shape (T,) or (sequences, T), at least one of each.

    Raises:
        TypeError: if they are not integers.
        ValueError: if the shape is another, or an id is not in 0 … symbols − 1.
    """
    array = np.asarray(ids)
    if array.dtype.kind not in "iu":
        raise TypeError(f"symbols are given as integer ids from 0, and got {describe(ids)}; see nn.Vocabulary")
    if array.ndim not in (1, 2) or not array.size:
        raise ValueError(f"ids must have shape (T,) or (sequences, T) with at least one step, and got {array.shape}")
    if not 0 <= array.min() <= array.max() < (array.max() + 1 if symbols is None else symbols):
        within = "at least 0" if symbols is None else f"in 0 … {symbols - 1}"
        raise ValueError(f"ids must be {within}, and got {array.min()} … {array.max()}")
    return array
