"""A derivative beside differences: the verdict, and the second opinions that a failure needs."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from itertools import combinations, islice
from typing import Final

import numpy as np

from autodiff.testing.check.point import Point, slope_along
from autodiff.testing.check.verdicts import Finding, Verdict, judge
from autodiff.testing.oracles.interval import Estimate, over_rounding, plateau
from autodiff.testing.subject import Arrays
from autodiff.words.notation import number

__all__ = ["at_kinks", "by_differences"]

_SAMPLES: Final = 64
_PAIRS: Final = 36
_MOVES: Final = 1e-3  # a gradient that changes by more than this under jitter jumps; rounding does not explain that


def by_differences(point: Point, direction: Arrays, *, atomic: bool, nested: bool = False) -> Finding:
    """The derivative along a direction, analytic and by differences, with its verdict.

    ``atomic``: f is a single operation, so a gradient that is wrong at one point only is a failure. ``nested``: this
    point is itself a neighbour of a checked point, so its own neighbours are not looked at.
    """
    analytic, found = point.analytic(direction), point.numeric(direction)
    verdict, tolerance = judge(analytic, found)
    reason = _REASONS.get(found.kind, "")
    if found.kind == "undefined" and point.raised:
        reason = f"{reason}: it raises {point.raised}"
    rounded = None
    if verdict == Verdict.FAIL and not found.change:
        rounded = over_rounding(point.along(direction), scale=point.scale(direction))
    if rounded is not None:
        found, reason = rounded, _ROUNDED
        verdict, tolerance = judge(analytic, found)
        verdict = verdict if verdict.failed else Verdict.WEAK
    if verdict in (Verdict.FAIL, Verdict.INVALID) and math.isfinite(analytic):
        verdict, tolerance, appeal = _appeal(point, direction, found, verdict, atomic=atomic, nested=nested)
        reason = appeal or reason
    if not verdict.decided and not reason:
        reason = _uncertain(found)
    return Finding(
        point.place(direction), verdict, analytic, found.value, found.bar, tolerance, "interval", found.evaluations,
        reason,
    )  # fmt: skip


def _uncertain(found: Estimate) -> str:
    """Why nothing could be decided."""
    if not math.isfinite(found.bar):
        return "differences give no value here: they are not finite, or they all round to the same number"
    size = "the value itself" if found.bar > abs(found.value) else "a thousandth of the value"
    return f"rounding inside f leaves differences uncertain by ± {number(found.bar, 2)}, more than {size}"


def _appeal(
    point: Point, direction: Arrays, found: Estimate, verdict: Verdict, *, atomic: bool, nested: bool
) -> tuple[Verdict, float, str]:
    """Before a failure: do finer steps agree, does rounding of the input explain it, is it wrong at this point only?"""
    analytic = point.analytic(direction)
    if not found.change and _is_noise(point, direction):
        return Verdict.WEAK, abs(analytic), "f does not change here, and the gradient is rounding noise"
    moved = point.moved(direction)
    again, tolerance = judge(analytic, found, moved=moved)
    larger = max(abs(analytic), abs(found.value))
    if not again.failed and moved <= _MOVES * larger:
        return again, tolerance, _MOVED
    if verdict == Verdict.FAIL and plateau(point.along(direction), analytic, found, size=point.size):
        return Verdict.PASS, tolerance, "three fine steps in a row give the analytic derivative"
    if not atomic and not nested:
        passes = 0
        for finding in _beside(point, direction, atomic=atomic):
            if finding.verdict == Verdict.FAIL:  # one is enough: the others are not asked
                return verdict, judge(analytic, found)[1], _WRONG_NEARBY if found.kind == "kink" else ""
            passes += finding.verdict == Verdict.PASS
        if passes >= 2:
            return Verdict.ISOLATED, tolerance, _ISOLATED
    if not again.failed and not atomic:
        return Verdict.WEAK, tolerance, _MOVED
    return verdict, judge(analytic, found)[1], _REASONS.get(found.kind, "")


def _beside(point: Point, direction: Arrays, *, atomic: bool) -> Iterable[Finding]:
    """The findings at random points right next to this one."""
    return (by_differences(twin, direction, atomic=atomic, nested=True) for twin in point.twins)


def _is_noise(point: Point, direction: Arrays) -> bool:
    """Whether the gradient changes by half of itself or more right next to this point."""
    slopes = [slope_along(gradient, direction) for gradient in point.noise]
    return not slopes or not max(slopes) - min(slopes) < abs(point.analytic(direction)) / 2


def at_kinks(point: Point, kinked: list[int], *, atomic: bool) -> Iterable[Finding]:
    """Failures where entries are valid at a kink: gradients nearby are wrong, or ours is no mixture of them."""
    for finding in _beside(point, point.direction(np.arange(point.count)), atomic=atomic):
        if finding.verdict == Verdict.FAIL:
            yield replace(finding, verdict=Verdict.INVALID, reason=_WRONG_NEARBY)
            return
    if len(kinked) > 1:
        yield from _no_mixture(point, kinked, atomic=atomic)


def _no_mixture(point: Point, kinked: list[int], *, atomic: bool) -> Iterable[Finding]:
    """A finding if, along a direction through two of the entries, the gradient is no mixture of those nearby.

    A mixture lies between their extremes. (1, 1) for max(x, y) at a tie does not, though each of its entries lies
    between its one-sided slopes. Directions through more entries meet more kinks than can be sampled.
    """
    nearby = point.slopes_beside(_SAMPLES)
    if not nearby:
        return
    for one, two in islice(combinations(kinked, 2), _PAIRS):
        for side in (1.0, -1.0):
            flat = np.zeros(point.count)
            flat[one], flat[two] = 1.0, side
            direction = point.split(flat)
            slopes = [slope_along(gradient, direction) for gradient in nearby]
            low, high, ours = min(slopes), max(slopes), point.analytic(direction)
            room = 1e-4 * max(map(abs, (low, high, ours)))
            if not low - room <= ours <= high + room:
                verdict, reason = (Verdict.INVALID, _NO_MIXTURE) if atomic else (Verdict.ISOLATED, _ISOLATED)
                middle, bar = (low + high) / 2, (high - low) / 2
                place = point.place(direction)
                yield Finding(place, verdict, ours, middle, bar, bar + room, "nearby", _SAMPLES, reason)
                return


_ISOLATED: Final = (
    "wrong at this very point and right all around it: conventions at kinks that do not fit together, "
    "or a wrong special case"
)
_WRONG_NEARBY: Final = "the gradient is also wrong right next to this point, where f has no kink"
_NO_MIXTURE: Final = "each entry lies between its one-sided slopes, but the gradient is no mixture of gradients nearby"
_ROUNDED: Final = "f does not change over small steps, as if its values were rounded, so larger steps were taken"
_MOVED: Final = "the gradient changes this much when its input changes by rounding"
_REASONS: Final = {
    "kink": "f has a kink here; its one-sided slopes are the ends of the bar",
    "jump": "f jumps here, or its slope is infinite",
    "undefined": "f is not finite on one side of this point or both",
}
