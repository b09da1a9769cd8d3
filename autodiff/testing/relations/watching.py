"""Relations with rules that do unusual things: keep the arrays that they return, or run backward passes themselves."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any, Final

import numpy as np

from autodiff.engine.backward import backpropagate
from autodiff.engine.graph import Node, topological
from autodiff.primitives.expression import Expression
from autodiff.primitives.primitive import Primitive
from autodiff.primitives.registry import remembered
from autodiff.testing.relations.rebuilding import again, primitive_of, rebuilt
from autodiff.testing.relations.run import DoesNotApply, Item, Relation, Run, apart, same, short
from autodiff.transforms.gradients import gradients

__all__ = ["OF_RULES"]


def _rules_that_keep(run: Run) -> str | None:
    """A rule may keep the array that it returns: no pass writes to it, and no gradient shares its memory."""
    run.needs_arrays()
    kept: list[tuple[Any, Any]] = []

    def keep(share: Any, g: Any) -> None:
        if isinstance(share, np.ndarray) and not np.may_share_memory(share, g):
            kept.append((share, share.copy()))

    output, leaves = _with_watched_rules(run)
    with _watching(keep):
        output.backward(run.seed(output))
        gradients(output, leaves, seed=run.seed(output))
    if not kept:
        raise DoesNotApply
    for array, before in kept:
        if not np.array_equal(array, before, equal_nan=True):
            return f"a pass wrote {short(array)} to an array that a rule kept, which held {short(before)}"
        if any(isinstance(x.grad, np.ndarray) and np.may_share_memory(x.grad, array) for x in topological(output)):
            return "a gradient shares memory with an array that a rule kept"
    return None


def _rules_with_passes(run: Run) -> str | None:
    """A rule may run another backward pass over the same nodes."""
    run.needs_arrays()
    output, leaves = _with_watched_rules(run)
    other = output * 2.0
    begun: list[bool] = []

    def begin(*_: Any) -> None:
        if not begun:
            begun.append(True)
            backpropagate(other, run.seed(other))

    with _watching(begin):
        output.backward(run.seed(output))
    if not begun:
        raise DoesNotApply
    return same([np.zeros(np.shape(x.data)) if x.grad is None else x.grad for x in leaves], run.usual_gradients)


def _with_watched_rules(run: Run) -> tuple[Item, list[Item]]:
    """The graph rebuilt from the same primitives with watched rules."""
    output, leaves = run.usual
    _, twins = run.record()
    return apart(rebuilt(output, dict(zip(leaves, twins, strict=True)), _watched_again), twins)


_eye: Final = threading.local()  # its ``sees`` is called with each share that a watched rule returns in this thread


@contextmanager
def _watching(sees: Callable[[Any, Any], Any]) -> Iterator[None]:
    _eye.sees = sees
    try:
        yield
    finally:
        del _eye.sees


def _watched_again(node: Node, inputs: list[Any]) -> Any:
    if node.scalar:
        return again(node, inputs)
    entry, params = _watched(primitive_of(node)), node.params
    return entry(inputs, **params) if entry.packed else entry(*inputs, **params)


@remembered()
def _watched(entry: Primitive) -> Primitive:
    """The same primitive with rules that report their shares to `_watching`; they cannot be written out as source."""

    def watch(k: int, g: Any, *given: Any, **params: Any) -> Any:
        if isinstance(g, Expression):
            raise TypeError("a watched rule cannot be written out as an expression")
        share = entry.rule(k)(g, *given, **params)
        if sees := getattr(_eye, "sees", None):
            sees(share, g)
        return share

    return replace(entry, vjp=tuple(partial(watch, k) for k in range(entry.arity)) if entry.arity else watch)


OF_RULES: Final[Mapping[str, Relation]] = {
    "rules may hold on to the arrays they return": _rules_that_keep,
    "rules may run passes of their own": _rules_with_passes,
}
