"""The computation graph: one box for every value with its operation, and a port for every input."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from autodiff.draw.grouping.folding import CROWD, Key, Region, Scope, TimeStep, Weights, columns, scopes
from autodiff.draw.grouping.groups import is_parameter_name
from autodiff.draw.grouping.repeats import Steps, checked_unfold, folded_steps
from autodiff.draw.grouping.sums import WithSums, sums
from autodiff.draw.grouping.units import Terms, Unit
from autodiff.draw.model.captions import formula, paths, picture_style, title_of_graph
from autodiff.draw.model.cells import brief, edge_hint, in_full, line_numbers, operation_symbol, sign, whole
from autodiff.draw.model.picture import Box, Cell, Cluster, Picture, Row, Wire
from autodiff.draw.model.shorten import with_short_names
from autodiff.draw.views.arrays import array_factor, with_tiles
from autodiff.draw.views.folds import captions_on_folding, texts_of, weights_told
from autodiff.draw.views.marks import marks
from autodiff.draw.views.saturation import with_saturation
from autodiff.draw.views.wiring import Wired, joined
from autodiff.engine.graph import BY_RULE, Node, topological
from autodiff.engine.shares import local_gradients
from autodiff.flow import Flow, FlowEdge, FlowNode, Signal, bracketed
from autodiff.flow.anomalies import first_values, is_finite
from autodiff.flow.numbering import NumberedGraph
from autodiff.flow.order import in_order
from autodiff.flow.sums import SIGN, Slot
from autodiff.primitives.operands import describe
from autodiff.telling.remarks import first_value, remarks
from autodiff.telling.style import Style
from autodiff.telling.terms import local_equations

__all__ = ["MOST_BOXES", "computation", "graph_of_flow"]

MOST_BOXES: Final = 150  # readers cannot take in more
_MOST_PORTS: Final = 12
_MOST_WITH_FORMULAS: Final = 1_000  # boxes whose tooltips have them; in 10,000 they take a third of the time
_MOST_TOLD: Final = 4  # sentences about inf and nan


def computation(
    output: Any, *, names: Any = None, language: str = "en", digits: int = 4, most: int = MOST_BOXES,
    unfold: bool | str = True, errors: Mapping[Node, Signal] | None = None,
) -> Picture:  # fmt: skip
    """Build the picture of the graph that computed ``output``: a box for every value, a port for every input.

    A box holds the local gradient for each input, the operation with the value's name, and the value over its
    gradient: the content of ``.grad``, or a dash before ``backward()`` has reached the node.

    Args:
        output: a Value or Tensor.
        names: names for unnamed nodes, such as ``locals()``.
        language: "en" or "zh".
        digits: the number of significant digits.
        most: the largest number of boxes; in a larger graph, each layer or scope of names is folded into one box.
        unfold: whether to draw every step of a loop. With False, the steps between the first and the last are folded
            into one box if there are more than six; with the name of the variable whose steps they are, drawn.
        errors: the gradient of every node, to be shown instead of ``.grad``.

    Raises:
        TypeError: if ``output`` is not a node. ValueError: if the language is not supported, digits is less than 1,
        most is less than 2, or no steps of the variable ``unfold`` are folded.

    >>> from autodiff import Value
    >>> a = Value(3.0, name="a")
    >>> box = computation(a * a).boxes[0]
    >>> [cell.text for cell in box.ports], [[cell.text for cell in row.cells] for row in box.rows]
    (['× 3', '× 3'], [['×', '9'], ['', '–']])
    """
    if not isinstance(output, Node):
        raise TypeError(f"expected the output of a graph as a Value or Tensor, but got {describe(output)}")
    graph = NumberedGraph(topological(output)[::-1], names)
    items = [graph.described(node, node.grad if errors is None else errors.get(node)) for node in graph.nodes]
    style = picture_style(language, digits)
    drawer = _Drawer(style, graph, items, None, most, checked_unfold(unfold))
    made = with_tiles(drawer.picture(), style)
    return with_short_names(made, graph.by_label)


def graph_of_flow(flow: Flow, style: Style, most: int = MOST_BOXES, *, unfold: bool | str = True) -> Picture:
    """The computation graph of a flow's output: the paths to the parameter in colour, with every share on its wire."""
    drawer = _Drawer(style, flow.flows.numbered, flow.flows.nodes, flow, most, unfold)
    return with_saturation(drawer.picture(), flow, style, drawer.on_paths)


class _Drawer:
    """Draws one graph; the ids of ``items`` are the numbers of its nodes."""

    def __init__(
        self, style: Style, graph: NumberedGraph, items: Sequence[FlowNode], flow: Flow | None, most: int,
        unfold: bool | str,
    ) -> None:  # fmt: skip
        if most < 2:
            raise ValueError(f"expected room for at least 2 boxes, but got most={most}")
        self.style, self.graph, self.items, self.flow = style, graph, items, flow
        self.nodes, self.inputs = graph.nodes, graph.inputs
        self.way = [] if flow is None else [graph.number_of(node) for node in flow.nodes]
        self.on_the_way = set(self.way)
        edges = () if flow is None else flow.edges
        self.edges = {(self.way[edge.consumer], edge.slot): edge for edge in edges}
        self.first = [] if flow is not None else list(self.not_finite())
        self.box_marks, self.wire_marks = self.marks()
        apart = {*self.box_marks, *([graph.number_of(flow.parameter)] if self.way and flow is not None else [])}
        places = scopes(items, self.inputs)
        folded = folded_steps(places, items, self.inputs, self.way, unfold)
        self.sums = sums(items, self.nodes, self.inputs, apart, folded)
        self.with_sums = WithSums.of(self.sums, self.nodes, places, graph.numbers)
        self.fold = self.with_sums.fold(items, self.way, most, unfold, self.box_marks)

    def picture(self) -> Picture:
        box_of = self.fold.box_of
        members: dict[Key, list[int]] = {}
        for k in range(len(self.nodes)):
            if k in box_of:
                members.setdefault(box_of[k], []).append(k)
        ports: dict[int, tuple[Cell, ...]] = {}
        wired: list[Wired] = []
        for key, own in members.items():
            if isinstance(key, int):
                ports[key], its_wires = self.ports(key)
                wired += its_wires
            else:
                wired += self.outer_wires(own)
        frames = self.frames()
        leaves: set[Key] = {k for k in ports if not self.inputs[k]}
        ends = [(box_of[wire.item], box_of[wire.consumer]) for wire in wired]
        column = columns(list(members), ends, frames, leaves)
        ordered = sorted(members, key=lambda key: (column[key], self.place(members[key])))
        ids = {key: f"n{k}" for k, key in enumerate(ordered)}
        self.on_paths = {node: ids[box_of[k]] for node, k in enumerate(self.way) if k in box_of}
        boxes = [self.box(ids[key], column[key], key, members[key], ports) for key in ordered]
        if self.flow is not None and self.flow.is_empty:
            boxes.append(self.lone(f"n{len(boxes)}", max(column.values()), self.flow.parameter))
        wires = joined(wired, box_of, ids, self.wire_marks, self.wire_hint)
        return self.finished(boxes, wires, self.clusters(frames, ids))

    def place(self, members: Sequence[int]) -> tuple[Any, ...]:
        *names, number = in_order(self.items[members[-1]])
        return (*names, -number if self.fold.kind == "units" else number)  # units of a layer as they were called

    def frames(self) -> dict[Key, Key]:
        """The cluster of every box, if no box is folded."""
        return self.with_sums.frames() if self.fold.kind == "all" else {}

    def crowd_name(self, key: str) -> str:
        return "…" if key == CROWD else self.style.say("term.input-layer")

    def scope_name(self, scope: Scope) -> str:
        if isinstance(scope, TimeStep):
            return self.style.say("term.time-step", step=scope.number)
        if isinstance(scope, Region):
            return brief(self.items[scope.root].label)
        if isinstance(scope, Weights):
            return self.style.say("term.between-layers", layer=scope.layer, next=scope.next)
        if not isinstance(scope, int):
            return brief(scope)
        return self.style.say("term.layer-of-inputs" if scope == 1 else "term.layer", layer=scope)

    def clusters(self, frames: Mapping[Key, Key], ids: Mapping[Key, str]) -> tuple[Cluster, ...]:
        members: dict[Any, list[str]] = {}
        for key, frame in frames.items():
            members.setdefault(frame, []).append(ids[key])
        named = ((self.scope_name(frame[0]), own) for frame, own in members.items())
        return tuple(Cluster(f"c{k}", name, tuple(own)) for k, (name, own) in enumerate(named))

    def marks(self) -> tuple[Mapping[int, str], Mapping[int, str]]:
        """Marks where numbers stop being finite, by the numbers of nodes and by id(edge)."""
        if self.flow is not None:
            return marks(self.flow, self.style)
        return {item.id: self.style.say("anomaly.value") for item, _ in self.first}, {}

    def not_finite(self) -> Iterator[tuple[FlowNode, str]]:
        """In a graph without a flow, the nodes where values, then gradients, stop being finite, with sentences."""
        values = [item.value for item in reversed(self.items)]
        for anomaly in first_values(reversed(self.nodes), values, lambda node: self.items[self.graph.numbers[node]]):
            made = self.nodes[anomaly.node.id]
            yield anomaly.node, first_value(anomaly.node, made, self.graph.labels.__getitem__, self.style)
        behind: set[int] = set()
        for k, item in enumerate(self.items):
            if item.error is not None and not is_finite(item.error):
                behind.update(self.inputs[k])
                if k not in behind:
                    gradient = self.style.amount(item.error)
                    yield item, self.style.say("remark.gradient", node=item.label, gradient=gradient)

    # ---- boxes -------------------------------------------------------------------------------------------------------

    def box(self, id: str, column: int, key: Key, members: Sequence[int], ports: Mapping[int, tuple[Cell, ...]]) -> Box:
        if not isinstance(key, int):
            return self.folded(id, column, key, members)
        item, node = self.items[key], self.nodes[key]
        is_parameter = self.flow is not None and self.flow.parameter.label == item.label and key in self.on_the_way
        kind = "parameter" if is_parameter else "unit" if key in self.on_the_way else "value"
        rows = self.rows(item, bool(node.inputs), self.error(node, item), is_parameter=is_parameter)
        lines = line_numbers([item])
        return Box(id, kind, column, rows, self.hint(item), ports[key], self.box_marks.get(key, ""), lines)

    def rows(self, item: FlowNode, computed: bool, error: Cell, *, is_parameter: bool) -> tuple[Row, Row]:
        """Two rows: operation and value, name and gradient; for a leaf, name and value, then the gradient.

        The label of a number without a name is that number again, so its box leaves it out.
        """
        name = brief(item.label) if item.name or not computed else ""
        symbol = SIGN if item.id in self.sums.terms and computed else operation_symbol(item, self.style)
        first, second = (Cell("sign", symbol), name) if computed else (Cell("name", name), "")
        green = is_parameter or (not computed and self.is_called_like_a_parameter(item))
        value = Cell("value", self.style.amount(item.value), item.value)
        lane = "none" if error.number is None else "error"
        if not (computed or item.name or is_parameter) and isinstance(item.value, float):
            return Row("forward", (value,)), Row(lane, (error,))
        return Row("parameter" if green else "forward", (first, value)), Row(lane, (Cell("name", second), error))

    @staticmethod
    def is_called_like_a_parameter(item: FlowNode) -> bool:
        """Whether the name is that of a weight or bias in the notes; w[0] is an item of a list."""
        return is_parameter_name(item) and "[" not in (item.name or "")

    def error(self, node: Node, item: FlowNode) -> Cell:
        """The gradient, a dash if it is not known yet, or the words for a node that no path reaches."""
        if item.error is None:
            constant = node.is_detached or self.flow is not None
            return Cell("error", self.style.say("term.no-path") if constant else self.style.write(None))
        return Cell("error", self.style.amount(item.error), item.error, sign=sign(item.error))

    def hint(self, item: FlowNode) -> str:
        node, is_small = self.graph.node_of(item), len(self.fold.box_of) <= _MOST_WITH_FORMULAS
        whole = self.graph.whole_of(node) if is_small else ""
        told = in_full(item, self.style.say("term.gradient"), self.style, whole)
        return " – ".join([told, *local_equations(self.graph, node, self.style)]) if is_small else told

    def wire_hint(self, edge: FlowEdge) -> str:
        return "" if self.flow is None else edge_hint(self.flow, edge, self.style)

    def folded(self, id: str, column: int, key: Any, members: Sequence[int]) -> Box:
        mark = "; ".join(dict.fromkeys(self.box_marks[k] for k in sorted(members) if k in self.box_marks))
        if isinstance(key[0], Unit | Terms):
            return self.repeated(id, column, key[0], members, mark)
        steps = key[0] if isinstance(key[0], Steps) else None
        label = steps.label if steps else self.crowd_name(key) if isinstance(key, str) else self.scope_name(key[0])
        count = self.style.say("graph.nodes", count=len(members))
        if steps:
            count = self.style.say("graph.steps", count=steps.turns)
        rows = Row("forward", (Cell("name", label),)), Row("none", (Cell("value", count, len(members)),))
        first = ", ".join(self.items[k].label for k in members[:8])
        hint = f"{count}: {brief(first) if len(members) < 2 else first}"
        return Box(id, "fold", column, rows, hint, mark=mark)

    def repeated(self, id: str, column: int, key: Unit | Terms, members: Sequence[int], mark: str) -> Box:
        """The box of a folded unit or sum, with the value and error of its result."""
        item, style = self.items[key.root], self.style
        symbol, name = texts_of(key, members, self.items, self.inputs, style)
        value, error = Cell("value", style.amount(item.value), item.value), self.error(self.nodes[key.root], item)
        lane = "none" if error.number is None else "error"
        rows = Row("forward", (Cell("sign", symbol), value)), Row(lane, (Cell("name", name), error))
        told = [in_full(item, style.say("term.gradient"), style), weights_told(key, self.items, style)]
        return Box(id, "fold", column, rows, " – ".join(filter(None, told)), mark=mark)

    def lone(self, id: str, column: int, parameter: FlowNode) -> Box:
        """The box of a parameter on no path."""
        error = Cell("error", self.style.say("term.no-path"))
        rows = self.rows(parameter, False, error, is_parameter=True)
        return Box(id, "parameter", column, rows, self.hint(parameter))

    # ---- ports and wires ---------------------------------------------------------------------------------------------

    def ports(self, k: int) -> tuple[tuple[Cell, ...], list[Wired]]:
        """The ports of a box and the wires that reach them; of very many inputs, the last ones share a port."""
        slots = self.sums.slots(k, self.nodes[k])
        shown = self.shown_slots(slots)
        cells: list[Cell] = []
        wires: list[Wired] = []
        for owner, slot in slots:
            node, item, edge = self.nodes[owner], self.nodes[owner].inputs[slot], self.edges.get((owner, slot))
            if (owner, slot) in shown:
                local = None if node.da is BY_RULE else local_gradients(node)[slot]
                cells.append(self.port(node, slot, item, local, edge))
            if isinstance(item, Node) and self.graph.numbers[item] in self.fold.box_of:
                place = len(cells) - 1 if (owner, slot) in shown else len(shown)
                wires.append(Wired(self.graph.numbers[item], k, place, edge))
        if len(shown) < len(slots):
            cells.append(Cell("port", self.style.say("term.more", count=len(slots) - len(shown))))
        return tuple(cells), wires

    def shown_slots(self, slots: Sequence[Slot]) -> set[Slot]:
        if len(slots) <= _MOST_PORTS:
            return {*slots}
        return {*sorted(slots, key=lambda slot: slot not in self.edges)[: _MOST_PORTS - 1]}

    def port(self, node: Node, slot: int, item: Any, local: float | None, edge: FlowEdge | None) -> Cell:
        role, its_sign = ("port", 1) if edge is None else ("way", sign(edge.share))
        if not isinstance(item, Node):
            return Cell(role, self.style.say("graph.constant", number=self.style.amount(item)), item)
        if local is None:
            factor = array_factor(node, slot, self.graph.labels)
            return Cell(role, brief(factor), sign=its_sign, whole=whole(factor))
        return Cell(role, f"× {bracketed(self.style.write(local))}", local, sign=its_sign)

    def outer_wires(self, members: Sequence[int]) -> Iterator[Wired]:
        """The wires into a folded box."""
        box_of = self.fold.box_of
        for k in members:
            for owner, slot in self.sums.slots(k, self.nodes[k]):
                item = self.nodes[owner].inputs[slot]
                if isinstance(item, Node):
                    source = self.graph.numbers[item]
                    if source in box_of and box_of[source] != box_of[k]:
                        yield Wired(source, k, None, self.edges.get((owner, slot)))

    # ---- captions ----------------------------------------------------------------------------------------------------

    def finished(self, boxes: Sequence[Box], wires: tuple[Wire, ...], clusters: tuple[Cluster, ...]) -> Picture:
        style, flow = self.style, self.flow
        title = title_of_graph(self.items[0], flow, style)
        chosen = captions_on_folding(self.fold, len(self.with_sums.kept), len(self.way), style)
        captions = [*chosen, *self.not_yet(boxes), *(said for _, said in self.first[:_MOST_TOLD])]
        if flow is not None:
            captions += [*paths(flow, style), *remarks(flow, style)]
        described = style.say("graph.description", boxes=len(boxes), output=self.items[0].label)
        return Picture(
            "graph",
            title,
            () if flow is None else formula(flow, style),
            tuple(boxes),
            wires,
            "" if flow is None or flow.is_empty else style.amount(flow.seed),
            (),
            tuple(captions),
            " ".join([f"{title}.", described, *captions]),
            clusters,
            style.language,
        )

    def not_yet(self, boxes: Sequence[Box]) -> Iterator[str]:
        dash = self.style.write(None)
        if any(row.lane == "none" and row.cells[-1].text == dash for box in boxes for row in box.rows):
            yield self.style.say("graph.not-yet")
