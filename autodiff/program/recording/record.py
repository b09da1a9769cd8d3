"""`record`: run a function once, so that it leaves a `Recording`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np

from autodiff.engine.graph import Node
from autodiff.engine.trees import flatten, tree_map
from autodiff.primitives.operands import describe
from autodiff.program.recording.integers import Integer
from autodiff.program.recording.recorder import Draw, Recorder
from autodiff.program.recording.recording import Guard, Recording
from autodiff.program.recording.rerun import ordered
from autodiff.program.recording.shifts import irrelevant
from autodiff.values.tensor import Tensor
from autodiff.values.value import Value

__all__ = ["Recorded", "is_by_element", "record"]

_MANY: Final = 100  # Tensors of one number that are written as kernels without delay

#: What Python asked of an integer of the run: sign, number, other operand, answer.
Question = tuple[str, int, Any, Any]

#: What a result may hold: nodes, which are computed anew, and what cannot hold nodes.
_RESULTS: Final = (Node, np.ndarray, np.generic, bool, int, float, complex, str, bytes, type(None))


@dataclass(frozen=True, eq=False)
class Recorded:
    """A recording, and what a call needs beside it.

    Args:
        recording: the graph.
        order: its nodes, inputs first.
        result: what the function returned, with nodes as leaves.
        results: how many of the recording's outputs are results; the others are asked by guards.
        guards: each guard, with the places of its nodes among the outputs.
        whole: the questions that Python asked of integers.
        draws: for inputs that are drawn at each call, how.
        spread: for the number of each array of the call whose elements are inputs of their own, how many they are.
        reason: why a replay cannot do what the function did; empty if it can.
    """

    recording: Recording
    order: list[Node]
    result: Any
    results: int
    guards: tuple[tuple[Guard, tuple[int, ...]], ...]
    whole: tuple[Question, ...]
    draws: Mapping[int, Draw]
    reason: str
    spread: Mapping[int, int] = field(default_factory=dict)


def record(
    function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any], *, integers_vary: bool = True,
    scalars: bool = False, batched: frozenset[int] = frozenset(), batched_integers: frozenset[int] = frozenset(),
) -> Recorded:  # fmt: skip
    """Call ``function(*args, **kwargs)`` once and record it; raises what the function raises.

    Floats and arrays among the arguments, in nested lists, tuples and dicts, become leaves; ints and arrays of ints
    become integers of the run, unless ``integers_vary`` is false. With ``scalars``, arrays become object arrays of
    leaves, as a network of Values needs them. Those inputs and integers of the call whose numbers are ``batched`` will
    be run with an axis of examples, and so will what is drawn.
    """
    made = Recorder()
    stand = _Standing(made, integers_vary, scalars)
    given, keywords = stand.of(list(args)), stand.of(dict(kwargs))
    with made.running():
        result = function(*given, **keywords)
        result = tree_map(lambda item: item.fixed() if type(item) is Integer else item, result)
    for output in flatten(result):
        if not isinstance(output, _RESULTS) or (isinstance(output, np.ndarray) and output.dtype == object):
            made.refused(f"the result holds {describe(output)}; return nodes in lists, tuples and dicts, or a Tensor")
    found = replace(_finished(made, result, stand.numbers), spread=stand.spread)
    if not batched and not batched_integers:
        return found
    axes = [k for k, number in enumerate(stand.origins) if number in batched]
    axes += range(len(stand.origins), len(made.inputs))  # what is drawn
    recording = replace(found.recording, batched=frozenset(axes), batched_integers=batched_integers)
    return replace(found, recording=recording)


def is_by_element(recorded: Recorded) -> bool:
    """Whether a function that was given arrays as Tensors works with their elements, each a node of its own.

    Such nodes are recorded again as Values: those become the units of layers. What is drawn is not drawn twice.
    """
    computed = [node for node in recorded.order if node.a is not None]
    arrays = [node._data.size for node in computed if not node.scalar]
    single = arrays.count(1)
    return single > _MANY and 2 * (len(arrays) - single) < len(computed) and not recorded.draws


class _Standing:
    """Replaces arguments by what stands for them, in the order of `autodiff.program.keys.Call`."""

    def __init__(self, made: Recorder, integers_vary: bool, scalars: bool) -> None:
        self.made, self.vary, self.scalars = made, integers_vary, scalars
        self.numbers: list[int] = []
        self.nodes: dict[int, Any] = {}
        self.origins: list[int] = []  # for each input of the recording, the number of its input of the call
        self.spread: dict[int, int] = {}
        self._next = 0

    def of(self, item: Any) -> Any:
        kind = item.__class__
        if kind is float or isinstance(item, np.floating):
            return self._input(float(item))
        if isinstance(item, Node):
            return self._of_node(item)
        if kind is int or isinstance(item, np.integer):
            return self._integer(int(item))
        if isinstance(item, np.ndarray):
            return self._of_array(item)
        if isinstance(item, dict | list | tuple):
            parts = list(item.values()) if isinstance(item, dict) else item
            return _with(item, [self.of(part) for part in parts])
        return item

    def _input(self, data: Any) -> Any:
        self.origins.append(self._next)
        self._next += 1
        return self.made.standing(data)

    def _spread(self, array: np.ndarray[Any, Any]) -> Any:
        """An object array of leaves."""
        self.spread[self._next] = array.size
        self.origins += [self._next] * array.size
        self._next += 1
        made = np.empty(array.shape, object)
        for place in np.ndindex(array.shape):
            made[place] = self.made.standing(float(array[place]))
        return made if made.ndim else made[()]

    def _integer(self, value: int) -> Any:
        which = len(self.numbers)
        self.numbers.append(value)
        if self.vary:
            return Integer(value, which, self.made)
        self.made.whole.append(("value", which, None, value))
        return value

    def _of_array(self, item: np.ndarray[Any, Any]) -> Any:
        if item.dtype.kind == "f":
            return self._spread(item) if self.scalars else self._input(item)
        if item.dtype.kind in "iu" and not self.vary:
            for value in item.ravel().tolist():
                self._integer(value)
            return item
        if item.dtype.kind not in "iuO":
            return item
        made = np.empty(item.shape, object)
        for place in np.ndindex(item.shape):
            made[place] = self.of(item[place])
        return made if made.ndim else made[()]

    def _of_node(self, node: Any) -> Any:
        """A leaf is itself; a computed node is cut off from its graph."""
        if node.a is None and not node.is_detached:
            return node
        if id(node) not in self.nodes:
            leaf = (Value if node.scalar else Tensor)(node._data)
            self.made.inputs.append(leaf)
            self.origins.append(self._next)
            self._next += 1
            self.nodes[id(node)] = leaf
        return self.nodes[id(node)]


def _with(tree: Any, parts: list[Any]) -> Any:
    """A dict, list or tuple of the same kind with other items."""
    if isinstance(tree, dict):
        twin = copy(tree)
        twin.update(zip(tree, parts, strict=True))
        return twin
    return type(tree)(*parts) if hasattr(tree, "_fields") else type(tree)(parts)


def _finished(made: Recorder, result: Any, numbers: Sequence[int]) -> Recorded:
    outputs = [item for item in flatten(result) if isinstance(item, Node)]
    loose = made.loose
    if loose:
        trial = _recorded(made, result, outputs, ())
        if not made.reason and irrelevant(trial.recording, trial.order, loose, numbers):
            if not made.guards:
                return trial
            loose = []
    return _recorded(made, result, outputs, (*made.guards, *loose))


def _recorded(made: Recorder, result: Any, results: list[Node], guards: tuple[Guard, ...]) -> Recorded:
    places: dict[Node, int] = {}
    outputs = list(results)
    for guard in guards:
        for node in guard.nodes:
            if node not in places:
                places[node] = len(outputs)
                outputs.append(node)
    order = ordered(outputs, made.selections)
    apart = {*made.inputs, *made.selections}
    parameters = [
        node for node in order
        if node.a is None and node not in apart and not node.is_detached and node.version < made.start
    ]  # fmt: skip
    held = {node: which for node, which in made.indices.items() if node in set(order)}
    recording = Recording(
        tuple(made.inputs), tuple(parameters), tuple(outputs), dict(made.selections), guards, frozenset(), held
    )
    asked = tuple((guard, tuple(places[node] for node in guard.nodes)) for guard in guards)
    whole = tuple(dict.fromkeys(made.whole))
    return Recorded(recording, order, result, len(results), asked, whole, dict(made.draws), made.reason)
