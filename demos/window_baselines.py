"""What the window scorer is compared with: a dictionary of centre words, and logistic regression."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np

import nn

__all__ = ["LOGISTIC", "baselines"]

LOGISTIC = "logistic regression, one-hot window"
Way = Callable[[nn.Windows], Any]  # one score for each window


def baselines(train: nn.Windows) -> dict[str, Way]:
    """The other ways to score windows, by title; without logistic regression if scikit-learn is not installed."""
    ways: dict[str, Way] = {
        "majority (never a target)": lambda windows: np.zeros(len(windows)),
        "centre-word dictionary": dictionary(train),
    }
    with suppress(ImportError):
        ways[LOGISTIC] = logistic(train)
    return ways


def dictionary(train: nn.Windows) -> Way:
    """Scores by the centre word alone: how often it was a target in training; the base rate for an unseen word."""
    centres = [(token.text, token.shape) for token in train.centres]
    seen, hits = Counter(centres), Counter(word for word, hit in zip(centres, train.target, strict=True) if hit)
    base = train.target.mean()
    return lambda windows: np.array(
        [(hits[t.text, t.shape] + base) / (seen[t.text, t.shape] + 1) for t in windows.centres]
    )


def logistic(train: nn.Windows) -> Way:
    """Scores by logistic regression, with one input for each place in the window and each feature."""
    from scipy.sparse import csr_matrix
    from sklearn.linear_model import LogisticRegression

    size = len(train.vocabulary)

    def inputs(windows: nn.Windows) -> Any:
        count, places = windows.ids.shape
        columns = windows.ids + np.arange(places) * size
        rows = np.repeat(np.arange(count), places)
        return csr_matrix((np.ones(columns.size), (rows, columns.ravel())), shape=(count, places * size))

    model = LogisticRegression(max_iter=2000).fit(inputs(train), train.target)
    return lambda windows: model.decision_function(inputs(windows))
