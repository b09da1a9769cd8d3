"""Relations between gradients that hold whatever the program, so that no oracle is needed."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autodiff as ad
from autodiff.testing.hooks.strategies import programs
from autodiff.testing.random_programs.program import Program, resolve
from autodiff.testing.random_programs.rounding import reach
from tests.support.examples import examples
from tests.support.peers import own_gradients, own_slope
from tests.support.programs import ELEMENTWISE, OPERATIONS, SMOOTH, long_program

#: Programs over Values and over Tensors, composites among their steps.
GRAPHS = st.one_of(
    programs(operations=ELEMENTWISE, kinks="inputs"), programs(ad.Tensor, operations=OPERATIONS, kinks="inputs")
)


def recorded(program: Program) -> tuple[Any, list[Any]]:
    """The output of a drawn program, and its inputs as leaves."""
    leaves = program.leaves()
    return program(*leaves), leaves


def same(ours: Sequence[Any], others: Sequence[Any]) -> None:
    """Assert equal to the last bit, nan equal to nan."""
    for x, y in zip(ours, others, strict=True):
        np.testing.assert_array_equal(x, y)


def near(ours: Sequence[Any], others: Sequence[Any], sizes: Sequence[Any]) -> None:
    """Assert equal up to a rounding of each of some tens of shares, whose ``sizes`` add up."""
    for x, y, size in zip(ours, others, sizes, strict=True):
        assert np.all(np.abs(x - y) <= 64 * np.finfo(float).eps * size)


@pytest.mark.slow
@examples(40)
@given(GRAPHS)
def test_signals_are_linear_in_the_seed(program: Program) -> None:
    """A seed of −4 gives −4 times every signal, exactly, since a power of two does not round."""
    output, _ = recorded(program)
    seed = -4.0 if isinstance(output, ad.Value) else np.full(output.shape, -4.0)
    ones, scaled = ad.backpropagate(output), ad.backpropagate(output, seed)
    assert list(ones) == list(scaled)
    same(list(scaled.values()), [-4.0 * signal for signal in ones.values()])


@pytest.mark.slow
@examples(40)
@given(GRAPHS)
def test_backward_writes_to_grad_what_backpropagate_returns(program: Program) -> None:
    """`backpropagate` changes no node; `.backward()` then stores the same signals."""
    output, _ = recorded(program)
    signals = ad.backpropagate(output)
    assert all(node.grad is None for node in signals)
    output.backward()
    same([node.grad for node in signals], list(signals.values()))


@pytest.mark.slow
@examples(40)
@given(GRAPHS)
def test_gradients_of_leaves_own_their_memory(program: Program) -> None:
    """No gradient shares memory with another, with data, or with a gradient on the way."""
    output, leaves = recorded(program)
    output.backward()
    nodes = ad.topological(output)
    arrays = [node.grad for node in nodes if isinstance(node, ad.Tensor)]
    others = [node.data for node in nodes if isinstance(node, ad.Tensor)]
    assert all(a.flags.writeable for a in arrays)
    assert not any(np.shares_memory(a, b) for k, a in enumerate(arrays) for b in [*arrays[:k], *others])
    assert all(np.shape(leaf.grad) == np.shape(leaf.data) for leaf in leaves if leaf.grad is not None)


@pytest.mark.slow
@examples(40)
@given(GRAPHS)
def test_a_branch_times_zero_shares_zero(program: Program) -> None:
    """A live branch with error signal 0 adds 0 to every gradient."""
    output, leaves = recorded(program)
    expected = own_gradients(output, leaves)
    idle = sum(ad.sum(ad.sin(leaf)) if leaf.ndim else ad.sin(leaf) for leaf in leaves)
    same(own_gradients(output + 0.0 * idle, leaves), [0.0 + slope for slope in expected])


@pytest.mark.slow
@examples(40)
@given(GRAPHS)
def test_a_graph_extended_after_backward_gives_the_gradients_of_the_whole(program: Program) -> None:
    """A graph that was differentiated can grow; what it holds from before does not leak into the next pass."""
    output, leaves = recorded(program)
    output.backward()
    same(own_gradients(3.0 * output, leaves), own_gradients(3.0 * recorded_again(output), leaves))


def recorded_again(output: Any) -> Any:
    """The same graph on the same leaves with nodes that no pass has touched."""
    memo = {id(node): node for node in ad.topological(output) if node.is_leaf}
    return copy.deepcopy(output, memo)


@pytest.mark.slow
@examples(40)
@given(GRAPHS)
def test_a_deep_copy_has_its_own_gradients(program: Program) -> None:
    """The copy's gradients are the original's bit by bit, and none flows into the original."""
    output, leaves = recorded(program)
    expected = own_gradients(output, leaves)
    twin, *twins = copy.deepcopy([output, *leaves])
    twin.backward()
    same([np.zeros(x.shape) if x.grad is None else x.grad for x in twins], expected)
    assert all(leaf.grad is None for leaf in leaves)


@pytest.mark.slow
@examples(40)
@given(GRAPHS)
def test_one_leaf_in_place_of_equal_inputs_gets_the_sum(program: Program) -> None:
    """f(x, x) has the gradient ∂₁f + ∂₂f: a leaf that is used for all inputs gets all."""
    program = resolve(program.instructions, [program.inputs[0]] * 3, program.operations, kinks="inputs")
    apart, (one, *_) = program.leaves(), program.leaves()
    separate = program(*apart)
    parts, sizes = own_gradients(separate, apart), reach(separate, apart)
    near(own_gradients(program(one, one, one), [one]), [sum(parts)], [sum(sizes)])


@pytest.mark.slow
@examples(40)
@given(GRAPHS)
def test_the_order_of_two_losses_does_not_matter(program: Program) -> None:
    """Gradients of two losses that share nodes add up, pass by pass and as one sum."""
    output, leaves = recorded(program)
    squared = output * output
    both = own_gradients(output + squared, leaves)
    sizes = reach(output + squared, leaves)
    squared.backward()
    output.backward()
    near([np.zeros(x.shape) if x.grad is None else x.grad for x in leaves], both, sizes)


@pytest.mark.parametrize("seed", range(20))
def test_the_hessian_is_symmetric(seed: int) -> None:
    """⟨u, H v⟩ = ⟨v, H u⟩ for smooth programs, each side by its own second-order pass."""
    random = np.random.default_rng(seed)
    inputs = [random.uniform(0.3, 1.8, shape) for shape in ((2, 3), (3,), (3, 1))]
    program = resolve(long_program(seed, list(SMOOTH)), inputs, SMOOTH)
    u, v = ([random.uniform(-1.0, 1.0, x.shape) for x in inputs] for _ in range(2))
    sides, size = [], 0.0
    for direction, other in ((u, v), (v, u)):
        slope, leaves = own_slope(program, direction, ad.Tensor)
        sides.append(sum(float(np.sum(a * b)) for a, b in zip(own_gradients(slope, leaves), other, strict=True)))
        size += sum(float(np.sum(part)) for part in reach(slope, leaves))
    assert abs(sides[0] - sides[1]) <= 1e-13 * size


def directional(program: Program, direction: Sequence[Any]) -> tuple[float, float]:
    """J·v of the plain program by central differences without rules, and a bound of its error.

    Steps h and h/2 extrapolated: the error is below the difference of the two, plus the rounding of values over h.
    """

    def at(step: float) -> float:
        moved = [x + step * v for x, v in zip(program.inputs, direction, strict=True)]
        return float(program(*moved))

    coarse, fine = ((at(h) - at(-h)) / (2 * h) for h in (2**-9, 2**-10))
    scale = max(abs(at(0.0)), 1.0)
    return fine + (fine - coarse) / 3, abs(fine - coarse) + 2**10 * 1e-14 * scale


@pytest.mark.parametrize("seed", range(60))
def test_pullback_and_differences_along_a_direction_agree(seed: int) -> None:
    """⟨∇f, v⟩ is the slope of f along v, which comes from the forward functions alone."""
    random = np.random.default_rng(seed)
    inputs = [random.uniform(0.3, 1.8, shape) for shape in ((2, 3), (3,), (3, 1))]
    program = resolve(long_program(seed, list(SMOOTH)), inputs, SMOOTH)
    direction = [random.uniform(-1.0, 1.0, x.shape) for x in inputs]
    leaves = [ad.Tensor(x) for x in inputs]
    slopes = own_gradients(program(*leaves), leaves)
    along = sum(float(np.sum(slope * v)) for slope, v in zip(slopes, direction, strict=True))
    slope, error = directional(program, direction)
    assert abs(along - slope) <= error


@pytest.mark.parametrize("name", [name for name, entry in ad.TABLE.items() if entry.linear and entry.examples])
def test_linear_primitives_are_the_transpose_of_their_rule(name: str) -> None:
    """⟨u, J v⟩ = ⟨Jᵀu, v⟩ exactly, on small integers: J v by the forward function, Jᵀu by the rule."""
    entry, random = ad.TABLE[name], np.random.default_rng(0)
    for example in entry.examples:
        inputs = [random.integers(-8, 9, shape).astype(float) for shape in example.shapes]
        leaves = [ad.Tensor(x) for x in inputs]
        output = entry(leaves, **example.params) if entry.packed else entry(*leaves, **example.params)
        cotangent = random.integers(-8, 9, output.shape).astype(float)
        shares = ad.gradients(output, leaves, seed=cotangent)
        forward = exact(cotangent, output.data)
        # A mean's 1/n need not be exact in binary: its shares are compared with rounding.
        allowed = Fraction(0) if name != "mean" else Fraction(np.finfo(float).eps) * 64 * 64
        assert abs(sum(exact(share, x) for share, x in zip(shares, inputs, strict=True)) - forward) <= allowed


def exact(x: Any, y: Any) -> Fraction:
    """⟨x, y⟩ without rounding."""
    return sum((Fraction(a) * Fraction(b) for a, b in zip(np.ravel(x), np.ravel(y), strict=True)), Fraction(0))
