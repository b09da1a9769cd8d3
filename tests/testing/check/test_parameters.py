"""`check_gradients` of what a function holds besides its arguments, such as nets; and of several kinds of floats."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import pytest

import autodiff as ad
from autodiff import TABLE, Primitive, Tensor, Value
from autodiff.testing import Verdict, check_gradients
from nn import Layer, Network, Neuron, Recurrent, WindowScorer
from tests.support.present import present

X = [1.0, -0.5, 0.25, 0.8]


@pytest.fixture
def wrong() -> Iterator[Primitive]:
    """A cube with a rule that is wrong, for one test."""
    made = ad.primitive("wrong_cube", lambda xp, x: x * x * x, [lambda g, z, x: g * (2.0 * x * x)])
    yield made
    del TABLE["wrong_cube"]


def state(net: Any) -> dict[str, tuple[Any, ...]]:
    """Data, gradient and stamp of every parameter, by identity where that can be."""
    return {name: (id(leaf._data), leaf.grad, leaf.version) for name, leaf in net.parameters().items()}


NETS: dict[str, tuple[Callable[[bool], Any], list[Any]]] = {
    "network": (lambda scalar: Network((4, 2, 1), scalar=scalar), X),
    "layer": (lambda scalar: Layer(4, 2, scalar=scalar), X),
    "neuron": (lambda scalar: Neuron(4, scalar=scalar), X),
    "recurrent": (lambda scalar: Recurrent(1, 2, scalar=scalar), [[1.0], [-0.5]]),
    "scorer": (lambda scalar: WindowScorer(np.eye(3), 2, 2, scalar=scalar).score_vectors, [*X, 0.5, 0.1]),
}


@pytest.mark.parametrize("scalar", [False, True])
@pytest.mark.parametrize("name", NETS)
def test_the_parameters_of_a_net_are_checked_by_name(name: str, scalar: bool) -> None:
    """Of Tensors and of Values, each by its name; and nothing in it is changed."""
    make, x = NETS[name]
    f = make(scalar)
    net = getattr(f, "__self__", f)
    f(x)  # a scorer of Values makes those of a word when it meets it
    before = state(net)
    report = check_gradients(f, x if scalar else np.array(x))
    found = [name for name, _ in report.inputs if not name.startswith("x")]
    assert found == [str(name) for name in net.parameters()]
    assert report.passed
    assert state(net) == before


class WrongNet:
    """A net with a wrong rule for one of its weights, and one that its graph leaves out."""

    def __init__(self, cube: Primitive) -> None:
        self.cube = cube
        self.inner = Network((4, 2, 1))
        self.gain = Tensor([2.0], name="gain")

    def parameters(self) -> dict[Any, Any]:
        return {**self.inner.parameters(), "gain": self.gain}

    def __call__(self, x: Any) -> Any:
        return (ad.sum(self.inner(x)) + ad.sum(self.cube(self.inner.layers[1].W))) * self.gain.data[0]


@pytest.mark.slow
def test_a_wrong_gradient_of_a_parameter_is_found(wrong: Primitive) -> None:
    """Wherever the net is called from; the rule is blamed, and what is left out of the graph is found too."""
    net, x = WrongNet(wrong), np.array(X)
    net.gain.grad = np.array([0.25])
    before = state(net)
    for f, prefix in ((net, ""), (net.__call__, ""), (partial(net), ""), (lambda x: net(x), "net.")):
        report = check_gradients(f, x)
        assert {failure.place.name for failure in report.failures} == {f"{prefix}W⁽²⁾", f"{prefix}gain"}
        blame = present(report.blame)
        assert blame.sentence.startswith("the rule of wrong_cube is wrong")
        assert f"fail: parameter {prefix}W⁽²⁾[" in str(report)
        assert {each["argument"] for each in report.as_dict()["findings"] if each["verdict"] == "fail"} == {None}
        assert state(net) == before


def test_a_gradient_that_stands_there_is_kept() -> None:
    """Neither added to nor taken away, order 2 included; graphs that were recorded before stay fresh."""
    net = Network((4, 2, 1))
    score = net(np.array(X)).sum()
    score.backward()
    grads = {name: leaf.grad.copy() for name, leaf in net.parameters().items()}
    assert check_gradients(net, np.array(X), order=2).passed
    assert all(np.array_equal(leaf.grad, grads[name]) for name, leaf in net.parameters().items())
    score.backward()
    assert all(np.array_equal(leaf.grad, 2.0 * grads[name]) for name, leaf in net.parameters().items())


def test_what_a_function_closes_over_is_checked(wrong: Primitive) -> None:
    """A Tensor by its name, a Value without one; a constant is not, nor what was computed before."""
    w, v = Tensor([1.0, 2.0], name="w"), Value(3.0)
    code = ad.tanh(w * 2.0)
    report = check_gradients(lambda x: ad.sum(wrong(w) * x) * v, np.array([0.5, -1.0]))
    assert {failure.place.name for failure in report.failures} == {"w"}
    assert {name for name, _ in report.inputs} == {"x", "w", "v"}
    assert [name for name, _ in check_gradients(lambda x: ad.sum(code * x), np.ones(2)).inputs] == ["x"]
    assert [name for name, _ in check_gradients(lambda x: ad.sum(w.detach() * x), np.ones(2)).inputs][:1] == ["x"]
    assert check_gradients(lambda x: ad.sum(code * x * w), np.ones(2)).passed
    assert w.grad is v.grad is code.grad is None


def test_an_oracle_that_runs_the_arguments_says_so_of_parameters() -> None:
    """Dual numbers take the place of arguments; a parameter's entries are then not asked, and not passed."""
    w = Value(2.0, name="w")
    report = check_gradients(lambda x: ad.sin(x) + 0.0 * w.data, 0.5, oracle="dual")
    assert report.counts == {Verdict.NOT_ASKED: 1, Verdict.PASS: 1}
    assert "it differentiates arguments, not parameters that f holds" in str(report)


def test_many_parameters_are_named_in_short() -> None:
    """A direction goes through all of them."""
    net = Network((4, 9, 9, 9, 1))
    report = check_gradients(net, np.array(X))
    assert report.scope.directions
    assert report.findings[0].place.name == "x, W⁽¹⁾, b⁽¹⁾, W⁽²⁾ and 5 more"


# ---- kinds of floats -------------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("size", [1.0, 1e-30, 1e20, 3.4e38])
def test_nothing_warns_of_single_precision(size: float) -> None:
    """Sizes are compared in doubles; next to the largest float too, with a right gradient and with a wrong one."""
    x = np.array([0.5, 1.0], np.float32) * np.float32(size)
    right = [
        check_gradients(lambda x: ad.sum(x * np.float32(0.5)), x),
        check_gradients(lambda x, y: ad.sum(x * np.float32(0.5)) + y, x, 2.0),
        check_gradients(lambda x: np.sum(x / 2), x, gradient=lambda x: np.full_like(x, 0.5)),
    ]
    assert not any(report.failed for report in right)
    assert check_gradients(lambda x: np.sum(x / 2), x, gradient=lambda x: np.full_like(x, -0.5)).failed


@pytest.mark.slow
@pytest.mark.filterwarnings("error")
def test_nothing_warns_of_single_precision_in_other_engines() -> None:
    """torch's and jax's single floats, one number and many, to order 2."""
    torch, jax = pytest.importorskip("torch"), pytest.importorskip("jax")
    x = np.array([0.5, -1.5], np.float32)
    for order in (1, 2):
        assert not check_gradients(lambda x: (x * x).sum(), torch.tensor(x), order=order).failed
        assert not check_gradients(lambda x: jax.numpy.sum(x * x), jax.numpy.asarray(x), order=order).failed
