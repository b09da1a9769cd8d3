"""Where parameters go in one step: new data and new slots, computed outside of the graph, nothing assigned."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import repeat
from math import isfinite
from operator import attrgetter
from typing import Any, Final, NamedTuple

import numpy as np
from numpy import ndarray, vdot

from autodiff import Value
from autodiff.engine.graph import Change
from autodiff.primitives.rows import Rows
from autodiff.values.updates import moved_by_rows
from nn.descent.formulas import Formula, State
from nn.descent.rows import step_of_rows
from nn.descent.settings import Settings
from nn.lagging.lag import Behind
from nn.lagging.steps import lagging_step

__all__ = ["Moves", "moves_of"]

#: From this many Values on, one update of an array of them is faster than an update for each.
_MANY: Final = 24
#: Numbers in a block. With it, a step of 100,000 numbers takes 0.2 of the time of one piece for SGD, 0.6 for AdaGrad
#: and 0.95 for Adam; blocks of half that size gain less, and arrays of 10,000 numbers lose.
_BLOCK: Final = 8192
_LARGE: Final = 4 * _BLOCK
_data = attrgetter("_data")


class Moves(NamedTuple):
    """Parameters, their new data and slots (none for a formula without slots), and the changes that write rows.

    These changes, of tables and their slots, are to be committed with the assignment of the data.
    """

    nodes: list[Any]
    data: list[Any]
    slots: list[State]
    changes: list[Change]

    @classmethod
    def joined(cls, parts: Sequence[Moves]) -> Moves:
        """The moves of several sets of parameters."""
        if any(part.slots for part in parts):
            parts = [part if part.slots else cls(*part[:2], [()] * len(part.nodes), part.changes) for part in parts]
        return cls(*([item for part in parts for item in part[k]] for k in range(len(cls._fields))))


def moves_of(
    nodes: list[Any], grads: list[Any], memory: Mapping[Any, State], formula: Formula, rate: float, settings: Settings
) -> Moves:
    """New data and slots of parameters with gradients; the order of the parameters may change.

    Raises:
        ValueError: if new data would not be finite.
    """
    if not formula.slots or (len(nodes) < _MANY and {*map(type, nodes)} == {Value}):
        return _by_kind(nodes, grads, memory, formula, rate, settings)
    with np.errstate(invalid="ignore"):  # inf/inf and inf − inf end in the error of a number that is not finite
        return _by_kind(nodes, grads, memory, formula, rate, settings)


def _by_kind(
    nodes: list[Any], grads: list[Any], memory: Mapping[Any, State], formula: Formula, rate: float, settings: Settings
) -> Moves:
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
    return Moves.joined(parts)


def _one_by_one(
    nodes: list[Any], grads: list[Any], memory: Mapping[Any, State], formula: Formula, rate: float, settings: Settings
) -> Moves:
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
        before = memory.get(x, start) if keeps else start
        if before.__class__ is Behind:
            before = before.now()
        if data.__class__ is float:
            step, after = update(g, before, rate)
            new = data + step
        else:
            new, after = _in_blocks(data, g, before, lambda g, some: update(g, some, rate))
        fresh.append(new)
        slots.append(after)
    _check(nodes, fresh, by_rows)
    return Moves(nodes, fresh, slots if keeps or by_rows or memory else [], writing)


def _by_rows(
    x: Any, grad: Rows, slots: State, formula: Formula, rate: float, settings: Settings
) -> tuple[Any, Any, list[Change]] | None:
    """The new data and slots of a table of which some rows move, and the changes that write them.

    None if the others move too, and have no closed form by which they could do so later.
    """
    decay = settings.decay
    if not formula.keeps_rows or (decay and not formula.lazy):
        found = lagging_step(x, grad, formula, slots, rate, settings)
        if found is not None and found[1] is None:
            raise ValueError(_infinite(x))
        return found
    slots = slots.now() if slots.__class__ is Behind else slots
    rows = x._data[grad.indices]
    g = grad.rows + decay * rows if decay else grad.rows
    step, after, writing = step_of_rows(grad, g, slots, lambda g, some: formula.update(g, some, rate, **settings.hyper))
    rows += step
    if not isfinite(vdot(rows, rows)) and not np.isfinite(rows).all():
        raise ValueError(_infinite(x))
    data, more = moved_by_rows(x, grad.indices, rows)
    return data, after, [*more, *writing]


def _in_blocks(data: Any, gradient: Any, slots: State, update: Callable[[Any, State], Any]) -> tuple[Any, State]:
    """The array after a step, of the same kind as before, and its new slots: the same bits as without blocks.

    Args:
        data: the parameter's array.
        gradient: its gradient, of the same shape.
        slots: what the formula remembers of it: arrays of that shape, 0.0 for zeros, or a number of steps.
        update: the formula, ``update(gradient, slots) → (step, slots)``, which acts on each element alone.
    """
    if data.size <= _LARGE or gradient.dtype is not data.dtype:
        step, after = update(gradient, slots)
        new = data + step
        return new if new.__class__ is ndarray and new.dtype is data.dtype else np.asarray(new, data.dtype), after
    flat, flat_gradient = data.ravel(), gradient.ravel()
    flat_slots = [slot.ravel() if slot.__class__ is ndarray else slot for slot in slots]
    fresh = np.empty_like(flat)
    kept: list[Any] = [None] * len(slots)
    for start in range(0, flat.size, _BLOCK):
        part = slice(start, start + _BLOCK)
        some = tuple(slot[part] if slot.__class__ is ndarray else slot for slot in flat_slots)
        step, after = update(flat_gradient[part], some)
        np.add(flat[part], step, out=fresh[part])
        for k, slot in enumerate(after):
            if slot.__class__ is not ndarray:
                kept[k] = slot
                continue
            if kept[k] is None:
                kept[k] = np.empty(flat.shape, slot.dtype)
            kept[k][part] = slot
    shaped = (slot.reshape(data.shape) if slot.__class__ is ndarray else slot for slot in kept)
    return fresh.reshape(data.shape), tuple(shaped)


def _check(nodes: list[Any], fresh: list[Any], but: set[Any]) -> None:
    """Raise the error of a number that is not finite.

    Of arrays, `numpy.vdot` makes one fast pass and does not warn; it may overflow although every number is finite.
    """
    for x, data in zip(nodes, fresh, strict=True):
        if data.__class__ is float:
            if not isfinite(data):
                raise ValueError(_infinite(x))
        elif x not in but and not isfinite(vdot(data, data)) and not np.isfinite(data).all():
            raise ValueError(_infinite(x))


def _together(
    nodes: list[Any], grads: list[Any], memory: Mapping[Any, State], formula: Formula, rate: float, settings: Settings
) -> Moves:
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
    return Moves.joined(parts)


def _at_once(
    nodes: list[Any], grads: list[Any], before: Sequence[State], formula: Formula, rate: float, settings: Settings
) -> Moves:
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
    return Moves(nodes, fresh.tolist(), list(zip(*columns, strict=True)), [])


def _infinite(x: Any) -> str:
    """Why a parameter cannot move."""
    finite = np.all(np.isfinite(np.asarray(x.grad)))
    what = "its step or their sum is not finite" if finite else "its gradient is not finite"
    return (
        f"{x.label} would become nan or infinite, since {what}; no parameter has moved. Use a smaller rate or clip "
        "gradients, and find the first such number by autodiff.detect_anomaly"
    )
