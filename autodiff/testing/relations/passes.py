"""Relations of the backward passes themselves: their sums, their order, and their use of memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from random import Random
from typing import Any, Final

import numpy as np
from numpy.lib.array_utils import byte_bounds

from autodiff.engine.backward import backpropagate
from autodiff.engine.gates import reached
from autodiff.engine.graph import Node, topological
from autodiff.engine.plain import plain
from autodiff.engine.shares import edge_shares
from autodiff.primitives.table.choices import where
from autodiff.primitives.table.linear import weighted_sum
from autodiff.primitives.table.reductions import sum as sum_of
from autodiff.testing.relations.run import DoesNotApply, Relation, Run, apart, near, same, short
from autodiff.transforms.functional import vjp
from autodiff.transforms.gradients import gradients
from autodiff.values.tensor import Tensor
from autodiff.values.value import Value

__all__ = ["OF_PASSES"]


def _grads(nodes: Sequence[Any]) -> list[Any]:
    """``.grad`` of nodes; zeros for nodes that no pass has reached."""
    return [np.zeros(np.shape(node.data)) if node.grad is None else np.array(node.grad) for node in nodes]


# ---- sums of shares --------------------------------------------------------------------------------------------------


def _twice_doubles(run: Run) -> str | None:
    output, _ = run.fresh()
    output.backward(run.seed(output))
    nodes: list[Any] = topological(output)
    once = _grads(nodes)
    output.backward(run.seed(output))
    return same(_grads(nodes), [2.0 * first for first in once])


def _linear_in_the_seed(run: Run) -> str | None:
    """The factor is −4, which does not round."""
    output, leaves = run.usual
    return same(run.gradients(output, leaves, -4.0 * run.seed(output)), [-4.0 * g for g in run.usual_gradients])


def _conserved(run: Run) -> str | None:
    run.needs_steps()
    return _added_up(run.usual[0], run)


def _added_up(output: Any, run: Run) -> str | None:
    """At every node, the shares that arrive add up to its error signal, and a zero has the sign of their sum.

    A signal of 0 after a smooth factor is not one behind a closed gate: `reached` tells them apart on the whole graph.
    """
    signals, come = backpropagate(output, run.seed(output)), reached(output, run.seed(output))
    arrived: dict[Node, Any] = {output: np.asarray(run.seed(output))}
    sizes: dict[Node, Any] = {output: np.abs(run.seed(output))}
    for node, signal in signals.items():
        for item, share in edge_shares(node, signal, come=come[node]):
            arrived[item] = arrived[item] + share if item in arrived else share
            sizes[item] = sizes.get(item, 0.0) + np.abs(share)
    for node, signal in signals.items():
        zeros = (np.equal(signal, 0)) & (np.equal(arrived[node], 0))
        if np.any(zeros & (np.signbit(signal) != np.signbit(arrived[node]))):
            return f"{short(signal)} is not {short(arrived[node])}: a zero has the other sign"
    return near(list(signals.values()), [arrived[x] for x in signals], [sizes[x] for x in signals])


def _idle_branch(run: Run) -> str | None:
    """A branch times zero, with edges of every kind, changes no gradient; a node that only it uses gets 0, not −0."""
    output, leaves = run.usual
    heads = [sum_of(leaf).value() if isinstance(leaf, Tensor) else leaf for leaf in leaves]
    heads = [*(part for head in heads for part in (head * 1.0, 1.0 * head)), *heads]
    idle = weighted_sum([1.0] * len(heads) + [2.0], [*heads, Value(1.0)])
    whole = 0.0 * idle + output
    return same(run.gradients(whole, leaves), run.usual_gradients) or _added_up(whole, run)


def _as_nodes(run: Run) -> str | None:
    run.needs_steps()
    output, leaves = run.usual
    found = gradients(output, leaves, seed=run.seed(output), create_graph=True)
    held = [np.zeros(np.shape(x.data)) if g is None else g.data for g, x in zip(found, leaves, strict=True)]
    return near(held, run.usual_gradients, run.sizes)


def _same_bits(run: Run) -> str | None:
    """`.backward`, `backpropagate` and `gradients` agree in the sign of a zero too, and where a sum of three rounds."""
    output, _ = apart(*run.record(_in_three))
    seed = run.seed(output)
    nodes: list[Any] = topological(output)
    output.backward(seed)
    signals = backpropagate(output, seed)
    for node, found in zip(nodes, gradients(output, nodes, seed=seed), strict=True):
        ways = (node.grad, signals[node], found)
        if any(same([node.grad], [way]) or np.any(_is_minus(way) != _is_minus(node.grad)) for way in ways[1:]):
            return f"{', '.join(map(short, ways))} differ in their bits"
    return None


def _in_three(x: Any) -> Any:
    return x * 0.1 + 0.2 * x + x * 0.6


def _is_minus(x: Any) -> Any:
    return np.signbit(x) & ~np.isnan(x)


# ---- order -----------------------------------------------------------------------------------------------------------


def _deterministic(run: Run) -> str | None:
    """Both the value and the gradients have the same bits."""
    (first, _), (second, twins) = run.usual, run.record()
    ones, twos = [first.data, *run.usual_gradients], [second.data, *run.gradients(second, twins)]
    if all(np.asarray(x).tobytes() == np.asarray(y).tobytes() for x, y in zip(ones, twos, strict=True)):
        return None
    return f"{short(first.data)} and {short(second.data)}, or their gradients, differ in their bits"


def _order_of_nodes(run: Run) -> str | None:
    """Inputs come before consumers, and the order does not depend on addresses or names."""
    run.needs_steps()
    first = topological(run.usual[0])
    if any(place is None or place >= k for k, (_, places) in enumerate(_described(first)) for place in places):
        return "a node comes before one of its inputs"
    junk = [Value(0.0) for _ in range(4 * len(first))]
    Random(0).shuffle(junk)
    junk.clear()  # memory is reused in the order in which it was freed
    output, _ = run.fresh()
    second = topological(output)
    for k, node in enumerate(second):
        node.name = f"n{k * 7919 % 101}"
    alike = _described(first) == _described(second) == _described(topological(output))
    return None if alike else "the order of nodes depends on their addresses or names"


def _described(nodes: Sequence[Node]) -> list[tuple[Any, list[int | None]]]:
    """Each node's primitive, and the positions of its inputs."""
    places = {node: k for k, node in enumerate(nodes)}
    return [(node.primitive, [places.get(x) for x in node.inputs if isinstance(x, Node)]) for node in nodes]


def _no_marks(run: Run) -> str | None:
    """Passes from intermediate nodes leave nothing behind that could affect the next pass."""
    run.needs_steps()
    output, leaves = run.fresh()
    nodes: list[Any] = topological(output)
    for node in (nodes[len(nodes) // 2], nodes[-1]):
        node.backward(run.seed(node))
    for node in nodes:
        node.grad = None
    output.backward(run.seed(output))
    return same(_grads(leaves), run.usual_gradients)


def _dead_branch(run: Run) -> str | None:
    """Nodes that the output does not use change nothing, and no error signal reaches them."""
    output, leaves = run.fresh()
    dead = [leaf * leaf for leaf in leaves]
    output.backward(run.seed(output))
    if any(node.grad is not None for node in dead):
        return "an error signal reached a node that the output does not depend on"
    return same(_grads(leaves), run.usual_gradients)


# ---- memory ----------------------------------------------------------------------------------------------------------


def _nothing_written(run: Run) -> str | None:
    """A pass leaves all data and the seed as they were."""
    output, _ = run.fresh()
    nodes: list[Any] = topological(output)
    seed = _seed_to_keep(run, output)
    before = [np.array(seed), *(np.array(node.data) for node in nodes)]
    output.backward(seed)
    return same([seed, *(node.data for node in nodes)], before)


def _seed_to_keep(run: Run, output: Any) -> Any:
    """A seed that a pass could hold on to: an array wherever it may be one."""
    return run.seed(output) if output.scalar else np.array(run.seed(output), output.dtype)


def _own_memory(run: Run) -> str | None:
    """Whoever writes to a gradient or to a returned signal changes nothing else."""
    output, leaves = run.fresh()
    seed = _seed_to_keep(run, output)
    nodes: list[Any] = topological(output)
    output.backward(seed)
    handed = [
        *(("the gradient of a node", node.grad) for node in nodes),
        *(("a signal of backpropagate", signal) for signal in backpropagate(output, seed).values()),
        *(("a result of gradients", slope) for slope in gradients(output, leaves, seed=seed)),
    ]
    if not any(isinstance(array, np.ndarray) for _, array in handed):
        raise DoesNotApply
    return _overlap(handed, [("the seed", seed), *(("the data of a node", node.data) for node in nodes)])


def _overlap(handed: Sequence[tuple[str, Any]], held: Sequence[tuple[str, Any]]) -> str | None:
    """A sentence naming an array of ``handed`` that overlaps another of them, or one of ``held``; None if none does."""
    places = [
        (*byte_bounds(array), known, what)
        for known, named in ((False, handed), (True, held))
        for what, array in named
        if isinstance(array, np.ndarray) and array.size
    ]
    ends = {True: (0, ""), False: (0, "")}  # the furthest end of the arrays that begin before
    for low, high, known, what in sorted(places):
        for other in (False,) if known else (False, True):
            if low < ends[other][0]:
                ours, theirs = (ends[other][1], what) if known else (what, ends[other][1])
                return f"{ours} shares memory with {theirs}"
        ends[known] = max(ends[known], (high, what))
    return None


def _copied(run: Run) -> str | None:
    """The gradients are equal bit for bit."""
    output, leaves = run.usual
    twin, *twins = deepcopy([output, *leaves])
    return same(run.gradients(twin, twins), run.usual_gradients)


# ---- constants -------------------------------------------------------------------------------------------------------


def _branch_not_taken(run: Run) -> str | None:
    """Where the constant is chosen, the output gets nothing; where the output is chosen, it gets everything."""
    output, leaves = run.usual
    shape, seed = np.shape(output.data), run.seed(output)
    constant = np.full(shape, 1.5) if shape else 1.5
    masks = [True, False, *([np.arange(output.size).reshape(shape) % 2 == 0] if shape else [])]
    ways = [(where(mask, output, constant), mask) for mask in masks] + [(where(True, constant, output), False)]
    found = [run.gradients(chosen, leaves, seed) for chosen, _ in ways]
    meant = [run.gradients(output, leaves, seed * mask) if np.any(mask) else _zeros(leaves) for _, mask in ways]
    return next((wrong for pair in zip(found, meant, strict=True) if (wrong := same(*pair))), None)


def _zeros(leaves: Sequence[Any]) -> list[Any]:
    return [np.zeros(np.shape(leaf.data)) for leaf in leaves]


def _constant_outputs(run: Run) -> str | None:
    """By `vjp` of f with a constant number and a constant array beside it."""
    output, _ = run.usual
    _, pullback = vjp(lambda *inputs: [1.5, run.f(*inputs), np.ones(2)], *run.inputs)
    found = pullback([2.0, run.seed(output), np.ones(2)])
    return near(list(map(plain, found)), run.usual_gradients, run.sizes)  # of an f that closes over nodes, by nodes


OF_PASSES: Final[Mapping[str, Relation]] = {
    "backward twice doubles": _twice_doubles,
    "signals are linear in the seed": _linear_in_the_seed,
    "shares that arrive add up to the error signal": _conserved,
    "a branch times zero changes nothing": _idle_branch,
    "gradients as nodes are the plain gradients": _as_nodes,
    "every pass gives the same bits": _same_bits,
    "the same program gives the same bits": _deterministic,
    "the order of nodes follows from the graph alone": _order_of_nodes,
    "earlier passes leave no marks": _no_marks,
    "a dead branch changes nothing": _dead_branch,
    "a pass writes to nothing but .grad": _nothing_written,
    "gradients share no memory": _own_memory,
    "a copy of the graph has the same gradients": _copied,
    "a branch that is not taken gets nothing": _branch_not_taken,
    "constants among the outputs change nothing": _constant_outputs,
}
