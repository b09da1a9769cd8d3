"""The oracles that run a program again in other numbers, and which of them "auto" asks."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import autodiff as ad
from autodiff import Example, Primitive
from autodiff.primitives.registry import TABLE
from autodiff.testing.check.gradients import check_gradients
from autodiff.testing.check.verdicts import Verdict
from autodiff.testing.oracles.dual import Dual, TieError, duals, exact
from autodiff.testing.oracles.dual_mpmath import mpmath_duals
from autodiff.testing.oracles.rerun import NotApplicable, slope_by
from autodiff.testing.subject import PairOfGradient

ELEMENTWISE = [
    (entry, dict(example.params))
    for entry in TABLE.values()
    if entry.elementwise
    for example in entry.examples or [ad.Example(((),))]
    if not any(isinstance(value, np.ndarray) for value in example.params.values())
]


def test_dual_numbers_know_every_elementwise_primitive() -> None:
    """The slopes of the forwards, in floats and in 50 digits, are those of the rules, input by input."""
    random, digits = np.random.default_rng(3), mpmath_duals()
    for entry, params in ELEMENTWISE:
        count = entry.arity or 3
        point = [domain.draw(random, ()).item() for domain in (entry.domain * count)[:count]]
        for k in range(count):
            found = []
            for xp in (duals, digits):
                inputs = [Dual(xp.constant(x), xp.constant(float(i == k)), xp) for i, x in enumerate(point)]
                z = entry(*inputs, **params)
                found.append(float(z.tangent) if isinstance(z, Dual) else 0.0)
            leaves = [ad.Value(x) for x in point]
            entry(*leaves, **params).backward()
            assert found == pytest.approx([leaves[k].grad or 0.0] * 2, rel=1e-12, abs=1e-14), entry.name


ON_ARRAYS = [(entry, example) for entry in TABLE.values() for example in entry.examples if any(example.shapes)]


@pytest.mark.parametrize(("entry", "example"), ON_ARRAYS, ids=lambda item: getattr(item, "name", ""))
def test_dual_numbers_run_every_primitive_on_arrays(entry: Primitive, example: Example) -> None:
    """Sums, products, layout, indices: along each direction the slope is that of the rules."""
    random = np.random.default_rng(4)
    domains = (entry.domain * len(example.shapes))[: len(example.shapes)]
    points = [domain.draw(random, shape) for domain, shape in zip(domains, example.shapes, strict=True)]

    def f(*xs: Any) -> Any:
        return entry([*xs], **example.params) if entry.packed else entry(*xs, **example.params)

    report = check_gradients(f, *points, oracle="dual")
    assert set(report.counts) == {Verdict.PASS}, report


def test_fractions_are_not_rounded() -> None:
    """d/dx x³/(1+x) at 3 is 81/16, exactly, and a function that Fractions do not have is missing."""
    x = Dual(Fraction(3), Fraction(1), exact)
    assert (x**3 / (1 + x)).tangent == Fraction(81, 16)
    with pytest.raises(AttributeError):
        ad.exp(x)


@pytest.mark.parametrize("compare", [lambda x: x > 1.0, lambda x: x <= 1.0, abs, lambda x: ad.maximum(x, 1.0)])
def test_dual_numbers_refuse_a_tie(compare: Callable[[Dual], Any]) -> None:
    """On a kink a program has no one slope."""
    x = Dual(1.0, 1.0) if compare is not abs else Dual(0.0, 1.0)
    with pytest.raises(TieError, match="two equal values"):
        compare(x)


@pytest.mark.parametrize(
    ("f", "inputs", "oracle"),
    [
        (lambda x, y: x * y + x, (3.0, 2.0), "exact"),
        (lambda w, x: (w @ x) * 2.0, (np.ones((2, 3)), np.arange(3.0)), "exact"),
        (lambda x: ad.exp(x) * x, (0.5,), "dual"),
        (lambda x: np.tanh(x) * 2.0, (np.array([0.5, 1.0]),), "dual"),
        (lambda x: ad.softmax(x), (np.array([0.5, 1.0]),), "dual"),
        (lambda w: ad.sum(w * w), (np.ones((2, 3)),), "exact"),
        (lambda w, x: ad.mean(w @ x), (np.ones((2, 4)), np.arange(4.0)), "exact"),
        (lambda w, x: ad.sum(ad.tanh(w @ x), axis=0), (np.ones((2, 3)), np.arange(3.0)), "dual"),
        (lambda x: ad.einsum("ij,j->i", x, np.arange(3.0)), (np.ones((2, 3)),), "exact"),
        (lambda x: ad.max(x), (np.ones(3),), "interval"),
        (lambda w: ad.sum(w @ np.ones((8, 2000))), (np.ones((2, 8)),), "interval"),
        (lambda x: ad.relu(x), (0.0,), "interval"),
        (lambda x: x * x.detach(), (2.0,), "interval"),
    ],
)
def test_auto_asks_the_first_that_applies(f: Callable[..., Any], inputs: tuple[Any, ...], oracle: str) -> None:
    """Polynomials are exact, other programs of numbers run on duals, kinks and graphs with a cut need differences."""
    assert {finding.oracle for finding in check_gradients(f, *inputs).findings} == {oracle}


def test_a_detached_factor_is_not_acquitted() -> None:
    """x·detach(x) has the derivative 2x; the graph says x, and no oracle that knows only the graph is asked."""
    report = check_gradients(lambda x: x * x.detach(), 2.0)
    assert report.verdict == Verdict.FAIL
    (failure,) = report.failures
    assert failure.analytic == 2.0
    assert failure.numeric == pytest.approx(4.0, rel=1e-9)


@pytest.mark.parametrize("factor", [1 + 4e-16, 1 + 1e-15, 1.1])
def test_exact_arithmetic_sees_the_last_bit(define: Callable[..., Primitive], factor: float) -> None:
    """A rule that is off in the last place fails on small integers."""
    rules = [lambda g, z, x, y: g * y * factor, lambda g, z, x, y: g * x]
    wrong = define("off_by_a_bit", lambda xp, x, y: x * y, rules)
    report = check_gradients(wrong, 3.0, 2.0)
    assert [finding.place.name for finding in report.failures] == ["x0"]
    assert report.failures[0].oracle == "exact"


@pytest.mark.parametrize("oracle", ["exact", "dual", "mpmath", "interval"])
def test_each_oracle_finds_a_fault_by_name(define: Callable[..., Primitive], oracle: str) -> None:
    """Asked for by name, every one finds a factor of 1 + 1e-6."""
    wrong = define("almost_square", lambda xp, x: x * x, [lambda g, z, x: g * (2.000002 * x)])
    assert check_gradients(wrong, 3.0, oracle=oracle).verdict == Verdict.FAIL
    assert check_gradients(ad.square, 3.0, oracle=oracle).verdict == Verdict.PASS


def test_an_oracle_that_does_not_apply_says_why() -> None:
    """No answer is an answer, with its reason; it is no pass."""
    report = check_gradients(ad.exp, 1.0, oracle="exact")
    assert report.verdict == Verdict.NOT_ASKED
    assert 'the oracle "exact" does not apply' in str(report)
    assert 'the oracle "dual" does not apply: it runs functions of Values and Tensors only' in str(
        check_gradients(math.exp, 1.0, gradient=math.exp, oracle="dual")
    )


def test_the_complex_step_runs_pairs_over_arrays() -> None:
    """It is right to the last digits, and finds a fault of 1e-6."""

    def f(x: Any) -> Any:
        return np.sum(np.exp(x) * np.sin(x)) / x.size

    def gradient(x: Any) -> Any:
        return np.exp(x) * (np.sin(x) + np.cos(x)) / x.size

    x = np.linspace(-1.0, 1.0, 5)
    report = check_gradients(f, x, gradient=gradient)
    assert report.counts == {Verdict.PASS: 5}
    assert {finding.oracle for finding in report.findings} == {"complex"}
    assert check_gradients(f, x, gradient=lambda x: gradient(x) * 1.000001).counts == {Verdict.FAIL: 5}


KEPT = np.zeros(2)


def written_to(x: Any) -> Any:
    y = np.zeros(2)
    y[:] = x * x
    return np.sum(y * x)


def test_the_complex_step_runs_what_is_written_in_place() -> None:
    """Items, slices and += of what it computes itself, and views of one array, are as they are in NumPy."""

    def f(x: Any) -> Any:
        y = x * 2.0
        y += x
        view = y[1:]
        y[0] = x[1] * x[2]
        view *= view
        return np.sum(y)

    x = np.array([1.0, 2.0, 0.5])
    report = check_gradients(f, x, gradient=lambda x: np.array([0.0, x[2] + 18 * x[1], x[1] + 18 * x[2]]))
    assert report.counts == {Verdict.PASS: 3}
    assert {finding.oracle for finding in report.findings} == {"complex"}


@pytest.mark.parametrize(
    ("f", "gradient"),
    [
        (lambda x: np.sum(np.abs(np.asarray(x)) * x), np.abs),
        (lambda x: abs(x[0]) * x[1], lambda x: np.array([0.0, abs(x[0])])),
        (lambda x: np.sum(abs(complex(np.sum(x))) * x), lambda x: np.full(2, abs(np.sum(x)))),
        (written_to, lambda x: x * x),
        (lambda x: np.sum(np.multiply(x, x, out=KEPT) * x), lambda x: x * x),
    ],
)  # fmt: skip
def test_a_derivative_that_is_lost_on_the_way_acquits_nobody(
    f: Callable[..., Any], gradient: Callable[..., Any]
) -> None:
    """Each gradient takes one factor for a constant, as a complex number does that was made real unseen."""
    report = check_gradients(f, np.array([0.5, 2.0]), gradient=gradient)
    assert report.verdict == Verdict.FAIL


def test_no_pass_where_two_oracles_disagree_and_differences_cannot_tell() -> None:
    """tanh(40 + x) is flat to floats, and its slope is not 0."""
    report = check_gradients(lambda x: np.tanh(40.0 + x), 1.0, gradient=lambda x: 0.0)
    assert report.verdict == Verdict.WEAK
    assert re.search(r'the oracle "complex" gives \S+36, and differences cannot decide between the two', str(report))
    right = check_gradients(lambda x: np.tanh(40.0 + x), 1.0, gradient=lambda x: 1.0 / np.cosh(40.0 + x) ** 2)
    assert right.verdict == Verdict.PASS


def test_no_pass_where_rounding_hides_a_change() -> None:
    """Small steps do not change a sum of size 2²⁶; the gradient that leaves the term out is not confirmed by that."""
    report = check_gradients(lambda x: np.sin(2.0**26 + x), 1e-5, gradient=lambda x: 0.0)
    assert report.verdict != Verdict.PASS
    assert check_gradients(lambda x: np.sin(2.0**26 + x), 1e-5, gradient=lambda x: np.cos(2.0**26 + x))


@pytest.mark.parametrize("factor", [0.0, -1.0, 1.1])
def test_an_oracle_whose_numbers_overflow_acquits_nobody(factor: float) -> None:
    """The sine of a huge number is finite; with an imaginary part, however small, it is not."""

    def f(x: Any) -> Any:
        return np.sin(np.exp(x)) * 1e-300

    slope = slope_by("complex", PairOfGradient(f, (1.0,), f), [np.array(1.0)], [np.array(1.0)], [np.array(1.0)])
    assert slope == pytest.approx(1e-300 * np.cos(np.e) * np.e)
    with pytest.raises(NotApplicable, match="its numbers overflow: it returns nan"):
        slope_by("complex", PairOfGradient(f, (1.0,), f), [np.array(700.0)], [np.array(1.0)], [np.array(1.0)])
    report = check_gradients(f, 700.0, gradient=lambda x: factor * 1e-300 * np.cos(np.exp(x)) * np.exp(x))
    assert report.verdict != Verdict.PASS


def test_fractions_are_not_asked_where_they_grow() -> None:
    """Ten thousand steps that are not exact in floats would have Fractions of a million digits."""

    def f(x: Any) -> Any:
        for _ in range(10_000):
            x = x * 1.0000001 + 1e-9
        return x

    assert check_gradients(f, 1.0).findings[0].oracle == "dual"


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.sum(np.abs(x) * x),
        lambda x: np.sum(np.maximum(x, 0.0)),
        lambda x: np.sum(np.where(x > 0, x, 0.0)),
        lambda x: np.sum(x.real),
        lambda x: np.sum(x * x.real),
        lambda x: x[x.argmax()],
        lambda x: float(np.sum(np.sqrt(x * x))) if x.dtype == float else np.sum(abs(x)),
        lambda x: np.linalg.norm(x),
    ],
)
def test_the_complex_step_refuses_what_is_compared_or_made_real(f: Callable[..., Any]) -> None:
    """It would be silently wrong there; differences are taken instead."""
    report = check_gradients(f, np.array([0.5, 2.0]), gradient=lambda x: np.zeros(2))
    assert {finding.oracle for finding in report.findings} == {"interval"}
