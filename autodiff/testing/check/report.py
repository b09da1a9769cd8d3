"""The report of a gradient check: as a message, as plain data, and as an error to raise."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from autodiff.testing.check.verdicts import Finding, Verdict
from autodiff.words.notation import number
from autodiff.words.printable import shortened

__all__ = ["Blame", "GradientError", "Report", "Scope"]

_MOST_SHOWN: Final = 5
_MOST_PRINTED: Final = 9  # numbers of an input: a 3 × 3 matrix
_MOST_INPUTS: Final = 4
#: From the worst to the best.
_RANK: Final = (
    Verdict.RANDOM, Verdict.FAIL, Verdict.INVALID, Verdict.UNDEFINED, Verdict.JUMP, Verdict.ISOLATED, Verdict.WEAK,
    Verdict.NOT_ASKED, Verdict.VALID, Verdict.PASS,
)  # fmt: skip


class GradientError(AssertionError):
    """A gradient is wrong, or did not pass where it had to; ``report`` says which entry, where, and by how much.

    >>> import math
    >>> from autodiff.testing import check_gradients
    >>> check_gradients(math.sin, 0.5, gradient=math.sin).raise_if_failed()  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    autodiff.testing.check.report.GradientError: ...
    """

    def __init__(self, report: Report) -> None:
        super().__init__(str(report))
        self.report = report


@dataclass(frozen=True, slots=True)
class Blame:
    """Where the fault lies.

    Kinds: ``rule``, ``accumulation``, ``graph`` (it misses a dependence), ``open`` (some rules could not be checked).
    ``graph`` is the output of the smallest graph that shows the fault, ``program`` the same as Python. ``slot`` is the
    input (0-based) whose rule is wrong, and ``short`` labels the wrong wire in the picture.
    """

    kind: str
    sentence: str
    program: str = ""
    graph: Any = None
    slot: int | None = None
    short: str = ""


@dataclass(frozen=True, slots=True)
class Scope:
    """What was checked: each of ``entries`` entries, or ``directions`` random directions through all of them."""

    entries: int = 0
    directions: int = 0


@dataclass(frozen=True, slots=True, repr=False)
class Report:
    """Everything a check found: a `Finding` for each entry, ``problems`` (side effects, which are failures) and blame.

    A report is true if nothing was found wrong, so ``assert check_gradients(f, x)`` works and pytest prints the
    message. An undecided entry is neither wrong nor a pass: ``report.passed`` is true if every entry was found right,
    and `raise_unless_passed` requires that.

    >>> import math
    >>> from autodiff.testing import check_gradients
    >>> report = check_gradients(math.sin, 0.5, gradient=lambda x: 1.001 * math.cos(x))
    >>> bool(report), str(report.verdict), len(report.failures)
    (False, 'fail', 1)
    """

    name: str
    findings: tuple[Finding, ...]
    problems: tuple[str, ...] = ()
    cotangents: tuple[Any, ...] = ()
    blame: Blame | None = None
    evaluations: int = 0
    #: Name and value of every input, nested ones by their path: the point at which the gradient was checked.
    inputs: tuple[tuple[str, Any], ...] = ()
    seed: int = 0
    scope: Scope = Scope()

    @property
    def verdict(self) -> Verdict:
        """The worst verdict of all findings; a failure if there were side effects."""
        found = {finding.verdict for finding in self.findings}
        worst = next((verdict for verdict in _RANK if verdict in found), Verdict.PASS)
        return Verdict.FAIL if self.problems and not worst.failed else worst

    @property
    def counts(self) -> dict[Verdict, int]:
        """How often each verdict occurs, the worst first."""
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
    def passed(self) -> bool:
        """Whether every entry was found right, and nothing else was wrong."""
        return bool(self.findings) and self.decided and not self.failed

    @property
    def failures(self) -> tuple[Finding, ...]:
        """The findings that are faults, the largest error first."""
        failed = (finding for finding in self.findings if finding.verdict.failed)
        return tuple(sorted(failed, key=lambda finding: (not math.isnan(finding.ratio), -finding.ratio)))

    def __bool__(self) -> bool:
        return not (self.failed or Verdict.ISOLATED in self.counts)

    def raise_if_failed(self) -> Report:
        """The report itself; raises GradientError, an AssertionError with the message, if anything was found wrong."""
        if not self:
            raise GradientError(self)
        return self

    def raise_unless_passed(self) -> Report:
        """The report itself; raises GradientError, an AssertionError, unless every entry was found right."""
        if not self.passed:
            raise GradientError(self)
        return self

    def as_dict(self) -> dict[str, Any]:
        """The whole report as plain data, ready for JSON."""
        return {
            "name": self.name, "verdict": str(self.verdict), "failed": self.failed, "passed": self.passed,
            "decided": self.decided, "seed": self.seed,
            "inputs": [{"name": name, "value": np.asarray(x).tolist()} for name, x in self.inputs],
            "entries": self.scope.entries, "directions": self.scope.directions,
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
        if self.inputs and not self.passed:
            lines.append(f"  at {self.point}")
        shown = self.failures or tuple(each for each in self.findings if each.curve or not each.verdict.decided)
        for finding in shown[:_MOST_SHOWN]:
            lines += self._account(finding)
        if len(shown) > _MOST_SHOWN:
            lines.append(f"  … and {len(shown) - _MOST_SHOWN} more")
        if self.blame is not None:
            lines.append(f"  blame: {self.blame.sentence}")
            if self.blame.program:
                lines += ["  program:", *(f"    {line}" for line in self.blame.program.splitlines())]
        return "\n".join(lines)

    __repr__ = __str__

    def _headline(self) -> str:
        told = "no failure found" if self.decided else "no failure found, but some entries are undecided"
        told = told if self else "WRONG at this very point"
        return f"{'FAILED' if self.failed else told} ({self._counted()}; {self.evaluations:,} evaluations)"

    def _counted(self) -> str:
        """The verdicts with their counts, the number of entries that random directions cover, and the side effects."""
        counts, effects = self.counts, len(self.problems)
        if self.scope.directions:
            through = f"random directions through {self.scope.entries:,} entries"
            passed = {*counts} == {Verdict.PASS}
            text = f"{counts[Verdict.PASS]} {through} pass" if passed else f"{through}: {_listed(counts.items())}"
        else:
            text = _listed(counts.items())
        return f"{text}, {effects} side effect{'s' * (effects > 1)}" if effects else text

    @property
    def point(self) -> str:
        """The inputs in one line; large ones by their shape."""
        shown = [f"{name} = {_short(x)}" for name, x in self.inputs[:_MOST_INPUTS]]
        return ", ".join(shown) + (
            f" and {len(self.inputs) - len(shown)} more inputs" * (len(self.inputs) > len(shown))
        )

    def _account(self, finding: Finding) -> list[str]:
        row = f" of the gradient's {finding.row}" if finding.row else ""
        order = f", order {finding.order}{row}" if finding.order > 1 else ""
        argument = finding.place.argument
        where = "parameter" if argument is None else f"argument {argument + 1},"
        lines = [f"  {finding.verdict}: {where} {finding.place}{order}"]
        if finding.verdict == Verdict.RANDOM:
            return [f"  {finding.verdict}: {finding.reason}"]
        if finding.reason:
            lines.append(f"    {finding.reason}")
        bar = number(finding.bar, digits=2)
        lines += [
            f"    analytic   {number(finding.analytic, digits=10)}",
            f"    numeric    {number(finding.numeric, digits=10)} ± {bar} "
            f"({finding.oracle}, {finding.evaluations} evaluations)",
        ]
        if finding.verdict.failed:
            ratio = number(finding.ratio, digits=3)
            far = f"; the difference is {ratio} times that" if math.isfinite(finding.ratio) else ""
            lines.append(f"    tolerance  {number(finding.tolerance, digits=2)}{far}")
            several = sum(map(np.size, self.cotangents)) > 1  # with one output, all numbers are divided by it
            if several and not finding.row:
                lines.append(f"    cotangent  {self._cotangent()}")
        if finding.curve:
            lines.append("    error of the plain central difference at each step:")
            lines += [f"      {number(h, 2):>9}  {number(error, 2):>9}  {_bar(error)}" for h, error in finding.curve]
        return lines

    def _cotangent(self) -> str:
        return shortened(", ".join(" ".join(str(c).split()) for c in self.cotangents), 100)


def _listed(counts: Iterable[tuple[Verdict, int]]) -> str:
    return ", ".join(f"{count} {verdict}" for verdict, count in counts)


def _short(x: Any) -> str:
    """A number, a list of a few numbers, or the shape of a larger array."""
    array = np.asarray(x)
    return str(array.tolist()) if array.size <= _MOST_PRINTED else f"an array of shape {array.shape}"


def _bar(error: float) -> str:
    """One block for each power of ten above 1e−16."""
    return "█" * round(min(max(math.log10(error) + 16, 0), 40)) if error > 0 and math.isfinite(error) else ""
