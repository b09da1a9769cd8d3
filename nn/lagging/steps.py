"""A step of a table by the rows that have a gradient, while the others lag."""

from __future__ import annotations

from typing import Any

import numpy as np

from autodiff import Tensor
from autodiff.engine.graph import Change
from autodiff.primitives.rows import Rows
from nn.lagging.lag import Behind, Lag
from nn.lagging.missed import closed_form
from nn.lagging.table import begun, goes_on

__all__ = ["lagging_step"]


def lagging_step(
    leaf: Any, grad: Rows, formula: Any, slots: tuple[Any, ...], rate: float, settings: Any
) -> tuple[Any, Behind | None, list[Change]] | None:
    """The array of a table, its slots, and the changes that move it; None if the formula has no closed form.

    The slots are None if a row would not be finite.
    """
    lag = _lag(leaf, formula, slots, settings)
    if lag is None:
        return None
    counts = slots[:1] if formula.counts else ()
    due, indices = lag.due(), grad.indices
    caught_up = lag.writing(due, lag.at(due, due), lag.missed) if len(due) else []
    rows, theirs = lag.at(indices, indices)
    g = grad.rows + settings.decay * rows if settings.decay else grad.rows
    step, after = formula.update(g, (*counts, *theirs), rate, **settings.hyper)
    rows = (rows + step).astype(rows.dtype, copy=False)
    if not np.isfinite(rows).all():
        return lag.table, None, []
    missed = lag.missed.after(rate, counts[0] if counts else 0.0)
    moved = lag.writing(indices, (rows, after[len(counts) :]), missed)
    return lag.table, Behind((*after[: len(counts)], lag)), [*caught_up, *moved, *begun(leaf, lag)]


def _lag(leaf: Any, formula: Any, slots: tuple[Any, ...], settings: Any) -> Lag | None:
    """The lag of a leaf under this optimiser, or a new one of its numbers as they are now."""
    if slots.__class__ is Behind:
        lag: Lag = slots[-1]
        missed = lag.missed
        same = missed.update is formula.update and missed.decay == settings.decay and missed.hyper == settings.hyper
        if same and goes_on(leaf, lag):
            return lag
        slots = slots.now()
    begin = closed_form(formula, settings.hyper, settings.decay) if leaf.__class__ is Tensor else None
    if begin is None:
        return None
    arrays = slots[1:] if formula.counts else slots
    own = tuple([x if x.__class__ is np.ndarray else np.zeros(leaf.shape, leaf.dtype) for x in arrays])
    return Lag(begin, leaf._data.copy(), own)
