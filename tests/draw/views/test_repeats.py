"""The steps of every loop between the first and the last are folded into one box, and the error still adds up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import autodiff as ad
from autodiff import Value
from autodiff.draw import Picture, see
from tests.draw.views.test_views import check_layout


def loan(months: int = 12) -> tuple[Value, Value]:
    """One variable."""
    rate, payment, balance = Value(0.01, name="rate"), Value(90.0, name="payment"), Value(1e3, name="loan")
    for _ in range(months):
        balance = balance * (1 + rate) - payment
    return balance, rate


def newton() -> tuple[Value, Value]:
    """The square root of 2."""
    a, x = Value(2.0, name="a"), Value(1.0)
    for _ in range(8):
        x = 0.5 * (x + a / x)
    return x, a


def spring() -> tuple[Value, Value]:
    """Two variables that depend on each other."""
    k, x, v = Value(4.0, name="k"), Value(1.0), Value(0.0)
    for _ in range(10):
        v = v - 0.1 * k * x
        x = x + 0.1 * v
    return 0.5 * k * x * x + 0.5 * v * v, k


def recurrent() -> tuple[Value, Value]:
    """A unit over twelve inputs, with a loss at its end."""
    h, w = Value(0.0), Value(0.5, name="w")
    for k in range(12):
        h = ad.tanh(w * h + Value(0.1 * k))
    return (h - 0.3) ** 2, w


def folded(what: Picture) -> list[list[str]]:
    """The texts of the boxes that represent several nodes."""
    return [[row.cells[0].text for row in box.rows] for box in what.boxes if box.kind == "fold"]


def test_the_box_says_what_it_holds() -> None:
    """In both languages, with a caption that says how to unfold it."""
    rate, payment, balance = Value(0.01, name="rate"), Value(90.0, name="payment"), Value(1e3, name="loan")
    for _ in range(12):
        balance = balance * (1 + rate) - payment
    what = see(balance, rate).picture
    assert folded(what) == [["balance₂ … balance₁₁", "10 more steps"]]
    assert what.captions[0] == (
        '10 repeated steps (30 nodes) are folded into one box; unfold="balance" draws them all.'
    )
    assert len(what.boxes) == 10
    assert folded(see(balance, language="zh").picture) == [["balance₂ … balance₁₁", "另有 10 步"]]
    for unfold in ("balance", True):
        assert len(see(balance, rate, view="graph", unfold=unfold).picture.boxes) == len(ad.topological(balance))
    with pytest.raises(ValueError, match=r"cannot unfold 'x': only those of 'balance' are folded here; unfold=True"):
        see(balance, rate, unfold="x")
    with pytest.raises(TypeError, match="expected unfold as True, False or the name of a loop's variable, but got 3"):
        see(balance, rate, unfold=3)  # type: ignore[arg-type]


def test_without_the_variable_the_steps_are_counted() -> None:
    """The loop is in another function."""
    what = see(*loan()).picture
    assert folded(what) == [["…", "10 more steps"]]
    assert what.captions[0].endswith('view="graph", unfold=True draws them all.')
    with pytest.raises(ValueError, match="cannot unfold 'balance': no steps with a name are folded here"):
        see(*loan(), unfold="balance")


def test_few_steps_and_drawings_without_a_width_are_not_folded() -> None:
    """Six are drawn, seven folded."""
    assert folded(see(*loan(6)).picture) == []
    assert folded(see(*loan(7)).picture) == [["…", "5 more steps"]]
    assert folded(see(*loan(12), width=None).picture) == []


@pytest.mark.parametrize("build", [loan, newton, spring, recurrent])
def test_the_shares_add_up_to_every_error(build: Callable[[], tuple[Value, Value]]) -> None:
    """At each node that is drawn on a path, also of what comes out of the folded box."""
    what = see(*build(), view="graph").picture
    check_layout(what)
    assert len(folded(what)) == 1
    arriving: dict[str, list[Any]] = {}
    for wire in what.wires:
        if wire.lane == "error":
            arriving.setdefault(wire.head, []).append(wire.share)
    checked = 0
    for box in what.boxes:
        error = box.rows[-1].cells[-1].number
        if box.kind in ("unit", "parameter") and box.id in arriving:
            assert sum(arriving[box.id]) == pytest.approx(error, rel=1e-12)
            checked += 1
    assert checked >= 3


def test_a_parameter_inside_a_step_is_drawn() -> None:
    """An input of one step stays outside the box; a result in the middle keeps its loop unfolded."""
    h, inputs, states = Value(0.0), [Value(0.1 * k) for k in range(12)], []
    for x in inputs:
        h = ad.tanh(0.5 * h + x)
        states.append(h)
    what = see(h, inputs[5], view="graph").picture
    assert [box.kind for box in what.boxes].count("parameter") == 1
    assert len(folded(what)) == 1
    assert folded(see(h, states[5], view="graph").picture) == []


@pytest.mark.parametrize("numbers", ["₉₈₇₆₅₄₃₂₁", "₁₁₁₁₁₁₁₁₁", "₅₁₉₂₃₄₆₇₈", "₁₂₃₅₄₆₇₈₉", "₂₄₆₈"])
def test_names_that_do_not_count_the_steps_are_not_taken_for_them(numbers: str) -> None:
    """Names by users, in another order or with gaps: the box counts its steps itself."""
    h = Value(1.0)
    names = [f"x{number}" for number in numbers] if len(numbers) > 4 else [f"x₁{number}₀" for number in "₁₂₃₄₅₆₇₈₉"]
    for name in names:
        h = ad.sin(h)
        h.name = name
    assert folded(see(h).picture) == [["…", "7 more steps"]]


def test_names_that_count_the_steps_may_begin_anywhere() -> None:
    """x₅ is the first one."""
    h = Value(1.0)
    for number in "₅₆₇₈₉":
        h = ad.sin(h)
        h.name = f"x{number}"
    for number in "₀₁₂₃":
        h = ad.sin(h)
        h.name = f"x₁{number}"
    assert folded(see(h).picture) == [["x₆ … x₁₂", "7 more steps"]]


def two_loops(*, after: bool) -> tuple[Value, Value]:
    """A loop of twelve steps and one of nine: the second one starts from the result of the first, or from a number."""
    w, x, y = Value(0.9, name="w"), Value(1.0), Value(0.5)
    for _ in range(12):
        x = ad.tanh(w * x + 0.1)
    y = x if after else y
    for _ in range(9):
        y = y - ad.sin(w / y)
    return x + y, w


@pytest.mark.parametrize("after", [True, False])
def test_both_loops_of_a_graph_are_folded(after: bool) -> None:
    """One after the other, or side by side; the shares add up."""
    output, w = two_loops(after=after)
    what = see(output, w).picture
    assert sorted(texts[1] for texts in folded(what)) == ["10 more steps", "7 more steps"]
    assert sorted(caption.split()[0] for caption in what.captions[:2]) == ["10", "7"]
    check_layout(what)
    arriving: dict[str, list[Any]] = {}
    for wire in what.wires:
        if wire.lane == "error":
            arriving.setdefault(wire.head, []).append(wire.share)
    (parameter,) = (box for box in what.boxes if box.kind == "parameter")
    assert sum(arriving[parameter.id]) == pytest.approx(parameter.rows[-1].cells[-1].number, rel=1e-12)


def test_one_of_two_loops_can_be_unfolded_by_name() -> None:
    """The other one stays folded; an unknown name is answered with both."""
    w, x, y = Value(0.9, name="w"), Value(1.0), Value(0.5)
    for _ in range(12):
        x = ad.tanh(w * x + 0.1)
    for _ in range(12):
        y = ad.sin(w * y)
    output = x * y
    assert sorted(texts[0] for texts in folded(see(output).picture)) == ["x₂ … x₁₁", "y₂ … y₁₁"]
    assert folded(see(output, unfold="x").picture) == [["y₂ … y₁₁", "10 more steps"]]
    with pytest.raises(ValueError, match=r"cannot unfold 'z': only those of '[xy]', '[xy]' are folded here"):
        see(output, unfold="z")


def test_loops_that_feed_each_other_do_not_become_two_boxes() -> None:
    """Wires between their boxes would form a cycle."""
    x, y = Value(1.0), Value(0.5)
    xs = [x]
    for _ in range(20):
        xs.append(ad.sin(ad.sin(xs[-1])))
    for k in range(9):
        y = ad.tanh(y * xs[2 * k + 1])
    top = xs[-1]
    for _ in range(9):
        top = ad.cos(top)
    what = see(top * y).picture
    check_layout(what)
    assert 1 <= len(folded(what)) <= 3


def test_an_operation_after_the_loop_is_no_step_of_it() -> None:
    """It takes another weight, or stands in another line; a step is a whole turn."""

    def run(x: float, w: float, end: float) -> Value:
        value = Value(x) if isinstance(x, float) else x
        for _ in range(12):
            value = ad.tanh(value * w)
        after = ad.tanh(value * end)
        return after * 2.0

    x, w, end = Value(0.3, name="x"), Value(1.1, name="w"), Value(2.0, name="end")
    assert folded(see(run(x, w, end), w, view="graph").picture) == [["…", "10 more steps"]]
    assert folded(see(run, 0.3, 1.1, 2.0).picture) == [["value₂ … value₁₁", "10 more steps"]]
    r = Value(3.2, name="r")
    for _ in range(8):
        x = r * x * (1 - x)
    assert [texts[1] for texts in folded(see(x, r).picture)] == ["6 more steps"]
