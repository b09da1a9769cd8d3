"""Tiles of arrays, read back from an SVG alone: the sign and the level of every tile, by its colour and by its bar."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any
from xml.etree import ElementTree

import numpy as np

__all__ = ["ReadTiles", "block_entry", "level_of", "read_tiles"]

_SVG = "{http://www.w3.org/2000/svg}"
_RUN = re.compile(r"M(-?[\d.]+),(-?[\d.]+)h([\d.]+)")
_CROSS = re.compile(r"M(-?[\d.]+),(-?[\d.]+)L(-?[\d.]+),(-?[\d.]+)")


@dataclass
class ReadTiles:
    """What the tiles of one array say: (sign, level) by row and column; level 7 is infinite, and nan is None."""

    lane: str
    shape: tuple[int, int]
    tiles: dict[tuple[int, int], tuple[int, int] | None] = field(default_factory=dict)
    bars: set[tuple[int, int]] = field(default_factory=set)

    def at(self, i: int, j: int) -> tuple[int, int] | None:
        """The sign and the level of a tile; an empty one is (0, 0)."""
        return self.tiles.get((i, j), (0, 0))


def read_tiles(source: str) -> dict[str, list[ReadTiles]]:
    """The arrays in each box, from top to bottom."""
    root = ElementTree.fromstring(source)
    boxes = (item for item in root.iter(f"{_SVG}g") if "data-box" in item.attrib)
    return {
        box.attrib["data-box"]: [_array(item) for item in box.iter(f"{_SVG}g") if "data-tiles" in item.attrib]
        for box in boxes
    }


def _array(item: ElementTree.Element) -> ReadTiles:
    rows, columns = int(item.attrib["data-rows"]), int(item.attrib["data-columns"])
    frame = item.find(f"{_SVG}rect")
    assert frame is not None
    wide, high = float(frame.attrib["width"]) / columns, float(frame.attrib["height"]) / rows
    read = ReadTiles(item.attrib["data-tiles"], (rows, columns))
    for path in item.iter(f"{_SVG}path"):
        d, colour = path.attrib["d"], path.attrib["class"].removeprefix("s-")
        if "L" in d:
            middles = [((float(a) + float(c)) / 2, (float(b) + float(e)) / 2) for a, b, c, e in _CROSS.findall(d)]
            assert len(middles) == 2 * len(set(middles)), "a cross has two strokes"
            read.tiles.update({(round(y / high), int(x // wide)): None for x, y in middles})
        elif float(path.attrib["stroke-width"]) == high:
            for i, j in _covered(d, wide, high):
                assert (i, j) not in read.tiles, "two colours on one tile"
                read.tiles[i, j] = _told(colour)
        else:
            read.bars.update((round(float(y) / high), int(float(x) // wide)) for x, y, _ in _RUN.findall(d))
    for place in read.bars & {place for place, said in read.tiles.items() if said == (1, 7)}:
        read.tiles[place] = -1, 7
    negative = {place for place, said in read.tiles.items() if said is not None and said[0] < 0}
    assert read.bars == negative, "bars and colours tell different signs"
    assert all(i < rows and j < columns for i, j in read.tiles)
    return read


def _covered(path: str, wide: float, high: float) -> Iterator[tuple[int, int]]:
    for x, y, length in _RUN.findall(path):
        for k in range(round(float(length) / wide)):
            yield round(float(y) / high), round(float(x) / wide) + k


def _told(colour: str) -> tuple[int, int]:
    if colour == "ink":
        return 1, 7
    lane, level = colour.split("-")
    return -1 if lane == "negative" else 1, int(level)


# ---- what they have to say -------------------------------------------------------------------------------------------


def block_entry(array: Any, shape: tuple[int, int], i: int, j: int) -> float:
    """The entry that a tile shows: nan if its block holds one, else the largest in size, found one by one."""
    matrix = np.asarray(array, dtype=float)
    matrix = matrix.reshape(-1, 1) if matrix.ndim < 2 else matrix.reshape(-1, matrix.shape[-1])
    (top, bottom), (left, right) = (
        (k * size // count, (k + 1) * size // count) for k, size, count in zip((i, j), matrix.shape, shape, strict=True)
    )
    entries = [float(x) for x in matrix[top:bottom, left:right].ravel()]
    return next((x for x in entries if x != x), max(entries, key=lambda x: (abs(x), x)))


def level_of(entry: float, full: float) -> tuple[int, int] | None:
    """The sign and the level of an entry, in exact arithmetic: one level less each time the size is halved."""
    if entry != entry:
        return None
    sign = (entry > 0) - (entry < 0)
    if entry in (float("inf"), float("-inf")):
        return sign, 7
    level = 6
    while level > 1 and abs(Fraction(entry)) <= Fraction(full) / 2 ** (7 - level):
        level -= 1
    return (sign, level) if sign else (0, 0)
