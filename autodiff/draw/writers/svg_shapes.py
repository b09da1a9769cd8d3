"""Shapes in our SVG: arrows, discs with a number or a mark, and panels with round corners."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import hypot
from typing import Final

from autodiff.draw.layout.sizes import BADGE, Point, Rect
from autodiff.draw.writers.svg_text import escaped, line_of_text, px
from autodiff.words.typeset import width

__all__ = [
    "CORNER", "arrow", "badge", "before_the_head", "disc", "hatching", "line_tag", "marked", "numbered", "panel",
    "placed",
]  # fmt: skip

CORNER: Final = 12.0
#: Round corners, clockwise from the upper right one.
_ARCS: Final = tuple(
    f" a{px(CORNER)},{px(CORNER)} 0 0 1 {px(dx * CORNER)},{px(dy * CORNER)}"
    for dx, dy in ((1, 1), (-1, 1), (-1, -1), (1, -1))
)
_TAG: Final = 11.5


def arrow(points: Sequence[Point], colour: str, stroke: float) -> Iterator[str]:
    """A line or curve with a head; the line stops inside the head, so thick lines do not show at the tip."""
    long, half = (6.0, 2.6) if colour == "line" else (8.0 + 1.4 * stroke, 3.4 + 0.8 * stroke)
    (x, y), (from_x, from_y) = points[-1], next(point for point in reversed(points[:-1]) if point != points[-1])
    size = hypot(x - from_x, y - from_y)
    ux, uy = (x - from_x) / size, (y - from_y) / size
    base = x - long * ux, y - long * uy
    last = x - 0.7 * long * ux, y - 0.7 * long * uy
    dashes = {"negative": f"{px(4 + 2 * stroke)} {px(3 + stroke)}", "zero": "1.5 4"}.get(colour)
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    path = _path([*points[:-1], last])
    yield f'<path d="{path}" fill="none" class="s-{colour}" stroke-width="{stroke:.2f}"{dashed}/>'
    corners = ((x, y), (base[0] - half * uy, base[1] + half * ux), (base[0] + half * uy, base[1] - half * ux))
    yield f'<path d="M{" L".join(_at(corner) for corner in corners)}Z" class="{colour}"/>'


def _path(points: Sequence[Point]) -> str:
    rest = " ".join([f"{x:.1f},{y:.1f}" for x, y in points[1:]])  # like `_at`, but fast for the points of long wires
    rest = rest.replace(".0,", ",").replace(".0 ", " ").removesuffix(".0")
    return f"M{_at(points[0])} {'L' if len(points) == 2 else 'C'}{rest}"


def _at(point: Point) -> str:
    return f"{px(point[0])},{px(point[1])}"


def numbered(
    x: float, y: float, text: str, size: float, colour: str, step: int | None, *, bold: bool = False, more: str = ""
) -> Iterator[str]:
    """A text centred at x, after the number of its step."""
    if step is None:
        yield line_of_text(x, y, text, size, colour, bold=bold, more=more)
        return
    start = x - (width(text, size, bold=bold) + BADGE) / 2
    yield badge(start + 9.0, y, step, "error" if colour == "muted" else colour)
    yield line_of_text(start + BADGE, y, text, size, colour, anchor="start", bold=bold, more=more)


def badge(x: float, y: float, number: int, colour: str) -> str:
    """The number of a step of the notes, in a disc."""
    return f'<g data-step="{number}">{disc(x, y, str(number), colour)}</g>'


def marked(x: float, y: float, said: str) -> str:
    """The mark of a number that is not finite, with its text as a tooltip."""
    return f'<g data-mark="{escaped(said)}"><title>{escaped(said)}</title>{disc(x, y, "!", "ink", radius=7.0)}</g>'


def disc(x: float, y: float, text: str, colour: str, *, radius: float = 8.5) -> str:
    style = 'font-size="11.5" class="paper" text-anchor="middle" font-weight="bold"'
    inside = f'<text x="{px(x)}" y="{px(y + 4.1)}" {style}>{text}</text>'
    return f'<circle cx="{px(x)}" cy="{px(y)}" r="{px(radius)}" class="{colour}"/>{inside}'


def hatching(x: float, y: float) -> Iterator[str]:
    """Three slanted strokes: a saturated unit, or the wire that loses the error."""
    for dx in (-5.0, 0.0, 5.0):
        ends = f"{_at((x + dx - 3.0, y + 6.0))} L{_at((x + dx + 3.0, y - 6.0))}"
        yield f'<path d="M{ends}" fill="none" class="s-ink" stroke-width="1.6"/>'


def line_tag(place: Rect, lines: Sequence[int]) -> Iterator[str]:
    """The numbers of a box's source lines, on its upper edge at the left corner."""
    text = ", ".join(map(str, lines))
    wide = width(text, _TAG) + 8.0
    x, y = place.x + 6.0, place.y - 11.0
    yield f'<rect x="{px(x)}" y="{px(y)}" width="{px(wide)}" height="14" rx="4" class="paper s-line"/>'
    more = f' data-role="line" data-lines="{text}"'
    yield line_of_text(x + wide / 2, y + 7.0, text, _TAG, "muted", more=more)


def before_the_head(points: Sequence[Point], part: float = 0.7) -> Point:
    """A point on a line or on the last curve, where wires from the same start have separated."""
    found = list(points[-4:])
    while len(found) > 1:  # de Casteljau's construction
        found = [(x + part * (to_x - x), y + part * (to_y - y)) for (x, y), (to_x, to_y) in pairwise(found)]
    return found[0]


def placed(place: Rect) -> str:
    """The place of a rectangle as attributes."""
    return f'x="{px(place.x)}" y="{px(place.y)}" width="{px(place.width)}" height="{px(place.height)}"'


def panel(x: float, y: float, wide: float, high: float, corners: Sequence[bool]) -> str:
    """A rectangle with some round corners, in the order upper left, upper right, lower right, lower left."""
    a, b, c, d = (CORNER if corner else 0.0 for corner in corners)
    right, low = x + wide, y + high
    return (
        f"M{px(x + a)},{px(y)} H{px(right - b)}{_ARCS[0] if b else ''} V{px(low - c)}{_ARCS[1] if c else ''} "
        f"H{px(x + d)}{_ARCS[2] if d else ''} V{px(y + a)}{_ARCS[3] if a else ''}Z"
    )
