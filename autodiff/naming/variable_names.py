"""Names of variables as labels for unnamed nodes."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from types import MemberDescriptorType, ModuleType
from typing import Any, Final

import numpy as np

from autodiff.engine.graph import Node

__all__ = ["names_in", "variables_of"]

#: Packages whose objects hold no variables of users: a flow or a drawing of an earlier call would name every node.
_CLOSED: Final = frozenset({"autodiff", "builtins", "numpy"})
_PLAIN: Final = frozenset({bool, float, int, str, type(None)})
_MOST_COLLECTIONS: Final = 100_000  # collections and objects that are searched


def names_in(variables: Any) -> dict[Node, str]:
    """Map every unnamed node among variables, such as ``locals()`` or ``dict(w=w, h=h)``, to its variable's name.

    The nodes themselves do not change. A node in a list, tuple, dict or array gets the variable's name with its index
    or key, one in an attribute of an object or in a user's module its path: w[0], h['first'], layers[0].w[2], model.w.
    Instead of a mapping, ``variables`` can be a module or an object; then the names are those of its attributes.
    Properties are not computed, and classes, installed modules and this package's own objects not searched.

    A node that has a name keeps it. If two variables hold the same node, the first counts; a variable counts before
    any collection. Names that begin with an underscore are ignored.

    Raises:
        TypeError: those of `variables_of`.

    >>> from autodiff import Value
    >>> rate, w = Value(0.5), [Value(1.0), Value(2.0, name="w₂")]
    >>> list(names_in({"rate": rate, "w": w}).values())
    ['rate', 'w[0]']
    """
    found: dict[Node, str] = {}
    open_ones = [(name, value) for name, value in variables_of(variables).items() if not name.startswith("_")]
    open_ones += [
        (f"{name}.{key}", item)
        for name, value in open_ones if isinstance(value, ModuleType) and _is_users(value)
        for key, item in _attributes(value)
    ]  # fmt: skip
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


def variables_of(names: Any) -> Mapping[str, Any]:
    """The variables by name: a mapping as it is; of a module or an object, its public attributes.

    Raises:
        TypeError: if ``names`` is a mapping with other keys than strings, a class, or has no attributes of a user's.

    >>> from types import SimpleNamespace
    >>> variables_of(SimpleNamespace(rate=0.01, _private=2.0))
    {'rate': 0.01}
    """
    if not isinstance(names, Mapping):
        if _is_closed(names) or isinstance(names, type):
            raise TypeError(
                f"expected names as a mapping from strings to nodes, such as locals(), but got {type(names).__name__}"
            )
        return dict(_attributes(names))
    for name in names:
        if not isinstance(name, str):
            raise TypeError(f"expected names with strings as keys, such as locals(), but got the key {name!r}")
    return names


def _items(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if type(value) in (list, tuple):
        yield from ((f"{name}[{k}]", item) for k, item in enumerate(value))
    elif type(value) is dict:
        yield from ((f"{name}[{key!r}]", item) for key, item in value.items() if type(key) in (str, int))
    elif isinstance(value, np.ndarray) and value.dtype == object:
        yield from ((f"{name}[{', '.join(map(str, place))}]", item) for place, item in np.ndenumerate(value))
    elif not isinstance(value, type | ModuleType) and not _is_closed(value):
        yield from ((f"{name}.{key}", item) for key, item in _attributes(value))


def _is_closed(value: Any) -> bool:
    """Whether an object, not a module, is of a package whose objects hold no variables of users."""
    return not isinstance(value, ModuleType) and str(type(value).__module__).partition(".")[0] in _CLOSED


def _is_users(module: ModuleType) -> bool:
    """Whether a module is neither of Python nor installed: searching those would take long and find nothing."""
    name = str(module.__name__).partition(".")[0]
    place = str(getattr(module, "__file__", None) or "")
    return not (name in _CLOSED or name in sys.stdlib_module_names or "site-packages" in place)


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
