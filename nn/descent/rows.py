"""Steps of a table of which only some rows have a gradient: a formula acts on these rows and on theirs of each slot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autodiff.engine.graph import Change
from autodiff.primitives.rows import Rows
from autodiff.values.updates import overwriting

__all__ = ["step_of_rows"]


def step_of_rows(
    grad: Rows, g: Any, slots: Sequence[Any], update: Callable[[Any, tuple[Any, ...]], tuple[Any, Sequence[Any]]]
) -> tuple[Any, tuple[Any, ...], list[Change]]:
    """The step of rows of a table, its slots, and the changes that write their rows, to commit with the step.

    Args:
        grad: the gradient of the table.
        g: its rows, with what a decay adds to them.
        slots: what an optimiser remembers of it: arrays of its shape, 0.0 for zeros, or a count of steps.
        update: the formula, ``update(g, slots) → (step, slots)``, which acts on each element alone. It must leave slots
            unchanged, and give the step 0, where g is 0, as plain descent and AdaGrad do. Where it does not (momentum,
            Adam, a decay), rows that were not looked up move too: use ``grad.dense()``, which is exact and slow.

    Slots are written in place, so no one else may hold them: a copy of an optimiser must copy its slots.
    """
    indices = grad.indices
    step, after = update(g, tuple(x[indices] if x.__class__ is np.ndarray else x for x in slots))
    kept: list[Any] = []
    writing: list[Change] = []
    for slot, rows in zip(slots, after, strict=True):
        if slot.__class__ is np.ndarray:
            writing += overwriting(slot, indices, rows)
        elif rows.__class__ is float:  # a number of steps
            slot = rows
        else:
            slot = np.zeros(grad.shape, grad.dtype)
            slot[indices] = rows
        kept.append(slot)
    return step, tuple(kept), writing
