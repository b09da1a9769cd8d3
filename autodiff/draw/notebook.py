"""Results in notebooks: the formula as mathematics, and a picture of a small graph, at a bounded cost for large ones.

Browsers and the pages of nbconvert show HTML, because nbconvert draws an SVG as wide as it likes. Its PDF needs LaTeX
or PDF: SVG would need Inkscape there.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from html import escape
from typing import Any, Final

from autodiff.draw.graphviz import MissingProgramError, render
from autodiff.draw.model.captions import formula as formula_of_flow
from autodiff.draw.model.picture import Picture
from autodiff.draw.views.choose_view import picture
from autodiff.draw.views.computation import computation
from autodiff.draw.writers.pinned_dot import pinned_dot
from autodiff.draw.writers.svg import svg
from autodiff.engine.graph import Node, topological
from autodiff.flow import Flow
from autodiff.flow.labels import labels
from autodiff.primitives.origin import Origin
from autodiff.telling.latex import formula, quotient
from autodiff.telling.style import USUAL
from autodiff.words.printable import printable, shortened
from autodiff.words.typeset import is_index, pieces

__all__ = ["formats", "rich"]

_MOST_DRAWN: Final = 24  # nodes of a Value's or Tensor's graph; more do not fit into a small picture
_MOST_READ: Final = 300  # nodes of a graph that is searched for its formula; larger ones may have millions
_MOST_OF_A_FLOW: Final = 300  # nodes of the graph of a flow that is drawn
_CELL: Final = 760.0  # px, the width of a cell
_LONGEST: Final = 160  # characters of a side of a formula
_LARGEST: Final = 400_000  # characters of an SVG that is also written as PDF
_CODE_POINT: Final = re.compile(r"\\codepoint\{([0-9A-F]+)\}")


def rich(item: Any) -> dict[str, str]:
    """A Value, Tensor or flow as HTML, with a picture of a small graph, and as LaTeX; nothing for a leaf.

    >>> from autodiff import Value
    >>> x = Value(3.0, name="x")
    >>> rich(x * x)["text/latex"]
    '$\\\\displaystyle x\\\\cdot x=9$'
    """
    parts, drawn = _of_flow(item) if isinstance(item, Flow) else _of_node(item)
    if not parts:
        return {}
    maths = "=".join([quotient(parts[0]), *map(formula, parts[1:])])
    written = _html(" = ".join(parts))
    below = "" if drawn is None else _fitting(svg(drawn, width=_CELL))
    return {
        "text/html": f'<div class="autodiff"><p>{written}</p>\n{below}</div>',
        "text/latex": rf"$\displaystyle {_CODE_POINT.sub(lambda code: chr(int(code[1], 16)), maths)}$",
    }


def formats(drawing: str, theme: str) -> dict[str, str]:
    """An SVG in the formats of notebooks, no wider than the cell; no PDF of a large one or without Graphviz.

    >>> sorted(formats('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>', "light"))[-2:]
    ['image/svg+xml', 'text/html']
    """
    fitting = _fitting(drawing)
    paper = _pdf(drawing, theme) if len(drawing) <= _LARGEST else None
    made = {"image/svg+xml": fitting, "text/html": f'<div class="autodiff">{fitting}</div>'}
    return made if paper is None else {**made, "application/pdf": paper}


def _fitting(drawing: str) -> str:
    return drawing.replace("<svg ", '<svg style="max-width:100%;height:auto" ', 1)


def _pdf(drawing: str, theme: str) -> str | None:
    """An SVG as PDF in base64."""
    try:
        data, _ = render(pinned_dot(drawing, theme=theme), "pdf", layout="nop")
    except (MissingProgramError, OSError):
        return None
    return base64.b64encode(data).decode()


def _of_flow(flow: Flow) -> tuple[list[str], Picture | None]:
    """The sides of the equation of a gradient, and its picture."""
    if len(flow.flows.graph) > _MOST_OF_A_FLOW:
        return [flow.derivative, USUAL.amount(flow.gradient)], None
    return [shortened(part, _LONGEST) for part in formula_of_flow(flow, USUAL)], picture(flow)


def _of_node(node: Node) -> tuple[list[str], Picture | None]:
    """Name, formula and value of a result, and the picture of its graph."""
    if node.is_leaf:
        return [], None
    value = USUAL.amount(node._data)
    if _count(node) > _MOST_READ:
        return [node.name, value] if node.name else [], None
    order = topological(node)
    called = [shortened(text, _LONGEST) for text in dict.fromkeys([labels(order)[node], _formula(node, order)])]
    return [*called, value], computation(node) if len(order) <= _MOST_DRAWN else None


def _count(node: Node) -> int:
    """The number of nodes of a graph, counted until it is too large."""
    seen, stack = {node}, [node]
    while stack and len(seen) <= _MOST_READ:
        for item in stack.pop().inputs:
            if isinstance(item, Node) and item not in seen:
                seen.add(item)
                stack.append(item)
    return len(seen)


def _formula(node: Node, order: list[Node]) -> str:
    """The formula of a node, also if it has a name: the label of a twin without one."""
    twin = node._leaf(node._data, Origin(node.origin.primitive, node.origin.params))
    twin.a, twin.b, twin.da, twin.db = node.a, node.b, node.da, node.db
    return labels([*order[:-1], twin])[twin]


def _html(text: str) -> str:
    """A formula in HTML, which needs no MathJax."""
    return "".join(_spans(printable(text)))


def _spans(text: str) -> Iterator[str]:
    for piece in pieces(text, formula=True):
        base = escape(piece.text)
        yield f"<i>{base}</i>" if piece.italic else base
        yield f"<sub>{escape(piece.sub)}</sub>" if piece.sub else ""
        raised = escape(piece.sup) if is_index(piece.sup) else "".join(_spans(piece.sup))
        yield f"<sup>{raised}</sup>" if piece.sup else ""
