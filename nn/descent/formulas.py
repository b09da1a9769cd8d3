"""The formulas of optimisers, one function each: numbers in, numbers out, on floats, arrays and symbols alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import pi
from types import MappingProxyType
from typing import Any, Final

import autodiff as ad
from autodiff.primitives.expression import Expression, number, variable
from autodiff.slopes.writing import in_symbols
from autodiff.words.formulas import ATOM
from nn.parameters.ranges import Hyper

__all__ = ["FORMULAS", "Formula", "Slot", "State", "Update", "written_out"]

State = tuple[Any, ...]
Update = Callable[..., tuple[Any, State]]


@dataclass(frozen=True, slots=True)
class Slot:
    """What an optimiser remembers of each parameter, 0 before its first gradient.

    ``fades`` says whether a gradient of 0 changes it: rows of an array that a pass did not reach must then catch up.
    ``counts`` marks the number of steps t, one number for a whole parameter; it is the first slot of its formula.
    """

    sign: str
    fades: bool = False
    counts: bool = False


@dataclass(frozen=True)
class Formula:
    """How one optimiser computes a step from a gradient.

    ``update(gradient, state, rate, **hyper)`` returns the step, which is added to the parameter, and the new state, a
    tuple in the order of ``slots``. It acts on each element alone, so that it serves floats, arrays, and any rows of
    an array with the same rows of its slots; it changes none of its arguments. ``coasts`` says whether parameters may
    move although their gradient is 0, and ``lazy`` that rows without a gradient must not.

    >>> FORMULAS["AdaGrad"].update(4.0, (0.0,), 0.5, epsilon=0.0)
    (-0.5, (16.0,))
    >>> print(FORMULAS["momentum"].text)
    v ← μ·v − α·g, θ ← θ + v
    """

    name: str
    update: Update
    hyper: tuple[Hyper, ...] = ()
    slots: tuple[Slot, ...] = ()
    coasts: bool = False
    lazy: bool = False

    @cached_property
    def start(self) -> State:
        """The state of a parameter before its first step."""
        return (0.0,) * len(self.slots)

    @cached_property
    def counts(self) -> bool:
        """Whether the first slot is the number of steps."""
        return bool(self.slots) and self.slots[0].counts

    @property
    def keeps_rows(self) -> bool:
        """Whether a gradient of 0 leaves a parameter and its slots alone, so that rows can move without the others."""
        return self.lazy or not (self.coasts or any(slot.fades for slot in self.slots))

    @property
    def text(self) -> str:
        """The formula as text, read from ``update`` on symbols: new slots first, then the parameter θ."""
        signs = [slot.sign for slot in self.slots]
        hyper = {each.keyword: variable(each.sign) for each in self.hyper}
        step, slots = self.update(variable("g"), tuple(map(variable, signs)), variable("α"), **hyper)
        known = [{id(slot): sign for slot, sign in zip(slots[:k], signs, strict=False)} for k in range(len(slots) + 1)]
        assignments = [f"{sign} ← {written_out(slots[k], known[k])}" for k, sign in enumerate(signs)]
        change = written_out(step, known[-1])
        assignments.append(f"θ ← θ − {change[1:]}" if change.startswith("−") else f"θ ← θ + {change}")
        return ", ".join(assignments)


def written_out(part: Any, signs: Mapping[int, str] | None = None) -> str:
    """An expression as text; ``signs`` are those of parts that have one, by id.

    >>> written_out(variable("v") ** 0.5 / (1 - variable("β₁") ** variable("t")))
    '√v/(1 − β₁ᵗ)'
    """
    return in_symbols(_named(part, signs or {}), _AsTheyAre())[0].replace("^t", "ᵗ").replace(f"{pi:g}", "π")


class _AsTheyAre(dict[str, tuple[str, int]]):
    """The texts of variables: their names."""

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> tuple[str, int]:
        return name, ATOM


def _named(part: Any, signs: Mapping[int, str]) -> Any:
    if id(part) in signs:
        return variable(signs[id(part)])
    if isinstance(part, int | float):  # an operand of a call
        return number(part)
    if not isinstance(part, Expression) or part.head in ("variable", "number"):
        return part
    if part.head == "invoke":  # of one schedule by another
        return variable(f"{part.parts[0]}({', '.join(map(written_out, part.parts[1:]))})")
    parts = [_named(each, signs) for each in part.parts]
    if part.head == "**" and str(parts[1]) == "0.5":
        return ad.sqrt(parts[0])
    return Expression(part.head, *parts, params=part.params)


# ---- the formulas ----------------------------------------------------------------------------------------------------
# Roots are powers, not calls: NumPy writes over a temporary array under an operator, which takes a fifth less time.


def _sgd(g: Any, _: State, rate: Any) -> tuple[Any, State]:
    return -rate * g, ()


def _momentum(g: Any, state: State, rate: Any, *, mu: Any) -> tuple[Any, State]:
    (v,) = state
    v = mu * v - rate * g
    return v, (v,)


def _momentum_outside(g: Any, state: State, rate: Any, *, mu: Any) -> tuple[Any, State]:
    (v,) = state
    v = mu * v + g
    return -rate * v, (v,)


def _nesterov(g: Any, state: State, rate: Any, *, mu: Any) -> tuple[Any, State]:
    (v,) = state
    v = mu * v - rate * g
    return mu * v - rate * g, (v,)


def _nesterov_outside(g: Any, state: State, rate: Any, *, mu: Any) -> tuple[Any, State]:
    (v,) = state
    v = mu * v + g
    return -rate * (g + mu * v), (v,)


def _adagrad(g: Any, state: State, rate: Any, *, epsilon: Any) -> tuple[Any, State]:
    (c,) = state
    c = c + g * g
    return -rate * g / (c + epsilon) ** 0.5, (c,)


def _adagrad_outside(g: Any, state: State, rate: Any, *, epsilon: Any) -> tuple[Any, State]:
    (c,) = state
    c = c + g * g
    return -rate * g / (c**0.5 + epsilon), (c,)


def _rmsprop(g: Any, state: State, rate: Any, *, rho: Any, epsilon: Any) -> tuple[Any, State]:
    (c,) = state
    c = rho * c + (1 - rho) * (g * g)
    return -rate * g / (c + epsilon) ** 0.5, (c,)


def _rmsprop_outside(g: Any, state: State, rate: Any, *, rho: Any, epsilon: Any) -> tuple[Any, State]:
    (c,) = state
    c = rho * c + (1 - rho) * (g * g)
    return -rate * g / (c**0.5 + epsilon), (c,)


def _adam(g: Any, state: State, rate: Any, *, beta1: Any, beta2: Any, epsilon: Any) -> tuple[Any, State]:
    t, m, v = state
    t = t + 1
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * (g * g)
    # The factors of m and v are numbers, so that an array is passed over only once for each.
    return -(rate / (1 - beta1**t)) * m / ((v / (1 - beta2**t)) ** 0.5 + epsilon), (t, m, v)


def _adam_uncorrected(g: Any, state: State, rate: Any, *, beta1: Any, beta2: Any, epsilon: Any) -> tuple[Any, State]:
    m, v = state
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * (g * g)
    return -rate * m / (v**0.5 + epsilon), (m, v)


_MU: Final = Hyper("mu", "μ", 0.9, high=1.0)
_RHO: Final = Hyper("rho", "ρ", 0.9, high=1.0)
_BETAS: Final = (Hyper("beta1", "β₁", 0.9, high=1.0), Hyper("beta2", "β₂", 0.999, high=1.0))
_EPSILON: Final = Hyper("epsilon", "ε", 1e-8, open_low=True)
_T: Final = Slot("t", fades=True, counts=True)
_M, _V = Slot("m", fades=True), Slot("v", fades=True)
_SUM, _MEAN = Slot("c"), Slot("c", fades=True)

#: Every optimiser by its name; of two forms, the default has the bare name.
FORMULAS: Final = MappingProxyType(
    {
        formula.name: formula
        for formula in (
            Formula("SGD", _sgd),
            Formula("momentum", _momentum, (_MU,), (_V,), coasts=True),
            Formula("momentum, α outside", _momentum_outside, (_MU,), (_V,), coasts=True),
            Formula("Nesterov", _nesterov, (_MU,), (_V,), coasts=True),
            Formula("Nesterov, α outside", _nesterov_outside, (_MU,), (_V,), coasts=True),
            Formula("AdaGrad", _adagrad, (_EPSILON,), (_SUM,)),
            Formula("AdaGrad, ε outside", _adagrad_outside, (_EPSILON,), (_SUM,)),
            Formula("RMSprop", _rmsprop, (_RHO, _EPSILON), (_MEAN,)),
            Formula("RMSprop, ε outside", _rmsprop_outside, (_RHO, _EPSILON), (_MEAN,)),
            Formula("Adam", _adam, (*_BETAS, _EPSILON), (_T, _M, _V), coasts=True),
            Formula("Adam, uncorrected", _adam_uncorrected, (*_BETAS, _EPSILON), (_M, _V), coasts=True),
        )
    }
)
