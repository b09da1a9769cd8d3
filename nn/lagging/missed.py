"""Steps with a gradient of 0, in closed form: what a row has missed since its last step, in no more time than one step.

Each class keeps, for every k up to `MOST`, what takes a row that has missed the last k steps to now. A row's numbers
depend on the row and on the steps alone, never on which other rows are computed with it, so that they have the same
bits whoever reads them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import log
from typing import Any, Final

import numpy as np

__all__ = ["MOST", "Missed", "closed_form"]

_Array = np.ndarray[Any, Any]
_Rows = tuple[_Array, tuple[_Array, ...]]

#: No row misses more steps than these: in each step the next V/MOST rows of a table catch up.
MOST: Final = 2000


class Missed:
    """The steps so far; ``count`` is their number. It does not change: `after` gives a longer one.

    ``rates`` are those of the last steps, at most `MOST`, the newest last.
    """

    def __init__(self, formula: Any, hyper: Mapping[str, float], decay: float) -> None:
        self.update: Callable[..., Any] = formula.update
        self.hyper, self.decay, self.count, self.rates = dict(hyper), decay, 0, np.empty(0)

    def after(self, rate: float, t: float) -> Missed:
        """These steps and one more, at that rate; ``t`` is the number of steps of the parameter before it."""
        longer: Missed = object.__new__(type(self))
        longer.__dict__.update(self.__dict__, count=self.count + 1)
        longer.rates = np.concatenate((self.rates[1 - MOST :], (rate,)))
        longer._append(rate, t)
        return longer

    def _append(self, rate: float, t: float) -> None:
        raise NotImplementedError

    def caught_up(self, k: _Array, rows: _Array, slots: tuple[_Array, ...]) -> _Rows:
        """Rows and slots as they are now, of rows that have missed the last ``k`` steps, which may be 0.

        ``k`` has an axis for each of the rows', of length 1 or theirs.
        """
        raise NotImplementedError


class _Linear(Missed):
    """SGD and momentum, with or without a decay: (θ, v) is multiplied by a matrix in each step."""

    matrix: Any = None
    same = 0  # the number of last steps that have this matrix
    maps = np.array([[1.0], [0.0], [0.0], [1.0]])  # column k is the product of the matrices of the last k steps

    def _append(self, rate: float, t: float) -> None:  # noqa: ARG002
        matrix = self._matrix(rate)
        if matrix != self.matrix:
            self.matrix, self.same = matrix, 0
        self.same += 1
        if self.count == 1:
            self.maps = _powers(matrix)
        if self.same == self.count or self.same > MOST:  # as of a constant rate: the maps are powers of this matrix
            return
        a, b, c, d = self.maps[:, : min(self.count, MOST)]
        e, f, g, h = matrix
        later = np.stack((e * a + f * c, e * b + f * d, g * a + h * c, g * b + h * d))
        self.maps = np.concatenate((_Linear.maps, later), axis=1)

    def _matrix(self, rate: float) -> tuple[float, float, float, float]:
        of_theta, after = self.update(self.decay, (0.0,), rate, **self.hyper)
        of_v, then = self.update(0.0, (1.0,), rate, **self.hyper)
        return (1.0 + of_theta, of_v, after[0], then[0]) if then else (1.0 + of_theta, 0.0, 0.0, 0.0)

    def caught_up(self, k: _Array, rows: _Array, slots: tuple[_Array, ...]) -> _Rows:
        a, b, c, d = self.maps
        if not slots:
            return a[k] * rows, ()
        (v,) = slots
        if not self.decay:  # a is 1 and c is 0
            return rows + b[k] * v, (d[k] * v,)
        return a[k] * rows + b[k] * v, (c[k] * rows + d[k] * v,)


def _powers(matrix: tuple[float, float, float, float]) -> _Array:
    """The powers 0 … MOST of a matrix, each the matrix times the one before, in the arithmetic of `_Linear`."""
    e, f, g, h = matrix
    a, b, c, d = column = 1.0, 0.0, 0.0, 1.0
    powers = [column]
    for _ in range(MOST):
        a, b, c, d = column = e * a + f * c, e * b + f * d, g * a + h * c, g * b + h * d
        powers.append(column)
    return np.array(powers).T.copy()


class _Fading(Missed):
    """RMSprop: the mean of squares fades, and nothing moves."""

    def __init__(self, formula: Any, hyper: Mapping[str, float], decay: float) -> None:
        super().__init__(formula, hyper, decay)
        self.fading = _faded(self.hyper["rho"])

    def _append(self, rate: float, t: float) -> None:
        pass

    def caught_up(self, k: _Array, rows: _Array, slots: tuple[_Array, ...]) -> _Rows:
        (c,) = slots
        return rows, (self.fading[k] * c,)


def _faded(share: float) -> _Array:
    with np.errstate(under="ignore"):
        return share ** np.arange(MOST + 1.0)


#: Terms of the series in ε/√v̂ of `_Means`, and the largest ε/√v̂ for which it is used: 0.01⁸ is below a rounding error.
_TERMS, _SMALL = 8, 0.01
#: Terms below this share of the first do not count; so many numbers are added up at once.
_NOTHING, _CHUNK = 1e-22, 1024


class _Means(Missed):
    """Adam: θ moves by −m Σⱼ cⱼβ₁ʲ/(√v β₂^(j/2)/eⱼ + ε) over the missed steps j = 1 …, as a series in ε/√v.

    cⱼ = α/(1 − β₁ᵗ) and eⱼ = √(1 − β₂ᵗ), or α and 1 in the uncorrected form. The term of εⁿ is (−ε)ⁿ/√vⁿ⁺¹ times a
    sum that depends on k alone. Where √v is not much larger than ε, the terms are added up one by one.
    """

    def __init__(self, formula: Any, hyper: Mapping[str, float], decay: float) -> None:
        super().__init__(formula, hyper, decay)
        self.counts = formula.counts
        self.beta1, self.beta2, self.epsilon = (hyper[key] for key in ("beta1", "beta2", "epsilon"))
        self.fading = _faded(self.beta1), _faded(self.beta2)
        self.smallest = self.epsilon / _SMALL / np.sqrt(self.fading[1])  # √v for which the series is used
        self.powers = np.arange(1.0, _TERMS + 1)[:, None]
        ratios = self.beta1 * self.beta2 ** (-self.powers / 2)  # of successive terms
        most = float(ratios.max())
        self.terms = min(MOST, 1 + int(log(_NOTHING) / log(most))) if most else 1
        self.shares = ratios ** np.arange(1.0, self.terms + 1)
        self.sums = np.zeros((_TERMS, 1))
        self.steps: tuple[_Array, _Array] = np.empty(0), np.empty(0)  # c and e, the newest first

    def _append(self, rate: float, t: float) -> None:
        c, e = rate, 1.0
        if self.counts:
            c, e = rate / (1 - self.beta1 ** (t + 1)), (1 - self.beta2 ** (t + 1)) ** 0.5
        sums = np.zeros((_TERMS, min(self.count, MOST) + 1))
        sums[:, 1:] = self.sums[:, :MOST]
        some = min(self.count, self.terms)
        sums[:, 1 : some + 1] += (c * e**self.powers) * self.shares[:, :some]
        self.sums = sums
        self.steps = np.append(c, self.steps[0][: MOST - 1]), np.append(e, self.steps[1][: MOST - 1])

    def caught_up(self, k: _Array, rows: _Array, slots: tuple[_Array, ...]) -> _Rows:
        m, v = slots
        root = np.sqrt(v)
        slow = root < self.smallest[k]
        if slow.any():  # most are 0, as of rows that nobody has looked up
            root = np.where(slow, 1.0, root)
        x = -self.epsilon / root
        total = x * self.sums[_TERMS - 1][k]
        for n in range(_TERMS - 2, 0, -1):
            total += self.sums[n][k]
            total *= x
        total += self.sums[0][k]
        moves = m / root
        moves *= total
        slow &= m != 0
        if slow.any():
            missed, of_m, of_v = (np.broadcast_to(each, moves.shape)[slow] for each in (k, m, v))
            moves[slow] = self._added_up(missed, of_m, of_v)
        return rows - moves, (self.fading[0][k] * m, self.fading[1][k] * v)

    def _added_up(self, k: _Array, m: _Array, v: _Array) -> _Array:
        """The same moves, term by term, of numbers along one axis; some at a time, because each has many terms."""
        j = np.arange(1.0, self.terms + 1)
        shares, fading = self.beta1**j, self.beta2 ** (j / 2)
        c, e = np.append(self.steps[0], 0.0), np.append(self.steps[1], 1.0)  # what a row has not missed
        moves = np.empty(len(m))
        for start in range(0, len(m), _CHUNK):
            some = slice(start, start + _CHUNK)
            places = k[some, None] - np.arange(1, self.terms + 1)
            places[places < 0] = len(c) - 1
            roots = np.sqrt(v[some].astype(float))[:, None] * fading
            moves[some] = m[some] * (c[places] * shares / (roots / e[places] + self.epsilon)).sum(axis=1)
        return moves


_KINDS: Final = {"SGD": _Linear, "momentum": _Linear, "Nesterov": _Linear, "RMSprop": _Fading, "Adam": _Means}


def closed_form(formula: Any, hyper: Mapping[str, float], decay: float) -> Missed | None:
    """No steps as yet of a formula; None if its steps have no closed form, as AdaGrad and Adam with a decay."""
    kind = _KINDS.get(formula.name.partition(",")[0])
    if kind is None or (decay and kind is not _Linear):
        return None
    if kind is _Means and not 0.9 <= hyper["beta2"] ** (_TERMS / 2) >= hyper["beta1"]:
        return None  # the series would need more terms
    return kind(formula, hyper, decay)
