"""Many examples at once: one is recorded, all are run, and results and gradients are averaged or summed."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from types import FunctionType
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from autodiff.primitives.operands import describe
from autodiff.program.keys import Call
from autodiff.program.recording.recording import Recording

__all__ = ["BatchCall", "by_example", "count_of", "example", "totalled"]


class BatchCall(Call):
    """A call in which some arguments have a leading axis of examples.

    Attributes:
        batched, batched_integers: the numbers of the inputs and integers that have the axis.
        count: the number of examples.
    """

    __slots__ = ("_bound", "_names", "batched", "batched_integers", "count")

    def __init__(self, function: Callable[..., Any], names: Sequence[str], args: Any, kwargs: Any) -> None:
        self.args, self.kwargs = args, kwargs
        self.inputs, self.integers, self.linked = [], [], {}
        self._bound, self._names = _signature(function).bind(*args, **kwargs), frozenset(names)
        self.count = self._length()
        batched: set[int] = set()
        batched_integers: set[int] = set()
        key: list[Any] = ["batch"]
        for name, value in self._bound.arguments.items():
            start, first = len(self.inputs), len(self.integers)
            key.append(name)
            if name in self._names:
                self._take_examples(name, value, key)
                batched.update(range(start, len(self.inputs)))
                batched_integers.update(range(first, len(self.integers)))
            else:
                self._take(value, key)
        self.key = tuple(key)
        self.batched, self.batched_integers = frozenset(batched), frozenset(batched_integers)

    def _length(self) -> int:
        lengths = {}
        for name in self._names:
            value = self._bound.arguments.get(name)
            if not isinstance(value, np.ndarray | list | tuple) or not len(value):
                raise ValueError(f"{name} needs a leading axis of one or more examples, and got {describe(value)}")
            lengths[name] = len(value)
        if len(set(lengths.values())) != 1:
            told = ", ".join(f"{name} {length}" for name, length in sorted(lengths.items()))
            raise ValueError(f"the arguments of a batch must hold the same number of examples, and got {told}")
        return next(iter(lengths.values()))

    def _take_examples(self, name: str, value: Any, key: list[Any]) -> None:
        if isinstance(value, np.ndarray) and value.dtype.kind == "f":
            key.append((value.shape[1:], value.dtype.str))
            self.inputs.append(np.array(value))
            return
        if isinstance(value, np.ndarray) and value.dtype.kind in "iu":
            key.append((value.shape[1:], "i"))
            self.integers.extend(value.reshape(len(value), -1).T)
            return
        calls = [Call((item,), {}) for item in value]
        if any(call.key != calls[0].key for call in calls):
            raise ValueError(f"the examples of {name} differ in lengths or types; run each by a program without batch")
        if calls[0].linked:
            raise TypeError(f"the examples of {name} must be plain numbers, and got nodes")
        key.append(calls[0].key)
        self.inputs += [np.stack(column) for column in zip(*(call.inputs for call in calls), strict=True)]
        self.integers += [np.array(column) for column in zip(*(call.integers for call in calls), strict=True)]

    def example(self, place: int) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments of one example."""
        bound = inspect.BoundArguments(self._bound.signature, dict(self._bound.arguments))
        for name in self._names:
            item = bound.arguments[name][place]
            bound.arguments[name] = item.item() if isinstance(item, np.generic) else item
        return bound.args, bound.kwargs


_known: WeakKeyDictionary[Any, inspect.Signature] = WeakKeyDictionary()


def _signature(function: Callable[..., Any]) -> inspect.Signature:
    """The signature of a function, kept for a Python function: to find it takes longer than a small program."""
    if not isinstance(function, FunctionType):
        return inspect.signature(function)
    found = _known.get(function)
    if found is None:
        found = _known[function] = inspect.signature(function)
    return found


def count_of(recording: Recording, inputs: Sequence[Any], integers: Sequence[Any]) -> int:
    """The number of examples of a run."""
    for k in recording.batched:
        return len(inputs[k])
    return len(integers[next(iter(recording.batched_integers))])


def example(recording: Recording, inputs: Sequence[Any], integers: Sequence[Any], place: Any) -> tuple[Any, Any]:
    """The inputs and integers of one example, or of a slice of them."""
    return _at(inputs, recording.batched, place), _at(integers, recording.batched_integers, place)


def _at(items: Sequence[Any], batched: frozenset[int], place: Any) -> list[Any]:
    found = []
    for k, item in enumerate(items):
        each = item[place] if k in batched else item
        found.append(each.item() if isinstance(each, np.generic) else each)
    return found


def by_example(recording: Recording, run: Any) -> Any:
    """The back end of a batch from one of single examples: one run for each."""

    def runs(inputs: Sequence[Any], integers: Sequence[Any]) -> tuple[list[Any], Any]:
        each = [run(*example(recording, inputs, integers, k)) for k in range(count_of(recording, inputs, integers))]
        numbers = [np.stack(column) for column in zip(*(part[0] for part in each), strict=True)]

        def pull(signals: Sequence[Any]) -> tuple[list[Any], list[Any]]:
            found = [pulled([_plain(signal[k]) for signal in signals]) for k, (_, pulled) in enumerate(each)]
            parameters = [_total(column) for column in zip(*(part[0] for part in found), strict=True)]
            slopes = [
                np.stack(column) if k in recording.batched else _total(column)
                for k, column in enumerate(zip(*(part[1] for part in found), strict=True))
            ]
            return parameters, slopes

        return numbers, pull

    return runs


def totalled(run: Any, results: int, *, mean: bool) -> Any:
    """The back end whose first ``results`` outputs are averaged or summed over the examples."""

    def runs(inputs: Sequence[Any], integers: Sequence[Any]) -> tuple[list[Any], Any]:
        numbers, pull = run(inputs, integers)
        count = len(numbers[0])
        reduce = np.mean if mean else np.sum
        totals = [_plain(reduce(number, axis=0)) for number in numbers[:results]]

        def pulled(signals: Sequence[Any]) -> Any:
            weight = count if mean else 1
            return pull([np.broadcast_to(np.divide(signal, weight), (count, *np.shape(signal))) for signal in signals])

        return [*totals, *numbers[results:]], pulled

    return runs


def _total(items: Iterable[Any]) -> Any:
    first, *rest = items
    for item in rest:
        first = first + item
    return first


def _plain(item: Any) -> Any:
    return item.item() if isinstance(item, np.generic) and item.dtype == np.float64 else item
