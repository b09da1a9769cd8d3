"""Error sharing in the words of the notes: numbered steps.

The notes follow one error signal in eight steps to W₁₄⁽¹⁾ of the 4-2-1 network (section 1.5). The same steps describe
any flow: they pass through its columns, starting at the output; if a column has several nodes, each gets a line.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from autodiff.flow import Flow, FlowEdge, FlowNode, Signal
from autodiff.flow.order import columns, is_weighted_sum, notes_name, shares_in_order
from autodiff.flow.sums import ADD
from autodiff.telling.style import USUAL, Style
from autodiff.telling.terms import (
    derivative,
    equal,
    error_name,
    local_equation,
    share_numbers,
    share_text,
    sum_numbers,
    window,
)
from autodiff.words.formulas import quotient

__all__ = ["Step", "steps"]


@dataclass(frozen=True, slots=True)
class Step:
    """One numbered step: a sentence, and a line for each node if there are several.

    ``nodes`` are the ids of the nodes whose errors the step states; ``edges`` are the indices of the edges it crosses.
    """

    number: int
    sentence: str
    lines: tuple[str, ...]
    nodes: tuple[int, ...]
    edges: tuple[int, ...]

    def __str__(self) -> str:
        return "\n".join([f"({self.number}) {self.sentence}", *(f"    {line}" for line in self.lines)])


def steps(flow: Flow, style: Style = USUAL) -> tuple[Step, ...]:
    """Describe the flow in numbered steps: eight for a first-layer weight of a network with one hidden layer.

    A weighted sum z = Wa + b takes one step, which states the errors of its inputs. A unit a = f(z) takes two, × f′(z)
    and the δ at z, and so does the edge into the parameter. An empty flow has no steps.

    Args:
        flow: the result of `autodiff.flow.error_flow`.
        style: the language and the format of numbers.

    Source: notes, section 1.5 ("error sharing").

    >>> from autodiff import Value
    >>> from autodiff.flow import error_flow
    >>> x, w = Value(3.0, name="x"), Value(2.0, name="w")
    >>> for step in steps(error_flow(w * x, w)): print(step)
    (1) An error signal of 1 enters at w·x: ∂(w·x)/∂(w·x).
    (2) × x = 3, the value multiplied by w.
    (3) ∂(w·x)/∂w = 1 × 3 = 3, the gradient.
    """
    if flow.is_empty:
        return ()
    teller = _Teller(flow, style)
    position = {id(edge): k for k, edge in enumerate(flow.edges)}
    return tuple(
        Step(
            k, sentence, tuple(lines), tuple(node.id for node in nodes), tuple(position[id(edge)] for edge in edges)
        )
        for k, (sentence, lines, nodes, edges) in enumerate(_told(flow, teller), start=1)
    )  # fmt: skip


_Told = tuple[str, list[str], Sequence[FlowNode], Sequence[FlowEdge]]


def _told(flow: Flow, teller: _Teller) -> Iterator[_Told]:
    """For each step, its sentence and lines, the nodes whose errors it states, and the edges it crosses."""
    for depth, column in enumerate(columns(flow)):
        edges = [edge for node in column for edge in shares_in_order(flow, node)]
        if depth == 0:
            yield teller.entering(), [], column, []
        elif column == (flow.parameter,):
            yield *teller.into_parameter(edges), [], edges
            yield teller.gradient(edges), [], column, []
        elif all(is_weighted_sum(node) for node in column):
            yield *teller.through_units(edges), [], edges
            yield *teller.signals(column), column, []
        else:
            yield *teller.shared_out(column), column, edges


@dataclass(frozen=True, slots=True)
class _Teller:
    """Writes about parts of one flow in one style."""

    flow: Flow
    style: Style

    def say(self, key: str, **fields: object) -> str:
        return self.style.say(key, **fields)

    def entering(self) -> str:
        seed, node = self.flow.seed, self.flow.output.label
        key = "step.enters-as-one" if USUAL.amount(seed) == "1" else "step.enters"
        return self.say(key, seed=self.amount(seed), node=node, derivative=quotient(node, node))

    def through_units(self, edges: Sequence[FlowEdge]) -> tuple[str, list[str]]:
        if len(edges) > 1:
            nodes = self.flow.nodes
            lines = [self.say("step.at", node=nodes[edge.input].label, factor=self.factor(edge)) for edge in edges]
            return self.say("step.through-each"), lines
        (edge,) = edges
        one, several = "step.output-unit", "step.output-units"
        if edge.consumer:
            one, several = "step.through", "step.through-units"
        key = several if np.size(edge.share) > 1 else one
        return self.say(key, factor=self.factor(edge), operation=self.style.operation(self.flow.output.operation)), []

    def signals(self, column: Sequence[FlowNode]) -> tuple[str, list[str]]:
        if len(column) > 1:
            return self.say("step.signals"), [self.sum(node) for node in column]
        (node,) = column
        ends_here = any(edge.consumer == node.id for edge in self.flow.shares)
        key = "step.signal" + "-shared" * (not ends_here) + "-array" * (np.size(node.error) > 1)
        return self.say(key, sum=self.sum(node), node=node.label), []

    def shared_out(self, column: Sequence[FlowNode]) -> tuple[str, list[str]]:
        if len(column) > 1:
            meet = any(len(self.flow.arriving(node)) > 1 for node in column)
            key = "step.each-share-adds" if meet else "step.each-share"
            return self.say(key), [self.sum(node) for node in column]
        (node,) = column
        edges = self.flow.arriving(node)
        if len(edges) > 1:
            return self.say("step.meet", node=node.label), [self.sum(node)]
        (edge,) = edges
        if self.passes_on(edge):
            sent = self.error(self.flow.nodes[edge.consumer])
            passed = equal(sent, self.style.told(edge.share), edge.share, self.style) + self.anomaly(edge)
            return self.say("step.sum", error=self.error(node), passed=passed), []
        share = equal(self.share(edge), self.numbers(edge), edge.share, self.style)
        key = "step.share-array" if np.size(edge.share) > 1 else "step.share"
        return self.say(key, node=node.label, share=share, error=self.error(node), window=self.window(edge)), []

    def into_parameter(self, edges: Sequence[FlowEdge]) -> tuple[str, list[str]]:
        parameter = self.flow.parameter
        if len(edges) > 1:
            lines = [
                equal(self.share(edge), self.numbers(edge), edge.share, self.style) + self.window(edge)
                for edge in edges
            ]
            return self.say("step.arrive", parameter=parameter.label), lines
        (edge,) = edges
        name = notes_name(parameter)
        letter = "" if name is None else name.letter
        if edge.local is None and np.ndim(edge.share) == 2 and letter == "W":
            return self.say("step.outer", share=self.share(edge), parameter=parameter.label), []
        if edge.partner is not None:
            key = "step.forwarded" if letter in ("W", "U") else "step.multiplied"
        else:
            key = "step.bias" if letter == "b" else "step.into-sum" if self.passes_on(edge) else "step.factor"
        return self.say(key, factor=self.factor(edge), parameter=parameter.label), []

    def passes_on(self, edge: FlowEdge) -> bool:
        """Whether an edge leads from a sum to a term of the same shape, whose share is the error of the sum."""
        is_sum = self.flow.nodes[edge.consumer].operation == ADD
        return is_sum and edge.local_symbol == "1" and np.shape(edge.share) == np.shape(edge.error)

    def gradient(self, edges: Sequence[FlowEdge]) -> str:
        numbers = self.numbers(edges[0]) if len(edges) == 1 else self.total(edges, self.flow.parameter)
        symbol = derivative(self.flow, self.style)
        key = "step.gradient-array" if np.size(self.flow.gradient) > 1 else "step.gradient"
        return self.say(key, derivative=symbol, numbers=numbers)

    def sum(self, node: FlowNode) -> str:
        """An error as the sum of its shares: symbols = numbers = result."""
        edges = shares_in_order(self.flow, node)
        symbols = " + ".join(map(self.share, edges))
        numbers = self.numbers(edges[0]) if len(edges) == 1 else self.total(edges, node)
        led = self.window(edges[0]) if len(edges) == 1 else ""
        return f"{self.error(node)} = {equal(symbols, numbers, node.error, self.style)}{led}"

    def numbers(self, edge: FlowEdge) -> str:
        return share_numbers(edge, self.style) + self.anomaly(edge)

    def total(self, edges: Sequence[FlowEdge], node: FlowNode) -> str:
        return sum_numbers(edges, node.error, self.style) + self.anomaly(node)

    def anomaly(self, item: FlowEdge | FlowNode) -> str:
        """A note in brackets if numbers stop being finite at an edge's share or at a sum."""
        for anomaly in self.flow.anomalies:
            if anomaly.kind != "value" and item is (anomaly.edge or anomaly.node):
                return self.say("term.in-brackets", text=self.say(f"anomaly.{anomaly.kind}"))
        return ""

    def factor(self, edge: FlowEdge) -> str:
        return local_equation(self.flow, edge, self.style)

    def window(self, edge: FlowEdge) -> str:
        text = window(self.flow, edge, self.style)
        return self.say("term.in-brackets", text=text) if text else ""

    def share(self, edge: FlowEdge) -> str:
        return share_text(self.flow, edge, self.style)

    def error(self, node: FlowNode) -> str:
        return error_name(self.flow, node, self.style)

    def amount(self, value: Signal) -> str:
        return self.style.amount(value)
