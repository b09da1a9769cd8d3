"""Tiles in DOT: a table of coloured cells for a small array, and its range in words for a larger one."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Final

from autodiff.draw.model.tiles import INFINITE, NAN, NEGATIVE, ZERO, Tiles, tile_colour, tile_colours

__all__ = ["below"]

_MOST: Final = 8  # rows or columns of a table: in one of 32 × 32, Graphviz lays out a thousand cells
_SIDE: Final = 14  # points
_TABLE: Final = '<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="1" CELLPADDING="0" FIXEDSIZE="TRUE"'  # or it widens
_PLAIN: Final = '<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="2">'


def below(text: str, tiles: Tiles, colours: Mapping[str, str]) -> str:
    """A cell's text with its tiles below, as a table inside the cell.

    >>> from autodiff.draw.model.palette import LIGHT
    >>> below("3", Tiles("forward", ("0",), said="all 0"), LIGHT).count("BGCOLOR")
    2
    """
    is_small = max(tiles.shape) <= _MOST
    lines = [text, _table(tiles, colours)] if is_small else [text]
    small = tiles.notes if is_small else (tiles.said,)
    lines += [f'<FONT COLOR="{colours["ink"]}" POINT-SIZE="10">{escape(note)}</FONT>' for note in small]
    return _PLAIN + "".join(f"<TR><TD>{line}</TD></TR>" for line in lines) + "</TABLE>"


def _table(tiles: Tiles, colours: Mapping[str, str]) -> str:
    known = {**colours, **tile_colours(colours)}
    rows = "".join(f"<TR>{''.join(_tile(tiles.lane, found, known) for found in row)}</TR>" for row in tiles.rows)
    high, wide = ((_SIDE + 1) * count + 1 for count in tiles.shape)
    return f'{_TABLE} WIDTH="{wide}" HEIGHT="{high}" BGCOLOR="{colours["muted"]}">{rows}</TABLE>'


def _tile(lane: str, character: str, colours: Mapping[str, str]) -> str:
    """A cell of its colour; with a minus sign if it is negative, and a cross for nan."""
    ground = "paper" if character in ZERO + NAN else "ink" if character in INFINITE else tile_colour(lane, character)
    sign = "×" if character == NAN else "−" if character in NEGATIVE + INFINITE[1] else ""
    dark = character in NEGATIVE[3:] + INFINITE
    said = f'<FONT COLOR="{colours["paper" if dark else "ink"]}" POINT-SIZE="9">{sign}</FONT>' if sign else ""
    size = f'FIXEDSIZE="TRUE" WIDTH="{_SIDE}" HEIGHT="{_SIDE}"'
    return f'<TD {size} BGCOLOR="{colours[ground]}">{said}</TD>'
