"""`check_gradients`: is this gradient right? Every entry is compared with an independent derivative of known error.

The verdicts were measured (``python -m tests.programs.checkers``) on 4,500 random programs, smooth, wide in scale and
kinked, at order 1, by differences alone: no false alarm; it missed 0.09 % of the errors of one edge by 1 %, and 0.20 %
of those by 0.1 %. The other oracles and order 2 are tested, but were not measured in this way.
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
    """Check the gradient of ``f`` at ``inputs``: |analytic − numeric| ≤ tolerance, by entry or along random directions.

    Args:
        f: a function of numbers and arrays, written with Values and Tensors, or of torch or jax arrays; with
            ``gradient`` or ``vjp``, any function of floats and NumPy arrays. Its arguments and its result are numbers,
            arrays, or nested lists, tuples and dicts of them. A result that is not a node is a constant, with gradient
            0. The parameters of a net or torch module that f is or refers to are checked as well, by name, and are
            left unchanged.
        inputs: the point at which to check; finite numbers and arrays.
        order: 1, or 2 to check the derivatives of the gradient as well.
        gradient: ``gradient(*inputs)`` for an f that returns one number: one gradient for each argument.
        vjp: ``vjp(cotangent, *inputs)``, for an f with any output: one gradient for each argument.
        oracle: the source of the numeric derivative: "exact", "dual", "mpmath", "complex", "interval", or "auto", which
            uses the cheapest that applies, and calls a gradient wrong only if "exact" or "interval" does. Order 2
            supports "interval" only.
        directions: how many random directions through all entries to check instead of every entry; 0 checks every
            entry, however many there are; None, the default, checks every entry up to 64, else four directions.
            A direction that fails is bisected until the wrong entry is found.
        seed: the seed of the cotangent and the directions; a whole number of at least 0.
        curve: whether to add to each finding the error of the plain central difference at each step.

    Returns:
        a `Report`: true unless something was found wrong; ``str(report)`` is the message. In tests, call
        ``raise_if_failed()``, or ``raise_unless_passed()`` to fail on undecided entries too.

    Raises:
        TypeError: if f cannot be called, or inputs or results are not numbers; or if the result depends on no input,
            but f read the ``.data`` of a node that does.
        ValueError: if shapes do not fit, inputs or the value of f are not finite, or an option is not valid.

    At a kink, a gradient between the one-sided slopes is valid; a nan is always a failure.

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
        raise ValueError(f"order must be 1 or 2, and got {order!r}")
    if directions is not None and (not isinstance(directions, int) or isinstance(directions, bool) or directions < 0):
        raise ValueError(
            f"directions must be None, 0 for every entry, or the number of random directions, and got {directions!r}"
        )
    if not isinstance(seed, int | np.integer) or isinstance(seed, bool) or seed < 0:
        raise ValueError(f"seed must be a whole number of at least 0, and got {seed!r}")
    if not isinstance(oracle, str) or oracle not in _CHOICES:
        raise ValueError(f"unknown oracle {oracle!r} (must be one of {', '.join(_CHOICES)})")
    if order == 2 and oracle not in ("auto", "interval"):
        raise ValueError(f'order 2 needs the oracle "auto" or "interval", which take differences, and got {oracle!r}')
    if not isinstance(curve, bool | np.bool):
        raise TypeError(f"curve must be True or False, and got {describe(curve)}")
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
    """The report with the fault named; an isolated fault is a failure only if a rule is to blame for it."""
    if not isinstance(check.point.subject, OwnFunction):
        return report
    if report.failures and Verdict.RANDOM not in report.counts:  # the graph is not to blame for side effects
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
