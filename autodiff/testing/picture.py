"""The picture of a fault: the smallest graph that shows it, with the wrong wire marked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from autodiff.draw import Drawing
from autodiff.draw.computation import computation
from autodiff.draw.picture import Picture, Wire
from autodiff.testing.report import Blame, Report

__all__ = ["drawing"]

_VALUE_ROW: Final = 0
_ERROR_ROW: Final = 1


def drawing(report: Report, *, theme: str = "auto") -> Drawing:
    """The drawing of the fault that a report blames: ``drawing(report).save("fault.svg")``.

    Every wire over which a wrong share comes is marked, with what it gives and what it should give.

    Raises ValueError for a report without blame: nothing failed, or the function left no graph of this project.
    """
    blame = report.blame
    if blame is None or blame.graph is None:
        raise ValueError(f"there is no fault to draw: {str(report).splitlines()[0]}")
    return Drawing(_marked(computation(blame.graph), report), None, theme)


def _marked(made: Picture, report: Report) -> Picture:
    blame: Any = report.blame
    wires = tuple(_turned(wire, blame) if _is_wrong(wire, made, blame.slot) else wire for wire in made.wires)
    return replace(
        made, wires=wires, title=f"Gradient check of {report.name}", captions=(blame.sentence,),
        description=f"{made.description} {blame.sentence}",
    )  # fmt: skip


def _turned(wire: Wire, blame: Blame) -> Wire:
    """The wire as the error runs, from the operation to its input, in the colour of errors."""
    return replace(
        wire, tail=wire.head, head=wire.tail, tail_row=_VALUE_ROW, head_row=_ERROR_ROW, lane="error", sign=1,
        width=3.2, label=blame.short, hint=blame.sentence,
    )  # fmt: skip


def _is_wrong(wire: Wire, made: Picture, slot: int | None) -> bool:
    """Of one operation the wire of its input, of more all that leave a value whose shares have to be added up."""
    if slot is not None:
        return wire.port in (slot, None) and wire.head == made.boxes[0].id
    return [item.tail for item in made.wires].count(wire.tail) > 1
