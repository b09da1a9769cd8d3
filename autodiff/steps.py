"""Error sharing in the words of the notes: numbered steps.

The notes follow one error signal in eight steps to W₁₄⁽¹⁾ of the 4-2-1 network (section 1.5). The same steps tell any
flow: they go through its columns, from the output on, and where several nodes stand in a column each has its line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from autodiff.flow import Flow, FlowEdge, FlowNode, bracketed
from autodiff.notation import number
from autodiff.terms import (
    amount,
    columns,
    equation,
    error_name,
    is_weighted_sum,
    notes_name,
    share_text,
    shares_in_order,
    window,
)

__all__ = ["Step", "steps"]


@dataclass(frozen=True, slots=True)
class Step:
    """One numbered step: a sentence, a line for each node where there are several, and what it is about.

    ``nodes`` are the ids of the nodes whose error it states, ``edges`` positions in the flow's edges that it crosses.
    """

    number: int
    sentence: str
    lines: tuple[str, ...]
    nodes: tuple[int, ...]
    edges: tuple[int, ...]

    def __str__(self) -> str:
        return "\n".join([f"({self.number}) {self.sentence}", *(f"    {line}" for line in self.lines)])


def steps(flow: Flow) -> tuple[Step, ...]:
    """The flow told in numbered steps: eight for a first-layer weight of a network with one hidden layer.

    A weighted sum z = Wa + b takes one step to its inputs, whose error it states; a unit a = f(z) takes two, × f′(z)
    and the δ at z; so does the way into the parameter. An empty flow has no steps.

    Source: notes, section 1.5 ("error sharing").

    >>> from autodiff import Value
    >>> from autodiff.flow import error_flow
    >>> x, w = Value(3.0, name="x"), Value(2.0, name="w")
    >>> for step in steps(error_flow(w * x, w)): print(step)
    (1) An error signal of 1 enters at multiply: ∂multiply/∂multiply.
    (2) × x = 3, what w multiplied.
    (3) ∂multiply/∂w = 1 × 3 = 3, the gradient.
    """
    if flow.is_empty:
        return ()
    position = {id(edge): k for k, edge in enumerate(flow.edges)}
    told: list[tuple[str, list[str], Sequence[FlowNode], Sequence[FlowEdge]]] = []
    for depth, column in enumerate(columns(flow)):
        edges = [edge for node in column for edge in shares_in_order(flow, node)]
        if depth == 0:
            told.append((_entering(flow), [], column, []))
        elif column == (flow.parameter,):
            told.append((*_into_parameter(flow, edges), [], edges))
            told.append((*_gradient(flow, edges), column, []))
        elif all(is_weighted_sum(node) for node in column):
            told.append((*_through_units(flow, edges), [], edges))
            told.append((*_signals(flow, column), column, []))
        else:
            told.append((*_shared_out(flow, column), column, edges))
    return tuple(
        Step(
            k, sentence, tuple(lines), tuple(node.id for node in nodes), tuple(position[id(edge)] for edge in edges)
        )
        for k, (sentence, lines, nodes, edges) in enumerate(told, start=1)
    )  # fmt: skip


def _entering(flow: Flow) -> str:
    seed = f": ∂{flow.output.label}/∂{flow.output.label}" if amount(flow.seed) == "1" else ""
    return f"An error signal of {amount(flow.seed)} enters at {flow.output.label}{seed}."


def _through_units(flow: Flow, edges: Sequence[FlowEdge]) -> tuple[str, list[str]]:
    if len(edges) > 1:
        return "Each error goes through its neuron:", [
            f"at {flow.nodes[edge.input].label}: × {_factor(edge)}" for edge in edges
        ]
    (edge,) = edges
    if edge.consumer == 0:
        return f"× {_factor(edge)}, the local gradient of the output unit ({flow.output.operation}).", []
    return f"× {_factor(edge)} carries it through the neuron.", []


def _signals(flow: Flow, column: Sequence[FlowNode]) -> tuple[str, list[str]]:
    if len(column) > 1:
        return "The error signals stand at z and are shared out:", [_sum(flow, node) for node in column]
    (node,) = column
    shared = "" if _leads_to_parameter(flow, node) else " and is shared out"
    return f"{_sum(flow, node)} stands at {node.label}{shared}.", []


def _leads_to_parameter(flow: Flow, node: FlowNode) -> bool:
    return any(edge.consumer == node.id for edge in flow.shares)


def _shared_out(flow: Flow, column: Sequence[FlowNode]) -> tuple[str, list[str]]:
    if len(column) > 1:
        meet = any(len(flow.arriving(node)) > 1 for node in column)
        sentence = "Each gets its share, and shares that meet add up:" if meet else "Each gets its share:"
        return sentence, [_sum(flow, node) for node in column]
    (node,) = column
    edges = flow.arriving(node)
    if len(edges) > 1:
        return f"Shares meet at {node.label} and add up:", [_sum(flow, node)]
    (edge,) = edges
    share = f"{share_text(flow, edge)} = {_numbers(edge)}"
    return f"The share of {node.label} is {share}, the {error_name(flow, node)}{_behind(window(flow, edge))}.", []


def _into_parameter(flow: Flow, edges: Sequence[FlowEdge]) -> tuple[str, list[str]]:
    if len(edges) > 1:
        return f"Shares arrive at {flow.parameter.label}:", [
            f"{share_text(flow, edge)} = {_numbers(edge)}{_behind(window(flow, edge))}" for edge in edges
        ]
    (edge,) = edges
    name = notes_name(flow.parameter)
    if edge.partner is not None:
        forwards = name is not None and name.letter in ("W", "U")
        what = (
            f"the signal that {flow.parameter.label} forwarded"
            if forwards
            else f"what {flow.parameter.label} multiplied"
        )
        return f"× {_factor(edge)}, {what}.", []
    if name is not None and name.letter == "b":
        return f"× {_factor(edge)}: a bias is a weight on a constant 1.", []
    return f"× {_factor(edge)}.", []


def _gradient(flow: Flow, edges: Sequence[FlowEdge]) -> tuple[str, list[str]]:
    numbers = _numbers(edges[0]) if len(edges) == 1 else _total(edges, flow.gradient)
    return f"{flow.derivative} = {numbers}, the gradient.", []


def _sum(flow: Flow, node: FlowNode) -> str:
    """An error as the sum of the shares that arrive: symbols = numbers = result."""
    edges = shares_in_order(flow, node)
    symbols = " + ".join(share_text(flow, edge) for edge in edges)
    numbers = _numbers(edges[0]) if len(edges) == 1 else _total(edges, node.error)
    led = _behind(window(flow, edges[0])) if len(edges) == 1 else ""
    return f"{error_name(flow, node)} = {symbols} = {numbers}{led}"


def _numbers(edge: FlowEdge) -> str:
    if edge.local is None:
        return f"[{amount(edge.share)}]"
    return f"{amount(edge.error)} × {bracketed(number(edge.local))} = {amount(edge.share)}"


def _total(edges: Sequence[FlowEdge], result: Any) -> str:
    return f"{' + '.join(bracketed(amount(edge.share)) for edge in edges)} = {amount(result)}"


def _factor(edge: FlowEdge) -> str:
    return edge.local_symbol if edge.local is None else equation(edge.local_symbol, edge.local)


def _behind(text: str) -> str:
    return f" ({text})" if text else ""
