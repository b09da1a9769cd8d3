"""Compute a recorded graph again, on other leaves, node by node: a new graph of the same structure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autodiff.engine.graph import Node, post_order
from autodiff.primitives.registry import RECORDERS, Objects
from autodiff.primitives.table.units import identity
from autodiff.program.recording.integers import index_of
from autodiff.program.recording.recording import Recording
from autodiff.values.tensor import Tensor
from autodiff.values.value import Value

__all__ = ["ordered", "rerun"]


def ordered(outputs: Sequence[Node], selections: Mapping[Node, Any]) -> list[Node]:
    """All nodes on which the outputs depend, through selections too, inputs first."""
    last = object()

    def before(item: Any) -> list[Any]:
        if item is last:
            return list(outputs)
        parts = selections[item].candidates if item in selections else item.inputs
        return [part for part in parts if isinstance(part, Node)]

    return [item for item in post_order(last, before) if item is not last]  # type: ignore[misc]


def rerun(
    recording: Recording, order: Sequence[Node], leaves: Mapping[Node, Any], integers: Sequence[int]
) -> dict[Node, Any]:
    """For each node of the recorded graph, the new node that was computed in its place.

    Args:
        order: the nodes, as `ordered` gives them.
        leaves: nodes, and what takes their place; other leaves stay.
        integers: the integers of the run.
    """
    found: dict[Node, Any] = dict(leaves)
    selections, indices = recording.selections, recording.indices
    for node in order:
        if node in found:
            continue
        if node in selections:
            chosen = selections[node]
            item = chosen.candidates[integers[chosen.which]]
            found[node] = found[item] if isinstance(item, Node) else Value.constant(float(item))
        elif node.a is None:
            found[node] = node
        else:
            which = index_of(indices[node], integers) if node in indices else None
            found[node] = _again(node, [found[x] if isinstance(x, Node) else x for x in node.inputs], which)
    return found


def _again(node: Any, inputs: list[Any], index: Any) -> Any:
    entry, params = node.origin.primitive, dict(node.origin.params)
    if index is not None:
        params["index"] = index
    if node.scalar and entry is identity and not inputs[0].scalar:
        return Value.from_tensor(inputs[0])
    if node.scalar and entry.reduces:
        row = np.empty(len(inputs), object)
        row[:] = inputs
        made = RECORDERS[Objects](entry, (row,), params)
    else:
        made = RECORDERS[Value if node.scalar else Tensor](entry, tuple(inputs), params)
    if index is None:
        made.origin = node.origin  # with its name
    return made
