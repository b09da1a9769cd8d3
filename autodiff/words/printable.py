"""Texts that a user chose, such as names, as they may be shown anywhere."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["printable"]

_LINE_ENDS: Final = re.compile("[\\t\\n\\v\\f\\r\\x85\\u2028\\u2029]+")
_UNPRINTABLE: Final = re.compile(
    "[\\x00-\\x1f\\x7f-\\x9f\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069\\ud800-\\udfff\\ufffe\\uffff]"
)


def printable(text: str) -> str:
    """``text`` on one line, without what a terminal obeys, what XML cannot hold and what turns the reading direction.

    >>> printable("a\\x00b\\nc")
    'a\N{REPLACEMENT CHARACTER}b c'
    """
    return text if text.isalnum() else _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", _LINE_ENDS.sub(" ", text))
