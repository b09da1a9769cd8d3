"""A window of words as a picture: each word is an input of the score, with what it adds to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from tagged_text import Token

import nn
from autodiff import Tensor
from autodiff.draw import Drawing, see
from autodiff.engine.backward import backpropagate
from autodiff.words.notation import number

CAPTION = "After each word, in brackets: what it adds to s, to first order (∂s/∂x · x)."


def window_picture(scorer: nn.WindowScorer, ids: Any, window: Sequence[Token]) -> Drawing:
    """The graph from the vectors of the words, with those of their shapes, to the score s; with all gradients."""
    words, s = _scored(scorer, ids, len(window))
    s.backward()
    for word, token, effect in zip(words, window, effects(scorer, ids, window), strict=True):
        word.name = title(token.text, effect)
    drawing = see(s)
    captions = (*drawing.picture.captions, CAPTION)
    return replace(drawing, picture=replace(drawing.picture, captions=captions))


def title(text: str, effect: float) -> str:
    """A word with its effect; its points are one-dot leaders, because a point in a name stands before an attribute."""
    return f"{text} ({'+' * (effect > 0)}{number(effect, 2)})".replace(".", "\N{ONE DOT LEADER}")


def effects(scorer: nn.WindowScorer, ids: Any, window: Sequence[Token]) -> list[float]:
    """What each word adds to the score with its shape, to first order: ∂s/∂x · x, in the unit of s."""
    words, s = _scored(scorer, ids, len(window))
    signals = backpropagate(s)
    return [float(np.sum(signals[word] * word.data)) for word in words]


def _scored(scorer: nn.WindowScorer, ids: Any, count: int) -> tuple[list[Tensor], Any]:
    """One input for each place in the window, even where a word or shape occurs twice; and the score."""
    plain = scorer.plain()
    words = [Tensor(rows) for rows in plain.vectors(ids).reshape(count, -1)]
    x: Any = np.concatenate(words)
    x.name = "x"
    return words, plain.score_vectors(x)
