"""Names of the results of a net, as in the notes: z₁⁽²⁾, a₁⁽²⁾, with a suffix for the second window of a pair."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from autodiff.engine.graph import Node
from autodiff.primitives.operands import describe
from autodiff.primitives.origin import Origin
from autodiff.words.notation import Name

__all__ = ["name_results"]


def name_results(result: Any, letter: str, layer: int | None, suffix: str) -> Any:
    """Name the nodes of a result, such as z or a of one layer, and return it; nodes that have a name keep it.

    Plain arrays stay unnamed. ``suffix`` tells two calls of one network apart. Raises TypeError if it is not a string.
    """
    if suffix.__class__ is not str:
        raise TypeError(f"suffix must be a string, such as '′', and got {describe(suffix)}")
    if isinstance(result, Node):
        _name(result, _text(letter, (), layer, suffix))
    elif isinstance(result, np.ndarray) and result.dtype == object:
        titles = _titles(letter, layer, result.shape[-1], suffix)
        for row in result.reshape(-1, result.shape[-1]):
            for node, title in zip(row, titles, strict=True):
                _name(node, title)
    return result


def _name(node: Any, title: str) -> None:
    if isinstance(node, Node) and node.origin.name is None:
        node.origin = _titled(node.origin, title)


@lru_cache(maxsize=4096)
def _titled(origin: Origin, title: str) -> Origin:
    """One origin shared by all nodes of a kind and name, so that a name takes no memory in a node."""
    return Origin(origin.primitive, origin.params, title)


@lru_cache(maxsize=1024)
def _titles(letter: str, layer: int | None, count: int, suffix: str) -> tuple[str, ...]:
    return tuple(_text(letter, (index + 1,), layer, suffix) for index in range(count))


@lru_cache(maxsize=4096)
def _text(letter: str, indices: tuple[int, ...], layer: int | None, suffix: str) -> str:
    return str(Name(letter, indices, layer)) + suffix
