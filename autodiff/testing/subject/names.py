"""Names of the leaves of nested inputs: the argument, and the path inside it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

__all__ = ["argument_names", "named"]


def named(f: Callable[..., Any], inputs: tuple[Any, ...]) -> Iterator[tuple[int, str, Any]]:
    """Argument (0-based), name with path, and item of every leaf, in the order of `flatten`."""
    for argument, (name, item) in enumerate(zip(argument_names(f, len(inputs)), inputs, strict=True)):
        yield from ((argument, path, leaf) for path, leaf in _inside(name, item))


def argument_names(f: Callable[..., Any], count: int) -> list[str]:
    """The names of the first ``count`` arguments of f; x0, x1, … where f gives none."""
    forward = getattr(f, "forward", None)  # of a torch module, whose __call__ passes on any arguments
    names = _by_position(f) or _by_position(forward if inspect.ismethod(forward) else None)
    return [*names, *(f"x{k}" for k in range(len(names), count))][:count]


def _by_position(f: Any) -> list[str]:
    """The names of the positional arguments of f; none for built-in functions without a signature."""
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    try:
        return [item.name for item in inspect.signature(f).parameters.values() if item.kind in kinds]
    except (TypeError, ValueError):
        return []


def _inside(path: str, item: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(item, dict):
        for key, part in item.items():
            yield from _inside(f"{path}[{key!r}]", part)
    elif isinstance(item, list | tuple):
        for k, part in enumerate(item):
            yield from _inside(f"{path}[{k}]", part)
    else:
        yield path, item
