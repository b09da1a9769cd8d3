"""Where did the nan come from? The first value that is not finite, in forward order, with the user's file and line."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import numpy as np

from autodiff.graph import Node
from autodiff.primitive import describe
from autodiff.reading import is_own, place_of

__all__ = ["detect_anomaly"]


@contextmanager
def detect_anomaly() -> Iterator[None]:
    """Within the block, the first computed or given value that is inf or nan raises, naming the line that made it.

    It watches the calls of this thread through the interpreter's profiling hook, so that it costs nothing where it is
    not asked for, and other threads are not watched. The block runs several times slower.

    Raises:
        FloatingPointError: operation, operands, file and line of the first non-finite value, in forward order.

    >>> from autodiff import Value
    >>> with detect_anomaly():  # doctest: +ELLIPSIS
    ...     y = Value(0.0).log() * 2.0
    Traceback (most recent call last):
    FloatingPointError: log(0.0) gave -inf, the first value that is not finite, at ...
    """
    before = sys.getprofile()
    sys.setprofile(_watch)
    try:
        yield
    finally:
        sys.setprofile(before)


def _watch(frame: FrameType, event: str, result: Any) -> None:
    if event != "return" or not is_own(frame):
        return
    node = frame.f_locals.get("self") if frame.f_code.co_name == "__init__" else result
    if isinstance(node, Node) and hasattr(node, "_data") and not np.all(np.isfinite(node._data)):
        raise FloatingPointError(f"{_account(node)}, the first value that is not finite, at {place_of(frame)}")


def _account(node: Node) -> str:
    gave = f"{node._data}" if np.ndim(node._data) == 0 else "a value with " + _bad(node._data)
    if node.primitive is None:
        return f"the leaf {node.label} is {gave}"
    operands = [f"{x._data}" if isinstance(x, Node) and np.ndim(x._data) == 0 else describe(x) for x in node.inputs]
    params = [f"{key}={describe(value)}" for key, value in node.params.items()]
    return f"{node.primitive.name}({', '.join(operands + params)}) gave {gave}"


def _bad(data: Any) -> str:
    place = tuple(int(k) for k in np.argwhere(~np.isfinite(data))[0])
    return f"{data[place]} at index {place}"
