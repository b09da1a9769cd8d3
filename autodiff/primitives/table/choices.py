"""Choices for users: on nodes they record a node, whichever branch is taken."""

from __future__ import annotations

from typing import Any

import numpy as np

from autodiff.primitives.namespace import is_plain_number
from autodiff.primitives.registry import TABLE
from autodiff.primitives.table import elementwise

__all__ = ["where"]


def where(condition: Any, x: Any, y: Any) -> Any:
    """Return ``x`` where ``condition`` holds, else ``y``, in the units of ``x`` and ``y``.

    Args:
        condition: a bool or a bool array, such as the comparison of a node gives. It is not differentiated.
        x: the values where the condition is true; broadcast with the other arguments.
        y: the values where the condition is false.

    Returns:
        a node if x or y is one, even if a single bool selects the other; for two plain numbers the selected one, or an
        array if the condition is an array.

    The branch not taken is an input of the node behind a closed gate: its error signal is 0, whatever local gradients
    lie beyond it, so that ``where(x > 0, sqrt(x), 0)`` has derivative 0 at 0.

    Raises:
        TypeError: if the condition is not a bool or a bool array.

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
