"""Why a gradient is what it is, for the page: the reasons before the first step, and what they make after the last."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from autodiff.flow import Flow
from autodiff.telling.lesson import consequences, nudged, reasons
from autodiff.telling.style import Style

__all__ = ["Why", "why_teller"]

_MOST_MOVED: Final = 40_000  # nodes that are computed again, for all parameters together; each takes 25 µs

#: Texts in a style: the chain rule and the input; where each factor comes from, after a heading; what the number means.
Why = Callable[[Style], tuple[Sequence[str], Sequence[str], Sequence[str]]]


def why_teller() -> Callable[[Flow], Why]:
    """A function that answers why for one flow after another, with real steps of parameters while they cost little."""
    left = _MOST_MOVED

    def of(flow: Flow) -> Why:
        nonlocal left
        left -= len(flow.flows.graph)
        moved = nudged(flow) if left >= 0 else None

        def why(style: Style) -> tuple[Sequence[str], Sequence[str], Sequence[str]]:
            said, origins = reasons(flow, style)
            lines = (origins.head, *origins.lines) if origins is not None else ()
            return said, lines, consequences(flow, moved, style)

        return why

    return of
