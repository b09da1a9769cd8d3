"""Optimisers, clipping and schedules against torch, to 1e-12 over 50 steps in double precision."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nn
from autodiff import Tensor
from nn import rates

torch = pytest.importorskip("torch", reason="comparing with torch needs the peers' extra")
pytestmark = pytest.mark.peer
T = torch.optim
STEPS = 50

PAIRS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "SGD": (lambda p: nn.SGD(p, rate=0.05, decay=0.1), lambda p: T.SGD(p, lr=0.05, weight_decay=0.1)),
    "momentum": (lambda p: nn.Momentum(p, rate=0.05, mu=0.8), lambda p: T.SGD(p, lr=0.05, momentum=0.8)),
    "momentum, α outside, decay": (
        lambda p: nn.Momentum(p, rate=0.05, mu=0.8, decay=0.1, form="alpha outside"),
        lambda p: T.SGD(p, lr=0.05, momentum=0.8, weight_decay=0.1),
    ),
    "Nesterov": (lambda p: nn.Nesterov(p, rate=0.05), lambda p: T.SGD(p, lr=0.05, momentum=0.9, nesterov=True)),
    "Nesterov, α outside, decay": (
        lambda p: nn.Nesterov(p, rate=0.05, decay=0.1, form="alpha outside"),
        lambda p: T.SGD(p, lr=0.05, momentum=0.9, nesterov=True, weight_decay=0.1),
    ),
    "AdaGrad": (
        lambda p: nn.AdaGrad(p, rate=0.05, epsilon=1e-3, decay=0.1, form="epsilon outside"),
        lambda p: T.Adagrad(p, lr=0.05, eps=1e-3, weight_decay=0.1),
    ),
    "RMSprop": (
        lambda p: nn.RMSprop(p, rate=0.05, rho=0.8, epsilon=1e-3, decay=0.1, form="epsilon outside"),
        lambda p: T.RMSprop(p, lr=0.05, alpha=0.8, eps=1e-3, weight_decay=0.1),
    ),
    "Adam": (lambda p: nn.Adam(p), lambda p: T.Adam(p)),
    "Adam, decay": (
        lambda p: nn.Adam(p, rate=0.05, beta1=0.8, beta2=0.95, epsilon=1e-3, decay=0.1),
        lambda p: T.Adam(p, lr=0.05, betas=(0.8, 0.95), eps=1e-3, weight_decay=0.1),
    ),
}

L = T.lr_scheduler
SCHEDULES: dict[str, tuple[Any, Callable[[Any], Any]]] = {
    "step": (rates.step(0.05, every=7, factor=0.3), lambda o: L.StepLR(o, 7, gamma=0.3)),
    "exponential": (rates.exponential(0.05, k=0.1), lambda o: L.ExponentialLR(o, float(np.exp(-0.1)))),
    "cosine": (rates.cosine(0.05, steps=STEPS, floor=0.01), lambda o: L.CosineAnnealingLR(o, STEPS, eta_min=0.01)),
    "inverse": (rates.inverse(0.05, tau=8), lambda o: L.LambdaLR(o, lambda t: 8 / max(t, 8))),
    "warm-up, then cosine": (
        rates.warm_up(rates.cosine(0.05, steps=40), steps=10),
        lambda o: L.SequentialLR(
            o, [L.LinearLR(o, 1 / 11, 1.0, total_iters=10), L.CosineAnnealingLR(o, 40)], milestones=[10]
        ),
    ),
}


def beginning() -> tuple[list[Any], list[Any]]:
    """The same two arrays as Tensors and as torch's parameters."""
    random = np.random.default_rng(3)
    arrays = [random.normal(size=(3, 4)), random.normal(size=4)]
    return [Tensor(each) for each in arrays], [torch.nn.Parameter(torch.tensor(each)) for each in arrays]


def give(ours: list[Any], theirs: list[Any], random: np.random.Generator) -> None:
    """The same gradients; the second parameter has none in every fifth step."""
    for k, (x, y) in enumerate(zip(ours, theirs, strict=True)):
        g = None if k and random.random() < 0.2 else random.normal(size=x.shape)
        x.grad, y.grad = g, None if g is None else torch.tensor(g)


def assert_equal(ours: list[Any], theirs: list[Any]) -> None:
    """Numbers that agree to 1e-12."""
    for x, y in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(x.data, y.detach().numpy(), rtol=0, atol=1e-12)


@pytest.mark.parametrize(("make", "make_theirs"), PAIRS.values(), ids=PAIRS)
def test_a_descent_goes_where_torch_goes(make: Any, make_theirs: Any) -> None:
    """At every one of 50 steps."""
    ours, theirs = beginning()
    descent, other = make(ours), make_theirs(theirs)
    random = np.random.default_rng(4)
    for _ in range(STEPS):
        give(ours, theirs, random)
        descent.step()
        other.step()
        assert_equal(ours, theirs)


@pytest.mark.filterwarnings("ignore:The epoch parameter in `scheduler.step:UserWarning")
@pytest.mark.parametrize(("schedule", "make_theirs"), SCHEDULES.values(), ids=SCHEDULES)
def test_a_schedule_gives_the_rates_of_torch(schedule: Any, make_theirs: Any) -> None:
    """The rate of every step, seen on the optimiser, and where momentum goes with it."""
    ours, theirs = beginning()
    descent = nn.Momentum(ours, rate=schedule, form="alpha outside")
    other = T.SGD(theirs, lr=0.05, momentum=0.9)
    scheduler = make_theirs(other)
    random = np.random.default_rng(5)
    for _ in range(STEPS):
        assert descent.rate == pytest.approx(other.param_groups[0]["lr"], rel=0, abs=1e-12)
        give(ours, theirs, random)
        descent.step()
        other.step()
        scheduler.step()
        assert_equal(ours, theirs)


def test_clipping_agrees_with_torch() -> None:
    """By norm up to the 1e-6 that torch adds to it, and by value; with a norm below the bound nothing changes."""
    ours, theirs = beginning()
    for most in (0.5, 100.0):
        give(ours, theirs, np.random.default_rng(6))
        norm = nn.clip_norm(ours, most)
        other = float(torch.nn.utils.clip_grad_norm_(theirs, most))
        assert norm == pytest.approx(other, rel=1e-14)
        for x, y in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(x.grad, y.grad.numpy(), rtol=1e-6)
    nn.clip_value(ours, 0.25)
    torch.nn.utils.clip_grad_value_(theirs, 0.25)
    for x, y in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(x.grad, y.grad.numpy())
