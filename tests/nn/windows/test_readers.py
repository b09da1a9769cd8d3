"""Readers of tagged text: columns, rows, plain text and archives; and how bad files are refused."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nn
from nn.windows.arrays import PARTS
from nn.windows.tokens import Token


def read(path: Path, **options: Any) -> nn.Corpus:
    """The corpus in a file, split by seed 0."""
    return nn.read_tagged(path, np.random.default_rng(0), **options)


def words(part: list[list[Token]]) -> list[list[tuple[str, str]]]:
    """Sentences as text and tag."""
    return [[(token.text, token.tag) for token in sentence] for sentence in part]


def refusal(path: Path, **options: Any) -> str:
    """What the reader says, in one sentence."""
    with pytest.raises(ValueError) as error:
        read(path, **options)
    return str(error.value)


def test_columns_comments_and_bio_prefixes(tmp_path: Path) -> None:
    """The word is the first column and the tag the last; B- and I- go, comments and document marks are skipped."""
    file = tmp_path / "any.conll"
    sentence = "-DOCSTART- -X- O\n\n# a comment\nIn IN O\nNew NNP B-loc\nYork NNP I-LOC\n# # O\n\n"
    file.write_text(sentence * 10, encoding="utf-8")
    corpus = read(file)
    expected = [("In", "O"), ("New", "LOC"), ("York", "LOC"), ("#", "O")]
    assert {part: len(found) for part, found in corpus.parts.items()} == {"train": 6, "dev": 2, "test": 2}
    assert all(words(part) == [expected] * len(part) for part in corpus.parts.values())


def test_rows_with_parts(tmp_path: Path) -> None:
    """part, words, tags with tabs between: the parts stay as they are, packed or not."""
    text = "train\tIn Rome\tO L\ntest\tHe .\tE O\ndev\tParis\tL\n"
    plain, packed = tmp_path / "rows.tsv", tmp_path / "rows.tsv.gz"
    plain.write_text(text, encoding="utf-8")
    packed.write_bytes(gzip.compress(text.encode()))
    for file in (plain, packed):
        parts = read(file).parts
        assert words(parts["train"]) == [[("In", "O"), ("Rome", "LOC")]]
        assert words(parts["test"]) == [[("He", "MISC"), (".", "O")]]
        assert words(parts["dev"]) == [[("Paris", "LOC")]]


def archive(path: Path, **changes: Any) -> Path:
    """A small .npz corpus, with the arrays in ``changes`` replaced (None: left out)."""
    kept: dict[str, Any] = {"E": np.arange(8.0).reshape(4, 2)}
    for part in ("train", "dev", "test"):
        kept |= {
            f"a_{part}_w": [1, 2, 3],
            f"a_{part}_s": [0, 0, 1],
            f"a_{part}_y": [0, 1, 2],
            f"a_{part}_shape": [0, 1, 1],
        }
    np.savez(path, **{key: array for key, array in (kept | changes).items() if array is not None})
    return path


def test_archives_of_arrays(tmp_path: Path) -> None:
    """Labels 0, 1, 2 are outside, place and other; the vectors are the first embedding, and words may have a list."""
    file = archive(tmp_path / "a.npz")
    corpus = read(file)
    assert words(corpus.parts["dev"]) == [[("word 1", "O"), ("word 2", "LOC")], [("word 3", "MISC")]]
    vocabulary = nn.WindowVocabulary.of(corpus.parts["train"], corpus.vectors)
    rows = vocabulary.embedding(20, corpus.vectors)
    np.testing.assert_allclose(rows[vocabulary["word 3"]], np.array([6.0, 7.0]) / np.arange(8.0).std(), rtol=1e-15)
    (tmp_path / "words.txt").write_text("<pad>\nin\nRome\nhe\n", encoding="utf-8")
    named = read(file, words=tmp_path / "words.txt", name="a")
    assert words(named.parts["dev"])[0] == [("in", "O"), ("Rome", "LOC")]


def test_plain_text_has_no_tags(tmp_path: Path) -> None:
    """Sentences end at their marks, and are split like tagged ones; the last may lack its mark."""
    file = tmp_path / "text.txt.gz"
    file.write_bytes(gzip.compress(("The U.S.A. is far. Is it?! Yes" + ". It rains" * 17).encode()))
    corpus = nn.read_plain(file, np.random.default_rng(0))
    assert {part: len(found) for part, found in corpus.parts.items()} == {"train": 14, "dev": 4, "test": 4}
    found = {" ".join(token.text for token in sentence) for part in corpus.parts.values() for sentence in part}
    assert found == {"The U.S.A .", "is far .", "Is it ?", "!", "Yes .", "It rains .", "It rains"}
    assert {token.tag for sentence in corpus.parts["train"] for token in sentence} == {"O"}


ROWS = "train\tIn Rome\tO L\ndev\tIn Rome\tO L\ntest\tIn Rome\tO L\n"
REFUSED = {
    "no tag": ("a.conll", b"Rome LOC\nParis\n", "a.conll, line 2: expected a word and its tag, and got 'Paris'"),
    "empty": ("a.conll", b"", "a.conll contains no sentences for the part 'train'"),
    "no text": ("a.conll", b"\xff\xfe\x00", "a.conll is not a text file in UTF-8"),
    "no gzip": ("a.conll.gz", b"Rome LOC\n", "a.conll.gz is not a text file in UTF-8"),
    "no archive": ("a.npz", b"PK but no zip", "a.npz is not an .npz archive of plain arrays"),
    "a missing tag": ("a.tsv", b"train\tIn Rome\tO\n", "line 1: each word needs one tag, and got 2 words and 1 tags"),
    "a missing column": ("a.tsv", b"train\tIn Rome\n", "part (train, dev or test), words and tags, separated by tabs"),
    "no part": ("a.tsv", ROWS.replace("dev", "train").encode(), "a.tsv contains no sentences for the part 'dev'"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_bad_files_get_one_sentence(tmp_path: Path, case: str) -> None:
    """Whatever is wrong with a text file or an archive, the reader says what and where."""
    name, content, text = REFUSED[case]
    (tmp_path / name).write_bytes(content)
    assert text in refusal(tmp_path / name)


@pytest.mark.parametrize(
    ("changes", "options", "text"),
    [
        ({"a_dev_y": None}, {}, "contains no array a_dev_y; its arrays are E, "),
        ({"E": None}, {}, "contains no array E"),
        ({"E": [1.0, 2.0]}, {}, "E must hold one word vector per row, and got float64 (2,)"),
        ({"a_dev_y": [0, 1]}, {}, "a_dev_s, _w, _shape and _y must be lists of whole numbers of one length, and got"),
        ({"a_dev_w": [1.0, 2.0, 3.0]}, {}, "lists of whole numbers"),
        ({"a_dev_w": [1, 2, 4]}, {}, "contains word ids beyond its 4 vectors and 4 words"),
        ({"a_dev_w": [1, -1, 3]}, {}, "contains word ids below 0"),
        ({"E": [[1.0, np.nan]] * 4}, {}, "E must be finite, and holds nan or inf"),
        ({"a_train_w": None}, {}, "contains no corpus, that is, no array NAME_train_w; its arrays are E, "),
        ({}, {"name": "b"}, "contains no corpus named 'b'"),
    ],
)
def test_bad_archives_get_one_sentence(
    tmp_path: Path, changes: dict[str, Any], options: dict[str, Any], text: str
) -> None:
    """Missing arrays, other shapes and types, ids beyond the vectors."""
    assert text in refusal(archive(tmp_path / "a.npz", **changes), **options)


def test_a_damaged_archive_gets_one_sentence(tmp_path: Path) -> None:
    """What zlib says of damaged bytes, without a traceback."""
    file = tmp_path / "damaged.npz"
    np.savez_compressed(file, E=np.arange(4000.0).reshape(-1, 4))
    data = bytearray(file.read_bytes())
    data[100] ^= 255
    file.write_bytes(data)
    assert "is not an .npz archive of plain arrays" in refusal(file)


def test_a_byte_order_mark_is_no_letter(tmp_path: Path) -> None:
    """Editors of one system put it before the first word."""
    file = tmp_path / "marked.tsv"
    file.write_text("".join(f"{part}\tRome\tLOC\n" for part in PARTS), encoding="utf-8-sig")
    assert words(read(file).parts["train"]) == [[("Rome", "LOC")]]


def test_files_that_are_not_there(tmp_path: Path) -> None:
    """Missing files, folders, missing lists of words, plain text without sentences, and a seed for a generator."""
    assert "missing.conll: No such file" in refusal(tmp_path / "missing.conll")
    assert "missing.txt: No such file" in refusal(archive(tmp_path / "a.npz"), words=tmp_path / "missing.txt")
    assert "cannot read" in refusal(tmp_path)
    (tmp_path / "one.txt").write_text("One sentence.", encoding="utf-8")
    with pytest.raises(ValueError, match=r"one\.txt contains no sentences for the part 'dev'"):
        nn.read_plain(tmp_path / "one.txt", np.random.default_rng(0))
    with pytest.raises(TypeError, match="random must be a NumPy generator"):
        nn.read_plain(tmp_path / "one.txt", 7)  # type: ignore[arg-type]
