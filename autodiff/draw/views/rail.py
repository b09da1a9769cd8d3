"""One path as a two-lane rail: values run forward in the upper lane, and the error flows back in the lower one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from autodiff.draw.grouping.groups import found_off_the_way, stands_on_its_wire
from autodiff.draw.model.builder import PictureBuilder
from autodiff.draw.model.cells import (
    StepNumbers,
    brief,
    error_cells,
    factor_text,
    forward_rows,
    operation_symbol,
    strokes,
    whole_factor,
)
from autodiff.draw.model.picture import Cell, Row
from autodiff.flow import Flow, FlowEdge, FlowNode, Path
from autodiff.flow.order import notes_name
from autodiff.telling.style import Style

__all__ = ["MOST_BOXES", "rail"]

MOST_BOXES: Final = 14
_FEW: Final = 4  # boxes; between them is room for formulas
_FORWARD_ROW: Final = 1
_ERROR_ROW: Final = 3


def rail(flow: Flow, style: Style, path: Path, numbers: StepNumbers) -> PictureBuilder:
    """The rail of a path: output, …, parameter and the value it multiplies; a long path without its middle."""
    made = PictureBuilder(flow, style)
    edges = path.edges
    nodes = [flow.output, *(flow.nodes[edge.input] for edge in edges)]
    widths = strokes(edges)
    left_out = _left_out(len(nodes))
    for k, node in enumerate(nodes):
        if k in left_out:
            if k == left_out.start:
                said = style.say("term.more-nodes", count=len(left_out))
                made.add_box("more", k, _rows_left_out(edges, left_out, style), said)
            continue
        column = k if k < left_out.start else k - max(len(left_out) - 1, 0)
        kind = "parameter" if node is flow.parameter else "unit"
        made.add_node(kind, column, _rows(made, node, numbers), [node])
    on_its_wire = stands_on_its_wire(flow)
    source = _add_source(made, edges[-1], on_its_wire=on_its_wire) if edges else None
    shown = [k for k in range(len(edges)) if k not in left_out or k + 1 not in left_out]
    for position, k in enumerate(shown):
        edge, (consumer, item) = edges[k], (made.boxes[position].id, made.boxes[position + 1].id)
        made.add_wire(
            consumer, item, (_ERROR_ROW, _ERROR_ROW), "error",
            factor_text(flow, edge, style, has_room=len(nodes) <= _FEW), edge=edge, step=numbers.edge(edge),
            width=widths[id(edge)], hint=whole_factor(edge, style),
        )  # fmt: skip
        label = _forward_label(made, edge, has_source=source is not None and k == len(edges) - 1)
        made.add_wire(item, consumer, (_FORWARD_ROW, _FORWARD_ROW), "forward", label)
    if source is not None:
        head, label = (flow.parameter.id, "×") if on_its_wire else (edges[-1].consumer, "")
        made.add_wire(source, made.box_of[head], (_FORWARD_ROW, _FORWARD_ROW), "forward", label)
    return made


def _left_out(count: int) -> range:
    """The nodes of a long path that are not drawn."""
    if count <= MOST_BOXES:
        return range(count, count)
    half = MOST_BOXES // 2
    return range(half, count - half + 1)


def _rows(made: PictureBuilder, node: FlowNode, numbers: StepNumbers) -> tuple[Row, ...]:
    called, error = error_cells(made.flow, node, numbers.node(node), made.style)
    lane = "parameter" if node is made.flow.parameter else "forward"
    return (*forward_rows([node], made.style, lane=lane), Row("error", (called,)), Row("error", (error,)))


def _rows_left_out(edges: Sequence[FlowEdge], left_out: range, style: Style) -> tuple[Row, ...]:
    """The number of nodes left out, and the product of the local gradients between them."""
    product = 1.0
    known = True
    for edge in edges[left_out.start : left_out.stop - 1]:
        known = known and edge.local is not None
        product *= edge.local or 0.0
    return (
        Row("forward", (Cell("name", "…"),)),
        Row("forward", (Cell("value", style.say("term.more", count=len(left_out)), len(left_out)),)),
        Row("error", (Cell("error-name", style.say("term.product")),)),
        Row("error", (Cell("error", f"× {style.write(product)}" if known else "…", product if known else None),)),
    )


def _add_source(made: PictureBuilder, edge: FlowEdge, *, on_its_wire: bool) -> str | None:
    """A box for the value that the parameter multiplies, before or beside it; for a bias, the constant 1."""
    flow, style = made.flow, made.style
    name = notes_name(flow.parameter)
    column = made.columns if on_its_wire else made.columns - 1
    if edge.partner is None:
        if not on_its_wire or name is None or name.letter != "b" or edge.local != 1:
            return None
        cells = Cell("name", style.say("term.constant")), Cell("value", style.write(1.0), 1.0)
        rows = [Row("forward", (cell,)) for cell in cells]
        return made.add_box("source", column, rows, style.say("caption.bias"))
    partner = found_off_the_way(flow, [edge.partner]).get(edge.partner)
    if partner is None:
        return None
    return made.add_node("source", column, forward_rows([partner], style), [partner])


def _forward_label(made: PictureBuilder, edge: FlowEdge, *, has_source: bool) -> str:
    if edge.partner is not None and not has_source:
        return f"× {brief(edge.partner)}"
    return operation_symbol(made.flow.nodes[edge.consumer], made.style)
