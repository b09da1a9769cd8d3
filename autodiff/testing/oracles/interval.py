"""The derivative of a black box with an honest error bar, and its obstacles: kinks, jumps, the end of the domain.

Central differences at halved steps are extrapolated to step 0. The error estimate of such a table is sometimes absurdly
small, so it is combined with an independent one: how well a quartic fits the function at random points within the last
step. One-sided slopes are extrapolated in separate tables from the same values.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from autodiff.transforms.finite_differences import extrapolated, inner_entries

__all__ = ["EPSILON", "Estimate", "errors_over_step", "estimate", "over_rounding", "plateau"]

EPSILON: Final = 2.0**-52
_FIRST_STEP: Final = 2.0**-4
_RUNGS: Final = 36
_FEW: Final = 4
_ENOUGH: Final = 1e-10  # of the value, or
_NOTHING: Final = 1e-14  # of the change of φ per step: the derivative may be 0
_SMALLER_STARTS: Final = (2.0**-4, 2.0**-11, 2.0**-18, 2.0**-25)
_GOOD: Final = 1e-5  # a bar below this fraction of the value needs no second start,
_STILL: Final = 1e-9  # nor does one below this fraction of the change of φ: the derivative may be 0;
_SMOOTH: Final = 1e-8  # but a φ that differs from a quartic by more than this may have a kink visible at smaller steps
_JUMP_STEPS: Final = (2.0**-26, 2.0**-32)
_CURVE_STEPS: Final = tuple(2.0**-k for k in range(1, 47, 3))
_FINE_STEPS: Final = tuple(2.0**-k for k in range(8, 36, 3))
_COARSE_STEPS: Final = tuple(2.0**-k for k in range(4, 26, 3))
_LEAST: Final = 2.0**-1074  # the rounding of subnormal numbers

#: Thirteen points in (−1, 1), none of them a point of a difference, and 0; an orthonormal basis of the quartics on
#: them; and the slope at 0 of the best fitting quartic.
_POINTS: Final = np.append(np.random.default_rng(13).uniform(-1.0, 1.0, 13), 0.0)
_QUARTICS: Final = np.linalg.qr(np.vander(_POINTS, 5))[0]
_SLOPE: Final = np.linalg.pinv(np.vander(_POINTS, 5))[3]
_FITTED: Final = 0.05  # a slope with a bar above this fraction of it explains nothing

Function = Callable[[float], float]


@dataclass(frozen=True, slots=True)
class Estimate:
    """φ′(0): ``value`` ± ``bar``, and the slopes ``left`` and ``right`` of 0, each ± ``side_bar``.

    ``kind`` is ``smooth``, ``kink`` (value ± bar then spans both slopes), ``jump`` (or an infinite slope) or
    ``undefined`` (not finite on one side or both). ``change`` is the steepest slope of a line from φ(0) to a value
    within a few steps; 0 if φ did not change there. ``scale`` is the scale of the steps.
    """

    kind: str
    value: float
    bar: float
    left: float
    right: float
    side_bar: float
    change: float
    evaluations: int
    scale: float = 1.0


def estimate(phi: Function, *, scale: float = 1.0, epsilon: float = EPSILON, size: float = 0.0) -> Estimate:
    """φ′(0) of any function of one float, by the interval check.

    Args:
        phi: returns a float, nan or inf where it is not defined; φ(0) is finite.
        scale: sixteen times the first step (units of the argument).
        epsilon: the relative rounding of φ's values, dimensionless.
        size: the size of the numbers that φ adds up, if it exceeds |φ| (units of φ).

    >>> found = estimate(lambda t: abs(t))
    >>> found.kind, found.left, found.right
    ('kink', -1.0, 1.0)
    """
    probe = _Probe(phi, scale, epsilon, size)
    best, kinked = None, False
    for start in _SMALLER_STARTS:
        climb = _Climb(probe, start)
        kinked = climb.finds_kink()
        if best is None or climb.bar < best.bar or kinked:
            best = climb
        good = best.bar <= max(_GOOD * abs(best.centre.value), _STILL * best.change)
        if kinked or not best.change or (good and climb.noise <= _SMOOTH * climb.change):
            break
    return _classified(probe, best, kinked=kinked)  # type: ignore[arg-type]


def _classified(probe: _Probe, climb: _Climb, *, kinked: bool) -> Estimate:
    centre, left, right = climb.centre, climb.left, climb.right
    if not math.isfinite(centre.bar):
        kind = "undefined" if probe.outside else "smooth"
        nan, inf = math.nan, math.inf
        return Estimate(kind, nan, inf, nan, nan, inf, climb.change, probe.evaluations, probe.scale)
    kind, value, bar = "smooth", centre.value, climb.bar
    if kinked:
        kind, value, bar = "kink", (left.value + right.value) / 2, abs(right.value - left.value) / 2
    elif climb.bar > _GOOD * abs(value) and probe.jumps():
        kind = "jump"
    sides = left.value, right.value, max(left.bar, right.bar)
    return Estimate(kind, value, bar, *sides, climb.change, probe.evaluations, probe.scale)


class _Probe:
    """φ with a memory of its values, which counts evaluations."""

    def __init__(self, phi: Function, scale: float, epsilon: float, size: float) -> None:
        self.phi, self.epsilon, self.size = phi, epsilon, size
        self.scale = 2.0 ** min(math.ceil(math.log2(scale)), 1000)
        self.middle = float(phi(0.0))
        self.known: dict[float, float] = {0.0: self.middle}
        self.outside = False

    @property
    def evaluations(self) -> int:
        return len(self.known)

    def at(self, t: float) -> float:
        if t not in self.known:
            value = float(self.phi(t))
            self.known[t] = value
            self.outside |= not math.isfinite(value)
        return self.known[t]

    def rounding(self, *values: float) -> float:
        return 2 * max(self.epsilon * max(self.size, *map(abs, values)), _LEAST)

    def fitted(self, step: float) -> tuple[float, float]:
        """The slope of a quartic fitted at random points within the step, and its misfit to φ, as a slope."""
        values = np.array([self.at(t) for t in (_POINTS * step).tolist()]) - self.middle
        if not np.all(np.isfinite(values)):
            return math.nan, math.inf
        top = float(np.max(np.abs(values)))
        if not top:
            return 0.0, 0.0
        values = values / top
        rest = values - _QUARTICS @ (_QUARTICS.T @ values)
        return top * float(_SLOPE @ values) / step, top * math.sqrt(float(rest @ rest) / (len(_POINTS) - 5)) / step

    def jumps(self) -> bool:
        """Whether φ changes by nearly as much over a step 64 times smaller, and by more than rounding."""
        large, small = (
            max(abs(self.at(side * step * self.scale) - self.middle) for side in (-1, 1)) for step in _JUMP_STEPS
        )
        return small > 8 * self.rounding(self.middle) and small > large / 24


class _Table:
    """Differences at halved steps, extrapolated; the best entry is the one nearest to those it was computed from."""

    def __init__(self, base: float) -> None:
        self.base = base
        self.row: list[float] = []
        self.value, self.bar, self.step = math.nan, math.inf, math.nan

    def add(self, difference: float, rounding: float, step: float) -> None:
        before, self.row = self.row, extrapolated(difference, self.row, self.base)
        if len(self.row) < 3:
            return
        for value, distance in inner_entries(self.row, before):
            if distance + rounding < self.bar:
                self.value, self.bar, self.step = value, distance + rounding, step


class _Climb:
    """One descending ladder of steps, with its three tables."""

    def __init__(self, probe: _Probe, start: float) -> None:
        self.probe = probe
        self.centre, self.left, self.right = _Table(4.0), _Table(2.0), _Table(2.0)
        self.run(start * probe.scale)
        self.noise = self.misfit() if math.isfinite(self.centre.bar) else math.inf
        self.bar = max(self.centre.bar, self.noise)
        self.change = self.steepest()

    def run(self, step: float) -> None:
        probe, middle = self.probe, self.probe.middle
        for _ in range(_RUNGS):
            if step < probe.scale * EPSILON:
                return
            above, below = probe.at(step), probe.at(-step)
            if not (math.isfinite(above) and math.isfinite(below)):
                self.centre, self.left, self.right = _Table(4.0), _Table(2.0), _Table(2.0)
                step /= 8
                continue
            rounding = probe.rounding(above, below)
            self.centre.add((above - below) / (2 * step), rounding / step, step)
            self.right.add((above - middle) / step, rounding / step, step)
            self.left.add((middle - below) / step, rounding / step, step)
            change = max(abs(above - middle), abs(below - middle)) / step
            if self.centre.bar <= max(_ENOUGH * abs(self.centre.value), _NOTHING * change):
                return
            if len(self.centre.row) == 4 and not change:
                return
            step /= 2

    def misfit(self) -> float:
        """Three times the root mean square distance of φ from a quartic within the step, as a slope."""
        return 3 * self.probe.fitted(self.centre.step)[1]

    def steepest(self) -> float:
        """The largest slope of a line from φ(0) to a value within a few of the last steps."""
        near = ((t, value) for t, value in self.probe.known.items() if 0 < abs(t) <= _FEW * self.centre.step)
        return max((abs((value - self.probe.middle) / t) for t, value in near), default=0.0)

    def finds_kink(self) -> bool:
        """Whether the one-sided slopes differ, and still differ at smaller steps, which are evaluated here."""
        gap = self.right.value - self.left.value
        if not abs(gap) > 4 * (self.left.bar + self.right.bar) or self.noise < abs(gap) / 50:
            return False
        return all(self._gap_at(self.centre.step / part, gap) for part in (4, 16))

    def _gap_at(self, step: float, gap: float) -> bool:
        """Whether the slopes differ at this step, extrapolated once: curvature may hide a small gap."""
        found = 2 * self._bend(step / 2) - self._bend(step)
        rounding = 10 * self.probe.rounding(self.probe.at(step), self.probe.at(-step), self.probe.middle) / step
        return rounding < abs(gap) / 4 and found * gap > 0 and abs(found) > abs(gap) / 2

    def _bend(self, step: float) -> float:
        return (self.probe.at(step) - 2 * self.probe.middle + self.probe.at(-step)) / step


def over_rounding(phi: Function, *, scale: float = 1.0) -> Estimate | None:
    """φ′(0) by larger steps, for a φ whose rounded values do not change over small ones; None if unclear.

    The residue of rounding is the same at every step; that of a φ that is constant only in places grows with the step.

    >>> found = over_rounding(lambda t: round(3 * t, 6))
    >>> abs(found.value - 3) < found.bar < 1e-3
    True
    """
    probe = _Probe(phi, scale, EPSILON, 0.0)
    value, rest = min((probe.fitted(step * probe.scale) for step in _COARSE_STEPS), key=lambda fit: fit[1] or math.inf)
    bar = 3 * float(np.linalg.norm(_SLOPE)) * rest
    if not value or not bar <= _FITTED * abs(value):
        return None
    return Estimate("smooth", value, bar, value, value, bar, abs(value), probe.evaluations)


def plateau(phi: Function, analytic: float, found: Estimate, *, size: float = 0.0) -> bool:
    """Whether differences at three fine steps in a row agree with the analytic derivative and not with ``found``.

    Each may be off by its rounding only; then larger steps misled the extrapolation.
    """
    probe = _Probe(phi, found.scale, EPSILON, size)
    run = 0
    for part in _FINE_STEPS:
        step = part * probe.scale
        above, below = probe.at(step), probe.at(-step)
        difference, bar = (above - below) / (2 * step), 4 * probe.rounding(above, below) / step + 1e-7 * abs(analytic)
        ours = abs(difference - analytic) <= bar
        run = run + 1 if ours and abs(difference - found.value) > bar else 0
        if run == 3:
            return True
    return False


def errors_over_step(phi: Function, analytic: float, *, scale: float = 1.0) -> tuple[tuple[float, float], ...]:
    """(h, |(φ(h) − φ(−h))/2h − analytic|) from large steps to small: the error curve of a plain gradient check.

    A right derivative shows a valley between curvature and rounding; a wrong one shows a plateau.

    >>> import math
    >>> right, wrong = (errors_over_step(lambda t: math.sin(1 + t), slope) for slope in (math.cos(1), 0.55))
    >>> min(error for _, error in right) < 1e-9, round(min(error for _, error in wrong), 4)
    (True, 0.0097)
    """
    steps = [step * scale for step in _CURVE_STEPS]
    return tuple((step, abs((phi(step) - phi(-step)) / (2 * step) - analytic)) for step in steps)
