"""Marks of lost error: a row in the box of every saturated unit, and on the strongest path the factor that loses most.

The marks are words in the drawing; only pictures with a saturated unit have them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from autodiff.draw.model.builder import PictureBuilder
from autodiff.draw.model.cells import brief
from autodiff.draw.model.picture import Box, Cell, Picture, Row
from autodiff.flow import Flow, FlowNode, bracketed
from autodiff.flow.factors import Factor, is_saturated
from autodiff.telling.style import Style

__all__ = ["mark_saturation", "with_saturation"]


def mark_saturation(made: PictureBuilder) -> None:
    """Mark the boxes of saturated units and, if there are any, the wire or box that loses most."""
    units = _saturated_units(made.flow, made.box_of)
    if units:
        made.boxes = [_with_units(box, units.get(box.id, ()), made.style) for box in made.boxes]
        weakest = _weakest(made.flow)
        if weakest is not None:
            _mark_weakest(made, weakest)


def with_saturation(what: Picture, flow: Flow, style: Style, box_of: Mapping[int, str]) -> Picture:
    """The picture of a computation graph with these marks, both in boxes: each factor stands at a box's port.

    ``box_of`` maps the ids of nodes on the paths to boxes.
    """
    units = _saturated_units(flow, box_of)
    if not units:
        return what
    boxes = [_with_units(box, units.get(box.id, ()), style) for box in what.boxes]
    weakest = _weakest(flow)
    if weakest is not None and weakest.edge is not None:
        place, said = box_of.get(weakest.edge.consumer), _words(weakest, flow, style)
        boxes = [_with_row(box, "loses", said) if box.id == place else box for box in boxes]
    return replace(what, boxes=tuple(boxes))


def _saturated_units(flow: Flow, box_of: Mapping[int, str]) -> dict[str, list[FlowNode]]:
    """The saturated units by the boxes that show them."""
    units: dict[str, list[FlowNode]] = {}
    for edge in flow.edges:
        if edge.consumer in box_of and is_saturated(edge, flow.nodes):
            units.setdefault(box_of[edge.consumer], []).append(flow.nodes[edge.consumer])
    return units


def _weakest(flow: Flow) -> Factor | None:
    """The factor that loses most on the strongest path, where that is a finite product."""
    path, weakest = flow.strongest_path, flow.weakest
    is_finite = path is not None and path.product is not None and math.isfinite(path.product)
    return weakest if is_finite else None


def _with_units(box: Box, units: Sequence[FlowNode], style: Style) -> Box:
    return _with_row(box, "saturated", _saturated(box, units, style)) if units else box


def _saturated(box: Box, units: Sequence[FlowNode], style: Style) -> str:
    """The word; with the names of the units where the box also shows another window, or other nodes."""
    windows = sum(row.cells[-1].role == "error" for row in box.rows)
    if len(units) >= windows and box.kind != "fold":
        return style.say("mark.saturated")
    return style.say("mark.saturated-units", units=brief(", ".join(unit.label for unit in units)))


def _mark_weakest(made: PictureBuilder, weakest: Factor) -> None:
    """Mark the wire of the weakest factor, or the box that contains both its ends."""
    edge, style = weakest.edge, made.style
    if edge is None:
        return
    its_wire, its_box = made.wire_of.get(id(edge)), made.box_of.get(edge.consumer)
    if its_wire is not None:
        place, wire = next((k, wire) for k, wire in enumerate(made.wires) if wire.id == its_wire)
        made.wires[place] = replace(wire, label=_words(weakest, made.flow, style, wire.label), loses=True)
    elif its_box is not None and its_box == made.box_of.get(edge.input):
        said = _words(weakest, made.flow, style)
        made.boxes = [_with_row(box, "loses", said) if box.id == its_box else box for box in made.boxes]


def _words(weakest: Factor, flow: Flow, style: Style, factor: str = "") -> str:
    """× 0.0001133, loses most."""
    key = ("mark.loses" if weakest.number else "mark.loses-all") + "-on-path" * (flow.path_count > 1)
    return style.say(key, factor=factor or f"× {bracketed(style.write(weakest.number))}")


def _with_row(box: Box, role: str, text: str) -> Box:
    return replace(box, rows=(*box.rows, Row("none", (Cell(role, text),))))
