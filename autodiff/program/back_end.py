"""The compiled back end of a plan: runs in the orders of the recording, and what is left to its graph."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from autodiff.engine.graph import Node
from autodiff.program.compiled import Compiled, NotFiniteError, Run
from autodiff.program.plan import ChangedError
from autodiff.program.recording.record import Recorded
from autodiff.program.recording.recording import Recording

__all__ = ["BackEnd", "InputGradients", "back_end"]


def back_end(recorded: Recorded) -> BackEnd | str:
    """The compiled program of a recording, or the reason why only its graph can be replayed."""
    recording = recorded.recording
    if recording.indices or recording.batched_integers:
        return "integers choose elements of a Tensor, or examples have integers of their own"
    if not recording.parameters and not recording.inputs:
        return "the result depends on nothing"
    try:
        return BackEnd(recording, recorded.results)
    except (NotImplementedError, RecursionError) as error:
        return f"the compiler cannot express it: {error}"


class BackEnd:
    """``(inputs, integers) -> (numbers of the outputs, pull)``, in the orders of a recording.

    ``pull(signals) -> (gradients of the parameters, gradients of the inputs)``; the latter are computed on request.
    """

    def __init__(self, recording: Recording, results: int) -> None:
        self.recording, self.results = recording, results
        self.compiled = Compiled(recording, results=results)
        self._with_inputs: Compiled | None = None
        self._of_values = len(self.compiled.leaves) == 1 and all(leaf.scalar for leaf in recording.parameters)
        self._order = self._places(recording.parameters) if self._of_values else None
        self._is_ordered = self._order is not None and np.array_equal(self._order, np.arange(len(self._order)))
        self._shapes = [output.shape for output in recording.outputs]

    def _places(self, parameters: Sequence[Node]) -> np.ndarray[Any, Any] | None:
        """Where the gradient of each parameter is in the only array; None if some have no place there."""
        places = {leaf: k for k, leaf in enumerate(self.compiled.leaves[0])}
        return np.array([places[leaf] for leaf in parameters]) if len(places) == len(parameters) else None

    def __call__(self, inputs: Sequence[Any], integers: Sequence[int]) -> tuple[list[Any], Callable[..., Any]]:
        try:
            run = self.compiled(inputs, integers)
        except NotFiniteError as error:
            raise ChangedError(None) from error
        return self._numbers(run, inputs), _Pull(self, run, inputs, integers)

    def _numbers(self, run: Run, inputs: Sequence[Any]) -> list[Any]:
        """The numbers of the outputs; each with the axis of examples, if the recording is batched."""
        if not self.recording.batched:
            return run.outputs
        count = len(inputs[min(self.recording.batched)])
        return [
            np.broadcast_to(number, (count, *shape)) for number, shape in zip(run.outputs, self._shapes, strict=True)
        ]

    def gradients(self, found: list[Any]) -> Sequence[Any]:
        """The gradients of the parameters in the order of the recording; 0 where no signal arrives."""
        if self._order is not None and found[0] is not None:
            row = found[0].reshape(-1)  # of one Value it has no axis
            return row if self._is_ordered else row[self._order]  # type: ignore[no-any-return]
        slopes: dict[Any, Any] = {}
        for leaves, each in zip(self.compiled.leaves, found, strict=True):
            if each is None:
                continue
            numbers = [each] if not leaves[0].scalar else np.ravel(each).tolist()
            slopes |= dict(zip(leaves, numbers, strict=True))
        return [
            slopes[leaf] if leaf in slopes else 0.0 if leaf.scalar else np.zeros_like(leaf._data)
            for leaf in self.recording.parameters
        ]

    def signals(self, run: Run, signals: Sequence[Any]) -> list[Any]:
        """Signals of the results in the shapes of the compiled outputs: an output without examples gets their sum."""
        if not self.recording.batched:
            return list(signals)
        views = run.compiled.form.outputs
        return [
            signal if view.segment.batched else np.sum(signal, axis=0)
            for signal, view in zip(signals, views, strict=False)
        ]

    def of_inputs(self, data: list[Any], inputs: Sequence[Any], integers: Sequence[int], signals: Any) -> list[Any]:
        """The gradients of all inputs, for the parameters of an earlier run."""
        if self._with_inputs is None:
            self._with_inputs = Compiled(self.recording, range(len(self.recording.inputs)), self.results)
        run = self._with_inputs(inputs, integers, data)
        _, back = run.pull(self.signals(run, signals))
        return [
            np.zeros(np.shape(item)) if back.get(k) is None else back[k].item() if back[k].ndim == 0 else back[k]
            for k, item in enumerate(inputs)
        ]


class _Pull:
    """The way back of one run."""

    __slots__ = ("back_end", "inputs", "integers", "run")

    def __init__(self, back_end: BackEnd, run: Run, inputs: Sequence[Any], integers: Sequence[int]) -> None:
        self.back_end, self.run, self.inputs, self.integers = back_end, run, inputs, integers

    def __call__(self, signals: Sequence[Any]) -> tuple[Sequence[Any], Sequence[Any]]:
        """Raises `NotFiniteError` if a gradient is not finite."""
        back_end, run = self.back_end, self.run
        found, _ = run.pull(back_end.signals(run, signals))
        return back_end.gradients(found), InputGradients(self, signals)


class InputGradients(Sequence[Any]):
    """The gradients of the inputs, computed when first asked for: few ask, and a first layer's cost much."""

    __slots__ = ("_found", "_pull", "_signals")

    def __init__(self, pull: _Pull, signals: Sequence[Any]) -> None:
        self._pull, self._signals = pull, signals
        self._found: list[Any] | None = None

    def _all(self) -> list[Any]:
        if self._found is None:
            pull = self._pull
            self._found = pull.back_end.of_inputs(pull.run.data, pull.inputs, pull.integers, self._signals)
        return self._found

    def __getitem__(self, k: Any) -> Any:
        return self._all()[k]

    def __len__(self) -> int:
        return len(self._pull.inputs)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._all())
