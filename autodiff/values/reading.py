"""Detect numbers that a function takes out of the graph: while it is differentiated, its gradient may then be wrong;
while it is recorded as a program, the program must check them at each replay.

Reads are watched only while `recorded` or `recording` calls a function; otherwise reading a node costs one look at an
empty list. Reads in other threads and contexts do not count.
"""

from __future__ import annotations

import copy
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from types import FrameType
from typing import Any, Final, Protocol

from autodiff.engine.emit import WRITTEN
from autodiff.engine.graph import Node
from autodiff.engine.trees import flatten

__all__ = [
    "WATCHES", "Recorder", "adopted", "assigning", "compared", "drawn", "indexed", "is_own", "noted", "passed",
    "place_of", "recorded", "recorder", "recording", "taken", "told",
]  # fmt: skip


class _Watch:
    """One call with ``inputs``: the first place that took the number of a dependent node, and what to do instead."""

    __slots__ = ("advice", "apart", "behind", "deed", "inputs", "start", "targets")

    def __init__(self, inputs: Sequence[Node]) -> None:
        self.inputs = inputs
        self.targets: frozenset[Node] = frozenset()
        self.start = 0
        self.behind: Node | None = None
        self.apart: Node | None = None
        self.deed = self.advice = ""

    def depends(self, node: Node) -> bool:
        """Whether ``node`` was computed from the inputs; a node older than all of them was not.

        Recent answers are kept, so that reading a long chain at every step does not walk the whole chain each time.
        """
        if not self.targets:
            self.targets, self.start = frozenset(self.inputs), min(item.version for item in self.inputs)
        seen: set[Node] = set()
        todo = [node]
        while todo:
            item = todo.pop()
            if item in self.targets or item is self.behind:
                self.behind = node
                return True
            if item.version >= self.start and item is not self.apart and item not in seen:
                seen.add(item)
                todo += [part for part in item.inputs if isinstance(part, Node)]
        self.apart = node
        return False


class Recorder(Protocol):
    """What a recording of a program is told; see `autodiff.program.recording.recorder`."""

    def read(self, node: Node) -> Any:
        """What ``node.data`` gives: a number or an array that stays attached."""

    def detached(self, node: Node) -> Any:
        """What ``node.detach()`` gives."""

    def taken(self, nodes: tuple[Any, ...], kind: Any, outcome: Any) -> None:
        """Python took a number of nodes, by an operator or function ``kind`` that gave ``outcome``."""

    def adopted(self, kind: type, data: Any) -> Any:
        """The node from which a new leaf is copied if ``data`` stands for a plain argument; None if it does not."""

    def indexed(self, node: Node, index: Any) -> Any:
        """The item of ``node`` at an index in which something stands for integers; None if nothing does."""

    def drawn(self, draw: Callable[[], Any], random: Any) -> Any:
        """What stands for an array drawn anew by each call."""

    def refused(self, reason: str) -> None:
        """Something happened that a replay cannot do again."""


#: The watched and recorded calls of all threads; while there are none, reads need not be reported.
WATCHES: Final[list[_Watch | Recorder]] = []
_here: Final[ContextVar[tuple[_Watch, ...]]] = ContextVar("watches", default=())
_recorder: Final[ContextVar[Recorder | None]] = ContextVar("recorder", default=None)

#: The recording of this context, or None.
recorder: Final = _recorder.get


@contextmanager
def recording(made: Recorder | None) -> Iterator[None]:
    """Tell ``made`` what is read in this context; None ends the reports, as for a call inside that is not recorded."""
    before = _recorder.set(made)
    if made is not None:
        WATCHES.append(made)
    try:
        yield
    finally:
        _recorder.reset(before)
        if made is not None:
            WATCHES.remove(made)


def told(made: Recorder, ask: Callable[[], Any]) -> Any:
    """``ask()``, whose reports go to ``made``; as `recording`, without the cost of a generator."""
    before = _recorder.set(made)
    WATCHES.append(made)
    try:
        return ask()
    finally:
        _recorder.reset(before)
        WATCHES.remove(made)


def noted(node: Node) -> Any:
    """Report that the data of ``node`` was read; returns the data, or in a recording what stands for them."""
    _note(
        node, "the data of {} was read",
        "compute and compare with nodes, as in autodiff.exp(x) and x > 0, or use x.detach() if you mean a constant",
    )  # fmt: skip
    made = _recorder.get()
    return node._data if made is None else made.read(node)


def taken(nodes: tuple[Any, ...], kind: Any, outcome: Any) -> None:
    """Report to a recording that Python took a number of ``nodes``, which a replay must check."""
    made = _recorder.get()
    if made is not None:
        made.taken(nodes, kind, outcome)


def compared(kind: str, left: Any, right: Any, outcome: Any) -> Any:
    """Report a comparison to a recording; returns the outcome."""
    made = _recorder.get()
    if made is not None and outcome is not NotImplemented:
        made.taken((left, right), kind, outcome)
    return outcome


def adopted(kind: type, data: Any) -> Any:
    """The node to copy where a leaf is made of what stands for a plain argument of a recording; else None."""
    made = _recorder.get()
    return None if made is None else made.adopted(kind, data)


def indexed(node: Node, index: Any) -> Any:
    """The item of ``node`` at an index in which something stands for integers of a recording; None if nothing does."""
    made = _recorder.get()
    return None if made is None else made.indexed(node, index)


def drawn(draw: Callable[[], Any], random: Any) -> Any:
    """``draw()``, an array drawn from the generator ``random``; a replay of a recorded program draws it anew."""
    made = _recorder.get()
    return draw() if made is None else made.drawn(draw, random)


def assigning(node: Node) -> None:
    """Report to a recording that data were assigned to ``node``, which a replay would not do again."""
    made = _recorder.get()
    if made is not None:
        made.refused(f"{node.label} was given new data at {place_of(sys._getframe())}")


def passed(node: Node) -> None:
    """Report that a backward pass from ``node`` gave plain numbers."""
    made = _recorder.get()
    if made is not None:
        made.refused(f"a backward pass gave plain numbers at {place_of(sys._getframe())}")
    _note(
        node, "a backward pass from {} gave plain numbers",
        "take the derivative inside with grad, or with gradients(..., create_graph=True)",
    )  # fmt: skip


def _note(node: Node, deed: str, advice: str) -> None:
    """Store the report in the innermost call on whose inputs ``node`` depends; outer calls are not affected."""
    watches = _here.get()
    if all(watch.deed for watch in watches):
        return
    for watch in reversed(watches):
        if watch.depends(node):
            if not watch.deed:
                entry = node.origin.primitive
                what = "an input" if node in watch.targets or entry is None else f"a result of {entry.name}"
                named = f"{what}, {node.name!r}," if node.name else what
                watch.deed, watch.advice = f"{deed.format(named)} at {place_of(sys._getframe())}", advice
            return


def recorded(f: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any], inputs: Sequence[Node]) -> Any:
    """Call f(*args, **kwargs), to be differentiated with respect to the nodes ``inputs`` among its arguments.

    A result that depends on none of them is a constant. But if f took the number of a node that depends on them out of
    the graph, the result may depend on that number, so a TypeError that names the line is raised instead of giving
    derivative 0.
    """
    watch = _Watch(inputs)
    before = _here.set((*_here.get(), watch))
    WATCHES.append(watch)
    try:
        result = f(*args, **kwargs)
    finally:
        WATCHES.remove(watch)
        _here.reset(before)
    if watch.deed and not any(isinstance(output, Node) and watch.depends(output) for output in flatten(result)):
        raise TypeError(
            f"the result does not depend on the inputs, so its derivative would be 0, but {watch.deed}; {watch.advice}"
        )
    return result


def place_of(frame: FrameType | None) -> str:
    """File and line of the innermost frame outside this package and outside `copy`, through which nodes are copied."""
    while frame is not None and (is_own(frame) or frame.f_code.co_filename == copy.__file__):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}, line {frame.f_lineno}" if frame else "an unknown place"


def is_own(frame: FrameType) -> bool:
    """Whether a frame runs code of this package or code generated from the table."""
    return frame.f_code.co_filename.startswith(_OWN)


_OWN: Final = (str(Path(__file__).parents[1]) + os.sep, WRITTEN)
