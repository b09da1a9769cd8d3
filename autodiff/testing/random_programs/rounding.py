"""How far the gradients of two correct engines may differ by rounding."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from autodiff.engine.graph import Node, topological
from autodiff.engine.shares import edge_shares
from autodiff.testing.random_programs.program import Program
from autodiff.testing.subject import Arrays

__all__ = ["NUDGE", "reach", "tolerances"]

NUDGE: Final = 1e-8  # relative change of the result of a step, to see how a derivative responds


def reach(output: Node | None, leaves: Sequence[Node]) -> Arrays:
    """The size of the gradients of ``leaves`` if no shares cancelled: sums of the absolute values of shares.

    >>> from autodiff import Value
    >>> x = Value(3.0)
    >>> reach(x * x - 5.0 * x, [x])
    [array(11.)]
    """
    sizes: dict[Node, Any] = {} if output is None else {output: np.ones(np.shape(output.data))}
    for node in () if output is None else topological(output)[::-1]:
        signal = sizes.get(node)
        if signal is not None:
            for item, size in _sizes_of_shares(node, signal):
                sizes[item] = sizes.get(item, 0.0) + size
    return [np.asarray(sizes.get(leaf, np.zeros(np.shape(leaf.data)))) for leaf in leaves]


def _sizes_of_shares(node: Node, signal: Any) -> list[tuple[Node, Any]]:
    """The absolute shares of a signal; a second signal is used too, as shares may cancel inside a product of arrays."""
    if node.scalar:
        return [(item, np.abs(share)) for item, share in edge_shares(node, float(signal))]
    waves = np.cos(np.arange(np.size(signal))).reshape(np.shape(signal))
    both = zip(edge_shares(node, signal), edge_shares(node, signal * waves), strict=True)
    return [(item, np.maximum(np.abs(one), np.abs(other))) for (item, one), (_, other) in both]


def tolerances(program: Program, sizes: Sequence[Any], derivatives: Callable[[int], Sequence[Any]]) -> list[Any]:
    """How far two correct engines may differ, for each derivative and element.

    An operation and its rule may round by 1e-12 of their results (some thousand units in the last place, for
    1 − tanh² near `LIMIT`). To first order, a derivative changes by 1e-12 times the sum of its ``sizes``, the `reach`
    of each, and of its relative response to a change of each result alone.

    Args:
        derivatives: the derivatives after the result of step k changed by `NUDGE` of itself; −1 changes none.
    """
    base = derivatives(-1)
    for k in range(len(program.steps)):
        moves = [np.abs(moved - part) / NUDGE for moved, part in zip(derivatives(k), base, strict=True)]
        sizes = [size + move for size, move in zip(sizes, moves, strict=True)]
    return [1e-12 * size for size in sizes]
