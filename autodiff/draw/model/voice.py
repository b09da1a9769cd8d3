"""How a picture speaks of a flow: its language, and how its numbers are written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from autodiff.flow import Flow, FlowEdge, FlowNode, Path
from autodiff.telling.remarks import remarks
from autodiff.telling.steps import Step, steps
from autodiff.telling.terms import (
    Write,
    amount,
    counted,
    derivative,
    error_name,
    path_numbers,
    path_symbols,
    share_text,
    sum_of_shares,
    window,
)
from autodiff.words.notation import number
from autodiff.words.phrases import checked_language, say

__all__ = ["Voice", "voice"]

_MOST_TERMS: Final = 4
_MOST_FACTORS: Final = 12


def voice(language: str, digits: int) -> Voice:
    """One that speaks that language and writes that many significant digits.

    Raises:
        TypeError: digits that are no integer. ValueError: an unknown language, or digits below 1.
    """
    if isinstance(digits, bool) or not isinstance(digits, int):
        raise TypeError(f"significant digits are counted by an integer, and got digits={digits!r}")
    number(0.0, digits)
    return Voice(checked_language(language), partial(number, digits=digits))


@dataclass(frozen=True, slots=True)
class Voice:
    """One language, and one way to write numbers."""

    language: str
    write: Write

    def say(self, key: str, **fields: object) -> str:
        return say(key, self.language, **fields)

    def amount(self, value: Any) -> str:
        return amount(value, language=self.language, write=self.write)

    def counted(self, count: int) -> str:
        return counted(count, language=self.language)

    def share(self, flow: Flow, edge: FlowEdge) -> str:
        return share_text(flow, edge, language=self.language, write=self.write)

    def derivative(self, flow: Flow) -> str:
        return derivative(flow, language=self.language, write=self.write)

    def error_name(self, flow: Flow, node: FlowNode) -> str:
        return error_name(flow, node, language=self.language, write=self.write)

    def window(self, flow: Flow, edge: FlowEdge) -> str:
        return window(flow, edge, language=self.language)

    def product(self, path: Path, most: int = _MOST_FACTORS) -> list[str]:
        """A path's product in symbols and, where it has any, in numbers."""
        parts = (
            path_symbols(path, write=self.write, most=most, language=self.language),
            path_numbers(path, write=self.write, most=most, language=self.language),
        )
        return [part for part in parts if part]

    def sum(self, flow: Flow, most: int = _MOST_TERMS) -> tuple[str, ...]:
        return sum_of_shares(flow, most, language=self.language, write=self.write)

    def formula(self, flow: Flow) -> tuple[str, ...]:
        """The gradient as the product of one path, or the sum of the shares that arrive."""
        if flow.is_empty:
            return self.derivative(flow), self.say("term.no-path")
        parts = self.product(self.strongest(flow)) if flow.path_count == 1 else self.sum(flow)
        return self.derivative(flow), *parts, self.amount(flow.gradient)

    def strongest(self, flow: Flow) -> Path:
        """The strongest path of a flow that has one."""
        return flow.strongest_path or flow.strongest(1)[0]

    def percentage(self, path: Path) -> str:
        """How much of all paths together that path is, in brackets."""
        return "" if path.percentage is None else self.say("caption.percentage", number=number(path.percentage, 3))

    def paths(self, flow: Flow) -> list[str]:
        """How many paths there are, and the strongest; nothing about one path."""
        if flow.path_count < 2:
            return []
        path = self.strongest(flow)
        symbols = self.product(path)[0]
        product = symbols if path.product is None else f"{symbols} = {self.write(path.product)}"
        count = self.counted(flow.path_count)
        return [self.say("caption.paths", count=count, percentage=self.percentage(path), symbols=product)]

    def steps(self, flow: Flow) -> Sequence[Step]:
        return steps(flow, language=self.language, write=self.write)

    @staticmethod
    def told(steps: Sequence[Step]) -> list[str]:
        """Each step on one line, behind its number."""
        return [" ".join([f"({step.number}) {step.sentence}", *step.lines]) for step in steps]

    def remarks(self, flow: Flow) -> tuple[str, ...]:
        return remarks(flow, language=self.language, write=self.write)
