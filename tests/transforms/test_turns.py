"""The turns of a loop in a function that is drawn: a number belongs to the value of that turn, or there is none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import autodiff as ad
from autodiff import Value, topological
from autodiff.draw import see
from autodiff.telling.explain import explain
from autodiff.transforms.run import run
from autodiff.words.notation import subscript


def loan(balance: Any, rate: Any) -> Any:
    for _ in range(12):
        balance = balance * (1 + rate) - 90.0
    return balance


def coupled(k: Any) -> Any:
    x, v = 1.0, 0.0
    for _ in range(9):
        v = v - 0.1 * k * x
        x = x + 0.1 * v
    return x * x


def nested(x: Any) -> Any:
    y = x * 1.0
    for _ in range(3):
        for _ in range(4):
            y = y * 0.9 + 1.0
    return y


def ended(x: Any) -> Any:
    y = x * 1.0
    while True:
        y *= 0.5
        if y < 0.2:
            break
    return y


def rebound(x: Any) -> Any:
    y = x * 2.0
    for _ in range(5):
        y = ad.sin(y)
    y = ad.exp(y)
    return y  # noqa: RET504


def names(f: Callable[..., Any], *inputs: float) -> dict[str, float]:
    """The values by their names, of which each must occur once."""
    named = [(node.name, node.data) for node in topological(run(f, inputs).output) if node.name]
    assert len(dict(named)) == len(named)
    return dict(named)


def test_the_numbers_are_those_of_the_turns() -> None:
    """An input keeps the plain name; otherwise the last value has it, and the value before the loop the number 0."""
    expected, balance = {"balance": 1e3, "rate": 0.01}, 1e3
    for k in range(1, 13):
        balance = expected[f"balance{subscript(str(k))}"] = balance * 1.01 - 90.0
    assert names(loan, 1e3, 0.01) == pytest.approx(expected)
    expected, x, v = {"k": 4.0}, 1.0, 0.0
    for k in range(1, 10):
        v = expected[f"v{subscript(str(k))}" if k < 9 else "v"] = v - 0.1 * 4.0 * x
        x = expected[f"x{subscript(str(k))}" if k < 9 else "x"] = x + 0.1 * v
    assert names(coupled, 4.0) == pytest.approx(expected | {"coupled": x * x})
    expected, y = {"x": 3.0, "y₀": 3.0}, 3.0
    for k in range(1, 13):
        y = expected[f"y{subscript(str(k))}" if k < 12 else "y"] = y * 0.9 + 1.0
    assert names(nested, 3.0) == pytest.approx(expected)


def test_loops_of_unknown_length_and_variables_with_another_value_behind() -> None:
    """A while with a break; y = exp(y) after the loop has the plain name."""
    assert [*names(ended, 3.0)] == ["x", "y₀", "y₁", "y₂", "y₃", "y"]
    assert [*names(rebound, 3.0)] == ["x", "y₀", "y₁", "y₂", "y₃", "y₄", "y₅", "y"]


def branched(x: Any) -> Any:
    for k in range(6):
        if k % 2:
            x = x * 2.0
    return x


def skipped(x: Any) -> Any:
    for k in range(6):
        if k == 2:
            continue
        x = x * 2.0
    return x


def twice(x: Any) -> Any:
    for _ in range(3):
        x = x * 2.0
        x = x + 1.0
    return x


def one_line(x: Any) -> Any:
    for _ in range(3): x = x * 2.0  # fmt: skip  # noqa: E701
    return x


def shared(x: Any) -> Any:
    for k in range(6):
        x = x * 2.0 if k % 2 else x
    return x


def exchanged(x: Any) -> Any:
    y = x * 2.0
    for _ in range(4):
        x = x * 0.5
        x, y = y, x + y
    return x + y


def broken(x: Any) -> Any:
    for k in range(4):
        x = x * 0.5
        if k == 1:
            break
        x = x + 1.0
    return x


@pytest.mark.parametrize("f", [branched, skipped, twice, one_line, shared, broken])
def test_where_turns_cannot_be_told_there_are_no_numbers(f: Callable[[Any], Any]) -> None:
    """A branch, a continue, two assignments: the first value need not be that of the first turn."""
    assert {node.name for node in topological(run(f, [3.0]).output) if node.name} == {"x"}


def test_a_variable_that_got_another_name_has_no_numbers_either() -> None:
    """x at the end of a turn is the y of the turn before."""
    found = [node.name or "" for node in topological(run(exchanged, [3.0]).output)]
    assert {name for name in found if name[:1] == "x"} == {"x"}


def test_a_name_in_use_is_not_given_again() -> None:
    """A Value from outside is called balance₂."""
    other = Value(1e3, name="balance₂")
    found = [node.name for node in topological(run(loan, [other, 0.01]).output)]
    assert found.count("balance₂") == 1
    assert "balance₃" not in found


def test_the_steps_are_folded_by_name_and_can_be_unfolded() -> None:
    """As for a loop of the caller; only unfold=True drew them."""
    what = see(loan, 1e3, 0.01, parameter="rate").picture
    assert [box.label for box in what.boxes if box.kind == "fold"] == ["balance₂ … balance₁₁"]
    assert len(see(loan, 1e3, 0.01, unfold="balance").picture.boxes) == 38
    told = explain(loan, 1e3, 0.01, parameter="rate").text()
    assert "balance₁₁" in told
    assert "#" not in told.partition("Why")[0].replace("1 + rate#", "")
