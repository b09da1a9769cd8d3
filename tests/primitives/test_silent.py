"""Correct results cause no warnings: NumPy reports overflow and invalid operations only if a result is inf or nan."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pytest

import autodiff as ad
from autodiff import Tensor, Value, gradients
from tests.support.cases import each

CALLS = [
    pytest.param(entry, dict(example.params), id=f"{entry.name} {dict(example.params) or ''}")
    for entry in ad.TABLE.values()
    if entry.elementwise and entry.arity and entry.forward.__module__.startswith("autodiff.")
    for example in entry.examples or [ad.Example(((),))]
    if not any(map(np.ndim, example.params.values()))
]


def extremes(kind: type[np.floating[Any]]) -> list[float]:
    """Both signs of 0, the ends of a type's range, its root, and where exponentials over- and underflow."""
    limits = np.finfo(kind)
    largest = float(limits.max)
    sizes = [0.0, float(limits.smallest_subnormal), float(limits.tiny), 0.3, 1.0, 5.0, 40.0, 90.0, 400.0, 720.0]
    return [sign * x for x in (*sizes, 1e10, 2 * largest**0.5, largest / 1.5, largest) for sign in (1, -1)]


def stages(f: Callable[..., Any], leaves: Sequence[Any]) -> list[Any]:
    """Forward, backward, a graph of gradients and a pass through it: each may use the result of the one before."""

    def seed(node: Any) -> Any:
        return None if node.scalar else np.ones_like(node.data)

    def twice(slopes: Sequence[Any]) -> list[Any]:
        bent = [slope for slope in slopes if isinstance(slope, ad.Node) and slope.inputs]
        return [h for slope in bent for h in gradients(slope, leaves, seed=seed(slope))]

    return [
        lambda _: f(*leaves),
        lambda y: (y, gradients(y, leaves, seed=seed(y))),
        lambda found: gradients(found[0], leaves, seed=seed(found[0]), create_graph=True),
        twice,
    ]


def parts(found: Any) -> list[Any]:
    """The arrays and numbers in the result of a stage."""
    if isinstance(found, list | tuple):
        return [number for item in found for number in parts(item)]
    return [] if found is None else [found.data if isinstance(found, ad.Node) else found]


def reports(f: Callable[..., Any], leaves: Sequence[Any]) -> Iterator[tuple[list[str], list[Any]]]:
    """For every stage, the warnings that NumPy would issue, and the places where each result is finite."""
    found: Any = None
    for stage in stages(f, leaves):
        told: list[str] = []
        # Underflow is silent by NumPy's default, and right.
        with np.errstate(all="call", under="ignore", call=lambda kind, _, told=told: told.append(kind)):
            found = stage(found)
        yield told, [np.isfinite(part) for part in parts(found)]


def assert_silent(f: Callable[..., Any], leaves: Sequence[Any]) -> None:
    """A stage whose result is finite warns of nothing."""
    for told, finite in reports(f, leaves):
        assert not told or not all(map(np.all, finite)), (told, leaves)


def assert_silent_together(f: Callable[..., Any], columns: Sequence[Any]) -> None:
    """The same for a stage of an elementwise function, at the numbers for which its results are finite."""
    runs: dict[bytes, Any] = {}  # by the numbers kept, often the same for the next stage, which goes on from there
    for k, (_, finite) in enumerate(reports(f, list(map(Tensor, columns)))):
        there = np.all(np.broadcast_arrays(np.full(columns[0].shape, True), *finite), axis=0)
        kept = [Tensor(column[there]) for column in columns]
        run = runs.setdefault(there.tobytes(), enumerate(reports(f, kept)))
        told = next(told for stage, (told, _) in run if stage == k)
        assert not told, (told, kept)


def far_out(entry: ad.Primitive, kind: Any) -> list[tuple[float, ...]]:
    """28 numbers or all pairs of them."""
    dtype: Any = float if kind is Value else kind
    points = itertools.product(extremes(dtype), repeat=entry.arity or 1)
    if entry.name != "hinge":
        return list(points)
    # NumPy says that the difference of far scores is no number; max(−inf, 0) is right all the same.
    return [point for point in points if sum(map(abs, point)) <= float(np.finfo(dtype).max)]


@pytest.mark.parametrize(("entry", "params"), CALLS)
@each("kind", [float, np.float32, Value])
def test_elementwise_primitives_are_silent_far_out(entry: ad.Primitive, params: dict[str, Any], kind: Any) -> None:
    """Forward, backward and second order; each alone, but of the pairs in Tensors one in five."""
    points = far_out(entry, kind)
    for point in points if kind is Value or entry.arity == 1 else points[::5]:
        leaves = [Value(x) if kind is Value else Tensor(np.array([x], kind)) for x in point]
        assert_silent(lambda *x: entry(*x, **params), leaves)


@pytest.mark.parametrize(("entry", "params"), CALLS)
@each("kind", [float, np.float32])
def test_elementwise_primitives_are_silent_on_rows(entry: ad.Primitive, params: dict[str, Any], kind: Any) -> None:
    """In Tensors of several numbers; of the pairs, all that have the same first number."""
    for _, row in itertools.groupby(far_out(entry, kind), key=lambda point: point[:-1]):
        assert_silent_together(lambda *x: entry(*x, **params), list(np.array(list(row), kind).T))


LARGEST = np.finfo(float).max
ROWS = ([0.0, 1000.0, -1000.0], [1e15, 1e15 + 1.0], [1e300, -1e300], [-LARGEST, LARGEST], [5e-324, 0.0])


@pytest.mark.parametrize("row", ROWS, ids=str)
@pytest.mark.parametrize("name", ["softmax", "log_softmax", "logsumexp", "norm", "max", "min", "prod", "sum", "mean"])
def test_reductions_are_silent_far_out(name: str, row: list[float]) -> None:
    """Also where an element is so far below the largest that its exponential vanishes."""
    assert_silent(getattr(ad, name), [Tensor(row)])
