"""Names of variables as labels for unnamed nodes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MemberDescriptorType, ModuleType
from typing import Any, Final

import numpy as np

from autodiff.engine.graph import Node

__all__ = ["names_in"]

#: Packages whose objects hold no variables of users: a flow or a drawing of an earlier call would name every node.
_CLOSED: Final = frozenset({"autodiff", "builtins", "numpy"})
_PLAIN: Final = frozenset({bool, float, int, str, type(None)})
_MOST_COLLECTIONS: Final = 100_000  # collections and objects that are searched


def names_in(variables: Mapping[str, Any]) -> dict[Node, str]:
    """Map every unnamed node among variables, such as ``locals()`` or ``dict(w=w, h=h)``, to its variable's name.

    The nodes themselves do not change. A node in a list, tuple, dict or array gets the variable's name with its index
    or key, one in an attribute of an object its path: w[0], h['first'], layers[0].w[2]. Properties are not computed,
    and modules, classes and this package's own objects not searched.

    A node that has a name keeps it. If two variables hold the same node, the first counts; a variable counts before
    any collection. Names that begin with an underscore are ignored.

    Raises:
        TypeError: if ``variables`` is not a mapping with strings as keys.

    >>> from autodiff import Value
    >>> rate, w = Value(0.5), [Value(1.0), Value(2.0, name="w₂")]
    >>> list(names_in({"rate": rate, "w": w}).values())
    ['rate', 'w[0]']
    """
    if not isinstance(variables, Mapping):
        raise TypeError(
            f"expected names as a mapping from strings to nodes, such as locals(), but got {type(variables).__name__}"
        )
    for name in variables:
        if not isinstance(name, str):
            raise TypeError(f"expected names with strings as keys, such as locals(), but got the key {name!r}")
    found: dict[Node, str] = {}
    open_ones = [(name, value) for name, value in variables.items() if not name.startswith("_")]
    seen: set[int] = set()
    while open_ones:
        inner: list[tuple[str, Any]] = []
        for name, value in open_ones:
            if isinstance(value, Node):
                if value.name is None:
                    found.setdefault(value, name)
            elif type(value) not in _PLAIN and id(value) not in seen and len(seen) < _MOST_COLLECTIONS:
                seen.add(id(value))  # a collection may hold itself
                inner += _items(name, value)
        open_ones = inner
    return found


def _items(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if type(value) in (list, tuple):
        yield from ((f"{name}[{k}]", item) for k, item in enumerate(value))
    elif type(value) is dict:
        yield from ((f"{name}[{key!r}]", item) for key, item in value.items() if type(key) in (str, int))
    elif isinstance(value, np.ndarray) and value.dtype == object:
        yield from ((f"{name}[{', '.join(map(str, place))}]", item) for place, item in np.ndenumerate(value))
    elif not isinstance(value, type | ModuleType) and str(type(value).__module__).partition(".")[0] not in _CLOSED:
        yield from ((f"{name}.{key}", item) for key, item in _attributes(value))


def _attributes(value: Any) -> Iterator[tuple[str, Any]]:
    """The public attributes in an object's dictionary and slots, read without running its code."""
    for key, item in _dictionary(value).items():
        if type(key) is str and key[:1] != "_":
            yield key, item
    for kind in type(value).__mro__:
        for key, member in kind.__dict__.items():
            if type(member) is MemberDescriptorType and key[:1] != "_":
                try:
                    yield key, member.__get__(value)
                except AttributeError:  # an empty slot
                    continue


def _dictionary(value: Any) -> dict[Any, Any]:
    try:
        found = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return {}
    return dict(found) if isinstance(found, dict) else {}
