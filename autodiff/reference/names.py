"""Public names: the exports of each public module, the attributes of classes, and signatures.

Some methods of nodes are generated at their first call and have another signature from then on.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from importlib import import_module
from typing import Any, Final, Never

__all__ = ["PACKAGES", "call_signature", "exported", "member_names"]

PACKAGES: Final = (
    "autodiff", "autodiff.draw", "autodiff.explain", "autodiff.testing", "nn", "nn.rates", "nn.strategies",
)  # fmt: skip
_REFUSED: Final = ("Never", Never)  # the annotation of arguments that only lead to an error with an example


def exported(package: str) -> Iterator[tuple[str, Any]]:
    """The names that a public module exports, in alphabetical order, each with its object.

    If a name needs a library that is not installed, the ImportError takes the place of the object.

    >>> [name for name, _ in exported("autodiff.explain")]
    ['explain']
    """
    try:
        module: Any = import_module(package)
    except ImportError as error:
        yield package, error
        return
    for name in sorted(module.__all__):
        try:
            yield name, getattr(module, name)
        except ImportError as error:
            yield name, error


def member_names(kind: type) -> list[str]:
    """The public attributes that a class defines or inherits, except those of ``object`` and built-in classes.

    >>> from autodiff.draw import Row
    >>> member_names(Row)
    ['cells', 'lane']
    """
    return [name for name in sorted(dir(kind)) if not name.startswith("_") and _is_ours(_home(kind, name))]


def call_signature(item: Any) -> str:
    """The signature without annotations, and without arguments that are only there to be refused; "" for data.

    A class constructed like a built-in class has none either, since versions of Python differ there.

    >>> from autodiff import grad
    >>> call_signature(grad)
    '(f, argnum=0)'
    """
    entry = getattr(item, "__func__", item)
    if inspect.isclass(entry):
        is_called = any(_is_ours(_home(entry, name)) for name in ("__init__", "__new__"))
    else:
        is_called = callable(entry) and (inspect.isroutine(entry) or _is_ours(type(entry)))
    if not is_called:
        return ""
    signature = inspect.signature(entry)
    own = (p for p in signature.parameters.values() if p.annotation not in _REFUSED)
    bare = [p.replace(annotation=p.empty, default=_named(p.default)) for p in own]
    return str(signature.replace(parameters=bare, return_annotation=signature.empty))


def _home(kind: type, name: str) -> type:
    """The class that defines an attribute of ``kind``."""
    return next((base for base in kind.__mro__ if name in vars(base)), object)


def _is_ours(kind: type) -> bool:
    return kind.__module__.split(".")[0] in ("autodiff", "nn")


class _Text:
    """A default printed as its name, since the usual repr of functions and classes contains an address."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


def _named(default: Any) -> Any:
    if default is inspect.Parameter.empty or not (callable(default) or " at 0x" in repr(default)):
        return default
    return _Text(getattr(default, "__name__", "…"))
