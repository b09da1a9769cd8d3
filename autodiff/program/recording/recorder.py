"""`Recorder`: collects, while a function runs, what a replay must know besides the graph that the function leaves."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from operator import is_
from types import FrameType
from typing import Any, Final

import numpy as np

from autodiff.engine.graph import Node, clock
from autodiff.primitives.namespace import is_plain_number
from autodiff.primitives.table.layout import getitem, stack
from autodiff.primitives.table.units import identity
from autodiff.program.recording.containers import UnknownError, container_of, is_call_of
from autodiff.program.recording.integers import Integer, plain_index
from autodiff.program.recording.recording import Guard, Selection
from autodiff.program.recording.stand_ins import READ, as_stand_in, settle
from autodiff.program.recording.swaps import Swap
from autodiff.values.reading import is_own, place_of, recorder, recording
from autodiff.values.tensor import Tensor
from autodiff.values.value import Value

__all__ = ["Draw", "Recorder"]

#: A function that draws an array, and its generator.
Draw = tuple[Callable[[], Any], Any]


class Recorder:
    """What is told to one recording.

    Attributes:
        inputs: the leaves that stand for floats and arrays of the call; then those that stand for draws.
        draws: for each input that stands for a draw, how it is drawn.
        guards, loose: numbers that Python looked at; *loose* guards only decided which of several numbers that nobody
            else holds ``max`` or ``min`` gave back.
        whole: what Python asked of integers: (sign, which, other operand, outcome).
        selections: what stands for items that integers picked from lists.
        indices: for nodes of ``getitem``, the index with `_Which` where integers of the run stand.
        reason: why a replay cannot do again what happened; empty if it can.
    """

    def __init__(self) -> None:
        self.start = clock.tick()
        self.inputs: list[Any] = []
        self.draws: dict[int, Draw] = {}
        self.guards: list[Guard] = []
        self.loose: list[Guard] = []
        self.whole: list[tuple[str, int, Any, Any]] = []
        self.selections: dict[Node, Selection] = {}
        self.indices: dict[Node, Any] = {}
        self.reason = ""
        self._stand_ins: list[Any] = []
        self._plain: dict[int, tuple[Any, bool]] = {}
        self._alone: dict[int, Any] = {}
        self._picked: dict[tuple[int, int], tuple[Any, list[Any], Any]] = {}
        self._swap: Swap | None = None

    # ---- leaves ------------------------------------------------------------------------------------------------------

    def standing(self, data: Any) -> Any:
        """A new input that stands for a float or an array."""
        node = as_stand_in(Value(data) if data.__class__ is float else Tensor(data))
        self._known(node)
        self.inputs.append(node)
        return node

    def _known(self, node: Any) -> None:
        self._stand_ins.append(node)
        self._plain[id(node)] = node, True

    def drawn(self, draw: Callable[[], Any], random: Any) -> Any:
        """What stands for a drawn array: a Tensor, or an object array of Values."""
        array = np.asarray(draw())
        self.draws[len(self.inputs)] = draw, random
        if array.dtype != object:
            return self.standing(array)
        made = np.empty(array.shape, object)
        made.reshape(-1)[:] = [self.standing(float(item)) for item in array.flat]
        return made

    @contextmanager
    def running(self) -> Iterator[None]:
        """Record what happens in this context."""
        with recording(self), _HASHES:
            try:
                yield
            finally:
                if self._swap is not None:
                    self._swap.undo()
        self._check_swap()
        for node in self._stand_ins:
            settle(node)

    # ---- what `autodiff.values.reading` reports ----------------------------------------------------------------------

    def read(self, node: Node) -> Any:
        """The number of a node as a node that passes nothing back; a new one each time, so that it has one owner."""
        made = as_stand_in(READ(node))
        self._known(made)
        return made

    def detached(self, node: Node) -> Any:
        """The same number, through which nothing passes back; it is computed again by each replay."""
        return READ(node)

    def taken(self, nodes: tuple[Any, ...], kind: Any, outcome: Any) -> None:
        """Make a guard."""
        self._check_swap()
        kept = tuple(item for item in nodes if isinstance(item, Node))
        constants: tuple[Any, ...] = ()
        if not isinstance(kind, str):
            constants = (kind,)
        elif len(nodes) == 2 and kind != "bool":
            right = nodes[1]
            constants = () if isinstance(right, Node) else (right,)
            if constants and not (is_plain_number(right) or isinstance(right, np.ndarray)):
                return  # compared with something that is no number: the answer is always the same
        frame = _caller(sys._getframe())
        guard = Guard(
            kept, np.array(outcome) if isinstance(outcome, np.ndarray) else outcome,
            kind if isinstance(kind, str) else "question", place_of(frame), constants,
        )  # fmt: skip
        (self.loose if self._is_loose(kept, kind, frame) else self.guards).append(guard)

    def _is_loose(self, nodes: tuple[Any, ...], kind: Any, frame: FrameType | None) -> bool:
        """Whether ``max`` or ``min`` compares numbers that were read for it alone."""
        if kind not in ("<", ">") or len(nodes) != 2 or frame is None:
            return False
        if any(node.origin.primitive is not READ or not node.scalar for node in nodes):
            return False
        most = _most_references()
        for node in nodes:
            if id(node) not in self._alone and sys.getrefcount(node) > most:
                return False
        if not is_call_of(frame, (max, min)):
            return False
        for node in nodes:
            self._alone[id(node)] = node
        return True

    def adopted(self, kind: type, data: Any) -> Any:
        """The node to copy where a Value or Tensor is made of stand-ins."""
        if isinstance(data, Node) and self.is_plain(data) and data.scalar == (kind is Value):
            return identity(data)
        if kind is Tensor and isinstance(data, Node) and self.is_plain(data):
            return stack((data,)).reshape(())
        if kind is Tensor and isinstance(data, list | tuple | np.ndarray):
            return self._stacked(data)
        return None

    def _stacked(self, data: Any) -> Any:
        """The Tensor of nested lists, or of an object array, of numbers and stand-ins; None if there are none."""
        if isinstance(data, np.ndarray) and data.dtype != object:
            return None
        box = np.array(data, dtype=object)
        nodes = [item for item in box.flat if isinstance(item, Node)]
        if not nodes or not all(item.scalar and self.is_plain(item) for item in nodes):
            return None
        return stack(list(box.flat)).reshape(box.shape)

    def is_plain(self, node: Any) -> bool:
        """Whether the function would hold a plain number here if it were not recorded: all leaves are stand-ins."""
        known = self._plain
        seen: dict[int, Any] = {}
        todo = [node]
        while todo:
            item = todo.pop()
            if id(item) in seen:
                continue
            if id(item) in known:
                if known[id(item)][1]:
                    continue
                break
            seen[id(item)] = item
            parts = [part for part in item.inputs if isinstance(part, Node)]
            if not parts or (item.scalar and item.origin.primitive is identity):  # a Value made of a stand-in is one
                break
            todo += parts
        else:
            known.update({place: (item, True) for place, item in seen.items()})
            return True
        known[id(node)] = node, False
        return False

    def refused(self, reason: str) -> None:
        """Something happened that a replay cannot do again."""
        self.reason = self.reason or reason

    # ---- integers ----------------------------------------------------------------------------------------------------

    def indexed(self, node: Node, index: Any) -> Any:
        """The item of a Tensor at an index that holds integers of the run; None if it holds none."""
        self._check_swap()
        plain, which = plain_index(index)
        if which is None:
            return None
        made = getitem(node, index=plain)
        self.indices[made] = which
        return made

    def picked(self, integer: Integer, frame: FrameType) -> bool:
        """Whether the list that asks for an index was found, and gives a stand-in for this one subscript."""
        self._check_swap()
        try:
            container = container_of(frame, integer, self._again)
        except UnknownError:
            return False
        if type(container) is not list and not (isinstance(container, np.ndarray) and container.ndim == 1):
            return False
        if not -len(container) <= integer.value < len(container):
            return False
        key, items = (id(container), integer.which), list(container)
        known = self._picked.get(key)
        if known is None or len(known[1]) != len(items) or not all(map(is_, known[1], items)):
            made = self._in_place_of(items[integer.value], items, integer.which)
            if made is None:
                return False
            known = self._picked[key] = container, items, made
        self._swap = Swap(container, integer.value, known[2], frame)
        return True

    def _again(self, container: Any, index: Any) -> Any:
        """What an integer picked from a container before; raises `UnknownError`."""
        if type(index) is not Integer or (id(container), index.which) not in self._picked:
            raise UnknownError
        return self._picked[id(container), index.which][2]

    def _in_place_of(self, item: Any, items: list[Any], which: int) -> Any:
        """A stand-in for one of these items, or a list of stand-ins for one of these rows; None if they differ."""
        if type(item) in (list, tuple):
            if any(type(other) is not type(item) or len(other) != len(item) for other in items):
                return None
            made = [
                self._in_place_of(part, list(column), which)
                for part, column in zip(item, zip(*items, strict=True), strict=True)
            ]
            return None if any(part is None for part in made) else type(item)(made)
        if any(not isinstance(other, Node) and type(other) not in (float, int) for other in items):
            return None
        nodes = [other for other in items if isinstance(other, Node)]
        if not nodes and int in map(type, items):
            return None
        if any(other.scalar != nodes[0].scalar or other.shape != nodes[0].shape for other in nodes):
            return None
        if nodes and not nodes[0].scalar and len(nodes) < len(items):
            return None
        return self._selected(item, items, which, is_plain=not nodes)

    def _selected(self, item: Any, items: list[Any], which: int, *, is_plain: bool) -> Any:
        kind = Value if not isinstance(item, Node) or item.scalar else Tensor
        leaf = kind(item._data if isinstance(item, Node) else float(item))
        if is_plain or (isinstance(item, Node) and self.is_plain(item)):
            self._known(as_stand_in(leaf))
        self.selections[leaf] = Selection(which, tuple(items))
        return leaf

    def _check_swap(self) -> None:
        swap, self._swap = self._swap, None
        if swap is not None and not swap.done:
            swap.undo()
            self.refused("an integer indexed a list, and this interpreter cannot trace one instruction")


def _caller(frame: FrameType | None) -> FrameType | None:
    """The innermost frame outside this package."""
    while frame is not None and is_own(frame):
        frame = frame.f_back
    return frame


class _Measure(Recorder):
    """Counts the references to numbers that ``max`` alone holds."""

    most = 0

    def _is_loose(self, nodes: tuple[Any, ...], *_: Any) -> bool:
        for node in nodes:
            if id(node) not in self._alone:
                self.most = max(self.most, sys.getrefcount(node))
        for node in nodes:
            self._alone[id(node)] = node
        return False


class _Hashes:
    """While anything is recorded, the hash of a node that stands for a number is that of the number.

    Nodes hash by identity in C, and the engine's maps need that to be fast; so the method is in place only meanwhile.
    """

    def __init__(self) -> None:
        self.count, self.lock = 0, threading.Lock()

    def __enter__(self) -> None:
        with self.lock:
            self.count += 1
            if self.count == 1:
                Value.__hash__ = _hash  # type: ignore[method-assign, assignment]

    def __exit__(self, *_: Any) -> None:
        with self.lock:
            self.count -= 1
            if not self.count:
                Value.__hash__ = object.__hash__  # type: ignore[method-assign, assignment]


_HASHES: Final = _Hashes()


def _hash(node: Any) -> int:
    made: Any = recorder()
    if made is None or is_own(sys._getframe(1)) or not made.is_plain(node):
        return object.__hash__(node)
    made.taken((node,), "read", node._data)
    return hash(node._data)


@cache
def _most_references() -> int:
    """How many references to a fresh number exist while ``max`` compares it, seen from `Recorder._is_loose`.

    Measured, because versions of Python count differently.
    """
    made, node = _Measure(), Value(1.0)
    with made.running():
        max(made.read(node) for _ in range(3))
    return made.most
