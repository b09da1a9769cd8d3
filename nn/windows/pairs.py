"""Pairs of a true and a corrupt window, in batches: what the max-margin objective compares (the notes, section 1.4)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np

from autodiff.engine.graph import Change
from autodiff.primitives.operands import describe, whole_number
from nn.data.batches import Batches
from nn.parameters.generators import commit_with_generators, generator
from nn.parameters.ranges import Hyper, number_in
from nn.parameters.saved import assigning, check_mapping, saved_count
from nn.windows.cut import UNKNOWN, Windows

__all__ = ["WindowPairs"]

_CORRUPT: Final = ("other", "centre")
_HIDDEN: Final = Hyper("hidden", "p", 0.0, high=1.0, words="fraction of hidden words")


class WindowPairs:
    """Batches of (ids of true windows, ids of corrupt windows), one corrupt window for each true one.

    Args:
        windows: the windows to learn from, of `cut_windows`; the true ones are its targets.
        size: pairs in a batch.
        random: the generator of the order and of all corrupt windows.
        corrupt: "other", any window whose centre is no target; "centre", the true window with the centre of such a
            window instead of its own, or of any window where all are targets, as in text without tags.
        repeats: how often each true window comes in an epoch, each time with another corrupt one.
        hidden: the fraction of words, not of their other features, that are made unknown in each batch, so that the net
            learns from the rest of a window too; dimensionless.

    Like `Batches`, it counts its epochs and can be saved: the corrupt windows of a batch follow from the epoch and the
    place in it, so that a resumed run gets the same ones.

    Raises:
        ValueError: if there is no target, or no other window to choose from, or an option is out of its range.
        TypeError: if ``windows`` are none.

    Source: notes, section 1.4; Collobert et al. 2011 replace the centre.

    >>> from nn.windows.cut import WindowVocabulary, cut_windows
    >>> from nn.windows.tokens import token
    >>> sentence = [token("In"), token("Rome", "LOC")]
    >>> windows = cut_windows([sentence], WindowVocabulary.of([sentence] * 2), width=1)
    >>> [(true.tolist(), corrupt.tolist()) for true, corrupt in WindowPairs(windows, random=np.random.default_rng(0))]
    [([[4, 2]], [[3, 2]])]
    """

    def __init__(
        self,
        windows: Windows,
        *,
        size: int = 32,
        random: np.random.Generator,
        corrupt: str = "other",
        repeats: int = 1,
        hidden: float = 0.0,
    ) -> None:
        if not isinstance(windows, Windows):
            raise TypeError(f"pairs are made of Windows, and got {describe(windows)}; cut_windows() makes them")
        if corrupt not in _CORRUPT:
            raise ValueError(f"corrupt windows are 'other' or 'centre', and got {corrupt!r}")
        true, others = np.flatnonzero(windows.target), np.flatnonzero(~windows.target)
        if corrupt == "centre" and not len(others):
            others = true
        if not len(true) or not len(others):
            raise ValueError(
                f"pairs need windows around targets and around other words, and got {len(true)} and {len(others)}"
            )
        self._windows, self._corrupt, self._others = windows, corrupt, others
        self._hidden = number_in(hidden, _HIDDEN)
        random = generator(random)
        self._seed = int(random.integers(2**63))
        repeated = np.tile(true, whole_number(repeats, "repeats", least=1))
        self._batches = Batches(repeated, size=size, random=random)

    def __len__(self) -> int:
        return len(self._batches)

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        batches = iter(self._batches)
        while True:
            place = (self.epoch, self.position)
            batch = next(batches, None)
            if batch is None:
                return
            random = np.random.default_rng((self._seed, *place))
            true = self._windows.ids[batch[0]]
            yield self._with_hidden(true, random), self._with_hidden(self._corrupted(true, random), random)

    @property
    def epoch(self) -> int:
        """How many epochs were finished."""
        return self._batches.epoch

    @property
    def position(self) -> int:
        """How many batches of this epoch were given; 0 again with the last one."""
        return self._batches.position

    def give_back(self) -> None:
        """Let the last batch come again, as `fit` does after an interrupted step."""
        self._batches.give_back()

    def state(self) -> dict[str, np.ndarray[Any, Any]]:
        """The state of the batches, and the seed of the corrupt windows: not the windows themselves."""
        return {**self._batches.state(), "seed": np.array(self._seed)}

    def load_changes(self, state: Mapping[str, Any]) -> list[Change]:
        """The changes that `load` makes, checked but not made."""
        check_mapping(state)
        if "seed" not in state:
            raise ValueError("the state to load has no seed; nothing was loaded")
        seed = saved_count(state["seed"], "seed")
        rest = {key: item for key, item in state.items() if key != "seed"}
        return [*self._batches.load_changes(rest), assigning(self, _seed=seed)]

    def load(self, state: Mapping[str, Any]) -> None:
        """Load a `state`; on an error, nothing has changed.

        Raises:
            ValueError, TypeError: as `Batches.load`.
        """
        commit_with_generators(self.load_changes(state))

    def _corrupted(self, true: np.ndarray[Any, Any], random: np.random.Generator) -> np.ndarray[Any, Any]:
        chosen: np.ndarray[Any, Any] = self._windows.ids[random.choice(self._others, len(true))]
        if self._corrupt == "other":
            return chosen
        corrupt, centre = true.copy(), self._windows.centre_columns()
        corrupt[:, centre] = chosen[:, centre]
        return corrupt

    def _with_hidden(self, ids: np.ndarray[Any, Any], random: np.random.Generator) -> np.ndarray[Any, Any]:
        if not self._hidden:
            return ids
        vocabulary = self._windows.vocabulary
        hidden = random.random(ids.shape) < self._hidden
        hidden[:, np.arange(ids.shape[1]) % len(vocabulary.features) > 0] = False
        return np.where(hidden, vocabulary[UNKNOWN], ids)
