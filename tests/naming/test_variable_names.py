"""Names of nodes in attributes of objects."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest

from autodiff import Value
from autodiff.flow import error_flow
from autodiff.naming.variable_names import names_in


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


def test_modules_and_objects_are_searched() -> None:
    """A user's module among the variables or instead of them; not the modules inside it, nor those of Python."""
    model, inner = ModuleType("model"), ModuleType("inner")
    net = Layer()
    vars(model).update(net=net, rate=Value(0.5), inner=inner, _hidden=Value(1.0))
    vars(inner).update(far=Value(2.0))
    found = names_in({"model": model, "sys": sys})
    assert found[net.neurons[0].w[1]] == "model.net.neurons[0].w[1]"
    assert sorted(found.values())[-1] == "model.rate"
    assert len(found) == 5
    assert sorted(names_in(model).values())[-1] == "rate"
    assert names_in(net)[net.neurons[1].w[0]] == "neurons[1].w[0]"
    rate = vars(model)["rate"]
    assert error_flow(rate * 2.0, rate, names=model).parameter.label == "rate"


@pytest.mark.parametrize("names", [5, "x", ["x"], Layer, Value(1.0)])
def test_what_has_no_variables_is_refused(names: Any) -> None:
    """Numbers, texts, lists, classes and nodes."""
    with pytest.raises(TypeError, match=r"expected names as a mapping from strings to nodes, such as locals\(\), but"):
        names_in(names)
