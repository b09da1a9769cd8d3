"""A `Lag` as arrays of a state, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from nn.lagging.lag import Lag
from nn.lagging.missed import MOST, closed_form
from nn.parameters.saved import check_keys, saved_count, saved_numbers

__all__ = ["LAG", "loaded_lag", "saved_lag"]

_Array = np.ndarray[Any, Any]

#: Between the name of a table and those of the arrays of its lag.
LAG: Final = "/lag/"


def saved_lag(lag: Lag, signs: Sequence[str]) -> dict[str, _Array]:
    """Copies of what a lag needs to go on; ``signs`` name its slots."""
    own = lag.copied()
    missed = own.missed
    return {
        "table": own.table, **dict(zip(signs, own.slots, strict=True)), "last": own.last,
        "count": np.array(missed.count), "rates": missed.rates.copy(),
        "settings": np.array([missed.decay, *missed.hyper.values()]),
    }  # fmt: skip


def loaded_lag(
    name: str, state: Mapping[str, Any], formula: Any, shape: tuple[int, ...], kind: Any, t: float = 0.0
) -> Lag:
    """The lag in a state, checked: of a table of that shape and type that has made ``t`` steps.

    Raises:
        ValueError, TypeError: if an array is missing, unknown, of another shape, or not as a lag has it.
    """
    signs = [slot.sign for slot in formula.slots if not slot.counts]
    check_keys("this optimiser", [f"{name}{LAG}{key}" for key in state],
               [f"{name}{LAG}{key}" for key in ("table", *signs, "last", "count", "rates", "settings")])  # fmt: skip
    table, *slots = (np.array(saved_numbers(state[key], f"{name}{LAG}{key}", shape), kind) for key in ("table", *signs))
    count = saved_count(state["count"], f"{name}{LAG}count")
    last = saved_numbers(state["last"], f"{name}{LAG}last", shape[:1])
    rates = saved_numbers(state["rates"], f"{name}{LAG}rates", (min(count, MOST),))
    given = saved_numbers(state["settings"], f"{name}{LAG}settings", (1 + len(formula.hyper),)).tolist()
    hyper = dict(zip((each.keyword for each in formula.hyper), given[1:], strict=True))
    missed = closed_form(formula, hyper, given[0])
    fits = (last == np.floor(last)) & (last >= max(0, count - MOST)) & (last <= count)
    if missed is None or not fits.all():
        raise ValueError(f"the state's {name}{LAG}last and {name}{LAG}settings do not fit; nothing was loaded")
    missed.count = count - len(rates)
    for k, rate in enumerate(rates.tolist()):
        missed = missed.after(rate, t - len(rates) + k)
    return Lag(missed, table, tuple(slots), last.astype(np.intp))
