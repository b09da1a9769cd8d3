"""What is worth a remark besides the steps: no path, a margin that is met, a kink, cancelling paths, a weak factor."""

from __future__ import annotations

from typing import Final

import numpy as np

from autodiff.flow import Flow
from autodiff.notation import number
from autodiff.phrases import say
from autodiff.telling.terms import Write

__all__ = ["remarks"]

_NEARLY: Final = 0.05  # paths nearly cancel where at most a twentieth of their strength is left


def remarks(flow: Flow, *, language: str = "en", write: Write = number) -> tuple[str, ...]:
    """What a reader should know besides the steps: no path, a margin that is met, kinks, cancelling, weak factors.

    Raises:
        ValueError: an unknown language.
    """
    if flow.is_empty:
        return (say("remark.no-path", language, parameter=flow.parameter.label, output=flow.output.label),)
    found = [*_kinks(flow, language), *_cancelling(flow, language, write)]
    return (*found, *_weakest(flow, language, write, said=bool(found)))


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
    weakest = flow.weakest
    if weakest is None or weakest.edge is None or (said and weakest.number == 0):
        return []
    symbol = weakest.symbol
    if symbol == number(weakest.number):
        consumer, item = flow.nodes[weakest.edge.consumer], flow.nodes[weakest.edge.input]
        symbol = f"∂{consumer.label}/∂{item.label}"
    key = ("remark.dies" if weakest.number == 0 else "remark.shrinks") + "-on-path" * (flow.path_count > 1)
    return [say(key, language, factor=symbol, number=write(weakest.number))]
