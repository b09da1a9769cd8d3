"""`Written`: a form as two functions of NumPy calls over a workspace, one for each pass."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from autodiff.engine.emit import compiled
from autodiff.program.compiling.form import Form, Segment, whole
from autodiff.program.writing.backward import Backward
from autodiff.program.writing.forward import Forward
from autodiff.program.writing.kernels import Kernels, Told
from autodiff.program.writing.memory import Buffer, Memory, Window, seen, window_of
from autodiff.program.writing.scalars import Scalars
from autodiff.program.writing.signals import Signals, bare, plan_of, wanting

__all__ = ["Workspace", "Written", "write"]


@dataclass(frozen=True)
class Written:
    """The source of a form, and what its names stand for."""

    form: Form
    memory: Memory
    forward: list[str]
    backward: list[str]
    kept: list[str]
    items: list[tuple[Any, ...]]
    told: dict[str, Told]
    scope: dict[str, Any]
    outputs: list[Window]
    gradients: dict[Segment, Window | None]

    @cached_property
    def source(self) -> str:
        """The source of the function that makes both passes for a workspace."""
        held = [f"    {name} = None" for name in self.kept]
        shared = f"        nonlocal {', '.join(self.kept)}" if self.kept else "        pass"
        binds = [line for segment in self.bound for line in self._bind(segment)]
        lines = [
            f"def function(examples, {', '.join(self.memory.windows.values())}):",
            *held,
            *(f"    {line}" for line in binds),
            "    def forward(integers):", shared, *(f"        {line}" for line in self.forward),
            "    def backward(seeds):", shared, *(f"        {line}" for line in self.backward),
            f"    return forward, backward, [{', '.join(f'bind_{k}' for k in range(len(self.bound)))}]",
        ]  # fmt: skip
        return "\n".join(lines)

    @cached_property
    def bound(self) -> list[Segment]:
        """The segments that are arrays of the user's, seen where they are instead of being copied."""
        each = (*self.form.parameters, *self.form.inputs)
        return [segment for segment in each if segment in self.form.arrays and not segment.batched]

    def windows(self, segment: Segment) -> list[Window]:
        """The windows through which a segment is seen."""
        buffer = self.memory.of(segment)
        return [window for window in self.memory.windows if window.buffer is buffer]

    def _bind(self, segment: Segment) -> list[str]:
        names = [self.memory.named(window) for window in self.windows(segment)]
        given = [f"new_{name}" for name in names]
        lines = [f"    nonlocal {', '.join(names)}", f"    {', '.join(names)}, = {', '.join(given)}, "] if names else []
        return [f"def bind_{self.bound.index(segment)}({', '.join(given)}):", *(lines or ["    pass"])]

    @cached_property
    def make(self) -> Callable[..., Any]:
        """The function of the source."""
        return compiled("program", self.source.split("\n"), self.scope)

    def workspace(self, examples: int = 1) -> Workspace:
        """New memory for a run."""
        return Workspace(self, examples)


class Workspace:
    """The memory of one run: windows of the inputs, the parameters, the results and the gradients, and both passes."""

    def __init__(self, written: Written, examples: int) -> None:
        memory, form = written.memory, written.form
        blocks: dict[Buffer, Any] = {}

        def view(window: Window) -> Any:
            if window.buffer not in blocks:
                blocks[window.buffer] = window.buffer.allocated(examples)
            return window.on(blocks[window.buffer], examples)

        self.examples = examples
        #: The time at which the parameters were read last.
        self.read_at = -1
        views = [view(window) for window in memory.windows]
        self.forward, self.backward, binders = written.make(examples, *views)
        self.binders = {
            segment: (bind, [_seeing(window, segment, examples) for window in written.windows(segment)])
            for segment, bind in zip(written.bound, binders, strict=True)
        }
        for segment, buffer in memory.data.items():
            if segment.data is not None:
                blocks.setdefault(buffer, buffer.allocated(examples))[:] = np.ravel(segment.data)
        shaped = {
            segment: view(window_of(memory, whole(segment), lead=segment.batched))
            for segment in (*form.inputs, *form.parameters)
        }
        self.inputs = {segment: shaped[segment] for segment in form.inputs}
        self.parameters = {segment: shaped[segment] for segment in form.parameters}
        self.outputs = [view(window) for window in written.outputs]
        self.gradients = {
            segment: None if window is None else view(window) for segment, window in written.gradients.items()
        }

    def bind(self, segment: Segment, array: Any) -> None:
        """See the array of a segment where it is: contiguous, of the segment's shape and type."""
        bind, makers = self.binders[segment]
        bind(*[make(array) for make in makers])


def _seeing(window: Window, segment: Segment, examples: int) -> Callable[[Any], Any]:
    """A function that sees an array through a window."""
    if window.start == 0 and window.dims == segment.shape and window.contiguous:
        return lambda array: array
    dims, dtype = tuple(examples if dim < 0 else dim for dim in window.dims), window.buffer.dtype
    start, strides = window.start * dtype.itemsize, tuple(step * dtype.itemsize for step in window.strides)
    if not window.buffer.size:
        return lambda array: array.reshape(dims)
    return lambda array: np.ndarray(dims, dtype, array, start, strides)


def write(
    form: Form, wanted: Sequence[Segment] | None = None, *, results: int | None = None, plain: bool = False
) -> Written:
    """The two passes of a form.

    Args:
        form: the program.
        wanted: the segments whose gradients are computed; all parameters if omitted.
        results: how many of the outputs are results, which get error signals; all if omitted.
        plain: whether single numbers are arrays too and formulas are those of a textbook, for a reader.
    """
    memory = Memory()
    scope: dict[str, Any] = {}
    fetched: dict[int, Any] = {}
    fresh: dict[int, dict[Any, str]] = {}
    first, second = Kernels(memory, scope, plain=plain), Kernels(memory, scope, plain=plain)
    scalars = Scalars(form, memory, none=plain)
    Forward(first, scalars, fetched, fresh).run(form.statements)
    outputs = [window_of(memory, view, lead=view.segment.batched) for view in form.outputs]
    asked = list(form.parameters) if wanted is None else list(wanted)
    need = wanting(form, asked)
    seeds = [(k, view) for k, view in enumerate(form.outputs[:results]) if view.segment in need]
    signals = Signals(second, memory, need, plan_of(form, need, [view for _, view in seeds], scalars.late))
    for k, view in seeds:
        lead = view.segment.batched
        like = bare(seen(signals.buffer(view.segment), view, lead=lead))
        signals.deliver(view, _seed(second, memory, like, k), lead=lead)
    Backward(second, scalars, fetched, fresh).run(form, signals)
    gradients = {
        segment: seen(signals.buffers[segment], whole(segment), lead=segment.batched)
        if signals.arrived(segment)
        else None
        for segment in asked
    }
    kept = [*first.kept, *second.kept, *scalars.variables]
    items = [*first.items, ("backward",), *second.items]
    told = first.told | second.told
    return Written(form, memory, first.lines, second.lines, kept, items, told, scope, outputs, gradients)


def _seed(kernels: Kernels, memory: Memory, like: Window, k: int) -> Callable[[Window | None], Window]:
    def produce(out: Window | None) -> Window:
        target = memory.temporary(like.dims) if out is None else out
        kernels.copy(f"seeds[{k}]", target)
        return target

    return produce
