"""The slots of an optimiser as arrays under ``W(1)/m``, ``W(1)/v``, …, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autodiff.words.notation import Name, parse
from nn.descent.formulas import Slot, State
from nn.descent.sources import Source
from nn.parameters.saved import check_keys, saved_numbers

__all__ = ["loaded", "saved"]


def saved(
    source: Source, memory: Mapping[Any, State], waiting: Mapping[str, State], slots: Sequence[Slot]
) -> dict[str, np.ndarray[Any, Any]]:
    """Copies of all slots; those of a parameter that has made no step are 0."""
    found = dict(waiting)
    for name, node in source.named().items():
        found[name] = memory.get(node) or tuple(np.zeros(_shape(slot, node), _type(node)) for slot in slots)
    return {
        f"{name}/{slot.sign}": np.array(each)
        for name, theirs in found.items()
        for slot, each in zip(slots, theirs, strict=True)
    }


def loaded(
    source: Source, state: Mapping[str, Any], slots: Sequence[Slot]
) -> tuple[dict[Any, State], dict[str, State]]:
    """The slots in a state: of all parameters, and of entries of blocks that are not parameters yet.

    A word that a scorer of Values has not met is such an entry: its Values are parameters from the first window on.

    Raises:
        ValueError, TypeError: if a slot is missing, unknown, of another shape, or not made of finite numbers.
    """
    nodes = source.named()
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
    return memory if slots else {}, waiting


def _is_entry(name: str, blocks: Mapping[Name, tuple[int, ...]]) -> bool:
    try:
        parsed = parse(name)
    except ValueError:
        return False
    shape = blocks.get(Name(parsed.letter, (), parsed.layer), ())
    return len(parsed.indices) == len(shape) > 0 and all(i <= n for i, n in zip(parsed.indices, shape, strict=True))


def _shape(slot: Slot, node: Any) -> tuple[int, ...]:
    return () if slot.counts or node is None else np.shape(node._data)


def _type(node: Any) -> Any:
    return np.float64 if node is None else getattr(node._data, "dtype", np.float64)


def _slot(data: Any, key: str, slot: Slot, node: Any) -> Any:
    """A slot from a state, checked: a float, or an array of its own of the type of the parameter."""
    array = saved_numbers(data, key, _shape(slot, node))
    if slot.counts and (array < 0 or array != np.floor(array)):
        raise ValueError(f"the state's {key} must be a number of steps, and is {array}; nothing was loaded")
    single = slot.counts or node is None or node._data.__class__ is float
    return float(array) if single else np.array(array, _type(node))
