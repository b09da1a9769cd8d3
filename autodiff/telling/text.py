"""A flow, or any story, as plain text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from unicodedata import combining, east_asian_width

from autodiff.flow import Flow
from autodiff.telling.story import Block, Equation, Heading, Listing, Numbered, Paragraph, Story, Table, flow_story
from autodiff.telling.style import Style

__all__ = ["plain_text", "text"]


def text(flow: Flow, *, language: str = "en", digits: int = 4) -> str:
    """The flow in words and numbers, as the notes tell it; long flows without their middle.

    Args:
        flow: what `autodiff.flow.error_flow` gives.
        language: "en" or "zh".
        digits: significant digits of every number.

    Raises:
        ValueError: an unknown language, or digits below 1.

    Source: notes, section 1.5.

    >>> from autodiff import Value
    >>> from autodiff.flow import error_flow
    >>> x, w = Value(3.0, name="x"), Value(2.0, name="w")
    >>> print(text(error_flow(w * x, w)))
    How the error of multiply reaches w
    <BLANKLINE>
      ∂multiply/∂w = 1 · x
                   = 1 × 3
                   = 3
    <BLANKLINE>
    (1) An error signal of 1 enters at multiply: ∂multiply/∂multiply.
    (2) × x = 3, what w multiplied.
    (3) ∂multiply/∂w = 1 × 3 = 3, the gradient.
    <BLANKLINE>
    Shares that arrive at w:
      (error at multiply) · x = 3
      their sum = 3 = the gradient
    """
    return plain_text(flow_story(flow, Style.of(language, digits)))


def plain_text(story: Story) -> str:
    """A story as plain text, without a line end at its end."""
    return "\n\n".join("\n".join(lines) for lines in [[story.title], *map(_lines, story.blocks)])


def _lines(block: Block) -> list[str]:
    if isinstance(block, Heading):
        return [block.text, "─" * _columns(block.text)]
    if isinstance(block, Paragraph):
        return list(block.lines)
    if isinstance(block, Equation):
        start = f"  {block.left} = "
        return [start + block.right[0], *(f"{' ' * (_columns(start) - 2)}= {part}" for part in block.right[1:])]
    if isinstance(block, Numbered):
        return [f"    {line}" if k is None else f"({k}) {line}" for k, line in block.lines]
    if isinstance(block, Listing):
        return [block.head, *(f"  {line}" for line in block.lines)]
    return list(_table(block))


def _table(table: Table) -> Iterator[str]:
    rows = [*([table.head] if table.head else []), *table.rows]
    widths = [max(_columns(row[k]) for row in rows) for k in range(len(rows[0]))]
    for k, row in enumerate(rows):
        yield _padded(row, widths)
        if table.head and k == 0:
            yield "  " + "  ".join("─" * width for width in widths)


def _padded(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = (cell + " " * (width - _columns(cell)) for cell, width in zip(row, widths, strict=True))
    return f"  {'  '.join(cells)}".rstrip()


def _columns(line: str) -> int:
    """How many columns of a terminal a line takes: Chinese characters take two."""
    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in line)
