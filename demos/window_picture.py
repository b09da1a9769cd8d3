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
    plain = scorer.plain()
    words = [Tensor(rows, name=token.text) for rows, token in zip(_rows(plain, ids, len(window)), window, strict=True)]
    x = np.concatenate(words)
    s = plain.score_vectors(x)
    s.backward()
    x.name = "x"
    for word, token, effect in zip(words, window, effects(s, words), strict=True):
        word.name = title(token.text, effect)
    drawing = see(s)
    captions = (*drawing.picture.captions, CAPTION)
    return replace(drawing, picture=replace(drawing.picture, captions=captions))


def title(text: str, effect: float) -> str:
    """A word with its effect; its points are one-dot leaders, because a point in a name stands before an attribute."""
    return f"{text} ({'+' * (effect > 0)}{number(effect, 2)})".replace(".", "\N{ONE DOT LEADER}")


def effects(s: Any, words: Sequence[Any]) -> list[float]:
    """What each word adds to the score, to first order: ∂s/∂x · x, in the unit of s."""
    signals = backpropagate(s)
    return [float(np.sum(signals[word] * word.data)) for word in words]


def _rows(plain: nn.WindowScorer, ids: Any, words: int) -> Any:
    """One row for each word: its vector and that of its shape."""
    return plain.vectors(ids).reshape(words, -1)
