"""Python's operators, and a method for each function of one number, for the classes of nodes.

A class says by `operators` that it has them. Each method is written from the table when it is first called: to write
them all would cost a sixth of the import.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final, TypeVar

from autodiff.primitives.primitive import Primitive
from autodiff.primitives.registry import TABLE
from autodiff.primitives.table import elementwise

__all__ = ["operators"]

#: The function that applies a primitive to nodes of one class; with ``reflected``, to operands that come swapped.
Writer = Callable[..., Callable[..., Any] | None]
_Class = TypeVar("_Class", bound=type)

_UNARY: Final = {"__neg__": elementwise.negative, "__abs__": elementwise.absolute}
_BINARY: Final = {
    "add": elementwise.add, "sub": elementwise.subtract, "mul": elementwise.multiply, "truediv": elementwise.divide,
}  # fmt: skip


def operators(write: Writer, *, for_objects: bool = False) -> Callable[[_Class], _Class]:
    """Give a class of nodes its operators and methods: ``write(entry, kind, reflected=False)`` writes one of them.

    With ``for_objects``, methods for NumPy's functions of two numbers too: of elements of object arrays, ``np.hypot``
    asks for ``x.hypot(y)``.
    """

    def installed(kind: _Class) -> _Class:
        methods = {name: entry for name, entry in TABLE.items() if entry.elementwise and entry.arity == 1}
        for name, entry in (methods | _UNARY).items():
            if name in _UNARY or not hasattr(kind, name):
                _later(kind, name, entry, partial(write, entry, kind))
        for name, entry in _BINARY.items():
            _later(kind, f"__{name}__", entry, partial(write, entry, kind))
            _later(kind, f"__r{name}__", entry, partial(_reflected, entry, kind, write))
        if for_objects:
            for name, entry in TABLE.items():
                if entry.elementwise and entry.arity == 2 and entry.numpy and not hasattr(kind, name):
                    setattr(kind, name, _of_two(entry))
        return kind

    return installed


def _reflected(entry: Primitive, kind: type, write: Writer) -> Any:
    """The operator of a number on the left.

    ``sum()`` begins with the int 0; adding it makes no node, so that a sum reads as its terms.
    """
    method: Any = write(entry, kind, reflected=True)

    def added(self: Any, other: Any) -> Any:
        return self if other.__class__ is int and other == 0 else method(self, other)

    return added if entry is elementwise.add else method


def _of_two(entry: Primitive) -> Callable[[Any, Any], Any]:
    return lambda x, y: entry(x, y)


def _later(kind: type, name: str, entry: Primitive, write: Callable[[], Any]) -> None:
    """Give a class a method that is written when it is first called."""

    def first(*operands: Any, **params: Any) -> Any:
        method = write()
        setattr(kind, name, method)
        return method(*operands, **params)

    first.__name__, first.__doc__ = name, entry.doc
    setattr(kind, name, first)
