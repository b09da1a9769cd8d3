"""Whether an operation has a kink at its operands, for programs that keep away from kinks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from autodiff.testing.random_programs.operations import Operand, Operation

__all__ = ["is_smooth"]

_NEAR: Final = 1e-6  # values closer than this to a kink may fall on either side of it in another engine
_BEND: Final = 0.05  # a slope that changes by more than this within _NEAR has a kink there
_STEEPEST: Final = 1e4
_WIDE: Final = 2.0**-13
_TURN: Final = 1e-3  # far above the 1e-5 of rounding


def is_smooth(operation: Operation, data: Sequence[Operand]) -> bool:
    """Whether slope and curvature of an operation hardly change when each operand moves by a step of its own."""
    sides = [1.0 + k / 8 + _counted(x) / 4 for k, x in enumerate(data)]

    def at(t: float) -> np.ndarray[Any, Any]:
        return np.asarray(operation.call(*(x + t * side for x, side in zip(data, sides, strict=True))))

    try:
        above, middle, below = at(_NEAR), at(0.0), at(-_NEAR)
        bend = np.max(np.abs(above - 2 * middle + below), initial=0.0) / _NEAR
        slope = np.max(np.abs(above - below), initial=0.0) / _NEAR
        return bool(bend < _BEND and slope < _STEEPEST) and not _turns(at)
    except (ValueError, TypeError, IndexError):
        return False


def _turns(at: Callable[[float], np.ndarray[Any, Any]]) -> bool:
    """Whether the curvatures on both sides differ: their difference does not shrink with the step."""
    wide, close = (
        np.max(np.abs(at(2 * h) - 2 * at(h) + 2 * at(-h) - at(-2 * h)), initial=0.0) / h**2 for h in (_WIDE, _WIDE / 4)
    )
    return bool(close > _TURN and close > wide / 2)


def _counted(x: Operand) -> Operand:
    """0 for a number; 0, 1, 2, … in the shape of an array."""
    return np.arange(x.size).reshape(x.shape) if isinstance(x, np.ndarray) else 0.0
