"""The source of a function: its lines, and its syntax; nothing if what stands in its file is no longer its source."""

from __future__ import annotations
import __future__

import ast
import inspect
import textwrap
from collections.abc import Iterator
from types import CodeType
from typing import Any, Final, NamedTuple

from autodiff.naming.callers import codes, is_own
from autodiff.primitives.origin import SourceLine

__all__ = ["Source", "source_of"]

_ANNOTATIONS: Final = __future__.annotations.compiler_flag


class Source(NamedTuple):
    """The lines of a function, and its definition with the line numbers of its file; None of a lambda."""

    lines: tuple[SourceLine, ...] = ()
    definition: ast.FunctionDef | ast.AsyncFunctionDef | None = None


def source_of(function: Any) -> Source:
    """The lines of a function without docstring, comments and empty lines; none if they are not known.

    A file that was changed after its import, or code that claims a file in which it does not stand, gives none.
    """
    if is_own(getattr(function, "__module__", "")):
        return Source()
    try:
        lines, start = inspect.getsourcelines(function)
    except (OSError, TypeError, SyntaxError):  # typed into a shell, or written in C
        return Source()
    text = textwrap.dedent("".join(lines)).splitlines()
    code, start = getattr(function, "__code__", None), max(start, 1)
    if not isinstance(code, CodeType) or not _fits("\n".join(text), start, code):
        return Source()
    definition = _definition("\n".join(text))
    left_out = _of_docstring(definition)
    if definition is not None:
        ast.increment_lineno(definition, start - 1)
    return Source(
        tuple(
            SourceLine(start + k, line.rstrip())
            for k, line in enumerate(text)
            if line.strip() and not line.lstrip().startswith("#") and k not in left_out
        ),
        definition,
    )


def _definition(text: str) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    try:
        found = ast.parse(text).body[0]
    except (SyntaxError, IndexError, ValueError):  # a lambda in the middle of an expression
        return None
    return found if isinstance(found, ast.FunctionDef | ast.AsyncFunctionDef) else None


def _of_docstring(definition: ast.FunctionDef | ast.AsyncFunctionDef | None) -> range:
    """The lines of a function's docstring, counted from 0."""
    if definition is None or ast.get_docstring(definition) is None:
        return range(0)
    first = definition.body[0]
    return range(first.lineno - 1, first.end_lineno or first.lineno)


def _fits(text: str, start: int, code: CodeType) -> bool:
    """Whether a text from line ``start`` on holds a function at the line, and with the names and numbers, of a code."""
    try:
        whole = compile(text, "<source>", "exec", flags=code.co_flags & _ANNOTATIONS, dont_inherit=True)
    except (SyntaxError, ValueError):  # a lambda in the middle of an expression
        return code.co_name == "<lambda>" and "lambda" in text
    wanted = code.co_name, code.co_firstlineno - start + 1, {*_words(code)}
    return any((inner.co_name, inner.co_firstlineno, {*_words(inner)}) == wanted for inner in codes(whole))


def _words(code: CodeType) -> Iterator[str]:
    """The names and numbers in a code; without those with an underscore, which classes and test tools change."""
    for part in codes(code):
        names = (*part.co_names, *part.co_varnames, *part.co_freevars, *part.co_cellvars)
        yield from (name for name in names if name[:1] not in "_@.")
        yield from (repr(item) for item in part.co_consts if isinstance(item, float | complex) or type(item) is int)
