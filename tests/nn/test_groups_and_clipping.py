"""Groups of parameters by patterns of their names, and clipped gradients."""

from __future__ import annotations

import copy
import math
from typing import Any

import numpy as np
import pytest

import nn
from autodiff import Tensor, Value
from nn import rates
from tests.support.interrupts import states


def moved(net: Any, **options: Any) -> dict[str, np.ndarray[Any, Any]]:
    """How far each block moves against gradients that are all 1."""
    before = net.state()
    for x in net.parameters().values():
        x.grad = np.ones(x.shape)
    nn.SGD(net, **options).step()
    return {key: before[key] - array for key, array in net.state().items()}


def scorer(scalar: bool) -> nn.WindowScorer:
    """A scorer all of whose weights are 1, which has met all of its words."""
    net = nn.WindowScorer(np.ones((2, 2)), window=2, hidden=2, scalar=scalar)
    net.load({key: np.ones_like(array) for key, array in net.state().items()})
    net([0, 1])
    return net


@pytest.mark.parametrize("scalar", [False, True])
def test_each_group_has_settings_of_its_own(scalar: bool) -> None:
    """A pattern takes the entries of its arrays too; what it does not set is as usual."""
    groups = {"b*": {"decay": 0.0}, "L": {"rate": 0.5}, "W⁽¹⁾": {"rate": rates.constant(0.25), "decay": 1.0}}
    found = moved(scorer(scalar), rate=0.1, decay=2.0, groups=groups)
    for key, distance in {"b(1)": 0.1 * 1.0, "L": 0.5 * 3.0, "W(1)": 0.25 * 2.0, "U": 0.1 * 3.0}.items():
        np.testing.assert_allclose(found[key], distance, rtol=1e-12)


def test_a_later_pattern_overrides_an_earlier_one() -> None:
    """Setting by setting."""
    groups = {"*": {"rate": 0.5, "decay": 1.0}, "b(1)": {"rate": 0.25}}
    found = moved(scorer(False), rate=0.1, groups=groups)
    assert found["U"].tolist() == [1.0, 1.0]
    assert found["b(1)"].tolist() == [0.5, 0.5]


def test_a_single_entry_may_be_a_group() -> None:
    """By its name in a net of Values, in ASCII or as printed."""
    for pattern in ("W12(1)", "W₁₂⁽¹⁾", "W12*"):
        net = nn.Network((2, 1), scalar=True)
        net.load({"W(1)": np.ones((1, 2)), "b(1)": [0.0]})
        found = moved(net, rate=0.125, groups={pattern: {"rate": 0.5}})
        assert found["W(1)"].tolist() == [[0.125, 0.5]]


def test_names_of_dicts_and_places_of_lists() -> None:
    """Keys of any kind, and places counted from 0."""
    for parameters in ({"left": Value(1.0), "right": Value(1.0)}, [Value(1.0), Value(1.0)]):
        nodes = [*parameters.values()] if isinstance(parameters, dict) else parameters
        descent = nn.SGD(parameters, rate=0.125, groups={"[r1]*": {"rate": 0.5}})
        for x in nodes:
            x.grad = 1.0
        descent.step()
        assert [x.data for x in nodes] == [0.875, 0.5]


def test_hyperparameters_of_a_group() -> None:
    """Any setting of the formula."""
    x, y = Value(0.0), Value(0.0)
    descent = nn.Momentum({"x": x, "y": y}, rate=1.0, mu=0.5, groups={"y": {"mu": 0.0}})
    for _ in range(2):
        x.grad = y.grad = 1.0
        descent.step()
    assert (x.data, y.data) == (-2.5, -2.0)


@pytest.mark.parametrize(
    ("groups", "kind", "words"),
    [
        ({"c*": {"rate": 0.5}}, ValueError, "the group 'c*' matches no parameter; their names are L, W(1), b(1), U"),
        ({"b*": {"momentum": 0.5}}, TypeError, "SGD has no setting 'momentum'; its settings are rate, decay"),
        ({"b*": {"rate": 0.0}}, ValueError, "the learning rate must be a positive finite number, and got 0.0"),
        ({"b*": {"rate": None}}, TypeError, "the learning rate must be a positive number, and got None"),
        ({"b*": 0.5}, TypeError, "groups must be a dict of patterns and settings, such as {'b*': dict(decay=0.0)}"),
        ([{"rate": 0.5}], TypeError, "groups must be a dict of patterns and settings"),
        ({3: {"rate": 0.5}}, TypeError, "groups must be a dict of patterns and settings"),
    ],
)  # fmt: skip
def test_wrong_groups(groups: Any, kind: type[Exception], words: str) -> None:
    """When the optimiser is made."""
    with pytest.raises(kind) as error:
        nn.SGD(scorer(False), rate=0.1, groups=groups)
    assert words in str(error.value)


def test_a_group_of_words_that_come_later() -> None:
    """The array L is known before its first Values are; words that are met later are in its group."""
    net = nn.WindowScorer(np.ones((3, 1)), 1, 2, scalar=True)
    descent = nn.SGD(net, rate=0.1, groups={"L": {"rate": 0.5}})
    for word in (0, 2):
        net([word])
        descent.zero_grad()
        for x in net.parameters().values():
            x.grad = 1.0
        descent.step()
    assert net.state()["L"].tolist() == [[0.0], [1.0], [0.5]]


def test_a_new_rate_is_scaled_at_once() -> None:
    """Groups choose anew after a change of the rate: 1/√n_in holds from the next step on."""
    W = Tensor(np.zeros((1, 4)))
    W.grad = np.ones((1, 4))
    descent = nn.SGD({"W(1)": W}, rate=1.0, groups={"W*": {"decay": 0.0}})
    descent.step()
    descent.rate = rates.by_fan_in(1.0)
    descent.step()
    assert W.data.tolist() == [[-1.5] * 4]


# ---- clipping --------------------------------------------------------------------------------------------------------


def leaves() -> list[Any]:
    """A Value and two Tensors with the gradients 3, (0, 4) and 12, and a Value without: the norm is 13."""
    x, y, z, rest = Value(1.0, name="x"), Tensor([1.0, 2.0], name="y"), Tensor(1.0, name="z"), Value(1.0)
    x.grad, y.grad, z.grad = 3.0, np.array([0.0, 4.0]), 12.0
    return [x, y, z, rest]


def grads(nodes: list[Any]) -> list[Any]:
    """The gradients as lists."""
    return [None if x.grad is None else np.asarray(x.grad).tolist() for x in nodes]


def test_all_gradients_share_one_factor() -> None:
    """The direction stays; the norm before is returned; below the bound, and for inf, nothing changes."""
    nodes = leaves()
    for most in (math.inf, 13.0):
        assert nn.clip_norm(nodes, most) == 13.0
        assert grads(nodes) == [3.0, [0.0, 4.0], 12.0, None]
    assert nn.clip_norm(nodes, 6.5) == 13.0
    assert grads(nodes) == [1.5, [0.0, 2.0], 6.0, None]
    assert type(nodes[0].grad) is float
    assert nodes[2].grad.shape == ()
    assert nn.clip_norm([], 1.0) == 0.0
    assert nn.clip_norm([nodes[0], nodes[0]], 1.0) == 1.5  # listed twice, it counts once
    assert nodes[0].grad == 1.0
    assert nn.clip_norm([nodes[3]], 1.0) == 0.0


@pytest.mark.parametrize("size", [1e200, 1e-200, 5e-324, 1e308])
def test_norms_whose_squares_overflow_or_vanish(size: float) -> None:
    """The norm is right to the last digits that its numbers have."""
    x, y = Tensor([size, 0.0]), Value(1.0)
    x.grad, y.grad = np.array([size, 0.0]), size
    assert nn.clip_norm([x, y], size / 2 if size > 1e-300 else math.inf) == pytest.approx(math.hypot(size, size))
    if size > 1e-300:
        assert math.hypot(x.grad[0], y.grad) == pytest.approx(size / 2)


def test_gradients_in_single_precision_stay_so() -> None:
    """Their type is that of the parameter."""
    x = Tensor(np.ones(2, np.float32))
    x.grad = np.array([3e30, 4e30], np.float32)
    assert nn.clip_norm([x], 5.0) == pytest.approx(5e30, rel=1e-6)
    assert x.grad.dtype == np.float32
    assert x.grad.tolist() == pytest.approx([3.0, 4.0], rel=1e-6)
    nn.clip_value([x], 3.5)
    assert x.grad.dtype == np.float32
    assert x.grad.tolist() == pytest.approx([3.0, 3.5], rel=1e-6)


def test_each_number_by_its_value() -> None:
    """Infinities become the bound; a net, a dict and a list are taken."""
    nodes = leaves()
    nodes[0].grad = -math.inf
    nn.clip_value({"x": nodes[0], "y": nodes[1], "z": nodes[2], "rest": nodes[3]}, 3.5)
    assert grads(nodes) == [-3.5, [0.0, 3.5], 3.5, None]
    net = nn.Network((2, 1))
    for x in net.parameters().values():
        x.grad = np.full(x.shape, 8.0)
    nn.clip_value(net, 2.0)
    assert net.parameter("b(1)").grad.tolist() == [2.0]
    assert nn.clip_norm(net, 1.0) == pytest.approx(math.sqrt(12.0))


def test_gradients_that_are_not_finite_are_not_clipped() -> None:
    """Neither by norm, nor nan by value: one sentence, and no gradient has changed."""
    for wrong in (math.nan, math.inf):
        nodes = leaves()
        nodes[1].grad = np.array([1.0, wrong])
        with pytest.raises(ValueError, match="the norm of the gradients is not finite, so they cannot be clipped"):
            nn.clip_norm(nodes, 1.0)
        assert nodes[0].grad == 3.0
    nodes[1].grad = np.array([1.0, math.nan])
    with pytest.raises(ValueError, match="the gradient of y holds nan, which cannot be clipped"):
        nn.clip_value(nodes, 1.0)
    assert nodes[0].grad == 3.0
    descent = nn.SGD(nodes, rate=0.1, clip=1.0)
    with pytest.raises(ValueError, match="the norm of the gradients is not finite"):
        descent.step()
    assert (nodes[0].data, descent.t) == (1.0, 0)


@pytest.mark.parametrize("clip", [nn.clip_norm, nn.clip_value])
def test_wrong_bounds_and_parameters(clip: Any) -> None:
    """A bound is positive; parameters are those of an optimiser."""
    for wrong in (0.0, -1.0, math.nan):
        with pytest.raises(ValueError, match=r"the (norm|value) must be a positive finite number, and got"):
            clip(leaves(), wrong)
    for kind in (True, None, "1"):
        with pytest.raises(TypeError, match=r"the (norm|value) must be a positive number, and got"):
            clip(leaves(), kind)
    with pytest.raises(TypeError, match="a dict or list of Values and Tensors"):
        clip(3, 1.0)


def test_an_optimiser_clips_without_changing_gradients() -> None:
    """Its step is that along the clipped ones; those of parameters not reached do not count."""
    for many in (0, 40):
        nodes = [*leaves(), *(Value(1.0) for _ in range(many))]
        for x in nodes[4:]:
            x.grad = 0.0
        before = [np.asarray(x.data).tolist() for x in nodes[:4]]
        nn.SGD(nodes, rate=1.0, clip=6.5, groups={"2": {"rate": 0.5}}).step()
        after = [np.asarray(x.data).tolist() for x in nodes[:4]]
        assert grads(nodes[:4]) == [3.0, [0.0, 4.0], 12.0, None]
        assert before == [1.0, [1.0, 2.0], 1.0, 1.0]
        assert after == [-0.5, [1.0, 0.0], -2.0, 1.0]


@pytest.mark.parametrize("clip", [nn.clip_norm, nn.clip_value])
def test_gradients_are_clipped_all_or_none(clip: Any) -> None:
    """Before every bytecode, where Ctrl-C may come."""
    nodes = leaves()
    assert len(states(lambda: clip(nodes, 1.0), lambda: grads(nodes))) == 2


def test_a_copy_with_another_rate_leaves_the_rates_of_the_first() -> None:
    """They shared the choice of groups, in which 1/√n_in is."""
    W = Tensor([[0.0, 0.0, 0.0, 0.0]])
    first = nn.SGD({"W": W}, rate=nn.rates.by_fan_in(0.1), groups={"W": {"decay": 0.0}})
    second = copy.copy(first)
    second.rate = 0.1
    W.grad = np.ones((1, 4))
    second.step()
    W.data = np.zeros((1, 4))
    first.step()
    assert W.data.tolist() == [[-0.05] * 4]
