"""Tiles in our SVG: one path for each colour, so that an array of 1,024 tiles is a dozen elements."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Final

from autodiff.draw.layout.tiles import NOTE, SCALE, Patch, block_of
from autodiff.draw.model.palette import DARK, LIGHT, THEMES
from autodiff.draw.model.picture import Picture
from autodiff.draw.model.tiles import INFINITE, NAN, NEGATIVE, POSITIVE, Tiles, tile_colour, tile_colours
from autodiff.draw.writers.svg_text import line_of_text, px

__all__ = ["strip", "tile_style", "tiled"]

#: The colours of the bars on negative tiles: well visible, but no louder than the tile is dark.
_BARS: Final = {
    NEGATIVE[0]: "negative-4", NEGATIVE[1]: "negative-5", NEGATIVE[2]: "negative-6",
    NEGATIVE[3:] + INFINITE[1]: "paper",
}  # fmt: skip
_WITH_GRID: Final = 7  # px
_SCALE: Final = NEGATIVE[::-1] + POSITIVE


def tile_style(what: Picture, theme: str) -> str:
    """The colours of tiles as CSS, in a picture that has tiles."""
    if not what.scales:
        return ""
    css = _rules(theme, tile_colours(THEMES[theme]))
    if theme == "auto":
        css += f"@media screen and (prefers-color-scheme:dark){{{_rules(theme, tile_colours(DARK))}}}"
    if theme == "dark":
        css += f"@media print{{{_rules(theme, tile_colours(LIGHT))}}}"
    return css


def tiled(tiles: Tiles, x: float, top: float) -> Iterator[str]:
    """The block of an array, centred at x."""
    block = block_of(tiles)
    left = x - block.width / 2
    for patch in block.patches:
        yield from _patch(patch, left + patch.x, top + patch.y)
    for beside, below, note in block.notes:
        yield line_of_text(left + beside, top + below, note, NOTE, "ink", more=' data-role="note"')


def strip(lane: str, x: float, y: float) -> Iterator[str]:
    """The scale of a lane in the legend: from the full negative colour over nothing to the full positive one."""
    if lane == "not-finite":
        yield from _patch(Patch(Tiles("forward", (NAN + INFINITE,)), 0.0, 0.0, 8, 12), x, y - 6.0)
    else:
        yield from _patch(Patch(Tiles(lane, (_SCALE,)), 0.0, 0.0, int(SCALE) // len(_SCALE), 12), x, y - 6.0)


def _rules(theme: str, colours: dict[str, str]) -> str:
    return "".join(f".autodiff-{theme} .s-{key}{{stroke:{colour}}}" for key, colour in colours.items())


def _patch(patch: Patch, x: float, y: float) -> Iterator[str]:
    """A frame, a path of horizontal strokes for each level, then the bars of negative tiles and the marks of the rest.

    The coordinates of tiles are whole numbers from the middle of the first row: short, and exact in any viewer.
    """
    tiles, wide, high = patch.tiles, patch.wide, patch.high
    rows, columns = tiles.shape
    size = f'width="{columns * wide}" height="{rows * high}"'
    shape = f'data-tiles="{tiles.lane}" data-rows="{rows}" data-columns="{columns}"'
    yield f'<g {shape} transform="translate({px(x)} {px(y + high / 2)})">'
    yield f'<rect y="{px(-high / 2)}" {size} class="paper s-muted" stroke-width="0.6"/>'
    for character in sorted(set().union(*tiles.rows) - {"0", NAN}):
        colour = "ink" if character in INFINITE else tile_colour(tiles.lane, character)
        yield _strokes(_runs(tiles, character), wide, high, colour, high)
    grid = _grid(rows, columns, wide, high)
    if grid:
        yield f'<path d="{grid}" fill="none" class="s-paper" stroke-width="0.8"/>'
    thick = max(1.0, high / 7)
    for levels, colour in _BARS.items():
        bars = [place for level in levels for place in _places(tiles, level)]
        if bars:
            yield _bars(bars, wide, high, colour, thick)
    if any(NAN in row for row in tiles.rows):
        yield _crosses(_places(tiles, NAN), wide, high)
    yield "</g>"


def _grid(rows: int, columns: int, wide: int, high: int) -> str:
    """Lines between tiles of the same colour, where there is room for them."""
    top, low = px(-high / 2), px((rows - 0.5) * high)
    across = [f"M0,{px((i - 0.5) * high)}H{columns * wide}" for i in range(1, rows)] if high >= _WITH_GRID else []
    down = [f"M{j * wide},{top}V{low}" for j in range(1, columns)] if wide >= _WITH_GRID else []
    return "".join([*across, *down])


def _runs(tiles: Tiles, character: str) -> Iterator[tuple[int, int, int]]:
    """(row, column, length) of every run of equal tiles."""
    for i, row in enumerate(tiles.rows):
        j = 0
        for found, run in groupby(row):
            count = len(list(run))
            if found == character:
                yield i, j, count
            j += count


def _places(tiles: Tiles, character: str) -> list[tuple[int, int]]:
    return [(i, j) for i, row in enumerate(tiles.rows) for j, found in enumerate(row) if found == character]


def _strokes(runs: Iterable[tuple[int, int, int]], wide: int, high: int, colour: str, thick: float) -> str:
    path = "".join(f"M{j * wide},{i * high}h{count * wide}" for i, j, count in runs)
    return f'<path d="{path}" fill="none" class="s-{colour}" stroke-width="{px(thick)}"/>'


def _bars(places: Iterable[tuple[int, int]], wide: int, high: int, colour: str, thick: float) -> str:
    """A minus sign in each tile."""
    inset = (wide + 3) // 4
    path = "".join(f"M{j * wide + inset},{i * high}h{wide - 2 * inset}" for i, j in sorted(places))
    return f'<path d="{path}" fill="none" class="s-{colour}" stroke-width="{px(thick)}" data-sign="-1"/>'


def _crosses(places: Iterable[tuple[int, int]], wide: int, high: int) -> str:
    path = ""
    for i, j in places:
        left, top = j * wide, i * high
        a, b, c, d = px(left), px(left + wide), px(top - high / 2), px(top + high / 2)
        path += f"M{a},{c}L{b},{d}M{a},{d}L{b},{c}"
    return f'<path d="{path}" fill="none" class="s-ink" stroke-width="1"/>'
