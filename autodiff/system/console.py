"""Standard output and error that accept any text: text that their encoding lacks is written in ASCII spelling.

A Windows console that is redirected to a file, or a terminal in the C locale, cannot print W₁₄⁽¹⁾; it gets W14(1).
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Any, Final

from autodiff.words.notation import in_ascii

__all__ = ["encodable", "readable_output"]

_GAP: Final = re.compile("( {3,}|\n)")  # the padding of a table's column, or the end of a line
_NARROWEST: Final = 2


def encodable(text: str, encoding: str) -> str:
    """Return ``text`` if the encoding can represent it, else its ASCII spelling with the columns of tables aligned.

    Characters without a spelling, such as Chinese or accented ones, are kept if the encoding has them and otherwise
    written as escapes.

    Raises:
        LookupError: if the encoding is unknown.

    >>> encodable("W₁₄⁽¹⁾ → é", "utf-8"), encodable("W₁₄⁽¹⁾ → é", "cp1252"), encodable("W₁₄⁽¹⁾ → é", "ascii")
    ('W₁₄⁽¹⁾ → é', 'W14(1) -> é', 'W14(1) -> \\\\xe9')
    """
    text = text.encode(errors="backslashreplace").decode()  # paths may hold lone surrogates, which no encoding has
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return _spelled(text).encode(encoding, "backslashreplace").decode(encoding)
    return text


def _spelled(text: str) -> str:
    """``text`` in ASCII spelling; text that grows takes its space from the next gap."""
    found, grown = "", 0
    for k, part in enumerate(_GAP.split(text)):
        if k % 2 == 0:
            spelled = in_ascii(part)
            grown += len(spelled) - len(part)
        elif part == "\n":
            spelled, grown = part, 0
        else:
            spelled = " " * max(len(part) - grown, _NARROWEST)
            grown += len(spelled) - len(part)
        found += spelled
    return found


@contextmanager
def readable_output() -> Iterator[None]:
    """Within the block, or in a function that this decorates, any text can be printed; the streams are restored after.

    >>> with readable_output():
    ...     print("a₁⁽²⁾")
    a₁⁽²⁾
    """
    with redirect_stdout(_readable(sys.stdout)), redirect_stderr(_readable(sys.stderr)):
        yield


def _readable(stream: Any) -> Any:
    # a program without a console has no streams; a StringIO has no encoding and accepts everything
    return _Readable(stream) if getattr(stream, "encoding", None) else stream


class _Readable:
    """A text stream that receives only text that its encoding can represent."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        return int(self._stream.write(encodable(text, self._stream.encoding)))

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
