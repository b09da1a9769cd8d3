"""One gradient beside independent derivatives, entry by entry: choice of the oracle, side effects of a call."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cached_property
from typing import Any, Final

import numpy as np

from autodiff.testing.check.differences import at_kinks, by_differences
from autodiff.testing.check.point import Point
from autodiff.testing.check.report import Report, Scope
from autodiff.testing.check.verdicts import Finding, Place, Verdict, judge
from autodiff.testing.oracles.interval import Estimate, errors_over_step
from autodiff.testing.oracles.rerun import NotApplicable, elements, rounding_back, slope_by
from autodiff.testing.subject import Arrays, OwnFunction, Subject
from autodiff.words.notation import number

__all__ = ["Check", "Curvature"]

_CHEAP: Final = ("exact", "dual", "complex")  # the oracles that "auto" tries before differences
_MOST_ELEMENTS: Final = 64  # more than these are checked along random directions
_DIRECTIONS: Final = 4
_MOST_ONE_BY_ONE: Final = 2000  # numbers in arrays


class Curvature(Subject):
    """The gradient at a checked point as a function in its own right; its derivative is the Hessian.

    With ``row``, only that entry of the gradient, counted through all inputs: a row of the Hessian.
    """

    def __init__(self, point: Point, *, row: int | None = None) -> None:
        self.inner, self.cotangents, self.unit = point.subject, point.cotangents, point.unit
        self.f, self.inputs, self.leaves = self.inner.f, self.inner.inputs, self.inner.leaves
        self.only = None if row is None else point.unit_vector(row)

    @property
    def epsilon(self) -> float:
        return self.inner.epsilon

    def values(self, points: Arrays) -> Arrays:
        parts = [part / self.unit for part in self.inner.pullback(points, self.cotangents)]
        if self.only is None:
            return parts
        return [np.concatenate([part[one != 0] for part, one in zip(parts, self.only, strict=True)])]

    def pullback(self, points: Arrays, cotangents: Arrays) -> Arrays:
        if self.only is not None:
            cotangents = [one * np.asarray(cotangents[0]).item() for one in self.only]
        return [part / self.unit for part in self.inner.second(points, self.cotangents, cotangents)]

    def side_effects(self, points: Arrays, cotangents: Arrays) -> Iterator[str]:  # noqa: ARG002
        """None: the check of the function itself has already looked for them."""
        yield from ()


class Check:
    """One check: findings about the gradient at a point.

    An ``atomic`` subject is a single operation: a gradient that is wrong at one point only is a failure, since there
    are no conventions of several operations that might not fit together.
    """

    def __init__(
        self, subject: Subject, *, seed: int = 0, directions: int | None = None, oracle: str = "interval",
        atomic: bool = False, curve: bool = False,
    ) -> None:  # fmt: skip
        self.point = Point(subject, seed=seed)
        self.seed, self.directions, self.oracle, self.atomic, self.curve = seed, directions, oracle, atomic, curve
        self.refusals: dict[str, str] = {}

    def report(self) -> Report:
        """The report: side effects, then all entries or some random directions."""
        point = self.point
        changing = "" if self.atomic else self.changing()
        problems = () if self.atomic else tuple(point.subject.side_effects(point.inputs, point.cotangents))
        findings = (_not_deterministic(changing),) if changing else tuple(self.findings())
        return Report(
            _name_of(point.subject.f), findings, problems, tuple(point.cotangents), None, point.spent["evaluations"],
            tuple((leaf.name, x) for leaf, x in zip(point.subject.leaves, point.inputs, strict=True)), self.seed,
            Scope(point.count, 0 if changing else self.count_of_directions),
        )  # fmt: skip

    @property
    def count_of_directions(self) -> int:
        """How many random directions are checked; 0 if every entry is."""
        if self.directions is None:
            return _DIRECTIONS if self.point.count > _MOST_ELEMENTS else 0
        return self.directions

    def findings(self) -> Iterable[Finding]:
        """A finding for each entry; or for each random direction, up to the first that fails, which is bisected."""
        count = self.point.count
        if not self.count_of_directions:
            found = [self.finding(self.point.unit_vector(k)) for k in range(count)]
            yield from found
            kinked = [k for k, finding in enumerate(found) if finding.verdict == Verdict.VALID]
            if kinked:
                yield from at_kinks(self.point, kinked, atomic=self.atomic)
            return
        for _ in range(self.count_of_directions):
            direction = self.point.direction(np.arange(count))
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
            one = self.point.unit_vector(int(half[0])) if half.size == 1 else None
            finding = self.finding(self.point.direction(half) if one is None else one)
            if finding.verdict.failed:
                yield from self.bisected(half, finding) if half.size > 1 else [finding]
                return
        yield whole

    def finding(self, direction: Arrays) -> Finding:
        """The finding along a direction, with its curve if requested."""
        found = self.judged(direction)
        if not self.curve:
            return found
        phi, scale = self.point.along(direction), self.point.scale(direction)
        return replace(found, curve=errors_over_step(phi, found.analytic, scale=scale))

    def judged(self, direction: Arrays) -> Finding:
        """The finding of the first oracle that applies; see `_doubted` for "auto"."""
        doubt = None
        for oracle in self.asked:
            try:
                finding = self.finding_by(oracle, direction)
            except NotApplicable as why:
                self.refusals[oracle] = f'the oracle "{oracle}" does not apply: {why}'
                continue
            if self.oracle != "auto" or not finding.verdict.failed or oracle == "exact":
                return finding  # the others cannot convict: at kinks they see one side only
            doubt = finding
        if self.oracle in ("auto", "interval"):
            found = by_differences(self.point, direction, atomic=self.atomic)
            return found if doubt is None else _doubted(found, doubt)
        analytic, reason = self.point.analytic(direction), self.refusals[self.oracle]
        return Finding(
            self.point.place(direction),
            Verdict.NOT_ASKED,
            analytic,
            math.nan,
            math.inf,
            math.inf,
            self.oracle,
            0,
            reason,
        )

    @property
    def asked(self) -> tuple[str, ...]:
        """The oracles to try before differences; one that refused an entry would refuse every other."""
        if self.oracle == "auto":
            cheap = _CHEAP if self.is_small else ("complex",)
            return tuple(oracle for oracle in cheap if oracle not in self.refusals)
        return () if self.oracle == "interval" else (self.oracle,)

    @cached_property
    def is_small(self) -> bool:
        """Whether running the program number by number takes no longer than differences."""
        subject = self.point.subject
        return not isinstance(subject, OwnFunction) or elements(subject, self.point.inputs) <= _MOST_ONE_BY_ONE

    def finding_by(self, oracle: str, direction: Arrays) -> Finding:
        """The analytic derivative beside that of the program run in another arithmetic; exact results must be equal."""
        point = self.point
        analytic = point.analytic(direction)
        slope = slope_by(oracle, point.subject, point.inputs, direction, point.weights)
        point.spent["evaluations"] += 1
        found = Estimate("smooth", slope, 0.0, slope, slope, 0.0, abs(slope), 1)
        verdict, tolerance = judge(analytic, found)
        if oracle == "exact":
            verdict, tolerance = (Verdict.PASS if analytic == slope else Verdict.FAIL), 0.0
        if verdict.failed and isinstance(point.subject, OwnFunction) and oracle in ("exact", "dual"):
            rounding = rounding_back(point.subject, point.inputs, point.cotangents)
            if abs((analytic - slope) * point.unit) <= rounding:
                raise NotApplicable("floats round in the backward pass")
        return Finding(point.place(direction), verdict, analytic, slope, 0.0, tolerance, oracle, 1)

    def changing(self) -> str:
        """A sentence naming what returns another result on a second call; empty if nothing does."""
        point = self.point
        twice = {
            "f": (point.outputs, point.subject.values(point.inputs)),
            "the gradient": (point.gradient, point.gradient_at(point.inputs)),
        }
        who = " and ".join(
            name for name, (one, two) in twice.items() if len(one) != len(two) or not all(map(_is_equal, one, two))
        )
        return f"{who} gave two results for one input; fix the seed or remove the randomness" if who else ""


def _not_deterministic(reason: str) -> Finding:
    """The only finding when two calls disagree."""
    place = Place(0, "the result", (), ())
    return Finding(place, Verdict.RANDOM, math.nan, math.nan, math.inf, math.inf, "two calls", 2, reason)


def _is_equal(one: Any, two: Any) -> bool:
    return np.array_equal(one, two, equal_nan=True)


def _doubted(found: Finding, doubt: Finding) -> Finding:
    """No pass where another oracle disagrees and differences are too uncertain to refute it.

    They are too uncertain where they are all 0: f may then change by less than its rounding.
    """
    refuted = found.numeric != 0 and abs(doubt.numeric - found.numeric) > found.tolerance
    if found.verdict != Verdict.PASS or refuted:
        return found
    reason = f'the oracle "{doubt.oracle}" gives {number(doubt.numeric)}, and differences cannot decide between the two'
    return replace(found, verdict=Verdict.WEAK, reason=reason)


def _name_of(f: Any) -> str:
    name = getattr(f, "__name__", None) or getattr(f, "name", None)
    return name if isinstance(name, str) else type(f).__name__
