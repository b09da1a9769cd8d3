"""Mini-batches of training data, shuffled by an explicit generator."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain, repeat
from typing import Any

import numpy as np

from autodiff.engine.graph import Change, Node, commit
from autodiff.primitives.operands import describe, whole_number
from autodiff.values.refusals import called_as
from nn.parameters.generators import commit_with_generators, generator, generator_changes, generator_state
from nn.parameters.saved import assigning, check_keys, check_mapping, saved_count

__all__ = ["Batches"]


class Batches:
    """Mini-batches of arrays of equal length, in a new random order in each epoch.

    Args:
        arrays: one or more arrays (or lists) whose first axes, the examples, have one length.
        size: how many examples are in a batch.
        random: the generator that shuffles the examples at the beginning of each epoch; None keeps their order.
        last: whether a smaller last batch is kept (True) or dropped, so that the examples in it wait for another epoch.

    Iterating gives the batches of one epoch, each a tuple with a part of each array; iterating again gives the next
    epoch. Where a loop was left early, the next one continues after the last batch that it gave. ``len(batches)``
    is the number of batches in an epoch, ``batches.epoch`` the number of epochs finished, and ``batches.position`` the
    number of batches given in this one.

    Raises:
        TypeError: if the size is not an integer, an array is a Tensor, or ``random`` is neither a generator nor None.
        ValueError: if there are no arrays or no examples, lengths differ, or the size is below 1, or above the number
            of examples if the last batch is dropped, or rows of a list have different lengths.

    >>> batches = Batches([1, 2, 3], ["a", "b", "c"], size=2, random=None)
    >>> for x, word in batches:
    ...     print(x, word)
    [1 2] ['a' 'b']
    [3] ['c']
    >>> batches.epoch
    1
    """

    @called_as("{kind}(X, y, size=32, random=numpy.random.default_rng(0))")
    def __init__(self, *arrays: Any, size: int, random: np.random.Generator | None, last: bool = True) -> None:
        if not arrays:
            raise ValueError("mini-batches need at least one array, and got none")
        self._arrays = tuple(_as_array(f"array {k} of mini-batches", array) for k, array in enumerate(arrays, start=1))
        shapes = [array.shape for array in self._arrays]
        if any(not shape or shape[0] != (shapes[0] or (0,))[0] for shape in shapes) or not shapes[0][0]:
            raise ValueError(
                f"mini-batches need arrays with the same number of examples, at least 1, and got shapes "
                f"{', '.join(map(str, shapes))}"
            )
        if not isinstance(last, bool | np.bool):
            raise TypeError(f"last must be True to keep a smaller last batch, or False, and got {describe(last)}")
        self._size = whole_number(size, "the size of a batch", least=1)
        self._random = None if random is None else generator(random)
        count = len(self._arrays[0])
        self._length = -(-count // self._size) if last else count // self._size
        if not self._length:
            raise ValueError(f"a batch of {self._size} is larger than all {count} examples, and would be dropped")
        self._last = bool(last)
        self._epoch = self._position = 0
        self._order = np.arange(count)
        self._drawn = False  # whether the order is that of this epoch

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        while True:
            if not self._drawn and self._random is not None:
                # One change, or Ctrl-C between the two would lose an order that the generator has given.
                drawn = map(self._random.permutation, (len(self._order),))
                commit((object.__setattr__, repeat(self), ("_order", "_drawn"), chain(drawn, (True,))))
            start = self._position * self._size
            rows = self._order[start : start + self._size]
            batch = tuple(array[rows] for array in self._arrays)
            is_last = self._position + 1 == self._length
            self._go_to(self._epoch + is_last, 0 if is_last else self._position + 1, drawn=not is_last)
            yield batch
            if is_last:
                return

    def _go_to(self, epoch: int, position: int, *, drawn: bool) -> None:
        commit(assigning(self, _epoch=epoch, _position=position, _drawn=drawn))

    def give_back(self) -> None:
        """Let the last batch come again, as `fit` does after an interrupted step.

        Raises:
            ValueError: if no batch was given since the state was loaded or the order drawn.

        >>> batches = Batches([1, 2, 3], size=2, random=None)
        >>> first = next(iter(batches))
        >>> batches.give_back()
        >>> batches.position
        0
        """
        if self._position:
            self._go_to(self._epoch, self._position - 1, drawn=True)
        elif self._epoch and not self._drawn:
            self._go_to(self._epoch - 1, self._length - 1, drawn=True)
        else:
            raise ValueError("no batch was given that could be given back")

    @property
    def epoch(self) -> int:
        """How many epochs were finished."""
        return self._epoch

    @property
    def position(self) -> int:
        """How many batches of this epoch were given; 0 again with the last one, which finishes it."""
        return self._position

    @property
    def is_shuffled(self) -> bool:
        """Whether the examples come in a new random order in each epoch."""
        return self._random is not None

    def state(self) -> dict[str, np.ndarray[Any, Any]]:
        """Size, epoch, position, the order of this epoch and the state of the generator: not the data themselves."""
        random = {} if self._random is None else generator_state(self._random)
        return {
            "epoch": np.array(self._epoch),
            "position": np.array(self._position),
            "order": self._order.copy(),
            "drawn": np.array(self._drawn),
            "size": np.array(self._size),
            "last": np.array(self._last),
            **{f"random/{key}": item for key, item in random.items()},
        }

    def load_changes(self, state: Mapping[str, Any]) -> list[Change]:
        """The changes that `load` makes, checked but not made."""
        check_mapping(state)
        drawn = {str(key).removeprefix("random/"): x for key, x in state.items() if str(key).startswith("random/")}
        own = [key for key in state if not str(key).startswith("random/")]
        check_keys("this Batches", own, ("epoch", "position", "order"), ("drawn", "size", "last"))
        if bool(drawn) != (self._random is not None):
            with_it, without = ("these", "those saved") if not drawn else ("those saved", "these")
            raise ValueError(f"{with_it} mini-batches are shuffled, and {without} are not; nothing was loaded")
        self._check_settings(state)
        epoch, position = (saved_count(state[name], name) for name in ("epoch", "position"))
        is_drawn = position > 0 or bool(np.asarray(state.get("drawn", False)))
        order = _as_array("the state's order", state["order"]).copy()
        count = len(self._order)
        if order.dtype.kind not in "iu" or order.shape != (count,) or not np.array_equal(np.sort(order), range(count)):
            raise ValueError(
                f"the state's order must be that of {count} examples, and is {describe(order)}; nothing was loaded"
            )
        if position >= self._length:
            raise ValueError(
                f"the state's position is {position}, and an epoch has {self._length} batches here; nothing was loaded"
            )
        random = () if self._random is None else generator_changes(self._random, drawn)
        return [assigning(self, _epoch=epoch, _position=position, _order=order, _drawn=is_drawn), *random]

    def _check_settings(self, state: Mapping[str, Any]) -> None:
        """Refuse the state of other batches; files of older versions do not say which they were."""
        for name, own in (("size", self._size), ("last", self._last)):
            if name in state and (theirs := np.asarray(state[name]).tolist()) != own:
                raise ValueError(
                    f"the state to load is of mini-batches with {name}={theirs}, and these have {name}={own}; "
                    "nothing was loaded"
                )

    def load(self, state: Mapping[str, Any]) -> None:
        """Load a `state`, to go on with the batch that would have come next; on an error, nothing has changed.

        Raises:
            ValueError: if something is missing or unknown, or the number of examples, the size of a batch, the rule for
                the last one or the kind of generator differs.
            TypeError: if ``state`` is not a mapping of arrays.
        """
        commit_with_generators(self.load_changes(state))

    def __repr__(self) -> str:
        return f"Batches({len(self._order)} examples, {self._length} batches of {self._size})"


def _as_array(name: str, data: Any) -> np.ndarray[Any, Any]:
    if isinstance(data, Node):
        raise TypeError(f"{name} must be plain, and got {describe(data)}; use its .data")
    try:
        return np.asarray(data)
    except ValueError as error:
        raise ValueError(
            f"{name} has rows of different lengths, and got {describe(data)}; make it an array of objects: "
            "a = numpy.empty(len(rows), object); a[:] = rows"
        ) from error
