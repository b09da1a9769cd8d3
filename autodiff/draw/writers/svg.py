"""Our own SVG: exact, the same bytes everywhere, no program needed; light or dark as the reader's system is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from itertools import pairwise
from math import fsum, hypot
from typing import Any, Final

from autodiff.draw.layout.lines import Line, Mark, footer, header
from autodiff.draw.layout.positions import BADGE, SIZES, Layout, Point, Rect, is_rest, lay_out
from autodiff.draw.model.paint import EDGES, fill_colour, text_colour
from autodiff.draw.model.palette import ERROR_COLOURS, FONTS, stylesheet
from autodiff.draw.model.picture import Box, Cell, Cluster, Picture, Row, Wire
from autodiff.draw.views.choose_view import picture
from autodiff.flow import Flow
from autodiff.words.printable import printable
from autodiff.words.typeset import SCRIPT, advance, left_to_right, pieces, width

__all__ = ["svg"]

_MARGIN: Final = 36.0
_NARROWEST: Final = 760.0
_CORNER: Final = 12.0
_SEED: Final = 46.0  # the arrow of the seed, if its text is not longer
_BASELINE: Final = 0.35  # of the font size below the middle of a line
_LOWERED: Final = 0.27  # of the font size
_RAISED: Final = 0.46


def svg(what: Flow | Picture, *, theme: str = "auto") -> str:
    """A picture, or that of a flow, as SVG: ``role="img"`` with a title and the steps in words.

    The same flow gives the same text in every process. Sub- and superscripts are stacked; names cannot inject markup;
    every number also stands in full, in ``data-number`` and ``data-share``.

    >>> from autodiff import Value
    >>> from autodiff.flow import error_flow
    >>> x, w = Value(3.0, name="x"), Value(2.0, name="w")
    >>> svg(error_flow(w * x, w)).startswith('<svg xmlns="http://www.w3.org/2000/svg"')
    True
    """
    return "\n".join(_document(what if isinstance(what, Picture) else picture(what), theme)) + "\n"


def _document(what: Picture, theme: str) -> Iterator[str]:
    layout = lay_out(what)
    across = max(layout.width + (_seed_room(what.seed) + 16.0 if what.seed else 0.0), _NARROWEST)
    head = list(header(what, across))
    top = _MARGIN + fsum(line.height for line in head) + 22.0
    foot = list(footer(what, across))
    bottom = top + layout.height + 18.0
    height = bottom + fsum(line.height for line in foot) + _MARGIN
    size = f'width="{_n(across + 2 * _MARGIN)}" height="{_n(height)}"'
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {_n(across + 2 * _MARGIN)} {_n(height)}" '
        f'role="img" lang="{what.language}" class="autodiff-{theme}" font-family="{FONTS}">'
    )
    yield f"<title>{_plain(what.title)}</title>"
    yield f"<desc>{_plain(what.description)}</desc>"
    yield f"<style>{stylesheet(theme)}</style>"
    yield '<rect class="paper" width="100%" height="100%"/>'
    yield from _lines(head, _MARGIN)
    yield f'<g transform="translate({_n(_MARGIN)} {_n(top)})">'
    yield from _drawing(what, layout)
    yield "</g>"
    yield from _lines(foot, bottom)
    yield "</svg>"


# ---- text ------------------------------------------------------------------------------------------------------------


def _n(value: float) -> str:
    """A coordinate with one decimal at most."""
    return f"{value:.1f}".removesuffix(".0")


def _plain(text: str) -> str:
    return escape(left_to_right(printable(text)), quote=False)


def _number(key: str, value: Any) -> str:
    return f' data-{key}="{value!r}"' if isinstance(value, float | int) else ""


def _text(
    x: float,
    y: float,
    text: str,
    size: float,
    colour: str,
    *,
    anchor: str = "middle",
    bold: bool = False,
    more: str = "",
) -> str:
    """One line of a formula with its middle at height y."""
    style = (' font-weight="bold"' if bold else "") + f' text-anchor="{anchor}"' + more
    start = f'<text x="{_n(x)}" y="{_n(y + _BASELINE * size)}" font-size="{_n(size)}" class="{colour}"{style}>'
    return f"{start}{_set([(text, '')], size, formula=True)}</text>"


def _set(segments: Sequence[tuple[str, str]], size: float, *, formula: bool) -> str:
    """Texts with their attributes as tspans: sub- and superscripts one above the other behind their base."""
    small = SCRIPT * size
    parts: list[str] = []
    dx = dy = 0.0  # what the pen still has to go before the next piece stands on the line
    for text, style in segments:
        for piece in pieces(text, formula=formula):
            if piece.text:
                parts.append(_span(piece.text, dx, dy, style + (' font-style="italic"' if piece.italic else "")))
                dx = dy = 0.0
            for script, rise in ((piece.sub, -_LOWERED * size), (piece.sup, _RAISED * size)):
                if script:
                    parts.append(_span(script, dx, dy - rise, f'{style} font-size="{_n(small)}"'))
                    dx, dy = -advance(script, small), rise
            if piece.sub or piece.sup:
                dx = max(advance(piece.sub, small) - advance(piece.sup, small), 0.0) if piece.sup else 0.0
    return "".join(parts)


def _span(text: str, dx: float, dy: float, style: str) -> str:
    moves = (f' dx="{dx:.2f}"' if dx else "") + (f' dy="{dy:.2f}"' if dy else "")
    return f"<tspan{moves}{style}>{_plain(text)}</tspan>" if moves or style else _plain(text)


def _lines(lines: Sequence[Line], top: float) -> Iterator[str]:
    for line in lines:
        y = top + line.height / 2
        for mark in line.marks:
            yield from _mark(mark, _MARGIN + mark.x, y)
        for run in line.runs:
            looks = [f' class="{colour}"' + ' font-weight="bold"' * bold for _, colour, bold in run.segments]
            common = looks[0] if len(set(looks)) == 1 else ""  # said once, for the whole line
            segments = [(part.text, "" if common else look) for part, look in zip(run.segments, looks, strict=True)]
            size = f'font-size="{_n(line.size)}"{common}'
            start = f'<text x="{_n(_MARGIN + run.x)}" y="{_n(y + _BASELINE * line.size)}" {size}>'
            yield f"{start}{_set(segments, line.size, formula=run.formula)}</text>"
        top += line.height


def _mark(mark: Mark, x: float, y: float) -> Iterator[str]:
    """A sign of the legend, 26 wide."""
    if mark.kind == "badge":
        yield _badge(x + 9.0, y, mark.number, "error")
    elif mark.kind == "parameter":
        size = f'x="{_n(x + 5)}" y="{_n(y - 7)}" width="20" height="14" rx="4"'
        yield f'<rect {size} class="parameter-fill s-parameter"/>'
    elif mark.kind == "mark":
        yield _disc(x + 16.0, y, "!", "ink", radius=7.0)
    elif mark.kind == "rest":
        yield f'<circle cx="{_n(x + 16)}" cy="{_n(y)}" r="7" class="rest s-line"/>'
    else:
        ends = ((x, y), (x + 28.0, y))
        yield from _arrow(
            ends if mark.kind == "forward" else ends[::-1], mark.kind, 1.6 if mark.kind == "forward" else 2.6
        )


# ---- drawing ---------------------------------------------------------------------------------------------------------


def _drawing(what: Picture, layout: Layout) -> Iterator[str]:
    """Clusters and wires first, those of the rest at the back; boxes above them, so that no wire crosses a text."""
    for cluster in what.clusters:
        yield from _cluster(cluster, layout.clusters[cluster.id])
    for lane in ("rest", "forward", "error"):
        for wire in what.wires:
            if wire.lane == lane:
                yield from _wire(wire, layout.wires[wire.id])
    if what.seed:
        yield from _seed(what, layout)
    for box in what.boxes:
        yield from _box(box, layout.boxes[box.id])
    for wire in what.wires:
        if wire.label:
            yield from _wire_label(wire, layout.wires[wire.id])
        if wire.mark:
            yield _marked(*_before_the_head(layout.wires[wire.id]), wire.mark)


def _cluster(cluster: Cluster, place: Rect) -> Iterator[str]:
    """A dashed frame with its label at the left upper corner."""
    frame = f'<rect {_place(place)} rx="10" fill="none" class="s-line" stroke-dasharray="6 5"/>'
    yield f'<g data-cluster="{cluster.id}">{frame}'
    yield _text(place.x + 10.0, place.y + 13.0, cluster.label, SIZES["port"], "muted", anchor="start")
    yield "</g>"


def _seed(what: Picture, layout: Layout) -> Iterator[str]:
    """The error signal that enters at the output."""
    output = next(box for box in what.boxes if not box.column and not is_rest(box))
    place = layout.boxes[output.id]
    row = next(k for k, row in enumerate(output.rows) if row.cells[-1].role == "error")
    y = place.rows[row]
    colour = ERROR_COLOURS[output.rows[row].cells[-1].sign]
    long = _seed_room(what.seed)
    yield from _arrow(((place.right + long, y), (place.right, y)), colour, 3.2)
    yield _text(place.right + long / 2 + 4.0, y - 15.0, what.seed, SIZES["wire"], colour, bold=True)


def _seed_room(seed: str) -> float:
    return max(_SEED, width(seed, SIZES["wire"], bold=True) + 12.0)


def _colour(wire: Wire) -> str:
    return {"rest": "line", "error": ERROR_COLOURS[wire.sign]}.get(wire.lane, wire.lane)


def _wire(wire: Wire, points: Sequence[Point]) -> Iterator[str]:
    ends = f'data-from="{wire.tail}" data-to="{wire.head}"'
    yield f'<g data-wire="{wire.id}" data-lane="{wire.lane}" {ends}{_number("share", wire.share)}>'
    if wire.hint:
        yield f"<title>{_plain(wire.hint)}</title>"
    yield from _arrow(points, _colour(wire), wire.width)
    yield "</g>"


def _arrow(points: Sequence[Point], colour: str, stroke: float) -> Iterator[str]:
    """A line or curve with a head; the line stops inside the head, so that a thick one does not show at its tip."""
    long, half = (6.0, 2.6) if colour == "line" else (8.0 + 1.4 * stroke, 3.4 + 0.8 * stroke)
    (x, y), (from_x, from_y) = points[-1], next(point for point in reversed(points[:-1]) if point != points[-1])
    size = hypot(x - from_x, y - from_y)
    ux, uy = (x - from_x) / size, (y - from_y) / size
    base = x - long * ux, y - long * uy
    last = x - 0.7 * long * ux, y - 0.7 * long * uy
    dashes = {"negative": f"{_n(4 + 2 * stroke)} {_n(3 + stroke)}", "zero": "1.5 4"}.get(colour)
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    path = _path([*points[:-1], last])
    yield f'<path d="{path}" fill="none" class="s-{colour}" stroke-width="{stroke:.2f}"{dashed}/>'
    corners = ((x, y), (base[0] - half * uy, base[1] + half * ux), (base[0] + half * uy, base[1] - half * ux))
    yield f'<path d="M{" L".join(_at(corner) for corner in corners)}Z" class="{colour}"/>'


def _path(points: Sequence[Point]) -> str:
    rest = " ".join([f"{x:.1f},{y:.1f}" for x, y in points[1:]])  # as `_at`, for the hundred points of a long wire
    rest = rest.replace(".0,", ",").replace(".0 ", " ").removesuffix(".0")
    return f"M{_at(points[0])} {'L' if len(points) == 2 else 'C'}{rest}"


def _at(point: Point) -> str:
    return f"{_n(point[0])},{_n(point[1])}"


def _wire_label(wire: Wire, points: Sequence[Point]) -> Iterator[str]:
    """The label above the middle of its wire; of a bent one at its tail, on the side from which it bends away."""
    (x, y), (to_x, to_y) = points[0], points[-1]
    above = 16.0 if wire.lane == "error" else 13.0
    if abs(to_y - y) < 1.0:
        place = (x + to_x) / 2, y - above
    else:
        beside = width(wire.label, SIZES["wire"]) / 2 + 10.0
        place = x + (beside if to_x > x else -beside), y - above if to_y > y else y + above
    yield from _numbered(*place, wire.label, SIZES["wire"], _colour(wire), wire.step)


def _numbered(
    x: float, y: float, text: str, size: float, colour: str, step: int | None, *, bold: bool = False, more: str = ""
) -> Iterator[str]:
    """A text in the middle of x, with the number of its step before it."""
    if step is None:
        yield _text(x, y, text, size, colour, bold=bold, more=more)
        return
    start = x - (width(text, size, bold=bold) + BADGE) / 2
    yield _badge(start + 9.0, y, step, "error" if colour == "muted" else colour)
    yield _text(start + BADGE, y, text, size, colour, anchor="start", bold=bold, more=more)


def _badge(x: float, y: float, number: int, colour: str) -> str:
    """The number of a step of the notes, in a disc."""
    return f'<g data-step="{number}">{_disc(x, y, str(number), colour)}</g>'


def _marked(x: float, y: float, said: str) -> str:
    """The mark of what is not finite, with its words for a reader who points at it."""
    return f'<g data-mark="{_plain(said)}"><title>{_plain(said)}</title>{_disc(x, y, "!", "ink", radius=7.0)}</g>'


def _disc(x: float, y: float, text: str, colour: str, *, radius: float = 8.5) -> str:
    style = 'font-size="11.5" class="paper" text-anchor="middle" font-weight="bold"'
    inside = f'<text x="{_n(x)}" y="{_n(y + 4.1)}" {style}>{text}</text>'
    return f'<circle cx="{_n(x)}" cy="{_n(y)}" r="{_n(radius)}" class="{colour}"/>{inside}'


def _before_the_head(points: Sequence[Point], part: float = 0.7) -> Point:
    """A point on a line or on the last curve, where wires that leave one place have parted."""
    found = list(points[-4:])
    while len(found) > 1:  # de Casteljau's construction
        found = [(x + part * (to_x - x), y + part * (to_y - y)) for (x, y), (to_x, to_y) in pairwise(found)]
    return found[0]


# ---- boxes -----------------------------------------------------------------------------------------------------------


def _box(box: Box, place: Rect) -> Iterator[str]:
    yield f'<g data-box="{box.id}" data-kind="{box.kind}"><title>{_plain(box.hint)}</title>'
    if is_rest(box):
        yield from _circle(box, place)
    else:
        if box.ports:
            yield f'<rect {_place(place)} rx="{_n(_CORNER)}" class="paper"/>'
        for k, row in enumerate(box.rows):
            yield from _row(box, place, k, row)
        for cell, y in zip(box.ports, place.ports, strict=True):
            yield from _port(cell, place.x + place.inset / 2, y)
        edge = EDGES.get(box.kind, "ink")
        yield f'<rect {_place(place)} rx="{_n(_CORNER)}" fill="none" class="s-{edge}" stroke-width="1.4"/>'
    if box.mark:
        yield _marked(place.right - 3.0, place.y + 3.0, box.mark)
    yield "</g>"


def _place(place: Rect) -> str:
    return f'x="{_n(place.x)}" y="{_n(place.y)}" width="{_n(place.width)}" height="{_n(place.height)}"'


def _port(cell: Cell, x: float, y: float) -> Iterator[str]:
    """The local gradient of an input: in colour where the error goes on through it."""
    colour = ERROR_COLOURS[cell.sign] if cell.role == "way" else "muted"
    more = f' data-role="{cell.role}"{_number("number", cell.number)}'
    yield _text(x, y, cell.text, SIZES[cell.role], colour, more=more)


def _circle(box: Box, place: Rect) -> Iterator[str]:
    if box.kind == "rest":
        yield f'<rect {_place(place)} rx="{_n(place.height / 2)}" class="rest s-line"/>'
    x, y = place.middle
    yield _text(x, y, box.label, SIZES["rest"], "muted")


def _row(box: Box, place: Rect, k: int, row: Row) -> Iterator[str]:
    edges = _row_edges(place)
    alone = len(row.cells) == 1
    x = place.x + place.inset
    for j, cell in enumerate(row.cells):
        wide = place.width - place.inset if alone else place.columns[j]
        first, last = j == 0 and not box.ports, j == len(row.cells) - 1
        top, bottom = k == 0, k == len(box.rows) - 1
        corners = [top and first, top and last, bottom and last, bottom and first]
        panel = _panel(x, edges[k], wide, edges[k + 1] - edges[k], corners)
        yield f'<path d="{panel}" class="{fill_colour(box, row, cell)}"/>'
        if not cell.text:  # the text above stands in the middle of both rows
            yield from _cell(box.rows[k - 1].cells[j], box.rows[k - 1], x + wide / 2, place.middle[1])
        elif bottom or all(below.text for below in box.rows[k + 1].cells[j : j + 1]):
            yield from _cell(cell, row, x + wide / 2, place.rows[k])
        x += wide


def _row_edges(place: Rect) -> list[float]:
    edges = [place.y]
    for middle in place.rows:
        edges.append(2 * middle - edges[-1])
    return edges


def _panel(x: float, y: float, wide: float, high: float, corners: Sequence[bool]) -> str:
    """A rectangle of which some corners are round: left upper, right upper, right lower, left lower."""
    a, b, c, d = (_CORNER if corner else 0.0 for corner in corners)
    right, low = x + wide, y + high
    parts = [
        f"M{_n(x + a)},{_n(y)} H{_n(right - b)}",
        f"a{_n(b)},{_n(b)} 0 0 1 {_n(b)},{_n(b)}" if b else "",
        f"V{_n(low - c)}",
        f"a{_n(c)},{_n(c)} 0 0 1 {_n(-c)},{_n(c)}" if c else "",
        f"H{_n(x + d)}",
        f"a{_n(d)},{_n(d)} 0 0 1 {_n(-d)},{_n(-d)}" if d else "",
        f"V{_n(y + a)}",
        f"a{_n(a)},{_n(a)} 0 0 1 {_n(a)},{_n(-a)}" if a else "",
    ]
    return " ".join(part for part in parts if part) + "Z"


def _cell(cell: Cell, row: Row, x: float, y: float) -> Iterator[str]:
    colour = text_colour(row, cell)
    role = f' data-role="{cell.role}"{_number("number", cell.number)}'
    bold = cell.role == "error"
    yield from _numbered(x, y, cell.text, SIZES[cell.role], colour, cell.step, bold=bold, more=role)
