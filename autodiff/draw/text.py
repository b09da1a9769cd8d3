"""A flow as text: the product, the numbered steps, the shares and their sum, what is worth a remark."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from autodiff.flow import Flow, Path, count_text
from autodiff.notation import number
from autodiff.remarks import remarks
from autodiff.steps import Step, steps
from autodiff.terms import amount, share_text, shares_in_order, sum_of_shares

__all__ = ["text"]

_MOST_LINES: Final = 60
_MOST_SHARES: Final = 12
_PATHS: Final = 5


def text(flow: Flow) -> str:
    """The flow in words and numbers, as the notes tell it; long flows without their middle.

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
    blocks = [[f"How the error of {flow.output.label} reaches {flow.parameter.label}"]]
    if not flow.is_empty:
        blocks += [_product(flow), _steps(steps(flow)), _shares(flow)]
        if flow.path_count > 1:
            blocks.append(_paths(flow))
    blocks.append(list(remarks(flow)))
    return "\n\n".join("\n".join(block) for block in blocks if block)


def _product(flow: Flow) -> list[str]:
    """The gradient as an equation, a line for every part."""
    if flow.path_count == 1:
        (path,) = flow.strongest(1)
        parts = [path.symbols(), path.numbers()]
    else:
        parts = list(sum_of_shares(flow, _MOST_SHARES))
    start = f"  {flow.derivative} = "
    lines = [*filter(None, parts), amount(flow.gradient)]
    return [start + lines[0], *(f"{'= '.rjust(len(start))}{line}" for line in lines[1:])]


def _steps(told: Sequence[Step]) -> list[str]:
    lines = [line for step in told for line in str(step).splitlines()]
    if len(lines) <= _MOST_LINES:
        return lines
    half = _MOST_LINES // 2
    return [*lines[:half], f"… {len(lines) - 2 * half} more lines …", *lines[-half:]]


def _shares(flow: Flow) -> list[str]:
    edges = shares_in_order(flow, flow.parameter)
    lines = [f"Shares that arrive at {flow.parameter.label}:"]
    lines += [f"  {share_text(flow, edge)} = {amount(edge.share)}" for edge in edges[:_MOST_SHARES]]
    if len(edges) > _MOST_SHARES:
        lines.append(f"  … {len(edges) - _MOST_SHARES} more …")
    if not edges:
        return [f"{flow.parameter.label} is the output itself."]
    return [*lines, f"  their sum = {amount(flow.gradient)} = the gradient"]


def _paths(flow: Flow) -> list[str]:
    return [f"Paths: {count_text(flow.path_count)}; the strongest:", *(f"  {line}" for line in _path_lines(flow))]


def _path_lines(flow: Flow) -> Iterator[str]:
    for path in flow.strongest(_PATHS):
        yield f"{_percentage(path)}{path.formula()}"


def _percentage(path: Path) -> str:
    return "" if path.percentage is None else f"{number(path.percentage, 3):>5} %  "
