"""A window scorer together with its vocabulary: it says which words of a text are entities."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any

from autodiff.primitives.namespace import is_plain_number
from autodiff.primitives.operands import describe
from autodiff.words.notation import Name
from nn.modules.architecture import architecture, field, known, made
from nn.modules.module import Module
from nn.scorer import WindowScorer
from nn.windows.cut import Windows, WindowVocabulary, cut_windows
from nn.windows.tokens import plain_sentences

__all__ = ["Tagger"]


@known
class Tagger(Module):
    """Mark the words of a text whose windows score s ≥ threshold, where s = Uᵀ f(Wx + b).

    Args:
        scorer: a `WindowScorer`, whose windows hold all features of an odd number of words.
        vocabulary: the ids of the features.
        tag: what a marked word is, such as LOC.
        threshold: in the unit of the scores; `best_threshold` finds it.

    ``tagger.save(path)`` writes scorer, vocabulary and threshold as one file, and ``nn.load(path)`` makes them anew;
    ``python -m autodiff predict`` reads it. The parameters are those of the scorer; a call scores windows of ids.

    Raises:
        TypeError: if the scorer or the vocabulary are none, or the threshold is no number.
        ValueError: if they do not fit each other, or the threshold is not finite.

    Source: notes, section 1.3.

    >>> import numpy as np
    >>> vocabulary = WindowVocabulary(["<pad>", "<unknown>", "<Xx>", "<x>", "paris"])
    >>> scorer = WindowScorer(np.eye(5), 2, 1, activation="identity")
    >>> scorer.load({**scorer.state(), "W(1)": [[0, 0, 0, 0, 1, 0, 0, 1, 0, 0]], "U": [1.0]})
    >>> tagger = Tagger(scorer, vocabulary, tag="LOC", threshold=1.5)
    >>> [(word, mark) for word, score, mark in tagger.marked("Museums in Paris")]
    [('Museums', False), ('in', False), ('Paris', True)]
    """

    def __init__(self, scorer: WindowScorer, vocabulary: WindowVocabulary, *, tag: str, threshold: float) -> None:
        if not isinstance(scorer, WindowScorer) or not isinstance(vocabulary, WindowVocabulary):
            raise TypeError(
                f"a Tagger needs a WindowScorer and a WindowVocabulary, and got {describe(scorer)} and "
                f"{describe(vocabulary)}"
            )
        count = len(vocabulary.features)
        if len(vocabulary) != len(scorer.L) or scorer.window % count or scorer.window // count % 2 == 0:
            raise ValueError(
                f"the scorer has {len(scorer.L)} vectors and windows of {scorer.window} ids, and the vocabulary "
                f"{len(vocabulary)} features, {count} for each of an odd number of words"
            )
        if not isinstance(tag, str):
            raise TypeError(f"a tag is a string, such as 'LOC', and got {describe(tag)}")
        if not is_plain_number(threshold):
            raise TypeError(f"the threshold is a number, and got {describe(threshold)}")
        if not isfinite(threshold):
            raise ValueError(f"the threshold must be finite, and got {threshold}")
        self.scorer, self.vocabulary, self.tag = scorer, vocabulary, tag
        self.threshold = float(threshold)

    def __call__(self, ids: Any, *, suffix: str = "") -> Any:
        return self.scorer(ids, suffix=suffix)

    @property
    def width(self) -> int:
        """The number of words in a window."""
        return self.scorer.window // len(self.vocabulary.features)

    def windows(self, text: str) -> Windows:
        """The windows around the words of a text without tags.

        Raises:
            TypeError: if the text is no string. ValueError: if no word is in it.
        """
        if not isinstance(text, str):
            raise TypeError(f"a Tagger reads a string, and got {describe(text)}")
        found = cut_windows(plain_sentences(text), self.vocabulary, width=self.width, tag=None)
        if not len(found):
            raise ValueError(f"expected a text with at least one word, and got {text!r}")
        return found

    def marked(self, text: str) -> list[tuple[str, float, bool]]:
        """Each word of a text with its score s, and whether it is marked: s ≥ threshold.

        Raises:
            TypeError, ValueError: as `windows`.
        """
        found = self.windows(text)
        scores = self.scorer.predict(found.ids).tolist()
        return [(word.text, s, s >= self.threshold) for word, s in zip(found.centres, scores, strict=True)]

    def parameters(self) -> dict[Name, Any]:
        """The parameters of the scorer."""
        return self.scorer.parameters()

    def blocks(self) -> dict[Name, Any]:
        """The blocks of the scorer: L, W⁽¹⁾, b⁽¹⁾ and U, by name."""
        return self.scorer.blocks()

    def _kept_as(self, keep: Callable[[Any, Name], Any]) -> Tagger:
        return Tagger(self.scorer._kept_as(keep), self.vocabulary, tag=self.tag, threshold=self.threshold)

    def _architecture(self) -> dict[str, Any]:
        return {
            "scorer": architecture(self.scorer),
            "vocabulary": [*self.vocabulary.names],
            "features": [*self.vocabulary.features],
            "tag": self.tag,
            "threshold": self.threshold,
        }

    @classmethod
    def _made(cls, data: Any, blocks: Mapping[Name, Any]) -> Tagger:
        names, features = field(data, "vocabulary", list), field(data, "features", list)
        threshold = field(data, "threshold", float)
        if not all(type(name) is str for name in (*names, *features)) or not isfinite(threshold):
            raise ValueError("its vocabulary or its threshold are none")
        scorer = made(data.get("scorer"), blocks)
        return cls(scorer, WindowVocabulary(names, features), tag=field(data, "tag", str), threshold=threshold)

    def __repr__(self) -> str:
        return f"Tagger({self.scorer!r}, tag={self.tag!r}, threshold={self.threshold:g})"
