"""What an optimiser moves: the parameters of a dict, a list or an object with ``parameters()``, and their names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from autodiff.engine.graph import Node
from autodiff.primitives.operands import describe
from autodiff.words.notation import Name

__all__ = ["Source", "parameters_of"]


class Source:
    """Parameters, checked; those of an object are asked for anew at every call.

    >>> from autodiff import Value
    >>> Source({"x": Value(1.0)}).named()
    {'x': Value(data=1, grad=–)}
    """

    __slots__ = ("given", "names")

    def __init__(self, parameters: Any) -> None:
        #: The object or the list itself, so that copies and pickles refer to their own.
        self.given: Any = parameters
        self.names: list[str] = []
        if not _has_parameters(parameters):
            found = parameters if isinstance(parameters, Mapping) else _listed(parameters)
            self.given = _checked(found)
            self.names = list(_named(found))
        self.nodes()

    def nodes(self) -> list[Any]:
        """The current parameters, each once."""
        given = self.given
        return given if given.__class__ is list else _checked(given.parameters())

    def named(self) -> dict[str, Any]:
        """The current parameters by their ASCII names, or by their places, from 0, if they come as a list."""
        if self.given.__class__ is list:
            return dict(zip(self.names, self.given, strict=True))
        found = self.given.parameters()
        return _named(found if isinstance(found, Mapping) else _checked(found))

    def blocks(self) -> dict[Name, tuple[int, ...]]:
        """The shapes of the arrays of which parameters are entries, where an object tells them by ``blocks()``."""
        blocks = getattr(self.given, "blocks", None)
        found = blocks() if callable(blocks) else None
        return (
            {name: getattr(block, "shape", ()) for name, block in found.items()} if isinstance(found, Mapping) else {}
        )


def parameters_of(parameters: Any) -> list[Any]:
    """The parameters of a dict, an iterable or an object with ``parameters()``, checked, each once.

    Raises:
        TypeError: if there are none to list, or one of them is not a Value or Tensor.
        ValueError: if one was computed.

    >>> from autodiff import Value
    >>> parameters_of([Value(1.0)])
    [Value(data=1, grad=–)]
    """
    return _checked(parameters.parameters() if _has_parameters(parameters) else parameters)


def _has_parameters(source: Any) -> bool:
    return callable(getattr(source, "parameters", None)) and not isinstance(source, type)


def _listed(parameters: Any) -> list[Any]:
    if isinstance(parameters, Node) or not isinstance(parameters, Iterable) or getattr(parameters, "ndim", 1) == 0:
        raise TypeError(
            "an optimiser takes a dict or list of Values and Tensors, or an object with parameters(), "
            f"and got {describe(parameters)}"
        )
    return list(parameters.values() if isinstance(parameters, Mapping) else parameters)


def _checked(parameters: Mapping[Any, Any] | Iterable[Any]) -> list[Any]:
    items = _listed(parameters)
    for item in items:
        if not isinstance(item, Node):
            raise TypeError(f"an optimiser moves Values and Tensors, and got {describe(item)}")
        if not item.is_leaf:
            raise ValueError(f"an optimiser moves leaves, and got {item.label}, which was computed from its inputs")
    return list(dict.fromkeys(items))  # a parameter listed twice moves once


def _named(parameters: Mapping[Any, Any] | list[Any]) -> dict[str, Any]:
    """Each parameter under its first name."""
    keys = parameters if isinstance(parameters, Mapping) else range(len(parameters))
    nodes = parameters.values() if isinstance(parameters, Mapping) else parameters
    first: dict[Any, str] = {}
    for key, node in zip(keys, nodes, strict=True):
        first.setdefault(node, key.ascii() if isinstance(key, Name) else str(key))
    named = {name: node for node, name in first.items()}
    if len(named) < len(first):
        names = list(first.values())
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"two parameters have the name {twice}; give each a name of its own")
    return named
