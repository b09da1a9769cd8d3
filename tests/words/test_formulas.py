"""Formulas of unnamed nodes: their texts compute the nodes' values, stay short, and never show a number of an order."""

from __future__ import annotations

import math
from operator import neg

from hypothesis import given
from hypothesis import strategies as st

import autodiff as ad
from autodiff import Value
from autodiff.flow.labels import labels
from autodiff.words.formulas import PRODUCT, SUM, as_operand, of_name, quotient
from autodiff.words.notation import in_ascii

_STEPS = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=4)


def built(steps: list[tuple[int, int, int]]) -> list[Value]:
    """The results of random arithmetic on three named numbers and a constant."""
    made = [Value(0.75, name="x"), Value(-1.5, name="y"), Value(0.5, name="rate")]
    for kind, a, b in steps:
        u, v = made[a % len(made)], made[b % len(made)]
        made.append([u + v, u - v, u * v, u / 4.0, -u, u**2, 0.5 * u, u - (-0.25), 1.0 * u, u / 1.0, u + (-v),
                     neg(neg(u)), u * (-0.5)][kind])
    return made


def evaluated(text: str) -> float:
    """The value of a text, computed by Python."""
    written = text.replace("·", "*")
    return float(eval(in_ascii(written).replace("^", "**"), {"x": 0.75, "y": -1.5, "rate": 0.5}))


@given(steps=_STEPS)
def test_a_formula_computes_the_value_of_its_node(steps: list[tuple[int, int, int]]) -> None:
    """Python reads every whole formula as the number that the node holds."""
    for node, label in labels(ad.topological(built(steps)[-1])).items():
        text = label.split("#")[0]
        if "…" not in text:
            assert math.isclose(evaluated(text), node.data, rel_tol=1e-12, abs_tol=1e-12)


@given(steps=_STEPS)
def test_labels_differ_and_are_short(steps: list[tuple[int, int, int]]) -> None:
    """At most 40 characters and the number of a repetition."""
    found = list(labels(ad.topological(built(steps * 5)[-1])).values())
    assert len({*found}) == len(found)
    assert all(len(label.split("#")[0]) <= 40 for label in found)


def test_functions_powers_and_leaves() -> None:
    """Brackets where precedence needs them; a leaf without a name shows its number."""
    x, y = Value(2.0, name="x"), Value(3.0, name="y")
    told = {
        "(x − y)²": (x - y) ** 2, "(√x)²": ad.sqrt(x) ** 2, "|x − y|": abs(x - y), "x·(−y)": x * (-y),
        "(x + y)^(x + 1)": (x + y) ** (x + 1), "tanh(0.3·x)": ad.tanh(0.3 * x), "x/y/(x·y)": x / y / (x * y),
        "Value(2)": Value(2.0), "3·x": Value(3.0) * x, "x − y": x + (-y), "x + y": x - (-y), "x/y": neg(neg(x)) / y,
        "1·x": 1.0 * x, "x − y·x": 1.0 * x + (-y) * x, "y − 0.5": y + (-0.5), "x + x·y": x - (-x * y),
        "−(−(x + y))": neg(neg(x + y)), "tanh(x + y)": ad.tanh(1.0 * (x + y)), "x·11": x * 11.0,
    }  # fmt: skip
    assert [labels(ad.topological(node))[node] for node in told.values()] == list(told)


def test_a_raised_operator_has_brackets_where_it_is_differentiated() -> None:
    """Without them, ∂(1 + rate)^years would be a power of a derivative; as a factor it needs none."""
    assert quotient("(1 + rate)^years", "rate") == "∂((1 + rate)^years)/∂rate"
    assert quotient("z₁⁽²⁾", "|x|") == "∂z₁⁽²⁾/∂|x|"
    assert as_operand("(1 + rate)^years") == "(1 + rate)^years"
    assert [of_name(name)[1] for name in ("|a|·|b|", "|a| + b", "a|b", "2^−3")] == [PRODUCT, SUM, 0, 0]
