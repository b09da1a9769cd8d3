"""Relations between gradients that hold whatever the program: checks that need no oracle.

Each relation builds the graph of ``f`` in two ways whose gradients must agree: bit by bit where nothing is rounded
differently, else within a few roundings of every share that was added up.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any, Final

import numpy as np

from autodiff.engine.backward import backpropagate
from autodiff.engine.graph import Node, topological
from autodiff.primitives.expression import Expression
from autodiff.primitives.operands import describe
from autodiff.primitives.primitive import Primitive
from autodiff.primitives.registry import remembered
from autodiff.primitives.table.units import identity
from autodiff.testing.oracles.interval import estimate
from autodiff.testing.random_programs.program import Program, check_program
from autodiff.testing.relations.passes import OF_PASSES
from autodiff.testing.relations.run import ROUNDING, DoesNotApply, Run, apart, same, short
from autodiff.transforms.functional import gradients
from autodiff.values.tensor import Tensor

__all__ = ["RELATIONS", "RelationError", "broken_relation", "check_relations", "rebuilt", "relation_fault"]

_PROBES: Final = ((2.0, 3.0), (-1.0, 2.0), (0.5, -3.0))

Call = Callable[[Node, list[Any]], Any]


class RelationError(AssertionError):
    """Two ways to one gradient disagree."""


#: What is wrong, None if it holds; raises `DoesNotApply` where nothing of the kind is there.
Relation = Callable[[Run], str | None]


def check_relations(f: Callable[..., Any], *inputs: Any, only: Sequence[str] | None = None) -> tuple[str, ...]:
    """Check the relations that hold for every gradient, of ``f`` at ``inputs``; no oracle is needed.

    Args:
        f: a function of Values (for numbers) and Tensors (for arrays) that returns one, or a plain number or array
            where it is constant; a `Program` is one.
        inputs: where; at least one.
        only: names from `RELATIONS`, if not all are wanted.

    Returns:
        the names of the relations that held. One that says nothing about f, such as how sums are bracketed where
        nothing is added, is not among them.

    Raises:
        RelationError: an AssertionError that names the relation, the numbers, and the program of a `Program`.
        TypeError: f cannot be called, or returns no number or array; or an input is neither a number nor an array; or
            its result depends on no input, but it read the ``.data`` of a node that does. ValueError: no input, no
            number in the output, or a name that no relation has.

    >>> from autodiff import exp
    >>> held = check_relations(lambda x: x * exp(x), 0.5)
    >>> held[:2]
    ('backward twice doubles', 'signals are linear in the seed')
    >>> "sums and products may be bracketed otherwise" in held
    False
    """
    held: list[str] = []
    for name, wrong in _answers(f, inputs, only):
        if wrong is not None:
            source = getattr(f, "python", None)
            raise RelationError(f"{name}: {wrong}" + (f"\n\n{source()}" if callable(source) else ""))
        held.append(name)
    return tuple(held)


def broken_relation(f: Callable[..., Any], *inputs: Any, only: Sequence[str] | None = None) -> str | None:
    """The first relation that is broken, with its numbers, as `check_relations`; None if there is none."""
    return next((f"{name}: {wrong}" for name, wrong in _answers(f, inputs, only) if wrong is not None), None)


def relation_fault(program: Program) -> str | None:
    """What is wrong with the gradients of a program over Values or Tensors, by the relations: a judge for `search`.

    >>> relation_fault(Program.parse("Tensor [1.5,2.0]; sin 0; multiply 1 0"))
    """
    check_program(program, "relation_fault")
    return broken_relation(program, *program.inputs)


def _answers(
    f: Callable[..., Any], inputs: Sequence[Any], only: Sequence[str] | None
) -> Iterator[tuple[str, str | None]]:
    """Each relation that says something about ``f``, and what is wrong, None if it holds."""
    if not callable(f):
        raise TypeError(f"relations are checked of a function, and got {describe(f)}")
    if not inputs:
        raise ValueError("relations are checked at one or more inputs of f, and got none")
    if isinstance(only, str) or not isinstance(only, Iterable | None):
        raise TypeError(f"only is a list of names of relations, and got {describe(only)}")
    names = list(RELATIONS) if only is None else list(only)
    if unknown := [name for name in names if not isinstance(name, str) or name not in RELATIONS]:
        raise ValueError(f"no relation is called {', '.join(map(repr, unknown))}; there are {', '.join(RELATIONS)}")
    run = Run(f, inputs, asked=True)
    for name in names:
        try:
            with np.errstate(all="ignore"):
                wrong = RELATIONS[name](run)
        except DoesNotApply:
            continue
        yield name, wrong


# ---- the other way round ---------------------------------------------------------------------------------------------


def _push_and_pull(run: Run) -> str | None:
    """⟨J v, u⟩ = ⟨v, Jᵀu⟩: the left side from values of f alone, by differences with their own error.

    At a tie a convention may give what no slope around it is: a disagreement counts if it is there nearby, too. Where
    f has no slope, one nearby is asked for.
    """
    if _pushed_otherwise(run) == (True, None):
        return None
    for phase in (7.0, 9.0):
        smooth_nearby, wrong_nearby = _pushed_otherwise(Run(run.f, _moved(run.inputs, 1e-3, _directions(run, phase))))
        if smooth_nearby:
            return wrong_nearby
    raise DoesNotApply


def _directions(run: Run, phase: float) -> list[Any]:
    """A direction for each input whose entries are all different."""
    waves = [np.cos(phase + k + np.arange(np.size(x))) for k, x in enumerate(run.inputs)]
    return [wave.reshape(np.shape(x)) for wave, x in zip(waves, run.inputs, strict=True)]


def _moved(inputs: Sequence[Any], t: float, directions: Sequence[Any]) -> list[Any]:
    moved = [x + t * v for x, v in zip(inputs, directions, strict=True)]
    return [np.asarray(y) if isinstance(x, np.ndarray) else y for x, y in zip(inputs, moved, strict=True)]


def _pushed_otherwise(run: Run) -> tuple[bool, str | None]:
    """Whether f is smooth here, and by how much the two sides differ if it is."""
    output, _ = run.usual
    seed, directions = np.asarray(run.seed(output)), _directions(run, 1.0)

    def along(t: float) -> float:
        moved, _ = Run(run.f, _moved(run.inputs, t, directions)).record()
        return float(np.sum(seed * np.asarray(moved.data)))

    back = sum(float(np.sum(g * v)) for g, v in zip(run.usual_gradients, directions, strict=True))
    found = estimate(along)
    size = sum(float(np.sum(part)) for part in run.sizes)
    allowed = 4 * found.bar + 1e-7 * max(abs(back), abs(found.value)) + ROUNDING * size
    smooth = found.kind == "smooth"
    if not smooth or abs(back - found.value) <= allowed:
        return smooth, None
    return smooth, f"⟨v, Jᵀu⟩ is {back!r}, and ⟨J v, u⟩ is {found.value!r} ± {found.bar:.1g}"


# ---- the graph, built in another way ---------------------------------------------------------------------------------


def rebuilt(output: Any, known: Mapping[Node, Node], call: Call | None = None) -> Any:
    """The graph under ``output`` once more, with ``known`` nodes replaced, every step made by ``call(node, inputs)``.

    >>> from autodiff import Value
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
    in_one = entry.packed or (entry.reduces and node.scalar)
    return entry(inputs, **params) if in_one else entry(*inputs, **params)


def _primitive_of(node: Node) -> Primitive:
    if node.primitive is None:
        raise TypeError(f"{node.label} has inputs and no primitive")
    return node.primitive


def _as_kind(node: Node, made: Any) -> Any:
    return made.value() if node.scalar and isinstance(made, Tensor) else made


def _in_another_way(run: Run, changes: Callable[[Node], bool], call: Call) -> str | None:
    """The gradients of the graph with its nodes that ``changes`` picks made by ``call``, to the same last bit."""
    output, leaves = run.usual
    if not any(node.inputs and changes(node) for node in topological(output)):
        raise DoesNotApply
    _, twins = run.record()
    known = dict(zip(leaves, twins, strict=True))
    other = rebuilt(output, known, lambda node, inputs: (call if changes(node) else _again)(node, inputs))
    if (wrong := same([other.data], [output.data])) is not None:
        return f"the value {wrong}"
    return run.as_usual(other, twins)


def _operand_order(run: Run) -> str | None:
    """x + y and y + x, for every primitive that turns out to commute."""

    def commutes(node: Node) -> bool:
        return len(node.inputs) == 2 and node.inputs[0] is not node.inputs[1] and _commutes(_primitive_of(node))

    return _in_another_way(run, commutes, lambda node, inputs: _again(node, inputs[::-1]))


def _reassociated(run: Run) -> str | None:
    """(x + y) + z and x + (y + z), for every primitive that turns out to associate, where nothing is rounded."""
    otherwise: list[Any] = []

    def is_nested(node: Node) -> bool:
        first, entry = node.inputs[0], _primitive_of(node)
        return isinstance(first, Node) and first.primitive is entry and _associates(entry)

    def turned(node: Node, inputs: list[Any]) -> Any:
        entry, plain, (x, y) = _primitive_of(node), _again(node, inputs), inputs[0].inputs
        if inputs[0].primitive is not entry:
            return plain
        other = entry(x, entry(y, inputs[1]))
        if not np.array_equal(other.data, plain.data) or type(other) is not type(plain):
            return plain
        otherwise.append(other)
        return other

    wrong = _in_another_way(run, is_nested, turned)
    if wrong is None and not otherwise:
        raise DoesNotApply
    return wrong


@remembered()
def _commutes(entry: Primitive) -> bool:
    return _takes_two(entry) and all(entry(x, y) == entry(y, x) for x, y in _PROBES)


@remembered()
def _associates(entry: Primitive) -> bool:
    """Bracketed either way the values are the same, and no kink is at a tie: the shares of max(x, x, y) are not."""
    alike = _takes_two(entry) and all(entry(entry(x, y), 5.0) == entry(x, entry(y, 5.0)) for x, y in _PROBES)
    return alike and bool(entry(3.0, 2.0) - entry(2.0, 2.0) == entry(2.0, 2.0) - entry(1.0, 2.0))


def _takes_two(entry: Primitive) -> bool:
    return entry.elementwise and entry.arity == 2 and not entry.defaults


def _identity_in_front(run: Run) -> str | None:
    """identity(x) in place of every input."""
    return run.as_usual(*run.record(identity))


def _parts_in_front(run: Run) -> str | None:
    """x/8 eight times, by edges of either kind, in place of every input: one node with many consumers."""

    def parted(x: Any) -> Any:
        halves = [sum_of_four(part) for part in ([x * 0.125 for _ in range(4)], [0.125 * x for _ in range(4)])]
        return halves[0] + halves[1]

    def sum_of_four(parts: list[Any]) -> Any:  # in pairs, so that nothing is rounded
        return (parts[0] + parts[1]) + (parts[2] + parts[3])

    return run.as_usual(*run.record(parted))


# ---- rules that do more than they should -----------------------------------------------------------------------------


def _rules_that_keep(run: Run) -> str | None:
    """A rule may hold on to the array that it returns: no pass writes to it, and no gradient is it."""
    run.needs_arrays()
    kept: list[tuple[Any, Any]] = []

    def keep(share: Any, g: Any) -> None:
        if isinstance(share, np.ndarray) and not np.may_share_memory(share, g):
            kept.append((share, share.copy()))

    output, leaves = _with_watched_rules(run)
    with _watching(keep):
        output.backward(run.seed(output))
        gradients(output, leaves, seed=run.seed(output))
    if not kept:
        raise DoesNotApply
    for array, before in kept:
        if not np.array_equal(array, before, equal_nan=True):
            return f"a pass wrote {short(array)} to the array of a rule that holds {short(before)}"
        if any(isinstance(x.grad, np.ndarray) and np.may_share_memory(x.grad, array) for x in topological(output)):
            return "a gradient is the array that a rule holds"
    return None


def _rules_with_passes(run: Run) -> str | None:
    """A rule may run a pass of its own over the same nodes."""
    run.needs_arrays()
    output, leaves = _with_watched_rules(run)
    other = output * 2.0
    begun: list[bool] = []

    def begin(*_: Any) -> None:
        if not begun:
            begun.append(True)
            backpropagate(other, run.seed(other))

    with _watching(begin):
        output.backward(run.seed(output))
    if not begun:
        raise DoesNotApply
    return same([np.zeros(np.shape(x.data)) if x.grad is None else x.grad for x in leaves], run.usual_gradients)


def _with_watched_rules(run: Run) -> tuple[Any, list[Any]]:
    """The graph made of the same primitives, whose rules are watched."""
    output, leaves = run.usual
    _, twins = run.record()
    return apart(rebuilt(output, dict(zip(leaves, twins, strict=True)), _watched_again), twins)


_eye: Final = threading.local()  # its ``sees`` is called with what each watched rule of this thread returns


@contextmanager
def _watching(sees: Callable[[Any, Any], Any]) -> Iterator[None]:
    _eye.sees = sees
    try:
        yield
    finally:
        del _eye.sees


def _watched_again(node: Node, inputs: list[Any]) -> Any:
    if node.scalar:
        return _again(node, inputs)
    entry, params = _watched(_primitive_of(node)), node.params
    return entry(inputs, **params) if entry.packed else entry(*inputs, **params)


@remembered()
def _watched(entry: Primitive) -> Primitive:
    """The same primitive, whose rules show what they return to `_watching`; they cannot be written out as source."""

    def watch(k: int, g: Any, *given: Any, **params: Any) -> Any:
        if isinstance(g, Expression):
            raise TypeError("a rule that is watched is no expression")
        share = entry.rule(k)(g, *given, **params)
        if sees := getattr(_eye, "sees", None):
            sees(share, g)
        return share

    return replace(entry, vjp=tuple(partial(watch, k) for k in range(entry.arity)) if entry.arity else watch)


#: What holds for every correct gradient, by name: each compares two ways to one result.
RELATIONS: Final[dict[str, Relation]] = {
    **OF_PASSES,
    "pushforward and pullback agree": _push_and_pull,
    "operands that commute may change places": _operand_order,
    "sums and products may be bracketed otherwise": _reassociated,
    "identity(x) in place of x changes nothing": _identity_in_front,
    "a sum of eighths in place of x changes nothing": _parts_in_front,
    "rules may hold on to the arrays they return": _rules_that_keep,
    "rules may run passes of their own": _rules_with_passes,
}
