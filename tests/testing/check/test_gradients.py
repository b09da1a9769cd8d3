"""`check_gradients`: right where it says so, silent on correct gradients, loud on wrong ones of every size."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

import numpy as np
import pytest

import autodiff as ad
from autodiff import Primitive, Value
from autodiff.testing import Report
from autodiff.testing.check.gradients import check_gradients
from autodiff.testing.check.report import GradientError
from autodiff.testing.check.verdicts import Verdict, judge
from autodiff.testing.oracles.interval import estimate, plateau
from tests.support.present import present

SIZES = (0.1, 0.01, 0.001, 1e-6)


# ---- the interval check ----------------------------------------------------------------------------------------------

SMOOTH = [
    (lambda t: math.sin(0.3 + t), math.cos(0.3)),
    (lambda t: math.exp(5 + t), math.exp(5)),
    (lambda t: math.exp(-40 + t), math.exp(-40)),
    (lambda t: math.sin(50 * (0.7 + t)), 50 * math.cos(35)),
    (lambda t: math.log(1e-8 + t) if t > -1e-8 else math.nan, 1e8),
    (lambda t: 1 / (1e-6 + t), -1e12),
    (lambda t: 1e-300 * math.sin(1 + t), 1e-300 * math.cos(1)),
    (lambda t: max(1e-6 + t, 0.0), 1.0),
    (lambda t: max(1e-10 + t, 0.0), 1.0),
    (lambda t: math.floor(1e-5 + t) + 3 * t, 3.0),
    (lambda t: math.exp(-(((t + 3e-7) / 1e-6) ** 2)), -6e5 * math.exp(-0.09)),
]


@pytest.mark.parametrize(("phi", "exact"), SMOOTH)
def test_the_exact_derivative_lies_within_the_bar(phi: Callable[[float], float], exact: float) -> None:
    """Smooth at its place: large and small scales, a domain's end, a pole, a kink and a jump nearby."""
    found = estimate(phi)
    assert found.kind == "smooth"
    assert abs(found.value - exact) <= 4 * found.bar
    assert judge(exact, found)[0] == Verdict.PASS


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("phi", "exact"), SMOOTH)
def test_a_derivative_that_is_off_by_any_size_fails(phi: Callable[[float], float], exact: float, size: float) -> None:
    """10 %, 1 %, 0.1 % and a millionth, in both directions."""
    found = estimate(phi)
    assert {judge(exact * factor, found)[0] for factor in (1 + size, 1 - size)} == {Verdict.FAIL}


@pytest.mark.parametrize(
    ("phi", "kind", "slopes"),
    [
        (abs, "kink", (-1.0, 1.0)),
        (lambda t: max(t, 0.0), "kink", (0.0, 1.0)),
        (lambda t: math.sin(t) + 1e-3 * abs(t), "kink", (0.999, 1.001)),
        (lambda t: math.cos(3 * t) + t + 1e-6 * abs(t), "kink", (1 - 1e-6, 1 + 1e-6)),
        (lambda t: float(t > 0), "jump", None),
        (lambda t: math.copysign(abs(t) ** (1 / 3), t), "jump", None),
        (lambda t: math.sqrt(t) if t >= 0 else math.nan, "undefined", None),
        (lambda t: t * t, "smooth", None),
        (lambda t: abs(t) ** 3, "smooth", None),
    ],
)
def test_what_stands_in_the_way_of_a_derivative(
    phi: Callable[[float], float], kind: str, slopes: tuple[float, float] | None
) -> None:
    """Kinks have their slopes on both sides, jumps and infinite slopes are one thing, a domain's end another."""
    found = estimate(phi)
    assert found.kind == kind
    if slopes:
        assert (found.left, found.right) == pytest.approx(slopes, rel=1e-9, abs=1e-9)


def test_no_derivative_is_claimed_where_rounding_hides_it() -> None:
    """1e20 + x is a constant in floats: neither 1 nor 0 is refuted, and none is confirmed."""
    found = estimate(lambda t: 1e20 + t)
    assert {judge(slope, found)[0] for slope in (0.5, 1.0)} == {Verdict.WEAK}


@pytest.mark.parametrize("noise", [1e-3, 1e-6, 1e-9, 1e-12])
@pytest.mark.parametrize("x", [0.1, 0.5, 1.0, 1.3])
def test_noise_widens_the_bar(x: float, noise: float) -> None:
    """Of a function whose values are noisy the bar knows the noise, and the truth lies within."""
    found = estimate(lambda t: math.sin(x + t) + noise * Random(t).uniform(-1.0, 1.0))
    assert abs(found.value - math.cos(x)) <= 4 * found.bar
    assert found.bar >= noise


def test_a_second_opinion() -> None:
    """Three fine steps in a row acquit a right derivative of a wrong estimate; they never acquit a wrong derivative."""
    deceived = replace(estimate(lambda t: math.sin(1 + t)), value=0.6)
    assert plateau(lambda t: math.sin(1 + t), math.cos(1), deceived)
    assert not plateau(lambda t: math.sin(1 + t), 0.55, deceived)
    assert not plateau(lambda t: math.sin(1 + t), 0.6, deceived)
    right = estimate(lambda t: math.sin(1 + t))
    assert not plateau(lambda t: math.sin(1 + t), math.cos(1) * 1.00001, right)


def test_it_costs_about_25_evaluations() -> None:
    """A smooth function costs its ladder and thirteen points, and every call is counted."""
    calls = []

    def f(t: float) -> float:
        calls.append(t)
        return math.sin(1 + t)

    found = estimate(f)
    assert found.evaluations == len(calls) <= 31


# ---- correct gradients: no alarm -------------------------------------------------------------------------------------

A, B = np.array([[0.5, -1.0, 2.0], [1.5, 0.25, -0.75]]), np.array([1.0, -2.0, 0.5])

CORRECT = [
    (lambda x, y: ad.sin(x) * y, (0.5, 2.0)),
    (lambda x: x * x + x * x * x, (0.0,)),
    (lambda x: ad.exp(-x) / (1.0 + x), (3.0,)),
    (lambda w, x: (w @ x).tanh(), (A, B)),
    (lambda w: ad.softmax(w) * w, (A,)),
    (lambda p: ad.sum(p["w"] @ p["b"][0]) * p["b"][1], ({"w": A, "b": [B, 2.0]},)),
    (lambda x: (x * 2.0, ad.exp(x)), (0.3,)),
    (lambda x: x.astype if False else ad.logsumexp(x * 1e3), (B,)),
    (lambda x: ad.prod(x), (np.array([2.0, 0.0, 3.0]),)),
    (lambda x: x[np.array([0, 0, 1])], (B,)),
    (lambda x: x * 3.0, (np.array([1.0, 2.0], np.float32),)),
    (lambda x: sum([x / 10.0 for _ in range(9)], x / 10.0), (10.0,)),
    (lambda x, y: sum([x / y for _ in range(48)], x / y), (49.0, 49.0)),
]


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize(("f", "inputs"), CORRECT)
def test_correct_gradients_pass(f: Callable[..., Any], inputs: tuple[Any, ...], order: int) -> None:
    """Numbers, arrays, nested inputs, several outputs, float32; first and second order."""
    report = check_gradients(f, *inputs, order=order)
    assert report, report
    assert set(report.counts) <= {Verdict.PASS, Verdict.WEAK}
    assert report.counts[Verdict.PASS] >= 1


ROUNDED = [
    lambda x: float(np.sin(np.float32(x))),
    lambda x: round(math.sin(x), 6),
    lambda x: round(math.sin(x), 3),
    lambda x: (1e12 + math.sin(x)) - 1e12,
]


@pytest.mark.parametrize("f", ROUNDED)
def test_rounding_inside_of_a_function_raises_no_alarm(f: Callable[[float], float]) -> None:
    """float32 on the way, decimals, cancellation: no step is too small to change f, and larger ones tell the slope."""
    assert check_gradients(f, 0.3, gradient=math.cos).verdict == Verdict.WEAK
    assert check_gradients(f, 0.3, gradient=lambda x: 1.5 * math.cos(x)).verdict == Verdict.FAIL
    assert check_gradients(f, 0.3, gradient=lambda x: 0.0).verdict == Verdict.PASS  # it is constant around the point


TINY = [
    (lambda x: x * x, lambda x: 2 * x),
    (lambda x: 1 / x, lambda x: -1 / x**2),
    (math.log, lambda x: 1 / x),
    (math.sqrt, lambda x: 0.5 / math.sqrt(x)),
]


@pytest.mark.parametrize("x", [1e-12, 1e-30, 1e-100])
@pytest.mark.parametrize(("f", "slope"), TINY)
def test_tiny_inputs_have_steps_of_their_size(
    f: Callable[[float], float], slope: Callable[[float], float], x: float
) -> None:
    """A step of 1/16 would see nothing of x² at 1e-30: neither 0 nor an error of 1 % may pass."""
    assert check_gradients(f, x, gradient=slope).verdict == Verdict.PASS
    for factor in (0.0, 1.01):
        wrong = check_gradients(f, x, gradient=lambda x, factor=factor: factor * slope(x), oracle="interval")
        assert wrong.verdict == Verdict.FAIL


def test_numbers_below_the_least_normal_one_are_rounded_more() -> None:
    """1e-320 has three digits: its gradient is not refuted by them."""
    report = check_gradients(lambda x: 1e-320 * math.sin(x), 1.0, gradient=lambda x: 1e-320 * math.cos(x))
    assert report.verdict == Verdict.WEAK


KINKED = [
    (ad.relu, (0.0,)),
    (abs, (0.0,)),
    (ad.maximum, (1.0, 1.0)),
    (lambda x: ad.maximum(x, x), (1.0,)),
    (lambda s, c: ad.hinge(s, c), (1.0, 0.0)),
    (ad.max, (np.array([2.0, 1.0, 2.0]),)),
    (lambda x: ad.relu(x - 1.0) + ad.relu(1.0 - x) * 3.0, (1.0,)),
    (lambda x: ad.relu(x) - ad.relu(-x), (0.0,)),
    (lambda x, y: ad.relu(x) - ad.relu(y) + abs(x - y), (0.0, 0.0)),
    (lambda x: ad.hard_tanh(x) * x, (np.array([-1.0, 0.0, 1.0]),)),
    (lambda x: ad.sign(x) * x, (0.0,)),
    (ad.sqrt, (0.0,)),
    (lambda x: ad.norm(x), (np.zeros(3),)),
    (lambda x: ad.clip(x, -1.0, 1.0), (np.array([1.0, -1.0, 5.0]),)),
    (lambda x: ad.relu(ad.sin(x * 1e3)), (np.array([0.0, 1e-9, 1.0]),)),
    (lambda x: ad.cos(x * 3.0) + x + 1e-6 * ad.relu(x), (0.0,)),
]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("f", "inputs"), KINKED)
def test_kinks_raise_no_alarm(f: Primitive | Callable[..., Any], inputs: tuple[Any, ...], seed: int) -> None:
    """relu at 0, ties, |x|, the hinge at its kink, sums of kinks whose conventions do not fit: none is a failure."""
    report = check_gradients(f, *inputs, seed=seed)
    assert not report.failed, report


# ---- wrong gradients: found, at their size ---------------------------------------------------------------------------


def wrong_by(
    factor: float, entry: tuple[int, int]
) -> tuple[Callable[[np.ndarray], float], Callable[[np.ndarray], np.ndarray]]:
    """The gradient of Σ sin(x)·k with one entry off."""
    k = np.arange(1.0, 13.0).reshape(3, 4)

    def gradient(x: np.ndarray) -> np.ndarray:
        slopes: np.ndarray = np.cos(x) * k
        slopes[entry] *= factor
        return slopes

    return lambda x: float(np.sum(np.sin(x) * k)), gradient


@pytest.mark.parametrize("size", SIZES)
def test_one_wrong_entry_is_named(size: float) -> None:
    """The argument, the index and the size of the error stand in the report; the other eleven entries pass."""
    f, gradient = wrong_by(1 + size, (1, 2))
    report = check_gradients(f, np.linspace(-1.0, 1.0, 12).reshape(3, 4), gradient=gradient)
    (failure,) = report.failures
    assert failure.place.index == (1, 2)
    assert failure.analytic / failure.numeric == pytest.approx(1 + size, rel=1e-8)
    assert report.counts == {Verdict.FAIL: 1, Verdict.PASS: 11}
    assert "fail: argument 1, x[1, 2] of shape (3, 4)" in str(report)


@pytest.mark.parametrize("size", [1.0, *SIZES[:3]])
def test_one_wrong_entry_of_a_thousand_is_found_by_halving(size: float) -> None:
    """Random directions see it, halving names it, and it costs far less than a thousand entries would."""
    right = np.linspace(0.5, 1.5, 1000)
    wrong = right.copy()
    wrong[517] *= 1 - size
    report = check_gradients(lambda x: float(right @ np.sin(x)), np.zeros(1000), gradient=lambda x: wrong * np.cos(x))
    (failure,) = report.failures
    assert failure.place.index == (517,)
    assert report.evaluations < 2000


def test_a_large_input_is_checked_by_directions_and_says_so() -> None:
    """A correct gradient of many entries passes along random directions; 0 directions ask for every entry."""
    w = np.random.default_rng(0).normal(size=(10, 10)) / 5
    report = check_gradients(lambda w: (w @ w).tanh(), w)
    assert report.counts == {Verdict.PASS: 4}
    assert "no failure found (4 random directions through 100 entries pass;" in str(report)
    report = check_gradients(lambda w: (w @ w).tanh(), w, directions=0)
    assert report.counts == {Verdict.PASS: 100}
    assert "no failure found (100 pass;" in str(report)


def test_ties_that_are_counted_twice() -> None:
    """(1, 1) for max(x, y) is valid in each entry, and wrong right next to the tie."""
    report = check_gradients(np.maximum, 1.0, 1.0, gradient=lambda x, y: (float(x >= y), float(y >= x)))
    assert report.verdict == Verdict.ISOLATED
    report = check_gradients(np.maximum, 1.0, 1.0, gradient=lambda x, y: (1.0, 1.0))
    assert report.verdict == Verdict.INVALID


@pytest.mark.parametrize("slope", [1.5, -0.25, math.inf])
def test_at_a_kink_a_slope_outside_of_both_sides_is_invalid(slope: float) -> None:
    """relu has the slopes 0 and 1 at 0; a constant slope beyond them is wrong nearby as well."""
    report = check_gradients(lambda x: max(x, 0.0), 0.0, gradient=lambda x: slope)
    assert report.failed


def test_nan_always_fails() -> None:
    """Also where the function itself is not defined on a side."""
    assert check_gradients(math.sqrt, 0.0, gradient=lambda x: math.nan).verdict == Verdict.FAIL
    assert check_gradients(math.sin, 0.0, gradient=lambda x: math.nan).verdict == Verdict.FAIL


def test_a_wrong_second_derivative(define: Callable[..., Primitive]) -> None:
    """A rule that is right in value and hides a factor from the second pass is found by order 2 only."""
    wrong = define(
        "detached_cube", lambda xp, x: x * x * x, [lambda g, z, x: g * (3.0 * x * ad.detach(x))]
    )
    assert check_gradients(wrong, 1.5)
    report = check_gradients(wrong, 1.5, order=2)
    assert [finding.order for finding in report.failures] == [2]


# ---- side effects ----------------------------------------------------------------------------------------------------


def test_a_function_that_writes_to_its_input() -> None:
    """The report says who wrote to what."""

    def f(x: np.ndarray) -> float:
        x *= 2.0
        return float(np.sum(x))

    report = check_gradients(f, np.ones(2), gradient=lambda x: np.full(2, 2.0))
    assert report.failed
    assert "f wrote to its input x: later results that use it are wrong" in str(report)


def test_a_pullback_that_writes_to_its_cotangent() -> None:
    """The same for the gradient function's cotangent."""

    def pull(g: Any, x: Any) -> Any:
        g *= 3.0
        return g

    report = check_gradients(lambda x: 3.0 * x, np.ones(2), vjp=pull)
    assert report.problems == ("the gradient function wrote to its cotangent",)


def test_functions_that_write_to_what_holds_their_inputs() -> None:
    """A list with another item, a dict with another key, a Value with other data."""

    def f(p: Any) -> Any:
        p[0] = p[0] * 2.0
        return p[0] * p[1]

    def g(p: Any) -> Any:
        p["rate"] = 2.0
        return p["x"] * 2.0

    def h(x: Value) -> Any:
        x.data = x.data * 2.0
        return x * x

    for problem, report in (
        ("f changed the list or dict that holds its inputs", check_gradients(f, [1.0, 2.0])),
        ("f changed the list or dict", check_gradients(g, {"x": 1.0}, gradient=lambda p: {"x": 2.0})),
        ("f wrote to its input x", check_gradients(h, 2.0)),
    ):
        assert report.failed
        assert "1 side effect;" in str(report)
        assert report.problems[0].startswith(problem)


def test_a_side_effect_is_not_blamed_on_the_graph() -> None:
    """All entries are right: the fault is what f writes, and no rule, sum or graph is accused."""

    def f(p: Any) -> Any:
        y = p["a"] * p["b"]
        p["a"] = y
        return y * y

    report = check_gradients(f, {"a": 2.0, "b": 3.0})
    assert report.counts == {Verdict.PASS: 2}
    assert report.failed
    assert not report.passed
    assert report.blame is None
    assert "FAILED (2 pass, 1 side effect;" in str(report)


def test_a_function_that_is_not_deterministic() -> None:
    """Two calls, two results, or one array with two contents: nothing else is asked."""
    random, kept = np.random.default_rng(0), np.zeros(2)

    def f(x: np.ndarray) -> np.ndarray:
        kept[:] = x * random.normal()
        return kept

    for report in (
        check_gradients(lambda x: x * random.normal(), 2.0),
        check_gradients(f, np.ones(2), vjp=lambda g, x: g),
    ):
        assert report.verdict == Verdict.RANDOM
        assert "gave two results for one input; fix the seed or remove the randomness" in report.findings[0].reason
        assert not report.problems


def test_an_error_of_the_function_comes_through() -> None:
    """What f raises away from the point is raised, but for what says that it is not defined there: that is told."""

    def broken(x: Any) -> Any:
        if x != 1.0:
            raise KeyError("weights")
        return x * x

    with pytest.raises(KeyError, match="weights") as caught:
        check_gradients(broken, 1.0)
    assert caught.traceback[-1].name == "broken"
    report = check_gradients(math.sqrt, 0.0, gradient=lambda x: 1.0)
    assert report.verdict == Verdict.UNDEFINED
    assert "f is not finite on one side of this point or both: it raises ValueError: " in str(report)


# ---- the report ------------------------------------------------------------------------------------------------------


def test_the_message_has_everything() -> None:
    """Verdict, place, both numbers with the bar, evaluations, tolerance and cotangent stand in one message."""
    text = str(check_gradients(math.sin, 0.5, gradient=lambda x: 0.9))
    for part in ("FAILED (1 fail;", "argument 1, x", "analytic   0.9\n", "numeric    0.8775825619 ±", "evaluations)",
                 "tolerance  ", "; the difference is ", " times that", "at x = 0.5\n"):  # fmt: skip
        assert part in text
    assert "cotangent" not in text  # the numbers are divided by it
    several = str(check_gradients(np.sin, np.ones(2), vjp=lambda g, x: g))
    assert "cotangent  [" in several
    assert "= [1.0, 1.0]\n" in several


def test_the_report_as_data() -> None:
    """It goes through JSON, and has the numbers in full."""
    data = json.loads(json.dumps(check_gradients(math.sin, 0.5, gradient=lambda x: 0.9).as_dict()))
    assert data["verdict"] == "fail"
    (finding,) = data["findings"]
    assert (finding["analytic"], finding["name"], finding["index"]) == (0.9, "x", [])
    assert (data["inputs"], data["seed"], data["entries"]) == ([{"name": "x", "value": 0.5}], 0, 1)
    assert (data["decided"], data["passed"]) == (True, False)


def test_the_curve_of_error_over_step() -> None:
    """A right derivative leaves a valley, a wrong one a plateau as high as its error."""
    right, wrong = (
        check_gradients(math.sin, 0.5, gradient=lambda x, part=part: math.cos(x) * part, curve=True)
        for part in (1.0, 1.01)
    )
    errors = [sorted(error for _, error in report.findings[0].curve) for report in (right, wrong)]
    assert errors[0][0] < 1e-9
    assert errors[1][len(errors[1]) // 2] == pytest.approx(0.01 * math.cos(0.5), rel=1e-3)  # off by h²/6
    steps = [step for step, _ in right.findings[0].curve]
    assert steps == sorted(steps, reverse=True)
    assert "error of the plain central difference at each step:\n" in str(right)
    assert "█" in str(wrong)
    assert wrong.as_dict()["findings"][0]["curve"][0][0] == 0.5


def test_how_a_test_uses_it() -> None:
    """A report is true unless a fault was found, and raises an AssertionError on demand."""
    assert check_gradients(math.sin, 0.5, gradient=math.cos).raise_if_failed().decided
    report = check_gradients(math.sin, 0.5, gradient=math.sin)
    assert not report
    with pytest.raises(GradientError) as caught:
        report.raise_if_failed()
    assert isinstance(caught.value, AssertionError)
    assert caught.value.report is report
    assert str(caught.value) == str(report)


def test_a_gradient_that_is_all_rounding_is_not_decided() -> None:
    """c·(−1 − 4 + 5)/8 is 0 at every x, and its gradient what rounding leaves; a leak where f is constant does fail."""

    def f(x: Any) -> Any:
        c = ad.cos(ad.cos(ad.cos(x)))
        return c * -0.125 + c * -0.5 + ad.cos(ad.cos(ad.cos(x))) * 0.625

    assert not any(check_gradients(f, x, oracle="interval").failed for x in np.linspace(0.5, 3.0, 20).tolist())
    assert check_gradients(lambda x: max(x, 0.0), -1.0, gradient=lambda x: 1e-9).verdict == Verdict.FAIL


def test_what_is_not_decided_is_no_pass() -> None:
    """A jump is no failure, and the report does not call it decided."""
    report = check_gradients(ad.sign, 0.0)
    assert report
    assert not report.decided
    assert report.counts == {Verdict.JUMP: 1}
    assert not report.passed
    assert "no failure found, but some entries are undecided (1 jump;" in str(report)
    assert report.raise_if_failed() is report
    with pytest.raises(GradientError, match="1 jump"):
        report.raise_unless_passed()
    passed = check_gradients(ad.sin, 0.5)
    assert passed.passed
    assert passed.raise_unless_passed() is passed


@pytest.mark.parametrize(
    ("made", "verdict", "reason"),
    [
        (lambda: check_gradients(ad.sqrt, 0.0), Verdict.UNDEFINED, "f is not finite on one side"),
        (lambda: check_gradients(lambda x: 1e12 + ad.sin(x), 1.0, oracle="interval"), Verdict.WEAK, "rounding inside"),
        (lambda: check_gradients(lambda x: 1e20 + x, 1.0, oracle="interval"), Verdict.WEAK, "rounding inside"),
        (lambda: check_gradients(math.exp, 1.0, gradient=math.exp, oracle="dual"), Verdict.NOT_ASKED, "does not apply"),
    ],
)
def test_what_is_not_decided_has_a_reason(made: Callable[[], Report], verdict: Verdict, reason: str) -> None:
    """Too uncertain, not asked: each says why, and none passes."""
    report = made()
    assert report.verdict == verdict
    for finding in report.findings:
        assert reason in finding.reason
    assert not report.passed


# ---- bad input -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda: check_gradients(3.0, 1.0),  # type: ignore[arg-type]
         TypeError, "f must be a function, and got 3.0"),
        (lambda: check_gradients(abs, 1.0, gradient=2.0),  # type: ignore[arg-type]
         TypeError, "gradient must be a function, and got 2.0"),
        (lambda: check_gradients(abs, 1.0, gradient=abs, vjp=abs), TypeError, "either gradient or vjp, and got both"),
        (lambda: check_gradients(abs), TypeError, "check_gradients needs a point; pass it after"),
        (lambda: check_gradients(ad.sum, np.zeros(0)), ValueError,
         "check_gradients needs inputs that hold at least one number, and got only empty arrays"),
        (lambda: check_gradients(abs, "1"), TypeError, "and x is '1' (str); pass other arguments inside"),
        *(
            (lambda x=x: check_gradients(ad.sum, x), TypeError, f"numbers or arrays of real numbers, and x0 is {told}")
            for x, told in (
                (True, "True (bool)"), (1j, "1j (complex)"), (None, "None (NoneType)"), ({1.0}, "{1.0} (set)"),
                (np.array([1j]), "array of shape (1,) and type complex128"),
                (np.array([1.0, None]), "array of shape (2,) and type object"),
            )
        ),
        (lambda: check_gradients(abs, 10**400), ValueError, "check_gradients must be finite, and x is 1000000"),
        (lambda: check_gradients(abs, math.nan), ValueError, "check_gradients must be finite, and x is nan (float)"),
        (lambda: check_gradients(ad.log, 0.0), ValueError,
         "f must be finite where its gradient is checked, and returned -inf"),
        (lambda: check_gradients(lambda x: "y", 1.0), TypeError, "and returned 'y' (str)"),
        (lambda: check_gradients(lambda x: 1j, 1.0, gradient=abs), TypeError, "and returned 1j (complex)"),
        (lambda: check_gradients(lambda x: x > 2.0, 1.0), TypeError, "and returned False (bool)"),
        (lambda: check_gradients(lambda x: None, 1.0), TypeError, "and returned None (NoneType)"),
        (lambda: check_gradients(lambda x: None, 1.0, gradient=abs), TypeError, "and returned None (NoneType)"),
        (lambda: check_gradients(lambda x: [], 1.0), ValueError, "f must return at least one number, and returned arr"),
        (lambda: check_gradients(lambda x: x[:0], np.ones(2)), ValueError, "and returned arrays of shapes [(0,)]"),
        (lambda: check_gradients(lambda x: {}, 1.0, gradient=abs), ValueError,
         "f must return at least one number, and returned arrays of shapes []"),
        (
            lambda: check_gradients(lambda x: [x] * (1 + (x > 1.0)), 1.0), ValueError,
            "f must return results of the same shapes at every point, and returned [(), ()] after [()]",
        ),
        (
            lambda: check_gradients(lambda x: np.full(1 + (x > 1.0), x), 1.0, vjp=lambda g, x: np.sum(g)), ValueError,
            "results of the same shapes at every point, and returned [(2,)] after [(1,)]",
        ),
        (
            lambda: check_gradients(lambda x, calls=[0]: [x] * len(calls.append(0) or calls), 1.0), ValueError,
            "and returned [(), (), ()] after [(), ()]",
        ),
        (
            lambda: check_gradients(lambda x: x * x, np.array(2.0), gradient=lambda x: np.array([2 * x])), ValueError,
            "the gradient of x must have shape (), and has (1,)",
        ),
        (
            lambda: check_gradients(lambda x: float(x[0]), np.ones(1), gradient=lambda x: 1.0), ValueError,
            "the gradient of x must have shape (1,), and has ()",
        ),
        *(
            (lambda g=g: check_gradients(abs, 1.0, gradient=lambda x: g), TypeError,
             f"the gradient of x must be real numbers, and is {told}")
            for g, told in (("2", "'2' (str)"), (2j, "2j (complex)"), (True, "True (bool)"), ((1.0, 2.0), "(1.0, 2.0)"))
        ),
        *(
            (lambda seed=seed: check_gradients(abs, 1.0, seed=seed), ValueError,
             f"seed must be a whole number of at least 0, and got {seed!r}")
            for seed in (-1, 0.5, "x", None, True)
        ),
        (
            lambda: check_gradients(abs, 1.0, order=2, oracle="dual"), ValueError,
            "order 2 needs the oracle \"auto\" or \"interval\", which take differences, and got 'dual'",
        ),
        (lambda: check_gradients(abs, 1.0, order=3), ValueError, "order must be 1 or 2, and got 3"),
        (lambda: check_gradients(abs, 1.0, oracle="x"), ValueError, "unknown oracle 'x' (must be one of auto, exact"),
        (lambda: check_gradients(abs, 1.0, directions=-1), ValueError,
         "directions must be None, 0 for every entry, or the number of random directions, and got -1"),
        (
            lambda: check_gradients(np.sum, np.ones(2), gradient=lambda x: np.ones(3)),
            ValueError, "the gradient of a must have shape (2,), and has (3,)",
        ),
        (
            lambda: check_gradients(np.sin, np.ones(2), gradient=np.cos),
            ValueError, "gradient= needs a function that returns one number, and f returned more; pass vjp=",
        ),
        (
            lambda: check_gradients(lambda x, y: x * y, 1.0, 2.0, gradient=lambda x, y: y),
            ValueError, "the result of the gradient function must have the structure of [1.0, 2.0], of length 2",
        ),
        (lambda: check_gradients(abs, 1.0, order=2, gradient=lambda x: 1.0), ValueError, "and got a pair; check"),
    ],
)  # fmt: skip
def test_bad_input(call: Callable[[], Any], kind: type[Exception], words: str) -> None:
    """One sentence that says what was asked and what came."""
    with pytest.raises(kind) as caught:
        call()
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_entry_that_is_wrong_at_this_point_only_does_not_pass() -> None:
    """Conventions that do not fit together: no rule is to blame, and yet an ``assert`` does not hold."""
    report = check_gradients(lambda x: ad.relu(x) - ad.relu(-x), 0.0)
    assert not report
    assert not report.failed
    assert "WRONG at this very point (1 isolated;" in str(report)
    with pytest.raises(AssertionError, match="analytic   0\n    numeric    1 ±"):
        report.raise_if_failed()


def test_at_order_2_the_numbers_are_those_of_an_entry_of_the_hessian() -> None:
    """‖x‖² at 0: the Hessian is 2·I by differences, and nan where ‖x‖ has no second derivative."""
    report = check_gradients(lambda x: ad.norm(x) ** 2, np.zeros(2), order=2)
    assert not report
    found: list[Any] = [(str(each.place), each.row, each.numeric) for each in report.failures]
    assert found == [
        ("x[0] of shape (2,)", "x[0]", pytest.approx(2.0)),
        ("x[1] of shape (2,)", "x[0]", pytest.approx(0.0, abs=1e-9)),
    ]
    blame = present(report.blame)
    assert blame.sentence.startswith("norm has no second derivative here")
