"""From a flow to its picture: a rail for one path, a graph of shares for several, the rest of the graph in grey."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from autodiff.draw.cells import Numbering, brief, hint
from autodiff.draw.groups import Group, grouped
from autodiff.draw.picture import Box, Cell, Picture, Row
from autodiff.draw.rail import Rail, rail
from autodiff.draw.shares import shares
from autodiff.flow import Flow, Path, bracketed, count_text
from autodiff.notation import number
from autodiff.remarks import remarks
from autodiff.steps import Step, steps
from autodiff.terms import amount, share_text, shares_in_order

__all__ = ["picture"]

_MOST_BOXES: Final = 60
_MOST_REST: Final = 400
_MOST_IN_A_COLUMN: Final = 6
_MOST_TERMS: Final = 4


def picture(flow: Flow) -> Picture:
    """The picture of a flow: which boxes and wires there are and what they say.

    One path is drawn as a rail, several as a graph of shares; where that would be more than a reader can take in, the
    strongest path alone, and a caption says so.

    >>> from autodiff import Value
    >>> from autodiff.flow import error_flow
    >>> x, w = Value(3.0, name="x"), Value(2.0, name="w")
    >>> [box.label for box in picture(error_flow(w * x, w)).boxes]
    ['multiply', 'w', 'x']
    """
    title = f"Error sharing: how the output’s error reaches {brief(flow.parameter.label)}"
    if flow.is_empty:
        return _empty(flow, title)
    if flow.path_count == 1:
        told = steps(flow)
        return _finished(flow, title, rail(flow, flow.strongest(1)[0], Numbering(flow, told)), told, "rail")
    groups = grouped(flow, units=True) if len(flow.nodes) <= 2 * _MOST_BOXES else []
    if 0 < sum(group.on_the_way for group in groups) <= _MOST_BOXES:
        told = steps(flow)
        return _finished(flow, title, shares(flow, groups, Numbering(flow, told)), told, "shares", groups)
    return _strongest_only(flow, title)


def _empty(flow: Flow, title: str) -> Picture:
    rows = (
        Row("forward", (Cell("name", brief(flow.output.label)),)),
        Row("forward", (Cell("value", amount(flow.output.value), flow.output.value),)),
    )
    lone = (
        Row("parameter", (Cell("name", brief(flow.parameter.label)),)),
        Row("parameter", (Cell("value", amount(flow.parameter.value), flow.parameter.value),)),
        Row("none", (Cell("error-name", flow.derivative),)),
        Row("none", (Cell("error", "no path"),)),
    )
    boxes = (
        Box("n0", "unit", 0, rows, hint(flow, flow.output)),
        Box("n1", "parameter", 1, lone, hint(flow, flow.parameter)),
    )
    said = remarks(flow)
    return Picture("empty", title, (flow.derivative, "no path"), boxes, (), said, " ".join(said))


def _finished(
    flow: Flow, title: str, made: Rail, told: Sequence[Step], kind: str, groups: Sequence[Group] | None = None
) -> Picture:
    _add_rest(made, flow, grouped(flow, units=False) if groups is None else groups)
    captions = [*(_paths(flow) if flow.path_count > 1 else []), *remarks(flow)]
    words = " ".join(" ".join([step.sentence, *step.lines]) for step in told)
    formula = _product(flow.strongest(1)[0], flow) if kind == "rail" else _sum_of_shares(flow)
    return Picture(kind, title, formula, tuple(made.boxes), tuple(made.wires), tuple(captions), words)


def _strongest_only(flow: Flow, title: str) -> Picture:
    path = flow.strongest(1)[0]
    made = rail(flow, path, Numbering(flow, ()))
    captions = (f"Drawn is the strongest of {count_text(flow.path_count)} paths{_percentage(path)}.", *remarks(flow))
    result = "a part of the gradient" if path.product is None else number(path.product)
    formula = (f"{flow.derivative} along the strongest path", path.symbols(), *filter(None, [path.numbers()]), result)
    return Picture("rail", title, formula, tuple(made.boxes), tuple(made.wires), captions, " ".join(captions))


def _product(path: Path, flow: Flow) -> tuple[str, ...]:
    numbers = [path.numbers()] if path.numbers() else []
    return (flow.derivative, path.symbols(), *numbers, amount(flow.gradient))


def _sum_of_shares(flow: Flow) -> tuple[str, ...]:
    edges = shares_in_order(flow, flow.parameter)
    more = ["…"] if len(edges) > _MOST_TERMS else []
    shown = edges[:_MOST_TERMS]
    symbols = " + ".join([*(share_text(flow, edge) for edge in shown), *more])
    numbers = " + ".join([*(bracketed(amount(edge.share)) for edge in shown), *more])
    return (flow.derivative, symbols, *([numbers] if len(edges) > 1 else []), amount(flow.gradient))


def _paths(flow: Flow) -> list[str]:
    path = flow.strongest(1)[0]
    product = "" if path.product is None else f" = {number(path.product)}"
    return [f"{count_text(flow.path_count)} paths; the strongest{_percentage(path)}: {path.symbols()}{product}."]


def _percentage(path: Path) -> str:
    return "" if path.percentage is None else f" ({number(path.percentage, 3)} % of all, signs aside)"


# ---- the rest of the graph -------------------------------------------------------------------------------------------


def _add_rest(made: Rail, flow: Flow, groups: Sequence[Group]) -> None:
    """Nodes that are not on the way, as grey circles with grey wires; a long column without its middle."""
    if len(flow.rest) > _MOST_REST:
        return
    rest = [group for group in groups if not group.on_the_way and group.nodes[-1].id not in made.box_of]
    parameter_column = next(box.column for box in made.boxes if box.kind == "parameter")
    shift = any(box.kind == "source" for box in made.boxes)
    columns: dict[int, list[Group]] = {}
    for group in rest:
        column = group.column + (shift and group.column >= parameter_column)
        columns.setdefault(column, []).append(group)
    for column, members in sorted(columns.items()):
        _add_column(made, flow, column, members)
    through = _through_the_parameter(made)
    ends = ((made.box_of.get(wire.input), made.box_of.get(wire.consumer)) for wire in flow.rest_wires)
    for tail, head in dict.fromkeys(ends):
        if tail is not None and head is not None and tail != head and (tail, head) not in through:
            made.add_wire(tail, head, (0, 0), "rest", width=1.0)


def _through_the_parameter(made: Rail) -> set[tuple[str, str]]:
    """Wires from what the parameter multiplies to where the product goes: the parameter's box stands on them."""
    kinds = {box.id: box.kind for box in made.boxes}
    forward = [(wire.tail, wire.head) for wire in made.wires if wire.lane == "forward"]
    sources = [tail for tail, _ in forward if kinds[tail] == "source"]
    heads = [head for tail, head in forward if kinds[tail] == "parameter"]
    return {(source, head) for source in sources for head in heads}


def _add_column(made: Rail, flow: Flow, column: int, members: Sequence[Group]) -> None:
    kept = members
    if len(members) > _MOST_IN_A_COLUMN:
        kept = [*members[: _MOST_IN_A_COLUMN - 2], members[-1]]
    for k, group in enumerate(kept):
        if len(kept) < len(members) and k == len(kept) - 1:
            count = len(members) - len(kept)
            text = f"{count} more nodes"
            made.add_box("more", column, [Row("rest", (Cell("name", f"+ {count}", count),))], text)
        node = group.nodes[-1]
        box = made.add_box("rest", column, [Row("rest", (Cell("name", brief(node.label)),))], hint(flow, node))
        made.box_of.update((node.id, box) for node in group.nodes)
