"""Texts chosen by users, such as names, made safe to show anywhere, and short enough."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["printable", "shortened"]

_LINE_ENDS: Final = re.compile("[\\t\\n\\v\\f\\r\\x85\\u2028\\u2029]+")
_UNPRINTABLE: Final = re.compile(
    "[\\x00-\\x1f\\x7f-\\x9f\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069\\ud800-\\udfff\\ufffe\\uffff]"
)


def printable(text: str) -> str:
    """``text`` on one line, without control characters, characters that XML forbids, or marks of reading direction.

    >>> printable("a\\x00b\\nc")
    'a\N{REPLACEMENT CHARACTER}b c'
    """
    return text if text.isprintable() else _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", _LINE_ENDS.sub(" ", text))


def shortened(text: str, most: int) -> str:
    """``text`` if it has at most ``most`` characters, else as many of them as fit in front of an ellipsis.

    >>> shortened("balance", 7), shortened("balances", 7)
    ('balance', 'balanc…')
    """
    return text if len(text) <= most else f"{text[: most - 1]}…"
