"""What both passes know of the operands of statements: the windows through which kernels see them.

Example: a view is a window on the buffer of its segment; elements at irregular places are taken into memory of their
own in the forward pass, and the backward pass sees them there too.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from autodiff.primitives.namespace import arrays
from autodiff.program.compiling.form import (
    Call,
    Chosen,
    Gather,
    Joined,
    Segment,
    View,
    row_major,
    whole,
)
from autodiff.program.writing.kernels import Kernels, Operand, Told
from autodiff.program.writing.memory import EXAMPLES, Window, window_of
from autodiff.program.writing.scalars import Scalars
from autodiff.program.writing.signals import segments_of

_LETTERS: Final = "acdefghijlmnopqrstuvwxyz"  # b is the axis of examples, k the one that is summed

__all__ = ["Pass", "inside", "letters_of", "row_of"]


class Pass:
    """What both passes know of the operands."""

    def __init__(
        self, kernels: Kernels, scalars: Scalars, fetched: dict[int, Any], fresh: dict[int, dict[Any, str]]
    ) -> None:
        self.kernels, self.memory, self.scalars = kernels, kernels.memory, scalars
        self.fetched, self.fresh = fetched, fresh
        self.dtype: Any = np.float64  # of the statement at hand

    def window(self, operand: Any, lead: bool) -> Window:
        """The window of an operand; gathered elements are fetched once, in the forward pass."""
        if isinstance(operand, View):
            return window_of(self.memory, operand, lead=lead)
        key = id(operand)
        if key not in self.fetched:
            self.fetched[key] = (self._fetch(operand, lead), operand)
        return self.fetched[key][0]  # type: ignore[no-any-return]

    def _fetch(self, operand: Any, lead: bool) -> Window:
        dims = (EXAMPLES, *operand.shape) if lead else operand.shape
        if isinstance(operand, Joined):
            joined = self.memory.keep(self.memory.temporary(dims, self._dtype(operand)))
            self._join(operand, joined, lead)
            return joined
        target = self.memory.keep(self.memory.temporary(dims, operand.segment.dtype))
        self.kernels.gather(self.flat(operand.segment), self.places(operand, lead), target)
        return target

    def called(self, statement: Call, slot: int | None, signal: Window | None) -> str:
        """The source of a call of a primitive's forward, or of its rule for one input."""
        kernels, entry, lead = self.kernels, statement.primitive, statement.target.batched
        operands = [self.argument(item, lead) for item in statement.operands]
        texts = [kernels.text(item) for item in operands]
        texts += [f"{key}={kernels.hold(key, item)}" for key, item in statement.params.items()]
        if slot is None or signal is None:
            kernels.scope.setdefault("arrays", arrays)
            text = f"{kernels.hold('forward', entry.forward)}(arrays, {', '.join(texts)})"
            kernels.told[text] = Told("forward", entry.name, (*operands,), statement.params, _dims(statement.target))
            return text
        z = window_of(self.memory, whole(statement.target), lead=lead)
        first = [kernels.text(signal), kernels.text(z)]
        text = f"{kernels.hold('rule', entry.rule(slot))}({', '.join([*first, *texts])})"
        shape = _dims(statement.operands[slot], lead)
        kernels.told[text] = Told("rule", entry.name, (signal, z, *operands), statement.params, shape, slot)
        return text

    def argument(self, item: Any, lead: bool) -> Operand:
        """An operand of a call: a window, or a constant."""
        if isinstance(item, Segment):
            return window_of(self.memory, whole(item), lead=item.batched)
        if isinstance(item, int | float):
            return float(item)
        if isinstance(item, np.ndarray):
            return self.kernels.hold("constant", item)
        return self.window(item, lead)

    def flat(self, segment: Segment) -> Window:
        """A segment as one flat window."""
        return self.memory.of(segment).flat

    def places(self, operand: Gather | Chosen, lead: bool) -> Operand:
        """The flat places of gathered elements, as a name in the source."""
        key = -id(operand)
        if key not in self.fetched:
            if isinstance(operand, Chosen):
                found = self.kernels.chosen(operand, lead=lead)
            elif operand.segment.batched:
                rows = self.kernels.assign("rows", f"np_arange(examples) * {operand.segment.size}")
                self.kernels.scope.setdefault("np_arange", np.arange)
                shape = ", ".join(["examples", *("1" for _ in operand.shape)])
                held = self.kernels.hold("places", operand.places)
                found = self.kernels.assign("places", f"{rows}.reshape({shape}) + {held}")
                self.kernels.told[found] = Told("rows", held)
            else:
                found = self.kernels.hold("places", operand.places)
            self.fetched[key] = (found, operand)
        return self.fetched[key][0]  # type: ignore[no-any-return]

    def _dtype(self, operand: Joined) -> Any:
        return np.result_type(*(segment.dtype for segment in segments_of(operand)))

    def _join(self, operand: Joined, target: Window, lead: bool) -> None:
        """Copy several operands, one after the other, into contiguous memory."""
        start = 0
        for part in operand.parts:
            window = self.window(part, lead)
            size = int(np.prod(part.shape, dtype=int))
            inner = Window(target.buffer, start, window.dims, inside(window.dims, target.buffer.size))
            self.kernels.copy(window, inner)
            start += size


def _dims(item: Any, lead: bool = False) -> tuple[int, ...]:
    """The dimensions of a segment or an operand."""
    lead = item.batched if isinstance(item, Segment) else lead
    return (EXAMPLES, *item.shape) if lead else item.shape


def inside(dims: tuple[int, ...], whole: int) -> tuple[int, ...]:
    """The strides of a contiguous part of a buffer with ``whole`` elements in each example."""
    return tuple(whole if dim == EXAMPLES else step for dim, step in zip(dims, row_major(dims), strict=True))


def letters_of(shape: tuple[int, ...], lead: bool) -> str:
    return "b" * lead + _LETTERS[: len(shape)]


def row_of(window: Window) -> Window:
    """A window with one axis that has a length, as a vector."""
    return window.arranged([len(window.dims) - 1])
