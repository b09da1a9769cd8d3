"""A few tagged sentences, and the windows around their words, for the tests of this folder and of the commands."""

from __future__ import annotations

import numpy as np

import nn
from nn.windows.tokens import Sentence, token

__all__ = ["SENTENCES", "tagger", "windows"]

_TEXT = (
    "We met in Oslo today", "They live near Lima now", "She sang in Oslo again", "He works in Rome now",
    "We live near Rome today",
)  # fmt: skip
_PLACES = {"Oslo", "Lima", "Rome"}
SENTENCES: list[Sentence] = [
    [token(word, "B-LOC" if word in _PLACES else "O") for word in sentence.split()] for sentence in _TEXT
]


def windows(width: int = 3, features: tuple[str, ...] = ("word", "shape")) -> nn.Windows:
    """The windows of all sentences."""
    return nn.cut_windows(SENTENCES, nn.WindowVocabulary.of(SENTENCES, features=features), width=width)


def tagger() -> nn.Tagger:
    """A tagger that has learned them, in 40 small steps."""
    found, random = windows(), np.random.default_rng(0)
    scorer = nn.WindowScorer(found.vocabulary.embedding(4, random=random), 6, 4, random=random)
    pairs = nn.WindowPairs(found, size=5, random=random, repeats=2)

    def objective(scorer: nn.WindowScorer, true: np.ndarray, corrupt: np.ndarray) -> object:
        return nn.max_margin(scorer(true), scorer(corrupt))

    for _ in nn.fit(scorer, objective, pairs, optimizer=nn.AdaGrad(scorer, rate=0.3), epochs=20):
        pass
    scores = scorer.predict(found.ids)
    threshold = (scores[found.target].min() + scores[~found.target].max()) / 2
    return nn.Tagger(scorer, found.vocabulary, tag="LOC", threshold=threshold)
