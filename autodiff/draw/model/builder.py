"""The builder of pictures: views add boxes and wires; the builder assigns ids and maps nodes to boxes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from autodiff.draw.model.captions import told
from autodiff.draw.model.cells import edge_hint, hint, line_numbers, sign
from autodiff.draw.model.picture import Box, Cell, Picture, Row, Wire
from autodiff.flow import Flow, FlowEdge, FlowNode
from autodiff.telling.steps import Step
from autodiff.telling.style import Style

__all__ = ["PictureBuilder"]


class PictureBuilder:
    """The boxes and wires of one picture of a flow, in one style.

    Ids follow the order of addition. ``box_of`` maps a node's id in the flow to its box, and ``wire_of`` maps id(edge)
    to its wire.

    >>> from autodiff import Value
    >>> from autodiff.flow import error_flow
    >>> x = Value(3.0, name="x")
    >>> made = PictureBuilder(error_flow(x * x, x), Style())
    >>> made.add_box("unit", 0, (), "x", (made.flow.parameter,)), made.box_of
    ('n0', {1: 'n0'})
    """

    def __init__(self, flow: Flow, style: Style) -> None:
        self.flow, self.style = flow, style
        self.boxes: list[Box] = []
        self.wires: list[Wire] = []
        self.box_of: dict[int, str] = {}
        self.wire_of: dict[int, str] = {}

    @property
    def columns(self) -> int:
        """The number of columns."""
        return max((box.column for box in self.boxes), default=-1) + 1

    def add_box(self, kind: str, column: int, rows: Iterable[Row], hint: str, nodes: Iterable[FlowNode] = ()) -> str:
        """Add a box for these nodes and return its id."""
        nodes = tuple(nodes)
        box = Box(f"n{len(self.boxes)}", kind, column, tuple(rows), hint, lines=line_numbers(nodes))
        self.boxes.append(box)
        self.box_of.update((node.id, box.id) for node in nodes)
        return box.id

    def add_node(self, kind: str, column: int, rows: Iterable[Row], nodes: Sequence[FlowNode]) -> str:
        """Add a box of nodes; its tooltip has the numbers of the last node in full, and the local gradients inside."""
        ids = {node.id for node in nodes}
        inside = (edge for node in nodes for edge in self.flow.arriving(node) if edge.consumer in ids)
        told = [hint(self.flow, nodes[-1], self.style), *(edge_hint(self.flow, edge, self.style) for edge in inside)]
        return self.add_box(kind, column, rows, " – ".join(filter(None, told)), nodes)

    def add_count(self, column: int, count: int) -> str:
        """Add a box that represents nodes left out, with their count."""
        said = self.style.say("term.more-nodes", count=count)
        return self.add_box("more", column, [Row("rest", (Cell("name", f"+ {count}", count),))], said)

    def add_wire(
        self, tail: str, head: str, rows: tuple[int, int], lane: str, label: str = "", *,
        edge: FlowEdge | None = None, step: int | None = None, width: float = 1.4, hint: str = "",
    ) -> None:  # fmt: skip
        """Add a wire between two boxes; with an ``edge``, the wire carries its share."""
        share = None if edge is None else edge.share
        its_sign = 1 if share is None else sign(share)
        hint = (edge is not None and edge_hint(self.flow, edge, self.style)) or hint
        wire = Wire(f"w{len(self.wires)}", tail, head, *rows, lane, label, step, share, width, its_sign, hint=hint)
        self.wires.append(wire)
        if edge is not None:
            self.wire_of[id(edge)] = wire.id

    def mark(self, boxes: Mapping[str, str], wires: Mapping[str, str]) -> None:
        """Mark boxes and wires, given by their ids."""
        self.boxes = [replace(box, mark=boxes.get(box.id, "")) for box in self.boxes]
        self.wires = [replace(wire, mark=wires.get(wire.id, "")) for wire in self.wires]

    def picture(
        self, kind: str, title: str, formula: tuple[str, ...], steps: Sequence[Step], captions: Sequence[str], *,
        below: Sequence[Step] = (), boxes: Sequence[Box] | None = None,
    ) -> Picture:  # fmt: skip
        """Build the picture, with ``boxes`` in their final order.

        The description contains all ``steps`` and the captions; only the steps in ``below`` appear below the drawing.
        """
        return Picture(
            kind,
            title,
            formula,
            _without_gaps(self.boxes if boxes is None else boxes),
            tuple(self.wires),
            self.style.amount(self.flow.seed),
            tuple("\n".join([step.sentence, *step.lines]) for step in below),
            tuple(captions),
            " ".join([f"{title}.", *told(steps), *captions]),
            language=self.style.language,
        )


def _without_gaps(boxes: Sequence[Box]) -> tuple[Box, ...]:
    """The boxes, with no column left empty: a factor that is used twice can stand in a column beyond the next."""
    place = {column: k for k, column in enumerate(sorted({box.column for box in boxes}))}
    return tuple(box if place[box.column] == box.column else replace(box, column=place[box.column]) for box in boxes)
