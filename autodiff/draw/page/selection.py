"""The boxes that a page draws for a graph, their columns, and the parameters on wires and in boxes.

A weight goes on the wire from the value it multiplies, a bias in the box of its sum; every other node is a box. In a
large graph, only the strongest boxes of each column are kept, with boxes on the paths of the flow first.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from autodiff.draw.grouping.groups import grouped, is_parameter_name
from autodiff.flow import Flow, FlowEdge

__all__ = ["Selection", "select"]

_MOST_IN_A_COLUMN: Final = 12
_MOST_COLUMNS: Final = 24


@dataclass(slots=True, eq=False)
class Selection:
    """The selected nodes, by their numbers in the graph (`autodiff.flow.numbering`).

    ``columns`` start at the output and hold boxes, each a list of node numbers. ``more`` counts the boxes left out of
    each column. ``wires`` are triples (weight, input, consumer), and ``biases`` are pairs (bias, consumer). ``nodes``
    are all nodes that are kept.
    """

    columns: list[list[list[int]]]
    more: list[int]
    wires: list[tuple[int, int, int]] = field(default_factory=list)
    biases: list[tuple[int, int]] = field(default_factory=list)
    nodes: set[int] = field(default_factory=set)


def select(flow: Flow) -> Selection:
    """Select the boxes of a flow's graph; the result is the same for every parameter unless boxes are left out.

    >>> from autodiff import Value
    >>> from autodiff.flow import error_flow
    >>> x, w = Value(3.0, name="x"), Value(2.0, name="w")
    >>> select(error_flow(w * x, w)).columns
    [[[0]], [[2], [1]]]
    """
    made = _boxes(flow)
    made.nodes = {node for column in made.columns for box in column for node in box}
    column_of = {node: k for k, column in enumerate(made.columns) for box in column for node in box}
    for node in sorted(made.nodes):
        for edge in flow.flows.edges_of(flow.flows.nodes[node]):
            if edge.input not in column_of:
                _place(made, flow, edge, column_of)
    made.nodes |= {wire[0] for wire in made.wires} | {bias for bias, _ in made.biases}
    lost = flow.flows.number_of(flow.parameter)
    if lost not in made.nodes:
        _add_box(made, lost, len(made.columns) - 1)
    return made


def _boxes(flow: Flow) -> Selection:
    """The boxes of the graph without its parameters, with units folded."""
    whole = flow.flows.to(flow.flows.nodes[-1])  # the last node is a leaf, so it splits no unit
    columns: list[list[list[int]]] = []
    for group in grouped(whole, units=True):
        columns += [[] for _ in range(group.column + 1 - len(columns))]
        box = [flow.flows.number_of(node) for node in group.nodes]
        if not _is_parameter(flow, box[0]):
            columns[group.column].append(box)
    columns = [column for column in columns if column]
    half = _MOST_COLUMNS // 2
    more = [0] * len(columns)
    if len(columns) > _MOST_COLUMNS:
        left_out = sum(map(len, columns[half:-half]))
        columns = columns[:half] + columns[-half:]
        more = [0] * len(columns)
        more[half] = left_out
    rank = _ranks(flow)
    for k, column in enumerate(columns):
        strongest = sorted(column, key=lambda box: rank(box[-1]), reverse=True)[:_MOST_IN_A_COLUMN]
        more[k] += len(column) - len(strongest)
        columns[k] = [box for box in column if box in strongest]
    return Selection(columns, more)


def _ranks(flow: Flow) -> Callable[[int], tuple[bool, bool, float]]:
    """The order of selection: values that the parameter multiplies, then nodes on the paths, then strongest errors."""
    way = {flow.flows.number_of(node) for node in flow.nodes}
    partners = {edge.partner for edge in flow.shares}
    nodes = flow.flows.nodes

    def rank(k: int) -> tuple[bool, bool, float]:
        with np.errstate(all="ignore"):
            size = float(np.linalg.norm(nodes[k].error))
        return nodes[k].label in partners, k in way, size if size == size else math.inf

    return rank


def _place(made: Selection, flow: Flow, edge: FlowEdge, column_of: dict[int, int]) -> None:
    """Find a place for a node without a box: on a wire, in its consumer's box, or in a new box."""
    if not _is_parameter(flow, edge.input):
        return
    partner = None if edge.partner is None else flow.flows.numbered.by_label.get(edge.partner)
    if partner in made.nodes:
        made.wires.append((edge.input, partner, edge.consumer))
    elif edge.partner is None and edge.local == 1:
        made.biases.append((edge.input, edge.consumer))
    elif partner is None or _is_parameter(flow, partner):
        column_of[edge.input] = column_of[edge.consumer] + 1
        _add_box(made, edge.input, column_of[edge.input])


def _add_box(made: Selection, node: int, column: int) -> None:
    made.nodes.add(node)
    if column == len(made.columns):
        made.columns.append([])
        made.more.append(0)
    made.columns[column].append([node])


def _is_parameter(flow: Flow, node: int) -> bool:
    """Whether a node is a leaf with the name of a weight or a bias."""
    found = flow.flows.nodes[node]
    return found.operation is None and is_parameter_name(found)
