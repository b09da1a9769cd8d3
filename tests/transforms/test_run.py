"""A function run to be drawn: the names of its variables, the lines of its source, and errors in one sentence."""

from __future__ import annotations

import functools
import math
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autodiff as ad
from autodiff import Tensor, Value, grad, topological
from autodiff.draw import see
from autodiff.telling.explain import explain
from autodiff.transforms.run import run
from nn import Network

weight = Value(3.0)


def sample(x: Any, y: Any) -> Any:
    """A docstring, which no listing shows."""
    a = x * y
    # a comment, likewise
    b = ad.sin(a) + weight
    total = 0.0
    for _ in range(3):
        total = total + b * x
    return (
        total
        + a * y
    )  # fmt: skip


def squares(xs: Any) -> Any:
    parts = [x * x for x in xs]
    return parts[0] + parts[1]


def repaid(debt: Any, rate: Any, years: int) -> Any:
    for _ in range(years):
        debt = debt + debt * rate
    return debt


def described(f: Callable[..., Any], *inputs: Any) -> list[tuple[str | None, str]]:
    """Name and source of every node, inputs first."""
    return [
        (node.name, node.origin.line.text.strip() if node.origin.line else "")
        for node in topological(run(f, inputs).output)
    ]


# ---- names and lines -------------------------------------------------------------------------------------------------


def test_inputs_and_results_have_the_names_of_variables_and_their_lines() -> None:
    """Also in a loop and on a continued line; a node from outside keeps no trace."""
    assert described(sample, 2.0, 3.0) == [
        ("x", "def sample(x: Any, y: Any) -> Any:"),
        ("y", "def sample(x: Any, y: Any) -> Any:"),
        ("a", "a = x * y"),
        (None, "b = ad.sin(a) + weight"),
        (None, ""),
        ("b", "b = ad.sin(a) + weight"),
        *[(k, "total = total + b * x") for name in ("total₁", "total₂", "total") for k in (None, name)],
        (None, "+ a * y"),
        ("sample", "total"),
    ]
    assert weight.name is None
    assert weight.origin.line is None


def test_a_name_given_later_leaves_the_line() -> None:
    """As for any other node, `name` can be assigned."""
    output = run(sample, (2.0, 3.0)).output
    line = output.origin.line
    output.name = "later"
    assert output.origin.line is line is not None


def test_the_listing_is_the_source_without_docstring_and_comments() -> None:
    """Numbers are those of the file; the indentation stays."""
    listing = run(sample, (2.0, 3.0)).listing
    first = sample.__code__.co_firstlineno
    assert [(line.number - first, line.text) for line in listing[:4]] == [
        (0, "def sample(x: Any, y: Any) -> Any:"), (2, "    a = x * y"),
        (4, "    b = ad.sin(a) + weight"), (5, "    total = 0.0"),
    ]  # fmt: skip


def test_a_long_function_lists_the_lines_that_computed_something(tmp_path: Any, monkeypatch: Any) -> None:
    """Of 60 lines, the two that made nodes and the definition."""
    source = "def long(x):\n    y = x * x\n" + "    k = 1\n" * 60 + "    return y + 1.0\n"
    (tmp_path / "long_module.py").write_text(source, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    from long_module import long  # type: ignore[import-not-found]

    assert [line.number for line in run(long, [2.0]).listing] == [1, 2, 63]


def test_variables_outside_and_inside_name_the_rest() -> None:
    """Lists of the function, free and global variables; as with names=locals()."""
    labels = {box.label for box in see(sample, 2.0, 3.0).picture.boxes if not box.ports}
    assert labels == {"x", "y", "weight"}
    texts = {cell.text for box in see(squares, [2.0, 3.0]).picture.boxes for row in box.rows for cell in row.cells}
    assert {"xs[0]", "xs[1]", "parts[0]", "parts[1]", "squares"} <= texts
    inner = Value(2.0)
    assert "inner" in see(lambda x: x * inner, 2.0).text()


def test_numbers_in_lists_dicts_and_arrays_become_inputs() -> None:
    """With their index or key; a Tensor for an array, in its own shape."""
    done = run(lambda p, q, W: np.sum(W) * p["h"] * q[1], [{"h": 2.0}, (1.0, 3.0), np.ones((2, 2))])
    assert {name: node.shape for name, node in done.inputs.items()} == {
        "p['h']": (), "q[0]": (), "q[1]": (), "W": (2, 2),
    }  # fmt: skip


def test_whole_numbers_are_constants_beside_others_and_inputs_alone() -> None:
    """A count or an exponent; see(f, 2, 3) means numbers."""
    assert list(run(repaid, (1000.0, 0.5, 2)).inputs) == ["debt", "rate"]
    assert list(run(sample, (2, 3)).inputs) == ["x", "y"]
    with pytest.raises(ValueError, match="years is a whole number, which remains a constant here; write an input as 2"):
        see(repaid, 1000.0, 0.5, 2, parameter="years")


def test_other_kinds_of_functions() -> None:
    """Partial, bound and decorated ones, objects, lambdas, and functions written in C."""

    @functools.wraps(sample)
    def wrapper(*args: Any) -> Any:
        return sample(*args)

    class Doubler:
        def __call__(self, x: Any) -> Any:
            double = x * 2.0
            return double + 1.0

        def method(self, x: Any) -> Any:
            half = x / 2.0
            return half + 1.0

    def names(*args: Any) -> set[str | None]:
        return {name for name, _ in described(*args)}

    assert {"a", "b", "x", "y"} <= names(wrapper, 2.0, 3.0)
    assert {"a", "b", "y"} <= names(functools.partial(sample, 2.0), 3.0)
    assert names(Doubler(), 2.0) == {"x", "double", None}
    assert names(Doubler().method, 2.0) == {"x", "half", "method"}
    assert names(lambda x: x * 2.0, 2.0) == {"x", None}
    assert run(np.sin, [2.0]).output.data == math.sin(2.0)


def test_a_function_of_one_line_has_no_listing() -> None:
    """All its boxes would have the same number."""
    drawing = see(lambda x: x * 2.0, 3.0)
    assert drawing.picture.listing == ()
    assert not any(box.lines for box in drawing.picture.boxes)


def test_nothing_outside_changes() -> None:
    """Neither gradients, nor names, nor the hooks of the interpreter, also if the function fails."""
    hook = sys.gettrace()
    see(sample, 2.0, 3.0)
    assert weight.grad is None
    own = Value(2.0)
    assert see(sample, own, 3.0).flow is None
    assert own.name is None
    with pytest.raises(ZeroDivisionError):
        see(lambda x: 1 // 0, 2.0)
    assert sys.gettrace() is hook


# ---- see and explain -------------------------------------------------------------------------------------------------


def test_see_shows_the_gradients_of_all_inputs() -> None:
    """In the picture of the whole graph, and with their lines in the tooltips and in the text."""
    drawing = see(sample, 2.0, 3.0)
    gradients = grad(sample, (0, 1))(2.0, 3.0)
    errors = {box.label: box.rows[1].cells[-1].number for box in drawing.picture.boxes}
    assert [errors["x"], errors["y"]] == pytest.approx(gradients)
    line = sample.__code__.co_firstlineno + 2
    assert f"; line {line}: a = x * y" in drawing.text()
    assert drawing.svg().count('data-role="line"') == len(drawing.picture.boxes) - 1  # all but the weight
    assert ">    a = x * y<".replace("    ", "") in drawing.svg()


@pytest.mark.parametrize("view", ["auto", "rail", "shares", "graph"])
def test_see_follows_the_error_to_a_parameter_by_name(view: str) -> None:
    """Boxes have their lines in every view, and the listing is below."""
    drawing = see(sample, 2.0, 3.0, parameter="y", view=view, check=True)
    assert drawing.flow is not None
    assert drawing.flow.gradient == pytest.approx(grad(sample, 1)(2.0, 3.0))
    assert drawing.stamp.startswith("✓")
    assert {line for box in drawing.picture.boxes for line in box.lines} > {sample.__code__.co_firstlineno}
    assert drawing.picture.listing


def test_see_follows_the_error_to_a_variable_or_node() -> None:
    """A result on the way, and a weight from outside."""
    a, outside = see(sample, 2.0, 3.0, parameter="a").flow, see(sample, 2.0, 3.0, parameter=weight).flow
    assert a is not None
    assert outside is not None
    assert (a.parameter.name, outside.parameter.label, outside.gradient) == ("a", "weight", 6.0)


def test_explain_takes_the_first_input_or_another() -> None:
    """explain(f, 2.0, 3.0)."""
    x, y = grad(sample, (0, 1))(2.0, 3.0)
    assert explain(sample, 2.0, 3.0).gradient == pytest.approx(x)
    assert explain(sample, 2.0, 3.0, parameter="y").gradient == pytest.approx(y)
    assert "∂sample/∂x" in explain(sample, 2.0, 3.0).text()


def test_see_calls_a_network() -> None:
    """Its input stays a constant; a weight is found by its name in the notes."""
    network = Network((2, 2, 1), scalar=True)
    assert see(network, [1.0, 2.0]).svg() == see(network([1.0, 2.0])).svg()
    expected = see(network([1.0, 2.0]), network.parameter("W11(1)"))
    assert see(network, [1.0, 2.0], parameter="W11(1)").svg() == expected.svg()


# ---- errors ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: see(sample, 2.0), r"sample\(x: 'Any', y: 'Any'\) -> 'Any' was given 1 input, 2.0: missing a required "
         r"argument: 'y'; pass one input for each parameter, as in see\(f, 2.0, 3.0\)"),
        (lambda: see(sample), "was given 0 inputs, none: missing a required argument: 'x'"),
        (lambda: see(sample, 1.0, 2.0, 3.0), "was given 3 inputs, 1.0, 2.0, 3.0: too many positional arguments"),
        (lambda: see(sample, "a", None), "sample was given no numbers to differentiate, only 'a' "),
        (lambda: see(lambda x: (x, x), 2.0), r"returned a tuple of 2; draw one result at a time, as in see\(lambda \*"),
        (lambda: see(lambda x: {"k": x}, 2.0), r"returned a dict of 1; draw one .*f\(\*inputs\)\['k'\], 2"),
        (lambda: see(lambda x: np.array([x, x]), 2.0), "returned an array of 2; draw one result at a time"),
        (lambda: see(lambda x: None, 2.0), "returned None; end it with return and the result to be drawn"),
        (lambda: see(lambda x: 3.0, 2.0), "returned 3.0, which does not depend on its inputs"),
        (lambda: see(math.sin, 2.0), r"float\(\) of a Value would silently leave the graph"),
        (lambda: see(3.0, 2.0), r"but got 3.0; a function is drawn with its inputs: see\(f, 2.0, 3.0\)"),
        (lambda: see(Value(1.0), Value(2.0), Value(3.0)), "a result is drawn with one parameter, as in .* but got 2"),
        (lambda: see(Network((2, 1))), r"got the network Network\(.*; pass its input too: see\(network, x\)"),
        (lambda: see(Network((2, 2), scalar=True), [1.0, 2.0]), r"draw one of its outputs: see\(network\(x\)\[0\]\)"),
        (lambda: explain(Network((2, 1))), r"explain needs a parameter: explain\(output, parameter\), or explain\(net"),
        (lambda: explain(Network((2, 1)), "W11(1)", [1.0, 2.0], 3.0), "at most one input x, but got more"),
    ],
)  # fmt: skip
def test_type_errors_are_one_sentence(call: Callable[[], Any], message: str) -> None:
    """What came, and what to write."""
    with pytest.raises(TypeError, match=message):
        call()


def test_unknown_names_list_the_known_ones() -> None:
    """Inputs first."""
    with pytest.raises(ValueError, match="called 'q'; the function has x, y, sample, total, total₂, total₁, b, a"):
        see(sample, 2.0, 3.0, parameter="q")
    with pytest.raises(ValueError, match=r"a function takes its inputs as in explain\(f, 2.0, 3.0\); leave out x"):
        explain(sample, 2.0, 3.0, x=[1.0])


def test_a_tensor_result_of_several_numbers_is_drawn_without_gradients() -> None:
    """It has no single gradient."""
    drawing = see(lambda t: t * 2.0, np.ones(3))
    assert "gradient" not in drawing.text().partition("\n")[2].partition("\n")[0]
    assert isinstance(run(lambda t: t * 2.0, [np.ones(3)]).output, Tensor)


def test_objects_and_modules_give_names_too() -> None:
    """A function takes ``names`` in all the forms in which a result takes them."""

    class Plan:
        def __init__(self) -> None:
            self.rate = Value(0.5)

    plan = Plan()
    done = run(lambda x: x * plan.rate, [2.0])
    assert done.names(plan)["rate"] is plan.rate
    assert "rate" in [node.label for node in ad.error_flow(done.output, plan.rate, names=done.names(plan)).nodes]
    assert done.names() == done.names({})
    with pytest.raises(TypeError, match="expected names as a mapping"):
        done.names(3.0)
