"""The public names with their signatures, as text that is compared with the snapshot ``public_api.txt``.

Asked in a process of its own: some methods are written when they are first called.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, Final

__all__ = ["PACKAGES", "SNAPSHOT", "public_api"]

PACKAGES: Final = ("autodiff", "autodiff.draw", "autodiff.explain", "autodiff.testing", "nn", "nn.strategies")
SNAPSHOT: Final = Path(__file__).with_suffix(".txt")


def public_api() -> str:
    """A line for every public name, and for every public method of a class."""
    return "".join(f"{line}\n" for package in PACKAGES for line in _lines(import_module(package)))


def _lines(package: Any) -> Iterator[str]:
    for name in sorted(package.__all__):
        item = getattr(package, name)
        yield f"{package.__name__}.{name}{_signature(item)}"
        if inspect.isclass(item):
            yield from (f"{package.__name__}.{name}.{line}" for line in _methods(item))


def _methods(kind: type) -> Iterator[str]:
    """The attributes that a class adds to those of ``object`` and built-in classes, defined or inherited."""
    for name in sorted(dir(kind)):
        if not name.startswith("_") and _is_ours(_home(kind, name)):
            yield f"{name}{_signature(inspect.getattr_static(kind, name))}"


def _signature(item: Any) -> str:
    """The parameters without annotations, as those say how a type is spelled; properties and data have none.

    Nor has a class that is made the way a built-in class is: versions of Python differ there.
    """
    entry = getattr(item, "__func__", item)
    if inspect.isclass(entry):
        is_called = any(_is_ours(_home(entry, name)) for name in ("__init__", "__new__"))
    else:
        is_called = callable(entry) and (inspect.isroutine(entry) or _is_ours(type(entry)))
    if not is_called:
        return ""
    signature = inspect.signature(entry)
    bare = [p.replace(annotation=p.empty, default=_named(p.default)) for p in signature.parameters.values()]
    return str(signature.replace(parameters=bare, return_annotation=signature.empty))


def _home(kind: type, name: str) -> type:
    """The class in which an attribute of ``kind`` is defined."""
    return next((base for base in kind.__mro__ if name in vars(base)), object)


def _is_ours(kind: type) -> bool:
    return kind.__module__.split(".")[0] in ("autodiff", "nn")


class _Text:
    """A default that prints as its name: the default repr of functions and classes holds an address."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


def _named(default: Any) -> Any:
    if default is inspect.Parameter.empty or not (callable(default) or " at 0x" in repr(default)):
        return default
    return _Text(getattr(default, "__name__", "…"))
