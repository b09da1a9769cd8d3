"""Measures of what was found: AUC, precision, recall, F1, and F1 of whole entities."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nn

scored = st.lists(st.tuples(st.integers(-3, 3), st.booleans()), min_size=2, max_size=30).filter(
    lambda rows: len({hit for _, hit in rows}) == 2
)


def arrays(rows: list[tuple[int, bool]]) -> tuple[np.ndarray, np.ndarray]:
    """Scores, with ties among them, and targets."""
    scores, target = zip(*rows, strict=True)
    return np.array(scores, dtype=float), np.array(target)


@given(scored)
def test_auc_counts_pairs(rows: list[tuple[int, bool]]) -> None:
    """The share of (target, other) pairs in which the target scores higher, ties counting half."""
    scores, target = arrays(rows)
    wins = [(a > b) + (a == b) / 2 for a in scores[target] for b in scores[~target]]
    assert nn.auc(scores, target) == pytest.approx(np.mean(wins), rel=1e-12)


@given(scored)
def test_best_threshold_is_the_best_of_all(rows: list[tuple[int, bool]]) -> None:
    """No threshold gives a larger F1, and F1 is 2·precision·recall/(precision + recall)."""
    scores, target = arrays(rows)
    best = nn.precision_recall(scores, target, nn.best_threshold(scores, target))
    assert best.f1 == max(nn.precision_recall(scores, target, each).f1 for each in scores)
    said = scores >= nn.best_threshold(scores, target)
    precision, recall = target[said].mean(), target.astype(float) @ said / target.sum()
    assert best[:2] == pytest.approx((precision, recall), rel=1e-12)
    assert best.f1 == pytest.approx(2 * precision * recall / (precision + recall), rel=1e-12)


def test_nothing_said_is_0() -> None:
    """Not nan."""
    assert nn.precision_recall([0.5, 0.1], [True, False], 1.0) == (0.0, 0.0, 0.0)
    assert nn.entity_f1([], []) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("tags", "spans"),
    [
        ("", []),
        ("O O", []),
        ("B-A I-A O", [(0, 2, "A")]),
        ("I-A I-A", [(0, 2, "A")]),
        ("O I-A B-A", [(1, 2, "A"), (2, 3, "A")]),
        ("B-A I-B I-A", [(0, 1, "A"), (1, 2, "B"), (2, 3, "A")]),
        ("B-A E-A I-A", [(0, 2, "A"), (2, 3, "A")]),
        ("S-A S-A U-A L-A", [(0, 1, "A"), (1, 2, "A"), (2, 3, "A"), (3, 4, "A")]),
        ("A A O A B", [(0, 2, "A"), (3, 4, "A"), (4, 5, "B")]),
        ("I-A-B", [(0, 1, "A-B")]),
        ("X-A", [(0, 1, "X-A")]),
    ],
)
def test_entities_are_those_of_conlleval(tags: str, spans: list[tuple[int, int, str]]) -> None:
    """B- begins one, another kind begins one, I- after O begins one, E-, L-, S- and U- end one."""
    assert nn.entities(tags.split()) == spans


def test_an_entity_is_right_as_a_whole() -> None:
    """First word, last word and kind, in its own sentence; one that is too long is wrong twice."""
    gold = [["B-A", "I-A", "O"], ["A", "O", "B"]]
    assert nn.entity_f1(gold, gold) == (1.0, 1.0, 1.0)
    said = [["A", "A", "A"], ["A", "O", "A"]]
    assert nn.entity_f1(gold, said) == pytest.approx((1 / 3, 1 / 3, 1 / 3))
    assert nn.entity_f1([["A"], ["O"]], [["O"], ["A"]]).f1 == 0.0
    assert nn.entity_f1([["A", "O", "A", "A"]], [["A", "O", "O", "O"]]) == pytest.approx((1.0, 0.5, 2 / 3))


def test_wrong_calls_are_refused() -> None:
    """Shapes, kinds, nan and one-sided targets."""
    with pytest.raises(ValueError, match=r"AUC compares targets with others, and got 2 targets and 0 others"):
        nn.auc([0.1, 0.2], [True, True])
    with pytest.raises(ValueError, match=r"each score needs one target, and got scores \(2,\) and targets \(1,\)"):
        nn.best_threshold([0.1, 0.2], [True])
    with pytest.raises(ValueError, match="each score needs one target"):
        nn.best_threshold([], np.array([], bool))
    with pytest.raises(TypeError, match="targets must be bools"):
        nn.auc([0.1, 0.2], [1, 0])
    with pytest.raises(ValueError, match="one is nan"):
        nn.auc([0.1, np.nan], [True, False])
    with pytest.raises(ValueError, match="the same words, and got 1 and 2 tags for sentence 1"):
        nn.entity_f1([["O"]], [["O", "O"]])
    with pytest.raises(ValueError, match="the same words, and got 1 and 0 sentences"):
        nn.entity_f1([["O"]], [])
