"""Gradients of a recorded output with respect to nodes of its graph."""

from __future__ import annotations

from typing import Any

from autodiff.engine.backward import own_copy, run_backward
from autodiff.engine.graph import Node
from autodiff.engine.trees import flatten, rebuild
from autodiff.primitives.operands import describe
from autodiff.values.reading import WATCHES, passed

__all__ = ["gradients"]


def gradients(output: Any, inputs: Any, *, seed: Any = None, create_graph: bool = False) -> Any:
    """Return ∂output/∂input for every input, times the seed, without changing any ``.grad``; all transforms use it.

    Args:
        output: a Value or Tensor; without ``seed`` it must hold one number.
        inputs: a node, or nested lists, tuples and dicts of nodes, which may be leaves or intermediate results.
        seed: the error signal of the output, of the output's shape; 1 if omitted.
        create_graph: if true, the gradients are nodes, which can be differentiated again.

    Returns:
        the structure of ``inputs`` with floats for Values and arrays for Tensors (nodes with ``create_graph``);
        None for a node on which the output does not depend.

    Raises:
        TypeError: if the output or an input is not a node.
        ValueError: if the shape of the seed is not that of the output.
        StaleGraphError: if data was assigned after the graph was recorded.

    Source: notes, section 1.5.

    >>> from autodiff import Value
    >>> x, y = Value(2.0), Value(3.0)
    >>> gradients(x * y, {"x": x, "y": y})
    {'x': 3.0, 'y': 2.0}
    """
    wanted = flatten(inputs)
    for item in wanted:
        if not isinstance(item, Node):
            raise TypeError(f"the inputs of gradients must be Values or Tensors, got {describe(item)}")
    if WATCHES and not create_graph and isinstance(output, Node):
        passed(output)
    found: dict[Node, Any] = {}
    targets = set(wanted)

    def deliver(node: Node, signal: Any) -> None:
        if node in targets:
            found[node] = own_copy(signal)

    run_backward(output, seed, deliver, create_graph=create_graph, wanted=targets)
    if create_graph:
        found = {node: _as_node(signal, node) for node, signal in found.items()}
    return rebuild(inputs, [found.get(item) for item in wanted])


def _as_node(signal: Any, like: Node) -> Any:
    return signal if isinstance(signal, Node) else type(like).constant(signal)
