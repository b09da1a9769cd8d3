"""Truncated backpropagation through time: a state goes on from stretch to stretch of a text, an error does not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from autodiff.engine.graph import Change, commit
from autodiff.primitives.operands import describe, whole_number
from nn.data.batches import Batches
from nn.parameters.saved import assigning, check_keys, check_mapping
from nn.recurrence.symbols import checked_ids

__all__ = ["Carried", "text_loss"]

_STRETCH: Final = 500  # steps of a long text that are computed at once


class Carried:
    """The objective of truncated backpropagation through time: J of a stretch that starts where the last one ended.

    Args:
        batches: the `Batches` that give the stretches in order, made of `nn.sequences`; the state starts anew with each
            of their epochs. None: it starts once.

    Called as ``carried(net, ids, targets)``, as `nn.fit` does, it returns ``net.loss(…)`` and keeps h_T as plain
    numbers, so that no error goes back beyond the stretch. It is a part of the run: `nn.save` needs it to resume.

    Raises:
        TypeError: if ``batches`` are none, or shuffled, since shuffled stretches do not continue each other.

    Source: notes, section 3.

    >>> from nn import RecurrentLM
    >>> net, carried = RecurrentLM(3, 2), Carried()
    >>> J = carried(net, [0, 1], [1, 2]), carried(net, [2, 0], [0, 1])
    >>> carried.h.shape
    (2,)
    """

    def __init__(self, batches: Batches | None = None) -> None:
        if batches is not None and not isinstance(batches, Batches):
            raise TypeError(f"Carried takes the nn.Batches that give its stretches, and got {describe(batches)}")
        if batches is not None and batches.is_shuffled:
            raise TypeError("stretches in a random order do not continue each other; make the Batches with random=None")
        self._batches = batches
        self.h: np.ndarray[Any, Any] | None = None

    def __call__(self, net: Any, ids: Any, targets: Any) -> Any:
        batches = self._batches
        if batches is not None and (batches.position == 1 or len(batches) == 1):
            self.h = None
        fits = self.h is not None and self.h.shape[:-1] == np.shape(ids)[:-1]  # the last batch may be smaller
        J, self.h = net.loss_and_state(ids, targets, start=self.h if fits else None)
        return J

    def state(self) -> dict[str, np.ndarray[Any, Any]]:
        """The state carried on, h; nothing before the first stretch."""
        return {} if self.h is None else {"h": self.h.copy()}

    def load_changes(self, state: Mapping[str, Any]) -> list[Change]:
        """The changes that `load` makes, checked but not made."""
        check_mapping(state)
        if not state:
            return [assigning(self, h=None)]
        check_keys("this Carried", [*state], ("h",))
        h = np.array(state["h"])
        if h.dtype.kind != "f" or h.ndim not in (1, 2) or not np.all(np.isfinite(h)):
            raise ValueError(f"the state carried on must be finite numbers, and got {describe(h)}; nothing was loaded")
        return [assigning(self, h=h)]

    def load(self, state: Mapping[str, Any]) -> None:
        """Load a `state`; on an error, nothing has changed.

        Raises:
            ValueError, TypeError: if it is no state of a `Carried`.
        """
        commit(*self.load_changes(state))


def text_loss(model: Any, ids: Any) -> float:
    """The mean cross-entropy of a whole text, each symbol predicted from all before it, in nats.

    Args:
        model: a `RecurrentLM`; `NGrams.loss` is the same for n-grams.
        ids: the text, shape (N,), at least two symbols.

    Raises:
        ValueError: if the text is shorter. TypeError, ValueError: if it does not consist of the model's ids.

    Source: notes, section 3.

    >>> from nn import RecurrentLM
    >>> net = RecurrentLM(4, 2, init=lambda random, n, m: np.zeros((m, n)))
    >>> round(text_loss(net, [0, 1, 2, 3, 0]) / float(np.log(4.0)), 12)
    1.0
    """
    array, plain, h, total = checked_ids(ids, model.symbols), model.plain(), None, 0.0
    if array.ndim != 1 or whole_number(len(array), "the length of the text", least=2) < 2:
        raise ValueError(f"a text is one row of ids, shape (N,), and got shape {array.shape}")
    for at in range(0, len(array) - 1, _STRETCH):
        stretch = array[at : at + _STRETCH + 1]
        J, h = plain.loss_and_state(stretch[:-1], stretch[1:], start=h, reduction="sum")
        total += float(J)
    return total / (len(array) - 1)
