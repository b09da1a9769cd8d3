"""Interrupts at chosen moments: before the n-th bytecode of a call, where Ctrl-C or a timer may interrupt."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

__all__ = ["bytecodes", "interrupted", "states", "without_collector"]

Moment = tuple[int, int]  # the number of calls begun so far, and of bytecodes since the last of them


@contextmanager
def without_collector() -> Iterator[None]:
    """Disable garbage collection: callbacks of the collector run Python inside C, and exceptions there are lost."""
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

    _run(work, trace)


def _run(work: Callable[[], object], trace: Any) -> None:
    former = sys.gettrace()
    with without_collector():
        sys.settrace(trace)
        try:
            work()
        finally:
            sys.settrace(former)


def bytecodes(work: Callable[[], object]) -> list[Moment]:
    """All moments at which ``work`` may be interrupted, one before every bytecode that it runs."""
    found: list[Moment] = []
    calls = since = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal calls, since
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        if event == "call":
            calls, since = calls + 1, 0
        elif event == "opcode":
            found.append((calls, since))
            since += 1
        return trace

    _run(work, trace)
    return found


def states(work: Callable[[], object], look: Callable[[], Any], *, every: bool = False) -> list[Any]:
    """The results of ``look`` before each bytecode of ``work`` and after the last, without consecutive repeats."""
    seen: list[Any] = []

    def note() -> None:
        state = look()
        if every or not seen or state != seen[-1]:
            seen.append(state)

    _traced(work, note)
    note()
    return seen


def interrupted(work: Callable[[], object], moment: Moment) -> bool:
    """Run ``work``, and raise KeyboardInterrupt before the bytecode of ``moment``; whether it came to that.

    Up to the call before it only calls are counted: to trace all bytecodes each time takes the square of their number.
    """
    calls, left = moment

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal calls, left
        if event == "call":
            calls -= 1
            if calls < 0:
                return None  # the moment was not reached
            frame.f_trace_opcodes, frame.f_trace_lines = calls == 0, False
            if calls == 0:
                _trace_callers(frame)
        elif event == "opcode" and calls == 0:
            if left == 0:
                raise KeyboardInterrupt
            left -= 1
        return trace

    try:
        _run(work, trace)
    except KeyboardInterrupt:
        return True
    return False


def _trace_callers(frame: FrameType) -> None:
    """See the bytecodes of the callers too, once they go on."""
    caller = frame.f_back
    while caller is not None and caller.f_trace is not None:
        caller.f_trace_opcodes = True
        caller = caller.f_back
