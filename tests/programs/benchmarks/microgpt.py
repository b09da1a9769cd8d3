"""A GPT of one layer for a document of some tokens: in scalars, as people write it, and in NumPy with its gradients."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final

import numpy as np

__all__ = ["NAMES", "TOKENS", "by_hand", "loss", "weights"]

EMBED, HEADS, VOCABULARY, BLOCK = 16, 4, 27, 16
WIDTH: Final = EMBED // HEADS
EPSILON: Final = 1e-5
TOKENS: Final = [26, 4, 12, 12, 0, 7, 4, 26]
NAMES: Final = ("wte", "wpe", "Wq", "Wk", "Wv", "Wo", "up", "down", "head")


def weights() -> dict[str, Any]:
    """The 4,192 parameters as arrays."""
    random = np.random.default_rng(4)
    rows = {"wte": VOCABULARY, "wpe": BLOCK, "up": 4 * EMBED, "down": EMBED, "head": VOCABULARY}
    columns = {"down": 4 * EMBED}
    return {name: random.normal(0.0, 0.3, (rows.get(name, EMBED), columns.get(name, EMBED))) for name in NAMES}


# ---- in scalars ------------------------------------------------------------------------------------------------------


def linear(x: Sequence[Any], w: Any) -> list[Any]:
    return [sum(wi * xi for wi, xi in zip(row, x, strict=True)) for row in w]


def norm(x: Sequence[Any]) -> list[Any]:
    scale = (sum(xi * xi for xi in x) / len(x) + EPSILON) ** -0.5
    return [xi * scale for xi in x]


def softmax(logits: Sequence[Any]) -> list[Any]:
    largest = max(z.data for z in logits)
    exps = [(z - largest).exp() for z in logits]
    total = sum(exps)
    return [e / total for e in exps]


def attention(q: Sequence[Any], keys: Sequence[Any], values: Sequence[Any]) -> list[Any]:
    out: list[Any] = []
    for h in range(0, EMBED, WIDTH):
        shares = softmax([sum(q[h + j] * k[h + j] for j in range(WIDTH)) / WIDTH**0.5 for k in keys])
        out += [sum(a * v[h + j] for a, v in zip(shares, values, strict=True)) for j in range(WIDTH)]
    return out


def loss(p: dict[str, Any], tokens: Sequence[Any]) -> Any:
    """The mean cross-entropy of each next token."""
    keys: list[Any] = []
    values: list[Any] = []
    losses = []
    for position, (token, target) in enumerate(pairwise(tokens)):
        wte = p["wte"]
        before = norm([t + s for t, s in zip(wte[token], p["wpe"][position], strict=True)])
        x = norm(before)
        keys.append(linear(x, p["Wk"]))
        values.append(linear(x, p["Wv"]))
        mixed = linear(attention(linear(x, p["Wq"]), keys, values), p["Wo"])
        before = [a + b for a, b in zip(mixed, before, strict=True)]
        hidden = [z.relu() for z in linear(norm(before), p["up"])]
        x = [a + b for a, b in zip(linear(hidden, p["down"]), before, strict=True)]
        probs = softmax(linear(x, p["head"]))
        losses.append(-probs[target].log())
    return (1.0 / len(losses)) * sum(losses)


# ---- in NumPy --------------------------------------------------------------------------------------------------------


def _norm(x: Any) -> tuple[Any, Any]:
    scale = ((x * x).mean(axis=1, keepdims=True) + EPSILON) ** -0.5
    return x * scale, scale


def _back_through_norm(dy: Any, x: Any, scale: Any) -> Any:
    return scale * dy - x * scale**3 * (dy * x).mean(axis=1, keepdims=True)


def _softmax(z: Any) -> Any:
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def _heads(x: Any) -> Any:
    return x.reshape(len(x), HEADS, WIDTH).transpose(1, 0, 2)


def _joined(x: Any) -> Any:
    return x.transpose(1, 0, 2).reshape(-1, EMBED)


def by_hand(p: dict[str, Any], tokens: Sequence[int]) -> tuple[float, list[Any]]:
    """The loss, and its gradients in the order of ``NAMES``."""
    given, targets = np.array(tokens[:-1]), np.array(tokens[1:])
    n = len(given)
    rows = np.arange(n)
    x0 = p["wte"][given] + p["wpe"][:n]
    x1, s1 = _norm(x0)
    x2, s2 = _norm(x1)
    q, k, v = (_heads(x2 @ p[name].T) for name in ("Wq", "Wk", "Wv"))
    scores = q @ k.transpose(0, 2, 1) / WIDTH**0.5
    scores[:, np.triu(np.ones((n, n), bool), 1)] = -np.inf
    a = _softmax(scores)
    mixed = _joined(a @ v)
    x3 = mixed @ p["Wo"].T + x1
    x4, s4 = _norm(x3)
    z = x4 @ p["up"].T
    hidden = np.maximum(z, 0.0)
    x5 = hidden @ p["down"].T + x3
    probs = _softmax(x5 @ p["head"].T)
    J = -np.log(probs[rows, targets]).mean()

    delta = probs
    delta[rows, targets] -= 1.0
    delta /= n
    dhead = delta.T @ x5
    d5 = delta @ p["head"]
    ddown = d5.T @ hidden
    dz = (d5 @ p["down"]) * (z > 0)
    dup = dz.T @ x4
    d3 = d5 + _back_through_norm(dz @ p["up"], x3, s4)
    dWo = d3.T @ mixed
    dmixed = _heads(d3 @ p["Wo"])
    da = dmixed @ v.transpose(0, 2, 1)
    dscores = a * (da - (a * da).sum(axis=-1, keepdims=True)) / WIDTH**0.5
    dq, dk, dv = _joined(dscores @ k), _joined(dscores.transpose(0, 2, 1) @ q), _joined(a.transpose(0, 2, 1) @ dmixed)
    d2 = dq @ p["Wq"] + dk @ p["Wk"] + dv @ p["Wv"]
    d0 = _back_through_norm(d3 + _back_through_norm(d2, x1, s2), x0, s1)
    dwte, dwpe = np.zeros_like(p["wte"]), np.zeros_like(p["wpe"])
    np.add.at(dwte, given, d0)
    dwpe[:n] = d0
    return float(J), [dwte, dwpe, dq.T @ x2, dk.T @ x2, dv.T @ x2, dWo, dup, ddown, dhead]
