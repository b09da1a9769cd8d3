"""How well entities are found: AUC, precision, recall and F1 of words, and F1 of whole entities."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from autodiff.primitives.operands import as_operand, describe
from nn.windows.tokens import OUTSIDE

__all__ = ["Found", "auc", "best_threshold", "entities", "entity_f1", "precision_recall"]

Span = tuple[int, int, str]


class Found(NamedTuple):
    """Precision: the fraction of what was said that is right; recall: of what is right that was said; and F1.

    F1 = 2 · precision · recall / (precision + recall); all are dimensionless. A fraction of nothing is 0.

    >>> Found.of(right=2, said=4, targets=2)
    Found(precision=0.5, recall=1.0, f1=0.6666666666666666)
    """

    precision: float
    recall: float
    f1: float

    @classmethod
    def of(cls, right: int, said: int, targets: int) -> Found:
        """The three measures from counts."""
        counts = ((right, said), (right, targets), (2 * right, said + targets))
        return cls(*(part / whole if whole else 0.0 for part, whole in counts))


def precision_recall(scores: Any, target: Any, threshold: float) -> Found:
    """Precision, recall and F1 of saying "entity" wherever the score is at least the threshold.

    Args:
        scores: one number for each window, shape (n,).
        target: whether each is an entity, bools of shape (n,).
        threshold: in the unit of the scores.

    Raises:
        TypeError: if targets are not bools. ValueError: if shapes differ, nothing is given, or a score is nan.

    >>> precision_recall([0.9, 0.6, 0.1], [True, False, True], 0.5)
    Found(precision=0.5, recall=0.5, f1=0.5)
    """
    scores, target = _checked(scores, target)
    said = scores >= threshold
    return Found.of(int((said & target).sum()), int(said.sum()), int(target.sum()))


def auc(scores: Any, target: Any) -> float:
    """The probability that a random target scores higher than a random other window; ties count half.

    Args:
        scores: one number for each window, shape (n,).
        target: whether each is an entity, bools of shape (n,).

    Raises:
        TypeError: if targets are not bools. ValueError: if shapes differ, a score is nan, or all targets are equal.

    >>> auc([0.9, 0.2, 0.2, 0.1], [True, True, False, False])
    0.875
    """
    scores, target = _checked(scores, target)
    hits = int(target.sum())
    if not 0 < hits < len(target):
        raise ValueError(f"AUC compares targets with others, and got {hits} targets and {len(target) - hits} others")
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    return float((ranks[target].sum() - hits * (hits + 1) / 2) / (hits * (len(target) - hits)))


def best_threshold(scores: Any, target: Any) -> float:
    """The score that gives the largest F1 as a threshold; of several, the highest.

    Raises:
        TypeError: if targets are not bools. ValueError: if shapes differ, nothing is given, or a score is nan.

    >>> best_threshold([0.9, 0.6, 0.1], [True, True, False])
    0.6
    """
    scores, target = _checked(scores, target)
    order = np.argsort(-scores, kind="stable")
    found, said = np.cumsum(target[order]), np.arange(1, len(order) + 1)
    last_of_its_score = np.append(np.diff(scores[order]) != 0, True)
    return float(scores[order][np.argmax(2 * found / (said + target.sum()) * last_of_its_score)])


def entities(tags: Sequence[str]) -> list[Span]:
    """The entities in the tags of a sentence, as (first word, word after the last, kind), counted from 0.

    An entity goes on while the kind is the same and no tag begins another one (B-, S-, U-) or ended it before (E-, L-,
    S-, U-), so I- after O begins one too. Tags without prefix go on as I- does.

    Source: conlleval, the program of the CoNLL shared tasks (Tjong Kim Sang and Buchholz 2000).

    >>> entities(["I-LOC", "I-LOC", "B-LOC", "O", "PER"])
    [(0, 2, 'LOC'), (2, 3, 'LOC'), (4, 5, 'PER')]
    """
    parts = [("", OUTSIDE), *(_parted(tag) for tag in tags), ("", OUTSIDE)]
    found: list[Span] = []
    first = 0
    for k, (before, now) in enumerate(pairwise(parts)):
        if before[1] == now[1] and before[0] not in {*"ELSU"} and now[0] not in {*"BSU"}:
            continue
        if before[1] != OUTSIDE:
            found.append((first, k, before[1]))
        first = k
    return found


def entity_f1(gold: Sequence[Sequence[str]], said: Sequence[Sequence[str]]) -> Found:
    """Precision, recall and F1 of whole entities: one is right if its first word, last word and kind are.

    Args:
        gold: the true tags of each sentence, such as B-LOC, I-LOC, LOC or O.
        said: the tags given, of the same lengths.

    Raises:
        ValueError: if the numbers of sentences or of words differ.

    Source: conlleval, the program of the CoNLL shared tasks (Tjong Kim Sang and Buchholz 2000).

    >>> entity_f1([["LOC", "LOC", "O", "LOC"]], [["LOC", "O", "O", "LOC"]])
    Found(precision=0.5, recall=0.5, f1=0.5)
    """
    lengths = [len(sentence) for sentence in gold], [len(sentence) for sentence in said]
    if lengths[0] != lengths[1]:
        at = next((k for k, (a, b) in enumerate(zip(*lengths, strict=False)) if a != b), None)
        where = f"{len(gold)} and {len(said)} sentences" if at is None else (
            f"{lengths[0][at]} and {lengths[1][at]} tags for sentence {at + 1}"
        )
        raise ValueError(f"gold and said tags must belong to the same words, and got {where}")
    true, given = ({(k, *span) for k, each in enumerate(tags) for span in entities(each)} for tags in (gold, said))
    return Found.of(len(true & given), len(given), len(true))


def _parted(tag: str) -> tuple[str, str]:
    prefix, dash, kind = tag.partition("-")
    return (prefix, kind) if dash and prefix in {*"BIESLU"} else ("", tag)


def _checked(scores: Any, target: Any) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    numbers, hits = as_operand("scores", scores), np.asarray(target)
    if numbers.dtype == object:
        raise TypeError(f"scores must be plain numbers, as predict() gives them, and got {describe(scores)}")
    if hits.dtype != bool:
        raise TypeError(f"targets must be bools, and got {describe(target)}")
    if numbers.ndim != 1 or numbers.shape != hits.shape or not numbers.size:
        raise ValueError(f"each score needs one target, and got scores {numbers.shape} and targets {hits.shape}")
    if np.isnan(numbers).any():
        raise ValueError("scores must be numbers that can be compared, and one is nan")
    return numbers, hits
