"""The gradients of matrices as outer products on the page: both factors as tiles, with their names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import numpy as np

from autodiff.draw.model.cells import brief
from autodiff.draw.model.tiles import full_scale, pooled, tile_rows
from autodiff.flow import Flow
from autodiff.telling.derivation import OuterProduct, outer_product
from autodiff.telling.style import Style

__all__ = ["outer_data"]

_MOST_EXAMPLES: Final = 16  # of a batch, in each factor

#: Writes one text in all languages and returns its place.
_Write = Callable[[Callable[[Style], str]], int]


def outer_data(told: Mapping[int, Flow], scales: Mapping[str, float], write: _Write) -> dict[int, list[Any]]:
    """By the place of a matrix: for each factor, its name, lane and rows of tiles; then the texts below the gradient.

    ``told`` has the flow to each node by its place, and ``scales`` are those of values and errors, which the factors
    share with the boxes that they come from.

    >>> from autodiff import Tensor
    >>> from autodiff.flow import error_flow
    >>> W, x = Tensor(np.eye(2), name="W"), Tensor([3.0, -4.0], name="x")
    >>> outer_data({0: error_flow((W @ x).sum(), W)}, {"forward": 4.0, "error": 1.0}, lambda say: 0)
    {0: [['(error at W @ x)', 'error', ['6', '6']], ['xᵀ', 'forward', ['6f']], []]}
    """
    found = {}
    for place, flow in told.items():
        made = outer_product(flow) if np.ndim(flow.parameter.value) == 2 and np.size(flow.gradient) > 1 else None
        if made is not None and made.left.size and made.right.size:
            found[place] = [*_factors(made, scales), list(_notes(made, flow, write))]
    return found


def _factors(made: OuterProduct, scales: Mapping[str, float]) -> Iterable[list[Any]]:
    shown = pooled(made.left, columns=_MOST_EXAMPLES), pooled(made.right, rows=_MOST_EXAMPLES)
    for (lane, whole), matrix, name in zip(made.factors(), shown, (made.left_name, made.right_name), strict=True):
        scale = scales[lane] if lane in scales else full_scale([whole])
        yield [brief(name), lane, [*tile_rows(matrix, scale)]]


def _notes(made: OuterProduct, flow: Flow, write: _Write) -> Iterable[int]:
    """What the factors do not show: what their product is summed over, and other shares."""

    def again(style: Style) -> OuterProduct:
        found = outer_product(flow, style)
        return made if found is None else found

    if made.sum:
        yield write(lambda style: again(style).sum)
    if made.rest_name:
        yield write(lambda style: style.say("tiles.rest", rest=again(style).rest_name))
