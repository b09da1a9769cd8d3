"""Write scalars, read matrices: two programs of numbers, and the NumPy and the formula that `ad.program` made of them.

Run it with ``python demos/from_scalars_to_matrices.py [pair] [moons]``: for the notes' pair of windows, scored by a
20-8-1 net, and for a step on two half-moons, it prints the function that a person wrote, one number at a time, the
matrix program that it became, its formula, and the times of both.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from inspect import getsource
from itertools import pairwise
from random import Random
from textwrap import dedent
from time import process_time
from typing import Any, Final

import autodiff as ad
from autodiff import Value
from autodiff.system.console import readable_output

#: Weights and bias of each unit of a layer.
Layers = Sequence[Sequence[tuple[Sequence[Value], Value]]]
Written = tuple[Callable[..., Any], tuple[Any, ...]]


def layers(random: Random, *sizes: int) -> Layers:
    """Weights and biases of a net, one Value each."""
    return [
        [([Value(random.uniform(-1.0, 1.0)) for _ in range(n)], Value(random.uniform(-0.1, 0.1))) for _ in range(m)]
        for n, m in pairwise(sizes)
    ]


def neuron(weights: Sequence[Any], inputs: Sequence[Any], bias: Any) -> Any:
    """z = w₁x₁ + w₂x₂ + … + b."""
    return sum((w * x for w, x in zip(weights, inputs, strict=True)), bias)


def pair(random: Random) -> Written:
    """The notes' objective of one true and one corrupt window (section 1.4)."""
    (hidden,) = layers(random, 20, 8)
    U = [Value(random.uniform(-1.0, 1.0)) for _ in hidden]

    def J(x: Sequence[Any], corrupt: Sequence[Any]) -> Any:
        def score(window: Sequence[Any]) -> Any:
            return sum(u * neuron(w, window, b).sigmoid() for u, (w, b) in zip(U, hidden, strict=True))

        return (1.0 - score(x) + score(corrupt)).relu()

    return J, tuple([random.gauss(0.0, 1.0) for _ in range(20)] for _ in range(2))


def moons(random: Random) -> Written:
    """micrograd's demo: hinge losses of 100 points, and a penalty of all parameters."""
    first, second, (last,) = layers(random, 2, 16, 16, 1)
    parameters = [p for layer in (first, second, [last]) for w, b in layer for p in (*w, b)]

    def J(x: Sequence[Any], y: Sequence[Any]) -> Any:
        losses = []
        for point, label in zip(x, y, strict=True):
            a = [neuron(w, point, b).relu() for w, b in first]
            a = [neuron(w, a, b).relu() for w, b in second]
            losses.append((1.0 - label * neuron(last[0], a, last[1])).relu())
        return sum(losses) / len(losses) + 1e-4 * sum(p * p for p in parameters)

    x = [[random.gauss(0.0, 1.0), random.gauss(0.0, 1.0)] for _ in range(100)]
    return J, (x, [random.choice((-1.0, 1.0)) for _ in x])


WRITTEN: Final = {"pair": pair, "moons": moons}


def seconds(function: Callable[..., Any], args: tuple[Any, ...], *, times: int) -> float:
    """The least CPU time of a call and its backward pass."""

    def once() -> float:
        start = process_time()
        function(*args).backward()
        return process_time() - start

    return min(once() for _ in range(times))


def section(title: str, text: Any) -> None:
    """Print a part of the comparison."""
    print(f"{title}\n{'-' * len(title)}\n{str(text).strip()}\n")


@readable_output()
def main(names: Sequence[str]) -> None:
    """Print each program in scalars and in matrices, its formula, and how long both take."""
    unknown = [name for name in names if name not in WRITTEN]
    if unknown:
        raise SystemExit(f"there are programs called {' and '.join(WRITTEN)}, and none called {unknown[0]}")
    for name in names or WRITTEN:
        function, args = WRITTEN[name](Random(0))
        section(f"{name}: written in scalars", f"{getsource(neuron)}\n\n{dedent(getsource(function))}")
        step = ad.program(function)
        step(*args).backward()
        section(f"{name}: the matrix program that it became", step.source)
        section(f"{name}: its formula", step.formula)
        eager, replay = seconds(function, args, times=2), seconds(step, args, times=20)
        print(f"A call and its gradients: {eager * 1e6:,.0f} µs node by node, {replay * 1e6:,.0f} µs as a program\n")


if __name__ == "__main__":
    main(sys.argv[1:])
