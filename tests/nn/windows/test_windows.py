"""Windows, their features, pairs of true and corrupt ones, and the tagger that is saved with its vocabulary."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nn
from autodiff.primitives.rows import Rows
from nn.windows.tokens import plain_sentences, token
from tests.nn.windows.sentences import SENTENCES, tagger, windows


@pytest.fixture(scope="module")
def learned() -> nn.Tagger:
    """Trained once."""
    return tagger()


def names(found: nn.Windows, row: Any) -> list[str]:
    """The features of ids."""
    return [found.vocabulary.names[k] for k in row]


def test_windows_have_a_word_and_a_shape_for_each_place() -> None:
    """Padding stands outside a sentence, words seen once are unknown, digits and capitals show in the shape."""
    sentence = [token(text, tag) for text, tag in zip(["In", "Rome", "in", "1999"], "OLOO", strict=True)]
    found = nn.cut_windows([sentence], nn.WindowVocabulary.of([sentence]), width=3)
    assert names(found, found.ids[0]) == ["<pad>", "<pad>", "in", "<Xx>", "<unknown>", "<Xx>"]
    assert names(found, found.ids[3]) == ["in", "<x>", "<unknown>", "<0>", "<pad>", "<pad>"]
    assert found.target.tolist() == [False, True, False, False]
    shapes = {"USA": "<XX>", "I": "<Xx>", "–": "<.>", "B2": "<0>", "eBay": "<x>"}
    assert all(token(text).shape == shape for text, shape in shapes.items())


def test_suffixes_are_a_feature_of_known_and_unknown_words() -> None:
    """Three features a place; an unknown word has its last letters."""
    found = windows(features=("word", "suffix", "shape"))
    assert found.ids.shape == (25, 9)
    assert names(found, found.vocabulary.ids_of(token("Kilow"))) == ["<unknown>", "<unknown>", "<Xx>"]
    assert names(found, found.vocabulary.ids_of(token("Snow"))) == ["<unknown>", "<-now>", "<Xx>"]
    assert names(found, found.vocabulary.ids_of(token("Noslo"))) == ["<unknown>", "<-slo>", "<Xx>"]
    assert names(found, found.ids[0, :3]) == ["<pad>"] * 3
    assert names(found, found.ids[0, found.centre_columns()]) == ["we", "<-we>", "<Xx>"]


def test_tags_for_the_shared_tasks_count() -> None:
    """Prefixes stay, another kind begins an entity, and what is no target is O."""
    tags = ["B-LOC", "B-LOC", "O", "PER", "LOC"]
    sentence = [token(f"w{k}", tag) for k, tag in enumerate(tags)]
    found = nn.cut_windows([sentence, sentence[:1]], nn.WindowVocabulary.of([sentence]), tag="ANY")
    gold, said = found.tags([True, True, False, True, True, False])
    assert gold == [["B-T", "B-T", "O", "T", "B-T"], ["B-T"]]
    assert said == [["T", "T", "O", "T", "T"], ["O"]]
    with pytest.raises(ValueError, match=r"each of 6 windows needs one answer, and got shape \(2,\)"):
        found.tags([True, False])


@pytest.mark.parametrize("width", [1, 3, 5])
def test_corrupt_windows_of_both_kinds(width: int) -> None:
    """Any window whose centre is no target; or the true one with only its centre replaced, by that of no target."""
    found = windows(width)
    true_rows = {tuple(row) for row in found.ids[found.target]}
    other_rows = {tuple(row) for row in found.ids[~found.target]}
    centre = found.centre_columns()
    for kind in ("other", "centre"):
        pairs = nn.WindowPairs(found, size=4, random=np.random.default_rng(0), corrupt=kind, repeats=3)
        batches = list(pairs)
        assert (len(batches), pairs.epoch, len(pairs)) == (4, 1, 4)
        for true, corrupt in batches:
            assert {tuple(row) for row in true} <= true_rows
            assert kind == "centre" or {tuple(row) for row in corrupt} <= other_rows
            assert {tuple(row[centre]) for row in corrupt} <= {row[centre] for row in other_rows}
            around = (np.delete(side, centre, axis=1) for side in (true, corrupt))
            assert kind == "other" or np.array_equal(*around)
    assert len({tuple(row) for _, corrupt in batches for row in corrupt}) > 5


def test_text_without_tags_is_corrupted_at_its_centres() -> None:
    """Every window is true; there is no other window, only another centre."""
    text = plain_sentences("Rain fell on the roof. Snow fell on the lake.")
    found = nn.cut_windows(text, nn.WindowVocabulary.of(text), tag=None)
    assert found.target.all()
    with pytest.raises(ValueError, match="around targets and around other words, and got 12 and 0"):
        nn.WindowPairs(found, random=np.random.default_rng(0))
    [(true, corrupt)] = nn.WindowPairs(found, random=np.random.default_rng(0), corrupt="centre")
    assert sorted(map(tuple, true)) == sorted(map(tuple, found.ids))
    assert (true != corrupt).any()


def test_only_words_are_hidden() -> None:
    """The fraction asked for, in true and corrupt windows; shapes stay."""
    found = windows()
    unknown = found.vocabulary["<unknown>"]
    pairs = nn.WindowPairs(found, size=2000, random=np.random.default_rng(0), repeats=400, hidden=0.25)
    bare = nn.WindowPairs(found, size=2000, random=np.random.default_rng(0), repeats=400)
    [hidden, _], [plain, _] = next(iter(pairs)), next(iter(bare))
    assert np.array_equal(hidden[:, 1::2], plain[:, 1::2])
    known = plain[:, 0::2] != unknown
    assert np.isin(hidden[:, 0::2][known] - plain[:, 0::2][known], [0, *(unknown - plain[:, 0::2][known])]).all()
    assert 0.22 < (hidden[:, 0::2][known] == unknown).mean() < 0.28


def test_a_resumed_run_gets_the_same_pairs(tmp_path: Path) -> None:
    """Bit for bit, from the middle of an epoch, also after a batch was given back."""
    def made(seed: int) -> nn.WindowPairs:
        return nn.WindowPairs(windows(), size=2, random=np.random.default_rng(seed), repeats=2, hidden=0.2)

    whole, begun, fresh = made(0), made(0), made(1)
    expected = [*whole, *whole]
    head = [batch for batch, _ in zip(begun, range(2), strict=False)]
    begun.give_back()
    nn.save(tmp_path / "run.npz", pairs=begun)
    nn.resume(tmp_path / "run.npz", pairs=fresh)
    rest = [*fresh, *fresh]
    for (a, b), (c, d) in zip([*head[: begun.position], *rest], expected, strict=True):
        assert np.array_equal(a, c)
        assert np.array_equal(b, d)
    with pytest.raises(ValueError, match="the state to load has no seed; nothing was loaded"):
        fresh.load({key: item for key, item in begun.state().items() if key != "seed"})


def test_word_vectors_are_learned_sparsely() -> None:
    """The gradient of the table is that of the rows looked up, and no other row moves."""
    found = windows()
    table = np.random.default_rng(1).normal(size=(20000, 4))  # the gradient of a small one is dense
    scorer = nn.WindowScorer(table, 6, 3)
    before, optimizer = scorer.L.data.copy(), nn.AdaGrad(scorer, rate=0.1)
    true, corrupt = next(iter(nn.WindowPairs(found, size=2, random=np.random.default_rng(0))))
    J = nn.max_margin(scorer(true), scorer(corrupt), margin=10.0)
    J.backward()
    assert isinstance(scorer.L.grad_rows, Rows)
    optimizer.step()
    moved = np.flatnonzero((scorer.L.data != before).any(axis=1))
    assert {*moved} == {*np.unique([true, corrupt])} < {*range(len(before))}


def test_a_tagger_finds_what_it_has_learned(learned: nn.Tagger) -> None:
    """Words, scores and marks; a sentence it never saw."""
    for text in ("We met in Lima today", "They live near Oslo now"):
        assert [word for word, _, mark in learned.marked(text) if mark] == [text.split()[3]]
    assert learned.marked("Oslo")[0][1] == learned.scorer.predict(learned.windows("Oslo").ids)[0]
    assert learned.width == 3


def test_a_tagger_is_saved_with_its_vocabulary(learned: nn.Tagger, tmp_path: Path) -> None:
    """One file; the one made anew gives the same bits, also as Values."""
    learned.save(tmp_path / "tagger.npz")
    again = nn.load(tmp_path / "tagger.npz")
    assert isinstance(again, nn.Tagger)
    assert again.marked("We met in Oslo") == learned.marked("We met in Oslo")
    assert (again.tag, again.threshold, again.vocabulary.names) == ("LOC", learned.threshold, learned.vocabulary.names)
    assert repr(again) == repr(learned)
    ids = learned.windows("in Oslo now").ids[1]
    assert learned.scalar()(ids).data == pytest.approx(float(learned.plain()(ids)), rel=1e-14)
    assert learned.parameter("U") is learned.scorer.U


API: Any = nn  # calls that a type checker would refuse


@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        (lambda t, v: API.Tagger(v, v, tag="LOC", threshold=0.0), TypeError, "needs a WindowScorer and a WindowVoc"),
        (lambda t, v: API.Tagger(t.scorer, v, tag=1, threshold=0.0), TypeError, "a tag is a string, .* and got 1"),
        (lambda t, v: API.Tagger(t.scorer, v, tag="LOC", threshold="0"), TypeError, "the threshold is a number"),
        (lambda t, v: API.Tagger(t.scorer, v, tag="LOC", threshold=np.nan), ValueError, "must be finite, and got nan"),
        (
            lambda t, v: API.Tagger(t.scorer, API.WindowVocabulary(v.names[:-1]), tag="LOC", threshold=0.0),
            ValueError, r"the scorer has \d+ vectors and windows of 6 ids, and the vocabulary \d+ features, 2 for each",
        ),
        (lambda t, v: t.marked(""), ValueError, "expected a text with at least one word, and got ''"),
        (lambda t, v: t.marked(["Oslo"]), TypeError, "a Tagger reads a string"),
        (lambda t, v: API.WindowVocabulary(["<pad>", "<unknown>", "a", "a"]), ValueError, "each name once"),
        (lambda t, v: API.WindowVocabulary(["<pad>", "a"]), ValueError, "a vocabulary has <pad> and <unknown>"),
        (lambda t, v: API.WindowVocabulary(v.names, ["shape"]), ValueError, "features must be 'word' and then any of"),
        (lambda t, v: v.embedding(0), ValueError, "dimensions"),
        (lambda t, v: API.cut_windows(SENTENCES, v, width=4), ValueError, "must be odd, so that it has a centre"),
        (lambda t, v: API.cut_windows(SENTENCES, {}), TypeError, "cut with a WindowVocabulary"),
        (lambda t, v: API.WindowPairs([], random=None), TypeError, r"pairs are made of Windows"),
        (
            lambda t, v: API.WindowPairs(windows(), random=None, corrupt="both"),
            ValueError, "corrupt windows are 'other' or 'centre', and got 'both'",
        ),
        (lambda t, v: API.WindowPairs(windows(), random=None, hidden=1.0), ValueError, "fraction of hidden words must"),
        (lambda t, v: API.WindowPairs(windows(), random=None, repeats=0), ValueError, "repeats"),
    ],
)  # fmt: skip
def test_wrong_calls_are_refused(learned: API.Tagger, call: Any, kind: type[Exception], text: str) -> None:
    """Each says what was expected and what came."""
    with pytest.raises(kind, match=text):
        call(learned, learned.vocabulary)
