"""The back end that always works: compute the recorded graph again, node by node."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from autodiff.engine.graph import Node
from autodiff.engine.plain import plain
from autodiff.program.recording.collecting import PAUSED
from autodiff.program.recording.record import Recorded
from autodiff.program.recording.rerun import rerun
from autodiff.transforms.gradients import gradients
from autodiff.values.tensor import Tensor
from autodiff.values.value import Value

__all__ = ["replayed"]

#: Error signals of the results to gradients of the parameters and of the inputs.
Pull = Callable[[Sequence[Any]], tuple[Sequence[Any], Sequence[Any]]]


def replayed(recorded: Recorded) -> Callable[[Sequence[Any], Sequence[int]], tuple[list[Any], Pull]]:
    """``(inputs, integers) -> (numbers of the outputs, pull)`` for a recording, at the speed of its graph."""
    recording, order = recorded.recording, recorded.order

    def run(inputs: Sequence[Any], integers: Sequence[int]) -> tuple[list[Any], Pull]:
        leaves = [_leaf(node, data) for node, data in zip(recording.inputs, inputs, strict=True)]
        now = [_leaf(node, node._data) for node in recording.parameters]  # so that a later assignment changes nothing
        given: dict[Node, Any] = {
            **dict(zip(recording.inputs, leaves, strict=True)), **dict(zip(recording.parameters, now, strict=True)),
        }  # fmt: skip
        with PAUSED:
            found = rerun(recording, order, given, integers)
        outputs = [found[node] for node in recording.outputs]
        return [output._data for output in outputs], lambda signals: _pulled(outputs, signals, now, leaves)

    return run


def _leaf(node: Any, data: Any) -> Any:
    if node.scalar:
        return Value._leaf(float(data), node.origin)
    return Tensor(data)


def _pulled(outputs: list[Any], signals: Sequence[Any], parameters: list[Any], inputs: list[Any]) -> Any:
    wanted = [*parameters, *inputs]
    total: list[Any] = [None] * len(wanted)
    for output, signal in zip(outputs, signals, strict=False):
        found = gradients(output, wanted, seed=signal)
        total = [_sum(old, new) for old, new in zip(total, found, strict=True)]
    done = [plain(leaf) * 0.0 if slope is None else slope for leaf, slope in zip(wanted, total, strict=True)]
    return done[: len(parameters)], done[len(parameters) :]


def _sum(one: Any, other: Any) -> Any:
    return one if other is None else other if one is None else one + other
