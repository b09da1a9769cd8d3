"""Random programs give the gradients that independent engines give."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given

import autodiff as ad
from autodiff.system.extras import install
from autodiff.testing.hooks.strategies import programs
from autodiff.testing.random_programs.operations import Vocabulary
from autodiff.testing.random_programs.program import Program, resolve
from autodiff.testing.random_programs.rounding import reach, tolerances
from autodiff.testing.random_programs.shrinking import shortest
from tests.support.examples import examples
from tests.support.peers import Peer, jax_peer, mpmath_peer, own_gradients, own_output, own_slope, torch_peer
from tests.support.programs import ELEMENTWISE, OPERATIONS, SMOOTH, SMOOTH_SCALARS, long_program

pytestmark = pytest.mark.peer

_WHY_SKIPPED = f"the cross-checks against {{}} need an extra: {install('peers')}"


@pytest.fixture(scope="module")
def torch() -> Peer:
    """PyTorch, if it is installed."""
    return torch_peer(pytest.importorskip("torch", reason=_WHY_SKIPPED.format("torch")))


@pytest.fixture(scope="module")
def jax() -> Peer:
    """JAX, if it is installed."""
    return jax_peer(pytest.importorskip("jax", reason=_WHY_SKIPPED.format("jax")))


def agree(program: Program, record: Callable[[int], tuple[Any, list[Any]]], theirs: Any, error: float) -> None:
    """Assert that our derivatives and another engine's differ by rounding at most."""
    found = own_gradients(*record(-1))
    if not far(found, theirs, [1e-13 * np.abs(slope) for slope in found], error):
        return  # most programs end here, and need neither the sizes of their shares nor a pass for every step
    sizes = reach(*record(-1))
    bounds = [1e-12 * size for size in sizes]
    if far(found, theirs, bounds, error):
        bounds = tolerances(program, sizes, lambda nudged: own_gradients(*record(nudged)))
    assert not far(found, theirs, bounds, error), f"{program}: ours {found}, theirs {theirs}, allowed {bounds}"


def far(found: Any, theirs: Any, bounds: Any, error: float) -> bool:
    """Whether two gradients differ by more than their bounds anywhere."""
    for ours, other, bound in zip(found, theirs, bounds, strict=True):
        assert ours.shape == other.shape
        if not np.all(np.abs(ours - other) <= bound + error):
            return True
    return False


def gradients_agree(program: Program, kind: type, peer: Peer) -> None:
    """Assert that the gradients of a program are the peer's."""
    agree(program, lambda nudged: own_output(program, kind, nudged), peer.gradients(program), peer.error)


def curvatures_agree(program: Program, kind: type, peer: Peer) -> None:
    """Assert that the Hessian times a vector is the peer's."""
    vectors = [1.0 + 0.5 * np.cos(np.arange(np.size(x))).reshape(np.shape(x)) for x in program.inputs]
    assert peer.curvature is not None
    theirs = peer.curvature(program, vectors)
    agree(program, lambda nudged: own_slope(program, vectors, kind, nudged), theirs, peer.error)


def all_agree(count: int, operations: Vocabulary, inputs: list[Any], check: Callable[[Program], None]) -> None:
    """Assert ``check`` of many long programs; the message of a failure is of the shortest that fails."""

    def fault(program: Program) -> str | None:
        try:
            check(program)
        except AssertionError as error:
            return str(error)
        return None

    for seed in range(count):
        program = resolve(long_program(seed, list(operations)), inputs, operations, kinks="nowhere")
        if fault(program):
            pytest.fail(fault(shortest(program, lambda part: fault(part) is not None, kinks="nowhere")) or "")


def test_long_scalar_programs_agree_with_differences_in_50_digits() -> None:
    """Gradients of Value programs of some ten operations of all kinds are the slopes that mpmath finds."""
    peer = mpmath_peer()
    all_agree(100, ELEMENTWISE, [0.5, -1.25, 2.0], lambda program: gradients_agree(program, ad.Value, peer))


def test_long_tensor_programs_agree_with_torch(torch: Peer) -> None:
    """Gradients of Tensor programs of some ten operations of all kinds are torch's."""
    random = np.random.default_rng(0)
    inputs = [random.uniform(-2.0, 2.0, shape) for shape in ((2, 3), (3,), (3, 1))]
    all_agree(150, OPERATIONS, inputs, lambda program: gradients_agree(program, ad.Tensor, torch))


def test_second_derivatives_of_long_tensor_programs_agree_with_torch(torch: Peer) -> None:
    """The Hessian of smooth Tensor programs of some ten operations of all kinds, times a vector, is torch's."""
    random = np.random.default_rng(1)
    inputs = [random.uniform(-2.0, 2.0, shape) for shape in ((2, 3), (3,), (3, 1))]
    all_agree(50, SMOOTH, inputs, lambda program: curvatures_agree(program, ad.Tensor, torch))


@examples(60)
@given(programs(operations=ELEMENTWISE, kinks="nowhere"))
def test_scalar_programs_agree_with_differences_in_50_digits(program: Program) -> None:
    """Away from kinks, gradients of Value programs are the slopes that mpmath finds, which knows no rule."""
    gradients_agree(program, ad.Value, mpmath_peer())


@examples(60)
@given(program=programs(operations=ELEMENTWISE, kinks="inputs"))
def test_scalar_programs_agree_with_torch(torch: Peer, program: Program) -> None:
    """Gradients of Value programs are torch's, also where an input stands exactly on a kink."""
    gradients_agree(program, ad.Value, torch)


@examples(60)
@given(program=programs(ad.Tensor, operations=OPERATIONS, kinks="inputs"))
def test_tensor_programs_agree_with_torch(torch: Peer, program: Program) -> None:
    """Gradients of Tensor programs (broadcasting, reductions, products, layout) are torch's, also on kinks."""
    gradients_agree(program, ad.Tensor, torch)


@examples(40)
@given(program=programs(operations=SMOOTH_SCALARS, kinks="anywhere"))
def test_second_derivatives_of_scalar_programs_agree_with_torch(torch: Peer, program: Program) -> None:
    """The Hessian of a smooth Value program times a vector is torch's."""
    curvatures_agree(program, ad.Value, torch)


@examples(40)
@given(program=programs(ad.Tensor, operations=SMOOTH, kinks="anywhere"))
def test_second_derivatives_of_tensor_programs_agree_with_torch(torch: Peer, program: Program) -> None:
    """The Hessian of a smooth Tensor program times a vector is torch's."""
    curvatures_agree(program, ad.Tensor, torch)


@examples(10)
@given(program=programs(operations=ELEMENTWISE, kinks="nowhere"))
def test_scalar_programs_agree_with_jax(jax: Peer, program: Program) -> None:
    """Away from kinks, gradients of Value programs are jax's."""
    gradients_agree(program, ad.Value, jax)


@examples(8)  # jax compiles every operation anew for every shape: few and short programs
@given(program=programs(ad.Tensor, operations=OPERATIONS, kinks="nowhere", most=8))
def test_tensor_programs_agree_with_jax(jax: Peer, program: Program) -> None:
    """Away from kinks, gradients of Tensor programs are jax's."""
    gradients_agree(program, ad.Tensor, jax)
