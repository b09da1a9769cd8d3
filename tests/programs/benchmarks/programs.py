"""Recorded programs beside NumPy by hand: times of value and gradients, as arrays and into ``.grad``.

The gradients of each contender are compared with those by hand before anything is timed. The peers are given the
matrices that a person wrote.
"""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final

import numpy as np

import autodiff as ad
from tests.programs.benchmarks.harness import compare
from tests.programs.benchmarks.recorded import Workload, moons, others, scorer, tensors

__all__ = ["report"]

HAND: Final = "NumPy by hand"
SLOW: Final = 0.05  # seconds; what takes longer is timed a few times only
Call = Callable[[], Any]
Arrays = Sequence[Any]


def _check(name: str, came: Arrays, expected: Arrays) -> None:
    """Raise unless the gradients are those by hand."""
    mine, right = (np.concatenate([np.ravel(each) for each in group]) for group in (came, expected))
    if mine.shape != right.shape or not np.allclose(mine, right, rtol=1e-9, atol=1e-11 * np.abs(right).max()):
        raise ArithmeticError(f"{name}: the gradients are not those by hand")


def _with_torch(work: Workload) -> Call:
    import torch

    torch.set_num_threads(1)
    leaves: list[Any] = [torch.tensor(each, requires_grad=True) for each in work.arrays]

    def step() -> Any:
        return torch.autograd.grad(work.matrices(torch, leaves), leaves)  # type: ignore[misc]

    _check(f"{work.name} on torch", [each.numpy() for each in step()], work.hand()[1])
    return step


def _with_jax(work: Workload) -> Call:
    import jax

    jax.config.update("jax_enable_x64", True)  # type: ignore[no-untyped-call]
    run = jax.jit(jax.value_and_grad(lambda p: work.matrices(jax.numpy, p)))  # type: ignore[misc]
    leaves = [jax.numpy.asarray(each) for each in work.arrays]
    _check(f"{work.name} on jax", run(leaves)[1], work.hand()[1])
    return lambda: jax.block_until_ready(run(leaves))  # type: ignore[no-untyped-call]


def row(work: Workload) -> str:
    """A line of the table."""
    step = ad.program(work.function, **work.options)
    start = time.process_time()
    _, gradients = step.value_and_grad(*work.arguments)
    prepared = time.process_time() - start
    expected = work.hand()[1]
    _check(work.name, [gradients.get(leaf, 0.0) for leaf in work.parameters], expected)
    for leaf in work.parameters:
        leaf.grad = None
    step(*work.arguments).backward()
    _check(f"{work.name}, .grad", [0.0 if leaf.grad is None else leaf.grad for leaf in work.parameters], expected)
    contenders: dict[str, Call] = {
        HAND: work.hand,
        "as arrays": lambda: step.value_and_grad(*work.arguments),
        "into .grad": lambda: step(*work.arguments).backward(),
    }
    if work.matrices is not None:
        for name, make in (("torch", _with_torch), ("jax.jit", _with_jax)):
            with suppress(ImportError):
                contenders[name] = make(work)
    start = time.process_time()
    step.value_and_grad(*work.arguments)
    rounds = 3 if time.process_time() - start > SLOW else 7
    gc.collect()
    gc.freeze()  # or each collection between two slices would walk through all of torch and jax
    found = {result.name: result for result in compare(contenders, HAND, rounds=rounds, slice_seconds=0.01)}
    gc.unfreeze()
    base = found[HAND].seconds
    ratios = [f"{found[name].seconds / base:8.2f}" if name in found else f"{'–':>8}" for name in COLUMNS]
    each = (found["into .grad"].seconds - found["as arrays"].seconds) / len(work.parameters) * 1e9
    return f"  {work.name:<36}{base * 1e6:>10,.1f}{work.goal:>6.1f}{''.join(ratios)}{each:>10,.0f}{prepared:>10.2f}"


COLUMNS: Final = ("as arrays", "into .grad", "torch", "jax.jit")


def chain(length: int = 100_000) -> str:
    """A chain: nanoseconds a node, replayed and eager."""
    w = ad.Value(0.999)

    def function(x: Any) -> Any:
        for _ in range(length // 2):
            x = (w * x).sin()
        return x

    def eager() -> None:
        function(ad.Value(0.5)).backward()

    step = ad.program(function)
    start = time.process_time()
    step.value_and_grad(0.5)
    prepared = time.process_time() - start
    found = compare({"eager": eager, "program": lambda: step.value_and_grad(0.5)}, "eager", rounds=3)
    each = {result.name: result.seconds / length * 1e9 for result in found}
    return (
        f"  a chain of {length:,} nodes: {each['program']:,.0f} ns a node (goal 110), eager {each['eager']:,.0f}, "
        f"prepared in {prepared:.1f} s"
    )


def report() -> None:
    """All workloads, one line each."""
    print(f"Programs: value and gradients, × NumPy by hand; load {os.getloadavg()[0]:.1f}")
    heads = "".join(f"{name:>8}" for name in ("arrays", ".grad", "torch", "jax.jit"))
    print(f"  {'':<36}{'µs hand':>10}{'goal':>6}{heads}{'ns/leaf':>10}{'prepared':>10}")
    for group in (moons(), scorer(), others(), *map(tensors, (1, 64, 1024))):
        for work in group:
            print(row(work), flush=True)
    print(chain(), flush=True)
    print()
