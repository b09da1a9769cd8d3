"""`Plan`: one recorded program, ready to be replayed; `Run`: one replay."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from math import isfinite
from typing import Any, cast

import numpy as np

from autodiff.engine.graph import Node
from autodiff.engine.trees import flatten
from autodiff.primitives.origin import Origin
from autodiff.program.batches import count_of
from autodiff.program.compiled import NotFiniteError
from autodiff.program.recording.integers import SIGNS
from autodiff.program.recording.record import Recorded
from autodiff.program.recording.recording import Guard

__all__ = ["ChangedError", "Plan", "Run"]


class ChangedError(Exception):
    """A guard came out otherwise, or something overflowed: this program is not the one to run."""


class Run:
    """One replay: its inputs, the numbers of its outputs, and the function that passes error signals back.

    ``linked`` holds the nodes among the arguments, by the numbers of the inputs that stand for them.
    """

    __slots__ = ("inputs", "integers", "linked", "numbers", "plan", "pull")

    def __init__(
        self, plan: Plan, inputs: Sequence[Any], integers: Sequence[int], linked: dict[int, Node], numbers: Any,
        pull: Any,
    ) -> None:  # fmt: skip
        self.plan, self.inputs, self.integers, self.linked = plan, inputs, integers, linked
        self.numbers, self.pull = numbers, pull

    def pulled(self, signals: list[Any]) -> tuple[Sequence[Any], Sequence[Any]]:
        """The gradients of parameters and inputs; where one is not finite, as the recorded graph gives them."""
        try:
            return self.pull(signals)  # type: ignore[no-any-return]
        except NotFiniteError:
            return self.plan.exact(self.inputs, self.integers)[1](signals)  # type: ignore[no-any-return]


class Plan:
    """One recorded program.

    Args:
        recorded: what was recorded.
        run: what computes: ``run(inputs, integers) -> (numbers of the outputs, pull)``.
        exact: the same by the recorded graph itself.
        origin: the origin of the nodes that stand for it.
        mean: whether a batch is averaged, not summed.
        reason: why the graph is replayed, if nothing was compiled.
    """

    def __init__(
        self, recorded: Recorded, run: Any, exact: Any, origin: Origin, *, mean: bool = True, reason: str = ""
    ) -> None:
        self.recorded, self.recording, self.run, self.exact, self.origin = (
            recorded, recorded.recording, run, exact, origin,
        )  # fmt: skip
        self.mean, self.reason = mean, reason
        self.seconds = 0.0, 0.0  # of recording and compiling
        self.outputs = self.recording.outputs[: recorded.results]
        tree = flatten(recorded.result)
        alone = len(tree) == 1 and len(self.outputs) == 1
        self.single: bool | None = self.outputs[0].scalar if alone else None
        self.bare = alone and isinstance(recorded.result, Node)
        self.of_values = all(leaf.scalar for leaf in self.recording.parameters)
        self.nothing = [None] * len(self.recording.parameters)
        self.batched = bool(self.recording.batched or self.recording.batched_integers)
        self.checks = [_check(guard, places) for guard, places in recorded.guards]
        if self.batched:
            self.checks = [_of_all(guard, places) for guard, places in recorded.guards]
        inputs = self.recording.inputs
        #: Whether all inputs are the elements of the call's arrays: then they stay one array, not a list of floats.
        self.in_one = bool(recorded.spread) and not self.batched and not recorded.draws
        self.in_one = self.in_one and sum(recorded.spread.values()) == len(inputs)
        self.answers = [_asked(question) for question in recorded.whole]
        self.calls = self.last = 0
        self.first: Any = None  # the inputs and integers of the recording
        self.checked = False

    def filled(self, nodes: list[Any]) -> list[Any]:
        """The leaves of the result, with nodes in the places of the recorded ones."""
        each = iter(nodes)
        return [next(each) if isinstance(item, Node) else item for item in flatten(self.recorded.result)]

    def fits(self, integers: Sequence[int]) -> bool:
        """Whether Python would be told the same about these integers."""
        return all(answer(integers) for answer in self.answers)

    def called(self, inputs: Sequence[Any], integers: Sequence[int], linked: dict[int, Node]) -> Run:
        """Replay; raises `ChangedError`."""
        if self.in_one:
            inputs = cast("Sequence[Any]", np.concatenate([np.ravel(item) for item in inputs]))
        elif self.recorded.spread:
            inputs, linked = self._spread(inputs, linked)
        if self.recorded.draws:
            inputs = self._drawn(inputs, integers)
        try:
            numbers, pull = self.run(inputs, integers)
        except IndexError:  # as the function will say
            raise ChangedError(None) from None
        for check in self.checks:
            guard = check(numbers)
            if guard is not None:
                raise ChangedError(guard)
        for number in numbers[: self.recorded.results]:
            if not (isfinite(number) if number.__class__ is float else np.isfinite(number).all()):
                raise ChangedError(None)
        return Run(self, inputs, integers, linked, numbers, pull)

    def _spread(self, inputs: Sequence[Any], linked: dict[int, Node]) -> tuple[list[Any], dict[int, Node]]:
        """The inputs with some arrays as single numbers, and where the nodes among the arguments are then."""
        made: list[Any] = []
        places: dict[int, Node] = {}
        for k, item in enumerate(inputs):
            if k in linked:
                places[len(made)] = linked[k]
            if k not in self.recorded.spread:
                made.append(item)
            elif len(made) in self.recording.batched:
                made += list(item.reshape(len(item), -1).T)
            else:
                made += item.ravel().tolist()
        return made, places

    def _drawn(self, inputs: Sequence[Any], integers: Sequence[Any]) -> Sequence[Any]:
        """The inputs of a call, then those that are drawn, for each example of a batch anew."""
        made = list(inputs)
        for draw, _ in self.recorded.draws.values():
            if self.batched:
                array = np.stack([draw() for _ in range(count_of(self.recording, inputs, integers))])
            else:
                array = np.asarray(draw())
            if array.dtype != object:
                made.append(array)
            elif self.batched:
                made += list(array.reshape(len(array), -1).T.astype(float))
            else:
                made += [float(item) for item in array.flat]
        return made


def _check(guard: Guard, places: tuple[int, ...]) -> Callable[[Sequence[Any]], Guard | None]:
    """The function that gives the guard if the numbers of a run do not satisfy it."""
    kind, outcome, constants = guard.kind, guard.outcome, guard.constants
    if kind in SIGNS and isinstance(outcome, bool | np.bool):
        sign, first = SIGNS[kind], places[0]
        if constants:
            (constant,) = constants
            return lambda numbers: None if sign(numbers[first], constant) == outcome else guard
        second = places[-1]
        return lambda numbers: None if sign(numbers[first], numbers[second]) == outcome else guard

    def check(numbers: Sequence[Any]) -> Guard | None:
        try:
            came = _outcome(kind, [numbers[place] for place in places], constants)
        except Exception:
            return guard
        return None if _same(came, outcome) else guard

    return check


def _of_all(guard: Guard, places: tuple[int, ...]) -> Callable[[Sequence[Any]], Guard | None]:
    """The function that gives the guard if an example of a batch does not satisfy it."""
    of_one = _check(guard, tuple(range(len(places))))

    def check(numbers: Sequence[Any]) -> Guard | None:
        columns = [numbers[place] for place in places]
        for row in zip(*columns, strict=True):
            if of_one([item.item() if isinstance(item, np.float64) else item for item in row]) is not None:
                return guard
        return None

    return check


def _outcome(kind: str, numbers: list[Any], constants: tuple[Any, ...]) -> Any:
    if kind == "read":
        return numbers[0]
    if kind == "question":
        return constants[0](*numbers)
    if kind == "bool":
        return bool(np.asarray(numbers[0]) != 0)
    if kind in SIGNS:
        return SIGNS[kind](numbers[0], constants[0] if constants else numbers[-1])
    whole: dict[str, Callable[[float], int]] = {"int": int, "floor": math.floor, "ceil": math.ceil}
    return whole[kind](numbers[0])


def _same(left: Any, right: Any) -> bool:
    """Whether two outcomes are the same; a nan is the same as another."""
    if left.__class__ is float is right.__class__:
        return left == right or (left != left and right != right)
    if isinstance(left, list | tuple):
        return len(left) == len(right) and all(map(_same, left, right))
    try:
        return bool(np.array_equal(left, right, equal_nan=True))
    except TypeError:
        return bool(operator.eq(left, right))


def _asked(question: tuple[str, int, Any, Any]) -> Callable[[Sequence[int]], bool]:
    sign, which, other, outcome = question
    if sign == "value":
        return lambda integers: integers[which] == outcome
    compare = SIGNS[sign]
    if isinstance(other, tuple):
        return lambda integers: compare(integers[which], integers[other[1]]) == outcome
    return lambda integers: compare(integers[which], other) == outcome
