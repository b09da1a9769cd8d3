"""What an edge carries: the error signal times the local gradient, in the shape and type of the input it goes to.

On plain data shares are floats and arrays, from stored local gradients or by the rules that `array` has written out;
where the backward pass is to be a graph itself they are nodes, made by the rules as they stand in the table.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from contextlib import nullcontext
from typing import Any, Final

import numpy as np

from autodiff.array import as_tensor, lent, sharing
from autodiff.graph import BY_RULE, Node
from autodiff.namespace import arrays
from autodiff.ops.elementwise import where
from autodiff.ops.layout import sum_of_rows, sum_to
from autodiff.primitive import FORGETTING, describe

__all__ = [
    "SENDERS", "Shares", "edge_shares", "fit", "graph_shares", "in_the_rule_of", "joined", "local_gradients",
    "plain_shares",
]  # fmt: skip

Shares = list[tuple[Node, Any]]


def edge_shares(node: Node, signal: Any, *, create_graph: bool = False) -> Shares:
    """What each edge of ``node`` carries: (input, share).

    The share is the signal times the local gradient; a zero signal shares zero also on an edge whose local gradient
    is infinite.

    >>> from autodiff import Value
    >>> x = Value(3.0)
    >>> [share for _, share in edge_shares(x * x, 1.0)]
    [3.0, 3.0]
    """
    shares_of = graph_shares if create_graph else plain_shares
    with np.errstate(all="ignore"):
        return shares_of(node, signal, {item for item in node.inputs if isinstance(item, Node)})


def plain_shares(node: Node, signal: Any, useful: Collection[Node]) -> Shares:
    """Shares as floats and arrays: from stored local gradients, or by the rules written out for arrays."""
    if node.da is not BY_RULE:
        edges = zip(node.inputs, local_gradients(node), strict=True)
        return [(item, signal * local if signal else 0.0) for item, local in edges if isinstance(item, Node)]
    found = zip(node.a, _shares_by_rule(node, signal), strict=True)
    return [(item, share) for item, share in found if share is not None and item in useful]


def _shares_by_rule(node: Node, signal: Any) -> tuple[Any, ...]:
    entry = node.origin.primitive
    try:
        return _SHARERS[entry](node, signal)  # type: ignore[no-any-return]
    except Exception as error:
        error.add_note(in_the_rule_of(node, signal))
        raise


def in_the_rule_of(node: Node, signal: Any) -> str:
    """The note for an error that a rule raised: rules are lambdas, and a traceback does not tell one from another."""
    operands = ", ".join(describe(item) for item in node.inputs)
    return f"in the rule of {node.origin.primitive}, with error signal {describe(signal)} and inputs {operands}"


class _Written(dict[Any, Callable[..., Any]]):
    """The functions that `sharing` writes, one for each primitive: written when first asked for."""

    def __init__(self, *, send: bool) -> None:
        self.send = send

    def __missing__(self, entry: Any) -> Callable[..., Any]:
        if entry.arity is None:
            self[entry] = _send_to_each if self.send else _shares_of_each
        else:
            scope = {"fit": fit, "joined": joined, "zero_shares_zero": _zero_shares_zero}
            self[entry] = sharing(entry, scope, send=self.send)
        return self[entry]


#: For each primitive the function ``(node, signal, token, push)`` that delivers its shares to the inputs' slots.
SENDERS: Final = _Written(send=True)
_SHARERS: Final = _Written(send=False)
FORGETTING.extend([SENDERS.clear, _SHARERS.clear])


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
    """Deliver these shares to the inputs' slots."""
    for item, share in zip(node.a, _shares_of_each(node, signal), strict=True):
        if share is not None:
            item.delta = share if item.delta is token else joined(item.delta, share, signal)
            if item.due == 1:
                push(item)
            else:
                item.due -= 1


def _is_own(share: Any, signal: Any) -> bool:
    """Whether a share is an array that nobody else holds, so that it may be added to in place."""
    return share.__class__ is np.ndarray and share is not signal and share.base is None


def graph_shares(node: Node, signal: Any, useful: Collection[Node]) -> Shares:
    """Shares as nodes: the rules run on the node itself and its inputs."""
    entry, inputs, params = node.origin.primitive, node.inputs, node.origin.params
    if entry is None:
        return []
    if entry.reduces and node.scalar:
        packed = np.array(inputs, dtype=object)
        shares = np.broadcast_to(entry.rule(0)(signal, node, packed, **params), packed.shape)
        return [(item, share) for item, share in zip(inputs, shares, strict=True) if isinstance(item, Node)]
    given = (signal, node, *inputs)
    if entry.takes_arrays:
        given = tuple(map(as_tensor, given))
    result: Shares = []
    try:
        with np.errstate(all="ignore") if entry.singular else nullcontext():
            for k, item in enumerate(inputs):
                if isinstance(item, Node) and item in useful:
                    share = entry.rule(k)(*given, **params)
                    if entry.singular:
                        share = _zero_shares_zero(share, signal)
                    result.append((item, fit(share, item, create_graph=True)))
    except Exception as error:
        error.add_note(in_the_rule_of(node, signal))
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
            share = as_tensor(share)
        return share if share._data.shape == data.shape else _reshaped(share, data.shape)
    if data.__class__ is not np.ndarray:
        share = data.dtype.type(np.sum(share))
        return item.constant(share) if create_graph else share
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


def joined(known: Any, share: Any, signal: Any) -> Any:
    """known + share, in the memory of ``share`` where that is its own: one pass over large arrays less."""
    return np.add(known, share, out=share) if _is_own(share, signal) and share.ndim else known + share
