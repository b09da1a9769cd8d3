"""Constants and primitives as Python source: inf and nan, arrays with their type, public and private names."""

from __future__ import annotations

from types import EllipsisType
from typing import Any
from urllib.parse import quote

import numpy as np

import autodiff.primitives.table
from autodiff.primitives.primitive import Primitive

__all__ = ["as_word", "listed", "literal", "spelled"]


def spelled(entry: Primitive) -> str:
    """A primitive as Python source: by its name if `autodiff` exports it, else as an entry of the table.

    >>> from autodiff.primitives.primitive import TABLE
    >>> spelled(TABLE["exp"])
    'ad.exp'
    """
    rooms = (getattr(autodiff.primitives.table, name) for name in autodiff.primitives.table.__all__)
    public = any(entry.name in room.__all__ and getattr(room, entry.name) is entry for room in rooms)
    return f"ad.{entry.name}" if public else f"ad.TABLE[{entry.name!r}]"


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


def as_word(name: str) -> str:
    """The name of an operation in a line: spaces and semicolons, which separate its parts, become %20 and %3B."""
    return "".join(quote(letter, safe="") if letter.isspace() or letter in ";%" else letter for letter in name)


def listed(x: Any) -> str:
    """An input as Python writes it."""
    return repr(x.tolist()) if isinstance(x, np.ndarray) else repr(x)
