"""`Compiled`: a recording as the matrix program that it became, with memory for its runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter, itemgetter
from struct import Struct
from typing import Any, Final

import numpy as np

from autodiff.engine.graph import Node, clock
from autodiff.program.arrays.lowering import form_of
from autodiff.program.compiling.form import Form, Segment
from autodiff.program.recording.recording import Recording
from autodiff.program.writing.signals import operands_of, segments_of
from autodiff.program.writing.written import Workspace, Written, write

__all__ = ["Compiled", "NotFiniteError", "Run"]

_data_of: Final = attrgetter("_data")
_MOST_STATEMENTS: Final = 5_000  # straight code of two passes is written and compiled at 400 µs a statement
_FAULTS: Final = (ZeroDivisionError, OverflowError, ValueError)  # of Python's functions of floats

#: Writes what a call gave into the memory of its run.
Load = Callable[[Workspace, Sequence[Any]], object]


class NotFiniteError(ArithmeticError):
    """A run met inf or nan, or a function was called outside its domain; the graph's conventions decide then."""


class Compiled:
    """A recording, compiled.

    Args:
        recording: a run of a function.
        wanted: the numbers of the inputs whose gradients are asked for.
        results: how many of the recording's outputs are results, which get error signals; all if omitted.

    A call reads the parameters' data and runs the program; the `Run` that it returns can be pulled back. Calls from
    several threads use memory of their own, which later calls use again.
    """

    def __init__(self, recording: Recording, wanted: Sequence[int] = (), results: int | None = None) -> None:
        self.form: Form = form_of(recording)
        _check(self.form)
        self.wanted = tuple(segment for segment, which in self.form.inputs.items() if {*which} & {*wanted})
        self.written: Written = write(self.form, [*self.form.parameters, *self.wanted], results=results)
        #: The parameters of each gradient of a run, in its order.
        self.leaves: tuple[tuple[Node, ...], ...] = tuple(self.form.parameters.values())
        self._idle: dict[int, list[Workspace]] = {}
        self._loads = [_input_load(segment, which, self.written) for segment, which in self.form.inputs.items()]
        self._reads = [_parameter_load(segment, each, self.written) for segment, each in self.form.parameters.items()]
        self._batched = next((which[0] for segment, which in self.form.inputs.items() if segment.batched), None)

    def __call__(self, inputs: Sequence[Any], integers: Any = (), data: Sequence[Any] | None = None) -> Run:
        """Run the program on the inputs of the recording, in their order.

        Args:
            inputs: floats and arrays; with a leading axis where the recording is batched.
            integers: the integers that choose.
            data: an array for each group of ``leaves``, instead of what the leaves hold now.

        Raises:
            NotFiniteError: if a result is not finite.
        """
        examples = 1 if self._batched is None else len(inputs[self._batched])
        try:
            idle = self._idle[examples]
            workspace = idle.pop()
        except (IndexError, KeyError):
            idle = self._idle.setdefault(examples, [])
            workspace = self.written.workspace(examples)
        run = Run(self, workspace, idle)
        now = clock.now
        if data is not None:
            self._give(workspace, data)
        elif workspace.read_at != now:
            for read in self._reads:
                read(workspace, ())
            workspace.read_at = now
        for load in self._loads:
            load(workspace, inputs)
        with np.errstate(all="ignore"):
            try:
                workspace.forward(integers)
            except _FAULTS as error:
                raise NotFiniteError(str(error)) from error
        for output in workspace.outputs:
            if not _is_finite(output):
                raise NotFiniteError("a result is not finite")
        return run

    def _give(self, workspace: Workspace, data: Sequence[Any]) -> None:
        workspace.read_at = -1
        for segment, array in zip(self.form.parameters, data, strict=True):
            if segment in self.written.bound:
                workspace.bind(segment, array)
            else:
                workspace.parameters[segment][...] = array


class Run:
    """One run: its results, and the way back; its memory is used again when it is discarded."""

    __slots__ = ("_idle", "_workspace", "compiled")

    def __init__(self, compiled: Compiled, workspace: Workspace, idle: list[Workspace]) -> None:
        self.compiled, self._workspace, self._idle = compiled, workspace, idle

    def __del__(self) -> None:
        self._idle.append(self._workspace)

    @property
    def outputs(self) -> list[Any]:
        """The results: floats, or arrays of their own."""
        return [out.item() if out.ndim == 0 else out.copy() for out in self._workspace.outputs]

    @property
    def data(self) -> list[Any]:
        """The data of the parameters in this run, as `Compiled` takes them."""
        workspace, bound = self._workspace, self.compiled.written.bound
        form = self.compiled.form.parameters
        return [
            leaves[0]._data if segment in bound else workspace.parameters[segment].copy()
            for segment, leaves in form.items()
        ]

    def pull(self, signals: Sequence[Any]) -> tuple[list[Any], dict[int, Any]]:
        """The gradients for error signals of the results, as arrays of their own.

        Returns:
            For each group of ``compiled.leaves`` a flat array with a number for each Value, or one of the Tensor's
            shape; None where no signal arrives. And the gradients of the wanted inputs, by number.

        Raises:
            NotFiniteError: if a gradient is not finite.
        """
        workspace = self._workspace
        with np.errstate(all="ignore"):
            try:
                workspace.backward(signals)
            except _FAULTS as error:
                raise NotFiniteError(str(error)) from error
        for gradient in workspace.gradients.values():
            if gradient is not None and not _is_finite(gradient):
                raise NotFiniteError("a gradient is not finite")
        form = self.compiled.form
        gradients = [_own(workspace.gradients[segment]) for segment in form.parameters]
        back: dict[int, Any] = {}
        for segment in self.compiled.wanted:
            gradient, which = workspace.gradients[segment], form.inputs[segment]
            for k, number in enumerate(which):
                alone = segment in form.arrays or not segment.shape
                back[number] = _own(gradient if gradient is None or alone else gradient[..., k])
        return gradients, back


def _check(form: Form) -> None:
    """Raise NotImplementedError for a form that is not worth writing as kernels."""
    if any(segment.kind == "pool" for each in form.statements for x in operands_of(each) for segment in segments_of(x)):
        raise NotImplementedError("an irregular graph")
    if len(form.statements) > _MOST_STATEMENTS:
        raise NotImplementedError(f"{len(form.statements):,} statements that have nothing in common")


def _own(array: np.ndarray[Any, Any] | None) -> np.ndarray[Any, Any] | None:
    return None if array is None else array.copy()


def _parameter_load(segment: Segment, leaves: tuple[Any, ...], written: Written) -> Load:
    """A function that reads the data of a segment's leaves."""
    if segment in written.bound:
        (leaf,) = leaves
        return lambda workspace, _: workspace.bind(segment, leaf._data)
    if segment.dtype == np.float64:
        pack = Struct(f"{len(leaves)}d").pack_into  # a third of the time of an array from a list
        return lambda workspace, _: pack(workspace.parameters[segment], 0, *map(_data_of, leaves))

    def read(workspace: Workspace, _: Sequence[Any]) -> None:
        workspace.parameters[segment].reshape(-1)[:] = [leaf._data for leaf in leaves]

    return read


def _input_load(segment: Segment, which: tuple[int, ...], written: Written) -> Load:
    """A function that writes the inputs of a segment; with examples, each input is a column of numbers."""
    dtype, count = segment.dtype, len(which)
    if segment in written.bound:
        return lambda workspace, inputs: workspace.bind(segment, np.ascontiguousarray(inputs[which[0]], dtype))
    if segment.batched:

        def fill(workspace: Workspace, inputs: Sequence[Any]) -> None:
            window = workspace.inputs[segment]
            if count == 1:
                window[...] = np.reshape(inputs[which[0]], window.shape)
            else:
                for k, number in enumerate(which):
                    window[..., k] = inputs[number]

        return fill
    if count == 0:
        return lambda *_: None
    if count == 1:
        return lambda workspace, inputs: workspace.inputs[segment].fill(inputs[which[0]])
    pack, take, places = Struct(f"{count}d").pack_into, itemgetter(*which), np.array(which)
    in_order = which == tuple(range(count))

    def write(workspace: Workspace, inputs: Sequence[Any]) -> None:
        window = workspace.inputs[segment]
        if isinstance(inputs, np.ndarray):
            window.reshape(-1)[:] = inputs[:count] if in_order else inputs[places]
        else:
            pack(window, 0, *(inputs[:count] if in_order else take(inputs)))

    return write


def _is_finite(array: np.ndarray[Any, Any]) -> bool:
    """Whether all elements are finite: their sum is, or else each is looked at."""
    if not array.ndim:
        total = array.item()
    else:
        flat = array.reshape(-1)
        total = flat.dot(flat)
    return bool(total - total == 0.0) or bool(np.isfinite(array).all())
