"""Penalties of large weights, and dropout: in training, at test, in the graph, and in saved states."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autodiff as ad
import nn
from autodiff import Tensor
from autodiff.testing import check_gradients


def generator(seed: int = 0) -> np.random.Generator:
    """A generator of its own."""
    return np.random.default_rng(seed)


def dropped(seed: int = 0, keep: float = 0.5, **options: Any) -> nn.Network:
    """A network of three layers with dropout after the two hidden ones; its biases are not zero."""
    net = nn.Network((3, 8, 6, 1), activation="tanh", dropout=nn.Dropout(keep, random=generator(seed)), **options)
    net.load({key: x + 0.25 if key.startswith("b") else x for key, x in net.state().items()})
    return net


X = np.array([0.5, -1.0, 2.0])

# ---- penalties -------------------------------------------------------------------------------------------------------


def lively(net: Any) -> Any:
    """The net with random numbers everywhere, biases included."""
    random = generator(7)
    net.load({key: random.normal(size=x.shape) for key, x in net.state().items()})
    return net


NETS: dict[str, Callable[[], Any]] = {
    "network": lambda: lively(nn.Network((3, 2, 2))),
    "scorer": lambda: lively(nn.WindowScorer(np.zeros((4, 2)), window=2, hidden=3)),
    "recurrent": lambda: lively(nn.Recurrent(2, 3)),
    "neuron": lambda: lively(nn.Neuron(3)),
}


@pytest.mark.parametrize("name", NETS)
def test_penalties_are_sums_of_all_weights_without_biases(name: str) -> None:
    """λ Σ‖W‖² with gradient 2λW, λ Σ|W| with gradient λ sign W; biases have no gradient."""
    net = NETS[name]()
    weights = {key: x for key, x in net.state().items() if not key.startswith("b")}
    for penalty, size, slope in (
        (nn.l2, lambda x: x * x, lambda x: 2 * x),
        (nn.l1, np.abs, np.sign),
    ):
        expected = 0.25 * sum(float(size(x).sum()) for x in weights.values())
        J = penalty(net, 0.25)
        assert float(J.data) == pytest.approx(expected, rel=1e-14)
        assert float(penalty(net.plain(), 0.25)) == pytest.approx(expected, rel=1e-14)
        nn.SGD(net, rate=1.0).zero_grad()
        J.backward()
        for key, item in net.parameters().items():
            if str(key).startswith("b"):
                assert item.grad is None
            else:
                np.testing.assert_allclose(item.grad, 0.25 * slope(item.data), rtol=1e-14)


def test_penalties_of_values_and_their_share_in_the_objective() -> None:
    """On Values as on Tensors; the penalty is a node with a name beside the loss."""
    net = lively(nn.Network((3, 2, 1)))
    kept = net.scalar()
    J = nn.l2(kept, 1e-2)
    assert J.data == pytest.approx(float(nn.l2(net, 1e-2).data), rel=1e-14)
    assert J.name == "λ Σ‖W‖²"
    assert nn.l1(kept, 1e-2).name == "λ Σ|W|"
    whole = nn.squared_error(kept(X), 1.0) + J
    assert "λ Σ‖W‖²" in {node.name for node in ad.topological(whole)}
    whole.backward()
    w = kept.parameter("W12(1)")
    flow = ad.error_flow(whole, w)
    assert flow.path_count == 2
    shares = [float(path.product or 0.0) for path in flow.strongest(2)]
    assert min(abs(share - 2e-2 * w.data) for share in shares) < 1e-15
    assert w.grad == pytest.approx(sum(shares), rel=1e-12)


def test_wrong_penalties_are_told() -> None:
    """Rates, nets, and nets of biases alone."""
    net = nn.Layer(2, 1)
    with pytest.raises(TypeError, match="rate λ of l2 must be a number"):
        nn.l2(net, "0.1")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="rate λ of l1 must be a finite number not below 0, and got -1"):
        nn.l1(net, -1)
    with pytest.raises(TypeError, match=r"a dict by name, from which it knows the biases, and got \[Tensor"):
        nn.l2([net.W], 0.1)
    with pytest.raises(ValueError, match="found no weights"):
        nn.l2({"b": net.b}, 0.1)
    assert float(nn.l2({"W": net.W}, 0).data) == 0.0


# ---- dropout ---------------------------------------------------------------------------------------------------------


def test_kept_numbers_are_scaled_and_the_expectation_is_the_input() -> None:
    """Numbers are 0 or x/p; p of them are kept and their mean is x, within five standard errors."""
    x, keep, n = 0.7, 0.8, 20_000
    a = nn.Dropout(keep, random=generator())(np.full(n, x))
    assert set(a.round(12)) == {0.0, 0.875}
    assert abs(np.mean(a > 0) - keep) < 5 * np.sqrt(keep * (1 - keep) / n)
    assert abs(a.mean() - x) < 5 * x * np.sqrt((1 - keep) / keep / n)


def test_each_call_and_each_row_draws_anew_from_its_own_generator() -> None:
    """Two calls differ, rows differ, and one seed gives one sequence."""
    layer, again = (nn.Dropout(0.5, random=generator(3)) for _ in range(2))
    calls = [layer(np.ones((2, 40))) for _ in range(2)]
    assert not np.array_equal(*calls)
    assert not np.array_equal(*calls[0])
    assert all(np.array_equal(call, again(np.ones((2, 40)))) for call in calls)


def test_inference_is_exact_and_draws_nothing() -> None:
    """Plain nets, predict and without_dropout give what a net without dropout gives; training gives something else."""
    net = dropped()
    bare = nn.Network((3, 8, 6, 1), activation="tanh")
    bare.load(net.without_dropout().state())
    exact = bare.predict(X)
    before = net.state()["dropout(1)/state"]
    assert np.array_equal(net.predict(X), exact)
    assert np.array_equal(net.plain()(X), exact)
    assert np.array_equal(nn.Network.of(*net.plain().layers)(X), exact)
    assert np.array_equal(net.without_dropout()(X).data, exact)
    assert net.without_dropout().parameter("W(2)") is net.parameter("W(2)")
    assert np.array_equal(net.state()["dropout(1)/state"], before)
    assert not np.array_equal(net(X).data, exact)
    assert not np.array_equal(net.plain().tensor()(X).data, exact)  # at work again
    plain_layers = nn.Network.of(nn.Layer.of(np.ones((9, 3)), np.zeros(9)), nn.Dropout(0.5, random=generator()))
    assert np.all(plain_layers(X) > 0)  # a net of plain arrays from the start


def test_values_and_tensors_drop_the_same_units() -> None:
    """One generator state, one result, equal gradients; units of Values are named after their inputs."""
    net = dropped()
    kept = copy.deepcopy(net).scalar()
    s, v = net(X), kept(X)
    assert v.data == pytest.approx(float(s.data[0]), rel=1e-14)
    s.sum().backward()
    v.backward()
    W = net.parameter("W(2)")
    scalars = [[kept.parameter(f"W{i},{j}(2)").grad for j in range(1, 9)] for i in range(1, 7)]
    np.testing.assert_allclose(W.grad, scalars, rtol=1e-13)
    assert np.any(W.grad == 0)
    names = {node.name for node in ad.topological(v)}
    assert {"dropout a₁⁽²⁾", "dropout a₆⁽³⁾"} <= names
    assert "dropout a⁽²⁾" in {node.name for node in ad.topological(s)}
    assert "dropout a⁽²⁾′" in {node.name for node in ad.topological(net(X, suffix="′"))}


def test_gradients_through_dropout_are_right() -> None:
    """With the draws of one generator repeated, to second order."""
    net = nn.Network((2, 3, 1), activation="tanh", dropout=(layer := nn.Dropout(0.6, random=generator(5))))
    state = layer.state()

    def J(x: Any) -> Any:
        layer.load(state)
        return ad.sum(net(x) ** 2.0)

    check_gradients(J, np.array([[0.5, -1.0], [0.25, 2.0]]), order=2, directions=2).raise_unless_passed()


def test_a_loaded_net_draws_what_the_saved_one_would_have_drawn() -> None:
    """Bit for bit, into a fresh net with another generator, after any number of calls; and all or nothing."""
    net = dropped()
    net(X)
    saved = net.state()
    expected = [net(X).data for _ in range(3)]
    fresh = nn.Network((3, 8, 6, 1), activation="tanh", dropout=nn.Dropout(0.5, random=generator(99)))
    fresh.load(saved)
    assert all(np.array_equal(a, fresh(X).data) for a in expected)
    now = fresh.state()
    broken = {**saved, "W(1)": saved["W(1)"] + 1, "dropout(1)/state": np.array("{}")}
    with pytest.raises(ValueError, match="not that of a generator; nothing was loaded"):
        fresh.load(broken)
    assert all(np.array_equal(now[key], x) for key, x in fresh.state().items())
    with pytest.raises(ValueError, match=r"has no dropout\(1\), where this net has a Dropout\(0\.5\)"):
        fresh.load(net.without_dropout().state())
    with pytest.raises(ValueError, match=r"has dropout\(1\)/state, and this net has no such dropout"):
        fresh.without_dropout().load(saved)


def test_wrong_dropout_is_told() -> None:
    """Probabilities, generators, and where there is nothing to drop."""
    for keep in (0, -0.5, 1.5, np.nan):
        with pytest.raises(ValueError, match="above 0 and at most 1"):
            nn.Dropout(keep, random=generator())
    with pytest.raises(TypeError, match="keeps a unit must be a number above 0 and at most 1, and got '0"):
        nn.Dropout("0.5", random=generator())  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="write Dropout"):
        nn.Dropout(0.5)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="generator of its own"):
        nn.Dropout(0.5, random=None)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"dropout must be a Dropout, .* and got 0\.5"):
        nn.Network((2, 3, 1), dropout=0.5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="a network of two sizes has none"):
        nn.Network((2, 1), dropout=nn.Dropout(0.5, random=generator()))
    a = nn.Neuron(2, scalar=True)([0.5, 1.0])
    out = nn.Dropout(1, random=generator())(a)
    assert (out.data, out.name) == (a.data, "dropout a")
    x = Tensor(np.ones(3, dtype=np.float32))
    assert nn.Dropout(0.9, random=generator())(x).dtype == np.float32
    assert np.array_equal(nn.Dropout(1, random=generator())(X), X)


@pytest.mark.parametrize("way", ["save", "tensor", "scalar", "deepcopy", "pickle", "nested"])
def test_layers_that_share_a_generator_go_on_sharing_it(way: str, tmp_path: Path) -> None:
    """`Network` puts one `Dropout` after each hidden layer: the state is one, and the draws go on in turns."""
    net = nn.Network((3, 8, 6, 1), activation="tanh", dropout=nn.Dropout(0.5, random=generator()))
    net.save(tmp_path / "net.npz")
    ways: dict[str, Callable[[], Any]] = {
        "save": lambda: nn.load(tmp_path / "net.npz"),
        "tensor": lambda: copy.deepcopy(net).tensor(),
        "scalar": lambda: copy.deepcopy(net).scalar().tensor(),
        "deepcopy": lambda: copy.deepcopy(net),
        "pickle": lambda: pickle.loads(pickle.dumps(net)),
        "nested": lambda: nn.Network.of(copy.deepcopy(net)),
    }
    other = ways[way]()
    assert other.state().keys() == net.state().keys()
    assert [net(X).item() for _ in range(3)] == [other(X).item() for _ in range(3)]
    other.load(net.state())
    assert net(X).item() == other(X).item()
    assert "dropout" not in "".join(other.without_dropout().state())
