"""A parser for the docstrings of this project: paragraphs, arguments, results, errors, source and examples."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from inspect import cleandoc
from itertools import groupby
from typing import Final

__all__ = ["Docstring", "parse"]

_PROMPT: Final = ">>> "
_HEADS: Final = ("Args:", "Returns:", "Raises:")
_SOURCE: Final = "Source: "
_TABLE: Final = "==="  # the first line of a table in reStructuredText
_ARGUMENT: Final = re.compile(r"(\*{0,2}\w[\w, *]*): +(.*)")
#: The start of the text on one error, at the beginning or after a full stop.
_ERROR: Final = re.compile(r"(?:^|(?<=[.;] ))((?:[A-Z]\w*Error(?:, | or )?)+): ")


@dataclass(slots=True)
class Docstring:
    """The parts of one docstring; texts are single lines and keep `names` and ``code``; tables have several lines."""

    paragraphs: list[str] = field(default_factory=list)
    arguments: list[tuple[str, str]] = field(default_factory=list)
    returns: str = ""
    errors: list[tuple[str, str]] = field(default_factory=list)
    source: str = ""
    examples: list[str] = field(default_factory=list)

    @property
    def summary(self) -> str:
        """The first paragraph."""
        return self.paragraphs[0] if self.paragraphs else ""


def parse(text: str) -> Docstring:
    """Split a docstring into its parts, in their order in the docstring.

    >>> parse("The root of x.\\n\\nRaises:\\n    TypeError: x is text. ValueError: x < 0.").errors
    [('TypeError', 'x is text.'), ('ValueError', 'x < 0.')]
    """
    found = Docstring()
    for block in _blocks(cleandoc(text).splitlines()):
        head, body = block[0], [line for line in block[1:] if line]
        if head.startswith(_PROMPT):
            found.examples.append("\n".join(block))
        elif head == "Args:":
            found.arguments += _arguments(body)
        elif head == "Returns:":
            found.returns = _joined(body)
        elif head == "Raises:":
            found.errors += _errors(_joined(body))
        elif head.startswith(_SOURCE):
            found.source = _joined(block).removeprefix(_SOURCE)
        else:
            found.paragraphs.append("\n".join(block) if head.startswith(_TABLE) else _joined(block))
    return found


def _blocks(lines: Sequence[str]) -> Iterator[list[str]]:
    """Paragraphs, sessions and sections; a section continues as long as its lines are indented."""
    section: list[str] = []
    for empty, group in groupby(lines, lambda line: not line.strip()):
        block = list(group)
        if empty:
            continue
        if section and block[0].startswith(" "):
            section += block
            continue
        if section:
            yield section
            section = []
        for start in (k for k, line in enumerate(block) if line in _HEADS):
            if start:
                yield block[:start]
            section, block = block[start:], []
        if block:
            yield block
    if section:
        yield section


def _arguments(lines: Sequence[str]) -> list[tuple[str, str]]:
    """Each name with its text; a line with a larger indent continues the text before it."""
    indent = len(lines[0]) - len(lines[0].lstrip())
    found: list[tuple[str, str]] = []
    for line in lines:
        begun = _ARGUMENT.fullmatch(line[indent:])
        if begun and not line[indent].isspace():
            found.append((begun[1], begun[2]))
        else:
            name, text = found.pop() if found else ("", "")
            found.append((name, f"{text} {line.strip()}".strip()))
    return found


def _errors(text: str) -> list[tuple[str, str]]:
    kinds = list(_ERROR.finditer(text))
    if not kinds or kinds[0].start():
        return [("", text)]
    ends = [*(each.start() for each in kinds[1:]), len(text)]
    return [(each[1], text[each.end() : end].strip()) for each, end in zip(kinds, ends, strict=True)]


def _joined(lines: Sequence[str]) -> str:
    return " ".join(line.strip() for line in lines)
