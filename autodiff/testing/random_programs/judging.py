"""Judges of programs: functions that say what is wrong with one, and that of dual numbers, which know no rule."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from math import isfinite
from typing import Any, Final

from autodiff.testing.oracles.dual import Dual, TieError, duals
from autodiff.testing.random_programs.program import Program, check_program
from autodiff.testing.random_programs.rounding import NUDGE, reach, tolerances
from autodiff.testing.subject import as_node
from autodiff.transforms.gradients import gradients
from autodiff.values.value import Value

__all__ = ["Judge", "OtherKindError", "Undecided", "dual_fault"]

#: Says what is wrong with a program, None if nothing; raises `Undecided` if it cannot tell.
Judge = Callable[[Program], str | None]

_ROUNDING: Final = 1e-13


class Undecided(Exception):  # noqa: N818 - it is no error
    """A judge cannot tell whether a program is right: no pass and no fault."""


class OtherKindError(TypeError):
    """A judge was asked about programs of a kind that it cannot judge: a mistake of whoever asked, and no fault."""


def dual_fault(program: Program) -> str | None:
    """What is wrong with the gradient of a program over Values beside its slope in dual numbers, which know no rule.

    One backward pass against one forward pass along a direction. Raises `Undecided` where there is no finite slope,
    as at a tie, and `OtherKindError`, a TypeError, for a program over Tensors.

    >>> dual_fault(Program.parse("Value 1.5; sin 0; multiply 1 0"))
    """
    check_program(program, "dual_fault")
    if program.kind is not Value:
        raise OtherKindError(
            "dual_fault judges programs over Values, and got one over Tensors; relation_fault judges those of both"
        )
    leaves, directions = program.leaves(), _direction(len(program.inputs))
    output = as_node(program(*leaves))
    output.backward()
    points = [Dual(x, v) for x, v in zip(program.inputs, directions, strict=True)]
    try:
        moved = program.output(program.engine(duals), points)
    except TieError:
        raise Undecided from None
    pushed = moved.tangent if isinstance(moved, Dual) else 0.0
    if not isfinite(pushed):
        raise Undecided
    shares = [v * (leaf.grad or 0.0) for v, leaf in zip(directions, leaves, strict=True)]
    pulled = sum(shares)
    if abs(pulled - pushed) <= _ROUNDING * sum(map(abs, shares)):
        return None
    allowed = _allowed(program, directions)
    if abs(pulled - pushed) <= allowed:
        return None
    return f"⟨∇f, v⟩ is {pulled!r}, in dual numbers {pushed!r} ± {allowed:.1g}"


@cache
def _direction(count: int) -> tuple[float, ...]:
    """Numbers of either sign, all of different size."""
    return tuple((1.0, 1.3125, -0.71875)[k % 3] * (1.0 + 0.4375 * (k // 3)) for k in range(count))


def _allowed(program: Program, directions: Sequence[float]) -> float:
    """How far ⟨∇f, v⟩ of two correct engines may be apart."""

    def moved(k: int) -> list[Any]:
        leaves = program.leaves()
        output = as_node(program.output(program.operations, leaves, k, NUDGE))
        return [0.0 if slope is None else slope for slope in gradients(output, leaves)]

    leaves = program.leaves()
    bounds = tolerances(program, reach(as_node(program(*leaves)), leaves), moved)
    return float(sum(abs(v) * bound for v, bound in zip(directions, bounds, strict=True)))
