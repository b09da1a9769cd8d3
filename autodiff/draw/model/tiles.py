"""Arrays as tiles: the sign and the quantised size of every entry, pooled if there are too many."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

__all__ = [
    "INFINITE", "LEVELS", "MOST_TILES", "NAN", "NEGATIVE", "POSITIVE", "ZERO", "Tiles", "as_matrix", "full_scale",
    "pooled", "tile_colour", "tile_colours", "tile_rows",
]  # fmt: skip

LEVELS: Final = 6  # each twice as large as the one before; people tell about this many steps of one colour apart
#: The largest number of tiles along an axis, by whether they are small.
MOST_TILES: Final = {False: 32, True: 16}

#: The characters of tiles: "1" is the smallest positive level and "a" the smallest negative one.
ZERO: Final = "0"
POSITIVE: Final = "123456"
NEGATIVE: Final = "abcdef"
INFINITE: Final = "+-"
NAN: Final = "x"

_CHARACTERS: Final = np.array(list(ZERO + POSITIVE + NEGATIVE + INFINITE + NAN))
_SHADES: Final = (0.14, 0.26, 0.4, 0.56, 0.76, 1.0)  # of the full colour, on paper

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class Tiles:
    """An array as rows of tiles, one character for each tile.

    Lanes: ``forward`` for values, ``parameter`` for those of parameters, ``error`` for errors, and ``gradient`` for
    those at parameters. ``notes`` are the lines below the tiles: how the array became these rows, if it is not drawn as
    it is; ``said`` is its range in words. If it ``is_pooled``, a tile stands for a block of entries. In a picture of
    many arrays, they are ``small``. The gradient of a matrix has its factors ``left`` and ``top``, with their names as
    notes: each tile is the sum of the products of a row of the one and a column of the other.
    """

    lane: str
    rows: tuple[str, ...]
    notes: tuple[str, ...] = ()
    left: Tiles | None = None
    top: Tiles | None = None
    is_pooled: bool = False
    said: str = ""
    small: bool = False

    @property
    def shape(self) -> tuple[int, int]:
        """The numbers of rows and columns of tiles."""
        return len(self.rows), len(self.rows[0])

    @property
    def is_not_finite(self) -> bool:
        """Whether an entry is nan or infinite."""
        return not set().union(*self.rows).isdisjoint(INFINITE + NAN)


def as_matrix(array: Any) -> Array:
    """An array as a matrix: a vector as a column; more than two axes with all but the last one stacked.

    >>> as_matrix(np.zeros(3)).shape, as_matrix(np.zeros((2, 3, 4))).shape
    ((3, 1), (6, 4))
    """
    whole = np.asarray(array, dtype=float)
    return whole.reshape(-1, 1) if whole.ndim < 2 else whole.reshape(-1, whole.shape[-1])


def pooled(matrix: Array, rows: int = MOST_TILES[False], columns: int = MOST_TILES[False]) -> Array:
    """A matrix with at most so many rows and columns: of every block, the entry that is largest in size, or nan.

    A mean would hide entries of opposite signs.

    >>> pooled(np.array([[1.0, -3.0, 2.0, 0.5]]), columns=2)
    array([[-3.,  2.]])
    """
    if not matrix.size or (matrix.shape[0] <= rows and matrix.shape[1] <= columns):
        return matrix
    largest = smallest = matrix
    for axis, most in enumerate((rows, columns)):
        count = min(most, matrix.shape[axis])
        starts = np.arange(count) * matrix.shape[axis] // count
        largest = np.maximum.reduceat(largest, starts, axis=axis)
        smallest = np.minimum.reduceat(smallest, starts, axis=axis)
    return np.where(largest >= -smallest, largest, smallest)


def full_scale(arrays: Iterable[Any]) -> float:
    """The size that has the full colour: the largest of all finite entries; 0 if all of them are 0."""
    sizes = (np.abs(np.asarray(array, dtype=float)) for array in arrays)
    return max((float(np.max(size, where=np.isfinite(size), initial=0.0)) for size in sizes), default=0.0)


def tile_rows(matrix: Array, scale: float) -> tuple[str, ...]:
    """The rows of tiles of a matrix: level k of 6 for sizes from scale · 2ᵏ⁻⁷ (excluded) to scale · 2ᵏ⁻⁶.

    Level 1 has no lower limit except 0. nan and ±inf have characters of their own.

    >>> tile_rows(np.array([[1.0, -0.5, 0.0, np.nan], [0.001, 0.3, -np.inf, 0.6]]), 1.0)
    ('6e0x', '15-6')
    """
    size = np.abs(matrix)
    level = np.where(size > 0, 1, 0)
    for halvings in range(1, LEVELS):
        level += size > scale * 0.5**halvings
    kind = np.where(matrix < 0, level + LEVELS * (level > 0), level)
    kind = np.where(np.isinf(matrix), 2 * LEVELS + 1 + (matrix < 0), kind)
    kind = np.where(np.isnan(matrix), 2 * LEVELS + 3, kind)
    return tuple("".join(row) for row in _CHARACTERS[kind].tolist())


def tile_colour(lane: str, character: str) -> str:
    """The name of the colour of a tile that is finite and not 0; negative numbers have one colour in all lanes.

    >>> tile_colour("gradient", "6"), tile_colour("forward", "a")
    ('error-6', 'negative-1')
    """
    if character in NEGATIVE:
        return f"negative-{NEGATIVE.index(character) + 1}"
    return f"{'error' if lane == 'gradient' else lane}-{character}"


def tile_colours(colours: Mapping[str, str]) -> dict[str, str]:
    """The colours of tiles in a theme: every level of values, of errors and of negative numbers, mixed with paper.

    >>> tile_colours(dict.fromkeys(("paper", "forward", "parameter", "error", "negative"), "#0072B2"))["forward-6"]
    '#0072b2'
    """
    return {
        f"{lane}-{level}": _mixed(colours["paper"], colours[lane], shade)
        for lane in ("forward", "parameter", "error", "negative")
        for level, shade in enumerate(_SHADES, start=1)
    }


def _mixed(paper: str, colour: str, shade: float) -> str:
    pairs = ((int(paper[k : k + 2], 16), int(colour[k : k + 2], 16)) for k in (1, 3, 5))
    return "#" + "".join(f"{round(one + shade * (other - one)):02x}" for one, other in pairs)
