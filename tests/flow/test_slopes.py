"""Local gradients as formulas: over the whole table, symbols and numbers give the rule's own number.

Formulas are read back by a translation into Python that shares no code with the writer.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from scipy import special

import autodiff as ad
from autodiff import Tensor, Value, error_flow
from autodiff.engine.shares import local_gradients
from autodiff.flow import Flow, FlowEdge
from autodiff.primitives.primitive import Primitive
from autodiff.primitives.registry import TABLE
from autodiff.telling.explain import explain
from autodiff.telling.terms import local_equation
from tests.support.flows import notes_flow

FUNCTIONS = {
    "exp": math.exp, "ln": math.log, "sin": math.sin, "cos": math.cos, "tanh": math.tanh, "sinh": math.sinh,
    "cosh": math.cosh, "sqrt": math.sqrt, "rint": np.rint, "abs": abs, "σ": special.expit, "Φ": special.ndtr,
    "spherical_bessel": lambda x, n: special.spherical_jn(n, x), "π": math.pi, "LN2": math.log(2), "LN10": math.log(10),
}  # fmt: skip
RAISED = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-", strict=True))
#: Operations whose rule is too long for a formula, or has none for a single number.
NEUTRAL = {("spherical_bessel", 1), ("spherical_bessel", 2)}


def evaluated(text: str, names: dict[str, float]) -> float:
    """The number of a formula in our notation."""
    text = re.sub("[⁰¹²³⁴-⁹⁻]+", lambda m: f"**({''.join(map(RAISED.__getitem__, m[0]))})", text)
    text = re.sub(r"\|([^|]*)\|", r"abs(\1)", text)
    text = text.replace("√(2π)", "sqrt(2·π)").replace("√(", "sqrt(")
    text = re.sub(r"√(\w+)", r"sqrt(\1)", text)
    for ours, theirs in (("·", "*"), ("×", "*"), ("−", "-"), ("^", "**"), ("ln 2", "LN2"), ("ln 10", "LN10")):
        text = text.replace(ours, theirs)
    # a sign binds more loosely than a power in both notations
    return float(eval(text, {"__builtins__": {}}, FUNCTIONS | names | {"π": math.pi}))


def calls() -> Iterator[Any]:
    """Each elementwise operation with its scalar examples, at several points of its domain."""
    for name, entry in TABLE.items():
        if not entry.elementwise or not entry.built_in:
            continue
        params = [dict(each.params) for each in entry.examples if not any(each.shapes)] or [{}]
        for k, own in enumerate(params):
            yield pytest.param(entry, own, id=f"{name}-{k}")


@pytest.mark.parametrize(("entry", "params"), [*calls()])
def test_symbols_and_numbers_of_every_rule_give_its_number(entry: Primitive, params: dict[str, Any]) -> None:
    """To 1e-12, at five points; a rule without a formula has a neutral name."""
    random = np.random.default_rng(5)
    count = entry.arity or 5
    told = 0
    for _ in range(5):
        domains = entry.domain * (count if len(entry.domain) == 1 else 1)
        inputs = [Value(float(d.draw(random, ())), name="xyuvw"[k]) for k, d in enumerate(domains)]
        output = entry(*inputs, **params)
        output.name = "q"
        names = {item.name or "": item.data for item in (*inputs, output)}
        for item, local in zip(inputs, local_gradients(output), strict=True):
            flow = error_flow(output, item)
            (edge,) = flow.edges
            assert edge.local == local
            told += _agrees(flow, edge, names)
    assert told or (entry.name, params.get("n")) in NEUTRAL


def _agrees(flow: Flow, edge: FlowEdge, names: dict[str, float]) -> bool:
    """Whether the edge has a symbol that can be read; what can be read is the local gradient."""
    slope, local = flow.slope_of(edge), edge.local
    if slope is None:
        return "∂" not in edge.local_symbol and "′" not in edge.local_symbol
    full = slope.in_numbers(lambda x: f"{x:.17g}".replace("-", "−"))
    for text in filter(None, (slope.symbols, full)):
        assert evaluated(text, names) == pytest.approx(local, rel=1e-12, abs=1e-300)
    for condition in slope.conditions:
        left, sign, right = re.fullmatch(r"(.+) ([<>=]) (.+)", condition).groups()  # type: ignore[union-attr]
        a, b = evaluated(left, names), evaluated(right, names)
        assert {"<": a < b, ">": a > b, "=": a == b}[sign]
    return bool(slope.symbols or slope.conditions)


def edge_of(f: Callable[..., Value], *points: float) -> tuple[Flow, FlowEdge]:
    """The flow from f to its first input, and its only edge."""
    inputs = [Value(point, name=name) for point, name in zip(points, "xyuv", strict=False)]
    output = f(*inputs)
    output.name = "q"
    flow = error_flow(output, inputs[0])
    return flow, flow.edges[0]


@pytest.mark.parametrize(
    ("f", "points", "equation"),
    [
        (ad.sigmoid, (1.185,), "σ′(x) = q·(1 − q) = 0.7658 × 0.2342 = 0.1793"),
        (ad.tanh, (0.5,), "tanh′(x) = 1 − q² = 1 − 0.4621² = 0.7864"),
        (ad.log, (2.0,), "ln′(x) = 1/x = 1/2 = 0.5"),
        (ad.exp, (0.0,), "exp′(x) = q = 1"),
        (ad.sqrt, (4.0,), "1/(2·q) = 1/(2 × 2) = 0.25"),
        (lambda x: x**3, (2.0,), "3·x² = 3 × 2² = 12"),
        (lambda x: x**3, (-2.0,), "3·x² = 3 × (−2)² = 12"),
        (lambda x: x**-1, (-2.0,), "−x⁻² = −(−2)⁻² = −0.25"),
        (lambda x: x**1, (2.0,), "1"),
        (lambda x: x**0, (2.0,), "0"),
        (lambda x: x**0.5, (4.0,), "0.5·x^(−0.5) = 0.5 × 4^(−0.5) = 0.25"),
        (lambda x: x ** (1 / 3), (8.0,), "1/3·x^(−2/3) = 0.3333 × 8^(−0.6667) = 0.08333"),
        (lambda x, y: x**y, (2.0, 3.0), "∂q/∂x = y·x^(y − 1) = 3 × 2² = 12"),
        (lambda x, y: x / y, (6.0, 2.0), "1/y = 1/2 = 0.5"),
        (lambda x, y: y / x, (2.0, 3.0), "−y/x² = −3/2² = −0.75"),
        (lambda x: 1 / x, (2.0,), "−1/x² = −1/2² = −0.25"),
        (ad.relu, (0.5,), "ReLU′(x) = 1 (q > 0)"),
        (ad.relu, (-0.5,), "ReLU′(x) = 0 (q = 0)"),
        (ad.leaky_relu, (-0.5,), "leaky ReLU′(x) = 0.01 (x < 0)"),
        (abs, (-2.0,), "∂q/∂x = −1 (x < 0)"),
        (ad.maximum, (1.0, 2.0), "∂q/∂x = 0 (x < y)"),
        (ad.maximum, (2.0, 2.0), "∂q/∂x = 0.5 (x = y)"),
        (lambda x: ad.clip(x, -1.0, 1.0), (3.0,), "clip′(x) = 0 (x > −1, x > 1)"),
        (lambda x, y: x * y, (3.0, 2.0), "y = 2"),
        (lambda x, y: x + y, (3.0, 2.0), "1"),
        (ad.elu, (-1.0,), "ELU′(x) = exp(x) = 0.3679"),
        (ad.arctan, (2.0,), "arctan′(x) = 1/(1 + x²) = 1/5 = 0.2"),
        (ad.gelu, (1.0,), "GELU′(x) = Φ(x) + x·exp(−x²/2)/√(2π) = 0.8413 + 1 × 0.6065/2.507 = 1.083"),
    ],
)
def test_how_local_gradients_are_told(f: Callable[..., Value], points: tuple[float, ...], equation: str) -> None:
    """In symbols, as a formula of the rule, and in numbers; a choice with its condition."""
    flow, edge = edge_of(f, *points)
    assert local_equation(flow, edge) == equation


def test_a_formula_that_loses_digits_is_not_shown_in_numbers() -> None:
    """1 − tanh² and 1 − σ of a saturated unit: the rule is exact where the formula would cancel."""
    flow, edge = edge_of(ad.tanh, 20.0)
    assert local_equation(flow, edge) == "tanh′(x) = 1 − q² = 1.699e−17"
    flow, edge = edge_of(ad.sigmoid, 40.0)
    assert local_equation(flow, edge) == "σ′(x) = q·(1 − q) = 1 × 4.248e−18 = 4.248e−18"


def test_numbers_that_are_not_finite_have_only_symbols() -> None:
    """log at 0, and x/y at nan."""
    flow, edge = edge_of(ad.log, 0.0)
    assert local_equation(flow, edge) == "ln′(x) = 1/x = inf"
    flow, edge = edge_of(lambda x, y: x / y, 1.0, math.nan)
    assert local_equation(flow, edge) == "1/y = nan"


@pytest.mark.parametrize("name", ["x + y", "−1", "<b>", "$x$", "α_1", "", "\\input{x}", "#2", "󰀁", "n" * 500])
def test_names_are_operands_whatever_they_are(name: str) -> None:
    """A name with a sign stands in brackets; a very long one leaves only numbers."""
    x = Value(0.5, name=name)
    output = ad.tanh(x) ** 3
    flow = error_flow(output, x)
    told = [local_equation(flow, edge) for edge in flow.edges]
    assert told[0].endswith(" = 3 × 0.4621² = 0.6407")
    assert explain(output, x).text()
    if name == "x + y":
        y = x**2
        y.name = "q"
        flow = error_flow(y, x)
        assert local_equation(flow, flow.edges[0]) == "2·(x + y) = 2 × 0.5 = 1"


def test_arrays_have_symbols_without_numbers() -> None:
    """0-d, 1-d and broadcast; a choice differs from entry to entry, so it has a neutral name."""
    for data in (0.5, [0.5, 1.0], np.ones((2, 3))):
        x = Tensor(data, name="x")
        flow = error_flow(ad.sum(ad.sigmoid(x) * np.ones((2, *np.shape(data)))), x)
        slopes = [flow.slope_of(edge) for edge in flow.edges]
        (found,) = [slope for slope in slopes if slope is not None]
        assert found.symbols == "σ(x)·(1 − σ(x))"
        assert found.in_numbers() == ""
    x = Tensor([0.5, -1.0], name="x")
    flow = error_flow(ad.sum(ad.relu(x)), x)
    assert [flow.slope_of(edge) for edge in flow.edges] == [None, None]
    assert [local_equation(flow, edge) for edge in flow.edges][1] == "ReLU′(x)"


def test_a_users_own_primitive_has_its_formula(define: Callable[..., Primitive]) -> None:
    """A rule that fails on symbols, or grows without end, has none."""
    x = Value(2.0, name="x")

    def endless(g: Any, z: Any, x: Any) -> Any:
        for _ in range(8):
            x = x * x
        return g * x

    for name, rule, expected in (
        ("own_cube", lambda g, z, x: g * (3 * x * x), "own_cube(x)′"),
        ("own_choice", lambda g, z, x: g * (3 * x * x if x > 1 else 0), None),
        ("own_endless", endless, None),
        ("own_none", lambda g, z, x: g * math.sqrt(x), None),
    ):
        node = define(name, lambda xp, x: x * x * x, [rule], symbol="f")(x)
        node.name = "q"
        flow = error_flow(node, x)
        (edge,) = flow.edges
        if expected is None:
            assert flow.slope_of(edge) is None
            assert local_equation(flow, edge).startswith("f′(x) = ")
        else:
            assert local_equation(flow, edge) == "f′(x) = 3·x² = 3 × 2² = 12"


def test_the_data_hold_the_formula() -> None:
    """Symbols, numbers in full, and conditions, for the edges that have them."""
    flow = notes_flow()
    records = flow.as_dict()["edges"]
    found = [record["formula"] for record in records if record["formula"]]
    assert [each["symbols"] for each in found] == ["a₁⁽²⁾·(1 − a₁⁽²⁾)"]
    a, rest = map(float, found[0]["numbers"].split(" × "))
    assert a * rest == pytest.approx(next(r["local"] for r in records if r["formula"]), rel=1e-15)
    flow, _ = edge_of(ad.relu, 1.0)
    assert flow.as_dict()["edges"][0]["formula"] == {"symbols": "", "numbers": "", "conditions": ["q > 0"]}


@pytest.mark.parametrize(("constant", "text"), [
    (24_100.0, "24,100·x"), (123_456.789, "123,457·x"), (1e8, "1e+08·x"), (1 / 3, "1/3·x"), (-2 / 7, "−2/7·x"),
    (0.5, "0.5·x"), (0.125, "0.125·x"), (1e300, "1e+300·x"), (5 / 6, "5/6·x"),
])  # fmt: skip
def test_any_constant_of_a_users_rule_can_be_written(define: Any, constant: float, text: str) -> None:
    """From 10,000 on a number has commas; a quotient with endless decimals is written as one."""
    entry = define("scaled", lambda xp, x: constant / 2 * x * x, [lambda g, z, x: g * (constant * x)], elementwise=True)
    x = Value(2.0, name="x")
    flow = error_flow(entry(x), x)
    found = flow.slope_of(flow.edges[0])
    assert found is not None
    assert found.symbols == text
    assert flow.gradient == constant * 2.0
