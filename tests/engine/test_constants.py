"""Constants are functions like any other; a choice leaves a node; a result that left the graph is no constant."""

from __future__ import annotations

import copy
import math
import pickle
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

import autodiff as ad
from autodiff import Tensor, Value, grad, gradients, hessian, hvp, jacobian, jvp, value_and_grad, vjp
from autodiff.draw import see
from autodiff.testing import RELATIONS, check_gradients, check_relations, dual_fault, search
from autodiff.testing.check.verdicts import Verdict
from autodiff.testing.hooks.strategies import programs
from autodiff.testing.random_programs.judging import Undecided
from autodiff.testing.random_programs.operations import BRANCHES, vocabulary
from autodiff.testing.random_programs.program import Program
from tests.support.strategies import VOCABULARY

KINDS = pytest.mark.parametrize("kind", [Value, Tensor])


def margin(s: Any, c: Any) -> Any:
    """How far a pair of scores violates the margin 1."""
    return 1.0 - s + c


def by_if(s: Any, c: Any) -> Any:
    """max(m, 0) by Python's ``if``."""
    return m if (m := margin(s, c)) > 0 else 0.0


OBJECTIVES = {
    "where": lambda s, c: ad.where(margin(s, c) > 0, margin(s, c), 0.0), "max": lambda s, c: max(0, margin(s, c)),
    "if": by_if,
}  # fmt: skip
EACH_OBJECTIVE = pytest.mark.parametrize("J", OBJECTIVES.values(), ids=OBJECTIVES)

# ---- where -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bool_of", [bool, np.bool, np.array])
def test_one_condition_leaves_a_node(bool_of: Callable[[bool], Any]) -> None:
    """True and False, Python's, NumPy's or in an array without axes: both branches are inputs, one gets the error."""
    for x, y in ((Value(2.0), Value(3.0)), (Tensor([1.0, 2.0]), Tensor([3.0, 4.0]))):
        for taken in (True, False):
            z = ad.where(bool_of(taken), x, y)
            assert (z.primitive, z.inputs) == (ad.TABLE["where"], (x, y))
            assert np.array_equal(z.data, (x if taken else y).data)
            shares = gradients(z, [x, y], seed=1.0 + 0.0 * x.data)
            assert [np.min(share) for share in shares] == [np.max(share) for share in shares] == [taken, not taken]


@pytest.mark.parametrize("constant", [0, 0.5, np.float64(0.5), np.float32(0.5)])
def test_a_chosen_constant_is_a_node(constant: Any) -> None:
    """So that `backward` works: the branch beside it has gradient 0, not none, and stays out at every order."""
    m = Value(-3.0)
    J = ad.where(m > 0, ad.sqrt(m), constant)
    J.backward()
    assert (type(J), J.data, m.grad) == (Value, float(constant), 0.0)
    chosen = lambda m: ad.where(m > 0, ad.sqrt(m), constant)  # noqa: E731
    assert [grad(chosen)(-3.0), grad(grad(chosen))(-3.0), jvp(chosen, (-3.0,), (1.0,))[1]] == [0.0, 0.0, 0.0]
    assert grad(chosen)(0.0) == 0.0  # beside an infinite slope too


def test_where_broadcasts_as_numpy_does() -> None:
    """For any mixture of nodes, arrays, lists and numbers, shape and values are those of ``np.where``."""
    operands = (2.0, 3, np.array([1.0, 2.0]), [3.0, 4.0], np.array([[1.0], [2.0]]))
    for condition in (True, False, np.bool(True), np.array(False), np.array([True, False])):
        for x in operands:
            for y in operands:
                expected = np.where(condition, x, y)
                for a, b in ((x, y), (Tensor(x), y), (x, Tensor(y)), (Tensor(x), Tensor(y))):
                    found = ad.where(condition, a, b)
                    np.testing.assert_array_equal(found.data if isinstance(found, Tensor) else found, expected)


def test_two_plain_numbers_make_no_node() -> None:
    """A single bool returns one of them unchanged, an array of bools an array."""
    assert ad.where(True, 1.0, -1.0).__class__ is float
    assert ad.where(np.bool(False), 1, -1) == -1
    for chosen in (ad.where(Tensor([1.0, -2.0]) > 0, 1.0, -1.0), ad.where([True, False], 1, -1)):
        assert isinstance(chosen, np.ndarray)
        assert chosen.tolist() == [1.0, -1.0]


def test_where_on_object_arrays_chooses_for_each_value() -> None:
    """A closed gate over an array of Values is an array of nodes, whose sum has a backward pass."""
    values = np.array([Value(1.0), Value(2.0)], dtype=object)
    for taken in (True, False):
        total = ad.where(taken, values, 0.5).sum()
        assert total.data == (3.0 if taken else 1.0)
        assert gradients(total, list(values)) == [float(taken)] * 2


def test_numpys_where_is_ours_on_nodes() -> None:
    """``np.where`` of a node leaves the same node."""
    x: Any = Value(-1.0)
    z: Any = np.where(x > 0, x, 0.0)
    assert (type(z), z.primitive, gradients(z, x)) == (Value, ad.TABLE["where"], 0.0)


@pytest.fixture
def unit(define: Callable[..., ad.Primitive]) -> ad.Primitive:
    """A user-defined ReLU, whose rule chooses between two plain numbers."""
    return define("unit", lambda xp, x: xp.maximum(x, 0.0), [lambda g, z, x: g * ad.where(x > 0, 1.0, 0.0)])


def test_a_rule_may_choose_between_two_numbers(unit: ad.Primitive) -> None:
    """On floats and arrays, at both orders and forward; as a formula; and as the source of fast code."""
    assert [grad(unit)(x) for x in (2.0, 0.0, -2.0)] == [1.0, 0.0, 0.0]
    assert grad(grad(lambda x: unit(x) ** 2))(2.0) == 2.0
    points = np.array([2.0, 0.0, -2.0])
    assert grad(lambda x: ad.sum(unit(x)))(points).tolist() == [1.0, 0.0, 0.0]
    assert hessian(lambda x: ad.sum(unit(x) ** 2))(points).tolist() == np.diag([2.0, 0.0, 0.0]).tolist()
    assert jvp(unit, (points,), (np.ones(3),))[1].tolist() == [1.0, 0.0, 0.0]
    assert unit.formula(0) == "where(x > 0, 1.0, 0.0)"
    for x in (2.0, -2.0, points + 0.5):
        assert check_gradients(unit, x, order=2).passed


def test_a_rule_that_chooses_makes_no_nodes_for_numbers(unit: ad.Primitive) -> None:
    """The graph of a derivative has the product, and no choice of 1 and 0."""
    x = Value(2.0)
    (slope,) = gradients(unit(x * 1.0), [x], create_graph=True)
    assert "where" not in {node.label for node in ad.topological(slope)}


def test_an_array_among_the_params_makes_an_array_of_numbers(define: Callable[..., ad.Primitive]) -> None:
    """Any elementwise primitive of plain numbers with a param that is an array gives what NumPy gives."""
    masked = define("masked", lambda xp, x, *, mask: x * mask, [lambda g, z, x, *, mask: g * mask])
    assert masked(2.0, mask=np.array([1.0, 0.0])).tolist() == [2.0, 0.0]


def test_the_picture_of_a_closed_choice_has_the_closed_edge() -> None:
    """The branch not taken is drawn with its factor 0, and the flow shows where the error stops."""
    s, c = Value(5.0, name="s"), Value(1.0, name="c")
    m = margin(s, c)
    m.name = "m"
    J = ad.where(m > 0, m, 0.0)
    J.name = "J"
    assert ad.error_flow(J, s).formula() == "1 · 0 · 1 · (−1) = 1 × 0 × 1 × (−1) = 0"
    drawing = see(J, s, view="rail", check=True)
    wires = [wire for wire in drawing.picture.wires if wire.lane == "error"]
    assert [(wire.label, wire.share) for wire in wires] == [("× 0", 0.0), ("× 1", 0.0), ("× (−1)", 0.0)]
    assert "The error dies here: ∂J/∂m = 0." in drawing.picture.captions
    assert drawing.stamp == "✓ 0 ≈ 0 (by finite differences)"


# ---- constants are checked -------------------------------------------------------------------------------------------


@EACH_OBJECTIVE
@pytest.mark.parametrize("oracle", ["auto", "exact", "dual", "mpmath", "interval"])
def test_a_satisfied_margin_is_checked_as_constant(J: Callable[..., Any], oracle: str) -> None:
    """J = max(0, 1 − s + s_c) at (5, 1) has gradient 0, by every oracle; at (0, 1) it has (−1, 1), at (2, 1) a kink."""
    assert grad(J, (0, 1))(5.0, 1.0) == (0.0, 0.0)
    for point, slopes in (((5.0, 1.0), [0.0, 0.0]), ((0.0, 1.0), [-1.0, 1.0])):
        report = check_gradients(J, *point, oracle=oracle)
        assert report.passed, report
        assert [finding.analytic for finding in report.findings] == slopes
    if oracle in ("auto", "interval"):
        assert check_gradients(J, 2.0, 1.0, oracle=oracle).counts == {Verdict.VALID: 2}


@EACH_OBJECTIVE
def test_a_satisfied_margin_is_constant_to_second_order(J: Callable[..., Any]) -> None:
    """Both orders pass, the relations hold, and along random directions it is constant too."""
    assert check_gradients(J, 5.0, 1.0, order=2).counts == {Verdict.PASS: 4}
    assert check_gradients(J, 5.0, 1.0, directions=2, curve=True).passed
    assert {"constants among the outputs change nothing", "pushforward and pullback agree"} <= {
        *check_relations(J, 5.0, 1.0)
    }


CONSTANTS = [
    3, 3.5, np.int64(3), np.float32(0.5), np.float64(0.5), np.array(3), np.ones(2), np.ones((2, 1), np.float32),
]  # fmt: skip


@pytest.mark.parametrize("constant", CONSTANTS, ids=repr)
@pytest.mark.parametrize("x", [2.0, np.array([1.0, 2.0])], ids=["Value", "Tensor"])
def test_any_number_or_array_is_a_constant(constant: Any, x: Any) -> None:
    """Checks of both orders pass, alone and among several outputs; the relations hold; every transform gives 0."""
    assert check_gradients(lambda x: constant, x, order=2).passed
    assert check_gradients(lambda x: {"a": x * x, "b": [constant, x]}, x, order=2).passed
    assert check_relations(lambda x: constant, x)
    zeros = np.zeros(np.shape(constant) + np.shape(x))
    np.testing.assert_array_equal(jacobian(lambda x: constant)(x), zeros)
    np.testing.assert_array_equal(jacobian(lambda x: [x, constant])(x)[1], zeros)
    np.testing.assert_array_equal(jacobian(jacobian(lambda x: constant))(x), np.zeros((*zeros.shape, *np.shape(x))))
    np.testing.assert_array_equal(jvp(lambda x: constant, (x,), (x,))[1], np.zeros(np.shape(constant)))
    value, pullback = vjp(lambda x: constant, x)
    assert value is constant
    np.testing.assert_array_equal(pullback(np.ones(np.shape(constant)))[0], 0.0 * x)


@pytest.mark.parametrize("x", [2.0, np.array([1.0, 2.0])], ids=["Value", "Tensor"])
def test_a_constant_has_derivatives_of_every_kind(x: Any) -> None:
    """grad, value_and_grad, hessian and hvp of 3 are 0 in the shape of the argument."""
    constant = lambda x: 3.0  # noqa: E731
    shape = np.shape(x)
    assert value_and_grad(constant)(x)[0] == 3.0
    for found, wanted in (
        (grad(constant)(x), shape), (value_and_grad(constant)(x)[1], shape), (hvp(constant, x, x), shape),
        (hessian(constant)(x), shape * 2), (grad(grad(constant) if not shape else constant)(x), shape),
    ):  # fmt: skip
        np.testing.assert_array_equal(found, np.zeros(wanted))


def test_a_wrong_gradient_beside_a_constant_is_still_found() -> None:
    """A function that leaves the graph unnoticed is not a constant: differences reveal it and its cause."""
    report = check_gradients(lambda x: 2.0 * x._data, 1.0)
    assert report.verdict == Verdict.FAIL
    assert [finding.numeric for finding in report.findings] == [pytest.approx(2.0)]
    assert report.blame is not None
    missed = "the graph misses a dependence of f on its inputs (it contains the detached constant 2)"
    assert missed in report.blame.sentence


# ---- what left the graph is no constant ------------------------------------------------------------------------------

TRANSFORMS: dict[str, Callable[..., Any]] = {
    "grad": lambda f, x: grad(f)(x), "value_and_grad": lambda f, x: value_and_grad(f)(x),
    "jacobian": lambda f, x: jacobian(f)(x), "hessian": lambda f, x: hessian(f)(x), "hvp": lambda f, x: hvp(f, x, x),
    "vjp": vjp, "jvp": lambda f, x: jvp(f, (x,), (x,)), "check_gradients": check_gradients,
    "check_relations": check_relations, "check of order 2": partial(check_gradients, order=2),
}  # fmt: skip


@pytest.mark.parametrize("transform", TRANSFORMS.values(), ids=TRANSFORMS)
@pytest.mark.parametrize("x", [1.0, np.array(1.0)], ids=["Value", "Tensor"])
def test_a_result_that_left_the_graph_is_refused_with_its_line(transform: Callable[..., Any], x: Any) -> None:
    """Every transform names the file and line that read the data, and says what to do."""

    def f(x: Any) -> Any:
        y = x * 2.0
        return math.exp(y.data)

    line = f.__code__.co_firstlineno + 2
    with pytest.raises(TypeError) as caught:
        transform(f, x)
    assert f"but the data of a result of multiply was read at {__file__}, line {line}; compute and" in str(caught.value)
    assert "x.detach() if you mean a constant" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("read", "x"),
    [
        (lambda x: x.data, 1.0), (lambda x: x.item(), 1.0), (lambda x: x.data.sum(), np.ones(2)),
        (lambda x: x.item(), np.ones(1)), (lambda x: sum(x.tolist()), np.ones(2)), (lambda x: x.data[0], np.ones(2)),
        (lambda x: copy.copy(x) * 2.0, 1.0), (lambda x: copy.deepcopy(x) * 2.0, 1.0),
        (lambda x: pickle.loads(pickle.dumps(x)) * 2.0, 1.0), (lambda x: Value(x.data), 1.0),
        (lambda x: x.data if x > 0 else 0.0, 1.0), (lambda x: 1.0 if x.data > 0 else 0.0, 1.0),
    ],
)  # fmt: skip
def test_every_way_to_the_data_is_seen(read: Callable[[Any], Any], x: Any) -> None:
    """The property, its relatives, copies that start a graph of their own; a leaf made of the number is no input."""
    told = rf"the data of an input was read at {__file__}, line \d+; compute and compare .* if you mean a constant"
    with pytest.raises(TypeError, match=told):
        grad(read)(x)


@pytest.mark.parametrize("read", [float, int, math.exp, np.float64, lambda x: np.asarray(x, dtype=float)])
def test_what_makes_a_number_of_a_node_is_refused_at_once(read: Callable[[Any], Any]) -> None:
    """Refused at the call, whether the result depends on the input or not."""
    for x in (1.0, np.array(1.0)):
        with pytest.raises(TypeError, match="would silently leave the graph"):
            grad(lambda x: x + 0.0 * read(x))(x)


def test_plain_numbers_of_an_inner_backward_pass_are_seen() -> None:
    """x² differentiated twice, the first time as plain numbers, would give 0; nested, or as a graph, it gives 2."""

    def by_backward(x: Any) -> Any:
        y = x * x
        y.backward()
        return x.grad

    for f in (by_backward, lambda x: gradients(x * x, x)):
        with pytest.raises(TypeError, match=r"a backward pass from a result of multiply gave plain .* with grad, or"):
            grad(f)(2.0)
    assert grad(lambda x: gradients(x * x, x, create_graph=True))(2.0) == 2.0
    assert grad(grad(lambda x: x * x))(2.0) == 2.0


@pytest.mark.parametrize(
    "f",
    [
        lambda x: 3.0, lambda x: x if x > 2.0 else 0.0, lambda x: max(x, 5.0), lambda x: 1.0 if x else 0.0,
        lambda x: np.sign(2.0) if x == 1.0 else 0.0, lambda x: round(x), lambda x: np.floor(x), lambda x: len(f"{x}"),
        lambda x: x.detach() * 2.0, lambda x: x.detach().data * 2.0, lambda x: Value(3.0).data,
        lambda x: (Value(3.0) * 2.0).item(), lambda x: grad(lambda y: y * y)(3.0), lambda x: 1.0 + x.ndim,
    ],
)  # fmt: skip
def test_where_nothing_was_read_a_result_is_a_constant(f: Callable[[Any], Any]) -> None:
    """Comparisons, queries, detached nodes, and data of nodes that do not depend on the input: gradient 0."""
    assert grad(f)(1.0) == 0.0


def test_a_result_that_depends_on_the_inputs_may_read_too() -> None:
    """Softmax with the largest logit taken off, an output for the log beside the loss, a second derivative of both."""

    def softmax(*logits: Any) -> Any:
        top = max(x.data for x in logits)
        powers = [ad.exp(x - top) for x in logits]
        return powers[0] / sum(powers)

    p = 1.0 / (1.0 + math.e)
    assert grad(softmax, (0, 1))(1.0, 2.0) == pytest.approx((p * (1 - p), -p * (1 - p)), rel=1e-14)
    assert check_gradients(softmax, 1.0, 2.0, order=2).passed
    assert vjp(lambda x: (x * x, x.data), 3.0)[1]((1.0, 0.0)) == (6.0,)
    assert hessian(lambda x: ad.sum(x) - x.data.max())(np.ones(2)).tolist() == [[0.0, 0.0], [0.0, 0.0]]


def test_reads_belong_to_the_innermost_call_whose_input_was_read() -> None:
    """A read of the inner input does not affect the outer call; a read of the outer input does, wherever it is."""

    def inner(c: Any) -> Any:
        return grad(lambda y: y * y.data * c)(3.0)

    assert grad(lambda x: x * inner(1.0))(2.0) == 3.0
    assert grad(lambda x: inner(1.0))(2.0) == 0.0
    square = grad(lambda y: y * y)
    outer: list[Callable[[Any], Any]] = [
        lambda x: inner(x.data), lambda x: grad(lambda y: y * x.data)(x), lambda x: square(x.data),
    ]  # fmt: skip
    for f in outer:
        with pytest.raises(TypeError, match="the data of an input was read"):
            grad(f)(2.0)
    w = Value(5.0)
    with pytest.raises(TypeError, match="the data of an input was read"):
        grad(lambda x: w * math.exp(x.data))(1.0)  # it depends on w, not on x
    assert grad(lambda x: w.data * 2.0)(1.0) == 0.0


def test_reads_of_other_threads_do_not_count() -> None:
    """A thread that reads the input of another thread's call affects no one, and an error here does not occur there."""
    barrier, found = threading.Barrier(2), {}

    def constant(x: Any) -> Any:
        barrier.wait()
        barrier.wait()
        return 3.0

    def left(x: Any) -> Any:
        barrier.wait()
        number = x.data
        barrier.wait()
        return number

    def run(f: Callable[[Any], Any]) -> None:
        try:
            found[f] = grad(f)(1.0)
        except TypeError as error:
            found[f] = str(error)

    threads = [threading.Thread(target=run, args=[f]) for f in (constant, left)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found[constant] == 0.0
    assert "the data of an input was read" in found[left]
    x = Value(2.0)
    assert (x.data, grad(lambda y: 3.0)(x)) == (2.0, 0.0)


def test_a_function_runs_once_and_leaves_nothing_watched() -> None:
    """Even if it raises: no call is repeated to find what was read, and reading costs nothing afterwards."""
    calls: list[int] = []

    def f(x: Any) -> Any:
        calls.append(1)
        return x.data

    with pytest.raises(TypeError):
        grad(f)(1.0)
    assert calls == [1]
    with pytest.raises(ZeroDivisionError):
        grad(lambda x: 1 / 0)(1.0)
    assert ad.values.reading.WATCHES == []


def test_a_long_chain_that_is_read_at_every_step_is_walked_once() -> None:
    """20,000 steps take a moment; walked anew at every step they are 200 million nodes, which takes a minute."""

    def f(x: Any) -> Any:
        total = Value(0.0)
        for _ in range(20_000):
            total = total + 1.0
            assert total.data > 0  # of no input
        return x if total.data < 0 else 0.0

    start = time.process_time()
    assert grad(f)(1.0) == 0.0
    assert time.process_time() - start < 10.0


# ---- programs --------------------------------------------------------------------------------------------------------


@KINDS
def test_programs_have_branches(kind: type) -> None:
    """They enter the vocabulary automatically, print as Python, and end in a constant if they are closed."""
    assert {*BRANCHES} <= {*vocabulary(kind)}
    start = "Value -1.5" if kind is Value else "Tensor [-1.5,0.5]"
    closed = Program.parse(f"{start}; branch 0; exp 0")
    assert not isinstance(closed(*closed.leaves()), ad.Node)
    assert check_gradients(closed, *closed.inputs, order=2).passed
    scope: dict[str, Any] = {}
    exec(closed.python(), scope)
    assert scope["output"] == closed(*closed.inputs)
    chosen = Program.parse(f"{start}; choice 0")
    assert "ad.where(x0 > 0.0, x0, 0.0)" in chosen.python()
    assert isinstance(chosen(*chosen.leaves()), ad.Node)


@KINDS
def test_random_programs_meet_constants(kind: type) -> None:
    """Among a few hundred some are constant as a whole, and some take a branch."""
    met: list[str] = []

    def judge(program: Program) -> str | None:
        output = program(*program.leaves())
        names = {name for name, _ in program.steps}
        met.append("a constant" if not isinstance(output, ad.Node) else "a branch" if "branch" in names else "")
        return None

    search(judge, 600, kind=kind, operations=vocabulary(kind, of=["add", "multiply", "exp", *BRANCHES]))
    assert {"a constant", "a branch"} <= {*met}


@pytest.mark.slow
@settings(max_examples=20)
@given(program=programs(operations=VOCABULARY[Value], kinks="anywhere"))
def test_programs_of_several_outputs_have_right_gradients(program: Program) -> None:
    """Each unused value is an output by itself, a constant among them."""
    assert not check_gradients(program.parts, *program.inputs).failed
    slopes = jacobian(lambda inputs: program.parts(*inputs))(list(program.inputs))
    assert slopes[1] == [0.0] * len(program.inputs)


def test_a_gate_that_lets_a_closed_branch_through_is_found(define: Callable[..., ad.Primitive]) -> None:
    """A choice whose rules pass the error to both branches breaks a relation, and no oracle is needed to see it."""
    right = ad.TABLE["where"]
    define("both", right.forward, [lambda g, z, x, y, **_: g, lambda g, z, x, y, **_: g])
    assert "a branch that is not taken gets nothing" in RELATIONS
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(ad.TABLE, "where", ad.TABLE["both"])
        with pytest.raises(AssertionError, match=r"^a branch that is not taken gets nothing: "):
            check_relations(lambda x: x * 2.0, 1.5, only=["a branch that is not taken gets nothing"])


def test_dual_numbers_judge_programs_with_branches() -> None:
    """A closed branch has slope 0 there too; at its kink nothing is decided."""
    assert dual_fault(Program.parse("Value -1.5; branch 0; exp 0")) is None
    assert dual_fault(Program.parse("Value 1.5; choice 0; branch 0")) is None
    with pytest.raises(Undecided):
        dual_fault(Program.parse("Value 0.0; choice 0"))
