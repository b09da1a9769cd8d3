"""One training step of a window scorer with word vectors to learn, 5 × 50-100-1, by the number of words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import autodiff as ad
from nn import SGD, AdaGrad, Adam, Momentum, WindowScorer, max_margin

__all__ = ["contenders"]

BATCH, WINDOW, DIMENSIONS, HIDDEN = 16, 5, 50, 100
RATE = 1e-4
Step = Callable[[], object]


def contenders(words: int) -> dict[str, Step]:
    """A step by hand and of this engine, on the same sequence of windows."""
    return {
        "NumPy by hand": by_hand(words),
        "autodiff, SGD": ours(words, lambda scorer: SGD(scorer, rate=RATE)),
        "autodiff, AdaGrad": ours(words, lambda scorer: AdaGrad(scorer, rate=RATE)),
        "autodiff, momentum": ours(words, lambda scorer: Momentum(scorer, rate=RATE)),
        "autodiff, Adam": ours(words, lambda scorer: Adam(scorer, rate=RATE)),
    }


def _scorer(words: int) -> WindowScorer:
    random = np.random.default_rng(0)
    return WindowScorer(random.normal(size=(words, DIMENSIONS)), window=WINDOW, hidden=HIDDEN, random=random)


def _windows(words: int) -> Callable[[], tuple[Any, Any]]:
    """Pairs of windows, the same sequence for each contender."""
    random = np.random.default_rng(1)

    def windows() -> tuple[Any, Any]:
        ids = random.integers(0, words, (BATCH, WINDOW))
        corrupt = ids.copy()
        corrupt[:, WINDOW // 2] = random.integers(0, words, BATCH)
        return ids, corrupt

    return windows


def by_hand(words: int) -> Step:
    """The notes' formulas, with only the rows of the windows' words moved, in place, as a person would write them."""
    numbers, windows = _scorer(words).state(), _windows(words)
    L, W, b, U = (numbers[key].copy() for key in ("L", "W(1)", "b(1)", "U"))

    def step() -> float:
        nonlocal W, b, U
        pair = windows()
        x, x_c = (L[ids].reshape(BATCH, -1) for ids in pair)
        a, a_c = (1.0 / (1.0 + np.exp(-(each @ W.T + b))) for each in (x, x_c))
        violated = 1.0 + a_c @ U - a @ U
        active = (violated > 0) * 1.0
        delta, delta_c = -np.outer(active, U) * a * (1.0 - a), np.outer(active, U) * a_c * (1.0 - a_c)
        dL = [(d @ W).reshape(BATCH, WINDOW, DIMENSIONS) for d in (delta, delta_c)]
        W = W - RATE * (delta.T @ x + delta_c.T @ x_c)
        b = b - RATE * (delta.sum(axis=0) + delta_c.sum(axis=0))
        U = U - RATE * (active @ a_c - active @ a)
        for ids, rows in zip(pair, dL, strict=True):
            np.subtract.at(L, ids, RATE * rows)
        return float((violated * active).sum())

    return step


def ours(words: int, make: Callable[[Any], Any]) -> Step:
    """The same with a `WindowScorer`, whose look-ups send rows."""
    scorer, windows = _scorer(words), _windows(words)
    descent = make(scorer)

    def step() -> object:
        ids, corrupt = windows()
        descent.zero_grad()
        J = ad.sum(max_margin(scorer(ids), scorer(corrupt, suffix="′")))
        J.backward()
        descent.step()
        return J

    return step
