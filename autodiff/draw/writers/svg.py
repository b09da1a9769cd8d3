"""Our SVG writer: exact, with the same bytes on every machine, without external programs, light or dark."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import fsum
from typing import Final

from autodiff.draw.layout.bands import Lay
from autodiff.draw.layout.lines import Line, Mark, footer, header
from autodiff.draw.layout.plates import plates
from autodiff.draw.layout.positions import Layout, lay_out
from autodiff.draw.layout.sizes import BADGE, HATCH, SIZES, Point, Rect, is_rest
from autodiff.draw.layout.tiles import room_of
from autodiff.draw.model.paint import EDGES, fill_colour, text_colour
from autodiff.draw.model.palette import CODE_FONTS, ERROR_COLOURS, FONTS, stylesheet
from autodiff.draw.model.picture import Box, Cell, Cluster, Picture, Row, Wire
from autodiff.draw.views.choose_view import picture
from autodiff.draw.writers.frame import MARGIN, SLIDE, frame, seed_room
from autodiff.draw.writers.svg_plates import wire_plate
from autodiff.draw.writers.svg_shapes import (
    CORNER,
    arrow,
    badge,
    before_the_head,
    disc,
    hatching,
    line_tag,
    marked,
    numbered,
    panel,
    placed,
)
from autodiff.draw.writers.svg_text import BASELINE, escaped, line_of_text, number_attribute, px, set_pieces
from autodiff.draw.writers.svg_tiles import strip, tile_style, tiled
from autodiff.flow import Flow
from autodiff.words.typeset import width as text_width

__all__ = ["svg"]

_HALF_A_LINE: Final = 12.0  # between the middle of a number and the tiles below it


def svg(
    what: Flow | Picture, *, theme: str = "auto", width: float | None = SLIDE, direction: str | None = None,
    lay: Lay = lay_out,
) -> str:  # fmt: skip
    """A picture, or the picture of a flow, as SVG: ``role="img"`` with a title and the steps in words.

    A drawing is at most ``width`` px wide: a wider one is wrapped into bands that, scaled down to this width, have no
    line of text below 9 px. With None, it is as wide as it likes. It runs in the ``direction`` "right" or "down", or,
    with None, in that which fits better; a computation graph only to the right (`ValueError`).
    ``lay`` lays out a picture in one piece.

    The same flow gives the same text in every process. Subscripts and superscripts are stacked, names cannot inject
    markup, and ``data-number`` and ``data-share`` hold every number in full.

    >>> from autodiff import Value
    >>> from autodiff.flow import error_flow
    >>> x, w = Value(3.0, name="x"), Value(2.0, name="w")
    >>> svg(error_flow(w * x, w)).startswith('<svg xmlns="http://www.w3.org/2000/svg"')
    True
    """
    drawn = what if isinstance(what, Picture) else picture(what)
    return "\n".join(_document(drawn, theme, width, direction, lay)) + "\n"


def _document(what: Picture, theme: str, most: float | None, direction: str | None, lay: Lay) -> Iterator[str]:
    layout, across, shrunk = frame(what, most, direction, lay)
    head = list(header(what, across))
    top = MARGIN + fsum(line.height for line in head) + 22.0
    foot = list(footer(what, across))
    bottom = top + layout.height + 18.0
    height = bottom + fsum(line.height for line in foot) + MARGIN
    size = f'width="{px(shrunk * (across + 2 * MARGIN))}" height="{px(shrunk * height)}"'
    exact = ' text-rendering="geometricPrecision"' * (shrunk < 1.0)  # or small letters are rounded to whole pixels
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {px(across + 2 * MARGIN)} {px(height)}" '
        f'role="img" lang="{what.language}" class="autodiff-{theme}" font-family="{FONTS}"{exact}>'
    )
    yield f"<title>{escaped(what.title)}</title>"
    yield f"<desc>{escaped(what.description)}</desc>"
    yield f"<style>{stylesheet(theme)}{tile_style(what, theme)}</style>"
    yield '<rect class="paper" width="100%" height="100%"/>'
    yield from _lines(head, MARGIN)
    yield f'<g transform="translate({px(MARGIN)} {px(top)})">'
    yield from _drawing(what, layout)
    yield "</g>"
    yield from _lines(foot, bottom)
    yield "</svg>"


# ---- text ------------------------------------------------------------------------------------------------------------


def _lines(lines: Sequence[Line], top: float) -> Iterator[str]:
    for line in lines:
        y = top + line.height / 2
        for mark in line.marks:
            yield from _mark(mark, MARGIN + mark.x, y)
        for run in line.runs:
            looks = [f' class="{colour}"' + ' font-weight="bold"' * bold for _, colour, bold in run.segments]
            common = looks[0] if len(set(looks)) == 1 else ""  # written once for the whole line
            segments = [(part.text, "" if common else look) for part, look in zip(run.segments, looks, strict=True)]
            size = f'font-size="{px(line.size)}"{common}' + f' font-family="{CODE_FONTS}"' * run.code
            start = f'<text x="{px(MARGIN + run.x)}" y="{px(y + BASELINE * line.size)}" {size}>'
            text = escaped(run.segments[0].text) if run.code else set_pieces(segments, line.size, formula=run.formula)
            yield f"{start}{text}</text>"
        top += line.height


def _mark(mark: Mark, x: float, y: float) -> Iterator[str]:
    """A sign of the legend, 26 wide."""
    if mark.kind == "badge":
        yield badge(x + 9.0, y, mark.number, "error")
    elif mark.kind == "parameter":
        size = f'x="{px(x + 5)}" y="{px(y - 7)}" width="20" height="14" rx="4"'
        yield f'<rect {size} class="parameter-fill s-parameter"/>'
    elif mark.kind == "mark":
        yield disc(x + 16.0, y, "!", "ink", radius=7.0)
    elif mark.kind == "saturated":
        yield from hatching(x + 16.0, y)
    elif mark.kind == "loses":
        yield from arrow(((x + 28.0, y), (x, y)), "error", 2.6)
        yield from hatching(x + 20.0, y)
    elif mark.kind.startswith("tiles-"):
        yield from strip(mark.kind.removeprefix("tiles-"), x, y)
    elif mark.kind == "rest":
        yield f'<circle cx="{px(x + 16)}" cy="{px(y)}" r="7" class="rest s-line"/>'
    else:
        ends = ((x, y), (x + 28.0, y))
        yield from arrow(
            ends if mark.kind == "forward" else ends[::-1], mark.kind, 1.6 if mark.kind == "forward" else 2.6
        )


# ---- drawing ---------------------------------------------------------------------------------------------------------


def _drawing(what: Picture, layout: Layout) -> Iterator[str]:
    """Clusters and wires first, grey ones at the back; boxes above them, so that no wire crosses a text."""
    for cluster in what.clusters:
        yield from _cluster(cluster, layout.clusters[cluster.id], layout.more_parts.get(cluster.id, ()))
    for lane in ("rest", "forward", "error"):
        for wire in what.wires:
            if wire.lane == lane:
                yield from _wire(wire, layout.wires[wire.id])
    if what.seed:
        yield from _seed(what, layout)
    for box in what.boxes:
        yield from _box(box, layout.boxes[box.id])
        if what.listing and box.lines:
            yield from line_tag(layout.boxes[box.id], box.lines)
    numbers = plates(what, layout)
    for wire in what.wires:
        if wire.id in numbers:
            yield from wire_plate(wire, numbers[wire.id])
        elif wire.label:
            yield from _wire_label(wire, layout.wires[wire.id], down=layout.down)
        if wire.mark:
            yield marked(*before_the_head(layout.wires[wire.id]), wire.mark)


def _cluster(cluster: Cluster, place: Rect, more: Sequence[Rect]) -> Iterator[str]:
    """A dashed frame, in one part for each band, with its label at the upper left corner."""
    frame = 'rx="10" fill="none" class="s-line" stroke-dasharray="6 5"'
    yield f'<g data-cluster="{cluster.id}">' + "".join(f"<rect {placed(part)} {frame}/>" for part in (place, *more))
    yield line_of_text(place.x + 10.0, place.y + 13.0, cluster.label, SIZES["port"], "muted", anchor="start")
    yield "</g>"


def _seed(what: Picture, layout: Layout) -> Iterator[str]:
    """The error signal that enters at the output."""
    output = next(box for box in what.boxes if not box.column and not is_rest(box))
    place = layout.boxes[output.id]
    row = next(k for k, row in enumerate(output.rows) if row.cells[-1].role == "error")
    y = place.rows[row]
    colour = ERROR_COLOURS[output.rows[row].cells[-1].sign]
    long = seed_room(what.seed)
    yield from arrow(((place.right + long, y), (place.right, y)), colour, 3.2)
    yield line_of_text(place.right + long / 2 + 4.0, y - 15.0, what.seed, SIZES["wire"], colour, bold=True)


def _colour(wire: Wire) -> str:
    return {"rest": "line", "error": ERROR_COLOURS[wire.sign]}.get(wire.lane, wire.lane)


def _wire(wire: Wire, points: Sequence[Point]) -> Iterator[str]:
    ends = f'data-from="{wire.tail}" data-to="{wire.head}"'
    yield f'<g data-wire="{wire.id}" data-lane="{wire.lane}" {ends}{number_attribute("share", wire.share)}>'
    if wire.hint:
        yield f"<title>{escaped(wire.hint)}</title>"
    yield from arrow(points, _colour(wire), wire.width)
    if wire.loses:
        yield from hatching(*before_the_head(points, 0.5))
    yield "</g>"


def _wire_label(wire: Wire, points: Sequence[Point], *, down: bool) -> Iterator[str]:
    """The label of a wire above its middle; for a bent wire at its tail, on the side from which it bends away.

    In a drawing from top to bottom, labels of values are left of their wires, those of errors right of them.
    """
    (x, y), (to_x, to_y) = points[0], points[-1]
    above = 16.0 if wire.lane == "error" else 13.0
    if down:
        beside = (text_width(wire.label, SIZES["wire"]) + BADGE * (wire.step is not None)) / 2 + 10.0
        place = (x + to_x) / 2 + (beside if wire.lane == "error" else -beside), (y + to_y) / 2
    elif abs(to_y - y) < 1.0:
        place = (x + to_x) / 2, y - above
    else:
        half = (text_width(wire.label, SIZES["wire"]) + BADGE * (wire.step is not None)) / 2
        aside = x + (half + 10.0 if points[1][0] > x else -half - 10.0)
        place = max(aside, half), y - above if to_y > y else y + above  # inside the left edge of the drawing
    yield from _hovered(numbered(*place, wire.label, SIZES["wire"], _colour(wire), wire.step), wire.hint)


# ---- boxes -----------------------------------------------------------------------------------------------------------


def _box(box: Box, place: Rect) -> Iterator[str]:
    yield f'<g data-box="{box.id}" data-kind="{box.kind}"><title>{escaped(box.hint)}</title>'
    if is_rest(box):
        yield from _circle(box, place)
    else:
        outline = f'<rect {placed(place)} rx="{px(CORNER)}"'
        if box.ports:
            yield f'{outline} class="paper"/>'
        for k, row in enumerate(box.rows):
            yield from _row(box, place, k, row)
        for cell, y in zip(box.ports, place.ports, strict=True):
            yield from _port(cell, place.x + place.inset / 2, y)
        edge = EDGES.get(box.kind, "ink")
        yield f'{outline} fill="none" class="s-{edge}" stroke-width="1.4"/>'
    if box.mark:
        yield marked(place.right - 3.0, place.y + 3.0, box.mark)
    yield "</g>"


def _port(cell: Cell, x: float, y: float) -> Iterator[str]:
    """The local gradient of an input, in colour if the error flows on through it."""
    colour = ERROR_COLOURS[cell.sign] if cell.role == "way" else "muted"
    more = f' data-role="{cell.role}"{number_attribute("number", cell.number)}'
    yield from _hovered([line_of_text(x, y, cell.text, SIZES[cell.role], colour, more=more)], cell.whole)


def _hovered(drawn: Iterable[str], whole: str) -> Iterator[str]:
    """A text with the whole of it as a tooltip, if it was cut."""
    yield from (f"<g><title>{escaped(whole)}</title>", *drawn, "</g>") if whole else drawn


def _circle(box: Box, place: Rect) -> Iterator[str]:
    if box.kind == "rest":
        yield f'<rect {placed(place)} rx="{px(place.height / 2)}" class="rest s-line"/>'
    x, y = place.middle
    yield line_of_text(x, y, box.label, SIZES["rest"], "muted")


def _row(box: Box, place: Rect, k: int, row: Row) -> Iterator[str]:
    edges = _row_edges(place)
    alone = len(row.cells) == 1
    x = place.x + place.inset
    for j, cell in enumerate(row.cells):
        wide = place.width - place.inset if alone else place.columns[j]
        first, last = j == 0 and not box.ports, j == len(row.cells) - 1
        top, bottom = k == 0, k == len(box.rows) - 1
        corners = [top and first, top and last, bottom and last, bottom and first]
        outline = panel(x, edges[k], wide, edges[k + 1] - edges[k], corners)
        yield f'<path d="{outline}" class="{fill_colour(box, row, cell)}"/>'
        if not cell.text:  # the text above is centred over both rows
            yield from _cell(box.rows[k - 1].cells[j], box.rows[k - 1], x + wide / 2, (edges[k - 1] + edges[k + 1]) / 2)
        elif bottom or all(below.text for below in box.rows[k + 1].cells[j : j + 1]):
            yield from _cell(cell, row, x + wide / 2, place.rows[k])
        x += wide


def _row_edges(place: Rect) -> list[float]:
    edges = [place.y]
    for middle in place.rows:
        edges.append(2 * middle - edges[-1])
    return edges


def _cell(cell: Cell, row: Row, x: float, y: float) -> Iterator[str]:
    colour = text_colour(row, cell)
    role = f' data-role="{cell.role}"{number_attribute("number", cell.number)}'
    bold = cell.role == "error"
    if cell.tiles is not None:
        y -= room_of(cell)[1] / 2
        yield from tiled(cell.tiles, x, y + _HALF_A_LINE)
    if cell.role == "saturated":
        beside = text_width(cell.text, SIZES[cell.role]) / 2 + HATCH / 2
        yield from (*hatching(x - beside, y), *hatching(x + beside, y))
    text = numbered(x, y, cell.text, SIZES[cell.role], colour, cell.step, bold=bold, more=role)
    yield from _hovered(text, cell.whole)
