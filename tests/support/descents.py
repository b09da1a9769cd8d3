"""Every optimiser with its formula written by hand in NumPy, for tests that compare or iterate over them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

import nn

__all__ = ["DESCENTS", "Descent", "gradients", "walked"]

Steps = list[np.ndarray[Any, Any]]


@dataclass(frozen=True)
class Descent:
    """How to make an optimiser, and the steps that it should make for some gradients at the rate 0.05."""

    make: Callable[..., Any]
    steps: Callable[[Iterable[Any]], Steps]


def _momentum(gradients: Iterable[Any]) -> Steps:
    v, steps = 0.0, []
    for g in gradients:
        v = 0.8 * v - 0.05 * g
        steps.append(v)
    return steps


def _nesterov(gradients: Iterable[Any]) -> Steps:
    v, steps = 0.0, []
    for g in gradients:
        before, v = v, 0.8 * v - 0.05 * g
        steps.append(-0.8 * before + 1.8 * v)  # the form in which the gradient is taken at the place ahead
    return steps


def _adagrad(gradients: Iterable[Any], inside: float, outside: float) -> Steps:
    seen: Steps = []
    steps = []
    for g in gradients:
        seen.append(g)
        steps.append(-0.05 * g / (np.sqrt(sum(each**2 for each in seen) + inside) + outside))
    return steps


def _rmsprop(gradients: Iterable[Any], inside: float, outside: float) -> Steps:
    seen: Steps = []
    steps = []
    for g in gradients:
        seen.append(g)
        mean = sum(0.3 * 0.7**age * each**2 for age, each in enumerate(reversed(seen)))
        steps.append(-0.05 * g / (np.sqrt(mean + inside) + outside))
    return steps


def _adam(gradients: Iterable[Any], corrected: bool) -> Steps:
    seen: Steps = []
    steps = []
    for g in gradients:
        seen.append(g)
        m: Any = sum(0.3 * 0.7**age * each for age, each in enumerate(reversed(seen)))
        v: Any = sum(0.1 * 0.9**age * each**2 for age, each in enumerate(reversed(seen)))
        if corrected:
            m, v = m / (1 - 0.7 ** len(seen)), v / (1 - 0.9 ** len(seen))
        steps.append(-0.05 * m / (np.sqrt(v) + 0.01))
    return steps


def _made(kind: Any, **usual: Any) -> Callable[..., Any]:
    return lambda parameters, **options: kind(parameters, **{"rate": 0.05, **usual, **options})


#: The names are those of the table of formulas.
DESCENTS: Final[dict[str, Descent]] = {
    "SGD": Descent(_made(nn.SGD), lambda gradients: [-0.05 * g for g in gradients]),
    "momentum": Descent(_made(nn.Momentum, mu=0.8), _momentum),
    "momentum, α outside": Descent(_made(nn.Momentum, mu=0.8, form="alpha outside"), _momentum),
    "Nesterov": Descent(_made(nn.Nesterov, mu=0.8), _nesterov),
    "Nesterov, α outside": Descent(_made(nn.Nesterov, mu=0.8, form="alpha outside"), _nesterov),
    "AdaGrad": Descent(_made(nn.AdaGrad, epsilon=0.01), lambda gradients: _adagrad(gradients, 0.01, 0.0)),
    "AdaGrad, ε outside": Descent(
        _made(nn.AdaGrad, epsilon=0.01, form="epsilon outside"), lambda gradients: _adagrad(gradients, 0.0, 0.01)
    ),
    "RMSprop": Descent(_made(nn.RMSprop, rho=0.7, epsilon=0.01), lambda gradients: _rmsprop(gradients, 0.01, 0.0)),
    "RMSprop, ε outside": Descent(
        _made(nn.RMSprop, rho=0.7, epsilon=0.01, form="epsilon outside"),
        lambda gradients: _rmsprop(gradients, 0.0, 0.01),
    ),
    "Adam": Descent(_made(nn.Adam, beta1=0.7, beta2=0.9, epsilon=0.01), lambda gradients: _adam(gradients, True)),
    "Adam, uncorrected": Descent(
        _made(nn.Adam, beta1=0.7, beta2=0.9, epsilon=0.01, form="uncorrected"),
        lambda gradients: _adam(gradients, False),
    ),
}


def gradients(count: int, size: int) -> list[np.ndarray[Any, Any]]:
    """Gradients of a parameter of that size, some of them 0, the same in every process."""
    random = np.random.default_rng(14)
    made = random.normal(size=(count, size)) * 10.0 ** random.integers(-3, 2, size=(count, size))
    made[random.random((count, size)) < 0.1] = 0.0
    return list(made)


def walked(descent: Any, nodes: list[Any], path: Iterable[Any]) -> None:
    """Steps along gradients: one Tensor takes each whole, several Values one number each."""
    for g in path:
        for x, own in zip(nodes, [g] if len(nodes) == 1 else g.tolist(), strict=True):
            x.grad = own
        descent.step()
