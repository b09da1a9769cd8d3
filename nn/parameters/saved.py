"""What every part of a run checks in a saved state before it loads one, and the change that loads it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from itertools import repeat
from typing import Any

import numpy as np

from autodiff.engine.graph import Change
from autodiff.primitives.operands import as_operand, describe, whole_number

__all__ = ["assigning", "check_keys", "check_mapping", "saved_count", "saved_numbers"]


def check_mapping(state: Any) -> None:
    """Raise TypeError unless a state is a mapping.

    >>> check_mapping({"t": 7})
    """
    if not isinstance(state, Mapping):
        raise TypeError(
            f"a state must be a mapping of names to arrays, such as numpy.load gives, and got {describe(state)}"
        )


def check_keys(owner: str, keys: Collection[Any], expected: Iterable[str], later: Collection[str] = ()) -> None:
    """Raise ValueError unless the keys of a state are the expected ones.

    Args:
        owner: what the message calls the part.
        keys: the keys of the state.
        expected: those that it must have.
        later: those that it may lack, since files of older versions do.

    >>> check_keys("this History", ["J"], ["J"], ["rate"])
    """
    wanted = dict.fromkeys(expected)
    for key in wanted:
        if key not in keys:
            raise ValueError(f"the state to load has no {key}; nothing was loaded")
    for key in keys:
        if key not in wanted and key not in later:
            raise ValueError(f"the state to load has {key!r}, which {owner} does not keep; nothing was loaded")


def saved_numbers(data: Any, key: str, shape: tuple[int, ...] | None = None) -> np.ndarray[Any, Any]:
    """The array under a key of a state, if it consists of finite plain numbers and has that shape; None is any shape.

    Raises:
        TypeError: if it does not consist of plain numbers.
        ValueError: if the shape is another, or a number is not finite.

    >>> saved_numbers([0.5, 1], "b(1)", (2,))
    array([0.5, 1. ])
    """
    array = as_operand(f"the state's {key}", data)
    if array.dtype == object:
        raise TypeError(f"a state must consist of plain numbers, and its {key} is {describe(data)}; nothing was loaded")
    if shape is not None and array.shape != shape:
        raise ValueError(f"{key} has shape {shape}, and in the state {array.shape}; nothing was loaded")
    if not np.all(np.isfinite(array)):
        raise ValueError(f"the state's {key} holds a number that is not finite; nothing was loaded")
    return array


def saved_count(data: Any, key: str) -> int:
    """The whole number of at least 0 under a key of a state.

    Raises:
        ValueError: if it is anything else.

    >>> saved_count(np.array(7), "t")
    7
    """
    array = np.asarray(data)
    if array.shape or array.dtype.kind not in "iu" or array < 0:
        raise ValueError(
            f"the state's {key} must be a whole number of at least 0, and is {describe(data)}; nothing was loaded"
        )
    return whole_number(array[()], f"the state's {key}")


def assigning(part: Any, **attributes: Any) -> Change:
    """The change that assigns attributes of an object whose class stores them as they are, without code of its own.

    >>> from autodiff.engine.graph import commit
    >>> from types import SimpleNamespace
    >>> part = SimpleNamespace(t=0)
    >>> commit(assigning(part, t=7))
    >>> part.t
    7
    """
    return object.__setattr__, repeat(part), tuple(attributes), tuple(attributes.values())
