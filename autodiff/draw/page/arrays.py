"""The arrays of a page as tiles, with their ranges and the scales of their colours."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from autodiff.draw.grouping.groups import is_parameter_name
from autodiff.draw.model.tiles import as_matrix, full_scale, pooled, tile_rows
from autodiff.flow import FlowNode
from autodiff.telling.style import least_mean_most

__all__ = ["array_data"]

_MOST: Final = 150  # arrays: each adds up to 2 kB
_LANES: Final = ("forward", "parameter", "error")


def array_data(nodes: Sequence[FlowNode], parameter: FlowNode) -> dict[str, Any]:
    """``tiles`` by the place of a node: whether it is a parameter, then the rows and the ranges of its value and error.

    ``scales`` are the numbers that have the full colour, by lane, and ``gradients`` those of parameters' gradients, of
    which the page shows one at a time. All are empty if there are too many arrays, and missing if there are none.

    >>> from autodiff import Tensor
    >>> from autodiff.flow import error_flow
    >>> x = Tensor([1.0, -3.0], name="x")
    >>> array_data(error_flow(x.sum(), x).nodes[1:], x)["tiles"]
    {0: [0, ['5', 'f'], ['6', '6'], [-3.0, -1.0, 1.0], [1.0, 1.0, 1.0]]}
    """
    arrays = {place: node for place, node in enumerate(nodes) if _is_array(node.value)}
    if not arrays:
        return {}
    if len(arrays) > _MOST:
        return {"tiles": {}, "scales": {}, "gradients": {}}
    green = {k for k, node in arrays.items() if node is parameter or is_parameter_name(node)}
    shown: dict[str, list[Any]] = {}
    for place, node in arrays.items():
        shown.setdefault("parameter" if place in green else "forward", []).append(node.value)
        if node.error is not None and place not in green:
            shown.setdefault("error", []).append(node.error)
    scales = {lane: full_scale(shown[lane]) for lane in _LANES if lane in shown}
    gradients = {place: full_scale([arrays[place].error]) for place in sorted(green) if arrays[place].error is not None}
    tiles = {}
    for place, node in arrays.items():
        value = _rows(node.value, scales["parameter" if place in green else "forward"])
        error = _rows(node.error, gradients[place] if place in gradients else scales.get("error", 0.0))
        tiles[place] = [int(place in green), value, error, _extent(node.value), _extent(node.error)]
    return {"tiles": tiles, "scales": scales, "gradients": gradients}


def _is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.size > 1


def _rows(array: Any, scale: float) -> list[str]:
    return [] if array is None else [*tile_rows(pooled(as_matrix(array)), scale)]


def _extent(array: Any) -> list[Any]:
    """The least, the mean and the largest entry; nan and inf as text."""
    if array is None:
        return []
    return [part if math.isfinite(part) else str(part) for part in least_mean_most(array)]
