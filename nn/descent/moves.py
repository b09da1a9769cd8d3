"""Where parameters go in one step: new data and new slots, computed outside of the graph, nothing assigned."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from math import isfinite
from operator import attrgetter
from typing import Any, Final, NamedTuple

import numpy as np
from numpy import ndarray

from autodiff import Value
from autodiff.engine.graph import Change
from autodiff.primitives.rows import Rows, dense
from autodiff.values.updates import moved_by_rows
from nn.descent.formulas import Formula, State
from nn.descent.rows import step_of_rows
from nn.descent.settings import Settings
from nn.descent.written import Written, written
from nn.lagging.lag import Behind
from nn.lagging.steps import lagging_step

__all__ = ["Mover", "Moves"]

#: From this many Values on, one update of an array of them is faster than an update for each.
_MANY: Final = 24
#: Numbers in a block of an array: 128 KB, so that the second cache holds most of what Adam needs at once. Blocks of a
#: quarter of that size take a fifth more time, and arrays in one piece, which pass through memory each time, half more.
_BLOCK: Final = 16384
#: Smaller arrays are faster without the preparation of blocks.
_SMALL: Final = 2048
_VALUES: Final = {Value}
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


class Mover(NamedTuple):
    """A formula at one step: its rate, its settings, and the slots of parameters before the step."""

    formula: Formula
    rate: float
    settings: Settings
    memory: Mapping[Any, State]

    def moves(self, nodes: list[Any], grads: list[Any]) -> Moves:
        """New data and slots of parameters with gradients; the order of the parameters may change.

        Raises:
            ValueError: if new data would not be finite.
        """
        kinds = {*map(type, nodes)}
        if kinds == _VALUES:
            return self._values(nodes, grads)
        if Value not in kinds:
            return self._tensors(nodes, grads)
        places = [[k for k, x in enumerate(nodes) if (x.__class__ is Value) is single] for single in (True, False)]
        values, tensors = (([nodes[k] for k in some], [grads[k] for k in some]) for some in places)
        return Moves.joined([self._values(*values), self._tensors(*tensors)])

    def _values(self, nodes: list[Any], grads: list[Any]) -> Moves:
        if len(nodes) >= _MANY:
            parts = [self._many(*part) for part in self._by_count(nodes, grads)]
            return parts[0] if len(parts) == 1 else Moves.joined(parts)
        formula, rate, settings, memory = self
        decay, start, update = settings.decay, formula.start, formula.update
        if settings.hyper:  # an empty ``**hyper`` would take a fifth of the time of a Value
            update = partial(update, **settings.hyper)
        fresh, slots = [], []
        for x, g in zip(nodes, grads, strict=True):
            data = x._data
            step, after = update(g + decay * data if decay else g, memory.get(x, start) if start else start, rate)
            data += step
            if not isfinite(data):
                raise ValueError(_infinite(x))
            fresh.append(data)
            slots.append(after)
        return Moves(nodes, fresh, slots if start else [], [])

    def _many(self, t: float, nodes: list[Any], grads: list[Any], before: list[State]) -> Moves:
        """Many Values as arrays: the same arithmetic, and so the same bits, as one by one."""
        data, g = np.fromiter(map(_data, nodes), float, len(nodes)), np.array(grads, float)
        slots = [np.array(column) for column in zip(*before, strict=True)]
        run, between = self._written()
        made = (None,) * (1 + len(slots) + between)
        ((new, *after),), total, t = self._run(run, [(data, g, *slots, *made)], t)
        if not isfinite(total) and not np.isfinite(new).all():
            raise ValueError(_infinite(nodes[int(np.argmin(np.isfinite(new)))]))
        if not self.formula.slots:
            return Moves(nodes, new.tolist(), [], [])
        columns = [slot.tolist() for slot in after]
        if self.formula.counts:
            columns.insert(0, [t] * len(nodes))
        return Moves(nodes, new.tolist(), list(zip(*columns, strict=True)), [])

    def _tensors(self, nodes: list[Any], grads: list[Any]) -> Moves:
        parts = []
        if Rows in {*map(type, grads)}:
            with np.errstate(invalid="ignore"):  # as in `_run`
                found = [_by_rows(x, g, self) for x, g in zip(nodes, grads, strict=True)]
            parts = [move for move in found if move is not None]
            rest = [k for k, move in enumerate(found) if move is None]
            nodes, grads = [nodes[k] for k in rest], [dense(grads[k]) for k in rest]
        parts += [self._arrays(*part) for part in self._by_count(nodes, grads)]
        return parts[0] if len(parts) == 1 else Moves.joined(parts)

    def _arrays(self, t: float, nodes: list[Any], grads: list[Any], before: list[State]) -> Moves:
        """Arrays, small ones whole and large ones block by block: the same bits either way."""
        formula, (run, between) = self.formula, self._written()
        made = (None,) * (1 + len(formula.slots) - formula.counts + between)
        small, large, whole, fresh = [], [], [], []
        blocks: list[tuple[Any, ...]] = []
        for x, g, slots in zip(nodes, grads, before, strict=True):
            data = x._data
            if g.__class__ is not ndarray or g.dtype is not data.dtype:
                g = np.asarray(g, data.dtype)
            if slots and slots[0].__class__ is float:  # 0.0, before the first step
                slots = tuple([np.zeros(data.shape, data.dtype) for _ in slots])
            if data.size <= _SMALL and data.ndim:
                small.append(x)
                whole.append((data, g, *slots, *made))
                continue
            large.append(x)
            fresh.append(tuple([np.empty(data.shape, data.dtype) for _ in range(1 + len(slots))]))
            blocks += _blocks((data, g, *slots, *fresh[-1]), between)
        moved, total, after = self._run(run, whole, t)
        if blocks:
            _, of_blocks, after = self._run(run, blocks, t)
            nodes, moved, total = small + large, moved + fresh, total + of_blocks
        data = [each[0] for each in moved]
        if not isfinite(total):  # a sum of squares may overflow although all numbers are finite
            for x, new in zip(nodes, data, strict=True):
                if not np.isfinite(new).all():
                    raise ValueError(_infinite(x))
        if not formula.slots:
            return Moves(nodes, data, [()] * len(nodes) if self.memory else [], [])  # nothing lags any longer
        return Moves(nodes, data, [(after, *each[1:]) if formula.counts else each[1:] for each in moved], [])

    # ---- both --------------------------------------------------------------------------------------------------------

    def _by_count(self, nodes: list[Any], grads: list[Any]) -> Iterator[tuple[float, Any, Any, list[State]]]:
        """Parameters that have made the same number of steps, with their slots but for that number."""
        start = self.formula.start
        before = [_now(self.memory.get(x, start)) for x in nodes] if start else [start] * len(nodes)
        if not self.formula.counts:
            yield 0.0, nodes, grads, before
            return
        counts = {slots[0] for slots in before}
        if len(counts) == 1:
            yield counts.pop(), nodes, grads, [slots[1:] for slots in before]
            return
        for t in sorted(counts):
            some = [k for k, slots in enumerate(before) if slots[0] == t]
            yield t, [nodes[k] for k in some], [grads[k] for k in some], [before[k][1:] for k in some]

    def _written(self) -> Written:
        return written(self.formula, decays=self.settings.decay > 0.0)

    def _run(self, run: Any, arrays: list[tuple[Any, ...]], t: float) -> tuple[list[Any], float, float]:
        """Call the written formula on arrays, all of them after t steps."""
        settings = self.settings
        if not self.formula.slots:
            return run(arrays, self.rate, settings.decay, t)  # type: ignore[no-any-return]
        with np.errstate(invalid="ignore"):  # inf/inf and inf − inf end in the error of a number that is not finite
            return run(arrays, self.rate, settings.decay, t, **settings.hyper)  # type: ignore[no-any-return]


def _blocks(arrays: tuple[Any, ...], between: int) -> Iterator[tuple[Any, ...]]:
    """Arrays of one shape block by block, each with arrays for what comes in between."""
    flat = [each.ravel() for each in arrays]
    size = flat[0].size
    spares = [np.empty(min(size, _BLOCK), flat[0].dtype) for _ in range(between)]
    for start in range(0, size, _BLOCK):
        part, count = slice(start, start + _BLOCK), min(size - start, _BLOCK)
        yield (*[each[part] for each in flat], *[each[:count] for each in spares])


def _by_rows(x: Any, grad: Any, mover: Mover) -> Moves | None:
    """The move of a table of which some rows have a gradient; None if all have.

    None too if the others move as well, and have no closed form by which they could do so later.
    """
    if grad.__class__ is not Rows:
        return None
    formula, rate, settings, memory = mover
    decay, slots = settings.decay, memory.get(x, formula.start)
    if not formula.keeps_rows or (decay and not formula.lazy):
        found = lagging_step(x, grad, formula, slots, rate, settings)
        if found is None:
            return None
        data, behind, changes = found
        if behind is None:
            raise ValueError(_infinite(x))
        return Moves([x], [data], [behind], changes)
    rows = x._data[grad.indices]
    g = grad.rows + decay * rows if decay else grad.rows
    step, after, writing = step_of_rows(
        grad, g, _now(slots), lambda g, some: formula.update(g, some, rate, **settings.hyper)
    )
    rows += step
    if not np.isfinite(rows).all():
        raise ValueError(_infinite(x))
    data, more = moved_by_rows(x, grad.indices, rows)
    return Moves([x], [data], [after] if memory or formula.slots else [], [*more, *writing])


def _now(slots: State) -> State:
    """Slots that do not lag."""
    return slots.now() if slots.__class__ is Behind else slots


def _infinite(x: Any) -> str:
    """Why a parameter cannot move."""
    finite = np.all(np.isfinite(np.asarray(x.grad)))
    what = "its step or their sum is not finite" if finite else "its gradient is not finite"
    return (
        f"{x.label} would become nan or infinite, since {what}; no parameter has moved. Use a smaller rate or clip "
        "gradients, and find the first such number by autodiff.detect_anomaly"
    )
