"""Marks where numbers stop being finite: on the box that has the first such number, and on the wire it came by."""

from __future__ import annotations

from dataclasses import replace

from autodiff.draw.model.voice import Voice
from autodiff.draw.views.groups import has_much_off_path
from autodiff.draw.views.rail import Rail
from autodiff.flow import Flow

__all__ = ["mark", "marks"]


def marks(voice: Voice, flow: Flow) -> tuple[dict[str, str], dict[int, str]]:
    """What the marks say: of boxes by the labels of their nodes, of wires by id(edge)."""
    boxes: dict[str, str] = {}
    wires: dict[int, str] = {}
    for anomaly in flow.anomalies:
        said = voice.say(f"anomaly.{anomaly.kind}")
        boxes.setdefault(anomaly.node.label, said)
        if anomaly.edge is not None:
            wires[id(anomaly.edge)] = said
    return boxes, wires


def mark(made: Rail, voice: Voice, flow: Flow) -> None:
    """Put the marks on boxes and wires that are drawn."""
    by_label, by_edge = marks(voice, flow)
    if not by_label:
        return
    nodes = flow.nodes if has_much_off_path(flow) else flow.every
    of_box = {made.box_of[node.id]: by_label[node.label] for node in nodes[::-1]
              if node.label in by_label and node.id in made.box_of}  # fmt: skip
    of_wire = {made.wire_of[edge]: said for edge, said in by_edge.items() if edge in made.wire_of}
    made.boxes = [replace(box, mark=of_box.get(box.id, "")) for box in made.boxes]
    made.wires = [replace(wire, mark=of_wire.get(wire.id, "")) for wire in made.wires]
