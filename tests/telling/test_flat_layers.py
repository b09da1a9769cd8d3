"""The share of flat activations in each layer is told, of Values, Tensors and batches."""

from __future__ import annotations

import numpy as np

import nn
from autodiff import Node
from autodiff.telling.explain import explain

X = [6.0, -5.0]


def network(activation: str = "tanh") -> nn.Network:
    """A network of 2, 4, 3 and 1 units in which z⁽²⁾ of X is 6, −5, 0.6 and 0.5, and z⁽³⁾ is near 0."""
    net = nn.Network((2, 4, 3, 1), activation=activation)
    W = np.array([[1.0, 0.0], [0.0, 1.0], [0.1, 0.0], [0.0, -0.1]])
    net.load({**net.state(), "W(1)": W, "W(2)": net.state()["W(2)"] * 0.01})
    return net


def told(output: Node, parameter: Node) -> list[str]:
    """The lines about flat activations."""
    output.backward()
    return [line for line in str(explain(output, parameter)).splitlines() if "Flat activations" in line]


def test_the_share_of_flat_units_is_told_for_each_layer() -> None:
    """Two of four tanh units in layer 2; units beside the paths count; layers without flat units are not mentioned."""
    net = network().scalar()
    lines = told(net(X), net.parameter("W11(1)"))
    assert len(lines) == 1
    assert lines[0].startswith("Flat activations in layer 2: 2 of 4 (50 %), where")


def test_tensors_count_the_numbers_of_a_batch_and_of_both_windows() -> None:
    """Two of four in the first row, none in the second; a suffix does not hide the layer."""
    net = network()
    batch = net([X, [0.0, 0.0]]).sum()
    assert told(batch, net.parameter("W(1)"))[0].startswith("Flat activations in layer 2: 2 of 8 (25 %), where")
    both = (net(X) - net([0.0, 0.0], suffix="_c")).sum()
    assert told(both, net.parameter("W(1)"))[0].startswith("Flat activations in layer 2: 2 of 8 (25 %), where")


def test_units_that_cannot_saturate_are_not_mentioned() -> None:
    """A closed ReLU is another matter, and an ordinary network has no flat units."""
    for net in (network("relu"), nn.Network((2, 4, 3, 1))):
        assert told(net([0.1, 0.2]).sum(), net.parameter("W(1)")) == []
