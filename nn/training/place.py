"""Where a run is before a step, so that a step that is interrupted leaves no trace in it."""

from __future__ import annotations

from typing import Any

from nn.parameters.generators import noted, put_back

__all__ = ["Place"]


class Place:
    """The place in the data, where they count their batches, and the states of the generators of a net.

    >>> from nn import Batches
    >>> batches = Batches([1, 2, 3], size=1, random=None)
    >>> place = Place(None, batches)
    >>> place.note()
    >>> batch = next(iter(batches))
    >>> place.restore()
    >>> batches.position
    0
    """

    def __init__(self, model: Any, data: Any) -> None:
        self._data = data if callable(getattr(data, "give_back", None)) else None
        self._generators = model.generators if callable(getattr(model, "generators", None)) else tuple
        self.note()

    def note(self) -> None:
        """Note the place, to which `restore` goes back."""
        self._drawn = noted(self._generators())
        self._given = self._count()

    def restore(self) -> None:
        """Go back to the place noted, at most one batch ago."""
        put_back(self._drawn)
        if self._data is not None and self._count() != self._given:
            self._data.give_back()

    def _count(self) -> Any:
        return None if self._data is None else (self._data.epoch, self._data.position)
