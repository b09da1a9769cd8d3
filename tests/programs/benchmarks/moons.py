"""Scalar graphs: one training step on the two moons, a 2-16-16-1 ReLU net written with Python's own operators.

The same code runs on any engine's scalars: only the class differs, and what a neuron calls to add up.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import autodiff as ad
from autodiff.system.extras import install

__all__ = ["contenders", "samples"]

RATE = 0.01
SIZES = (2, 16, 16, 1)
Sum = Callable[[Sequence[Any], Sequence[Any], Any], Any]


def samples(count: int) -> list[tuple[tuple[float, float], float]]:
    """Points and labels ±1; the positions of the points do not affect the time."""
    generator = random.Random(0)
    return [((generator.gauss(0, 1), generator.gauss(0, 1)), generator.choice((-1.0, 1.0))) for _ in range(count)]


def contenders(count: int) -> dict[str, Callable[[], object]]:
    """A step over ``count`` samples for each engine that is installed."""
    data = samples(count)
    steps = {
        "autodiff": step_on(ad.Value, data, added_one_by_one),
        "autodiff, weighted_sum": step_on(ad.Value, data, ad.weighted_sum, wrap_inputs=False),
    }
    try:
        from micrograd.engine import Value
    except ImportError:
        print(f"  (micrograd is not installed: {install('peers')})")
    else:
        steps["micrograd"] = step_on(Value, data, added_one_by_one)
    return steps


def added_one_by_one(weights: Sequence[Any], inputs: Sequence[Any], bias: Any) -> Any:
    """w₁x₁ + w₂x₂ + … + b in binary operations, as in micrograd's neuron."""
    return sum((w * x for w, x in zip(weights, inputs, strict=True)), bias)


def step_on(kind: type, data: list[Any], add_up: Sum, *, wrap_inputs: bool = True) -> Callable[[], object]:
    """Hinge losses and an L2 penalty, backward, and a step downhill, on scalars of the class ``kind``."""
    generator = random.Random(1)
    layers = [
        [([kind(generator.uniform(-1, 1)) for _ in range(n)], kind(0.0)) for _ in range(m)]
        for n, m in pairwise(SIZES)
    ]
    parameters = [p for layer in layers for weights, bias in layer for p in (*weights, bias)]

    def score(point: Sequence[float]) -> Any:
        signals: list[Any] = [kind(x) for x in point] if wrap_inputs else list(point)
        for depth, layer in enumerate(layers):
            sums = [add_up(weights, signals, bias) for weights, bias in layer]
            signals = sums if depth == len(layers) - 1 else [z.relu() for z in sums]
        return signals[0]

    def step() -> object:
        losses = [(1.0 + score(point) * -label).relu() for point, label in data]
        total = sum(losses) * (1.0 / len(losses)) + sum(p * p for p in parameters) * 1e-4
        for p in parameters:
            p.grad = 0.0
        total.backward()
        for p in parameters:
            p.data -= RATE * p.grad
        return total.data

    return step
