"""Rules as formulas: the text of the table's rules, and operations that a symbol does not allow."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autodiff as ad
from autodiff import TABLE
from autodiff.primitives.expression import ONE, Expression, number, variable

X, Y, Z = variable("x"), variable("y"), variable("z")


@pytest.mark.parametrize(("expression", "text"), [
    (X + Y * Z, "x + y·z"), ((X + Y) * Z, "(x + y)·z"), (X - (Y - Z), "x − (y − z)"), (X - Y - Z, "x − y − z"),
    (X / (Y / Z), "x/(y/z)"), (X / Y / Z, "x/y/z"), (X * (Y / Z), "x·(y/z)"),
    (-(X + Y), "−(x + y)"), (-X * Y, "−x·y"),
    (X**2, "x**2"), ((X * Y) ** Z, "(x·y)**z"), (X ** (Y + 1), "x**(y + 1)"), ((X**Y) ** Z, "(x**y)**z"),
    (X ** (Y**Z), "x**y**z"), ((-X) ** 2, "(−x)**2"), (-(X**2), "−x**2"), (2**X, "2**x"), (1 - X * X, "1 − x·x"),
    (3 + X, "3 + x"), (2 / X, "2/x"), (X * 0.5, "x·0.5"), (X * -2, "x·−2"), (-number(3), "−3"),
    (number(-3) ** X, "(−3)**x"),
    (ONE * X, "x"), (X * ONE, "x"), (X / ONE, "x"), (ONE * ONE, "1"), (-ONE * X, "−1·x"), (X // 2, "x // 2"),
    (X // (Y // 2), "x // (y // 2)"), (X >= Y, "x ≥ y"), ((X > 0) & (X < 1), "x > 0 and x < 1"),
    ((X <= 0) | (Y != 0), "x ≤ 0 or y ≠ 0"), (X == Y, "x = y"),
    (X @ (Y @ Z), "x @ (y @ z)"), (abs(X), "absolute(x)"), (X @ Y.T, "x @ y.T"), ((X + Y).T, "(x + y).T"),
    (X[0], "x[0]"), (X[Y, 1:], "x[y, 1:]"),
    (X[: Y.size // 2], "x[:y.size // 2]"), (X[::-1], "x[::-1]"), (X.dot(Y), "x.dot(y)"),
    (X.sum(axis=0), "x.sum(axis=0)"),
    (X[Y > 0].T, "x[y > 0].T"),
    (ad.sin(X) * 2, "sin(x)·2"), (ad.sum(X, axis=0, keepdims=True), "sum(x, axis=0, keepdims=True)"),
    (ad.maximum(X, 0), "maximum(x, 0)"), (np.float64(2.0) * X, "2·x"), (np.ones(2) * X, "[1.0, 1.0]·x"),
])  # fmt: skip
def test_text_has_the_brackets_that_it_needs(expression: Expression, text: str) -> None:
    """Operators bind as in Python; brackets appear only where they change the meaning."""
    assert str(expression) == text
    assert repr(expression) == f"Expression({text!r})"


NUMBERS = {"x": Fraction(2), "y": Fraction(-3), "z": Fraction(1, 2)}
LEAVES = st.sampled_from([(name,) for name in NUMBERS])
OPERATORS = st.sampled_from([operator.add, operator.sub, operator.mul, operator.truediv])
TREES = st.recursive(LEAVES, lambda t: st.tuples(OPERATORS, t, t) | st.tuples(st.just(operator.neg), t), max_leaves=6)


def built(tree: Any, leaf: Callable[[str], Any]) -> Any:
    """A drawn expression, made of the leaves that ``leaf`` gives."""
    if isinstance(tree[0], str):
        return leaf(*tree)
    return tree[0](*(built(part, leaf) for part in tree[1:]))


@given(tree=TREES)
def test_text_reads_back_as_the_same_number(tree: Any) -> None:
    """Evaluated in fractions, the text of a random expression gives the value of the expression: no bracket is lost."""
    text = str(built(tree, variable)).replace("·", "*").replace("−", "-")
    try:
        expected = built(tree, NUMBERS.__getitem__)
    except ZeroDivisionError:
        return
    assert eval(text, dict(NUMBERS)) == expected


@pytest.mark.parametrize(("name", "formula"), [
    ("sigmoid", "∂/∂x: z·(1 − z)"), ("tanh", "∂/∂x: 1 − z·z"), ("multiply", "∂/∂x: y, ∂/∂y: x"),
    ("add", "∂/∂x: 1, ∂/∂y: 1"),
    ("subtract", "∂/∂x: 1, ∂/∂y: −1"), ("matvec", "∂/∂x: outer(g, y), ∂/∂y: matvec(x.T, g)"), ("exp", "∂/∂x: z"),
    ("transpose", "∂/∂x: transpose(g, axes=inverse(axes))"),
])  # fmt: skip
def test_formula_of_a_rule(name: str, formula: str) -> None:
    """An elementwise rule shows the local gradient, any other the share of the error signal g."""
    assert TABLE[name].formula() == formula


def read_otherwise(part: Any) -> Iterator[Expression]:
    """The parts of an expression whose displayed formula differs from the computation."""
    if isinstance(part, Expression):
        if part.head == "read as":
            yield part
        for item in part.parts:
            yield from read_otherwise(item)


def test_what_people_read_is_the_number_that_is_computed() -> None:
    """Far from where the formula loses digits both are the same: σ′ reads z·(1 − z), and 1 − z is computed from x."""
    seen = []
    for entry in (entry for entry in TABLE.values() if entry.elementwise and entry.arity == 1):
        params = {key: number(1.0) for key in entry.defaults}
        for part in read_otherwise(entry.rule(0)(ONE, Z, X, **params)):
            (call,) = part.parts
            if call.head != "call" or call.parts[0].arity != 1:
                continue
            text = str(part).replace("·", "*").replace("−", "-")
            expected = eval(text, {"x": 0.75, "z": entry(0.75), "exp": math.exp, "cos": math.cos, "sqrt": math.sqrt})
            assert call.parts[0](0.75, **call.params) == pytest.approx(expected, rel=1e-14)
            seen.append(entry.name)
    # others are tried at 50 digits, as all rules are
    assert seen == ["arctan", "tanh", "erfc", "sigmoid", "normal_cdf", "gelu"]


def test_formula_of_many_inputs_numbers_them(define: Callable[..., Any]) -> None:
    """Four inputs are x0 … x3, since letters run out."""
    rules = [lambda g, z, *x, k=k: g * z / x[k] for k in range(4)]
    entry = define("four", lambda xp, a, b, c, d: a * b * c * d, rules)
    assert entry.formula(3) == "z/x3"
    assert entry.formula().startswith("∂/∂x0: z/x0, ")


def test_a_symbol_is_neither_true_nor_false() -> None:
    """A rule that decides by `if` cannot be read as a formula: the error says which function to use."""
    with pytest.raises(TypeError, match=r"the symbol x > 0 as a truth value; choose with where\(cond"):
        bool(X > 0)


@pytest.mark.parametrize("use", [list, float, len, iter, np.exp, np.asarray, np.linalg.norm, lambda x: [0][x]])
def test_a_symbol_is_no_number_and_no_array(use: Callable[[Any], Any]) -> None:
    """An operation that needs the value of a symbol fails at once, instead of using another value."""
    with pytest.raises(TypeError):
        use(X)
    with pytest.raises(TypeError, match="the symbol x is not an array"):
        np.asarray(X)


def test_symbols_are_compared_as_formulas_and_told_apart_by_identity() -> None:
    """== builds a formula; in sets and dicts a symbol is itself."""
    assert len({X, Y, X}) == 2
    assert isinstance(X == X, Expression)
    with pytest.raises(AttributeError):
        X.__wrapped__  # noqa: B018


def test_a_choice_reads_as_numpy_writes_it() -> None:
    """where(condition, x, y); asking whether x equals itself asks whether it is a number."""
    assert ad.TABLE["hard_tanh"].formula(0) == "where(x ≥ −1 and x ≤ 1, 1.0, where(x is a number, 0.0, x))"
