"""`check_gradients`: is this gradient right? Every entry beside an independent derivative with its error.

What the verdicts rest on was measured (``python -m tests.programs.checkers``) on 4,500 random programs, smooth, wide in
scale and kinked, at order 1, by differences alone: no false alarm; of the errors of one edge by 1 % it missed 0.09 %,
of those by 0.1 % 0.20 %. The other oracles and order 2 are tested, and not measured in this way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import numpy as np

from autodiff.primitives.operands import describe
from autodiff.testing.check.blame import blamed, judged_rules, recorded
from autodiff.testing.check.entries import Check, Curvature
from autodiff.testing.check.report import Report
from autodiff.testing.check.verdicts import Finding, Verdict
from autodiff.testing.oracles.rerun import ORACLES
from autodiff.testing.subject import OwnFunction, subject_of

__all__ = ["check_gradients"]

_CHOICES: Final = ("auto", *ORACLES, "interval")
_MOST_ROWS: Final = 64


def check_gradients(
    f: Callable[..., Any], *inputs: Any, order: int = 1, gradient: Callable[..., Any] | None = None,
    vjp: Callable[..., Any] | None = None, oracle: str = "auto", directions: int | None = None, seed: int = 0,
    curve: bool = False,
) -> Report:  # fmt: skip
    """Whether the gradient of ``f`` at ``inputs`` is right, entry by entry, or along random directions.

    Args:
        f: a function of numbers and arrays, written with Values and Tensors, or of torch or jax arrays; with
            ``gradient`` or ``vjp``, any function of floats and NumPy arrays. Its result is a number or an array, or
            nested lists, tuples and dicts of them; so are its arguments. A number or array that is no node is a
            constant, with gradient 0. What gradients flow to besides the arguments, the parameters of a net or of a
            torch module that f is or refers to, is checked as well, by name; nothing in it is changed afterwards.
        inputs: where; finite numbers and arrays.
        order: 1, or 2 for the derivatives of the gradient as well.
        gradient: ``gradient(*inputs)``, the gradient of an f that gives one number: one for each argument.
        vjp: ``vjp(cotangent, *inputs)``, for an f of any output.
        oracle: what it is compared with: "exact", "dual", "mpmath", "complex", "interval", or "auto", which asks the
            cheapest that applies, and lets only the interval check accuse. Order 2 knows the interval check only.
        directions: how many random directions through all entries to check instead of every entry; 0 checks every
            entry, however many there are; None, the default, takes every entry up to 64, and four directions for more.
            A direction that fails is halved until the entry is found.
        seed: of the cotangent and the directions.
        curve: also give for each entry the error of the plain central difference over the step.

    Returns:
        a `Report`: true unless something was found wrong, ``str(report)`` tells all. For tests ``raise_if_failed()``,
        and ``raise_unless_passed()`` where what could not be decided is no pass either.

    Raises:
        TypeError: f cannot be called, or inputs or results are not numbers; or the result depends on no input, but f
            read the ``.data`` of a node that does. ValueError: shapes that do not fit,
            inputs or a start value that are not finite, an unknown oracle or order.

    At a kink a gradient between the one-sided slopes is valid; a nan is always a failure.

    Source: notes, section 2 ("gradient check"), with a tolerance that follows from the estimated error.

    >>> import math
    >>> import autodiff as ad
    >>> report = check_gradients(lambda x, y: ad.sin(x) * y, 0.5, 2.0)
    >>> bool(report), str(report.verdict)
    (True, 'pass')
    >>> bool(check_gradients(math.sin, 0.5, gradient=math.sin))
    False
    """
    if not isinstance(order, int | np.integer) or isinstance(order, bool) or order not in (1, 2):
        raise ValueError(f"check_gradients checks order 1 or 2, and got order={order!r}")
    if directions is not None and (not isinstance(directions, int) or isinstance(directions, bool) or directions < 0):
        raise ValueError(
            f"directions is None, 0 for every entry, or how many random directions to check, and got {directions!r}"
        )
    if not isinstance(seed, int | np.integer) or isinstance(seed, bool) or seed < 0:
        raise ValueError(f"seed is a whole number of at least 0, and got {seed!r}")
    if not isinstance(oracle, str) or oracle not in _CHOICES:
        raise ValueError(f"unknown oracle {oracle!r} (must be one of {', '.join(_CHOICES)})")
    if order == 2 and oracle not in ("auto", "interval"):
        raise ValueError(f'order 2 is checked by differences only, as oracle "auto" or "interval", and got {oracle!r}')
    if not isinstance(curve, bool | np.bool):
        raise TypeError(f"curve is True or False, and got {describe(curve)}")
    subject = subject_of(f, inputs, gradient, vjp)
    check = Check(subject, seed=seed, directions=directions, oracle=oracle, curve=curve)
    report = _with_blame(check, check.report())
    if order == 2 and not report.failed:
        second = Check(Curvature(check.point), seed=seed, directions=directions, curve=curve).report()
        second = replace(second, findings=tuple(_in_the_hessian(check, finding) for finding in second.findings))
        report = _joined(report, _with_blame(check, second, order=2))
    return report


def _in_the_hessian(check: Check, finding: Finding) -> Finding:
    """A finding about a column of the Hessian, ⟨cotangent, ∂∇f/∂x⟩, as one about the entry that is wrong."""
    point = check.point
    right = finding.verdict in (Verdict.PASS, Verdict.VALID)
    if right or finding.place.index is None or point.count > _MOST_ROWS:
        return finding
    units = [point.unit_vector(k) for k in range(point.count)]
    column = next(unit for unit in units if point.place(unit) == finding.place)
    for row, unit in enumerate(units):
        entry = Check(Curvature(point, row=row), seed=check.seed, curve=check.curve).finding(column)
        if entry.verdict == finding.verdict:
            return replace(entry, row=str(replace(point.place(unit), shape=())))
    return finding


def _with_blame(check: Check, report: Report, *, order: int = 1) -> Report:
    """The report with the fault named; what is wrong at one point only is a fault if a rule is to blame for it."""
    if not isinstance(check.point.subject, OwnFunction):
        return report
    if report.failures and Verdict.RANDOM not in report.counts:  # a side effect alone is no fault of the graph
        return replace(report, blame=blamed(check, order=order))
    if Verdict.ISOLATED in report.counts:
        blame = judged_rules(recorded(check), order=order).wrong
        if blame is not None:
            worse = {Verdict.ISOLATED: Verdict.FAIL}
            findings = (replace(each, verdict=worse.get(each.verdict, each.verdict)) for each in report.findings)
            return replace(report, blame=blame, findings=tuple(findings))
    return report


def _joined(first: Report, second: Report) -> Report:
    second_findings = tuple(replace(finding, order=2) for finding in second.findings)
    return replace(
        second, name=first.name, findings=first.findings + second_findings,
        evaluations=first.evaluations + second.evaluations, problems=first.problems + second.problems,
    )  # fmt: skip
