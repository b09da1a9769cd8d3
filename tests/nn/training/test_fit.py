"""`fit`: the same numbers as a loop written by hand, steps only when asked for, and an end where a number fails."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import autodiff as ad
from autodiff import Tensor, Value
from nn import SGD, AdaGrad, Network
from nn.descent import clipping
from nn.training.fit import fit

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(12, 3))
Y = np.where(X[:, :1] * X[:, 1:2] > 0, 1.0, -1.0)
BATCHES = [(X[k : k + 4], Y[k : k + 4]) for k in (0, 4, 8)]


def objective(net: Any, x: Any, y: Any) -> Any:
    return ad.mean(ad.softplus(-y * net(x)))


def net_of(seed: int = 1) -> Network:
    return Network((3, 4, 1), activation="tanh", random=np.random.default_rng(seed))


def test_fit_makes_the_steps_of_a_loop_written_by_hand() -> None:
    net, other = net_of(), net_of()
    seen = [step.J for step in fit(net, objective, BATCHES, optimizer=AdaGrad(net, rate=0.3), epochs=4)]
    descent, expected = AdaGrad(other, rate=0.3), []
    for _ in range(4):
        for x, y in BATCHES:
            descent.zero_grad()
            J = objective(other, x, y)
            J.backward()
            descent.step()
            expected.append(J.item())
    assert seen == expected
    assert all(np.array_equal(a, b) for a, b in zip(net.state().values(), other.state().values(), strict=True))


def test_a_step_holds_its_numbers() -> None:
    net = net_of()
    steps = list(fit(net, objective, BATCHES, optimizer=SGD(net, rate=0.25), epochs=2))
    assert [step.number for step in steps] == [1, 2, 3, 4, 5, 6]
    assert [step.epoch for step in steps] == [1, 1, 1, 2, 2, 2]
    assert {step.rate for step in steps} == {0.25}
    assert all(step.seconds > 0 for step in steps)
    squares = sum(float(np.sum(item.grad**2)) for item in net.parameters().values())
    assert steps[-1].norm == pytest.approx(squares**0.5, rel=1e-14)  # sums in another order
    assert steps[-1].objective.item() == steps[-1].J


def test_a_step_is_made_when_it_is_asked_for() -> None:
    net = net_of()
    before = net.state()
    stream = fit(net, objective, BATCHES, optimizer=SGD(net, rate=0.1))
    assert all(np.array_equal(a, b) for a, b in zip(net.state().values(), before.values(), strict=True))
    next(stream)
    after = net.state()
    stream.close()  # type: ignore[attr-defined]
    assert not np.array_equal(after["W(1)"], before["W(1)"])
    assert np.array_equal(net.state()["W(1)"], after["W(1)"])


@pytest.mark.parametrize(("epochs", "steps", "made"), [(2, None, 6), (None, 5, 5), (2, 4, 4), (1, 9, 3), (0, None, 0)])
def test_epochs_and_steps_end_the_stream(epochs: int | None, steps: int | None, made: int) -> None:
    net = net_of()
    stream = fit(net, objective, BATCHES, optimizer=SGD(net, rate=0.1), epochs=epochs, steps=steps)
    assert len(list(stream)) == made


def test_data_that_count_their_epochs_are_fed_for_the_rest() -> None:
    class Counted:
        epoch = 3

        def __iter__(self) -> Iterator[Any]:
            yield BATCHES[0]
            self.epoch += 1

    net = net_of()
    steps = list(fit(net, objective, Counted(), optimizer=SGD(net, rate=0.1), epochs=5))
    assert [step.epoch for step in steps] == [4, 5]


def test_values_are_trained_too() -> None:
    w = Value(3.0, name="w")
    losses = [step.J for step in fit(w, lambda w, x: (w - x) ** 2, [2.0], optimizer=SGD([w], rate=0.25), epochs=3)]
    assert losses == [1.0, 0.25, 0.0625]


def test_a_value_that_is_not_finite_ends_it_with_step_line_and_example() -> None:
    net = net_of()
    x = X.copy()
    x[6, 1] = np.nan
    stream = fit(net, objective, [(X[:4], Y[:4]), (x[4:], Y[4:])], optimizer=SGD(net, rate=0.1), epochs=1)
    next(stream)
    before = net.state()
    with pytest.raises(FloatingPointError) as raised:
        next(stream)
    said = str(raised.value)
    assert said.startswith("J is nan at step 2, in epoch 1; no parameter has moved. affine_rows(")
    assert "the first value that is not finite, at " in said
    assert said.endswith("It is example 2 of the batch, counted from 0.")
    assert all(np.array_equal(a, b) for a, b in zip(net.state().values(), before.values(), strict=True))


def test_a_gradient_that_is_not_finite_ends_it_before_the_parameters_move() -> None:
    w = Tensor([0.0, 1.0], name="w")
    stream = fit(w, lambda w: np.sqrt(w).sum(), [()], optimizer=SGD([w], rate=0.1))
    with pytest.raises(FloatingPointError, match=r"^‖∇J‖ is inf at step 1.*sqrt.*sends back") as raised:
        next(stream)
    assert "example" not in str(raised.value)
    assert w.data.tolist() == [0.0, 1.0]


def test_the_example_is_found_in_lists_of_any_objects() -> None:
    """Such as windows of unequal lengths, which are no array, or Tensors."""
    w, x = Tensor([1.0], name="w"), [[Tensor([2.0])], [Tensor([1.0]), Tensor([np.nan])], [Tensor([3.0])]]
    def sums(w: Any, x: Any) -> Any:
        return sum((w * each).sum() for some in x for each in some)

    stream = fit(w, sums, [x], optimizer=SGD([w], rate=0.1))
    with pytest.raises(FloatingPointError, match="It is example 1 of the batch"):
        next(stream)


def test_a_failure_of_chance_is_said_to_be_one() -> None:
    w, draws = Tensor([1.0], name="w"), iter([np.nan, 1.0, 1.0, 1.0, 1.0])
    stream = fit(w, lambda w: (w * next(draws)).sum(), [()], optimizer=SGD([w], rate=0.1))
    with pytest.raises(FloatingPointError, match="a draw at random must have caused it"):
        next(stream)


@pytest.mark.parametrize(
    ("objective", "data", "error", "said"),
    [
        (lambda net, x, y: net.predict(x).sum(), BATCHES, TypeError, "must return a node.*plain"),
        (lambda net, x, y: net(x), BATCHES, ValueError, r"J has shape \(4, 1\); take its sum"),
        (objective, [], ValueError, "epoch 1 has no batch"),
        (lambda _, x, y: objective(net_of(), x, y), BATCHES, ValueError, "none of the parameters that"),
        (objective, iter(BATCHES), ValueError, "epoch 2 has no batch; an iterator serves one epoch"),
    ],
)
def test_wrong_objectives_and_data_are_named(objective: Any, data: Any, error: type[Exception], said: str) -> None:
    net = net_of()
    with pytest.raises(error, match=said):
        list(fit(net, objective, data, optimizer=SGD(net, rate=0.1), epochs=2))


@pytest.mark.parametrize(
    ("changed", "error", "said"),
    [
        ({"objective": 3}, TypeError, "calls its objective"),
        ({"data": 3}, TypeError, "an iterable of batches"),
        ({"data": "text"}, TypeError, "an iterable of batches"),
        ({"data": {"X": X}}, TypeError, "an iterable of batches"),
        ({"data": np.array(3.0)}, TypeError, "an iterable of batches"),
        ({"optimizer": "sgd"}, TypeError, r"an optimiser with step\(\)"),
        ({"optimizer": SGD}, TypeError, r"an optimiser with step\(\)"),
        ({"epochs": 1.5}, TypeError, "epochs"),
        ({"steps": -1}, ValueError, "steps"),
    ],
)
def test_wrong_arguments_are_refused_at_the_call(changed: dict[str, Any], error: type[Exception], said: str) -> None:
    net = net_of()
    usual: dict[str, Any] = {"objective": objective, "data": BATCHES, "optimizer": SGD(net, rate=0.1)}
    with pytest.raises(error, match=said):
        fit(net, **{**usual, **changed})


def test_units_that_will_never_differ_are_named_before_the_first_step() -> None:
    net = net_of()
    net.load({**net.state(), "W(1)": np.ones((4, 3)), "W(2)": np.ones((1, 4))})
    with pytest.warns(UserWarning, match="units with equal weights stay equal in training: a₁⁽²⁾, a₂⁽²⁾"):
        fit(net, objective, BATCHES, optimizer=SGD(net, rate=0.1))


def test_the_norm_is_computed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also for an optimiser that clips; one with a step of its own makes that."""
    calls: list[int] = []
    norm_of = clipping._norm

    def counted(grads: Any) -> float:
        calls.append(1)
        return norm_of(grads)

    monkeypatch.setattr(clipping, "_norm", counted)

    class Own(SGD):
        def step(self) -> None:
            calls.append(2)
            super().step()

    moved = []
    for kind, expected in ((SGD, [1, 1]), (Own, [1, 2, 1, 1, 2, 1])):
        calls.clear()
        net = net_of()
        steps = list(fit(net, objective, BATCHES, optimizer=kind(net, rate=0.5, clip=1e-2), steps=2))
        assert calls == expected
        assert steps[0].norm > 1e-2
        moved.append(net.state()["W(1)"])
    assert np.array_equal(moved[0], moved[1])
