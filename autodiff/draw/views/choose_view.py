"""The picture of a flow: a rail for one path, a graph of shares for several, with the rest of the graph in grey."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from autodiff.draw.grouping.groups import Group, grouped, has_much_off_path
from autodiff.draw.grouping.repeats import checked_unfold, repeats_its_steps
from autodiff.draw.model.builder import PictureBuilder
from autodiff.draw.model.captions import (
    formula,
    formula_of_shares,
    paths,
    percentage,
    picture_style,
    product,
    strongest,
)
from autodiff.draw.model.cells import StepNumbers, brief, forward_rows
from autodiff.draw.model.picture import Cell, Picture, Row
from autodiff.draw.model.shorten import with_short_names
from autodiff.draw.views.arrays import with_tiles
from autodiff.draw.views.computation import graph_of_flow
from autodiff.draw.views.marks import mark
from autodiff.draw.views.network import network
from autodiff.draw.views.off_path import add_off_path, boxes_in_order
from autodiff.draw.views.rail import MOST_BOXES, rail
from autodiff.draw.views.shares import shares
from autodiff.flow import Flow
from autodiff.flow.sums import with_sums
from autodiff.telling.remarks import remarks
from autodiff.telling.steps import Step, steps
from autodiff.telling.style import Style
from autodiff.telling.terms import derivative

__all__ = ["VIEWS", "picture"]

#: The views of a flow.
VIEWS: Final = ("auto", "rail", "shares", "graph", "network")

_MOST_UNITS: Final = 60
#: Boxes of shares without units, up to which they are at most 1,100 px high in the gallery, and the graph 380 to 730.
#: From 8 on, they are 1,400 to 4,500 px high, and the graph 440 to 2,200.
_MOST_VALUES: Final = 7
_MOST_FOLDED: Final = 40  # of a graph that would have too many boxes of shares
_MOST_LINES: Final = 60  # of steps below a picture; in longer lists readers lose track of the badges


def picture(
    flow: Flow, view: str = "auto", *, language: str = "en", digits: int = 4, unfold: bool | str = True
) -> Picture:
    """Build the picture of a flow: its boxes and wires with their texts.

    Args:
        flow: the result of `autodiff.flow.error_flow`.
        view: "rail" (the strongest path), "shares" (all paths), "graph" (every value with its operation), "network"
            (neurons and weights) or "auto": rail for one path; for several, shares of up to seven values or of units,
            else the graph, folded. If even that has too many boxes for a reader, "auto" shows only the strongest path,
            and a caption says so.
        language: "en" or "zh".
        digits: the number of significant digits.
        unfold: whether to draw every step of a loop. With False, "graph" folds the steps between the first and the last
            into one box if there are more than six, and "auto" chooses it for loops with several paths; with the name
            of the variable whose steps would be folded, they are drawn in that view.

    Raises:
        ValueError: if the view is unknown or does not fit the flow, the language is not supported, or digits is less
        than 1. TypeError: if digits is not an integer.

    >>> from autodiff import Value
    >>> from autodiff.flow import error_flow
    >>> x, w = Value(3.0, name="x"), Value(2.0, name="w")
    >>> [box.label for box in picture(error_flow(w * x, w)).boxes]
    ['w·x', 'w', 'x']
    """
    if view not in VIEWS:
        raise ValueError(f"unknown view {view!r} (must be one of {', '.join(VIEWS)})")
    style = picture_style(language, digits)
    what = with_tiles(_made(flow, view, style, checked_unfold(unfold)), style, flow)
    return with_short_names(what, flow.flows.numbered.by_label)


def _made(flow: Flow, view: str, style: Style, unfold: bool | str) -> Picture:
    is_loop = view == "auto" and unfold is not True and flow.path_count > 1 and repeats_its_steps(flow)
    if view == "graph" or is_loop:
        return graph_of_flow(flow, style, unfold=unfold)
    if flow.is_empty:
        return _empty(flow, style)
    if view == "rail" or flow.path_count == 1:
        flow = with_sums(flow)
    if view == "network":
        return network(flow, style)
    if view == "shares" or (view == "auto" and flow.path_count > 1):
        drawn = with_sums(flow)
        groups = _groups_of_shares(drawn)
        if view == "auto" and _are_values(groups):
            return graph_of_flow(flow, style, unfold=unfold)
        if view == "auto" and not groups and unfold is not True:
            made = graph_of_flow(flow, style, unfold=unfold)
            if len(made.boxes) <= _MOST_FOLDED:
                return made
        if groups:
            return _shares(drawn, style, groups)
        if view == "shares":
            raise ValueError(
                f"the view 'shares' draws at most {_MOST_UNITS} boxes, but {len(flow.nodes)} nodes lead to "
                f"{brief(flow.parameter.label)}; use the view 'rail' for the strongest path, or 'graph', which folds"
            )
    return _rail(with_sums(flow), style)


def _empty(flow: Flow, style: Style) -> Picture:
    made = PictureBuilder(flow, style)
    made.add_node("unit", 0, forward_rows([flow.output], style), [flow.output])
    lone = (
        *forward_rows([flow.parameter], style, lane="parameter"),
        Row("none", (Cell("error-name", brief(derivative(flow, style))),)),
        Row("none", (Cell("error", style.say("term.no-path")),)),
    )
    made.add_node("parameter", 1, lone, [flow.parameter])
    title, said = style.say("title.empty", parameter=brief(flow.parameter.label)), remarks(flow, style)
    return replace(made.picture("empty", title, formula(flow, style), (), said), seed="", description=" ".join(said))


def _groups_of_shares(flow: Flow) -> list[Group]:
    """The boxes of a graph of shares; none if there would be too many."""
    if len(flow.nodes) > 2 * _MOST_UNITS:
        return []
    groups = grouped(flow, units=True, off_path=not has_much_off_path(flow))
    return groups if 0 < sum(group.on_the_way for group in groups) <= _MOST_UNITS else []


def _are_values(groups: Sequence[Group]) -> bool:
    """Whether so many boxes of shares, without a unit among them, are easier to read as a graph."""
    sizes = [len(group.nodes) for group in groups if group.on_the_way]
    return len(sizes) > _MOST_VALUES and max(sizes) == 1


def _shares(flow: Flow, style: Style, groups: Sequence[Group]) -> Picture:
    told = steps(flow, style)
    made = shares(flow, style, groups, StepNumbers(flow, _below(told)))
    return _finished(made, "shares", formula_of_shares(flow, style), told, paths(flow, style), groups)


def _rail(flow: Flow, style: Style) -> Picture:
    """The strongest path, with the rest of the graph in grey."""
    path = strongest(flow)
    if flow.path_count > 1:
        made = rail(flow, style, path, StepNumbers(flow, ()))
        count, part = style.counted(flow.path_count), percentage(path, style)
        captions = [style.say("caption.strongest-only", count=count, percentage=part)]
        left = style.say("caption.along-strongest", derivative=derivative(flow, style))
        result = style.say("caption.part") if path.product is None else style.write(path.product)
        return _finished(made, "rail", (left, *product(path, style), result), (), captions, ())
    short = len(flow.nodes) <= MOST_BOXES
    told = steps(flow, style) if short else ()
    made = rail(flow, style, path, StepNumbers(flow, _below(told)))
    groups = grouped(flow, units=False) if short and not has_much_off_path(flow) else ()
    return _finished(made, "rail", formula(flow, style), told, [], groups)


def _below(told: Sequence[Step]) -> Sequence[Step]:
    """The steps below a picture, which shows their numbers: all steps, or none if there are too many."""
    return told if sum(1 + len(step.lines) for step in told) <= _MOST_LINES else ()


def _left_out(flow: Flow, style: Style) -> list[str]:
    """The caption that counts the nodes not drawn."""
    count = len(flow.flows.graph) - len(flow.nodes)
    return [style.say("caption.left-out", count=count)] if has_much_off_path(flow) else []


def _finished(
    made: PictureBuilder, kind: str, formula: tuple[str, ...], told: Sequence[Step], captions: Sequence[str],
    groups: Sequence[Group],
) -> Picture:  # fmt: skip
    flow, style = made.flow, made.style
    if groups and not has_much_off_path(flow):
        add_off_path(made, groups)
    mark(made)
    title = style.say("title.flow", parameter=brief(flow.parameter.label))
    captions = (*captions, *_left_out(flow, style), *remarks(flow, style))
    boxes = boxes_in_order(made, groups)
    return made.picture(kind, title, formula, told, captions, below=_below(told), boxes=boxes)
