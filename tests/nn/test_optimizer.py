"""Optimisers: the formulas of the notes, what they move and leave alone, and steps that change all or nothing."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autodiff as ad
import nn
from autodiff import StaleGraphError, Tensor, Value
from autodiff.words.notation import Name

BOTH = [nn.SGD, nn.AdaGrad]
few = st.lists(st.floats(-5, 5), min_size=1, max_size=5)


def message(kind: type[Exception], call: Callable[..., Any], *args: Any, **options: Any) -> str:
    """The text of the error that a call raises."""
    with pytest.raises(kind) as error:
        call(*args, **options)
    return str(error.value)


@given(st.floats(-5, 5), few, st.floats(1e-3, 1.0))
def test_sgd_is_the_formula(start: float, gradients: list[float], rate: float) -> None:
    """θ ← θ − α g, step by step, the same bits for a Value and a Tensor."""
    value, tensor, expected = Value(start), Tensor([start]), start
    for gradient in gradients:
        for item in (value, tensor):
            descent = nn.SGD([item], rate=rate)
            descent.zero_grad()
            ad.sum(item * gradient).backward() if item is tensor else (item * gradient).backward()
            descent.step()
        expected = expected - rate * gradient
    assert value.data == expected
    assert tensor.data.tolist() == [expected]


@given(st.floats(-5, 5), few, st.floats(1e-3, 1.0))
def test_adagrad_is_the_formula(start: float, gradients: list[float], rate: float) -> None:
    """cache += g², θ ← θ − α g/√(cache + ε)."""
    value, tensor = Value(start), Tensor([start])
    descent = nn.AdaGrad([value, tensor], rate=rate, epsilon=1e-6)
    expected, cache = start, 0.0
    for gradient in gradients:
        descent.zero_grad()
        ad.sum(value * gradient + tensor * gradient).backward()
        descent.step()
        cache += gradient**2
        expected -= rate * gradient / math.sqrt(cache + 1e-6)
    assert value.data == pytest.approx(expected, rel=1e-12, abs=1e-12)
    assert tensor.item() == pytest.approx(expected, rel=1e-12, abs=1e-12)


def test_adagrad_moves_rare_words_further() -> None:
    """Of two parameters with the same last gradient, the one with the longer history moves less."""
    common, rare = Value(0.0), Value(0.0)
    descent = nn.AdaGrad([common, rare], rate=0.1)
    for _ in range(8):
        descent.zero_grad()
        (common * 1.0).backward()
        descent.step()
    before = common.data
    descent.zero_grad()
    (common + rare).backward()
    descent.step()
    assert common.data - before == pytest.approx(-0.1 / 3, rel=1e-6)  # its cache is 9
    assert rare.data == pytest.approx(-0.1, rel=1e-6)


def test_every_entry_of_an_array_has_a_cache_of_its_own() -> None:
    """θᵢ moves by its own gradients: each entry of a Tensor goes where a Value with its gradients goes."""
    array, values = Tensor([1.0, 1.0]), [Value(1.0), Value(1.0)]
    descent = nn.AdaGrad([array, *values], rate=0.1)
    for weights in ([3.0, 0.5], [1.0, 0.0], [0.25, 4.0]):
        descent.zero_grad()
        ad.sum(array * np.array(weights)).backward()
        for value, weight in zip(values, weights, strict=True):
            (value * weight).backward()
        descent.step()
    assert array.tolist() == pytest.approx([value.data for value in values], rel=1e-14)


@pytest.mark.parametrize("optimiser", BOTH)
def test_what_no_pass_reached_stays(optimiser: type[nn.SGD | nn.AdaGrad]) -> None:
    """A gradient None means not reached: the parameter keeps its numbers and its graphs stay fresh."""
    reached, other = Value(1.0), Value(2.0)
    elsewhere = other * 3.0
    descent = optimiser([reached, other], rate=0.5)
    (reached * 2.0).backward()
    descent.step()
    assert reached.data != 1.0
    assert other.data == 2.0
    elsewhere.backward()
    assert other.grad == 3.0


@pytest.mark.parametrize("optimiser", BOTH)
def test_zero_grad_means_none_and_passes_add_up_without_it(optimiser: type[nn.SGD | nn.AdaGrad]) -> None:
    """After zero_grad a gradient is "not yet", not 0; without it a second pass adds."""
    x = Value(1.0)
    descent = optimiser([x], rate=0.5)
    for expected in (2.0, 4.0):
        (x * 2.0).backward()
        assert x.grad == expected
    descent.zero_grad()
    assert x.grad is None
    descent.step()
    assert x.data == 1.0


@pytest.mark.parametrize("optimiser", BOTH)
def test_a_step_makes_recorded_graphs_stale(optimiser: type[nn.SGD | nn.AdaGrad]) -> None:
    """A backward pass needs the old weights: after the step it is refused."""
    x = Value(1.0, name="x")
    y = x * x
    descent = optimiser([x], rate=0.5)
    y.backward()
    descent.step()
    with pytest.raises(StaleGraphError, match="'x'"):
        y.backward()


@pytest.mark.parametrize("optimiser", BOTH)
def test_a_step_changes_all_or_nothing(optimiser: type[nn.SGD | nn.AdaGrad]) -> None:
    """If one change cannot be computed, no parameter moves, first or last, and AdaGrad's caches stay."""
    first, second, third = Tensor([1.0, 2.0]), Tensor([3.0, 4.0]), Value(5.0)
    descent = optimiser([first, second, third], rate=0.5)
    first.grad, second.grad, third.grad = np.ones(2), np.full(2, 1e308), 1.0
    descent.rate = 100.0
    with np.errstate(over="raise"), pytest.raises(FloatingPointError):
        descent.step()
    descent.rate = 0.5
    assert first.data.tolist() == [1.0, 2.0]
    assert second.data.tolist() == [3.0, 4.0]
    assert third.data == 5.0
    second.grad = np.ones(2)
    descent.step()
    step = 0.5 if optimiser is nn.SGD else 0.5 / math.sqrt(1 + 1e-8)
    assert first.data.tolist() == [1.0 - step, 2.0 - step]


@pytest.mark.parametrize("optimiser", BOTH)
def test_gradients_changed_by_hand_are_taken(optimiser: type[nn.SGD | nn.AdaGrad]) -> None:
    """Clipping makes NumPy scalars; a Value stays a float and a Tensor without axes a Tensor, float32 stays float32."""
    value, point, single = Value(1.0), Tensor(1.0), Tensor(np.ones(2, np.float32))
    descent = optimiser([value, point, single], rate=0.5)
    ad.sum(value * 3.0 + point * 3.0 + ad.sum(single * 3.0)).backward()
    for item in (value, point, single):
        item.grad = np.clip(item.grad, -1.0, 1.0)
    descent.step()
    assert type(value.data) is float
    assert value.data == pytest.approx(0.5, rel=1e-7)
    assert point.shape == ()
    assert single.dtype == np.float32
    with pytest.raises(ValueError, match="read-only"):
        single.data[0] = 3.0


@pytest.mark.parametrize("optimiser", BOTH)
def test_parameters_come_in_any_collection(optimiser: type[nn.SGD | nn.AdaGrad]) -> None:
    """A dict, a list, an iterator, a network, or anything with parameters(); listed twice, a parameter moves once."""
    x = Value(1.0)

    class Model:
        def parameters(self) -> list[Value]:
            return [x]

    for parameters in ({Name("x"): x}, [x], iter([x]), (x, x), Model()):
        x.data = 1.0
        descent = optimiser(parameters, rate=0.25)
        descent.zero_grad()
        (x * 1.0).backward()
        descent.step()
        assert x.data == pytest.approx(0.75, rel=1e-7)


def test_an_object_is_asked_anew_at_every_step() -> None:
    """A scorer of Values has more parameters after each new word."""
    scorer = nn.WindowScorer(np.ones((5, 2)), 1, 2, scalar=True)
    descent = nn.SGD(scorer, rate=0.5)
    scorer([3]).backward()
    descent.step()
    moved = [k for k, row in enumerate(scorer.state()["L"]) if np.any(row != 1.0)]
    assert moved == [3]


@pytest.mark.parametrize("optimiser", BOTH)
def test_refused_parameters(optimiser: type[nn.SGD | nn.AdaGrad]) -> None:
    """Nodes that were computed, plain arrays, one node alone, and no collection at all."""
    x = Value(1.0)
    assert "got sigmoid, which was computed" in message(ValueError, optimiser, [x.sigmoid()], rate=0.1)
    assert "moves Values and Tensors, and got array of shape (2,)" in message(
        TypeError, optimiser, [np.ones(2)], rate=0.1
    )
    assert "a dict or list of Values and Tensors" in message(TypeError, optimiser, x, rate=0.1)
    assert "a dict or list of Values and Tensors" in message(TypeError, optimiser, Tensor([1.0]), rate=0.1)
    assert "and got 3 (int)" in message(TypeError, optimiser, 3, rate=0.1)
    plain = nn.Network((2, 1)).plain()
    assert "and got array of shape (1, 2)" in message(TypeError, optimiser, plain, rate=0.1)


@pytest.mark.parametrize("optimiser", BOTH)
def test_refused_rates(optimiser: type[nn.SGD | nn.AdaGrad]) -> None:
    """A learning rate is a positive finite number, when it is given and when it is changed."""
    descent = optimiser([Value(1.0)], rate=1)
    for rate in (0.0, -0.1, math.nan, math.inf):
        assert f"the learning rate must be a positive finite number, and got {rate}" in message(
            ValueError, optimiser, [], rate=rate
        )
        with pytest.raises(ValueError, match="learning rate"):
            descent.rate = rate
    for wrong in ("fast", None, True):
        assert "the learning rate must be a positive number, and got" in message(TypeError, optimiser, [], rate=wrong)
    assert descent.rate == 1.0
    descent.rate = np.float64(0.25)
    assert descent.rate == 0.25
    assert "the epsilon must be a positive finite number" in message(ValueError, nn.AdaGrad, [], rate=0.1, epsilon=0.0)


@pytest.mark.parametrize("scalar", [True, False])
@pytest.mark.parametrize("optimiser", BOTH)
def test_training_is_deterministic_and_lowers_the_objective(optimiser: type[nn.SGD | nn.AdaGrad], scalar: bool) -> None:
    """Ten steps from the same start give the same bits, and a smaller J."""

    def train() -> tuple[list[float], dict[str, np.ndarray]]:
        scorer = nn.WindowScorer(np.random.default_rng(3).normal(size=(9, 3)), 3, 4, scalar=scalar)
        descent = optimiser(scorer, rate=0.05)
        history = []
        for _ in range(10):
            descent.zero_grad()
            J = nn.max_margin(scorer([[1, 2, 3], [4, 2, 5]]), scorer([[1, 6, 3], [7, 8, 5]]))
            J.backward()
            descent.step()
            history.append(J.item())
        return history, scorer.state()

    (first, state), (second, again) = train(), train()
    assert first == second
    assert all(np.array_equal(array, again[key]) for key, array in state.items())
    assert first[-1] < first[0]


@pytest.mark.parametrize("optimiser", BOTH)
@pytest.mark.parametrize("wrong", [3, None, "a", nn.Network, np.array("a"), Value(1.0), Tensor(1.0), Tensor([1.0])])
def test_parameters_of_another_kind(optimiser: type[nn.SGD | nn.AdaGrad], wrong: Any) -> None:
    """What lists no parameters, or is one, is refused when the optimiser is made."""
    assert "an optimiser" in message(TypeError, optimiser, wrong, rate=0.1)


def test_rates_that_no_float_holds() -> None:
    """An integer beyond every float is no rate, no epsilon and no margin."""
    for call in (
        lambda: nn.SGD([], rate=10**400), lambda: nn.AdaGrad([], rate=0.1, epsilon=10**400),
        lambda: nn.max_margin(1.0, 2.0, margin=10**400),
    ):  # fmt: skip
        assert "beyond the largest float" in message(ValueError, call)
