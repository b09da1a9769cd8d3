"""Groups of nodes that share a box, and the columns of the groups."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from autodiff.draw.model.quick import place_of
from autodiff.flow import Flow, FlowNode
from autodiff.flow.order import in_order, notes_name, suffix

__all__ = ["Group", "found_off_the_way", "grouped", "has_much_off_path", "is_parameter_name", "stands_on_its_wire"]

_MOST_OFF_PATH: Final = 400

_PARAMETER_LETTERS = frozenset("WbUVw")
_SCORES: Final = ("s", "s_c")


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """The nodes of one box from left to right, (z, a) or a single node; ``column`` counts from 0 at the output."""

    nodes: tuple[FlowNode, ...]
    column: int
    on_the_way: bool


def has_much_off_path(flow: Flow) -> bool:
    """Whether more nodes are off the paths than readers can take in; then none of them is drawn or examined."""
    return len(flow.flows.graph) - len(flow.nodes) > _MOST_OFF_PATH


def found_off_the_way(flow: Flow, labels: Collection[str]) -> dict[str, FlowNode]:
    """The nodes with these labels that are off the paths."""
    if has_much_off_path(flow):
        on_the_way = {node.label for node in flow.nodes}
        return {n.label: n for n in flow.flows.labelled(labels) if n.label not in on_the_way}
    return {node.label: node for node in flow.off_path if node.label in labels}


def grouped(flow: Flow, *, units: bool, off_path: bool = True) -> list[Group]:
    """The groups of a flow's nodes, column by column, and in reading order within a column.

    With ``units``, the z and a of a unit share a box. Weights and biases off the paths are left out, since wires
    represent them. Without ``off_path``, every node off the paths is left out.
    """
    edges = [*_edges(flow, off_path=off_path)]
    every = flow.every if off_path else flow.nodes
    inner = _inner_nodes(flow, every, edges) if units else {}
    outer = {z: a for a, z in inner.items()}
    column: dict[int, int] = {flow.output.id: 0}
    for consumer, item in edges:
        if outer.get(item) != consumer:
            column[item] = max(column.get(item, 0), column[outer.get(consumer, consumer)] + 1)
        else:
            column[item] = column[consumer]
    groups = [
        Group(
            (every[inner[node.id]], node) if node.id in inner else (node,), column[node.id], node.id < len(flow.nodes)
        )
        for node in every
        if node.id not in outer and not _is_left_out(flow, node)
    ]
    return sorted(groups, key=lambda group: (group.column, in_order(group.nodes[-1])))


def is_parameter_name(node: FlowNode) -> bool:
    """Whether a node has the name of a weight or a bias in the notes."""
    name = place_of(node) if (node.name or " ")[0] in _PARAMETER_LETTERS else None
    return name is not None and name.letter in _PARAMETER_LETTERS


def stands_on_its_wire(flow: Flow) -> bool:
    """Whether the parameter's box lies on the wire from the value it multiplies to the weighted sum of a unit.

    This holds for weights and biases of a layer. Any other factor leads into its product, beside the other factor.
    """
    parameter = flow.parameter
    if parameter.operation is not None or not is_parameter_name(parameter):
        return False
    return all(_is_of_a_layer(flow.nodes[edge.consumer]) for edge in flow.shares)


def _is_of_a_layer(node: FlowNode) -> bool:
    """Whether a node has the name of a unit's weighted sum or of the score."""
    name = notes_name(node)
    return name is not None and (name.layer is not None or name.letter in _SCORES)


def _is_left_out(flow: Flow, node: FlowNode) -> bool:
    return node.id >= len(flow.nodes) and node.operation is None and is_parameter_name(node)


def _edges(flow: Flow, *, off_path: bool) -> Iterator[tuple[int, int]]:
    """(consumer, input) of every edge, each after all edges to its consumer."""
    for edge in flow.edges:
        yield edge.consumer, edge.input
    for wire in flow.off_path_wires if off_path else ():
        yield wire.consumer, wire.input


def _inner_nodes(flow: Flow, every: Sequence[FlowNode], edges: Sequence[tuple[int, int]]) -> dict[int, int]:
    """For each unit's a, the id of its z: its only input, with no other consumer, in the same unit and layer."""
    inputs = Counter(consumer for consumer, _ in edges)
    uses = Counter(item for _, item in edges)
    return {
        consumer: item
        for consumer, item in edges
        if inputs[consumer] == uses[item] == 1 and _are_one_unit(every[item], every[consumer])
        and flow.parameter.id not in (consumer, item)
    }  # fmt: skip


def _are_one_unit(z: FlowNode, a: FlowNode) -> bool:
    names = notes_name(z), notes_name(a)
    if names[0] is None or names[1] is None or names[0].letter != "z" or names[1].letter not in ("a", "h"):
        return False
    return (names[0].indices, names[0].layer, suffix(z)) == (names[1].indices, names[1].layer, suffix(a))
