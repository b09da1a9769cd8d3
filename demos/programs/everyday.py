"""Programs as learners, engineers and physicists write them; each returns an output, or an output and a parameter."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any, Final

import numpy as np

import autodiff as ad
from autodiff import Tensor, Value
from nn.network import Network
from programs.classes import MLP
from programs.formulas import FORMULAS

__all__ = ["PROGRAMS"]


def _of(*numbers: float) -> list[Value]:
    return [Value(number) for number in numbers]


def _net(*sizes: int) -> Any:
    return MLP(*sizes)(_of(*(0.3 * k - 0.5 for k in range(sizes[0]))))[0]


def _squared_errors() -> Any:
    net = MLP(3, 4, 4, 1)
    rows = ([2.0, 3.0, -1.0], [3.0, -1.0, 0.5], [0.5, 1.0, 1.0], [1.0, 1.0, -1.0])
    return sum((net(_of(*row))[0] - y) ** 2 for row, y in zip(rows, (1.0, -1.0, -1.0, 1.0), strict=True))


def _scorer(*sizes: int) -> tuple[Any, Any]:
    net = Network(sizes, scalar=True)
    return net([0.1 * k for k in range(sizes[0])]), net.parameter("W11(1)")


def _loop(count: int) -> Any:
    x, w, b = Value(0.5, name="x"), Value(0.9, name="w"), Value(0.1, name="b")
    for _ in range(count):
        x = ad.tanh(w * x + b)
    return x


def _descent() -> Any:
    x = Value(3.0, name="x")
    for _ in range(12):
        x = x - 0.1 * (2.0 * x + ad.sin(x))
    return x


def _momentum() -> Any:
    x, v, g = Value(3.0, name="x"), Value(0.0, name="v"), Value(0.9, name="g")
    for _ in range(8):
        v = g * v - 0.1 * x
        x = x + v
    return x * x


def _pendulum() -> Any:
    angle, speed, length = Value(0.3, name="angle"), Value(0.0, name="speed"), Value(1.2, name="length")
    for _ in range(10):
        speed = speed - 0.05 * 9.81 / length * ad.sin(angle)
        angle = angle + 0.05 * speed
    return angle


def _spring() -> Any:
    k, x, v = Value(4.0, name="k"), Value(1.0, name="x"), Value(0.0, name="v")
    for _ in range(6):
        v = v - 0.1 * k * x
        x = x + 0.1 * v
    return 0.5 * k * x * x + 0.5 * v * v


def _newton() -> Any:
    a, x = Value(2.0, name="a"), Value(1.0)
    for _ in range(5):
        x = 0.5 * (x + a / x)
    return x


def _recurrent() -> Any:
    h, w, u = Value(0.0), Value(0.5, name="w"), Value(0.8, name="u")
    for k in range(6):
        h = ad.tanh(w * h + u * (0.1 * k))
    return h


def _horner() -> Any:
    x, total = Value(0.7, name="x"), Value(1.0)
    for k in range(9):
        total = total * x + 0.5 * k
    return total


def _distance() -> Any:
    a, b = _of(1.0, 2.0, 3.0), _of(0.5, 0.1, -0.3)
    return ad.sqrt(sum((p - q) ** 2 for p, q in zip(a, b, strict=True)))


def _gaussian() -> Any:
    x, m, s = Value(1.0, name="x"), Value(0.2, name="m"), Value(0.8, name="s")
    return ad.exp(-((x - m) ** 2) / (2.0 * s * s)) / (s * 2.5066)


def _lennard_jones() -> Any:
    r, e, s = Value(1.3, name="r"), Value(0.7, name="e"), Value(1.1, name="s")
    return 4.0 * e * ((s / r) ** 12 - (s / r) ** 6)


def _lens() -> Any:
    n, r1, r2 = Value(1.5, name="n"), Value(0.1, name="r1"), Value(0.2, name="r2")
    return 1.0 / ((n - 1.0) * (1.0 / r1 - 1.0 / r2))


def _black_scholes() -> Any:
    s, k, t, v = Value(100.0, name="S"), Value(95.0, name="K"), Value(0.5, name="T"), Value(0.2, name="σ")
    d = (ad.log(s / k) + (0.02 + v * v / 2.0) * t) / (v * ad.sqrt(t))
    return s * ad.sigmoid(1.7 * d) - k * ad.exp(-0.02 * t) * ad.sigmoid(1.7 * (d - v * ad.sqrt(t)))


def _rosenbrock() -> Any:
    x = _of(0.5, 0.2, -0.3, 0.8)
    return sum(100.0 * (b - a * a) ** 2 + (1.0 - a) ** 2 for a, b in pairwise(x))


def _softmax_loss() -> Any:
    scores = _of(0.2, 1.5, -0.3, 0.9)
    exps = [ad.exp(score) for score in scores]
    return -ad.log(exps[1] / sum(exps))


def _line_fit() -> Any:
    a, b = Value(0.5, name="a"), Value(0.1, name="b")
    return sum((a * (0.5 * k) + b - 0.3 * k) ** 2 for k in range(8)) / 8.0


def _dot_product() -> Any:
    return sum(p * q for p, q in zip(_of(*(0.1 * k for k in range(16))), _of(*[0.5] * 16), strict=True))


def _dense_arrays() -> Any:
    w, x = Tensor(np.full((3, 4), 0.1), name="W"), Tensor(np.ones(4), name="x")
    return ad.tanh(w @ x).sum()


def _deep_arrays() -> Any:
    x = Tensor(np.ones(4), name="x")
    for k in range(12):
        x = ad.tanh(Tensor(np.full((4, 4), 0.1), name=f"W{k}") @ x + Tensor(np.zeros(4), name=f"b{k}"))
    return x.sum()


def _attention() -> Any:
    q, k, v = (Tensor(np.linspace(0.0, 1.0, 6).reshape(3, 2), name=name) for name in "qkv")
    scores = ad.exp(q @ k.T)
    return ((scores / scores.sum(axis=1, keepdims=True)) @ v).sum()


#: Each program, and the view in which it is drawn.
PROGRAMS: Final[dict[str, tuple[Callable[[], Any], str]]] = {
    "micrograd 3-4-4-1": (lambda: _net(3, 4, 4, 1), "graph"),
    "loop of 12 steps": (lambda: _loop(12), "graph"),
    "scorer 20-8-1": (lambda: _scorer(20, 8, 1)[0], "graph"),
    "network 784-128-10-1": (lambda: _scorer(784, 128, 10, 1), "network"),
    "micrograd 2-3-1": (lambda: _net(2, 3, 1), "graph"),
    "micrograd 3-4-4-1, squared errors": (_squared_errors, "graph"),
    "neuron": (lambda: _net(2, 1), "graph"),
    "scorer 4-2-1": (lambda: _scorer(4, 2, 1), "auto"),
    "scorer 4-2-1, the network": (lambda: _scorer(4, 2, 1), "network"),
    "scorer 4-3-2-1": (lambda: _scorer(4, 3, 2, 1), "auto"),
    "scorer 20-8-1, one weight": (lambda: _scorer(20, 8, 1), "auto"),
    "loop of 3 steps": (lambda: _loop(3), "graph"),
    "gradient descent": (_descent, "graph"),
    "momentum": (_momentum, "graph"),
    "pendulum": (_pendulum, "graph"),
    "spring": (_spring, "graph"),
    "Newton's square root": (_newton, "graph"),
    "recurrent cell": (_recurrent, "graph"),
    "Horner": (_horner, "graph"),
    "distance": (_distance, "graph"),
    "Gaussian": (_gaussian, "graph"),
    "Lennard-Jones": (_lennard_jones, "graph"),
    "lens": (_lens, "graph"),
    "Black-Scholes": (_black_scholes, "graph"),
    "Rosenbrock": (_rosenbrock, "graph"),
    "softmax loss": (_softmax_loss, "graph"),
    "line fit": (_line_fit, "graph"),
    "dot product of 16": (_dot_product, "graph"),
    "dense layer of arrays": (_dense_arrays, "graph"),
    "12 layers of arrays": (_deep_arrays, "graph"),
    "attention": (_attention, "graph"),
    **FORMULAS,
}
