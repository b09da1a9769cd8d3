"""Traced torch programs have torch's values and gradients, and what cannot be traced is named."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from autodiff.draw import see
from autodiff.explain import explain
from autodiff.foreign.from_torch import from_torch

pytestmark = pytest.mark.peer

torch = pytest.importorskip("torch")
F = torch.nn.functional


def _leaf(*shape: int, seed: int = 0) -> Any:
    numbers = np.random.default_rng(seed).uniform(0.2, 0.9, shape)
    return torch.tensor(numbers, requires_grad=True)


def _net() -> Any:
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Tanh(), torch.nn.Linear(3, 2)).double()


def _window(m: Any, w: Any) -> Any:
    """The window scorer's objective; its margin is an addend that torch does not record."""
    scores = [torch.tanh(m @ row) @ w[0, :3] for row in (w[1], w[2])]
    return F.relu(1 - scores[0] + scores[1])


PROGRAMS: dict[str, Callable[[Any, Any], Any]] = {
    "broadcasting": lambda m, w: ((m * w[0] - w[:, 1:2]) / (w + 2)).mean(),
    "cross-entropy with weights": lambda m, w: F.cross_entropy(
        m @ w.T, torch.tensor([0, 1, 2]), weight=torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64)
    ),
    "embedding": lambda m, w: F.embedding(torch.tensor([1, 2, 1]), w).mul(m).sum(),
    "hinge": _window,
    "indexing": lambda m, w: (m[torch.tensor([0, 2]), torch.tensor([1, 1])] * w[::2, 1]).sum() + m[1, -1] * w[-1, 0],
    "layers of activations": lambda m, w: F.softplus(F.gelu(m @ w.T)).sub(F.elu(-m).sum()).pow(2).sum(),
    "maximum": lambda m, w: (torch.maximum(m, w).amax(1) * m.max(0).values[:3]).sum(),
    "mean squared error": lambda m, w: F.mse_loss(torch.sigmoid(m @ w.T), torch.eye(3, dtype=torch.float64)),
    "reused parameter": lambda m, w: (m * m + m.exp().log1p() * w + m).sum(),
    "softmax": lambda m, w: (torch.softmax(m, 1) * w).sum().log(),
    "stacked": lambda m, w: torch.cat([m, w]).t().reshape(-1).square().unsqueeze(0).squeeze().sum(),
}


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_gradients_are_those_of_torch(program: Callable[[Any, Any], Any]) -> None:
    """Of whole leaves and of one element of each."""
    leaves = _leaf(3, 4), _leaf(3, 4, seed=1)
    loss = program(*leaves)
    traced = from_torch(loss)
    assert float(traced.output.data) == pytest.approx(loss.item(), rel=1e-12)
    slopes = torch.autograd.grad(loss, leaves, retain_graph=True)
    traced.output.backward()
    for leaf, slope in zip(leaves, slopes, strict=True):
        np.testing.assert_allclose(traced.node(leaf).grad, slope.numpy(), rtol=1e-12, atol=1e-12)
        one = from_torch(loss, leaf[2, 1])
        one.output.backward()
        assert one.parameter is not None
        assert float(one.parameter.grad or 0.0) == pytest.approx(slope[2, 1].item(), rel=1e-12, abs=1e-12)


def test_a_network_is_seen_and_explained() -> None:
    """With the module's names; a picture of one weight, its explanation, and one of a whole matrix."""
    net = _net()
    loss = F.cross_entropy(net(_leaf(2, 4).detach()), torch.tensor([0, 1]))
    drawing = see(loss, net[0].weight[0, 3], names=net)
    whole = see(loss, net[0].weight, names=net)
    assert drawing.flow is not None
    assert whole.flow is not None
    told = explain(loss, net[0].weight[0, 3], names={"net": net})
    loss.backward()
    slope = net[0].weight.grad
    assert "0.weight[0, 3]" in drawing.picture.title
    assert "net.0.weight[0, 3]" in told.text()
    assert drawing.flow.gradient == pytest.approx(slope[0, 3].item(), rel=1e-12)
    assert told.gradient == pytest.approx(slope[0, 3].item(), rel=1e-12)
    np.testing.assert_allclose(whole.flow.gradient, slope.numpy(), rtol=1e-12)


def test_one_weight_of_a_large_network_keeps_arrays() -> None:
    """A graph of single numbers would be too large to read."""
    w = _leaf(80, 40)
    loss = torch.tanh(w @ w.T).sum()
    traced = from_torch(loss, w[7, 5])
    traced.output.backward()
    assert traced.parameter is not None
    [slope] = torch.autograd.grad(loss, w)
    assert float(traced.parameter.grad) == pytest.approx(slope[7, 5].item(), rel=1e-12)


def test_one_weight_of_a_large_network_may_be_zero() -> None:
    """The node of the weight is the one in the graph, whatever its value."""
    w = _leaf(80, 40)
    with torch.no_grad():
        w[7, 5] = 0.0
    loss = torch.tanh(w @ w.T).sum()
    traced = from_torch(loss, w[7, 5])
    traced.output.backward()
    assert traced.parameter is not None
    [slope] = torch.autograd.grad(loss, w)
    assert float(traced.parameter.grad) == pytest.approx(slope[7, 5].item(), rel=1e-12)


def test_an_operation_without_an_equal_is_named() -> None:
    loss = torch.lgamma(_leaf(3, 4)).sum()
    with pytest.raises(ValueError, match=r"cannot trace LgammaBackward0 .*set_detect_anomaly"):
        from_torch(loss)
    with torch.autograd.set_detect_anomaly(True), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it is slow
        loss = torch.lgamma(_leaf(3, 4)).sum()
    with pytest.raises(ValueError, match=r"cannot trace LgammaBackward0 .*\(test_from_torch.py, line \d+, in test_"):
        from_torch(loss)


def test_a_constant_that_nothing_determines_is_named() -> None:
    """The gate is closed, so torch saved zeros only."""
    with pytest.raises(ValueError, match=r"cannot trace RsubBackward1.*requires_grad=True"):
        from_torch(F.relu(1 - _leaf(3).exp() * 9).sum())


def test_a_leaf_that_changed_in_place_is_refused() -> None:
    """By torch's version counter where the tensor was saved, or else by the value of the loss."""
    for program in (lambda w: w.square().sum(), lambda w: w.sum()):
        w = _leaf(3)
        loss = program(w)  # type: ignore[no-untyped-call]
        with torch.no_grad():
            w.mul_(-1.0)
        with pytest.raises(ValueError, match=r"compute (the loss|it) again"):
            from_torch(loss)


def test_a_freed_graph_is_refused() -> None:
    loss = (_leaf(3) * torch.ones(3)).sum()
    loss.backward()
    with pytest.raises(ValueError, match="retain_graph"):
        from_torch(loss)


def test_a_parameter_elsewhere_is_refused() -> None:
    with pytest.raises(ValueError, match="not in the graph of the loss"):
        see(_leaf(3).exp().sum(), _leaf(3))
    with pytest.raises(TypeError, match="expected the parameter as a torch tensor"):
        see(_leaf(3).exp().sum(), "w")
