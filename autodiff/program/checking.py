"""Compare a program with the graph that it was recorded from, and with a second eager execution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from autodiff.engine.graph import Node
from autodiff.engine.plain import plain
from autodiff.engine.trees import flatten, tree_map
from autodiff.program.batches import BatchCall, example
from autodiff.program.keys import Call
from autodiff.program.plan import Plan, Run
from autodiff.transforms.gradients import gradients
from autodiff.values.reading import recording
from autodiff.values.tensor import Tensor
from autodiff.values.value import Value

__all__ = ["ProgramError", "agree_with_function", "agree_with_graph"]

_FEW: Final = 2  # examples of a batch that are compared
_TOLERANCE: Final = {"d": 1e-9, "f": 1e-3}
_CANCELLED: Final = {"d": 1e-13, "f": 1e-5}
_MASK: Final = 1e6  # larger numbers are the masks of attention, which cancel in nothing


class ProgramError(RuntimeError):
    """Raised if a program computes something else than its function, or a guard changed that must not change."""


def agree_with_graph(owner: Any, plan: Plan, run: Run) -> None:
    """Raise `ProgramError` unless results and gradients are those of the recorded graph."""
    if plan.run is plan.exact:
        return
    inputs, integers = run.inputs, run.integers
    if plan.batched:
        inputs, integers = example(plan.recording, inputs, integers, slice(0, _FEW))
    (mine, pull_mine), (numbers, pull) = plan.run(inputs, integers), plan.exact(inputs, integers)
    count = plan.recorded.results
    seeds = [_seed(number) for number in numbers[:count]]
    _compare(owner, plan, "the recorded graph", mine[:count], numbers[:count])
    for one, other in zip(pull_mine(seeds), pull(seeds), strict=True):
        _compare(owner, plan, "the gradients of the recorded graph", one, other)


def agree_with_function(owner: Any, plan: Plan, run: Run, call: Call) -> bool:
    """Raise `ProgramError` unless a second eager execution, on other inputs, gives the same; whether there was one.

    A number that was a constant while recording and should have been an input shows only there.
    """
    if plan.first is not None and owner.verify != "always" and _equal(plan.first, (call.inputs, call.integers)):
        return False
    plan.checked = True
    if plan.recorded.draws:
        return False  # what the replay drew cannot be drawn again
    calls = [(call.args, call.kwargs)]
    numbers, pull = run.numbers, run.pulled
    if isinstance(call, BatchCall):
        calls = [call.example(k) for k in range(min(_FEW, call.count))]
        inputs, integers = example(plan.recording, run.inputs, run.integers, slice(0, _FEW))
        numbers, pull = plan.run(inputs, integers)
    numbers = numbers[: plan.recorded.results]
    seeds = [_seed(number) for number in numbers]
    weight = 1.0 / len(calls) if plan.batched and plan.mean else 1.0
    totals: list[Any] = [0.0] * len(numbers)
    slopes: list[Any] = [0.0] * len(plan.recording.parameters)
    for args, kwargs in calls:
        results = _results(owner, plan, args, kwargs)
        totals = [total + weight * plain(item) for total, item in zip(totals, results, strict=True)]
        for output, seed in zip(results, seeds, strict=True):
            if isinstance(output, Node):
                found = gradients(output, list(plan.recording.parameters), seed=seed)
                slopes = [old if new is None else old + weight * new for old, new in zip(slopes, found, strict=True)]
    _compare(owner, plan, "the function", numbers, totals)
    _compare(owner, plan, "the gradients of the function", pull(seeds)[0], slopes)
    return True


def _results(owner: Any, plan: Plan, args: Any, kwargs: Any) -> list[Any]:
    """The results of an eager execution."""
    cut: dict[int, Any] = {}
    with recording(None):
        found = flatten(owner.function(*_cut_off(list(args), cut), **_cut_off(dict(kwargs), cut)))
    recorded = flatten(plan.recorded.result)
    if len(found) != len(recorded):
        raise ProgramError(
            f"the program of {owner.function!r} gives {len(recorded)} results, the function {len(found)}"
        )
    return [item for item, mine in zip(found, recorded, strict=True) if isinstance(mine, Node)]


def _cut_off(tree: Any, made: dict[int, Any]) -> Any:
    """Arguments with a leaf in the place of each computed node, whose graph is none of the program's."""

    def of(item: Any) -> Any:
        if not isinstance(item, Node) or item.a is None:
            return item
        if id(item) not in made:
            made[id(item)] = (Value if item.scalar else Tensor)(item._data)
        return made[id(item)]

    return tree_map(of, tree)


def _seed(number: Any) -> Any:
    return 1.0 if number.__class__ is float else np.ones(np.shape(number), np.asarray(number).dtype)


def _equal(left: Any, right: Any) -> bool:
    try:
        return bool(left == right)  # lists of floats at 10 ns an item: training repeats its inputs at every step
    except ValueError:  # arrays
        pass
    return all(
        np.array_equal(a, b)
        if isinstance(a, np.ndarray) and isinstance(b, np.ndarray)
        else len(a) == len(b) and all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))
        for a, b in zip(left, right, strict=True)
    )


def _compare(owner: Any, plan: Plan, name: str, mine: Sequence[Any], other: Sequence[Any]) -> None:
    size = max([float(np.max(np.abs(item))) for item in other if np.size(item)], default=0.0)
    for k, (one, two) in enumerate(zip(mine, other, strict=True)):
        with np.errstate(all="ignore"):
            apart = np.abs(np.subtract(one, two))
            scale = np.abs(two) + 1e-3 * size
            wrong = bool(np.any(apart > _TOLERANCE["d"] * scale)) and bool(np.any(apart > _bound(plan, scale)))
        if wrong:
            raise ProgramError(
                f"the program of {owner.function!r} and {name} differ in number {k}: {one} and {two}; something that "
                "changes between calls is a constant of the recording (the time, a file, a random number): pass it "
                "as an argument"
            )


def _bound(plan: Plan, scale: Any) -> Any:
    """What rounding may come to: relative to a result, and to the numbers of the graph, which may cancel in it."""
    data = [np.asarray(node._data) for node in plan.recorded.order]
    largest = max((float(np.max(np.abs(item))) for item in data if item.size and np.isfinite(item).all()), default=0.0)
    largest = min(largest, _MASK)
    letter = "f" if any(item.dtype == np.float32 for item in data) else "d"
    return _TOLERANCE[letter] * scale + _CANCELLED[letter] * max(largest, float(np.max(scale, initial=0.0)))
