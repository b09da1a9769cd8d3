"""What a function can reach besides its arguments: its closure, the globals that its code names, what they hold.

A recording knows parameters by identity, and anything else as constants. If a list of parameters got another Value, or
a global another number, a replay would be wrong. So what the function can reach is remembered as flat copies of
containers, which are compared before each replay: lists of the same objects compare at 3 ns an item.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from operator import attrgetter, itemgetter
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any, Final

import numpy as np

from autodiff.engine.graph import Node
from autodiff.primitives.primitive import Primitive
from autodiff.values.reading import told

__all__ = ["Surroundings"]

_LARGE = 1 << 15  # bytes of an array that is not compared: data, which takes more time to compare than to use
_MOST = 20_000  # containers; a program that reaches more than that reaches data
_AS_THEY_ARE = (
    Node, str, bytes, int, float, complex, bool, type(None), ModuleType, Primitive, np.generic, np.dtype,
    np.random.Generator,
)  # fmt: skip


class Surroundings:
    """The containers that a function can reach, and what they held.

    ``asks_types`` says whether one of the functions asks for types: what stands for a float is no float.
    """

    def __init__(self, function: Callable[..., Any], *objects: Any) -> None:
        self.held: list[tuple[Any, Any, Any]] = []
        self.asks_types = False
        self._seen: dict[int, Any] = {}
        todo: list[Any] = [function, *objects]
        while todo and len(self.held) < _MOST:
            item = todo.pop()
            if isinstance(item, _AS_THEY_ARE) or id(item) in self._seen:
                continue
            self._seen[id(item)] = item
            todo += self._inside(item)
        self._seen = {}
        self._arrange()

    def _inside(self, item: Any) -> list[Any]:
        """What an item holds; a container is remembered."""
        if isinstance(item, FunctionType):
            return self._of_function(item)
        if isinstance(item, MethodType):
            return [item.__self__, item.__func__]
        if isinstance(item, list | dict):
            self._remember(item, item.copy() if type(item) in (list, dict) else type(item)(item), None)
            return list(item.values()) if isinstance(item, dict) else list(item)
        if isinstance(item, tuple):
            return list(item)
        if isinstance(item, partial):
            return [item.func, *item.args, *item.keywords.values()]
        if isinstance(item, set | frozenset | deque):
            self._remember(item, list(item), list)
            return list(item)
        if isinstance(item, np.ndarray):
            return self._of_array(item)
        if isinstance(item, staticmethod | classmethod | property):
            return [getattr(item, "__func__", None) or item.fget]  # type: ignore[union-attr]
        kind = item if isinstance(item, type) else type(item)
        return [] if _is_other(kind.__module__) else self._of_object(item)

    def _of_object(self, item: Any) -> list[Any]:
        """The attributes of an object or class, and its class."""
        if isinstance(item, type):
            self._remember(item, _attributes(item), _attributes)
            return [*_attributes(item), *item.__mro__[1:]]
        slots = _Slots(type(item))
        self._remember(item, slots(item), slots)
        names = getattr(item, "__dict__", None)
        if not isinstance(names, dict):
            return [*slots(item), type(item)]
        self._remember(names, dict(names), None)
        return [*names.values(), *slots(item), type(item)]

    def _of_array(self, item: np.ndarray[Any, Any]) -> list[Any]:
        """The items of an array of objects; the numbers of another one are remembered, if they are few."""
        if item.dtype == object:
            self._remember(item, item.ravel().tolist(), _items)
            return list(item.flat)
        if item.nbytes <= _LARGE:
            self._remember(item, item.tobytes(), _bytes)
        return []

    def _of_function(self, function: FunctionType) -> list[Any]:
        if _is_other(function.__module__ or "") or "-packages" in function.__code__.co_filename:
            return []
        found = [*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()]
        cells = [cell for cell in function.__closure__ or () if _filled(cell)]
        self._remember(cells, _contents(cells), _contents)
        every = sorted(set(_names(function.__code__)))
        self.asks_types = self.asks_types or not _ASKING.isdisjoint(every)
        scopes = [function.__globals__]
        scopes += [vars(item) for item in _Picked(every)(function.__globals__) if _is_module(item)]
        for scope in scopes:
            pick = _Picked([name for name in every if name in scope])
            self._remember(scope, pick(scope), pick)
            found += pick(scope)
        return [*found, *_contents(cells)]

    def _remember(self, container: Any, held: Any, read: Any) -> None:
        if held or read in (None, list):
            self.held.append((container, held, read))

    def changed(self) -> bool:
        """Whether one of the containers holds something else now, even an equal leaf."""
        strict: Any = _Strict()
        try:
            return not told(strict, self._same) or strict.asked
        except Exception:  # an array among the items
            return True

    def _same(self) -> bool:
        """Whether all containers compare as equal; one comparison in C, because most calls find no change."""
        return (
            self._now == self._before
            and list(map(_content, self._cells)) == self._contents
            and all(read(item) == held for item, held, read in self._others)
        )

    def _arrange(self) -> None:
        plain = [item for item in self.held if item[2] is None]
        self._now, self._before = [item[0] for item in plain], [item[1] for item in plain]
        cells = [cell for item in self.held if item[2] is _contents for cell in item[0]]
        self._cells = list({id(cell): cell for cell in cells}.values())
        self._contents = _contents(self._cells)
        others = [item for item in self.held if item[2] not in (None, _contents)]
        scopes: dict[int, tuple[Any, dict[str, None]]] = {}
        for item, _, read in others:
            if isinstance(read, _Picked):
                scopes.setdefault(id(item), (item, {}))[1].update(dict.fromkeys(read.names))
        # Of one name an itemgetter gives no tuple, and only tuples compare the same objects without asking them.
        picks = [(scope, itemgetter(*names, *names)) for scope, names in scopes.values()]
        self._others = [(scope, pick(scope), pick) for scope, pick in picks]
        self._others += [item for item in others if not isinstance(item[2], _Picked)]


#: Packages whose functions and objects hold nothing that a program depends on.
_OTHERS = frozenset({"autodiff", "numpy", "builtins", *sys.stdlib_module_names} - {"__main__"})


#: Names of functions that tell a stand-in from what it stands for.
_ASKING = frozenset({"isinstance", "issubclass", "type", "__class__"})


def _is_other(module: str) -> bool:
    return module.partition(".")[0] in _OTHERS


def _is_module(item: Any) -> bool:
    """Whether this is a module whose contents may be numbers of the program."""
    path = getattr(item, "__file__", None) or "-packages"
    return isinstance(item, ModuleType) and not _is_other(item.__name__) and "-packages" not in path


def _attributes(kind: type) -> list[Any]:
    return [item for name, item in vars(kind).items() if name not in _OF_EVERY_CLASS]


#: Attributes that Python makes anew, or that say nothing.
_OF_EVERY_CLASS = frozenset({"__dict__", "__weakref__", "__doc__", "__module__", "__slots__", "__abstractmethods__"})


class _Slots:
    """The values of the slots of an object, without those that are empty."""

    def __init__(self, kind: type) -> None:
        rows = [vars(each).get("__slots__", ()) for each in kind.__mro__]
        self.names = [name for row in rows for name in ((row,) if isinstance(row, str) else row)]

    def __call__(self, item: Any) -> list[Any]:
        return [getattr(item, name) for name in self.names if name not in _OF_EVERY_CLASS and hasattr(item, name)]


def _items(array: np.ndarray[Any, Any]) -> list[Any]:
    return array.ravel().tolist()


def _bytes(array: np.ndarray[Any, Any]) -> bytes:
    return array.tobytes()


class _Strict:
    """Asked by nodes that are compared: two objects are then not the same object."""

    asked = False

    def taken(self, *_: Any) -> None:
        self.asked = True


def _filled(cell: Any) -> bool:
    try:
        return cell.cell_contents is not cell
    except ValueError:
        return False


_content: Final = attrgetter("cell_contents")


def _contents(cells: list[Any]) -> list[Any]:
    return list(map(_content, cells))


class _Picked:
    """The values of some names in a dict."""

    def __init__(self, names: list[str]) -> None:
        self.names = names

    def __call__(self, scope: dict[str, Any]) -> list[Any]:
        return [scope.get(name) for name in self.names]


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for item in code.co_consts:
        if isinstance(item, CodeType):
            yield from _names(item)
