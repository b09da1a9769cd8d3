"""Chains of + merged by hand: what pictures, pages and texts have to say of a ledger whose sums are one step."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import strategies as st

import autodiff as ad
from autodiff import Node, Value, error_flow
from autodiff.flow import Flow, FlowEdge, FlowNode

LONGEST = 20  # characters of a label that stands in full in its box


class Merged:
    """The nodes and edges of a flow, and of its whole graph, without the additions inside sums of three terms or more.

    Edges keep the ids of their flow; those of the whole graph count the terms of a sum from left to right. In flows of
    several paths, sums whose terms share what leads to them stay as they are.
    """

    def __init__(self, flow: Flow) -> None:
        self.flow, self.graph = flow, flow.flows.graph
        self.parameter = flow.flows.node_of(flow.parameter)
        self.users: dict[int, list[Node]] = {}
        for node in self.graph:
            for item in node.inputs:
                self.users.setdefault(id(item), []).append(node)
        self.root_of: dict[str, str] = {}
        self.terms: dict[str, list[Any]] = {}
        for node in self.graph:
            terms = [*self.leaves(node, node)] if self.is_sum(node) and not self.is_inner(node) else []
            long = len([x for x in terms if isinstance(x, Node) or x != 0]) >= 3
            if long and not (flow.path_count > 1 and any(map(self.shares, terms))):
                self.terms[flow.flows.label_of(node)] = terms

        for node in self.graph:
            root = node
            while self.is_inner(root):
                (root,) = self.users[id(root)]
            if root is not node and flow.flows.label_of(root) in self.terms:
                self.root_of[flow.flows.label_of(node)] = flow.flows.label_of(root)

    def is_sum(self, node: Any) -> bool:
        """Whether a node was computed by +."""
        return isinstance(node, Node) and node.origin.primitive is not None and node.origin.primitive.name == "add"

    def is_inner(self, node: Any) -> bool:
        """Whether a node is an unnamed addition that one addition of its shape uses once."""
        users = self.users.get(id(node), [])
        free = self.is_sum(node) and node.name is None and node is not self.parameter and len(users) == 1
        return free and self.is_sum(users[0]) and np.shape(users[0]._data) == np.shape(node._data)

    def shares(self, term: Any) -> bool:
        """Whether something that leads to a term also leads elsewhere."""
        inputs = [item for item in getattr(term, "inputs", ()) if isinstance(item, Node)]
        return any(len(self.users[id(item)]) > 1 or self.shares(item) for item in inputs)

    def leaves(self, node: Any, root: Node) -> Iterator[Any]:
        """The terms below a sum."""
        for item in node.inputs if node is root or self.is_inner(node) else ():
            yield from self.leaves(item, root) if self.is_inner(item) else [item]

    @property
    def nodes(self) -> list[FlowNode]:
        """The nodes on the way, with their ids in the flow."""
        return [node for node in self.flow.nodes if node.label not in self.root_of]

    def edges(self, of: Iterable[FlowEdge] | None = None) -> list[FlowEdge]:
        """The edges of the flow, or those given."""
        return self._joined(self.flow.edges if of is None else of, self.flow.nodes)

    def every_edge(self) -> Iterator[tuple[str, str, int, float | None, Any]]:
        """The edges of the whole graph: labels, slot, local gradient and share."""
        every = self.flow.flows.nodes
        places: dict[str, int] = {}
        for edge in self._joined(self.flow.flows.edges(), every):
            root, item = every[edge.consumer].label, every[edge.input].label
            slot = edge.slot
            if root in self.terms:
                found = [k for k, x in enumerate(self._told(root)) if x == item and k >= places.get(root + item, 0)]
                slot = found[0]
                places[root + item] = slot + 1
            yield root, item, slot, edge.local, edge.share

    def _told(self, root: str) -> list[Any]:
        terms = [x for x in self.terms[root] if isinstance(x, Node) or x != 0]
        return [self.flow.flows.label_of(x) if isinstance(x, Node) else x for x in terms]

    def _joined(self, edges: Iterable[FlowEdge], nodes: tuple[FlowNode, ...]) -> list[FlowEdge]:
        ids = {node.label: node.id for node in nodes}
        joined = []
        for edge in edges:
            consumer = nodes[edge.consumer].label
            if nodes[edge.input].label not in self.root_of:
                root = self.root_of.get(consumer, consumer)
                joined.append(replace(edge, consumer=ids[root]))
            else:
                assert np.array_equal(edge.share, edge.error, equal_nan=True)
        return joined


@st.composite
def sums(draw: st.DrawFn) -> Flow:
    """The flow through random sums, products and tanh; some sums have names, and some are used twice."""
    made = [Value(draw(st.sampled_from([0.5, -1.25, 2.0])), name=name) for name in "abcd"]
    for k in range(draw(st.integers(2, 7))):
        x, y = (made[-1 - draw(st.integers(0, min(len(made), 5) - 1))] for _ in range(2))
        kind = draw(st.sampled_from(["+", "+", "+", "+", "*", "tanh"]))
        new = x + y if kind == "+" else x * y if kind == "*" else ad.tanh(x)
        if kind != "+" or draw(st.integers(0, 4)) == 0:
            new.name = f"n{k}"
        elif len(error_flow(new, new).output.label) > LONGEST:
            new.name = f"m{k}"
        made.append(new)
    nodes = [node for node in ad.topological(made[-1]) if node is not made[-1]]
    return error_flow(made[-1], nodes[draw(st.integers(0, len(nodes) - 1))])
