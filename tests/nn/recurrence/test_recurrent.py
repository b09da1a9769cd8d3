"""The recurrent network: its forward pass and backpropagation through time, against loops written by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

import autodiff as ad
from autodiff import Tensor, Value, error_flow
from nn import Recurrent

X = [[1.0, -0.5], [0.5, 0.25], [-1.0, 0.75], [0.2, 0.1]]


def network(*, scalar: bool = True, outputs: int = 1) -> Recurrent:
    """Two inputs, three units."""
    return Recurrent(2, 3, outputs, random=np.random.default_rng(5), scalar=scalar)


def numbers(s: Any) -> list[float]:
    """The output of a step of any kind of network."""
    if isinstance(s, Value):
        return [s.data]
    return [v.data for v in s] if s.dtype == object else [*np.asarray(getattr(s, "data", s))]


def forward_by_hand(
    W: np.ndarray, V: np.ndarray, U: np.ndarray, steps: Sequence[Sequence[float]] = X
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """h₀ … h_T and s₁ … s_T, one number after the other."""
    h = [np.zeros(len(W))]
    for x in steps:
        h.append(np.array([np.tanh(sum(W[i] * h[-1]) + sum(V[i] * x)) for i in range(len(W))]))
    return h, [U @ item for item in h[1:]]


def gradients_by_hand(W: np.ndarray, V: np.ndarray, U: np.ndarray) -> dict[str, np.ndarray]:
    """∂s_T/∂W, ∂V, ∂U for one output: δ_t = (1 − h_t²) ∘ Wᵀδ_{t+1}, ∇W = Σ δ_t h_{t−1}ᵀ, ∇V = Σ δ_t x_tᵀ."""
    h, _ = forward_by_hand(W, V, U)
    error, dW, dV = U[0], np.zeros_like(W), np.zeros_like(V)
    for t in range(len(X), 0, -1):
        delta = (1 - h[t] ** 2) * error
        dW += np.outer(delta, h[t - 1])
        dV += np.outer(delta, X[t - 1])
        error = W.T @ delta
    return {"W": dW, "V": dV, "U": h[-1][None]}


@pytest.mark.parametrize("scalar", [True, False])
def test_first_weights_are_drawn_one_after_the_other(scalar: bool) -> None:
    """W, V and U of one size differ, and the generator decides them all."""
    state = Recurrent(3, 3, 3, scalar=scalar).state()
    again = Recurrent(3, 3, 3, random=np.random.default_rng(0)).state()
    assert len({*np.ravel([*state.values()])}) == 27
    assert all(np.array_equal(state[key], again[key]) for key in "WVU")
    assert not np.array_equal(state["U"], Recurrent(3, 3, 3, random=np.random.default_rng(1)).state()["U"])


@pytest.mark.parametrize("scalar", [True, False])
@pytest.mark.parametrize("outputs", [1, 2])
def test_outputs_of_every_step(scalar: bool, outputs: int) -> None:
    """The same numbers from Values, Tensors and plain arrays as from the loops."""
    net = network(scalar=scalar, outputs=outputs)
    state = net.state()
    _, expected = forward_by_hand(state["W"], state["V"], state["U"])
    for kind in (net, net.scalar(), net.tensor(), net.plain()):
        given = kind(X)
        assert len(given) == len(X)
        for s, wanted in zip(given, expected, strict=True):
            np.testing.assert_allclose(numbers(s), wanted, rtol=1e-12)


def test_gradients_through_time() -> None:
    """Of Values and of Tensors, each as the loops of backpropagation through time give them."""
    net = network()
    expected = gradients_by_hand(*(net.state()[key] for key in "WVU"))
    score = net(X)[-1]
    score.backward()
    for name, parameter in net.parameters().items():
        assert parameter.grad == pytest.approx(expected[name.letter][tuple(k - 1 for k in name.indices)], rel=1e-12)
    tensors = net.tensor()
    tensors(X)[-1].backward()
    for name, parameter in tensors.parameters().items():
        np.testing.assert_allclose(parameter.grad, expected[name.letter], rtol=1e-12)


def test_gradients_against_torch() -> None:
    """torch.nn.RNN with the same weights, no bias."""
    torch = pytest.importorskip("torch")
    net = network(scalar=False)
    peer = torch.nn.RNN(2, 3, bias=False).double()
    with torch.no_grad():
        peer.weight_hh_l0.copy_(torch.tensor(net.W.data.copy()))
        peer.weight_ih_l0.copy_(torch.tensor(net.V.data.copy()))
    hidden, _ = peer(torch.tensor(X, dtype=torch.float64))
    (torch.tensor(net.U.data.copy()) @ hidden[-1]).backward()
    net(X)[-1].backward()
    np.testing.assert_allclose(net.W.grad, peer.weight_hh_l0.grad.numpy(), rtol=1e-12)
    np.testing.assert_allclose(net.V.grad, peer.weight_ih_l0.grad.numpy(), rtol=1e-12)


def test_every_step_has_its_share() -> None:
    """The shares that arrive at W₁₂ are δ₁⁽ᵗ⁾ h₂⁽ᵗ⁻¹⁾, one a step, the first exactly 0; their sum is the gradient."""
    net = network()
    flow = error_flow(net(X)[-1], net.parameter("W12"))
    assert [flow.nodes[edge.consumer].label for edge in flow.shares] == ["z₁⁽⁴⁾", "z₁⁽³⁾", "z₁⁽²⁾", "z₁⁽¹⁾"]
    assert [edge.local_symbol for edge in flow.shares] == ["h₂⁽³⁾", "h₂⁽²⁾", "h₂⁽¹⁾", "h₂⁽⁰⁾"]
    assert flow.shares[-1].share == 0.0
    expected = gradients_by_hand(*(net.state()[key] for key in "WVU"))["W"][0, 1]
    assert flow.gradient == pytest.approx(expected, rel=1e-12)


def test_paths_through_time() -> None:
    """Of 3 units: 1 path into V₁₁ at the last step, 3 at the one before, then 9 and 27."""
    net = network()
    assert error_flow(net(X)[-1], net.parameter("V11")).path_count == 1 + 3 + 9 + 27


def test_names_tell_the_step() -> None:
    """Raised; a suffix stands behind; the state before the first step is h⁽⁰⁾ = 0."""
    net = network()
    score = net(X, suffix="ᶜ")[1]
    names = {node.name for node in ad.topological(score)}
    assert {"s₁⁽²⁾ᶜ", "h₃⁽²⁾ᶜ", "z₁⁽¹⁾ᶜ", "x₂⁽²⁾ᶜ", "h₁⁽⁰⁾ᶜ", "W₁₁", "V₃₂", "U₁,₃"} <= names
    assert score.name == "s₁⁽²⁾ᶜ"


def test_parameters_by_name_and_as_a_state() -> None:
    """Any spelling; a state goes from one network to another."""
    net, other = network(), Recurrent(2, 3, scalar=True)
    assert net.parameter("V_{32}") is net.V[2, 1]
    assert isinstance(net.parameter("W12"), Value)
    assert isinstance(network(scalar=False).parameter("W"), Tensor)
    other.load(net.state())
    assert [v.data for v in other.parameters().values()] == [v.data for v in net.parameters().values()]
    assert {key: block.shape for key, block in net.state().items()} == {"W": (3, 3), "V": (3, 2), "U": (1, 3)}
    assert repr(net) == "Recurrent(2, 3, 1, tanh)"


@pytest.mark.parametrize(
    ("x", "shape"), [([], "(0,)"), ([1.0], "(1,)"), ([[1.0]], "(1, 1)"), (np.zeros((0, 2)), "(0, 2)"), (1.0, "()")]
)
@pytest.mark.parametrize("scalar", [True, False])
def test_inputs_of_another_shape_are_refused(x: Any, shape: str, scalar: bool) -> None:
    """What is expected, and what came."""
    with pytest.raises(ValueError, match="recurrent") as caught:
        network(scalar=scalar)(x)
    assert str(caught.value) == (
        f"a recurrent network takes inputs of shape (T, 2) with at least one step, and got shape {shape}"
    )


def test_tensors_as_inputs() -> None:
    """A Tensor of all steps gets its error signals; a network of Values takes no Tensor."""
    x = Tensor(X)
    network(scalar=False)(x)[-1].backward()
    assert x.grad.shape == (4, 2)
    with pytest.raises(TypeError, match="a network of Values takes numbers or Values, and got Tensor"):
        network()(x)


def test_bad_sizes_are_refused() -> None:
    """As by a layer."""
    with pytest.raises(ValueError, match="unknown activation 'spam'"):
        Recurrent(1, 2, activation="spam")
    with pytest.raises(ValueError, match="the number of inputs must be at least 1, got 0"):
        Recurrent(0, 2)
