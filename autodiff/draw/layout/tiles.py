"""The sizes and places of tiles: an array under its text, or the factors of an outer product around their product."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from autodiff.draw.model.picture import Cell
from autodiff.draw.model.tiles import Tiles
from autodiff.words.typeset import width

__all__ = ["NOTE", "SCALE", "Block", "Patch", "block_of", "room_of"]

NOTE: Final = 11.5  # the font size of notes
SCALE: Final = 96.0  # the width of the scale in the legend
_NOTE_HEIGHT: Final = 16.0
_ROOM: Final = {False: 128, True: 64}  # px along an axis, if there are many tiles; by whether they are small
_SMALLEST: Final = 4
_LARGEST: Final = {False: 14, True: 8}
_GAP: Final = 6.0  # between an outer product and its factors
_BELOW: Final = 8.0  # below the tiles of a row


@dataclass(frozen=True, slots=True)
class Patch:
    """Tiles with their place in a block, and the width and height of each tile."""

    tiles: Tiles
    x: float
    y: float
    wide: int
    high: int


@dataclass(frozen=True, slots=True)
class Block:
    """Patches with the lines of text beside them, each with the middle of its line; all in a rectangle of that size."""

    width: float
    height: float
    patches: tuple[Patch, ...]
    notes: tuple[tuple[float, float, str], ...]


def block_of(tiles: Tiles) -> Block:
    """The block of an array; of an outer product, the left factor beside the product and the other one above it.

    >>> block_of(Tiles("forward", ("61", "e0"))).patches[0].wide
    14
    """
    rows, columns = tiles.shape
    wide, high = _side(columns, small=tiles.small), _side(rows, small=tiles.small)
    x = y = 0.0
    patches: list[Patch] = []
    notes: list[tuple[float, float, str]] = []
    across = float(columns * wide)
    if tiles.left is not None and tiles.top is not None:
        inner = _side(max(tiles.left.shape[1], tiles.top.shape[0]), small=tiles.small)
        beside, above = tiles.left.shape[1] * inner, tiles.top.shape[0] * inner
        left_name, top_name = (part.notes[0] for part in (tiles.left, tiles.top))
        x = max(float(beside), width(left_name, NOTE)) + _GAP
        y = _NOTE_HEIGHT + max(float(above), _NOTE_HEIGHT) + _GAP
        across = max(across, width(top_name, NOTE))
        patches.append(Patch(tiles.left, x - _GAP - beside, y, inner, high))
        patches.append(Patch(tiles.top, x, y - _GAP - above, wide, inner))
        notes.append(((x - _GAP) / 2, y - _GAP / 2 - _NOTE_HEIGHT / 2, left_name))
        notes.append((x + across / 2, y - _GAP - above - _NOTE_HEIGHT / 2, top_name))
    patches.append(Patch(tiles, x, y, wide, high))
    whole = max([x + across, *(width(note, NOTE) for note in tiles.notes)])
    spare = (whole - x - across) / 2
    patches = [replace(patch, x=patch.x + spare) for patch in patches]
    notes = [(beside + spare, below, note) for beside, below, note in notes]
    y += rows * high
    for note in tiles.notes:
        notes.append((whole / 2, y + _NOTE_HEIGHT / 2 + 1.0, note))
        y += _NOTE_HEIGHT
    return Block(whole, y, tuple(patches), tuple(notes))


def room_of(cell: Cell) -> tuple[float, float]:
    """The width and the extra height that a cell needs for its tiles; 0 without tiles."""
    if cell.tiles is None:
        return 0.0, 0.0
    block = block_of(cell.tiles)
    return block.width, block.height + _BELOW


def _side(count: int, *, small: bool) -> int:
    """The side of a tile: whole px, which keep the file small and the edges sharp."""
    return max(_SMALLEST, min(_LARGEST[small], _ROOM[small] // count))
