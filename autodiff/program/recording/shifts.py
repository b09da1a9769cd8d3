"""Whether it matters which of several numbers ``max`` or ``min`` gave back.

The usual softmax takes m = max(v.data for v in logits) and computes with v − m. At another point another logit may be
the largest, but the result is the same for *every* m: e^(v−m)/Σe^(v−m) does not depend on it. So the criterion is: the
numbers were read for ``max`` or ``min`` alone (nobody else holds them, so all uses of the one that came back are uses
of the maximum), and if all of them are shifted by different amounts, every result and every gradient stays the same, at
the point of the recording and at another one. Then the comparisons need no guard. The replay computes m from the logit
that was the largest while recording: as long as nothing overflows the numbers agree to rounding, and where something
does overflow, the result is inf or nan, which is computed again eagerly, with a new recording.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

import numpy as np

from autodiff.engine.backward import run_backward
from autodiff.engine.graph import Node, own_copy
from autodiff.program.recording.recording import Guard, Recording
from autodiff.program.recording.rerun import rerun
from autodiff.values.tensor import Tensor
from autodiff.values.value import Value

__all__ = ["irrelevant"]

_TOLERANCE: Final = 1e-9


def irrelevant(recording: Recording, order: Sequence[Node], guards: Sequence[Guard], integers: Sequence[int]) -> bool:
    """Whether no result and no gradient depends on the numbers that these guards compared."""
    random = np.random.default_rng(0)
    kept = set(order)
    shifted = {node for guard in guards for node in guard.nodes if node in kept}
    if not shifted:
        return True
    leaves = (*recording.inputs, *recording.parameters)
    shifts = {node: random.uniform(0.3, 1.5) * random.choice((-1.0, 1.0)) for node in shifted}
    here = rerun(recording, order, {}, integers, shifts)
    outputs = recording.outputs
    if not _agree([node._data for node in outputs], [here[node]._data for node in outputs]):
        return False
    point = {leaf: _moved(leaf, random) for leaf in leaves}
    found = [_everything(recording, rerun(recording, order, point, integers, each), point) for each in ({}, shifts)]
    return _agree(*found)


def _moved(leaf: Any, random: np.random.Generator) -> Any:
    """A leaf with other data, near those of ``leaf``."""
    change = 0.1 * random.uniform(-1.0, 1.0, () if leaf.scalar else leaf.shape)
    data = leaf._data + change * (np.abs(leaf._data) + 0.1)
    return Value(float(data)) if leaf.scalar else Tensor(np.asarray(data, leaf._data.dtype))


def _everything(recording: Recording, found: Mapping[Node, Any], point: Mapping[Node, Any]) -> list[Any]:
    """All results of a run, and their gradients with respect to the leaves at its point."""
    outputs = [found[node] for node in recording.outputs]
    numbers = [output._data for output in outputs]
    for output in outputs:
        slopes: dict[Node, Any] = dict.fromkeys(point.values(), 0.0)
        seed = 0.7 if output.scalar else np.full(output.shape, 0.7, output._data.dtype)
        run_backward(output, seed, partial(_keep, slopes))
        numbers += slopes.values()
    return numbers


def _keep(slopes: dict[Node, Any], node: Node, signal: Any) -> None:
    if node in slopes:
        slopes[node] = own_copy(signal)


def _agree(left: list[Any], right: list[Any]) -> bool:
    size = max(1e-300, max(float(np.max(np.abs(item))) if np.size(item) else 0.0 for item in left))
    return all(
        bool(np.all(np.abs(np.subtract(one, other)) <= _TOLERANCE * (np.abs(one) + 1e-3 * size)))
        for one, other in zip(left, right, strict=True)
    )
