"""Steps with a gradient of 0, in closed form: what a row has missed since its last step, in no more time than one step.

Each class keeps, for every step s since the table began to lag, what takes a row whose last step was the s-th to now.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import log
from typing import Any, Final

import numpy as np

__all__ = ["MOST", "Missed", "closed_form"]

_Array = np.ndarray[Any, Any]
_Rows = tuple[_Array, tuple[_Array, ...]]

#: After so many steps all rows catch up once, so that neither the memory nor the time of a step grows.
MOST: Final = 2000


class Missed:
    """The steps so far; ``count`` is their number. It does not change: `after` gives a longer one."""

    def __init__(self, formula: Any, hyper: Mapping[str, float], decay: float) -> None:
        self.update: Callable[..., Any] = formula.update
        self.hyper, self.decay, self.count = dict(hyper), decay, 0

    def after(self, rate: float, t: float) -> Missed:
        """These steps and one more, at that rate; ``t`` is the number of steps of the parameter before it."""
        longer: Missed = object.__new__(type(self))
        longer.__dict__.update(self.__dict__, count=self.count + 1)
        longer._append(rate, t)
        return longer

    def _append(self, rate: float, t: float) -> None:
        raise NotImplementedError

    def caught_up(self, since: _Array, rows: _Array, slots: tuple[_Array, ...]) -> _Rows:
        """Rows and slots as they are now, for rows whose last step was the ``since``-th, all less than ``count``.

        ``since`` has an axis for each of the rows', of length 1 except the first.
        """
        raise NotImplementedError


class _Linear(Missed):
    """SGD and momentum, with or without a decay: (θ, v) is multiplied by a matrix in each step."""

    maps = np.empty((2, 2, 0))  # maps[:, :, s] is the product of the matrices of all steps from s on

    def _append(self, rate: float, t: float) -> None:  # noqa: ARG002
        step = self._matrix(rate)
        count = self.count - 1
        maps = (step @ self.maps.reshape(2, 2 * count)).reshape(2, 2, count)
        self.maps = np.concatenate((maps, step[:, :, None]), axis=2)

    def _matrix(self, rate: float) -> _Array:
        of_theta, after = self.update(self.decay, (0.0,), rate, **self.hyper)
        of_v, then = self.update(0.0, (1.0,), rate, **self.hyper)
        return np.array([[1.0 + of_theta, of_v if then else 0.0], [after[0], then[0]] if then else [0.0, 0.0]])

    def caught_up(self, since: _Array, rows: _Array, slots: tuple[_Array, ...]) -> _Rows:
        ((a, b), (c, d)) = self.maps[:, :, since]
        if not slots:
            return a * rows, ()
        (v,) = slots
        return a * rows + b * v, (c * rows + d * v,)


class _Fading(Missed):
    """RMSprop: the mean of squares fades, and nothing moves."""

    def _append(self, rate: float, t: float) -> None:
        pass

    def caught_up(self, since: _Array, rows: _Array, slots: tuple[_Array, ...]) -> _Rows:
        (c,) = slots
        return rows, (self.hyper["rho"] ** (self.count - since) * c,)


#: Terms of the series in ε/√v̂ of `_Means`, and the largest ε/√v̂ for which it is used: 0.01⁸ is below a rounding error.
_TERMS, _SMALL = 8, 0.01


class _Means(Missed):
    """Adam: θ moves by −m Σⱼ cⱼβ₁ʲ/(√v β₂^(j/2)/eⱼ + ε) over the missed steps j = 1 …, as a series in ε/√v.

    cⱼ = α/(1 − β₁ᵗ) and eⱼ = √(1 − β₂ᵗ), or α and 1 in the uncorrected form. The term of εⁿ is (−ε)ⁿ/√vⁿ⁺¹ times a
    sum that depends on the last step alone. Where √v is not much larger than ε, the terms are added up one by one.
    """

    def __init__(self, formula: Any, hyper: Mapping[str, float], decay: float) -> None:
        super().__init__(formula, hyper, decay)
        self.counts = formula.counts
        self.beta1, self.beta2, self.epsilon = (hyper[key] for key in ("beta1", "beta2", "epsilon"))
        powers = np.arange(1.0, _TERMS + 1)[:, None]
        self.powers = powers
        with np.errstate(under="ignore"):
            # newest first reversed: column k from the end belongs to a row that has missed k steps
            self.shares = (self.beta1 * self.beta2 ** (-powers / 2)) ** np.arange(MOST + 1.0, 0.0, -1.0)
        self.sums = np.empty((_TERMS, 0))
        self.steps: tuple[_Array, _Array] = np.empty(0), np.empty(0)

    def _append(self, rate: float, t: float) -> None:
        c, e = rate, 1.0
        if self.counts:
            c, e = rate / (1 - self.beta1 ** (t + 1)), (1 - self.beta2 ** (t + 1)) ** 0.5
        sums = np.zeros((_TERMS, self.count))
        sums[:, :-1] = self.sums
        sums += (c * e**self.powers) * self.shares[:, self.shares.shape[1] - self.count :]
        self.sums = sums
        self.steps = np.append(self.steps[0], c), np.append(self.steps[1], e)

    def caught_up(self, since: _Array, rows: _Array, slots: tuple[_Array, ...]) -> _Rows:
        m, v = slots
        missed = self.count - since
        later = self.beta1**missed * m, self.beta2**missed * v
        moving = m != 0
        plain = moving & (self.epsilon <= _SMALL * np.sqrt(later[1]))
        u = np.where(plain, np.sqrt(v), 1.0)
        x = self.epsilon / u
        total = np.zeros_like(u)
        for n in range(_TERMS - 1, -1, -1):
            total = self.sums[n][since] - x * total
        rows = rows - np.where(plain, m / u * total, 0.0)
        slow = moving & ~plain
        if slow.any():
            first = np.broadcast_to(since, rows.shape)[slow]
            rows[slow] -= self._added_up(first, m[slow], v[slow])
        return rows, later

    def _added_up(self, first: _Array, m: _Array, v: _Array) -> _Array:
        """The same moves, term by term, of numbers along one axis; some at a time, because each has many terms."""
        ratio = self.beta1 / self.beta2**0.5  # a bound of the ratio of successive terms
        most = self.count - int(first.min())
        terms = min(most, 1 + int(log(_NOTHING) / log(ratio))) if ratio else 1
        j = np.arange(1.0, terms + 1)
        moves = np.empty_like(m)
        for start in range(0, len(m), _CHUNK):
            some = slice(start, start + _CHUNK)
            places = first[some, None] + np.arange(terms)
            c, e = (np.append(each, 0.0)[np.minimum(places, self.count)] for each in self.steps)
            roots = np.sqrt(v[some])[:, None] * self.beta2 ** (j / 2)
            e[places >= self.count] = 1.0
            moves[some] = m[some] * (c * self.beta1**j / (roots / e + self.epsilon)).sum(axis=1)
        return moves


#: Terms below this share of the first do not count; so many numbers are added up at once.
_NOTHING, _CHUNK = 1e-22, 1024

_KINDS: Final = {"SGD": _Linear, "momentum": _Linear, "Nesterov": _Linear, "RMSprop": _Fading, "Adam": _Means}


def closed_form(formula: Any, hyper: Mapping[str, float], decay: float) -> Missed | None:
    """No steps as yet of a formula; None if its steps have no closed form, as AdaGrad and Adam with a decay."""
    kind = _KINDS.get(formula.name.partition(",")[0])
    if kind is None or (decay and kind is not _Linear):
        return None
    if kind is _Means and not 0.9 <= hyper["beta2"] ** (_TERMS / 2) >= hyper["beta1"]:
        return None  # the series would need more terms
    return kind(formula, hyper, decay)
