"""The window scorer: is the centre word of a window of words an entity? s = Uᵀ f(Wx + b) (the notes, section 1.3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import repeat
from typing import Any

import numpy as np

import autodiff as ad
from autodiff.engine.graph import commit
from autodiff.primitives.operands import as_operand, describe, whole_number
from autodiff.values.refusals import called_as
from autodiff.words.notation import Name
from nn.layers import Layer
from nn.modules.activations import Activation
from nn.modules.architecture import architecture, field, known, made
from nn.modules.module import Module
from nn.parameters.blocks import as_values, entries, keeper, numbers, row_values
from nn.parameters.generators import generator
from nn.parameters.init import xavier
from nn.parameters.naming import name_results
from nn.parameters.state import joined

__all__ = ["WindowScorer"]

_L, _U = Name("L"), Name("U")


@known
class WindowScorer(Module):
    """Score a window of words: s = Uᵀ f(Wx + b), where x is the concatenation of its word vectors.

    Args:
        embedding: L, shape (V, d), one word vector in each row; it is copied, and learned with the other parameters.
        window: the number of words in a window.
        hidden: the number m of hidden units.
        activation: f, a name or a callable.
        random: the generator of the initial weights (`xavier`; b is 0); a new one with seed 0 if left out.
        scalar: whether parameters are named Values, one for each number, instead of Tensors; a word vector becomes
            Values when its word first appears in a window, and a word always has the same Values.

    Parameters: L (V, d), W⁽¹⁾ (m, window·d), b⁽¹⁾ (m,), U (m,). In names, words and dimensions are counted from 1, so
    L₂₃ is dimension 3 of the word with id 1. A call with ids (from 0) of shape (window,) or (batch, window) returns
    scores of shape () or (batch,), dimensionless: a Value or Tensor named s, or an object array of Values.

    Raises:
        TypeError: if ids or sizes are not integers.
        ValueError: if the embedding does not have shape (V, d) or is not finite, or a size is below 1; on a call, if
            the number of words differs, or an id is outside 0 … V − 1.

    Source: notes, section 1.3.

    >>> scorer = WindowScorer(np.zeros((7, 4)), window=5, hidden=8)
    >>> sum(item.size for name, item in scorer.parameters().items() if name.letter != "L")
    176
    >>> scorer([[0, 1, 2, 3, 4], [6, 5, 4, 3, 2]]).shape
    (2,)
    """

    @called_as("WindowScorer(vectors, window=5, hidden=8)")
    def __init__(
        self,
        embedding: Any,
        window: int,
        hidden: int,
        *,
        activation: Activation = "sigmoid",
        random: np.random.Generator | None = None,
        scalar: bool = False,
    ) -> None:
        L = _embedding(embedding)
        window, hidden = whole_number(window, "window", least=1), whole_number(hidden, "hidden", least=1)
        random = generator(random)
        layer = Layer(window * L.shape[1], hidden, activation=activation, random=random, scalar=scalar)
        keep, U = keeper(scalar), xavier(random, hidden, 1)[0]
        self._hold(_kept_words(L, keep), layer, keep(U, _U), window)

    def _hold(self, L: Any, layer: Layer, U: Any, window: int) -> None:
        self.L, self.layer, self.U, self.window = L, layer, U, window
        self._words: dict[int, dict[Name, Any]] = {}  # the words that are Values so far, by id
        self._outputs = dict(entries(U, _U))

    def __call__(self, ids: Any, *, suffix: str = "") -> Any:
        return self.score_vectors(self.vectors(ids), suffix=suffix)

    def vectors(self, ids: Any) -> Any:
        """The inputs x: the concatenated word vectors of each window, shape (window·d,) or (batch, window·d)."""
        ids = self._checked(ids)
        if self.L.dtype == object:
            self._meet(set(ids.ravel().tolist()))
        return self.L[ids].reshape(*ids.shape[:-1], self.window * self.L.shape[1])

    def score_vectors(self, x: Any, *, suffix: str = "") -> Any:
        """The scores s = Uᵀ f(Wx + b) of given inputs x, shape (window·d,) or (batch, window·d).

        Raises:
            ValueError: if x has another length.
        """
        return name_results(_combined(self.U, self.layer(x, suffix=suffix)), "s", None, suffix)

    def predict(self, ids: Any) -> Any:
        """The scores as plain numbers, computed without a graph.

        >>> WindowScorer(np.zeros((7, 4)), window=5, hidden=8, activation="tanh").predict([[0, 1, 2, 3, 4]])
        array([0.])
        """
        return self.plain()(ids)

    def parameters(self) -> dict[Name, Any]:
        """The Tensors L, W⁽¹⁾, b⁽¹⁾ and U, or all their Values (of L, those of the words scored so far)."""
        words = self._words.values() if self.L.dtype == object else [{_L: self.L}]
        return joined([*words, self.layer.parameters(), self._outputs])

    def blocks(self) -> dict[Name, Any]:
        """The blocks L, W⁽¹⁾, b⁽¹⁾ and U, by name."""
        return {_L: self.L, **self.layer.blocks(), _U: self.U}

    def _kept_as(self, keep: Callable[[Any, Name], Any]) -> WindowScorer:
        scorer = WindowScorer.__new__(WindowScorer)
        scorer._hold(_kept_words(self.L, keep), self.layer._kept_as(keep), keep(self.U, _U), self.window)
        return scorer

    def _architecture(self) -> dict[str, Any]:
        return {"layer": architecture(self.layer), "window": self.window, "words": [*self._words]}

    @classmethod
    def _made(cls, data: Any, blocks: Mapping[Name, Any]) -> WindowScorer:
        L, layer, U = blocks[_L], made(data.get("layer"), blocks), blocks[_U]
        window, words = field(data, "window", int), field(data, "words", list)
        if len(L.shape) != 2 or layer.W.shape != (*U.shape, window * L.shape[1]) or window < 1 or not L.shape[0]:
            raise ValueError(f"its L {L.shape}, W {layer.W.shape} and U {U.shape} do not fit windows of {window} words")
        if not all(type(word) is int and 0 <= word < len(L) for word in words) or (words and L.dtype != object):
            raise ValueError("its words are not rows of L")
        scorer = cls.__new__(cls)
        scorer._hold(L, layer, U, window)
        for word in words:  # to meet them in their order
            scorer.vectors([word] * window)
        return scorer

    def _meet(self, words: set[int]) -> None:
        """Turn the vectors of words that appear for the first time into Values; until then, L holds plain floats."""
        fresh = {word: row_values(self.L[word], word, _L) for word in sorted(words - self._words.keys())}
        rows = [list(row.values()) for row in fresh.values()]
        commit(
            (np.ndarray.__setitem__, repeat(self.L), fresh, rows),
            (self._words.__setitem__, fresh, fresh.values()),
        )

    def _checked(self, ids: Any) -> np.ndarray[Any, Any]:
        array = np.asarray(ids)
        if array.dtype.kind not in "iu":
            raise TypeError(f"a window must consist of integer word ids, and got {describe(ids)}")
        if array.ndim not in (1, 2) or array.shape[-1] != self.window:
            raise ValueError(
                f"windows must have shape ({self.window},) or (batch, {self.window}), and got shape {array.shape}"
            )
        if array.size and not 0 <= array.min() <= array.max() < len(self.L):
            raise ValueError(
                f"word ids must be in 0 … {len(self.L) - 1}, and got {array.min()} … {array.max()}; "
                "reserve an id for unknown words"
            )
        return array

    def __repr__(self) -> str:
        words, dimensions = self.L.shape
        return f"WindowScorer({words} words × {dimensions}, window={self.window}, {self.layer})"


def _kept_words(L: Any, keep: Callable[[Any, Name], Any]) -> Any:
    """The block L; in a scorer of Values, an object array of plain floats until a word appears."""
    return numbers(L).astype(object) if keep is as_values else keep(L, _L)


def _combined(U: Any, a: Any) -> Any:
    """Uᵀa for one a or for rows; on Values, each score is one `weighted_sum` node."""
    if a.dtype != object:
        return a @ U
    if a.ndim == 1:
        return ad.weighted_sum(U, a)
    scores = np.empty(len(a), dtype=object)
    scores[:] = [ad.weighted_sum(U, row) for row in a]
    return scores


def _embedding(data: Any) -> np.ndarray[Any, Any]:
    array = as_operand("an embedding", data)
    if array.ndim != 2 or not array.size or array.dtype == object:
        raise ValueError(
            f"an embedding must have shape (V, d), one word vector of plain numbers per row, and got {describe(data)}"
        )
    if not np.all(np.isfinite(array)):
        word, dimension = np.argwhere(~np.isfinite(array))[0]
        raise ValueError(f"an embedding must be finite, and the vector of word {word} has {array[word, dimension]}")
    return array
