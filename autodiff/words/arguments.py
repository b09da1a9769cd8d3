"""Names that a function gives to values: those of its arguments, and of the variables that it closes over."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import FunctionType
from typing import Any

__all__ = ["argument_names", "closed_over"]


def argument_names(f: Callable[..., Any], count: int) -> list[str]:
    """The names of the first ``count`` arguments of f; x0, x1, … where f gives none.

    >>> argument_names(lambda w, x: w * x, 3)
    ['w', 'x', 'x2']
    """
    forward = getattr(f, "forward", None)  # of a torch module, whose __call__ passes on any arguments
    names = _by_position(f) or _by_position(forward if inspect.ismethod(forward) else None)
    return [*names, *(f"x{k}" for k in range(len(names), count))][:count]


def closed_over(f: FunctionType) -> dict[str, Any]:
    """The variables of enclosing functions that f uses, with their values; without those that are not assigned yet.

    >>> def outer(rate):
    ...     return lambda x: rate * x
    >>> closed_over(outer(0.5))
    {'rate': 0.5}
    """
    found: dict[str, Any] = {}
    for name, cell in zip(f.__code__.co_freevars, f.__closure__ or (), strict=True):
        try:
            found[name] = cell.cell_contents
        except ValueError:
            continue
    return found


def _by_position(f: Any) -> list[str]:
    """The names of the positional arguments of f; none for built-in functions without a signature."""
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    try:
        return [item.name for item in inspect.signature(f).parameters.values() if item.kind in kinds]
    except (TypeError, ValueError):
        return []
