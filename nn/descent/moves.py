"""Where parameters go in one step: new data and new slots, computed outside of the graph, nothing assigned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import repeat
from math import isfinite
from operator import attrgetter
from typing import Any, Final

import numpy as np
from numpy import ndarray

from autodiff import Value
from autodiff.engine.graph import Change
from autodiff.primitives.rows import Rows
from autodiff.values.updates import moved_by_rows
from nn.descent.formulas import Formula, State
from nn.descent.rows import step_of_rows
from nn.descent.settings import Settings
from nn.lagging.steps import lagging_step
from nn.lagging.table import up_to_date

__all__ = ["Moved", "moved"]

#: Parameters, their new data and their new slots, in three lists; without slots, the third is empty. The fourth holds
#: the changes that write rows of tables and of their slots, to commit with these.
Moved = tuple[list[Any], list[Any], list[State], list[Change]]

#: From this many Values on, one update of an array of them is faster than an update for each.
_MANY: Final = 24
_data = attrgetter("_data")


def moved(
    nodes: list[Any], grads: list[Any], memory: Mapping[Any, State], formula: Formula, rate: float, settings: Settings
) -> Moved:
    """New data and slots of parameters with gradients; the order of the parameters may change.

    Raises:
        ValueError: if new data would not be finite.
    """
    if not formula.slots or (len(nodes) < _MANY and {*map(type, nodes)} == {Value}):
        return _moved(nodes, grads, memory, formula, rate, settings)
    with np.errstate(invalid="ignore"):  # inf/inf and inf − inf end in the error of a number that is not finite
        return _moved(nodes, grads, memory, formula, rate, settings)


def _moved(
    nodes: list[Any], grads: list[Any], memory: Mapping[Any, State], formula: Formula, rate: float, settings: Settings
) -> Moved:
    if len(nodes) < _MANY:
        return _one_by_one(nodes, grads, memory, formula, rate, settings)
    places = [k for k, x in enumerate(nodes) if x.__class__ is Value]
    if len(places) == len(nodes):
        return _together(nodes, grads, memory, formula, rate, settings)
    rest = [k for k, x in enumerate(nodes) if x.__class__ is not Value]
    parts = [
        move([nodes[k] for k in some], [grads[k] for k in some], memory, formula, rate, settings)
        for move, some in ((_together, places), (_one_by_one, rest))
        if some
    ]
    return _joined(parts)


def _joined(parts: Sequence[Moved]) -> Moved:
    nodes, data, slots, writing = ([item for part in parts for item in part[k]] for k in range(4))
    return nodes, data, slots, writing


def _one_by_one(
    nodes: list[Any], grads: list[Any], memory: Mapping[Any, State], formula: Formula, rate: float, settings: Settings
) -> Moved:
    start, decay, keeps, update = formula.start, settings.decay, bool(formula.slots), formula.update
    if settings.hyper:  # an empty ``**hyper`` would take a fifth of the time of a Value
        update = partial(update, **settings.hyper)
    fresh, slots = [], []
    writing: list[Change] = []
    by_rows: set[Any] = set()
    for x, g in zip(nodes, grads, strict=True):
        if g.__class__ is Rows:
            step_of_some = _by_rows(x, g, memory.get(x, start), formula, rate, settings)
            if step_of_some is not None:
                new, after, more = step_of_some
                by_rows.add(x)
                fresh.append(new)
                slots.append(after)
                writing += more
                continue
            g = g.dense()
        data = x._data
        if decay:
            g = g + decay * data
        step, after = update(g, memory.get(x, start) if keeps else start, rate)
        fresh.append(data + step if data.__class__ is float else _sum(data, step, g, after))
        if keeps:
            slots.append(after)
    _check(nodes, fresh, by_rows)
    return nodes, fresh, slots if keeps else [], writing


def _by_rows(
    x: Any, grad: Rows, slots: State, formula: Formula, rate: float, settings: Settings
) -> tuple[Any, State, list[Change]] | None:
    """The new data and slots of a table of which some rows move, and the changes that write them.

    None if the others move too, and have no closed form by which they could do so later.
    """
    decay = settings.decay
    if not formula.keeps_rows or (decay and not formula.lazy):
        found = lagging_step(x, grad, formula, slots, rate, settings)
        if found is not None and found[0] is None:
            raise ValueError(_infinite(x))
        return found
    up_to_date(x)  # with another optimiser
    if decay:
        before = x._data[grad.indices]
        grad = grad.map(lambda rows: rows + decay * before)
    step, after, writing = step_of_rows(grad, slots, lambda g, some: formula.update(g, some, rate, **settings.hyper))
    if not np.isfinite(x._data[step.indices] + step.rows).all():
        raise ValueError(_infinite(x))
    data, more = moved_by_rows(x, step)
    return data, after, [*more, *writing]


def _sum(data: Any, step: Any, g: Any, slots: State) -> Any:
    """The array after a step, of the same kind as before."""
    is_slot = step is g or (slots and step is slots[-1])
    if step.__class__ is ndarray and step.dtype is data.dtype and not is_slot:
        step += data  # the array is nobody else's; written over, it takes a fifth less time if it is large
        return step
    return np.asarray(data + step, data.dtype)


def _check(nodes: list[Any], fresh: list[Any], but: set[Any]) -> None:
    """Raise the error of a number that is not finite.

    Of arrays, a scalar product is one pass of a fast routine; it may overflow although every number is finite.
    """
    if ndarray not in set(map(type, fresh)):
        if not all(map(isfinite, fresh)):
            raise ValueError(_infinite(next(x for x, data in zip(nodes, fresh, strict=True) if not isfinite(data))))
        return
    with np.errstate(over="ignore"):
        for x, data in zip(nodes, fresh, strict=True):
            if x not in but:
                flat = np.ravel(data) if data.__class__ is float else data.ravel()
                if not isfinite(flat.dot(flat)) and not np.isfinite(flat).all():
                    raise ValueError(_infinite(x))


def _together(
    nodes: list[Any], grads: list[Any], memory: Mapping[Any, State], formula: Formula, rate: float, settings: Settings
) -> Moved:
    """Many Values as arrays: the same arithmetic, and so the same bits, as one by one."""
    start = formula.start
    before = [memory.get(x, start) for x in nodes] if start else []
    if not formula.counts or len({slots[0] for slots in before}) == 1:
        return _at_once(nodes, grads, before, formula, rate, settings)
    parts = []
    for count in sorted({slots[0] for slots in before}):  # so that the count of a part is one number
        rows = [k for k, slots in enumerate(before) if slots[0] == count]
        theirs = [before[k] for k in rows]
        parts.append(_at_once([nodes[k] for k in rows], [grads[k] for k in rows], theirs, formula, rate, settings))
    return _joined(parts)


def _at_once(
    nodes: list[Any], grads: list[Any], before: Sequence[State], formula: Formula, rate: float, settings: Settings
) -> Moved:
    data, g = np.fromiter(map(_data, nodes), float, len(nodes)), np.array(grads, float)
    if settings.decay:
        g = g + settings.decay * data
    slots: list[Any] = [np.array(column) for column in zip(*before, strict=True)]
    if formula.counts:
        slots[0] = before[0][0]
    step, after = formula.update(g, tuple(slots), rate, **settings.hyper)
    fresh = data + step
    if not np.isfinite(fresh).all():
        raise ValueError(_infinite(nodes[int(np.argmin(np.isfinite(fresh)))]))
    columns = [slot.tolist() if slot.__class__ is ndarray else repeat(slot, len(nodes)) for slot in after]
    return nodes, fresh.tolist(), list(zip(*columns, strict=True)), []


def _infinite(x: Any) -> str:
    """Why a parameter cannot move."""
    finite = np.all(np.isfinite(np.asarray(x.grad)))
    what = "its step or their sum is not finite" if finite else "its gradient is not finite"
    return (
        f"{x.label} would become nan or infinite, since {what}; no parameter has moved. Use a smaller rate or clip "
        "gradients, and find the first such number by autodiff.detect_anomaly"
    )
