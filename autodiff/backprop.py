"""The chain rule on a recorded graph: every consumer sends each of its inputs a share, and the shares add up.

Two passes give the same numbers to the last bit. The *slot pass* keeps counts and signals in two slots of the nodes;
one pass at a time may use them. The *general pass* keeps all its state in dictionaries of its own, so that threads and
nested passes never meet; it also serves where the result is to be a graph itself, or only some gradients are wanted.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Collection
from contextlib import nullcontext
from typing import Any, Final

import numpy as np

from autodiff.array import lent, sharing
from autodiff.graph import BY_RULE, Node, check_fresh, topological
from autodiff.namespace import arrays
from autodiff.ops.elementwise import where
from autodiff.ops.layout import reshape, stack, sum_of_rows, sum_to
from autodiff.primitive import describe

__all__ = ["backpropagate", "edge_shares", "fit", "local_gradients", "own_copy", "seed_of", "send_back"]

Deliver = Callable[[Node, Any], None]

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

    send_back(output, seed, deliver, create_graph=create_graph)
    return signals


def send_back(
    output: Node,
    seed: Any,
    deliver: Deliver | None,
    *,
    create_graph: bool = False,
    wanted: Collection[Node] | None = None,
) -> None:
    """Run a backward pass and hand each node's final signal to ``deliver(node, signal)``.

    ``deliver`` None adds the signals to ``.grad``. An array may be shared with other nodes: `own_copy` before keeping
    it. With ``wanted``, only those nodes matter, and signals that reach none of them are not computed.
    """
    seed = seed_of(output, seed, create_graph=create_graph)
    if not create_graph and (wanted is None or seed.__class__ is float) and _slots_in_use.acquire(False):
        try:
            return _slot_pass(output, seed, deliver)
        finally:
            _slots_in_use.release()
    if deliver is not None:
        return _general_pass(output, seed, deliver, create_graph, wanted)
    return _write(backpropagate(output, seed))


def _write(arrived: dict[Node, Any]) -> None:
    """Add the signals to ``.grad``; no two of them share memory, unless one is a view."""
    with _writing:
        for node, signal in arrived.items():
            if node.grad is not None:
                total = node.grad + signal
                node.grad = np.asarray(total) if isinstance(total, np.generic) else total  # as NumPy adds 0-d arrays
            elif signal.__class__ is float or (signal.__class__ is np.ndarray and signal.base is None):
                node.grad = signal
            else:
                node.grad = np.array(signal)


def own_copy(signal: Any) -> Any:
    """A signal to keep: arrays (NumPy's scalars too) copied, floats and nodes as they are."""
    return np.array(signal) if isinstance(signal, np.ndarray | np.generic) else signal


def seed_of(output: Any, seed: Any, *, create_graph: bool = False) -> Any:
    """The seed as the output's kind of signal: 1 if None; raises as `backpropagate` says."""
    if not isinstance(output, Node):
        raise TypeError(
            f"a gradient needs an output that was computed from Values or Tensors, and got {describe(output)}; "
            "a plain number means that the graph was left on the way, for example by .data or float()"
        )
    data = output._data
    if seed is None:
        if data.__class__ is float:
            return 1.0
        if data.__class__ is np.float64:  # what NumPy's sums give
            return np.array(1.0)
        if data.size != 1:
            raise ValueError(
                f"the output has shape {data.shape}; a gradient is taken of one number, so reduce it, as with .sum(), "
                "or pass a seed of that shape"
            )
        return np.ones(data.shape, data.dtype)
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


def _slot_pass(output: Node, seed: Any, deliver: Deliver | None) -> None:
    """Both phases with their state in the nodes' slots.

    First ``delta`` counts the edges that lead into each node, then a node passes its signal on as soon as the last of
    them has delivered: each edge is walked twice and nothing is sorted. A counted node is marked with a zero of this
    pass's own, to which shares can be added without asking whether one is the first: −0.0 + x is x to the bit.
    """
    token = float("-0.0")
    by_rule = _count_in_slots(output, token)
    output.mark = seed
    if deliver is None and not by_rule:
        with _writing:
            _walk(output, token, None)
    elif deliver is None:  # a rule may raise on the way: writing comes last
        arrived: dict[Node, Any] = {}
        _walk(output, token, arrived.__setitem__)
        _write(arrived)
    else:
        _walk(output, token, deliver)


def _walk(output: Node, token: object, deliver: Deliver | None) -> None:
    """The second phase, from counted nodes: hand out signals, or add them to ``.grad`` at once."""
    todo: list[Node] = []
    pop, push = todo.pop, todo.append
    node: Node | None = output
    while node is not None:
        signal = node.mark
        if deliver is None:
            node.grad = signal if node.grad is None else node.grad + signal
        else:
            node.mark = None  # let go of arrays
            deliver(node, signal)
        da, db = node.da, node.db
        if da.__class__ is float:
            a = node.a
            a.mark += signal * da if signal else 0.0  # a zero error signal shares zero, also on an infinite edge
            if a.delta == 1:
                push(a)
            else:
                a.delta -= 1
        elif da is BY_RULE:
            entry = node.origin.primitive
            try:
                (_senders.get(entry) or _written(_senders, entry, True))(node, signal, token, push)
            except Exception as error:
                error.add_note(_in_the_rule_of(node, signal))
                raise
            db = None
        elif da is not None:
            _send_to_many(node.b, db, signal, push)
            db = None
        if db is not None:
            b = node.b
            b.mark += signal * db if signal else 0.0
            if b.delta == 1:
                node = b
                continue
            b.delta -= 1
        node = pop() if todo else None


def _send_to_many(items: tuple[Node, ...], partials: tuple[float, ...], signal: float, push: Any) -> None:
    if signal:
        for item, local in zip(items, partials):  # noqa: B905 - made of one length; strict costs on every node
            item.mark += signal * local
            if item.delta == 1:
                push(item)
            else:
                item.delta -= 1
    else:
        for item in items:
            item.mark += 0.0
            if item.delta == 1:
                push(item)
            else:
                item.delta -= 1


def _count_in_slots(output: Node, token: object) -> bool:
    """Mark every node with ``token`` and count its edges in ``delta``; whether any node shares by its rule."""
    output.mark, output.delta = token, 0
    by_rule = False
    oldest, newest = output.stamp, 0  # of the computed nodes, of the leaves
    todo = [output]
    pop, push = todo.pop, todo.append
    while todo:
        node = pop()
        da, db, stamp = node.da, node.db, node.stamp
        if da is None is db:
            if stamp > newest:
                newest = stamp
            continue
        if stamp < oldest:
            oldest = stamp
        if da is not None:
            a = node.a
            if da.__class__ is float:
                if a.mark is token:
                    a.delta += 1
                else:
                    a.mark, a.delta = token, 1
                    push(a)
            elif da is BY_RULE:
                by_rule = True
                for item in a:
                    if isinstance(item, Node):
                        if item.mark is token:
                            item.delta += 1
                        else:
                            item.mark, item.delta = token, 1
                            push(item)
                continue
            else:
                for item in node.b:
                    if item.mark is token:
                        item.delta += 1
                    else:
                        item.mark, item.delta = token, 1
                        push(item)
                continue
        if db is not None:
            b = node.b
            if b.mark is token:
                b.delta += 1
            else:
                b.mark, b.delta = token, 1
                push(b)
    if newest > oldest:
        _check_edges(output)
    return by_rule


def _check_edges(output: Node) -> None:
    """Raise StaleGraphError if any node has an input that was assigned to after the node was computed."""
    for node in topological(output):
        for item in node.inputs:
            if isinstance(item, Node):
                check_fresh(node, item)


def _joined(known: Any, share: Any, signal: Any) -> Any:
    """known + share, in the memory of ``share`` where that is its own: one pass over large arrays less."""
    return np.add(known, share, out=share) if _is_own(share, signal) and share.ndim else known + share


def _general_pass(
    output: Node, seed: Any, deliver: Deliver, create_graph: bool, wanted: Collection[Node] | None
) -> None:
    """The same two phases in the same order, with counts and signals in dictionaries."""
    expected = _count_edges(output)
    useful = expected if wanted is None else _leading_to(output, wanted)
    signals: dict[Node, Any] = {output: seed}
    todo = [output]
    while todo:
        node = todo.pop()
        signal = signals.pop(node, None)
        if signal is not None:
            deliver(node, signal)
            shares = _graph_shares(node, signal, useful) if create_graph else _plain_shares(node, signal, useful)
            for item, share, own in shares:
                if item not in signals:
                    signals[item] = share
                elif own and share.ndim:
                    signals[item] = np.add(signals[item], share, out=share)
                else:
                    signals[item] = signals[item] + share
        for item in node.inputs:
            if isinstance(item, Node):
                expected[item] -= 1
                if not expected[item]:
                    todo.append(item)


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
                if item.stamp > node.stamp:
                    check_fresh(node, item)
    return expected


def _leading_to(output: Node, wanted: Collection[Node]) -> set[Node]:
    """The nodes through which a wanted node is reached, itself included."""
    useful = set(wanted)
    for node in topological(output):
        if node not in useful and any(isinstance(item, Node) and item in useful for item in node.inputs):
            useful.add(node)
    return useful


Shares = list[tuple[Node, Any, bool]]


def edge_shares(node: Node, signal: Any, *, create_graph: bool = False) -> Shares:
    """What each edge of ``node`` carries: (input, share, whether the share is a new array of its own).

    The share is the signal times the local gradient; a zero signal shares zero also on an edge whose local gradient
    is infinite.

    >>> from autodiff import Value
    >>> x = Value(3.0)
    >>> [share for _, share, _ in edge_shares(x * x, 1.0)]
    [3.0, 3.0]
    """
    shares_of = _graph_shares if create_graph else _plain_shares
    with np.errstate(all="ignore"):
        return shares_of(node, signal, {item for item in node.inputs if isinstance(item, Node)})


def _plain_shares(node: Node, signal: Any, useful: Collection[Node]) -> Shares:
    """Shares as floats and arrays: from stored local gradients, or by the rules written out for arrays."""
    if node.da is not BY_RULE:
        edges = zip(node.inputs, local_gradients(node), strict=True)
        return [(item, signal * local if signal else 0.0, False) for item, local in edges if isinstance(item, Node)]
    found = zip(node.a, _shares_by_rule(node, signal), strict=True)
    return [(item, share, _is_own(share, signal)) for item, share in found if share is not None and item in useful]


def _shares_by_rule(node: Node, signal: Any) -> tuple[Any, ...]:
    entry = node.origin.primitive
    try:
        return (_sharers.get(entry) or _written(_sharers, entry, False))(node, signal)  # type: ignore[no-any-return]
    except Exception as error:
        error.add_note(_in_the_rule_of(node, signal))
        raise


def _in_the_rule_of(node: Node, signal: Any) -> str:
    operands = ", ".join(describe(item) for item in node.inputs)
    return f"in the rule of {node.origin.primitive}, with error signal {describe(signal)} and inputs {operands}"


def _written(known: dict[Any, Callable[..., Any]], entry: Any, send: bool) -> Callable[..., Any]:
    """The function that `sharing` writes for a primitive, kept for the next time."""
    if entry.arity is None:
        known[entry] = _send_to_each if send else _shares_of_each
    else:
        scope = {"fit": fit, "joined": _joined, "zero_shares_zero": _zero_shares_zero}
        known[entry] = sharing(entry, scope, send=send)
    return known[entry]


def _shares_of_each(node: Node, signal: Any) -> tuple[Any, ...]:
    """The shares of a node with any number of inputs, rule by rule."""
    entry: Any = node.origin.primitive
    result = []
    with np.errstate(all="ignore") if entry.singular else nullcontext():
        for k, item in enumerate(node.a):
            share = None
            if isinstance(item, Node):
                share = lent(entry.vjp(k, signal, node._data, *node.b, **node.origin.params))
                share = fit(_zero_shares_zero(share, signal) if entry.singular else share, item)
            result.append(share)
    return tuple(result)


def _send_to_each(node: Node, signal: Any, token: object, push: Any) -> None:
    for item, share in zip(node.a, _shares_of_each(node, signal), strict=True):
        if share is not None:
            item.mark = share if item.mark is token else _joined(item.mark, share, signal)
            if item.delta == 1:
                push(item)
            else:
                item.delta -= 1


_senders: Final[dict[Any, Callable[..., Any]]] = {}
_sharers: Final[dict[Any, Callable[..., Any]]] = {}


def _is_own(share: Any, signal: Any) -> bool:
    """Whether a share is an array that nobody else holds, so that it may be added to in place."""
    return share.__class__ is np.ndarray and share is not signal and share.base is None


def _graph_shares(node: Node, signal: Any, useful: Collection[Node]) -> Shares:
    """Shares as nodes: the rules run on the node itself and its inputs."""
    entry, inputs, params = node.origin.primitive, node.inputs, node.origin.params
    if entry is None:
        return []
    if entry.reduces and node.scalar:
        packed = np.array(inputs, dtype=object)
        shares = np.broadcast_to(entry.rule(0)(signal, node, packed, **params), packed.shape)
        return [(item, share, False) for item, share in zip(inputs, shares, strict=True) if isinstance(item, Node)]
    result: Shares = []
    try:
        with np.errstate(all="ignore") if entry.singular else nullcontext():
            for k, item in enumerate(inputs):
                if isinstance(item, Node) and item in useful:
                    share = entry.rule(k)(signal, node, *inputs, **params)
                    if entry.singular:
                        share = _zero_shares_zero(share, signal)
                    result.append((item, fit(share, item, create_graph=True), False))
    except Exception as error:
        error.add_note(_in_the_rule_of(node, signal))
        raise
    return result


def local_gradients(node: Node) -> tuple[float | None, ...]:
    """The stored local gradients of a Value's edges, in the order of ``node.inputs``; None on a constant's."""
    if node.a.__class__ is tuple:
        return node.da  # type: ignore[no-any-return]
    if node.a is None:
        return ()
    return (node.da,) if node.b is None else (node.da, node.db)


def _zero_shares_zero(share: Any, signal: Any) -> Any:
    """Replace 0 · inf = nan by 0 where the signal is exactly zero."""
    value = share._data if isinstance(share, Node) else share
    top = np.max(value, initial=0.0)  # nan if any is, and unlike a sum silent where +inf and −inf meet
    if top == top:
        return share
    given = signal._data if isinstance(signal, Node) else signal
    return where(np.broadcast_to(np.not_equal(given, 0), np.shape(value)) | (value == value), share, 0.0)


def fit(share: Any, item: Node, *, create_graph: bool = False) -> Any:
    """``share`` in the shape and type of ``item``: the one place where broadcasting is undone.

    An axis that the forward pass repeated is summed; a Value gets a float, a Tensor an array of its type.
    """
    data = item._data
    if share.__class__ is np.ndarray is data.__class__ and not create_graph:
        shape = data.shape
        if share.shape != shape:  # most often a bias that was added to every row
            share = sum_of_rows(share) if share.ndim == 2 and share.shape[1:] == shape else _reshaped(share, shape)
        return share if share.dtype is data.dtype else _of_type(share, data)
    if data.__class__ is float:
        if share.__class__ is float:
            return share
        if isinstance(share, Node):
            return share if share.scalar else item.from_tensor(sum_to(share, shape=()))
        return float(np.sum(share))
    if isinstance(share, Node):
        if share.scalar:
            share = reshape(stack((share,)), shape=())
        return share if share._data.shape == data.shape else _reshaped(share, data.shape)
    if data.__class__ is not np.ndarray:
        return item.constant(share) if create_graph else data.dtype.type(np.sum(share))
    share = _of_type(np.asarray(share), data)
    if share.shape != data.shape:
        share = _reshaped(share, data.shape)
    return item.constant(share) if create_graph else share


def _of_type(share: np.ndarray[Any, Any], data: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    if share.dtype.kind not in "fiub":
        raise TypeError(f"a rule gave {describe(share)} for an input of shape {data.shape}; a share is real numbers")
    return share.astype(data.dtype, copy=False)


def _reshaped(share: Any, shape: tuple[int, ...]) -> Any:
    """Summed down to ``shape``; a share that was smaller (the same everywhere) is repeated up to it first."""
    try:
        if share.ndim < len(shape) or share.size < math.prod(shape):
            share = share + np.zeros(np.broadcast_shapes(share.shape, shape), share.dtype)
        if isinstance(share, Node):
            return sum_to(share, shape=shape)
        return sum_to.forward(arrays, share, shape=shape)
    except ValueError:
        raise ValueError(f"a rule gave a share of shape {share.shape} for an input of shape {shape}") from None
