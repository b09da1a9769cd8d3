"""Formulas cut to a length: whole terms are left out, the innermost first, and an ellipsis stands for them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from autodiff.words.printable import shortened

__all__ = ["LONGEST_NAME", "with_gaps"]

#: The characters of a formula that serves as a name, in boxes, on wires, in formulas and in texts.
LONGEST_NAME: Final = 30
_GAP: Final = "…"
_SHORT: Final = 3  # characters that are not worth a gap
_FEWEST: Final = 9  # characters of a sum in brackets that still says something: a + … + b
_DEEPEST: Final = 2  # brackets around the innermost ones that are told apart
_OPENING, _CLOSING = "([⌊⌈", ")]⌋⌉"
_LIST, _SUM, _PRODUCT = (re.compile(rf"[()\[\]⌊⌋⌈⌉|]|{signs}") for signs in (", ", " [+−] ", "[·/]| [@⊗%] | // "))
_NEIGHBOURS: Final = re.compile(r"…(?: \+ …|·…|, …)+")


def with_gaps(text: str, most: int = LONGEST_NAME) -> str:
    """A formula of at most ``most`` characters: first brackets lose their inner terms, then sums and products theirs.

    The outermost operation stays, and no operator stands without an operand. A text that has neither brackets nor
    operators is cut behind a character.

    >>> with_gaps("tanh(b + w0·x0 + w1·x1 + w2·x2)"), with_gaps("v − 0.1·k·v·(v − 0.1·k·v·v)·(v + 1)", 24)
    ('tanh(b + w0·x0 + … + w2·x2)', 'v − 0.1·k·v·(…)·(v + 1)')
    >>> with_gaps("a + b·c − d + e/f", 12), with_gaps("balances", 7)
    ('a + … + e/f', 'balanc…')
    """
    while len(text) > most:
        shorter = _inside(text, most) or _between(text, most)
        if shorter is None:
            return shortened(text, most)
        text = _NEIGHBOURS.sub(_GAP, shorter)
    return text


def _inside(text: str, most: int) -> str | None:
    """The text with a gap in its innermost brackets, the longest first; None if all are short."""
    start, end = _innermost(text) if "(" in text else (0, 0)
    if end <= start:
        return None
    content, room = text[start:end], most - len(text) + end - start
    kept = _between(content, room) if room >= _FEWEST else None
    return f"{text[:start]}{kept if kept and len(kept) <= room else _GAP}{text[end:]}"


def _innermost(text: str) -> tuple[int, int]:
    """The start and the end of what stands in the deepest round brackets that are worth a gap; (0, 0) without any.

    Brackets inside three others go with those around them: tanh(tanh(tanh(…))) says enough.
    """
    found: list[tuple[int, int, int]] = []
    opened: list[int] = []
    for k, character in enumerate(text):
        if character == "(":
            opened.append(k + 1)
        elif character == ")" and opened:
            start = opened.pop()
            if k - start > _SHORT:
                found.append((min(len(opened), _DEEPEST), k - start, start))
    if opened or not found:
        return 0, 0
    _, length, start = max(found)
    return start, start + length


def _between(text: str, most: int) -> str | None:
    """The first parts of a sum, a list or a product and its last one, with a gap between them; None for a single part.

    Of two parts, the longer one is cut; if a single operand cannot be cut, it is left out.
    """
    for signs, gap in ((_LIST, ", "), (_SUM, " + "), (_PRODUCT, "")):
        parts, between = _split(text, signs)
        if len(parts) == 1:
            continue
        for kept in range(min(len(parts) - 2, most // 4), 0, -1):
            made = f"{_joined(parts[:kept], between)}{gap or between[kept]}{_GAP}{between[-1]}{parts[-1]}"
            if len(made) <= most and len(made) < len(text):
                return made
        joint = f"{gap or between[0]}{_GAP}{between[-1]}" if len(parts) > 2 else between[0]
        return _of_two((parts[0], parts[-1]), joint, most, text)
    return None


def _of_two(ends: Sequence[str], joint: str, most: int, text: str) -> str | None:
    """Two operands, the longer one cut to what the other leaves; None if that does not make the text shorter."""
    first, last = ends
    is_first = len(first) >= len(last)
    longer, other = (first, last) if is_first else (last, first)
    room = most - len(joint) - len(other)
    cut = _between(longer, room) if room > _SHORT else None
    if cut is None or len(cut) > room:
        cut = _GAP
    made = f"{cut}{joint}{last}" if is_first else f"{first}{joint}{cut}"
    return made if len(made) < len(text) else None


def _split(text: str, signs: re.Pattern[str]) -> tuple[list[str], list[str]]:
    """The parts of a text between these signs outside brackets, and the signs."""
    parts, between, depth, start, bars = [], [], 0, 0, 0
    for found in signs.finditer(text):
        sign = found[0]
        if sign in _OPENING:
            depth += 1
        elif sign in _CLOSING:
            depth -= 1
        elif sign == "|":
            bars ^= 1
        elif not depth and not bars and found.start() > start:
            parts.append(text[start : found.start()])
            between.append(sign)
            start = found.end()
    return [*parts, text[start:]], between


def _joined(parts: Sequence[str], between: Sequence[str]) -> str:
    return parts[0] + "".join(sign + part for sign, part in zip(between, parts[1:], strict=False))
