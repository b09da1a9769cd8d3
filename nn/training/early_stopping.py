"""Early stopping: the end of a training that no longer gets better."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from math import inf
from typing import Any, Final

import numpy as np

from autodiff.engine.graph import Change, commit
from autodiff.primitives.operands import describe, whole_number
from nn.parameters.saved import assigning, check_keys, check_mapping
from nn.training.step import Step

__all__ = ["EarlyStopping"]

_NUMBERS: Final = ("best", "best_step", "waited")
_SETTINGS: Final = ("watch", "rising")
_KEPT: Final = "kept/"


class EarlyStopping:
    """End a stream of steps once a number has not fallen for ``patience`` looks at it.

    Args:
        watch: the name of a number of the steps, such as "J" or a measure of `validated`; a step without it is skipped.
        patience: the number of looks in a row that may be no better than the best.
        rising: whether a larger number is better, as for accuracy.
        model: if given, its state at the best look is kept, and loaded when this consumer ends the stream.

    Once it has ended a stream, it ends the next one before its first step, so that a run resumed at its end makes no
    step more; another training needs a new one.

    Any improvement counts, however small; nan is never better. ``best`` is the best number so far, and
    ``best_step`` the number of its step. ``state()`` and ``load()`` carry both, and the kept parameters, into a file
    and back; a state of early stopping that watches another number, or in the other direction, is refused.

    Raises:
        ValueError: if patience is below 1.
        TypeError: if it is no whole number, ``watch`` is no string, or the model has no ``state()`` and ``load()``.

    >>> losses = [3.0, 2.0, 2.5, 2.1, 1.0]
    >>> stopping = EarlyStopping(patience=2)
    >>> stream = stopping(Step(k, 1, J, 0.1, 1.0, 0.0) for k, J in enumerate(losses, 1))
    >>> [step.J for step in stream], stopping.best
    ([3.0, 2.0, 2.5, 2.1], 2.0)
    """

    def __init__(self, watch: str = "J", *, patience: int, rising: bool = False, model: Any = None) -> None:
        if not isinstance(watch, str):
            raise TypeError(f"early stopping watches a number of the steps by its name, and got {describe(watch)}")
        if model is not None and not all(callable(getattr(model, method, None)) for method in ("state", "load")):
            raise TypeError(f"early stopping keeps a model with state() and load(), and got {describe(model)}")
        self.watch, self.rising, self.model = watch, rising, model
        self.patience = whole_number(patience, "patience", least=1)
        self.best = -inf if rising else inf
        self.best_step = self.waited = 0
        self._kept: dict[str, Any] = {}

    def __call__(self, stream: Iterable[Step]) -> Iterator[Step]:
        if not self._is_over():
            for step in stream:
                self._look(step)
                yield step
                if self._is_over():
                    break
            else:
                return
        if self.model is not None and self._kept:
            self.model.load(self._kept)

    def _is_over(self) -> bool:
        return self.waited >= self.patience

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
        """What it watches, the best number, its step, the looks since then, and the kept parameters, as arrays.

        >>> sorted(EarlyStopping(patience=2).state())
        ['best', 'best_step', 'rising', 'waited', 'watch']
        """
        kept = {_KEPT + name: np.array(array) for name, array in self._kept.items()}
        return {key: np.array(getattr(self, key)) for key in (*_NUMBERS, *_SETTINGS)} | kept

    def load(self, state: Mapping[str, Any]) -> None:
        """Load a `state`; if an error is raised, nothing has changed.

        Raises:
            ValueError: if an entry is missing, unknown or is not one number, it comes from other settings, or kept
                parameters do not fit the model.
            TypeError: if it is not a mapping of arrays.

        >>> stopping = EarlyStopping(patience=2)
        >>> stopping.load({"best": 0.5, "best_step": 7, "waited": 1})
        >>> stopping.best_step
        7
        """
        commit(*self.load_changes(state))

    def load_changes(self, state: Mapping[str, Any]) -> list[Change]:
        """The changes that `load` makes, checked but not made."""
        check_mapping(state)
        kept = {str(key).removeprefix(_KEPT): x for key, x in state.items() if str(key).startswith(_KEPT)}
        own = [key for key in state if not str(key).startswith(_KEPT)]
        check_keys("this EarlyStopping", own, _NUMBERS, _SETTINGS)
        for key in _SETTINGS:
            if key in state and (theirs := np.asarray(state[key]).tolist()) != getattr(self, key):
                raise ValueError(
                    f"the state to load has {key} = {theirs!r}, and this EarlyStopping has {getattr(self, key)!r}; "
                    "nothing was loaded"
                )
        numbers = (float(_number(state, "best", "fiu")), *(int(_number(state, key, "iu")) for key in _NUMBERS[1:]))
        kept = {name: np.array(each) for name, each in kept.items()}
        if bool(kept) != (self.model is not None and numbers[1] > 0):
            raise ValueError(
                f"{'the state to load keeps' if kept else 'this early stopping keeps'} the parameters of a model, and "
                f"{'this early stopping has no model' if kept else 'the state to load has none'}; nothing was loaded"
            )
        if kept and callable(load_changes := getattr(self.model, "load_changes", None)):
            load_changes(kept)
        return [assigning(self, **dict(zip(_NUMBERS, numbers, strict=True)), _kept=kept)]


def _number(state: Mapping[str, Any], key: str, kinds: str) -> Any:
    """One number of a state; a count is not below 0."""
    array = state[key]
    array = array if isinstance(array, np.ndarray) else np.array(array if isinstance(array, int | float) else None)
    if array.shape or array.dtype.kind not in kinds or np.isnan(array) or (kinds == "iu" and array < 0):
        raise ValueError(f"the state of early stopping needs one number {key!r}, and has {state[key]!r}")
    return array
