"""What there is to tell, as blocks of text: written once, set as plain text, Markdown or LaTeX by three writers.

A story knows no format, and the writers know no calculus. All texts are Unicode, as W₁₄⁽¹⁾ is, and hold names that a
user chose.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from autodiff.flow import Flow, Path
from autodiff.telling.remarks import remarks
from autodiff.telling.steps import Step, steps
from autodiff.telling.terms import (
    Write,
    amount,
    counted,
    derivative,
    path_numbers,
    path_symbols,
    share_text,
    shares_in_order,
    sum_of_shares,
)
from autodiff.words.notation import number
from autodiff.words.phrases import say

__all__ = [
    "Block", "Equation", "Heading", "Listing", "Numbered", "Paragraph", "Story", "Table", "flow_story", "numbered",
    "product",
]  # fmt: skip

_MOST_LINES: Final = 60
_MOST_SHARES: Final = 12
_PATHS: Final = 5


@dataclass(frozen=True, slots=True)
class Heading:
    """The title of a section."""

    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Sentences, each on a line of its own."""

    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Equation:
    """left = right[0] = right[1] = …"""

    left: str
    right: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Numbered:
    """Steps: (number, text) each, with None for a further line of the step before."""

    lines: tuple[tuple[int | None, str], ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """Lines below a line that introduces them."""

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
    """A title and what follows, in one language."""

    title: str
    blocks: tuple[Block, ...]
    language: str = "en"


def flow_story(flow: Flow, *, language: str = "en", write: Write = number) -> Story:
    """A flow as the notes tell it: the product, the numbered steps, the shares and their sum, the paths, remarks.

    Raises:
        ValueError: an unknown language.

    Source: notes, section 1.5.
    """
    title = say("title.text", language, output=flow.output.label, parameter=flow.parameter.label)
    blocks: list[Block] = []
    if not flow.is_empty:
        told = steps(flow, language=language, write=write)
        blocks += [product(flow, language, write), numbered(told, language), _shares(flow, language, write)]
        if flow.path_count > 1:
            blocks.append(_paths(flow, language, write))
    said = remarks(flow, language=language, write=write)
    return Story(title, (*blocks, *([Paragraph(said)] if said else [])), language)


def product(flow: Flow, language: str, write: Write) -> Equation:
    """The gradient as an equation: symbols, numbers, result."""
    if flow.path_count == 1 and np.size(flow.gradient) == 1:
        (path,) = flow.strongest(1)
        parts = [path_symbols(path, write=write, language=language), path_numbers(path, write=write, language=language)]
    else:
        parts = list(sum_of_shares(flow, _MOST_SHARES, language=language, write=write))
    left = derivative(flow, language=language, write=write)
    return Equation(left, (*filter(None, parts), amount(flow.gradient, language=language, write=write)))


def numbered(told: Sequence[Step], language: str) -> Numbered:
    """The steps; of very many lines the first and the last."""
    lines: list[tuple[int | None, str]] = []
    for step in told:
        lines += [(step.number, step.sentence), *((None, line) for line in step.lines)]
    if len(lines) > _MOST_LINES:
        half = _MOST_LINES // 2
        gap = say("text.more-lines", language, count=len(lines) - 2 * half)
        lines = [*lines[:half], (None, gap), *lines[-half:]]
    return Numbered(tuple(lines))


def _shares(flow: Flow, language: str, write: Write) -> Block:
    edges = shares_in_order(flow, flow.parameter)
    parameter = flow.parameter.label
    if not edges:
        return Paragraph((say("text.is-output", language, parameter=parameter),))
    lines = [
        f"{share_text(flow, edge, language=language, write=write)} = "
        f"{amount(edge.share, language=language, write=write)}"
        for edge in edges[:_MOST_SHARES]
    ]
    if len(edges) > _MOST_SHARES:
        lines.append(say("text.more", language, count=len(edges) - _MOST_SHARES))
    lines.append(say("text.sum", language, gradient=amount(flow.gradient, language=language, write=write)))
    return Listing(say("text.shares", language, parameter=parameter), tuple(lines))


def _paths(flow: Flow, language: str, write: Write) -> Listing:
    head = say("text.paths", language, count=counted(flow.path_count, language=language))
    return Listing(head, tuple(_path_lines(flow, language, write)))


def _path_lines(flow: Flow, language: str, write: Write) -> Iterator[str]:
    for path in flow.strongest(_PATHS):
        numbers = path_numbers(path, write=write, language=language)
        end = f" = {numbers} = {write(path.product)}" if numbers else ""
        yield f"{_percentage(path)}{path_symbols(path, write=write, language=language)}{end}"


def _percentage(path: Path) -> str:
    return "" if path.percentage is None else f"{number(path.percentage, 3):>5} %  "
