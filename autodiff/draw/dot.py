"""The picture as DOT text, through the graphviz package, and drawn from that by whichever Graphviz there is."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from html import escape
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Final

import graphviz  # type: ignore[import-untyped]

from autodiff.draw.compose import picture
from autodiff.draw.palette import ERROR_COLOURS, ERROR_FILLS, FONTS, LIGHT
from autodiff.draw.picture import Box, Cell, Picture, Row, Wire
from autodiff.flow import Flow
from autodiff.labels import printable

__all__ = ["MissingProgramError", "dot", "render"]

_LONGEST: Final = 500  # of a text; Graphviz refuses tokens of 16 kB
_SECONDS: Final = 60.0  # dot's time explodes with the size of a graph
_FOLDERS: Final = ("/usr/bin", "/usr/local/bin", "/opt/homebrew/bin", r"C:\Program Files\Graphviz\bin")
_PYGRAPHVIZ: Final = (
    "import sys, pygraphviz; "
    "graph = pygraphviz.AGraph(string=sys.stdin.buffer.read().decode()); "
    "sys.stdout.buffer.write(graph.draw(format=sys.argv[1], prog='dot'))"
)


class MissingProgramError(RuntimeError):
    """There is no Graphviz on this machine, or it could not draw the picture."""


def dot(flow: Flow) -> str:
    """The picture of a flow as DOT text: a table for every box, a port for every row.

    >>> from autodiff import Value
    >>> from autodiff.flow import error_flow
    >>> x, w = Value(3.0, name="x"), Value(2.0, name="w")
    >>> dot(error_flow(w * x, w)).splitlines()[0]
    'digraph {'
    """
    what = picture(flow)
    graph = graphviz.Digraph(
        graph_attr={
            "rankdir": "LR", "splines": "line" if what.kind == "rail" else "spline", "nodesep": "0.3", "ranksep": "1.0",
            "fontname": FONTS, "labelloc": "t", "labeljust": "l", "pad": "0.3", "bgcolor": LIGHT["paper"],
            "outputorder": "edgesfirst", "label": f"<{_heading(what)}>",
        },
        node_attr={"shape": "plain", "fontname": FONTS, "fontsize": "14"},
        edge_attr={"fontname": FONTS, "fontsize": "13", "arrowsize": "0.75"},
    )  # fmt: skip
    for box in what.boxes:
        _add_box(graph, box, on_rail=what.kind == "rail")
    for wire in what.wires:
        _add_wire(graph, wire)
    for column in _columns(what):
        with graph.subgraph() as rank:
            rank.attr(rank="same")
            for box in column:
                rank.node(box.id)
            if what.kind == "rail":  # else the engine turns columns upside down
                for upper, lower in pairwise(column):
                    rank.edge(upper.id, lower.id, style="invis")
    return str(graph.source)


def render(text: str, kind: str) -> tuple[bytes, str]:
    """DOT text drawn as ``kind`` (png, pdf, svg …), and which engine drew it: ``dot``, or else pygraphviz.

    pygraphviz runs in a process of its own: its C code could not be stopped when it takes too long.

    Raises:
        MissingProgramError: neither is there, or it failed, or took more than a minute.
    """
    program = find_dot()
    if program is not None:
        return _run([program, f"-T{kind}"], text, "dot"), "dot"
    if find_spec("pygraphviz") is not None:
        return _run([sys.executable, "-c", _PYGRAPHVIZ, kind], text, "pygraphviz"), "pygraphviz"
    raise MissingProgramError(
        f"a .{kind} is drawn by Graphviz, which is not on this machine: run pip install pygraphviz, "
        "or install Graphviz; .svg, .dot, .txt and .json need neither"
    )


def find_dot() -> str | None:
    """The program dot: on the PATH, or where installers put it."""
    return shutil.which("dot") or next((found for found in map(_executable, _FOLDERS) if found), None)


def _executable(folder: str) -> str | None:
    return shutil.which("dot", path=folder) if Path(folder).is_dir() else None


def _run(command: Sequence[str], text: str, engine: str) -> bytes:
    try:
        done = subprocess.run(command, input=text.encode(), capture_output=True, timeout=_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise MissingProgramError(f"{engine} did not finish in {_SECONDS:g} seconds; save an .svg instead") from error
    if done.returncode or not done.stdout:
        said = done.stderr.decode(errors="replace").strip().splitlines() or ["no message"]
        raise MissingProgramError(f"{engine} could not draw the picture: {said[-1]}")
    return done.stdout


def _columns(what: Picture) -> Iterator[list[Box]]:
    """The boxes of each column from top to bottom, those of a rail last."""
    for column in sorted({box.column for box in what.boxes}):
        boxes = [box for box in what.boxes if box.column == column]
        yield sorted(boxes, key=lambda box: box.rows[0].lane != "rest") if what.kind == "rail" else boxes


# ---- DOT text --------------------------------------------------------------------------------------------------------


def _label(text: str) -> str:
    """Text for an HTML-like label: nothing in it is markup or an escape of DOT's."""
    short = text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
    return escape(printable(short)).replace("\\", "&#92;")


def _font(text: str, colour: str, size: float, *, bold: bool = False) -> str:
    inside = f"<B>{_label(text)}</B>" if bold else _label(text)
    return f'<FONT COLOR="{LIGHT[colour]}" POINT-SIZE="{size:g}">{inside}</FONT>'


def _heading(what: Picture) -> str:
    lines = [_font(what.title, "ink", 19, bold=True), _font(" = ".join(what.formula), "error", 15)]
    rows = "".join(f'<TR><TD ALIGN="LEFT">{line}</TD></TR>' for line in lines)
    return f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="3">{rows}</TABLE>'


def _add_box(graph: graphviz.Digraph, box: Box, *, on_rail: bool) -> None:
    hint = {"tooltip": _label(box.hint)}
    if box.rows[0].lane == "rest":
        style = {"shape": "circle" if box.kind == "rest" else "plaintext", "width": "0.6", "margin": "0.03"}
        colours = {"color": LIGHT["line"], "style": "filled" if box.kind == "rest" else "", "fillcolor": LIGHT["rest"]}
        graph.node(box.id, label=f"<{_font(box.label, 'muted', 13)}>", **style, **colours, **hint)
        return
    columns = max(len(row.cells) for row in box.rows)
    rows = "".join(_table_row(k, row, columns) for k, row in enumerate(box.rows))
    edge = LIGHT["parameter" if box.kind == "parameter" else "ink"]
    table = f'<TABLE BORDER="1" CELLBORDER="0" CELLSPACING="0" CELLPADDING="4" COLOR="{edge}" STYLE="ROUNDED">'
    label = f"{table}{rows}</TABLE>"
    if on_rail:
        hint["group"] = "rail"
    if on_rail and box.kind == "source":  # empty space below, so that its rows are as high as those of the rail
        space = '<TR><TD HEIGHT="56"></TD></TR>'
        label = (
            f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0"><TR><TD>{label}</TD></TR>{space}</TABLE>'
        )
    graph.node(box.id, label=f"<{label}>", **hint)


def _table_row(k: int, row: Row, columns: int) -> str:
    span = f' COLSPAN="{columns}"' if len(row.cells) < columns else ""
    return f"<TR>{''.join(_table_cell(k, j, row, cell, span) for j, cell in enumerate(row.cells))}</TR>"


def _table_cell(k: int, j: int, row: Row, cell: Cell, span: str) -> str:
    """A cell; the ports of a row are at its outer cells."""
    fill = LIGHT["paper"]
    if row.lane == "error" and cell.role != "factor":
        fill = LIGHT[ERROR_FILLS[cell.sign]]
    elif row.lane in ("forward", "parameter"):
        fill = LIGHT[f"{row.lane}-fill"]
    port = f' PORT="r{k}"' if j == 0 else f' PORT="r{k}e"'
    colour = "muted" if row.lane == "none" else ERROR_COLOURS[cell.sign] if row.lane == "error" else row.lane
    text = _font(
        _numbered(cell.step, cell.text), "ink" if cell.role == "name" else colour, 14, bold=cell.role == "error"
    )
    return f'<TD{port}{span} BGCOLOR="{fill}">{text}</TD>'


def _numbered(step: int | None, text: str) -> str:
    return text if step is None else f"{chr(0x2460 + step - 1)} {text}" if step <= 20 else f"({step}) {text}"


def _add_wire(graph: graphviz.Digraph, wire: Wire) -> None:
    """An edge from left to right whatever way its signal runs, so that ranks stay as they are."""
    back = wire.lane == "error"
    left, right = (wire.head, wire.tail) if back else (wire.tail, wire.head)
    rows = (wire.head_row, wire.tail_row) if back else (wire.tail_row, wire.head_row)
    colour = {"rest": LIGHT["line"], "error": LIGHT[ERROR_COLOURS[wire.sign]]}.get(wire.lane) or LIGHT[wire.lane]
    looks = {
        "color": colour,
        "fontcolor": colour,
        "penwidth": f"{wire.width:.2f}",
        "dir": "back" if back else "forward",
    }
    looks["weight"] = "20"
    if back and wire.sign < 1:
        looks["style"] = "dashed" if wire.sign else "dotted"
    if wire.lane == "rest":
        looks |= {"weight": "0", "arrowsize": "0.5"}
        graph.edge(left, right, **looks)
        return
    if wire.label:
        looks["label"] = f"<{_label(_numbered(wire.step, wire.label))}>"
    graph.edge(f"{left}:r{rows[0]}:e", f"{right}:r{rows[1]}:w", **looks)
