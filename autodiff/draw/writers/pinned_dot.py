"""Our drawing as DOT with fixed positions: Graphviz only paints it as PNG or PDF, without any layout.

The lines and areas of our SVG become the background of an empty graph, and every piece of text becomes a node.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import fsum
from typing import Final
from unicodedata import combining

import graphviz  # type: ignore[import-untyped]

from autodiff.draw.model.palette import FONTS, THEMES
from autodiff.draw.model.tiles import tile_colours

__all__ = ["pinned_dot"]

_SVG: Final = "{http://www.w3.org/2000/svg}"
_DPI: Final = "144"
_LONGEST: Final = 12_000  # characters of a string; Graphviz reads at most 16 kB of each and joins them
_ROUND: Final = 0.5523  # position of the control points of a quarter circle
_TOKEN: Final = re.compile(r"[A-Za-z]|-?[\d.]+")
_LEFT: Final = r"\l"
_MIDDLE: Final = r"\n"
_ABOVE: Final = 0.35  # of the font size: height of the middle of a line above its baseline

# Widths of Helvetica in 1/1000 em.
_WIDTHS: Final = {
    character: em
    for em, characters in (
        (191, "'′"), (222, "ijl’"), (260, "|"), (278, " !,./:;I[\\]ft·"), (333, "()-`r"), (389, "*"), (469, "^"),
        (500, "Jckvsxyz∂"), (584, "+<=>~×−"), (611, "FTZ"), (618, "Σσ"), (667, "&ABEKPSVXY"), (722, "CDHNRUw"),
        (778, "GOQ"), (833, "Mm"), (889, "%"), (944, "W"), (1000, "…"), (1015, "@"),
    )
    for character in characters
}  # fmt: skip
_OTHER: Final = 556
_WIDE: Final = 1000  # East Asian characters
_BOLD: Final = 0.1  # extra width of bold letters

Point = tuple[float, float]


def pinned_dot(svg: str, *, theme: str = "auto") -> str:
    """The drawing of one of our SVG texts as DOT for Graphviz's layout "nop", in the colours of a theme.

    >>> pinned_dot('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>').splitlines()[0]
    'digraph {'
    """
    root = ElementTree.fromstring(svg)
    size = root.get("viewBox", f"0 0 {root.get('width', 0)} {root.get('height', 0)}")
    across, down = map(float, size.split()[2:])
    canvas = _Canvas({**THEMES[theme], **tile_colours(THEMES[theme])}, across, down)
    shapes: list[str] = []
    for item, dx, dy in _items(root, 0.0, 0.0):
        if item.tag == f"{_SVG}text":
            canvas.add_text(item, dx, dy)
        else:
            shapes += canvas.shape(item, dx, dy)
    drawn = " ".join(shapes)
    parts = [f'"{drawn[k : k + _LONGEST]}"' for k in range(0, len(drawn), _LONGEST)]
    canvas.graph.body.append(f"\tgraph [_background={' + '.join(parts)}]\n" if parts else "")
    return str(canvas.graph.source)


def _items(item: ElementTree.Element, dx: float, dy: float) -> Iterator[tuple[ElementTree.Element, float, float]]:
    """Every shape and text with the offset of its groups, in drawing order."""
    moved = re.match(r"translate\((\S+) (\S+)\)", item.get("transform", ""))
    if moved:
        dx, dy = dx + float(moved[1]), dy + float(moved[2])
    if item.tag in (f"{_SVG}rect", f"{_SVG}circle", f"{_SVG}path", f"{_SVG}text"):
        yield item, dx, dy
        return
    for part in item:
        yield from _items(part, dx, dy)


@dataclass(frozen=True, slots=True)
class _Look:
    """The look of a piece of text: size, colour, style and fonts."""

    size: float
    colour: str
    bold: bool = False
    italic: bool = False
    fonts: str = FONTS

    def of(self, item: ElementTree.Element) -> _Look:
        """The look of an element inside the text."""
        return replace(
            self,
            size=float(item.get("font-size", self.size)),
            colour=item.get("class", self.colour),
            bold=item.get("font-weight") == "bold" or self.bold,
            italic=item.get("font-style") == "italic",
            fonts=item.get("font-family", self.fonts),
        )

    def width(self, text: str) -> float:
        ems = fsum(map(_ems, text)) + self.bold * _BOLD * fsum(map(_ems, filter(str.isalpha, text)))
        return ems * self.size / 1000


class _Canvas:
    """A graph with the size of a drawing; its y axis points upwards."""

    def __init__(self, colours: Mapping[str, str], across: float, down: float) -> None:
        self.colours, self.across, self.down = colours, across, down
        self.texts = 0
        self.graph = graphviz.Digraph(
            graph_attr={"pad": "0", "margin": "0", "dpi": _DPI, "bgcolor": colours["paper"], "notranslate": "true"},
            node_attr={"shape": "none", "margin": "0", "fixedsize": "true", "height": "0", "width": "0"},
        )
        for name, corner in (("from", (0.0, 0.0)), ("to", (across, down))):
            self.graph.node(name, label="", pos=self.at(corner))

    def at(self, point: Point) -> str:
        return f"{point[0]:.2f},{self.down - point[1]:.2f}"

    # ---- text ----

    def add_text(self, item: ElementTree.Element, dx: float, dy: float) -> None:
        """Add the pieces of a text in a row; a single piece is centred if the text is."""
        look = _Look(12.0, "ink").of(item)
        x, y = float(item.get("x", "0")) + dx, float(item.get("y", "0")) + dy
        pieces = _pieces(item, look)
        middle = item.get("anchor", item.get("text-anchor")) == "middle"
        if middle and len(pieces) == 1:
            self.add_piece(x, y, pieces[0][0], pieces[0][1], _MIDDLE)
            return
        pen = x - fsum(part.width(text) + moved[0] for text, part, moved in pieces) / 2 if middle else x
        for text, part, (right, below) in pieces:
            pen, y = pen + right, y + below
            self.add_piece(pen, y, text, part, _LEFT)
            pen += part.width(text)

    def add_piece(self, x: float, y: float, text: str, look: _Look, side: str) -> None:
        if not text.strip():
            return
        wide = 1.4 * look.width(text) + look.size  # in any font
        middle = x + (wide / 2 if side == _LEFT else 0.0)
        self.graph.node(
            f"t{self.texts}",
            label=_escaped(text) + side,
            pos=self.at((middle, y - _ABOVE * look.size)),
            width=f"{wide / 72:.4f}",
            height=f"{2 * look.size / 72:.4f}",
            fontname=look.fonts + " Bold" * look.bold + " Italic" * look.italic,
            fontsize=f"{look.size:g}",
            fontcolor=self.colours.get(look.colour, self.colours["ink"]),
        )
        self.texts += 1

    # ---- lines and areas ----

    def shape(self, item: ElementTree.Element, dx: float, dy: float) -> Iterator[str]:
        """A rectangle, circle or path as Graphviz drawing operations."""
        classes = item.get("class", "").split()
        fill = next((name for name in classes if not name.startswith("s-")), None)
        stroke = next((name[2:] for name in classes if name.startswith("s-")), None)
        if item.get("width") == "100%":
            return
        for outline in _outlines(item):
            yield from self.painted(item, [(x + dx, y + dy) for x, y in outline], fill, stroke)

    def painted(
        self, item: ElementTree.Element, points: Sequence[Point], fill: str | None, stroke: str | None
    ) -> Iterator[str]:
        """One outline of a shape, filled and drawn."""
        if fill and item.get("fill") != "none":
            colour = _text(self.colours[fill])
            yield f"S {_text('setlinewidth(0)')} S {_text('solid')} c {colour} C {colour} b {self.spline(points)}"
        if stroke:
            wide = f"setlinewidth({item.get('stroke-width', '1')})"
            dashes = item.get("stroke-dasharray")
            dashed = "solid" if dashes is None else "dotted" if dashes.startswith("1.5") else "dashed"
            yield f"S {_text(wide)} S {_text(dashed)} c {_text(self.colours[stroke])} B {self.spline(points)}"

    def spline(self, points: Sequence[Point]) -> str:
        return f"{len(points)} {' '.join(f'{x:.2f} {self.down - y:.2f}' for x, y in points)}"


def _escaped(text: str) -> str:
    """Text with backslashes and ampersands escaped; the graphviz package escapes quotes."""
    return text.replace("\\", r"\\").replace("&", "&amp;")


def _ems(character: str) -> int:
    if combining(character) or character == "\u200e":
        return 0
    return _WIDTHS.get(character, _OTHER if character < "\u2e80" else _WIDE)


def _text(text: str) -> str:
    return f"{len(text)} -{text}"


def _pieces(item: ElementTree.Element, look: _Look) -> list[tuple[str, _Look, Point]]:
    """Triples (text, look, movement of the pen before it) for a text and its parts."""
    found = [(item.text, look, (0.0, 0.0))] if item.text else []
    for part in item:
        moves = float(part.get("dx", "0")), float(part.get("dy", "0"))
        found.append((part.text or "", look.of(part), moves))
        if part.tail:
            found.append((part.tail, look, (0.0, 0.0)))
    return found


def _outlines(item: ElementTree.Element) -> list[list[Point]]:
    """The outlines of a shape, each as one Bézier spline: a point, then three for each segment."""
    if item.tag == f"{_SVG}path":
        return [_path(f"M{part}") for part in item.get("d", "").split("M")[1:]]
    if item.tag == f"{_SVG}circle":
        x, y, r = (float(item.get(key, "0")) for key in ("cx", "cy", "r"))
        return [_rounded(x - r, y - r, 2 * r, 2 * r, r)]
    x, y, wide, high, r = (float(item.get(key, "0")) for key in ("x", "y", "width", "height", "rx"))
    return [_rounded(x, y, wide, high, r)]


def _rounded(x: float, y: float, wide: float, high: float, r: float) -> list[Point]:
    right, low = x + wide, y + high
    return _path(
        f"M{x + r},{y} H{right - r} a{r},{r} 0 0 1 {r},{r} V{low - r} a{r},{r} 0 0 1 {-r},{r} "
        f"H{x + r} a{r},{r} 0 0 1 {-r},{-r} V{y + r} a{r},{r} 0 0 1 {r},{-r}Z"
    )


def _path(text: str) -> list[Point]:
    """A path of M, L, H, h, V, C, quarter circles and Z as one Bézier spline."""
    points: list[Point] = []
    tokens = _TOKEN.findall(text)
    command, k = "", 0
    while k < len(tokens):
        if tokens[k].isalpha():
            command, k = tokens[k], k + 1
            if command == "Z":
                points += _line(points[-1], points[0])
            continue
        count = {"M": 2, "L": 2, "H": 1, "h": 1, "V": 1, "C": 6, "a": 7}[command]
        numbers = [float(token) for token in tokens[k : k + count]]
        points += _part(command, numbers, points[-1] if points else None)
        k += count
    return points


def _part(command: str, numbers: Sequence[float], here: Point | None) -> list[Point]:
    if here is None:
        return [(numbers[0], numbers[1])]
    if command == "C":
        return list(zip(numbers[::2], numbers[1::2], strict=True))
    if command == "a":
        return _quarter(here, numbers[5], numbers[6])
    if command == "h":
        return _line(here, (here[0] + numbers[0], here[1]))
    to = {"H": (numbers[0], here[1]), "V": (here[0], numbers[0])}.get(command) or (numbers[0], numbers[1])
    return _line(here, to)


def _line(here: Point, to: Point) -> list[Point]:
    return [here, to, to]


def _quarter(here: Point, dx: float, dy: float) -> list[Point]:
    """A quarter circle, clockwise on the screen."""
    (x, y), sideways = here, dx * dy > 0
    first = (x + _ROUND * dx, y) if sideways else (x, y + _ROUND * dy)
    second = (x + dx, y + (1 - _ROUND) * dy) if sideways else (x + (1 - _ROUND) * dx, y + dy)
    return [first, second, (x + dx, y + dy)]
