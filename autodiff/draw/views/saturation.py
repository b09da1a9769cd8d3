"""Marks of lost error: a row in the box of every saturated unit, and on the strongest path the factor that loses most.

The marks are words in the drawing; only pictures with a saturated unit have them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from autodiff.draw.model.builder import PictureBuilder
from autodiff.draw.model.picture import Box, Cell, Row
from autodiff.flow import FlowNode, bracketed
from autodiff.flow.factors import Factor, is_saturated
from autodiff.telling.style import Style

__all__ = ["mark_saturation"]


def mark_saturation(made: PictureBuilder) -> None:
    """Mark the boxes of saturated units and, if there are any, the wire or box that loses most."""
    flow = made.flow
    units: dict[str, list[FlowNode]] = {}
    for edge in flow.edges:
        if edge.consumer in made.box_of and is_saturated(edge, flow.nodes):
            units.setdefault(made.box_of[edge.consumer], []).append(flow.nodes[edge.consumer])
    if not units:
        return
    made.boxes = [
        _with_row(box, "saturated", _saturated(box, units[box.id], made.style)) if box.id in units else box
        for box in made.boxes
    ]
    path, weakest = flow.strongest_path, flow.weakest
    if weakest is not None and path is not None and path.product is not None and math.isfinite(path.product):
        _mark_weakest(made, weakest)


def _saturated(box: Box, units: Sequence[FlowNode], style: Style) -> str:
    """The word; with the names of the units where the box also shows another window."""
    windows = sum(row.cells[-1].role == "error" for row in box.rows)
    if len(units) >= windows:
        return style.say("mark.saturated")
    return style.say("mark.saturated-units", units=", ".join(unit.label for unit in units))


def _mark_weakest(made: PictureBuilder, weakest: Factor) -> None:
    """Mark the wire of the weakest factor, or the box that contains both its ends."""
    edge, style = weakest.edge, made.style
    if edge is None:
        return
    key = ("mark.loses" if weakest.number else "mark.loses-all") + "-on-path" * (made.flow.path_count > 1)
    factor = f"× {bracketed(style.write(weakest.number))}"
    its_wire, its_box = made.wire_of.get(id(edge)), made.box_of.get(edge.consumer)
    if its_wire is not None:
        place, wire = next((k, wire) for k, wire in enumerate(made.wires) if wire.id == its_wire)
        made.wires[place] = replace(wire, label=style.say(key, factor=wire.label or factor), loses=True)
    elif its_box is not None and its_box == made.box_of.get(edge.input):
        said = style.say(key, factor=factor)
        made.boxes = [_with_row(box, "loses", said) if box.id == its_box else box for box in made.boxes]


def _with_row(box: Box, role: str, text: str) -> Box:
    return replace(box, rows=(*box.rows, Row("none", (Cell(role, text),))))
