"""Every elementwise function and its derivatives are right to 14 digits over the whole range of float64, 6 in float32.

The exact values are mpmath's (`tests.support.exact_functions`). An error is relative to the exact value; below the
smallest normal number, where digits are lost, to that number; the few other exceptions stand beside the functions.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import settings

import autodiff as ad
from autodiff import Tensor, Value, gradients
from tests.support.exact_functions import BINARY, UNARY, Pair, Single, m
from tests.support.strategies import PRIMITIVES

LARGEST, SMALLEST = np.finfo(float).max, np.finfo(float).tiny

#: Roots, poles, and where exponentials, squares and products of the functions over- and underflow or round to 1.
PLACES = (
    0.5, 0.7517915, 1.0, math.sqrt(1 / 3), math.sqrt(2), 2.0, 2.06, 3.0, 5.0, math.pi / 2, math.pi, 1.5 * math.pi,
    100 * math.pi, 18.7, 19.06, 26.5, 27.2, 36.7, 37.0, 38.4, 38.6, 40.0, 88.0, 103.9, 350.0, 372.5, 400.0, 700.0,
    708.4, 709.78, 710.4, 745.1, 1e8, 1.3e154, 1e160, LARGEST / 2,
)  # fmt: skip
EDGES = (5e-324, 1e-320, 1e-310, SMALLEST, LARGEST)


def numbers() -> list[float]:
    """Both signs of 80 magnitudes over the whole range, and numbers around each special place."""
    apart = [*10.0 ** np.arange(-305, 309, 15), *np.geomspace(1e-3, 1e3, 39)]
    around = [y for x in PLACES for y in (x, math.nextafter(x, 0.0), math.nextafter(x, math.inf), 1.00001 * x)]
    return [sign * float(x) for x in sorted({*apart, *around, *EDGES}) for sign in (1, -1)]


NUMBERS = numbers()
#: The profile `thorough`. Otherwise Tensors of one element get a third of the numbers, since they take most of the time
#: here and run the same code of NumPy as the large Tensor, which gets all; which third differs from name to name.
MANY = settings().max_examples > 500
SINGLES = [pytest.param(name, case, id=f"{name} {dict(case.params) or ''}") for name in UNARY for case in UNARY[name]]
PAIRS = [pytest.param(name, case, id=f"{name} {dict(case.params) or ''}") for name in BINARY for case in BINARY[name]]


def test_every_elementwise_primitive_is_here() -> None:
    """A new entry of the table is measured automatically."""
    own = {name for name, entry in ad.TABLE.items() if entry.built_in}
    elementwise = {name for name in own if ad.TABLE[name].elementwise}
    apart = {"weighted_sum", "by_convention"}  # sums of products, which round as they cancel; what moves a slope on
    assert {*UNARY, *BINARY} == elementwise - apart


@cache
def exact_values(name: str, k: int, single: bool) -> tuple[Any, ...]:
    """The numbers at which a function is smooth, and for orders 0, 1 and 2 what `errors_of` asks for."""
    case = UNARY[name][k]
    where = [x for x in NUMBERS if case.inside(x)]
    if single:
        where = sorted({float(np.float32(x)) for x in where if 2e-45 < abs(x) < 3.4e38})
        where = [x for x in where if case.inside(x)]
    points = [m.mpf(x) for x in where]
    exact = [[m.mpf(f(x)) for x in points] for f in (case.f, case.first, case.second)]
    scales = [
        [m.mpf(case.sizes[order](x)) if order in case.sizes else abs(y) for x, y in zip(points, row, strict=True)]
        for order, row in enumerate(exact)
    ]
    return where, [(*row, halves(*row)) for row in zip(exact, scales, strict=True)]


def error(found: float, exact: Any, scale: Any, order: int, limits: Any) -> float:
    """The error in units of the scale; an infinity is right if the exact value, or one of its factors, overflows."""
    if math.isfinite(found):
        return float(abs(m.mpf(found) - exact) / max(scale, m.mpf(float(limits.tiny))))
    overflows = abs(exact) > m.mpf(float(limits.max)) / (16 if order else 1.0 + 1e-14)
    return 0.0 if overflows and not math.isnan(found) and (found > 0) == (exact > 0) else math.inf


#: Errors below this are measured in floats, where they are right to 2⁻⁵²; mpmath is asked about all others.
CLEAR = {float: 5e-15, np.float32: 1e-6}


def halves(exact: list[Any], scales: list[Any]) -> tuple[Any, Any, Any]:
    """Exact values as sums of a high and a low float, and their scales, nan where one is larger than any float."""
    high = np.array([float(y) for y in exact])
    low = np.array([float(y - m.mpf(x)) for x, y in zip(high.tolist(), exact, strict=True)])
    sizes = np.array([float(scale) for scale in scales])
    return high, low, np.where(np.isfinite(sizes), sizes, np.nan)


def errors_of(found: list[float], exact: tuple[list[Any], list[Any], Any], order: int, kind: Any) -> Any:
    """The `error` of each number of a row: of exact values, their scales, and the `halves` of both."""
    values, scales, (high, low, sizes) = exact
    limits = np.finfo(kind)
    with np.errstate(all="ignore"):
        errors = np.abs((np.array(found) - high) - low) / np.maximum(sizes, float(limits.tiny))
    for k in np.flatnonzero(~(errors <= CLEAR[kind])).tolist():
        errors[k] = error(found[k], values[k], scales[k], order, limits)
    return errors


def derivatives(leaf: Any, f: Callable[[Any], Any]) -> Iterator[tuple[int, Any]]:
    """Value, slope by a plain pass and by one that makes a graph, and second slope, each with its order."""
    seed = None if leaf.__class__ is Value else np.ones_like(leaf.data)
    y = f(leaf)
    yield 0, y.data
    yield 1, gradients(y, leaf, seed=seed)
    slope = gradients(y, leaf, seed=seed, create_graph=True)
    yield 1, slope.data if isinstance(slope, ad.Node) else slope
    bends = isinstance(slope, ad.Node) and leaf in set(ad.topological(slope))
    yield 2, gradients(slope, leaf, seed=seed) if bends else 0.0 * leaf.data


def as_values(f: Callable[[Any], Any], where: list[float]) -> list[tuple[int, Any]]:
    """One Value after the other."""
    runs = [list(derivatives(Value(x), f)) for x in where]
    return [(column[0][0], [float(found) for _, found in column]) for column in zip(*runs, strict=True)]


def as_small_tensors(f: Callable[[Any], Any], where: list[float]) -> list[tuple[int, Any]]:
    """One Tensor per element, so that no element affects how another is computed."""
    runs = [list(derivatives(Tensor(np.array([x])), f)) for x in where]
    return [(column[0][0], [float(np.ravel(found)[0]) for _, found in column]) for column in zip(*runs, strict=True)]


def as_large_tensor(f: Callable[[Any], Any], where: list[float], kind: Any = float) -> list[tuple[int, Any]]:
    """All in one Tensor of some thousand elements."""
    leaf = Tensor(np.tile(np.array(where, kind), (8, 1)).T)
    return [(order, np.asarray(found, float)[:, 3].tolist()) for order, found in derivatives(leaf, f)]


def worst(name: str, case: Single, record: Callable[..., Any], single: bool = False) -> dict[int, float]:
    """The largest error of each order."""
    where, exact = exact_values(name, UNARY[name].index(case), single)
    if record is as_small_tensors and not MANY:
        some = slice(len(name) % 3, None, 3)
        where = where[some]
        exact = [(row[some], scales[some], tuple(part[some] for part in parts)) for row, scales, parts in exact]
    kind = np.float32 if single else float
    errors: dict[int, float] = {}
    with np.errstate(all="ignore"):
        found = record(lambda x: ad.TABLE[name](x, **case.params), where)
    for order, row in found:
        errors[order] = max(errors.get(order, 0.0), float(np.max(errors_of(row, exact[order], order, kind))))
    return errors


@pytest.mark.parametrize("record", [as_values, as_small_tensors, as_large_tensor])
@pytest.mark.parametrize(("name", "case"), SINGLES)
def test_fourteen_digits(name: str, case: Single, record: Callable[..., Any]) -> None:
    """Value, first and second derivative, by plain passes and by graphs of gradients."""
    errors = worst(name, case, record)
    assert max(errors.values()) <= 1e-14, errors


@pytest.mark.parametrize(("name", "case"), SINGLES)
def test_six_digits_in_float32(name: str, case: Single) -> None:
    """The same in float32, for numbers that float32 can represent."""
    errors = worst(name, case, lambda f, where: as_large_tensor(f, where, np.float32), single=True)
    assert max(errors.values()) <= 2e-6, errors


SOME = [x for x in NUMBERS[::13] if x] + [1.0, -1.0, 0.5, 3.0]


def slopes_of_pairs(name: str, case: Pair, kind: type, pairs: list[tuple[float, float]]) -> list[Any]:
    """For each of z, ∂z/∂x and ∂z/∂y the numbers found at all pairs."""
    if kind is Tensor:
        leaves = [Tensor(np.array(column)) for column in zip(*pairs, strict=True)]
        z = ad.TABLE[name](*leaves, **case.params)
        return [z.data, *gradients(z, leaves, seed=np.ones(len(pairs)))]
    rows = []
    for pair in pairs:
        values = [Value(x) for x in pair]
        z = ad.TABLE[name](*values, **case.params)
        rows.append((z.data, *gradients(z, values)))
    return list(zip(*rows, strict=True))


def pairs_of(case: Pair) -> list[tuple[float, float]]:
    """The pairs of magnitudes at which a function is smooth."""
    return [(x, y) for x in SOME for y in SOME if case.inside(x, y)]


@cache
def exact_of_pairs(name: str, number: int, k: int) -> tuple[list[Any], list[Any], Any]:
    """Of z, ∂z/∂x or ∂z/∂y what `errors_of` asks for at each pair, for Values and Tensors alike."""
    case = BINARY[name][number]
    points = [[m.mpf(x) for x in pair] for pair in pairs_of(case)]
    exact = [m.mpf((case.f, *case.partials)[k](*point)) for point in points]
    scales = [m.mpf(case.sizes[k](*point)) for point in points] if k in case.sizes else list(map(abs, exact))
    return exact, scales, halves(exact, scales)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [Value, Tensor])
@pytest.mark.parametrize(("name", "case"), PAIRS)
def test_fourteen_digits_of_two_numbers(name: str, case: Pair, kind: type) -> None:
    """Value and both derivatives, over pairs of magnitudes."""
    pairs = pairs_of(case)
    with np.errstate(all="ignore"):
        found = slopes_of_pairs(name, case, kind, pairs)
    for k, row in enumerate(found):
        exact = exact_of_pairs(name, BINARY[name].index(case), k)
        errors = errors_of([float(number) for number in row], exact, k, float)
        assert np.max(errors) <= 1e-14, pairs[int(np.argmax(errors))]


ROWS = (
    [1e15, 1e15 + 1.0], [700.0, 700.3], [-745.0, 0.0, 1.0], [0.0, -40.0], [1e-300, 0.0], [-1e308, 1e308], [3.0],
    [710.0, 710.0, -710.0], [0.1, 0.2, 0.3, 0.4],
)  # fmt: skip


def exact_shares(row: list[float]) -> list[Any]:
    """eˣ/Σ eˣ, computed from exact differences."""
    top = max(row)
    powers = [m.exp(m.mpf(x) - m.mpf(top)) for x in row]
    return [power / m.fsum(powers) for power in powers]


def assert_digits(found: Any, exact: list[Any]) -> None:
    """Each number right to 14 digits; an element a million times smaller than its neighbour too."""
    errors = [error(float(x), y, abs(y), 0, np.finfo(float)) for x, y in zip(np.ravel(found), exact, strict=True)]
    assert max(errors) <= 1e-14, (found, exact)


@pytest.mark.parametrize("row", ROWS, ids=str)
@pytest.mark.parametrize("kind", [Value, Tensor])
def test_softmax_where_its_logarithm_rounds(kind: type, row: list[float]) -> None:
    """softmax, its logarithm, and the gradient of ln Σ eˣ: x − ln Σ eˣ has no digits left at 10¹⁵."""
    leaf = Tensor(row) if kind is Tensor else np.array([Value(x) for x in row])
    shares = exact_shares(row)
    with np.errstate(over="ignore"):  # −2·10³⁰⁸ is −inf
        logarithms = ad.log_softmax(leaf)
    total = ad.logsumexp(leaf)
    slopes = gradients(total, leaf if kind is Tensor else list(leaf))
    data = [np.array([getattr(x, "data", x) for x in np.ravel(each)], float) for each in (ad.softmax(leaf), logarithms)]
    assert_digits(data[0], shares)
    assert_digits(slopes, shares)
    largest = shares.index(max(shares))
    others = m.fsum(share for k, share in enumerate(shares) if k != largest)
    top = m.log1p(-others)
    exact = [top + (m.mpf(x) - m.mpf(row[largest])) for x in row]
    assert_digits(data[1], exact)


def test_gradient_of_a_product_that_underflows() -> None:
    """The product is 0 as 1e-400 is none, its derivatives by each factor are the other one."""
    for row in ([1e-200, 3e-200], [1e200, -3e200], [3e-160, 2.0, 1e-170]):
        x, values = Tensor(row), [Value(number) for number in row]
        exact = [m.fprod(m.mpf(y) for j, y in enumerate(row) if j != k) for k in range(len(row))]
        with np.errstate(over="ignore"):
            assert_digits(gradients(ad.prod(x), x), exact)
            assert_digits(gradients(ad.prod(np.array(values)), values), exact)


#: Ordinary and extreme numbers, and arrays of any size.
IN_FLOAT32: tuple[list[float], ...] = (
    [0.3, 0.7], [-200.0, 0.3], [200.0, 1.0], [-1e38, 1e38], [math.inf, -math.inf], [0.3, math.nan], [], [0.5] * 5000,
)  # fmt: skip


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("entry", [e for e in PRIMITIVES if e.elementwise and e.arity == 1], ids=lambda e: e.name)
def test_float32_stays_float32(entry: ad.Primitive) -> None:
    """Values, gradients, and gradients that are nodes."""
    for given in IN_FLOAT32:
        leaf, seed = Tensor(np.array(given, np.float32)), np.ones(len(given), np.float32)
        result = entry(leaf, **(entry.examples[0].params if entry.examples else {}))
        result.backward(seed)
        node = gradients(result, leaf, seed=seed, create_graph=True)
        kinds = [each.dtype for each in (result.data, leaf.grad, gradients(result, leaf, seed=seed), node.data)]
        assert kinds == [np.float32] * 4, given
