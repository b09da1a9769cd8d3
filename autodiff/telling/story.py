"""Stories as blocks of text, written once and set as plain text, Markdown or LaTeX by three writers.

A story knows no format, and the writers know no calculus. All texts are Unicode, such as W₁₄⁽¹⁾, and contain names
chosen by users.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from autodiff.flow import Flow, FlowEdge, Path
from autodiff.flow.order import shares_in_order
from autodiff.flow.sums import with_sums
from autodiff.telling.remarks import remarks
from autodiff.telling.steps import Step, steps
from autodiff.telling.style import USUAL, Style
from autodiff.telling.terms import (
    derivative,
    equal,
    local_equation,
    path_numbers,
    path_symbols,
    share_text,
    sum_of_shares,
)
from autodiff.words.notation import number

__all__ = [
    "Block", "Equation", "Heading", "Listing", "Numbered", "Paragraph", "Story", "Table", "flow_story", "numbered",
    "product", "slopes",
]  # fmt: skip

_MOST_LINES: Final = 60
_MOST_SHARES: Final = 12
_MOST_SLOPES: Final = 6
_PATHS: Final = 5


@dataclass(frozen=True, slots=True)
class Heading:
    """The title of a section."""

    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Sentences, each on a separate line."""

    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Equation:
    """left = right[0] = right[1] = …"""

    left: str
    right: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Numbered:
    """Steps as pairs (number, text); the number is None for further lines of a step."""

    lines: tuple[tuple[int | None, str], ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """An introductory line and the lines below it."""

    head: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of texts; ``head`` may be empty."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


Block = Heading | Paragraph | Equation | Numbered | Listing | Table


@dataclass(frozen=True, slots=True)
class Story:
    """A title and blocks of text in one language."""

    title: str
    blocks: tuple[Block, ...]
    language: str = "en"


def flow_story(flow: Flow, style: Style = USUAL) -> Story:
    """A flow in the form of the notes: the product, the numbered steps, the shares and their sum, the paths, remarks.

    Source: notes, section 1.5.
    """
    flow = with_sums(flow)
    title = style.say("title.text", output=flow.output.label, parameter=flow.parameter.label)
    blocks: list[Block] = []
    if not flow.is_empty:
        told = steps(flow, style)
        blocks += [product(flow, style), numbered(told, style), *slopes(flow, told, style), _shares(flow, style)]
        if flow.path_count > 1:
            blocks.append(_paths(flow, style))
    said = remarks(flow, style)
    return Story(title, (*blocks, *([Paragraph(said)] if said else [])), style.language)


def product(flow: Flow, style: Style) -> Equation:
    """The gradient as an equation: symbols, numbers, result."""
    if flow.path_count == 1 and np.size(flow.gradient) == 1:
        (path,) = flow.strongest(1)
        parts = [path_symbols(path, style), path_numbers(path, style)]
    else:
        parts = list(sum_of_shares(flow, _MOST_SHARES, style))
    left = derivative(flow, style)
    return Equation(left, (*filter(None, parts), style.amount(flow.gradient)))


def numbered(told: Sequence[Step], style: Style) -> Numbered:
    """The steps; of very many lines, only the first and the last."""
    lines: list[tuple[int | None, str]] = []
    for step in told:
        lines += [(step.number, step.sentence), *((None, line) for line in step.lines)]
    if len(lines) > _MOST_LINES:
        half = _MOST_LINES // 2
        gap = style.say("text.more-lines", count=len(lines) - 2 * half)
        lines = [*lines[:half], (None, gap), *lines[-half:]]
    return Numbered(tuple(lines))


def _shares(flow: Flow, style: Style) -> Block:
    edges = shares_in_order(flow, flow.parameter)
    parameter = flow.parameter.label
    if not edges:
        return Paragraph((style.say("text.is-output", parameter=parameter),))
    lines = [
        equal(share_text(flow, edge, style), style.told(edge.share), edge.share, style) for edge in edges[:_MOST_SHARES]
    ]  # fmt: skip
    if len(edges) > _MOST_SHARES:
        lines.append(style.say("text.more", count=len(edges) - _MOST_SHARES))
    if len(edges) == 1:
        return Listing(style.say("text.share", parameter=parameter), tuple(lines))
    key = "text.sum-array" if np.size(flow.gradient) > 1 else "text.sum"
    lines.append(style.say(key, gradient=style.told(flow.gradient)))
    return Listing(style.say("text.shares", parameter=parameter), tuple(lines))


def slopes(flow: Flow, told: Sequence[Step], style: Style, known: Sequence[FlowEdge] = ()) -> Iterator[Listing]:
    """The local gradients that are formulas, as far as the steps do not state them and they are not ``known``."""
    stated = "\n".join(line for step in told for line in (step.sentence, *step.lines))
    lines: dict[str, None] = {}
    for edge in flow.edges:
        if len(lines) > _MOST_SLOPES:
            break
        if edge not in known and flow.slope_of(edge) is not None:
            line = local_equation(flow, edge, style)
            lines |= {} if line in stated else {line: None}
    if lines:
        shown = [*lines][:_MOST_SLOPES]
        yield Listing(style.say("text.slopes"), (*shown, *["…"] * (len(lines) > len(shown))))


def _paths(flow: Flow, style: Style) -> Listing:
    head = style.say("text.paths", count=style.counted(flow.path_count))
    return Listing(head, tuple(_path_lines(flow, style)))


def _path_lines(flow: Flow, style: Style) -> Iterator[str]:
    for path in flow.strongest(_PATHS):
        numbers = path_numbers(path, style)
        end = f" = {numbers} = {style.write(path.product)}" if numbers else ""
        yield f"{_percentage(path)}{path_symbols(path, style)}{end}"


def _percentage(path: Path) -> str:
    return "" if path.percentage is None else f"{number(path.percentage, 3):>5} %  "
