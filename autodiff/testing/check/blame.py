"""Whose fault is it? Every operation of the recorded graph is checked by itself.

Either one rule is wrong, and is named; or all are right, and the shares were added up wrongly or in the wrong order; or
the graph misses a dependence of the function.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from autodiff.engine.backward import backpropagate
from autodiff.engine.graph import Node, topological
from autodiff.engine.plain import plain
from autodiff.engine.shares import edge_shares
from autodiff.testing.check.entries import Check, Curvature
from autodiff.testing.check.report import Blame, Report
from autodiff.testing.check.verdicts import Finding
from autodiff.testing.random_programs.written import python_of
from autodiff.testing.subject import Arrays, OwnFunction, inner
from autodiff.transforms.gradients import gradients
from autodiff.values.value import Value
from autodiff.words.notation import number
from autodiff.words.printable import printable

__all__ = ["Computation", "blamed", "judged_rules", "recorded"]

_MOST_NODES: Final = 300
_MOST_STEPS: Final = 100
_MOST_DRAWN: Final = 24
_MOST_TOLD: Final = 3
_SHARP: Final = 1e-3  # an error bar above this fraction of the derivative: f has none
_CLOSE: Final = 1e-9  # of the largest entry: sums in another order differ by far less


@dataclass(frozen=True, slots=True)
class Computation:
    """The graph that f recorded: its leaves, its outputs, and the cotangents that enter at the outputs."""

    leaves: list[Any]
    outputs: list[Any]
    cotangents: Arrays

    @property
    def nodes(self) -> list[Node]:
        """All nodes, inputs before consumers."""
        return list(dict.fromkeys(node for output in self.outputs for node in topological(output)))

    @property
    def operations(self) -> list[Node]:
        """The nodes that are not leaves."""
        return [node for node in self.nodes if not node.is_leaf]


def recorded(check: Check) -> Computation:
    """The graph of the checked function at its point; raises TypeError for a subject that records none."""
    if not isinstance(check.point.subject, OwnFunction):
        raise TypeError("only functions of Values and Tensors record a graph")
    leaves, outputs = check.point.subject.call(check.point.inputs)
    return Computation(leaves, outputs, check.point.cotangents)


@dataclass(frozen=True, slots=True)
class Rules:
    """The results of checking operations by themselves, ``asked`` of ``count`` different ones.

    ``wrong`` is the blame of the first wrong one; ``unsure`` gives the reason for each that could not be checked.
    """

    wrong: Blame | None
    unsure: tuple[str, ...]
    asked: int
    count: int

    def __str__(self) -> str:
        if self.unsure:
            more = f", and {len(self.unsure) - _MOST_TOLD} more" * (len(self.unsure) > _MOST_TOLD)
            told = f"({'; '.join(self.unsure[:_MOST_TOLD])}{more})"
            judged = "every rule that could be checked is right, but some could not be checked"
            return f"{judged if len(self.unsure) < self.asked else 'no rule could be checked'} {told}"
        some = f"the rules of {self.asked} of its {self.count:,} different operations are right"
        return "every rule is right" if self.asked == self.count else some


def blamed(check: Check, *, order: int = 1) -> Blame:
    """The fault of a gradient that was found wrong."""
    computation = recorded(check)
    rules = judged_rules(computation, order=order)
    if rules.wrong is not None:
        return rules.wrong
    if order == 2:
        return _joined_wrongly(computation, rules)
    naive = _naive(computation.outputs, computation.cotangents)
    ours = check.point.subject.pullback(check.point.inputs, check.point.cotangents)
    if not all(_close(naive.get(leaf, 0.0), part) for leaf, part in zip(computation.leaves, ours, strict=True)):
        return _accumulation(computation, rules)
    return _left_out(computation, rules)


def judged_rules(computation: Computation, *, order: int = 1) -> Rules:
    """Each operation checked by itself at its inputs, in forward order, until a wrong rule is found."""
    different = _different(computation)
    asked = different[:_MOST_NODES]
    unsure: list[str] = []
    for node in asked:
        report = _report_of(node, order)
        if isinstance(report, Report) and report.failed:
            return Rules(_rule_at(node, report, order), tuple(unsure), len(asked), len(different))
        unsure += _doubt(node, report)
    return Rules(None, tuple(unsure), len(asked), len(different))


def _doubt(node: Node, report: Report | str) -> list[str]:
    """Why a rule is undecided; empty if it was found right."""
    entry: Any = node.primitive
    if isinstance(report, str):
        return [f"{printable(entry.name)} {report}"]
    open_ones = [finding for finding in report.findings if not finding.verdict.decided]
    return [f"{printable(entry.name)}: {open_ones[0].reason}"] if open_ones else []


def _different(computation: Computation) -> list[Node]:
    """Operations, no two of which compute the same; of many, first one of each primitive, then a second of each, …"""
    met: Counter[Any] = Counter()
    ranks: dict[tuple[Any, ...], tuple[int, Node]] = {}
    for node in computation.operations:
        key = _key(node)
        if key not in ranks:
            ranks[key] = met[node.primitive], node
            met[node.primitive] += 1
    ranked = list(ranks.values())
    if len(ranked) > _MOST_NODES:
        ranked.sort(key=lambda item: item[0])
    return [node for _, node in ranked]


def _key(node: Node) -> tuple[Any, ...]:
    """Equal for operations that compute the same from the same data."""
    data = tuple(np.asarray(plain(item)).tobytes() for item in node.inputs)
    return node.primitive, data, repr(node.origin.params)


def _report_of(node: Node, order: int) -> Report | str:
    """The check of one operation as a function of its inputs, or the reason why it could not be checked."""
    kept = [item for item in node.inputs if isinstance(item, Node)]
    points = tuple(item._data if isinstance(item, Value) else np.asarray(item._data) for item in kept)
    for verb, arrays in (("receives", points), ("returns", [node._data])):
        beyond = [x for array in arrays for x in np.ravel(array).tolist() if not math.isfinite(x)]
        if beyond:
            return f"{verb} {number(beyond[0])}"
    try:
        check = Check(OwnFunction(_operation(node), points), atomic=True)
        if order == 2:
            check = Check(Curvature(check.point), atomic=True)
        return check.report()
    except (TypeError, ValueError, ArithmeticError) as error:
        return f"cannot be checked: {' '.join(str(error).split())}"


def _operation(node: Node) -> Callable[..., Any]:
    """The primitive as a function of those inputs of ``node`` that are nodes; constants stay."""
    entry: Any = node.primitive

    def call(*given: Any) -> Any:
        moving = iter(given)
        inputs = [next(moving) if isinstance(item, Node) else item for item in node.inputs]
        if entry.reduces and node.scalar:
            inputs = [np.array(inputs, dtype=object)]
        elif entry.packed:
            inputs = [inputs]
        return entry(*inputs, **node.origin.params)

    return call


def _rule_at(node: Node, report: Report, order: int) -> Blame:
    """The blame of one operation, shown on new leaves that hold the data of its inputs."""
    entry: Any = node.primitive
    finding = report.failures[0] if report.failures else report.findings[0]
    slots = [slot for slot, item in enumerate(node.inputs) if isinstance(item, Node)]
    slot = None if finding.place.index is None or finding.place.argument is None else slots[finding.place.argument]
    where = "" if slot is None else f" for its {_ordinal(slot)} input" if len(node.inputs) > 1 else ""
    sentence = f"the rule of {printable(entry.name)}{where} is wrong: {_compared(finding)}"
    if order == 2 and math.isnan(finding.analytic) and not finding.bar <= _SHARP * abs(finding.numeric):
        name = printable(entry.name)
        sentence = f"{name}{where} has no second derivative here, since its first is only a convention: it is nan"
    leaves = [type(item)(item._data, name=item.name) for item in node.inputs if isinstance(item, Node)]  # type: ignore[call-arg]
    graph = _operation(node)(*leaves)
    short = f"✗ {number(finding.analytic)}, not {number(finding.numeric)}"
    return Blame("rule", sentence, python_of(topological(graph), [graph]), graph, slot, short)


def _compared(finding: Finding) -> str:
    index = f" at {list(finding.place.index)}" if finding.place.index else ""
    numbers = number(finding.analytic, 7), number(finding.numeric, 7)
    return f"it gives {numbers[0]}{index} where the derivative is {numbers[1]} ± {number(finding.bar, 2)}"


def _ordinal(slot: int) -> str:
    return ("first", "second", "third")[slot] if slot < 3 else f"{slot + 1}th"


# ---- all rules are right ---------------------------------------------------------------------------------------------


def _naive(outputs: Sequence[Any], seeds: Sequence[Any], *, create_graph: bool = False) -> dict[Node, Any]:
    """Error signals by the definition: consumers before inputs, every share added."""
    signals: dict[Node, Any] = {}
    order = dict.fromkeys(node for output in outputs for node in topological(output))
    for output, seed in zip(outputs, seeds, strict=True):
        seed = float(seed) if output.scalar else seed
        signals[output] = signals[output] + seed if output in signals else seed
    for node in reversed(_sorted(order)):
        if node in signals:
            for item, share in edge_shares(node, signals[node], create_graph=create_graph):
                signals[item] = signals[item] + share if item in signals else share
    return signals


def _sorted(nodes: Iterable[Node]) -> list[Node]:
    """Inputs before consumers, across several outputs too, by the longest path from a leaf."""
    depth: dict[Node, int] = {}
    for node in nodes:
        depth[node] = 1 + max((depth[item] for item in node.inputs if isinstance(item, Node)), default=0)
    return sorted(depth, key=depth.__getitem__)


def _close(one: Any, two: Any) -> bool:
    size = max(np.max(np.abs(one), initial=0.0), np.max(np.abs(two), initial=0.0))
    return bool(np.all(np.abs(np.subtract(one, two)) <= _CLOSE * size)) if np.isfinite(size) else True


def _accumulation(computation: Computation, rules: Rules) -> Blame:
    """All rules are right: the smallest part of the graph whose shares are added up wrongly."""
    sentence = f"{rules}: {_ADDED_UP}"
    for node in computation.operations[:_MOST_NODES]:
        seed = 1.0 if node.scalar else np.ones(np.shape(node._data))
        engine, naive = backpropagate(node, seed), _naive([node], [seed])
        wrong = next((item for item in naive if not _close(naive[item], engine.get(item, 0.0))), None)
        if wrong is not None:
            return Blame("accumulation", sentence, python_of(topological(node), [node]), node, None, "✗")
    return Blame("accumulation", sentence, _program(computation))


def _joined_wrongly(computation: Computation, rules: Rules) -> Blame:
    """The fault of a second derivative where all rules are right: both passes are compared with the definition."""
    sentence = f"{rules} in both passes: {_ADDED_UP}"
    leaves = computation.leaves
    random = np.random.default_rng(0)
    vectors = [random.integers(1, 17, np.shape(leaf._data)) / 8.0 for leaf in leaves]
    for node in computation.operations[:_MOST_NODES]:
        seed = 1.0 if node.scalar else np.ones(np.shape(node._data))
        ours = _second(gradients(node, leaves, seed=seed, create_graph=True), leaves, vectors, gradients)
        signals = _naive([node], [seed], create_graph=True)
        slopes = [slope if isinstance(slope, Node) else None for slope in map(signals.get, leaves)]
        naive = _second(slopes, leaves, vectors, lambda along, _: [*map(_naive([along], [1.0]).get, leaves)])
        if not all(map(_close, ours, naive)):
            return Blame("accumulation", sentence, python_of(topological(node), [node]), node, None, "✗")
    return _left_out(computation, rules)


def _second(slopes: Any, leaves: Sequence[Any], vectors: Arrays, differentiate: Callable[..., Any]) -> list[Any]:
    """The derivatives of ⟨slopes, vectors⟩; 0 for leaves on which it does not depend."""
    along = inner(slopes, vectors)
    found = [None] * len(leaves) if along is None else differentiate(along, leaves)
    return [0.0 if part is None else part for part in found]


_ADDED_UP: Final = "the fault is in how shares are added up, or in the order of the backward pass"


_LEFT_OUT: Final = "the graph misses a dependence of f on its inputs"


def _left_out(computation: Computation, rules: Rules) -> Blame:
    """The gradient is right for the graph, so the graph is not the function, unless a rule could not be checked."""
    if rules.unsure:
        sentence = f"{rules}; shares are added up correctly: one of these rules is wrong, or {_LEFT_OUT}"
        return Blame("open", sentence, _program(computation), _drawable(computation))
    cut = next((node for node in computation.nodes if node.is_detached), None)
    what = f"it contains the detached constant {number(float(np.ravel(cut._data)[0]))}" if cut is not None else (
        "look for .data, .item(), detach() or a number computed from an input"
    )  # fmt: skip
    sentence = f"{rules}, and so is their sum: {_LEFT_OUT} ({what})"
    return Blame("graph", sentence, _program(computation), _drawable(computation))


def _drawable(computation: Computation) -> Node | None:
    """The output, if there is only one and its graph is small enough to take in at a glance."""
    few = len(computation.nodes) <= _MOST_DRAWN and len(computation.outputs) == 1
    return computation.outputs[0] if few and computation.operations else None


def _program(computation: Computation) -> str:
    """The whole computation as Python, if it is short enough to read."""
    steps = len(computation.operations)
    return python_of(computation.nodes, computation.outputs) if steps <= _MOST_STEPS else f"# {steps:,} operations"
