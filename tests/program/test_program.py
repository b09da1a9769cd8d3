"""`program`: what its result can do, when it records again, what it refuses."""

from __future__ import annotations

import copy
import pickle
import threading
from typing import Any

import numpy as np
import pytest

from autodiff import Tensor, Value, error_flow, gradients, program, topological
from autodiff.program.checking import ProgramError
from nn import Dropout, Network

A, B = Value(0.3, name="a"), Value(-0.7, name="b")
SCALE = 2.0


class Settings:
    """A number that a function finds in a class."""

    rate = 0.5


def loss(x: float, y: float) -> Any:
    """A function of two leaves."""
    return (A * x + B * y).sigmoid()


def numbers(found: Any) -> list[float]:
    """Gradients with 0 for None."""
    return [0.0 if item is None else float(item) for item in found]


@pytest.fixture(autouse=True)
def fresh() -> Any:
    """Leaves without gradients."""
    A.grad = B.grad = None


def test_calls_accumulate_and_join_larger_graphs() -> None:
    """The nodes of two calls are factors of a graph; backward adds to what is there."""
    step = program(loss)
    step(1.0, 2.0)
    joined = step(0.5, 1.0) * step(1.0, -1.0) + A
    expected = loss(0.5, 1.0) * loss(1.0, -1.0) + A
    assert np.allclose(gradients(joined, [A, B]), gradients(expected, [A, B]), rtol=1e-13)
    step(0.5, 1.0).backward()
    step(1.0, -1.0).backward()
    found = A.grad, B.grad
    A.grad = B.grad = None
    loss(0.5, 1.0).backward()
    loss(1.0, -1.0).backward()
    assert np.allclose(found, (A.grad, B.grad), rtol=1e-13)


def test_a_seed_and_the_gradient_of_the_result_itself() -> None:
    """The result has its own gradient, which is the seed."""
    step = program(loss)
    J = step(1.0, 2.0)
    J.backward(3.0)
    assert J.grad == 3.0
    assert A.grad == pytest.approx(3.0 * gradients(loss(1.0, 2.0), A))


def test_second_derivatives_come_from_the_recorded_graph() -> None:
    """`gradients(create_graph=True)` through a program, and through what depends on it."""
    step = program(loss)
    step(1.0, 1.0)
    for mine, other in (
        (step(0.4, 2.0), loss(0.4, 2.0)),
        (step(0.4, 2.0) * step(1.0, 1.0) + B * B, loss(0.4, 2.0) * loss(1.0, 1.0) + B * B),
    ):
        first, second = (gradients(output, [A, B], create_graph=True) for output in (mine, other))
        assert np.allclose([x.data for x in first], [x.data for x in second], rtol=1e-13)
        assert np.allclose(gradients(first[0], [A, B]), gradients(second[0], [A, B]), rtol=1e-12)


def test_nodes_among_the_arguments_get_their_gradients() -> None:
    """A computed node is an input, and its graph goes on; the same node twice is the same node."""
    step = program(lambda x, y: A * x * y)
    step(A * 1.0, B * 1.0)
    x = A * B
    for args in ((x, B * 2.0), (x, x)):
        assert np.allclose(gradients(step(*args), [A, B]), gradients(A * args[0] * args[1], [A, B]), rtol=1e-13)
    y = x * 2.0  # one argument depends on the other
    mine, other = (gradients(J, [A, B], create_graph=True) for J in (step(x, y), A * x * y))
    assert np.allclose([item.data for item in mine], [item.data for item in other], rtol=1e-13)
    assert np.allclose(gradients(mine[0], [A, B]), gradients(other[0], [A, B]), rtol=1e-12)


def test_results_keep_their_structure() -> None:
    """A dict of lists of nodes, with constants as they were."""
    step = program(lambda x: {"z": [A * x, A * B], "w": (Tensor([1.0, 2.0]) * x, 3)})
    step(1.0)
    result = step(2.0)
    assert result["w"][1] == 3
    assert result["w"][0].data.tolist() == [2.0, 4.0]
    both = result["z"][0] * result["z"][1]
    assert np.allclose(gradients(both, [A, B]), gradients((A * 2.0) * (A * B), [A, B]), rtol=1e-13)


def test_pictures_and_flows_unfold_the_inside() -> None:
    """One node for the program; the flow knows every node inside."""
    step = program(loss)
    step(1.0, 2.0)
    J = step(0.5, 1.0)
    assert len(topological(J)) == 3
    flow = error_flow(J * J, A)
    assert flow.gradient == pytest.approx(gradients(loss(0.5, 1.0) ** 2, A))
    assert len(flow.nodes) > 3


def test_copies_and_pickles() -> None:
    """A deep copy has leaves of its own; a pickle holds the graph, and that of a program its function."""
    step = program(loss)
    step(1.0, 2.0)
    J = step(0.5, 1.0)
    twin = copy.deepcopy(J)
    twin.backward()
    assert A.grad is None
    assert pickle.loads(pickle.dumps(J)).data == J.data
    again = pickle.loads(pickle.dumps(step))
    assert again.programs == []
    assert again(0.5, 1.0).data == J.data
    assert copy.deepcopy(step)(0.5, 1.0).data == J.data


def test_parameters_that_move_or_are_replaced() -> None:
    """Assigned data are read; a leaf in the place of another is another program, even if it is equal."""
    leaves = [Value(1.0), Value(2.0)]
    step = program(lambda x: leaves[0] * x + leaves[1])
    assert (step(1.0).data, step(3.0).data) == (3.0, 5.0)
    leaves[0].data = 10.0
    assert step(3.0).data == 32.0
    old, leaves[0] = leaves[0], Value(10.0)
    step(3.0).backward()
    assert (old.grad, leaves[0].grad) == (None, 3.0)
    leaves.append(Value(4.0))
    assert step(3.0).data == 32.0


def test_globals_and_classes_that_change() -> None:
    """Numbers that the function finds elsewhere are looked at before each replay."""
    global SCALE
    step = program(lambda x: A * x * SCALE * Settings.rate)
    try:
        for SCALE in (2.0, 3.0, 3.0):
            for Settings.rate in (0.5, 1.5):
                for x in (1.0, 2.0):
                    assert step(x).data == (A * x * SCALE * Settings.rate).data
    finally:
        SCALE, Settings.rate = 2.0, 0.5


def test_a_guard_may_raise() -> None:
    """The message names the line, and what came out."""
    step = program(lambda x: A * x if x > 0.0 else B * x, on_change="raise")
    step(1.0)
    step(2.0)
    with pytest.raises(ProgramError, match=r"> at .*test_program.py, line \d+ came out otherwise"):
        step(-1.0)


def test_what_cannot_be_seen_is_found_by_the_second_call() -> None:
    """A counter that the function keeps is a constant of the recording."""
    calls = iter(range(100))
    step = program(lambda x: A * x * float(next(calls)))
    step(1.0)
    with pytest.raises(ProgramError, match="differ in number 0"):
        step(2.0)


def test_types_that_are_asked_for_are_found_at_once() -> None:
    """What stands for a float is no float."""
    step = program(lambda x: A * x if isinstance(x, float) else B * x)
    with pytest.raises(ProgramError, match="differ"):
        step(1.0)


def test_a_function_that_cannot_be_recorded_is_called() -> None:
    """An assignment inside is done by each call."""
    counter = Value(0.0)

    def counting(x: float) -> Any:
        counter.data = counter._data + 1.0
        return A * x

    step = program(counting)
    assert [step(x).data for x in (1.0, 2.0, 3.0)] == [0.3, 0.6, 0.3 * 3.0]
    assert counter.data == 3.0
    with pytest.raises(ZeroDivisionError):
        program(lambda x: x / 0)(1)


def test_an_id_out_of_range_raises_as_in_the_list() -> None:
    """And the next call is replayed."""
    row = [A, B, A * B]
    step = program(lambda t: row[t] * 2.0)
    assert [step(t).data for t in (0, 1, -1)] == [(item * 2.0).data for item in row]
    with pytest.raises(IndexError, match="list index out of range"):
        step(3)
    assert step(2).data == (A * B * 2.0).data
    assert len(step.programs) == 1


def test_a_branch_that_always_changes_is_not_recorded_for_ever() -> None:
    """After some recordings in a row the function is called; its results stay right."""
    step = program(lambda x: A * round(x, 3))
    for k in range(30):
        assert step(k / 7).data == (A * round(k / 7, 3)).data
    assert len(step.programs) < 10


def test_programs_inside_programs() -> None:
    """The inner one is recorded as a part of the outer one."""
    inner = program(lambda x: A * x)
    outer = program(lambda x: inner(x) * inner(2.0 * x) + B)
    outer(1.0)
    expected = (A * 3.0) * (A * 6.0) + B
    assert outer(3.0).data == pytest.approx(expected.data)
    assert np.allclose(gradients(outer(3.0), [A, B]), gradients(expected, [A, B]), rtol=1e-13)


def test_inf_and_nan_are_computed_again() -> None:
    """A closed gate hides an infinity, as in an eager call."""
    step = program(lambda x: (A * x).exp() * 0.5 + B)
    step(1.0)
    with np.errstate(all="ignore"):
        assert step(1e5).data == np.inf
    assert step(2.0).data == pytest.approx(((A * 2.0).exp() * 0.5 + B).data)


def test_threads_may_call_one_program() -> None:
    """Recordings and replays in several threads at once."""
    step = program(loss)
    wrong = []

    def calling(start: int) -> None:
        for k in range(40):
            x, y = (start + k) / 20, (start - k) / 30
            if abs(step(x, y).data - loss(x, y).data) > 1e-12:
                wrong.append((x, y))

    threads = [threading.Thread(target=calling, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_dropout_is_drawn_anew() -> None:
    """As many different results as eager calls give, from the same generator."""
    made = [
        Network((3, 4, 1), dropout=Dropout(0.5, random=np.random.default_rng(3)), random=np.random.default_rng(1))
        for _ in range(2)
    ]
    x = np.array([1.0, -2.0, 3.0])
    step = program(lambda x: made[0](x).sum())
    assert [float(step(x).data) for _ in range(6)][1:] == pytest.approx(
        [float(made[1](x).sum().data) for _ in range(7)][2:]
    )


def test_a_batch_is_the_mean_of_its_examples() -> None:
    """Arrays and lists, with labels; one program for all lengths; a branch leads to programs of single examples."""
    rows = [[Value(0.1 * k + j) for j in range(2)] for k in range(3)]
    leaves = [A, B, *(item for row in rows for item in row)]

    def example(x: Any, t: int) -> Any:
        return (A * x[0] + B * x[1] + rows[t][0] * rows[t][1]).sigmoid()

    def branching(x: float) -> Any:
        return (A * x).exp() if x > 0 else B * x

    random = np.random.default_rng(0)
    step = program(example, batch=("x", "t"))
    for count in (4, 7, 1):
        X, t = random.standard_normal((count, 2)), random.integers(0, 3, count)
        each = [example(row, int(k)) for row, k in zip(X.tolist(), t, strict=True)]
        expected = sum(each) / float(count)
        for args in ((X, t), (X.tolist(), t.tolist())):
            assert step(*args).data == pytest.approx(expected.data)
            assert np.allclose(
                numbers(gradients(step(*args), leaves)), numbers(gradients(expected, leaves)), rtol=1e-12, atol=1e-15
            )
    total = program(branching, batch="x", mean=False)
    for _ in range(3):
        x = random.standard_normal(5)
        expected = sum(branching(float(item)) for item in x)
        assert np.allclose(gradients(total(x), [A, B]), gradients(expected, [A, B]))
    with pytest.raises(ValueError, match="same number of examples, and got t 3, x 4"):
        step(np.zeros((4, 2)), [0, 1, 2])


def test_value_and_grad_leaves_gradients_alone() -> None:
    """Plain numbers, by leaf; the same of a call that is not replayed."""
    step = program(loss)
    for args in ((1.0, 2.0), (0.5, 1.0)):
        number, found = step.value_and_grad(*args)
        assert number == loss(*args).data
        assert [found[A], found[B]] == pytest.approx(gradients(loss(*args), [A, B]))
    assert (A.grad, B.grad) == (None, None)
    with pytest.raises(ValueError, match="returned shape"):
        program(lambda x: Tensor([1.0, 2.0]) * x).value_and_grad(1.0)


def test_refusals() -> None:
    """Errors say what was expected."""
    with pytest.raises(TypeError, match="takes a function"):
        program(3.0)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="on_change"):
        program(loss, on_change="ignore")
    with pytest.raises(ValueError, match="verify"):
        program(loss, verify="sometimes")
    with pytest.raises(ValueError, match="leading axis"):
        program(loss, batch=("x",))(1.0, 2.0)
