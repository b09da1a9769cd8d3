"""Learning rates over time: pure functions of the number t of steps made so far, in one table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf, isfinite, pi
from types import MappingProxyType
from typing import Any, Final

import numpy as np

import autodiff as ad
from autodiff.primitives.expression import variable
from autodiff.primitives.operands import describe, whole_number
from nn.descent.formulas import written_out
from nn.parameters.ranges import Hyper, number_in

__all__ = [
    "SCHEDULES",
    "Rate",
    "Schedule",
    "ScheduleFormula",
    "as_text",
    "by_fan_in",
    "checked_rate",
    "constant",
    "cosine",
    "exponential",
    "inverse",
    "step",
    "warm_up",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class ScheduleFormula:
    """One row of the table: ``value(t, *settings)`` on numbers or symbols, and the signs of the settings.

    ``scales`` says that each parameter's rate is this value over √n_in.

    >>> SCHEDULES["inverse"].text
    'α₀·τ/max(t, τ)'
    """

    name: str
    value: Callable[..., Any]
    signs: Mapping[str, str]
    scales: bool = False

    @property
    def text(self) -> str:
        """The formula as text, read from ``value`` on symbols."""
        text = written_out(self.value(variable("t"), *map(variable, self.signs.values())))
        return f"{text}/√n_in" if self.scales else text


class Schedule:
    """A learning rate that depends on the number t of steps made so far: ``schedule(t)``, from t = 0.

    Made by the functions in `nn.rates`, it takes the place of a number: ``nn.Adam(net, rate=nn.rates.cosine(…))``.
    Schedules with the same settings are equal.

    >>> halved = step(0.1, every=10)
    >>> halved, halved(9), halved(10)
    (step(0.1, every=10, factor=0.5), 0.1, 0.05)
    """

    __slots__ = ("_formula", "_settings")

    def __init__(self, formula: ScheduleFormula, *settings: Any) -> None:
        self._formula, self._settings = formula, settings

    def __call__(self, t: float) -> float:
        try:
            rate = float(self._formula.value(float(t), *self._settings))
        except OverflowError:
            rate = inf
        if not isfinite(rate):
            raise ValueError(f"{self} gives no finite learning rate at t = {t}")
        return rate

    def __repr__(self) -> str:
        first, *rest = zip(self._formula.signs, self._settings, strict=True)
        arguments = [repr(first[1]), *(f"{key}={value!r}" for key, value in rest)]
        return f"{self._formula.name}({', '.join(arguments)})"

    def __eq__(self, other: object) -> bool:
        return repr(self) == repr(other) if isinstance(other, Schedule) else NotImplemented

    def __hash__(self) -> int:
        return hash(repr(self))

    def __reduce__(self) -> Any:
        return _made, (self._formula.name, *self._settings)

    @property
    def scales(self) -> bool:
        """Whether each parameter's rate is divided by √n_in, as `by_fan_in` asks."""
        return self._formula.scales or any(s.scales for s in self._settings if isinstance(s, Schedule))

    def state(self) -> dict[str, np.ndarray[Any, Any]]:
        """The schedule as text, which must be the same when a run is resumed; t belongs to the optimiser."""
        return {"schedule": np.array(repr(self))}

    def load(self, state: Mapping[str, Any]) -> None:
        """Check that a state comes from an equal schedule.

        Raises:
            ValueError: if it does not. TypeError: if it is no mapping.
        """
        if not isinstance(state, Mapping):
            raise TypeError(f"a state must be a mapping of names to arrays, and got {describe(state)}")
        if set(state) != {"schedule"} or as_text(state["schedule"]) != repr(self):
            raise ValueError(f"the state to load is not that of {self}, but has {dict(state)}; nothing was loaded")


Rate = float | Schedule


def as_text(data: Any) -> str:
    """The text in an array of a state, or a description of what is there instead.

    An interrupted ``str`` of an array would leave NumPy's guard against recursion set, and give "..." from then on.

    >>> as_text(np.array("SGD"))
    'SGD'
    """
    array = np.asarray(data)
    return str(array.item()) if array.shape == () else describe(data)


def checked_rate(rate: Any) -> Rate:
    """A learning rate: a schedule, or a positive finite number."""
    return rate if isinstance(rate, Schedule) else number_in(rate, _RATE)


# ---- the table -------------------------------------------------------------------------------------------------------


def _warm(t: Any, then: Any, n: Any) -> Any:
    return then(ad.maximum(t - n, 0)) * ad.minimum((t + 1) / (n + 1), 1)


def _cosine(t: Any, rate: Any, T: Any, floor: Any) -> Any:
    return floor + (rate - floor) * (1 + ad.cos(pi * ad.minimum(t, T) / T)) / 2


#: Every schedule by its name.
SCHEDULES: Final = MappingProxyType(
    {
        row.name: row
        for row in (
            ScheduleFormula("constant", lambda _, rate: rate, {"rate": "α₀"}),
            ScheduleFormula(
                "step", lambda t, rate, n, gamma: rate * gamma ** ad.floor(t / n),
                {"rate": "α₀", "every": "n", "factor": "γ"},
            ),
            ScheduleFormula("exponential", lambda t, rate, k: rate * ad.exp(-k * t), {"rate": "α₀", "k": "k"}),
            ScheduleFormula(
                "inverse", lambda t, rate, tau: rate * tau / ad.maximum(t, tau), {"rate": "α₀", "tau": "τ"}
            ),
            ScheduleFormula("cosine", _cosine, {"rate": "α₀", "steps": "T", "floor": "α_T"}),
            ScheduleFormula("warm_up", _warm, {"then": "α", "steps": "n"}),
            ScheduleFormula("by_fan_in", lambda t, rate: rate(t), {"rate": "α"}, scales=True),
        )
    }
)  # fmt: skip


def _made(name: str, *settings: Any) -> Schedule:
    return Schedule(SCHEDULES[name], *settings)


_RATE: Final = Hyper("rate", "α", 0.1, open_low=True, words="learning rate")
_FACTOR: Final = Hyper("factor", "γ", 0.5, open_low=True)
_K: Final = Hyper("k", "k", 0.01)
_TAU: Final = Hyper("tau", "τ", 100.0, open_low=True)
_FLOOR: Final = Hyper("floor", "α_T", 0.0)


def constant(rate: float) -> Schedule:
    """The rate α₀ at every step.

    >>> constant(0.1)(1000)
    0.1
    """
    return _made("constant", number_in(rate, _RATE))


def step(rate: float, *, every: int, factor: float = 0.5) -> Schedule:
    """α₀·γ^⌊t/n⌋: the rate times ``factor`` after each ``every`` steps.

    >>> [step(0.8, every=2)(t) for t in range(5)]
    [0.8, 0.8, 0.4, 0.4, 0.2]
    """
    return _made("step", number_in(rate, _RATE), whole_number(every, "every", least=1), number_in(factor, _FACTOR))


def exponential(rate: float, *, k: float) -> Schedule:
    """α₀·e^(−kt).

    >>> round(exponential(0.1, k=0.5)(2), 6)
    0.036788
    """
    return _made("exponential", number_in(rate, _RATE), number_in(k, _K))


def inverse(rate: float, *, tau: float) -> Schedule:
    """α₀·τ/max(t, τ): constant for the first τ steps, then falling as 1/t.

    >>> [inverse(0.1, tau=10)(t) for t in (0, 10, 20)]
    [0.1, 0.1, 0.05]
    """
    return _made("inverse", number_in(rate, _RATE), number_in(tau, _TAU))


def cosine(rate: float, *, steps: int, floor: float = 0.0) -> Schedule:
    """α_T + (α₀ − α_T)·(1 + cos(πt/T))/2 from α₀ down to α_T = ``floor``, where it stays from T = ``steps`` on.

    >>> [round(cosine(0.1, steps=4)(t), 6) for t in (0, 2, 4, 5)]
    [0.1, 0.05, 0.0, 0.0]
    """
    top = number_in(rate, _RATE)
    return _made("cosine", top, whole_number(steps, "steps", least=1), number_in(floor, _FLOOR))


def warm_up(then: Rate, *, steps: int) -> Schedule:
    """(t + 1)/(n + 1) of the first rate of ``then`` during n = ``steps`` steps, and then ``then`` from its t = 0.

    >>> [round(warm_up(0.1, steps=3)(t), 6) for t in range(5)]
    [0.025, 0.05, 0.075, 0.1, 0.1]
    """
    return _made("warm_up", _as_schedule(then), whole_number(steps, "steps", least=1))


def by_fan_in(rate: Rate) -> Schedule:
    """The rate of each weight divided by √n_in, where n_in is the number of inputs of its unit.

    n_in is the length of the last axis of an array of weights; biases ``b`` and word vectors ``L`` have n_in = 1.

    >>> by_fan_in(0.1)(0)
    0.1
    """
    return _made("by_fan_in", _as_schedule(rate))


def _as_schedule(rate: Any) -> Schedule:
    return rate if isinstance(rate, Schedule) else constant(rate)
