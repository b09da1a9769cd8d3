"""The slots of an optimiser as arrays under ``W(1)/m``, ``W(1)/v``, …, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autodiff.engine.graph import own_copy
from autodiff.words.notation import Name, parse
from nn.descent.formulas import Formula, Slot, State
from nn.descent.sources import Source
from nn.lagging.lag import Behind
from nn.lagging.saved import LAG, loaded_lag, saved_lag
from nn.parameters.saved import check_keys, saved_numbers

__all__ = ["loaded", "own_slots", "saved"]


def own_slots(slots: State) -> State:
    """Copies of slots."""
    return slots.copied() if isinstance(slots, Behind) else tuple(map(own_copy, slots))


def saved(
    source: Source, memory: Mapping[Any, State], waiting: Mapping[str, State], slots: Sequence[Slot]
) -> dict[str, np.ndarray[Any, Any]]:
    """Copies of all slots; those of a parameter that has made no step are 0.

    Of a table whose rows lag, they have caught up; the lag itself follows, from which the run goes on.
    """
    found, lags = dict(waiting), dict[str, Any]()
    for name, node in source.named().items():
        theirs = memory.get(node) or tuple(np.zeros(_shape(slot, node), _type(node)) for slot in slots)
        if isinstance(theirs, Behind):
            signs = [slot.sign for slot in slots if not slot.counts]
            lags |= {f"{name}{LAG}{key}": array for key, array in saved_lag(theirs.lag, signs).items()}
            theirs = theirs.now()
        found[name] = theirs
    return {
        f"{name}/{slot.sign}": np.array(each)
        for name, theirs in found.items()
        for slot, each in zip(slots, theirs, strict=True)
    } | lags


def loaded(
    source: Source, state: Mapping[str, Any], formula: Formula | None
) -> tuple[dict[Any, State], dict[str, State]]:
    """The slots in a state: of all parameters, and of entries of blocks that are not parameters yet.

    A word that a scorer of Values has not met is such an entry: its Values are parameters from the first window on.

    Raises:
        ValueError, TypeError: if a slot is missing, unknown, of another shape, or not made of finite numbers.
    """
    nodes, slots = source.named(), formula.slots if formula else ()
    lags, state = _lags_apart(state)
    names = dict.fromkeys(key.rpartition("/")[0] for key in state if isinstance(key, str) and "/" in key)
    strange = [name for name in names if name not in nodes]
    blocks = source.blocks() if strange else {}
    for name in strange:
        if not _is_entry(name, blocks):
            known = ", ".join(nodes) or "none"
            raise ValueError(
                f"the state to load has slots of {name}; the parameters here are {known}; nothing was loaded"
            )
    expected = [f"{name}/{slot.sign}" for name in (*nodes, *strange) for slot in slots]
    check_keys("this optimiser", state, expected)
    memory = {
        node: tuple(_slot(state[f"{name}/{slot.sign}"], f"{name}/{slot.sign}", slot, node) for slot in slots)
        for name, node in nodes.items()
    }
    waiting = {
        name: tuple(_slot(state[f"{name}/{slot.sign}"], f"{name}/{slot.sign}", slot, None) for slot in slots)
        for name in strange
    }
    for name, theirs in lags.items():
        node = nodes.get(name)
        if node is None or formula is None:
            raise ValueError(f"the state to load has a lag of {name}, which is no table here; nothing was loaded")
        counts = memory[node][: formula.counts]
        lag = loaded_lag(name, theirs, formula, _shape_of(node), _type(node), *counts)
        memory[node] = Behind((*counts, lag))
    return memory if slots or lags else {}, waiting


def _lags_apart(state: Mapping[str, Any]) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    """The lags in a state by the name of their table, and the rest of the state."""
    lags: dict[str, dict[str, Any]] = {}
    rest = {}
    for key, data in state.items():
        name, found, part = key.partition(LAG) if isinstance(key, str) else (key, "", "")
        if found:
            lags.setdefault(name, {})[part] = data
        else:
            rest[key] = data
    return lags, rest


def _is_entry(name: str, blocks: Mapping[Name, tuple[int, ...]]) -> bool:
    try:
        parsed = parse(name)
    except ValueError:
        return False
    shape = blocks.get(Name(parsed.letter, (), parsed.layer), ())
    return len(parsed.indices) == len(shape) > 0 and all(i <= n for i, n in zip(parsed.indices, shape, strict=True))


def _shape(slot: Slot, node: Any) -> tuple[int, ...]:
    return () if slot.counts or node is None else _shape_of(node)


def _shape_of(node: Any) -> tuple[int, ...]:
    return () if node.scalar else node.shape


def _type(node: Any) -> Any:
    return np.float64 if node is None or node.scalar else node.dtype


def _slot(data: Any, key: str, slot: Slot, node: Any) -> Any:
    """A slot from a state, checked: a float, or an array of its own of the type of the parameter."""
    array = saved_numbers(data, key, _shape(slot, node))
    if slot.counts and (array < 0 or array != np.floor(array)):
        raise ValueError(f"the state's {key} must be a number of steps, and is {array}; nothing was loaded")
    single = slot.counts or node is None or node.scalar
    return float(array) if single else np.array(array, _type(node))
