"""Names of the leaves of nested inputs: the argument, and the path inside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from autodiff.words.arguments import argument_names

__all__ = ["named"]


def named(f: Callable[..., Any], inputs: tuple[Any, ...]) -> Iterator[tuple[int, str, Any]]:
    """Argument (0-based), name with path, and item of every leaf, in the order of `flatten`."""
    for argument, (name, item) in enumerate(zip(argument_names(f, len(inputs)), inputs, strict=True)):
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
