"""The workloads of recorded programs: by hand in NumPy, as a person writes it, and by a function of this engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

import numpy as np

import autodiff as ad
from tests.programs.benchmarks import microgpt

__all__ = ["Workload", "moons", "others", "scorer", "tensors"]

Call = Callable[[], Any]
Arrays = Sequence[Any]


@dataclass
class Workload:
    """A program of one objective.

    Args:
        name, goal: the goal is in times of NumPy by hand.
        hand: gives (J, gradients).
        function: the program's function, of ``arguments``; ``options`` are those of `autodiff.program`.
        parameters: the leaves, in the order of the gradients by hand, flattened.
        matrices: the same for torch and jax: a function of (their namespace, the arrays of the parameters).
    """

    name: str
    goal: float
    hand: Callable[[], tuple[float, Arrays]]
    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    parameters: list[Any]
    options: dict[str, Any] = field(default_factory=dict)
    matrices: Callable[[Any, Arrays], Any] | None = None
    arrays: Arrays = ()


# ---- the same for any engine -----------------------------------------------------------------------------------------


def _later(function: Callable[..., Any], *args: Any) -> Call:
    return lambda: function(*args)


def _relu(xp: Any) -> Callable[[Any], Any]:
    return xp.relu if hasattr(xp, "relu") else lambda z: xp.maximum(z, 0.0)


def _sigmoid(xp: Any) -> Callable[[Any], Any]:
    return xp.sigmoid if hasattr(xp, "sigmoid") else lambda z: 1.0 / (1.0 + xp.exp(-z))


# ---- nets in NumPy, and the same for torch and jax -------------------------------------------------------------------


def forward(W: Arrays, b: Arrays, x: Any) -> list[Any]:
    """The units of each layer, ReLU in all but the last."""
    a = [x]
    for k in range(len(W)):
        z = a[-1] @ W[k].T + b[k]
        a.append(z if k == len(W) - 1 else np.maximum(z, 0.0))
    return a


def backward(W: Arrays, a: Arrays, delta: Any) -> list[Any]:
    """The gradients of W₁, b₁, W₂, … from the error signal of the last layer."""
    found: list[Any] = []
    for k in reversed(range(len(W))):
        found[:0] = [delta.T @ a[k], delta.sum(axis=0)]
        if k:
            delta = (delta @ W[k]) * (a[k] > 0)
    return found


def net_of(sizes: Sequence[int], seed: int) -> list[Any]:
    """W₁, b₁, W₂, …"""
    random = np.random.default_rng(seed)
    return [
        each for n, m in pairwise(sizes) for each in (random.normal(size=(m, n)) * n**-0.5, random.normal(size=m) * 0.1)
    ]


def values_of(arrays: Arrays) -> list[Any]:
    """Nested lists of Values."""
    return [
        [[ad.Value(x) for x in row] for row in each.tolist()] if each.ndim == 2 else list(map(ad.Value, each.tolist()))
        for each in arrays
    ]


def flat(tree: Any) -> list[Any]:
    """The leaves of nested lists."""
    return [leaf for item in tree for leaf in flat(item)] if isinstance(tree, list) else [tree]


def scores(p: Any, x: Any) -> list[Any]:
    """The net's last layer for one example, in scalars."""
    signals = list(x)
    for k in range(0, len(p), 2):
        rows = zip(p[k], p[k + 1], strict=True)
        sums = [sum((w * a for w, a in zip(weights, signals, strict=True)), bias) for weights, bias in rows]
        signals = sums if k == len(p) - 2 else [z.relu() for z in sums]
    return signals


def layered(p: Arrays, x: Any, relu: Callable[[Any], Any]) -> Any:
    """The net's last layer for a batch, in matrices of any engine."""
    for k in range(0, len(p), 2):
        x = x @ p[k].T + p[k + 1]
        x = x if k == len(p) - 2 else relu(x)
    return x


# ---- moons -----------------------------------------------------------------------------------------------------------

PENALTY: Final = 1e-4


def moons_data(count: int) -> tuple[Any, Any]:
    random = np.random.default_rng(0)
    return random.normal(size=(count, 2)), random.choice([-1.0, 1.0], count)


def moons_by_hand(p: Arrays, x: Any, y: Any) -> tuple[float, Arrays]:
    a = forward(p[::2], p[1::2], x)
    margin = 1.0 - y * a[-1][:, 0]
    J = np.maximum(margin, 0.0).mean() + PENALTY * sum((each * each).sum() for each in p)
    delta = -((margin > 0) * y / len(y))[:, None]
    return J, [g + 2.0 * PENALTY * each for g, each in zip(backward(p[::2], a, delta), p, strict=True)]


def moons() -> Iterator[Workload]:
    """The two moons, 2-16-16-1, with a penalty on all parameters."""
    p = net_of((2, 16, 16, 1), 1)
    values = values_of(p)
    leaves = flat(values)

    def hinge(x: Any, y: Any) -> Any:
        return (1.0 + scores(values, x)[0] * -y).relu()

    def penalty() -> Any:
        return sum(w * w for w in leaves) * PENALTY

    def objective(X: Any, Y: Any) -> Any:
        losses = [hinge(x, y) for x, y in zip(X, Y, strict=True)]
        return sum(losses) * (1.0 / len(losses)) + penalty()

    def of_one(x: Any, y: Any) -> Any:
        return hinge(x, y) + penalty()

    for name, goal, count, function, change, options in (
        ("moons, lists of floats", 0.7, 100, objective, True, {}),
        ("moons, arrays", 0.7, 100, objective, False, {}),
        ("moons, batch= 1,000", 0.9, 1_000, of_one, False, {"batch": ("x", "y")}),
        ("moons, batch= 10,000", 0.9, 10_000, of_one, False, {"batch": ("x", "y")}),
    ):
        x, y = moons_data(count)
        given = (x.tolist(), y.tolist()) if change else (x, y)

        def matrices(xp: Any, each: Arrays, x: Any = x, y: Any = y) -> Any:
            s = layered(each, xp.asarray(x), _relu(xp))[:, 0]
            return _relu(xp)(1.0 - xp.asarray(y) * s).mean() + PENALTY * sum((w * w).sum() for w in each)

        hand = _later(moons_by_hand, p, x, y)
        yield Workload(name, goal, hand, function, given, leaves, options, matrices, p)


# ---- the scorer ------------------------------------------------------------------------------------------------------


def scorer_by_hand(p: Arrays, x: Any, corrupt: Any) -> tuple[float, Arrays]:
    W, b, U = p
    a = 1.0 / (1.0 + np.exp(-(x @ W.T + b)))
    a_c = 1.0 / (1.0 + np.exp(-(corrupt @ W.T + b)))
    violated = 1.0 + a_c @ U - a @ U
    active = (violated > 0) * 1.0
    delta = -np.outer(active, U) * a * (1.0 - a)
    delta_c = np.outer(active, U) * a_c * (1.0 - a_c)
    dW = delta.T @ x + delta_c.T @ corrupt
    return (violated * active).sum(), [dW, delta.sum(axis=0) + delta_c.sum(axis=0), active @ a_c - active @ a]


def scorer_of_one_by_hand(p: Arrays, x: Any, corrupt: Any) -> tuple[float, Arrays]:
    W, b, U = p
    a, a_c = 1.0 / (1.0 + np.exp(-(W @ x + b))), 1.0 / (1.0 + np.exp(-(W @ corrupt + b)))
    J = max(0.0, float(1.0 + U @ a_c - U @ a))
    delta, delta_c = -U * a * (1.0 - a), U * a_c * (1.0 - a_c)
    return J, [np.outer(delta, x) + np.outer(delta_c, corrupt), delta + delta_c, a_c - a]


def scorer() -> Iterator[Workload]:
    """The notes' pair of windows, 20-8-1."""
    random = np.random.default_rng(2)
    p = [random.normal(size=(8, 20)) * 0.3, random.normal(size=8) * 0.1, random.normal(size=8) * 0.3]
    W, b, U = values_of(p)
    leaves = flat([W, b, U])

    def score(x: Any) -> Any:
        z = [sum((w * a for w, a in zip(row, x, strict=True)), bias) for row, bias in zip(W, b, strict=True)]
        return sum(u * each.sigmoid() for u, each in zip(U, z, strict=True))

    def pair(x: Any, corrupt: Any) -> Any:
        return (1.0 - score(x) + score(corrupt)).relu()

    def pairs(xs: Any, corrupt: Any) -> Any:
        return sum(pair(x, c) for x, c in zip(xs, corrupt, strict=True))

    x, corrupt = random.normal(size=(2, 20))
    yield Workload(
        "scorer, one pair", 0.3, _later(scorer_of_one_by_hand, p, x, corrupt), pair, (x.tolist(), corrupt.tolist()),
        leaves,
    )  # fmt: skip
    for name, goal, count, function, options in (
        ("scorer, 1,000 pairs in scalars", 1.0, 1_000, pairs, {}),
        ("scorer, batch= 64", 0.9, 64, pair, {"batch": ("x", "corrupt"), "mean": False}),
        ("scorer, batch= 4,096", 1.1, 4_096, pair, {"batch": ("x", "corrupt"), "mean": False}),
    ):
        x, corrupt = random.normal(size=(2, count, 20))
        hand = _later(scorer_by_hand, p, x, corrupt)
        yield Workload(name, goal, hand, function, (x, corrupt), leaves, options, _scorer_matrices(x, corrupt), p)


def _scorer_matrices(x: Any, corrupt: Any) -> Callable[[Any, Arrays], Any]:
    def matrices(xp: Any, p: Arrays) -> Any:
        s, s_c = (_sigmoid(xp)(xp.asarray(each) @ p[0].T + p[1]) @ p[2] for each in (x, corrupt))
        return _relu(xp)(1.0 + s_c - s).sum()

    return matrices


# ---- other scalars ---------------------------------------------------------------------------------------------------


def classes_by_hand(p: Arrays, x: Any, t: Any) -> tuple[float, Arrays]:
    a = forward(p[::2], p[1::2], x)
    e = np.exp(a[-1] - a[-1].max(axis=1, keepdims=True))
    probs = e / e.sum(axis=1, keepdims=True)
    J = -(t * np.log(probs)).sum(axis=1).mean()
    return J, backward(p[::2], a, (probs - t) / len(t))


def others() -> Iterator[Workload]:
    """A GPT, and a classifier of which one example is recorded."""
    weights = microgpt.weights()
    each = dict(zip(microgpt.NAMES, values_of([weights[name] for name in microgpt.NAMES]), strict=True))
    yield Workload(
        "microgpt, 8 tokens", 1.5, _later(microgpt.by_hand, weights, microgpt.TOKENS),
        lambda tokens: microgpt.loss(each, tokens), (microgpt.TOKENS,), flat(list(each.values())),
    )  # fmt: skip
    p, x, t = _classes(64)
    values = values_of(p)

    def of_one(x: Any, t: Any) -> Any:
        probs = microgpt.softmax(scores(values, x))
        return -sum(a * q.log() for a, q in zip(t, probs, strict=True))

    yield Workload(
        "784-128-64-10, scalars, batch= 64", 1.0, _later(classes_by_hand, p, x, t), of_one, (x, t), flat(values),
        {"batch": ("x", "t")},
    )  # fmt: skip


def _classes(batch: int) -> tuple[Arrays, Any, Any]:
    random = np.random.default_rng(3)
    return net_of((784, 128, 64, 10), 3), random.normal(size=(batch, 784)), np.eye(10)[random.integers(0, 10, batch)]


# ---- Tensors ---------------------------------------------------------------------------------------------------------

STEPS, HIDDEN, WIDE = 25, 100, 20


def recurrent_by_hand(p: Arrays, x: Any, t: Any) -> tuple[float, Arrays]:
    V, W, b, U = p
    h = [np.zeros((x.shape[1], HIDDEN))]
    for k in range(STEPS):
        h.append(np.tanh(x[k] @ V.T + h[-1] @ W.T + b))
    error = h[-1] @ U.T - t
    dV, dW, db = np.zeros_like(V), np.zeros_like(W), np.zeros_like(b)
    dh = 2.0 * error @ U
    for k in reversed(range(STEPS)):
        delta = dh * (1.0 - h[k + 1] ** 2)
        dV += delta.T @ x[k]
        dW += delta.T @ h[k]
        db += delta.sum(axis=0)
        dh = delta @ W
    return (error * error).sum(), [dV, dW, db, 2.0 * error.T @ h[-1]]


def tensors(batch: int) -> Iterator[Workload]:
    """Programs recorded from Tensors."""
    random = np.random.default_rng(5)
    p: Arrays = [random.normal(size=(8, 20)) * 0.3, random.normal(size=8) * 0.1, random.normal(size=8) * 0.3]
    x, corrupt = random.normal(size=(2, batch, 20))
    yield _on_tensors(f"Tensors: scorer, {batch:,}", scorer_by_hand, p, (x, corrupt), _scorer)
    p = net_of((2, 16, 16, 1), 1)
    yield _on_tensors(f"Tensors: moons, {batch:,}", moons_by_hand, p, moons_data(batch), _moons)
    p, x, t = _classes(batch)
    yield _on_tensors(f"Tensors: 784-128-64-10, {batch:,}", classes_by_hand, p, (x, t), _classifier)
    shapes = ((HIDDEN, WIDE), (HIDDEN, HIDDEN), (HIDDEN,), (WIDE, HIDDEN))
    p = [random.normal(size=shape) * 0.08 for shape in shapes]
    x, t = random.normal(size=(STEPS, batch, WIDE)), random.normal(size=(batch, WIDE))
    yield _on_tensors(f"Tensors: recurrent, {batch:,}", recurrent_by_hand, p, (x, t), _recurrent)


def _on_tensors(name: str, hand: Any, p: Arrays, given: tuple[Any, ...], text: Callable[..., Any]) -> Workload:
    leaves = [ad.Tensor(each) for each in p]
    return Workload(name, 1.0, _later(hand, p, *given), lambda *args: text(leaves, *args), given, leaves)


def _scorer(p: Arrays, x: Any, corrupt: Any) -> Any:
    s, s_c = ((each @ p[0].T + p[1]).sigmoid() @ p[2] for each in (x, corrupt))
    return (1.0 + s_c - s).relu().sum()


def _moons(p: Arrays, x: Any, y: Any) -> Any:
    s = layered(p, x, lambda z: z.relu())[:, 0]
    return (1.0 - y * s).relu().mean() + PENALTY * sum((w * w).sum() for w in p)


def _classifier(p: Arrays, x: Any, t: Any) -> Any:
    return -(t * ad.log_softmax(layered(p, x, lambda z: z.relu()), axis=1)).sum(axis=1).mean()


def _recurrent(p: Arrays, x: Any, t: Any) -> Any:
    V, W, b, U = p
    h = np.zeros((x.shape[1], HIDDEN))
    for k in range(STEPS):
        h = (x[k] @ V.T + h @ W.T + b).tanh()
    error = h @ U.T - t
    return (error * error).sum()
