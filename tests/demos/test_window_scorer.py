"""The window-scorer demo: what it reads, what it measures, what it says, and how it refuses bad files."""

from __future__ import annotations

import doctest
import gzip
import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nn
from autodiff.system.extras import install
from tests.support.places import ROOT

DEMOS = ROOT / "demos"
sys.path.append(str(DEMOS))  # a script's own folder is on the path when it runs

import tagged_text  # noqa: E402
import window_picture  # noqa: E402
import window_scorer  # noqa: E402
from tagged_text import Corpus, Token  # noqa: E402
from window_scorer import Result  # noqa: E402

scored = st.lists(st.tuples(st.integers(-3, 3), st.booleans()), min_size=2, max_size=30).filter(
    lambda rows: len({hit for _, hit in rows}) == 2
)


def arrays(rows: list[tuple[int, bool]]) -> tuple[np.ndarray, np.ndarray]:
    """Scores, with ties among them, and targets."""
    scores, target = zip(*rows, strict=True)
    return np.array(scores, dtype=float), np.array(target)


def read(path: Path, **options: Any) -> Corpus:
    """The corpus in a file, split by seed 0."""
    return tagged_text.read(path, np.random.default_rng(0), **options)


def words(part: list[list[Token]]) -> list[list[tuple[str, str]]]:
    """Sentences as text and tag."""
    return [[(token.text, token.tag) for token in sentence] for sentence in part]


# ---- measures --------------------------------------------------------------------------------------------------------


@given(scored)
def test_auc_counts_pairs(rows: list[tuple[int, bool]]) -> None:
    """The share of (target, other) pairs in which the target scores higher, ties counting half."""
    scores, target = arrays(rows)
    wins = [(a > b) + (a == b) / 2 for a in scores[target] for b in scores[~target]]
    assert window_scorer.auc(scores, target) == pytest.approx(np.mean(wins), rel=1e-12)


@given(scored)
def test_best_threshold_is_the_best_of_all(rows: list[tuple[int, bool]]) -> None:
    """No threshold gives a larger F1, and F1 is 2·precision·recall/(precision + recall)."""
    scores, target = arrays(rows)
    best = window_scorer.f1(scores, target, window_scorer.best_threshold(scores, target))
    assert best == max(window_scorer.f1(scores, target, each) for each in scores)
    said = scores >= window_scorer.best_threshold(scores, target)
    precision, recall = target[said].mean(), said[target].mean()
    assert best == pytest.approx(2 * precision * recall / (precision + recall), rel=1e-12)


@pytest.mark.parametrize("module", [tagged_text, window_scorer])
def test_examples_in_the_docstrings_hold(module: ModuleType) -> None:
    """The demos' doctests, which pytest's own collection does not reach."""
    assert doctest.testmod(module).failed == 0


# ---- reading ---------------------------------------------------------------------------------------------------------


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
    vocabulary = tagged_text.Vocabulary(corpus.parts["train"], corpus.vectors)
    rows = vocabulary.embedding(20, corpus.vectors, np.random.default_rng(0))
    np.testing.assert_allclose(rows[vocabulary["word 3"]], np.array([6.0, 7.0]) / np.arange(8.0).std(), rtol=1e-15)
    (tmp_path / "words.txt").write_text("<pad>\nin\nRome\nhe\n", encoding="utf-8")
    named = read(file, words=tmp_path / "words.txt", name="a")
    assert words(named.parts["dev"])[0] == [("in", "O"), ("Rome", "LOC")]


def test_windows_have_a_word_and_a_shape_for_each_place(tmp_path: Path) -> None:
    """Padding stands outside a sentence, words seen once are unknown, digits and capitals show in the shape."""
    file = tmp_path / "rows.tsv"
    file.write_text("train\tIn Rome in 1999\tO L O O\ndev\tX\tL\ntest\tX\tL\n", encoding="utf-8")
    sentences = read(file).parts["train"]
    vocabulary = tagged_text.Vocabulary(sentences, {})
    windows = tagged_text.cut(sentences, vocabulary, width=3, tag="LOC")
    names = list(vocabulary.ids)
    assert [names[k] for k in windows.ids[0]] == ["<pad>", "<pad>", "in", "<Xx>", "<unknown>", "<Xx>"]
    assert [names[k] for k in windows.ids[3]] == ["in", "<x>", "<unknown>", "<0>", "<pad>", "<pad>"]
    assert windows.target.tolist() == [False, True, False, False]
    shapes = {"USA": "<XX>", "I": "<Xx>", "–": "<.>", "B2": "<0>", "eBay": "<x>"}
    assert all(tagged_text._token(text, "O").shape == shape for text, shape in shapes.items())


# ---- the program -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the short run below writes its pictures."""
    return tmp_path_factory.mktemp("run")


@pytest.fixture(scope="module")
def output(folder: Path) -> str:
    """What one short run on the corpus of the project prints."""
    pytest.importorskip("tqdm", reason="the demos' extra is not installed")
    finished = subprocess.run(
        [sys.executable, DEMOS / "window_scorer.py", "--epochs", "5"],
        env={**os.environ, "PYTHONIOENCODING": "utf-8", "PYTHONHASHSEED": "1"},
        capture_output=True,
        encoding="utf-8",
        check=True,
        cwd=folder,
    )
    assert finished.stderr == ""
    return finished.stdout


def test_the_scorer_beats_majority_and_dictionary(output: str) -> None:
    """On held-out sentences, in AUC and in F1, after five epochs, with J per epoch on the way."""
    assert "The scorer beats the majority (never a target), in both measures." in output
    assert "The scorer beats the centre-word dictionary, in both measures." in output
    rows = dict(
        line.rsplit(maxsplit=2)[::2] for line in output.splitlines() if line.startswith(("window", "centre-word"))
    )
    assert float(rows["window scorer"]) > float(rows["centre-word dictionary"]) > 0.5
    errors = [float(line.split()[4]) for line in output.splitlines() if line.startswith("epoch")]
    assert len(errors) == 5
    assert "per pair, AUC" in output
    assert errors[-1] < errors[0]


def test_the_close_names_every_way_the_scorer_is_compared_with(output: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Those that it beats, those that it does not, in which measure, and one that was not run."""
    titles = [line[:38].strip() for line in output.split("on the test part")[1].splitlines()[1:5]]
    assert titles[3] == "window scorer"
    assert all(output.count(f"beats the {title}") + output.count(f"not beat the {title}") == 1 for title in titles[:3])
    close = Result("closer look", 0.9671, 0.587, 0.0), Result("twin", 0.9642, 0.541, 0.0)
    window_scorer.report([*close, Result("window scorer", 0.9642, 0.541, 0.0)])
    assert capsys.readouterr().out.splitlines()[-3:] == [
        "The scorer does not beat the closer look: AUC 0.9642 against 0.9671, F1 0.5410 against 0.5870.",
        "The scorer does not beat the twin: AUC 0.9642 against 0.9642, F1 0.5410 against 0.5410.",
        "The logistic regression, one-hot window, was not run, so the scorer is not compared with it.",
    ]


def test_five_examples_are_explained(output: str) -> None:
    """Each has its score, what its words add, and the steps of one flow, ending in a gradient."""
    parts = output.split("\nexample ")[1:]
    assert len(parts) == 5
    for part in parts:
        lines = part.splitlines()
        assert "[" in lines[0]
        assert "the threshold is" in lines[1]
        assert lines[2].startswith("contribution of each word to s, to first order (∂s/∂x · x): ")
        assert lines[4].startswith("  (1) An error signal of 1 enters at s")
        ending = [line for line in lines if line.endswith("the gradient.") or line.startswith("drawn: ")]
        assert len(ending) == 2


def test_the_words_of_each_example_are_drawn(output: str, folder: Path) -> None:
    """Each picture has the words as inputs, with what they add to s; together with their gradients."""
    for k, part in enumerate(output.split("\nexample ")[1:], start=1):
        drawn = ElementTree.parse(folder / "window-scorer" / f"example-{k}.svg").getroot()
        texts = ["".join(item.itertext()) for item in drawn.iter("{http://www.w3.org/2000/svg}text")]
        said = part.splitlines()[2].split(": ", 1)[1].split(", ")
        pairs = (item.rsplit(maxsplit=1) for item in said)
        inputs = [window_picture.title(word, float(effect.replace("−", "-"))) for word, effect in pairs]
        assert {*inputs} <= {*texts}
        assert window_picture.CAPTION in texts


def test_a_word_that_occurs_twice_adds_what_it_adds_in_each_place() -> None:
    """The effects of a linear scorer add up to the score without its bias, also of equal words."""
    vectors = np.random.default_rng(3).normal(size=(4, 2))
    scorer = nn.WindowScorer(vectors, 6, 3, activation="identity", random=np.random.default_rng(5))
    window = [Token(word, word, "<x>", "O") for word in ("a", "b", "a")]
    ids = [1, 0, 2, 0, 1, 0]
    found = window_picture.effects(scorer, ids, window)
    assert sum(found) == pytest.approx(float(scorer.predict(ids)))
    assert found[0] != pytest.approx(found[2])


def test_the_last_sentence_names_what_beats_the_scorer(output: str) -> None:
    """In which measure; nothing if nothing does; ties do not count."""
    assert output.splitlines()[-1].startswith("The window scorer reaches AUC 0.")
    scorer = Result("window scorer", 0.9, 0.5, 0.0)
    rows = [Result("a", 0.95, 0.6, 0.0), Result("b", 0.9, 0.5, 0.0), Result("c", 0.91, 0.1, 0.0), scorer]
    assert window_scorer.conclusion(rows) == (
        "The window scorer reaches AUC 0.9000 and F1 0.5000; the a beats it in AUC (0.9500) and F1 (0.6000), "
        "the c beats it in AUC (0.9100)."
    )
    assert window_scorer.conclusion([rows[1], scorer]).endswith("; no other method that was run beats it.")


@pytest.mark.slow
def test_runs_are_deterministic(
    output: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The same seed prints the same text in another process with another hash seed, and another seed another text."""
    monkeypatch.chdir(tmp_path)
    assert window_scorer.main(["--epochs", "5"]) == 0
    assert capsys.readouterr().out == output
    assert window_scorer.main(["--epochs", "1", "--seed", "1", "--tag", "any"]) == 0
    assert capsys.readouterr().out.splitlines()[:3] != output.splitlines()[:3]


def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Without scikit-learn one row is left out; without tqdm one sentence names the extra."""
    pytest.importorskip("tqdm", reason="the demos' extra is not installed")
    monkeypatch.setitem(sys.modules, "sklearn.linear_model", None)
    assert window_scorer.main(["--epochs", "1"]) == 0
    out = capsys.readouterr().out
    assert f"logistic regression was not run: it needs scikit-learn, {install('demos')}" in out
    assert "The logistic regression, one-hot window, was not run, so the scorer is not compared with it." in out
    monkeypatch.setitem(sys.modules, "tqdm", None)
    assert window_scorer.main([]) == 2
    assert capsys.readouterr().err == f"window_scorer: the progress bar needs tqdm, {install('demos')}\n"


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
    "no places": (
        "a.tsv", ROWS.replace("L\n", "E\n").encode(),
        "a.tsv: the part 'train' needs words that are tagged LOC and words that are not; its tags are MISC",
    ),
    "no tags": ("a.tsv", ROWS.replace("L\n", "O\n").encode(), "its tags are all O"),
}  # fmt: skip


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    """The one line that the program prints, after exit status 2."""
    pytest.importorskip("tqdm", reason="the demos' extra is not installed")
    assert window_scorer.main([str(argument) for argument in arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith("window_scorer: ")
    return err


@pytest.mark.parametrize("case", REFUSED)
def test_bad_files_get_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str], case: str) -> None:
    """Whatever is wrong with a text file or an archive, the program says what and where, and exits with 2."""
    name, content, text = REFUSED[case]
    (tmp_path / name).write_bytes(content)
    assert text in refusal(capsys, tmp_path / name)


@pytest.mark.parametrize(
    ("changes", "options", "text"),
    [
        ({"a_dev_y": None}, [], "contains no array a_dev_y; its arrays are E, "),
        ({"E": None}, [], "contains no array E"),
        ({"E": [1.0, 2.0]}, [], "E must hold one word vector per row, and got float64 (2,)"),
        ({"a_dev_y": [0, 1]}, [], "a_dev_s, _w, _shape and _y must be lists of whole numbers of one length, and got"),
        ({"a_dev_w": [1.0, 2.0, 3.0]}, [], "lists of whole numbers"),
        ({"a_dev_w": [1, 2, 4]}, [], "contains word ids beyond its 4 vectors and 4 words"),
        ({"a_dev_w": [1, -1, 3]}, [], "contains word ids below 0"),
        ({"E": [[1.0, np.nan]] * 4}, [], "E must be finite, and holds nan or inf"),
        ({"a_train_w": None}, [], "contains no corpus, that is, no array NAME_train_w; its arrays are E, "),
        ({}, ["--name", "b"], "contains no corpus named 'b'"),
    ],
)
def test_bad_archives_get_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], changes: dict[str, Any], options: list[str], text: str
) -> None:
    """Missing arrays, other shapes and types, ids beyond the vectors."""
    assert text in refusal(capsys, archive(tmp_path / "a.npz", **changes), *options)


def test_a_damaged_archive_gets_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What zlib says of damaged bytes, without a traceback."""
    file = tmp_path / "damaged.npz"
    np.savez_compressed(file, E=np.arange(4000.0).reshape(-1, 4))
    data = bytearray(file.read_bytes())
    data[100] ^= 255
    file.write_bytes(data)
    assert "is not an .npz archive of plain arrays" in refusal(capsys, file)


def test_a_byte_order_mark_is_no_letter(tmp_path: Path) -> None:
    """Editors of one system put it before the first word."""
    file = tmp_path / "marked.tsv"
    file.write_text("".join(f"{part}\tRome\tLOC\n" for part in tagged_text.PARTS), encoding="utf-8-sig")
    assert words(read(file).parts["train"]) == [[("Rome", "LOC")]]


def test_other_refusals(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Files that are not there, folders, and an activation that does not exist."""
    assert "cannot read" in refusal(capsys, tmp_path / "missing.conll")
    assert "missing.txt: No such file" in refusal(
        capsys, archive(tmp_path / "a.npz"), "--words", tmp_path / "missing.txt"
    )
    assert "cannot read" in refusal(capsys, tmp_path)
    (tmp_path / "rows.tsv").write_text(ROWS, encoding="utf-8")
    assert "unknown activation 'sigmiod'" in refusal(capsys, tmp_path / "rows.tsv", "--activation", "sigmiod")
    for asked in ("--window 4", "--epochs 0", "--rate -1", "--unknown 1", "--batch many", "--seed -1"):
        option = asked.split()
        with pytest.raises(SystemExit) as stop:
            window_scorer.main(option)
        assert stop.value.code == 2
        assert f"argument {option[0]}: invalid" in capsys.readouterr().err
