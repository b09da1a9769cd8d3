"""The structure of a call, by which its program is found, and the numbers that enter the program."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np

from autodiff.engine.graph import Node

__all__ = ["Call", "objects_in"]


class Call:
    """The arguments of one call.

    Attributes:
        key: equal for calls of the same structure: lengths, shapes, types, leaves, and whatever is no number.
        inputs: the floats and arrays, and the data of nodes that were computed, in order.
        integers: the ints, also those of arrays, in order.
        linked: the nodes that were computed, by the numbers of their inputs.
        args, kwargs: the arguments themselves.
    """

    __slots__ = ("args", "inputs", "integers", "key", "kwargs", "linked")

    def __init__(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        self.args, self.kwargs = args, kwargs
        self.inputs: list[Any] = []
        self.integers: list[Any] = []
        self.linked: dict[int, Node] = {}
        key: list[Any] = []
        for item in args:
            self._take(item, key)
        if kwargs:
            self._take(kwargs, key)
        self.key = tuple(key)

    def _take(self, item: Any, key: list[Any]) -> None:
        kind = type(item)
        if kind is float:
            self.inputs.append(item)
            key.append(float)
        elif kind is list or kind is tuple:
            self._take_row(item, kind, key)
        elif kind is np.ndarray:
            self._take_array(item, key)
        elif kind is int:
            self.integers.append(item)
            key.append(int)
        else:
            self._take_other(item, kind, key)

    def _take_row(self, row: Any, kind: type, key: list[Any]) -> None:
        key.append((kind, len(row)))
        kinds = set(map(type, row))
        if len(kinds) == 1 and float in kinds:
            self.inputs += row
            key.append(float)
        elif len(kinds) == 1 and int in kinds:
            self.integers += row
            key.append(int)
        elif len(kinds) == 1 and list in kinds and self._take_table(row, key):
            pass
        else:
            for part in row:
                self._take(part, key)

    def _take_table(self, rows: Any, key: list[Any]) -> bool:
        """Take rows of floats, or of ints, of one length, at a tenth of the time of row after row."""
        lengths = set(map(len, rows))
        if len(lengths) != 1:
            return False
        flat = list(chain.from_iterable(rows))
        kinds = set(map(type, flat))
        if kinds == {float}:
            self.inputs += flat
        elif kinds == {int}:
            self.integers += flat
        else:
            return False
        key += (lengths.pop(), *kinds)
        return True

    def _take_array(self, array: np.ndarray[Any, Any], key: list[Any]) -> None:
        letter = array.dtype.kind
        if letter == "f":
            self.inputs.append(np.array(array))  # the caller may write into it before the backward pass
        elif letter in "iu":
            self.integers += array.ravel().tolist()
        key.append((array.shape, array.dtype.str if letter == "f" else letter))
        if letter == "O":
            for part in array.flat:
                self._take(part, key)
        elif letter not in "fiu":
            key.append(array.tobytes())

    def _take_other(self, item: Any, kind: type, key: list[Any]) -> None:
        if isinstance(item, Node):
            self._take_node(item, key)
        elif isinstance(item, dict):
            key.append((kind, tuple(item)))
            for part in item.values():
                self._take(part, key)
        elif isinstance(item, list | tuple):
            self._take_row(item, kind, key)
        elif isinstance(item, np.floating):
            self.inputs.append(float(item))
            key.append(float)
        elif isinstance(item, np.integer):
            self.integers.append(int(item))
            key.append(int)
        else:
            key.append(_Constant(item))

    def _take_node(self, node: Any, key: list[Any]) -> None:
        """A leaf is known by identity, a computed node by its shape and by where it was met first."""
        if node.a is None and not node.is_detached:
            key.append(_Constant(node))
            return
        first = next((k for k, other in self.linked.items() if other is node), None)
        if first is None:
            first = len(self.inputs)
            self.linked[first] = node
            self.inputs.append(node._data)
        key.append((type(node), node.shape, first))


class _Constant:
    """An argument that is no number: known by equality if it is hashed by its value, else by identity."""

    __slots__ = ("code", "item")

    def __init__(self, item: Any) -> None:
        self.item = item
        try:
            self.code = hash(item)
        except TypeError:
            self.code = id(item)

    def __hash__(self) -> int:
        return self.code

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _Constant) or type(self.item) is not type(other.item):
            return False
        if self.item is other.item:
            return True
        return (type(self.item) in _BY_VALUE or isinstance(self.item, int)) and bool(self.item == other.item)


_BY_VALUE = frozenset({bool, str, bytes, type(None), complex, frozenset, np.bool})


def objects_in(keys: Iterable[Any]) -> list[Any]:
    """The arguments in the keys of calls that are known by identity, and may hold something else in a later call."""
    return [part.item for key in keys for part in key if type(part) is _Constant and not isinstance(part.item, Node)]
