"""Copies and pickles of nets and optimisers: what belongs together stays together, and apart from the original."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pytest

import nn
from autodiff import Tensor, Value


def scorer(*, scalar: bool) -> nn.WindowScorer:
    """A window scorer that has met two of its three words."""
    net = nn.WindowScorer(np.arange(6.0).reshape(3, 2), window=2, hidden=2, scalar=scalar)
    net([1, 2])
    return net


NETS = {
    f"{name}, scalar={scalar}": lambda make=make, scalar=scalar: make(scalar=scalar)
    for name, make in {
        "neuron": lambda scalar: nn.Neuron(2, scalar=scalar),
        "layer": lambda scalar: nn.Layer(2, 2, scalar=scalar),
        "network": lambda scalar: nn.Network((2, 2, 1), scalar=scalar),
        "recurrent": lambda scalar: nn.Recurrent(2, 2, scalar=scalar),
        "scorer": scorer,
    }.items()
    for scalar in (False, True)
}
nets = pytest.mark.parametrize("make", NETS.values(), ids=NETS)
twins = pytest.mark.parametrize(
    "twin_of", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))], ids=["copy", "pickle"]
)
optimisers = pytest.mark.parametrize("optimiser", [nn.SGD, nn.AdaGrad])


def numbers(parameters: Iterable[Any]) -> list[Any]:
    """The data of parameters as lists."""
    return [np.asarray(item.data).tolist() for item in parameters]


def moved(descent: nn.SGD | nn.AdaGrad, parameters: Iterable[Any]) -> list[Any]:
    """The numbers after a step along gradients that are all 1."""
    for item in parameters:
        item.grad = np.ones(item.shape)
    descent.step()
    return numbers(parameters)


def results(net: Any) -> list[Any]:
    """What a net gives for some input, as lists."""
    made = net({nn.WindowScorer: [1, 2], nn.Recurrent: [[1.0, 2.0]]}.get(type(net), [1.0, 2.0]))
    return numbers(made if isinstance(made, tuple | np.ndarray) else [made])


@nets
@twins
def test_a_copy_of_a_net_has_parameters_of_its_own(make: Callable[[], Any], twin_of: Callable[[Any], Any]) -> None:
    """The same names and numbers, other nodes; what it computes with is what it lists."""
    net = make()
    twin = twin_of(net)
    ours, theirs = net.parameters(), twin.parameters()
    assert list(ours) == list(theirs)
    assert numbers(ours.values()) == numbers(theirs.values())
    assert results(net) == results(twin)
    for item in theirs.values():
        item.data = np.zeros(item.shape)
    assert results(net) == results(make()) != results(twin)


@nets
@twins
@optimisers
def test_a_net_and_its_optimiser_are_copied_together(
    make: Callable[[], Any], twin_of: Callable[[Any], Any], optimiser: type[nn.SGD | nn.AdaGrad]
) -> None:
    """The copied optimiser moves the copied net, on from where it was, and not the original."""
    net = make()
    descent = optimiser(net, rate=0.1)
    before = moved(descent, net.parameters().values())
    twin, following = twin_of((net, descent))
    after = moved(following, twin.parameters().values())
    assert numbers(net.parameters().values()) == before != after
    assert moved(descent, net.parameters().values()) == after  # the caches, too, had come along


@twins
@optimisers
def test_an_optimiser_of_a_list_is_copied_with_its_parameters(
    twin_of: Callable[[Any], Any], optimiser: type[nn.SGD | nn.AdaGrad]
) -> None:
    """In either order within one container, a parameter is copied once."""
    parameters = [Value(1.0), Tensor([1.0, 2.0])]
    descent = optimiser(parameters, rate=0.1)
    moved(descent, parameters)
    (following, theirs), others = twin_of(((descent, parameters), [parameters[1]]))
    assert others[0] is theirs[1]
    after = moved(following, theirs)
    assert numbers(parameters) != after
    assert moved(descent, parameters) == after


@optimisers
def test_a_shallow_copy_moves_the_same_parameters(optimiser: type[nn.SGD | nn.AdaGrad]) -> None:
    """Its rate and its caches are its own from then on: a step of one is no step of the other."""
    x = Value(1.0)
    descent = optimiser([x], rate=0.1)
    other = copy.copy(descent)
    other.rate = 0.2
    moved(other, [x])
    x.data = 1.0
    assert descent.rate == 0.1
    assert moved(descent, [x]) == pytest.approx([0.9], rel=1e-7)  # AdaGrad's first step is α, its second α/√2
