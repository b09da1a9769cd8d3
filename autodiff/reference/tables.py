"""Tables of operations with their derivatives for readers, as text and as Markdown.

>>> from autodiff.reference.operations import everything, selected
>>> print(text(selected(everything(), ["np.sqrt"])), end="")
z is the result of an operation, and x, y, … are its inputs. ∂z/∂x is its local gradient.
In its domain, an operation is defined and smooth, except at kinks named in its formula. The formula
also gives conventions, such as the derivative at a kink.
<BLANKLINE>
Elementwise
-----------
<BLANKLINE>
sqrt          √
  Formula     Square root √x; its derivative at 0 is inf.
  Derivative  ∂z/∂x = 1/(2·z)
  Domain      x > 0
  NumPy       np.sqrt
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from autodiff.reference.operations import MADE, Group, Operation, Reference, topics
from autodiff.words.notation import in_ascii

__all__ = ["legend", "markdown", "text"]

_LETTERS: Final = "z is the result of an operation, and x, y, … are its inputs. ∂z/∂x is its local gradient."
_SHARES: Final = (
    "Where ∂J/∂x is given instead, g = ∂J/∂z is the error signal arriving at z, and ∂J/∂x is the share of it that "
    "goes on to x."
)
_DOMAINS: Final = (
    "In its domain, an operation is defined and smooth, except at kinks named in its formula. The formula also gives "
    "conventions, such as the derivative at a kink."
)
_ELSEWHERE: Final = "NumPy functions that are composed of several operations are listed after the operations."
_INTERNAL: Final = "Internal operations occur in graphs and derivatives; the package does not export them."
_NOTES: Final = "The notes are those on neural networks from Stanford's course CS224n."

_WIDTH: Final = 100
_LABELS: Final = ("Formula", "Derivative", "Domain", "NumPy")
_INDENT: Final = " " * (max(map(len, _LABELS)) + 4)


def text(found: Reference) -> str:
    """The reference for a terminal of 100 columns, even when spelled in ASCII."""
    told = [line for sentence in legend(found) for line in _wrapped(sentence)]
    parts = [*([told] if told else []), *_topics_as_lines(found), *map(_group_as_lines, found.groups)]
    return "\n\n".join(map("\n".join, parts)) + "\n"


def legend(found: Reference) -> Iterator[str]:
    """The explanations that readers of these operations need."""
    operations = found.operations
    if operations:
        yield _LETTERS
    if any(item.startswith("∂J") for row in operations for item in row.derivatives):
        yield _SHARES
    if operations:
        yield _DOMAINS
    if operations and any(group.title == MADE[0] for group in found.groups):
        yield _ELSEWHERE
    if any(row.internal for row in operations):
        yield _INTERNAL
    if any("(notes" in row.formula for row in operations):
        yield _NOTES


def _topics_as_lines(found: Reference) -> Iterator[list[str]]:
    for topic, operations in topics(found):
        yield _title(topic)
        yield from map(_paragraph, operations)


def _title(title: str) -> list[str]:
    return [title, "-" * len(title)]


def _paragraph(operation: Operation) -> list[str]:
    name = operation.name.ljust(len(_INDENT) - 2)
    head = "  ".join(filter(None, (name, operation.symbol, _mark(operation)))).rstrip()
    facts = (
        [operation.formula.replace("`", "")], operation.derivatives, [operation.domain], [", ".join(operation.numpy)],
    )  # fmt: skip
    return [head, *(line for label, told in zip(_LABELS, facts, strict=True) for line in _labelled(label, told))]


def _labelled(label: str, facts: Iterable[str]) -> Iterator[str]:
    """Each fact on separate lines, the first beside the label."""
    start = f"  {label}".ljust(len(_INDENT))
    for fact in filter(None, facts):
        yield from _wrapped(start + fact, _INDENT)
        start = _INDENT


def _mark(operation: Operation) -> str:
    return "(internal)" if operation.internal else ""


def _wrapped(line: str, indent: str = "") -> list[str]:
    """Lines that fit, even when signs become words in ASCII spelling."""
    lines = [line]
    for width in range(_WIDTH, _WIDTH // 2, -1):
        lines = textwrap.wrap(line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
        if all(len(in_ascii(each)) <= _WIDTH for each in lines):
            break
    return lines


def _group_as_lines(group: Group) -> list[str]:
    return [*_title(group.title), "", *_wrapped(group.sentence), "", *_listed(group)]


def _listed(group: Group) -> list[str]:
    if not any(row.reason for row in group.functions):
        return _wrapped("  " + ", ".join(row.name for row in group.functions), "  ")
    return [line for row in group.functions for line in _wrapped(f"  {row.name}: {row.reason}", "    ")]


def markdown(found: Reference) -> str:
    """The reference as GitHub Markdown, with a table for each topic."""
    blocks = ["# Operations and their derivatives", *legend(found)] if found.operations else []
    for topic, operations in topics(found):
        blocks += [f"## {topic}", _table(("Operation", *_LABELS), map(_cells, operations))]
    for group in found.groups:
        blocks += [f"## {group.title}", group.sentence, _marked(group)]
    return "\n\n".join(blocks) + "\n"


def _cells(operation: Operation) -> tuple[str, ...]:
    shown = [item if item.endswith(":") else f"`{item}`" for item in operation.derivatives]
    name = " ".join(filter(None, (f"`{operation.name}`", operation.symbol, _mark(operation))))
    return name, operation.formula, "<br>".join(shown), operation.domain, _codes(operation.numpy)


def _marked(group: Group) -> str:
    if not any(row.reason for row in group.functions):
        return _codes(row.name for row in group.functions)
    return _table(
        ("NumPy", "Why, and what to write instead"), ((f"`{row.name}`", row.reason) for row in group.functions)
    )


def _codes(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    lines = [head, ["---"] * len(head), *([cell.replace("|", r"\|") for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
