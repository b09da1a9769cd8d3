"""Put another item in the place of one item of a list, for one subscript."""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any

__all__ = ["Swap"]


class Swap:
    """``container[place]`` is ``item`` until ``frame`` runs its next instruction; then it is as before."""

    __slots__ = ("before", "container", "done", "frame", "kept", "place", "tracer")

    def __init__(self, container: Any, place: int, item: Any, frame: FrameType) -> None:
        self.container, self.place, self.kept, self.frame = container, place, container[place], frame
        self.done = False
        self.tracer = sys.gettrace()
        self.before = frame.f_trace, frame.f_trace_opcodes
        container[place] = item
        frame.f_trace, frame.f_trace_opcodes = self._next, True
        sys.settrace(_no_calls)

    def _next(self, *_: Any) -> Any:
        self.undo()
        return self.before[0]

    def undo(self) -> None:
        """Put the item back; nothing happens the second time."""
        if not self.done:
            self.done = True
            self.container[self.place] = self.kept
            self.frame.f_trace, self.frame.f_trace_opcodes = self.before
            sys.settrace(self.tracer)


def _no_calls(*_: Any) -> None:
    """No function that is called meanwhile is traced."""
