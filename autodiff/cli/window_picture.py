"""A window of words as a picture: each word is an input of the score, with what it adds to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from autodiff import Tensor
from autodiff.draw import Drawing, see
from autodiff.engine.backward import backpropagate
from autodiff.system.search_path import own_modules_first
from autodiff.words.notation import number
from autodiff.words.phrases import say

with own_modules_first():  # every student of backpropagation has an nn.py
    from nn.scorer import WindowScorer
    from nn.windows.tokens import Token

__all__ = ["effects", "title", "window_picture"]


def window_picture(
    scorer: WindowScorer, ids: Any, window: Sequence[Token], *, language: str = "en", **options: Any
) -> Drawing:
    """The graph from the vectors of the words, with those of their other features, to the score s; with all gradients.

    Args:
        scorer: a window scorer.
        ids: those of one window.
        window: its words.
        language: of the caption and the picture.
        options: of `see`.
    """
    words, s = _scored(scorer, ids, len(window))
    s.backward()
    for word, token, effect in zip(words, window, effects(scorer, ids, window), strict=True):
        word.name = title(token.text, effect)
    drawing = see(s, language=language, **options)
    captions = (*drawing.picture.captions, say("predict.caption", language))
    return replace(drawing, picture=replace(drawing.picture, captions=captions))


def title(text: str, effect: float) -> str:
    """A word with its effect; its points are one-dot leaders, because a point in a name stands before an attribute."""
    return f"{text} ({'+' * (effect > 0)}{number(effect, 2)})".replace(".", "\N{ONE DOT LEADER}")


def effects(scorer: WindowScorer, ids: Any, window: Sequence[Token]) -> list[float]:
    """What each word adds to the score, with its other features, to first order: ∂s/∂x · x, in the unit of s."""
    words, s = _scored(scorer, ids, len(window))
    signals = backpropagate(s)
    return [float(np.sum(signals[word] * word.data)) for word in words]


def _scored(scorer: WindowScorer, ids: Any, count: int) -> tuple[list[Tensor], Any]:
    """One input for each place in the window, even where a word or shape occurs twice; and the score."""
    plain = scorer.plain()
    words = [Tensor(rows) for rows in plain.vectors(ids).reshape(count, -1)]
    x: Any = np.concatenate(words)
    x.name = "x"
    return words, plain.score_vectors(x)
