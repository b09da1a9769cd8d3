"""An integer of a call while it is recorded: it picks from lists, and anything else makes a guard on it."""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from autodiff.program.recording.recorder import Recorder

__all__ = ["SIGNS", "Integer", "index_of", "plain_index"]


class Integer:
    """Stands for an int: an input of the program, unless Python computes or decides with it.

    A list asks its index for ``__index__``, which looks for the list in the frame that asks (`Recorder.picked`).
    """

    __slots__ = ("recorder", "value", "which")
    __class__: type = int

    def __init__(self, value: int, which: int, recorder: Recorder) -> None:
        self.value, self.which, self.recorder = value, which, recorder

    def fixed(self) -> int:
        """The plain int; another one is another program."""
        self.recorder.whole.append(("value", self.which, None, self.value))
        return self.value

    def __index__(self) -> int:
        if self.recorder.picked(self, sys._getframe(1)):
            return self.value
        return self.fixed()

    def __int__(self) -> int:
        return self.fixed()

    def __float__(self) -> float:
        return float(self.fixed())

    def __complex__(self) -> complex:
        return complex(self.fixed())

    def __bool__(self) -> bool:
        return bool(self._compared("!=", 0))

    def __hash__(self) -> int:
        return hash(self.fixed())

    def __repr__(self) -> str:
        return repr(self.fixed())

    def __format__(self, spec: str) -> str:
        return format(self.fixed(), spec)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # as NumPy asks of every object
            raise AttributeError(name)
        return getattr(self.fixed(), name)

    def _compared(self, sign: str, other: Any) -> Any:
        if isinstance(other, np.ndarray):
            return NotImplemented
        if type(other) is not Integer and type(other) is not int:
            return SIGNS[sign](self.fixed(), other)
        right = ("integer", other.which) if type(other) is Integer else other
        outcome = SIGNS[sign](self.value, other.value if type(other) is Integer else other)
        self.recorder.whole.append((sign, self.which, right, outcome))
        return outcome


SIGNS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq, "!=": operator.ne,
}  # fmt: skip
_NAMES: Final = {"<": "lt", "<=": "le", ">": "gt", ">=": "ge", "==": "eq", "!=": "ne"}
_BINARY: Final = (
    "add", "sub", "mul", "truediv", "floordiv", "mod", "divmod", "pow", "and", "or", "xor", "lshift", "rshift",
)  # fmt: skip


def _plain(item: Any) -> Any:
    return item.fixed() if type(item) is Integer else item


def _computing(name: str, reflected: bool) -> Callable[..., Any]:
    compute = divmod if name == "divmod" else pow if name == "pow" else getattr(operator, f"__{name}__")

    def method(self: Integer, other: Any) -> Any:
        if isinstance(other, np.ndarray):
            return NotImplemented
        return compute(_plain(other), self.fixed()) if reflected else compute(self.fixed(), _plain(other))

    return method


def _comparing(sign: str) -> Callable[..., Any]:
    return lambda self, other: self._compared(sign, other)


def _of_one(name: str) -> Callable[..., Any]:
    return lambda self, *args: getattr(self.fixed(), name)(*args)


for _name in _BINARY:
    setattr(Integer, f"__{_name}__", _computing(_name, reflected=False))
    setattr(Integer, f"__r{_name}__", _computing(_name, reflected=True))
for _sign, _name in _NAMES.items():
    setattr(Integer, f"__{_name}__", _comparing(_sign))
for _name in ("__neg__", "__pos__", "__abs__", "__invert__", "__round__", "__floor__", "__ceil__", "__trunc__"):
    setattr(Integer, _name, _of_one(_name))


def plain_index(index: Any) -> tuple[Any, Any]:
    """An index with ints in the place of Integers, and the same index with the numbers of the integers instead.

    The second is None if no Integer is in the index.
    """
    if type(index) is Integer:
        return index.value, _Which(index.which)
    if isinstance(index, np.ndarray) and index.dtype == object:
        if not index.size or any(type(item) is not Integer for item in index.flat):
            return index, None
        values = np.array([item.value for item in index.flat], np.intp).reshape(index.shape)
        return values, _Which(np.array([item.which for item in index.flat], np.intp).reshape(index.shape))
    if isinstance(index, list) and any(type(item) is Integer for item in index):
        box = np.empty(len(index), object)
        box[:] = index
        return plain_index(box) if all(type(item) is Integer for item in index) else (index, None)
    if isinstance(index, tuple):
        parts = [plain_index(part) for part in index]
        if any(which is not None for _, which in parts):
            return tuple(part for part, _ in parts), tuple(part if which is None else which for part, which in parts)
    return index, None


class _Which:
    """In an index: the numbers of the integers of the run that stand here."""

    __slots__ = ("which",)

    def __init__(self, which: Any) -> None:
        self.which = which

    def of(self, integers: Any) -> Any:
        """The integers of a run in this place."""
        return np.asarray(integers, np.intp)[self.which] if isinstance(self.which, np.ndarray) else integers[self.which]


def index_of(index: Any, integers: Any) -> Any:
    """The index of a run."""
    if isinstance(index, tuple):
        return tuple(index_of(part, integers) for part in index)
    return index.of(integers) if isinstance(index, _Which) else index
