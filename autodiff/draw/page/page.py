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
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from html import escape
from typing import Any, Final

import numpy as np

from autodiff.draw.model.palette import DARK, FONTS, LIGHT, variables
from autodiff.draw.page.arrays import array_data
from autodiff.draw.page.outer import outer_data
from autodiff.draw.page.selection import Selection, select
from autodiff.draw.page.sources import script_source, style_source
from autodiff.draw.page.teller import Teller, in_json
from autodiff.flow import Flow, FlowEdge, FlowNode, Signal
from autodiff.flow.sums import with_sums
from autodiff.telling.terms import error_symbol, share_text
from autodiff.telling.text import text
from autodiff.words.notation import number
from autodiff.words.phrases import LANGUAGES, PHRASES, checked_language

__all__ = ["page"]

_MOST_TARGETS: Final = 400
_MOST_EDGES: Final = 40_000  # in all flows together: writing their steps takes a few seconds
_MOST_ENTRIES: Final = 64  # of an array, shown beside its shape and norm
_MOST_DIGITS: Final = 17
_THEMES: Final = ("auto", "light", "dark", "print")


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
    data = _data(with_sums(flow)) | {"theme": theme, "language": checked_language(language), "digits": digits}
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
    teller = Teller(kept, {(edge.consumer, edge.slot): place for place, edge in enumerate(edges)})
    targets = {places[flows.number_of(one.parameter)]: one for one in _told(flow, kept)}
    told = {place: teller.story(one) for place, one in targets.items()}
    tiles = array_data(kept, flow.parameter)
    if tiles.get("tiles"):
        tiles["outers"] = outer_data(targets, tiles["scales"], teller.text)
    return {
        "output": places[flows.number_of(flow.output)],
        "parameter": places[flows.number_of(flow.parameter)],
        "seed": _in_full(flow.seed),
        "nodes": [_node(whole, node, teller) for node in kept],
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


def _node(whole: Flow, node: FlowNode, teller: Teller) -> list[Any]:
    """A node's label, value and error, the symbol of its error, the texts of its operation, line and whole formula.

    What is not known is None, and left out at the end: of most nodes, which are leaves, three items remain.
    """
    symbol = None if node is whole.parameter else error_symbol(whole, node)
    found = [symbol, teller.operation(node), teller.line(node), teller.whole(whole, node)]
    while found and found[-1] is None:
        found.pop()
    return [node.label, _in_full(node.value), _in_full(node.error), *found]


def _edge(whole: Flow, edge: FlowEdge, teller: Teller) -> list[Any]:
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
        return in_json(value) if math.isfinite(value) else str(value)
    return value


def _size(error: Signal) -> float:
    """The size of an error; nan counts as largest, so that it is not overlooked."""
    if error is None:
        return 0.0
    with np.errstate(all="ignore"):
        size = float(np.linalg.norm(error))
    return size if size == size else math.inf
