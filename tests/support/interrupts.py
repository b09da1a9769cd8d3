"""Interrupts at chosen moments: before the n-th bytecode of a call, where Ctrl-C or a timer's handler may come."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

__all__ = ["bytecodes", "interrupted", "states", "without_collector"]


@contextmanager
def without_collector() -> Iterator[None]:
    """No garbage is collected: callbacks of the collector run Python within C, and what is raised there is lost."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _traced(work: Callable[[], object], before_each: Callable[[], None]) -> None:
    """Run ``work`` and call ``before_each`` before every bytecode of the functions that it calls."""

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        if event == "opcode":
            before_each()
        return trace

    former = sys.gettrace()
    with without_collector():
        sys.settrace(trace)
        try:
            work()
        finally:
            sys.settrace(former)


def bytecodes(work: Callable[[], object]) -> int:
    """How many bytecodes ``work`` runs: as many moments at which it may be interrupted."""
    return len(states(work, lambda: None, every=True))


def states(work: Callable[[], object], look: Callable[[], Any], *, every: bool = False) -> list[Any]:
    """What ``look`` sees before each bytecode of ``work`` and after the last; of equal ones in a row the first."""
    seen: list[Any] = []

    def note() -> None:
        state = look()
        if every or not seen or state != seen[-1]:
            seen.append(state)

    _traced(work, note)
    note()
    return seen


def interrupted(work: Callable[[], object], moment: int) -> bool:
    """Run ``work``, and raise KeyboardInterrupt before its bytecode number ``moment``; whether it came to that."""
    left = moment

    def count_down() -> None:
        nonlocal left
        left -= 1
        if left == -1:
            raise KeyboardInterrupt

    try:
        _traced(work, count_down)
    except KeyboardInterrupt:
        return True
    return False
