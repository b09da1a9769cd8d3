"""The numbering of a graph's nodes, with their labels, shared by the ledger, pages and pictures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

from autodiff.engine.graph import Node
from autodiff.engine.plain import plain
from autodiff.flow.labels import labels, whole_formula
from autodiff.flow.parts import FlowNode, Signal, Wire
from autodiff.naming.steps import names_of_steps
from autodiff.naming.variable_names import names_in
from autodiff.slopes.slope import Slope, slope
from autodiff.words.formulas import of_constant

__all__ = ["NumberedGraph"]


class NumberedGraph:
    """The nodes of one graph, each with a unique number and label.

    Numbers count from 0, the output, in the order of the backward pass: consumers come before their inputs. A ``lone``
    node, on which the output does not depend, comes last. ``numbers`` and ``labels`` are keyed by node; ``by_label``
    maps labels to numbers; ``data`` is that of the nodes when they were numbered.

    >>> from autodiff import Value, topological
    >>> x = Value(2.0, name="x")
    >>> graph = NumberedGraph(topological(x * x)[::-1])
    >>> graph.by_label, graph.inputs
    ({'x·x': 0, 'x': 1}, [[1, 1], []])
    """

    def __init__(self, order: Sequence[Node], names: Any = None, lone: Node | None = None) -> None:
        self.nodes = tuple(order)
        self.given = names_in({} if names is None else names)
        self.given |= names_of_steps(self.nodes, self.given)
        self.every = self.nodes if lone is None else (*self.nodes, lone)
        self.labels = labels(self.every[::-1], self.given)
        self.numbers = {node: number for number, node in enumerate(self.every)}
        #: what ledger nodes are made of when they are asked for, as it is now: names and data may change
        self.origins = [node.origin for node in self.every]
        self.data = [node._data for node in self.every]

    @cached_property
    def by_label(self) -> dict[str, int]:
        """The numbers of the nodes by their labels."""
        return dict(zip(reversed(self.labels.values()), range(len(self.labels)), strict=True))

    @cached_property
    def inputs(self) -> list[list[int]]:
        """The numbers of every node's inputs, slot by slot, without constants."""
        return [[self.numbers[item] for item in self.inputs_of(node) if isinstance(item, Node)] for node in self.nodes]

    def inputs_of(self, node: Node) -> Sequence[Any]:
        """The inputs of a node, nodes and constants, in the order of its slots."""
        return node.inputs

    def name_of(self, node: Node) -> str | None:
        """The name that a user gave to a node, or to the variable that holds it."""
        return self.origins[self.numbers[node]].name or self.given.get(node)

    def whole_of(self, node: Node) -> str:
        """The whole formula of a node whose label has gaps; "" for any other."""
        if "…" not in self.labels[node] or self.name_of(node) is not None or node.is_leaf:
            return ""
        return whole_formula(node, self.name_of, self.labels)

    def wires(self) -> Iterator[Wire]:
        """Every edge of the graph, consumer by consumer."""
        for consumer, node in enumerate(self.nodes):
            for slot, item in enumerate(self.inputs_of(node)):
                if isinstance(item, Node):
                    yield Wire(consumer, self.numbers[item], slot)

    def number_of(self, node: FlowNode) -> int:
        """The number of a node from any flow of this graph, whatever its id in that flow."""
        return self.by_label[node.label]

    def node_of(self, node: FlowNode) -> Node:
        """The Value or Tensor that a flow's node describes."""
        return self.every[self.number_of(node)]

    def slope_of(self, node: Node, slot: int, local: float | None) -> Slope | None:
        """The local gradient of a node for the input in ``slot`` as a formula; None if it is a number that needs none.

        Numbers that have changed since ``local`` was computed are left out.
        """
        entry = node.origin.primitive
        if entry is None:
            return None
        names = [self.labels[item] if isinstance(item, Node) else of_constant(item)[0] for item in node.inputs]
        numbers = None if local is None else [float(plain(item)) for item in (*node.inputs, node)]
        found = slope(entry, slot, node.origin.params, [*names, self.labels[node]], numbers, local)
        return found if found is not None and (found.symbols or found.conditions) else None

    def data_of(self, item: Any) -> Any:
        """The data that an input of a node had when the nodes were numbered."""
        return self.data[self.numbers[item]] if isinstance(item, Node) else item

    def described(self, node: Node, error: Signal, *, at_kink: bool = False, id: int | None = None) -> FlowNode:
        """A ledger node with its label, its value and its error; its id is its number unless ``id`` is given."""
        number = self.numbers[node]
        origin = self.origins[number]
        entry, name = origin.primitive, origin.name or self.given.get(node)
        operation, symbol = (None, None) if entry is None else (entry.name, entry.symbol)
        called = number if id is None else id, self.labels[node], name, operation, symbol
        return FlowNode(*called, self.data[number], error, at_kink, origin.line)
