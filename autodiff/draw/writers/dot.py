"""Pictures as DOT text, written with the graphviz package."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from itertools import pairwise, zip_longest
from textwrap import wrap
from typing import Final

import graphviz  # type: ignore[import-untyped]

from autodiff.draw.layout.bands import Lay, bands_of
from autodiff.draw.layout.positions import lay_out
from autodiff.draw.model.paint import EDGES, fill_colour, text_colour
from autodiff.draw.model.palette import ERROR_COLOURS, FONTS, THEMES
from autodiff.draw.model.picture import Box, Cell, Picture, Row, Wire
from autodiff.draw.views.choose_view import picture
from autodiff.draw.writers.dot_tiles import below
from autodiff.draw.writers.frame import SLIDE
from autodiff.flow import Flow
from autodiff.words.printable import printable
from autodiff.words.typeset import EXPONENT, left_to_right

__all__ = ["dot"]

_PLAIN: Final = '<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="3">'
_TIGHT: Final = '<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0">'
_MARK: Final = "(!)"
_HATCHING: Final = "///"
_MOST_CIRCLED: Final = 10  # in DejaVu Sans, Graphviz's font on many machines
_INDENT: Final = 6 * "\N{NO-BREAK SPACE}"
_WIDEST: Final = 150  # characters of a line below the drawing
_PX: Final = 96.0  # in an inch
_ANY: Final = 1000  # inches of height
_LONGEST: Final = 500  # characters of a text; Graphviz refuses tokens of 16 kB


def dot(
    what: Flow | Picture, *, theme: str = "auto", width: float | None = SLIDE, lay: Lay = lay_out
) -> str:  # fmt: skip
    """A picture, or the picture of a flow, as DOT text: a table for every box, a port for every row.

    With a ``width`` in px, columns that our SVG then wraps into bands start again on the left, in a band below;
    Graphviz shrinks what is still wider. ``lay`` lays out a picture in one piece.

    >>> from autodiff import Value
    >>> from autodiff.flow import error_flow
    >>> x, w = Value(3.0, name="x"), Value(2.0, name="w")
    >>> dot(error_flow(w * x, w)).splitlines()[0]
    'digraph {'
    """
    return _Writer(what if isinstance(what, Picture) else picture(what), THEMES[theme], width, lay).text()


class _Writer:
    """Writes one picture in the colours of one theme."""

    def __init__(self, what: Picture, colours: Mapping[str, str], width: float | None, lay: Lay) -> None:
        self.what, self.colours = what, colours
        self.on_rail = what.kind == "rail"
        self.boxes = {box.id: box for box in what.boxes}
        self.beside = what.beside
        self.width = width
        self.bands = {} if width is None else bands_of(what, width, lay)

    def text(self) -> str:
        graph = self.graph = graphviz.Digraph(
            graph_attr={
                "rankdir": "LR", "splines": "line" if self.on_rail else "spline", "nodesep": "0.3", "ranksep": "1.0",
                "fontname": FONTS, "labelloc": "b", "labeljust": "l", "pad": "0.3", "bgcolor": self.colours["paper"],
                "outputorder": "edgesfirst", "label": f"<{self.caption()}>",
                **({} if self.width is None else {"size": f"{self.width / _PX:.4g},{_ANY}"}),
            },
            node_attr={"shape": "plain", "fontname": FONTS, "fontsize": "14"},
            edge_attr={"fontname": FONTS, "fontsize": "13", "arrowsize": "0.75"},
        )  # fmt: skip
        for box in self.what.boxes:
            self.add_box(box)
        for wire in self.what.wires:
            self.add_wire(wire)
        for cluster in self.what.clusters:
            with graph.subgraph(name=f"cluster_{cluster.id}") as frame:
                colours = {"color": self.colours["line"], "fontcolor": self.colours["muted"], "style": "dashed"}
                frame.attr(label=f"<{_label(cluster.label)}>", labelloc="t", **colours)
                for member in cluster.boxes:
                    frame.node(member)
        for first, following in pairwise(self.starts()):
            with graph.subgraph() as rank:
                rank.attr(rank="same")
                rank.edge(first, following, style="invis")
        for column in self.columns():
            with graph.subgraph() as rank:
                rank.attr(rank="same")
                for box in column:
                    rank.node(box.id)
                if self.what.kind in ("rail", "network"):  # otherwise Graphviz turns columns upside down
                    for upper, lower in pairwise(column):
                        rank.edge(upper.id, lower.id, style="invis")
        return str(graph.source)

    def starts(self) -> list[str]:
        """The first box of each band."""
        first: dict[int, Box] = {}
        for box in self.what.boxes:
            band = self.bands.get(box.id, 0)
            first[band] = max(first.get(band, box), box, key=lambda each: each.column)
        return [box.id for _, box in sorted(first.items())]

    def columns(self) -> Iterator[list[Box]]:
        """The boxes of each column from top to bottom, boxes of a rail last; none if clusters set the order."""
        if self.what.kind == "graph":
            return
        for column in sorted({box.column for box in self.what.boxes}):
            boxes = [box for box in self.what.boxes if box.column == column]
            yield sorted(boxes, key=lambda box: box.id not in self.beside) if self.on_rail else boxes

    def font(self, text: str, colour: str, size: float, *, bold: bool = False) -> str:
        inside = f"<B>{_label(text)}</B>" if bold else _label(text)
        return f'<FONT COLOR="{self.colours[colour]}" POINT-SIZE="{size:g}">{inside}</FONT>'

    def caption(self) -> str:
        """All texts, below the drawing: a graph has only one label, and a cluster around it would turn it over."""
        lines = [self.font(self.what.title, "ink", 19, bold=True)]
        if self.what.formula:
            lines.append(self.font(" = ".join(self.what.formula), "error", 15))
        for number, step in enumerate(self.what.steps, start=1):
            first, *more = step.split("\n")
            texts = [*_wrapped(_numbered(number, first)), *(_INDENT + part for line in more for part in _wrapped(line))]
            lines += [self.font(text, "ink", 13) for text in texts]
        lines += [self.font(part, "muted", 13) for caption in self.what.captions for part in _wrapped(caption)]
        rows = "\n".join(f'<TR><TD ALIGN="LEFT">{line}</TD></TR>' for line in lines)  # lines may have up to 16 kB
        return f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="3">{rows}</TABLE>'

    def add_box(self, box: Box) -> None:
        hint = {"tooltip": _label(" – ".join(filter(None, [box.hint, box.mark])))}
        if box.rows[0].lane == "rest":
            label = f"{_MARK} {box.label}" if box.mark else box.label
            self.graph.node(box.id, label=f"<{self.font(label, 'muted', 13)}>", **self.rest_style(box), **hint)
            return
        columns = max(len(row.cells) for row in box.rows)
        rows = "".join(self.table_row(k, box, row, columns) for k, row in enumerate(box.rows))
        edge = self.colours[EDGES.get(box.kind, "ink")]
        table = f'<TABLE BORDER="1" CELLBORDER="0" CELLSPACING="0" CELLPADDING="4" COLOR="{edge}" STYLE="ROUNDED">'
        if box.ports:
            ports = "".join(f"<TR>{self.port_cell(k, cell)}</TR>" for k, cell in enumerate(box.ports))
            rows = f"<TR><TD>{_PLAIN}{ports}</TABLE></TD><TD>{_PLAIN}{rows}</TABLE></TD></TR>"
        label = f"{table}{rows}</TABLE>"
        if self.on_rail and box.id not in self.beside:
            hint["group"] = "rail"
        if "group" in hint and box.kind == "source":  # space below lifts its rows to the height of the rail's
            label = f'{_TIGHT}<TR><TD>{label}</TD></TR><TR><TD HEIGHT="56"></TD></TR></TABLE>'
        marks = sum(row.cells[0].role in ("saturated", "loses") for row in box.rows)
        if "group" in hint and marks:  # space above keeps its rows at the height of the rail's
            label = f'{_TIGHT}<TR><TD HEIGHT="{27 * marks}"></TD></TR><TR><TD>{label}</TD></TR></TABLE>'
        self.graph.node(box.id, label=f"<{label}>", **hint)

    def rest_style(self, box: Box) -> dict[str, str]:
        style = {"shape": "plaintext", "width": "0.6", "margin": "0.03", "color": self.colours["line"]}
        if box.kind == "rest":
            style |= {"shape": "circle", "style": "filled", "fillcolor": self.colours["rest"]}
        return style

    def port_cell(self, k: int, cell: Cell) -> str:
        colour = ERROR_COLOURS[cell.sign] if cell.role == "way" else "muted"
        return f'<TD PORT="p{k}">{self.font(cell.text, colour, 11)}</TD>'

    def table_row(self, k: int, box: Box, row: Row, columns: int) -> str:
        span = f' COLSPAN="{columns}"' if len(row.cells) < columns else ""
        return f"<TR>{''.join(self.table_cell(k, j, box, row, cell, span) for j, cell in enumerate(row.cells))}</TR>"

    def table_cell(self, k: int, j: int, box: Box, row: Row, cell: Cell, span: str) -> str:
        """A cell; the ports of a row are on its outer cells."""
        port = f' PORT="r{k}"' if j == 0 else f' PORT="r{k}e"'
        text = _numbered(cell.step, cell.text)
        if box.mark and k == j == 0:
            text = f"{_MARK} {text}"
        if cell.role == "saturated":
            text = f"{_HATCHING} {text} {_HATCHING}"
        said = self.font(text, text_colour(row, cell), 14, bold=cell.role == "error") if text else ""
        if cell.tiles is not None:
            said = below(said, cell.tiles, self.colours)
        return f'<TD{port}{span} BGCOLOR="{self.colours[fill_colour(box, row, cell)]}">{said}</TD>'

    def wire_label(self, text: str) -> str:
        """The label of a wire, with a background because some engines put it on the wire."""
        table = f'<TABLE BORDER="0" CELLSPACING="0" CELLPADDING="2" BGCOLOR="{self.colours["paper"]}">'
        return f"{table}<TR><TD>{text}</TD></TR></TABLE>"

    def add_wire(self, wire: Wire) -> None:
        """An edge from left to right regardless of the direction of its signal, so that ranks do not change."""
        back = wire.lane == "error"
        left, right = (wire.head, wire.tail) if back else (wire.tail, wire.head)
        rows = (wire.head_row, wire.tail_row) if back else (wire.tail_row, wire.head_row)
        leaves = f"{left}:r{rows[0]}{'e' * (len(self.boxes[left].rows[rows[0]].cells) > 1)}:e"
        arrives = f"{right}:r{rows[1]}:w" if wire.port is None else f"{right}:p{wire.port}:w"
        colour = self.colours[{"rest": "line", "error": ERROR_COLOURS[wire.sign]}.get(wire.lane, wire.lane)]
        looks = {
            "color": colour, "fontcolor": colour, "penwidth": f"{wire.width:.2f}", "dir": "back" if back else "forward",
            "weight": "20",
        }  # fmt: skip
        if self.bands and self.bands[left] != self.bands[right]:
            looks["constraint"] = "false"
        if back and wire.sign < 1:
            looks["style"] = "dashed" if wire.sign else "dotted"
        if wire.lane == "rest":
            looks |= {"weight": "0" if wire.port is None else "1", "arrowsize": "0.5"}
            ends = (left, right) if wire.port is None else (leaves, arrives)
            self.graph.edge(*ends, **looks)
            return
        if wire.label or wire.mark or wire.numbers:
            numbers = ", ".join(filter(None, [*(cell.text for cell in wire.numbers), wire.label]))
            parts = _MARK * bool(wire.mark), _numbered(wire.step, numbers), _HATCHING * wire.loses
            label = " ".join(filter(None, parts))
            looks["label"] = f"<{self.wire_label(_label(label))}>"
        self.graph.edge(leaves, arrives, **looks)


def _wrapped(text: str) -> list[str]:
    return wrap(text, _WIDEST)


def _label(text: str) -> str:
    """Text for an HTML-like label, without markup or DOT escapes."""
    short = text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
    parts = EXPONENT.split(left_to_right(printable(short)))  # text, and the exponent in brackets or without
    raised = (f"<SUP>{_safe(inner or whole)}</SUP>" for inner, whole in zip(parts[1::3], parts[2::3], strict=True))
    return "".join(part for pair in zip_longest(map(_safe, parts[::3]), raised, fillvalue="") for part in pair)


def _safe(text: str) -> str:
    return escape(text).replace("\\", "&#92;")


def _numbered(step: int | None, text: str) -> str:
    """The text after the number of its step, which is circled if common fonts have the character."""
    return text if step is None else f"{chr(0x2460 + step - 1)} {text}" if step <= _MOST_CIRCLED else f"({step}) {text}"
