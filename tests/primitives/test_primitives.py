"""Every primitive of the table against definitions, 50 digits and differences; no primitive is named here."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autodiff import Primitive, Tensor, Value, gradients
from autodiff import sum as total
from autodiff.primitives.namespace import arrays
from autodiff.testing.hooks.strategies import broadcastable_shapes
from tests.support.cases import each
from tests.support.differences import FIFTY, assert_close, digits, exact, slopes
from tests.support.present import present
from tests.support.strategies import (
    FAMILIES,
    PRIMITIVES,
    Case,
    cases,
    everything,
    named,
    needs_params,
    plain,
    scalar_cases,
)

EVERY = pytest.mark.parametrize("case", cases(everything))
SCALAR = pytest.mark.parametrize("case", scalar_cases())
POINTS = 5  # random points of each elementwise example


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(20_240_607)


def weights(random: np.random.Generator, like: Any) -> np.ndarray:
    """A random cotangent, which is never all ones."""
    drawn: np.ndarray = random.uniform(0.5, 1.5, np.shape(like)) * random.choice([-1.0, 1.0], np.shape(like))
    return drawn


def pulled(case: Case, points: list[Any], cotangent: Any) -> list[Any]:
    """The gradients of ⟨cotangent, case(points)⟩."""
    leaves = [Tensor(point) for point in points]
    return list(gradients(case(*leaves), leaves, seed=cotangent))


# ---- what an entry of the table must say -----------------------------------------------------------------------------


@each("entry", PRIMITIVES)
def test_belongs_to_one_family(entry: Primitive) -> None:
    """Every primitive is in exactly one test family."""
    assert sum(belongs(entry) for belongs in FAMILIES.values()) == 1


def test_every_family_has_members() -> None:
    """No family is empty, so no family of tests passes without testing anything."""
    assert all(any(map(belongs, PRIMITIVES)) for belongs in FAMILIES.values())


@each("entry", PRIMITIVES)
def test_says_what_tests_and_readers_need(entry: Primitive) -> None:
    """Examples where shapes or params are needed, one domain per input, a sign, a documented sentence."""
    assert entry.examples or (entry.elementwise and entry.arity and not needs_params(entry))
    assert len(entry.domain) == (entry.arity or 1)
    assert entry.symbol
    assert entry.doc.endswith(".")


@each("entry", PRIMITIVES)
def test_rule_reads_as_a_formula(entry: Primitive) -> None:
    """Each rule runs on symbols, and its text is a formula, not the repr of an object."""
    for slot in range(entry.arity or 2):
        text = entry.formula(slot)
        assert text
        assert not re.search(r"<[a-z]|0x[0-9a-f]|Expression|lambda|function|object at|Ellipsis|None", text), text
        assert text in entry.formula()


@each("entry", PRIMITIVES)
def test_rule_is_calculus_only(entry: Primitive) -> None:
    """No rule looks at graphs, modes or kinds, or undoes broadcasting."""
    rules = entry.vjp if isinstance(entry.vjp, tuple) else (entry.vjp,)
    forbidden = {"data", "_data", "grad", "isinstance", "type", "sum_to", "Tensor", "Value"}
    assert not any(forbidden & {*rule.__code__.co_names} for rule in rules if entry.name != "broadcast_to")


# ---- values ----------------------------------------------------------------------------------------------------------


@SCALAR
def test_value_at_50_digits(case: Case, random: np.random.Generator) -> None:
    """The value agrees with the same forward at 50 digits to a few roundings: 1e-14."""
    for _ in range(POINTS):
        point = [float(x) for x in case.points(random)]
        expected = float(case.forward(digits, *map(FIFTY.mpf, point)))
        for kind in (float, np.array, Value, Tensor):
            np.testing.assert_allclose(plain(case(*map(kind, point))), expected, rtol=1e-14)


@pytest.mark.parametrize("case", cases(lambda entry: bool(entry.numpy)))
def test_value_is_that_of_its_numpy_functions(case: Case, random: np.random.Generator) -> None:
    """A NumPy function that stands in the table gives the same on arrays and, dispatched, on Tensors: to the last bit
    where it is the same code, else to a rounding."""
    points = case.points(random)
    for function in case.entry.numpy:
        call = Case(function_entry(case.entry, function), case.shapes, case.params)
        expected = call(*points)
        for found in (case(*points), call(*map(Tensor, points)).data):
            assert found.shape == np.shape(expected)
            np.testing.assert_allclose(found, expected, rtol=4e-16)


def function_entry(entry: Primitive, function: Any) -> Any:
    """A NumPy function wrapped as an entry, so that a Case can call it."""

    class Dressed:
        packed = entry.packed

        def __call__(self, *inputs: Any, **params: Any) -> Any:
            if function is np.reshape:  # NumPy 2.0 has another name for its shape
                return function(*inputs, *params.values())
            return function(*inputs, **params)

    return Dressed()


# ---- gradients -------------------------------------------------------------------------------------------------------


@SCALAR
def test_gradient_at_50_digits(case: Case, random: np.random.Generator) -> None:
    """Local gradients, from the source written for floats, from the rules on arrays and from the graph of nodes, are
    the derivative at 50 digits to 1e-12."""
    for _ in range(POINTS):
        point = [float(x) for x in case.points(random)]
        variables = range(len(point))
        expected = [exact(lambda *x: case.forward(digits, *x), point, [k == j for j in variables]) for k in variables]
        for kind in (Value, Tensor):
            leaves = [kind(x) for x in point]
            output = case(*leaves)
            for create_graph in (False, True):
                found = gradients(output, leaves, create_graph=create_graph)
                np.testing.assert_allclose([plain(x) for x in found], expected, rtol=1e-12, atol=1e-300)


@SCALAR
def test_second_derivative_at_50_digits(case: Case, random: np.random.Generator) -> None:
    """The gradient of each gradient, on Values and on Tensors, is the second derivative at 50 digits to 1e-11."""
    point = [float(x) for x in case.points(random)]
    variables = range(len(point))
    for kind in (Value, Tensor):
        leaves = [kind(x) for x in point]
        first = gradients(case(*leaves), leaves, create_graph=True)
        for k, slope_k in enumerate(first):
            second = [0.0 if x is None else float(x) for x in gradients(slope_k, leaves)]
            orders = [[(k == i) + (j == i) for i in variables] for j in variables]
            expected = [exact(lambda *x: case.forward(digits, *x), point, order) for order in orders]
            np.testing.assert_allclose(second, expected, rtol=1e-11, atol=1e-14)


@EVERY
def test_gradient_against_differences(case: Case, random: np.random.Generator) -> None:
    """The pullback of a random cotangent is the derivative of ⟨cotangent, forward⟩ in every element of every input."""
    points = case.points(random)
    cotangent = weights(random, case.forward(arrays, *points))
    wide = [point.astype(np.longdouble) for point in points]
    numbers = slopes(lambda *x: np.sum(cotangent * case.forward(arrays, *x)), wide)
    for ours, found in zip(pulled(case, points, cotangent), numbers, strict=True):
        assert_close(ours, found)


@EVERY
def test_second_derivative_against_differences(case: Case, random: np.random.Generator) -> None:
    """The gradient of ⟨v, gradient⟩ is the derivative of the first-order pass, in the inputs and in the cotangent."""
    points = case.points(random)
    leaves = [Tensor(point) for point in points]
    output = case(*leaves)
    cotangent = weights(random, output.data)
    directions = [weights(random, point) for point in points]
    seed = Tensor(cotangent)
    first = gradients(output, leaves, seed=seed, create_graph=True)
    along = sum(total(slope_k * v) for slope_k, v in zip(first, directions, strict=True))
    second = gradients(along, [*leaves, seed])

    def first_order(*x: Any) -> Any:
        return sum(np.sum(v * g) for v, g in zip(directions, pulled(case, list(x[:-1]), x[-1]), strict=True))

    for ours, found in zip(second, slopes(first_order, [*points, cotangent], step=2.0**-7), strict=True):
        assert_close(0.0 * found[0] if ours is None else ours, found)


@EVERY
def test_objects_give_the_same_gradient(case: Case, random: np.random.Generator) -> None:
    """The same call on object arrays of Values has the same values and gradients as on Tensors, to a few roundings."""
    points = case.points(random)
    scalars = [np.vectorize(Value, otypes=[object])(point) for point in points]
    leaves = [Tensor(point) for point in points]
    boxed, output = np.asarray(case(*scalars)), case(*leaves)
    cotangent = weights(random, output.data)
    assert boxed.shape == output.shape
    expected = gradients(output, leaves, seed=cotangent)
    objective = sum(w * v for w, v in zip(cotangent.ravel(), boxed.ravel(), strict=True))
    flat = [v for scalar in scalars for v in scalar.ravel()]
    found = [0.0 if g is None else g for g in gradients(objective, flat)]
    np.testing.assert_allclose(found, np.concatenate([g.ravel() for g in expected]), rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("case", cases(lambda entry: entry.linear))
def test_linear_pullback_is_the_transpose(case: Case, random: np.random.Generator) -> None:
    """⟨g, J t⟩ = ⟨Jᵀg, t⟩ with J t from the forward rule, which is its own derivative: on small integers exact, but
    for the division of a mean."""
    tangents = [random.integers(-4, 5, shape).astype(float) for shape in case.shapes]
    pushed = case.forward(arrays, *tangents)
    cotangent = random.integers(-4, 5, np.shape(pushed)).astype(float)
    back = pulled(case, tangents, cotangent)
    left = np.sum(cotangent * pushed)
    right = sum(np.sum(g * t) for g, t in zip(back, tangents, strict=True))
    np.testing.assert_allclose(right, left, rtol=0, atol=1e-15 * np.sum(np.abs(cotangent)) * case.size)


# ---- shapes and types ------------------------------------------------------------------------------------------------


@EVERY
@each("dtype", [np.float32, np.float64])
def test_shape_and_type_are_kept(case: Case, dtype: type, random: np.random.Generator) -> None:
    """The result has NumPy's shape and the operands' type, a gradient its leaf's shape and type: also float32."""
    leaves = case.tensors(random, dtype)
    output = case(*leaves)
    expected = case.forward(arrays, *[leaf.data for leaf in leaves])
    assert output.data.dtype == case.params.get("dtype", dtype)
    assert output.shape == np.shape(expected)
    for _ in range(2):  # a second pass adds to the first
        output.backward(np.ones(output.shape))
    for leaf in leaves:
        assert isinstance(leaf.grad, np.ndarray)
        assert leaf.grad.shape == leaf.shape
        assert leaf.grad.dtype == dtype


@pytest.mark.parametrize("entry", named(lambda entry: entry.elementwise and (entry.arity or 0) > 1))
@settings(max_examples=25)
@given(data=st.data())
def test_broadcasting_is_undone(entry: Primitive, data: st.DataObject) -> None:
    """For any shapes that broadcast, empty axes too, the gradient is that of the operands repeated beforehand, summed
    over the repeated axes."""
    shapes = data.draw(broadcastable_shapes(present(entry.arity)))
    random = np.random.default_rng(data.draw(st.integers(0, 99)))
    case = Case(entry, shapes, cases_of_numbers(entry).params)
    points = case.points(random)
    whole = np.broadcast_shapes(*shapes)
    cotangent = weights(random, np.empty(whole))
    narrow = pulled(case, points, cotangent)
    repeated = pulled(case, [np.broadcast_to(point, whole) for point in points], cotangent)
    for ours, wide, shape in zip(narrow, repeated, shapes, strict=True):
        assert ours.shape == shape
        np.testing.assert_allclose(ours, summed_to(wide, shape), rtol=1e-13, atol=1e-14)


def cases_of_numbers(entry: Primitive) -> Case:
    """The first example of ``entry`` on numbers."""
    found: Case = next(param.values[0] for param in scalar_cases() if param.values[0].entry is entry)
    return found


def summed_to(array: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """``array`` summed over the axes that broadcasting added to ``shape`` or repeated."""
    array = array.sum(axis=tuple(range(array.ndim - len(shape))))
    for axis, length in enumerate(shape):
        if length == 1:
            array = array.sum(axis=axis, keepdims=True)
    return array


@pytest.mark.parametrize("case", scalar_cases())
@each("shape", [(0,), (0, 3), (2, 0)])
def test_empty_arrays(case: Case, shape: tuple[int, ...], random: np.random.Generator) -> None:
    """An array without elements passes through every elementwise primitive, and its gradient is empty too."""
    for gradient in pulled(case, case.points(random, (shape,) * len(case.shapes)), np.ones(shape)):
        assert gradient.shape == shape
