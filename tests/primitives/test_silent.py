"""Nothing warns that is right: NumPy reports overflow and invalid operations only where a result is inf or nan."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

import autodiff as ad
from autodiff import Tensor, Value, gradients

LOUD = {"over": "raise", "invalid": "raise", "divide": "raise"}  # underflow is silent by NumPy's default, and right
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
    """Forward, backward, a graph of gradients and a pass through that: each may ask for what the one before gave."""

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
    """The arrays and numbers in what a stage gave."""
    if isinstance(found, list | tuple):
        return [number for item in found for number in parts(item)]
    return [] if found is None else [found.data if isinstance(found, ad.Node) else found]


def assert_silent(f: Callable[..., Any], leaves: Sequence[Any]) -> None:
    """A stage whose result is finite does not raise under ``LOUD``."""
    found: Any = None
    for stage in stages(f, leaves):
        given = found
        with np.errstate(all="ignore"):
            found = stage(given)
        if all(np.all(np.isfinite(part)) for part in parts(found)):
            with np.errstate(**LOUD):
                stage(given)


@pytest.mark.parametrize("kind", [float, np.float32, Value], ids=["float64", "float32", "Value"])
@pytest.mark.parametrize(("entry", "params"), CALLS)
def test_elementwise_primitives_are_silent_far_out(entry: ad.Primitive, params: dict[str, Any], kind: Any) -> None:
    """Forward, backward and second order, at 28 numbers or pairs of them."""
    dtype = float if kind is Value else kind
    for point in itertools.product(extremes(dtype), repeat=entry.arity or 1):
        if entry.name == "hinge" and sum(map(abs, point)) > float(np.finfo(dtype).max):
            continue  # NumPy says that the difference of these scores is no number; max(−inf, 0) is right all the same
        leaves = [Value(x) if kind is Value else Tensor(np.array([x], dtype)) for x in point]
        assert_silent(lambda *x: entry(*x, **params), leaves)


LARGEST = np.finfo(float).max
ROWS = ([0.0, 1000.0, -1000.0], [1e15, 1e15 + 1.0], [1e300, -1e300], [-LARGEST, LARGEST], [5e-324, 0.0])


@pytest.mark.parametrize("row", ROWS, ids=str)
@pytest.mark.parametrize("name", ["softmax", "log_softmax", "logsumexp", "norm", "max", "min", "prod", "sum", "mean"])
def test_reductions_are_silent_far_out(name: str, row: list[float]) -> None:
    """Also where an element is so far below the largest that its exponential vanishes."""
    assert_silent(getattr(ad, name), [Tensor(row)])
