"""Functions that work on each element alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from autodiff.ops import choices, elementwise

__all__ = ["ELEMENTS"]


def _clip(x: Any, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None) -> Any:
    return elementwise.clip(x, min if a_min is None else a_min, max if a_max is None else a_max)


#: What each function means where an argument is a node, by its name in NumPy.
ELEMENTS: Final[dict[str, Callable[..., Any]]] = {
    "clip": _clip, "float_power": elementwise.raise_to, "power": elementwise.raise_to, "where": choices.where,
}  # fmt: skip
