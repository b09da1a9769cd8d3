"""Tagged sentences: read from files, cut into windows, and turned into ids for a window scorer."""

from __future__ import annotations

import gzip
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

__all__ = ["Corpus", "Token", "Vocabulary", "Windows", "cut", "read"]

PARTS = ("train", "dev", "test")
PAD, UNKNOWN = "<pad>", "<unknown>"
_SYNONYMS = {"L": "LOC", "E": "MISC", "0": "O", "1": "LOC", "2": "MISC"}


class Token(NamedTuple):
    """One word: its text, its form in the vocabulary, its shape (the kind of its letters), and its tag."""

    text: str
    word: str
    shape: str
    tag: str


Sentence = list[Token]


@dataclass(frozen=True)
class Corpus:
    """Sentences by part (train, dev and test), and pretrained word vectors if the file has any."""

    parts: Mapping[str, list[Sentence]]
    vectors: Mapping[str, np.ndarray[Any, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Windows:
    """n windows: ids (n, 2·width) of each place's word and shape; the words; whether the centre is a target."""

    ids: np.ndarray[Any, Any]
    tokens: list[list[Token]]
    target: np.ndarray[Any, Any]


# ---- reading ---------------------------------------------------------------------------------------------------------


def read(path: Path, random: np.random.Generator, *, name: str | None = None, words: Path | None = None) -> Corpus:
    """The corpus in a file: in CoNLL style, as lines of part, words and tags, or as an .npz archive.

    Args:
        path: the file; .gz files are unpacked.
        random: shuffles the sentences before they are split 65:15:20, if the file does not define the parts.
        name: the corpus to read, if an .npz contains several; the first if None.
        words: for an .npz, a text file whose line k (from 0) is the word with id k.

    Raises:
        ValueError: if the file cannot be read, with one sentence that says what is wrong with it.
    """
    try:
        corpus = _read_arrays(path, name, words) if path.suffix == ".npz" else _read_text(path, random)
    except OSError as error:
        raise ValueError(f"cannot read {error.filename or path}: {error.strerror}") from error
    for part in PARTS:
        if not corpus.parts.get(part):
            raise ValueError(f"{path} contains no sentences for the part {part!r}")
    return corpus


def _read_text(path: Path, random: np.random.Generator) -> Corpus:
    lines = _lines(path)
    if lines and lines[0].split("\t")[0] in PARTS:
        rows = [(number, line) for number, line in enumerate(lines, start=1) if line.strip()]
        sentences = [_from_row(line, f"{path}, line {number}") for number, line in rows]
        return Corpus({part: [words for key, words in sentences if key == part] for part in PARTS})
    found = list(_from_columns(lines, path))
    order = random.permutation(len(found))
    first, second = round(0.65 * len(found)), round(0.8 * len(found))
    pieces = np.split(order, [first, second])
    return Corpus({part: [found[k] for k in piece] for part, piece in zip(PARTS, pieces, strict=True)})


def _lines(path: Path) -> list[str]:
    try:
        unpacked: Any = gzip.open if path.suffix == ".gz" else open
        with unpacked(path, "rt", encoding="utf-8-sig") as file:
            return list(file.read().split("\n"))
    except (UnicodeDecodeError, gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ValueError(f"{path} is not a text file in UTF-8 ({error})") from error


def _from_row(line: str, place: str) -> tuple[str, Sentence]:
    """A line of three columns: part, words, tags; words and tags are separated by spaces."""
    columns = line.split("\t")
    if len(columns) != 3 or columns[0] not in PARTS:
        raise ValueError(f"{place}: expected part (train, dev or test), words and tags, separated by tabs")
    words, tags = columns[1].split(" "), columns[2].split(" ")
    if len(words) != len(tags):
        raise ValueError(f"{place}: each word needs one tag, and got {len(words)} words and {len(tags)} tags")
    return columns[0], [_token(word, tag) for word, tag in zip(words, tags, strict=True)]


def _from_columns(lines: Iterable[str], path: Path) -> Iterator[Sentence]:
    """One word per line, its tag in the last column, and an empty line after each sentence."""
    sentence: Sentence = []
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith("-DOCSTART-"):
            if sentence:
                yield sentence
            sentence = []
        elif sentence or not line.startswith("# "):
            columns = line.split("\t") if "\t" in line else line.split()
            if len(columns) < 2 or not columns[0].strip() or not columns[-1].strip():
                raise ValueError(f"{path}, line {number}: expected a word and its tag, and got {line[:60]!r}")
            sentence.append(_token(columns[0].strip(), columns[-1].strip()))
    if sentence:
        yield sentence


def _token(text: str, tag: str) -> Token:
    return Token(text, re.sub("[0-9]", "0", text.lower()), _shape(text), plain_tag(tag))


def plain_tag(tag: str) -> str:
    """A tag without its B- or I-, in capitals; synonyms such as L and LOC become one.

    >>> plain_tag("B-loc"), plain_tag("L"), plain_tag("O")
    ('LOC', 'LOC', 'O')
    """
    name = re.sub("^[BIESLU]-", "", tag.upper())
    return _SYNONYMS.get(name, name)


def _shape(text: str) -> str:
    if any(letter.isdigit() for letter in text):
        return "<0>"
    if not any(letter.isalpha() for letter in text):
        return "<.>"
    if text[0].isupper():
        return "<XX>" if text.isupper() and len(text) > 1 else "<Xx>"
    return "<x>"


def _read_arrays(path: Path, name: str | None, words: Path | None) -> Corpus:
    """An archive of word ids NAME_train_w, labels _y, sentence numbers _s and letter kinds _shape, and vectors E."""
    try:
        with np.load(path) as archive:
            arrays = dict(archive)
    except (ValueError, TypeError, RuntimeError, MemoryError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"{path} is not an .npz archive of plain arrays ({error})") from error
    names = [key.removesuffix("_train_w") for key in arrays if key.endswith("_train_w")]
    if not names or (name is not None and name not in names):
        asked = "" if name is None else f" named {name!r}"
        held = ", ".join(arrays)
        raise ValueError(f"{path} contains no corpus{asked}, that is, no array NAME_train_w; its arrays are {held}")
    vectors = _column(arrays, "E", path)
    if vectors.ndim != 2 or vectors.dtype.kind != "f" or not vectors.size:
        raise ValueError(f"{path}: E must hold one word vector per row, and got {vectors.dtype} {vectors.shape}")
    if not np.isfinite(vectors).all():
        raise ValueError(f"{path}: E must be finite, and holds nan or inf")
    texts = [f"word {k}" for k in range(len(vectors))] if words is None else _lines(words)
    columns = {part: _columns(arrays, f"{name or names[0]}_{part}", path) for part in PARTS}
    ids = [found[1] for found in columns.values()]
    if max(part.max(initial=0) for part in ids) >= min(len(vectors), len(texts)):
        raise ValueError(f"{path} contains word ids beyond its {len(vectors)} vectors and {len(texts)} words")
    if min(part.min(initial=0) for part in ids) < 0:
        raise ValueError(f"{path} contains word ids below 0")
    parts = {part: list(_from_arrays(found, texts)) for part, found in columns.items()}
    scaled = vectors.astype(float) / (vectors.astype(float).std() or 1.0)
    return Corpus(parts, dict(zip(texts, scaled, strict=False)))


def _columns(arrays: Mapping[str, Any], name: str, path: Path) -> list[np.ndarray[Any, Any]]:
    """Sentence numbers, word ids, letter kinds and labels of one part, all of one length."""
    found = [_column(arrays, f"{name}_{kind}", path) for kind in ("s", "w", "shape", "y")]
    if any(column.dtype.kind not in "iu" or column.shape != (len(found[0]),) for column in found):
        came = ", ".join(f"{column.dtype} {column.shape}" for column in found)
        raise ValueError(
            f"{path}: {name}_s, _w, _shape and _y must be lists of whole numbers of one length, and got {came}"
        )
    return found


def _column(arrays: Mapping[str, Any], key: str, path: Path) -> np.ndarray[Any, Any]:
    if key not in arrays:
        raise ValueError(f"{path} contains no array {key}; its arrays are {', '.join(arrays)}")
    found: np.ndarray[Any, Any] = np.atleast_1d(arrays[key])
    return found


def _from_arrays(columns: Sequence[np.ndarray[Any, Any]], texts: Sequence[str]) -> Iterator[Sentence]:
    rows = zip(*(column.tolist() for column in columns), strict=True)
    for _, group in groupby(rows, key=lambda row: row[0]):
        yield [Token(texts[w], texts[w], f"<shape {shape}>", plain_tag(str(y))) for _, w, shape, y in group]


# ---- windows ---------------------------------------------------------------------------------------------------------


class Vocabulary:
    """The ids of shapes, and of words that occur at least twice in training or have a vector; others are unknown."""

    def __init__(self, sentences: Sequence[Sentence], vectors: Mapping[str, Any]) -> None:
        counts = Counter(token.word for sentence in sentences for token in sentence)
        shapes = sorted({token.shape for sentence in sentences for token in sentence})
        words = [word for word, count in sorted(counts.items()) if count > 1 and word not in vectors]
        self.ids = {word: k for k, word in enumerate(dict.fromkeys([PAD, UNKNOWN, *shapes, *words, *vectors]))}

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, word: str) -> int:
        return self.ids.get(word, self.ids[UNKNOWN])

    def embedding(self, dimensions: int, vectors: Mapping[str, Any], random: np.random.Generator) -> Any:
        """Initial word vectors: the pretrained ones, and small random numbers for other words and for shapes."""
        dimensions = len(next(iter(vectors.values()))) if vectors else dimensions
        rows = random.normal(scale=0.1, size=(len(self), dimensions))
        for word, vector in vectors.items():
            rows[self.ids[word]] = vector
        return rows


def cut(sentences: Sequence[Sentence], vocabulary: Vocabulary, *, width: int, tag: str) -> Windows:
    """The window around every word, padded at the ends of sentences; ``tag`` is a tag, or ANY for all tags but O."""
    pad = Token(PAD, PAD, PAD, "O")
    ids, tokens, target = [], [], []
    for sentence in sentences:
        padded = [pad] * (width // 2) + sentence + [pad] * (width // 2)
        for k, token in enumerate(sentence):
            window = padded[k : k + width]
            ids.append([vocabulary[item] for token in window for item in (token.word, token.shape)])
            tokens.append(window)
            target.append(token.tag == tag if tag != "ANY" else token.tag != "O")
    return Windows(np.array(ids).reshape(-1, 2 * width), tokens, np.array(target, dtype=bool))
