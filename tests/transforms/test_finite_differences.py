"""Numerical derivatives: right within their stated error, and an infinite error where there is no derivative."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import mpmath
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autodiff.transforms.finite_differences import NumericalDerivative, numerical_derivative


@pytest.mark.parametrize(
    ("f", "x", "exact"),
    [
        (math.sin, 0.3, math.cos(0.3)),
        (math.exp, 5.0, math.exp(5.0)),
        (math.tanh, 1000.0, 0.0),
        (lambda x: x**3, 2.0, 12.0),
        (lambda x: 5.0, 1.0, 0.0),
        (lambda x: x * x, 0.0, 0.0),
        (lambda x: math.sin(50 * x), 0.7, 50 * math.cos(35.0)),
        (lambda x: 1e10 + x, 0.0, 1.0),
        (lambda x: x * 1e300, 1.0, 1e300),
        (lambda x: x, 1e300, 1.0),
        (lambda x: math.log(x) if x > 0 else math.nan, 0.001, 1000.0),
        (lambda x: max(x, 0.0), 1e-6, 1.0),
    ],
)
def test_the_exact_derivative_lies_within_the_stated_error(f: Callable[[float], float], x: float, exact: float) -> None:
    """Smooth functions, large and small scales, a domain that ends nearby and a kink nearby."""
    found = numerical_derivative(f, x)
    assert abs(found.value - exact) <= found.error
    assert found.agrees(exact)


@given(st.floats(-3.0, 3.0), st.lists(st.floats(-2.0, 2.0), min_size=1, max_size=5))
def test_a_polynomial_and_its_sine_agree_with_mpmath(x: float, coefficients: list[float]) -> None:
    """Four error bars hold the exact derivative, computed with 30 digits."""

    def f(t: float) -> float:
        return math.sin(sum(c * t**k for k, c in enumerate(coefficients)))

    with mpmath.workdps(30):
        inner = mpmath.fsum(mpmath.mpf(c) * mpmath.mpf(x) ** k for k, c in enumerate(coefficients))
        outer = mpmath.fsum(k * mpmath.mpf(c) * mpmath.mpf(x) ** (k - 1) for k, c in enumerate(coefficients) if k)
        exact = float(mpmath.cos(inner) * outer)
    found = numerical_derivative(f, x)
    assert abs(found.value - exact) <= 4 * found.error + 1e-13


def test_at_a_kink_every_slope_between_the_one_sided_ones_agrees() -> None:
    """relu at 0 has the slopes 0 and 1: the error reaches both, and no further than four times itself."""
    found = numerical_derivative(lambda x: max(x, 0.0), 0.0)
    assert found.value == 0.5
    assert found.error == pytest.approx(0.5)
    assert all(found.agrees(slope) for slope in (0.0, 0.5, 1.0))
    assert not found.agrees(2.6)


def test_a_kink_far_from_zero_is_seen() -> None:
    """The steps grow with x, or x ± h would be x itself: |x − 2²⁰| has the slopes −1 and 1 at 2²⁰."""
    found = numerical_derivative(lambda x: abs(x - 2.0**20), 2.0**20)
    assert found.value == 0.0
    assert found.error == pytest.approx(1.0)
    assert all(found.agrees(slope) for slope in (-1.0, 0.0, 1.0))


def test_an_exact_zero_agrees_with_zero_alone() -> None:
    """An error of 0 at the derivative 0 leaves room for no other number."""
    exact = NumericalDerivative(0.0, 0.0, 7)
    assert exact.agrees(0.0)
    assert not exact.agrees(math.nextafter(0.0, 1.0))


def test_a_wrong_gradient_does_not_agree() -> None:
    """A gradient that is off by one part in a thousand, has the other sign, is zero or nan is refused."""
    found = numerical_derivative(math.sin, 0.3)
    right = math.cos(0.3)
    for wrong in (right * 1.001, -right, 0.0, math.nan, math.inf):
        assert not found.agrees(wrong)


@pytest.mark.parametrize("x", [0.0, 1.0])
@pytest.mark.parametrize(
    "f", [lambda h: float(h > 0), lambda h: math.nan, lambda h: math.sqrt(h) if h >= 0 else math.nan]
)
def test_nothing_agrees_where_there_is_no_derivative(f: Callable[[float], float], x: float) -> None:
    """A jump, a function that is not defined, and one that is defined on one side only: the error is infinite."""
    found = numerical_derivative(lambda t: f(t - x), x)
    assert found.error == math.inf
    assert not found.agrees(found.value)


def test_it_says_what_it_cost_and_shows_value_and_error() -> None:
    """Every evaluation is counted; the text has both numbers."""
    calls = []

    def f(x: float) -> float:
        calls.append(x)
        return x * x

    found = numerical_derivative(f, 3.0)
    assert found.evaluations == len(calls)
    assert str(NumericalDerivative(-0.12911, 2.04e-12, 20)) == "−0.1291 ± 2e−12"


@pytest.mark.parametrize(
    ("f", "x", "kind", "message"),
    [
        (3.0, 1.0, TypeError, "a numerical derivative needs a function, and got 3.0"),
        (math.sin, "1", TypeError, "a numerical derivative needs a number x, and got '1' (str)"),
        (math.sin, True, TypeError, "a numerical derivative needs a number x, and got True (bool)"),
        (math.sin, math.inf, ValueError, "a numerical derivative needs a finite x, and got inf"),
    ],
)
def test_what_it_refuses(f: Any, x: Any, kind: type[Exception], message: str) -> None:
    """One sentence for what is not a function, not a number or not finite."""
    with pytest.raises(kind) as caught:
        numerical_derivative(f, x)
    assert str(caught.value) == message


@pytest.mark.parametrize("x", [1e308, -1.7e308])
def test_at_the_end_of_the_floats(x: float) -> None:
    """A step cannot be larger than the largest power of two; the slope of x/4 is found all the same."""
    assert numerical_derivative(lambda t: t / 4, x).agrees(0.25)
