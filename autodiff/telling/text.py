"""A flow, or any story, as plain text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Final

from autodiff.flow import Flow
from autodiff.telling.story import Block, Equation, Heading, Listing, Numbered, Paragraph, Story, Table, flow_story
from autodiff.telling.style import Style
from autodiff.words.columns import columns, fitted, wrapped

__all__ = ["plain_text", "text"]

_GAP: Final = "  "  # before each column of a table


def text(flow: Flow, *, language: str = "en", digits: int = 4) -> str:
    """The flow in words and numbers, in the steps of the notes; long flows are shortened in the middle.

    Args:
        flow: the result of `autodiff.flow.error_flow`.
        language: "en" or "zh".
        digits: the number of significant digits.

    Raises:
        ValueError: if the language is not supported or digits is less than 1.

    Source: notes, section 1.5.

    >>> from autodiff import Value
    >>> from autodiff.flow import error_flow
    >>> x, w = Value(3.0, name="x"), Value(2.0, name="w")
    >>> print(text(error_flow(w * x, w)))
    How the error of w·x reaches w
    <BLANKLINE>
      ∂(w·x)/∂w = 1 · x
                = 1 × 3
                = 3
    <BLANKLINE>
    (1) An error signal of 1 enters at w·x: ∂(w·x)/∂(w·x).
    (2) × x = 3, the value multiplied by w.
    (3) ∂(w·x)/∂w = 1 × 3 = 3, the gradient.
    <BLANKLINE>
    The share that arrives at w is the gradient:
      (error at w·x) · x = 3
    """
    return plain_text(flow_story(flow, Style.of(language, digits)))


def plain_text(story: Story, *, width: int | None = None) -> str:
    """A story as plain text, without a final newline; tables are at most ``width`` columns wide, if it is given."""
    return "\n\n".join("\n".join(lines) for lines in [[story.title], *(_lines(block, width) for block in story.blocks)])


def _lines(block: Block, width: int | None) -> list[str]:
    if isinstance(block, Heading):
        return [block.text, "─" * columns(block.text)]
    if isinstance(block, Paragraph):
        return list(block.lines)
    if isinstance(block, Equation):
        start = f"  {block.left} = "
        return [start + block.right[0], *(f"{' ' * (columns(start) - 2)}= {part}" for part in block.right[1:])]
    if isinstance(block, Numbered):
        return [f"    {line}" if k is None else f"({k}) {line}" for k, line in block.lines]
    if isinstance(block, Listing):
        return [block.head, *(f"  {line}" for line in block.lines)]
    return list(_table(block, width))


def _table(table: Table, width: int | None) -> Iterator[str]:
    rows = [*([table.head] if table.head else []), *table.rows]
    widths = [max(columns(row[k]) for row in rows) for k in range(len(rows[0]))]
    if width is not None:
        widths = fitted(widths, width - len(_GAP) * len(widths))
    for k, row in enumerate(rows):
        for line in zip_longest(*map(wrapped, row, widths), fillvalue=""):
            yield _padded(line, widths)
        if table.head and k == 0:
            yield _GAP + _GAP.join("─" * width for width in widths)


def _padded(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = (cell + " " * (width - columns(cell)) for cell, width in zip(row, widths, strict=True))
    return f"{_GAP}{_GAP.join(cells)}".rstrip()
