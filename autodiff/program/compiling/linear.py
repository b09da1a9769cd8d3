"""Second stage: chains of + − × constant whose inner results are used once become one linear node.

Example: of ``w·x + b`` the product is used once, so that one node is left, with a product and a term::

    before    node 2 = w·x     node 4 = node 2 + b
    after     node 4 = 1·w·x + 1·b        owner [4, 4]   factor [1, 1]   left [w, b]   right [x, −1]

A contribution to a node is ``factor·left·right``, a term ``factor·left`` if ``right`` is −1, or the constant ``factor``
if ``left`` is −1 too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from autodiff.primitives.registry import TABLE
from autodiff.program.compiling.reading import FIRST_KIND, Graph, Ints, Kind

__all__ = ["Linear", "merged"]

Floats = np.ndarray[tuple[int, ...], np.dtype[np.float64]]

_OTHER, _PRODUCT, _SCALED, _QUOTIENT, _SQUARE, _WEIGHTED, _TOTAL = range(7)
_ROLES: Final = {
    "add": _TOTAL, "subtract": _TOTAL, "negative": _TOTAL, "identity": _TOTAL, "sum": _TOTAL, "mean": _TOTAL,
    "multiply": _PRODUCT, "divide": _QUOTIENT, "square": _SQUARE, "weighted_sum": _WEIGHTED,
}  # fmt: skip
_LONG: Final = 4  # sums of so many products stay nodes of their own if they are added to others: s_c − s of two scores
_LARGEST: Final = 1e200  # of a merged factor, and 1 over the smallest: it must neither overflow nor vanish


@dataclass(frozen=True, eq=False, slots=True)
class Linear:
    """The linear nodes of a graph: which nodes are sums, which were merged into others, and all contributions in order.

    Contributions are sorted by ``owner``, those of one owner in the order of the graph; ``scaled`` is 1 for a term that
    was multiplied by a constant, so that data among weights and biases are told apart.
    """

    sums: np.ndarray[Any, np.dtype[np.bool]]
    merged: np.ndarray[Any, np.dtype[np.bool]]
    owner: Ints
    factor: Floats
    left: Ints
    right: Ints
    scaled: Ints


def merged(graph: Graph) -> Linear:
    """The linear nodes of a graph, as few as possible."""
    count = len(graph.kinds)
    role = np.array([_OTHER] * FIRST_KIND + [_role(kind) for kind in graph.table])[graph.kinds]
    first = graph.first[:-1]
    for divided in (_PRODUCT, _QUOTIENT):
        _settle(role, graph, np.flatnonzero(role == divided), first, divided)
    parts = [np.concatenate(column) for column in zip(*_contributions(graph, role), strict=True)]
    order = np.argsort(parts[0], kind="stable")
    at, factor, left, right = (part[order] for part in parts)
    sums = role != _OTHER
    terms = np.flatnonzero((right < 0) & (left >= 0) & np.isfinite(factor) & (factor != 0.0))
    terms = terms[sums[left[terms]] & (_uses(graph)[left[terms]] == 1)]
    parent = np.arange(count)
    parent[left[terms]] = at[terms]
    scale = np.ones(count)
    scale[left[terms]] = factor[terms]
    scaled = np.where((role == _SCALED) | (role == _QUOTIENT), 0.0, np.nan)
    scaled[at[terms]] += factor[terms]
    alone = np.bincount(at[left >= 0], minlength=count) == 1
    root, whole = _followed(parent, scale)
    if _cut_long_sums(parent, root, np.bincount(at[right >= 0], minlength=count), scaled, alone):
        root, whole = _followed(parent, scale)
    inside = parent != np.arange(count)
    with np.errstate(all="ignore"):
        size = np.abs(factor * whole[at])
    extreme = at[inside[at] & (factor != 0.0) & ~((size < _LARGEST) & (size > 1.0 / _LARGEST))]
    extreme = np.append(extreme, np.flatnonzero(inside & ~(np.abs(whole) < _LARGEST)))
    if len(extreme):
        bad = np.zeros(count, bool)
        bad[root[extreme]] = True
        parent = np.where(bad[root], np.arange(count), parent)
        root, whole = _followed(parent, scale)
        inside = parent != np.arange(count)
    kept = np.ones(len(at), bool)
    kept[terms[inside[left[terms]]]] = False
    at, factor, left, right = at[kept], factor[kept], left[kept], right[kept]
    weighted = (right < 0) & (left >= 0)
    owner, factor = root[at], factor * whole[at]
    order = np.argsort(owner, kind="stable")
    by_constant = scaled[at] == scaled[at]  # not nan
    return Linear(
        sums & ~inside, inside, owner[order], factor[order], left[order], right[order],
        (by_constant | ((role[at] == _WEIGHTED) & weighted)).astype(np.intp)[order],
    )  # fmt: skip


def _role(kind: Kind) -> int:
    name = kind.primitive.name
    if TABLE.get(name) is not kind.primitive:
        return _OTHER
    if name == "power" and kind.params["n"] == 2:
        return _SQUARE
    return _ROLES.get(name, _OTHER)


def _settle(role: Ints, graph: Graph, nodes: Ints, first: Ints, divided: int) -> None:
    """Products and quotients with a constant become scaled nodes; those that are not linear become other nodes."""
    left, right = graph.refs[first[nodes]], graph.refs[first[nodes] + 1]
    constant = _numbers(graph, np.minimum(left, right) if divided == _PRODUCT else right)
    with np.errstate(all="ignore"):
        usable = np.isfinite(constant) & ((divided == _PRODUCT) | np.isfinite(1.0 / constant))
    if divided == _PRODUCT:
        role[nodes[(left < 0) | (right < 0)]] = _OTHER
        role[nodes[((left < 0) | (right < 0)) & usable]] = _SCALED
    else:
        role[nodes] = np.where((right < 0) & usable, _QUOTIENT, _OTHER)


def _numbers(graph: Graph, refs: Ints) -> Floats:
    """The constants to which references point; nan for nodes."""
    padded = np.append(graph.numbers, np.nan)
    return padded[np.where(refs < 0, -1 - refs, len(graph.numbers))]


def _contributions(graph: Graph, role: Ints) -> Iterator[tuple[Ints, Floats, Ints, Ints]]:
    """The contributions to each node before any are merged, by kind: (node, factor, left, right)."""
    first, refs = graph.first[:-1], graph.refs

    def operands(wanted: int) -> tuple[Ints, Ints, Ints]:
        nodes = np.flatnonzero(role == wanted)
        return nodes, refs[first[nodes]], refs[np.minimum(first[nodes] + 1, max(len(refs) - 1, 0))]

    nodes, left, right = operands(_PRODUCT)
    yield nodes, np.ones(len(nodes)), left, right
    nodes, left, _ = operands(_SQUARE)
    yield nodes, np.ones(len(nodes)), left, left
    nodes, left, right = operands(_SCALED)
    yield nodes, _numbers(graph, np.minimum(left, right)), np.maximum(left, right), np.full(len(nodes), -1)
    nodes, left, right = operands(_QUOTIENT)
    yield nodes, 1.0 / _numbers(graph, right), left, np.full(len(nodes), -1)
    lengths = np.diff(graph.first)
    for wanted in (_TOTAL, _WEIGHTED):
        nodes = np.flatnonzero(role == wanted)
        at = np.repeat(nodes, lengths[nodes])
        edges = np.arange(len(at)) + np.repeat(
            first[nodes] - np.cumsum(lengths[nodes]) + lengths[nodes], lengths[nodes]
        )
        yield from (_totals if wanted == _TOTAL else _weighted)(graph, at, edges, edges - first[at], lengths[at])


def _totals(
    graph: Graph, at: Ints, edges: Ints, slots: Ints, lengths: Ints
) -> Iterator[tuple[Ints, Floats, Ints, Ints]]:
    names = [""] * FIRST_KIND + [kind.primitive.name for kind in graph.table]
    sign = np.array([{"subtract": -2.0}.get(name, 0.0) for name in names])[graph.kinds[at]]
    start = np.array([{"negative": -1.0}.get(name, 1.0) for name in names])[graph.kinds[at]]
    means = np.array([name == "mean" for name in names])[graph.kinds[at]]
    factor = np.where(means, 1.0 / lengths, start + sign * slots)
    refs = graph.refs[edges]
    constant = refs < 0
    factor = np.where(constant, factor * _numbers(graph, refs), factor)
    yield at, factor, np.where(constant, -1, refs), np.full(len(at), -1)


def _weighted(
    graph: Graph, at: Ints, edges: Ints, slots: Ints, lengths: Ints
) -> Iterator[tuple[Ints, Floats, Ints, Ints]]:
    half = (lengths - 1) // 2
    kept = (slots < half) | (slots == 2 * half)
    at, edges, slots, half = at[kept], edges[kept], slots[kept], half[kept]
    bias = slots == 2 * half
    one, other = graph.refs[edges], graph.refs[np.where(bias, edges, edges + half)]
    fixed_one, fixed_other = one < 0, (other < 0) & ~bias
    factor = np.where(fixed_one, _numbers(graph, one), 1.0) * np.where(fixed_other, _numbers(graph, other), 1.0)
    left = np.where(fixed_one, np.where(bias | fixed_other, -1, other), one)
    yield at, factor, left, np.where(fixed_one | fixed_other | bias, -1, other)


def _uses(graph: Graph) -> Ints:
    """How often each node is used; candidates of a selection and outputs count more than once, as they stay nodes."""
    uses = np.bincount(graph.refs[graph.refs >= 0], minlength=len(graph.kinds))
    uses[graph.outputs] += 2
    for candidates in {id(s.candidates): s.candidates for s in graph.selections.values()}.values():
        kept = [graph.index[x] for x in candidates if x in graph.index]
        uses[kept] += 2
    return uses


def _cut_long_sums(parent: Ints, root: Ints, products: Ints, scaled: Floats, alone: Any) -> bool:
    """Where two long sums of products meet, both stay nodes, as each is a matrix product of its own.

    So do long sums that constants scale (``scaled``: by how much, else nan), if these are not the same for all. Where
    constants only are added to a long sum (``alone``), they are left out. Returns whether there were any.
    """
    inside = np.flatnonzero(parent != np.arange(len(parent)))
    above = parent[inside[products[inside] == 0]]
    meeting = np.zeros(len(parent), bool)  # roots of trees in which two sums meet, or a constant scales one
    meeting[root[above[(np.bincount(above, minlength=len(parent))[above] > 1) | ~np.isnan(scaled[above])]]] = True
    meeting &= np.bincount(root, products, len(parent)) >= _LONG
    inside = inside[meeting[root[inside]]]
    children, above = inside.tolist(), parent[inside].tolist()
    count, longest, met = products.tolist(), {}, set()
    by_constant: dict[int, list[int]] = {}
    for k, p in zip(children, above, strict=True):
        long = count[k] >= _LONG
        if not (long or k in met):
            count[p] += count[k]
            continue
        if long and scaled[p] == scaled[p]:
            by_constant.setdefault(count[k], []).append(k)
        if p not in longest:
            longest[p] = k
            count[p] += count[k]
            continue
        met.add(p)
        for child in (k, longest[p]):
            while alone[child] and child in longest:
                child = longest[child]
            if count[child] >= _LONG and parent[child] != child and child not in met:
                parent[child] = child
                count[p] = 0
    for sums in by_constant.values():
        if len(np.unique(scaled[parent[sums]])) > 1:
            parent[sums] = sums
    return bool((parent[inside] == inside).any())


def _followed(parent: Ints, scale: Floats) -> tuple[Ints, Floats]:
    """The last ancestor of each node and the product of the factors up to it, by doubling the steps."""
    root = parent.copy()
    moving = np.flatnonzero(root != np.arange(len(root)))
    whole = np.ones(len(root))
    whole[moving] = scale[moving]
    with np.errstate(all="ignore"):
        while len(moving):
            after = root[moving]
            whole[moving] *= whole[after]
            further = root[after]
            root[moving] = further
            moving = moving[further != after]
    return root, whole
