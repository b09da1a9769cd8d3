"""Texts above and below a picture of a flow: the formula of the gradient, the steps, and the number of paths."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from autodiff.draw.model.cells import brief
from autodiff.flow import Flow, FlowNode, Path
from autodiff.flow.sums import with_sums
from autodiff.telling.steps import Step
from autodiff.telling.style import Style
from autodiff.telling.terms import derivative, path_numbers, path_symbols, sum_of_shares
from autodiff.words.notation import number

__all__ = [
    "formula", "formula_of_shares", "paths", "percentage", "picture_style", "product", "strongest",
    "title_of_graph", "told",
]  # fmt: skip

_MOST_TERMS: Final = 4
_MOST_FACTORS: Final = 12
_LONGEST_FORMULA: Final = 60  # characters in a title


def picture_style(language: str, digits: int) -> Style:
    """The style of a picture with a language and a number of significant digits.

    Raises:
        TypeError: if digits is not an integer. ValueError: if the language is not supported or digits is less than 1.
    """
    if isinstance(digits, bool) or not isinstance(digits, int):
        raise TypeError(f"expected an integer number of significant digits, but got digits={digits!r}")
    return Style.of(language, digits)


def title_of_graph(output: FlowNode, flow: Flow | None, style: Style) -> str:
    """The title of a computation graph: with the parameter that the error reaches, or with the output.

    The output has its name or its whole formula there; one with gaps would say nothing.
    """
    if flow is not None and not flow.is_empty:
        return style.say("title.flow", parameter=brief(flow.parameter.label))
    if output.name:
        return style.say("title.graph", output=brief(output.label))
    if "…" in output.label or len(output.label) > _LONGEST_FORMULA:
        return style.say("title.whole")
    return style.say("title.graph", output=output.label)


def formula(flow: Flow, style: Style) -> tuple[str, ...]:
    """The gradient as the product along one path, or as the sum of its shares."""
    if flow.is_empty:
        return derivative(flow, style), style.say("term.no-path")
    flow = with_sums(flow)
    if flow.path_count > 1:
        return formula_of_shares(flow, style)
    return derivative(flow, style), *product(strongest(flow), style), style.amount(flow.gradient)


def formula_of_shares(flow: Flow, style: Style) -> tuple[str, ...]:
    """The gradient as the sum of its shares."""
    return derivative(flow, style), *sum_of_shares(flow, _MOST_TERMS, style), style.amount(flow.gradient)


def product(path: Path, style: Style) -> list[str]:
    """A path's product in symbols and, if it has numbers, in numbers."""
    parts = path_symbols(path, style, most=_MOST_FACTORS), path_numbers(path, style, most=_MOST_FACTORS)
    return [part for part in parts if part]


def strongest(flow: Flow) -> Path:
    """The strongest path of a flow that is not empty."""
    return flow.strongest_path or flow.strongest(1)[0]


def percentage(path: Path, style: Style) -> str:
    """The percentage of a path among all paths, in brackets."""
    return "" if path.percentage is None else style.say("caption.percentage", number=number(path.percentage, 3))


def paths(flow: Flow, style: Style) -> list[str]:
    """The number of paths and the strongest one; nothing if there is only one path."""
    if flow.path_count < 2:
        return []
    path = strongest(with_sums(flow))
    symbols = product(path, style)[0]
    written = symbols if path.product is None else f"{symbols} = {style.write(path.product)}"
    count = style.counted(flow.path_count)
    return [style.say("caption.paths", count=count, percentage=percentage(path, style), symbols=written)]


def told(steps: Sequence[Step]) -> list[str]:
    """Each step on one line, after its number."""
    return [" ".join([f"({step.number}) {step.sentence}", *step.lines]) for step in steps]
