"""A step of an array, computed block by block, so that what a formula computes on the way stays in the cache."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy import ndarray

from nn.descent.formulas import State

__all__ = ["in_blocks"]

#: Numbers in a block. With it, a step of 100,000 numbers takes 0.2 of the time of one piece for SGD, 0.6 for AdaGrad
#: and 0.95 for Adam; blocks of half that size gain less, and arrays of 10,000 numbers lose.
_BLOCK: Final = 8192
_LARGE: Final = 4 * _BLOCK


def in_blocks(data: Any, gradient: Any, slots: State, update: Callable[[Any, State], Any]) -> tuple[Any, State]:
    """The array after a step, of the same kind as before, and its new slots: the same bits as without blocks.

    Args:
        data: the parameter's array.
        gradient: its gradient, of the same shape.
        slots: what the formula remembers of it: arrays of that shape, 0.0 for zeros, or a number of steps.
        update: the formula, ``update(gradient, slots) → (step, slots)``, which acts on each element alone.

    >>> in_blocks(np.zeros(2), np.ones(2), (), lambda g, slots: (-0.5 * g, slots))
    (array([-0.5, -0.5]), ())
    """
    if data.size <= _LARGE or gradient.dtype is not data.dtype:
        step, after = update(gradient, slots)
        new = data + step
        return new if new.__class__ is ndarray and new.dtype is data.dtype else np.asarray(new, data.dtype), after
    flat, flat_gradient = data.ravel(), gradient.ravel()
    flat_slots = [slot.ravel() if slot.__class__ is ndarray else slot for slot in slots]
    fresh = np.empty_like(flat)
    kept: list[Any] = [None] * len(slots)
    for start in range(0, flat.size, _BLOCK):
        part = slice(start, start + _BLOCK)
        some = tuple(slot[part] if slot.__class__ is ndarray else slot for slot in flat_slots)
        step, after = update(flat_gradient[part], some)
        np.add(flat[part], step, out=fresh[part])
        for k, slot in enumerate(after):
            if slot.__class__ is not ndarray:
                kept[k] = slot
                continue
            if kept[k] is None:
                kept[k] = np.empty(flat.shape, slot.dtype)
            kept[k][part] = slot
    shaped = (slot.reshape(data.shape) if slot.__class__ is ndarray else slot for slot in kept)
    return fresh.reshape(data.shape), tuple(shaped)
