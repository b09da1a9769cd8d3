"""The one numbering of a graph's nodes, with their labels: that of the ledger, of pages and of pictures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from autodiff.engine.graph import Node
from autodiff.flow.labels import labels
from autodiff.flow.parts import FlowNode, Signal, Wire
from autodiff.flow.variable_names import names_in

__all__ = ["NumberedGraph"]


class NumberedGraph:
    """The nodes of one graph, each with a number and a label of its own.

    Numbers count from 0, the output, in the order of the backward pass: consumers come before their inputs. A ``lone``
    node, which the output does not depend on, has the number behind all others. ``numbers`` and ``labels`` are by node,
    ``by_label`` holds the numbers by label.

    >>> from autodiff import Value, topological
    >>> x = Value(2.0, name="x")
    >>> graph = NumberedGraph(topological(x * x)[::-1])
    >>> graph.by_label, graph.inputs
    ({'multiply': 0, 'x': 1}, [[1, 1], []])
    """

    def __init__(self, order: Sequence[Node], names: Mapping[str, Any] | None = None, lone: Node | None = None) -> None:
        self.nodes = tuple(order)
        self._given = names_in(names or {})
        self._every = self.nodes if lone is None else (*self.nodes, lone)
        self.labels = labels(self._every[::-1], self._given)
        self.numbers = {node: number for number, node in enumerate(self._every)}
        self.by_label = {self.labels[node]: number for node, number in self.numbers.items()}

    @cached_property
    def inputs(self) -> list[list[int]]:
        """The numbers of every node's inputs, slot by slot, constants left out."""
        return [[self.numbers[item] for item in node.inputs if isinstance(item, Node)] for node in self.nodes]

    def wires(self) -> Iterator[Wire]:
        """Every edge of the graph by its ends, consumer by consumer."""
        for consumer, node in enumerate(self.nodes):
            for slot, item in enumerate(node.inputs):
                if isinstance(item, Node):
                    yield Wire(consumer, self.numbers[item], slot)

    def number_of(self, node: FlowNode) -> int:
        """The number of a node that any flow of this graph describes, whatever its id there."""
        return self.by_label[node.label]

    def node_of(self, node: FlowNode) -> Node:
        """The Value or Tensor that such a node describes."""
        return self._every[self.number_of(node)]

    def described(self, node: Node, error: Signal, *, at_kink: bool = False) -> FlowNode:
        """A node with its number as id, its label and its value, and the error that arrives there."""
        entry, name = node.origin.primitive, node.name or self._given.get(node)
        operation, symbol = (None, None) if entry is None else (entry.name, entry.symbol)
        return FlowNode(self.numbers[node], self.labels[node], name, operation, symbol, node._data, error, at_kink)
