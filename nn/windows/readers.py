"""Tagged sentences, read from text files and archives, by part: those to learn from, to choose by and to measure by."""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from nn.parameters.generators import generator
from nn.windows.arrays import PARTS, read_arrays
from nn.windows.tokens import Sentence, plain_sentences, token

__all__ = ["Corpus", "read_plain", "read_tagged"]


@dataclass(frozen=True)
class Corpus:
    """Sentences by part (train, dev and test), and pretrained word vectors if the file has any.

    >>> Corpus({"train": [[token("Rome", "LOC")]]}).parts["train"][0][0].tag
    'LOC'
    """

    parts: Mapping[str, list[Sentence]]
    vectors: Mapping[str, np.ndarray[Any, Any]] = field(default_factory=dict)


def read_tagged(
    path: str | os.PathLike[str],
    random: np.random.Generator,
    *,
    name: str | None = None,
    words: str | os.PathLike[str] | None = None,
) -> Corpus:
    """The corpus in a file: CoNLL columns, lines of part, words and tags, or an .npz archive.

    Args:
        path: the file; .gz files are unpacked. In columns, the word is the first and the tag the last.
        random: shuffles the sentences before they are split 65:15:20, if the file does not define the parts.
        name: the corpus to read, if an .npz contains several; the first if None.
        words: for an .npz, a text file whose line k (from 0) is the word with id k.

    Raises:
        ValueError: if the file cannot be read, or a part has no sentence; the message says what is wrong with it.
        TypeError: if ``random`` is no generator.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "rows.tsv"
    >>> rows = [f"{part}\\tIn Rome\\tO LOC" for part in PARTS]
    >>> path.write_text("\\n".join(rows)) > 0
    True
    >>> [(each.text, each.tag) for each in read_tagged(path, np.random.default_rng(0)).parts["dev"][0]]
    [('In', 'O'), ('Rome', 'LOC')]
    """
    path, random = Path(path), generator(random)
    with _explained(path):
        if path.suffix == ".npz":
            return _whole(path, Corpus(*read_arrays(path, name, None if words is None else _lines(Path(words)))))
        return _whole(path, _read_text(path, random))


def read_plain(path: str | os.PathLike[str], random: np.random.Generator) -> Corpus:
    """The sentences of a text without tags, split as by `read_tagged`; every word is tagged O.

    Args:
        path: a text in UTF-8; .gz files are unpacked.
        random: shuffles the sentences before they are split 65:15:20.

    Raises:
        ValueError: if the file cannot be read, or a part has no sentence. TypeError: if ``random`` is no generator.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "text.txt"
    >>> path.write_text("Rain fell. " * 5) > 0
    True
    >>> {part: len(found) for part, found in read_plain(path, np.random.default_rng(0)).parts.items()}
    {'train': 3, 'dev': 1, 'test': 1}
    """
    path, random = Path(path), generator(random)
    with _explained(path):
        return _whole(path, _split(plain_sentences("\n".join(_lines(path))), random))


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ValueError(f"cannot read {error.filename or path}: {error.strerror}") from error


def _whole(path: Path, corpus: Corpus) -> Corpus:
    """The corpus, if each part has a sentence."""
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
    return _split(list(_from_columns(lines, path)), random)


def _split(found: list[Sentence], random: np.random.Generator) -> Corpus:
    """Sentences in a random order, 65 % of them to learn from, 15 % to choose by, 20 % to measure by."""
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
    return columns[0], [token(word, tag) for word, tag in zip(words, tags, strict=True)]


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
            sentence.append(token(columns[0].strip(), columns[-1].strip()))
    if sentence:
        yield sentence
