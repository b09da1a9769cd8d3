"""Relations between gradients that hold whatever the program: checks that need no oracle.

Each relation builds the graph of ``f`` in two ways whose gradients must agree: bit by bit where nothing is rounded
differently, else within a few roundings of every share that was added up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, Final

import numpy as np

from autodiff.backprop import backpropagate
from autodiff.graph import Node, topological
from autodiff.node import Tensor, Value
from autodiff.ops.units import identity
from autodiff.primitive import Primitive, describe
from autodiff.shares import edge_shares
from autodiff.testing.interval import estimate
from autodiff.testing.program import weights_of
from autodiff.testing.rounding import reach
from autodiff.transforms import gradients

__all__ = ["RELATIONS", "RelationError", "broken_relation", "check_relations", "rebuilt"]

_ROUNDING: Final = 64 * np.finfo(float).eps  # of each of some tens of shares, relative to what they add up to
_PROBES: Final = ((2.0, 3.0), (-1.0, 2.0), (0.5, -3.0))

Call = Callable[[Node, list[Any]], Any]


class RelationError(AssertionError):
    """Two ways to one gradient disagree."""


class Run:
    """A function at a point: what every relation starts from."""

    def __init__(self, f: Callable[..., Any], inputs: Sequence[Any]) -> None:
        self.f = f
        self.inputs = [
            np.array(x, dtype=float) if np.ndim(x) or isinstance(x, np.ndarray) else float(x) for x in inputs
        ]

    def record(self, change: Callable[[Node], Node] | None = None) -> tuple[Any, list[Any]]:
        """The output and its leaves, new ones; f sees them through ``change``."""
        leaves = [Tensor(x) if isinstance(x, np.ndarray) else Value(x) for x in self.inputs]
        output = self.f(*leaves if change is None else map(change, leaves))
        if not isinstance(output, Node):
            came = describe(output)
            raise TypeError(f"relations are checked of a function that returns a Value or Tensor, and got {came}")
        return output, leaves

    def seed(self, output: Any) -> Any:
        """A cotangent that is not all ones."""
        return weights_of(np.shape(output.data), 1)

    def gradients(self, output: Any, leaves: Sequence[Any], seed: Any = None) -> list[Any]:
        """The gradients as arrays, zeros where the output does not depend on a leaf."""
        found = gradients(output, list(leaves), seed=self.seed(output) if seed is None else seed)
        return [np.zeros(np.shape(x.data)) if g is None else np.asarray(g) for g, x in zip(found, leaves, strict=True)]


Relation = Callable[[Run], str | None]


def check_relations(f: Callable[..., Any], *inputs: Any, only: Sequence[str] | None = None) -> tuple[str, ...]:
    """Check all relations that hold for every gradient, of ``f`` at ``inputs``; no oracle is needed.

    Args:
        f: a function of Values (for numbers) and Tensors (for arrays) that returns one; a `Program` is one.
        inputs: where.
        only: names from `RELATIONS`, if not all are wanted.

    Returns:
        the names of the relations.

    Raises:
        RelationError: an AssertionError that names the relation, the numbers, and the program of a `Program`.
        TypeError: f cannot be called or returns no node. ValueError: a name that no relation has.

    >>> from autodiff import exp
    >>> check_relations(lambda x: x * exp(x), 0.5)[:2]
    ('backward twice doubles', 'signals are linear in the seed')
    """
    wrong = broken_relation(f, *inputs, only=only)
    if wrong is not None:
        source = getattr(f, "python", None)
        raise RelationError(wrong + (f"\n\n{source()}" if callable(source) else ""))
    return tuple(RELATIONS if only is None else only)


def broken_relation(f: Callable[..., Any], *inputs: Any, only: Sequence[str] | None = None) -> str | None:
    """The first relation that does not hold, with its numbers, as `check_relations`; None if all hold."""
    if not callable(f):
        raise TypeError(f"relations are checked of a function, and got {describe(f)}")
    names = list(RELATIONS) if only is None else list(only)
    if unknown := [name for name in names if name not in RELATIONS]:
        raise ValueError(f"no relation is called {', '.join(map(repr, unknown))}; there are {', '.join(RELATIONS)}")
    run = Run(f, inputs)
    with np.errstate(all="ignore"):
        for name in names:
            wrong = RELATIONS[name](run)
            if wrong is not None:
                return f"{name}: {wrong}"
    return None


# ---- comparing -------------------------------------------------------------------------------------------------------


def _same(ours: Sequence[Any], others: Sequence[Any]) -> str | None:
    """What differs in any bit, nan and nan being equal, and 0 and −0."""
    for x, y in zip(ours, others, strict=True):
        if not np.array_equal(x, y, equal_nan=True):
            return f"{_short(x)} is not {_short(y)}"
    return None


def _near(ours: Sequence[Any], others: Sequence[Any], sizes: Sequence[Any]) -> str | None:
    """What differs by more than the rounding of shares whose ``sizes`` add up."""
    for x, y, size in zip(ours, others, sizes, strict=True):
        wrong = np.abs(x - y) > _ROUNDING * size
        if np.any(wrong & np.isfinite(size)) or not np.array_equal(np.isnan(x), np.isnan(y)):
            return f"{_short(x)} is not {_short(y)}, within the rounding of shares up to {_short(size)}"
    return None


def _short(x: Any) -> str:
    text = " ".join(repr(np.asarray(x).tolist()).split())
    return text if len(text) <= 200 else text[:199] + "…"


# ---- the passes ------------------------------------------------------------------------------------------------------


def _twice_doubles(run: Run) -> str | None:
    output, _ = run.record()
    output.backward(run.seed(output))
    nodes: list[Any] = topological(output)
    once = [np.array(0.0 if node.grad is None else node.grad) for node in nodes]
    output.backward(run.seed(output))
    return _same([0.0 if node.grad is None else node.grad for node in nodes], [2.0 * first for first in once])


def _linear_in_the_seed(run: Run) -> str | None:
    """A factor of −4 does not round."""
    output, leaves = run.record()
    seed = run.seed(output)
    return _same(run.gradients(output, leaves, -4.0 * seed), [-4.0 * g for g in run.gradients(output, leaves, seed)])


def _conserved(run: Run) -> str | None:
    """At every node the shares that arrive add up to its error signal."""
    output, _ = run.record()
    signals = backpropagate(output, run.seed(output))
    arrived: dict[Node, Any] = {output: np.asarray(run.seed(output))}
    sizes: dict[Node, Any] = {output: np.abs(run.seed(output))}
    for node, signal in signals.items():
        for item, share in edge_shares(node, signal):
            arrived[item] = arrived.get(item, 0.0) + share
            sizes[item] = sizes.get(item, 0.0) + np.abs(share)
    return _near(list(signals.values()), [arrived[x] for x in signals], [sizes[x] for x in signals])


def _as_nodes(run: Run) -> str | None:
    output, leaves = run.record()
    seed = run.seed(output)
    found = gradients(output, leaves, seed=seed, create_graph=True)
    held = [np.zeros(np.shape(x.data)) if g is None else g.data for g, x in zip(found, leaves, strict=True)]
    return _near(held, run.gradients(output, leaves), [np.max(np.abs(seed)) * size for size in reach(output, leaves)])


def _deterministic(run: Run) -> str | None:
    """The same bits, of the value and of the gradients."""
    (first, ones), (second, twos) = run.record(), run.record()
    pairs = [[x.data, *run.gradients(x, leaves)] for x, leaves in ((first, ones), (second, twos))]
    alike = all(np.asarray(x).tobytes() == np.asarray(y).tobytes() for x, y in zip(*pairs, strict=True))
    return (
        None if alike else f"{_short(pairs[0][0])} and {_short(pairs[1][0])}, or their gradients, differ in their bits"
    )


def _nothing_written(run: Run) -> str | None:
    """A pass leaves all data as it was, and no two gradients of leaves share memory."""
    output, leaves = run.record()
    nodes: list[Any] = topological(output)
    before = [np.array(node.data) for node in nodes]
    output.backward(run.seed(output))
    held = [leaf.grad for leaf in leaves if isinstance(leaf.grad, np.ndarray)]
    if any(np.shares_memory(x, y) for k, x in enumerate(held) for y in held[:k]):
        return "the gradients of two leaves share memory"
    return _same([node.data for node in nodes], before)


def _push_and_pull(run: Run) -> str | None:
    """⟨J v, u⟩ = ⟨v, Jᵀu⟩: the left side from values of f alone, by differences with their own error.

    At a tie a convention may give what no slope around it is: a disagreement counts if it is there nearby, too.
    """
    wrong = _pushed_otherwise(run)
    nearby = _moved(run.inputs, 1e-3, _directions(run, 7.0))
    return wrong if wrong is None or _pushed_otherwise(Run(run.f, nearby)) is not None else None


def _directions(run: Run, phase: float) -> list[Any]:
    """A direction for each input whose entries are all different."""
    waves = [np.cos(phase + k + np.arange(np.size(x))) for k, x in enumerate(run.inputs)]
    return [wave.reshape(np.shape(x)) for wave, x in zip(waves, run.inputs, strict=True)]


def _moved(inputs: Sequence[Any], t: float, directions: Sequence[Any]) -> list[Any]:
    moved = [x + t * v for x, v in zip(inputs, directions, strict=True)]
    return [np.asarray(y) if isinstance(x, np.ndarray) else y for x, y in zip(inputs, moved, strict=True)]


def _pushed_otherwise(run: Run) -> str | None:
    output, leaves = run.record()
    seed, directions = np.asarray(run.seed(output)), _directions(run, 1.0)

    def along(t: float) -> float:
        moved, _ = Run(run.f, _moved(run.inputs, t, directions)).record()
        return float(np.sum(seed * np.asarray(moved.data)))

    pulled = run.gradients(output, leaves)
    back = sum(float(np.sum(g * v)) for g, v in zip(pulled, directions, strict=True))
    found = estimate(along)
    size = sum(float(np.sum(part)) for part in reach(output, leaves))
    allowed = 4 * found.bar + 1e-7 * max(abs(back), abs(found.value)) + _ROUNDING * size
    wrong = found.kind == "smooth" and not abs(back - found.value) <= allowed
    return f"⟨v, Jᵀu⟩ is {back!r}, and ⟨J v, u⟩ is {found.value!r} ± {found.bar:.1g}" if wrong else None


# ---- the graph, built in another way ---------------------------------------------------------------------------------


def rebuilt(output: Any, known: Mapping[Node, Node], call: Call | None = None) -> Any:
    """The graph under ``output`` once more, with ``known`` nodes replaced, every step made by ``call(node, inputs)``.

    >>> x, y = Value(2.0), Value(5.0)
    >>> rebuilt(x * x + 1.0, {x: y}).data
    26.0
    """
    made = dict(known)
    for node in topological(output):
        if node not in made:
            inputs = [made[x] if isinstance(x, Node) else x for x in node.inputs]
            made[node] = node if node.is_leaf else _as_kind(node, (call or _again)(node, inputs))
    return made[output]


def _again(node: Node, inputs: list[Any]) -> Any:
    entry, params = _primitive_of(node), node.params
    return entry(inputs, **params) if entry.packed else entry(*inputs, **params)


def _primitive_of(node: Node) -> Primitive:
    if node.primitive is None:
        raise TypeError(f"{node.label} has inputs and no primitive")
    return node.primitive


def _as_kind(node: Node, made: Any) -> Any:
    return made.value() if node.scalar and isinstance(made, Tensor) else made


def _in_another_way(run: Run, call: Call) -> str | None:
    """The gradients of the graph as it is, and as ``call`` builds it; the values are the same to the last bit."""
    output, leaves = run.record()
    _, twins = run.record()
    other = rebuilt(output, dict(zip(leaves, twins, strict=True)), call)
    if (wrong := _same([other.data], [output.data])) is not None:
        return f"the value {wrong}"
    sizes = [np.max(np.abs(run.seed(output))) * size for size in reach(output, leaves)]
    return _near(run.gradients(other, twins), run.gradients(output, leaves), sizes)


def _operand_order(run: Run) -> str | None:
    """x + y and y + x, for every primitive that turns out to commute."""

    def swapped(node: Node, inputs: list[Any]) -> Any:
        commutes = len(inputs) == 2 and _commutes(_primitive_of(node))
        return _again(node, inputs[::-1] if commutes else inputs)

    return _in_another_way(run, swapped)


def _reassociated(run: Run) -> str | None:
    """(x + y) + z and x + (y + z), for every primitive that turns out to associate, where nothing is rounded."""

    def turned(node: Node, inputs: list[Any]) -> Any:
        entry, plain = _primitive_of(node), _again(node, inputs)
        inner = inputs[0] if inputs else None
        if not (isinstance(inner, Node) and inner.primitive is entry and _associates(entry)):
            return plain
        x, y = inner.inputs
        other = entry(x, entry(y, inputs[1]))
        return other if np.array_equal(other.data, plain.data) and type(other) is type(plain) else plain

    return _in_another_way(run, turned)


@cache
def _commutes(entry: Primitive) -> bool:
    return _takes_two(entry) and all(entry(x, y) == entry(y, x) for x, y in _PROBES)


@cache
def _associates(entry: Primitive) -> bool:
    """Bracketed either way the values are the same, and no kink is at a tie: the shares of max(x, x, y) are not."""
    alike = _takes_two(entry) and all(entry(entry(x, y), 5.0) == entry(x, entry(y, 5.0)) for x, y in _PROBES)
    return alike and bool(entry(3.0, 2.0) - entry(2.0, 2.0) == entry(2.0, 2.0) - entry(1.0, 2.0))


def _takes_two(entry: Primitive) -> bool:
    return entry.elementwise and entry.arity == 2 and not entry.defaults


def _identity_in_front(run: Run) -> str | None:
    """identity(x) in place of every input."""
    (output, leaves), (other, twins) = run.record(), run.record(identity)
    sizes = [np.max(np.abs(run.seed(output))) * size for size in reach(output, leaves)]
    return _near(run.gradients(other, twins), run.gradients(output, leaves), sizes)


def _dead_branch(run: Run) -> str | None:
    """Nodes that the output does not use change nothing, and no error signal reaches them."""
    output, leaves = run.record()
    expected = run.gradients(output, leaves)
    dead = [leaf * leaf for leaf in leaves]
    output.backward(run.seed(output))
    if any(node.grad is not None for node in dead):
        return "an error signal reached a node that the output does not depend on"
    return _same([np.zeros(np.shape(x.data)) if x.grad is None else x.grad for x in leaves], expected)


RELATIONS: Final[dict[str, Relation]] = {
    "backward twice doubles": _twice_doubles,
    "signals are linear in the seed": _linear_in_the_seed,
    "shares that arrive add up to the error signal": _conserved,
    "gradients as nodes are the plain gradients": _as_nodes,
    "the same program gives the same bits": _deterministic,
    "a pass writes to nothing but .grad": _nothing_written,
    "pushforward and pullback agree": _push_and_pull,
    "operands that commute may change places": _operand_order,
    "sums and products may be bracketed otherwise": _reassociated,
    "identity(x) in place of x changes nothing": _identity_in_front,
    "a dead branch changes nothing": _dead_branch,
}
