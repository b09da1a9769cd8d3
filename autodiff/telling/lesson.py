"""The story of one gradient: why, an overview, steps, two derivations, a check, and where it shrinks."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import reduce
from operator import itemgetter
from typing import Any, Final

import numpy as np

from autodiff.engine.graph import Node
from autodiff.flow import Flow, FlowEdge, FlowNode, Number, Path, bracketed
from autodiff.flow.factors import is_saturated
from autodiff.flow.order import is_weighted_sum, notes_name, shares_in_order, suffix
from autodiff.flow.sums import ADD, with_sums
from autodiff.telling.derivation import Derived, derivation, equation_of, outer_product_in_numbers
from autodiff.telling.notes import Notes
from autodiff.telling.remarks import flat_layers, remarks
from autodiff.telling.steps import steps
from autodiff.telling.story import Block, Heading, Listing, Paragraph, Story, Table, numbered, product, slopes
from autodiff.telling.style import USUAL, Style
from autodiff.telling.terms import derivative, equation, error_name, local_equation, share_text
from autodiff.transforms.nudge import Nudge, nudge
from autodiff.transforms.replay import Check
from autodiff.words.formulas import quotient
from autodiff.words.notation import Name, number

__all__ = ["consequences", "lesson", "nudged", "reasons"]

_MOST_ROWS: Final = 40
_MOST_LISTED: Final = 4
_MOST_INPUTS: Final = 8
_MOST_FACTORS: Final = 10


def lesson(flow: Flow, check: Check | None = None, style: Style = USUAL, *, errata: bool = False) -> Story:
    """The full explanation of one gradient, as blocks of text; with errata, also the slips of the printed notes.

    Source: notes, section 1.5.
    """
    flow = with_sums(flow)
    teller, notes = _Lesson(flow, style), Notes(flow, style)
    blocks: list[Block] = [] if flow.is_empty else [product(flow, style), *teller.why(), *teller.meaning()]
    blocks += [*notes.what_it_is(), *notes.shapes()]
    if not flow.is_empty:
        told = steps(flow, style)
        path = flow.strongest_path
        blocks += [teller.heading("steps"), numbered(told, style)]
        blocks += slopes(flow, told, style, path.edges if path is not None and path.product is not None else ())
        blocks += [*teller.derivations(), *teller.matrix_form(), *outer_product_in_numbers(flow, style)]
    blocks += [*teller.checked(check), *teller.weak(), *(notes.errata() if errata else ())]
    symbol = derivative(flow, style)
    return Story(teller.say("explain.title", derivative=symbol), tuple(blocks), style.language)


# ---- why -------------------------------------------------------------------------------------------------------------


def reasons(flow: Flow, style: Style) -> tuple[tuple[str, ...], Listing | None]:
    """Why a gradient is what it is: the chain rule and the input, then the origin of each factor of the strongest path.

    Both are empty if the parameter is the output or no error reaches it; a path through arrays has no numbers as
    factors, so there is no list.
    """
    path = flow.strongest_path
    if path is None or not path.edges:
        return (), None
    key = "one-path" if flow.path_count == 1 else "paths"
    ends = {"parameter": flow.parameter.label, "output": flow.output.label}
    said = [style.say(f"why.{key}", count=style.counted(flow.path_count), **ends)]
    here = {flow.flows.number_of(node) for node in flow.nodes}
    every = (*flow.nodes, *(node for node in flow.flows.nodes if node.operation is None and node.id not in here))
    inputs = sorted((node for node in every if _is_input(node) and np.size(node.value) == 1), key=_windows)
    if inputs:
        row = [f"{node.label} = {style.amount(node.value)}" for node in inputs[:_MOST_INPUTS]]
        row += ["…"] * (len(inputs) > _MOST_INPUTS)
        listed = reduce(lambda first, second: style.say("term.pair", first=first, second=second), row)
        said.append(style.say("why.input", values=listed))
    if path.product is None:
        return tuple(said), None
    lines = [_origin(flow, edge, style) for edge in path.edges]
    if len(lines) > _MOST_FACTORS:
        half = _MOST_FACTORS // 2
        gap = style.say("text.more-lines", count=len(lines) - 2 * half)
        lines = [*lines[:half], gap, *lines[-half:]]
    return tuple(said), Listing(style.say(f"why.factors-{key}"), tuple(lines))


def _origin(flow: Flow, edge: FlowEdge, style: Style) -> str:
    """Where the local gradient of an edge comes from: the other factor, a slope, or nothing that changes it."""
    consumer, item = flow.nodes[edge.consumer], flow.nodes[edge.input]
    key = "derivative"
    if edge.partner is not None and edge.local_symbol == edge.partner:
        key = "partner"
    elif "′" in edge.local_symbol and len(flow.flows.node_of(consumer).inputs) == 1:
        key = "slope"
    elif edge.local_symbol == "1":
        key = "sum" if consumer.operation == ADD else "unchanged"
    return style.say(
        f"why.{key}", factor=local_equation(flow, edge, style), input=item.label,
        value=style.amount(item.value), function=consumer.symbol, equation=equation_of(flow, consumer, style),
    )  # fmt: skip


def nudged(flow: Flow) -> Nudge | None:
    """The output after a small step of the parameter, computed again; None where that says nothing.

    With a seed other than 1 the gradient is of a multiple of the output, which a step of the output does not show.
    """
    if flow.is_empty or not np.all(flow.seed == 1):
        return None
    node_of = flow.flows.node_of
    return nudge(node_of(flow.output), node_of(flow.parameter), flow.gradient)


def consequences(flow: Flow, moved: Nudge | None, style: Style) -> tuple[str, ...]:
    """What the number means: how the output changes after a step of the parameter, and which way descent goes."""
    if moved is None:
        return ()
    write = style.write
    turn = "same" if moved.change == 0 else "rises" if moved.change > 0 else "falls"
    words = {
        "parameter": flow.parameter.label, "output": flow.output.label, "step": write(moved.step),
        "change": write(abs(moved.change)), "before": write(moved.before), "after": write(moved.after),
        "predicted": write(moved.predicted), "gradient": bracketed(style.amount(flow.gradient)),
    }  # fmt: skip
    if np.ndim(flow.parameter.value):
        return (style.say(f"why.array-{turn}", **words),)
    said = [style.say(f"why.{turn}", **words)]
    if flow.parameter.operation is None and flow.gradient != 0:
        said.append(style.say(f"why.descent-{'lowers' if flow.gradient > 0 else 'raises'}", **words))
    return tuple(said)


# ---- the lesson ------------------------------------------------------------------------------------------------------


class _Lesson:
    """Writes about one flow in one style."""

    def __init__(self, flow: Flow, style: Style) -> None:
        self.flow, self.style, self.write = flow, style, style.write

    def say(self, key: str, **fields: object) -> str:
        return self.style.say(key, **fields)

    def heading(self, section: str) -> Heading:
        return Heading(self.say(f"explain.{section}"))

    def error(self, node: FlowNode) -> str:
        return error_name(self.flow, node, self.style)

    # ---- why ---------------------------------------------------------------------------------------------------------

    def why(self) -> Iterator[Block]:
        """The chain rule, the input, and where each factor of the strongest path comes from."""
        said, origins = reasons(self.flow, self.style)
        if said:
            yield self.heading("why")
            yield Paragraph(said)
        if origins is not None:
            yield origins

    def meaning(self) -> Iterator[Block]:
        """What the number means: the output after a real step of the parameter, and which way descent goes."""
        if said := consequences(self.flow, nudged(self.flow), self.style):
            yield self.heading("meaning")
            yield Paragraph(said)

    # ---- derivations -------------------------------------------------------------------------------------------------

    def derivations(self) -> Iterator[Block]:
        """The equations with their derivatives, each beside the error that error sharing gives at that point."""
        flow, lines = self.flow, derivation(self.flow)
        if not lines:
            return
        rows = [
            (
                equation_of(flow, line.node, self.style),
                f"{quotient(line.node.label, flow.parameter.label)} = {self.right_side(line)}",
                f"{self.error(line.node)} = {self.style.amount(line.node.error)}",
            )
            for line in lines
        ]
        yield self.heading("derivations")
        head = (
            self.say("explain.equation"), self.say("explain.downwards", parameter=flow.parameter.label),
            self.say("explain.upwards"),
        )  # fmt: skip
        yield Table(head, tuple(_without_middle(rows)))
        explicit = float(flow.seed) * lines[-1].derivative
        same = math.isclose(explicit, flow.gradient, rel_tol=1e-9, abs_tol=0.0)
        finite = math.isfinite(explicit) and math.isfinite(flow.gradient)
        key = "equal" if same else "unequal" if finite else "not-finite"
        if math.isnan(explicit) and math.isnan(flow.gradient):
            key = "no-number"
        said = [self.say(f"explain.{key}", explicit=self.write(explicit), gradient=self.write(flow.gradient))]
        if flow.path_count == 1 and key == "equal":
            said.append(self.say("explain.constant-product"))
        yield Paragraph(tuple(said))

    def right_side(self, line: Derived) -> str:
        """The derivative of an equation in symbols and as a number."""
        if all(edge.input == self.flow.parameter.id for edge in line.edges) and len(line.edges) == 1:
            return equation(line.edges[0].local_symbol, line.edges[0].local, self.style)
        return f"{line.symbols(self.style)} = {self.write(line.derivative)}"

    def matrix_form(self) -> Iterator[Block]:
        """For a whole W⁽ᵏ⁾: the outer products of error signals and inputs, and the largest entry of their sum."""
        flow, name = self.flow, notes_name(self.flow.parameter)
        pairs = [self.outer_pair(edge) for edge in shares_in_order(flow, flow.parameter)]
        if name is None or name.letter != "W" or name.indices or not pairs or None in pairs:
            return
        known = [pair for pair in pairs if pair is not None]
        total = np.sum([np.outer(z.error, inputs) for z, inputs in known], axis=0)
        i, j = (int(k) for k in np.unravel_index(int(np.argmax(np.abs(total))), total.shape))
        layer = name.layer or 1
        marks = [suffix(z) for z, _ in known]
        symbols = [f"{Name('δ', (i + 1,), layer + 1)}{mark} · {Name('a', (j + 1,), layer)}{mark}" for mark in marks]
        numbers = [
            " × ".join(bracketed(self.write(float(item))) for item in (z.error[i], inputs[j])) for z, inputs in known
        ]
        shares = " + ".join(share_text(flow, edge) for edge in shares_in_order(flow, flow.parameter))
        yield self.heading("derivations")
        yield Paragraph((
            self.say("explain.matrix", matrix=f"∇{name} = {shares}"),
            self.say(
                "explain.largest", symbols=" + ".join(symbols), numbers=" + ".join(numbers),
                entry=self.write(float(total[i, j])), matrix=f"∇{name}",
                gradient=self.write(float(flow.gradient[i, j])),
            ),
        ))  # fmt: skip

    def outer_pair(self, edge: FlowEdge) -> tuple[FlowNode, np.ndarray[Any, np.dtype[Any]]] | None:
        """The z at the start of an edge to W, and the vector that W was multiplied by; None for rows of inputs."""
        z = self.flow.nodes[edge.consumer]
        if z.operation != "affine" or not is_weighted_sum(z):
            return None
        inputs = self.flow.flows.node_of(z).inputs[1]
        return z, inputs._data if isinstance(inputs, Node) else inputs

    # ---- check, weak factors ----------------------------------------------------------------------------------------

    def checked(self, check: Check | None) -> Iterator[Block]:
        if check is None:
            return
        if check.verdict == "unclear":  # the stamp does not say why
            lines = [self.say("check.line", check=str(check.numerical), verdict=self.say("check.unclear"))]
        else:
            lines = [check.said(language=self.style.language, write=self.write)]
        if isinstance(self.flow.parameter.value, np.ndarray):
            lines.insert(0, self.say("explain.direction"))
        yield self.heading("check")
        yield Paragraph(tuple(lines))

    def weak(self) -> Iterator[Block]:
        """The strongest path factor by factor, with the error that remains after each, and its weakest factor."""
        flow = self.flow
        said = list(remarks(flow, self.style))
        path = flow.strongest_path
        rows: list[tuple[str, ...]] = []
        head = tuple(self.say(f"explain.{key}") for key in ("factor", "number", "left"))
        if path is not None and path.product is not None:
            rows = list(self.factors(path))
            saturated = [self.saturated(edge) for edge in path.edges if is_saturated(edge, flow.nodes)]
            said += saturated[:_MOST_LISTED]
        elif path is not None and path.edges:
            head = tuple(self.say(f"explain.{key}") for key in ("share", "scale", "size"))
            scales = [(_size(edge.share) / (_size(edge.error) or 1.0), edge) for edge in path.edges]
            rows = [(self.share(edge), self.write(scale), self.write(_size(edge.share))) for scale, edge in scales]
            least, edge = min(scales, key=itemgetter(0))
            if least < 1:
                said.append(self.say("explain.scales-least", share=self.share(edge), scale=self.write(least)))
        said += flat_layers(flow, self.style)
        if rows or said:
            yield self.heading("weak")
        if rows:
            yield Table(head, tuple(_without_middle(rows)))
            said = said or [self.say("explain.nothing-shrinks")]
        if said:
            yield Paragraph(tuple(said))

    def factors(self, path: Path) -> Iterator[tuple[str, ...]]:
        for factor, left in zip(path.factors, path.products, strict=True):
            symbol = factor.symbol if factor.symbol != number(factor.number) else self.quotient(factor.edge)
            yield symbol, self.write(factor.number), self.write(left)

    def share(self, edge: FlowEdge) -> str:
        return share_text(self.flow, edge, self.style)

    def quotient(self, edge: FlowEdge | None) -> str:
        if edge is None:
            return self.say("term.seed")
        return quotient(self.flow.nodes[edge.consumer].label, self.flow.nodes[edge.input].label)

    def saturated(self, edge: FlowEdge | None) -> str:
        unit = self.flow.nodes[0 if edge is None else edge.consumer]
        return self.say("explain.saturated", unit=unit.label, value=self.style.amount(unit.value), function=unit.symbol)


def _is_input(node: FlowNode) -> bool:
    """Whether a node is an input of a network of the notes, or called x."""
    if node.operation is not None:
        return False
    name = notes_name(node)
    return node.name == "x" or (name is not None and (name.letter, name.layer) == ("a", 1))


def _windows(node: FlowNode) -> tuple[str, tuple[int, ...]]:
    """A sort key for a₁⁽¹⁾, a₂⁽¹⁾, … a₁⁽¹⁾ᶜ, a₂⁽¹⁾ᶜ, …"""
    name = notes_name(node)
    return suffix(node), () if name is None else name.indices


def _size(array: Number) -> float:
    with np.errstate(all="ignore"):
        return float(np.linalg.norm(array))


def _without_middle(rows: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    if len(rows) <= _MOST_ROWS:
        return list(rows)
    half = _MOST_ROWS // 2
    return [*rows[:half], ("…",) * len(rows[0]), *rows[-half:]]
