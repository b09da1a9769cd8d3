"""Shares: an edge carries the error signal times the local gradient, in the shape and type of its input.

On plain data shares are floats and arrays, computed from stored local gradients or by the code that `emit_arrays`
generated from the rules. If the backward pass must itself be a graph, they are nodes, computed by the rules directly.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from typing import Any, Final

import numpy as np

from autodiff.engine.emit_arrays import sending_each, sharing
from autodiff.engine.gates import Reach, chosen, everywhere, has_nan, let_through, reach, without_unreached
from autodiff.engine.graph import BY_RULE, Node
from autodiff.engine.plain import as_tensor, lent, plain
from autodiff.primitives.namespace import FLOAT_FAULTS, arrays
from autodiff.primitives.operands import describe
from autodiff.primitives.registry import FORGETTING
from autodiff.primitives.rows import Rows
from autodiff.primitives.table.layout import put, scatter, sum_of_rows, sum_to

__all__ = [
    "GUARDED",
    "SENDERS",
    "Patched",
    "Senders",
    "Shares",
    "accumulate",
    "edge_shares",
    "gated_shares",
    "in_the_rule_of",
    "is_finite_sum",
    "local_gradients",
    "plain_shares",
    "unbroadcast",
]  # fmt: skip

Shares = list[tuple[Node, Any]]


def edge_shares(node: Node, signal: Any, *, come: Reach | None = None, create_graph: bool = False) -> Shares:
    """For each edge of ``node``, the input and its share: the signal times the local gradient.

    ``come`` says where the error arrives, as found by `autodiff.engine.gates.reached`; elsewhere a share is 0 whatever
    the local gradient. Without ``come``, no error arrives where the signal is exactly 0.

    >>> from autodiff import Value
    >>> x = Value(3.0)
    >>> [share for _, share in edge_shares(x * x, 1.0)]
    [3.0, 3.0]
    """
    useful = {item for item in node.inputs if isinstance(item, Node)}
    with np.errstate(all="ignore"):
        found = reach(node, np.not_equal(plain(signal), 0)) if come is None else come
        return gated_shares(node, signal, lambda: found, useful, create_graph=create_graph)


def plain_shares(node: Node, signal: Any, useful: Collection[Node]) -> Shares:
    """Shares as floats and arrays, without regard to gates: by stored local gradients or by generated rules."""
    if node.da is not BY_RULE:
        if is_finite_sum(node) and not signal:
            return [(item, signal) for item in node.inputs if isinstance(item, Node)]
        edges = zip(node.inputs, local_gradients(node), strict=True)
        return [(item, signal * local) for item, local in edges if isinstance(item, Node)]
    found = zip(node.a, _shares_by_rule(node, signal), strict=True)
    return [(item, share) for item, share in found if share is not None and item in useful]


def is_finite_sum(node: Node) -> bool:
    """Whether this is a weighted sum of finite numbers: there a signal 0 gives shares 0, because 0 · inf cannot occur.

    Half of the signals in a ReLU net are 0.
    """
    z = node._data
    return node.a.__class__ is tuple and node.origin.primitive.multilinear and z - z == 0.0  # type: ignore[union-attr]


def _shares_by_rule(node: Node, signal: Any) -> tuple[Any, ...]:
    entry = node.origin.primitive
    try:
        return _SHARERS[entry](node, signal)  # type: ignore[no-any-return]
    except Exception as error:
        error.add_note(in_the_rule_of(node, signal))
        raise


def in_the_rule_of(node: Node, signal: Any) -> str:
    """The note for an error that a rule raised: rules are lambdas, which a traceback does not tell apart."""
    operands = ", ".join(describe(item) for item in node.inputs)
    return f"in the rule of {node.origin.primitive}, with error signal {describe(signal)} and inputs {operands}"


class _Written(dict[Any, Callable[..., Any]]):
    """The functions that `sharing` generates, one for each primitive, each generated on first use."""

    def __init__(self, *, send: bool, guarded: bool) -> None:
        self.send, self.guarded = send, guarded

    def __missing__(self, entry: Any) -> Callable[..., Any]:
        scope = {
            "unbroadcast": unbroadcast, "gather": gather, "has_nan": has_nan, "patched": patched,
            "through_gate": _through_gate,
        }  # fmt: skip
        if entry.arity is None:
            shares = entry.shares_of or _shares_of_each
            self[entry] = sending_each(shares, scope, guarded=self.guarded) if self.send else shares
        else:
            self[entry] = sharing(entry, scope, send=self.send, guarded=self.guarded)
        return self[entry]


Senders = _Written
#: For each primitive the function ``(node, signal, token, push)`` that delivers its shares to the inputs' slots.
SENDERS: Final = _Written(send=True, guarded=False)
#: The same for graphs with singular primitives: gates stop an infinite signal without a second pass.
GUARDED: Final = _Written(send=True, guarded=True)
_SHARERS: Final = _Written(send=False, guarded=True)
FORGETTING.extend([SENDERS.clear, GUARDED.clear, _SHARERS.clear])


def _shares_of_each(node: Node, signal: Any) -> tuple[Any, ...]:
    """The shares of a node with any number of inputs, one call of the rule per input."""
    entry: Any = node.origin.primitive
    result = []
    for k, item in enumerate(node.a):
        share = None
        if isinstance(item, Node):
            share = unbroadcast(lent(entry.vjp(k, signal, node._data, *node.b, **node.origin.params)), item)
        result.append(share)
    return tuple(result)


def _is_own(share: Any, signal: Any) -> bool:
    """Whether a share is an array that no one else holds, so that it may be added to in place."""
    return share.__class__ is np.ndarray and share is not signal and share.base is None


def gated_shares(
    node: Node, signal: Any, come: Callable[[], Reach], useful: Collection[Node], *, create_graph: bool
) -> Shares:
    """Shares that are 0 wherever no error arrives, as numbers or as nodes computed by the rules directly.

    ``come`` is called only where closed gates may matter, because to find them takes a third of a pass.
    """
    entry, inputs = node.origin.primitive, node.inputs
    if entry is None:
        return []
    slots = [k for k, item in enumerate(inputs) if isinstance(item, Node) and item in useful]
    if entry.shares_of is not None:
        found = entry.shares_of(node, signal, create_graph=create_graph)
        return [(inputs[k], found[k]) for k in slots]
    try:
        if not create_graph and node.da is not BY_RULE:
            partials = local_gradients(node)
            return [(inputs[k], let_through(signal * partials[k], come().inputs[k])) for k in slots]
        if entry.reduces and node.scalar:
            shares = _shares_of_reduction(node, signal)
            return [(inputs[k], let_through(shares[k], come().inputs[k])) for k in slots]
        return [(inputs[k], _gated_share(node, k, signal, come, create_graph)) for k in slots]
    except Exception as error:
        error.add_note(in_the_rule_of(node, signal))
        raise


def _shares_of_reduction(node: Node, signal: Any) -> Any:
    """The shares of a reduction of Values, as nodes."""
    entry: Any = node.origin.primitive
    packed = np.array(node.inputs, dtype=object)
    return np.broadcast_to(entry.rule(0)(signal, node, packed, **node.origin.params), packed.shape)


def _gated_share(node: Node, k: int, signal: Any, come: Callable[[], Reach], create_graph: bool) -> Any:
    """The k-th share; computed from nodes if it must be a node."""
    entry: Any = node.origin.primitive
    item = node.inputs[k]
    given = (signal, node, *node.inputs) if create_graph else (signal, node._data, *node.b)
    if entry.takes_arrays:
        given = tuple(map(as_tensor, given))
    try:
        share = lent(entry.rule(k)(*given, **node.origin.params))
    except FLOAT_FAULTS:  # from two floats in a rule, a signal and a constant
        given = tuple([np.float64(x) if x.__class__ is float else x for x in given])
        share = entry.rule(k)(*given, **node.origin.params)
    spoiled = has_nan(plain(share))
    if spoiled and entry.multilinear:
        sound, holds = without_unreached(node, k, given, come().node)
        share = chosen(holds, sound, share)
    if spoiled or not entry.smooth:  # local gradients of a smooth one are finite at every order
        share = let_through(share, come().inputs[k])
    return unbroadcast(share, item, create_graph=create_graph)


def _through_gate(node: Node, k: int, signal: Any, share: Any) -> Any:
    """The k-th share of a gate, repaired after it came out as nan: 0 where the gate is closed and the signal infinite.

    A nan that arrived with the signal stays, so that it is visible in the gradients.
    """
    return share if has_nan(signal) else let_through(share, reach(node, everywhere(node)).inputs[k])


def local_gradients(node: Node) -> tuple[float | None, ...]:
    """The stored local gradients of a Value's edges, in the order of ``node.inputs``; None on a constant's."""
    if node.a.__class__ is tuple:
        return node.da  # type: ignore[no-any-return]
    if node.a is None:
        return ()
    return (node.da,) if node.b is None else (node.da, node.db)


def unbroadcast(share: Any, item: Node, *, create_graph: bool = False) -> Any:
    """``share`` in the shape and type of ``item``: the one place where broadcasting is undone.

    An axis that the forward pass repeated is summed; a Value gets a float, a Tensor an array of its type.
    """
    data = item._data
    if share.__class__ is np.ndarray is data.__class__ and not create_graph:
        shape = data.shape
        if share.shape != shape:  # usually a bias that was added to every row
            share = sum_of_rows(share) if share.ndim == 2 and share.shape[1:] == shape else _reshaped(share, shape)
        return share if share.dtype is data.dtype else _of_type(share, data)
    if data.__class__ is float:
        if share.__class__ is float:
            return share
        if isinstance(share, Node):
            return share if share.scalar else item.from_tensor(sum_to(share, shape=()))
        return float(_total(share))
    if isinstance(share, Node):
        if share.scalar:
            share = as_tensor(share)
        return share if share._data.shape == data.shape else _reshaped(share, data.shape)
    if data.__class__ is not np.ndarray:
        share = data.dtype.type(_total(share))
        return item.constant(share) if create_graph else share
    share = _of_type(np.asarray(share), data)
    if share.shape != data.shape:
        share = _reshaped(share, data.shape)
    return item.constant(share) if create_graph else share


def _total(share: Any) -> Any:
    """Σ share; a single number is returned unchanged, because NumPy's sum of −0.0 is 0.0."""
    return np.add.reduce(share, None) if np.ndim(share) else share


def _of_type(share: np.ndarray[Any, Any], data: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    if share.dtype.kind not in "fiub":
        raise TypeError(f"a rule returned {describe(share)} for an input of shape {data.shape}; a share must be real")
    return share.astype(data.dtype, copy=False)


def _reshaped(share: Any, shape: tuple[int, ...]) -> Any:
    """A share summed down to ``shape``; a smaller share (the same everywhere) is first broadcast up to it."""
    try:
        if share.ndim < len(shape) or share.size < math.prod(shape):
            share = share + np.zeros(np.broadcast_shapes(share.shape, shape), share.dtype)
        if isinstance(share, Node):
            return sum_to(share, shape=shape)
        return sum_to.forward(arrays, share, shape=shape)
    except ValueError:
        raise ValueError(f"a rule returned a share of shape {share.shape} for an input of shape {shape}") from None


def accumulate(known: Any, share: Any, signal: Any) -> Any:
    """known + share, computed in the memory of ``share`` if no one else holds it: saves one pass over large arrays."""
    if _is_own(share, signal) and share.ndim and known.__class__ is not Rows:
        return np.add(known, share, out=share)
    return known + share


# ---- sums in the slots of the slot pass, where an array that is no view is held by nobody else -----------------------


class Patched:
    """A sum of shares of slices: an array without −0.0, into which further slices are added in place.

    As arrays of zeros around each slice, nine slices of an image would take three times as long to add up.
    """

    __slots__ = ("whole",)

    def __init__(self, whole: np.ndarray[Any, Any]) -> None:
        self.whole = whole


def patched(known: Any, g: Any, index: Any, x: np.ndarray[Any, Any]) -> Patched:
    """``known`` + ``scatter(g, index, x.shape)`` for ints and slices; ``known`` is None before the first share."""
    if known.__class__ is Patched:
        put(known.whole, index, g, add=True)
        return known
    if known is None:
        whole = np.zeros(x.shape, x.dtype)
        put(whole, index, g)
    elif known.__class__ is np.ndarray and known.base is None:
        whole = np.add(known, 0.0, out=known)  # −0.0 becomes 0.0, as in a sum of arrays
        put(whole, index, g, add=True)
    else:
        whole = known + scatter.forward(arrays, g, index=index, shape=x.shape)
    return Patched(np.asarray(whole))


def gather(known: Any, share: Any) -> Any:
    """known + share, in the memory of an array that only one of the slots holds."""
    if known.__class__ is Patched:
        known = known.whole
    if share.__class__ is np.ndarray is known.__class__ and share.ndim:
        if share.base is None:
            return np.add(known, share, out=share)
        if known.base is None:
            return np.add(known, share, out=known)
    return known + share
