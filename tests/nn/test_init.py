"""Initial weights by name or callable, and units that never differ."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nn
from nn.parameters.init import identity

IN, OUT = 300, 200
VARIANCES = {
    nn.xavier: 2 / (IN + OUT), nn.xavier_normal: 2 / (IN + OUT), nn.he: 2 / IN, nn.he_normal: 2 / IN,
}  # fmt: skip


def zeros(_random: np.random.Generator, fan_in: int, fan_out: int) -> Any:
    """All weights 0."""
    return np.zeros((fan_out, fan_in))


def ones(_random: np.random.Generator, fan_in: int, fan_out: int) -> Any:
    """All weights 1."""
    return np.ones((fan_out, fan_in))


@pytest.mark.parametrize("init", [*VARIANCES], ids=lambda init: init.__name__)
def test_weights_have_the_mean_variance_and_tails_of_their_source(init: Callable[..., Any]) -> None:
    """Mean 0 and the named variance within five standard errors; normal weights leave the bounds of uniform ones."""
    W = init(np.random.default_rng(1), IN, OUT)
    variance, is_normal = VARIANCES[init], init.__name__.endswith("normal")
    assert W.shape == (OUT, IN)
    assert abs(W.mean()) < 5 * math.sqrt(variance / W.size)
    assert abs(W.var() / variance - 1) < 5 * math.sqrt((2.0 if is_normal else 0.8) / W.size)
    assert (np.abs(W).max() > math.sqrt(3 * variance)) == is_normal


def test_the_default_is_xavier_and_names_are_functions() -> None:
    """A name, its function and a callable that calls it draw the same bits; without init, they are those of xavier."""
    for name, init in (("xavier", nn.xavier), ("xavier_normal", nn.xavier_normal), ("he", nn.he)):
        by_name = nn.Network((3, 4, 2), init=name).state()
        for other in (init, lambda random, n, m, init=init: init(random, n, m)):
            assert all(np.array_equal(by_name[key], x) for key, x in nn.Network((3, 4, 2), init=other).state().items())
    default, random = nn.Network((3, 4, 2)).state(), np.random.default_rng(0)
    assert np.array_equal(default["W(1)"], nn.xavier(random, 3, 4))
    assert np.array_equal(default["W(2)"], nn.xavier(random, 4, 2))


def test_he_counts_the_inputs_of_each_layer() -> None:
    """Layers, networks and recurrent networks pass (n_in, n_out) in this order."""
    seen: list[tuple[int, int]] = []

    def watched(random: np.random.Generator, fan_in: int, fan_out: int) -> Any:
        seen.append((fan_in, fan_out))
        return nn.he(random, fan_in, fan_out)

    nn.Network((5, 3, 2), init=watched)
    nn.Layer(7, 4, init=watched, scalar=True)
    nn.Recurrent(2, 3, 1, init=watched)
    assert seen == [(5, 3), (3, 2), (7, 4), (3, 3), (2, 3), (3, 1)]


def test_identity_weights_of_recurrent_units_keep_the_state() -> None:
    """W = I; V and U are drawn, so that units differ, and ReLU units then remember a first input unchanged."""
    net = nn.Recurrent(2, 3, init="identity", activation="relu").plain()
    assert np.array_equal(net.W, np.eye(3))
    outputs = net([[0.3, -0.8], [0.0, 0.0], [0.0, 0.0]])
    assert np.array_equal(outputs[0], outputs[2])
    assert np.any(outputs[0] != 0)


# ---- units that never differ -----------------------------------------------------------------------------------------


def test_units_of_equal_weights_stay_equal_and_are_named() -> None:
    """The warning names the units, and 20 steps of training leave them what they were: one unit."""
    with pytest.warns(UserWarning, match="equal weights stay equal in training: a₁⁽²⁾, a₂⁽²⁾, a₃⁽²⁾; draw") as w:
        net = nn.Network((2, 3, 1), init=ones)
    assert w[0].filename == __file__
    descent = nn.SGD(net, rate=0.1)
    for _ in range(20):
        descent.zero_grad()
        net([0.3, -0.8]).sum().backward()
        descent.step()
    assert [[str(name) for name in group] for group in nn.twins(net)] == [["a₁⁽²⁾", "a₂⁽²⁾", "a₃⁽²⁾"]]


def test_units_that_differ_in_any_weight_are_not_twins() -> None:
    """One incoming weight, one bias or one outgoing weight suffices; −0 equals 0; outputs are not compared."""
    equal = {key: np.zeros_like(x) for key, x in nn.Network((2, 3, 2)).state().items()}
    for key, place in (("W(1)", (1, 0)), ("b(1)", (1,)), ("W(2)", (0, 1))):
        net = nn.Network((2, 3, 2))
        changed = {name: x.copy() for name, x in equal.items()}
        changed[key][place] = 0.5
        changed["b(1)"][0] = -0.0
        net.load(changed)
        for kept in (net, net.scalar(), net.plain()):
            assert [[str(name) for name in group] for group in nn.twins(kept)] == [["a₁⁽²⁾", "a₃⁽²⁾"]]


def test_recurrent_units_and_scorers_are_compared_too() -> None:
    """Equal recurrent weights are twins even if W is the identity; different weights of W part them."""
    with pytest.warns(UserWarning, match="h₁, h₂, h₃; draw") as w:
        net = nn.Recurrent(2, 3, init=ones)
    assert w[0].filename == __file__
    W = np.eye(3)
    net.load({**net.state(), "W": W})
    assert len(nn.twins(net)) == 1
    W[0, 1] = 0.5  # unit 2 speaks to unit 1 alone: only units 1 and 3, or 2 and 3, could be alike, and are not
    net.load({**net.state(), "W": W})
    assert nn.twins(net) == []
    scorer = nn.WindowScorer(np.ones((3, 2)), window=1, hidden=2)
    assert nn.twins(scorer) == []
    scorer.load({key: np.zeros_like(x) for key, x in scorer.state().items()})
    assert [str(name) for name in nn.twins(scorer)[0]] == ["a₁⁽²⁾", "a₂⁽²⁾"]


def test_drawn_weights_give_no_warning() -> None:
    """One hidden unit, one layer and drawn weights are no fault."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        nn.Network((2, 1, 1), init=ones)
        nn.Network((2, 3), init=zeros)
        nn.Network((3, 3, 3), init="he")


@pytest.mark.parametrize(
    ("init", "kind", "said"),
    [
        ("hee", ValueError, r"unknown init 'hee' .*did you mean 'he'\?"),
        (3, TypeError, "init must be a name, such as 'he', or a callable"),
        (lambda random, n, m: np.zeros((n, m)), ValueError, r"plain numbers of shape \(2, 3\), a row for each unit"),
        (lambda random, n, m: np.full((m, n), np.nan), ValueError, "finite weights, and returned nan"),
        ("identity", ValueError, "as many inputs as units, and got 3 inputs and 2 units"),
    ],
)
def test_wrong_inits_are_told(init: Any, kind: type[Exception], said: str) -> None:
    """Unknown names, other kinds, and weights of a wrong shape."""
    with pytest.raises(kind, match=said):
        nn.Network((3, 2), init=init)
    with pytest.raises(TypeError, match=r"twins takes a net with blocks\(\)"):
        nn.twins(3)
    with pytest.raises(ValueError, match="at least 1"):
        identity(np.random.default_rng(0), 0, 0)
