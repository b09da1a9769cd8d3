"""One training step of a character model, 65 symbols, 100 units, 25 steps, by the number of sequences side by side."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autodiff.system.extras import install
from nn import AdaGrad, RecurrentLM

__all__ = ["contenders"]

SYMBOLS, UNITS, STEPS = 65, 100, 25
RATE, CLIP, EPSILON = 0.01, 5.0, 1e-8
Step = Callable[[], object]


def contenders(rows: int) -> dict[str, Step]:
    """The same step by hand, of this engine, of torch and of jax: forward, backward, clipping by norm, AdaGrad."""
    found = {"NumPy by hand": by_hand(rows), "autodiff": ours(rows)}
    if rows == 1:
        found["NumPy by hand, step by step"] = step_by_step()
    for name, make in {"torch, eager": by_torch, "jax.jit": by_jax}.items():
        try:
            found[name] = make(rows)
        except ImportError:
            print(f"  ({name} is not installed: {install('peers')})")
    return found


def _text(rows: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(1)
    return random.integers(0, SYMBOLS, (rows, STEPS)), random.integers(0, SYMBOLS, (rows, STEPS))


def _net() -> RecurrentLM:
    return RecurrentLM(SYMBOLS, UNITS, random=np.random.default_rng(0))


def ours(rows: int) -> Step:
    """`RecurrentLM` with `AdaGrad`."""
    net, (ids, targets) = _net(), _text(rows)
    descent = AdaGrad(net, rate=RATE, clip=CLIP)

    def step() -> object:
        descent.zero_grad()
        J = net.loss(ids, targets)
        J.backward()
        descent.step()
        return J

    return step


def _descend(blocks: dict[str, Any], caches: dict[str, Any], grads: dict[str, Any]) -> None:
    """Clip by norm, then AdaGrad, in place."""
    norm = np.sqrt(sum(np.vdot(g, g) for g in grads.values()))
    factor = min(CLIP / norm, 1.0)
    for key, g in grads.items():
        g = factor * g
        caches[key] += g * g
        blocks[key] -= RATE * g / np.sqrt(caches[key] + EPSILON)


def _blocks() -> tuple[dict[str, Any], dict[str, Any]]:
    blocks = {key: block.copy() for key, block in _net().state().items()}
    return blocks, {key: np.zeros_like(block) for key, block in blocks.items()}


def by_hand(rows: int) -> Step:
    """All logits in one product, and each gradient of a weight in one product, as someone who knows NumPy writes it."""
    (blocks, caches), (ids, targets) = _blocks(), _text(rows)
    ids, targets = ids.T, targets.T
    every, count = np.arange(STEPS * rows), STEPS * rows

    def step() -> float:
        W, V, b, U, c = (blocks[key] for key in ("W_hh", "W_hx", "b_h", "W_S", "b_S"))
        arrived = V.T[ids] + b
        H = np.zeros((STEPS + 1, rows, UNITS))
        for t in range(STEPS):
            H[t + 1] = np.tanh(H[t].dot(W.T) + arrived[t])
        states = H[1:].reshape(count, UNITS)
        logits = states.dot(U.T) + c
        logits -= logits.max(axis=1, keepdims=True)
        p = np.exp(logits)
        p /= p.sum(axis=1, keepdims=True)
        J = -np.log(p[every, targets.ravel()]).mean()
        p[every, targets.ravel()] -= 1.0
        p /= count
        back = p.dot(U).reshape(STEPS, rows, UNITS)
        slopes = 1.0 - H[1:] * H[1:]
        delta, error = np.empty_like(back), np.zeros((rows, UNITS))
        for t in range(STEPS - 1, -1, -1):
            delta[t] = (back[t] + error) * slopes[t]
            error = delta[t].dot(W)
        flat, columns = delta.reshape(count, UNITS), np.zeros((SYMBOLS, UNITS))
        np.add.at(columns, ids.ravel(), flat)
        grads = {
            "W_hh": flat.T.dot(H[:-1].reshape(count, UNITS)), "W_hx": columns.T, "b_h": flat.sum(axis=0),
            "W_S": p.T.dot(states), "b_S": p.sum(axis=0),
        }  # fmt: skip
        _descend(blocks, caches, grads)
        return float(J)

    return step


def step_by_step() -> Step:
    """One sequence, with a gradient added at every step, as in min-char-rnn."""
    (blocks, caches), (ids, targets) = _blocks(), _text(1)
    x, y = ids[0].tolist(), targets[0].tolist()

    def step() -> float:
        W, V, b, U, c = (blocks[key] for key in ("W_hh", "W_hx", "b_h", "W_S", "b_S"))
        h, p, J = {-1: np.zeros(UNITS)}, {}, 0.0
        for t in range(STEPS):
            h[t] = np.tanh(W.dot(h[t - 1]) + V[:, x[t]] + b)
            s = U.dot(h[t]) + c
            e = np.exp(s - s.max())
            p[t] = e / e.sum()
            J -= np.log(p[t][y[t]])
        grads = {key: np.zeros_like(block) for key, block in blocks.items()}
        error = np.zeros(UNITS)
        for t in range(STEPS - 1, -1, -1):
            d = p[t].copy()
            d[y[t]] -= 1.0
            d /= STEPS
            grads["W_S"] += np.outer(d, h[t])
            grads["b_S"] += d
            delta = (1.0 - h[t] * h[t]) * (U.T.dot(d) + error)
            grads["b_h"] += delta
            grads["W_hx"][:, x[t]] += delta
            grads["W_hh"] += np.outer(delta, h[t - 1])
            error = W.T.dot(delta)
        _descend(blocks, caches, grads)
        return float(J / STEPS)

    return step


def by_torch(rows: int) -> Step:
    """torch.nn.RNN in eager mode, in float64."""
    import torch

    torch.set_num_threads(1)
    blocks, _ = _blocks()
    ids, targets = (torch.tensor(each.T.copy()) for each in _text(rows))
    rnn: Any = torch.nn.RNN(SYMBOLS, UNITS).double()
    out: Any = torch.nn.Linear(UNITS, SYMBOLS).double()
    with torch.no_grad():
        rnn.weight_hh_l0.copy_(torch.tensor(blocks["W_hh"]))
        rnn.weight_ih_l0.copy_(torch.tensor(blocks["W_hx"]))
        rnn.bias_ih_l0.zero_()
        rnn.bias_hh_l0.zero_()
        out.weight.copy_(torch.tensor(blocks["W_S"]))
        out.bias.zero_()
    parameters = [*rnn.parameters(), *out.parameters()]
    descent = torch.optim.Adagrad(parameters, lr=RATE, eps=EPSILON)

    def step() -> object:
        descent.zero_grad()
        h, _ = rnn(torch.nn.functional.one_hot(ids, SYMBOLS).double())
        J = torch.nn.functional.cross_entropy(out(h).reshape(-1, SYMBOLS), targets.reshape(-1))
        J.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(parameters, CLIP)
        descent.step()
        return J

    return step


def by_jax(rows: int) -> Step:
    """A scan, compiled, in float64."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)  # type: ignore[no-untyped-call]
    blocks, caches = ({key: jnp.array(each) for key, each in part.items()} for part in _blocks())
    ids, targets = (jnp.array(each.T) for each in _text(rows))

    def loss(parts: Any) -> Any:
        def cell(h: Any, x: Any) -> Any:
            h = jnp.tanh(h @ parts["W_hh"].T + parts["W_hx"].T[x] + parts["b_h"])
            return h, h

        _, states = jax.lax.scan(cell, jnp.zeros((rows, UNITS)), ids)
        logs = jax.nn.log_softmax(states @ parts["W_S"].T + parts["b_S"])
        return -jnp.mean(jnp.take_along_axis(logs, targets[..., None], axis=-1))

    @jax.jit
    def move(parts: Any, sums: Any) -> Any:
        grads = jax.grad(loss)(parts)
        norm = jnp.sqrt(sum(jnp.vdot(g, g) for g in grads.values()))
        grads = {key: jnp.minimum(CLIP / norm, 1.0) * g for key, g in grads.items()}
        sums = {key: sums[key] + g * g for key, g in grads.items()}
        return {key: parts[key] - RATE * g / jnp.sqrt(sums[key] + EPSILON) for key, g in grads.items()}, sums

    def step() -> object:
        nonlocal blocks, caches
        blocks, caches = move(blocks, caches)
        return blocks["W_hh"].block_until_ready()

    return step
