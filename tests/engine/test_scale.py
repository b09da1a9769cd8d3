"""Long graphs cost as much per node as short ones, and are freed with their last reference."""

from __future__ import annotations

import gc
import math
import tracemalloc
from typing import Any

import numpy as np
import pytest

import autodiff as ad
from tests.programs.scale import measured


@pytest.fixture(scope="module")
def million() -> dict[str, float]:
    """A chain of 1,000,000 Values, made, differentiated and freed at a recursion limit of 120."""
    return measured("timed", 1_000_000)


def test_a_chain_of_a_million_values_is_differentiated_and_freed_without_recursion(million: dict[str, float]) -> None:
    """Forward, backward and freeing work at any depth; nothing is left and nothing waits for the collector."""
    assert million["garbage"] == 0
    assert million["blocks"] < 1000  # of some three million: marks of the interpreter itself


def test_a_node_of_a_million_keeps_within_200_bytes(million: dict[str, float]) -> None:
    """Node, data and gradient together take at most 200 bytes of the process's memory after a backward pass.

    Of the 193 measured, 8 are for weak references and 8 more are lost because Python's allocator counts in sixteens.
    """
    if math.isnan(million["resident"]):
        pytest.skip("this system does not say how much memory a process holds")
    assert million["resident"] <= 200


def test_time_grows_in_proportion_to_the_chain(million: dict[str, float]) -> None:
    """A node of a million costs less than three times a node of a hundred thousand.

    Squared time would give a factor of ten; caches that no longer hold the graph, and a shared machine, up to two.
    """
    short = measured("timed", 100_000)
    spans = ("forward", "backward", "free")
    assert sum(million[key] for key in spans) < 3 * sum(short[key] for key in spans)


@pytest.mark.slow
def test_every_byte_of_a_chain_is_accounted_for() -> None:
    """By tracemalloc: at most 180 bytes a node after backward, no temporary memory, and all freed by counting."""
    small, large = measured("traced", 10_000), measured("traced", 100_000)
    assert large["garbage"] == 0
    assert large["peak"] <= 180
    assert large["left"] < 1
    for stage in ("forward", "backward"):  # what does not grow with the chain is less than 0.1 % of it
        assert large[stage] == pytest.approx(small[stage], rel=1e-3)


def _array_chain(x: ad.Tensor, count: int) -> Any:
    y: Any = x
    for _ in range(count):
        y = ad.sin(y)
    return y.sum()


@pytest.mark.slow
def test_a_chain_of_big_arrays_is_freed_at_once() -> None:
    """A hundred arrays of 1 MB and their gradients go with the output, by counting alone."""
    x = ad.Tensor(np.linspace(0.0, 1.0, 131_072))
    _array_chain(x, 2).backward()
    gc.collect()
    gc.disable()
    tracemalloc.start()
    try:
        y = _array_chain(x, 100)
        y.backward()
        full = tracemalloc.get_traced_memory()[0]
        del y
        left = tracemalloc.get_traced_memory()[0]
        garbage = gc.collect()
    finally:
        tracemalloc.stop()
        gc.enable()
    assert full > 200 * 2**20
    assert left < 3 * 2**20  # the gradient of x, which was added to
    assert garbage == 0


def test_signals_of_big_arrays_do_not_outlive_their_use() -> None:
    """While gradients of a long chain are taken, no more than a few error signals exist at a time."""
    x = ad.Tensor(np.linspace(0.0, 1.0, 131_072))
    y = _array_chain(x, 50)
    tracemalloc.start()
    try:
        ad.gradients(y, x)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 6 * 2**20
