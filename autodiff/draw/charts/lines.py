"""Line charts: columns of numbers over one horizontal axis, each line named at its end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from autodiff.draw.charts.axis import Axis
from autodiff.draw.model.palette import FONTS, stylesheet
from autodiff.draw.writers.svg_text import escaped, line_of_text, px
from autodiff.words.typeset import width

__all__ = ["Line", "line_chart"]

Floats = np.ndarray[Any, Any]

_WIDTH, _HEIGHT = 760.0, 360.0
_ABOVE, _BELOW, _LEFT, _RIGHT = 18.0, 46.0, 64.0, 24.0
_SIZE: Final = 13.0
_COLUMNS: Final = 700  # of points along the axis; more share a pixel
_LARGEST: Final = 1e300  # on a linear axis
_NEAREST: Final = 16.0  # px between two names at the right end

#: Colour and dashes together, so that no line is told by its colour alone.
_STYLES: Final = (
    ("s-forward", ""), ("s-error", "7 3"), ("s-negative", "2 3"), ("s-parameter", "9 3 2 3"), ("s-ink", "1 2"),
    ("s-muted", "12 4"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """A named line: its points (x, y), arrays of equal length.

    Points that are not finite are left out; on a linear axis also those beyond ±10³⁰⁰, whose range might overflow.
    """

    name: str
    x: Floats
    y: Floats


def line_chart(
    lines: Sequence[Line], *, across: str, title: str = "", log: bool = False, theme: str = "auto"
) -> str:
    """A chart of lines as SVG, 760 × 360 px.

    Args:
        lines: what to draw; where one has more points than the chart has pixels, each pixel shows the lowest and the
            highest of its points, so that no peak is lost.
        across: the name of the horizontal axis.
        title: a line above the chart.
        log: whether the vertical axis is logarithmic; points that are not positive are left out then.
        theme: "auto", "light", "dark" or "print".

    Raises:
        ValueError: if no point can be drawn, or the theme is unknown.

    >>> chart = line_chart([Line("J", np.arange(3), np.array([3.0, 2.0, 1.0]))], across="step")
    >>> chart.count("<path")
    1
    """
    kept = [_drawable(line, log) for line in lines]
    points = [line for line in kept if len(line.x)]
    if not points:
        named = ", ".join(line.name for line in lines) or "no line"
        where = "above 0" if log else f"within ±{_LARGEST:g}"
        raise ValueError(f"a chart needs at least one finite point {where}, and {named} has none")
    right = max(width(line.name, _SIZE) for line in points) + _RIGHT
    x = Axis.over([line.x for line in points], _LEFT, _WIDTH - right)
    y = Axis.over([line.y for line in points], _HEIGHT - _BELOW, _ABOVE + 20.0 * bool(title), log=log, zero=not log)
    return "\n".join(_document(points, x, y, across, title, theme)) + "\n"


def _drawable(line: Line, log: bool) -> Line:
    x, y = np.asarray(line.x, dtype=float), np.asarray(line.y, dtype=float)
    seen = (np.abs(x) <= _LARGEST) & (np.isfinite(y) & (y > 0) if log else np.abs(y) <= _LARGEST)
    return Line(line.name, x[seen], y[seen])


def _document(lines: Sequence[Line], x: Axis, y: Axis, across: str, title: str, theme: str) -> Iterator[str]:
    said = title or f"{', '.join(line.name for line in lines)} over {across}"
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="autodiff-{theme}" width="{px(_WIDTH)}" height="{px(_HEIGHT)}" '
        f'viewBox="0 0 {px(_WIDTH)} {px(_HEIGHT)}" font-family="{FONTS}" role="img"><title>{escaped(said)}</title>'
    )
    yield f"<style>{stylesheet(theme)}</style>"
    yield '<rect class="paper" width="100%" height="100%"/>'
    if title:
        yield line_of_text(_LEFT, _ABOVE, title, _SIZE + 2, "ink", anchor="start", bold=True)
    yield from _grid(x, y, across)
    for k, line in enumerate(lines):
        colour, dashes = _style(k)
        dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
        yield f'<path class="{colour}" fill="none" stroke-width="1.8"{dashed} d="{_path(line, x, y)}"/>'
    yield from _names(lines, x, y)
    yield "</svg>"


def _grid(x: Axis, y: Axis, across: str) -> Iterator[str]:
    """Horizontal rules with their numbers, the numbers below, and the name of the horizontal axis."""
    for value, text in y.marks():
        at = px(y.place(value))
        yield f'<line class="s-line" x1="{px(x.start)}" x2="{px(x.end)}" y1="{at}" y2="{at}"/>'
        yield line_of_text(_LEFT - 8.0, y.place(value), text, _SIZE, "muted", anchor="end")
    for value, text in x.marks():
        yield line_of_text(x.place(value), _HEIGHT - _BELOW + 15.0, text, _SIZE, "muted")
    yield line_of_text((x.start + x.end) / 2, _HEIGHT - 12.0, across, _SIZE, "ink")


def _style(k: int) -> tuple[str, str]:
    return _STYLES[k % len(_STYLES)]


def _path(line: Line, x: Axis, y: Axis) -> str:
    """The line in order of its points, with the lowest and the highest of those that share a pixel."""
    chosen = _extremes(line) if len(line.x) > 2 * _COLUMNS else slice(None)
    places = zip(x.place(line.x[chosen]).tolist(), y.place(line.y[chosen]).tolist(), strict=True)
    return "M" + "L".join(f"{px(across)} {px(down)}" for across, down in places)


def _extremes(line: Line) -> Floats:
    edges = np.linspace(0, len(line.x), _COLUMNS + 1).astype(int)
    found = {0, len(line.x) - 1}
    for low, high in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        part = line.y[low:high]
        found |= {low + int(np.argmin(part)), low + int(np.argmax(part))}
    return np.array(sorted(found))


def _names(lines: Sequence[Line], x: Axis, y: Axis) -> Iterator[str]:
    """The name of each line beside its last point; names that would touch move apart."""
    order = sorted(range(len(lines)), key=lambda k: float(y.place(lines[k].y[-1])))
    at = -_NEAREST
    for k in order:
        at = max(float(y.place(lines[k].y[-1])), at + _NEAREST)
        colour = _style(k)[0].removeprefix("s-")
        yield line_of_text(x.end + 8.0, at, lines[k].name, _SIZE, colour, anchor="start")
