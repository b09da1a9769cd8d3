"""Statistics of layers, beside numbers computed by hand from the notes' recursion."""

from typing import Any

import numpy as np
import pytest

import autodiff as ad
from autodiff import Value
from nn import Network
from nn.training.statistics import Spread, spreads, statistics
from nn.training.step import Step

X = np.random.default_rng(3).normal(size=(20, 3))


def by_name(J: Any) -> dict[str, Spread]:
    return {each.name: each for each in statistics(J)}


@pytest.fixture
def net() -> Network:
    return Network((3, 5, 2), activation="tanh", random=np.random.default_rng(4))


def test_the_spreads_are_those_of_the_recursion_by_hand(net: Network) -> None:
    J = ad.sum(net(X) ** 2)
    J.backward()
    found, state = by_name(J), net.state()
    z = X @ state["W(1)"].T
    a = np.tanh(z)
    top = 2 * (a @ state["W(2)"].T)
    delta = (1 - a**2) * (top @ state["W(2)"])
    for name, numbers in (("a⁽²⁾", a), ("δ⁽³⁾", top), ("δ⁽²⁾", delta), ("∇W⁽¹⁾", delta.T @ X)):
        assert found[name].mean == pytest.approx(numbers.mean(), rel=1e-12)
        assert found[name].sd == pytest.approx(numbers.std(), rel=1e-12)
    assert found["a⁽²⁾"].flat == np.mean(1 - a**2 < 0.1)
    assert found["a⁽³⁾"].flat == 0.0


def test_values_and_tensors_have_the_same_statistics(net: Network) -> None:
    scalar = net.scalar()
    J, K = ad.sum(net(X[:4]) ** 2), sum(score**2 for x in X[:4] for score in scalar(x))
    J.backward()
    K.backward()
    for one, other in zip(statistics(J), statistics(K), strict=True):
        assert (one.name, one.flat, one.dead) == (other.name, other.flat, other.dead)
        assert (one.mean, one.sd) == pytest.approx((other.mean, other.sd), rel=1e-12, abs=1e-15)


def test_a_dead_unit_rests_for_every_example() -> None:
    net = Network((3, 4, 1), activation="relu")
    net.load({**net.state(), "b(1)": [-100.0, 0.0, 100.0, -100.0]})
    J = ad.sum(net(X))
    J.backward()
    assert by_name(J)["a⁽²⁾"].dead == 2
    K = sum(net.scalar()(x) for x in X[:6])
    K.backward()
    assert by_name(K)["a⁽²⁾"].dead == 2


def test_both_windows_of_a_pair_count(net: Network) -> None:
    J = ad.sum(net(X[:3])) - ad.sum(net(X[3:9], suffix="ᶜ"))
    J.backward()
    a = np.tanh(X[:9] @ net.state()["W(1)"].T)
    assert by_name(J)["a⁽²⁾"].sd == pytest.approx(a.std(), rel=1e-12)


def test_the_stream_carries_the_deviations(net: Network) -> None:
    J = ad.sum(net(X))
    J.backward()
    first, second = spreads([Step(k, 1, 0.5, 0.1, 1.0, 0.0, objective=J) for k in (1, 2)], every=2)
    assert not first.measures
    assert second.measures["sd grad W(1)"] == by_name(J)["∇W⁽¹⁾"].sd
    assert second.measures["flat a(2)"] == by_name(J)["a⁽²⁾"].flat
    assert {"sd a(2)", "sd delta(2)", "sd grad b(2)"} <= second.measures.keys()


def test_what_has_no_statistics_is_refused() -> None:
    with pytest.raises(TypeError, match=r"after J\.backward"):
        statistics(0.5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="no backward pass has reached J"):
        statistics(Value(1.0, name="J"))
