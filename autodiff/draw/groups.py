"""Which nodes of a flow share a box, and in which column it stands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from autodiff.flow import Flow, FlowNode
from autodiff.terms import in_order, notes_name, suffix

__all__ = ["Group", "grouped", "is_parameter_name"]

_PARAMETER_LETTERS = frozenset("WbUw")


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Nodes of one box from left to right, (z, a) or one alone; ``column`` counts from 0, the output's."""

    nodes: tuple[FlowNode, ...]
    column: int
    on_the_way: bool


def grouped(flow: Flow, *, units: bool) -> list[Group]:
    """The groups of a flow's nodes, column by column and in reading order within one.

    With ``units`` a unit's z and a, one behind the other, stand in one box. Weights and biases that are not on the way
    are left out: a wire stands for them.
    """
    inner = _inner_nodes(flow) if units else {}
    outer = {z: a for a, z in inner.items()}
    column: dict[int, int] = {flow.output.id: 0}
    for consumer, item in _edges(flow):
        if outer.get(item) != consumer:
            column[item] = max(column.get(item, 0), column[outer.get(consumer, consumer)] + 1)
        else:
            column[item] = column[consumer]
    every = (*flow.nodes, *flow.rest)
    groups = [
        Group(
            (every[inner[node.id]], node) if node.id in inner else (node,), column[node.id], node.id < len(flow.nodes)
        )
        for node in every
        if node.id not in outer and not _is_left_out(flow, node)
    ]
    return sorted(groups, key=lambda group: (group.column, in_order(group.nodes[-1])))


def is_parameter_name(node: FlowNode) -> bool:
    """Whether a node is called like a weight or a bias of the notes."""
    name = notes_name(node)
    return name is not None and name.letter in _PARAMETER_LETTERS


def _is_left_out(flow: Flow, node: FlowNode) -> bool:
    return node.id >= len(flow.nodes) and node.operation is None and is_parameter_name(node)


def _edges(flow: Flow) -> Iterator[tuple[int, int]]:
    """(consumer, input) of every edge, each after all edges to its consumer."""
    for edge in flow.edges:
        yield edge.consumer, edge.input
    for wire in flow.rest_wires:
        yield wire.consumer, wire.input


def _inner_nodes(flow: Flow) -> dict[int, int]:
    """For each unit's a the id of its z: made from it alone, used by it alone, and of the same unit and layer."""
    every = (*flow.nodes, *flow.rest)
    inputs: Counter[int] = Counter()
    uses: Counter[int] = Counter()
    for consumer, item in _edges(flow):
        inputs[consumer] += 1
        uses[item] += 1
    return {
        consumer: item
        for consumer, item in _edges(flow)
        if inputs[consumer] == uses[item] == 1 and _are_one_unit(every[item], every[consumer])
        and flow.parameter.id not in (consumer, item)
    }  # fmt: skip


def _are_one_unit(z: FlowNode, a: FlowNode) -> bool:
    names = notes_name(z), notes_name(a)
    if names[0] is None or names[1] is None or (names[0].letter, names[1].letter) != ("z", "a"):
        return False
    return (names[0].indices, names[0].layer, suffix(z)) == (names[1].indices, names[1].layer, suffix(a))
