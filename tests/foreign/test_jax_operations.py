"""Every jax primitive in the table has jax's values and gradients."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import numpy as np
import pytest

from autodiff.foreign.jax_operations import OPERATIONS
from autodiff.foreign.jax_program import NESTED
from autodiff.system.extras import install
from tests.support.cases import each
from tests.support.jax_traces import assert_traced_like, drawn, with_slopes

pytestmark = pytest.mark.peer

jax = pytest.importorskip("jax", reason=f"comparing with jax needs an extra: {install('peers')}")
jax.config.update("jax_enable_x64", True)
jax.config.update("jax_disable_most_optimizations", True)
jnp, lax = jax.numpy, jax.lax

_IDS = np.array([2, 0, 2])


def _of(
    function: Callable[..., Any], *shapes: tuple[int, ...]
) -> tuple[Callable[..., Any], tuple[tuple[int, ...], ...]]:
    """A sample: the sum of the squares of a function's results, so that every element matters differently."""

    def total(*args: Any) -> Any:
        return sum(jnp.sum(jnp.sin(part) * (1.0 + np.arange(part.size).reshape(part.shape))) for part in _parts(args))

    def _parts(args: Any) -> Any:
        found = function(*args)
        return found if isinstance(found, list | tuple) else [found]

    return total, shapes or ((2, 3),)


def _straight(x: Any) -> Any:
    """Rounding with the derivative 1."""
    rule = jax.custom_vjp(lambda x: jnp.round(3 * x))
    rule.defvjp(lambda x: (jnp.round(3 * x), None), lambda _, g: (g,))
    return rule(x)


def _mixing(x: Any, y: Any) -> Any:
    """A product with a derivative of its own, which is not elementwise."""
    rule = jax.custom_jvp(lambda x, y: x @ y)
    rule.defjvp(lambda at, t: (at[0] @ at[1], 2.0 * (t[0] @ at[1]) + 3.0 * (at[0] @ t[1])))
    return rule(x, y)


def _convolved(x: Any, w: Any, **how: Any) -> Any:
    return lax.conv_general_dilated(x, w, **{"window_strides": (1, 1), "padding": "SAME", **how})


def _round_away(x: Any) -> Any:
    return lax.round(x, lax.RoundingMethod.TO_NEAREST_EVEN)


SAMPLES: dict[str, list[tuple[Callable[..., Any], tuple[tuple[int, ...], ...]]]] = {
    **{
        name: [_of(getattr(lax, name))]
        for name in (
            "abs", "acos", "asin", "asinh", "atan", "atanh", "cbrt", "ceil", "cos", "cosh", "erf", "erfc", "exp",
            "exp2", "expm1", "floor", "log", "log1p", "logistic", "neg", "rsqrt", "sign", "sin", "sinh", "sqrt",
            "square", "tan", "tanh",
        )
    },
    **{
        name: [_of(getattr(lax, name), (2, 3), (2, 3))]
        for name in ("add", "atan2", "div", "max", "min", "mul", "rem", "sub")
    },
    "acosh": [_of(lambda x: lax.acosh(x + 1.0))],
    "add_any": [_of(jax.grad(lambda x: jnp.sum(jnp.sin(x) * x)))],
    "broadcast_in_dim": [
        _of(lambda x: jnp.broadcast_to(x[:, None], (3, 2)) * jnp.broadcast_to(x[0], (3, 2)), (3,)),
        _of(lambda x: lax.broadcast_in_dim(x, (2, 4, 3), (0, 2))),
    ],
    "clamp": [
        _of(lambda x, low, high: lax.clamp(low / 2, x, high / 2 + 0.35), (5,), (5,), (5,)),
        _of(lambda x: lax.clamp(0.4, x, 0.6)),
    ],
    "concatenate": [_of(lambda x, y: jnp.concatenate([x, y, jnp.ones((2, 1))], axis=1), (2, 3), (2, 2))],
    "cond": [
        _of(lambda x: lax.cond(x[0, 0] > 0, jnp.sin, jnp.cos, x)),
        _of(lambda x: lax.switch(jnp.sum(x > 0) + 1, [jnp.sin, jnp.exp], x)),
    ],
    "conv_general_dilated": [
        _of(_convolved, (2, 2, 4, 5), (3, 2, 3, 2)),
        _of(
            lambda x, w: _convolved(x, w, window_strides=(2, 1), padding=[(1, 2), (-1, 0)], rhs_dilation=(2, 1)),
            (1, 2, 6, 5), (2, 2, 2, 3),
        ),
        _of(
            lambda x, w: _convolved(x, w, feature_group_count=2, lhs_dilation=(2, 3), padding=[(1, 0), (0, 2)]),
            (2, 4, 3, 3), (6, 2, 2, 2),
        ),
        _of(lambda x, w: _convolved(x, w, dimension_numbers=("NHWC", "HWIO", "NHWC")), (2, 4, 5, 3), (2, 3, 3, 2)),
        _of(lambda x, w: lax.conv_general_dilated(x, w, (2,), "VALID"), (2, 3, 7), (4, 3, 2)),
    ],
    "convert_element_type": [_of(lambda x: x.astype("float32").astype("float64"), (2,))],
    "copy": [_of(jnp.copy)],
    "cholesky": [_of(lambda x: jnp.linalg.cholesky(x @ x.T + jnp.eye(2))), _of(jnp.linalg.cholesky, (1, 1))],
    "cumlogsumexp": [_of(lambda x: lax.cumlogsumexp(400 * x, 1)), _of(lambda x: lax.cumlogsumexp(x, 0, reverse=True))],
    "cummax": [_of(lambda x: lax.cummax(x, 1)), _of(lambda x: lax.cummax(jnp.concatenate([x, x, x]), 0))],
    "cummin": [_of(lambda x: lax.cummin(x, 1, reverse=True))],
    "custom_linear_solve": [_of(jnp.linalg.solve, (3, 3), (3,)), _of(jnp.linalg.inv, (2, 2))],
    "cumprod": [_of(lambda x: lax.cumprod(x, 1)), _of(lambda x: lax.cumprod(x, 0, reverse=True))],
    "cumsum": [_of(lambda x: lax.cumsum(x, 1)), _of(lambda x: lax.cumsum(x, 0, reverse=True))],
    "custom_jvp_call": [
        _of(lambda x: jax.nn.relu(x - 0.5)), _of(jax.nn.softplus), _of(jnp.logaddexp, (2, 3), (2, 3)),
        _of(lambda x: jax.nn.relu6(20 * (x - 0.4))), _of(_mixing, (2, 3), (3, 4)),
        _of(jax.scipy.special.xlogy, (3,), (3,)),
    ],
    "custom_vjp_call": [_of(_straight), _of(lambda x: _straight(x[0]) * x)],
    "dot_general": [
        _of(jnp.matmul, (2, 3), (3, 4)), _of(jnp.matmul, (3,), (3,)), _of(jnp.matmul, (2, 3), (3,)),
        _of(lambda a, b: a @ b, (3,), (3, 2)), _of(lambda a, b: a @ b.T, (2, 3), (4, 3)),
        _of(lambda a, b: jnp.einsum("bij,bjk->bik", a, b), (2, 3, 2), (2, 2, 3)),
        _of(lambda a, b: jnp.einsum("bihd,bjhd->bhij", a, b), (2, 3, 2, 2), (2, 4, 2, 2)),
        _of(lambda a, b: jnp.einsum("ijk,jkl->il", a, b), (2, 3, 2), (3, 2, 2)),
        _of(lambda a, b: jnp.einsum("i,j->ij", a, b), (2,), (3,)),
        _of(lambda a, b: jnp.einsum("bi,bi->b", a, b), (3, 2), (3, 2)),
        _of(lambda a, b: jnp.tensordot(a, b, 1), (2, 3), (3, 2, 2)),
    ],
    "dynamic_slice": [_of(lambda x: lax.dynamic_slice(x, (1, 7), (1, 2)), (3, 4))],
    "dynamic_update_slice": [_of(lambda x, y: lax.dynamic_update_slice(x, y, (5, 1)), (3, 4), (2, 2))],
    "eigh": [_of(lambda x: jnp.linalg.eigh(x @ x.T), (3, 3))],
    "gather": [
        _of(lambda x: x[_IDS], (3, 2)), _of(lambda x: x[_IDS, np.array([1, 1, 0])], (3, 2)),
        _of(lambda x: jnp.take(x, 1), (3,)),
        _of(lambda x: jnp.take_along_axis(x, jnp.array([[1], [0]]), 1)), _of(lambda x: x[:, _IDS]),
        _of(lambda x: jnp.take(x, jnp.array([0, 9]), axis=0, mode="fill", fill_value=2.0), (3, 2)),
        _of(lambda x: jnp.take(x, jnp.array([0, 9]), axis=0, mode="clip"), (3, 2)),
    ],
    "integer_pow": [_of(lambda x: x**3), _of(lambda x: x**-2), _of(lambda x: lax.integer_pow(x, 2))],
    "jit": [_of(jax.jit(jnp.sin)), _of(jax.vmap(jax.jit(lambda x: x @ x)))],
    "lu": [_of(lambda x: jax.scipy.linalg.lu(x)[1:], (3, 3)), _of(jnp.linalg.det, (4, 4))],
    "name": [_of(lambda x: pytest.importorskip("jax.ad_checkpoint").checkpoint_name(x, "x"))],
    "optimization_barrier": [_of(lambda x, y: lax.optimization_barrier((x, y)), (2,), (3,))],
    "qr": [_of(jnp.linalg.qr, (3, 2))],
    "pad": [
        _of(lambda x: lax.pad(x, 0.0, [(1, 2, 0), (0, 1, 2)])),
        _of(lambda x: lax.pad(x, 0.0, [(-1, 0, 0), (1, -1, 1)])),
        _of(lambda x, y: lax.pad(x, y, [(1, 0, 0), (0, 0, 1)]), (2, 3), ()),
    ],
    "pow": [_of(jnp.power, (2, 3), (2, 3)), _of(lambda x: x**2.5), _of(lambda x: 2.5**x)],
    "reduce_max": [_of(lambda x: x.max(1)), _of(jnp.max)],
    "reduce_min": [_of(lambda x: x.min(0)), _of(jnp.min)],
    "reduce_prod": [_of(lambda x: x.prod(1)), _of(jnp.prod)],
    "reduce_sum": [_of(lambda x: x.sum(1)), _of(jnp.sum), _of(lambda x: x.sum((0, 2)), (2, 3, 2))],
    "reduce_window_max": [
        _of(lambda x: lax.reduce_window(x, -jnp.inf, lax.max, (1, 2, 2), (1, 2, 1), "SAME"), (2, 3, 4)),
        _of(lambda x: lax.reduce_window(jnp.round(x), -jnp.inf, lax.max, (2,), (1,), "VALID") * x[1:], (5,)),
    ],
    "reduce_window_min": [
        _of(lambda x: lax.reduce_window(x, jnp.inf, lax.min, (1, 2, 2), (1, 2, 1), "SAME"), (2, 3, 4))
    ],
    "reduce_window_sum": [_of(lambda x: lax.reduce_window(x, 0.0, lax.add, (1, 2, 2), (1, 2, 1), "SAME"), (2, 3, 4))],
    "remat2": [_of(jax.checkpoint(lambda x: jnp.sin(x) * x))],
    "reshape": [_of(lambda x: x.reshape(3, 2)), _of(jnp.ravel)],
    "rev": [_of(lambda x: jnp.flip(x, 1)), _of(lambda x: x[::-1, ::-1])],
    "round": [_of(_round_away)],
    "scan": [
        _of(lambda x, y: lax.scan(lambda c, row: (jnp.tanh(c + row), c * row), y, x), (4, 2), (2,)),
        _of(lambda x, y: lax.scan(lambda c, row: (jnp.tanh(c * row), c), y, x, reverse=True), (4,), ()),
        _of(lambda x: lax.fori_loop(0, 3, lambda k, c: c * x[k] + 1.0, x[0]), (3,)),
        _of(lambda x: lax.scan(lambda c, _: (c * 2.0, jnp.sum(c)), x, None, length=0), (3,)),
    ],
    "scatter": [
        _of(lambda x, y: x.at[_IDS[:2]].set(y), (3, 2), (2, 2)), _of(lambda x: x.at[1, 2].set(0.0)),
        _of(lambda x, y: x.at[jnp.array([0, 7])].set(y), (3,), (2,)),
    ],
    "scatter-add": [
        _of(lambda x, y: x.at[_IDS].add(y), (3, 2), (3, 2)), _of(lambda x, y: x.at[1].add(y), (3,), ()),
        _of(lambda x, y: x.at[jnp.array([0, 7])].add(y), (3, 2), (2, 2)),
        _of(lambda x, y: x.at[jnp.array([7])].add(y), (3,), (1,)),
    ],
    "select_n": [
        _of(lambda x: jnp.where(x > 0.5, jnp.sin(x), 2.0)),
        _of(lambda x: lax.select_n(jnp.array([2, 0, 1]), x, x * x, -x), (3,)),
    ],
    "slice": [_of(lambda x: x[1:, :2]), _of(lambda x: x[::2, 1::2], (5, 4))],
    "scatter-mul": [
        _of(lambda x: x.at[1].multiply(x[0], unique_indices=True)), _of(lambda x: x.at[9].multiply(2.0)),
        _of(lambda x, y: x.at[jnp.array([2, 0])].multiply(y, unique_indices=True), (4,), (2,)),
    ],
    "sort": [_of(lambda x: jnp.sort(x, 0), (4, 2)), _of(lambda x, y: y[jnp.argsort(-x)], (4,), (4,))],
    "split": [_of(lambda x: jnp.split(x, [1], axis=1))],
    "squeeze": [_of(jnp.squeeze, (2, 1, 3))],
    "stop_gradient": [_of(lambda x: lax.stop_gradient(x) * x)],
    "svd": [_of(lambda x: jnp.linalg.svd(x, full_matrices=False), (3, 3))],
    "tile": [_of(lambda x: jnp.tile(x, (2, 1)))],
    "top_k": [_of(lambda x: lax.top_k(x, 2)[0])],
    "triangular_solve": [
        _of(lambda a, b: jax.scipy.linalg.solve_triangular(a + jnp.eye(3), b, lower=True, trans=1), (3, 3), (3, 2)),
    ],
    "transpose": [_of(jnp.transpose), _of(lambda x: x.transpose(1, 0, 2), (2, 3, 2))],
    "while": [_of(lambda x: lax.while_loop(lambda c: jnp.sum(c) < 20.0, lambda c: c * x + c, x))],
}  # fmt: skip

#: Other names of primitives above, in other versions of jax or on other paths, and those that change nothing.
OTHER_NAMES = {
    "checkpoint", "closed_call", "core_call", "copy_p", "custom_vjp_call_jaxpr", "device_put", "expand_dims", "pjit",
    "remat", "scatter_add", "scatter_mul",
}  # fmt: skip


#: Each sample's primitive, function and arguments.
CASES: dict[str, tuple[str, Callable[..., Any], list[Any]]] = {
    f"{name}-{k}": (name, function, [drawn(*shape, seed=j) for j, shape in enumerate(shapes)])
    for name, samples in SAMPLES.items() for k, (function, shapes) in enumerate(samples)
}  # fmt: skip


@cache
def _by_jax() -> dict[str, Any]:
    """Values and gradients of all samples, compiled as one program: for each alone, XLA would take 0.1 s more."""
    asked = {case: (f, args) for case, (name, f, args) in CASES.items() if name != "while"}

    def every(given: dict[str, Any]) -> dict[str, Any]:
        return {case: with_slopes(jax, f, given[case])(*given[case]) for case, (f, _) in asked.items()}

    found: dict[str, Any] = jax.jit(every)({case: args for case, (_, args) in asked.items()})
    return found


def _primitives(jaxpr: Any) -> Iterator[str]:
    """The names of all primitives in a jaxpr, nested ones included."""
    for equation in jaxpr.eqns:
        yield equation.primitive.name
        for item in jax.tree_util.tree_leaves([*equation.params.values()]):
            if hasattr(item, "jaxpr") or hasattr(item, "eqns"):
                yield from _primitives(getattr(item, "jaxpr", item))


@each("case", CASES)
def test_a_primitive_is_that_of_jax(case: str) -> None:
    """Its value, the gradients of its inputs, and those of one element through single numbers."""
    name, function, args = CASES[case]
    if name == "while":  # jax differentiates it forward only
        found = np.asarray(jax.jacfwd(function)(*args))
        traced = __import__("autodiff").from_jax(function, *args)
        traced.output.backward()
        np.testing.assert_allclose(traced.node(traced.names[0]).grad, found, rtol=1e-12, atol=1e-12)
        return
    rel = 1e-6 if name == "convert_element_type" else 1e-12  # in single numbers, nothing is rounded to float32
    assert_traced_like(jax, function, *args, rel=rel, by_jax=_by_jax()[case])
    assert name in {*_primitives(jax.make_jaxpr(function)(*args).jaxpr)}


def test_every_primitive_in_the_table_has_a_sample() -> None:
    assert {*OPERATIONS, *NESTED} == {*SAMPLES} | OTHER_NAMES
