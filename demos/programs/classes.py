"""Nets of scalars in the style of micrograd, as learners write them: a neuron, a layer, and a net of layers."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import pairwise

import autodiff as ad
from autodiff import Value

__all__ = ["MLP"]


class _Neuron:
    def __init__(self, inputs: int, random_numbers: random.Random) -> None:
        self.w = [Value(random_numbers.uniform(-1, 1)) for _ in range(inputs)]
        self.b = Value(0.0)

    def __call__(self, x: Sequence[Value]) -> Value:
        total: Value = sum((w * item for w, item in zip(self.w, x, strict=True)), self.b)
        active: Value = ad.tanh(total)
        return active


class MLP:
    """A net of tanh neurons; it names nothing."""

    def __init__(self, *sizes: int) -> None:
        random_numbers = random.Random(1)
        pairs = pairwise(sizes)
        self.layers = [[_Neuron(inputs, random_numbers) for _ in range(units)] for inputs, units in pairs]

    def __call__(self, x: Sequence[Value]) -> list[Value]:
        for layer in self.layers:
            x = [neuron(x) for neuron in layer]
        return list(x)
