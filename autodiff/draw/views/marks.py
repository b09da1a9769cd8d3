"""Marks where numbers stop being finite: on the box with the first such number, and on the wire it arrived by."""

from __future__ import annotations

from autodiff.draw.grouping.groups import has_much_off_path
from autodiff.draw.model.builder import PictureBuilder
from autodiff.draw.views.saturation import mark_saturation
from autodiff.flow import Flow
from autodiff.telling.style import Style

__all__ = ["mark", "marks"]


def marks(flow: Flow, style: Style) -> tuple[dict[int, str], dict[int, str]]:
    """The texts of marks: on boxes by the numbers of their nodes in the graph, on wires by id(edge)."""
    nodes: dict[int, str] = {}
    edges: dict[int, str] = {}
    for anomaly in flow.anomalies:
        said = style.say(f"anomaly.{anomaly.kind}")
        nodes.setdefault(flow.flows.number_of(anomaly.node), said)
        if anomaly.edge is not None:
            edges[id(anomaly.edge)] = said
    return nodes, edges


def mark(made: PictureBuilder) -> None:
    """Mark the boxes and wires that are drawn."""
    mark_saturation(made)
    flow = made.flow
    of_nodes, of_edges = marks(flow, made.style)
    if not of_nodes:
        return
    boxes: dict[str, str] = {}
    for node in flow.nodes if has_much_off_path(flow) else flow.every:
        said = of_nodes.get(flow.flows.number_of(node))
        if said is not None and node.id in made.box_of:
            boxes.setdefault(made.box_of[node.id], said)
    made.mark(boxes, {made.wire_of[edge]: said for edge, said in of_edges.items() if edge in made.wire_of})
