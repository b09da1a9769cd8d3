"""The relations that need no oracle hold for random programs, and each breaks when the engine is broken its way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given

import autodiff as ad
from autodiff.testing.hooks.strategies import programs
from autodiff.testing.random_programs.program import Program
from autodiff.testing.random_programs.search import search
from autodiff.testing.relations import passes
from autodiff.testing.relations.metamorphic import RELATIONS, RelationError, broken_relation, check_relations
from autodiff.testing.relations.rebuilding import rebuilt
from tests.support.examples import examples
from tests.support.strategies import VOCABULARY

#: Relations that say something about every function, and those about arrays alone.
ALWAYS = (
    "backward twice doubles", "signals are linear in the seed", "a branch times zero changes nothing",
    "every pass gives the same bits", "the same program gives the same bits", "a dead branch changes nothing",
    "a pass writes to nothing but .grad", "a copy of the graph has the same gradients",
    "a branch that is not taken gets nothing", "constants among the outputs change nothing",
    "identity(x) in place of x changes nothing", "a sum of eighths in place of x changes nothing",
)  # fmt: skip
OF_ARRAYS = (
    "gradients share no memory", "rules may hold on to the arrays they return", "rules may run passes of their own",
)  # fmt: skip


@pytest.mark.slow
@examples(15)
@given(programs(operations=VOCABULARY[ad.Value], kinks="anywhere"))
def test_relations_hold_for_value_programs(program: Program) -> None:
    """No relation is broken, for programs over numbers; most have something to say."""
    held = check_relations(program, *program.inputs)
    assert {*ALWAYS} <= {*held} <= {*RELATIONS} - {*OF_ARRAYS}


@pytest.mark.slow
@examples(12)
@given(programs(ad.Tensor, operations=VOCABULARY[ad.Tensor], kinks="anywhere"))
def test_relations_hold_for_tensor_programs(program: Program) -> None:
    """Likewise over arrays."""
    held = check_relations(program, *program.inputs)
    assert {*ALWAYS} <= {*held} <= {*RELATIONS}


@pytest.mark.slow
@pytest.mark.parametrize("kind", [ad.Value, ad.Tensor])
def test_the_loop_finds_no_broken_relation(kind: type) -> None:
    """Some programs of the inner loop; it is run with thousands by hand."""
    done = search(lambda program: broken_relation(program, *program.inputs), 25, kind=kind, operations=VOCABULARY[kind])
    assert done.found is None, done


def test_a_relation_holds_only_where_it_says_something() -> None:
    """A skip is no pass: of x alone nothing is bracketed, swapped or on the way; (x + y) + x·y has it all."""
    assert set(check_relations(lambda x: x, 1.0)) == {*ALWAYS, "pushforward and pullback agree"}
    both = [np.array([1.0, 2.0]), np.array([3.0, 0.5])]
    assert check_relations(lambda x, y: (x + y) + x * y, *both) == tuple(RELATIONS)
    assert check_relations(lambda x: x, 1.0, only=["operands that commute may change places"]) == ()


def test_operands_change_places_where_they_differ() -> None:
    """x·x is x·x again: nothing was swapped. A sum of three that rounds is not bracketed otherwise."""
    swapped, bracketed = "operands that commute may change places", "sums and products may be bracketed otherwise"
    assert check_relations(lambda x: x * x, 1.5, only=[swapped]) == ()
    assert check_relations(lambda x, y: x * y, 1.5, 2.0, only=[swapped]) == (swapped,)
    assert check_relations(lambda x, y, z: (x + y) + z, 0.1, 0.2, 0.3, only=[bracketed]) == ()
    assert check_relations(lambda x, y, z: (x + y) + z, 0.5, 0.5, 0.25, only=[bracketed]) == (bracketed,)


def test_a_slope_that_is_nowhere_is_not_compared() -> None:
    """A function that jumps everywhere has none: pushing and pulling have nothing to say."""
    pushed = "pushforward and pullback agree"
    assert check_relations(lambda x: x * float(hash(x.data) % 7), 1.5, only=[pushed]) == ()


def test_shares_that_cancel_inside_a_product_round_all_the_same() -> None:
    """The third row of the matrix times |g| is exactly 0; what the gradient there may be off by is not."""
    matrix = "[[0.0,-0.25,0.0],[1.0,0.25,0.0],[0.25,-0.5,-0.25]]"
    program = Program.parse(f"Tensor [[1.0,1.0,1.0]] {matrix}; einsum/2[subscripts='ij,jk->ik'] 1 0; norm 0")
    assert check_relations(program, *program.inputs)


def test_relations_of_any_function() -> None:
    """f may return an array: its cotangent is not all ones then."""
    assert check_relations(lambda w, x: ad.tanh(w @ x), np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([0.5, -0.5]))


@pytest.mark.parametrize(("kind", "x"), [(ad.Value, 3.0), (ad.Tensor, np.array([1.0, 2.0]))])
def test_what_a_function_closes_over_stays_as_it_is(kind: type, x: Any) -> None:
    """Parameters from outside keep their names and gradients, and old gradients of theirs are no fault."""
    w = kind(x, name="w")
    before = (w * 2.0).sum() if isinstance(w, ad.Tensor) else w * 2.0
    before.backward()
    assert {*ALWAYS} <= {*check_relations(lambda x: ad.tanh(w * x) + w * x, x)}
    assert w.name == "w"
    np.testing.assert_array_equal(w.grad, 2.0 + 0.0 * x)


# ---- broken engines --------------------------------------------------------------------------------------------------


def broken_by(f: Callable[..., Any], *inputs: Any) -> str:
    """The name of the first relation that does not hold."""
    return (broken_relation(f, *inputs) or "").split(":")[0]


def test_a_function_with_a_memory_is_not_deterministic() -> None:
    """The same call gives other bits."""
    calls: list[int] = []

    def f(x: Any) -> Any:
        calls.append(1)
        return x * float(len(calls))

    assert broken_by(f, 2.0) == "the same program gives the same bits"


def test_a_wrong_rule_is_found_by_pushing(define: Callable[..., ad.Primitive]) -> None:
    """A share that is off by a thousandth keeps every relation but the one with differences."""
    wrong = define("sloppy", lambda xp, x: x * x, [lambda g, z, x: g * (2.002 * x)])
    assert broken_by(wrong, 1.5) == "pushforward and pullback agree"


def test_a_rule_that_ignores_the_error_signal_is_not_linear(define: Callable[..., ad.Primitive]) -> None:
    """Right for a seed of 1 only."""
    wrong = define("deaf", lambda xp, x: x * x, [lambda g, z, x: 2.0 * x + 0.0 * g])
    assert broken_by(lambda x: wrong(wrong(x)), ad.Tensor(1.5).data) == "signals are linear in the seed"


def test_wrong_swapped_operands(define: Callable[..., ad.Primitive]) -> None:
    """A sum whose first operand gets twice its share gives another gradient when its operands change places."""
    wrong = define("uneven", lambda xp, x, y: x + y, [lambda g, z, x, y: 2.0 * g, lambda g, z, x, y: g])
    only = ("operands that commute may change places", "sums and products may be bracketed otherwise")
    for name in only:
        assert broken_relation(lambda x, y, w: wrong(wrong(x, y), w), 1.0, 2.0, 3.0, only=[name])


def test_shared_memory_of_gradients_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two leaves whose gradients are one array."""
    shared = np.ones(3)

    def backward(self: Any, seed: Any = None) -> None:
        for node in ad.topological(self):
            node._grad = shared

    monkeypatch.setattr(ad.Tensor, "backward", backward)
    wrong = broken_relation(lambda x, y: x + y, np.ones(3), np.ones(3), only=["gradients share no memory"])
    assert wrong == "gradients share no memory: the gradient of a node shares memory with the gradient of a node"


def test_a_backward_that_overwrites_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second pass must add to the first."""

    def backward(self: Any, seed: Any = None) -> None:
        for node, signal in ad.backpropagate(self, seed).items():
            node._grad = signal

    monkeypatch.setattr(ad.Value, "backward", backward)
    assert broken_by(lambda x: x * x, 3.0) == "backward twice doubles"


def test_lost_shares_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error signal that is not what arrived: conservation at every node."""
    whole = ad.backpropagate

    def lossy(output: Any, seed: Any) -> Any:
        return {node: signal if node is output else 0.5 * signal for node, signal in whole(output, seed).items()}

    monkeypatch.setattr(passes, "backpropagate", lossy)
    assert broken_by(lambda x: x * x, 3.0) == "shares that arrive add up to the error signal"


def test_a_zero_of_the_other_sign_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is 0 by adding up and −0 in a pass: 1/x of it has the other sign."""
    whole = ad.backpropagate

    def negated(output: Any, seed: Any) -> Any:
        return {node: -signal if signal == 0 else signal for node, signal in whole(output, seed).items()}

    monkeypatch.setattr(passes, "backpropagate", negated)
    found = broken_relation(ad.relu, -1.0, only=["shares that arrive add up to the error signal"])
    assert found == "shares that arrive add up to the error signal: -0.0 is not 0.0: a zero has the other sign"


def test_a_seed_that_is_kept_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The gradient of the output is the caller's array."""

    def backward(self: Any, seed: Any = None) -> None:
        for node in ad.topological(self):
            node._grad = seed if node is self else np.zeros(node.shape)

    monkeypatch.setattr(ad.Tensor, "backward", backward)
    wrong = broken_relation(lambda x: x * 2.0, np.ones(3), only=["gradients share no memory"])
    assert wrong == "gradients share no memory: the gradient of a node shares memory with the seed"


def test_marks_of_a_pass_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pass that counts on, where the one before has ended."""
    whole, passed = ad.Value.backward, set()

    def backward(self: Any, seed: Any = None) -> None:
        passed.add(len(ad.topological(self)))
        whole(self, seed * len(passed))

    monkeypatch.setattr(ad.Value, "backward", backward)
    assert broken_relation(lambda x: ad.exp(x * x), 1.5, only=["earlier passes leave no marks"])


def test_an_order_that_depends_on_names_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nodes sorted by what they are called; and consumers before inputs."""
    only = ["the order of nodes follows from the graph alone"]
    whole = ad.topological
    monkeypatch.setattr(passes, "topological", lambda output: sorted(whole(output), key=lambda x: x.label == "n0"))
    assert "names" in (broken_relation(lambda x, y: x * y, 1.5, 2.5, only=only) or "")
    monkeypatch.setattr(passes, "topological", lambda output: whole(output)[::-1])
    assert "a node comes before one of its inputs" in (broken_relation(lambda x: x * x, 1.5, only=only) or "")


def test_conventions_at_ties_are_no_faults() -> None:
    """min(max(x, y), y) is y; at the tie x = y the shares are a convention, and right all around it."""
    assert broken_relation(lambda x, y: ad.minimum(ad.maximum(x, y), y), 3.0, 3.0) is None


# ---- messages --------------------------------------------------------------------------------------------------------


def test_a_failure_shows_the_program(define: Callable[..., ad.Primitive]) -> None:
    """The relation, both numbers, and the source of a Program."""
    define("sloppy_too", lambda xp, x: x * x, [lambda g, z, x: g * (2.002 * x)])
    program = Program.parse("Value 1.5; sloppy_too 0")
    with pytest.raises(RelationError) as caught:
        check_relations(program, 1.5)
    assert str(caught.value).startswith("pushforward and pullback agree: ⟨v, Jᵀu⟩ is ")
    assert program.python() in str(caught.value)


def test_what_cannot_be_checked() -> None:
    """Not a function, not a node, an unknown relation: one clear sentence each."""
    with pytest.raises(TypeError, match=r"f must be a function, and got 3"):
        check_relations(3, 1.0)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"f must return a Value, a Tensor or a real number, and returned \[2.0\]"):
        check_relations(lambda x: [2.0], 1.0)
    with pytest.raises(ValueError, match=r"checked at one or more inputs of f, and got none"):
        check_relations(lambda: ad.Value(1.0))
    with pytest.raises(ValueError, match=r"no relation is called 'symmetry'; the relations are backward twice dou"):
        check_relations(lambda x: x, 1.0, only=["symmetry"])


def test_rebuilt_graphs_hold_the_same_numbers() -> None:
    """The graph once more, on other leaves, without changing the first."""
    x, y = ad.Tensor([1.0, 2.0]), ad.Tensor([3.0, 4.0])
    output = ad.sum(ad.concatenate([x, x * 2.0]))
    assert rebuilt(output, {x: y}).data == 21.0
    assert output.data == 9.0
