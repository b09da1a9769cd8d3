"""Schedules: formulas by hand, nesting, factors by fan-in, and what they refuse."""

from __future__ import annotations

import copy
import math
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nn
from autodiff import Tensor, Value
from nn import rates
from nn.descent.schedules import SCHEDULES

BY_HAND: dict[str, tuple[Any, Callable[[int], float]]] = {
    "constant": (rates.constant(0.3), lambda t: 0.3),
    "step": (rates.step(0.3, every=4), lambda t: 0.3 * 0.5 ** (t // 4)),
    "exponential": (rates.exponential(0.3, k=0.2), lambda t: 0.3 * math.exp(-0.2 * t)),
    "inverse": (rates.inverse(0.3, tau=5), lambda t: 0.3 if t < 5 else 0.3 * 5 / t),
    "cosine": (
        rates.cosine(0.3, steps=8, floor=0.1),
        lambda t: 0.1 + 0.2 * math.cos(math.pi / 16 * t) ** 2 if t < 8 else 0.1,
    ),
    "warm_up": (rates.warm_up(0.3, steps=3), lambda t: 0.3 * (t + 1) / 4 if t < 3 else 0.3),
    "by_fan_in": (rates.by_fan_in(rates.exponential(0.3, k=0.2)), lambda t: 0.3 * math.exp(-0.2 * t)),
    "warm_up of an inverse": (
        rates.warm_up(rates.inverse(0.3, tau=5), steps=4),
        lambda t: 0.3 * (t + 1) / 5 if t < 4 else 0.3 * 5 / max(t - 4, 5),
    ),
}


def test_every_schedule_is_tested() -> None:
    """The formulas by hand begin with the rows of the table."""
    assert [*BY_HAND][: len(SCHEDULES)] == [*SCHEDULES]


@pytest.mark.parametrize(("schedule", "by_hand"), BY_HAND.values(), ids=BY_HAND)
def test_a_schedule_is_its_formula(schedule: Any, by_hand: Callable[[int], float]) -> None:
    """A float at each t, which the optimiser shows and then uses: its first step has t = 0."""
    assert [schedule(t) for t in range(20)] == pytest.approx([by_hand(t) for t in range(20)], rel=1e-14)
    x = Value(0.0)
    descent, place = nn.SGD([x], rate=schedule), 0.0
    for t in range(12):
        assert (descent.t, descent.rate) == (t, schedule(t))
        x.grad = 1.0
        descent.step()
        place -= by_hand(t)
        assert x.data == pytest.approx(place, rel=1e-12)


def test_the_text_of_a_schedule_is_read_from_its_code() -> None:
    """In the signs of the notes."""
    assert {name: row.text for name, row in SCHEDULES.items()} == {
        "constant": "α₀", "step": "α₀·γ^⌊t/n⌋", "exponential": "α₀·exp(−k·t)",
        "inverse": "α₀·τ/max(t, τ)", "cosine": "α_T + (α₀ − α_T)·(1 + cos(π·min(t, T)/T))/2",
        "warm_up": "α(max(t − n, 0))·min((t + 1)/(n + 1), 1)", "by_fan_in": "α(t)/√n_in",
    }  # fmt: skip


def test_schedules_are_values() -> None:
    """Equal, hashable, printed as written, copied, pickled; each has a state that only its equals load."""
    made = rates.warm_up(rates.cosine(0.1, steps=9), steps=2)
    assert repr(made) == "warm_up(cosine(0.1, steps=9, floor=0.0), steps=2)"
    assert eval(repr(made), vars(rates).copy()) == made
    for twin in (copy.deepcopy(made), pickle.loads(pickle.dumps(made))):
        assert twin == made
        assert hash(twin) == hash(made)
        assert twin(5) == made(5)
        twin.load(made.state())
    other = rates.warm_up(rates.cosine(0.1, steps=8), steps=2)
    assert other != made
    assert made != 0.1
    with pytest.raises(ValueError, match=r"the state to load is not that of warm_up\(cosine\(0.1, steps=8"):
        other.load(made.state())


def test_the_rate_may_be_changed_between_steps() -> None:
    """From a number to a schedule and back; the schedule sees all steps made so far."""
    x = Value(0.0)
    descent = nn.SGD([x], rate=0.5)
    x.grad = 1.0
    descent.step()
    descent.rate = rates.inverse(0.5, tau=0.5)
    assert descent.rate == 0.25
    descent.step()
    assert x.data == -0.75
    descent.rate = 1.0
    assert descent.rate == 1.0


@pytest.mark.parametrize("scalar", [False, True])
def test_weights_move_by_the_root_of_their_fan_in(scalar: bool) -> None:
    """Each unit's inputs are counted: W by its columns, U by its length; biases and word vectors have one."""
    net = nn.WindowScorer(np.ones((3, 2)), window=2, hidden=5, scalar=scalar)
    net([1, 2])
    before = net.state()
    for x in net.parameters().values():
        x.grad = np.ones(x.shape)
    nn.SGD(net, rate=rates.warm_up(rates.by_fan_in(0.5), steps=1)).step()
    moved = {key: before[key] - array for key, array in net.state().items()}
    for key, n in {"L": 1, "W(1)": 4, "b(1)": 1, "U": 5}.items():
        there = moved[key][1:] if key == "L" else moved[key]
        np.testing.assert_allclose(there, 0.25 / math.sqrt(n), rtol=1e-12)


def test_fan_in_without_names_or_shapes() -> None:
    """A Tensor in a list has its shape; a named entry alone has not, and is refused; a new rate is taken at once."""
    W, point = Tensor(np.zeros((2, 9))), Tensor(0.0)
    W.grad, point.grad = np.ones((2, 9)), 1.0
    descent = nn.SGD([W, point], rate=rates.by_fan_in(0.75))
    descent.step()
    assert (W.data[0, 0], point.item()) == (-0.25, -0.75)
    descent.rate = 0.75
    descent.step()
    assert (W.data[0, 0], point.item()) == (-1.0, -1.5)
    entry = Value(0.0)
    entry.grad = 1.0
    with pytest.raises(
        ValueError, match="1/√n_in needs the shape of the array of W₁₂⁽¹⁾; give the optimiser the net or"
    ):
        nn.SGD({"W12(1)": entry}, rate=rates.by_fan_in(0.75)).step()


def test_a_rate_is_finite() -> None:
    """A schedule that grows beyond all floats says so, and moves nothing; an empty axis is no error."""
    growing, x = rates.step(0.1, every=1, factor=10.0), Value(1.0)
    for t in (309, 10**6, math.nan):
        with pytest.raises(ValueError, match=rf"^step\(0.1, every=1, .*\) gives no finite learning rate at t = {t}"):
            growing(t)
    descent = nn.SGD([x], rate=growing)
    descent.load({**descent.state(), "t": 400})
    x.grad = 1.0
    with pytest.raises(ValueError, match="gives no finite learning rate at t = 400"):
        descent.step()
    assert x.data == 1.0
    empty = Tensor(np.zeros((3, 0)))
    empty.grad = np.zeros((3, 0))
    nn.SGD([empty], rate=rates.by_fan_in(0.1)).step()


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda: rates.constant(0.0), ValueError, "the learning rate must be a positive finite number, and got 0.0"),
        (lambda: rates.step(0.1, every=0), ValueError, "every must be at least 1, got 0"),
        (lambda: rates.step(0.1, every=2.5), TypeError, "every must be a whole number, got 2.5"),  # type: ignore[arg-type]
        (lambda: rates.step(0.1, every=2, factor=0), ValueError, "the factor must be a positive finite number"),
        (lambda: rates.exponential(0.1, k=-1.0), ValueError, "the k must be a finite number not below 0, and got -1.0"),
        (lambda: rates.inverse(0.1, tau=0.0), ValueError, "the tau must be a positive finite number, and got 0.0"),
        (lambda: rates.cosine(0.1, steps=4, floor=-0.1), ValueError, "the floor must be a finite number not below 0"),
        (lambda: rates.warm_up("fast", steps=4), TypeError, "the learning rate must be a positive number, and got"),  # type: ignore[arg-type]
    ],
)  # fmt: skip
def test_settings_out_of_range(call: Any, kind: type[Exception], words: str) -> None:
    """Each names the setting and what came."""
    with pytest.raises(kind) as error:
        call()
    assert words in str(error.value)


def test_a_state_that_is_no_mapping_is_none_of_a_schedule() -> None:
    with pytest.raises(TypeError, match="a mapping of names to arrays, and got 5"):
        nn.rates.constant(0.1).load(5)  # type: ignore[arg-type]
