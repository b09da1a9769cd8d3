"""Shares in time: their sum is the gradient; errors vanish, explode or stay, and never exceed their bound."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

import autodiff as ad
import nn
from autodiff.draw.charts.heat import Heat, heat_chart
from autodiff.words.notation import parse

X, Y = [0, 3, 1, 1, 2, 0], [3, 1, 1, 2, 0, 2]


def model(scale: float = 1.0, **options: Any) -> nn.RecurrentLM:
    net = nn.RecurrentLM(4, 3, random=np.random.default_rng(4), **options)
    state = net.state()
    net.load({**state, "W_hh": scale * state["W_hh"], "b_h": np.array([0.5, -0.25, 0.125])})
    return net


@pytest.mark.parametrize("parameter", ["W_hh", "W_hx", "b_h", "W_hh1,2", "b_h3"])
@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_the_sum_over_all_pairs_is_the_gradient(parameter: str, activation: str) -> None:
    """To 1e-14, of nets of Values too, from any start."""
    net, start = model(activation=activation), np.array([0.25, 0.5, -0.5])
    net.loss(X, Y, start=start).backward()
    found = nn.shares_in_time(net.scalar(), X, Y, parameter=parameter, start=start)
    name = parse(parameter)
    expected = net.parameter(name.letter).grad[tuple(k - 1 for k in name.indices)]
    np.testing.assert_allclose(found.gradient, expected, rtol=1e-14, atol=1e-15)
    assert not np.any(found.shares[np.triu_indices(len(X), 1)])


def test_a_share_is_the_notes_product() -> None:
    """δ of J_t at z_k times h_{k−1}: the pair (t, k) of W₁₂, from an unrolled graph of Values."""
    net = model(scalar=True)
    found = nn.shares_in_time(net, X, Y, parameter="W_hh1,2")
    steps = [*net.unrolled(X)]
    for t in range(len(X)):
        J = nn.softmax_cross_entropy(net.logits(np.array([steps[t][1]]))[0], Y[t]) / len(X)
        signals = ad.backpropagate(J)
        for k in range(t + 1):
            before = steps[k - 1][1][1].data if k else 0.0
            assert found.shares[t, k] == pytest.approx(signals[steps[k][0][0]] * before, rel=1e-12, abs=1e-17)


def test_the_reach_by_differences_and_its_bound() -> None:
    """‖∂h_t/∂h_k‖ from nudged states."""
    net = model()
    found = nn.shares_in_time(net, X, Y)
    states = net.plain().states(X)
    for k, t in ((0, 1), (1, 4), (0, 5)):
        rest, columns = X[k + 1 : t + 1], []
        for nudge in 1e-6 * np.eye(3):
            high, low = (net.plain().states(rest, start=states[k] + sign * nudge)[-1] for sign in (1, -1))
            columns.append((high - low) / 2e-6)
        assert found.reach[t, k] == pytest.approx(np.linalg.norm(columns, 2), rel=1e-7)
    lower = np.tril_indices(len(X))
    assert np.all(found.reach[lower] <= found.bound[lower] * (1 + 1e-12))
    assert np.all(np.isnan(found.reach[np.triu_indices(len(X), 1)]))


def test_errors_vanish_explode_or_stay() -> None:
    """Sigmoid units lose them; large weights of ReLU units multiply them; the identity with ReLU keeps them."""
    ids, aims = np.arange(40) % 4, np.arange(1, 41) % 4
    vanishing = nn.shares_in_time(model(activation="sigmoid"), ids, aims).reach
    assert vanishing[39, 0] < 1e-12
    weights = {"W_hh": 1.5 * np.eye(3), "b_h": np.ones(3)}
    exploding, kept = (model(activation="relu", init="identity") for _ in range(2))
    exploding.load({**exploding.state(), **weights, "W_hx": np.zeros((3, 4))})
    kept.load({**kept.state(), "W_hh": np.eye(3), "b_h": np.ones(3), "W_hx": np.zeros((3, 4))})
    assert nn.shares_in_time(exploding, ids, aims).reach[39, 0] == pytest.approx(1.5**39)
    assert nn.shares_in_time(kept, ids, aims).reach[39, 0] == 1.0


def test_the_table_has_a_line_for_each_distance() -> None:
    """Sizes of the shares added up, the mean reach, and the largest bound."""
    found = nn.shares_in_time(model(), X, Y, parameter="W_hh1,2")
    lines = found.table().splitlines()
    assert len(lines) == 1 + len(X)
    assert lines[1].split()[0] == "0"
    assert float(lines[1].split()[1]) == pytest.approx(np.abs(np.diagonal(found.sizes)).sum(), rel=1e-3)


def test_the_heat_picture_has_a_tile_for_each_pair() -> None:
    """With its number to hover; nothing above the diagonal."""
    found = nn.shares_in_time(model(), X, Y)
    root = ElementTree.fromstring(found.svg(title="Shares <in> time"))
    tiles = [each for each in root.iter() if each.tag.endswith("}rect")]
    assert len(tiles) == 2 * len(X) * (len(X) + 1) // 2
    assert (tiles[1][0].text or "").startswith("t = 2, k = 1: ")


@pytest.mark.parametrize("theme", ["auto", "light", "dark", "print"])
def test_shades_of_a_heat_chart(theme: str) -> None:
    """Powers of 2, or of 10 if sizes differ by more; 0 is paper, and what is not finite is ink."""
    near = heat_chart([Heat("near", np.array([[8.0, 4.0, -1.0, 0.0]]))], across="k", down="t", theme=theme)
    assert [f'class="{name} ' in near for name in ("h-error-6", "h-error-5", "h-negative-3", "paper")] == [True] * 4
    assert "each shade is twice" in near
    far = heat_chart([Heat("far", np.array([[1.0, 0.1, 1e-3, np.inf]]))], across="k", down="t", theme=theme)
    assert [f'class="{name} ' in far for name in ("h-error-6", "h-error-5", "h-error-3", "h-ink")] == [True] * 4
    assert "each shade is ten times" in far


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: nn.shares_in_time(model(), X, Y, parameter="W_S"), r"are W_hh, W_hx, b_h, and W_S is none"),
        (lambda: nn.shares_in_time(model(), X, Y, parameter="W_hh4,1"), "is not in it"),
        (lambda: nn.shares_in_time(model(), X, Y[:3]), r"shape \(T,\)"),
        (lambda: nn.shares_in_time(model(), [X], [Y]), r"shape \(T,\)"),
        (lambda: heat_chart([], across="k", down="t"), "at least one matrix"),
        (lambda: heat_chart([Heat("wide", np.zeros((1, 61)))], across="k", down="t"), "1 to 60 rows and columns"),
    ],
)
def test_wrong_calls_are_refused(call: Any, said: str) -> None:
    """With what is expected, and what came."""
    with pytest.raises(ValueError, match=said):
        call()
