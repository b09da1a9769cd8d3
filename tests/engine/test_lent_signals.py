"""Signals that several nodes hold, and slices that are added in place: no gradient shares memory, no bit differs."""

from __future__ import annotations

import copy
import pickle
from itertools import combinations
from typing import Any

import numpy as np
import pytest

import autodiff as ad
from autodiff.engine.backward import backpropagate
from autodiff.engine.graph import topological

INDEXES: tuple[Any, ...] = (
    slice(1, None), slice(None, -1), (slice(None), 2), (1, 1), (Ellipsis, slice(None, None, -2)), None, True, -1,
    (slice(0, 0),), np.array([0, 2, 0]), np.array([True, False, True]), Ellipsis, (np.int64(1), slice(1, 3)),
)  # fmt: skip


def graph(x: ad.Tensor) -> Any:
    """Sums and differences pass signals on unchanged, to computed nodes and to leaves."""
    y = x + 1.0
    return ((y - x) + (y + y)).sum()


def test_gradients_share_no_memory() -> None:
    """Writing to one ``.grad`` in place changes no other, and the next pass adds to what was written."""
    J = graph(ad.Tensor([1.0, 2.0]))
    J.backward()
    nodes: list[Any] = topological(J)
    before = [node.grad.copy() for node in nodes]
    assert not any(np.shares_memory(a.grad, b.grad) for a, b in combinations(nodes, 2))
    for node in nodes:
        assert node.grad is node.grad
        node.grad += 7.0
    J.backward()
    for node, first in zip(nodes, before, strict=True):
        assert np.array_equal(node.grad, 2.0 * first + 7.0)


def test_a_second_pass_before_anyone_reads() -> None:
    """Two passes add up where ``.grad`` was never read."""
    J = graph(ad.Tensor([1.0, 2.0]))
    J.backward()
    J.backward()
    signals = backpropagate(J)
    assert all(np.array_equal(node.grad, 2.0 * signals[node]) for node in topological(J))


@pytest.mark.parametrize("again", [copy.deepcopy, copy.copy, lambda node: pickle.loads(pickle.dumps(node))])
def test_copies_keep_their_gradients(again: Any) -> None:
    """A copy of a node has its gradient as an array of its own."""
    J = graph(ad.Tensor([1.0, 2.0]))
    J.backward()
    twin = again(J)
    assert twin.grad_rows == 1.0
    twin.grad += 1.0
    assert J.grad == 1.0


@pytest.mark.parametrize("kind", [np.float64, np.float32])
def test_slices_add_up_as_arrays_of_zeros_do(kind: Any) -> None:
    """For every pair of indexes, and a share of the whole before or after, the bits are those of `scatter`."""
    data = np.array([[1.0, -2.0, 0.0], [-0.0, 3.0, -1.0], [2.0, 0.5, -0.0]], kind)
    for first in INDEXES:
        for second in INDEXES:
            x = ad.Tensor(data)
            parts = [x[first], x * -0.0, x[second], x[first]]
            seeds = [np.where(np.arange(part.size) % 2, -0.0, part.data.ravel()).reshape(part.shape) for part in parts]
            sum((np.asarray(g, kind) * part).sum() for part, g in zip(parts, seeds, strict=True)).backward()
            found = backpropagate(sum((np.asarray(g, kind) * p).sum() for p, g in zip(parts, seeds, strict=True)))[x]
            picked = ((first, seeds[0]), (second, seeds[2]), (first, seeds[3]))
            dense = [ad.TABLE["scatter"](np.asarray(g, kind), index=i, shape=x.shape) for i, g in picked]
            right = np.sum(dense, axis=0)
            assert x.grad is not None
            assert x.grad.dtype == kind
            assert np.allclose(x.grad, right - 0.0 * seeds[1], rtol=1e-6)
            assert not np.signbit(x.grad[x.grad == 0]).any()
            assert found.tobytes() == x.grad.tobytes()


def test_a_lone_slice_sends_no_negative_zero() -> None:
    """As a sum from 0 on; an array around a slice would hold no −0 beside it either."""
    x = ad.Tensor([1.0, 2.0])
    (x[:1] * -0.0).sum().backward()
    assert x.grad is not None
    assert not np.signbit(x.grad).any()


def test_a_nan_that_an_index_drops_is_seen() -> None:
    """The part of a concatenation that goes to a constant holds 0 · inf from behind a closed gate."""
    x = ad.Tensor([1.0])
    joined = ad.concatenate([x, np.array([0.0])])
    y = ad.where(np.array([False, True]), joined, np.sqrt(joined))
    y.sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [0.5]
    assert joined.grad.tolist() == [0.5, 1.0]


def test_a_slice_beside_negative_zeros() -> None:
    """Whichever share comes first, −0 + 0 is 0 in the elements that the slice leaves out."""
    for turned in (False, True):
        x = ad.Tensor([1.0, 2.0, 3.0])
        parts = [(x * -0.0).sum(), x[:1].sum()]
        first, second = parts[::-1] if turned else parts
        (first + second).backward()
        assert x.grad is not None
        assert np.signbit(x.grad).tolist() == [False, False, False]
