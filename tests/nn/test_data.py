"""Preprocessing fitted on training data, and mini-batches: values, inverses, edges, and saved states."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autodiff as ad
import nn
from autodiff import Tensor
from autodiff.testing import check_gradients


def generator(seed: int = 0) -> np.random.Generator:
    """A generator of its own."""
    return np.random.default_rng(seed)


#: Correlated training data with means far from 0, and other data with other statistics.
MIX = np.array([[2.0, 1.0, 0.0], [0.0, 0.5, 3.0], [1.0, 0.0, 0.25]])
TRAIN = generator(1).normal(size=(40, 3)) @ MIX + [5, -3, 100]
TEST = generator(2).normal(size=(7, 3)) * 3 + 1

# ---- standardise -----------------------------------------------------------------------------------------------------


def test_standardised_training_data_have_mean_0_and_deviation_1() -> None:
    """Test data are treated with the statistics of training data, and come back."""
    scale = nn.Standardise().fit(TRAIN)
    Z = scale(TRAIN)
    np.testing.assert_allclose(Z.mean(axis=0), 0, atol=1e-13)
    np.testing.assert_allclose(Z.std(axis=0), 1, rtol=1e-13)
    np.testing.assert_allclose(scale(TEST), (TEST - TRAIN.mean(axis=0)) / TRAIN.std(axis=0), rtol=1e-13)
    np.testing.assert_allclose(scale.inverse(scale(TEST)), TEST, rtol=1e-12)
    np.testing.assert_allclose(scale(TEST[0]), scale(TEST)[0], rtol=1e-15)
    assert not np.any(scale.constant)


def test_constant_columns_are_shifted_only() -> None:
    """Even 0.1, whose mean is rounded: no division by rounding errors; and they come back too."""
    X = np.array([[0.1, 1e200], [0.1, -1e200], [0.1, 3e200]])
    scale = nn.Standardise().fit(X)
    assert np.array_equal(scale.constant, [True, False])
    assert np.array_equal(scale(X)[:, 0], [0.0, 0.0, 0.0])
    np.testing.assert_allclose(scale(X)[:, 1], np.array([0.0, -2.0, 2.0]) / np.sqrt(8 / 3), atol=1e-15)
    assert np.array_equal(scale([0.6, 1e200]), [0.5, 0.0])
    np.testing.assert_allclose(scale.inverse(scale([0.6, 2e200])), [0.6, 2e200], rtol=1e-15)


# ---- whiten ----------------------------------------------------------------------------------------------------------


def test_whitened_training_data_have_the_identity_as_covariance() -> None:
    """X′ᵀX′/n = I; test data are treated with what training data taught, and come back."""
    white = nn.Whiten().fit(TRAIN)
    Z = white(TRAIN)
    np.testing.assert_allclose(Z.T @ Z / len(TRAIN), np.eye(3), atol=1e-12)
    np.testing.assert_allclose(white.inverse(white(TEST)), TEST, rtol=1e-11)
    variances, axes = np.linalg.eigh(np.cov(TRAIN.T, bias=True))
    np.testing.assert_allclose(white.deviation, np.sqrt(variances)[::-1], rtol=1e-12)
    alike = np.abs((TEST - TRAIN.mean(axis=0)) @ axes[:, ::-1] / np.sqrt(variances)[::-1])
    np.testing.assert_allclose(np.abs(white(TEST)), alike, rtol=1e-11)
    assert np.all(white.directions[np.argmax(np.abs(white.directions), axis=0), range(3)] > 0)


def test_directions_without_variance_are_left_out() -> None:
    """Four columns of rank two: two features, and the inverse gives back training data."""
    X = TRAIN[:, :2] @ np.array([[1.0, 0.0, 2.0, 0.1], [0.0, 1.0, -1.0, 0.0]])
    white = nn.Whiten().fit(X)
    assert white.rank == 2
    assert white(X).shape == (40, 2)
    np.testing.assert_allclose(white.inverse(white(X)), X, rtol=1e-11)
    assert nn.Whiten().fit(X[:2]).rank == 1  # two rows lie on a line
    with pytest.raises(ValueError, match="rows that differ, and all 3 of them are equal"):
        nn.Whiten().fit(np.full((3, 2), 0.1))


# ---- both ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [nn.Standardise, nn.Whiten])
def test_preprocessing_is_differentiable_and_saved(kind: Callable[[], Any]) -> None:
    """Tensors stay in the graph; a fresh object with the state gives the same bits; all or nothing."""
    fitted = kind().fit(TRAIN)
    check_gradients(lambda x: ad.sum(fitted(x) ** 2.0), TEST[:2]).raise_unless_passed()
    np.testing.assert_allclose(fitted(Tensor(TEST)).data, fitted(TEST), rtol=1e-14)
    fresh = kind()
    fresh.load(fitted.state())
    assert np.array_equal(fresh(TEST), fitted(TEST))
    fitted.state()["mean"][:] = 0  # a copy
    assert np.array_equal(fresh(TEST), fitted(TEST))
    good = fitted.state()
    for key, item, said in (
        ("mean", good["mean"][:2], r"has shape \(2,\), not \(3\)"),
        ("deviation", good["deviation"] * np.nan, "deviation holds a number that is not finite"),
        ("deviation", -good["deviation"], "above 0" if kind is nn.Whiten else "at least 0"),
        ("slope", 1.0, "has 'slope', which this"),
    ):
        with pytest.raises(ValueError, match=said):
            fresh.load({**good, key: item})
    with pytest.raises(ValueError, match="has no mean; nothing"):
        fresh.load({})
    if kind is nn.Whiten:  # which would divide by it
        with pytest.raises(ValueError, match="must be above 0, and one is 0"):
            fresh.load({**good, "deviation": 0.0 * good["deviation"]})
    assert np.array_equal(fresh(TEST), fitted(TEST))


@pytest.mark.parametrize("kind", [nn.Standardise, nn.Whiten])
def test_wrong_data_are_told(kind: Callable[[], Any]) -> None:
    """Before fit, other numbers of features, infinities, nodes, one dimension."""
    with pytest.raises(ValueError, match=r"has learned nothing yet; call fit\(training_data\) first"):
        kind()(TEST)
    fitted = kind().fit(TRAIN)
    with pytest.raises(ValueError, match=r"rows of 3 features, and got shape \(7, 2\)"):
        fitted(TEST[:, :2])
    with pytest.raises(ValueError, match="row 1, column 2 is inf"):
        kind().fit([[1.0, 2.0, 3.0], [1.0, 2.0, np.inf]])
    with pytest.raises(TypeError, match=r"fitted on plain numbers, .*; use its \.data"):
        kind().fit(Tensor(TRAIN))
    for X in (TRAIN[0], np.zeros((0, 3))):
        with pytest.raises(ValueError, match=r"shape \(examples, features\), and got shape \("):
            kind().fit(X)
    assert "3 features" in repr(fitted)
    assert "not fitted" in repr(kind())


# ---- mini-batches ----------------------------------------------------------------------------------------------------

X, Y = np.arange(20).reshape(10, 2), np.arange(10)


def test_an_epoch_gives_each_example_once_in_a_new_order() -> None:
    """Arrays stay together; each epoch is shuffled anew by the generator alone; without one, the order is kept."""
    batches = nn.Batches(X, Y, size=4, random=generator())
    orders = []
    for epoch in range(3):
        assert batches.epoch == epoch
        parts = list(batches)
        assert [len(y) for _, y in parts] == [4, 4, 2]
        assert all(np.array_equal(x[:, 0], 2 * y) for x, y in parts)
        orders.append(tuple(np.concatenate([y for _, y in parts])))
        assert sorted(orders[-1]) == list(range(10))
    assert len({*orders}) == 3
    again = nn.Batches(Y, size=4, random=generator())
    assert [tuple(np.concatenate([y for (y,) in again])) for _ in range(3)] == orders
    kept = nn.Batches(Y, size=4, random=None)
    assert [y.tolist() for (y,) in kept] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


def test_a_smaller_last_batch_is_kept_or_dropped() -> None:
    """By argument; a size that divides the data has none."""
    assert [len(nn.Batches(Y, size=size, random=None)) for size in (1, 3, 5, 10, 20)] == [10, 4, 2, 1, 1]
    dropped = nn.Batches(Y, size=4, random=generator(), last=False)
    assert len(dropped) == 2
    assert [len(y) for (y,) in dropped] == [4, 4]


@pytest.mark.parametrize("seed", [None, 3])
@pytest.mark.parametrize("stop", [0, 1, 2, 3, 5, 6])
def test_going_on_from_a_saved_position_is_going_on(stop: int, seed: int | None) -> None:
    """After any number of batches, fresh mini-batches with the state give the rest bit for bit; so does a new loop."""

    def made(other: int = 0) -> nn.Batches:
        return nn.Batches(X, Y, size=4, random=None if seed is None else generator(seed + other))

    def take(batches: nn.Batches, count: int) -> list[Any]:
        taken: list[Any] = []
        while len(taken) < count:
            for _, y in batches:
                taken.append(y.tolist())
                if len(taken) == count:
                    break
        return taken

    whole = take(made(), 9)
    first, fresh = made(), made(other=1)
    assert take(first, stop) == whole[:stop]
    fresh.load(first.state())
    assert (fresh.epoch, fresh.position) == divmod(stop, 3)
    assert take(fresh, 9 - stop) == whole[stop:]
    assert take(first, 9 - stop) == whole[stop:]


def test_wrong_batches_and_states_are_told() -> None:
    """Arrays, sizes, and states of other data; a refused state changes nothing."""
    for arrays, said in (
        ((), "at least one array"),
        ((X, Y[:9]), r"got shapes \(10, 2\), \(9,\)"),
        ((np.zeros((0, 2)),), r"got shapes \(0, 2\)"),
        ((3.0,), r"got shapes \(\)"),
    ):
        with pytest.raises(ValueError, match=said):
            nn.Batches(*arrays, size=2, random=None)
    with pytest.raises(ValueError, match="larger than all 10 examples, and would be dropped"):
        nn.Batches(Y, size=11, random=None, last=False)
    with pytest.raises(ValueError, match="size of a batch must be at least 1"):
        nn.Batches(Y, size=0, random=None)
    with pytest.raises(TypeError, match="random must be a NumPy generator"):
        nn.Batches(Y, size=2, random=0)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="last must be True"):
        nn.Batches(Y, size=2, random=None, last="keep")  # type: ignore[arg-type]
    batches = nn.Batches(Y, size=4, random=generator())
    next(iter(batches))
    state = batches.state()
    for key, item, said in (
        ("order", np.zeros(10, int), "order must be that of 10 examples"),
        ("order", np.arange(9), "order must be that of 10 examples"),
        ("position", np.array(3), "position is 3, and an epoch has 3 batches here"),
        ("epoch", np.array(-1), "epoch must be a whole number of at least 0"),
        ("size", np.array(5), "of mini-batches with size=5, and these have size=4"),
        ("last", np.array(False), "of mini-batches with last=False, and these have last=True"),
        ("sizes", np.array(4), "has 'sizes', which this Batches does not keep"),
        ("random/state", np.array("{}"), "not that of a generator"),
    ):
        with pytest.raises(ValueError, match=said):
            batches.load({**state, key: item})
    with pytest.raises(ValueError, match="has no epoch"):
        batches.load({})
    with pytest.raises(ValueError, match="these mini-batches are shuffled, and those saved are not"):
        batches.load(nn.Batches(Y, size=4, random=None).state())
    assert all(np.array_equal(state[key], item) for key, item in batches.state().items())


def test_a_batch_given_back_comes_again_and_the_rest_is_the_same() -> None:
    """Within an epoch, at its end and at its first batch; also by a state in which the order is drawn already."""
    batches, whole = nn.Batches(Y, size=4, random=generator()), nn.Batches(Y, size=4, random=generator())
    expected = [y.tolist() for _ in range(2) for (y,) in whole]
    for k in range(5):
        (y,) = next(iter(batches))
        assert y.tolist() == expected[k]
        if k in (0, 2):
            batches.give_back()
            other = nn.Batches(Y, size=4, random=np.random.default_rng(8))
            other.load(batches.state())
            assert next(iter(other))[0].tolist() == expected[k]
            next(iter(batches))
    fresh = nn.Batches(Y, size=4, random=generator())
    with pytest.raises(ValueError, match="no batch was given that could be given back"):
        fresh.give_back()


def test_a_state_of_an_older_version_is_loaded() -> None:
    """It does not tell the size, the rule for the last batch, and whether an order of this epoch is drawn."""
    batches, fresh = (nn.Batches(Y, size=4, random=generator()) for _ in range(2))
    next(iter(batches))
    fresh.load({key: item for key, item in batches.state().items() if key not in ("size", "last", "drawn")})
    assert [y.tolist() for (y,) in fresh] == [y.tolist() for (y,) in batches]


def test_ragged_lists_and_tensors_are_told_how_to_become_arrays() -> None:
    with pytest.raises(ValueError, match=r"array 2 of mini-batches has rows of different lengths, and got .*objects"):
        nn.Batches([0, 1], [[1], [1, 2]], size=1, random=None)
    with pytest.raises(TypeError, match=r"array 1 of mini-batches must be plain, .* use its \.data"):
        nn.Batches(ad.Tensor([1.0, 2.0]), size=1, random=None)
    batches = nn.Batches(Y, size=4, random=None)
    with pytest.raises(ValueError, match="the state's order has rows of different lengths"):
        batches.load({**batches.state(), "order": [[1], [2, 3]]})
