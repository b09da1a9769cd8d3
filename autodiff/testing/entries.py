"""One gradient beside independent derivatives, entry by entry: directions, the oracles in order, appeals, probes."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from copy import copy
from dataclasses import replace
from functools import cached_property
from itertools import combinations, islice
from typing import Any, Final

import numpy as np

from autodiff.notation import number
from autodiff.primitive import describe
from autodiff.testing.interval import Estimate, errors_over_step, estimate, over_rounding, plateau
from autodiff.testing.oracles import NotApplicable, rounding_back, slope_by
from autodiff.testing.report import Report
from autodiff.testing.subject import Arrays, OwnFunction, Subject, check_steady
from autodiff.testing.verdicts import Finding, Place, Verdict, judge

__all__ = ["Check", "Curvature"]

_CHEAP: Final = ("exact", "dual", "complex")  # what "auto" asks before it takes differences

_MOST_ELEMENTS: Final = 64  # more than these are checked along random directions
_DIRECTIONS: Final = 4
_SEEDS: Final = (-2.0, -0.5, 0.5, 2.0)  # cotangents of one number: not 1, and exact to divide by
_JITTER: Final = 2.0**-50  # four units in the last place
_SHAKES: Final = 8
_TINY: Final = (2.0**-900, 2.0**-30)  # inputs of such a size get steps of their size too
_SHARP: Final = 1e-3  # unless larger steps gave the derivative to a bar of this part
_NEARBY: Final = 2.0**-20
_NEIGHBOURS: Final = 3
_SAMPLES: Final = 64
_PAIRS: Final = 36
_MOVES: Final = 1e-3  # a gradient that moves more than this under jitter jumps; that is no rounding


class Curvature(Subject):
    """The gradient of a checked function as a function of its own; its gradient is the Hessian's."""

    def __init__(self, check: Check) -> None:
        self.inner, self.cotangents = check.subject, check.cotangents
        self.f, self.inputs, self.leaves = check.subject.f, check.subject.inputs, check.subject.leaves

    def values(self, points: Arrays) -> Arrays:
        return self.inner.pull(points, self.cotangents)

    def pull(self, points: Arrays, cotangents: Arrays) -> Arrays:
        return self.inner.second(points, self.cotangents, cotangents)

    def side_effects(self, points: Arrays, cotangents: Arrays) -> Iterator[str]:  # noqa: ARG002
        """None that the check of the function did not see."""
        yield from ()


class Check:
    """One check: a subject, a cotangent, the analytic gradient, and findings about it.

    An ``atomic`` subject is a single operation: what is wrong at one point only is wrong, for there are no conventions
    of several operations that might not fit together.
    """

    def __init__(
        self, subject: Subject, *, seed: int = 0, directions: int | None = None, oracle: str = "interval",
        atomic: bool = False, curve: bool = False,
    ) -> None:  # fmt: skip
        self.subject, self.directions, self.oracle, self.atomic = subject, directions, oracle, atomic
        self.curve = curve
        self.random = np.random.default_rng(seed)
        self.spent = Counter({"evaluations": 0})  # shared with the twins
        self.refusals: dict[str, str] = {}
        self.raised = ""  # what f said where it is not defined
        self.nested = False  # at a point next to one that is checked, where nothing more is asked nearby
        self.points = subject.points
        self.count = sum(x.size for x in self.points)
        if not self.count:
            raise ValueError("there is nothing to check: the inputs hold no numbers")
        self.outputs = [np.array(z) for z in subject.values(self.points)]  # f may keep its result, and write to it
        if not any(z.size for z in self.outputs):
            shapes = [z.shape for z in self.outputs]
            raise ValueError(f"a gradient needs an output, and f returned no number: arrays of the shapes {shapes}")
        for output in self.outputs:
            if not np.all(np.isfinite(output)):
                raise ValueError(f"f is not finite where its gradient is to be checked: it gives {_short(output)}")
        self.cotangents = self.draw_cotangents()
        one = len(self.outputs) == 1 and np.size(self.outputs[0]) == 1
        self.unit = float(np.asarray(self.cotangents[0]).item()) if one else 1.0
        self.weights = [c / self.unit for c in self.cotangents]
        self.gradient = self.gradient_at(self.points)
        self.size = sum(float(np.sum(np.abs(c * z))) for c, z in zip(self.cotangents, self.outputs, strict=True))
        self.size /= abs(self.unit)
        self.epsilon = max([subject.epsilon, *(_epsilon(output) for output in self.outputs)])

    def draw_cotangents(self) -> Arrays:
        """Eighths between −2 and 2, never 0 and never all 1; for one number a power of two."""
        if not self.subject.takes_cotangent:
            return [np.ones(np.shape(output)) for output in self.outputs]
        if len(self.outputs) == 1 and np.size(self.outputs[0]) == 1:
            return [np.full(np.shape(self.outputs[0]), self.random.choice(_SEEDS))]
        drawn = (self.random.integers(1, 17, np.shape(z)) * self.random.choice((-1, 1), np.shape(z))
                 for z in self.outputs)  # fmt: skip
        return [np.asarray(numbers / 8.0) for numbers in drawn]

    def gradient_at(self, points: Arrays) -> Arrays:
        """The analytic gradient, in units of the output where that is one number."""
        cotangents = [c.copy() for c in self.cotangents]  # a gradient function may write to them: `probe` says so
        return [part / self.unit for part in self.subject.pull(points, cotangents)]

    # ---- findings ----------------------------------------------------------------------------------------------------

    def report(self) -> Report:
        """Probes, then all entries or some directions."""
        problems = [] if self.atomic else list(self.probe())
        repeatable = not any("two results" in problem for problem in problems)
        findings = tuple(self.findings()) if repeatable else (self.not_deterministic(),)
        return Report(
            _name_of(self.subject.f), findings, tuple(problems),
            tuple(self.cotangents), None, self.spent["evaluations"],
        )  # fmt: skip

    def findings(self) -> Iterable[Finding]:
        """A finding for each entry, or for each direction and what its bisection found."""
        count = self.count
        if self.directions is None and count <= _MOST_ELEMENTS:
            found = [self.finding(self.unit_vector(k)) for k in range(count)]
            yield from found
            kinked = [k for k, finding in enumerate(found) if finding.verdict == Verdict.VALID]
            if kinked:
                yield from self.at_kinks(kinked)
            return
        for _ in range(self.directions or _DIRECTIONS):
            direction = self.direction(np.arange(count))
            finding = self.finding(direction)
            if finding.verdict.failed and count > 1:
                yield from self.bisected(np.arange(count), finding)
                return
            yield finding

    def bisected(self, entries: Any, whole: Finding) -> Iterable[Finding]:
        """The entry, or the smallest set of entries, along which the check still fails."""
        for half in np.array_split(entries, 2):
            if half.size == 0:
                continue
            finding = self.finding(self.direction(half) if half.size > 1 else self.unit_vector(int(half[0])))
            if finding.verdict.failed:
                yield from self.bisected(half, finding) if half.size > 1 else [finding]
                return
        yield whole

    def finding(self, direction: Arrays) -> Finding:
        """The derivative along a direction beside that of the first oracle that applies."""
        found = self.judged(direction)
        if not self.curve:
            return found
        phi, scale = self.along(self.points, direction), self.scale(direction)
        return replace(found, curve=errors_over_step(phi, found.analytic, scale=scale))

    def judged(self, direction: Arrays) -> Finding:
        """The finding of the first oracle that applies."""
        doubt = None
        for oracle in self.asked:
            try:
                finding = self.finding_by(oracle, direction)
            except NotApplicable as why:
                self.refusals[oracle] = f'the oracle "{oracle}" does not apply: {why}'
                continue
            if self.oracle != "auto" or not finding.verdict.failed or oracle == "exact":
                return finding  # the others may only acquit: at kinks they know one side
            doubt = finding
        if self.oracle in ("auto", "interval"):
            found = self.finding_by_interval(direction)
            return found if doubt is None else _doubted(found, doubt)
        analytic, reason = self.analytic(self.gradient, direction), self.refusals[self.oracle]
        return Finding(
            self.place(direction), Verdict.WEAK, analytic, math.nan, math.inf, math.inf, self.oracle, 0, reason
        )

    @property
    def asked(self) -> tuple[str, ...]:
        """The oracles to ask before differences are taken; who refused one entry would refuse all."""
        if self.oracle == "auto":
            return tuple(oracle for oracle in _CHEAP if oracle not in self.refusals)
        return () if self.oracle == "interval" else (self.oracle,)

    def finding_by(self, oracle: str, direction: Arrays) -> Finding:
        """The analytic derivative beside that of a program run again in other numbers; exact ones must be equal."""
        analytic = self.analytic(self.gradient, direction)
        slope = slope_by(oracle, self.subject, self.points, direction, self.weights)
        self.spent["evaluations"] += 1
        found = Estimate("smooth", slope, 0.0, slope, slope, 0.0, abs(slope), 1)
        verdict, tolerance = judge(analytic, found)
        if oracle == "exact":
            verdict, tolerance = (Verdict.PASS if analytic == slope else Verdict.FAIL), 0.0
            if verdict.failed and isinstance(self.subject, OwnFunction):
                rounding = rounding_back(self.subject, self.points, self.cotangents)
                if abs((analytic - slope) * self.unit) <= rounding:
                    raise NotApplicable("floats round on the way back")
        return Finding(self.place(direction), verdict, analytic, slope, 0.0, tolerance, oracle, 1)

    def finding_by_interval(self, direction: Arrays) -> Finding:
        """The derivative along a direction, analytic and by differences, and what is to be said of it."""
        analytic, found = self.analytic(self.gradient, direction), self.numeric(self.points, direction)
        verdict, tolerance = judge(analytic, found)
        reason = _REASONS.get(found.kind, "")
        if found.kind == "undefined" and self.raised:
            reason = f"{reason}: there it raises {self.raised}"
        rounded = None
        if verdict == Verdict.FAIL and not found.change:
            rounded = over_rounding(self.along(self.points, direction), scale=self.scale(direction))
        if rounded is not None:
            found, reason = rounded, _ROUNDED
            verdict, tolerance = judge(analytic, found)
            verdict = verdict if verdict.failed else Verdict.WEAK
        if verdict in (Verdict.FAIL, Verdict.INVALID) and math.isfinite(analytic):
            verdict, tolerance, appeal = self.appeal(direction, analytic, found, verdict)
            reason = appeal or reason
        return Finding(
            self.place(direction), verdict, analytic, found.value, found.bar, tolerance, "interval",
            found.evaluations, reason,
        )  # fmt: skip

    def appeal(
        self, direction: Arrays, analytic: float, found: Estimate, verdict: Verdict
    ) -> tuple[Verdict, float, str]:
        """Before a failure: do finer steps agree, does rounding of the input explain it, is it only this point?"""
        if not found.change and self.is_noise(direction, analytic):
            return Verdict.WEAK, abs(analytic), "f does not change here, and the gradient is what rounding leaves"
        moved = self.moved(direction)
        again, tolerance = judge(analytic, found, moved=moved)
        larger = max(abs(analytic), abs(found.value))
        if not again.failed and moved <= _MOVES * larger:
            return again, tolerance, "the gradient moves this much when its input is moved by rounding"
        phi = self.along(self.points, direction)
        if verdict == Verdict.FAIL and plateau(phi, analytic, found, size=self.size):
            return Verdict.PASS, tolerance, "three fine steps in a row give the analytic derivative"
        if not self.atomic and not self.nested:
            nearby = [twin.finding_by_interval(direction).verdict for twin in self.twins()]
            if Verdict.FAIL in nearby:
                return verdict, judge(analytic, found)[1], _WRONG_NEARBY if found.kind == "kink" else ""
            if nearby.count(Verdict.PASS) >= 2:
                return Verdict.ISOLATED, tolerance, _ISOLATED
        if not again.failed and not self.atomic:
            return Verdict.WEAK, tolerance, "the gradient moves this much when its input is moved by rounding"
        return verdict, judge(analytic, found)[1], _REASONS.get(found.kind, "")

    def is_noise(self, direction: Arrays, analytic: float) -> bool:
        """Whether the gradient next to this point is another by half of itself or more."""
        slopes = [self.analytic(gradient, direction) for _, gradient in self.defined(self.neighbours(8))]
        return not slopes or not max(slopes) - min(slopes) < abs(analytic) / 2

    def twins(self) -> Iterable[Check]:
        """The same check at random points right next to this one."""
        for points, gradient in self.defined(self.neighbours(_NEIGHBOURS)):
            twin = copy(self)
            twin.__dict__.pop("shaken", None)
            twin.points, twin.gradient, twin.nested = points, gradient, True
            yield twin

    def defined(self, points: Iterable[Arrays]) -> Iterable[tuple[Arrays, Arrays]]:
        """The points where there is a gradient, with it."""
        for x in points:
            with suppress(ArithmeticError, ValueError):  # out of the domain, as ``math`` says it
                yield x, self.gradient_at(x)

    def at_kinks(self, kinked: list[int]) -> Iterable[Finding]:
        """Where entries are valid at a kink: whether the gradient right next to it is right, and ours a mixture."""
        direction = self.direction(np.arange(self.count))
        for finding in (twin.finding_by_interval(direction) for twin in self.twins()):
            if finding.verdict == Verdict.FAIL:
                yield replace(finding, verdict=Verdict.INVALID, reason=_WRONG_NEARBY)
                return
        if len(kinked) > 1:
            yield from self.no_mixture(kinked)

    def no_mixture(self, kinked: list[int]) -> Iterable[Finding]:
        """A finding if the gradient is no mixture of those nearby, along a direction through two of the entries.

        A mixture lies between their extremes. (1, 1) for max(x, y) at a tie does not, though each of its entries lies
        between the slopes on its sides. Directions through more entries meet more kinks than can be sampled.
        """
        nearby = [gradient for _, gradient in self.defined(self.neighbours(_SAMPLES))]
        if not nearby:
            return
        for one, two in islice(combinations(kinked, 2), _PAIRS):
            for side in (1.0, -1.0):
                flat = np.zeros(self.count)
                flat[one], flat[two] = 1.0, side
                direction = self.split(flat)
                slopes = [self.analytic(gradient, direction) for gradient in nearby]
                low, high, ours = min(slopes), max(slopes), self.analytic(self.gradient, direction)
                room = 1e-4 * max(map(abs, (low, high, ours)))
                if not low - room <= ours <= high + room:
                    verdict, reason = (Verdict.INVALID, _NO_MIXTURE) if self.atomic else (Verdict.ISOLATED, _ISOLATED)
                    middle, bar = (low + high) / 2, (high - low) / 2
                    place = self.place(direction)
                    yield Finding(place, verdict, ours, middle, bar, bar + room, "nearby", _SAMPLES, reason)
                    return

    # ---- numbers -----------------------------------------------------------------------------------------------------

    def numeric(self, points: Arrays, direction: Arrays) -> Estimate:
        """The derivative of ⟨cotangent, f⟩ along a direction, by differences."""
        phi = self.along(points, direction)
        found = estimate(phi, scale=self.scale(direction), epsilon=self.epsilon, size=self.size)
        tiny = max(float(np.max(np.abs(x[v != 0]), initial=0.0)) for x, v in zip(points, direction, strict=True))
        if not _is_sharp(found) and _TINY[0] < tiny < _TINY[1]:
            closer = estimate(phi, scale=tiny, epsilon=self.epsilon, size=self.size)
            chosen = closer if _is_sharp(closer) else found
            found = replace(chosen, evaluations=found.evaluations + closer.evaluations)
        self.spent["evaluations"] += found.evaluations
        return found

    def along(self, points: Arrays, direction: Arrays) -> Callable[[float], float]:
        """φ(t) = ⟨cotangent, f(x + t·direction)⟩, in units of the output where that is one number."""
        weights = self.weights

        def phi(t: float) -> float:
            moved = [x + t * v if v.any() else x for x, v in zip(points, direction, strict=True)]
            with np.errstate(all="ignore"):
                try:
                    outputs = self.subject.values(moved)
                except (ArithmeticError, ValueError) as error:  # out of the domain, as ``math`` says it
                    self.raised = f"{type(error).__name__}: {error}"
                    return math.nan
                check_steady(outputs, weights)
                return sum(float(np.sum(w * z)) for w, z in zip(weights, outputs, strict=True))

        return phi

    @staticmethod
    def analytic(gradient: Arrays, direction: Arrays) -> float:
        """⟨gradient, direction⟩; entries that the direction leaves out have no say."""
        return sum(float(np.sum(g[v != 0] * v[v != 0])) for g, v in zip(gradient, direction, strict=True))

    @cached_property
    def shaken(self) -> list[Arrays]:
        """The gradient at inputs that are moved by four units in the last place."""
        points = [self.displaced(self.moves(), _JITTER, np.abs) for _ in range(_SHAKES)]
        return [gradient for _, gradient in self.defined(points)]

    def moved(self, direction: Arrays) -> float:
        """How far the analytic derivative moves when its input is moved by rounding."""
        ours = self.analytic(self.gradient, direction)
        return max((abs(self.analytic(gradient, direction) - ours) for gradient in self.shaken), default=0.0)

    def neighbours(self, count: int) -> Iterable[Arrays]:
        """Random points next to this one, every other one opposite to the one before: on both sides of a kink."""
        moves: Arrays = []
        for k in range(count):
            moves = [-move for move in moves] if k % 2 else self.moves()
            yield self.displaced(moves, _NEARBY, lambda x: np.maximum(1.0, np.abs(x)))

    def moves(self) -> Arrays:
        """A random move of every entry, between a half and 1, up or down."""
        return [self.random.choice((-1, 1), x.shape) * self.random.uniform(0.5, 1.0, x.shape) for x in self.points]

    def displaced(self, moves: Arrays, part: float, size: Callable[[Any], Any]) -> Arrays:
        """The points, each entry moved by ``part`` of its ``size`` times its move."""
        return [x + part * move * size(x) for x, move in zip(self.points, moves, strict=True)]

    def scale(self, direction: Arrays) -> float:
        """How large a step along the direction is as large as the inputs."""
        sizes = [np.abs(x[v != 0]) for x, v in zip(self.points, direction, strict=True)]
        single = sum(size.size for size in sizes) == 1
        return max(1.0, *(float(np.max(size, initial=0.0)) for size in sizes)) if single else 1.0

    # ---- directions --------------------------------------------------------------------------------------------------

    def unit_vector(self, entry: int) -> Arrays:
        """The direction of one entry, counted through all leaves."""
        return self.split(np.eye(1, self.count, entry)[0])

    def direction(self, entries: Any) -> Arrays:
        """A random direction through some entries: sums of drawn integers, which are nearly Gaussian, in eighths."""
        flat = np.zeros(self.count)
        drawn = self.random.integers(-3, 4, (4, len(entries))).sum(axis=0)
        drawn[drawn == 0] = 1
        sizes = np.concatenate([np.abs(x).ravel() for x in self.points])[entries]
        flat[entries] = drawn / 8.0 * 2.0 ** np.ceil(np.log2(np.maximum(sizes, 1.0)))
        return self.split(flat)

    def split(self, flat: Any) -> Arrays:
        """A flat vector in the shapes of the leaves."""
        ends = np.cumsum([x.size for x in self.points])[:-1]
        return [part.reshape(x.shape) for part, x in zip(np.split(flat, ends), self.points, strict=True)]

    def place(self, direction: Arrays) -> Place:
        """Where a direction leads: to one entry, or through some."""
        touched = [k for k, v in enumerate(direction) if v.any()]
        leaf = self.subject.leaves[touched[0]]
        entries = np.argwhere(direction[touched[0]])
        if len(touched) == 1 and len(entries) == 1:
            return Place(leaf.argument, leaf.name, tuple(int(k) for k in entries[0]), leaf.point.shape)
        names = ", ".join(self.subject.leaves[k].name for k in touched)
        return Place(leaf.argument, names, None, leaf.point.shape)

    # ---- probes ------------------------------------------------------------------------------------------------------

    def probe(self) -> Iterable[str]:
        """Side effects, each as a sentence: results that differ between calls, arguments written to, shared memory."""
        for what, one, two in (
            ("f", self.outputs, self.subject.values(self.points)),
            ("the gradient", self.gradient, self.gradient_at(self.points)),
        ):
            if len(one) != len(two) or not all(map(_is_equal, one, two)):
                yield f"{what} gave two results for one input; fix its seed, or leave the random part out"
        yield from self.subject.side_effects(self.points, self.cotangents)

    def not_deterministic(self) -> Finding:
        """The one finding there is when calls disagree."""
        place = Place(0, "the result", (), ())
        return Finding(place, Verdict.RANDOM, math.nan, math.nan, math.inf, math.inf, "two calls", 2)


_ISOLATED: Final = (
    "wrong at this very point and right all around it: conventions at kinks that do not fit together, "
    "or a special case that is wrong"
)
_WRONG_NEARBY: Final = "the gradient is wrong right next to this point too, where f has no kink"
_NO_MIXTURE: Final = "each entry lies between the slopes on its sides, but the whole is no mixture of gradients nearby"
_ROUNDED: Final = "f does not change over small steps, as if its values were rounded; over larger ones it does, so"
_REASONS: Final = {
    "kink": "f has a kink here; its slopes on both sides are the ends of the bar",
    "jump": "f jumps here, or its slope is infinite",
    "undefined": "f is not finite on a side of this point",
}


def _is_equal(one: Any, two: Any) -> bool:
    return np.array_equal(one, two, equal_nan=True)


def _doubted(found: Finding, doubt: Finding) -> Finding:
    """No pass where another oracle gives another derivative, and differences are too uncertain to refute it.

    They are where they are all 0: then f may change by less than its rounding.
    """
    refuted = found.numeric != 0 and abs(doubt.numeric - found.numeric) > found.tolerance
    if found.verdict != Verdict.PASS or refuted:
        return found
    reason = f'the oracle "{doubt.oracle}" gives {number(doubt.numeric)}, and differences cannot tell the two apart'
    return replace(found, verdict=Verdict.WEAK, reason=reason)


def _is_sharp(found: Estimate) -> bool:
    return found.kind == "smooth" and found.bar <= _SHARP * abs(found.value)


def _name_of(f: Any) -> str:
    name = getattr(f, "__name__", None) or getattr(f, "name", None)
    return name if isinstance(name, str) else type(f).__name__


def _epsilon(output: Any) -> float:
    kind = np.asarray(output).dtype
    return float(np.finfo(kind).eps) if kind.kind == "f" else 2.0**-52


def _short(output: Any) -> str:
    array = np.asarray(output)
    if not array.ndim:
        return str(array)
    place = tuple(int(k) for k in np.argwhere(~np.isfinite(array))[0])
    return f"{array[place]} at index {place} of {describe(array)}"
