"""The nodes and edges off the paths (`Flow.off_path`, `Flow.off_path_wires`) as grey circles and grey wires."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from autodiff.draw.grouping.groups import Group
from autodiff.draw.model.builder import PictureBuilder
from autodiff.draw.model.cells import brief
from autodiff.draw.model.picture import Box, Cell, Row

__all__ = ["add_off_path", "boxes_in_order"]

_MOST_IN_A_COLUMN: Final = 6


def add_off_path(made: PictureBuilder, groups: Sequence[Group]) -> None:
    """Nodes off the paths as grey circles with grey wires; a long column without its middle."""
    rest = []
    for group in groups:
        if group.nodes[-1].id in made.box_of:  # a unit that the parameter multiplies; its box holds its z too
            made.box_of.update((node.id, made.box_of[group.nodes[-1].id]) for node in group.nodes)
        elif not group.on_the_way:
            rest.append(group)
    parameter_column = next(box.column for box in made.boxes if box.kind == "parameter")
    shift = any(box.kind == "source" and box.column > parameter_column for box in made.boxes)
    columns: dict[int, list[Group]] = {}
    for group in rest:
        column = group.column + (shift and group.column >= parameter_column)
        columns.setdefault(column, []).append(group)
    for column, members in sorted(columns.items()):
        _add_column(made, column, members)
    joined = _joined(made)
    ends = ((made.box_of.get(wire.input), made.box_of.get(wire.consumer)) for wire in made.flow.off_path_wires)
    for tail, head in dict.fromkeys(ends):
        if tail is not None and head is not None and tail != head and (tail, head) not in joined:
            made.add_wire(tail, head, (0, 0), "rest", width=1.0)


def _joined(made: PictureBuilder) -> set[tuple[str, str]]:
    """The pairs of boxes joined by a forward wire, even if the parameter's box lies on it."""
    kinds = {box.id: box.kind for box in made.boxes}
    forward = [(wire.tail, wire.head) for wire in made.wires if wire.lane == "forward"]
    sources = [tail for tail, head in forward if kinds[tail] == "source" and kinds[head] == "parameter"]
    heads = [head for tail, head in forward if kinds[tail] == "parameter"]
    return {*forward, *((source, head) for source in sources for head in heads)}


def _add_column(made: PictureBuilder, column: int, members: Sequence[Group]) -> None:
    kept = members
    if len(members) > _MOST_IN_A_COLUMN:
        kept = [*members[: _MOST_IN_A_COLUMN - 2], members[-1]]
    for k, group in enumerate(kept):
        if len(kept) < len(members) and k == len(kept) - 1:
            made.add_count(column, len(members) - len(kept))
        made.add_node("rest", column, [Row("rest", (Cell("name", brief(group.nodes[-1].label)),))], group.nodes)


def boxes_in_order(made: PictureBuilder, groups: Sequence[Group]) -> tuple[Box, ...]:
    """The boxes of every column in reading order; the count of omitted nodes comes before the last box."""
    rank = {made.box_of[group.nodes[-1].id]: k for k, group in enumerate(groups) if group.nodes[-1].id in made.box_of}
    following = {box.id: after.id for box, after in zip(made.boxes, made.boxes[1:], strict=False)}
    place = {box.id: rank.get(box.id, rank.get(following.get(box.id, ""), 0) - 0.5) for box in made.boxes}
    return tuple(sorted(made.boxes, key=lambda box: (box.column, place[box.id])))
