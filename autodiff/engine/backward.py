"""The chain rule on a recorded graph: every consumer sends each of its inputs a share, and the shares add up.

Two passes give the same numbers bit for bit. The *slot pass* keeps counts and signals in two slots of the nodes, which
one pass at a time may use. The *general pass* keeps all its state in private dictionaries, so that threads and nested
passes do not interfere; it also runs if the result must itself be a graph, or if only some gradients are wanted.
"""

from __future__ import annotations

import threading
from collections.abc import Collection
from typing import Any, Final

import numpy as np

from autodiff.engine.general_pass import general_pass
from autodiff.engine.graph import Deliver, Node, add_to_grads, own_copy
from autodiff.engine.slot_pass import slot_pass
from autodiff.primitives.operands import describe

__all__ = ["backpropagate", "own_copy", "run_backward"]

_slots_in_use: Final = threading.Lock()


def backpropagate(output: Node, seed: Any = None, *, create_graph: bool = False) -> dict[Node, Any]:
    """Return the error signal δ = ∂output/∂node, times the seed, of every node on which ``output`` depends.

    Args:
        output: a Value or Tensor; without ``seed`` it must hold one number.
        seed: the error signal of the output, of the output's shape; 1 if omitted.
        create_graph: if true, the signals are nodes, which can be differentiated again.

    Returns:
        {node: signal}; each signal has the shape and type of its node. No node is changed.

    Raises:
        TypeError: if the output is not a node.
        ValueError: if the shape of the seed is not that of the output.
        StaleGraphError: if data was assigned after the graph was recorded.

    Source: notes, section 1.5 ("general step").

    >>> from autodiff import Value
    >>> x = Value(3.0)
    >>> y = x * x
    >>> backpropagate(y)[x]
    6.0
    """
    signals: dict[Node, Any] = {}

    def deliver(node: Node, signal: Any) -> None:
        signals[node] = own_copy(signal)

    run_backward(output, seed, deliver, create_graph=create_graph)
    return signals


def run_backward(
    output: Node,
    seed: Any,
    deliver: Deliver | None,
    *,
    create_graph: bool = False,
    wanted: Collection[Node] | None = None,
) -> None:
    """Run a backward pass and hand each node's final signal to ``deliver(node, signal)``.

    The first pass multiplies everywhere by IEEE arithmetic. Only if it produces a nan does it matter which zeros come
    from closed gates; then a second pass, `gated`, delivers again. Otherwise gates cost nothing, because 0 times a
    finite number is 0.

    If ``deliver`` is None, the signals are added to ``.grad``. An array may be shared with other nodes: take `own_copy`
    before keeping it. With ``wanted``, nodes that lead to none of these nodes may be omitted.
    """
    seed = _seed_of(output, seed, create_graph=create_graph)
    gated = create_graph
    entry: Any = output.origin.primitive
    if deliver is None and entry is not None and entry.add_all is not None and entry.add_all(output, seed):
        return
    if not create_graph and (wanted is None or seed.__class__ is float) and not _slots_in_use.locked():
        with _slots_in_use:  # ``with``: no interrupt can prevent the release of a lock once taken
            if slot_pass(output, seed, deliver):
                return
        gated = True
    arrived: dict[Node, Any] = {}

    def keep(node: Node, signal: Any) -> None:
        arrived[node] = own_copy(signal)

    hand = keep if deliver is None else deliver
    if not general_pass(output, seed, hand, wanted, gated=gated, create_graph=create_graph):
        general_pass(output, seed, hand, wanted, gated=True)
    if deliver is None:
        add_to_grads(arrived)


def _seed_of(output: Any, seed: Any, *, create_graph: bool = False) -> Any:
    """The seed as a signal of the output's kind, 1 if None; raises the errors of `backpropagate`."""
    if not isinstance(output, Node):
        raise TypeError(
            f"a gradient needs an output computed from Values or Tensors, and got {describe(output)}; if that is a "
            "plain number or array, the computation left the graph, for example through .data or .item()"
        )
    data = output._data
    if seed is None:
        return 1.0 if data.__class__ is float else _one(data)
    if isinstance(seed, Node):
        if not create_graph:
            raise TypeError("the seed is a node, which needs create_graph=True; without it, pass seed.data")
        shape = np.shape(seed._data)
    else:
        if isinstance(seed, bool | str) or not np.isrealobj(seed) or np.asarray(seed).dtype.kind not in "fiu":
            raise TypeError(f"the seed must be a number or an array of the output's shape, got {describe(seed)}")
        shape = np.shape(seed)
    if shape != np.shape(data):
        raise ValueError(f"the seed has shape {shape}, but the output has shape {np.shape(data)}; they must match")
    if isinstance(seed, Node):
        return seed
    return float(seed) if data.__class__ is float else np.array(seed, data.dtype)


def _one(data: Any) -> Any:
    """The error signal 1 of an array that holds one number."""
    if data.__class__ is np.float64:  # the type of NumPy's sums
        return np.array(1.0)
    if data.size != 1:
        raise ValueError(
            f"the output has shape {data.shape}, but a gradient needs one number; reduce the output, for example with "
            ".sum(), or pass a seed of that shape"
        )
    return np.ones(data.shape, data.dtype)


