"""What is worth a remark besides the steps: no path, inf and nan, a margin that is met, kinks, what cancels or dies."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Final

import numpy as np

from autodiff.engine.graph import Node
from autodiff.flow import Anomaly, Flow, FlowEdge, FlowNode
from autodiff.flow.anomalies import is_finite
from autodiff.telling.terms import (
    Write,
    amount,
    error_name,
    share_numbers,
    share_text,
    shares_in_order,
    sum_numbers,
)
from autodiff.words.notation import number
from autodiff.words.phrases import say

__all__ = ["first_value", "remarks"]

_MOST_ANOMALIES: Final = 4
_MOST_INPUTS: Final = 3
_NEARLY: Final = 0.05  # paths nearly cancel where at most a twentieth of their strength is left


def remarks(flow: Flow, *, language: str = "en", write: Write = number) -> tuple[str, ...]:
    """What a reader should know besides the steps: where inf and nan begin, kinks, what cancels, where the error dies.

    Raises:
        ValueError: an unknown language.
    """
    if flow.is_empty:
        return (say("remark.no-path", language, parameter=flow.parameter.label, output=flow.output.label),)
    found = [*_anomalies(flow, language, write), *_kinks(flow, language), *_cancelling(flow, language, write)]
    return (*found, *_weakest(flow, language, write, said=bool(found)))


def _anomalies(flow: Flow, language: str, write: Write) -> list[str]:
    """Where numbers stop being finite, each sentence once; of very many the first."""
    told = list(dict.fromkeys(_anomaly(flow, anomaly, language, write) for anomaly in flow.anomalies))
    left_out = len(told) - _MOST_ANOMALIES
    return told if left_out <= 0 else [*told[:_MOST_ANOMALIES], say("remark.more-anomalies", language, count=left_out)]


def _anomaly(flow: Flow, anomaly: Anomaly, language: str, write: Write) -> str:
    node, edge = anomaly.node, anomaly.edge
    if anomaly.kind == "value":
        flows = flow.flows
        return first_value(node, flows.node_of(node), flows.label_of, language=language, write=write)
    if anomaly.kind == "explodes" and edge is not None and edge.local is not None:
        return say("remark.explodes", language, factor=_factor(flow, edge), number=write(edge.local))
    if edge is None:
        arriving = shares_in_order(flow, node)
        left = error_name(flow, node, language=language, write=write)
        right = sum_numbers(arriving, node.error, language=language, write=write)
    else:
        left = share_text(flow, edge, language=language, write=write)
        right = share_numbers(edge, language=language, write=write)
    return say(f"remark.{anomaly.kind}-in", language, equation=f"{left} = {right}")


def first_value(
    node: FlowNode, made: Node, called: Callable[[Node], str], *, language: str = "en", write: Write = number
) -> str:  # fmt: skip
    """That values stop being finite at a node, and what it was computed from; of many inputs the first."""
    value = amount(node.value, language=language, write=write)
    if made.is_leaf:
        return say("remark.value-given", language, node=node.label, value=value)
    told = [
        f"{called(item)} = {amount(item._data, language=language, write=write)}" if isinstance(item, Node)
        else amount(item, language=language, write=write)
        for item in made.inputs[:_MOST_INPUTS]
    ]  # fmt: skip
    told = [*dict.fromkeys(told), *["…"] * (len(made.inputs) > _MOST_INPUTS)]
    inputs = reduce(lambda first, second: say("term.pair", language, first=first, second=second), told)
    return say("remark.value", language, node=node.label, value=value, inputs=inputs)


def _factor(flow: Flow, edge: FlowEdge) -> str:
    """How a local gradient reads; a number alone as the quotient that it is."""
    if edge.local_symbol != number(edge.local):
        return edge.local_symbol
    return f"∂{flow.nodes[edge.consumer].label}/∂{flow.nodes[edge.input].label}"


def _kinks(flow: Flow, language: str) -> list[str]:
    found = []
    for node in flow.nodes:
        inactive = node.operation == "hinge" and np.size(node.value) == 1 and not np.any(node.value)
        if inactive:
            key = "remark.hinge-kink" if node.at_kink else "remark.margin-met"
            found.append(say(key, language, node=node.label))
        elif node.at_kink:
            found.append(say("remark.kink", language, node=node.label, function=node.sign))
    return found


def _cancelling(flow: Flow, language: str, write: Write) -> list[str]:
    left, rounding = flow.left_after_cancelling, flow.rounding
    if left is None or rounding is None or flow.path_count == 1 or left > _NEARLY:
        return []
    if flow.cancels_exactly:
        return [say("remark.cancel-exactly", language)]
    if abs(flow.gradient) <= rounding:
        left_over, most = write(flow.gradient), number(rounding, 2)
        return [say("remark.cancel-to-rounding", language, gradient=left_over, rounding=most)]
    return [say("remark.cancel", language, percentage=number(100 * left, 2))]


def _weakest(flow: Flow, language: str, write: Write, *, said: bool) -> list[str]:
    """The weakest factor of the strongest path, if that carries a number; a 0 where nothing else says why."""
    weakest, path = flow.weakest, flow.strongest_path
    if weakest is None or weakest.edge is None or path is None:
        return []
    if path.product is not None and not is_finite(path.product):
        return []
    if weakest.number == 0 and said and not flow.anomalies:
        return []
    key = ("remark.dies" if weakest.number == 0 else "remark.shrinks") + "-on-path" * (flow.path_count > 1)
    return [say(key, language, factor=_factor(flow, weakest.edge), number=write(weakest.number))]
