"""A step of a table by the rows that have a gradient, while the others lag."""

from __future__ import annotations

from typing import Any

import numpy as np

from autodiff import Tensor
from autodiff.engine.graph import Change
from autodiff.primitives.rows import Rows
from nn.lagging.missed import MOST, closed_form
from nn.lagging.table import Lag, Lagging, begun, owned, up_to_date

__all__ = ["lagging_step"]


def lagging_step(
    leaf: Any, grad: Rows, formula: Any, slots: tuple[Any, ...], rate: float, settings: Any
) -> tuple[Any, tuple[Any, ...], list[Change]] | None:
    """The array of a table, its slots, and the changes that move it; None if the formula has no closed form.

    The array is None if a row would not be finite.
    """
    lag = _lag(leaf, formula, slots, settings)
    if lag is None:
        return None
    table, indices, counts = owned(leaf), grad.indices, slots[:1] if formula.counts else ()
    before, theirs = lag.caught_up(table, indices)
    g = grad.rows + settings.decay * before if settings.decay else grad.rows
    step, after = formula.update(g, (*counts, *theirs), rate, **settings.hyper)
    rows = before + step
    if not np.isfinite(rows).all():
        return None, (), []
    missed = lag.missed.after(rate, counts[0] if counts else 0.0)
    changes = lag.writing(table, indices, (rows, after[len(counts) :]), missed)
    return table, (*after[: len(counts)], *lag.slots), [*changes, *begun(leaf, lag)]


def _lag(leaf: Any, formula: Any, slots: tuple[Any, ...], settings: Any) -> Lag | None:
    """The lag of a leaf under this optimiser, or a new one after all rows have caught up with another."""
    kinds = (Tensor, Lagging)
    arrays = slots[1:] if formula.counts else slots
    lag: Lag | None = leaf.db if leaf.__class__ is Lagging else None
    if lag is not None and _goes_on(lag, formula, arrays, settings):
        return lag
    missed = closed_form(formula, settings.hyper, settings.decay) if leaf.__class__ in kinds else None
    if missed is None:
        return None
    up_to_date(leaf)
    own = tuple([x if x.__class__ is np.ndarray else np.zeros(leaf.shape, leaf.dtype) for x in arrays])
    return Lag(missed, own, len(leaf))


def _goes_on(lag: Any, formula: Any, arrays: tuple[Any, ...], settings: Any) -> bool:
    missed = lag.missed
    same = missed.update is formula.update and missed.decay == settings.decay and missed.hyper == settings.hyper
    held = len(arrays) == len(lag.slots) and all(x is y for x, y in zip(arrays, lag.slots, strict=True))
    return same and held and missed.count < MOST
