"""One page to step through a flow to any parameter of a graph, without a server or a network.

The page contains the ledger as JSON with every number in full. Texts hold numbers as slots, so readers choose the
number of digits. The page is built only from elements and text nodes, so no name can become markup or script, and its
policy lets nothing load or run except the script with the given hash.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from html import escape
from typing import Any, Final

import numpy as np

from autodiff.draw.model.captions import percentage
from autodiff.draw.model.palette import DARK, FONTS, LIGHT, variables
from autodiff.draw.page.arrays import array_data
from autodiff.draw.page.selection import Selection, select
from autodiff.draw.page.sources import script_source, style_source
from autodiff.draw.page.why import why_teller
from autodiff.flow import Flow, FlowEdge, FlowNode, Signal
from autodiff.telling.remarks import remarks
from autodiff.telling.steps import Step, steps
from autodiff.telling.style import Style
from autodiff.telling.terms import (
    derivative,
    error_symbol,
    local_equation,
    path_numbers,
    path_symbols,
    share_text,
    sum_of_shares,
)
from autodiff.telling.text import text
from autodiff.words.notation import number
from autodiff.words.phrases import LANGUAGES, PHRASES, checked_language
from autodiff.words.printable import shortened

__all__ = ["page"]

_MOST_TARGETS: Final = 400
_MOST_EDGES: Final = 40_000  # in all flows together: writing their steps takes a few seconds
_MOST_STEPS: Final = 40
_MOST_LINES: Final = 16
_MOST_TERMS: Final = 8
_MOST_ENTRIES: Final = 64  # of an array, shown beside its shape and norm
_MOST_DIGITS: Final = 17
_LONGEST: Final = 80  # characters of a name in a sentence
_EXACT: Final = 2**53
_THEMES: Final = ("auto", "light", "dark", "print")
_SLOT: Final = "\0"  # around a number in a text; no label contains it


def page(flow: Flow, *, theme: str = "auto", language: str = "en", digits: int = 4) -> str:
    """Write one HTML file that needs no server or network: the flow in steps, and the flow to every other node.

    Args:
        flow: the result of `autodiff.flow.error_flow`; the page shows its parameter first.
        theme: auto (follows the reader's system), light, dark or print; readers can switch.
        language: en or zh; readers can switch.
        digits: the number of significant digits at first; the page contains every number in full.

    Returns:
        the page; the same flow gives the same text in every process. A link can select a step and a parameter:
        ``#step=4``, ``#parameter=W14(1)&step=4``. For a large graph, the page shows the strongest units of each layer
        and the parameters between them, and says how many nodes it leaves out.

    Raises:
        ValueError: if the theme or the language is not supported, or digits is outside 1 … 17.

    Source: notes, section 1.5 ("error sharing").

    >>> from autodiff import Value
    >>> from autodiff.flow import error_flow
    >>> x, w = Value(3.0, name="x"), Value(2.0, name="w")
    >>> page(error_flow(w * x, w))[:15]
    '<!doctype html>'
    """
    if theme not in _THEMES:
        raise ValueError(f"unknown theme {theme!r} (must be one of {', '.join(_THEMES)})")
    if isinstance(digits, bool) or not isinstance(digits, int) or not 1 <= digits <= _MOST_DIGITS:
        raise ValueError(f"expected 1 … {_MOST_DIGITS} significant digits, but got digits={digits!r}")
    data = _data(flow) | {"theme": theme, "language": checked_language(language), "digits": digits}
    arrays = "tiles" in data
    style, script = _colours() + style_source(arrays=arrays), script_source(arrays=arrays)
    title = PHRASES["title.flow"][LANGUAGES.index(language)].format(parameter=flow.parameter.label)
    return (
        f'<!doctype html>\n<html lang="{language}" data-theme="{theme}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_policy(style, script)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{style}</style>\n</head>\n<body>\n<main></main>\n"
        f"<noscript><pre>{escape(text(flow, language=language, digits=digits))}</pre></noscript>\n"
        f'<script type="application/json" id="data">{_embedded(data)}</script>\n<script>{script}</script>\n'
        "</body>\n</html>\n"
    )


# ---- the file --------------------------------------------------------------------------------------------------------


def _policy(style: str, script: str) -> str:
    """The security policy: nothing loads, nothing is sent, and only this style and this script apply."""
    return (
        f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; base-uri 'none'; form-action 'none'"
    )


def _hash(source: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()}'"


@cache
def _colours() -> str:
    light, dark = variables(LIGHT), variables(DARK)
    return (
        f":root{{--fonts:{FONTS};color-scheme:light;{light}}}"
        f":root[data-theme=dark]{{color-scheme:dark;{dark}}}"
        f"@media screen and (prefers-color-scheme:dark){{:root[data-theme=auto]{{color-scheme:dark;{dark}}}}}\n"
    )


def _embedded(data: Mapping[str, Any]) -> str:
    """JSON that cannot end its element, start a comment or contain a line break for any parser."""
    written = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return written.translate(_ESCAPED)


_ESCAPED: Final = str.maketrans({c: f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029\x7f"})


# ---- the ledger ------------------------------------------------------------------------------------------------------


def _data(flow: Flow) -> dict[str, Any]:
    """The data of the page: nodes and edges of the ledger, positions of boxes, and the story of every node's flow."""
    flows, made = flow.flows, select(flow)
    whole = replace(flow, nodes=flows.nodes)
    every = (*flows.nodes, flow.parameter) if flow.is_empty else flows.nodes
    kept = [every[number] for number in sorted(made.nodes)]
    places = {node.id: place for place, node in enumerate(kept)}
    computed = (node for node in kept if node.operation and node.id < len(flows.nodes))
    edges = [edge for node in computed for edge in flows.edges_of(node) if edge.input in places]
    teller = _Teller(kept, {(edge.consumer, edge.slot): place for place, edge in enumerate(edges)})
    told = {places[flows.number_of(one.parameter)]: teller.story(one) for one in _told(flow, kept)}
    tiles = array_data(kept, flow.parameter)
    return {
        "output": places[flows.number_of(flow.output)],
        "parameter": places[flows.number_of(flow.parameter)],
        "seed": _in_full(flow.seed),
        "nodes": [_node(whole, node, teller.operation(node)) for node in kept],
        "edges": [[places[edge.consumer], places[edge.input], *_edge(whole, edge, teller)] for edge in edges],
        **_positions(made, places),
        **tiles,
        "flows": dict(sorted(told.items())),
        "folded": len(every) - len(kept),
        **teller.written(),
        "languages": LANGUAGES,
        "phrases": {key: PHRASES[key] for key in sorted(_phrases_used(arrays=bool(tiles)))},
    }


def _told(flow: Flow, kept: Sequence[FlowNode]) -> Iterator[Flow]:
    """The flow itself, then the flows to other nodes, largest errors first, up to a total number of edges."""
    yield flow
    edges = len(flow.edges)
    others = [node for node in kept if node.label != flow.parameter.label]
    for node in sorted(others, key=lambda node: -_size(node.error))[: _MOST_TARGETS - 1]:
        one = flow.flows.to(node)
        edges += len(one.edges)
        if edges > _MOST_EDGES:
            return
        yield one


def _positions(made: Selection, places: Mapping[int, int]) -> dict[str, Any]:
    """The boxes by column, starting at the output; the weights on wires; and the biases in boxes."""
    return {
        "columns": [[[places[k] for k in box] for box in column] for column in made.columns],
        "more": made.more,
        "wires": [[places[k] for k in wire] for wire in made.wires],
        "biases": [[places[k] for k in pair] for pair in made.biases],
    }


@cache
def _phrases_used(*, arrays: bool) -> frozenset[str]:
    """The keys of the phrases that the script uses."""
    script = script_source(arrays=arrays)
    return frozenset(key for key in PHRASES if f"'{key}'" in script)


def _node(whole: Flow, node: FlowNode, operation: int | None) -> list[Any]:
    """A node's label, value and error, the symbol of its error if it has one, and the text that names its operation."""
    symbol = None if node is whole.parameter else error_symbol(whole, node)
    known = [node.label, _in_full(node.value), _in_full(node.error)]
    if operation is None:  # of a leaf, which most nodes are
        return [*known, symbol] if symbol else known
    return [*known, symbol or 0, operation]


def _edge(whole: Flow, edge: FlowEdge, teller: _Teller) -> list[Any]:
    """Slot, local gradient, its symbol (0 if only a number), share; the share's formula (or 0), the gradient's text."""
    symbol = 0 if edge.local_symbol == number(edge.local) else edge.local_symbol
    told = [edge.slot, _in_full(edge.local), symbol, _in_full(edge.share)]
    is_matrix = edge.local is None and error_symbol(whole, whole.nodes[edge.consumer]) is not None
    formula = teller.formula(whole, edge)
    made = share_text(whole, edge) if is_matrix else 0
    return [*told, made, formula] if formula is not None else [*told, made] if made else told


def _in_full(value: Any) -> Any:
    """A number in full; for an array, its shape, its norm and, if it is small, its entries."""
    if isinstance(value, np.ndarray | np.generic):
        array = np.asarray(value)
        with np.errstate(all="ignore"):
            norm = float(np.linalg.norm(array))
        entries = array.ravel().tolist() if array.size <= _MOST_ENTRIES else []
        return {"shape": list(array.shape), "norm": _in_full(norm), "data": [_in_full(float(item)) for item in entries]}
    if isinstance(value, float):
        return _short(value) if math.isfinite(value) else str(value)
    return value


def _size(error: Signal) -> float:
    """The size of an error; nan counts as largest, so that it is not overlooked."""
    if error is None:
        return 0.0
    with np.errstate(all="ignore"):
        size = float(np.linalg.norm(error))
    return size if size == size else math.inf


# ---- the story -------------------------------------------------------------------------------------------------------


class _Teller:
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
        parts = [_short(float(part)) if k % 2 else part for k, part in enumerate(text.split(_SLOT))]
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

    def formula(self, whole: Flow, edge: FlowEdge) -> int | None:
        """The text of a local gradient that is a formula; None for any other, and at δ, where a step states it."""
        if whole.slope_of(edge) is None or error_symbol(whole, whole.nodes[edge.input]) is not None:
            return None
        return self._text(local_equation(whole, edge, style) for style in _STYLES)

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


def _short(x: float) -> float:
    """The same number, without a trailing .0 in JSON."""
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
