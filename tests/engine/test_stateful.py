"""Graphs that are built, extended, copied, detached, assigned to and differentiated in any order, beside a model.

The model is a list of plain records and a recursion: nothing of the engine is in it.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

import autodiff as ad
from autodiff.testing.hooks.strategies import numbers

LIMIT = 1e3  # larger results are not made, so that no number loses its digits


@dataclass(eq=False)
class Record:
    """The model's record of a node: its number, its inputs, and the slopes at the time."""

    data: float
    inputs: list[tuple[Record, float]] = field(default_factory=list)
    grad: float | None = None
    version: int = 0
    seen: list[int] = field(default_factory=list)  # the versions of the inputs that it was made of

    def is_stale(self) -> bool:
        """Whether anything on which it depends was assigned new data since."""
        old = any(x.version != version for (x, _), version in zip(self.inputs, self.seen, strict=True))
        return old or any(x.is_stale() for x, _ in self.inputs)

    def send(self, signal: float) -> None:
        """Add a share, and pass its shares on to the inputs, path by path."""
        self.grad = signal + (self.grad or 0.0)
        for item, slope in self.inputs:
            item.send(signal * slope)


#: Name, what it computes, and its slopes.
UNARY: dict[str, tuple[Callable[[Any], Any], Callable[[float], float], Callable[[float], float]]] = {
    "negative": (lambda x: -x, lambda x: -x, lambda x: -1.0),
    "square": (lambda x: x * x, lambda x: x * x, lambda x: 2.0 * x),
    "sin": (ad.sin, math.sin, math.cos),
    "relu": (ad.relu, lambda x: max(x, 0.0), lambda x: float(x > 0)),
}
BINARY: dict[str, tuple[Callable[[Any, Any], Any], Callable[..., float], Callable[..., tuple[float, float]]]] = {
    "add": (lambda x, y: x + y, lambda x, y: x + y, lambda x, y: (1.0, 1.0)),
    "subtract": (lambda x, y: x - y, lambda x, y: x - y, lambda x, y: (1.0, -1.0)),
    "multiply": (lambda x, y: x * y, lambda x, y: x * y, lambda x, y: (y, x)),
}
STEPS = st.tuples(st.sampled_from([*BINARY, *UNARY]), st.integers(0, 3), st.integers(0, 3))


class Graphs(RuleBasedStateMachine):
    """Pairs of a node and its record; every rule does the same to both."""

    kind: type = ad.Value
    pairs = Bundle("pairs")

    def __init__(self) -> None:
        super().__init__()
        self.all: list[tuple[Any, Record]] = []

    def pair(self, node: Any, record: Record) -> tuple[Any, Record]:
        self.all.append((node, record))
        return node, record

    @initialize(target=pairs, x=numbers())
    def first(self, x: float) -> Any:
        """There is always a leaf."""
        return self.leaf(x)

    @rule(target=pairs, x=numbers())
    def another(self, x: float) -> Any:
        """A new leaf."""
        return self.leaf(x)

    def leaf(self, x: float) -> Any:
        return self.pair(self.kind(x), Record(x))

    @rule(target=pairs, start=pairs, other=pairs, steps=st.lists(STEPS, min_size=1, max_size=6))
    def extend(self, start: Any, other: Any, steps: list[tuple[str, int, int]]) -> Any:
        """Make graphs larger by some steps, whose operands are counted back from the newest: much is used twice."""
        values = [other, start]
        for name, i, j in steps:
            x, y = (values[-1 - k % len(values)] for k in (i, j))
            values.append(self.unary(name, x) if name in UNARY else self.binary(name, x, y))
        return values[-1]

    def unary(self, name: str, of: Any) -> Any:
        node, record = of
        make, value, slope = UNARY[name]
        made = Record(value(record.data), [(record, slope(record.data))], seen=[record.version])
        return self.pair(make(node), made) if abs(made.data) <= LIMIT else of

    def binary(self, name: str, left: Any, right: Any) -> Any:
        (x, a), (y, b) = left, right
        make, value, slopes = BINARY[name]
        partials = zip((a, b), slopes(a.data, b.data), strict=True)
        made = Record(value(a.data, b.data), list(partials), seen=[a.version, b.version])
        return self.pair(make(x, y), made) if abs(made.data) <= LIMIT else left

    @rule(target=pairs, of=pairs)
    def detach(self, of: Any) -> Any:
        """A leaf with the same number, through which nothing passes."""
        return self.pair(of[0].detach(), Record(of[1].data))

    @rule(target=pairs, of=pairs)
    def deep_copy(self, of: Any) -> Any:
        """A separate graph with separate gradients: the record of the copy copies all records on which it depends."""
        return self.pair(copy.deepcopy(of[0]), copy.deepcopy(of[1]))

    @rule(of=pairs, x=numbers())
    def assign(self, of: Any, x: float) -> None:
        """New data for a leaf; a computed node refuses."""
        node, record = of
        if record.inputs:
            with pytest.raises(ValueError, match="its data follows from its inputs"):
                node.data = x
        else:
            node.data = x
            record.data = x
            record.version += 1

    @rule(of=pairs, seed=st.sampled_from([1.0, -2.0, 0.5]))
    def backward(self, of: Any, seed: float) -> None:
        """Adds to every gradient; a stale graph refuses, and changes none."""
        node, record = of
        if record.is_stale():
            with pytest.raises(ad.StaleGraphError):
                node.backward(seed)
        else:
            node.backward(seed)
            record.send(seed)

    @rule(of=consumes(pairs))
    def forget(self, of: Any) -> None:
        """Drop a node; nodes computed from it keep it alive."""

    @rule(of=pairs)
    def zero(self, of: Any) -> None:
        """Gradients are set back one by one."""
        of[0].grad = of[1].grad = None

    @invariant()
    def agree(self) -> None:
        """Numbers agree bit for bit, gradients up to the rounding of shares added in another order."""
        for node, record in self.all:
            assert float(node.data) == record.data
            assert (node.grad is None) == (record.grad is None)
            if record.grad is not None:
                assert float(node.grad) == pytest.approx(record.grad, rel=1e-9, abs=1e-9)


class TensorGraphs(Graphs):
    """The same with Tensors of one number."""

    kind = ad.Tensor


TestValues = Graphs.TestCase
TestTensors = TensorGraphs.TestCase
TestValues.settings = TestTensors.settings = settings(max_examples=60, stateful_step_count=15, deadline=None)
