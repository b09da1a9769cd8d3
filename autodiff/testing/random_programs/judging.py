"""Judges of programs: functions that return the fault of a program; one of them by dual numbers, which use no rule."""

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

#: Returns what is wrong with a program, None if it is right; raises `Undecided` if it cannot decide.
Judge = Callable[[Program], str | None]

_ROUNDING: Final = 1e-13


class Undecided(Exception):  # noqa: N818 - not an error
    """A judge cannot decide whether a program is right: neither a pass nor a fault."""


class OtherKindError(TypeError):
    """A judge was called with a program of a kind that it cannot judge: an error of the caller, not of the program."""


def dual_fault(program: Program) -> str | None:
    """Compare ⟨∇f, v⟩ of a program over Values with its slope along v in dual numbers; None if the two agree.

    Dual numbers use no rule of the table: one backward pass is compared with one forward pass along a direction. Where
    there is no finite slope, as at a tie, `Undecided` is raised, which is no error.

    Raises:
        OtherKindError: a TypeError, if the program is over Tensors.
        TypeError: if ``program`` is not a Program.

    >>> dual_fault(Program.parse("Value 1.5; sin 0; multiply 1 0"))
    """
    check_program(program, "dual_fault")
    if program.kind is not Value:
        raise OtherKindError(
            "dual_fault judges programs over Values, and got one over Tensors; use relation_fault, which judges both"
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
    """Numbers of both signs, all of different size."""
    return tuple((1.0, 1.3125, -0.71875)[k % 3] * (1.0 + 0.4375 * (k // 3)) for k in range(count))


def _allowed(program: Program, directions: Sequence[float]) -> float:
    """How far the ⟨∇f, v⟩ of two correct engines may differ."""

    def moved(k: int) -> list[Any]:
        leaves = program.leaves()
        output = as_node(program.output(program.operations, leaves, k, NUDGE))
        return [0.0 if slope is None else slope for slope in gradients(output, leaves)]

    leaves = program.leaves()
    bounds = tolerances(program, reach(as_node(program(*leaves)), leaves), moved)
    return float(sum(abs(v) * bound for v, bound in zip(directions, bounds, strict=True)))
