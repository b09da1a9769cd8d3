"""Chains of +, told as one sum: every share passes them unchanged, so a step for each addition would say nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

from autodiff.engine.graph import Node
from autodiff.flow.anomalies import Anomaly
from autodiff.flow.flows import Edge, Flows
from autodiff.flow.ledger import Flow
from autodiff.flow.numbering import NumberedGraph
from autodiff.flow.parts import FlowNode, Signal
from autodiff.slopes.slope import Slope

__all__ = ["ADD", "FEWEST_TERMS", "SIGN", "Slot", "Sums", "served_alone", "terms_below", "with_sums"]

ADD: Final = "add"
SIGN: Final = "Σ"
FEWEST_TERMS: Final = 3  # a + b stays a sum of its own

#: The number of a node and one of its inputs, counted from 0.
Slot = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Sums:
    """The terms of every sum, by the number of its last addition, and the additions inside sums, which are hidden."""

    terms: dict[int, list[Slot]]
    hidden: frozenset[int]

    def slots(self, k: int, node: Node) -> list[Slot]:
        """The inputs of a box: the terms of a sum, or the inputs of the node."""
        return self.terms.get(k) or [(k, slot) for slot in range(len(node.inputs))]


def terms_below(
    root: int, nodes: Sequence[Node], number: Callable[[Node], int | None], inside: Callable[[int], bool]
) -> tuple[list[Slot], set[int]]:
    """The inputs of a tree of additions from left to right, without zeros, and the additions below its root.

    ``inside`` says whether an addition may be part of a sum; it also has to have the shape of the last one.
    """
    found: list[Slot] = []
    hidden: set[int] = set()
    shape = getattr(nodes[root]._data, "shape", ())
    waiting = [(root, 1), (root, 0)]
    while waiting:
        owner, slot = waiting.pop()
        item = nodes[owner].inputs[slot]
        k = number(item) if isinstance(item, Node) else None
        if k is not None and inside(k) and getattr(nodes[k]._data, "shape", ()) == shape:
            hidden.add(k)
            waiting += [(k, 1), (k, 0)]
        elif k is not None or not _is_zero(item):
            found.append((owner, slot))
    return found, hidden


def _is_zero(item: Any) -> bool:
    """Whether a constant is the 0 with which Python's ``sum`` begins."""
    return isinstance(item, float | int) and item == 0


def served_alone(inputs: Sequence[Sequence[int]], uses: Mapping[int, int]) -> list[bool]:
    """Whether all that leads to a node serves only that node, for every node; inputs come after their consumers."""
    alone = [True] * len(inputs)
    for k in range(len(inputs) - 1, -1, -1):
        alone[k] = all(alone[item] and uses[item] == 1 for item in inputs[k])
    return alone


def with_sums(flow: Flow) -> Flow:
    """The flow in which each chain of + is one node with an edge to every term; the same flow if there is none.

    An addition is part of a sum if it has no name, is not the parameter, and only another addition of the same shape
    uses it, once. Values, errors, shares and paths are those of the whole flow: all local gradients left out are 1.
    In flows of several paths, sums whose terms share what leads to them stay chains: in a picture, wires to one box
    would cross more (Kullback–Leibler divergence: 7 crossings for 2), and the text tells the steps of the picture.

    >>> from autodiff import Value
    >>> from autodiff.flow import error_flow
    >>> a, b, c = (Value(1.0, name=name) for name in "abc")
    >>> flow = error_flow(a + b + c, a)
    >>> [(len(each.nodes), each.formula()) for each in (flow, with_sums(flow))]
    [(3, '1 · 1 · 1 = 1 × 1 × 1 = 1'), (2, '1 · 1 = 1 × 1 = 1')]
    """
    if flow.is_empty or isinstance(flow.flows, _FlowsOfSums):
        return flow
    parameter = flow.flows.node_of(flow.parameter)
    found = _sums(flow.flows.numbered, parameter, apart=flow.path_count > 1)
    return _FlowsOfSums(flow.flows, found).to(parameter) if found.terms else flow


def _sums(graph: NumberedGraph, parameter: Node, *, apart: bool) -> Sums:
    """All sums of a graph, or those without terms that share what leads to them."""
    nodes, terms, every = graph.nodes, dict[int, list[Slot]](), set[int]()
    additions = [k for k, node in enumerate(nodes) if _is_addition(node)]
    if len(additions) < FEWEST_TERMS - 1:
        return Sums(terms, frozenset())
    uses = Counter(item for own in graph.inputs for item in own)
    free = {k for k in additions if uses[k] == 1 and nodes[k] is not parameter and graph.name_of(nodes[k]) is None}
    alone = served_alone(graph.inputs, uses) if apart else []
    for k in additions:  # consumers before their inputs
        if k in every:
            continue
        found, hidden = terms_below(k, nodes, graph.numbers.get, free.__contains__)
        ends = (graph.numbers.get(nodes[owner].inputs[slot]) for owner, slot in found) if apart else ()
        if hidden and len(found) >= FEWEST_TERMS and all(end is None or alone[end] for end in ends):
            terms[k] = found
            every |= hidden
    return Sums(terms, frozenset(every))


def _is_addition(node: Node) -> bool:
    entry = node.origin.primitive
    return entry is not None and entry.name == ADD


class _GraphOfSums(NumberedGraph):
    """A graph in which every sum is one node."""

    def __init__(self, whole: NumberedGraph, found: Sums) -> None:
        self._whole, kept = whole, [k for k in range(len(whole.nodes)) if k not in found.hidden]
        lone = range(len(whole.nodes), len(whole.numbers))
        self.nodes = tuple(whole.nodes[k] for k in kept)
        self.labels, self.given = whole.labels, whole.given
        self.every = (*self.nodes, *(whole.every[k] for k in lone))
        self.numbers = {node: number for number, node in enumerate(self.every)}
        self.origins = [whole.origins[k] for k in (*kept, *lone)]
        self.data = [whole.data[k] for k in (*kept, *lone)]
        self.slots = {whole.nodes[k]: slots for k, slots in found.terms.items()}

    @cached_property
    def by_label(self) -> dict[str, int]:
        return {self.labels[node]: number for node, number in self.numbers.items()}

    def inputs_of(self, node: Node) -> Sequence[Any]:
        slots = self.slots.get(node)
        return node.inputs if slots is None else [self._whole.nodes[owner].inputs[slot] for owner, slot in slots]

    def name_of(self, node: Node) -> str | None:
        return self._whole.name_of(node)

    def slope_of(self, node: Node, slot: int, local: float | None) -> Slope | None:
        return None if node in self.slots else super().slope_of(node, slot, local)

    def described(self, node: Node, error: Signal, *, at_kink: bool = False, id: int | None = None) -> FlowNode:
        made = super().described(node, error, at_kink=at_kink, id=id)
        return replace(made, symbol=SIGN) if node in self.slots else made


class _FlowsOfSums(Flows):
    """The flows through a graph in which every sum is one node, from the backward pass of the whole graph."""

    numbered: _GraphOfSums

    def __init__(self, whole: Flows, found: Sums) -> None:
        self._whole, self.signals, self.lone = whole, whole.signals, whole.lone
        self.numbered = _GraphOfSums(whole.numbered, found)
        self._edges: dict[Node, tuple[Edge, ...]] = {}
        self._made: dict[Node, FlowNode] = {}

    @cached_property
    def first_values(self) -> tuple[Anomaly, ...]:
        """Those of the whole graph outside sums, and those inside at their sums."""
        nodes = (self._shown(self._whole.node_of(anomaly.node)) for anomaly in self._whole.first_values)
        return tuple(Anomaly("value", self._of(node)) for node in dict.fromkeys(nodes))

    def _shown(self, node: Node) -> Node:
        """The node itself, or the sum in which it is hidden."""
        while node not in self.numbered.numbers:
            (node,) = self._whole.consumers[node]
        return node

    def way_to(self, parameter: Node) -> list[Node]:
        return [node for node in self._whole.way_to(parameter) if node in self.numbered.numbers]

    def _edges_from(self, node: Node) -> Iterator[Edge]:
        slots = self.numbered.slots.get(node)
        if slots is None:
            yield from super()._edges_from(node)
            return
        nodes = self._whole.graph
        owned = {(owner, edge[1]): edge for owner in {owner for owner, _ in slots} for edge in self._from(nodes[owner])}
        for position, place in enumerate(slots):
            if place in owned:
                item, _, *told = owned[place]
                yield (item, position, *told)

    def _from(self, node: Node) -> tuple[Edge, ...]:
        return self._whole.told_from(node)
