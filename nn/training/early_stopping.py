"""Early stopping: the end of a training that no longer gets better."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from math import inf
from typing import Any, Final

import numpy as np

from autodiff.engine.graph import Change, commit
from autodiff.primitives.operands import whole_number
from nn.parameters.saved import assigning
from nn.training.step import Step

__all__ = ["EarlyStopping"]

_NUMBERS: Final = ("best", "best_step", "waited")
_KEPT: Final = "kept/"


class EarlyStopping:
    """End a stream of steps once a number has not fallen for ``patience`` looks at it.

    Args:
        watch: the name of a number of the steps, such as "J" or a measure of `validated`; a step without it is skipped.
        patience: the number of looks in a row that may be no better than the best.
        rising: whether a larger number is better, as for accuracy.
        model: if given, its state at the best look is kept, and loaded when this consumer ends the stream.

    Any improvement counts, however small; nan is never better. ``best`` is the best number so far, and
    ``best_step`` the number of its step. ``state()`` and ``load()`` carry both, and the kept parameters, into a file
    and back.

    Raises:
        ValueError: if patience is below 1.

    >>> losses = [3.0, 2.0, 2.5, 2.1, 1.0]
    >>> stopping = EarlyStopping(patience=2)
    >>> stream = stopping(Step(k, 1, J, 0.1, 1.0, 0.0) for k, J in enumerate(losses, 1))
    >>> [step.J for step in stream], stopping.best
    ([3.0, 2.0, 2.5, 2.1], 2.0)
    """

    def __init__(self, watch: str = "J", *, patience: int, rising: bool = False, model: Any = None) -> None:
        self.watch, self.rising, self.model = watch, rising, model
        self.patience = whole_number(patience, "patience", least=1)
        self.best = -inf if rising else inf
        self.best_step = self.waited = 0
        self._kept: dict[str, Any] = {}

    def __call__(self, stream: Iterable[Step]) -> Iterator[Step]:
        for step in stream:
            self._look(step)
            yield step
            if self.waited >= self.patience:
                if self.model is not None and self._kept:
                    self.model.load(self._kept)
                return

    def _look(self, step: Step) -> None:
        number = step.numbers().get(self.watch)
        if number is None:
            return
        if number > self.best if self.rising else number < self.best:
            kept = {} if self.model is None else self.model.state()
            self.best, self.best_step, self.waited, self._kept = number, step.number, 0, kept
        else:
            self.waited += 1

    def state(self) -> dict[str, np.ndarray[Any, Any]]:
        """The best number, its step, the looks since then, and the kept parameters, as arrays by name.

        >>> sorted(EarlyStopping(patience=2).state())
        ['best', 'best_step', 'waited']
        """
        kept = {_KEPT + name: array for name, array in self._kept.items()}
        return {key: np.array(getattr(self, key)) for key in _NUMBERS} | kept

    def load(self, state: Mapping[str, Any]) -> None:
        """Load a `state`; if an error is raised, nothing has changed.

        Raises:
            ValueError: if an entry is missing or is not one number.

        >>> stopping = EarlyStopping(patience=2)
        >>> stopping.load({"best": 0.5, "best_step": 7, "waited": 1})
        >>> stopping.best_step
        7
        """
        commit(*self.load_changes(state))

    def load_changes(self, state: Mapping[str, Any]) -> list[Change]:
        """The changes that `load` makes, checked but not made."""
        for key in _NUMBERS:
            if np.shape(state.get(key, [])) != () or not np.isrealobj(state[key]):
                raise ValueError(f"the state of early stopping needs one number {key!r}, and has {state.get(key)!r}")
        kept = {key.removeprefix(_KEPT): each for key, each in state.items() if key.startswith(_KEPT)}
        best, best_step, waited = float(state["best"]), int(state["best_step"]), int(state["waited"])
        return [assigning(self, best=best, best_step=best_step, waited=waited, _kept=kept)]
