"""Sentences cut into windows, and the ids of the features in them: the rows of the table of vectors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from autodiff.primitives.operands import describe, whole_number
from nn.parameters.generators import generator
from nn.windows.tokens import OUTSIDE, Sentence, Token

__all__ = ["ANY", "PAD", "UNKNOWN", "WindowVocabulary", "Windows", "cut_windows"]

PAD, UNKNOWN = "<pad>", "<unknown>"
#: Stands for every tag but O.
ANY: Final = "ANY"
_PADDING: Final = Token(PAD, PAD, PAD, OUTSIDE)
_SUFFIX: Final = 3  # letters
_TARGET: Final = "T"
#: The features of a word, by name; the first is the word itself, which can be unknown.
_FEATURES: Final[Mapping[str, Callable[[Token], str]]] = {
    "word": lambda token: token.word,
    "shape": lambda token: token.shape,
    "suffix": lambda token: PAD if token.word == PAD else f"<-{token.word[-_SUFFIX:]}>",
}


class WindowVocabulary:
    """The ids of the features of words: of each word, its shape and, if asked, its last three letters.

    Args:
        names: the features by id, "<pad>" and "<unknown>" among them, as `of` finds them in sentences.
        features: "word" and any of "shape" and "suffix", in the order of their ids in a window.

    ``vocabulary[name]`` is the id of a feature, or that of "<unknown>".

    Raises:
        ValueError: if a name occurs twice, "<pad>" or "<unknown>" is missing, or the features are others.

    >>> from nn.windows.tokens import token
    >>> vocabulary = WindowVocabulary(["<pad>", "<unknown>", "<Xx>", "paris"])
    >>> vocabulary.ids_of(token("Paris")), vocabulary.ids_of(token("Rome"))
    ([3, 2], [1, 2])
    """

    def __init__(self, names: Sequence[str], features: Sequence[str] = ("word", "shape")) -> None:
        self.names, self.features = tuple(names), tuple(features)
        if self.features[:1] != ("word",) or not {*features} <= {*_FEATURES} or len({*features}) < len(self.features):
            raise ValueError(f"features must be 'word' and then any of 'shape' and 'suffix', and got {features!r}")
        self._ids = {name: k for k, name in enumerate(self.names)}
        if len(self._ids) < len(self.names) or not {PAD, UNKNOWN} <= {*self._ids}:
            raise ValueError(f"a vocabulary has {PAD} and {UNKNOWN}, and each name once")

    @classmethod
    def of(
        cls,
        sentences: Iterable[Sentence],
        vectors: Mapping[str, Any] | None = None,
        *,
        features: Sequence[str] = ("word", "shape"),
    ) -> WindowVocabulary:
        """The vocabulary of training sentences: features that occur at least twice, all shapes, and words with vectors.

        >>> from nn.windows.tokens import plain_sentences
        >>> WindowVocabulary.of(plain_sentences("Rain, rain.")).names
        ('<pad>', '<unknown>', '<.>', '<Xx>', '<x>', 'rain')
        """
        tokens, own = [token for sentence in sentences for token in sentence], dict(vectors or {})
        shapes = sorted({token.shape for token in tokens})
        counts = Counter(_FEATURES[kind](token) for kind in ("word", "suffix") if kind in features for token in tokens)
        names = [name for name, count in sorted(counts.items()) if count > 1 and name not in own]
        return cls([*dict.fromkeys([PAD, UNKNOWN, *shapes, *names, *own])], features)

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, name: str) -> int:
        return self._ids.get(name, self._ids[UNKNOWN])

    def ids_of(self, token: Token) -> list[int]:
        """The ids of the features of a word, in their order."""
        return [self[_FEATURES[kind](token)] for kind in self.features]

    def embedding(
        self, dimensions: int, vectors: Mapping[str, Any] | None = None, *, random: np.random.Generator | None = None
    ) -> np.ndarray[Any, Any]:
        """Initial vectors, one in a row: those given, and small random numbers (σ = 0.1) for all other features.

        Args:
            dimensions: the length d of a vector, if none is given.
            vectors: pretrained vectors by word; all have one length, which is d.
            random: the generator of the others; a new one with seed 0 if left out.

        Raises:
            ValueError: if ``dimensions`` is below 1.

        >>> WindowVocabulary([PAD, UNKNOWN, "rain"]).embedding(9, {"rain": [1.0, 2.0]})[2]
        array([1., 2.])
        """
        given = dict(vectors or {})
        dimensions = len(next(iter(given.values()))) if given else whole_number(dimensions, "dimensions", least=1)
        rows = generator(random).normal(scale=0.1, size=(len(self), dimensions))
        for word, vector in given.items():
            rows[self._ids[word]] = vector
        return rows


@dataclass(frozen=True, eq=False)
class Windows:
    """The window around every word of some sentences.

    ``ids`` (n, width · features) are the features of each place, ``target`` (n,) says whether the centre is an entity,
    ``tokens`` are the words of each window, and ``sentences`` the sentences, whose words are the centres in order.
    """

    ids: np.ndarray[Any, Any]
    target: np.ndarray[Any, Any]
    tokens: list[list[Token]]
    sentences: list[Sentence]
    vocabulary: WindowVocabulary

    def __len__(self) -> int:
        return len(self.target)

    @property
    def centres(self) -> list[Token]:
        """The word in the middle of each window."""
        return [token for sentence in self.sentences for token in sentence]

    def tags(self, said: Any) -> tuple[list[list[str]], list[list[str]]]:
        """The true tags of each sentence, and those that were said, for `entity_f1`.

        Args:
            said: whether each window was said to be a target, bools of shape (n,).

        True tags keep their prefixes, and words that are no target are O; all kinds of targets are called T. What was
        said has no prefix, so that neighbours make one entity.

        Raises:
            ValueError: if the shape is another.

        >>> from nn.windows.tokens import token
        >>> sentence = [token("New", "B-LOC"), token("York", "I-LOC"), token("Inc", "I-ORG")]
        >>> found = cut_windows([sentence], WindowVocabulary.of([sentence]))
        >>> found.tags([True, False, False])
        ([['B-T', 'I-T', 'O']], [['T', 'O', 'O']])
        """
        said = np.asarray(said, bool)
        if said.shape != self.target.shape:
            raise ValueError(f"each of {len(self)} windows needs one answer, and got shape {said.shape}")
        answers = iter(said.tolist())
        given = [[_TARGET if next(answers) else OUTSIDE for _ in sentence] for sentence in self.sentences]
        hits = iter(self.target.tolist())
        return [_gold(sentence, [next(hits) for _ in sentence]) for sentence in self.sentences], given

    def centre_columns(self) -> slice:
        """The columns of ``ids`` that hold the features of the centre."""
        count = len(self.vocabulary.features)
        first = self.ids.shape[1] // count // 2 * count
        return slice(first, first + count)


def _gold(sentence: Sentence, hits: Sequence[bool]) -> list[str]:
    """The true tags of a sentence; where another kind begins without a prefix, B- says so."""
    found, before = [], OUTSIDE
    for token, hit in zip(sentence, hits, strict=True):
        prefix = "B" if before not in (OUTSIDE, token.tag) else token.prefix
        found.append(f"{prefix}-{_TARGET}".lstrip("-") if hit else OUTSIDE)
        before = token.tag if hit else OUTSIDE
    return found


def cut_windows(
    sentences: Sequence[Sentence], vocabulary: WindowVocabulary, *, width: int = 5, tag: str | None = "LOC"
) -> Windows:
    """The window around every word, padded at the ends of sentences.

    Args:
        sentences: as `read_tagged` or `read_plain` gives them.
        vocabulary: the ids of the features.
        width: the number of words in a window, odd.
        tag: the tag of a target; ANY for all but O; None for a text without tags, where every window is a true one.

    Raises:
        ValueError: if the width is not odd, or below 1.
        TypeError: if it is no whole number, or the vocabulary is none.

    >>> from nn.windows.tokens import plain_sentences
    >>> text = plain_sentences("Rain fell and fell.")
    >>> found = cut_windows(text, WindowVocabulary.of(text, features=["word"]), width=3, tag=None)
    >>> found.ids.tolist()
    [[0, 1, 5], [1, 5, 1], [5, 1, 5], [1, 5, 1], [5, 1, 0]]
    """
    if not isinstance(vocabulary, WindowVocabulary):
        raise TypeError(f"windows are cut with a WindowVocabulary, and got {describe(vocabulary)}")
    if whole_number(width, "the width of a window", least=1) % 2 == 0:
        raise ValueError(f"the width of a window must be odd, so that it has a centre, and got {width}")
    ids, tokens = [], []
    for sentence in sentences:
        padded = [_PADDING] * (width // 2) + sentence + [_PADDING] * (width // 2)
        rows = [vocabulary.ids_of(token) for token in padded]
        for k in range(len(sentence)):
            tokens.append(padded[k : k + width])
            ids.append([item for row in rows[k : k + width] for item in row])
    centres = [token for sentence in sentences for token in sentence]
    target = np.array([tag is None or (token.tag == tag if tag != ANY else token.tag != OUTSIDE) for token in centres])
    shape = (len(centres), width * len(vocabulary.features))
    return Windows(np.array(ids, int).reshape(shape), target.astype(bool), tokens, [*sentences], vocabulary)
