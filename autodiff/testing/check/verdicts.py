"""Verdicts of a gradient check on one entry, with the numbers behind them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from autodiff.testing.oracles.interval import Estimate

__all__ = ["Finding", "Place", "Verdict", "judge"]

_BARS: Final = 4  # error bars by which an analytic derivative may differ
_RELATIVE: Final = 1e-7  # of the larger number: far above the rounding of a backward pass, far below any fault
_FAR: Final = 4  # tolerances by which it must differ to fail where the estimate is too weak to let anything pass
_WEAK: Final = 1e-3  # a bar above this fraction of the value would miss an error of one per cent,
_STILL: Final = 1e-7  # unless it is below this fraction of the change of f nearby: then the derivative is almost 0


class Verdict(StrEnum):
    """The verdict on one entry of a gradient; `FAIL`, `INVALID` and `RANDOM` are failures.

    `ISOLATED` is not, as no rule is to blame, but the gradient is wrong there, so the report is false.

    >>> Verdict.FAIL.failed, Verdict.WEAK.decided, str(Verdict.VALID)
    (True, False, 'valid at a kink')
    """

    PASS = "pass"
    #: The numeric derivative is too uncertain to decide; the reason says why.
    WEAK = "weak"
    #: The requested oracle does not apply; the reason says why.
    NOT_ASKED = "not asked"
    #: f has a kink here, and the gradient lies between the one-sided slopes.
    VALID = "valid at a kink"
    #: f jumps here, or its slope is infinite.
    JUMP = "jump"
    #: f is not finite on one side or both.
    UNDEFINED = "undefined"
    #: Wrong at this very point and right all around it: conventions at kinks that do not fit together.
    ISOLATED = "isolated"
    #: f has a kink here, and the gradient lies outside the one-sided slopes.
    INVALID = "invalid at a kink"
    FAIL = "fail"
    #: Two calls with the same input gave two results.
    RANDOM = "not deterministic"

    @property
    def failed(self) -> bool:
        """Whether this is a fault."""
        return self in (Verdict.FAIL, Verdict.INVALID, Verdict.RANDOM)

    @property
    def decided(self) -> bool:
        """Whether the entry was found right or wrong: a skip is neither."""
        return self.failed or self in (Verdict.PASS, Verdict.VALID)


@dataclass(frozen=True, slots=True)
class Place:
    """An entry of the inputs: the argument (0-based), its name with the path inside it, and the index in its array.

    ``argument`` is None for a parameter that the function holds, ``index`` is None for a direction through several
    entries.
    """

    argument: int | None
    name: str
    index: tuple[int, ...] | None
    shape: tuple[int, ...]

    def __str__(self) -> str:
        if self.index is None:
            return f"a direction through {self.name}"
        index = f"[{', '.join(map(str, self.index))}]" if self.index else ""
        return f"{self.name}{index}" + (f" of shape {self.shape}" if self.shape else "")


@dataclass(frozen=True, slots=True)
class Finding:
    """One entry of a gradient, ``analytic``, beside its independent value ``numeric`` ± ``bar``.

    Both are in units of f per unit of x if f returns one number, whatever the cotangent; otherwise they are derivatives
    of ⟨cotangent, f⟩. An undecided finding has a ``reason``. At a kink, ``numeric`` is the mean of the two one-sided
    slopes and ``bar`` half their difference.
    """

    place: Place
    verdict: Verdict
    analytic: float
    numeric: float
    bar: float
    tolerance: float
    oracle: str
    evaluations: int
    reason: str = ""
    order: int = 1
    #: At order 2: the entry of the gradient that is differentiated; "" for all together, weighted by the cotangent.
    row: str = ""
    #: (step, error of the plain central difference), from large steps to small, if it was requested.
    curve: tuple[tuple[float, float], ...] = ()

    @property
    def ratio(self) -> float:
        """|analytic − numeric| / tolerance, dimensionless."""
        distance = abs(self.analytic - self.numeric)
        return distance / self.tolerance if self.tolerance else math.inf if distance else 0.0

    def as_dict(self) -> dict[str, Any]:
        """The whole finding as plain data; numbers that JSON cannot hold become strings.

        ``argument`` counts from 0, as ``index`` does, and is None for a parameter; the message counts from 1.
        """
        numbers = {key: getattr(self, key) for key in ("analytic", "numeric", "bar", "tolerance", "ratio")}
        return {
            "argument": self.place.argument, "name": self.place.name, "index": self.place.index,
            "shape": self.place.shape, "order": self.order, "row": self.row,
            "verdict": str(self.verdict), "reason": self.reason,
            **{key: x if math.isfinite(x) else str(x) for key, x in numbers.items()},
            "oracle": self.oracle, "evaluations": self.evaluations,
            "curve": [[step, error if math.isfinite(error) else str(error)] for step, error in self.curve],
        }  # fmt: skip


def judge(analytic: float, found: Estimate, *, moved: float = 0.0) -> tuple[Verdict, float]:
    """The verdict on an analytic derivative beside an estimate, and the tolerance.

    tolerance = 4·bar + 1e-7·max(|analytic|, |numeric|) + ``moved``, the change of the analytic derivative when its
    input is perturbed by rounding. There is no absolute tolerance: small derivatives are checked like large ones.

    >>> from autodiff.testing.oracles.interval import estimate
    >>> slope = estimate(lambda t: (3 + t) ** 2)
    >>> str(judge(6.0, slope)[0]), str(judge(6.00001, slope)[0])
    ('pass', 'fail')
    """
    larger = max(abs(analytic), abs(found.value))
    tolerance = _BARS * found.bar + _RELATIVE * larger + moved
    if math.isnan(analytic):
        return Verdict.FAIL, tolerance
    if found.kind == "undefined":
        return Verdict.UNDEFINED, tolerance
    if found.kind == "jump":
        return Verdict.JUMP, tolerance
    if not math.isfinite(analytic):
        return Verdict.FAIL, tolerance
    if found.kind == "kink":
        return _at_a_kink(analytic, found, moved)
    sure = found.bar <= max(_WEAK * larger, _STILL * found.change) or (analytic == 0 == found.change)
    distance = abs(analytic - found.value)
    if distance > tolerance:
        return (Verdict.FAIL if sure or distance > _FAR * tolerance else Verdict.WEAK), tolerance
    return (Verdict.PASS if sure else Verdict.WEAK), tolerance


def _at_a_kink(analytic: float, found: Estimate, moved: float) -> tuple[Verdict, float]:
    low, high = sorted((found.left, found.right))
    tolerance = _BARS * found.side_bar + _RELATIVE * max(abs(low), abs(high)) + moved
    inside = low - tolerance <= analytic <= high + tolerance
    return (Verdict.VALID if inside else Verdict.INVALID), (high - low) / 2 + tolerance
