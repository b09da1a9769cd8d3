"""Python's operators, and a method for each function of one number, for the classes of nodes.

The decorator `operators` adds them to a class. Each method is generated from the table on its first call; generating
all of them at once would take a sixth of the import time.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final, TypeVar

from autodiff.engine.plain import plain
from autodiff.primitives.operands import describe
from autodiff.primitives.primitive import Primitive
from autodiff.primitives.registry import TABLE
from autodiff.primitives.table import elementwise
from autodiff.values.reading import WATCHES, compared

__all__ = ["comparing", "operators"]

#: Makes the function that applies a primitive to nodes of one class; with ``reflected``, to swapped operands.
Writer = Callable[..., Callable[..., Any] | None]
_Class = TypeVar("_Class", bound=type)

_UNARY: Final = {"__neg__": elementwise.negative, "__abs__": elementwise.absolute}
_BINARY: Final = {
    "add": elementwise.add, "sub": elementwise.subtract, "mul": elementwise.multiply, "truediv": elementwise.divide,
}  # fmt: skip


def operators(write: Writer, *, for_objects: bool = False) -> Callable[[_Class], _Class]:
    """Give a class of nodes its operators and methods; ``write(entry, kind, reflected=False)`` generates one of them.

    With ``for_objects``, also add methods for NumPy's functions of two numbers: on object arrays, ``np.hypot`` calls
    ``x.hypot(y)`` for each pair of elements.
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
    """The operator for a number on the left.

    ``sum()`` starts with the int 0; adding it makes no node, so that a sum consists of its terms alone.
    """
    method: Any = write(entry, kind, reflected=True)

    def added(self: Any, other: Any) -> Any:
        return self if other.__class__ is int and other == 0 else method(self, other)

    return added if entry is elementwise.add else method


def _of_two(entry: Primitive) -> Callable[[Any, Any], Any]:
    return lambda x, y: entry(x, y)


def _later(kind: type, name: str, entry: Primitive, write: Callable[[], Any]) -> None:
    """Give a class a method that is generated on its first call."""

    def first(*operands: Any, **params: Any) -> Any:
        method = write()
        setattr(kind, name, method)
        return method(*operands, **params)

    first.__name__, first.__doc__ = name, entry.doc
    setattr(kind, name, first)


def comparing(compare: Callable[[Any, Any], Any], sign: str) -> Callable[[Any, Any], Any]:
    """The method of a Tensor that compares its data element by element."""

    def method(self: Any, other: Any) -> Any:
        try:
            answer = compare(self._data, plain(other))
            return compared(sign, self, other, answer) if WATCHES else answer
        except (TypeError, ValueError, OverflowError) as error:
            kind = TypeError if isinstance(error, TypeError) else ValueError
            raise kind(f"{describe(self)} cannot be compared with {describe(other)}: {error}") from error

    return method
