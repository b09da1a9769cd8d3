"""From a flow to its picture: a rail for one path, a graph of shares for several, the rest of the graph in grey."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from autodiff.draw.cells import Numbering, brief, hint
from autodiff.draw.groups import Group, grouped
from autodiff.draw.picture import Box, Cell, Picture, Row
from autodiff.draw.rail import MOST_BOXES, Rail, rail
from autodiff.draw.shares import shares
from autodiff.flow import Flow, Path, count_text
from autodiff.notation import number
from autodiff.remarks import remarks
from autodiff.steps import Step, steps
from autodiff.terms import amount, sum_of_shares

__all__ = ["picture"]

_MOST_UNITS: Final = 60
_MOST_REST: Final = 400
_MOST_IN_A_COLUMN: Final = 6
_MOST_TERMS: Final = 4
_MOST_STEPS: Final = 14
_MOST_FACTORS: Final = 12


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
        return _empty(flow)
    if flow.path_count == 1:
        told = steps(flow) if len(flow.nodes) <= MOST_BOXES else ()
        return _finished(flow, title, rail(flow, flow.strongest(1)[0], Numbering(flow, told)), told, "rail")
    groups = grouped(flow, units=True) if len(flow.nodes) <= 2 * _MOST_UNITS else []
    if 0 < sum(group.on_the_way for group in groups) <= _MOST_UNITS:
        told = steps(flow)
        return _finished(flow, title, shares(flow, groups, Numbering(flow, told)), told, "shares", groups)
    return _strongest_only(flow, title)


def _empty(flow: Flow) -> Picture:
    title = f"Error sharing: no error reaches {brief(flow.parameter.label)}"
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
    return Picture("empty", title, (flow.derivative, "no path"), boxes, (), "", (), said, " ".join(said))


def _finished(
    flow: Flow, title: str, made: Rail, told: Sequence[Step], kind: str, groups: Sequence[Group] | None = None
) -> Picture:
    if groups is None:
        groups = grouped(flow, units=False) if len(flow.nodes) <= MOST_BOXES else []
    _add_rest(made, flow, groups if len(flow.rest) <= _MOST_REST else [])
    captions = [*(_paths(flow) if flow.path_count > 1 else []), *remarks(flow)]
    return Picture(
        kind,
        title,
        _product(flow.strongest(1)[0], flow) if kind == "rail" else _sum(flow),
        _in_order(made, groups),
        tuple(made.wires),
        amount(flow.seed),
        tuple(step.sentence for step in told) if kind == "rail" and len(told) <= _MOST_STEPS else (),
        tuple(captions),
        " ".join([f"{title}.", *(" ".join([step.sentence, *step.lines]) for step in told), *captions]),
    )


def _in_order(made: Rail, groups: Sequence[Group]) -> tuple[Box, ...]:
    """The boxes of every column as a reader expects them; what is left out stands before the last."""
    rank = {made.box_of[group.nodes[-1].id]: k for k, group in enumerate(groups) if group.nodes[-1].id in made.box_of}
    following = {box.id: after.id for box, after in zip(made.boxes, made.boxes[1:], strict=False)}
    place = {box.id: rank.get(box.id, rank.get(following.get(box.id, ""), 0) - 0.5) for box in made.boxes}
    return tuple(sorted(made.boxes, key=lambda box: (box.column, place[box.id])))


def _strongest_only(flow: Flow, title: str) -> Picture:
    path = flow.strongest(1)[0]
    made = rail(flow, path, Numbering(flow, ()))
    captions = (f"Drawn is the strongest of {count_text(flow.path_count)} paths{_percentage(path)}.", *remarks(flow))
    result = "a part of the gradient" if path.product is None else number(path.product)
    formula = (f"{flow.derivative} along the strongest path", *_factors(path), result)
    description = " ".join([f"{title}.", *captions])
    boxes, wires = tuple(made.boxes), tuple(made.wires)
    return Picture("rail", title, formula, boxes, wires, amount(flow.seed), (), captions, description)


def _product(path: Path, flow: Flow) -> tuple[str, ...]:
    return (flow.derivative, *_factors(path), amount(flow.gradient))


def _factors(path: Path) -> tuple[str, ...]:
    """The product in symbols and, where it has any, in numbers."""
    return tuple(filter(None, [path.symbols(most=_MOST_FACTORS), path.numbers(most=_MOST_FACTORS)]))


def _sum(flow: Flow) -> tuple[str, ...]:
    return (flow.derivative, *sum_of_shares(flow, _MOST_TERMS), amount(flow.gradient))


def _paths(flow: Flow) -> list[str]:
    path = flow.strongest(1)[0]
    product = "" if path.product is None else f" = {number(path.product)}"
    return [f"{count_text(flow.path_count)} paths; the strongest{_percentage(path)}: {path.symbols()}{product}."]


def _percentage(path: Path) -> str:
    return "" if path.percentage is None else f" ({number(path.percentage, 3)} % of all, signs aside)"


# ---- the rest of the graph -------------------------------------------------------------------------------------------


def _add_rest(made: Rail, flow: Flow, groups: Sequence[Group]) -> None:
    """Nodes that are not on the way, as grey circles with grey wires; a long column without its middle."""
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
