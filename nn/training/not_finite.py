"""The report that ends a training when a number is not finite: which value, which line, which example."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from autodiff.engine.backward import backpropagate
from autodiff.engine.graph import Node
from autodiff.transforms.anomaly import detect_anomaly

__all__ = ["report"]


def report(
    model: Any, objective: Callable[..., Any], batch: tuple[Any, ...], number: int, epoch: int, what: str
) -> FloatingPointError:
    """The error to raise: the step and epoch, the first value or signal that is not finite, and the example it is of.

    The objective runs again, on the batch under `detect_anomaly`, then on halves of it. No ``.grad`` is written.
    """
    said = f"{what} at step {number}, in epoch {epoch}; no parameter has moved."
    first = _first(model, objective, batch)
    said += f" {first}" if first else " A second run of the batch was finite, so a draw at random must have caused it."
    if first and (example := _example(model, objective, batch)) is not None:
        said += f". It is example {example} of the batch, counted from 0."
    return FloatingPointError(said)


def _first(model: Any, objective: Callable[..., Any], batch: tuple[Any, ...]) -> str:
    """What `detect_anomaly` says of the batch; "" if everything is finite."""
    try:
        with np.errstate(all="ignore"), detect_anomaly():
            backpropagate(objective(model, *batch))
    except FloatingPointError as error:
        return str(error)
    return ""


def _example(model: Any, objective: Callable[..., Any], batch: tuple[Any, ...]) -> int | None:
    """The first example that alone is not finite; None if no part of the batch shows one."""
    lengths = {len(part) for part in batch if _is_row(part)}
    if len(lengths) != 1 or any(isinstance(part, Node) for part in batch):
        return None
    low, high = 0, lengths.pop()
    while high - low > 1:
        middle = (low + high) // 2
        if not _is_finite(model, objective, _part(batch, low, middle)):
            high = middle
        elif not _is_finite(model, objective, _part(batch, middle, high)):
            low = middle
        else:
            return None
    return low


def _part(batch: Iterable[Any], low: int, high: int) -> tuple[Any, ...]:
    return tuple(part[low:high] if _is_row(part) else part for part in batch)


def _is_row(part: Any) -> bool:
    """Whether a part of a batch has an entry for each example; a list may hold anything, such as lists of words."""
    return isinstance(part, list) or (isinstance(part, np.ndarray) and part.ndim > 0)


def _is_finite(model: Any, objective: Callable[..., Any], batch: tuple[Any, ...]) -> bool:
    """Whether J and all signals are finite; an objective that refuses a part of a batch is taken to be finite there."""
    try:
        with np.errstate(all="ignore"):
            signals = backpropagate(objective(model, *batch))
    except Exception:  # the user's code, on a batch that it did not ask for
        return True
    return all(np.all(np.isfinite(node.data)) and np.all(np.isfinite(signal)) for node, signal in signals.items())
