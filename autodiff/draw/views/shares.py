"""Several paths as a graph of shares: a box for every unit, a row for every arriving share, and their sum below."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from autodiff.draw.grouping.groups import Group, found_off_the_way, stands_on_its_wire
from autodiff.draw.model.builder import PictureBuilder
from autodiff.draw.model.cells import (
    StepNumbers,
    error_cells,
    factor_text,
    forward_rows,
    share_cell,
    strokes,
)
from autodiff.draw.model.picture import Cell, Row
from autodiff.flow import Flow, FlowNode
from autodiff.flow.order import shares_in_order
from autodiff.telling.style import Style

__all__ = ["shares"]

_MOST_SOURCES: Final = 3
_VALUE_ROW: Final = 1


def shares(flow: Flow, style: Style, groups: Sequence[Group], numbers: StepNumbers) -> PictureBuilder:
    """The boxes of all groups on the paths, the sources of the parameter, and a wire for every share."""
    made = PictureBuilder(flow, style)
    ports: dict[int, int] = {}
    for group in groups:
        if group.on_the_way:
            _add_group(made, group, numbers, ports)
    _add_sources(made)
    last_row = {box.id: len(box.rows) - 1 for box in made.boxes}
    widths = strokes(flow.edges)
    for edge in flow.edges:
        tail, head = made.box_of[edge.consumer], made.box_of[edge.input]
        if tail != head:
            rows = (last_row[tail], ports[id(edge)])
            made.add_wire(tail, head, rows, "error", edge=edge, width=widths[id(edge)])
    parameter = made.box_of[flow.parameter.id]
    for head in dict.fromkeys(made.box_of[edge.consumer] for edge in flow.shares):
        made.add_wire(parameter, head, (_VALUE_ROW, _VALUE_ROW), "forward")
    return made


def _add_group(made: PictureBuilder, group: Group, numbers: StepNumbers, ports: dict[int, int]) -> None:
    flow, style = made.flow, made.style
    is_parameter = group.nodes == (flow.parameter,)
    rows = list(forward_rows(group.nodes, style, lane="parameter" if is_parameter else "forward"))
    arriving = shares_in_order(flow, group.nodes[-1])
    for edge in arriving:
        ports[id(edge)] = len(rows)
        rows.append(Row("error", (share_cell(flow, edge, numbers.edge(edge), style),)))
    rows += _error_rows(made, group, numbers)
    made.add_node("parameter" if is_parameter else "unit", group.column, rows, group.nodes)


def _error_rows(made: PictureBuilder, group: Group, numbers: StepNumbers) -> list[Row]:
    """The sum of the shares at each node of the group and, between z and a, the factor f′(z) of the unit."""
    flow, style = made.flow, made.style
    pairs = [error_cells(flow, node, numbers.node(node), style) for node in group.nodes]
    rows = [Row("error", tuple(name for name, _ in pairs)), Row("error", tuple(error for _, error in pairs))]
    if len(group.nodes) > 1:
        (inside,) = flow.arriving(group.nodes[0])
        factor = Cell("factor", factor_text(flow, inside, style), inside.local, numbers.edge(inside))
        rows.insert(0, Row("error", (factor,)))
    return rows


def _add_sources(made: PictureBuilder) -> None:
    """The values that the parameter multiplies, unless there are too many: before it, or beside it in the product."""
    flow = made.flow
    sources = _sources(flow)
    if len(sources) > _MOST_SOURCES:
        return
    column_of = {box.id: box.column for box in made.boxes}
    columns = made.columns
    for node, consumers in sources:
        heads = list(dict.fromkeys(made.box_of[consumer] for consumer in consumers))
        column = max(column_of[head] for head in heads) + 1
        if stands_on_its_wire(flow):
            heads, column = [made.box_of[flow.parameter.id]], columns
        box = made.add_node("source", column, forward_rows([node], made.style), [node])
        for head in heads:
            made.add_wire(box, head, (_VALUE_ROW, _VALUE_ROW), "forward")


def _sources(flow: Flow) -> list[tuple[FlowNode, list[int]]]:
    """The nodes off the paths that the parameter multiplies, each with the ids of the products."""
    products: dict[str, list[int]] = {}
    for edge in shares_in_order(flow, flow.parameter):
        if edge.partner is not None:
            products.setdefault(edge.partner, []).append(edge.consumer)
    found = found_off_the_way(flow, products)
    return [(found[partner], consumers) for partner, consumers in products.items() if partner in found]
