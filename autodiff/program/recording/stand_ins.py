"""What stands for the floats and arrays of a call while it is recorded, and for numbers that were read from nodes.

A subclass of float would be useless: ``x * F(2)``, ``math.exp(x)`` and ``np.array([x])`` read its number in C, unseen.
So a stand-in is a node. Generated methods test ``x.__class__ is Value``; a stand-in passes, because its class says
so. Once recorded, it becomes what it said it was.
"""

from __future__ import annotations

import math
from typing import Any, Final

from autodiff.primitives.domain import ANY
from autodiff.primitives.primitive import Primitive
from autodiff.values.reading import taken
from autodiff.values.tensor import Tensor
from autodiff.values.value import Value

__all__ = ["READ", "Array", "Number", "as_stand_in", "settle"]

#: The number of a node as plain data, which passes no error back: what ``x.data`` gives in a recording.
READ: Final = Primitive(
    "data", lambda xp, x: x, (lambda g, z, x: g * 0.0,),  # noqa: ARG005
    "data", "The number itself; nothing passes back.", (ANY,), (),
    True, False, False, False, True, False, False, (),
)  # fmt: skip


class Number(Value):
    """A Value that stands for a float."""

    __slots__ = ()
    __class__: type = Value

    def __repr__(self) -> str:
        taken((self,), "read", self._data)
        return repr(self._data)

    __str__ = __repr__

    def __floor__(self) -> int:
        return self._whole("floor", math.floor(self._data))

    def __ceil__(self) -> int:
        return self._whole("ceil", math.ceil(self._data))

    def __trunc__(self) -> int:
        return self._whole("int", int(self._data))

    def is_integer(self) -> bool:
        """As `float.is_integer`."""
        taken((self,), "read", self._data)
        return self._data.is_integer()  # type: ignore[no-any-return]

    def _whole(self, kind: str, outcome: int) -> int:
        taken((self,), kind, outcome)
        return outcome


class Array(Tensor):
    """A Tensor that stands for an array."""

    __slots__ = ()
    __class__: type = Tensor


_set_class: Final = vars(object)["__class__"].__set__


def as_stand_in(node: Any) -> Any:
    """The same node, standing for plain data."""
    _set_class(node, Number if node.scalar else Array)
    return node


def settle(node: Any) -> None:
    """End standing for plain data."""
    _set_class(node, Value if node.scalar else Tensor)
