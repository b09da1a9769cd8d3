"""Small scalar expressions on every engine: forward and backward of a window score with its hinge, in scalars."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import autodiff as ad
from autodiff.system.extras import install

__all__ = ["contenders"]

INPUTS, HIDDEN = 20, 8


def score(W: Any, U: Any, x: Any, unit: Callable[[Any], Any]) -> Any:
    """s = Uᵀ f(Wx) written out in scalars."""
    hidden = [unit(sum(w * v for w, v in zip(row, x, strict=True))) for row in W]
    return sum(u * a for u, a in zip(U, hidden, strict=True))


def contenders() -> dict[str, Callable[[], object]]:
    """One pass of each engine over the same 20-8-1 scorer, one scalar per number."""
    generator = random.Random(0)
    W = [[generator.gauss(0, 0.3) for _ in range(INPUTS)] for _ in range(HIDDEN)]
    U = [generator.gauss(0, 0.3) for _ in range(HIDDEN)]
    x = [generator.gauss(0, 1) for _ in range(INPUTS)]

    def ours() -> object:
        weights, outputs = [[ad.Value(w) for w in row] for row in W], [ad.Value(u) for u in U]
        s = score(weights, outputs, x, lambda z: z.tanh())
        s.backward()
        return s

    passes: dict[str, Callable[[], object]] = {"autodiff": ours}
    for name, make in {"micrograd": _micrograd, "torch": _torch, "HIPS autograd": _hips}.items():
        try:
            passes[name] = make(W, U, x)
        except ImportError:
            print(f"  ({name} is not installed: {install('peers')})")
    return passes


def _micrograd(W: Any, U: Any, x: Any) -> Callable[[], object]:
    from micrograd.engine import Value

    def unit(z: Any) -> Any:
        return z.relu()  # it has no tanh

    def step() -> object:
        s = score([[Value(w) for w in row] for row in W], [Value(u) for u in U], x, unit)
        s.backward()
        return s

    return step


def _torch(W: Any, U: Any, x: Any) -> Callable[[], object]:
    import torch

    def leaf(value: float) -> Any:
        return torch.tensor(value, dtype=torch.float64, requires_grad=True)

    def step() -> object:
        s = score([[leaf(w) for w in row] for row in W], [leaf(u) for u in U], x, torch.tanh)
        s.backward()
        return s

    return step


def _hips(W: Any, U: Any, x: Any) -> Callable[[], object]:
    import autograd
    import autograd.numpy as anp

    gradient = autograd.grad(lambda parameters: score(parameters[0], parameters[1], x, anp.tanh))
    return lambda: gradient((W, U))
