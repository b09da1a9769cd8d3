"""One training step of the notes' window scorer 20-8-1 on arrays: forward, backward, update, at several batch sizes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import autodiff as ad
from autodiff.system.extras import install
from nn import SGD

__all__ = ["contenders"]

RATE = 1e-7  # so small that every pair keeps violating the margin: otherwise, the step by hand skips its work
Step = Callable[[], object]


def contenders(batch: int) -> dict[str, Step]:
    """A step of each engine that is installed, from the same numbers."""
    random = np.random.default_rng(0)
    numbers = {
        "W": random.normal(size=(8, 20)) * 0.3,
        "b": random.normal(size=8) * 0.1,
        "U": random.normal(size=8) * 0.3,
        "x": random.normal(size=(batch, 20)),
        "corrupt": random.normal(size=(batch, 20)),
    }
    steps = {"NumPy by hand": by_hand(numbers), "autodiff": ours(numbers)}
    if batch == 1:
        steps["NumPy by hand, one pair only"] = by_hand_for_one(numbers)
    for name, make in {"torch": with_torch, "HIPS autograd": with_hips, "jax.jit": with_jax}.items():
        try:
            steps[name] = make(numbers)
        except ImportError:
            print(f"  ({name} is not installed: {install('peers')})")
    return steps


def by_hand(numbers: dict[str, Any]) -> Step:
    """The notes' formulas (section 1.6) for a batch of any size, as a person writes them."""
    W, b, U = (numbers[key].copy() for key in ("W", "b", "U"))
    x, corrupt = numbers["x"], numbers["corrupt"]

    def step() -> float:
        nonlocal W, b, U
        a = 1.0 / (1.0 + np.exp(-(x @ W.T + b)))
        a_c = 1.0 / (1.0 + np.exp(-(corrupt @ W.T + b)))
        violated = 1.0 + a_c @ U - a @ U
        active = (violated > 0) * 1.0
        delta = -np.outer(active, U) * a * (1.0 - a)
        delta_c = np.outer(active, U) * a_c * (1.0 - a_c)
        dW = delta.T @ x + delta_c.T @ corrupt
        db = delta.sum(axis=0) + delta_c.sum(axis=0)
        dU = active @ a_c - active @ a
        W = W - RATE * dW
        b = b - RATE * db
        U = U - RATE * dU
        return float((violated * active).sum())

    return step


def by_hand_for_one(numbers: dict[str, Any]) -> Step:
    """The same for a single pair of windows: vectors instead of matrices, and no work if the margin is met."""
    W, b, U = (numbers[key].copy() for key in ("W", "b", "U"))
    x, corrupt = numbers["x"][0], numbers["corrupt"][0]

    def step() -> float:
        nonlocal W, b, U
        a = 1.0 / (1.0 + np.exp(-(W @ x + b)))
        a_c = 1.0 / (1.0 + np.exp(-(W @ corrupt + b)))
        J = max(0.0, float(1.0 + U @ a_c - U @ a))
        if J > 0:
            delta = -U * a * (1.0 - a)
            delta_c = U * a_c * (1.0 - a_c)
            dW = np.outer(delta, x) + np.outer(delta_c, corrupt)
            db = delta + delta_c
            dU = a_c - a
            W = W - RATE * dW
            b = b - RATE * db
            U = U - RATE * dU
        return J

    return step


def ours(numbers: dict[str, Any]) -> Step:
    """The same with Tensors and the nets' own optimiser; both windows of a batch are scored as one."""
    W, b, U = (ad.Tensor(numbers[key]) for key in ("W", "b", "U"))
    pairs = np.vstack([numbers["x"], numbers["corrupt"]])
    pairs.setflags(write=False)  # or every step would copy it, to be safe from later writes
    optimiser = SGD([W, b, U], rate=RATE)

    def step() -> object:
        J = ad.hinge_sum(ad.affine(W, pairs, b).sigmoid() @ U)
        J.backward()
        optimiser.step()
        optimiser.zero_grad()
        return J

    return step


def with_torch(numbers: dict[str, Any]) -> Step:
    """PyTorch, eager."""
    import torch

    torch.set_num_threads(1)
    W, b, U = (torch.tensor(numbers[key], requires_grad=True) for key in ("W", "b", "U"))
    x, corrupt = torch.tensor(numbers["x"]), torch.tensor(numbers["corrupt"])
    optimiser = torch.optim.SGD([W, b, U], lr=RATE)

    def step() -> object:
        s = torch.sigmoid(torch.nn.functional.linear(x, W, b)) @ U
        s_c = torch.sigmoid(torch.nn.functional.linear(corrupt, W, b)) @ U
        J = torch.relu(1.0 + s_c - s).sum()
        optimiser.zero_grad()
        J.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        return J

    return step


def with_hips(numbers: dict[str, Any]) -> Step:
    """HIPS autograd."""
    import autograd
    import autograd.numpy as anp

    x, corrupt = numbers["x"], numbers["corrupt"]
    parameters = [numbers[key].copy() for key in ("W", "b", "U")]

    def objective(p: Any) -> Any:
        W, b, U = p
        s = anp.dot(1.0 / (1.0 + anp.exp(-(anp.dot(x, W.T) + b))), U)
        s_c = anp.dot(1.0 / (1.0 + anp.exp(-(anp.dot(corrupt, W.T) + b))), U)
        return anp.sum(anp.maximum(1.0 + s_c - s, 0.0))

    gradient = autograd.grad(objective)

    def step() -> object:
        nonlocal parameters
        parameters = [p - RATE * g for p, g in zip(parameters, gradient(parameters), strict=True)]
        return parameters

    return step


def with_jax(numbers: dict[str, Any]) -> Step:
    """JAX, compiled once beforehand."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)  # type: ignore[no-untyped-call]
    x, corrupt = jnp.asarray(numbers["x"]), jnp.asarray(numbers["corrupt"])
    parameters = [jnp.asarray(numbers[key]) for key in ("W", "b", "U")]

    def objective(p: Any, x: Any, corrupt: Any) -> Any:
        W, b, U = p
        s = jax.nn.sigmoid(x @ W.T + b) @ U
        s_c = jax.nn.sigmoid(corrupt @ W.T + b) @ U
        return jnp.sum(jnp.maximum(1.0 + s_c - s, 0.0))

    @jax.jit
    def update(p: Any, x: Any, corrupt: Any) -> Any:
        return [a - RATE * g for a, g in zip(p, jax.grad(objective)(p, x, corrupt), strict=True)]

    def step() -> object:
        nonlocal parameters
        parameters = update(parameters, x, corrupt)
        return parameters[0].block_until_ready()

    return step
