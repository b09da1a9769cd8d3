"""Chains of +, drawn as one box Σ: every share passes them unchanged, so their inner boxes say nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

from autodiff.draw.grouping.folding import Fold, Key, Region, Scope, parts
from autodiff.draw.grouping.repeats import folding, has_places
from autodiff.draw.grouping.units import Terms, Unit, with_units
from autodiff.engine.graph import Node
from autodiff.flow import FlowNode
from autodiff.flow.sums import ADD, FEWEST_TERMS, Slot, Sums, served_alone, terms_below

__all__ = ["WithSums", "sums"]

_MOST_TERMS: Final = 7  # where the steps of a loop are folded, longer sums are folded like them


def sums(
    items: Sequence[FlowNode], nodes: Sequence[Node], inputs: Sequence[Sequence[int]], shown: Collection[int] = (),
    folded: Collection[int] = frozenset(),
) -> Sums:  # fmt: skip
    """The sums of a graph given with consumers before their inputs; the nodes in ``shown`` keep a box of their own.

    An addition is inside a sum if it has no name and only another addition of the same shape uses it, once. Where terms
    share what leads to them, as neurons share inputs, the additions stay apart: wires to one tall box would cross more
    (micrograd 3-4-4-1: 140 crossings for 71). So do those of a sum of more than seven terms among the nodes ``folded``
    with the steps of a loop: a box Σ with 16 products is 2867 px high, the ends of its chain are 538 px.

    >>> from autodiff import Value
    >>> from autodiff.flow.numbering import NumberedGraph
    >>> from autodiff import topological
    >>> a, b, c = (Value(1.0, name=name) for name in "abc")
    >>> graph = NumberedGraph(topological(a + b + c)[::-1])
    >>> items = [graph.described(node, None) for node in graph.nodes]
    >>> found = sums(items, graph.nodes, graph.inputs)
    >>> sorted(found.hidden), found.terms[0]
    ([2], [(2, 0), (2, 1), (0, 1)])
    """
    uses = Counter(item for own in inputs for item in own)
    number = {id(node): k for k, node in enumerate(nodes)}
    inside: set[int] = set()
    apart: set[int] = set()
    terms: dict[int, list[Slot]] = {}

    def is_free(k: int) -> bool:
        return items[k].operation == ADD and items[k].name is None and uses[k] == 1 and k not in shown

    alone = served_alone(inputs, uses)
    for k, item in enumerate(items):
        if item.operation != ADD or k in inside or k in apart:
            continue
        found, hidden = terms_below(k, nodes, lambda item: number.get(id(item)), is_free)
        ends = (number.get(id(nodes[owner].inputs[slot])) for owner, slot in found)
        if len(found) > _MOST_TERMS and not hidden.isdisjoint(folded):
            apart |= hidden
        elif hidden and len(found) >= FEWEST_TERMS and all(end is None or alone[end] for end in ends):
            terms[k] = found
            inside |= hidden
    return Sums(terms, frozenset(inside))


@dataclass(frozen=True, slots=True)
class WithSums:
    """A graph in which every sum is one node; ``kept`` are the numbers of its nodes in the whole graph."""

    kept: Sequence[int]
    scopes: Sequence[Scope | None]
    inputs: Sequence[Sequence[int]]

    @classmethod
    def of(
        cls, found: Sums, nodes: Sequence[Node], scopes: Sequence[Scope | None], numbers: Mapping[Node, int]
    ) -> Self:
        """The graph of ``nodes`` without the additions inside sums."""
        kept = [k for k in range(len(nodes)) if k not in found.hidden]
        place = {k: position for position, k in enumerate(kept)}
        items = ((nodes[owner].inputs[slot] for owner, slot in found.slots(k, nodes[k])) for k in kept)
        inputs = [[place[numbers[item]] for item in own if isinstance(item, Node)] for own in items]
        return cls(kept, [scopes[k] for k in kept], inputs)

    def fold(
        self, items: Sequence[FlowNode], way: Sequence[int], most: int, unfold: bool | str,
        apart: Collection[int] = frozenset(),
    ) -> Fold:  # fmt: skip
        """`autodiff.draw.grouping.repeats.folding` and `autodiff.draw.grouping.units.with_units` by the numbers of the
        whole graph; the nodes in ``apart`` are drawn, if their units are not folded by names.
        """
        on_the_way = set(way)
        own, positions = [items[k] for k in self.kept], [p for p, k in enumerate(self.kept) if k in on_the_way]
        made = folding(own, self.scopes, self.inputs, positions, most, unfold)
        if unfold is False and not has_places(self.scopes, self.inputs):
            drawn = {p for p, k in enumerate(self.kept) if k in apart}
            made = with_units(made, own, self.inputs, positions, drawn) or made
        return Fold(self._back(made.box_of), made.kind)

    def frames(self) -> dict[Key, Key]:
        """The cluster of every node by its number in the whole graph."""
        boxes = self._back(parts(self.scopes, self.inputs, set()))
        return {k: frame for k, frame in boxes.items()}  # noqa: C416 - other key types

    def _back(self, boxes: Mapping[int, Key]) -> dict[int, Key]:
        return {self.kept[position]: self._key(key) for position, key in boxes.items()}

    def _key(self, key: Key) -> Key:
        if isinstance(key, int):
            return self.kept[key]
        if isinstance(key, tuple) and isinstance(key[0], Region):
            return (Region(self.kept[key[0].root]), *key[1:])
        if isinstance(key, tuple) and isinstance(key[0], Unit):
            return (Unit(self.kept[key[0].root], tuple(self.kept[k] for k in key[0].weights)), *key[1:])
        if isinstance(key, tuple) and isinstance(key[0], Terms):
            return (Terms(self.kept[key[0].root], key[0].more), *key[1:])
        return key
