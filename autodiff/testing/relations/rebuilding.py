"""Relations of a graph to a rebuilt one: swapped operands, other brackets, more nodes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np

from autodiff.engine.graph import Node, topological
from autodiff.primitives.primitive import Primitive
from autodiff.primitives.registry import remembered
from autodiff.primitives.table.units import identity
from autodiff.testing.relations.run import DoesNotApply, Relation, Run, same
from autodiff.values.tensor import Tensor

__all__ = ["OF_GRAPHS", "again", "primitive_of", "rebuilt"]

_PROBES: Final = ((2.0, 3.0), (-1.0, 2.0), (0.5, -3.0))

Call = Callable[[Node, list[Any]], Any]


def rebuilt(output: Any, known: Mapping[Node, Node], call: Call | None = None) -> Any:
    """A copy of the graph of ``output``, with ``known`` nodes replaced, each step made by ``call(node, inputs)``.

    >>> from autodiff import Value
    >>> x, y = Value(2.0), Value(5.0)
    >>> rebuilt(x * x + 1.0, {x: y}).data
    26.0
    """
    made = dict(known)
    for node in topological(output):
        if node not in made:
            inputs = [made[x] if isinstance(x, Node) else x for x in node.inputs]
            made[node] = node if node.is_leaf else _as_kind(node, (call or again)(node, inputs))
    return made[output]


def again(node: Node, inputs: list[Any]) -> Any:
    entry, params = primitive_of(node), node.params
    in_one = entry.packed or (entry.reduces and node.scalar)
    return entry(inputs, **params) if in_one else entry(*inputs, **params)


def primitive_of(node: Node) -> Primitive:
    if node.primitive is None:
        raise TypeError(f"{node.label} has no primitive; only nodes made by a primitive can be rebuilt")
    return node.primitive


def _as_kind(node: Node, made: Any) -> Any:
    return made.value() if node.scalar and isinstance(made, Tensor) else made


def _in_another_way(run: Run, changes: Callable[[Node], bool], call: Call) -> str | None:
    """The disagreement with a graph in which ``call`` makes the nodes that ``changes`` picks; the value is the same."""
    output, leaves = run.usual
    if not any(node.inputs and changes(node) for node in topological(output)):
        raise DoesNotApply
    _, twins = run.record()
    known: dict[Node, Node] = dict(zip(leaves, twins, strict=True))
    other = rebuilt(output, known, lambda node, inputs: (call if changes(node) else again)(node, inputs))
    if (wrong := same([other.data], [output.data])) is not None:
        return f"the value {wrong}"
    return run.as_usual(other, twins)


def _operand_order(run: Run) -> str | None:
    """x + y and y + x, for every primitive that commutes."""

    def commutes(node: Node) -> bool:
        return len(node.inputs) == 2 and node.inputs[0] is not node.inputs[1] and _commutes(primitive_of(node))

    return _in_another_way(run, commutes, lambda node, inputs: again(node, inputs[::-1]))


def _reassociated(run: Run) -> str | None:
    """(x + y) + z and x + (y + z), for every primitive that is associative, where both round to the same value."""
    otherwise: list[Any] = []

    def is_nested(node: Node) -> bool:
        first, entry = node.inputs[0], primitive_of(node)
        return isinstance(first, Node) and first.primitive is entry and _associates(entry)

    def turned(node: Node, inputs: list[Any]) -> Any:
        entry, plain, (x, y) = primitive_of(node), again(node, inputs), inputs[0].inputs
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
    """Both brackets give the same values, and there is no kink at a tie: the shares of max(x, x, y) would differ."""
    alike = _takes_two(entry) and all(entry(entry(x, y), 5.0) == entry(x, entry(y, 5.0)) for x, y in _PROBES)
    return alike and bool(entry(3.0, 2.0) - entry(2.0, 2.0) == entry(2.0, 2.0) - entry(1.0, 2.0))


def _takes_two(entry: Primitive) -> bool:
    return entry.elementwise and entry.arity == 2 and not entry.defaults


def _identity_in_front(run: Run) -> str | None:
    """identity(x) instead of every input."""
    return run.as_usual(*run.record(identity))


def _parts_in_front(run: Run) -> str | None:
    """A sum of eight x/8, with edges of either kind, instead of every input: one node with many consumers."""

    def parted(x: Any) -> Any:
        halves = [sum_of_four(part) for part in ([x * 0.125 for _ in range(4)], [0.125 * x for _ in range(4)])]
        return halves[0] + halves[1]

    def sum_of_four(parts: list[Any]) -> Any:  # in pairs, so that nothing is rounded
        return (parts[0] + parts[1]) + (parts[2] + parts[3])

    return run.as_usual(*run.record(parted))


OF_GRAPHS: Final[Mapping[str, Relation]] = {
    "operands that commute may change places": _operand_order,
    "sums and products may be bracketed otherwise": _reassociated,
    "identity(x) in place of x changes nothing": _identity_in_front,
    "a sum of eighths in place of x changes nothing": _parts_in_front,
}
