"""One training step of a classifier 784-128-64-10 with ReLU, dropout and Adam: forward, backward, update, by batch."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any, Final

import numpy as np

from autodiff.system.extras import install
from nn import Adam, Dropout, Layer, Network, softmax_cross_entropy

__all__ = ["contenders"]

SIZES: Final = (784, 128, 64, 10)
KEEP: Final = 0.8  # the probability that dropout keeps a unit
RATE, BETA1, BETA2, EPSILON = 1e-4, 0.9, 0.999, 1e-8
Step = Callable[[], object]


def contenders(batch: int) -> dict[str, Step]:
    """A step of each engine that is installed, from the same weights and examples, in float64."""
    random = np.random.default_rng(0)
    x, y = random.normal(size=(batch, SIZES[0])), random.integers(0, SIZES[-1], batch)
    weights = [random.normal(size=(m, n)) * (2 / n) ** 0.5 for n, m in pairwise(SIZES)]
    steps = {"NumPy by hand": by_hand(weights, x, y), "autodiff": ours(weights, x, y)}
    for name, make in {"torch": with_torch, "jax.jit": with_jax}.items():
        try:
            steps[name] = make(weights, x, y)
        except ImportError:
            print(f"  ({name} is not installed: {install('peers')})")
    return steps


def by_hand(weights: list[Any], x: Any, y: Any) -> Step:
    """The notes' recursion and Adam, as a person writes them."""
    random = np.random.default_rng(1)
    parameters = [each.copy() for W in weights for each in (W, np.zeros(len(W)))]
    m, v = ([np.zeros_like(each) for each in parameters] for _ in range(2))
    t, rows = 0, np.arange(len(x))

    def step() -> float:
        nonlocal t
        a: list[Any] = [x]
        signals: list[Any] = []
        masks: list[Any] = []
        for k in (0, 2):
            z = a[-1] @ parameters[k].T + parameters[k + 1]
            mask = (random.random(z.shape) < KEEP) / KEEP
            masks.append(mask * (z > 0))
            a.append(np.maximum(z, 0.0) * mask)
        z = a[-1] @ parameters[4].T + parameters[5]
        e = np.exp(z - z.max(axis=1, keepdims=True))
        p = e / e.sum(axis=1, keepdims=True)
        J = -np.log(p[rows, y]).mean()
        delta = p
        delta[rows, y] -= 1.0
        delta /= len(x)
        for k in (4, 2, 0):
            signals[:0] = [delta.T @ a[k // 2], delta.sum(axis=0)]
            if k:
                delta = (delta @ parameters[k]) * masks[k // 2 - 1]
        t += 1
        for k, g in enumerate(signals):
            m[k] = BETA1 * m[k] + (1 - BETA1) * g
            v[k] = BETA2 * v[k] + (1 - BETA2) * g * g
            parameters[k] -= RATE * (m[k] / (1 - BETA1**t)) / (np.sqrt(v[k] / (1 - BETA2**t)) + EPSILON)
        return float(J)

    return step


def ours(weights: list[Any], x: Any, y: Any) -> Step:
    """The same with this package's layers, dropout and optimiser."""
    layers: list[Any] = []
    for k, (n, m) in enumerate(pairwise(SIZES), start=1):
        layers.append(Layer(n, m, activation="relu" if k < len(weights) else "identity", number=k))
        if k < len(weights):
            layers.append(Dropout(KEEP, random=np.random.default_rng(k)))
    net = Network.of(*layers)
    net.load({**net.state(), **{f"W({k})": W for k, W in enumerate(weights, start=1)}})
    descent = Adam(net, rate=RATE, beta1=BETA1, beta2=BETA2, epsilon=EPSILON)
    x = x.copy()
    x.setflags(write=False)  # or every step would copy it, to be safe from later writes

    def step() -> object:
        descent.zero_grad()
        J = softmax_cross_entropy(net(x), y)
        J.backward()
        descent.step()
        return J

    return step


def with_torch(weights: list[Any], x: Any, y: Any) -> Step:
    """PyTorch, eager."""
    import torch
    from torch import nn as modules

    torch.set_num_threads(1)
    net: Any = modules.Sequential(
        modules.Linear(784, 128), modules.ReLU(), modules.Dropout(1 - KEEP),
        modules.Linear(128, 64), modules.ReLU(), modules.Dropout(1 - KEEP), modules.Linear(64, 10),
    ).double()  # fmt: skip
    with torch.no_grad():
        for layer, W in zip((net[0], net[3], net[6]), weights, strict=True):
            layer.weight[:] = torch.tensor(W)
            layer.bias[:] = 0.0
    descent = torch.optim.Adam(net.parameters(), lr=RATE, betas=(BETA1, BETA2), eps=EPSILON)
    examples, labels = torch.tensor(x), torch.tensor(y)

    def step() -> object:
        descent.zero_grad()
        J = modules.functional.cross_entropy(net(examples), labels)
        J.backward()  # type: ignore[no-untyped-call]
        descent.step()
        return J

    return step


def with_jax(weights: list[Any], x: Any, y: Any) -> Step:
    """JAX, the whole step compiled."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)  # type: ignore[no-untyped-call]

    def objective(parameters: Any, key: Any) -> Any:
        a = x
        for k in (0, 2):
            key, own = jax.random.split(key)
            z = a @ parameters[k].T + parameters[k + 1]
            a = jnp.maximum(z, 0.0) * jax.random.bernoulli(own, KEEP, z.shape) / KEEP
        logits = a @ parameters[4].T + parameters[5]
        return -jnp.mean(jax.nn.log_softmax(logits)[jnp.arange(len(y)), y])

    @jax.jit
    def update(parameters: Any, m: Any, v: Any, t: Any, key: Any) -> Any:
        key, own = jax.random.split(key)
        J, gradient = jax.value_and_grad(objective)(parameters, own)
        t = t + 1
        m = [BETA1 * a + (1 - BETA1) * g for a, g in zip(m, gradient, strict=True)]
        v = [BETA2 * a + (1 - BETA2) * g * g for a, g in zip(v, gradient, strict=True)]
        parameters = [
            p - RATE * (a / (1 - BETA1**t)) / (jnp.sqrt(b / (1 - BETA2**t)) + EPSILON)
            for p, a, b in zip(parameters, m, v, strict=True)
        ]
        return J, parameters, m, v, t, key

    parameters = [jnp.asarray(each) for W in weights for each in (W, np.zeros(len(W)))]
    zeros = [jnp.zeros_like(each) for each in parameters]
    state: Any = (parameters, zeros, zeros, jnp.asarray(0), jax.random.key(0))

    def step() -> object:
        nonlocal state
        J, *rest = update(*state)
        state = tuple(rest)
        return J.block_until_ready()

    return step
