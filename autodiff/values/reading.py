"""Detect numbers that a function takes out of the graph while it is differentiated: its gradient may then be wrong.

Reads are watched only while `recorded` calls a function; otherwise reading a node costs one look at an empty list.
Reads in other threads and contexts do not count.
"""

from __future__ import annotations

import copy
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from pathlib import Path
from types import FrameType
from typing import Any, Final

from autodiff.engine.emit import WRITTEN
from autodiff.engine.graph import Node
from autodiff.engine.trees import flatten

__all__ = ["WATCHES", "is_own", "noted", "passed", "place_of", "recorded"]


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


#: The watched calls of all threads; while there are none, reads need not be reported.
WATCHES: Final[list[_Watch]] = []
_here: Final[ContextVar[tuple[_Watch, ...]]] = ContextVar("watches", default=())


def noted(node: Node) -> None:
    """Report that the data of ``node`` was read."""
    _note(
        node, "the data of {} was read",
        "compute and compare with nodes, as in autodiff.exp(x) and x > 0, or use x.detach() if you mean a constant",
    )  # fmt: skip


def passed(node: Node) -> None:
    """Report that a backward pass from ``node`` gave plain numbers."""
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
