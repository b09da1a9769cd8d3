"""Find the elements of an error signal that are 0 because a gate is closed, not because smooth factors multiply to 0.

A closed gate lets nothing through, whatever lies behind it. A smooth factor that happens to be 0 beside an infinity
gives the right value or nan, never a wrong number.

Closed gates are the zero slopes of a `Primitive.gate` (relu below 0, the branch that `where` did not take, all elements
but the maximum), elements that an index left out, constant factors 0 and seeds of 0. Behind them the signal is 0
whatever local gradient it meets, inf and nan included. Any other 0 is multiplied by IEEE arithmetic: 0 · inf = nan.

Backward passes use this only if a nan came out, or if the result is to be differentiated again.
"""

from __future__ import annotations

import math
from typing import Any, Final, NamedTuple

import numpy as np

from autodiff.engine.graph import BY_RULE, Node, topological
from autodiff.engine.plain import plain
from autodiff.primitives.primitive import Primitive
from autodiff.primitives.registry import TABLE

__all__ = ["Reach", "chosen", "everywhere", "has_nan", "let_through", "reach", "reached", "without_unreached"]

#: Replacements for an input and for the result where the actual numbers must not matter: no rule is 0 there by chance.
_ANY_INPUT: Final = (0.3, 0.7, 0.45)
_ANY_RESULT: Final = 0.618


class Reach(NamedTuple):
    """Where the error reaches a node, and where it reaches the share of each input before broadcasting is undone.

    Each mask is a bool or an array of bools.
    """

    node: Any
    inputs: tuple[Any, ...]


def reached(output: Node, seed: Any) -> dict[Node, Reach]:
    """How far the error reaches in the graph of ``output``; elements of the seed that are 0 send nothing.

    >>> from autodiff import Value, relu
    >>> x = Value(-1.0)
    >>> y = relu(x)
    >>> reached(y, 1.0)[y].inputs == (False,)
    True
    """
    arrived: dict[Node, Any] = {output: everywhere(output) if isinstance(seed, Node) else np.not_equal(seed, 0)}
    found = {}
    for node in reversed(topological(output)):
        found[node] = reach(node, arrived.pop(node))
        for item, mask in zip(node.inputs, found[node].inputs, strict=True):
            if isinstance(item, Node):
                mask = _in_the_shape_of(item, mask)
                arrived[item] = arrived[item] | mask if item in arrived else mask
    return found


def everywhere(node: Node) -> Any:
    """The mask of all elements of a node."""
    return True if node._data.__class__ is float else np.ones(node._data.shape, bool)


def reach(node: Node, mask: Any) -> Reach:
    """How far the error reaches from the elements ``mask`` of ``node``.

    A rule is linear in the error signal, so it is run on a signal near 1 where the error arrives and 0 elsewhere. The
    rule of a gate is run on the actual inputs. Any other rule is run on the actual constants and on replacement inputs
    at which no smooth factor is 0 by chance; no two of these are equal, so that differences do not cancel. If the rule
    gives 0 nevertheless (x¹⁰⁰⁰ of such numbers, or an undeclared gate), its result on the actual inputs counts too.
    """
    entry, inputs = node.origin.primitive, node.inputs
    if entry is None or not (mask.any() if mask.__class__ is np.ndarray else mask):  # np.any of a bool takes 3 µs
        return Reach(mask, (np.False_,) * len(inputs))
    if node.da is not BY_RULE and not _has_zero(node):
        return Reach(mask, (True,) * len(inputs))
    if entry.reduces and node.scalar:
        edges = [isinstance(x, Node) and (not entry.gate or node.da[k] != 0) for k, x in enumerate(inputs)]
        return Reach(mask, tuple(edges))
    present = [plain(x) for x in (node, *inputs)]  # once for all edges: units have hundreds
    instead = (_like(x, _ANY_INPUT[j % 3]) for j, x in enumerate(inputs))
    asked = present if entry.gate else [_like(node, _ANY_RESULT), *instead]
    edges = [isinstance(x, Node) and _through(node, k, mask, asked, present) for k, x in enumerate(inputs)]
    return Reach(mask, tuple(edges))


def _has_zero(node: Node) -> bool:
    """Whether a local gradient of a Value is exactly 0."""
    return 0.0 in (node.da if node.da.__class__ is tuple else (node.da, node.db))


def _through(node: Node, k: int, mask: Any, asked: list[Any], present: list[Any]) -> Any:
    """Where the k-th share is reached, by the numbers that its rule is ``asked`` about, and by those ``present``."""
    entry: Any = node.origin.primitive
    found = np.not_equal(_sent(node, entry, k, mask, asked), 0)
    if entry.gate or entry.linear or entry.multilinear or np.all(found):
        return found
    share = _sent(node, entry, k, mask, list(map(np.asarray, present)))  # floats raise an error where arrays give inf
    return found | (np.not_equal(share, 0) & np.equal(share, share))  # a nan may be 0 · inf outside the mask


def _sent(node: Node, entry: Primitive, k: int, mask: Any, given: list[Any]) -> Any:
    """The k-th share of a signal that is near 1 at ``mask`` and 0 elsewhere."""
    given = [mask * _varied(np.shape(mask)), *given]
    try:
        with np.errstate(all="ignore"):
            return entry.rule(k)(*(map(np.asarray, given) if entry.takes_arrays else given), **node.origin.params)
    except Exception:  # a user's rule may reject the replacement inputs; then its result on the actual inputs decides
        return 1.0


def _like(item: Any, number: float) -> Any:
    """Numbers near ``number`` in the shape of a node; a constant unchanged."""
    if not isinstance(item, Node):
        return item
    return number if item._data.__class__ is float else number * _varied(item._data.shape)


def _varied(shape: tuple[int, ...]) -> Any:
    """Distinct numbers between 1 and 1.1, from the fractional parts of multiples of the golden ratio."""
    return 1.0 + 0.1 * (np.arange(math.prod(shape)) * 0.6180339887498949 % 1.0).reshape(shape) if shape else 1.0


def _in_the_shape_of(item: Node, mask: Any) -> Any:
    """Where an error reaches an input whose share is reached at ``mask``, with broadcasting undone."""
    if item._data.__class__ is float and mask.__class__ is not np.ndarray:
        return mask
    shape = np.shape(item._data)
    if np.shape(mask) == shape:
        return mask
    try:
        whole = np.broadcast_to(mask, np.broadcast_shapes(np.shape(mask), shape))
        lead = whole.ndim - len(shape)
        axes = (*range(lead), *(axis + lead for axis, n in enumerate(shape) if n == 1))
        return np.any(whole, axis=axes).reshape(shape)
    except ValueError:  # a share of a wrong shape; the code that adds it up reports that
        return everywhere(item)


def let_through(share: Any, mask: Any) -> Any:
    """``share`` where ``mask`` holds, and 0 elsewhere; a share that is already zero keeps its sign."""
    if np.all(mask):
        return share
    data = plain(share)
    return chosen(mask, share, np.where(data == 0, data, 0.0) if np.ndim(data) else data if data == 0 else 0.0)


def chosen(mask: Any, share: Any, other: Any) -> Any:
    """``share`` where ``mask`` holds, else ``other``; a node if they are nodes, so the graph keeps its closed edges."""
    if not isinstance(share, Node) and not isinstance(other, Node):
        return np.where(mask, share, other) if hasattr(share, "shape") else share if mask else other
    condition = bool(mask) if not np.ndim(share) else np.broadcast_to(mask, np.shape(share))
    return TABLE["where"](share, other, condition=condition)


def without_unreached(node: Node, k: int, given: tuple[Any, ...], mask: Any) -> tuple[Any, Any]:
    """The k-th share of a sum of products without its non-finite factors, and the mask of where that share is right.

    ``given`` holds the arguments of the rule: the signal, the result and the inputs. The share is right where the
    omitted factors met no error: an inf or nan times a signal that does not reach the node (outside ``mask``) must not
    spoil the sum that contains it.
    """
    entry: Any = node.origin.primitive
    rule, params = entry.rule(k), node.origin.params
    signal, z, *inputs = given
    finite = [np.isfinite(plain(x)) for x in inputs]
    count = 1.0 * np.broadcast_to(mask, np.shape(node._data))
    terms = rule(count, count, *(np.ones(part.shape) for part in finite), **params)
    sound = rule(count, count, *(1.0 * part for part in finite), **params)
    kept = [chosen(part, x, 0.0) for part, x in zip(finite, inputs, strict=True)]
    return rule(signal, z, *kept, **params), np.equal(terms, sound)


def has_nan(item: Any) -> bool:
    """Whether a number or an array holds a nan; ``argmin`` finds a nan first, 8 times as fast as ``min``."""
    if item.__class__ is not float:
        item = item.item(item.argmin()) if item.size else 0.0
    return bool(item != item)
