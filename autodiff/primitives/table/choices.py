"""Choices as users write them: on nodes they leave a node, whichever branch is taken."""

from __future__ import annotations

from typing import Any

import numpy as np

from autodiff.primitives.namespace import is_plain_number
from autodiff.primitives.registry import TABLE
from autodiff.primitives.table import elementwise

__all__ = ["where"]


def where(condition: Any, x: Any, y: Any) -> Any:
    """``x`` where ``condition`` holds, else ``y``.

    Args:
        condition: a bool, or a bool array; the comparison of a node gives one. It is not differentiated.
        x: the values taken where it is true; broadcast with the others.
        y: the values taken where it is false.

    Returns:
        a node if x or y is one, also where one bool chooses the other; of two plain numbers the one chosen, or an array
        where the condition is one.

    The branch not taken is an input of the node behind a closed gate: its error signal is 0, whatever the local
    gradients beyond, so that ``where(x > 0, sqrt(x), 0)`` has derivative 0 at 0.

    Raises TypeError for a condition that is no bool.

    >>> from autodiff import Tensor, Value
    >>> x = Tensor([4.0, 0.0])
    >>> where(x > 0, x ** 0.5, 0.0).sum().backward()
    >>> x.grad
    array([0.25, 0.  ])
    >>> m = Value(-3.0)
    >>> where(m > 0, m, 0.0).backward()
    >>> m.grad
    0.0
    """
    numbers = x.__class__ is float is y.__class__ or (is_plain_number(x) and is_plain_number(y))
    if not numbers and _is_one_bool(condition):
        return TABLE["where"](x, y, condition=bool(condition))
    return elementwise.where(condition, x, y)


def _is_one_bool(condition: Any) -> bool:
    if isinstance(condition, np.ndarray):
        return condition.dtype == bool and not condition.ndim
    return isinstance(condition, bool | np.bool)
