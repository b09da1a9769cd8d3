"""Constants as Python source that gives them back: numbers, inf and nan too, arrays with their type, nested params."""

from __future__ import annotations

from types import EllipsisType
from typing import Any

import numpy as np

__all__ = ["literal"]


def literal(item: Any) -> str:
    """A number, an array, or a param as Python source.

    >>> literal((1.5, float("inf"), np.array([0.5, np.nan]), np.float64(2.0)))
    "(1.5, float('inf'), np.array([0.5, float('nan')]), 2.0)"
    """
    if isinstance(item, np.ndarray):
        kind = ", np.float32" if item.dtype == np.float32 else ""
        return f"np.array({literal(item.tolist())}{kind})"
    if isinstance(item, np.generic):
        return literal(item.item())
    if isinstance(item, tuple):
        return f"({', '.join(map(literal, item))}{',' * (len(item) == 1)})"
    if isinstance(item, list):
        return f"[{', '.join(map(literal, item))}]"
    if isinstance(item, EllipsisType):
        return "..."
    return f"float({str(item)!r})" if isinstance(item, float) and not np.isfinite(item) else repr(item)
