"""Compare a program with the graph that it was recorded from, and with a second eager execution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from autodiff.engine.graph import Node
from autodiff.engine.plain import plain
from autodiff.engine.trees import flatten
from autodiff.program.plan import Plan, Run
from autodiff.transforms.gradients import gradients
from autodiff.values.reading import recording

__all__ = ["ProgramError", "agree_with_function", "agree_with_graph"]

_TOLERANCE: Final = {"d": 1e-9, "f": 1e-3}


class ProgramError(RuntimeError):
    """Raised if a program computes something else than its function, or a guard changed that must not change."""


def agree_with_graph(owner: Any, plan: Plan, run: Run) -> None:
    """Raise `ProgramError` unless results and gradients are those of the recorded graph."""
    if plan.run is plan.exact:
        return
    numbers, pull = plan.exact(run.inputs, run.integers)
    count = plan.recorded.results
    seeds = [_seed(number) for number in numbers[:count]]
    _compare(owner, "the recorded graph", run.numbers[:count], numbers[:count])
    for mine, other in zip(run.pull(seeds), pull(seeds), strict=True):
        _compare(owner, "the gradients of the recorded graph", mine, other)


def agree_with_function(owner: Any, plan: Plan, run: Run, args: Any, kwargs: Any) -> None:
    """Raise `ProgramError` unless a second eager execution, on other inputs, gives the same.

    A number that was a constant while recording and should have been an input shows only there.
    """
    if owner.verify != "always" and _equal(plan.first, (run.inputs, run.integers)):
        return
    plan.checked = True
    if plan.recorded.draws:
        return  # what the replay drew cannot be drawn again
    with recording(None):
        result = owner.function(*args, **kwargs)
    results = [item for item, mine in zip(flatten(result), flatten(plan.recorded.result), strict=True)
               if isinstance(mine, Node)]
    count = plan.recorded.results
    _compare(owner, "the function", run.numbers[:count], [plain(item) for item in results])
    seeds = [_seed(number) for number in run.numbers[:count]]
    mine = run.pulled(seeds)[0]
    total: list[Any] = [0.0] * len(plan.recording.parameters)
    for output, seed in zip(results, seeds, strict=True):
        if isinstance(output, Node):
            found = gradients(output, list(plan.recording.parameters), seed=seed)
            total = [old if new is None else old + new for old, new in zip(total, found, strict=True)]
    _compare(owner, "the gradients of the function", mine, total)


def _seed(number: Any) -> Any:
    return 1.0 if number.__class__ is float else np.ones(np.shape(number), np.asarray(number).dtype)


def _equal(left: Any, right: Any) -> bool:
    return all(
        len(a) == len(b) and all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))
        for a, b in zip(left, right, strict=True)
    )


def _compare(owner: Any, name: str, mine: Sequence[Any], other: Sequence[Any]) -> None:
    size = max([float(np.max(np.abs(item))) for item in other if np.size(item)], default=0.0)
    for k, (one, two) in enumerate(zip(mine, other, strict=True)):
        letter = "f" if getattr(one, "dtype", None) == np.float32 else "d"
        bound = _TOLERANCE[letter] * (np.abs(two) + 1e-3 * size)
        with np.errstate(all="ignore"):
            wrong = np.abs(np.subtract(one, two)) > bound
        if np.any(wrong):
            raise ProgramError(
                f"the program of {owner.function!r} and {name} differ in number {k}: {one} and {two}; something that "
                "changes between calls is a constant of the recording (a global, the time, a file): pass it as an argument"
            )
