"""The error signals of segments: where shares are delivered, and whether they are written or added.

Example: if a hidden layer feeds two groups, the share of the first is written into the buffer of its signal, and that
of the second is added. A parameter segment is written piece by piece, W and then b, and is never set to zero first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from autodiff.program.compiling.form import Chosen, Form, Gather, Joined, Segment, Statement, Sum, View, places_in
from autodiff.program.writing.kernels import Kernels
from autodiff.program.writing.memory import Buffer, Memory, Window, seen

__all__ = ["Produce", "Signals", "bare", "is_injective", "operands_of", "plan_of", "segments_of", "wanting"]

#: ``produce(out)`` computes a share into a window, or into one of its own if ``out`` is None, and returns the window.
Produce = Callable[[Window | None], Window]


def operands_of(statement: Statement) -> tuple[Any, ...]:
    """The operands of a statement that are not constants, in their order."""
    if isinstance(statement, Sum):
        parts = [side for product in statement.products for side in (product.left, product.right)]
        return (*parts, *(term.operand for term in statement.terms))
    kinds = View | Gather | Chosen | Joined | Segment
    return tuple(item for item in statement.operands if isinstance(item, kinds))


def segments_of(operand: Any) -> Iterable[Segment]:
    """The segments from which an operand takes its numbers."""
    if isinstance(operand, Joined):
        for part in operand.parts:
            yield from segments_of(part)
    else:
        yield operand if isinstance(operand, Segment) else operand.segment


def wanting(form: Form, wanted: Iterable[Segment]) -> set[Segment]:
    """The segments that need an error signal: the wanted ones, and those computed from them."""
    found = set(wanted)
    for statement in form.statements:
        if any(each in found for operand in operands_of(statement) for each in segments_of(operand)):
            found.add(statement.target)
    return found


class Signals:
    """The buffers of the error signals, and what was delivered into each so far."""

    def __init__(self, kernels: Kernels, memory: Memory, need: set[Segment], plan: Mapping[Segment, bool]) -> None:
        self.kernels, self.memory, self.need, self.plan = kernels, memory, need, plan
        self.buffers: dict[Segment, Buffer] = {}
        self.written: dict[Segment, np.ndarray[Any, Any]] = {}

    def buffer(self, segment: Segment) -> Buffer:
        """The buffer of a segment's signal; set to zero at first use, if no delivery covers it."""
        if segment not in self.buffers:
            data = self.memory.of(segment)
            name = f"delta{data.name[1:]}" if re.fullmatch(r"z\d+", data.name) else f"d{data.name}"  # the notes' δ⁽ᵏ⁾
            self.buffers[segment] = self.memory.buffer(name, data.size, data.batched, data.dtype)
            self.written[segment] = np.zeros(segment.size, bool)
            if not self.plan.get(segment, False):
                self.kernels.fill(self.whole(segment))
        return self.buffers[segment]

    def whole(self, segment: Segment) -> Window:
        """The signal of a segment as one flat window."""
        return self.buffers[segment].flat

    def arrived(self, segment: Segment) -> bool:
        """Whether a share has been delivered."""
        return segment in self.buffers

    def deliver(self, view: View, produce: Produce, *, lead: bool) -> None:
        """Write or add a share of a view's shape without the axes along which the view repeats its elements."""
        segment = view.segment
        buffer = self.buffer(segment)
        window = bare(seen(buffer, view, lead=lead))
        there = places_of(view)
        fresh = not self.written[segment][there].any()
        self.written[segment][there] = True
        if fresh:
            produce(window)
            return
        share = produce(None)
        self.kernels.ufunc("add", window, share, out=window)
        self.kernels.memory.release(share)

    def deliver_element(self, segment: Segment, place: int, text: str) -> None:
        """Write or add one number."""
        flat = self.kernels.text(self.buffer(segment).flat)
        sign = "+=" if self.written[segment][place] else "="
        self.written[segment][place] = True
        self.kernels.lines.append(f"{flat}[{place}] {sign} {text}")

    def scatter(self, segment: Segment, places: Any, share: Window) -> None:
        """Add the shares of gathered elements, whose places may repeat."""
        self.buffer(segment)
        self.written[segment][:] = True
        self.kernels.scatter(share, places, self.whole(segment))


def bare(window: Window) -> Window:
    """A window without the axes along which it does not vary."""
    return window.arranged([k for k, step in enumerate(window.strides) if step])


def places_of(view: View) -> np.ndarray[Any, Any]:
    """The flat places of a view's elements, each axis of stride 0 taken once."""
    shape = tuple(dim if stride else 1 for dim, stride in zip(view.shape, view.strides, strict=True))
    return places_in(View(view.segment, view.start, shape, view.strides)).reshape(-1)


def is_injective(view: View) -> bool:
    """Whether no element occurs twice, apart from axes of stride 0."""
    places = places_of(view)
    return len(np.unique(places)) == len(places)


def plan_of(
    form: Form, need: set[Segment], seeds: Iterable[View], late: Callable[[Statement, Any], bool]
) -> dict[Segment, bool]:
    """Whether the deliveries of each segment's signal cover it, each element first written and later added to.

    The deliveries of one are either to elements that were all delivered to before, or that none was; otherwise, and
    where elements are gathered, the signal begins at zero.
    """
    deliveries: dict[Segment, list[np.ndarray[Any, Any] | None]] = {}

    def note(operand: Any) -> None:
        if isinstance(operand, Joined):
            for part in operand.parts:
                note(part)
        elif isinstance(operand, Segment):
            deliveries.setdefault(operand, []).append(np.arange(operand.size))
        else:
            regular = isinstance(operand, View) and is_injective(operand)
            deliveries.setdefault(operand.segment, []).append(places_of(operand) if regular else None)

    seeds = list(seeds)
    for view in seeds:
        note(view)
    arrived = {view.segment for view in seeds}
    sent = []
    for statement in reversed(form.statements):
        if statement.target in need and statement.target in arrived:
            for operand in operands_of(statement):
                sent.append((statement, operand))
                arrived.update(segments_of(operand))
    for _, operand in sorted(sent, key=lambda item: late(*item)):
        note(operand)
    return {segment: _covered(segment, each) for segment, each in deliveries.items()}


def _covered(segment: Segment, deliveries: list[np.ndarray[Any, Any] | None]) -> bool:
    written = np.zeros(segment.size, bool)
    for places in deliveries:
        if places is None:
            return False
        there = written[places]
        if there.any() and not there.all():
            return False
        written[places] = True
    return bool(written.all())
