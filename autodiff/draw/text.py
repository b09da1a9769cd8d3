"""A flow as text: the product, the numbered steps, the shares and their sum, what is worth a remark."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final

from autodiff.flow import Flow, Path
from autodiff.notation import number
from autodiff.phrases import say
from autodiff.remarks import remarks
from autodiff.steps import Step, steps
from autodiff.terms import (
    Write,
    amount,
    counted,
    path_numbers,
    path_symbols,
    share_text,
    shares_in_order,
    sum_of_shares,
)

__all__ = ["text"]

_MOST_LINES: Final = 60
_MOST_SHARES: Final = 12
_PATHS: Final = 5


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
    write = partial(number, digits=digits)
    title = say("title.text", language, output=flow.output.label, parameter=flow.parameter.label)
    blocks = [[title]]
    if not flow.is_empty:
        told = steps(flow, language=language, write=write)
        blocks += [_product(flow, language, write), _steps(told, language), _shares(flow, language, write)]
        if flow.path_count > 1:
            blocks.append(_paths(flow, language, write))
    blocks.append(list(remarks(flow, language=language, write=write)))
    return "\n\n".join("\n".join(block) for block in blocks if block)


def _product(flow: Flow, language: str, write: Write) -> list[str]:
    """The gradient as an equation, a line for every part."""
    if flow.path_count == 1:
        (path,) = flow.strongest(1)
        written = path_symbols(path, write=write, language=language), path_numbers(path, write=write, language=language)
        parts = list(filter(None, written))
    else:
        parts = list(sum_of_shares(flow, _MOST_SHARES, language=language, write=write))
    start = f"  {flow.derivative} = "
    lines = [*parts, amount(flow.gradient, language=language, write=write)]
    return [start + lines[0], *(f"{'= '.rjust(len(start))}{line}" for line in lines[1:])]


def _steps(told: Sequence[Step], language: str) -> list[str]:
    lines = [line for step in told for line in str(step).splitlines()]
    if len(lines) <= _MOST_LINES:
        return lines
    half = _MOST_LINES // 2
    return [*lines[:half], say("text.more-lines", language, count=len(lines) - 2 * half), *lines[-half:]]


def _shares(flow: Flow, language: str, write: Write) -> list[str]:
    edges = shares_in_order(flow, flow.parameter)
    parameter = flow.parameter.label
    if not edges:
        return [say("text.is-output", language, parameter=parameter)]
    lines = [
        f"{share_text(flow, edge, language=language, write=write)} = "
        f"{amount(edge.share, language=language, write=write)}"
        for edge in edges[:_MOST_SHARES]
    ]
    if len(edges) > _MOST_SHARES:
        lines.append(say("text.more", language, count=len(edges) - _MOST_SHARES))
    lines.append(say("text.sum", language, gradient=amount(flow.gradient, language=language, write=write)))
    return [say("text.shares", language, parameter=parameter), *(f"  {line}" for line in lines)]


def _paths(flow: Flow, language: str, write: Write) -> list[str]:
    first = say("text.paths", language, count=counted(flow.path_count, language=language))
    return [first, *(f"  {line}" for line in _path_lines(flow, write, language))]


def _path_lines(flow: Flow, write: Write, language: str) -> Iterator[str]:
    for path in flow.strongest(_PATHS):
        numbers = path_numbers(path, write=write, language=language)
        end = f" = {numbers} = {write(path.product)}" if numbers else ""
        yield f"{_percentage(path)}{path_symbols(path, write=write, language=language)}{end}"


def _percentage(path: Path) -> str:
    return "" if path.percentage is None else f"{number(path.percentage, 3):>5} %  "
