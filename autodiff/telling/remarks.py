"""Remarks beside the steps: no path, inf and nan, a satisfied margin, kinks, cancellation, vanishing errors."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import reduce
from typing import Final

import numpy as np

from autodiff.engine.graph import Node, topological
from autodiff.flow import Anomaly, Flow, FlowEdge, FlowNode
from autodiff.flow.anomalies import is_finite
from autodiff.flow.factors import is_flat
from autodiff.flow.order import shares_in_order
from autodiff.telling.style import USUAL, Style
from autodiff.telling.terms import equal, error_name, share_numbers, share_text, sum_numbers
from autodiff.words.formulas import quotient
from autodiff.words.notation import number, parse

__all__ = ["first_value", "flat_layers", "remarks"]

_MOST_ANOMALIES: Final = 4
_MOST_INPUTS: Final = 3
_ACTIVATION: Final = re.compile("a[₀-₉,]*⁽[⁰¹²³⁴-⁹]+⁾")  # any suffix may follow
_NEARLY: Final = 0.05  # paths nearly cancel if at most a twentieth of their strength remains


def remarks(flow: Flow, style: Style = USUAL) -> tuple[str, ...]:
    """Remarks for the reader beside the steps: where inf and nan begin, kinks, cancellation, shrinking errors."""
    if flow.is_empty:
        return (style.say("remark.no-path", parameter=flow.parameter.label, output=flow.output.label),)
    found = [*_anomalies(flow, style), *_kinks(flow, style), *_cancelling(flow, style)]
    return (*found, *_weakest(flow, style, said=bool(found)))


def flat_layers(flow: Flow, style: Style = USUAL) -> list[str]:
    """For each layer with flat sigmoids, tanhs or softsigns: how many of its activations are flat.

    All activations of the notes' names a⁽ᵏ⁾ in the graph count, those beside the paths and of both windows included.
    """
    counts: dict[int, list[int]] = {}
    for node in topological(flow.flows.node_of(flow.output)):
        entry, layer = node.primitive, _layer(node.name)
        if layer is None or entry is None or not is_flat(entry.name, 0.0):
            continue
        a, z = node._data, node.inputs[0]
        slopes = entry.rule(0)(np.ones_like(a), np.asarray(a), np.asarray(getattr(z, "_data", z)))
        count = counts.setdefault(layer, [0, 0])
        count[0] += int(np.sum(is_flat(entry.name, slopes)))
        count[1] += np.size(a)
    return [
        style.say("explain.flat", layer=layer, flat=flat, count=count, percentage=number(100 * flat / count, 2))
        for layer, (flat, count) in sorted(counts.items())
        if flat and count > 1
    ]


def _layer(name: str | None) -> int | None:
    """The layer of an activation, such as a₁⁽²⁾ or a⁽²⁾′."""
    found = _ACTIVATION.match(name or "")
    return parse(found.group()).layer if found else None


def _anomalies(flow: Flow, style: Style) -> list[str]:
    """Where numbers stop being finite, each sentence once; of very many, only the first."""
    told = list(dict.fromkeys(_anomaly(flow, anomaly, style) for anomaly in flow.anomalies))
    left_out = len(told) - _MOST_ANOMALIES
    return told if left_out <= 0 else [*told[:_MOST_ANOMALIES], style.say("remark.more-anomalies", count=left_out)]


def _anomaly(flow: Flow, anomaly: Anomaly, style: Style) -> str:
    node, edge = anomaly.node, anomaly.edge
    if anomaly.kind == "value":
        flows = flow.flows
        return first_value(node, flows.node_of(node), flows.label_of, style)
    if anomaly.kind == "explodes" and edge is not None and edge.local is not None:
        return style.say("remark.explodes", factor=_factor(flow, edge), number=style.write(edge.local))
    if edge is None:
        arriving = shares_in_order(flow, node)
        left = error_name(flow, node, style)
        said = equal(left, sum_numbers(arriving, node.error, style), node.error, style)
    else:
        said = equal(share_text(flow, edge, style), share_numbers(edge, style), edge.share, style)
    return style.say(f"remark.{anomaly.kind}-in", equation=said)


def first_value(
    node: FlowNode, made: Node, called: Callable[[Node], str], style: Style = USUAL
) -> str:  # fmt: skip
    """The sentence that values stop being finite at a node, with the inputs it was computed from, or the first few."""
    value = style.amount(node.value)
    if made.is_leaf:
        return style.say("remark.value-given", node=node.label, value=value)
    told = [
        f"{called(item)} = {style.amount(item._data)}" if isinstance(item, Node)
        else style.amount(item)
        for item in made.inputs[:_MOST_INPUTS]
    ]  # fmt: skip
    told = [*dict.fromkeys(told), *["…"] * (len(made.inputs) > _MOST_INPUTS)]
    inputs = reduce(lambda first, second: style.say("term.pair", first=first, second=second), told)
    return style.say("remark.value", node=node.label, value=value, inputs=inputs)


def _factor(flow: Flow, edge: FlowEdge) -> str:
    """A local gradient as text; a plain number is written as a quotient."""
    if edge.local_symbol != number(edge.local):
        return edge.local_symbol
    return quotient(flow.nodes[edge.consumer].label, flow.nodes[edge.input].label)


def _kinks(flow: Flow, style: Style) -> list[str]:
    found = []
    for node in flow.nodes:
        inactive = node.operation == "hinge" and np.size(node.value) == 1 and not np.any(node.value)
        if inactive:
            key = "remark.hinge-kink" if node.at_kink else "remark.margin-met"
            found.append(style.say(key, node=node.label))
        elif node.at_kink:
            found.append(style.say("remark.kink", node=node.label, function=node.symbol))
    return found


def _cancelling(flow: Flow, style: Style) -> list[str]:
    left, rounding = flow.left_after_cancelling, flow.rounding
    if left is None or rounding is None or flow.path_count == 1 or left > _NEARLY:
        return []
    if flow.cancels_exactly:
        return [style.say("remark.cancel-exactly")]
    if abs(flow.gradient) <= rounding:
        left_over, most = style.write(flow.gradient), number(rounding, 2)
        return [style.say("remark.cancel-to-rounding", gradient=left_over, rounding=most)]
    return [style.say("remark.cancel", percentage=number(100 * left, 2))]


def _weakest(flow: Flow, style: Style, *, said: bool) -> list[str]:
    """The weakest factor of the strongest path if it is a number; a factor 0 only if no other remark explains it."""
    weakest, path = flow.weakest, flow.strongest_path
    if weakest is None or weakest.edge is None or path is None:
        return []
    if path.product is not None and not is_finite(path.product):
        return []
    if weakest.number == 0 and said and not flow.anomalies:
        return []
    key = ("remark.dies" if weakest.number == 0 else "remark.shrinks") + "-on-path" * (flow.path_count > 1)
    return [style.say(key, factor=_factor(flow, weakest.edge), number=style.write(weakest.number))]
