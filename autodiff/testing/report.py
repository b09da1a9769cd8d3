"""The report of a gradient check: one message, the same as data, and a failure to raise."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import Any, Final

from autodiff.notation import number
from autodiff.testing.verdicts import Finding, Verdict

__all__ = ["Blame", "GradientError", "Report"]

_MOST_SHOWN: Final = 5
#: From the worst to the best.
_RANK: Final = (
    Verdict.RANDOM, Verdict.FAIL, Verdict.INVALID, Verdict.UNDEFINED, Verdict.JUMP, Verdict.ISOLATED, Verdict.WEAK,
    Verdict.VALID, Verdict.PASS,
)  # fmt: skip


class GradientError(AssertionError):
    """A gradient is wrong; ``report`` says which, where, and by how much."""

    def __init__(self, report: Report) -> None:
        super().__init__(str(report))
        self.report = report


@dataclass(frozen=True, slots=True)
class Blame:
    """Where the fault lies. Kinds: ``rule``, ``accumulation``, ``graph`` (it leaves out a dependence).

    ``graph`` is the output of the smallest graph that shows the fault, ``program`` the same as Python. ``slot`` is the
    input of its one operation whose rule is wrong (0-based), and ``short`` what stands beside the wrong wire.
    """

    kind: str
    sentence: str
    program: str = ""
    graph: Any = None
    slot: int | None = None
    short: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class Report:
    """All that a check found: a `Finding` for each entry, ``problems`` (side effects, which are failures) and blame.

    ``bool(report)`` is whether no failure was found, so that ``assert check_gradients(f, x)`` works and pytest prints
    the message. What could not be decided is no failure and no pass either: ask ``report.decided`` or ``counts``.
    """

    name: str
    findings: tuple[Finding, ...]
    problems: tuple[str, ...] = ()
    cotangents: tuple[Any, ...] = ()
    blame: Blame | None = None
    evaluations: int = 0

    @property
    def verdict(self) -> Verdict:
        """The worst of all."""
        found = {finding.verdict for finding in self.findings}
        worst = next((verdict for verdict in _RANK if verdict in found), Verdict.PASS)
        return Verdict.FAIL if self.problems and not worst.failed else worst

    @property
    def counts(self) -> dict[Verdict, int]:
        """How often each verdict came, the worst first."""
        found = Counter(finding.verdict for finding in self.findings)
        return {verdict: found[verdict] for verdict in _RANK if found[verdict]}

    @property
    def failed(self) -> bool:
        """Whether a fault was found."""
        return self.verdict.failed

    @property
    def decided(self) -> bool:
        """Whether every entry was found right or wrong."""
        return all(finding.verdict.decided for finding in self.findings)

    @property
    def failures(self) -> tuple[Finding, ...]:
        """The findings that are faults, the furthest off first."""
        failed = (finding for finding in self.findings if finding.verdict.failed)
        return tuple(sorted(failed, key=lambda finding: (not math.isnan(finding.ratio), -finding.ratio)))

    def __bool__(self) -> bool:
        return not self.failed

    def raise_if_failed(self) -> Report:
        """The report itself; raises GradientError, an AssertionError with the message, if a fault was found."""
        if self.failed:
            raise GradientError(self)
        return self

    def as_dict(self) -> dict[str, Any]:
        """All of it as plain data, ready for JSON."""
        return {
            "name": self.name, "verdict": str(self.verdict), "failed": self.failed,
            "counts": {str(verdict): count for verdict, count in self.counts.items()},
            "problems": list(self.problems), "evaluations": self.evaluations,
            "cotangents": [c.tolist() if hasattr(c, "tolist") else c for c in self.cotangents],
            "blame": None if self.blame is None else {
                "kind": self.blame.kind, "sentence": self.blame.sentence, "program": self.blame.program,
            },
            "findings": [finding.as_dict() for finding in self.findings],
        }  # fmt: skip

    def __str__(self) -> str:
        lines = [f"gradient check of {self.name}: {self._headline()}"]
        lines += [f"  {problem}" for problem in self.problems]
        shown = self.failures or tuple(each for each in self.findings if each.curve or not each.verdict.decided)
        for finding in shown[:_MOST_SHOWN]:
            lines += self._account(finding)
        if len(shown) > _MOST_SHOWN:
            lines.append(f"  … and {len(shown) - _MOST_SHOWN} more like these")
        if self.blame is not None:
            lines.append(f"  blame: {self.blame.sentence}")
            if self.blame.program:
                lines += ["  program:", *(f"    {line}" for line in self.blame.program.splitlines())]
        return "\n".join(lines)

    __repr__ = __str__

    def _headline(self) -> str:
        verdicts = ", ".join(f"{count} {verdict}" for verdict, count in self.counts.items())
        return f"{'FAILED' if self.failed else 'no failure found'} ({verdicts}; {self.evaluations} evaluations)"

    def _account(self, finding: Finding) -> list[str]:
        order = f", order {finding.order}" if finding.order > 1 else ""
        lines = [f"  {finding.verdict}: argument {finding.place.argument + 1}, {finding.place}{order}"]
        if finding.verdict == Verdict.RANDOM:
            return lines
        if finding.reason:
            lines.append(f"    {finding.reason}")
        bar = number(finding.bar, digits=2)
        lines += [
            f"    analytic   {number(finding.analytic, digits=10)}",
            f"    numeric    {number(finding.numeric, digits=10)} ± {bar} "
            f"({finding.oracle}, {finding.evaluations} evaluations)",
        ]
        if finding.verdict.failed:
            tolerance, ratio = number(finding.tolerance, digits=2), number(finding.ratio, digits=3)
            lines.append(f"    tolerance  {tolerance}, and it is {ratio} times as far")
            lines.append(f"    cotangent  {self._cotangent()}")
        if finding.curve:
            lines.append("    error of the plain difference over its step:")
            lines += [f"      {number(h, 2):>9}  {number(error, 2):>9}  {_bar(error)}" for h, error in finding.curve]
        return lines

    def _cotangent(self) -> str:
        text = ", ".join(" ".join(str(c).split()) for c in self.cotangents)
        return text if len(text) <= 100 else text[:99] + "…"


def _bar(error: float) -> str:
    """One block for each power of ten above 1e−16."""
    return "█" * round(min(max(math.log10(error) + 16, 0), 40)) if error > 0 and math.isfinite(error) else ""
