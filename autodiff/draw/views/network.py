"""The network view: neurons in layers, weights as wires, and in colour the error's paths to one parameter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import replace
from typing import Any, Final

from autodiff.draw.grouping.groups import Group, grouped, is_parameter_name, stands_on_its_wire
from autodiff.draw.model.builder import PictureBuilder
from autodiff.draw.model.captions import formula, paths
from autodiff.draw.model.cells import brief, error_cells, factor_text, forward_rows, hint, sign, strokes
from autodiff.draw.model.picture import Cell, Picture, Row
from autodiff.draw.views.marks import mark
from autodiff.engine.graph import BY_RULE, Node
from autodiff.engine.shares import local_gradients
from autodiff.flow import Flow, FlowNode, Wire
from autodiff.flow.labels import read_edge
from autodiff.flow.order import in_order, notes_name
from autodiff.telling.remarks import remarks
from autodiff.telling.steps import steps
from autodiff.telling.style import Style

__all__ = ["network"]

_MOST_IN_A_COLUMN: Final = 9
_MOST_NUMBERED: Final = 20  # wires between two columns
_VALUE_ROW: Final = 1
_ERROR_ROW: Final = 3


def network(flow: Flow, style: Style) -> Picture:
    """The network of a flow's output, built only from its nodes' names in the notes; two windows share the neurons.

    Raises:
        ValueError: if no node has the name of a neuron in the notes.
    """
    groups = grouped(flow, units=True)
    if not any(_is_neuron(group.nodes[-1]) for group in groups):
        raise ValueError(
            "the view 'network' needs nodes with names of neurons (z₁⁽²⁾, a₁⁽²⁾, …), but there are none; "
            "use the view 'graph'"
        )
    return _Net(flow, style, groups).picture()


def _reading_order(unit: Sequence[Group]) -> tuple[Any, ...]:
    """A sort key: units by their index, the true window first, then other nodes."""
    node = unit[0].nodes[-1]
    name = notes_name(node)
    return (0, name.indices, in_order(node)) if name is not None else (1, (), in_order(node))


def _is_neuron(node: FlowNode) -> bool:
    """Whether a node has the name of a z, an a or, in a time step, an h."""
    name = notes_name(node)
    return name is not None and (name.letter in ("z", "a") or (name.letter == "h" and name.layer is not None))


class _Net:
    """Draws one network."""

    def __init__(self, flow: Flow, style: Style, groups: Sequence[Group]) -> None:
        self.flow, self.style, self.made = flow, style, PictureBuilder(flow, style)
        self.every = flow.every
        self.called: dict[Node, dict[Node, str]] = {}  # for each consumer, the labels of its inputs
        self.rows: dict[int, int] = {}  # the first row of each node's block
        self.on_its_wire = stands_on_its_wire(flow)
        beside = {node.label: node.id for node in flow.off_path if not is_parameter_name(node)}  # weights are wires
        heads = {id(edge): flow.parameter.id if self.on_its_wire else edge.consumer for edge in flow.shares}
        #: from the parameter's partner to the parameter itself, or to the product
        self.factors = {(beside[edge.partner], heads[id(edge)]) for edge in flow.shares if edge.partner in beside}
        self.sources = {source for source, _ in self.factors}
        self.units: dict[Hashable, list[Group]] = {}
        for group in groups:
            self.units.setdefault(self.key(group), []).append(group)

    def key(self, group: Group) -> Hashable:
        """The identity of a box: a unit of a layer, in both windows; for the parameter or another node, the node."""
        node = group.nodes[-1]
        name = notes_name(node)
        if name is None or not _is_neuron(node) or self.flow.parameter in group.nodes:
            return node.id
        return name.layer, name.indices

    def picture(self) -> Picture:
        columns: dict[int, list[list[Group]]] = {}
        for key, column in self.columns_of_units().items():
            columns.setdefault(column, []).append(self.units[key])
        for column, (_, units) in enumerate(sorted(columns.items())):
            self.add_column(column, sorted(units, key=_reading_order))
        self.add_way()
        self.add_off_path()
        mark(self.made)
        flow, style = self.flow, self.style
        title = style.say("title.network", parameter=brief(flow.parameter.label))
        captions = (*paths(flow, style), *remarks(flow, style))
        return self.made.picture("network", title, formula(flow, style), steps(flow, style), captions)

    def columns_of_units(self) -> dict[Hashable, int]:
        """The column of each box: the same for all units of a layer, unless one of them leads into another."""
        own = {key: max(map(self.column, unit)) for key, unit in self.units.items()}
        layers: dict[Hashable, int] = {}
        for key, column in own.items():
            if isinstance(key, tuple):
                layers[key[0]] = max(layers.get(key[0], 0), column)
        level = {key: layers[key[0]] if isinstance(key, tuple) else column for key, column in own.items()}
        key_of = {node.id: key for key, unit in self.units.items() for group in unit for node in group.nodes}
        ends = [(edge.consumer, edge.input) for edge in self.flow.edges]
        ends += [(wire.consumer, wire.input) for wire in self.flow.off_path_wires]
        joined = [(key_of[one], key_of[other]) for one, other in ends if one in key_of and other in key_of]
        return level if all(one == other or level[one] < level[other] for one, other in joined) else own

    def column(self, group: Group) -> int:
        """Units go in even columns, a weight between the units that it joins."""
        return 2 * group.column - (self.on_its_wire and group.nodes[-1] is self.flow.parameter)

    # ---- boxes -------------------------------------------------------------------------------------------------------

    def add_column(self, column: int, units: Sequence[Sequence[Group]]) -> None:
        """The units of a layer; of very many, only those on the paths and the outer ones."""
        shown = [unit for unit in units if self.is_shown(unit)]
        others = [unit for unit in units if not self.is_shown(unit)]
        room = max(_MOST_IN_A_COLUMN - len(shown), 2)
        kept = others if len(others) <= room + 1 else [*others[: room - 1], others[-1]]
        here = {id(unit) for unit in (*shown, *kept)}
        left_out = 0
        for unit in units:
            if id(unit) not in here:
                left_out += 1
                continue
            if left_out:
                self.add_count(column, left_out)
                left_out = 0
            self.add_unit(column, unit)

    def add_count(self, column: int, count: int) -> None:
        """The number of units left out, at their place in the column."""
        said, whole = (self.style.say(key, count=count) for key in ("term.more", "term.more-nodes"))
        self.made.add_box("more", column, [Row("rest", (Cell("name", said, count),))], whole)

    def is_shown(self, unit: Sequence[Group]) -> bool:
        return any(group.on_the_way or self.is_source(group) for group in unit)

    def is_source(self, group: Group) -> bool:
        return any(node.id in self.sources for node in group.nodes)

    def add_unit(self, column: int, unit: Sequence[Group]) -> None:
        """A box with a block of rows for every window in which the unit is on a path, or else a circle."""
        told = hint(self.flow, unit[0].nodes[-1], self.style)
        rows: list[Row] = []
        kind = "source" if not any(group.on_the_way for group in unit) else "unit"
        for group in unit:
            if group.on_the_way or (kind == "source" and self.is_source(group)):
                self.rows.update((node.id, len(rows)) for node in group.nodes)
                rows += self.block(group)
            if self.flow.parameter in group.nodes:
                kind = "parameter"
        if not rows:
            kind, rows = "rest", [Row("rest", (Cell("name", brief(unit[0].nodes[-1].label)),))]
        self.made.add_box(kind, column, rows, told, (node for group in unit for node in group.nodes))

    def block(self, group: Group) -> list[Row]:
        is_parameter = self.flow.parameter in group.nodes
        forward = forward_rows(group.nodes, self.style, lane="parameter" if is_parameter else "forward")
        if not group.on_the_way:
            return [*forward]
        pairs = [error_cells(self.flow, node, None, self.style) for node in group.nodes]
        names, errors = zip(*pairs, strict=True)
        return [*forward, Row("error", tuple(names)), Row("error", tuple(errors))]

    # ---- wires -------------------------------------------------------------------------------------------------------

    def add_way(self) -> None:
        """The shares of the error, and the values that the parameter joins."""
        flow, made = self.flow, self.made
        widths = strokes(flow.edges)
        for edge in flow.edges:
            tail, head = made.box_of[edge.consumer], made.box_of[edge.input]
            if tail != head:
                rows = self.rows[edge.consumer] + _ERROR_ROW, self.rows[edge.input] + _ERROR_ROW
                made.add_wire(tail, head, rows, "error", edge=edge, width=widths[id(edge)])
        self.add_numbers()
        parameter = made.box_of[flow.parameter.id]
        for edge in flow.shares:
            rows = _VALUE_ROW, self.rows[edge.consumer] + _VALUE_ROW
            made.add_wire(parameter, made.box_of[edge.consumer], rows, "forward")
        for source, product in sorted(self.factors):
            ends = made.box_of[source], made.box_of[product]
            made.add_wire(*ends, (self.rows[source] + _VALUE_ROW, self.rows[product] + _VALUE_ROW), "forward")

    def add_numbers(self) -> None:
        """On each wire of the way its local gradient and, where several shares meet, its share; of many, on some."""
        flow, made = self.flow, self.made
        wire_of = {wire.id: k for k, wire in enumerate(made.wires)}
        path = flow.strongest_path
        strongest = {id(edge) for edge in path.edges} if path is not None else set()
        column = {box.id: box.column for box in made.boxes}
        beside = Counter(column[wire.head] for wire in made.wires)
        for edge in flow.edges:
            place = wire_of.get(made.wire_of.get(id(edge), ""))
            if place is None:
                continue
            numbers = [Cell("factor", factor_text(flow, edge, self.style), edge.local)]
            if len(flow.arriving(flow.nodes[edge.input])) > 1:
                share = self.style.say("term.share")
                text = f"{share} {self.style.amount(edge.share)}"
                numbers.append(Cell("share", text, edge.share, sign=sign(edge.share)))
            wire = replace(made.wires[place], hint=", ".join(cell.text for cell in numbers))
            if beside[column[wire.head]] <= _MOST_NUMBERED or id(edge) in strongest:
                wire = replace(wire, numbers=tuple(numbers))
            made.wires[place] = wire

    def add_off_path(self) -> None:
        """All other weights as grey wires, with their numbers in tooltips."""
        flow, made = self.flow, self.made
        joined = {(wire.tail, wire.head) for wire in made.wires} | {(wire.head, wire.tail) for wire in made.wires}
        joined |= {(made.box_of[s], made.box_of[edge.consumer]) for s in self.sources for edge in flow.shares}
        for wire in flow.off_path_wires:
            tail, head = made.box_of.get(wire.input), made.box_of.get(wire.consumer)
            if tail is not None and head is not None and tail != head and (tail, head) not in joined:
                joined.add((tail, head))
                rows = self.value_row(wire.input), self.value_row(wire.consumer)
                made.add_wire(tail, head, rows, "rest", width=1.0, hint=self.hint_of(wire))

    def value_row(self, node: int) -> int:
        return self.rows[node] + _VALUE_ROW if node in self.rows else 0

    def hint_of(self, wire: Wire) -> str:
        """The weight of a value off the paths: W₁₂⁽¹⁾ = −0.2."""
        flows = self.flow.flows
        node = flows.node_of(self.every[wire.consumer])
        local = None if node.da is BY_RULE else local_gradients(node)[wire.slot]
        if node not in self.called:
            self.called[node] = {item: flows.label_of(item) for item in (node, *node.inputs) if isinstance(item, Node)}
        partner = read_edge(node, wire.slot, local, self.called[node]).partner
        return "" if partner is None or local is None else f"{partner} = {self.style.write(local)}"
