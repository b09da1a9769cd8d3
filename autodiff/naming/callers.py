"""The code outside this package that asks for a picture or a text, and its source."""

from __future__ import annotations

import ast
import linecache
import opcode
import sys
from collections.abc import Iterator
from functools import lru_cache
from types import CodeType, FrameType
from typing import Any, Final

__all__ = ["caller", "codes", "has_loop", "is_own", "syntax_of"]

_PACKAGE: Final = __name__.partition(".")[0]
_BACKWARD: Final = frozenset(code for name, code in opcode.opmap.items() if "JUMP_BACKWARD" in name)
_MOST_LINES: Final = 20_000


def caller() -> FrameType | None:
    """The nearest frame whose module is not part of this package; None if there is none."""
    frame: FrameType | None = sys._getframe()
    while frame is not None and is_own(frame.f_globals.get("__name__")):
        frame = frame.f_back
    return frame


def is_own(module: object) -> bool:
    """Whether this is the name of a module of this package.

    >>> is_own("autodiff.flow"), is_own("autodiffer")
    (True, False)
    """
    return str(module).partition(".")[0] == _PACKAGE


def has_loop(code: CodeType) -> bool:
    """Whether a code jumps backward; parsing its source takes far longer than looking at its bytes."""
    return not _BACKWARD.isdisjoint(code.co_code[::2])


def syntax_of(code: CodeType, variables: dict[str, Any]) -> ast.AST | None:
    """The function or module that was compiled to ``code``, as syntax; None if its source is not at hand or not Python.

    Args:
        code: the code.
        variables: its global variables, by which `linecache` finds sources inside archives.
    """
    lines = linecache.getlines(code.co_filename, variables)
    if code.co_name == "<module>":
        text = "".join(lines)
    else:
        text = "".join(lines[code.co_firstlineno - 1 : _last_line(code)])
        text = f"if True:\n{text}" if text[:1].isspace() else text
    found = _parsed(text) if text and len(lines) <= _MOST_LINES else None
    if found is None or code.co_name == "<module>":
        return found
    return next((part for part in ast.walk(found) if getattr(part, "name", None) == code.co_name), None)


@lru_cache(maxsize=64)
def _parsed(text: str) -> ast.AST | None:
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):  # the file has changed, or it is not Python, as in a template
        return None


def codes(code: CodeType) -> Iterator[CodeType]:
    """A code and those of the functions inside it."""
    yield code
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from codes(inner)


@lru_cache(maxsize=256)
def _last_line(code: CodeType) -> int:
    ends = (end for part in codes(code) for _, end, _, _ in part.co_positions() if end is not None)
    return max(ends, default=code.co_firstlineno)
