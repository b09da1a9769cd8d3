"""N-grams: the baseline of a language model, which counts what followed the last few symbols."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, Final

import numpy as np

from autodiff.primitives.operands import whole_number
from nn.parameters.ranges import Hyper, number_in
from nn.recurrence.symbols import checked_ids

__all__ = ["NGrams"]

_PRIOR: Final = Hyper("prior", "λ", 1.0, open_low=True)


class NGrams:
    """Predict a symbol from the n − 1 symbols before it by counting: n = 1 looks at none, 2 at one, 3 at two, …

    p_n(x | c) = (count(c, x) + λ p_{n−1}(x | c′)) / (count(c) + λ), where c′ is c without its first symbol; p₀ = 1/V. A
    context that was not met thus predicts as the shorter one does, and no probability is 0.

    Args:
        ids: the text, shape (N,), integers from 0.
        n: the length of the n-grams.
        symbols: V; every id of this and of other texts is below it.
        prior: λ, how many occurrences the shorter context counts for, positive.

    Raises:
        ValueError: if n or V is below 1, λ is not positive, or an id is not below V; TypeError: if ids are no integers.

    Source: notes of the part on language models (n-grams, smoothing, backoff); the formula: MacKay and Peto 1995.

    >>> ngrams = NGrams([0, 1, 0, 1, 0], 2, symbols=2, prior=1e-9)
    >>> ngrams.probabilities([0]).round(6)
    array([0., 1.])
    """

    def __init__(self, ids: Any, n: int, *, symbols: int, prior: float = 1.0) -> None:
        self.n, self.symbols = whole_number(n, "n", least=1), whole_number(symbols, "the number of symbols", least=1)
        self.prior = number_in(prior, _PRIOR)
        text = checked_ids(ids, self.symbols)
        if text.ndim != 1:
            raise ValueError(f"n-grams are counted in one row of ids, shape (N,), and got shape {text.shape}")
        self._counts = [_counted(text, length) for length in range(self.n)]

    def probabilities(self, context: Any) -> np.ndarray[Any, Any]:
        """p(x | c) of every symbol, shape (V,), after a context of which the last n − 1 symbols count.

        Raises:
            ValueError, TypeError: if the context does not consist of ids.
        """
        before = checked_ids(context, self.symbols).tolist() if np.size(context) else []
        p = np.full(self.symbols, 1.0 / self.symbols)
        for length in range(min(self.n - 1, len(before)) + 1):
            found = self._counts[length].get(tuple(before[len(before) - length :]), {})
            p *= self.prior
            for symbol, count in found.items():
                p[symbol] += count
            p /= sum(found.values()) + self.prior
        return p

    def loss(self, ids: Any) -> float:
        """The mean cross-entropy of a text in nats: −(1/(N − 1)) Σ ln p(x_t | x₁ … x_{t−1}), without its first symbol.

        Raises:
            ValueError: if the text has less than two symbols, or an id is not below V.
        """
        text = checked_ids(ids, self.symbols).tolist()
        whole_number(len(text), "the length of the text", least=2)
        chances = [self._chance(text[max(t - self.n + 1, 0) : t], text[t]) for t in range(1, len(text))]
        return -float(np.mean(np.log(chances)))

    def _chance(self, before: list[int], symbol: int) -> float:
        p = 1.0 / self.symbols
        for length in range(len(before) + 1):
            found = self._counts[length].get(tuple(before[len(before) - length :]))
            if found is not None:
                p = (found.get(symbol, 0) + self.prior * p) / (sum(found.values()) + self.prior)
        return p

    def following(self, ids: Any) -> Generator[Any, int, None]:
        """A generator of ln p: after ``ids``, then after each further id sent to it; `nn.generate` draws from it."""
        text = checked_ids(ids, self.symbols).tolist()
        while True:
            text.append((yield np.log(self.probabilities(np.array(text, dtype=np.intp)))))

    def __repr__(self) -> str:
        return f"NGrams(n={self.n}, {self.symbols} symbols)"


def _counted(text: np.ndarray[Any, Any], length: int) -> dict[tuple[int, ...], dict[int, int]]:
    """For each context of this length, how often each symbol followed it."""
    counts: dict[tuple[int, ...], dict[int, int]] = {}
    symbols = text.tolist()
    for t in range(length, len(symbols)):
        after = counts.setdefault(tuple(symbols[t - length : t]), {})
        after[symbols[t]] = after.get(symbols[t], 0) + 1
    return counts
