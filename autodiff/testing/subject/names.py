"""What the leaves of nested inputs are called: the argument, and the path inside it in words."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

__all__ = ["named"]


def named(f: Callable[..., Any], inputs: tuple[Any, ...]) -> Iterator[tuple[int, str, Any]]:
    """Argument, path in words, and item of every leaf, in the order of `flatten`."""
    try:
        kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        names = [item.name for item in inspect.signature(f).parameters.values() if item.kind in kinds]
    except (TypeError, ValueError):  # built-in functions may have no signature
        names = []
    names += [f"x{k}" for k in range(len(names), len(inputs))]
    for argument, (name, item) in enumerate(zip(names, inputs, strict=False)):
        yield from ((argument, path, leaf) for path, leaf in _inside(name, item))


def _inside(path: str, item: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(item, dict):
        for key, part in item.items():
            yield from _inside(f"{path}[{key!r}]", part)
    elif isinstance(item, list | tuple):
        for k, part in enumerate(item):
            yield from _inside(f"{path}[{k}]", part)
    else:
        yield path, item
