"""Nets: parameters by name, in three forms, saved and loaded; methods that a subclass must define."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

import nn
from autodiff import Tensor, Value
from nn.modules.module import Module
from tests.nn.test_copies import nets, numbers, results


def same(state: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two states hold the same keys and numbers."""
    return list(state) == list(other) and all(np.array_equal(array, other[key]) for key, array in state.items())


@nets
def test_a_net_is_a_module(make: Callable[[], Any]) -> None:
    """Each parameter is found by its name."""
    net = make()
    assert isinstance(net, nn.Module)
    assert all(net.parameter(str(name)) is item for name, item in net.parameters().items())


@nets
def test_every_form_computes_the_same(make: Callable[[], Any]) -> None:
    """Values, Tensors and plain arrays hold the same numbers and give the same results."""
    net = make()
    for form, kind in ((net.scalar(), Value), (net.tensor(), Tensor), (net.plain(), np.ndarray)):
        assert same(form.state(), net.state())
        assert np.allclose(results(form), results(net), rtol=1e-14)
        assert all(isinstance(item, kind) for item in form.parameters().values())


@nets
def test_what_was_saved_is_loaded(make: Callable[[], Any]) -> None:
    """A state of other numbers comes in, into the same nodes."""
    net = make()
    nodes, fresh = list(net.parameters().values()), {key: array + 1.0 for key, array in net.state().items()}
    net.load(fresh)
    assert same(net.state(), fresh)
    assert all(item is node for item, node in zip(net.parameters().values(), nodes, strict=True))


def test_networks_nest() -> None:
    """A network is a layer of another one, in every form and in the state."""
    inner = nn.Network.of(nn.Layer(2, 3, number=2), nn.Layer(3, 1, number=3))
    net = nn.Network.of(nn.Layer(2, 2), inner)
    assert list(net.state()) == ["W(1)", "b(1)", "W(2)", "b(2)", "W(3)", "b(3)"]
    assert net.predict([1.0, 2.0]) == pytest.approx(numbers([net([1.0, 2.0])])[0], rel=1e-15)


def test_errors_name_the_method_that_a_subclass_must_define() -> None:
    """The error names the method when it is first needed."""

    class Half(Module):
        pass

    class Still(nn.Optimizer):
        pass

    net, still = Half(), Still([], rate=0.1)
    for call, words in (
        (net.parameters, r"Half has no blocks of parameters; define blocks\(\)"),
        (net.plain, r"Half cannot be converted to other blocks; define _kept_as\(\)"),
        (still.step, r"Still cannot move its parameters; define step\(\)"),
    ):
        with pytest.raises(NotImplementedError, match=rf"^{words}$"):
            call()
