"""Texts with superscripts and subscripts, split into pieces for typesetting, and upper bounds on their widths.

The texts of pictures are plain Unicode, such as W₁₄⁽¹⁾. Fonts draw these digits small and side by side, or not at all,
so this module turns them into ordinary digits, which writers stack. Widths are those of the widest common font, so
texts do not overlap in any reader's font.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from math import fsum
from typing import Final, NamedTuple
from unicodedata import combining, east_asian_width

from autodiff.words.notation import subscript, superscript
from autodiff.words.printable import printable

__all__ = ["EXPONENT", "SCRIPT", "Piece", "advance", "is_index", "left_to_right", "pieces", "width"]

SCRIPT: Final = 0.66  # size of superscripts and subscripts, relative to their base

_DIGITS: Final = "0123456789()+-"
_LOWERED: Final = {subscript(c): c for c in _DIGITS}
_RAISED: Final = {superscript(c): c for c in _DIGITS} | {"ᶜ": "c", "ⁿ": "n", "ˣ": "x", "ʸ": "y", "ᵀ": "T"}
_LOW: Final = "[" + "".join(map(re.escape, _LOWERED)) + "]"
_HIGH: Final = "[" + "".join(map(re.escape, _RAISED)) + "]"
#: An exponent after a caret: a name, a number, a call, or anything in brackets, which a raised text does not need.
EXPONENT: Final = re.compile(
    r"(?<=[^\s(\[])\^(?:\((?P<inner>(?:[^()]|\([^()]*\))+)\)|(?P<whole>\w[\w.]*(?:\([^()]*\)|\[[^\[\]]*\])?))"
)
_SCRIPTS: Final = re.compile(
    f"{EXPONENT.pattern}|(?={_LOW}|{_HIGH})(?P<sub>{_LOW}+(?:,{_LOW}+)*)?(?P<sup>{_HIGH}+)?"
)
_INDEX: Final = re.compile("[0-9()+−,cTnxy-]*")
_LEFTWARDS: Final = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]+")  # Hebrew, Arabic and related scripts
# A single letter; not of a word such as root_i or the cut ra…, nor the e of 2e−06. In s_c, both are letters.
_LETTER: Final = re.compile(
    r"(?:(?<![^\W\d])|(?<=\bs_))(?![ΣΠΔ]|(?<=\d)e[−+-]\d)[^\W\d_](?:(?![^\W\d]|…)|(?=_c\b)(?<=s))"
)

# Widths in em: the larger of those in Helvetica and DejaVu Sans, the narrowest and the widest common font.
_WIDTHS: Final = {
    character: em
    for em, characters in (
        (0.28, "'ijl′"), (0.32, " ,.I·’"), (0.36, "/:;\\f|"), (0.40, "()-[]t"), (0.44, "!r"), (0.52, '*J`∂"'),
        (0.56, "?L_csz–"), (0.60, "kvxy"), (0.64, "$0123456789FTabdeghnopqu{}δσΣ"), (0.68, "EKPSY"), (0.72, "ABVXZΔ∝"),
        (0.76, "CHNRU"), (0.80, "&DGOQ"), (0.84, "#+<=>^w~×−≈"), (1.04, "@MWm→←…%"),
    )
    for character in characters
}  # fmt: skip
_SCRIPT_WIDTHS: Final = {
    **dict.fromkeys("0123456789", 0.556), **dict.fromkeys("()", 0.333), **dict.fromkeys("+−", 0.584), ",": 0.278,
}  # fmt: skip
_OTHER: Final = 0.75
_WIDE: Final = 1.1
_BOLD: Final = 1.1
_REMEMBERED: Final = 4096  # texts: large pictures repeat the same few texts many times


class Piece(NamedTuple):
    """Text on the line, italic or not, and the subscript and superscript after it."""

    text: str
    italic: bool
    sub: str
    sup: str


def pieces(text: str, *, formula: bool) -> list[Piece]:
    """Split ``text`` into pieces: in a formula, single letters are italic; in a sentence, only those with an index.

    >>> [(piece.text, piece.italic, piece.sub, piece.sup) for piece in pieces("W₁₄⁽¹⁾ = 2", formula=True)]
    [('W', True, '14', '(1)'), (' = 2', False, '', '')]
    >>> [(piece.text, piece.sup) for piece in pieces("(1 + rate)^(years − 1)", formula=True)]
    [('(1 + rate)', 'years − 1')]
    """
    found: list[Piece] = []
    for base, sub, sup in _parts(printable(text)):
        start = 0
        for letter in _LETTER.finditer(base):
            at, end = letter.span()
            indexed = end == len(base) and bool(sub or sup)
            if formula or indexed:
                if at > start:
                    found.append(Piece(base[start:at], False, "", ""))
                found.append(Piece(base[at:end], True, sub if indexed else "", sup if indexed else ""))
                start = end
        if start < len(base) or not base:
            found.append(Piece(base[start:], False, sub, sup))
    return found


def is_index(script: str) -> bool:
    """Whether a subscript or superscript is an index, a layer or a mark; else it is the exponent of a power.

    >>> is_index("(1)"), is_index("years")
    (True, False)
    """
    return _INDEX.fullmatch(script) is not None


def _parts(text: str) -> Iterator[tuple[str, str, str]]:
    """Triples (text on the line, subscript, superscript)."""
    base = 0
    for found in _SCRIPTS.finditer(text):
        sub = "".join(_LOWERED.get(c, c) for c in found["sub"] or "")
        raised = "".join(_RAISED[c] for c in found["sup"] or "").replace("-", "−")
        yield text[base : found.start()], sub, found["inner"] or found["whole"] or raised
        base = found.end()
    if base < len(text):
        yield text[base:], "", ""


def left_to_right(text: str) -> str:
    """``text`` with marks that keep signs and numbers to the right of a name written from right to left.

    >>> left_to_right("x = 2"), left_to_right("א = 2")
    ('x = 2', 'א\\u200e = 2')
    """
    return text if text.isascii() else _LEFTWARDS.sub("\\g<0>\u200e", text)


@lru_cache(maxsize=_REMEMBERED)
def width(text: str, size: float, *, bold: bool = False) -> float:
    """The largest width of ``text`` in any common font, in the unit of ``size``.

    >>> width("W₁₄⁽¹⁾", 10.0) < width("W₁₄⁽¹⁾ = 2", 10.0)
    True
    """
    ems = fsum(
        _ems(piece.text) + SCRIPT * max(_ems(piece.sub), _ems(piece.sup)) for piece in pieces(text, formula=False)
    )
    return ems * size * (_BOLD if bold else 1.0)


def advance(text: str, size: float) -> float:
    """The width of a superscript or subscript in Helvetica, by which the pen moves back to stack the other one.

    >>> advance("14", 10.0)
    11.12
    """
    return round(fsum(_SCRIPT_WIDTHS.get(c, 0.5) for c in text) * size, 2)


def _ems(text: str) -> float:
    return fsum(_WIDTHS.get(c) or _other(c) for c in text)


def _other(character: str) -> float:
    return 0.0 if combining(character) else _WIDE if east_asian_width(character) in "WF" else _OTHER
