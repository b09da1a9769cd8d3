"""The chain rule on a recorded graph: every consumer sends each of its inputs a share, and the shares add up.

Two passes give the same numbers to the last bit. The *slot pass* keeps counts and signals in two slots of the nodes;
one pass at a time may use them. The *general pass* keeps all its state in dictionaries of its own, so that threads and
nested passes never meet; it also serves where the result is to be a graph itself, or only some gradients are wanted.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from typing import Any, Final

import numpy as np

from autodiff.engine.general_pass import general_pass
from autodiff.engine.graph import Node, add_to_grads, own_copy
from autodiff.engine.slot_pass import slot_pass
from autodiff.primitives.operands import describe

__all__ = ["backpropagate", "own_copy", "run_backward"]

Deliver = Callable[[Node, Any], None]

_slots_in_use: Final = threading.Lock()


def backpropagate(output: Node, seed: Any = None, *, create_graph: bool = False) -> dict[Node, Any]:
    """The error signal of every node that ``output`` depends on: δ = ∂output/∂node, times the seed.

    Args:
        output: a Value or Tensor; without ``seed`` it must hold one number.
        seed: the error signal of the output itself, of its shape; 1 if left out.
        create_graph: signals are nodes, which can be differentiated again.

    Returns:
        {node: signal}; the node's shape and type. It writes to no node.

    Raises:
        TypeError: output is not a node. ValueError: the seed's shape is not the output's.
        StaleGraphError: data was assigned after the graph was recorded.

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

    It multiplies everywhere as IEEE does. Only where a nan comes out does it matter which zeros are those of closed
    gates; then a second pass, `gated`, delivers anew. Elsewhere the question costs nothing, as 0 times a finite number
    is 0.

    ``deliver`` None adds the signals to ``.grad``. An array may be shared with other nodes: `own_copy` before keeping
    it. With ``wanted``, only those nodes matter: what leads to none of them may be left out.
    """
    seed = _seed_of(output, seed, create_graph=create_graph)
    gated = create_graph
    if not create_graph and (wanted is None or seed.__class__ is float) and not _slots_in_use.locked():
        with _slots_in_use:  # ``with``: no interrupt comes between taking the lock and being sure to release it
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
    """The seed as the output's kind of signal: 1 if None; raises as `backpropagate` says."""
    if not isinstance(output, Node):
        raise TypeError(
            f"a gradient needs an output that was computed from Values or Tensors, and got {describe(output)}; "
            "a plain number means that the graph was left on the way, for example by .data or float()"
        )
    data = output._data
    if seed is None:
        return 1.0 if data.__class__ is float else _one(data)
    if isinstance(seed, Node):
        if not create_graph:
            raise TypeError("the seed is a node, which only a pass with create_graph=True can use; pass seed.data")
        shape = np.shape(seed._data)
    else:
        if isinstance(seed, bool | str) or not np.isrealobj(seed) or np.asarray(seed).dtype.kind not in "fiu":
            raise TypeError(f"the seed is a number or an array of the output's shape, and got {describe(seed)}")
        shape = np.shape(seed)
    if shape != np.shape(data):
        raise ValueError(f"the seed has shape {shape}, the output {np.shape(data)}; they must be the same")
    if isinstance(seed, Node):
        return seed
    return float(seed) if data.__class__ is float else np.array(seed, data.dtype)


def _one(data: Any) -> Any:
    """The error signal 1 of an array that holds one number."""
    if data.__class__ is np.float64:  # what NumPy's sums give
        return np.array(1.0)
    if data.size != 1:
        raise ValueError(
            f"the output has shape {data.shape}; a gradient is taken of one number, so reduce it, as with .sum(), "
            "or pass a seed of that shape"
        )
    return np.ones(data.shape, data.dtype)


