"""The flows of one output's error to every node of its graph, all computed by one backward pass."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import cached_property
from typing import Any

import numpy as np

from autodiff.engine.backward import backpropagate
from autodiff.engine.gates import Reach, everywhere, has_nan, reach, reached
from autodiff.engine.graph import BY_RULE, Node
from autodiff.engine.shares import edge_shares, local_gradients, plain_shares
from autodiff.flow.anomalies import Anomaly, first_values
from autodiff.flow.labels import read_edge
from autodiff.flow.ledger import Flow
from autodiff.flow.numbering import NumberedGraph
from autodiff.flow.parts import FlowEdge, FlowNode, Signal
from autodiff.primitives.operands import describe
from autodiff.primitives.table.units import hinge
from autodiff.primitives.whole import unfolded
from autodiff.slopes.slope import Slope

__all__ = ["Edge", "Flows", "error_flow"]

#: The input of an edge, then the fields of its `FlowEdge` from ``slot`` on: what is the same in every flow.
Edge = tuple[Node, int, float | None, str, str | None, Signal, Signal, bool]


def error_flow(output: Any, parameter: Any, *, seed: Any = None, names: Any = None) -> Flow:
    """Follow the error from ``output`` to ``parameter`` and return its ledger: each share is δ × local gradient.

    Args:
        output: a Value or Tensor; without ``seed``, it must hold one number.
        parameter: any node of a graph, a leaf or a result, such as ``network.parameter("W14(1)")``.
        seed: the error signal of the output, in the output's shape; 1 by default.
        names: names for unnamed nodes, such as ``locals()``; see `autodiff.naming.variable_names.names_in`.

    Returns:
        a `Flow`. It is empty, with gradient None, if ``output`` does not depend on ``parameter``. A gradient has the
        unit of the output per unit of the parameter.

    Raises:
        TypeError: if output or parameter is not a node. ValueError: if the output holds several numbers and no seed
        is given, or if the shape of the seed does not match. StaleGraphError: if data was assigned after the graph was
        recorded.

    At a kink, the local gradient follows the table of primitives, and the node has ``at_kink`` set.

    Source: notes, section 1.5 ("error sharing").

    >>> from autodiff import Value
    >>> a, b = Value(2.0, name="a"), Value(3.0, name="b")
    >>> flow = error_flow(a * b + a, a)
    >>> [(edge.local_symbol, edge.share) for edge in flow.shares], flow.gradient, flow.path_count
    ([('1', 1.0), ('b', 3.0)], 4.0, 2)
    """
    _check_parameter(parameter)
    return Flows(output, parameter, seed=seed, names=names).to(parameter)


class Flows:
    """The flows of one output's error to every node of its graph, from one backward pass.

    `error_flow` creates it and keeps it as ``Flow.flows``. ``nodes`` are all nodes of the graph in the order of the
    backward pass, with their numbers in ``numbered`` as ids. Values and errors are those at the time of the pass.

    >>> from autodiff import Value
    >>> a, b = Value(2.0, name="a"), Value(3.0, name="b")
    >>> flows = error_flow(a * b, a).flows
    >>> flows.to(b).gradient, [edge.share for edge in flows.edges()]
    (2.0, [3.0, 2.0])
    """

    def __init__(self, output: Node, parameter: Node, *, seed: Any = None, names: Any = None) -> None:
        self.signals = backpropagate(output, seed)
        if (inside := unfolded(output, self.signals)) is not output:
            self.signals = backpropagate(inside, seed)
        self.lone = None if parameter in self.signals else parameter
        self.numbered = NumberedGraph(list(self.signals), names, self.lone)
        self._edges: dict[Node, tuple[Edge, ...]] = {}
        self._made: dict[Node, FlowNode] = {}
        self._first_way: list[Node] = []

    @cached_property
    def nodes(self) -> tuple[FlowNode, ...]:
        """All nodes of the graph; made when they are asked for, because one way often needs few of very many."""
        return tuple(map(self._of, self.graph))

    def edges(self) -> Iterator[FlowEdge]:
        """Every edge of the graph with its share, by the ids of ``nodes``."""
        for node in self.graph:
            yield from self._edges_of(node, self.numbered.numbers)

    def edges_of(self, node: FlowNode) -> tuple[FlowEdge, ...]:
        """The edges that share out the error of ``node``, by the ids of ``nodes``."""
        return tuple(self._edges_of(self.node_of(node), self.numbered.numbers))

    def to(self, parameter: Node | FlowNode) -> Flow:
        """The flow to a node of the graph, given as a Value or Tensor or as a node of one of these flows."""
        if isinstance(parameter, FlowNode):
            parameter = self.node_of(parameter)
        if parameter is self.lone:
            target, way = self._described(parameter, None), []
        else:
            way = self.way_to(parameter)
            target = self._of(parameter)
        ids = {node: k for k, node in enumerate(way)}
        nodes = tuple(map(self._of, way, range(len(way))))
        return Flow(
            output=nodes[0] if nodes else self._of(self.graph[0]),
            parameter=nodes[-1] if nodes else target,
            seed=self.signals[self.graph[0]],
            gradient=target.error,
            nodes=nodes,
            edges=tuple(edge for node in way[:-1] for edge in self._edges_of(node, ids)),
            flows=self,
        )

    @cached_property
    def first_values(self) -> tuple[Anomaly, ...]:
        """The values that stop being finite, in the order of computation."""
        return tuple(first_values(self.graph[::-1], self.numbered.data[len(self.graph) - 1 :: -1], self._of))

    @property
    def graph(self) -> tuple[Node, ...]:
        """The Values or Tensors themselves, in the order of ``nodes``."""
        return self.numbered.nodes

    def labelled(self, labels: Collection[str]) -> Iterator[FlowNode]:
        """The nodes with these labels, in the order of ``nodes``."""
        called = self.numbered.labels
        return (self._of(node) for node in self.graph if called[node] in labels)

    def number_of(self, node: FlowNode) -> int:
        """The index in ``nodes`` of a node of any of these flows."""
        return self.numbered.number_of(node)

    def node_of(self, node: FlowNode) -> Node:
        """The Value or Tensor that a node of these flows describes."""
        return self.numbered.node_of(node)

    def label_of(self, node: Node) -> str:
        """The label of a Value or Tensor of the graph."""
        return self.numbered.labels[node]

    def slope_of(self, node: FlowNode, edge: FlowEdge) -> Slope | None:
        """The local gradient of an edge from ``node`` as a formula; None if it is only a number or the other factor."""
        if edge.local_symbol == edge.partner:
            return None
        return self.numbered.slope_of(self.node_of(node), edge.slot, edge.local)

    def _described(self, node: Node, error: Signal, id: int | None = None) -> FlowNode:
        return self.numbered.described(node, error, at_kink=self._at_kink(node), id=id)

    def _at_kink(self, node: Node) -> bool:
        """Whether a Value was computed exactly at a kink of its primitive."""
        entry = node.origin.primitive
        if entry is None or not (entry is hinge or (entry.arity == 1 and entry.domain[0].kinks)) or not node.scalar:
            return False
        data = [self.numbered.data_of(item) for item in node.inputs]
        if entry is hinge:
            score, corrupt = data
            margin = node.origin.params.get("margin", entry.defaults["margin"])
            return bool(margin + corrupt - score == 0)
        return not entry.singular and data[0] in entry.domain[0].kinks

    def _of(self, node: Node, id: int | None = None) -> FlowNode:
        """The ledger node of a node on which the output depends; a new one for an ``id`` other than its number."""
        if id is not None and id != self.numbered.numbers[node]:
            return self._described(node, self.signals[node], id)
        found = self._made.get(node)
        if found is None:
            found = self._made[node] = self._described(node, self.signals[node])
        return found

    def way_to(self, parameter: Node) -> list[Node]:
        """The nodes between output and parameter, in the order of the backward pass."""
        numbers = self.numbered.numbers
        way = {parameter}
        if self._first_way and self._first_way[-1] is parameter:  # a picture asks for the way of its flow again
            return self._first_way
        if not self._first_way:  # most flows are asked for one way, and a map of all consumers takes as long as ten
            before = self.graph[: numbers[parameter]]
            for node in reversed(before):
                for item in node.inputs:
                    if isinstance(item, Node) and item in way:
                        way.add(node)
                        break
            self._first_way = [*(node for node in before if node in way), parameter]
            return self._first_way
        stack = [parameter]
        while stack:
            fresh = {*self.consumers.get(stack.pop(), ())} - way
            way |= fresh
            stack += fresh
        return sorted(way, key=numbers.__getitem__)

    @cached_property
    def consumers(self) -> dict[Node, list[Node]]:
        consumers: dict[Node, list[Node]] = {}
        for node in self.graph:
            for item in node.inputs:
                if isinstance(item, Node):
                    consumers.setdefault(item, []).append(node)
        return consumers

    def _edges_of(self, node: Node, ids: Mapping[Node, int]) -> Iterator[FlowEdge]:
        """The edges from ``node`` to those of its inputs that have an id."""
        consumer = ids[node]
        for edge in self.told_from(node):
            id = ids.get(edge[0])
            if id is not None:
                yield FlowEdge(consumer, id, *edge[1:])

    def told_from(self, node: Node) -> tuple[Edge, ...]:
        """Each edge from ``node``, computed once, in the order of the backward pass."""
        made = self._edges.get(node)
        if made is None:
            made = self._edges[node] = tuple(self._edges_from(node))
        return made

    @cached_property
    def _come(self) -> dict[Node, Reach]:
        """How far the error reaches; needed only where 0 meets an infinity."""
        return reached(self.graph[0], self.signals[self.graph[0]])

    def _edges_from(self, node: Node) -> Iterator[Edge]:
        """Each edge to a node, in the order of the backward pass."""
        error, inputs = self.signals[node], node.inputs
        by_rule = node.da is BY_RULE
        if by_rule:
            with np.errstate(all="ignore"):
                shares = plain_shares(node, error, {item for item in inputs if isinstance(item, Node)})
                spoiled = any(has_nan(share) for _, share in shares)
        else:  # floats: no rule runs, and none of NumPy's warnings can come
            shares = plain_shares(node, error, ())
            spoiled = any(share != share for _, share in shares)
        if spoiled:
            shares = edge_shares(node, error, come=self._come[node])
        partials = (None,) * len(inputs) if by_rule else local_gradients(node)
        labels, left = self.numbered.labels, iter(shares)
        for slot, item in enumerate(inputs):
            if isinstance(item, Node):
                local, (_, share) = partials[slot], next(left)
                closed = local == 0 and not reach(node, everywhere(node)).inputs[slot]
                yield (item, slot, local, *read_edge(node, slot, local, labels), error, share, closed)


def _check_parameter(parameter: Any) -> None:
    if isinstance(parameter, str):
        raise TypeError(
            f"expected the parameter as a node, but got the name {parameter!r}; "
            f"look it up in its network first: network.parameter({parameter!r})"
        )
    if not isinstance(parameter, Node):
        raise TypeError(
            f"expected the parameter as a Value or Tensor of the output's graph, but got {describe(parameter)}"
        )
