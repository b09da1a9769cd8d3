"""Names of nodes in attributes of objects."""

from __future__ import annotations

import sys

from autodiff import Value
from autodiff.flow import error_flow
from autodiff.flow.variable_names import names_in


class Neuron:
    """Weights in a list, a secret, and a property that must not run."""

    def __init__(self) -> None:
        self.w = [Value(1.0), Value(2.0)]
        self._secret = Value(3.0)

    @property
    def broken(self) -> Value:
        """Reading this fails."""
        raise RuntimeError


class Layer:
    """Neurons in a slot, beside an empty slot."""

    __slots__ = ("empty", "neurons")

    def __init__(self) -> None:
        self.neurons = (Neuron(), Neuron())


def test_objects_are_searched_by_attribute_and_slot() -> None:
    """Without running code, and without looking into modules, classes or this package's flows."""
    layers = [Layer()]
    weight = layers[0].neurons[1].w[1]
    earlier = error_flow(weight * 2.0, weight)
    found = names_in({"earlier": earlier, "sys": sys, "Layer": Layer, "many": [0.0] * 200_000, "layers": layers})
    assert found[weight] == "layers[0].neurons[1].w[1]"
    assert len(found) == 4
