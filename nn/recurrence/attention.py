"""Attention: each position takes from all others, or from those before it, by a softmax over positions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import sqrt
from typing import Any

import numpy as np

import autodiff as ad
from autodiff.engine.graph import Node
from autodiff.primitives.operands import as_operand, describe, whole_number
from autodiff.words.notation import Name
from nn.modules.architecture import field, known
from nn.modules.module import Module
from nn.parameters.blocks import keeper, numbers, wrap
from nn.parameters.generators import generator
from nn.parameters.init import Init, initializer

__all__ = ["Attention"]

_NAMES = tuple(Name(f"W_{letter}") for letter in "QKVO")


@known
class Attention(Module):
    """Attention of positions to each other: y = W_O concat_h(A V), A = softmax(Q Kᵀ/√d_h), row by row.

    Q = W_Q x, K = W_K x and V = W_V x of each position, cut into heads of d_h = d/heads numbers.

    Args:
        size: d, the number of inputs and outputs of a position.
        heads: how many heads; it divides d.
        causal: whether a position takes only from itself and those before it.
        random: the generator of the initial weights; a new one with seed 0 if left out.
        init: how each block of weights is drawn, as for `Layer`.
        scalar: whether parameters are named Values, one for each number, instead of Tensors.

    Parameters: W_Q, W_K, W_V and W_O, each (d, d). A call with x of shape (T, d), or (…, T, d) but for Values, returns
    y of that shape. Of Values, q, k and v are named by position and number, q₂,₁ for the first number of the second
    position; the weights of head 1 are α₂,₁⁽¹⁾, by which position 2 takes from position 1. Positions that a causal mask
    hides have no weight and no node.

    Raises:
        ValueError: if a size is below 1, or heads do not divide d; on a call, if the shape differs.

    Source: Vaswani et al. 2017; the notes' part on attention, as this one without biases.

    >>> attention = Attention(4, heads=2, causal=True)
    >>> attention(np.ones((3, 4))).shape
    (3, 4)
    """

    def __init__(
        self, size: int, *, heads: int = 1, causal: bool = False, random: np.random.Generator | None = None,
        init: Init = "xavier", scalar: bool = False,
    ) -> None:  # fmt: skip
        d = whole_number(size, "size", least=1)
        keep, random, draw = keeper(scalar), generator(random), initializer(init)
        self._hold({name: keep(draw(random, d, d), name) for name in _NAMES}, heads, causal)

    def _hold(self, blocks: Mapping[Name, Any], heads: int, causal: bool) -> None:
        self._blocks, self.size = dict(blocks), blocks[_NAMES[0]].shape[0]
        self.heads = whole_number(heads, "heads", least=1)
        if self.size % self.heads:
            raise ValueError(f"heads must divide the size, and {self.heads} does not divide {self.size}")
        if not isinstance(causal, bool | np.bool):
            raise TypeError(f"causal must be True or False, and got {describe(causal)}")
        self.causal = bool(causal)

    def __call__(self, x: Any) -> Any:
        x = x if isinstance(x, Node) else as_operand("attention", x)
        if len(x.shape) < 2 or x.shape[-1] != self.size or not np.prod(x.shape):
            raise ValueError(f"attention takes x of shape (T, {self.size}), T at least 1, and got shape {x.shape}")
        return self._of_values(x) if self._is_scalar else self._of_arrays(x)

    def weights(self, x: Any) -> np.ndarray[Any, Any]:
        """A as plain numbers, shape (…, heads, T, T): each row sums to 1.

        >>> Attention(2, causal=True).weights(np.ones((2, 2))).round(2).tolist()
        [[[1.0, 0.0], [0.5, 0.5]]]
        """
        if self._is_scalar:
            return self.plain().weights(x)
        return numbers(self._weights(self._headed("Q", x), self._headed("K", x)))

    @property
    def _is_scalar(self) -> bool:
        return bool(self._blocks[_NAMES[0]].dtype == object)

    def _projected(self, letter: str, x: Any) -> Any:
        return ad.affine(self._blocks[Name(f"W_{letter}")], x, np.zeros(self.size))

    def _headed(self, letter: str, x: Any) -> Any:
        """Q, K or V with the axis of heads before that of positions: (…, heads, T, d_h)."""
        whole = self._projected(letter, x)
        parts = whole.reshape((*whole.shape[:-1], self.heads, self.size // self.heads))
        return ad.swapaxes(parts, axis1=-3, axis2=-2)

    def _weights(self, q: Any, k: Any) -> Any:
        scores = ad.matmul(q, ad.swapaxes(k, axis1=-1, axis2=-2)) / sqrt(q.shape[-1])
        if self.causal:
            scores = ad.where(np.tri(q.shape[-2], dtype=bool), scores, -np.inf)
        return ad.softmax(scores)

    def _of_arrays(self, x: Any) -> Any:
        q, k, v = (self._headed(letter, x) for letter in "QKV")
        taken = ad.swapaxes(ad.matmul(self._weights(q, k), v), axis1=-3, axis2=-2)
        return self._projected("O", taken.reshape(x.shape))

    def _of_values(self, x: Any) -> Any:
        """The same for one sequence, each weighted sum one node, without the positions that a mask hides."""
        if isinstance(x, Node) or x.ndim != 2:
            raise TypeError(f"attention of Values takes numbers or Values of shape (T, d), and got {describe(x)}")
        x = _named(wrap(x), "x")
        q, k, v = (_named(self._projected(letter.upper(), x), letter) for letter in "qkv")
        steps, width = len(x), self.size // self.heads
        taken = np.empty(x.shape, dtype=object)
        for head in range(self.heads):
            part = slice(head * width, (head + 1) * width)
            for i in range(steps):
                seen = slice(0, i + 1 if self.causal else steps)
                scores = ad.affine(k[seen, part], q[i, part], np.zeros(len(k[seen]))) / sqrt(width)
                weights = ad.softmax(scores)
                for j, weight in enumerate(weights, start=1):
                    weight.name = str(Name("α", (i + 1, j), head + 1))
                taken[i, part] = ad.affine(v[seen, part].T, weights, np.zeros(width))
        return _named(self._projected("O", taken), "y")

    def blocks(self) -> dict[Name, Any]:
        """The blocks W_Q, W_K, W_V and W_O, by name."""
        return dict(self._blocks)

    def _kept_as(self, keep: Callable[[Any, Name], Any]) -> Attention:
        made = Attention.__new__(Attention)
        blocks = {name: keep(block, name) for name, block in self._blocks.items()}
        made._hold(blocks, self.heads, self.causal)
        return made

    def _architecture(self) -> dict[str, Any]:
        return {"heads": self.heads, "causal": self.causal}

    @classmethod
    def _made(cls, data: Any, blocks: Mapping[Name, Any]) -> Attention:
        d = max(blocks[_NAMES[0]].shape, default=0)
        if blocks.keys() != {*_NAMES} or not d or any(block.shape != (d, d) for block in blocks.values()):
            raise ValueError(f"its blocks {', '.join(f'{name} {x.shape}' for name, x in blocks.items())} do not fit")
        attention = cls.__new__(cls)
        heads, causal = field(data, "heads", int), field(data, "causal", bool)
        attention._hold({name: blocks[name] for name in _NAMES}, heads, causal)
        return attention

    def __repr__(self) -> str:
        return f"Attention({self.size}, heads={self.heads}, causal={self.causal})"


def _named(rows: Any, letter: str) -> Any:
    """The Values of a matrix, named by row and column; those that have a name keep it."""
    for (i, j), node in np.ndenumerate(rows):
        if node.name is None:
            node.name = str(Name(letter, (i + 1, j + 1)))
    return rows
