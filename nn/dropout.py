"""Dropout: in training, each unit is kept with probability p (the notes, section 2, "Regularisation")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from autodiff.engine.graph import Change, Node
from autodiff.primitives.operands import as_operand
from autodiff.values.reading import drawn
from autodiff.values.refusals import called_as
from autodiff.words.notation import Name
from nn.modules.architecture import field, known
from nn.modules.module import Module
from nn.parameters.generators import (
    commit_with_generators,
    generator,
    generator_changes,
    generator_state,
    made_generator,
)
from nn.parameters.ranges import Hyper, number_in

__all__ = ["Dropout"]

_KEEP: Final = Hyper(
    "keep", "p", 0.5, high=1.0, open_low=True, closed_high=True, words="probability that dropout keeps a unit"
)


@known
class Dropout(Module):
    """A layer that keeps each number of its input with probability p, divided by p, and sets the others to 0.

    Args:
        keep: p, 0 < p ≤ 1: the probability of being *kept*, as in the notes; many libraries ask for 1 − p.
        random: its own generator, from which every call draws anew, for each number of a batch separately.

    Since kept numbers are divided by p, the expectation of the result is the input, and nothing is scaled at test. In a
    net of plain arrays (``net.plain()``, ``net.predict``), dropout returns its input: inference is exact.
    ``net.without_dropout()`` is the exact net with the same Values or Tensors, for flows. A dropped unit passes back no
    error, a kept one 1/p of it. The result is a node named after its input, "dropout a⁽²⁾".

    Raises:
        TypeError: if p is not a number, or ``random`` is not a generator.
        ValueError: if p is not above 0 and at most 1.

    Source: notes, section 2 (Srivastava et al. 2014), scaled in training.

    >>> layer = Dropout(0.5, random=np.random.default_rng(0))
    >>> layer(np.ones(6))
    array([0., 2., 2., 2., 0., 0.])
    >>> layer.plain()(np.ones(6))
    array([1., 1., 1., 1., 1., 1.])
    """

    @called_as("{kind}(0.5, random=numpy.random.default_rng(0))")
    def __init__(self, keep: float, *, random: np.random.Generator) -> None:
        kept = number_in(keep, _KEEP)
        if random is None:
            raise TypeError("dropout needs a generator of its own, such as random=numpy.random.default_rng(0)")
        self._keep, self.random, self._is_exact = kept, generator(random), False

    @property
    def keep(self) -> float:
        """The probability p of being kept."""
        return self._keep

    def __call__(self, x: Any, *, suffix: str = "") -> Any:
        x = x if isinstance(x, Node) else as_operand("dropout", x)
        if self._is_exact:
            return x
        kind = np.dtype(getattr(x, "dtype", object))  # a Value, the output of a neuron, has none
        result = x * drawn(lambda: self._factors(x.shape, kind), self.random)
        if isinstance(result, Node):
            _name(result, x, suffix)
        elif kind.hasobject:
            for dropped, item in zip(result.flat, x.flat, strict=True):
                _name(dropped, item, suffix)
        return result

    def _factors(self, shape: tuple[int, ...], kind: np.dtype[Any]) -> np.ndarray[Any, Any]:
        """For each number 1/p or 0, drawn anew."""
        factors: np.ndarray[Any, Any] = (self.random.random(shape) < self._keep) / self._keep
        return factors.astype(kind)

    def blocks(self) -> dict[Name, Any]:
        """No blocks: dropout learns nothing."""
        return {}

    def state(self) -> dict[str, np.ndarray[Any, Any]]:
        """The state of the generator, so that the next call after `load` draws what it would have drawn."""
        return generator_state(self.random)

    def load_changes(self, state: Mapping[str, Any]) -> list[Change]:
        """The changes that `load` makes, checked but not made."""
        return list(generator_changes(self.random, state))

    def load(self, state: Mapping[str, Any]) -> None:
        """Load a `state`; if an error is raised, nothing has changed.

        Raises:
            ValueError: if it is not the state of a generator of this kind.
        """
        commit_with_generators(self.load_changes(state))

    def scalar(self) -> Dropout:
        """The same dropout with the same generator, which drops units."""
        return self._as(is_exact=False)

    def tensor(self) -> Dropout:
        """The same dropout with the same generator, which drops units."""
        return self._as(is_exact=False)

    def plain(self) -> Dropout:
        """The exact form for inference: a call returns its input, and nothing is drawn."""
        return self._as(is_exact=True)

    def _as(self, *, is_exact: bool) -> Dropout:
        made = Dropout(self._keep, random=self.random)
        made._is_exact = is_exact
        return made

    def _architecture(self) -> dict[str, Any]:
        return {"keep": self._keep, "exact": self._is_exact, "random": self.state()["state"].item()}

    @classmethod
    def _made(cls, data: Any, _: Mapping[Name, Any]) -> Dropout:
        random = made_generator({"state": field(data, "random", str)})
        dropout = cls(field(data, "keep", float), random=random)
        return dropout.plain() if field(data, "exact", bool) else dropout

    def __repr__(self) -> str:
        return f"Dropout({self._keep:g}{', exact' if self._is_exact else ''})"


def _name(result: Any, x: Any, suffix: str) -> None:
    if isinstance(result, Node):
        result.name = f"dropout {x.name}" if isinstance(x, Node) and x.name else f"dropout{suffix}"
