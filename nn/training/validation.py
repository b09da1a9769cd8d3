"""Measures taken while a net learns, such as the error on data that it has not seen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from autodiff.engine.graph import Node
from autodiff.primitives.namespace import as_float, is_plain_number
from autodiff.primitives.operands import describe, whole_number
from nn.training.step import Step

__all__ = ["validated"]


def validated(stream: Iterable[Step], *, every: int = 1, **measures: Callable[[], float]) -> Iterator[Step]:
    """The same stream, with the result of each measure at every ``every``-th step.

    Args:
        stream: steps, as from `fit`.
        every: 1 measures at each step, 100 at steps 100, 200, …
        measures: functions without arguments, by the name under which `Step.measures` and a `History` keep the number.

    Raises:
        TypeError: if a measure cannot be called; ValueError: if ``every`` is below 1, or a measure has the name of a
            number that each step has. In the loop, TypeError if a measure returns anything but one number, plain or
            as a node.

    >>> steps = [Step(number, 1, 0.5, 0.1, 2.0, 0.001) for number in (1, 2, 3)]
    >>> [dict(step.measures) for step in validated(steps, every=2, accuracy=lambda: 0.9)]
    [{}, {'accuracy': 0.9}, {}]
    """
    every = whole_number(every, "every", least=1)
    for name, measure in measures.items():
        if not callable(measure):
            raise TypeError(f"the measure {name!r} must be a function without arguments, and got {describe(measure)}")
        if name in Step(0, 0, 0.0, 0.0, 0.0, 0.0).numbers():
            raise ValueError(f"each step has a number {name!r} already; give the measure another name")
    return _measured(stream, every, measures)


def _measured(stream: Iterable[Step], every: int, measures: dict[str, Callable[[], float]]) -> Iterator[Step]:
    for step in stream:
        if step.number % every == 0:
            found = {name: _number(name, measure()) for name, measure in measures.items()}
            step = replace(step, measures={**step.measures, **found})
        yield step


def _number(name: str, found: Any) -> float:
    """What a measure returned, as a float."""
    is_one = isinstance(found, Node | np.ndarray) and np.prod(found.shape) == 1
    number = found.item() if is_one else found
    if not is_plain_number(number):
        raise TypeError(f"the measure {name!r} must return one number, and returned {describe(found)}")
    return as_float(number)
