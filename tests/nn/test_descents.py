"""The formulas of optimisers: against NumPy written by hand, on Values and Tensors, as text, and what they refuse."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

import nn
from autodiff import Tensor, Value
from nn.descent.formulas import FORMULAS
from nn.descent.moves import _SMALL
from tests.support.descents import DESCENTS, Descent, gradients, walked

each = pytest.mark.parametrize("descent", DESCENTS.values(), ids=DESCENTS)
PATH = gradients(12, 40)


def test_every_formula_is_tested() -> None:
    """The table by hand has the rows of the table of formulas."""
    assert [*DESCENTS] == [*FORMULAS]


@each
def test_a_descent_is_its_formula(descent: Descent) -> None:
    """On a Tensor, on few Values and on many: the sums of the steps by hand; the gradients are as they were."""
    start = np.linspace(-2.0, 2.0, 40)
    expected = start + np.sum(descent.steps(PATH), axis=0)
    tensor, many = Tensor(start), [Value(x) for x in start.tolist()]
    few = [Value(x) for x in start[:5].tolist()]
    walked(descent.make([tensor]), [tensor], PATH)
    walked(descent.make(many), many, PATH)
    walked(descent.make(few), few, [g[:5] for g in PATH])
    np.testing.assert_allclose(tensor.data, expected, rtol=0, atol=1e-12)
    assert [x.data for x in many] == tensor.data.tolist()
    np.testing.assert_allclose([x.data for x in few], expected[:5], rtol=0, atol=1e-12)
    np.testing.assert_array_equal(tensor.grad, PATH[-1])
    assert all(type(x.data) is float for x in (*many, *few))


@each
def test_mixed_kinds_and_shapes_move_together(descent: Descent) -> None:
    """Many Values beside Tensors with no axis and with two, one of them in single precision."""
    values = [Value(0.0) for _ in range(38)]
    point, table, single = Tensor(0.0), Tensor(np.zeros((2, 19))), Tensor(np.zeros(38, np.float32))
    made = descent.make([point, *values, table, single])
    for g in PATH:
        point.grad, table.grad, single.grad = g[0], g[:38].reshape(2, 19), g[:38].astype(np.float32)
        for x, own in zip(values, g[:38].tolist(), strict=True):
            x.grad = own
        made.step()
    ends = [x.data for x in values]
    np.testing.assert_array_equal(table.data.ravel(), ends)
    assert point.item() == pytest.approx(ends[0], rel=1e-14)
    assert point.shape == ()
    assert single.dtype == np.float32
    np.testing.assert_allclose(single.data, ends, rtol=1e-4, atol=1e-6)


@each
def test_decay_adds_the_gradient_of_the_penalty(descent: Descent) -> None:
    """Steps with decay λ are those along g + λθ, for Tensors and for few and many Values."""
    for count in (40, 5):
        plain, whole = Tensor(np.ones(count)), Tensor(np.ones(count))
        values = [Value(1.0) for _ in range(count)]
        by_hand, descents = descent.make([plain]), (descent.make([whole], decay=0.5), descent.make(values, decay=0.5))
        for g in PATH[:6]:
            plain.grad = g[:count] + 0.5 * plain.data
            by_hand.step()
            walked(descents[0], [whole], [g[:count]])
            walked(descents[1], values, [g[:count]])
        np.testing.assert_array_equal(whole.data, plain.data)
        np.testing.assert_allclose([x.data for x in values], plain.data, rtol=1e-13)


@each
def test_what_was_not_reached_counts_no_step(descent: Descent) -> None:
    """Values that start later, or pause, go as if they were alone: each has slots and a count of its own."""
    values = [Value(0.0) for _ in range(60)]
    alone = Value(0.0), Value(0.0)
    together, first, second = descent.make(values), descent.make([alone[0]]), descent.make([alone[1]])
    for k, g in enumerate(PATH):
        for j, x in enumerate(values):
            x.grad = float(g[0]) if j % 2 or k % 3 else None
        together.step()
        for x, made, moves in ((alone[0], first, k % 3), (alone[1], second, True)):
            x.grad = float(g[0])
            if moves:
                made.step()
    for j, x in enumerate(values):
        assert x.data == pytest.approx(alone[j % 2].data, rel=1e-13)


@each
def test_slots_that_fade_are_those_that_a_gradient_of_0_changes(descent: Descent) -> None:
    """The table says which slots, and whether the parameter, move although the gradient is 0: rows must catch up."""
    formula = FORMULAS[next(name for name, other in DESCENTS.items() if other is descent)]
    hyper = {each.keyword: each.default for each in formula.hyper}
    state = tuple(3.0 if slot.counts else np.array([0.5, 2.0]) for slot in formula.slots)
    before = copy.deepcopy(state)
    step, after = formula.update(np.zeros(2), state, 0.1, **hyper)
    assert [bool(np.any(new != old)) for new, old in zip(after, before, strict=True)] == [
        s.fades for s in formula.slots
    ]
    assert bool(np.any(step != 0.0)) is formula.coasts
    assert all(np.array_equal(old, now) for old, now in zip(before, state, strict=True))


@each
def test_a_formula_acts_on_rows_alone(descent: Descent) -> None:
    """The update of some rows, with the same rows of the slots, is those rows of the update of the whole."""
    formula = FORMULAS[next(name for name, other in DESCENTS.items() if other is descent)]
    hyper = {each.keyword: each.default for each in formula.hyper}
    g, rows = np.arange(1.0, 9.0).reshape(4, 2), [3, 1]
    state: Any = tuple(2.0 if slot.counts else g / 3.0 for slot in formula.slots)
    step, after = formula.update(g, state, 0.1, **hyper)
    some = tuple(slot if slot.__class__ is float else slot[rows] for slot in state)
    step_of_rows, after_rows = formula.update(g[rows], some, 0.1, **hyper)
    np.testing.assert_array_equal(step_of_rows, step[rows])
    for slot, new, whole in zip(formula.slots, after_rows, after, strict=True):
        np.testing.assert_array_equal(new, whole if slot.counts else whole[rows])


def test_the_text_of_a_formula_is_read_from_its_code() -> None:
    """New slots in their order, then the parameter, in the signs of the notes."""
    told = {name: formula.text for name, formula in FORMULAS.items()}
    assert told["SGD"] == "θ ← θ − α·g"
    assert told["momentum"] == "v ← μ·v − α·g, θ ← θ + v"
    assert told["AdaGrad"] == "c ← c + g·g, θ ← θ − α·g/√(c + ε)"
    assert told["AdaGrad, ε outside"] == "c ← c + g·g, θ ← θ − α·g/(√c + ε)"
    assert told["Adam"] == (
        "t ← t + 1, m ← β₁·m + (1 − β₁)·g, v ← β₂·v + (1 − β₂)·(g·g), "
        "θ ← θ − α/(1 − β₁ᵗ)·m/(√(v/(1 − β₂ᵗ)) + ε)"
    )


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda p: nn.Momentum(p, rate=0.1, mu=1.0), ValueError, "the mu must be a number from 0 to below 1, and got"),
        (lambda p: nn.Adam(p, beta2=-0.1), ValueError, "the beta2 must be a number from 0 to below 1, and got -0.1"),
        (lambda p: nn.Adam(p, epsilon=0), ValueError, "the epsilon must be a positive finite number, and got 0"),
        (lambda p: nn.RMSprop(p, rate=0.1, rho=True), TypeError, "the rho must be a number from 0 to below 1"),
        (lambda p: nn.SGD(p, rate=0.1, decay=-1), ValueError, "the decay must be a finite number not below 0"),
        (lambda p: nn.SGD(p, rate=0.1, decay=np.nan), ValueError, "the decay must be a finite number not below 0"),
        (lambda p: nn.SGD(p, rate=0.1, clip=0.0), ValueError, "the clip must be a positive finite number, and got 0.0"),
        (
            lambda p: nn.AdaGrad(p, rate=0.1, form="torch"), ValueError,
            "the form of AdaGrad must be one of 'epsilon inside', 'epsilon outside', and got 'torch'",
        ),
        (lambda p: nn.Adam(p, form=""), ValueError, "the form of Adam must be one of 'corrected', 'uncorrected'"),
    ],
)  # fmt: skip
def test_settings_out_of_range(call: Any, kind: type[Exception], words: str) -> None:
    """Each names the setting, its range and what came."""
    with pytest.raises(kind) as error:
        call([Value(1.0)])
    assert words in str(error.value)


@each
@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("count", [2, 30])
def test_a_gradient_that_is_not_finite_moves_nothing(descent: Descent, wrong: float, count: int) -> None:
    """One clear error for Values and Tensors; slots and the count stay, and the next step goes as if nothing was."""
    values = [Value(1.0, name="x") for _ in range(count)]
    other, array = Tensor([1.0], name="y"), Tensor(np.ones(count), name="W")
    large = Tensor(np.ones(_SMALL + count), name="L")
    for bad, nodes in ((values[-1], values), (array, [other, array]), (large, [other, large])):
        made = descent.make(nodes)
        before = {key: each.tolist() for key, each in made.state().items()}
        for x in nodes:
            x.grad = np.ones(x.shape)
        bad.grad = np.full(bad.shape, wrong)
        with pytest.raises(
            ValueError, match=rf"^{bad.name} would become nan or infinite, since its gradient is not fin"
        ):
            made.step()
        assert all(np.all(np.asarray(x.data) == 1.0) for x in nodes)
        assert {key: each.tolist() for key, each in made.state().items()} == before


def test_a_finite_gradient_that_leads_beyond_all_floats() -> None:
    """The error says that it is the step; with NumPy's warning beforehand where an array overflows."""
    x = Value(-1.7e308, name="x")
    descent = nn.SGD([x], rate=1.0)
    x.grad = 1.7e308
    with pytest.raises(ValueError, match="x would become nan or infinite, since its step or their sum is not finite"):
        descent.step()
    assert (x.data, descent.t) == (-1.7e308, 0)


def test_numbers_whose_squares_overflow_are_finite() -> None:
    """Large parameters in single precision are no error."""
    x = Tensor(np.full(3, 1e30, np.float32))
    x.grad = np.ones(3)
    nn.SGD([x], rate=0.5).step()
    assert np.all(x.data == np.float32(1e30))


@each
def test_blocks_of_an_array_move_as_the_whole(descent: Descent, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same bits, with a smaller last block, for an array in Fortran's order too."""
    path = [g.reshape(5, 8).T for g in PATH[:4]]
    whole, parts = (Tensor(np.linspace(-2.0, 2.0, 40).reshape(5, 8).T) for _ in range(2))
    walked(descent.make([whole]), [whole], path)
    monkeypatch.setattr("nn.descent.moves._SMALL", 20)
    monkeypatch.setattr("nn.descent.moves._BLOCK", 7)
    walked(descent.make([parts]), [parts], path)
    assert parts.data.tobytes() == whole.data.tobytes()
