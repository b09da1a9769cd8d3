"""The wires of a computation graph: one for every edge between two nodes, one for all edges that a folded box joins."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import add
from typing import Any, Final

from autodiff.draw.grouping.folding import Key
from autodiff.draw.model.cells import sign, strokes
from autodiff.draw.model.picture import Wire
from autodiff.flow import FlowEdge

__all__ = ["Wired", "joined"]

_VALUE_ROW: Final = 0
_ERROR_ROW: Final = 1
_MANY: Final = 1.6  # the width of a wire that leads to several nodes


@dataclass(frozen=True, slots=True)
class Wired:
    """An edge of the graph, ready to be drawn."""

    item: int
    consumer: int
    port: int | None
    edge: FlowEdge | None


def joined(
    wired: Sequence[Wired], box_of: Mapping[int, Key], ids: Mapping[Key, str], marks: Mapping[int, str],
    hint: Callable[[FlowEdge], str],
) -> tuple[Wire, ...]:  # fmt: skip
    """The wires of these edges; a wire of several edges that lead to one node carries the sum of their shares.

    Args:
        wired: the edges that are drawn.
        box_of: the box of every node.
        ids: the id of every box.
        marks: texts of marks by id(edge).
        hint: the tooltip of a wire that is one edge.
    """
    groups: dict[tuple[Any, ...], list[Wired]] = {}
    for wire in wired:
        ends = box_of[wire.item], box_of[wire.consumer]
        single = isinstance(ends[0], int) and isinstance(ends[1], int)
        key = (*ends, wire.port, wire.edge is not None, len(groups) if single else -1)
        groups.setdefault(key, []).append(wire)
    edges = [_one_edge(own) for own in groups.values()]
    widths = strokes(edge for edge in edges if edge is not None)
    made = []
    for k, ((item, consumer, port, on, _), own, edge) in enumerate(zip(groups, groups.values(), edges, strict=True)):
        tail, head = (consumer, item) if on else (item, consumer)
        rows = (_VALUE_ROW, _ERROR_ROW) if on else (_VALUE_ROW, _VALUE_ROW)
        share, its_sign = (None, 1) if edge is None else (edge.share, sign(edge.share))
        width = widths[id(edge)] if edge is not None else _MANY if on else 1.0
        made.append(
            Wire(
                f"w{k}", ids[tail], ids[head], *rows, "error" if on else "rest", share=share, width=width,
                sign=its_sign, port=port, mark=marks.get(id(edge), ""),
                hint=hint(edge) if edge is not None and len(own) == 1 else "",
            )
        )  # fmt: skip
    return tuple(made)


def _one_edge(own: Sequence[Wired]) -> FlowEdge | None:
    """The edge of a wire; for several that lead to one node, with the sum of their shares; None if they lead apart."""
    edges = [wire.edge for wire in own if wire.edge is not None]
    if not edges or len({wire.item for wire in own}) > 1:
        return None
    if len(edges) == 1:
        return edges[0]
    return replace(edges[0], share=reduce(add, (edge.share for edge in edges)))
