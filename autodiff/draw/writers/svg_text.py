"""Lines of text in SVG: stacked subscripts and superscripts after their base, and no markup."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import Final

from autodiff.flow import Signal
from autodiff.words.printable import printable
from autodiff.words.typeset import SCRIPT, advance, is_index, left_to_right, pieces

__all__ = ["BASELINE", "escaped", "line_of_text", "number_attribute", "px", "set_pieces"]

BASELINE: Final = 0.35  # of the font size below the middle of a line
_LOWERED: Final = 0.27  # of the font size
_RAISED: Final = 0.46


def px(value: float) -> str:
    """A position or length in pixels, with at most one decimal."""
    return f"{value:.1f}".removesuffix(".0")


def escaped(text: str) -> str:
    """A text with all markup escaped."""
    return escape(left_to_right(printable(text)), quote=False)


def number_attribute(key: str, value: Signal) -> str:
    """A number in full, for programs that read the drawing; nothing for an array."""
    return f' data-{key}="{value!r}"' if isinstance(value, float | int) else ""


def line_of_text(
    x: float, y: float, text: str, size: float, colour: str, *, anchor: str = "middle", bold: bool = False,
    more: str = "",
) -> str:  # fmt: skip
    """One line of a formula, centred at height y."""
    style = (' font-weight="bold"' if bold else "") + f' text-anchor="{anchor}"' + more
    start = f'<text x="{px(x)}" y="{px(y + BASELINE * size)}" font-size="{px(size)}" class="{colour}"{style}>'
    return f"{start}{set_pieces([(text, '')], size, formula=True)}</text>"


def set_pieces(segments: Sequence[tuple[str, str]], size: float, *, formula: bool) -> str:
    """Texts with their attributes as tspans, with stacked subscripts and superscripts after their base."""
    small = SCRIPT * size
    parts: list[str] = []
    dx = dy = 0.0  # movement of the pen before the next piece on the line
    for text, style in segments:
        for piece in pieces(text, formula=formula):
            if piece.text:
                parts.append(_span(piece.text, dx, dy, style + (' font-style="italic"' if piece.italic else "")))
                dx = dy = 0.0
            for script, rise in ((piece.sub, -_LOWERED * size), (piece.sup, _RAISED * size)):
                if script:
                    parts += _script(script, dx, dy - rise, f'{style} font-size="{px(small)}"', formula=formula)
                    dx, dy = -advance(script, small), rise
            if piece.sub or piece.sup:
                dx = max(advance(piece.sub, small) - advance(piece.sup, small), 0.0) if piece.sup else 0.0
    return "".join(parts)


def _script(script: str, dx: float, dy: float, style: str, *, formula: bool) -> Iterator[str]:
    """A subscript or superscript; letters in the exponent of a power are italic, as on the line."""
    parts = pieces(script, formula=formula) if formula and not is_index(script) else []
    if not parts or any(part.sub or part.sup for part in parts):
        yield _span(script, dx, dy, style)
        return
    for k, part in enumerate(parts):
        move = (0.0, 0.0) if k else (dx, dy)
        yield _span(part.text, *move, style + (' font-style="italic"' if part.italic else ""))


def _span(text: str, dx: float, dy: float, style: str) -> str:
    moves = (f' dx="{dx:.2f}"' if dx else "") + (f' dy="{dy:.2f}"' if dy else "")
    return f"<tspan{moves}{style}>{escaped(text)}</tspan>" if moves or style else escaped(text)
