"""Small parts of runs for tests: one that knows only ``state`` and ``load``, and one that gives its changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from autodiff.engine.graph import Change

__all__ = ["Changing", "Loaded", "bits"]


class Loaded:
    """A part with ``state`` and ``load`` only, as people write them; it refuses negative numbers."""

    def __init__(self, number: float) -> None:
        self.number = number

    def state(self) -> dict[str, Any]:
        """One number."""
        return {"number": np.array(self.number)}

    def load(self, state: Mapping[str, Any]) -> None:
        """Take it back."""
        if float(state["number"]) < 0:
            raise ValueError("the number is negative")
        self.number = float(state["number"])


class Changing(Loaded):
    """A part that also returns the changes that `load` makes, as those of the project do."""

    def load_changes(self, state: Mapping[str, Any]) -> list[Change]:
        """Checked changes."""
        if float(state["number"]) < 0:
            raise ValueError("the number is negative")
        return [(vars(self).__setitem__, ("number",), (float(state["number"]),))]


def bits(arrays: Mapping[str, np.ndarray[Any, Any]]) -> dict[str, tuple[str, tuple[int, ...], bytes]]:
    """What two states have in common that are equal bit for bit."""
    return {key: (array.dtype.str, array.shape, array.tobytes()) for key, array in arrays.items()}
