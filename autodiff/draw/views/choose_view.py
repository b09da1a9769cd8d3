"""From a flow to its picture: a rail for one path, a graph of shares for several, the rest of the graph in grey."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from autodiff.draw.model.cells import Numbering, brief, forward_rows, hint
from autodiff.draw.model.picture import Box, Cell, Picture, Row
from autodiff.draw.model.shorten import with_short_names
from autodiff.draw.model.voice import Voice, voice
from autodiff.draw.views.computation import graph_of_flow
from autodiff.draw.views.groups import Group, grouped, has_much_off_path
from autodiff.draw.views.marks import mark
from autodiff.draw.views.network import network
from autodiff.draw.views.off_path import add_off_path, boxes_in_order
from autodiff.draw.views.rail import MOST_BOXES, Rail, rail
from autodiff.draw.views.shares import shares
from autodiff.flow import Flow
from autodiff.telling.steps import Step

__all__ = ["VIEWS", "picture"]

#: How a flow may be seen.
VIEWS: Final = ("auto", "rail", "shares", "graph", "network")

_MOST_UNITS: Final = 60
_MOST_LINES: Final = 60  # of steps below a picture; a reader of more has lost the badges by then


def picture(flow: Flow, view: str = "auto", *, language: str = "en", digits: int = 4) -> Picture:
    """The picture of a flow: which boxes and wires there are and what they say.

    Args:
        flow: what `autodiff.flow.error_flow` gives.
        view: "rail" (one path, of several the strongest), "shares" (all paths), "graph" (every value with its
            operation), "network" (neurons and weights) or "auto": rail for one path, shares for several; where that
            would be more than a reader can take in, the strongest path alone, and a caption says so.
        language: "en" or "zh".
        digits: how many significant digits numbers have.

    Raises:
        ValueError: an unknown view or language, digits below 1, or a view that does not fit the flow.

    >>> from autodiff import Value
    >>> from autodiff.flow import error_flow
    >>> x, w = Value(3.0, name="x"), Value(2.0, name="w")
    >>> [box.label for box in picture(error_flow(w * x, w)).boxes]
    ['multiply', 'w', 'x']
    """
    return with_short_names(_made(flow, view, language, digits), (node.label for node in flow.flows.nodes))


def _made(flow: Flow, view: str, language: str, digits: int) -> Picture:
    if view not in VIEWS:
        raise ValueError(f"unknown view {view!r} (must be one of {', '.join(VIEWS)})")
    speaks = voice(language, digits)
    if view == "graph":
        return graph_of_flow(speaks, flow)
    if flow.is_empty:
        return _empty(speaks, flow)
    if view == "network":
        return network(speaks, flow)
    if view == "shares" or (view == "auto" and flow.path_count > 1):
        groups = _groups_of_shares(flow)
        if groups:
            return _shares(speaks, flow, groups)
        if view == "shares":
            raise ValueError(
                f"the view 'shares' draws at most {_MOST_UNITS} boxes, and {len(flow.nodes)} nodes are on the way to "
                f"{brief(flow.parameter.label)}: take the view 'rail' for the strongest path, or 'graph', which folds"
            )
    return _rail(speaks, flow)


def _title(voice: Voice, flow: Flow) -> str:
    return voice.say("title.flow", parameter=brief(flow.parameter.label))


def _empty(voice: Voice, flow: Flow) -> Picture:
    title = voice.say("title.empty", parameter=brief(flow.parameter.label))
    lone = (
        *forward_rows(voice, [flow.parameter], lane="parameter"),
        Row("none", (Cell("error-name", brief(voice.derivative(flow))),)),
        Row("none", (Cell("error", voice.say("term.no-path")),)),
    )
    boxes = (
        Box("n0", "unit", 0, forward_rows(voice, [flow.output]), hint(voice, flow, flow.output)),
        Box("n1", "parameter", 1, lone, hint(voice, flow, flow.parameter)),
    )
    said, formula = voice.remarks(flow), voice.formula(flow)
    return Picture("empty", title, formula, boxes, (), "", (), said, " ".join(said), language=voice.language)


def _groups_of_shares(flow: Flow) -> list[Group]:
    """The boxes of a graph of shares; none if that would be too many."""
    if len(flow.nodes) > 2 * _MOST_UNITS:
        return []
    groups = grouped(flow, units=True, off_path=not has_much_off_path(flow))
    return groups if 0 < sum(group.on_the_way for group in groups) <= _MOST_UNITS else []


def _shares(voice: Voice, flow: Flow, groups: Sequence[Group]) -> Picture:
    told = voice.steps(flow)
    made = shares(voice, flow, groups, Numbering(flow, _below(told)))
    formula = (voice.derivative(flow), *voice.sum(flow), voice.amount(flow.gradient))
    return _finished(voice, flow, made, "shares", formula, told, voice.paths(flow), groups)


def _rail(voice: Voice, flow: Flow) -> Picture:
    """One path with the rest in grey; of several the strongest."""
    path = voice.strongest(flow)
    if flow.path_count > 1:
        made = rail(voice, flow, path, Numbering(flow, ()))
        count = voice.counted(flow.path_count)
        captions = [voice.say("caption.strongest-only", count=count, percentage=voice.percentage(path))]
        derivative = voice.say("caption.along-strongest", derivative=voice.derivative(flow))
        result = voice.say("caption.part") if path.product is None else voice.write(path.product)
        return _finished(voice, flow, made, "rail", (derivative, *voice.product(path), result), (), captions, ())
    short = len(flow.nodes) <= MOST_BOXES
    told = voice.steps(flow) if short else ()
    made = rail(voice, flow, path, Numbering(flow, _below(told)))
    groups = grouped(flow, units=False) if short and not has_much_off_path(flow) else ()
    return _finished(voice, flow, made, "rail", voice.formula(flow), told, [], groups)


def _below(told: Sequence[Step]) -> Sequence[Step]:
    """The steps that stand below a picture, whose numbers it then shows: all of them, or none of very many."""
    return told if sum(1 + len(step.lines) for step in told) <= _MOST_LINES else ()


def _left_out(voice: Voice, flow: Flow) -> list[str]:
    """That much is not drawn."""
    count = len(flow.flows.nodes) - len(flow.nodes)
    return [voice.say("caption.left-out", count=count)] if has_much_off_path(flow) else []


def _finished(
    voice: Voice, flow: Flow, made: Rail, kind: str, formula: tuple[str, ...], told: Sequence[Step],
    captions: Sequence[str], groups: Sequence[Group],
) -> Picture:  # fmt: skip
    if groups and not has_much_off_path(flow):
        add_off_path(made, voice, flow, groups)
    mark(made, voice, flow)
    title, captions = _title(voice, flow), (*captions, *_left_out(voice, flow), *voice.remarks(flow))
    return Picture(
        kind,
        title,
        formula,
        boxes_in_order(made, groups),
        tuple(made.wires),
        voice.amount(flow.seed),
        tuple("\n".join([step.sentence, *step.lines]) for step in _below(told)),
        captions,
        " ".join([f"{title}.", *voice.told(told), *captions]),
        language=voice.language,
    )
