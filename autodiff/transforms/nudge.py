"""What a gradient means, shown by the nudge itself: the graph is computed again with the parameter moved a little."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from autodiff.engine.graph import Node
from autodiff.transforms.replay import replayed

__all__ = ["Nudge", "nudge"]

_STEP: Final = 0.01  # for parameters of an ordinary size, 0.01 to 10
_SAME: Final = 1e-9  # relative: a recorded graph gives its own value again, up to the rounding of library functions


@dataclass(frozen=True, slots=True)
class Nudge:
    """A step of a parameter, and the output before and after it.

    ``step`` is how much the parameter rises; of an array, how far all of its entries move together against the
    gradient. ``predicted`` is gradient × step, the change of the output if the function were straight.
    """

    step: float
    before: float
    after: float
    predicted: float

    @property
    def change(self) -> float:
        """The change of the output."""
        return self.after - self.before


def nudge(output: Node, parameter: Node, gradient: Any) -> Nudge | None:
    """Move a parameter and compute the output again; None where that cannot be done or says nothing.

    Args:
        output: a node with one number.
        parameter: a node of its graph, which is not changed: a number rises by 0.01 (or 1 % of its power of ten if it
            is below 0.01 or at least 10), an array moves by 0.01 against its gradient.
        gradient: the gradient of the output, of the parameter's shape.

    None is returned if the output is an array or the parameter itself, if there is no gradient, if a number is not
    finite, and if the graph, computed again, does not give the value that it holds.

    >>> from autodiff import Value
    >>> x, w = Value(3.0), Value(2.0)
    >>> found = nudge(w * x, w, 3.0)
    >>> found.step, round(found.change, 9), found.predicted
    (0.01, 0.03, 0.03)
    """
    if gradient is None or output is parameter or np.size(output._data) != 1:
        return None
    function, start = replayed(output, parameter), parameter._data
    if np.ndim(start):
        norm = float(np.linalg.norm(gradient))
        step, moved, predicted = _STEP, start - np.multiply(gradient, _STEP / (norm or 1.0)), -_STEP * norm
    else:
        step = _step(float(start))
        raised = start + step
        moved = np.asarray(raised) if isinstance(start, np.ndarray) else type(start)(raised)
        predicted = float(gradient) * step
    try:
        before, after = (float(np.sum(function(data))) for data in (start, moved))
    except (TypeError, ValueError, ArithmeticError):  # an operation that runs only where it was recorded
        return None
    recorded = float(np.sum(output._data))
    if not all(map(math.isfinite, (before, after, predicted))) or not math.isclose(before, recorded, rel_tol=_SAME):
        return None
    return Nudge(step, before, after, predicted)


def _step(value: float) -> float:
    if value == 0 or not math.isfinite(value) or 0.01 <= abs(value) < 10:
        return _STEP
    return float(_STEP * 10.0 ** math.floor(math.log10(abs(value))))
