"""One path as a two-lane rail: values run forward on top, the error comes back below, box by box."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from autodiff.draw.model.cells import (
    Numbering,
    brief,
    error_cells,
    factor_text,
    forward_rows,
    hint,
    operation_sign,
    sign,
    strokes,
)
from autodiff.draw.model.picture import Box, Cell, Row, Wire
from autodiff.draw.model.voice import Voice
from autodiff.draw.views.groups import found_off_the_way, stands_on_its_wire
from autodiff.flow import Flow, FlowEdge, FlowNode, Path
from autodiff.telling.terms import notes_name

__all__ = ["MOST_BOXES", "Rail", "rail"]

MOST_BOXES: Final = 14
_FORWARD_ROW: Final = 1
_ERROR_ROW: Final = 3


class Rail:
    """Boxes and wires with ids of their own; which node stands in which box, and which wire an edge is, by id(edge)."""

    def __init__(self) -> None:
        self.boxes: list[Box] = []
        self.wires: list[Wire] = []
        self.box_of: dict[int, str] = {}
        self.wire_of: dict[int, str] = {}
        self.columns = 0

    def add_box(self, kind: str, column: int, rows: Sequence[Row], hint: str, node: FlowNode | None = None) -> str:
        box = Box(f"n{len(self.boxes)}", kind, column, tuple(rows), hint)
        self.boxes.append(box)
        self.columns = max(self.columns, column + 1)
        if node is not None:
            self.box_of[node.id] = box.id
        return box.id

    def add_wire(
        self, tail: str, head: str, rows: tuple[int, int], lane: str, label: str = "", *,
        edge: FlowEdge | None = None, step: int | None = None, width: float = 1.4,
    ) -> None:  # fmt: skip
        share = None if edge is None else edge.share
        its_sign = 1 if share is None else sign(share)
        wire = Wire(f"w{len(self.wires)}", tail, head, *rows, lane, label, step, share, width, its_sign)
        self.wires.append(wire)
        if edge is not None:
            self.wire_of[id(edge)] = wire.id


def rail(voice: Voice, flow: Flow, path: Path, numbering: Numbering) -> Rail:
    """The rail of a path: output, …, parameter and what the parameter multiplies; a long path without its middle."""
    made = Rail()
    edges = path.edges
    nodes = [flow.output, *(flow.nodes[edge.input] for edge in edges)]
    widths = strokes(edges)
    left_out = _left_out(len(nodes))
    for k, node in enumerate(nodes):
        if k in left_out:
            if k == left_out.start:
                made.add_box("more", k, _rows_of_the_rest(voice, edges, left_out), _count(voice, left_out))
            continue
        column = k if k < left_out.start else k - max(len(left_out) - 1, 0)
        kind = "parameter" if node is flow.parameter else "unit"
        made.add_box(kind, column, _rows(voice, flow, node, numbering), hint(voice, flow, node), node)
    on_its_wire = stands_on_its_wire(flow)
    source = _add_source(made, voice, flow, edges[-1], on_its_wire=on_its_wire) if edges else None
    shown = [k for k in range(len(edges)) if k not in left_out or k + 1 not in left_out]
    for position, k in enumerate(shown):
        edge, (consumer, item) = edges[k], (made.boxes[position].id, made.boxes[position + 1].id)
        rows = (_ERROR_ROW, _ERROR_ROW)
        made.add_wire(
            consumer,
            item,
            rows,
            "error",
            factor_text(voice, flow, edge),
            edge=edge,
            step=numbering.edge(edge),
            width=widths[id(edge)],
        )
        label = _forward_label(flow, edge, has_source=source is not None and k == len(edges) - 1)
        made.add_wire(item, consumer, (_FORWARD_ROW, _FORWARD_ROW), "forward", label)
    if source is not None:
        head, label = (flow.parameter.id, "×") if on_its_wire else (edges[-1].consumer, "")
        made.add_wire(source, made.box_of[head], (_FORWARD_ROW, _FORWARD_ROW), "forward", label)
    return made


def _left_out(count: int) -> range:
    """Which nodes of a long path are not drawn."""
    if count <= MOST_BOXES:
        return range(count, count)
    half = MOST_BOXES // 2
    return range(half, count - half + 1)


def _rows(voice: Voice, flow: Flow, node: FlowNode, numbering: Numbering) -> tuple[Row, ...]:
    called, error = error_cells(voice, flow, node, numbering.node(node))
    lane = "parameter" if node is flow.parameter else "forward"
    return (*forward_rows(voice, [node], lane=lane), Row("error", (called,)), Row("error", (error,)))


def _count(voice: Voice, left_out: range) -> str:
    return voice.say("term.more-nodes", count=len(left_out))


def _rows_of_the_rest(voice: Voice, edges: Sequence[FlowEdge], left_out: range) -> tuple[Row, ...]:
    """How many nodes are left out, and the product of the local gradients between them."""
    product = 1.0
    known = True
    for edge in edges[left_out.start : left_out.stop - 1]:
        known = known and edge.local is not None
        product *= edge.local or 0.0
    return (
        Row("forward", (Cell("name", "…"),)),
        Row("forward", (Cell("value", voice.say("term.more", count=len(left_out)), len(left_out)),)),
        Row("error", (Cell("error-name", voice.say("term.product")),)),
        Row("error", (Cell("error", f"× {voice.write(product)}" if known else "…", product if known else None),)),
    )


def _add_source(made: Rail, voice: Voice, flow: Flow, edge: FlowEdge, *, on_its_wire: bool) -> str | None:
    """A box for what the parameter multiplies, before it or beside it; for a bias the constant 1."""
    name = notes_name(flow.parameter)
    column = made.columns if on_its_wire else made.columns - 1
    if edge.partner is None:
        if not on_its_wire or name is None or name.letter != "b" or edge.local != 1:
            return None
        cells = Cell("name", voice.say("term.constant")), Cell("value", voice.write(1.0), 1.0)
        rows = [Row("forward", (cell,)) for cell in cells]
        return made.add_box("source", column, rows, voice.say("caption.bias"))
    partner = found_off_the_way(flow, [edge.partner]).get(edge.partner)
    if partner is None:
        return None
    return made.add_box("source", column, forward_rows(voice, [partner]), hint(voice, flow, partner), partner)


def _forward_label(flow: Flow, edge: FlowEdge, *, has_source: bool) -> str:
    consumer = flow.nodes[edge.consumer]
    return f"× {brief(edge.partner)}" if edge.partner is not None and not has_source else operation_sign(consumer)
