"""The story of one gradient: an overview, steps, two derivations, a check, and where it shrinks."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import Any, Final

import numpy as np

from autodiff.engine.graph import Node
from autodiff.flow import Flow, FlowEdge, FlowNode, Number, Path, bracketed
from autodiff.flow.order import is_weighted_sum, notes_name, shares_in_order, suffix
from autodiff.telling.derivation import Derived, derivation, equation_of
from autodiff.telling.notes import Notes
from autodiff.telling.remarks import remarks
from autodiff.telling.steps import steps
from autodiff.telling.story import Block, Heading, Paragraph, Story, Table, numbered, product
from autodiff.telling.style import USUAL, Style
from autodiff.telling.terms import derivative, equation, error_name, share_text
from autodiff.transforms.replay import Check
from autodiff.words.formulas import quotient
from autodiff.words.notation import Name, number

__all__ = ["lesson"]

_MOST_ROWS: Final = 40
_MOST_LISTED: Final = 4
_SATURATING: Final = {"sigmoid": 0.25, "tanh": 1.0, "soft_sign": 1.0}  # the largest f′
_SATURATED: Final = 0.1  # of the largest f′


def lesson(flow: Flow, check: Check | None = None, style: Style = USUAL) -> Story:
    """The full explanation of one gradient, as blocks of text.

    Source: notes, section 1.5.
    """
    teller, notes = _Lesson(flow, style), Notes(flow, style)
    blocks: list[Block] = [] if flow.is_empty else [product(flow, style)]
    blocks += [*notes.what_it_is(), *notes.shapes()]
    if not flow.is_empty:
        told = steps(flow, style)
        blocks += [teller.heading("steps"), numbered(told, style)]
        blocks += [*teller.derivations(), *teller.matrix_form()]
    blocks += [*teller.checked(check), *teller.weak(), *notes.errata()]
    symbol = derivative(flow, style)
    return Story(teller.say("explain.title", derivative=symbol), tuple(blocks), style.language)


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

    # ---- derivations -------------------------------------------------------------------------------------------------

    def derivations(self) -> Iterator[Block]:
        """The equations with their derivatives, each beside the error that error sharing gives at that point."""
        flow, lines = self.flow, derivation(self.flow)
        if not lines:
            return
        rows = [
            (
                equation_of(flow, line.node, self.style),
                f"{quotient(line.node.label, flow.parameter.label)} = {self.slope(line)}",
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
        explicit = float(flow.seed) * lines[-1].slope
        same = math.isclose(explicit, flow.gradient, rel_tol=1e-9, abs_tol=0.0)
        finite = math.isfinite(explicit) and math.isfinite(flow.gradient)
        key = "equal" if same else "unequal" if finite else "not-finite"
        if math.isnan(explicit) and math.isnan(flow.gradient):
            key = "no-number"
        said = [self.say(f"explain.{key}", explicit=self.write(explicit), gradient=self.write(flow.gradient))]
        if flow.path_count == 1 and key == "equal":
            said.append(self.say("explain.constant-product"))
        yield Paragraph(tuple(said))

    def slope(self, line: Derived) -> str:
        if all(edge.input == self.flow.parameter.id for edge in line.edges) and len(line.edges) == 1:
            return equation(line.edges[0].local_symbol, line.edges[0].local, self.style)
        return f"{line.symbols(self.style)} = {self.write(line.slope)}"

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
        lines = [
            check.said(language=self.style.language, write=self.write),
            self.say("check.line", check=str(check.numerical), verdict=self.say(f"check.{check.verdict}")),
        ]
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
            saturated = [self.saturated(factor.edge) for factor in path.factors if _is_saturated(flow, factor.edge)]
            said += saturated[:_MOST_LISTED]
        elif path is not None and path.edges:
            head = tuple(self.say(f"explain.{key}") for key in ("share", "scale", "size"))
            scales = [(_size(edge.share) / (_size(edge.error) or 1.0), edge) for edge in path.edges]
            rows = [(self.share(edge), self.write(scale), self.write(_size(edge.share))) for scale, edge in scales]
            least, edge = min(scales, key=itemgetter(0))
            if least < 1:
                said.append(self.say("explain.scales-least", share=self.share(edge), scale=self.write(least)))
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


def _is_saturated(flow: Flow, edge: FlowEdge | None) -> bool:
    if edge is None or edge.local is None:
        return False
    largest = _SATURATING.get(flow.nodes[edge.consumer].operation or "")
    return largest is not None and abs(edge.local) < _SATURATED * largest


def _size(array: Number) -> float:
    with np.errstate(all="ignore"):
        return float(np.linalg.norm(array))


def _without_middle(rows: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    if len(rows) <= _MOST_ROWS:
        return list(rows)
    half = _MOST_ROWS // 2
    return [*rows[:half], ("…",) * len(rows[0]), *rows[-half:]]
