"""User-defined primitives: their rule always applies, their names are data, they are checked and can be replaced."""

from __future__ import annotations

import ast
import copy
import functools
import gc
import json
import math
import pickle
import subprocess
import sys
import traceback
import weakref
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.dom import minidom

import numpy as np
import pytest

import autodiff as ad
from autodiff import Primitive, Tensor, Value, gradients
from autodiff.draw import see
from autodiff.flow import error_flow
from autodiff.primitives.registry import BUILT_IN
from autodiff.primitives.signatures import check_fit
from autodiff.telling.explain import explain
from autodiff.testing import Program, check_gradients, check_relations, vocabulary
from autodiff.testing.oracles.dual import Dual
from autodiff.testing.random_programs.program import resolve
from autodiff.testing.random_programs.written import python_of
from autodiff.transforms.replay import replayed
from nn import Network
from tests.support.cases import each
from tests.support.present import present

Define = Callable[..., Primitive]
KINDS = pytest.mark.parametrize("kind", [Value, Tensor])


def values(*data: float) -> np.ndarray:
    """An object array of Values."""
    return np.array([Value(x) for x in data], dtype=object)


def slopes(output: Any, inputs: Any) -> list[float]:
    """The gradients as numbers, 0 for an input on which the output does not depend."""
    return [0.0 if slope is None else float(slope) for slope in gradients(output, list(inputs))]


# ---- the rule, always ------------------------------------------------------------------------------------------------

#: Calls of primitives that are not elementwise, each with rules whose shares differ from every derivative of the
#: forward, so that the gradient must come from the rules. By name: the definition, and the shares for x = 3, y = 5.
WHOLE = {
    "one input": (lambda xp, x: xp.sum(x), [lambda g, z, x: -g], {}, (-1.0,)),
    "two inputs": (
        lambda xp, x, y: x.sum() * y.sum(), [lambda g, z, x, y: -g * y.sum(), lambda g, z, x, y: -g * x.sum()], {},
        (-5.0, -3.0),
    ),
    "any number": (lambda xp, *xs: sum(x.sum() for x in xs), lambda k, g, z, *xs: g * (k + 7.0), {}, (7.0, 8.0)),
    "packed": (
        lambda xp, *xs: sum(x.sum() for x in xs), lambda k, g, z, *xs: g * (k + 7.0), {"packed": True}, (7.0, 8.0),
    ),
    "linear": (lambda xp, x: x * 3.0, [lambda g, z, x: g * -3.0], {"linear": True}, (-3.0,)),
    "a reduction": (lambda xp, x: np.sum(x, axis=None), [lambda g, z, x: -g], {"reduces": True}, (-1.0,)),
    "by arrays' own means": (lambda xp, x: x.reshape(-1).dot(x.T.reshape(-1)), [lambda g, z, x: -g * x.T], {}, (-3.0,)),
}  # fmt: skip
EVERY_WHOLE = pytest.mark.parametrize("style", WHOLE)


def whole(define: Define, style: str) -> tuple[Callable[..., Any], tuple[float, ...]]:
    """A primitive of that style, to be called with its inputs one by one, and the shares of its rules."""
    forward, vjp, options, shares = WHOLE[style]
    entry = define(f"whole: {style}", forward, vjp, elementwise=False, **options)
    return (lambda *inputs: entry(list(inputs)) if entry.packed else entry(*inputs)), shares


@EVERY_WHOLE
@KINDS
def test_the_rule_counts_on_values_as_on_tensors(define: Define, kind: type[Value | Tensor], style: str) -> None:
    """A user-defined primitive that is not elementwise uses its rule, not the parts of its forward."""
    call, shares = whole(define, style)
    inputs = [kind(x) for x in (3.0, 5.0)[: len(shares)]]
    output = call(*inputs)
    assert slopes(output, inputs) == list(shares)
    assert type(output) is kind
    output.backward()
    assert tuple(float(x.grad) for x in inputs) == shares


@EVERY_WHOLE
def test_the_rule_counts_beside_numbers_and_other_kinds(define: Define, style: str) -> None:
    """A number, an array or a Tensor beside a Value changes nothing about the Value's share."""
    call, shares = whole(define, style)
    if len(shares) == 2:
        for other in (5, 5.0, np.float32(5.0), np.array(5.0), np.array([5.0]), [5.0], [2.0, 3.0], Tensor(5.0)):
            x = Value(3.0)
            assert slopes(call(x, other), [x]) == [shares[0]]
        for first in (3, 3.0, [3.0], np.array([3.0]), Tensor([3.0])):
            y = Value(5.0)
            assert slopes(call(first, y), [y]) == [shares[1]]


@EVERY_WHOLE
def test_the_rule_counts_on_arrays_of_values(define: Define, style: str) -> None:
    """Object arrays of Values have the values and gradients of the Tensors that hold the same."""
    call, shares = whole(define, style)
    data = [np.array([[3.0, 1.0], [2.0, 4.0]]), np.array([5.0, 6.0])][: len(shares)]
    leaves = [Tensor(x) for x in data]
    output = call(*leaves)
    expected = np.concatenate([slope.ravel() for slope in gradients(output.sum(), leaves)])
    objects = [np.vectorize(Value, otypes=[object])(x) for x in data]
    found = np.asarray(call(*objects))
    flat = [x for each in objects for x in each.flat]
    assert found.shape == output.shape
    assert [x.data for x in found.flat] == output.data.ravel().tolist()
    assert slopes(sum(found.flat), flat) == expected.tolist()


@EVERY_WHOLE
@KINDS
def test_the_rule_counts_in_every_transform(define: Define, kind: type, style: str) -> None:
    """Forward mode, graphs of gradients, copies, pickles, the ledger and the picture follow the rule."""
    call, shares = whole(define, style)
    count, point = len(shares), (3.0, 5.0)[: len(shares)]
    inputs = [kind(x, name=name) for x, name in zip(point, "xy", strict=False)]
    data = tuple(x.data for x in inputs)
    output = call(*inputs)
    assert float(ad.jvp(call, data, tuple(np.ones_like(x) for x in data))[1]) == sum(shares)
    assert slopes(output, inputs) == [float(x.data) for x in gradients(output, inputs, create_graph=True)]
    for twin in (copy.deepcopy(output), pickle.loads(pickle.dumps(output))):
        leaves = {node.name: node for node in ad.topological(twin) if node.is_leaf}
        assert slopes(twin, [leaves[name] for name in "xy"[:count]]) == list(shares)
    assert float(error_flow(output, inputs[0]).gradient) == shares[0]
    assert see(output, inputs[0], check=True).stamp.startswith("✗")
    report = check_gradients(call, *data)
    blame = present(report.blame)
    assert blame.kind == "rule"
    assert f"the rule of whole: {style} " in blame.sentence or f"whole: {style} for" in blame.sentence


@KINDS
def test_a_right_rule_of_arrays_passes_every_test_on_values(define: Define, kind: type) -> None:
    """Order 2, replay, relations and the printed program of Σ x·xᵀ, whose rules use more of arrays than arithmetic."""
    rule = lambda g, z, x: g * 2.0 * x.reshape(x.shape).T.T  # noqa: E731 - as users write them
    square = define("whole square", lambda xp, x: x.reshape(-1).dot(x.reshape(-1)), [rule], elementwise=False)
    x = kind(3.0)
    y = square(x)
    assert float(gradients(gradients(y, x, create_graph=True), x)) == 2.0
    assert float(ad.grad(ad.grad(ad.grad(square)))(3.0)) == 0.0
    assert float(replayed(y, x)(5.0)) == 25.0
    assert check_gradients(square, x.data)
    assert check_gradients(square, x.data, order=2)
    assert check_relations(square, x.data)
    scope = {"ad": ad, "np": np}
    exec(python_of(ad.topological(y), [y]), scope)
    assert float(scope["v1"].data) == 9.0


def test_a_result_of_several_numbers_is_a_tensor_by_the_rule(define: Define) -> None:
    """From one Value to a vector and back: the rule gives the share, in either order."""
    fan = define(
        "fan", lambda xp, x: x.sum() * np.array([1.0, 2.0]), [lambda g, z, x: 7.0 * g.sum()], elementwise=False
    )
    x = Value(3.0)
    assert fan(x).data.tolist() == [3.0, 6.0]
    assert slopes(fan(x).sum(), [x]) == [14.0]
    assert slopes(gradients((fan(x) * fan(x)).sum(), x, create_graph=True), [x]) == [2 * 7.0 * 7.0 * 2]


def test_a_value_beside_arrays_is_an_array_to_the_rule(define: Define) -> None:
    """Forward and rules may ask it for what arrays have; no node stands between, also after a pickle and for many."""
    shift = define(
        "shift", lambda xp, x, y: x + y.sum(), [lambda g, z, x, y: -g, lambda g, z, x, y: -g.sum() * y.T],
        elementwise=False,
    )  # fmt: skip
    x, y = Tensor([1.0, 2.0], name="x"), Value(3.0, name="y")
    output = shift(x, y)
    assert output.inputs == (x, y)
    twin = pickle.loads(pickle.dumps(output))
    for made, leaves in ((output, (x, y)), (twin, twin.inputs)):
        first, second = gradients(made.sum(), leaves)
        assert (first.tolist(), second) == ([-1.0, -1.0], -6.0)
        assert type(second) is float
    assert slopes(gradients(output.sum(), y, create_graph=True), [y]) == [-2.0]
    many = define(
        "many", lambda xp, *x: sum(each.sum() for each in x), lambda k, g, z, *x: -g * (k + x[k].T), elementwise=False
    )
    inputs = [Value(float(k)) for k in range(200)]
    assert slopes(many(*inputs), inputs) == [-2.0 * k for k in range(200)]
    assert slopes(many(x, *inputs[1:]), inputs[1:]) == [-2.0 * k for k in range(1, 200)]


def test_numbers_and_values_do_not_make_float32_wider(define: Define) -> None:
    """Beside float32 they take its type, as in NumPy, though a rule that is not elementwise gets them as arrays."""
    product = define(
        "product", lambda xp, x, y: x * y.reshape(()), [lambda g, z, x, y: g * y, lambda g, z, x, y: (g * x).sum()],
        elementwise=False,
    )  # fmt: skip
    x = Tensor(np.array([1.0, 2.0], np.float32))
    for y in (3.0, 3, Value(3.0)):
        output = product(x, y)
        assert output.dtype == gradients(output.sum(), x).dtype == np.float32
    assert product(np.array([1, 2]), Value(2.5)).data.tolist() == [2.5, 5.0]


def test_a_node_as_param_of_a_call_on_values_is_refused(define: Define) -> None:
    """It would get no share: the message says so for every kind of call."""
    for options in ({"elementwise": False}, {}):
        scaled = define("scaled", lambda xp, x, *, n: x * n, [lambda g, z, x, *, n: g * n], replace=True, **options)
        many = define("many", lambda xp, *x, n: x[0] * n, lambda k, g, z, *x, n: g * n, replace=True, **options)
        for entry in (scaled, many):
            with pytest.raises(TypeError, match=r"takes n as a constant, which no error signal reaches"):
                entry(Value(2.0), n=Value(3.0))


@pytest.mark.parametrize("wrong", [None, 1j, "text"], ids=repr)
def test_what_gives_no_real_number_for_a_value_is_named(define: Define, wrong: Any) -> None:
    """As for an elementwise primitive, the message names the forward or the rule, and its result."""
    forward = define("odd forward", lambda xp, x: wrong, [lambda g, z, x: g], elementwise=False)
    with pytest.raises(TypeError, match="the forward of odd forward must return a real number"):
        forward(Value(2.0))
    rule = define("odd rule", lambda xp, x: x * 1.0, [lambda g, z, x: wrong], elementwise=False)
    with pytest.raises(TypeError, match="the rule of odd rule must return a real number"):
        rule(Value(2.0))


@KINDS
def test_params_reach_the_rule_with_the_forwards_defaults(define: Define, kind: type) -> None:
    """An omitted param has the forward's default, in the rule too, whatever default the rule has."""
    styles: list[tuple[Any, Any, dict[str, Any]]] = [
        (lambda xp, x, *, n=2.0: x.sum() * n, [lambda g, z, x, *, n=5.0: -g * n], {"elementwise": False}),
        (lambda xp, x, *, n=2.0: x * n, [lambda g, z, x, *, n=5.0: -g * n], {}),
        (lambda xp, x, *, n=2.0: float(x) * n if kind is Value else x * n, [lambda g, z, x, *, n=5.0: -g * n], {}),
        (lambda xp, *x, n=2.0: x[0] * n, lambda k, g, z, *x, n=5.0: -g * n, {}),
        (lambda xp, *x, n=2.0: x[0].sum() * n, lambda k, g, z, *x, n=5.0: -g * n, {"elementwise": False}),
    ]
    for forward, vjp, options in styles:
        scaled = define("scaled anyhow", forward, vjp, replace=True, **options)
        x = kind(3.0)
        assert (slopes(scaled(x), [x]), slopes(scaled(x, n=4.0), [x])) == ([-2.0], [-4.0])
        assert float(gradients(scaled(x), x, create_graph=True).data) == -2.0


def test_params_of_a_users_reduction_reach_arrays_of_values(define: Define) -> None:
    """Besides axis and keepdims, which the engine handles, a reduction may have other params."""
    power = define(
        "sum of powers",
        lambda xp, x, *, axis=-1, keepdims=False, p=2.0: np.sum(x**p, axis=axis, keepdims=keepdims),
        [lambda g, z, x, *, axis=-1, keepdims=False, p=2.0: -p * x],
        elementwise=False, reduces=True,
    )  # fmt: skip
    x = values(1.0, 2.0, 3.0, 4.0).reshape(2, 2)
    assert [y.data for y in power(x, p=3.0)] == [9.0, 91.0]
    assert slopes(power(x, p=3.0)[1], x.flat) == [0.0, 0.0, -9.0, -12.0]
    assert [y.data for y in power(x, axis=0)] == [10.0, 20.0]
    plain = define(
        "row sums", lambda xp, x: np.sum(x, axis=-1), [lambda g, z, x: -g[..., None]], elementwise=False, reduces=True
    )
    assert [y.data for y in plain(x)] == [3.0, 7.0]
    assert slopes(plain(x)[1], x.flat) == [0.0, 0.0, -1.0, -1.0]


def test_a_reduction_over_values_is_replayed_and_rebuilt() -> None:
    """A node with an input for each Value is recomputed from them, by checks beside pictures and by relations."""
    x = values(1.0, 2.0, 3.0)
    y = ad.logsumexp(x)
    assert replayed(y, x[0])(3.0) == pytest.approx(math.log(2 * math.exp(3.0) + math.exp(2.0)), rel=1e-14)
    assert see(y, x[0], check=True).stamp.startswith("✓")
    assert check_relations(lambda a, b: ad.sum(np.array([a, b], dtype=object)), 1.0, 2.0)


def test_the_rule_counts_in_a_network_of_values(define: Define) -> None:
    """An activation of a whole layer: the net of Values has the gradient of the net of Tensors, and is explained."""
    halved = define("halved", lambda xp, z: z * 0.5, [lambda g, a, z: g * 3.0], elementwise=False)
    found = []
    for scalar in (True, False):
        network = Network((2, 2, 1), activation=halved, random=np.random.default_rng(3), scalar=scalar)
        score = network([1.0, -0.5])
        (score if scalar else score.sum()).backward()
        found.append([np.ravel(x.grad) for x in network.parameters().values()])
        if scalar:
            told = explain(network, "W11(1)", [1.0, -0.5])
            assert told.gradient == network.parameter("W11(1)").grad
    np.testing.assert_allclose(np.concatenate(found[0]), np.concatenate(found[1]), rtol=1e-14)


def test_built_in_products_of_values_are_still_seen_in_parts() -> None:
    """A matrix of Values times a vector is products and sums, which a reader can look at, not a node of arrays."""
    y = ad.matmul(values(1.0, 2.0, 3.0, 4.0).reshape(2, 2), values(5.0, 6.0))
    assert [node.label for node in ad.topological(y[0])][-1] == "add"


# ---- names are data --------------------------------------------------------------------------------------------------

HOSTILE = [
    "my-op", "my op", " ", "shape", "dtype", "T", "data", "__array__", "__class__", "__float__",
    "class", "None", "x0", "z", "g", "Node", "arrays", "forward0", "constant0", "edition",
    "a'b", 'a"b', '"""', "\\", "\\n", "a\nb", "a\r\nb", "\t", "a\x00b", "\ud800", "\x1b[31m", "\u2028", "\u202eab",
    "ﬁ", "é", "a{0}b", "{", "%s", "a;b", "a%20b", "#", "$x$", "a_b^c", "|", "`x`", "*x*", "<script>alert(1)</script>",
    "&amp;", "]]>", "-->", "\U000f0001", "x" * 300, "x);raise SystemExit(1)#", "__import__('os').abort()",
]  # fmt: skip
EVERY_NAME = each("name", HOSTILE)

#: Forwards and whether they can be written out as source; float() and np.array refuse symbols.
CUBES: dict[str, Callable[..., Any]] = {
    "an expression": lambda xp, x: x * x * x,
    "no expression": lambda xp, x: float(x) ** 3 if np.ndim(x) == 0 else np.array(x) ** 3,
}
CUBE_RULE = [lambda g, z, x: g * (3.0 * x * x)]


@EVERY_NAME
@pytest.mark.parametrize("forward", CUBES.values(), ids=CUBES)
@KINDS
def test_a_primitive_may_be_called_anything(define: Define, kind: type, forward: Any, name: str) -> None:
    """Values, first and second derivatives, and another's rule that calls it: the name is never read as source."""
    cube = define(name, forward, CUBE_RULE)
    caller = define(f"its caller {name}", lambda xp, x: x * 1.0, [lambda g, z, x: g * cube(x)])
    x = kind(2.0)
    y = cube(x)
    assert (float(y.data), slopes(y, [x])) == (8.0, [12.0])
    assert float(gradients(gradients(cube(x), x, create_graph=True), x)) == 12.0
    assert slopes(caller(x), [x]) == [8.0]
    assert name in caller.formula(0)


@EVERY_NAME
def test_printed_programs_quote_names(define: Define, name: str) -> None:
    """What prints a program prints Python that computes the same, and a line that reads back as the same program."""
    cube = define(name, CUBES["an expression"], CUBE_RULE)
    x = Value(2.0, name=name)
    scope = {"ad": ad, "np": np}
    exec(python_of(ad.topological(y := cube(x)), [y]), scope)
    assert scope["v1"].data == 8.0
    program = resolve([(name, 0), ("add", 0, 1)], [0.5], known := vocabulary(Value, of=[name, "add"]))
    assert [step for step, _ in program.steps] == [name, "add"]
    assert Program.parse(str(program), known) == program
    exec(program.python(), scope)
    assert scope["output"].data == program(Value(0.5)).data


@EVERY_NAME
def test_pictures_and_reports_quote_names(define: Define, name: str, tmp_path: Path) -> None:
    """Pictures are well-formed in every format, and a report is one that reads as Python where it shows Python."""
    wrong = define(name, CUBES["an expression"], [lambda g, z, x: g * (2.0 * x * x)])
    x = Value(2.0, name=name)
    drawing = see(wrong(x) * wrong(x), x)
    for end in ("svg", "dot", "html", "txt", "json", "tex", "md"):
        drawing.save(tmp_path / f"picture.{end}")
        text = (tmp_path / f"picture.{end}").read_text(encoding="utf-8")
        assert "<script>alert" not in text or end not in ("svg", "html")
        if end == "svg":
            minidom.parseString(text)
        if end == "json":
            json.loads(text)
    blame = present(check_gradients(wrong, 1.5).blame)
    assert blame.sentence.isprintable() or blame.sentence.replace(name, "").isprintable()
    assert len(blame.sentence.splitlines()) == 1
    ast.parse(blame.program)


@pytest.mark.parametrize("name", ["__array__", "__array_struct__", "__array_interface__", "shape", "T"])
def test_a_name_that_numpy_asks_for_is_no_answer(define: Define, name: str) -> None:
    """Dual numbers have the built-in primitives as methods; if they had a user-defined one, NumPy would call it."""
    cube = define(name, CUBES["an expression"], CUBE_RULE)
    assert check_gradients(lambda x: ad.sum(cube(x) * ad.exp(x)), np.array([1.0, 2.0])).passed
    assert not hasattr(Dual(1.0, 1.0), name)


def test_names_of_one_spelling_in_python_stay_apart() -> None:
    """Python reads ﬁ as fi: leaves called so are two variables in the printed program, and ad stays the package."""
    a, b, c = Value(2.0, name="ﬁ"), Value(3.0, name="fi"), Value(5.0, name="ａｄ")
    scope = {"ad": ad, "np": np}
    exec(python_of(ad.topological(y := a * b * c), [y]), scope)
    assert scope["v2"].data == 30.0


@pytest.mark.parametrize("kind", [str, np.str_])
def test_a_name_is_kept_as_a_plain_text(define: Define, kind: type) -> None:
    """A subclass of str may print differently, which would appear in printed programs."""

    class Shouting(kind):  # type: ignore[misc]
        def __repr__(self) -> str:
            return "__import__('os').abort()"

    entry = define(Shouting("quiet"), CUBES["an expression"], CUBE_RULE)
    assert (type(entry.name), entry.symbol) == (str, "quiet")


def test_written_source_names_its_primitive_and_no_other(define: Define) -> None:
    """A traceback through generated source shows its lines, even after another primitive has taken the name."""
    fail: Any = lambda xp, x: np.linalg.cholesky(x)  # noqa: E731 - as users write them
    old = define("a\nb\x00", lambda xp, x: fail(xp, x), [lambda g, z, x: g], elementwise=False)
    with pytest.raises(ValueError, match="is not defined"):
        old(Tensor(-np.eye(2)))
    define("a\nb\x00", lambda xp, x: x * 12345.0, [lambda g, z, x: g], elementwise=False, replace=True)(Tensor(1.0))
    with pytest.raises(ValueError, match="is not defined") as error:
        old(Tensor(-np.eye(2)))
    shown = "".join(traceback.format_exception(error.value))
    assert "autodiff a\\nb\\x00 of Tensors" in shown
    assert "raise entry.refusal" in shown
    assert "12345" not in shown


def test_names_that_are_read_from_a_symbol_are_names(define: Define) -> None:
    """An attribute of a symbol that is not a Python name is not written as source: the rule is called directly."""

    class Odd:
        pass

    def rule(g: Any, z: Any, x: Any) -> Any:
        share = getattr(x, "T; raise SystemExit(1)", 1.0)
        return g * 2.0 if isinstance(share, float) else g * share

    entry = define("asks oddly", lambda xp, x: x * 2.0, [rule])
    x = Tensor([1.0, 2.0])
    assert gradients(entry(x).sum(), x).tolist() == [2.0, 2.0]


# ---- replacing -------------------------------------------------------------------------------------------------------


def power(define: Define, n: int, **options: Any) -> Primitive:
    """xⁿ under one name, defined as in a notebook cell that is edited and run again."""
    return define("edited", lambda xp, x: x**n, [lambda g, z, x: g * (n * x ** (n - 1))], replace=True, **options)


def test_a_cell_that_runs_twice_says_what_to_do(define: Define) -> None:
    """Without replace=True the name is taken; the message says what to do, and the table is unchanged."""
    entry = define("once", CUBES["an expression"], CUBE_RULE)
    with pytest.raises(ValueError, match=r"'once' already exists; pass replace=True .*notebook.*choose another name"):
        define("once", CUBES["an expression"], CUBE_RULE)
    assert ad.TABLE["once"] is entry
    with pytest.raises(ValueError, match="has 2 rules"):
        define("once", CUBES["an expression"], CUBE_RULE * 2, replace=True)
    assert ad.TABLE["once"] is entry


@KINDS
def test_replacing_forgets_what_was_written_for_the_old(define: Define, kind: type) -> None:
    """After each edit, values, gradients, both orders, object arrays, programs and dispatch are new."""
    for n in (2, 3, 4, 3):
        entry = power(define, n, numpy=np.spacing)
        x = kind(2.0)
        assert (float(entry(x).data), slopes(entry(x), [x])) == (2.0**n, [n * 2.0 ** (n - 1)])
        assert float(gradients(gradients(entry(x), x, create_graph=True), x)) == n * (n - 1) * 2.0 ** (n - 2)
        assert entry(values(2.0))[0].data == 2.0**n
        assert float(np.spacing(x).data) == 2.0**n
        spaced: Any = np.spacing(Tensor([2.0]))
        assert spaced.data == [2.0**n]
        assert vocabulary(kind, of=["edited"])["edited"](2.0) == 2.0**n
        assert check_gradients(entry, 2.0)


def test_a_replacement_that_leaves_a_numpy_function_out_has_none(define: Define) -> None:
    """The NumPy functions of the old primitive are forgotten too."""
    power(define, 2, numpy=np.spacing)
    np.spacing(Value(2.0))
    power(define, 2)
    with pytest.raises(TypeError, match="spacing has no rule on nodes"):
        np.spacing(Value(2.0))


@KINDS
def test_rules_that_call_a_replaced_primitive_call_the_new_one(define: Define, kind: type) -> None:
    """Two whose rules call each other, in a cell that runs again with a correction: no old rule is left."""
    cell: dict[str, Any] = {}

    def run(wrong: float) -> None:
        cell["half"] = define("half", lambda xp, x: x * 0.5 * wrong, [lambda g, z, x: g * 0.5 * wrong], replace=True)
        first = lambda g, z, x: g * 4.0 * cell["half"](x) * cell["second"](x) / x  # noqa: E731 - as users write them
        second = lambda g, z, x: g * wrong + 0.0 * cell["first"](x)  # noqa: E731
        cell["first"] = define("first", lambda xp, x: x * x, [first], replace=True)
        cell["second"] = define("second", lambda xp, x: x * wrong, [second], replace=True)

    for wrong in (3.0, 1.0):
        run(wrong)
        x = kind(5.0)
        assert slopes(cell["first"](x), [x]) == [10.0 * wrong**2]
        assert slopes(gradients(cell["first"](x), x, create_graph=True), [x]) == [2.0 * wrong**2]
    cell["half"] = define("half", lambda xp, x: x * 5.0, [lambda g, z, x: g * 5.0], replace=True)  # this one alone
    assert slopes(cell["first"](x), [x]) == [100.0]
    assert slopes(gradients(cell["first"](x), x, create_graph=True), [x]) == [20.0]


@KINDS
def test_a_rule_keeps_the_primitive_that_it_holds(define: Define, kind: type) -> None:
    """A rule that holds the old primitive calls the old one, in generated source and in a graph of gradients."""
    old = power(define, 2)
    holder = define("holder", lambda xp, x: x * 1.0, [lambda g, z, x, old=old: g * old(x)])
    power(define, 3)
    x = kind(5.0)
    assert slopes(holder(x), [x]) == [25.0]
    assert float(gradients(holder(x), x, create_graph=True).data) == 25.0


@KINDS
@pytest.mark.parametrize("elementwise", [True, False])
def test_graphs_of_the_old_primitive_keep_its_rule(define: Define, kind: type, elementwise: bool) -> None:
    """Recorded before, differentiated after: both orders by the old rule, copies too, beside graphs of the new one."""
    x = kind(5.0)
    old = power(define, 3, elementwise=elementwise)(x)
    new = power(define, 2, elementwise=elementwise)(x)
    assert (slopes(old, [x]), slopes(new, [x])) == ([75.0], [10.0])
    assert slopes(old + new, [x]) == [85.0]
    slope = gradients(old, x, create_graph=True)
    assert (float(slope.data), slopes(slope, [x])) == (75.0, [30.0])
    twin = copy.deepcopy(old)
    assert slopes(twin, [node for node in ad.topological(twin) if node.is_leaf]) == [75.0]
    assert old.primitive is not new.primitive
    assert copy.copy(old.primitive) is old.primitive


@KINDS
def test_graphs_of_the_old_primitive_cannot_be_pickled(define: Define, kind: type) -> None:
    """A pickle stores primitives by name: loading would give the old graph the new rule."""
    old = power(define, 3)(kind(5.0))
    power(define, 2)
    with pytest.raises(pickle.PicklingError, match=r"has another primitive called 'edited'; compute the graph again"):
        pickle.dumps(old)
    del ad.TABLE["edited"]
    with pytest.raises(pickle.PicklingError, match=r"has no primitive called 'edited'; compute the graph again"):
        pickle.dumps(old)


def test_what_a_node_kept_of_its_forward_is_read_as_it_was_written(define: Define) -> None:
    """A node keeps parts of the forward for its rule. Where a helper of both is replaced, or the graph is loaded beside
    another definition, the parts have other names and meanings: they are computed again, never mistaken."""
    helper = define("helper", lambda xp, x: x * 2.0, [lambda g, z, x: g * 2.0])

    def rule(g: Any, z: Any, x: Any) -> Any:
        power, ratio = ad.exp(helper(x)), ad.tan(x)
        return g * (power * (2.0 * ratio + (1.0 + ratio * ratio)))

    kept = define("keeps", lambda xp, x: xp.exp(helper(x)) * xp.tan(x), [rule])
    x, ratio = Tensor([0.5]), math.tan(0.5)
    expected = math.exp(1.0) * (2.0 * ratio + 1.0 + ratio * ratio)
    before, stored = kept(x), pickle.dumps(kept(x))
    assert before.db is not None
    np.testing.assert_allclose(gradients(kept(x), x, seed=np.ones(1)), expected, rtol=1e-14)
    helper = define(  # the same function, with the tangent as its first part
        "helper", lambda xp, x: 0.0 * xp.tan(x) + x * 2.0, [lambda g, z, x: g * 2.0], replace=True
    )
    np.testing.assert_allclose(gradients(kept(x), x, seed=np.ones(1)), expected, rtol=1e-14)
    np.testing.assert_allclose(gradients(before, x, seed=np.ones(1)), expected, rtol=1e-14)
    loaded = pickle.loads(stored)
    np.testing.assert_allclose(gradients(loaded, loaded.inputs, seed=np.ones(1))[0], expected, rtol=1e-14)


def test_what_is_computed_again_knows_its_params() -> None:
    """If the saved parts of a node come from other source, they are recomputed with the params of its call."""
    scores = Tensor([1.0, 5.0, 0.0, 0.0])
    J = ad.hinge_sum(scores, margin=2.0)
    J.db = "of other source"
    J.backward()
    assert scores.grad.tolist() == [-1.0, 0.0, 1.0, 0.0]


def test_a_replaced_primitive_is_let_go(define: Define) -> None:
    """Nothing keeps the old entry or its functions alive: a cell that runs a thousand times does not leak memory."""

    def used() -> weakref.ref[Primitive]:
        """In a function, because `see` reads its variables, and Python 3.11 keeps those until the function returns."""
        old = power(define, 2)
        for kind in (Value, Tensor):
            x = kind(2.0)
            gradients(gradients(old(x), x, create_graph=True), x)
            see(old(x) * 2.0, x)
        old(values(1.0, 2.0))
        check_gradients(old, 1.0)
        vocabulary(Value)
        return weakref.ref(old)

    gone = used()
    power(define, 3)
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize("name", ["exp", "add", "where", "matmul", "sum", "getitem"])
def test_a_built_in_primitive_is_not_replaced(name: str) -> None:
    """Operators, NumPy's functions and other rules use it: half of the engine would continue with the old one."""
    before = ad.TABLE[name]
    with pytest.raises(ValueError, match=rf"'{name}' is built in and cannot be replaced, because operators"):
        ad.primitive(name, before.forward, before.vjp, replace=True)
    assert ad.TABLE[name] is before


def test_every_primitive_of_a_fresh_table_is_built_in() -> None:
    """The primitives of the package are built in, and no others: checked in a separate process."""
    code = (
        "import autodiff as ad; from autodiff.primitives.primitive import BUILT_IN; import nn\n"
        "from autodiff import testing\n"
        "assert BUILT_IN == set(ad.TABLE); ad.primitive('own', lambda xp, x: x, [lambda g, z, x: g])\n"
        "assert not ad.TABLE['own'].built_in and 'own' not in BUILT_IN"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert ad.TABLE.keys() >= BUILT_IN


# ---- forward and rules fit -------------------------------------------------------------------------------------------

ONE, TWO = (lambda g, z, x: g), (lambda g, z, x, y: g)


#: An object that is called with xp and two inputs.
PRODUCT = type("Product", (), {"__call__": lambda self, xp, x, y: x * y})()

MISFITS: dict[str, tuple[Any, Any, str]] = {
    "two inputs, one rule": (lambda xp, x, y: x * y, [ONE], r"has 1 rule, .* forward .*\(xp, x1\).*missing .*'y'"),
    "one input, two rules": (lambda xp, x: x, [TWO, TWO], r"has 2 rules, .* forward .*\(xp, x1, x2\).*too many pos"),
    "a rule with an input too few": (lambda xp, x, y: x, [TWO, ONE], r"rule of input 2 .*takes \(g, z, x\): too many"),
    "a rule with an input too many": (lambda xp, x: x, [TWO], r"rule of input 1 is called with \(g, z, x1\) but"),
    "a rule without z": (lambda xp, x: x, [lambda g, x: g], r"the rule of input 1 .*takes \(g, x\): too many"),
    "a rule without a param": (lambda xp, x, *, n=2: x, [ONE], r"the rule of input 1 .*n=….*unexpected keyword.*'n'"),
    "a rule with a param too many": (lambda xp, x: x, [lambda g, z, x, *, n: g], r"rule of input 1 .*missing.*'n'"),
    "a param by position": (lambda xp, x, n: x, [ONE], r"missing.*'n'\. Constant arguments must be keyword-only"),
    "a forward without xp": (lambda x: x, [ONE], r"its forward is called with \(xp, x1\) but takes \(x\): too many"),
    "a forward of at least two": (lambda xp, x, y, *more: x, [ONE], r"missing a required argument: 'y'"),
    "an object": (PRODUCT, [ONE], r"missing a required argument: 'y'"),
    "a partial": (functools.partial(lambda k, xp, x, y: x, 2.0), [ONE], r"missing a required argument: 'y'"),
    "a partial that sets a param": (functools.partial(lambda xp, x, n: x, n=2.0), [ONE], r"unexpected keyword.*'n'"),
    "a rule without a list": (lambda xp, x: x, ONE, r"one rule \(k, g, z, \*inputs\) .*, not a list .*too many pos"),
    "a rule of any number for one": (lambda xp, *x: x[0], lambda k, g, z, x: g, r"is called with \(k, g, z, x1, x2\)"),
    "a rule of any number without k": (lambda xp, *x: x[0], lambda g, z: g, r"that rule .*takes \(g, z\): too many"),
    "a rule of any number without a param": (lambda xp, *x, n: x[0], lambda k, g, z, *x: g, r"unexpected keyword.*'n'"),
}  # fmt: skip


@pytest.mark.parametrize(("forward", "vjp", "words"), MISFITS.values(), ids=MISFITS)
def test_a_forward_and_rules_that_do_not_fit_are_refused(define: Define, forward: Any, vjp: Any, words: str) -> None:
    """They would fail at the first call, or with one of two inputs never get a share; the table stays as it was."""
    before = dict(ad.TABLE)
    with pytest.raises(ValueError, match=words) as error:
        define("misfit", forward, vjp)
    assert "\n" not in str(error.value)
    assert before == ad.TABLE


FITS: dict[str, tuple[Any, Any]] = {
    "any number, by a list": (lambda xp, *x: x[0] * 2.0, [lambda g, z, *x: g * 2.0]),
    "a constant by position": (lambda xp, x, factor=2.0: x * factor, [lambda g, z, x, factor=2.0: g * factor]),
    "a param among any": (lambda xp, x, *, n=2.0: x * n, [lambda g, z, x, **params: g * params["n"]]),
    "a param by position in the rule": (lambda xp, x, *, n=2.0: x * n, [lambda g, z, x, n: g * n]),
    "an object": (type("Double", (), {"__call__": lambda self, xp, x: x * 2.0})(), [lambda g, z, x: g * 2.0]),
    "partials": (functools.partial(lambda k, xp, x: x * k, 2.0), [functools.partial(lambda k, g, z, x: g * k, 2.0)]),
    "positional only": (eval("lambda xp, x, /: x * 2.0"), [eval("lambda g, z, x, /: g * 2.0")]),
    "one rule for the fixed number": (lambda xp, x: x * 2.0, lambda k, g, z, x: g * 2.0),
    "one rule for any number": (lambda xp, *x: x[0] * 2.0, lambda k, g, z, *x: g * 2.0),
}  # fmt: skip


@pytest.mark.parametrize(("forward", "vjp"), FITS.values(), ids=FITS)
@KINDS
def test_a_forward_and_rules_that_fit_are_taken(define: Define, kind: type, forward: Any, vjp: Any) -> None:
    """Anything that can be called with the inputs and params is accepted as a forward or a rule."""
    x = kind(3.0)
    for elementwise in (True, False):
        double = define("double", forward, vjp, elementwise=elementwise, replace=True)
        assert (float(double(x).data), slopes(double(x), [x])) == (6.0, [2.0])
        assert float(gradients(double(x), x, create_graph=True).data) == 2.0


class Silent:
    """A function without a signature, like many of NumPy's and Python's functions."""

    __signature__ = "unknown"

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function

    def __call__(self, *given: Any) -> Any:
        return self.function(*given)


@KINDS
def test_a_function_that_does_not_say_what_it_takes_is_taken(define: Define, kind: type) -> None:
    """A function without a signature is accepted, and its signature is not requested again."""
    double = define("silent", Silent(lambda xp, x: x * 2.0), [Silent(lambda g, z, x: g * 2.0)])
    x = kind(3.0)
    assert (float(double(x).data), slopes(double(x), [x]), double.defaults) == (6.0, [2.0], {})
    define("no forward, but taken", np.add, [max])


@each("name", sorted(BUILT_IN))
def test_the_built_in_ones_fit(name: str) -> None:
    """The table is checked here, not at every import; and its rules have the forward's defaults."""
    entry = ad.TABLE[name]
    check_fit(name, entry.forward, entry.vjp)
    for rule in entry.vjp if isinstance(entry.vjp, tuple) else (entry.vjp,):
        assert repr(replace(entry, forward=rule).defaults) == repr(entry.defaults)
