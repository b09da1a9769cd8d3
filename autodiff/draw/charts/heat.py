"""Heat charts: matrices of numbers as tiles, whose shade is the size in powers of 2 or 10, with numbers to hover."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from autodiff.draw.model.palette import DARK, FONTS, LIGHT, THEMES, stylesheet
from autodiff.draw.model.tiles import LEVELS, NAN, ZERO, full_scale, tile_colour, tile_colours, tile_rows
from autodiff.draw.writers.svg_text import escaped, line_of_text, px
from autodiff.words.notation import number
from autodiff.words.phrases import say
from autodiff.words.typeset import width

__all__ = ["Heat", "heat_chart"]

_SIZE: Final = 13.0
_ROOM: Final = 240.0  # px for the tiles of one matrix
_SMALLEST, _LARGEST = 4.0, 30.0  # px of a tile
_MOST: Final = 60  # rows or columns
_ABOVE, _LEFT, _GAP, _LINE = 30.0, 34.0, 44.0, 18.0


@dataclass(frozen=True, slots=True)
class Heat:
    """A matrix with its name; entries that are nan stay empty, such as those above a diagonal."""

    name: str
    matrix: np.ndarray[Any, Any]


def heat_chart(heats: Sequence[Heat], *, across: str, down: str, title: str = "", theme: str = "auto") -> str:
    """Matrices side by side as SVG, rows and columns counted from 1.

    Args:
        heats: what to draw. The full colour of each is its largest entry. Each shade is twice the one before, or ten
            times where the entries span more than six doublings; the chart says which. Negative entries have another
            colour and a minus sign.
        across: the name of the columns.
        down: the name of the rows.
        title: a line above the charts.
        theme: "auto", "light", "dark" or "print".

    Raises:
        ValueError: if there is no matrix, or one has no entry or more than 60 rows or columns; or the theme is unknown.

    >>> heat_chart([Heat("share", np.array([[1.0, np.nan], [-0.1, 2.0]]))], across="k", down="t").count("<rect")
    3
    """
    if not heats:
        raise ValueError("a heat chart needs at least one matrix, and got none")
    for heat in heats:
        if heat.matrix.ndim != 2 or not heat.matrix.size or max(heat.matrix.shape) > _MOST:
            raise ValueError(
                f"a heat chart draws matrices of 1 to {_MOST} rows and columns, and {heat.name} has shape "
                f"{heat.matrix.shape}; choose fewer steps"
            )
    return "\n".join(_document(heats, across, down, title, theme)) + "\n"


def _document(heats: Sequence[Heat], across: str, down: str, title: str, theme: str) -> Iterator[str]:
    style = stylesheet(theme) + _fills(theme)
    sides = [min(_LARGEST, max(_SMALLEST, _ROOM // max(heat.matrix.shape))) for heat in heats]
    widths = [
        max(heat.matrix.shape[1] * side, width(heat.name, _SIZE)) for heat, side in zip(heats, sides, strict=True)
    ]
    wide = max(sum(widths) + (_LEFT + _GAP) * len(heats), width(title, _SIZE + 2) + 2 * _LEFT)
    top = _ABOVE + 24.0 * bool(title)
    high = top + max(h.matrix.shape[0] * s for h, s in zip(heats, sides, strict=True)) + 2 * _LINE + 2 * _LINE
    said = title or ", ".join(heat.name for heat in heats)
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="autodiff-{theme}" width="{px(wide)}" height="{px(high)}" '
        f'viewBox="0 0 {px(wide)} {px(high)}" font-family="{FONTS}" role="img"><title>{escaped(said)}</title>'
    )
    yield f"<style>{style}</style>"
    yield f'<path class="paper" d="M0,0H{px(wide)}V{px(high)}H0Z"/>'
    if title:
        yield line_of_text(_LEFT, 20.0, title, _SIZE + 2, "ink", anchor="start", bold=True)
    left, tenfold = _LEFT, any(_spans_far(heat.matrix) for heat in heats)
    for heat, side, room in zip(heats, sides, widths, strict=True):
        yield from _panel(heat, left, top, side, across, down, tenfold)
        left += room + _LEFT + _GAP
    shades = say("chart.tenfold" if tenfold else "chart.twice")
    yield line_of_text(_LEFT, high - 12.0, shades, _SIZE - 1.5, "muted", anchor="start")
    yield "</svg>"


def _panel(
    heat: Heat, left: float, top: float, side: float, across: str, down: str, tenfold: bool
) -> Iterator[str]:  # fmt: skip
    rows, columns = heat.matrix.shape
    yield line_of_text(left, top - 12.0, heat.name, _SIZE, "ink", anchor="start")
    for i, kinds in enumerate(_levels(heat.matrix, tenfold)):
        for j, kind in enumerate(kinds):
            if kind != NAN:
                x, y = left + j * side, top + i * side
                yield from _tile(kind, x, y, side, f"{down} = {i + 1}, {across} = {j + 1}: {number(heat.matrix[i, j])}")
    for count, place in ((rows, "end"), (columns, "middle")):
        for k in {0, count - 1}:
            middle = (k + 0.5) * side
            x, y = (left - 6.0, top + middle) if place == "end" else (left + middle, top + rows * side + 11.0)
            yield line_of_text(x, y, str(k + 1), _SIZE - 2, "muted", anchor=place)
    yield line_of_text(left - 6.0, top + rows * side / 2, down, _SIZE, "ink", anchor="end")
    yield line_of_text(left + columns * side / 2, top + rows * side + _LINE + 8.0, across, _SIZE, "ink")


def _tile(kind: str, x: float, y: float, side: float, said: str) -> Iterator[str]:
    name = "paper" if kind == ZERO else "h-ink" if kind in "+-" else f"h-{tile_colour('error', kind)}"
    place = f'x="{px(x)}" y="{px(y)}" width="{px(side)}" height="{px(side)}"'
    yield f'<rect class="{name} s-paper" stroke-width="0.8" {place}><title>{escaped(said)}</title></rect>'
    if kind.islower() and kind != NAN and side >= 8.0:
        yield f'<path class="s-ink" stroke-width="1" d="M{px(x + side / 3)},{px(y + side / 2)}h{px(side / 3)}"/>'


def _levels(matrix: np.ndarray[Any, Any], tenfold: bool) -> tuple[str, ...]:
    """The tiles of a matrix; if ``tenfold``, their levels are powers of ten instead of two."""
    scale = full_scale([matrix])
    if not tenfold or not scale:
        return tile_rows(matrix, scale)
    with np.errstate(divide="ignore", invalid="ignore"):
        halved = np.sign(matrix) * 2.0 ** np.maximum(np.log10(np.abs(matrix) / scale), -2.0 * LEVELS)
    return tile_rows(np.where(np.isfinite(matrix), halved, matrix), 1.0)


def _spans_far(matrix: np.ndarray[Any, Any]) -> bool:
    """Whether the sizes of entries that are not 0 differ by more than six doublings."""
    sizes = np.abs(matrix[np.isfinite(matrix) & (matrix != 0)])
    return bool(sizes.size and sizes.min() < sizes.max() * 0.5**LEVELS)


def _fills(theme: str) -> str:
    """The colours of tiles as CSS; those of the other half of the day too if the theme follows the reader's system."""
    css = _rules(theme, THEMES[theme])
    if theme == "auto":
        css += f"@media screen and (prefers-color-scheme:dark){{{_rules(theme, DARK)}}}"
    if theme == "dark":
        css += f"@media print{{{_rules(theme, LIGHT)}}}"
    return css


def _rules(theme: str, colours: Any) -> str:
    fills = {**tile_colours(colours), "ink": colours["ink"]}
    return "".join(f".autodiff-{theme} .h-{key}{{fill:{colour}}}" for key, colour in fills.items())
