"""Programs as people use them who have not read the code: objects, enums, iterators, arrays and sets that change."""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pytest

from autodiff import Tensor, Value, gradients, program

W = [Value(0.3 * k - 0.8, name=f"w{k}") for k in range(4)]
T = Tensor(np.linspace(-1.0, 2.0, 6).reshape(2, 3))


def same(step: Any, function: Callable[..., Any], *args: Any) -> None:
    """A call of the program gives the kind, the value and the gradients of a call of its function."""
    mine, other = step(*args), function(*args)
    assert type(mine) is type(other)
    assert np.asarray(mine.data).dtype == np.asarray(other.data).dtype
    assert np.allclose(mine.data, other.data, rtol=1e-12)
    seed = None if not np.shape(other.data) else np.ones_like(other.data)
    for one, two in zip(gradients(mine, [*W, T], seed=seed), gradients(other, [*W, T], seed=seed), strict=True):
        assert np.allclose(0.0 if one is None else one, 0.0 if two is None else two, rtol=1e-11)


@dataclass
class Settings:
    rate: float
    weight: Any


class Slotted:
    __slots__ = ("rate",)


def test_objects_among_the_arguments_may_change() -> None:
    settings = Settings(0.5, W[0])

    def scaled(settings: Settings, x: float) -> Any:
        return settings.weight * settings.rate * x

    step = program(scaled)
    for k in range(6):
        settings.rate, settings.weight = float(k % 4), W[k % 3]
        same(step, scaled, settings, 1.0 + k)
    chosen = {0, 1}

    def picked(places: set[int], x: float) -> Any:
        return sum(W[k] * x for k in places)

    step = program(picked)
    for k in (1, 2, 3):
        chosen.add(k)
        same(step, picked, chosen, 2.0)


def test_containers_outside_may_change() -> None:
    """Each is noticed after the second call, which is compared with the function anyway."""
    rows: list[Any] = []
    slotted: Any = Slotted()
    ring, several = deque([W[0]]), {W[0]}
    slotted.rate, factors = 1.0, np.ones(3)
    boxed = np.array([W[0], W[1]], object)

    def total(x: float) -> Any:
        parts: list[Any] = [*rows, *ring, *several, *boxed]
        return sum(w * x for w in parts) * slotted.rate + (T * factors).sum() * 1.0

    step = program(total)
    changes: list[Callable[[], Any]] = [
        lambda: None, lambda: None, lambda: rows.append(W[1]), lambda: ring.append(W[2]), lambda: several.add(W[3]),
        lambda: setattr(slotted, "rate", 2.0), lambda: factors.__setitem__(1, 5.0),
        lambda: boxed.__setitem__(0, W[2]),
    ]  # fmt: skip
    for k, change in enumerate(changes):
        change()
        same(step, total, 0.5 + k)


def test_members_of_enums_are_themselves() -> None:
    class Mode(enum.IntEnum):
        PLAIN = 0
        SQUARED = 1

    def by_mode(mode: Mode, x: float) -> Any:
        return W[0] * x if mode is Mode.PLAIN else (W[1] * x) ** 2

    step = program(by_mode)
    for mode, x in ((Mode.PLAIN, 1.0), (Mode.SQUARED, 2.0), (Mode.PLAIN, 3.0), (Mode.SQUARED, 4.0)):
        same(step, by_mode, mode, x)
    assert len(step.programs) == 2


def test_results_that_no_replay_can_fill() -> None:
    lazy = program(lambda x: (w * x for w in W))
    boxed = program(lambda x: Settings(0.0, W[0] * x))
    for x in (1.0, 2.0, 3.0):
        assert [node.data for node in lazy(x)] == [w.data * x for w in W]
        assert boxed(x).weight.data == W[0].data * x


def test_an_integer_in_the_result_is_an_int() -> None:
    step = program(lambda k, x: (W[k] * x, k))
    for k in (1, 2, -1):
        node, place = step(k, 2.0)
        assert (type(place), place) == (int, k)
        assert node.data == W[k].data * 2.0


def test_arrays_of_the_caller_in_the_result() -> None:
    """They lie outside of the memory of a run."""
    step = program(lambda x: (x, T, x.sum() * T.sum()))
    for k in (1.0, 2.0, 3.0):
        mine, leaf, total = step(np.full(3, k))
        assert np.array_equal(mine.data, np.full(3, k))
        assert np.array_equal(leaf.data, T.data)
        assert np.isclose(total.data, 3.0 * k * T.data.sum())


def test_single_numbers_beside_tensors() -> None:
    """A float, a Value and a result without axes have no axis in their arrays either."""
    for function in (
        lambda x: T.sum() * x, lambda x: (T * x).exp().sum(), lambda x: (T * W[0]).sum() * x,
        lambda x: (T * W[0] + W[1]).exp() * x,
    ):  # fmt: skip
        step = program(function)
        for x in (0.5, 2.0, -1.0):
            same(step, function, x)
    step = program(lambda x: (x * W[0]).sum())  # one Value alone
    for k in (1.0, 2.0, 3.0):
        same(step, step.function, np.full(3, k))
    step, numbers = program(lambda x, t: (t * x).sum(), batch="x"), np.array([1.0, 2.0, 6.0])
    for row in (numbers, numbers + 1.0):
        assert np.isclose(step(row, T).data, row.mean() * T.data.sum())
    single = Tensor(np.ones(3, np.float32))
    step = program(lambda: (single * single).sum())
    assert {step().data.dtype, step().data.dtype} == {np.dtype(np.float32)}


def test_ids_beyond_the_range_of_numpy() -> None:
    step = program(lambda k, x: W[k] * x)
    assert step(1, 2.0).data == W[1].data * 2.0
    for far in (2**70, -(2**70), 4, -5):
        with pytest.raises(IndexError):
            step(far, 2.0)
    assert step(-4, 3.0).data == W[0].data * 3.0


def test_sums_that_cancel_are_no_difference() -> None:
    """Added in another order, they leave another rounding error, which is all that there is."""
    centred = Tensor(np.linspace(-1.0, 1.0, 12).reshape(4, 3))
    step = program(lambda x: (centred[:, [0, 2]] * x).sum())
    for x in (1.0, 2.0, 3.0):
        assert abs(step(x).data) < 1e-14
    single = Tensor(np.linspace(0.0, 1.0, 6, dtype=np.float32).reshape(2, 3))
    step = program(lambda x: (single * x).exp().sum())  # the gradient of the float carries float32's rounding
    for x in (1.0, 2.0, 3.0):
        assert np.isclose(step(x).data, np.exp(single.data * x).sum(), rtol=1e-6)


def test_arguments_that_a_partial_holds() -> None:
    factors = [2.0]
    bound = partial(lambda factors, x: W[0] * factors[0] * x, factors)
    step = program(bound)
    for k in (2.0, 2.0, 9.0, 4.0):
        factors[0] = k
        same(step, bound, 0.5 + k)


def test_a_text_that_shows_a_number_is_a_look_at_it() -> None:
    def by_text(x: float) -> Any:
        return W[len(repr(W[0] * x)) % 4] * x

    step = program(by_text)
    for x in (1.0, 2.0, 3.5, 0.2, 2.0):
        same(step, by_text, x)
