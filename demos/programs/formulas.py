"""Further programs, most of them followed to one of their parameters: finance, physics, control, statistics, nets."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any, Final

import numpy as np

import autodiff as ad
from autodiff import Tensor, Value

__all__ = ["FORMULAS"]


def _loan() -> Any:
    debt, rate, payment = Value(12000.0, name="debt"), Value(0.004, name="rate"), Value(350.0, name="payment")
    left = debt
    for _ in range(6):
        left = left * (1.0 + rate) - payment
    return left, rate


def _interest() -> Any:
    principal, rate, years = Value(1000.0, name="principal"), Value(0.03, name="rate"), Value(10.0, name="years")
    return principal * (1.0 + rate) ** years, rate


def _income_tax() -> Any:
    gross, free = Value(42000.0, name="gross"), Value(11000.0, name="free")
    tax = 0.3 * ad.relu(gross - free) + 0.1 * ad.relu(gross - 60000.0)
    return gross - tax, gross


def _divider() -> Any:
    u, r1, r2, load = Value(9.0, name="U"), Value(220.0, name="R1"), Value(470.0, name="R2"), Value(1000.0, name="RL")
    lower = 1.0 / (1.0 / r2 + 1.0 / load)
    return u * lower / (r1 + lower), r2


def _capacitor() -> Any:
    u, r, c, t = Value(5.0, name="U"), Value(1000.0, name="R"), Value(1e-6, name="C"), Value(1e-3, name="t")
    return u * (1.0 - ad.exp(-t / (r * c))), r


def _projectile() -> Any:
    v, angle, g = Value(20.0, name="v"), Value(0.7, name="angle"), Value(9.81, name="g")
    return v**2 * ad.sin(2.0 * angle) / g, angle


def _gas() -> Any:
    n, t, v = Value(1.0, name="n"), Value(300.0, name="T"), Value(0.025, name="V")
    return n * 8.314 * t / (v - n * 3.2e-5) - 0.14 * n * n / (v * v), v


def _orbit() -> Any:
    x, y, u, w = (Value(number, name=name) for name, number in {"x": 1.0, "y": 0.2, "u": 0.1, "w": 0.9}.items())
    return 0.5 * (u * u + w * w) - 1.0 / ad.sqrt(x * x + y * y), x


def _relativity() -> Any:
    m, v = Value(2.0, name="m"), Value(0.6, name="v")
    return m / ad.sqrt(1.0 - v * v), v


def _snell() -> Any:
    n1, n2, angle = Value(1.0, name="n1"), Value(1.33, name="n2"), Value(0.6, name="angle")
    return ad.arcsin(n1 / n2 * ad.sin(angle)), n2


def _planck() -> Any:
    f, t = Value(2.0, name="f"), Value(1.5, name="T")
    return f**3 / (ad.exp(f / t) - 1.0), t


def _drag() -> Any:
    v, k = Value(30.0, name="v"), Value(0.02, name="k")
    for _ in range(5):
        v = v - 0.1 * k * v * v
    return v, k


def _logistic_map() -> Any:
    x, r = Value(0.3, name="x"), Value(3.2, name="r")
    for _ in range(8):
        x = r * x * (1.0 - x)
    return x, r


def _controller() -> Any:
    p, i, d = (Value(number, name=name) for name, number in {"Kp": 1.2, "Ki": 0.4, "Kd": 0.05}.items())
    y, total, last = Value(0.0, name="y"), Value(0.0), Value(1.0)
    for _ in range(3):
        error = 1.0 - y
        total = total + 0.1 * error
        y = y + 0.1 * (p * error + i * total + d * (error - last) / 0.1)
        last = error
    return (1.0 - y) ** 2, d


def _filter() -> Any:
    x, spread, noise = Value(0.0, name="x"), Value(1.0, name="P"), Value(0.5, name="R")
    for seen in (0.9, 1.1, 1.0):
        gain = spread / (spread + noise)
        x, spread = x + gain * (seen - x), (1.0 - gain) * spread
    return x, noise


def _bezier() -> Any:
    t, points = Value(0.3, name="t"), [Value(number, name=f"P{k}") for k, number in enumerate((0.0, 1.0, 3.0, 2.0))]
    while len(points) > 1:
        points = [(1.0 - t) * a + t * b for a, b in pairwise(points)]
    return points[0], t


def _rotation() -> Any:
    angle, x, y = Value(0.5, name="angle"), Value(1.0, name="x"), Value(2.0, name="y")
    u, v = x * ad.cos(angle) - y * ad.sin(angle), x * ad.sin(angle) + y * ad.cos(angle)
    return u * v, angle


def _logistic_loss() -> Any:
    w, b = Value(0.4, name="w"), Value(-0.2, name="b")
    rows = ((0.5, 1.0), (-1.0, -1.0), (2.0, 1.0), (0.3, -1.0))
    return sum(ad.softplus(-y * (w * x + b)) for x, y in rows) / 4.0, w


def _huber() -> Any:
    a, total = Value(1.1, name="a"), Value(0.0)
    for x, y in ((1.0, 1.0), (2.0, 2.5), (3.0, 9.0)):
        off = abs(a * x - y)
        total = total + (0.5 * off * off if off < 1.0 else off - 0.5)
    return total, a


def _divergence() -> Any:
    p = [Value(number, name=f"p{k}") for k, number in enumerate((0.2, 0.5, 0.3))]
    return sum(a * ad.log(a / b) for a, b in zip(p, (0.3, 0.3, 0.4), strict=True)), p[0]


def _cosine() -> Any:
    a, b = ([Value(number, name=f"{name}{k}") for k, number in enumerate(row)] for name, row in _VECTORS.items())
    dot = sum(p * q for p, q in zip(a, b, strict=True))
    return dot / (ad.sqrt(sum(p * p for p in a)) * ad.sqrt(sum(q * q for q in b))), a[0]


_VECTORS: Final = {"a": (1.0, 2.0, 0.5), "b": (0.3, -1.0, 2.0)}


def _perceptron() -> Any:
    w = {name: Value(number, name=name) for name, number in {"long": 0.4, "capital": 1.2, "bias": -0.7}.items()}
    score = w["long"] * 0.5 + w["capital"] * 1.0 + w["bias"]
    return ad.relu(1.0 - score), w["capital"]


def _exclusive_or() -> Any:
    w = [Value(0.3 * k - 1.0, name=f"w{k}") for k in range(9)]
    loss: Any = 0.0
    for x, y, target in ((0.0, 1.0, 1.0), (1.0, 1.0, 0.0)):
        left, right = ad.tanh(w[0] * x + w[1] * y + w[2]), ad.tanh(w[3] * x + w[4] * y + w[5])
        loss = loss + (w[6] * left + w[7] * right + w[8] - target) ** 2
    return loss, w[0]


def _gated_unit() -> Any:
    x, h = Value(0.5, name="x"), Value(0.1, name="h")
    w = {name: Value(0.2 + 0.1 * k, name=name) for k, name in enumerate(("Wz", "Uz", "Wr", "Ur", "W", "U"))}
    for _ in range(2):
        update, reset = ad.sigmoid(w["Wz"] * x + w["Uz"] * h), ad.sigmoid(w["Wr"] * x + w["Ur"] * h)
        h = (1.0 - update) * h + update * ad.tanh(w["W"] * x + reset * w["U"] * h)
    return h, w["Ur"]


def _cross_entropy() -> Any:
    w = Tensor(np.linspace(-0.5, 0.5, 12).reshape(3, 4), name="W")
    scores = np.linspace(0.0, 1.0, 8).reshape(2, 4) @ w.T
    return -ad.log_softmax(scores, axis=1)[np.arange(2), [0, 2]].mean(), w


def _layer_norm() -> Any:
    x = Tensor([[1.0, 2.0, 4.0], [0.0, -1.0, 2.0]], name="x")
    centred = x - x.mean(axis=1, keepdims=True)
    return (centred / ad.sqrt((centred * centred).mean(axis=1, keepdims=True) + 1e-5) * np.arange(3.0)).sum(), x


def _convolution() -> Any:
    signal, kernel = Tensor(np.sin(np.arange(8.0)), name="signal"), Tensor([0.2, 0.5, 0.3], name="kernel")
    moved = sum(kernel[k] * signal[k : k + 6] for k in range(3))
    return (moved * moved).sum(), kernel


def _quadratic_form() -> Any:
    a, x = Tensor([[2.0, 0.5], [0.5, 1.0]], name="A"), Tensor([1.0, -2.0], name="x")
    return x @ a @ x / (x @ x), x


def _least_squares() -> Any:
    a, b = Tensor(np.vander([1.0, 2.0, 3.0, 4.0], 2), name="A"), Tensor([1.0, 2.1, 2.9, 4.2], name="b")
    off = a @ np.linalg.solve(a.T @ a, a.T @ b) - b
    return off @ off, b


#: Each program, and the view in which it is drawn.
FORMULAS: Final[dict[str, tuple[Callable[[], Any], str]]] = {
    "loan": (_loan, "auto"),
    "compound interest": (_interest, "auto"),
    "income tax": (_income_tax, "auto"),
    "voltage divider": (_divider, "auto"),
    "charging capacitor": (_capacitor, "auto"),
    "projectile": (_projectile, "auto"),
    "real gas": (_gas, "auto"),
    "energy of an orbit": (_orbit, "auto"),
    "relativistic energy": (_relativity, "auto"),
    "Snell's law": (_snell, "auto"),
    "Planck's law": (_planck, "auto"),
    "fall with drag": (_drag, "auto"),
    "logistic map": (_logistic_map, "auto"),
    "PID controller": (_controller, "auto"),
    "Kalman filter": (_filter, "auto"),
    "Bezier curve": (_bezier, "auto"),
    "rotation": (_rotation, "auto"),
    "logistic regression": (_logistic_loss, "auto"),
    "Huber loss": (_huber, "auto"),
    "Kullback–Leibler divergence": (_divergence, "auto"),
    "cosine similarity": (_cosine, "auto"),
    "perceptron": (_perceptron, "auto"),
    "exclusive or": (_exclusive_or, "auto"),
    "gated recurrent unit": (_gated_unit, "auto"),
    "cross-entropy of arrays": (_cross_entropy, "auto"),
    "layer normalisation": (_layer_norm, "auto"),
    "convolution by slices": (_convolution, "auto"),
    "Rayleigh quotient": (_quadratic_form, "auto"),
    "least squares": (_least_squares, "auto"),
}
