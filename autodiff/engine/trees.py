"""Flatten nested lists, tuples and dicts of inputs into one list, and rebuild them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from copy import copy
from typing import Any

__all__ = ["flatten", "flatten_as", "rebuild", "tree_map"]


def flatten(tree: Any) -> list[Any]:
    """The leaves of nested lists, tuples, named tuples and dicts, in their order; anything else is a leaf.

    >>> flatten({"w": [1.0, 2.0], "b": (3.0,)})
    [1.0, 2.0, 3.0]
    """
    if isinstance(tree, dict):
        return [leaf for item in tree.values() for leaf in flatten(item)]
    if isinstance(tree, list | tuple):
        return [leaf for item in tree for leaf in flatten(item)]
    return [tree]


def flatten_as(tree: Any, like: Any, name: str) -> list[Any]:
    """The leaves of ``tree`` in the order of the leaves of ``like``; dicts are matched by key.

    Raises ValueError if the structures differ; the message refers to the tree as ``name``.

    >>> flatten_as({"b": 1.0, "w": [2.0, 3.0]}, {"w": [0.0, 0.0], "b": 0.0}, "the cotangent")
    [2.0, 3.0, 1.0]
    """
    if isinstance(like, dict) or isinstance(tree, dict):
        if not isinstance(tree, dict) or not isinstance(like, dict) or tree.keys() != like.keys():
            raise ValueError(f"{name} must have the structure of {like!r}, with the same keys, got {tree!r}")
        return [leaf for key, item in like.items() for leaf in flatten_as(tree[key], item, name)]
    if isinstance(like, list | tuple):
        if not isinstance(tree, list | tuple) or len(tree) != len(like):
            raise ValueError(f"{name} must have the structure of {like!r}, of length {len(like)}, got {tree!r}")
        return [leaf for item, part in zip(like, tree, strict=True) for leaf in flatten_as(part, item, name)]
    return [tree]


def rebuild(tree: Any, leaves: Sequence[Any]) -> Any:
    """The structure of ``tree`` with its leaves replaced by ``leaves``.

    >>> rebuild({"w": [1.0, 2.0], "b": (3.0,)}, [4.0, 5.0, 6.0])
    {'w': [4.0, 5.0], 'b': (6.0,)}
    """
    return _rebuilt(tree, iter(leaves))


def tree_map(function: Callable[[Any], Any], tree: Any) -> Any:
    """Apply ``function`` to each leaf and keep the structure.

    >>> tree_map(abs, [-1.0, (2.0,)])
    [1.0, (2.0,)]
    """
    return rebuild(tree, [function(leaf) for leaf in flatten(tree)])


def _refilled(tree: Any, items: dict[Any, Any]) -> Any:
    """A dict of the same class as ``tree``, such as an OrderedDict, with these items."""
    twin = copy(tree)
    twin.update(items)
    return twin


def _rebuilt(tree: Any, leaves: Iterator[Any]) -> Any:
    if isinstance(tree, dict):
        items = {key: _rebuilt(item, leaves) for key, item in tree.items()}
        return items if tree.__class__ is dict else _refilled(tree, items)
    if isinstance(tree, list | tuple):
        parts = [_rebuilt(item, leaves) for item in tree]
        return type(tree)(*parts) if hasattr(tree, "_fields") else type(tree)(parts)
    return next(leaves)
