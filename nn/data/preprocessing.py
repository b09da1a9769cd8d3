"""Preprocessing, fitted on training data and applied to any (the notes, section 2, "Preprocessing")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np

from autodiff.engine.graph import Change, Node, commit
from autodiff.primitives.operands import as_operand, describe
from nn.parameters.saved import assigning, check_keys, check_mapping, saved_numbers

__all__ = ["Standardise", "Whiten"]


class _Fitted:
    """What the two have in common: numbers that are learned from training data, saved and loaded."""

    #: The names of the arrays that `fit` learns, with a letter for each axis.
    _SHAPES: ClassVar[dict[str, str]]
    #: Whether data are divided by each deviation, so that none may be 0.
    _divides: ClassVar = False

    def __init__(self) -> None:
        self._learned: dict[str, np.ndarray[Any, Any]] = {}

    def _learn(self, **learned: Any) -> Self:
        commit(assigning(self, _learned=learned))
        return self

    def _get(self, name: str) -> Any:
        if not self._learned:
            raise ValueError(f"this {type(self).__name__} has learned nothing yet; call fit(training_data) first")
        return self._learned[name]

    def state(self) -> dict[str, np.ndarray[Any, Any]]:
        """Copies of all numbers that `fit` has learned.

        Raises:
            ValueError: if it has not been called.
        """
        return {name: np.array(self._get(name)) for name in self._SHAPES}

    def load_changes(self, state: Mapping[str, Any]) -> list[Change]:
        """The changes that `load` makes, checked but not made."""
        check_mapping(state)
        check_keys(f"this {type(self).__name__}", state, self._SHAPES)
        fresh, sizes = {}, {"n": self._features} if self._learned else {}
        for name, letters in self._SHAPES.items():
            array = np.array(saved_numbers(state[name], name))
            is_fit = len(letters) == array.ndim and all(
                sizes.setdefault(letter, n) == n for letter, n in zip(letters, array.shape, strict=True)
            )
            if not is_fit:
                expected = ", ".join(str(sizes.get(letter, letter)) for letter in letters)
                raise ValueError(f"the state's {name} has shape {array.shape}, not ({expected}); nothing was loaded")
            if name == "deviation" and np.any(array <= 0.0 if self._divides else array < 0.0):
                raise ValueError(
                    f"the state's deviations must be {'above' if self._divides else 'at least'} 0, and one is "
                    f"{array.min()}; nothing was loaded"
                )
            fresh[name] = array
        return [assigning(self, _learned=fresh)]

    def load(self, state: Mapping[str, Any]) -> None:
        """Load a `state`; if an error is raised, nothing has changed.

        Raises:
            ValueError: if an array is missing, unknown, of another shape or not finite; a fitted object keeps its
                number of features.
            TypeError: if ``state`` is not a mapping of numeric arrays.
        """
        commit(*self.load_changes(state))

    @property
    def _features(self) -> int:
        return len(self._get("mean"))

    def _columns(self, data: Any, count: int | None = None) -> Any:
        """``data`` as a node or an array whose last axis has as many features as were fitted."""
        x = data if isinstance(data, Node) else as_operand(type(self).__name__, data)
        wanted = self._features if count is None else count
        if not x.shape or x.shape[-1] != wanted:
            raise ValueError(f"{type(self).__name__} takes rows of {wanted} features, and got shape {x.shape}")
        return x

    def __repr__(self) -> str:
        return f"{type(self).__name__}({f'{self._features} features' if self._learned else 'not fitted'})"


class Standardise(_Fitted):
    """Subtract the mean and divide by the standard deviation of each feature: x′ = (x − μ)/σ, dimensionless.

    ``fit(training_data)`` takes μ and σ = √(Σ(x − μ)²/n) from the rows of the *training* data alone; a call applies
    them to any data of shape (n,) or (…, n), plain or Tensors, which stay differentiable. A constant column has σ = 0:
    it is only shifted, so that training data become 0, and ``constant`` says which columns these are.

    Source: notes, section 2, "Preprocessing".

    >>> scale = Standardise().fit([[0.0, 5.0], [4.0, 5.0]])
    >>> scale([[8.0, 6.0]]), scale.constant
    (array([[3., 1.]]), array([False,  True]))
    >>> scale.inverse(scale([[8.0, 6.0]]))
    array([[8., 6.]])
    """

    _SHAPES: ClassVar = {"mean": "n", "deviation": "n"}

    def fit(self, data: Any) -> Standardise:
        """Learn from training data, plain numbers of shape (examples, features), and return this object.

        Raises:
            ValueError: if the shape is another, there is no row, or a number is not finite.
            TypeError: if data are not plain numbers.
        """
        X = _training(type(self).__name__, data)
        mean, deviation, _ = _centred(X)
        return self._learn(mean=mean, deviation=deviation)

    def __call__(self, data: Any) -> Any:
        return (self._columns(data) - self.mean) / self._divisor

    def inverse(self, data: Any) -> Any:
        """The data before `Standardise`: x = σx′ + μ, also of constant columns.

        Raises:
            ValueError: if the number of features differs, or `fit` has not been called.
        """
        return self._columns(data) * self._divisor + self.mean

    @property
    def mean(self) -> Any:
        """μ, shape (features,), in the features' units."""
        return self._get("mean")

    @property
    def deviation(self) -> Any:
        """σ, shape (features,), in the features' units; 0 for constant columns."""
        return self._get("deviation")

    @property
    def constant(self) -> Any:
        """Which columns were constant in training."""
        return self.deviation == 0.0

    @property
    def _divisor(self) -> Any:
        return np.where(self.constant, 1.0, self.deviation)


class Whiten(_Fitted):
    """Transform data so that features are uncorrelated and have variance 1: x′ = (x − μ)V/(S/√n), dimensionless.

    X − μ = USVᵀ is the singular value decomposition of the n rows of training data: ``fit`` projects on V, not on U as
    the notes print, and divides by S/√n, the standard deviation along each direction. A call takes plain data or
    Tensors of shape (features,) or (…, features), which stay differentiable. Directions in which training data do not
    vary, S_j ≤ S₁·max(n, features)·2⁻⁵², are left out: x′ has ``rank`` features, and ``inverse`` gives back the part of
    x in the space of the training data. V's signs are those with a positive largest entry in each direction.

    Source: notes, section 2, "Preprocessing".

    >>> white = Whiten().fit([[0.0, 0.0], [2.0, 2.0], [0.0, 2.0], [2.0, 0.0]])
    >>> white([1.0, 1.0])
    array([0., 0.])
    >>> Whiten().fit([[0.0, 0.0], [2.0, 2.0]]).rank
    1
    """

    _SHAPES: ClassVar = {"mean": "n", "directions": "nr", "deviation": "r"}
    _divides: ClassVar = True

    def fit(self, data: Any) -> Whiten:
        """Learn from training data, plain numbers of shape (examples, features), and return this object.

        Raises:
            ValueError: if the shape is another, a number is not finite, or no column varies.
            TypeError: if data are not plain numbers.
        """
        X = _training(type(self).__name__, data)
        mean, _, centred = _centred(X)
        _, S, Vt = np.linalg.svd(centred, full_matrices=False)
        least = S[0] * max(X.shape) * 2.0**-52
        rank = int(np.count_nonzero(np.greater(S, least)))
        if not rank:
            raise ValueError(f"Whiten needs rows that differ, and all {len(X)} of them are equal")
        V = Vt[:rank].T
        V = V * np.sign(V[np.argmax(np.abs(V), axis=0), np.arange(rank)])
        return self._learn(mean=mean, directions=V, deviation=S[:rank] / np.sqrt(len(X)))

    def __call__(self, data: Any) -> Any:
        return (self._columns(data) - self.mean) @ self.directions / self.deviation

    def inverse(self, data: Any) -> Any:
        """The data before `Whiten`, x = (S/√n ∘ x′)Vᵀ + μ; exact if the rank is the number of features.

        Raises:
            ValueError: if the number of features is not ``rank``, or `fit` has not been called.
        """
        return self._columns(data, self.rank) * self.deviation @ self.directions.T + self.mean

    @property
    def mean(self) -> Any:
        """μ, shape (features,), in the features' units."""
        return self._get("mean")

    @property
    def directions(self) -> Any:
        """V, shape (features, rank), one direction in each column, the one of largest deviation first."""
        return self._get("directions")

    @property
    def deviation(self) -> Any:
        """S/√n, shape (rank,): the standard deviation of training data along each direction."""
        return self._get("deviation")

    @property
    def rank(self) -> int:
        """The number of directions in which training data vary."""
        return len(self.deviation)


def _training(name: str, data: Any) -> np.ndarray[Any, Any]:
    """Training data as a matrix of floats."""
    if isinstance(data, Node) or (X := as_operand(name, data)).dtype == object:
        raise TypeError(f"{name} is fitted on plain numbers, and got {describe(data)}; use its .data")
    if X.ndim != 2 or not X.size:
        raise ValueError(f"{name} is fitted on data of shape (examples, features), and got shape {X.shape}")
    if not np.all(np.isfinite(X)):
        row, column = np.argwhere(~np.isfinite(X))[0]
        raise ValueError(f"training data must be finite, and row {row}, column {column} is {X[row, column]}")
    return X.astype(np.float64)


def _centred(X: np.ndarray[Any, Any]) -> tuple[Any, Any, Any]:
    """Mean, standard deviation and rows without the mean; constant columns exactly, although their sum is rounded."""
    is_constant = np.all(np.equal(X, X[0]), axis=0)
    with np.errstate(over="ignore", invalid="ignore"):
        mean = np.where(is_constant, X[0], X.mean(axis=0))
        centred = X - mean
        largest = np.where(is_constant, 1.0, np.max(np.abs(centred), axis=0))  # whose square may overflow
        deviation = largest * np.sqrt(np.mean(np.square(centred / largest), axis=0))
    if not np.all(np.isfinite(deviation)):
        raise ValueError("the sums of training data overflow; divide them by a constant first")
    return mean, deviation, centred
