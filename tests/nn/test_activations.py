"""Units with a param by name."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import nn
from autodiff import TABLE, Tensor


@pytest.mark.parametrize("name", ["leaky_relu(0.25)", "leaky_relu(slope=0.25)", " leaky_relu( slope = 2.5e-1 ) "])
def test_a_slope_stands_in_the_name(name: str) -> None:
    """In layers and networks, of Tensors, Values and arrays; copies and pickles keep it."""
    net = nn.Network.of(nn.Layer.of(Tensor([[1.0], [-1.0]]), Tensor([0.0, 0.0]), activation=name))
    for each in (net, copy.deepcopy(net), pickle.loads(pickle.dumps(net)), nn.Network.of(*net.layers)):
        assert np.array_equal(each([2.0]).data, [2.0, -0.5])
    assert np.array_equal(net.plain()([2.0]), [2.0, -0.5])
    assert [a.data for a in net.scalar()([2.0])] == [2.0, -0.5]
    f = nn.unit(name)
    assert nn.unit(f.name) == f  # type: ignore[attr-defined]
    assert repr(net) == "Network(Layer(1, 2, leaky_relu(slope=0.25), number=1))"
    assert nn.Network((1, 2, 1), activation=name).layers[0].activation == f


def test_without_a_param_the_table_serves() -> None:
    """A slope of 0.01, as documented."""
    assert nn.unit("leaky_relu") is TABLE["leaky_relu"]
    assert nn.unit("elu(0.5)")(-np.inf) == -0.5


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("leaky(0.1)", r"unknown activation 'leaky' in 'leaky\(0\.1\)' \(must be one of"),
        ("tanh(0.1)", r"tanh has no param, and got 'tanh\(0\.1\)'"),
        ("leaky_relu(alpha=0.1)", "leaky_relu has the param slope, and got"),
        ("leaky_relu()", "takes one finite number as its slope"),
        ("leaky_relu(inf)", "takes one finite number as its slope"),
        ("leaky_relu(0.1, 0.2)", "takes one finite number as its slope"),
        ("leaky_relu(0.1", "takes one finite number as its slope"),
    ],
)
def test_wrong_names_are_told(name: str, said: str) -> None:
    """Units, params and numbers."""
    with pytest.raises(ValueError, match=said):
        nn.unit(name)
