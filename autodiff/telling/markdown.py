"""A flow, or any story, as Markdown (CommonMark with GitHub's tables): text, lists and formulas in code blocks.

Names chosen by users cannot act as markup: everything that Markdown or HTML would interpret is escaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from autodiff.flow import Flow
from autodiff.telling.story import Block, Equation, Heading, Listing, Numbered, Paragraph, Story, Table, flow_story
from autodiff.telling.style import Style
from autodiff.telling.text import plain_text
from autodiff.words.printable import printable

__all__ = ["escaped", "markdown", "prose"]

_MARKUP: Final = re.compile(r"[\\`*_{}\[\]<>#|~&$@!]|:(?=//)")
_FIRST: Final = re.compile(r"^(\d*)([-+=]|(?<=\d)[.)](?=\s|$))")
_WEB: Final = re.compile(r"(?i)(www)\.")


def markdown(flow: Flow, *, language: str = "en", digits: int = 4) -> str:
    """The flow as Markdown, with the content of `autodiff.telling.text.text`.

    Raises:
        ValueError: if the language is not supported or digits is less than 1.

    >>> from autodiff import Value
    >>> from autodiff.flow import error_flow
    >>> x, w = Value(3.0, name="x"), Value(2.0, name="w")
    >>> print(markdown(error_flow(w * x, w)).splitlines()[0])
    # How the error of w·x reaches w
    """
    return prose(flow_story(flow, Style.of(language, digits)))


def prose(story: Story) -> str:
    """A story as Markdown."""
    return "\n\n".join([f"# {escaped(story.title)}", *map(_block, story.blocks)]) + "\n"


def escaped(text: str) -> str:
    r"""A text on one line, with a backslash before each character that Markdown would read as markup.

    >>> print(escaped("<b> & [x](y) 0.5 · W₁₄⁽¹⁾"))
    \<b\> \& \[x\](y) 0.5 · W₁₄⁽¹⁾
    """
    safe = _MARKUP.sub(r"\\\g<0>", printable(text).strip())
    return _FIRST.sub(r"\1\\\2", _WEB.sub(r"\1\\.", safe))


def _block(block: Block) -> str:
    if isinstance(block, Heading):
        return f"## {escaped(block.text)}"
    if isinstance(block, Paragraph):
        return "\n\n".join(map(escaped, block.lines))
    if isinstance(block, Equation):
        return _code(block)
    if isinstance(block, Numbered):
        return "\n".join(_steps(block))
    if isinstance(block, Listing):
        return "\n".join([escaped(block.head), "", *(f"- {escaped(line)}" for line in block.lines)])
    return "\n".join(_table(block))


def _code(equation: Equation) -> str:
    """An equation as a code block, which keeps its columns aligned and contains no markup."""
    return "\n".join(f"    {printable(line)}" for line in plain_text(Story("", (equation,))).strip("\n").splitlines())


def _steps(block: Numbered) -> Iterator[str]:
    for k, line in block.lines:
        yield f"  - {escaped(line)}" if k is None else f"- **({k})** {escaped(line)}"


def _table(table: Table) -> Iterator[str]:
    head = table.head or ("",) * len(table.rows[0])
    yield _row(head)
    yield _row(["---"] * len(head), safe=True)
    yield from map(_row, table.rows)


def _row(cells: Sequence[str], *, safe: bool = False) -> str:
    return f"| {' | '.join(cell if safe else escaped(cell) for cell in cells)} |"
