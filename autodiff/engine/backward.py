"""The chain rule on a recorded graph: every consumer sends each of its inputs a share, and the shares add up.

Two passes give the same numbers to the last bit. The *slot pass* keeps counts and signals in two slots of the nodes;
one pass at a time may use them. The *general pass* keeps all its state in dictionaries of its own, so that threads and
nested passes never meet; it also serves where the result is to be a graph itself, or only some gradients are wanted.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from itertools import repeat
from typing import Any, Final

import numpy as np
from numpy import ndarray

from autodiff.engine.gates import has_nan, reached
from autodiff.engine.graph import BY_RULE, Node, check_all_fresh, check_fresh, commit, set_grad, topological
from autodiff.engine.shares import (
    GUARDED,
    SENDERS,
    Senders,
    accumulate,
    gated_shares,
    in_the_rule_of,
    is_finite_sum,
    plain_shares,
)
from autodiff.primitives.operands import describe

__all__ = ["backpropagate", "own_copy", "run_backward"]

Deliver = Callable[[Node, Any], None]

_NOWHERE: Final[list[Any]] = []  # what is listed for nobody

_slots_in_use: Final = threading.Lock()
_writing: Final = threading.RLock()  # adding to ``.grad`` is reading and writing; two threads must not do it at once


def backpropagate(output: Node, seed: Any = None, *, create_graph: bool = False) -> dict[Node, Any]:
    """The error signal of every node that ``output`` depends on: δ = ∂output/∂node, times the seed.

    Args:
        output: a Value or Tensor; without ``seed`` it must hold one number.
        seed: the error signal of the output itself, of its shape; 1 if left out.
        create_graph: signals are nodes, which can be differentiated again.

    Returns:
        {node: signal}; the node's shape and type. It writes to no node.

    Raises:
        TypeError: output is not a node. ValueError: the seed's shape is not the output's.
        StaleGraphError: data was assigned after the graph was recorded.

    Source: notes, section 1.5 ("general step").

    >>> from autodiff import Value
    >>> x = Value(3.0)
    >>> y = x * x
    >>> backpropagate(y)[x]
    6.0
    """
    signals: dict[Node, Any] = {}

    def deliver(node: Node, signal: Any) -> None:
        signals[node] = own_copy(signal)

    run_backward(output, seed, deliver, create_graph=create_graph)
    return signals


def run_backward(
    output: Node,
    seed: Any,
    deliver: Deliver | None,
    *,
    create_graph: bool = False,
    wanted: Collection[Node] | None = None,
) -> None:
    """Run a backward pass and hand each node's final signal to ``deliver(node, signal)``.

    It multiplies everywhere as IEEE does. Only where a nan comes out does it matter which zeros are those of closed
    gates; then a second pass, `gated`, delivers anew. Elsewhere the question costs nothing, as 0 times a finite number
    is 0.

    ``deliver`` None adds the signals to ``.grad``. An array may be shared with other nodes: `own_copy` before keeping
    it. With ``wanted``, only those nodes matter: what leads to none of them may be left out.
    """
    seed = _seed_of(output, seed, create_graph=create_graph)
    gated = create_graph
    if not create_graph and (wanted is None or seed.__class__ is float) and not _slots_in_use.locked():
        with _slots_in_use:  # ``with``: no interrupt comes between taking the lock and being sure to release it
            if _slot_pass(output, seed, deliver):
                return
        gated = True
    arrived: dict[Node, Any] = {}

    def keep(node: Node, signal: Any) -> None:
        arrived[node] = own_copy(signal)

    hand = keep if deliver is None else deliver
    if not _general_pass(output, seed, hand, wanted, gated=gated, create_graph=create_graph):
        _general_pass(output, seed, hand, wanted, gated=True)
    if deliver is None:
        _write(arrived)


def _write(arrived: dict[Node, Any]) -> None:
    """Add the signals to ``.grad``, to all or to none; no two of them share memory, unless one is a view."""
    with _writing:
        grads = [
            signal
            if node._grad is None
            and (signal.__class__ is float or (signal.__class__ is ndarray and signal.base is None))
            else _added(node._grad, signal)
            for node, signal in arrived.items()
        ]
        commit((set_grad, arrived, grads))


def _added(grad: Any, signal: Any) -> Any:
    """A signal as an array of its own, added to what is in ``.grad``."""
    if grad is None:
        return np.array(signal)
    total = grad + signal
    return np.asarray(total) if isinstance(total, np.generic) else total  # as NumPy adds arrays without axes


def own_copy(signal: Any) -> Any:
    """A signal to keep: arrays (NumPy's scalars too) copied, floats and nodes as they are."""
    return np.array(signal) if isinstance(signal, np.ndarray | np.generic) else signal


def _seed_of(output: Any, seed: Any, *, create_graph: bool = False) -> Any:
    """The seed as the output's kind of signal: 1 if None; raises as `backpropagate` says."""
    if not isinstance(output, Node):
        raise TypeError(
            f"a gradient needs an output that was computed from Values or Tensors, and got {describe(output)}; "
            "a plain number means that the graph was left on the way, for example by .data or float()"
        )
    data = output._data
    if seed is None:
        return 1.0 if data.__class__ is float else _one(data)
    if isinstance(seed, Node):
        if not create_graph:
            raise TypeError("the seed is a node, which only a pass with create_graph=True can use; pass seed.data")
        shape = np.shape(seed._data)
    else:
        if isinstance(seed, bool | str) or not np.isrealobj(seed) or np.asarray(seed).dtype.kind not in "fiu":
            raise TypeError(f"the seed is a number or an array of the output's shape, and got {describe(seed)}")
        shape = np.shape(seed)
    if shape != np.shape(data):
        raise ValueError(f"the seed has shape {shape}, the output {np.shape(data)}; they must be the same")
    if isinstance(seed, Node):
        return seed
    return float(seed) if data.__class__ is float else np.array(seed, data.dtype)


def _one(data: Any) -> Any:
    """The error signal 1 of an array that holds one number."""
    if data.__class__ is np.float64:  # what NumPy's sums give
        return np.array(1.0)
    if data.size != 1:
        raise ValueError(
            f"the output has shape {data.shape}; a gradient is taken of one number, so reduce it, as with .sum(), "
            "or pass a seed of that shape"
        )
    return np.ones(data.shape, data.dtype)


def _slot_pass(output: Node, seed: Any, deliver: Deliver | None) -> bool:
    """Both phases with their state in the nodes' slots; False, with nothing written, where a nan came out.

    First ``due`` counts the edges that lead into each node, then a node passes its ``delta`` on as soon as the last of
    them has delivered: each edge is walked twice and nothing is sorted. The ``delta`` of a counted node is a zero of
    this pass's own, to which shares can be added without asking whether one is the first: −0.0 + x is x to the bit.
    """
    token = float("-0.0")
    rules = _count_in_slots(output, token)
    if rules is None and seed.__class__ is float:
        return _add_to_grads(output, seed) if deliver is None else _walk(output, seed, deliver)
    output.delta = seed
    arrived: dict[Node, Any] = {}
    if rules is GUARDED:
        with np.errstate(all="ignore"):
            sound = _walk_by_rules(output, token, rules, deliver, arrived)
    else:
        sound = _walk_by_rules(output, token, rules or SENDERS, deliver, arrived)
    if sound and deliver is None:
        _write(arrived)
    return sound


def _add_to_grads(output: Node, seed: float) -> bool:
    """A pass over Values, which adds each signal to ``.grad`` as it comes; undone if it does not come to its end."""
    before: list[tuple[Node, float]] = []
    with _writing:
        try:
            sound = _walk(output, seed * 1.0, None, before)  # a float of this pass alone, for `_undo`
            if not sound:
                _undo(output, before)
        except BaseException:  # an interrupt of the undoing too
            _undo(output, before)
            raise
    return sound


def _undo(output: Node, before: list[tuple[Node, float]]) -> None:
    """Give back to ``.grad`` what a pass over Values found there: the numbers of ``before``, elsewhere None.

    Where the pass has written to None it has put there the very object in ``delta``, which is in no ``.grad`` from
    before the pass. So the nodes need not be listed on the way, which costs a pass up to 8 % of its time.
    """
    fresh = [node for node in topological(output) if node._grad is node.delta]
    nodes, grads = zip(*before, strict=True) if before else ((), ())
    commit((set_grad, fresh, repeat(None)), (set_grad, nodes, grads))


def _walk(output: Node, seed: float, deliver: Deliver | None, before: list[tuple[Node, float]] = _NOWHERE) -> bool:
    """The second phase over Values: hand out signals, or add them to ``.grad``; False where a nan came out.

    Without ``deliver``, ``before`` lists what ``.grad`` was where it was a number. The lines that deliver a share are
    written out here, in `_send_to_many`, and for rules in `shares` and `emit_arrays`: a call would make an edge take
    half as long again.
    """
    output.delta = seed
    todo: list[Node] = []
    pop, push, sound = todo.pop, todo.append, True
    node: Node | None = output
    while node is not None:
        signal = node.delta
        if deliver is not None:
            node.delta = None  # a share that came later would raise, not count as a part
            deliver(node, signal)
        elif node._grad is None:
            node._grad = signal
        else:
            before.append((node, node._grad))
            node._grad = node._grad + signal
        da, db = node.da, node.db
        if da.__class__ is float:
            a = node.a
            a.delta += signal * da
            if a.due == 1:
                push(a)
            else:
                a.due -= 1
        elif da is not None:
            _send_to_many(node, node.b, db, signal, push)
            db = None
        elif db is None and signal != signal:
            sound = False
        if db is not None:
            b = node.b
            b.delta += signal * db
            if b.due == 1:
                node = b
                continue
            b.due -= 1
        node = pop() if todo else None
    return sound


def _walk_by_rules(
    output: Node, token: object, rules: Senders, deliver: Deliver | None, arrived: dict[Node, Any]
) -> bool:
    """The second phase where nodes share by rules, Values among them or not; without ``deliver``, into ``arrived``."""
    todo = [output]
    pop, push, sound, guarded = todo.pop, todo.append, True, rules is GUARDED
    while todo:
        node = pop()
        signal = node.delta
        node.delta = None  # let go of arrays
        if deliver is None:
            arrived[node] = signal
        else:
            deliver(node, signal)
        if node.da is BY_RULE:
            if guarded and has_nan(signal):  # also where an index would drop it before it comes to a leaf
                sound = False
            try:
                rules[node.origin.primitive](node, signal, token, push)
            except Exception as error:
                error.add_note(in_the_rule_of(node, signal))
                raise
        elif node.a is None:
            if signal.__class__ is float:
                sound = sound and signal == signal
            elif signal.size:
                low = signal.item(signal.argmin())  # as `has_nan`, written out: a third of the time
                if low != low:
                    sound = False
        else:
            if guarded and signal != signal:
                sound = False
            _send_to_many(node, *_edges(node), signal, push)
    return sound


def _edges(node: Node) -> tuple[Any, Any]:
    """The inputs of a Value that are nodes, and the local gradients on the edges to them."""
    if node.a.__class__ is tuple:
        return node.b, node.db
    kept = [k for k, local in enumerate((node.da, node.db)) if local is not None]
    return [(node.a, node.b)[k] for k in kept], [(node.da, node.db)[k] for k in kept]


def _send_to_many(
    node: Node, items: tuple[Node, ...], partials: tuple[float, ...], signal: float, push: Any
) -> None:
    if not signal and is_finite_sum(node):
        _send_zero(items, signal, push)
        return
    for item, local in zip(items, partials):  # noqa: B905 - made of one length; strict costs on every node
        item.delta += signal * local
        due = item.due
        if due == 1:
            push(item)
        else:
            item.due = due - 1


def _send_zero(items: tuple[Node, ...], signal: float, push: Any) -> None:
    """Deliver a signal 0 across finite local gradients, which need not be multiplied."""
    for item in items:
        item.delta += signal
        due = item.due
        if due == 1:
            push(item)
        else:
            item.due = due - 1


def _count_in_slots(output: Node, token: object) -> Senders | None:  # noqa: C901, PLR0915 - a call for every edge would double its time
    """Mark every node with ``token`` and count its edges in ``due``.

    Returns the senders of the nodes that share by a rule, None if there is no such node.
    """
    output.delta, output.due = token, 0
    rules: Senders | None = None
    oldest, newest = output.version, 0  # of the computed nodes, of the leaves
    todo = [output]
    pop, push = todo.pop, todo.append
    while todo:
        node = pop()
        da, db, version = node.da, node.db, node.version
        if da is None is db:
            if version > newest:
                newest = version
            continue
        if version < oldest:
            oldest = version
        if da is not None:
            a = node.a
            if da.__class__ is float:
                if a.delta is token:
                    a.due += 1
                else:
                    a.delta, a.due = token, 1
                    push(a)
            elif da is BY_RULE:
                if rules is not GUARDED:
                    rules = GUARDED if node.origin.primitive.singular else SENDERS  # type: ignore[union-attr]
                for item in a:
                    if isinstance(item, Node):
                        if item.delta is token:
                            item.due += 1
                            continue
                        item.delta, item.due = token, 1
                        if item.a is not None:
                            push(item)
                        elif item.version > newest:
                            newest = item.version
                continue
            else:
                for item in node.b:
                    if item.delta is token:
                        item.due += 1
                    else:
                        item.delta, item.due = token, 1
                        push(item)
                continue
        if db is not None:
            b = node.b
            if b.delta is token:
                b.due += 1
            else:
                b.delta, b.due = token, 1
                push(b)
    if newest > oldest:
        check_all_fresh(topological(output))
    return rules


def _general_pass(
    output: Node, seed: Any, deliver: Deliver, wanted: Collection[Node] | None, *,
    gated: bool = False, create_graph: bool = False,
) -> bool:  # fmt: skip
    """The same two phases in the same order, with counts and signals in dictionaries; False where a nan came out.

    With ``gated``, nothing gets through a closed gate, and a nan that is left is the answer.
    """
    expected = _count_edges(output)
    useful = expected if wanted is None else _leading_to(output, wanted)
    come = reached(output, seed) if gated else {}
    signals: dict[Node, Any] = {output: seed}
    todo, sound = [output], True
    with np.errstate(all="ignore"):
        while todo:
            node = todo.pop()
            signal = signals.pop(node, None)
            if signal is not None:
                deliver(node, signal)
                if gated:
                    shares = gated_shares(node, signal, come[node], useful, create_graph=create_graph)
                else:
                    sound = sound and not has_nan(signal)
                    shares = plain_shares(node, signal, useful)
                for item, share in shares:
                    signals[item] = accumulate(signals[item], share, signal) if item in signals else share
            for item in node.inputs:
                if isinstance(item, Node):
                    expected[item] -= 1
                    if not expected[item]:
                        todo.append(item)
    return sound or gated


def _count_edges(output: Node) -> dict[Node, int]:
    """How many edges lead into each node; raises StaleGraphError."""
    expected = {output: 0}
    todo = [output]
    while todo:
        node = todo.pop()
        for item in node.inputs:
            if isinstance(item, Node):
                if item in expected:
                    expected[item] += 1
                else:
                    expected[item] = 1
                    if item.a is not None:
                        todo.append(item)
                if item.version > node.version:
                    check_fresh(node, item)
    return expected


def _leading_to(output: Node, wanted: Collection[Node]) -> set[Node]:
    """The nodes through which a wanted node is reached, itself included."""
    useful = set(wanted)
    for node in topological(output):
        if node not in useful and any(isinstance(item, Node) and item in useful for item in node.inputs):
            useful.add(node)
    return useful
