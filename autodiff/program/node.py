"""One node that stands for a whole program: its inputs are the parameters and the nodes among the arguments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from itertools import repeat
from operator import add, attrgetter, is_
from typing import Any, Final

import numpy as np

from autodiff.engine.graph import (
    BY_RULE,
    Node,
    added,
    check_all_fresh,
    clock,
    commit,
    grads_are_written,
    set_grad,
    topological,
)
from autodiff.engine.trees import rebuild
from autodiff.primitives.domain import ANY
from autodiff.primitives.primitive import Primitive
from autodiff.primitives.table.layout import concatenate, getitem, stack
from autodiff.primitives.table.units import identity
from autodiff.program.batches import count_of, example
from autodiff.program.plan import Plan, Run
from autodiff.program.recording.rerun import rerun
from autodiff.transforms.gradients import gradients
from autodiff.values.copies import twin
from autodiff.values.tensor import Tensor
from autodiff.values.value import Value

__all__ = ["WHOLE", "result_of"]


class _Whole(Primitive):
    """A primitive in no table: its forward and its rule are those of the program that a node holds in ``db``."""

    def shares_of(self, node: Node, signal: Any, *, create_graph: bool = False) -> Sequence[Any]:
        """The share of each input, as `Run.pulled` gives them; with ``create_graph`` as nodes."""
        run: Run = node.db
        if create_graph:
            return _shares_as_nodes(node, signal)
        parameters, inputs = run.pulled(_split(run.plan, signal))
        if isinstance(parameters, np.ndarray):
            parameters = parameters.tolist()
        return [*parameters, *(inputs[k] for k in run.linked)]

    def unfold(self, output: Any) -> Any:
        """The graph of ``output`` with the inside of each program in the place of its node."""
        memo: dict[int, Any] = {}
        order = topological(output)
        check_all_fresh(order)
        for node in order:
            inputs = [memo[id(item)] for item in node.inputs if isinstance(item, Node)]
            if node.origin.primitive is WHOLE:
                memo[id(node)] = _joined(node.db.plan, _graph(node, inputs))
            elif all(memo[id(item)] is item for item in node.inputs if isinstance(item, Node)):
                memo[id(node)] = node
            else:
                memo[id(node)] = twin(node, memo)
        return memo[id(output)]

    def add_all(self, output: Node, signal: Any) -> bool:
        """Add the gradients of a program of leaves to their ``.grad``, all or none; False if others are involved.

        A pass over the edges takes 350 ns for each parameter, this a sixth of it.
        """
        run: Run = output.db
        plan = run.plan
        leaves = output.a
        if run.linked or (clock.now != output.version and max(map(_version, leaves), default=0) > output.version):
            return False
        shares = run.pulled(_split(plan, signal))[0]
        if isinstance(shares, np.ndarray):
            shares = shares.tolist()
        elif not plan.of_values:
            shares = [x if x.__class__ is float or x.base is None else np.array(x) for x in shares]
        with grads_are_written:
            before = list(map(_grad, leaves))
            try:
                # Lists of floats compare at 3 ns a leaf; arrays have no one answer.
                first = before == plan.nothing if plan.of_values else all(map(is_, before, repeat(None)))
                if not first:
                    shares = list(map(add if plan.of_values else added, before, shares))
            except TypeError:  # some are None
                shares = list(map(added, before, shares))
            own = added(output._grad, signal)
            commit((set_grad, leaves, shares), (set_grad, (output,), repeat(own)))
        return True


_grad: Final = attrgetter("_grad")
_version: Final = attrgetter("version")


def _no_rule(*_: Any) -> Any:
    raise TypeError("a program has no rule of one line; unfold its node")


#: The primitive of all nodes that stand for programs.
WHOLE: Final = _Whole(
    "program", _no_rule, _no_rule, "program", "A recorded program.", (ANY,), (),
    False, False, False, False, False, False, False, (),
)  # fmt: skip


def result_of(run: Run) -> Any:
    """The result of a call: its nodes, in the structure that the function returned."""
    plan = run.plan
    if plan.bare:
        return _whole(run, run.numbers[0], scalar=plan.single)
    if plan.single is not None:
        return rebuild(plan.recorded.result, [_whole(run, run.numbers[0], scalar=plan.single)])
    flat = [np.ravel(number) for number in run.numbers[: plan.recorded.results]]
    joint = _whole(run, np.concatenate(flat) if flat else np.zeros(0), scalar=False)
    nodes, start = [], 0
    for node, part in zip(plan.outputs, flat, strict=True):
        piece = getitem(joint, index=slice(start, start + part.size)).reshape(np.shape(node._data))
        nodes.append(Value.from_tensor(piece) if node.scalar else piece.astype(node._data.dtype))
        start += part.size
    return rebuild(plan.recorded.result, plan.filled(nodes))


def _whole(run: Run, number: Any, *, scalar: Any) -> Any:
    plan = run.plan
    kind: Any = Value if scalar else Tensor
    if not scalar and number.__class__ is float:
        number = plan.outputs[0]._data.dtype.type(number)
    node = kind._leaf(number, plan.origin)
    node.a = (*plan.recording.parameters, *run.linked.values()) if run.linked else plan.recording.parameters
    node.b, node.da, node.db = (), BY_RULE, run
    return node


def _split(plan: Plan, signal: Any) -> list[Any]:
    """The error signal of each result."""
    if plan.single is not None:
        return [signal]
    parts, start = [], 0
    for node in plan.outputs:
        size = 1 if node.scalar else node._data.size
        part = signal[start : start + size]
        parts.append(float(part[0]) if node.scalar else part.reshape(node._data.shape))
        start += size
    return parts


def _graph(node: Any, leaves: Sequence[Any]) -> list[Any]:
    """The results of the program at the call of ``node``, as a graph on ``leaves``, which are given like its inputs."""
    run: Run = node.db
    recording = run.plan.recording
    count = len(recording.parameters)
    given: dict[Node, Any] = dict(zip(recording.parameters, leaves[:count], strict=True))
    linked = dict(zip(run.linked, leaves[count:], strict=True))
    if not run.plan.batched:
        return _results(run.plan, given, linked, run.inputs, run.integers)
    number = count_of(recording, run.inputs, run.integers)
    each = [_results(run.plan, given, linked, *example(recording, run.inputs, run.integers, k)) for k in range(number)]
    totals = [reduce(add, column) for column in zip(*each, strict=True)]
    return [total / float(number) for total in totals] if run.plan.mean else totals


def _results(
    plan: Plan, given: Mapping[Node, Any], linked: Mapping[int, Any], inputs: Sequence[Any], integers: Sequence[int]
) -> list[Any]:
    """The results of one example as a graph."""
    leaves = dict(given)
    for k, leaf in enumerate(plan.recording.inputs):
        made = linked.get(k)
        leaves[leaf] = (Value if leaf.scalar else Tensor)(inputs[k], name=leaf.name) if made is None else made
    found = rerun(plan.recording, plan.recorded.order, leaves, integers)
    return [found[output] for output in plan.outputs]


def _joined(plan: Plan, results: list[Any]) -> Any:
    if plan.single is not None:
        return results[0]
    return concatenate([(stack((item,)) if item.scalar else item.ravel()) for item in results])


def _shares_as_nodes(node: Any, signal: Any) -> list[Any]:
    """Shares that can be differentiated again: those of the recorded graph, computed anew on the inputs of ``node``."""
    proxies = [identity(item) for item in node.a]  # so that one input that depends on another is not passed through
    output = _joined(node.db.plan, _graph(node, proxies))
    found = gradients(output, proxies, seed=signal, create_graph=True)
    return [
        type(item).constant(0.0 if item.scalar else np.zeros_like(item._data)) if share is None else share
        for item, share in zip(node.a, found, strict=True)
    ]
