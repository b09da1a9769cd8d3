"""What the writers state about a flow, read back from their output alone: boxes with numbers, arrows between them.

The readers parse XML, DOT and JSON text themselves and share no code with the writers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any
from unicodedata import normalize
from xml.etree import ElementTree

_SVG = "{http://www.w3.org/2000/svg}"
_PREFIX = re.compile(r"^(?:\(!\) )?(?:[①-⑩] |\(\d+\) (?=\S))?")
_NODE = re.compile(r"^\t+(n\d+) \[label=<(.*)> (?:color|group|tooltip)=", re.MULTILINE)
_EDGE = re.compile(r"^\t(n\d+)(?::([rp]\d+e?))?(?::\w)? -> (n\d+)(?::([rp]\d+e?))?(?::\w)? \[(.*)\]$", re.MULTILINE)

Point = tuple[float, float]


@dataclass
class ReadBox:
    """A box: the names in it with their values and errors, the shares that arrive and, on its left, its ports."""

    names: list[str] = field(default_factory=list)
    values: list[float | None] = field(default_factory=list)
    errors: list[float | None] = field(default_factory=list)
    shares: list[float | None] = field(default_factory=list)
    ports: list[str] = field(default_factory=list)
    place: tuple[float, float, float, float] | None = None

    def touches(self, point: Point) -> bool:
        """Whether a point is on the outline."""
        left, top, wide, high = self.place or (0.0, 0.0, 0.0, 0.0)
        x, y = point[0] - left, point[1] - top
        on_a_side = min(abs(x), abs(x - wide)) < 1.0 or min(abs(y), abs(y - high)) < 1.0
        return on_a_side and -1.0 < x < wide + 1.0 and -1.0 < y < high + 1.0


@dataclass
class ReadArrow:
    """An arrow between two boxes: its lane, the number it carries, its sign, and what is written at it."""

    lane: str
    tail: str
    head: str
    share: float | None = None
    sign: int = 1
    width: float = 0.0
    text: str = ""
    ends: tuple[Point, Point] | None = None


@dataclass
class Read:
    """A drawing as it was read."""

    boxes: dict[str, ReadBox]
    arrows: list[ReadArrow]

    @property
    def errors(self) -> list[ReadArrow]:
        """The arrows of the error."""
        return [arrow for arrow in self.arrows if arrow.lane == "error"]


def plain(text: str) -> str:
    """A text without stacked indices: W₁₄⁽¹⁾ and its pieces in a drawing are both W14(1)."""
    return normalize("NFKC", text).replace("\u200e", "")


def as_float(text: str) -> float | None:
    """The number that a text is, or None."""
    try:
        return float(re.sub(r"(?<=\d),(?=\d{3})", "", text.replace("−", "-")))
    except ValueError:
        return None


def last_number(text: str) -> float | None:
    """The number at the end of a text: of an equation, or of a factor in brackets; a mark may follow it."""
    return as_float(text.rpartition(" = ")[2].removeprefix("× ").partition(", loses")[0].strip("()"))


# ---- SVG -------------------------------------------------------------------------------------------------------------


def read_svg(source: str) -> Read:
    """The boxes and arrows of our SVG; numbers in the text must be those in its data."""
    root = ElementTree.fromstring(source)
    boxes = {item.attrib["data-box"]: _svg_box(item) for item in root.iter(f"{_SVG}g") if "data-box" in item.attrib}
    return Read(boxes, [_svg_arrow(item) for item in root.iter(f"{_SVG}g") if "data-wire" in item.attrib])


def _svg_box(item: ElementTree.Element) -> ReadBox:
    box = ReadBox()
    for text in item.iter(f"{_SVG}text"):
        role, told = text.get("data-role"), plain("".join(text.itertext()))
        known = as_float(text.get("data-number", ""))
        if role in ("value", "error", "share") and known is not None:
            assert repr(last_number(told.removesuffix(" more"))) in (repr(known), repr(known + 0.0)), (told, known)
        if role == "name" and told:
            box.names.append(told)
        elif role in ("value", "error", "share"):
            {"value": box.values, "error": box.errors, "share": box.shares}[role].append(known)
        elif role in ("way", "port"):
            box.ports.append(told)
        elif role is None and text.get("class") == "muted" and not box.names:
            box.names.append(told)
    *_, outline = item.iter(f"{_SVG}rect") if item.find(f"{_SVG}rect") is not None else [None]
    if outline is not None:
        x, y, wide, high = (float(outline.attrib[key]) for key in ("x", "y", "width", "height"))
        box.place = x, y, wide, high
    return box


def _svg_arrow(item: ElementTree.Element) -> ReadArrow:
    line, head, *_ = item.findall(f"{_SVG}path")  # then the hatching of a wire that loses most
    start, tip = (_first_point(path.attrib["d"]) for path in (line, head))
    colour = line.attrib["class"].removeprefix("s-")
    dashed = line.get("stroke-dasharray")
    assert (colour in ("negative", "zero")) == (dashed is not None)
    return ReadArrow(
        item.attrib["data-lane"],
        item.attrib["data-from"],
        item.attrib["data-to"],
        as_float(item.get("data-share", "")),
        {"negative": -1, "zero": 0}.get(colour, 1),
        float(line.attrib["stroke-width"]),
        ends=(start, tip),
    )


def _first_point(path: str) -> Point:
    found = re.match(r"M(-?[\d.]+),(-?[\d.]+) ", path)
    assert found is not None, path
    return float(found[1]), float(found[2])


# ---- DOT -------------------------------------------------------------------------------------------------------------


def read_dot(source: str) -> Read:
    """The boxes and arrows of DOT text; rows by their order in the tables."""
    tables = {found[1]: _cells(found[2]) for found in _NODE.finditer(source)}
    boxes = {id: _dot_box(rows, ports) for id, (rows, ports) in tables.items()}
    arrows = []
    for left, left_port, right, right_port, attributes in _EDGE.findall(source):
        looks = dict(re.findall(r'(\w+)=("[^"]*"|[\w.]+)', re.sub(r"label=<.*>", "", attributes)))
        label = re.search(r"label=<(.*)>", attributes)
        style = looks.get("style", "")
        if style == "invis":
            continue
        back = looks["dir"] == "back"
        tail, head, port = (right, left, left_port) if back else (left, right, right_port)
        row = int(port[1:].removesuffix("e")) if port.startswith("r") else None
        arriving = None
        if back and row is not None and tables[head][0][row]:
            arriving = last_number(tables[head][0][row][-1])
        told = "" if label is None else _told(ElementTree.fromstring(label[1]))
        arrows.append(
            ReadArrow(
                "error" if back else "forward" if looks["weight"] == "20" else "rest", tail, head, arriving,
                {"dashed": -1, "dotted": 0}.get(style, 1), float(looks["penwidth"]), told,
            )
        )  # fmt: skip
        if right_port.startswith("p"):
            arrows[-1].text = tables[right][1][int(right_port[1:])]
    return Read(boxes, arrows)


def _cells(label: str) -> tuple[list[list[str]], list[str]]:
    """The texts of the rows of a table by the numbers of its ports r0, r1, …, and those of p0, p1, …"""
    root = ElementTree.fromstring(label)
    if root.tag == "FONT":
        return [[_told(root)]], []
    rows: list[list[str]] = []
    ports: list[str] = []
    for cell in root.iter("TD"):
        port = cell.get("PORT", "")
        if port.startswith("p"):
            ports.append(_told(cell))
        elif port.startswith("r"):
            rows += [[] for _ in range(int(port[1:].removesuffix("e")) + 1 - len(rows))]
            rows[-1].append(_told(cell))
    return rows, ports


def _told(item: ElementTree.Element) -> str:
    return plain(_PREFIX.sub("", "".join(item.itertext())))


def _dot_box(every: Sequence[Sequence[str]], ports: Sequence[str]) -> ReadBox:
    rows = [row for row in every if not row[0].startswith("///") and ", loses " not in row[0]]  # without marks
    if len(rows) == 2 and len(rows[0]) == len(rows[1]) == 2 and not as_float(rows[1][0]):
        (first, value), (second, error) = rows  # of a computation graph: operation or name, value; name, gradient
        if as_float(first) is None:
            return ReadBox([second or first], [as_float(value)], [as_float(error)], ports=[*ports])
    box = ReadBox([*rows[0]], ports=[*ports])
    if len(rows) == 1:
        return box
    box.values = [as_float(text) for text in rows[1]]
    if len(rows) > 2:
        box.errors = [as_float(text) for text in rows[-1]]
        box.shares = [last_number(row[0]) for row in rows[2:-2] if " = " in row[0] and row[0][0] != "×"]
    for k in range(4, len(rows), 4):  # the blocks of further windows of a network
        if len(rows) % 4 == 0 and as_float(rows[k][0]) is None and " = " not in rows[k][0]:
            box.names += rows[k]
            box.values += [as_float(text) for text in rows[k + 1]]
    if len(box.names) > len(rows[0]):
        box.shares, box.errors = [], [as_float(text) for row in rows[3::4] for text in row]
    return box


def read_pinned(source: str, height: float) -> list[tuple[Point, Point]]:
    """The arrows of DOT text with fixed positions: where each begins, and its tip."""
    (parts,) = re.findall(r"_background=(.*)\]", source)
    drawn = "".join(re.findall(r'"([^"]*)"', parts))
    found = []
    spline = r"{} \d+((?: -?[\d.]+)+)"
    head = r" S \d+ -\S+ S \d+ -\S+ c 7 -\S+ C 7 -\S+ b 10((?: -?[\d.]+)+)"
    for line, triangle in re.findall(spline.format("B") + head, drawn):
        ends = [[float(part) for part in text.split()] for text in (line, triangle)]
        found.append(tuple((numbers[0], height - numbers[1]) for numbers in ends))
    return found  # type: ignore[return-value]


def arrows_of_svg(source: str) -> list[tuple[Point, Point]]:
    """All arrows of an SVG, those of its legend and of its seed too, in the drawing's coordinates."""
    found = []
    for parent, moved in _groups(ElementTree.fromstring(source), (0.0, 0.0)):
        paths = [item for item in parent if item.tag == f"{_SVG}path"]
        for line, head in pairwise(paths):
            if line.get("fill") == "none" and head.get("fill") is None and head.attrib["d"].count("L") == 2:
                ends = _first_point(line.attrib["d"]), _first_point(head.attrib["d"])
                found.append(tuple((x + moved[0], y + moved[1]) for x, y in ends))
    return found  # type: ignore[return-value]


def _groups(item: ElementTree.Element, moved: Point) -> Iterator[tuple[ElementTree.Element, Point]]:
    shift = re.match(r"translate\((\S+) (\S+)\)", item.get("transform", ""))
    if shift:
        moved = moved[0] + float(shift[1]), moved[1] + float(shift[2])
    yield item, moved
    for part in item:
        yield from _groups(part, moved)


# ---- the page and the text -------------------------------------------------------------------------------------------


def read_page(source: str) -> Mapping[str, Any]:
    """The data embedded in a page."""
    (data,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', source, flags=re.DOTALL)
    read: Mapping[str, Any] = json.loads(data)
    return read


@dataclass(frozen=True)
class Stated:
    """A statement of a text: an error is the sum of shares, each an error times a factor."""

    name: str
    shares: tuple[str, ...]
    numbers: str
    result: float


_STATED = re.compile(r"((?:error at [^=]+?|δ\S+|\S*∂\S+/∂\S+)) = (\(?(?:error at|δ|∂)[^=]*) = ([^=]*?) = (\S*[^\s.,])")
_SUM = re.compile(r"The sum passes the error on unchanged \(× 1\): ([^=]+) = ([^=]+)( )= (\S+)\.(?:$| )")
_SHARE = re.compile(r"The share of (.+?) is ([^=]*) = ([^=]*) = (\S+), the ")


def read_text(told: str) -> list[Stated]:
    """The statements of the numbered steps: error at a = (error at b) · f + … = 0.9 × 0.1793 = 0.1614."""
    found = []
    for line in told.splitlines():
        for name, symbols, numbers, result in (*_STATED.findall(line), *_SHARE.findall(line), *_passed(line)):
            value = as_float(result)
            if value is not None:
                called = name.removeprefix("error at ")
                found.append(Stated(called, tuple(_consumers(symbols)), numbers, value))
    return found


def _passed(line: str) -> Iterator[tuple[str, str, str, str]]:
    """The statement that a sum passes its error on, as the share error · 1."""
    for name, sender, _, result in _SUM.findall(line):
        yield name, f"{sender if sender.startswith(('δ', '∂')) else f'({sender})'} · 1", result, result


def _consumers(symbols: str) -> Iterator[str]:
    """The nodes at whose errors the shares of a sum begin."""
    for share in re.split(r" \+ (?=\(error at |δ|∂)", symbols):
        yield re.sub(r"^\(error at (.+?)\) · .*|^(\S+) · .*", r"\1\2", share)
