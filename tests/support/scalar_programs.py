"""Programs on scalars as people write them, without a thought for matrices: each returns its output and its inputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from operator import getitem
from random import Random
from typing import Any

from autodiff import Value

__all__ = ["gpt", "moons", "network", "recurrent", "scorer"]

Written = tuple[Value, list[Value]]


def matrix(random: Random, rows: int, columns: int, scale: float = 0.3) -> list[list[Value]]:
    return [[Value(random.gauss(0.0, scale)) for _ in range(columns)] for _ in range(rows)]


def vector(random: Random, count: int) -> list[Value]:
    return [Value(random.gauss(0.0, 1.0)) for _ in range(count)]


def neuron(weights: Sequence[Any], inputs: Sequence[Any], bias: Any) -> Any:
    return sum((w * x for w, x in zip(weights, inputs, strict=True)), bias)


def moons(count: int, add_up: Callable[..., Any] = neuron) -> Written:
    """micrograd's demo: hinge losses of a 2-16-16-1 net, and an L2 penalty."""
    random = Random(1)
    layers = [
        [([Value(random.uniform(-1, 1)) for _ in range(n)], Value(0.1)) for _ in range(m)]
        for n, m in pairwise((2, 16, 16, 1))
    ]
    inputs = [vector(random, 2) for _ in range(count)]

    def score(point: list[Any]) -> Any:
        for depth, layer in enumerate(layers):
            sums = [add_up(weights, point, bias) for weights, bias in layer]
            point = sums if depth == 2 else [z.relu() for z in sums]
        return point[0]

    losses = [(1.0 + score(point) * -random.choice((-1.0, 1.0))).relu() for point in inputs]
    parameters = [p for layer in layers for weights, bias in layer for p in (*weights, bias)]
    return sum(losses) * (1.0 / count) + sum(p * p for p in parameters) * 1e-4, [x for point in inputs for x in point]


def scorer(pairs: int) -> Written:
    """The notes' window scorer 20-8-1 with a max-margin objective, summed over pairs."""
    random = Random(0)
    W, b, U = matrix(random, 8, 20), vector(random, 8), vector(random, 8)

    def score(x: list[Value]) -> Any:
        return sum(u * neuron(row, x, bias).sigmoid() for u, row, bias in zip(U, W, b, strict=True))

    windows = [(vector(random, 20), vector(random, 20)) for _ in range(pairs)]
    J: Any = sum((1.0 - score(x) + score(corrupt)).relu() for x, corrupt in windows)
    return J, [x for pair in windows for window in pair for x in window]


def network() -> Written:
    """micrograd's first example: a 3-4-4-1 net, four examples, and a sum of squares."""
    random = Random(2)
    layers = [[(vector(random, n), Value(0.1)) for _ in range(m)] for n, m in pairwise((3, 4, 4, 1))]
    inputs = [vector(random, 3) for _ in range(4)]

    def out(x: list[Any]) -> Any:
        for layer in layers:
            x = [neuron(weights, x, bias).tanh() for weights, bias in layer]
        return x[0]

    return sum((out(x) - y) ** 2 for x, y in zip(inputs, (1.0, -1.0, -1.0, 1.0), strict=True)), [
        x for point in inputs for x in point
    ]


def recurrent(steps: int, size: int = 4) -> Written:
    """h = tanh(V x + W h + b) over some steps, and the sum of the squares of all states."""
    random = Random(3)
    V, W, b = matrix(random, size, 3), matrix(random, size, size), vector(random, size)
    inputs, h, states = [vector(random, 3) for _ in range(steps)], [Value(0.0).detach() for _ in range(size)], []
    for x in inputs:
        h = [(neuron(v, x, 0.0) + neuron(w, h, bias)).tanh() for v, w, bias in zip(V, W, b, strict=True)]
        states += h
    return sum(a * a for a in states), [x for point in inputs for x in point]


def gpt(
    tokens: Sequence[Any],
    embed: int = 16,
    heads: int = 4,
    vocabulary: int = 27,
    block: int = 16,
    chosen: Callable[..., Any] = getitem,
) -> Written:
    """A GPT of one layer on scalars: RMS norm, causal attention with cached keys and values, ReLU, cross-entropy."""
    random = Random(4)
    wte, wpe = matrix(random, vocabulary, embed), matrix(random, block, embed)
    Wq, Wk, Wv, Wo = (matrix(random, embed, embed) for _ in range(4))
    up, down, head = (
        matrix(random, 4 * embed, embed),
        matrix(random, embed, 4 * embed),
        matrix(random, vocabulary, embed),
    )
    width = embed // heads

    def linear(x: list[Any], w: list[list[Value]]) -> list[Any]:
        return [sum(wi * xi for wi, xi in zip(row, x, strict=True)) for row in w]

    def norm(x: list[Any]) -> list[Any]:
        scale = (sum(xi * xi for xi in x) / len(x) + 1e-5) ** -0.5
        return [xi * scale for xi in x]

    def softmax(logits: list[Any]) -> list[Any]:
        largest = max(z.data for z in logits)
        exps = [(z - largest).exp() for z in logits]
        total = sum(exps)
        return [e / total for e in exps]

    def attention(q: list[Any], keys: list[list[Any]], values: list[list[Any]]) -> list[Any]:
        out: list[Any] = []
        for h in range(0, embed, width):
            logits = [sum(q[h + j] * k[h + j] for j in range(width)) / width**0.5 for k in keys]
            weights = softmax(logits)
            out += [sum(a * v[h + j] for a, v in zip(weights, values, strict=True)) for j in range(width)]
        return out

    keys: list[list[Any]] = []
    values: list[list[Any]] = []
    losses = []
    for position, (token, target) in enumerate(pairwise(tokens)):
        x = norm([t + p for t, p in zip(chosen(wte, token), wpe[position], strict=True)])
        before, x = x, norm(x)
        q, k, v = linear(x, Wq), linear(x, Wk), linear(x, Wv)
        keys.append(k)
        values.append(v)
        x = [a + b for a, b in zip(linear(attention(q, keys, values), Wo), before, strict=True)]
        before, x = x, norm(x)
        x = [z.relu() for z in linear(x, up)]
        x = [a + b for a, b in zip(linear(x, down), before, strict=True)]
        losses.append(-chosen(softmax(linear(x, head)), target).log())
    return (1.0 / len(losses)) * sum(losses), []
