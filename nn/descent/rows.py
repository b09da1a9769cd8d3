"""Steps of a table of which only some rows have a gradient: a formula acts on these rows and on theirs of each slot."""

from __future__ import annotations

from typing import Any

import numpy as np

from autodiff.engine.graph import Change
from autodiff.primitives.rows import Rows
from autodiff.values.updates import overwriting

__all__ = ["like", "slot_at", "slot_with", "values"]


def values(grad: Any) -> Any:
    """The numbers on which a formula acts: the rows of `Rows`, else the gradient itself."""
    return grad.rows if grad.__class__ is Rows else grad


def like(grad: Any, numbers: Any) -> Any:
    """Numbers computed from `values` in the form of the gradient."""
    return grad.map(lambda _: numbers) if grad.__class__ is Rows else numbers


def slot_at(slot: Any, grad: Any) -> Any:
    """What an optimiser remembers of the numbers in `values`; 0.0 stands for zeros of any shape."""
    return slot[grad.indices] if grad.__class__ is Rows and slot.__class__ is np.ndarray else slot


def slot_with(slot: Any, grad: Any, numbers: Any) -> tuple[Any, list[Change]]:
    """The slot with new numbers for those in `values`, and the changes that write them.

    An array is written in place, so no one else may hold it: a copy of an optimiser copies its slots.
    """
    if grad.__class__ is not Rows:
        return numbers, []
    if slot.__class__ is not np.ndarray:
        slot = np.zeros(grad.shape, grad.dtype)
        slot[grad.indices] = numbers
        return slot, []
    return slot, [*overwriting(slot, grad.indices, numbers)]
