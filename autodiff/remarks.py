"""What is worth a remark besides the steps: no path, a margin that is met, a kink, cancelling paths, a weak factor."""

from __future__ import annotations

from typing import Final

from autodiff.flow import Flow
from autodiff.notation import number

__all__ = ["remarks"]

_NEARLY_CANCEL: Final = 0.2  # of the strength of all paths


def remarks(flow: Flow) -> tuple[str, ...]:
    """What a reader should know besides the steps: no path, a margin that is met, kinks, cancelling, weak factors."""
    if flow.is_empty:
        return (
            f"{flow.parameter.label} is on no path from {flow.output.label}: no error reaches it, "
            "so it has no gradient (None, which is not 0).",
        )
    found = [*_kinks(flow), *_cancelling(flow)]
    return (*found, *_weakest(flow, said=bool(found)))


def _kinks(flow: Flow) -> list[str]:
    found = []
    for node in flow.nodes:
        inactive = node.operation == "hinge" and isinstance(node.value, float) and node.value == 0
        if inactive and node.at_kink:
            found.append(
                f"{node.label} = 0 is exactly at its kink, Δ + s_c − s = 0: by convention it shares no error there."
            )
        elif inactive:
            found.append(f"{node.label} = 0: the margin is met, so no error is shared and every gradient is 0.")
        elif node.at_kink:
            found.append(f"{node.label} is exactly at a kink of {node.sign}: its local gradient there is a convention.")
    return found


def _cancelling(flow: Flow) -> list[str]:
    left = flow.left_after_cancelling
    if left is None or flow.path_count == 1 or left > _NEARLY_CANCEL:
        return []
    return [f"Paths of opposite signs nearly cancel: {number(100 * left, 2)} % of their strength is left."]


def _weakest(flow: Flow, said: bool) -> list[str]:
    weakest = flow.weakest
    if weakest is None or weakest.edge is None or (said and weakest.number == 0):
        return []
    symbol = weakest.symbol
    if symbol == number(weakest.number):
        consumer, item = flow.nodes[weakest.edge.consumer], flow.nodes[weakest.edge.input]
        symbol = f"∂{consumer.label}/∂{item.label}"
    where = "" if flow.path_count == 1 else "On the strongest path, "
    if weakest.number == 0:
        return [f"{where or 'Here '}the error dies: {symbol} = 0."]
    return [f"{where}{symbol} = {number(weakest.number)} shrinks the error most."]
