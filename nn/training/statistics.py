"""Statistics of layers while they learn: the spread of activations, error signals and gradients, and flat units.

They show the notes' reason for Xavier's weights: with them, a and δ keep their spread from layer to layer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from autodiff.engine.graph import Node, topological
from autodiff.flow.factors import is_flat
from autodiff.flow.order import without_suffix
from autodiff.primitives.operands import describe, whole_number
from autodiff.words.notation import Name, number, parse
from nn.training.step import Step

__all__ = ["Spread", "spreads", "statistics"]

Floats = np.ndarray[Any, Any]
_UNITS: Final = ("a", "h")
_SUMS: Final = ("z",)
_PARAMETERS: Final = ("W", "U", "V", "L", "b")


@dataclass(frozen=True, slots=True)
class Spread:
    """The spread of the numbers of one quantity of a layer, over all units and examples.

    Attributes:
        name: a⁽ᵏ⁾, δ⁽ᵏ⁾ or ∇W⁽ᵏ⁾.
        mean: the mean, in the quantity's unit.
        sd: the standard deviation, in the same unit.
        flat: for a, the share of numbers at which the unit is flat: |f′| below a tenth of its largest value; else None.
        dead: for a, the number of units with f′ = 0 for every example; else None.
    """

    name: str
    mean: float
    sd: float
    flat: float | None = None
    dead: int | None = None

    def __str__(self) -> str:
        rest = "" if self.flat is None else f", {self.flat:.0%} flat, {self.dead} dead"
        return f"{self.name}: mean {number(self.mean)}, sd {number(self.sd)}{rest}"


def statistics(of: Step | Node) -> list[Spread]:
    """The spread of a⁽ᵏ⁾, of δ⁽ᵏ⁾ (the error signal at z⁽ᵏ⁾) and of ∇W⁽ᵏ⁾, ∇b⁽ᵏ⁾ of each layer, in that order.

    Args:
        of: a step of `fit`, or an objective J after ``J.backward()``; quantities are found by their names in the notes.

    Raises:
        TypeError: if it is neither. ValueError: if no backward pass has reached the graph.

    Source: notes, section 2, "Initialisation" and "Units and their derivatives".

    >>> from nn import Network
    >>> J = Network((2, 3, 1))([1.0, 2.0]).sum()
    >>> J.backward()
    >>> [each.name for each in statistics(J)]
    ['a⁽²⁾', 'a⁽³⁾', 'δ⁽²⁾', 'δ⁽³⁾', '∇W⁽¹⁾', '∇W⁽²⁾', '∇b⁽¹⁾', '∇b⁽²⁾']
    """
    J = of.objective if isinstance(of, Step) else of
    if not isinstance(J, Node):
        raise TypeError(f"statistics are taken of a step of fit, or of J after J.backward(), and got {describe(of)}")
    if J.grad is None:
        raise ValueError(f"no backward pass has reached {J.label}; call J.backward() first")
    whole: dict[Name, list[tuple[Name, Node]]] = {}
    for node in topological(J):
        if (name := _name(node)) is not None:
            whole.setdefault(Name(name.letter, (), name.layer), []).append((name, node))
    order = sorted(whole, key=lambda name: (name.letter, name.layer or 0))
    return [
        *(_activations(name, whole[name]) for name in order if name.letter in _UNITS),
        *(_signals(f"{Name('δ', (), name.layer)}", whole[name]) for name in order if name.letter in _SUMS),
        *(_signals(f"∇{name}", whole[name]) for name in order if name.letter in _PARAMETERS),
    ]


def spreads(stream: Iterable[Step], *, every: int = 100) -> Iterator[Step]:
    """The same stream, with the standard deviations of a, δ and ∇W as measures at every ``every``-th step.

    The measures are called ``sd a(2)``, ``sd delta(2)`` and ``sd grad W(1)``; ``flat a(2)`` is the share of flat units.

    >>> list(spreads([]))
    []
    """
    every = whole_number(every, "every", least=1)
    for step in stream:
        if step.number % every == 0 and step.objective is not None:
            step = replace(step, measures={**step.measures, **dict(_measures(step))})
        yield step


def _measures(step: Step) -> Iterator[tuple[str, float]]:
    for each in statistics(step):
        name = f"grad {parse(each.name[1:]).ascii()}" if each.name[0] == "∇" else parse(each.name).ascii()
        yield f"sd {name}", each.sd
        if each.flat is not None:
            yield f"flat {name}", each.flat


def _name(node: Node) -> Name | None:
    """The notes' name of a node, without the suffix of its call; None for other names."""
    try:
        name = parse(without_suffix(node.name or ""))
    except ValueError:
        return None
    return name if node.is_leaf == (name.letter in _PARAMETERS) else None


def _activations(name: Name, units: list[tuple[Name, Node]]) -> Spread:
    """Mean and deviation of a, and how many of its units are flat or dead."""
    flats: list[Floats] = []
    closed: dict[Name, Floats] = {}
    for each, node in units:
        entry = node.primitive
        if entry is None or not entry.elementwise or entry.arity != 1:
            continue
        z, a = (np.asarray(item, dtype=float) for item in (getattr(node.inputs[0], "data", 0.0), node.data))
        with np.errstate(all="ignore"):
            slope = np.broadcast_to(entry.rule(0)(np.ones_like(a), a, z, **node.params), a.shape)
        flats.append(np.ravel(is_flat(entry.name, slope)))
        _shut(closed, each, slope == 0.0)
    numbers = _joined(node.data for _, node in units)
    share = float(np.mean(np.concatenate(flats))) if flats else 0.0
    dead = int(sum(np.sum(each) for each in closed.values()))
    return Spread(str(name), float(np.mean(numbers)), float(np.std(numbers)), share, dead)


def _shut(closed: dict[Name, Floats], unit: Name, zero: Floats) -> None:
    """Note which units of a node have f′ = 0, in all examples so far: the last axis of a Tensor counts its units."""
    over_examples: Any = zero.reshape(-1, zero.shape[-1]).all(axis=0) if zero.ndim else zero
    closed[unit] = closed[unit] & over_examples if unit in closed else over_examples


def _signals(name: str, nodes: list[tuple[Name, Node]]) -> Spread:
    signals = _joined(np.zeros(np.shape(node.data)) if node.grad is None else node.grad for _, node in nodes)
    return Spread(name, float(np.mean(signals)), float(np.std(signals)))


def _joined(parts: Iterable[Any]) -> Floats:
    return np.concatenate([np.ravel(part) for part in parts])
