"""Text in columns of a terminal, in which Chinese characters take two places and combining marks none."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final
from unicodedata import combining, east_asian_width

__all__ = ["columns", "fitted", "wrapped"]

_INDENT: Final = "  "  # before the further lines of a cell, so that they do not look like rows
_TOKEN: Final = re.compile(r"\s+|[^\s\u2e80-\u9fff\uff00-\uff60]+|.")  # a space, a word, or one Chinese character


def columns(text: str) -> int:
    """The number of terminal columns of one line.

    >>> columns("W₁₄⁽¹⁾"), columns("误差")
    (6, 4)
    """
    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)


def fitted(widths: Sequence[int], room: int) -> list[int]:
    """The widths of a table's columns, the widest reduced until all fit into ``room``; at least 4 each.

    >>> fitted([40, 10, 30], 60)
    [25, 10, 25]
    """
    found = list(widths)
    while sum(found) > room and max(found) > 4:
        found[found.index(max(found))] -= 1
    return found


def wrapped(text: str, width: int) -> list[str]:
    """One text as lines of at most ``width`` columns, broken between words, and within a word that is wider itself.

    >>> wrapped("error sharing: the error at that point", 20)
    ['error sharing: the', '  error at that', '  point']
    """
    lines = [""]
    for token in _pieces(text, max(width - len(_INDENT), 2)):
        if columns((lines[-1] + token).rstrip()) > width:
            lines[-1] = lines[-1].rstrip()
            lines.append(_INDENT)
            token = token.lstrip()
        lines[-1] += token
    return lines


def _pieces(text: str, most: int) -> Iterator[str]:
    """Spaces, words and Chinese characters; words wider than ``most`` in parts."""
    for token in _TOKEN.findall(text):
        part = ""
        for character in token:
            if columns(part + character) > most:
                yield part
                part = ""
            part += character
        yield part
