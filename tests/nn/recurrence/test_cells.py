"""GRU, LSTM and attention: beside torch's, by independent derivatives, and Values beside Tensors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autodiff as ad
import nn
from autodiff.testing import check_gradients
from autodiff.words.notation import Name
from nn.parameters.blocks import numbers

STEPS, ROWS, N, M = 4, 2, 3, 2
X = np.random.default_rng(1).normal(size=(STEPS, ROWS, N))


def cell(kind: Any, **options: Any) -> Any:
    """With biases that are not 0."""
    random = np.random.default_rng(2)
    made = kind(N, M, random=random, **options)
    made.load({key: random.normal(size=block.shape) for key, block in made.state().items()})
    return made


def attention(**options: Any) -> nn.Attention:
    return nn.Attention(4, random=np.random.default_rng(3), **options)


def states(net: Any, xs: Any, start: Any = None) -> list[Any]:
    """h₁ … h_T of either kind of cell."""
    return [state[0] if isinstance(state, tuple) else state for state in net.over(xs, start=start)]


def filled(net: Any, numbers: Any) -> Any:
    """The net with these blocks, in order."""
    given = dict(zip(net.blocks(), numbers, strict=True))
    return net._kept_as(lambda _, name: given[name])


def gradients_agree(tensors: Any, values: Any) -> None:
    """Of a net of Tensors and of its copy made of Values, after a backward pass of each."""
    for name, block in tensors.blocks().items():
        found = np.array([value.grad for value in values.blocks()[name].flat]).reshape(block.shape)
        np.testing.assert_allclose(found, block.grad, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(("kind", "gates"), [(nn.GRU, "rzh"), (nn.LSTM, "ifco")])
def test_cells_against_torch(kind: Any, gates: str) -> None:
    """States and gradients to 1e-12; torch keeps the weights of all gates in one block."""
    torch = pytest.importorskip("torch")
    net = cell(kind)
    peer = getattr(torch.nn, kind.__name__)(N, M).double()
    blocks = net.blocks()
    with torch.no_grad():
        for letter, theirs in (("W", peer.weight_ih_l0), ("U", peer.weight_hh_l0), ("b", peer.bias_ih_l0)):
            theirs.copy_(torch.tensor(np.concatenate([blocks[Name(f"{letter}_{gate}")].data for gate in gates])))
        peer.bias_hh_l0.zero_()
    expected, _ = peer(torch.tensor(X))
    (expected**2).sum().backward()
    found = states(net, X)
    np.testing.assert_allclose([h.data for h in found], expected.detach().numpy(), rtol=1e-12)
    ad.sum(ad.stack(found) ** 2).backward()
    for letter, theirs in (("W", peer.weight_ih_l0), ("U", peer.weight_hh_l0), ("b", peer.bias_ih_l0)):
        ours = np.concatenate([blocks[Name(f"{letter}_{gate}")].grad for gate in gates])
        np.testing.assert_allclose(ours, theirs.grad.numpy(), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("kind", [nn.GRU, nn.LSTM])
def test_gradients_of_cells_to_the_second_order(kind: Any) -> None:
    """In the inputs and all parameters, over two steps."""
    net = cell(kind)
    blocks = net.state().values()
    assert check_gradients(lambda x, *given: ad.sum(states(filled(net, given), x)[-1]), X[:2, 0], *blocks, order=2)


@pytest.mark.parametrize("kind", [nn.GRU, nn.LSTM])
def test_cells_of_values(kind: Any) -> None:
    """The same numbers and gradients as of Tensors; nodes are named by gate and step."""
    tensors = cell(kind)
    values = tensors.scalar()
    J = [ad.sum(states(net, X[:, 0])[-1] ** 2) for net in (tensors, values)]
    for each in J:
        each.backward()
    gradients_agree(tensors, values)
    names = {node.name for node in ad.topological(J[1])}
    assert {"h₂⁽³⁾", "U_h₁,₂", "W_z₁,₃", "r₁⁽²⁾"} <= names or {"h₂⁽³⁾", "c₁⁽¹⁾", "U_f₁,₂", "o₂⁽⁴⁾"} <= names


OPEN = np.full(M, 40.0)


@pytest.mark.parametrize(("gates", "kept"), [({"b_z": OPEN}, nn.GRU), ({"b_f": OPEN, "b_i": -OPEN}, nn.LSTM)])
def test_gates_let_errors_reach_back(gates: Any, kept: Any) -> None:
    """Open to the state and closed to all that is new, they keep an error as it is for 30 steps."""
    net = cell(kept)
    net.load(net.state() | gates)
    first = ad.Tensor(np.full(M, 0.1))
    start = first if kept is nn.GRU else (np.zeros(M), first)
    *_, last = net.over(np.tile(X[0, 0], (30, 1)), start=start)
    state = last if kept is nn.GRU else last[1]
    np.testing.assert_allclose(ad.gradients(state, [first], seed=np.ones(M))[0], 1.0, rtol=1e-6)


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("heads", [1, 2])
def test_attention_against_torch(causal: bool, heads: int) -> None:
    """Outputs, weights and gradients to 1e-12, for a batch of sequences."""
    torch = pytest.importorskip("torch")
    net = attention(heads=heads, causal=causal)
    x = np.random.default_rng(5).normal(size=(2, 3, 4))
    peer = torch.nn.MultiheadAttention(4, heads, bias=False, batch_first=True).double()
    q, k, v, o = net.blocks().values()
    with torch.no_grad():
        peer.in_proj_weight.copy_(torch.tensor(np.concatenate([q.data, k.data, v.data])))
        peer.out_proj.weight.copy_(torch.tensor(o.data.copy()))
    mask = torch.triu(torch.ones(3, 3, dtype=torch.bool), 1) if causal else None
    theirs = torch.tensor(x, requires_grad=True)
    y, weights = peer(theirs, theirs, theirs, attn_mask=mask, average_attn_weights=False)
    (y**2).sum().backward()
    ours = ad.Tensor(x)
    found = net(ours)
    np.testing.assert_allclose(found.data, y.detach().numpy(), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(net.weights(x), weights.detach().numpy(), rtol=1e-12, atol=1e-14)
    ad.sum(found**2).backward()
    np.testing.assert_allclose(ours.grad, theirs.grad.numpy(), rtol=1e-12, atol=1e-14)
    inner = np.concatenate([q.grad, k.grad, v.grad])
    np.testing.assert_allclose(inner, peer.in_proj_weight.grad.numpy(), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(o.grad, peer.out_proj.weight.grad.numpy(), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("causal", [True, False])
def test_attention_of_values(causal: bool) -> None:
    """As of Tensors; a weight over positions is a node with a name, and a hidden position has none."""
    net, x = attention(heads=2, causal=causal), np.random.default_rng(6).normal(size=(3, 4))
    values = net.scalar()
    J = [ad.sum(each(x) ** 2) for each in (net, values)]
    for each in J:
        each.backward()
    gradients_agree(net, values)
    np.testing.assert_allclose(values.weights(x), net.weights(x), rtol=1e-14)
    names = {node.name for node in ad.topological(J[1])}
    assert {"α₂,₁⁽¹⁾", "α₃,₂⁽²⁾", "q₁,₄", "W_Q₁,₂", "y₃,₁"} <= names
    assert ("α₁,₂⁽¹⁾" in names) != causal


def test_gradients_of_attention_to_the_second_order() -> None:
    """In the input and all weights, with a causal mask."""
    net, x = attention(causal=True, heads=2), np.random.default_rng(7).normal(size=(2, 4))
    assert check_gradients(lambda x, *given: ad.sum(filled(net, given)(x)), x, *net.state().values(), order=2)


def test_the_future_is_hidden() -> None:
    """A causal position does not change with those after it."""
    net, x = attention(causal=True).plain(), np.random.default_rng(8).normal(size=(4, 4))
    np.testing.assert_allclose(net(x)[:2], net(x[:2]), rtol=1e-14)


@pytest.mark.parametrize("scalar", [True, False])
@pytest.mark.parametrize("make", [lambda s: cell(nn.GRU, scalar=s), lambda s: cell(nn.LSTM, scalar=s),
                                  lambda s: attention(heads=2, causal=True, scalar=s)])  # fmt: skip
def test_saved_and_made_anew(make: Any, scalar: bool, tmp_path: Path) -> None:
    """With every number, its shape and its kind."""
    net = make(scalar)
    net.save(tmp_path / "net.npz")
    again = nn.load(tmp_path / "net.npz")
    assert repr(again) == repr(net)
    for name, block in net.blocks().items():
        np.testing.assert_array_equal(numbers(again.blocks()[name]), numbers(block))
        assert again.blocks()[name].dtype == block.dtype


@pytest.mark.parametrize(
    ("call", "kind", "said"),
    [
        (lambda: cell(nn.GRU)(np.zeros(2)), ValueError, r"n = 3, .* m = 2, and got \(2,\) and \(2,\)"),
        (lambda: cell(nn.GRU)(X[0], np.zeros(2)), ValueError, r"and got \(2, 3\) and \(2,\)"),
        (lambda: cell(nn.LSTM)(X[0, 0], np.zeros(2)), TypeError, "a pair"),
        (lambda: cell(nn.LSTM, scalar=True)(ad.Tensor(X[0, 0])), TypeError, "a cell of Values takes numbers"),
        (lambda: nn.GRU(0, 2), ValueError, "the number of inputs must be at least 1"),
        (lambda: attention(heads=3), ValueError, "3 does not divide 4"),
        (lambda: attention(causal=1), TypeError, "causal must be True or False"),
        (lambda: attention()(np.zeros(4)), ValueError, r"shape \(T, 4\)"),
        (lambda: attention()(np.zeros((0, 4))), ValueError, r"got shape \(0, 4\)"),
        (lambda: attention(scalar=True)(ad.Tensor(np.ones((2, 4)))), TypeError, "attention of Values takes"),
    ],
)
def test_wrong_calls_are_refused(call: Any, kind: type[Exception], said: str) -> None:
    """With what is expected, and what came."""
    with pytest.raises(kind, match=said):
        call()
