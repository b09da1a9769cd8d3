"""The stories of a page in all languages, with numbers as slots, so that readers choose the number of digits."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from autodiff.draw.model.captions import percentage
from autodiff.draw.page.why import why_teller
from autodiff.flow import Flow, FlowEdge, FlowNode
from autodiff.telling.remarks import remarks
from autodiff.telling.steps import Step, steps
from autodiff.telling.style import Style
from autodiff.telling.terms import (
    derivative,
    error_symbol,
    local_equation,
    path_numbers,
    path_symbols,
    sum_of_shares,
)
from autodiff.words.notation import number
from autodiff.words.phrases import LANGUAGES
from autodiff.words.printable import shortened

__all__ = ["Teller", "in_json"]

_MOST_STEPS: Final = 40
_MOST_LINES: Final = 16
_MOST_TERMS: Final = 8
_LONGEST: Final = 80  # characters of a name in a sentence
_EXACT: Final = 2**53
_SLOT: Final = "\0"  # around a number in a text; no label contains it


class Teller:
    """Writes the stories of flows in all languages; equal texts are stored once."""

    def __init__(self, kept: Sequence[FlowNode], places_of_edges: Mapping[tuple[int, int], int]) -> None:
        self._places = {node.id: place for place, node in enumerate(kept)}
        self._places_of_edges = places_of_edges
        labels = (node.label for node in kept)
        self._long = {label: shortened(label, _LONGEST) for label in labels if len(label) > _LONGEST}
        self._known: dict[tuple[str, ...], int] = {}
        self._pieces: dict[str | float, int] = {}
        self._why = why_teller()

    def written(self) -> dict[str, list[Any]]:
        """Each text in every language, or once if all are equal, as indices of its pieces and numbers."""
        texts = [[self._in_pieces(text) for text in dict.fromkeys(texts)] for texts in self._known]
        return {"texts": texts, "pieces": list(self._pieces)}

    def _in_pieces(self, text: str) -> list[int]:
        parts = [in_json(float(part)) if k % 2 else part for k, part in enumerate(text.split(_SLOT))]
        return [self._pieces.setdefault(part, len(self._pieces)) for part in parts if part != ""]

    def story(self, flow: Flow) -> list[Any]:
        """The derivative (None for the usual quotient), the product in both forms, the steps, their count, remarks;
        then why (`why_teller`).
        """
        told, why = [steps(flow, style) for style in _STYLES], self._why(flow)
        return [
            self._derivative(flow),
            [self._text(parts) for parts in zip(*(_product(flow, style) for style in _STYLES), strict=True)],
            [self._step(flow, each) for each in _outer(list(zip(*told, strict=True)), _MOST_STEPS)],
            len(told[0]),
            *(
                [self._text(said) for said in zip(*texts, strict=True)]
                for texts in ([_remarks(flow, style) for style in _STYLES], *zip(*map(why, _STYLES), strict=True))
            ),
        ]

    def operation(self, node: FlowNode) -> int | None:
        """The text that names a node's operation; None for a leaf."""
        return self._text(style.operation(node.operation) for style in _STYLES) if node.operation else None

    def line(self, node: FlowNode) -> list[int] | None:
        """The number and the text of the source line that computed a node; None if it is not known."""
        return None if node.line is None else [node.line.number, self._text([node.line.text.strip()] * len(LANGUAGES))]

    def whole(self, flow: Flow, node: FlowNode) -> int | None:
        """The text of the whole formula of a node whose label has gaps; None for any other."""
        text = flow.flows.numbered.whole_of(flow.flows.node_of(node))
        return self._text([text] * len(LANGUAGES)) if text else None

    def formula(self, whole: Flow, edge: FlowEdge) -> int | None:
        """The text of a local gradient that is a formula; None for any other, and at δ, where a step states it."""
        if whole.slope_of(edge) is None or error_symbol(whole, whole.nodes[edge.input]) is not None:
            return None
        return self._text(local_equation(whole, edge, style) for style in _STYLES)

    def text(self, said: Callable[[Style], str]) -> int:
        """The place of one text, said in the style of each language."""
        return self._text(map(said, _STYLES))

    def _derivative(self, flow: Flow) -> int | None:
        if flow.derivative == f"∂{flow.output.label}/∂{flow.parameter.label}":
            return None
        return self._text(derivative(flow, style) for style in _STYLES)

    def _step(self, flow: Flow, told: Sequence[Step]) -> list[Any]:
        """The text of a step, its nodes and its edges."""
        step, number_of = told[0], flow.flows.number_of
        nodes = (number_of(flow.nodes[k]) for k in step.nodes)
        edges = ((number_of(flow.nodes[edge.consumer]), edge.slot) for edge in map(flow.edges.__getitem__, step.edges))
        return [
            self._text(_lines(each, style) for each, style in zip(told, _STYLES, strict=True)),
            [self._places[node] for node in nodes if node in self._places],
            [self._places_of_edges[edge] for edge in edges if edge in self._places_of_edges],
        ]

    def _text(self, texts: Iterable[str]) -> int:
        return self._known.setdefault(tuple(map(self._shorter, texts)), len(self._known))

    def _shorter(self, text: str) -> str:
        """``text`` with very long names shortened."""
        for label, short in self._long.items():
            text = text.replace(label, short)
        return text


def _slot(x: float | None) -> str:
    """A number as a slot in a text, after its sign."""
    if x is None or not math.isfinite(x):
        return number(x)
    return f"{'−' if x < 0 else ''}{_SLOT}{abs(float(x))!r}{_SLOT}"


_STYLES: Final = tuple(Style(language, _slot) for language in LANGUAGES)


def in_json(x: float) -> float:
    """The same number, as a whole one if JSON can hold it exactly: 2, not 2.0.

    >>> in_json(2.0), in_json(0.5)
    (2, 0.5)
    """
    return int(x) if x.is_integer() and 0 < abs(x) < _EXACT else x


def _lines(step: Step, style: Style) -> str:
    lines = step.lines
    if len(lines) > _MOST_LINES:
        half = _MOST_LINES // 2
        more = style.say("text.more-lines", count=len(lines) - 2 * half)
        lines = (*lines[:half], more, *lines[-half:])
    return "\n".join([step.sentence, *lines])


def _outer(items: list[Any], most: int) -> list[Any]:
    """All items, or the first and the last if there are too many."""
    return items if len(items) <= most else [*items[: most // 2], *items[-most // 2 :]]


def _product(flow: Flow, style: Style) -> list[str]:
    """The gradient in symbols and in numbers."""
    if flow.is_empty:
        return [style.say("term.no-path")]
    if flow.path_count > 1:
        return list(sum_of_shares(flow, _MOST_TERMS, style))
    (path,) = flow.strongest(1)
    return [text for text in (path_symbols(path, style), path_numbers(path, style)) if text]


def _remarks(flow: Flow, style: Style) -> list[str]:
    said = list(remarks(flow, style))
    if flow.path_count > 1:
        path = flow.strongest(1)[0]
        product = "" if path.product is None else f" = {style.write(path.product)}"
        symbols, count = path_symbols(path, style) + product, style.counted(flow.path_count)
        said.insert(0, style.say("caption.paths", count=count, percentage=percentage(path, style), symbols=symbols))
    return said
