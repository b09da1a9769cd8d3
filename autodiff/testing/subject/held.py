"""Parameters that a function holds besides its arguments: those of nets and modules that it is or refers to."""

from __future__ import annotations

from collections.abc import Callable, Container, Hashable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any, Final, TypeVar

from autodiff.words.arguments import closed_over

__all__ = ["persistent", "referred"]

_DEEPEST: Final = 6  # a function calls a method, whose object has a dict of lists of nets
_MOST: Final = 10_000

_N = TypeVar("_N", bound=Hashable)


def referred(f: Any, is_wanted: Callable[[Any], bool]) -> Iterator[tuple[str, Any]]:
    """The wanted objects that a callable is or refers to, each once, with its name: ``net``, ``self.nets[0]``.

    The search covers methods, partial functions, closures, globals that the code names, defaults, attributes of
    callable objects, and lists, tuples and dicts in all of these.
    """
    seen: dict[int, Any] = {}  # keeps the objects alive, so that no id is reused
    level: list[tuple[str, Any]] = [("", f)]
    for _ in range(_DEEPEST):
        below = []
        for name, item in level:
            if id(item) in seen or len(seen) > _MOST:
                continue
            seen[id(item)] = item
            if is_wanted(item):
                yield name, item
            else:
                below += [(_joined(name, part), inner) for part, inner in _inside(item)]
        level = below


def persistent(
    graph: Iterable[_N], again: Iterable[_N], inputs_of: Callable[[_N], Sequence[_N]]
) -> tuple[list[_N], set[_N]]:
    """The leaves that the graphs of two calls share, and the nodes from which shared results were computed.

    Each graph is given by its outputs. A shared leaf is held by the function, not made during the call. A shared result
    was computed before the calls, and is a constant to the function; its own inputs are the second set, and are not
    among the leaves, since gradients would flow to them through that result too.
    """
    second = set(_reached(again, inputs_of))
    shared = [node for node in _reached(graph, inputs_of, second) if node in second]
    before = set(_reached((node for node in shared if inputs_of(node)), inputs_of))
    return [node for node in shared if node not in before], before


def _reached(
    outputs: Iterable[_N], inputs_of: Callable[[_N], Sequence[_N]], ends: Container[_N] = ()
) -> Iterator[_N]:
    """The outputs and all nodes that they were computed from; the search stops at ``ends``."""
    seen: set[_N] = set()
    stack = [*outputs]
    while stack:
        node = stack.pop()
        if node not in seen:
            seen.add(node)
            yield node
            if node not in ends:
                stack += reversed(inputs_of(node))


def _inside(item: Any) -> Iterator[tuple[str, Any]]:
    """The parts of an object, each with its name."""
    if isinstance(item, dict):
        yield from ((f"[{key!r}]", part) for key, part in islice(item.items(), _MOST))
    elif isinstance(item, list | tuple):
        yield from ((f"[{k}]", part) for k, part in enumerate(item[:_MOST]))
    elif isinstance(item, partial):
        yield from (("", part) for part in (item.func, *item.args))
        yield from item.keywords.items()
    elif isinstance(item, MethodType):
        yield from (("", item.__self__), ("", item.__func__))
    elif isinstance(item, FunctionType):
        yield from _of_function(item)
    elif not isinstance(item, type | ModuleType) and hasattr(item, "__dict__"):
        yield from vars(item).items()
        yield "", vars(type(item)).get("__call__")


def _of_function(f: FunctionType) -> Iterator[tuple[str, Any]]:
    yield from closed_over(f).items()
    yield from ((name, f.__globals__[name]) for name in _names(f.__code__) if name in f.__globals__)
    yield from (("", default) for default in f.__defaults__ or ())
    yield from (f.__kwdefaults__ or {}).items()


def _names(code: CodeType) -> Iterator[str]:
    """The globals and attributes that code names, functions inside of it too."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def _joined(name: str, part: str) -> str:
    return f"{name}.{part}" if name and part and not part.startswith("[") else name + part
