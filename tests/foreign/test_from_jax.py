"""Traced jax programs have jax's values and gradients, are seen by names, and what cannot be traced is named."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autodiff as ad
from autodiff.draw import see
from autodiff.explain import explain
from autodiff.foreign import from_jax as tracing
from autodiff.foreign.from_jax import from_jax
from autodiff.system.extras import install
from tests.support.jax_traces import assert_traced_like, drawn

pytestmark = pytest.mark.peer

jax = pytest.importorskip("jax", reason=f"comparing with jax needs an extra: {install('peers')}")
jax.config.update("jax_enable_x64", True)
jnp, lax = jax.numpy, jax.lax


class Layer(NamedTuple):
    """A layer, as jax programs write one."""

    w: Any
    b: Any


def _params() -> dict[str, Any]:
    return {"w1": drawn(4, 3) - 0.5, "b1": np.zeros(3), "w2": drawn(3, 2, seed=1) - 0.5}


def _loss(params: dict[str, Any], x: Any, ids: Any) -> Any:
    """The cross-entropy of a small net."""
    scores = jnp.tanh(x @ params["w1"] + params["b1"]) @ params["w2"]
    return -jnp.mean(jnp.sum(jax.nn.log_softmax(scores) * jax.nn.one_hot(ids, 2), axis=1))


def _layers(layers: list[Layer], x: Any) -> Any:
    for w, b in layers:
        x = jax.nn.relu(x @ w + b)
    return jnp.sum(x**2)


def _attention(w: dict[str, Any], x: Any) -> Any:
    """A causal head, a residual connection, and a layer norm."""
    q, k, v = (x @ w[name] for name in "qkv")
    scores = jnp.where(jnp.tril(jnp.ones((3, 3), dtype=bool)), q @ k.T / jnp.sqrt(2.0), -jnp.inf)
    y = x + jax.nn.softmax(scores) @ v
    y = (y - y.mean(-1, keepdims=True)) / jnp.sqrt(y.var(-1, keepdims=True) + 1e-5)
    return jnp.sum(jax.nn.gelu(y) * x)


def _recurrent(w: Any, u: Any, xs: Any) -> Any:
    def step(h: Any, x: Any) -> Any:
        h = jnp.tanh(w @ h + u * x)
        return h, h[0]

    last, firsts = lax.scan(step, jnp.zeros(2), xs)
    return jnp.sum(last) + jnp.sum(firsts**2)


def _per_example(w: Any, x: Any) -> Any:
    return jnp.mean(jax.vmap(lambda row: jax.nn.softplus(w @ row) * jax.nn.sigmoid(row[0]))(x))


def _physics(w: Any, t: Any) -> Any:
    """A residual of y″ = −y, with derivatives inside the loss."""

    def y(t: Any) -> Any:
        return jnp.sum(jnp.sin(w * t))

    return jnp.sum((jax.vmap(jax.grad(jax.grad(y)))(t) + jax.vmap(y)(t)) ** 2)


PROGRAMS: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "attention": (_attention, ({name: drawn(2, 2, seed=k) for k, name in enumerate("qkv")}, drawn(3, 2, seed=4))),
    "derivatives inside": (_physics, (drawn(2), drawn(3, seed=1))),
    "layers": (_layers, ([Layer(drawn(3, 2) - 0.4, np.zeros(2)), Layer(drawn(2, 2) - 0.5, np.ones(2))], drawn(4, 3))),
    "net": (_loss, (_params(), drawn(5, 4), np.array([0, 1, 1, 0, 1]))),
    "per example": (_per_example, (drawn(3), drawn(4, 3))),
    "recurrent": (_recurrent, (drawn(2, 2), drawn(2), drawn(4, seed=1))),
}


@pytest.mark.parametrize(("program", "args"), PROGRAMS.values(), ids=PROGRAMS)
def test_gradients_are_those_of_jax(program: Callable[..., Any], args: tuple[Any, ...]) -> None:
    """Of whole arguments, and of one element of each."""
    assert_traced_like(jax, program, *args)


def test_a_compiled_function_is_traced_too() -> None:
    traced = from_jax(jax.jit(_loss), _params(), drawn(5, 4), np.array([0, 1, 1, 0, 1]))
    assert traced.names == ("params['b1']", "params['w1']", "params['w2']", "x", "ids")


def test_names_are_those_of_arguments_and_paths() -> None:
    """Named tuples by their fields, further arguments by number, keywords by their names."""
    layers = [Layer(drawn(3, 2), np.zeros(2))]
    assert from_jax(_layers, layers, drawn(2, 3)).names == ("layers[0].w", "layers[0].b", "x")
    assert from_jax(lambda *xs, scale: xs[1] * scale, 1.0, 2.0, scale=3.0).names == ("x0", "x1", "scale")


@pytest.mark.slow
def test_a_program_is_seen_and_explained() -> None:
    """One weight, by whatever quotes, and a whole matrix, with the names of the arguments."""
    traced = from_jax(_loss, _params(), drawn(5, 4), np.array([0, 1, 1, 0, 1]))
    slope = np.asarray(jax.grad(_loss)(_params(), drawn(5, 4), np.array([0, 1, 1, 0, 1]))["w1"])
    one = see(traced, 'params["w1"][2, -1]')
    whole = see(traced, "params['w1']")
    told = explain(traced, "params['w1'][2, 2]", check=True)
    assert one.flow is not None
    assert whole.flow is not None
    assert told.check is not None
    assert "params['w1'][2, 2]" in one.picture.title
    assert "params['w1'][2, 2]" in told.text()
    assert one.flow.gradient == pytest.approx(slope[2, 2], rel=1e-12)
    assert told.gradient == pytest.approx(slope[2, 2], rel=1e-12)
    assert told.check.verdict == "agrees"
    np.testing.assert_allclose(whole.flow.gradient, slope, rtol=1e-12)
    assert "params['w1']" in see(traced).text()


def test_a_product_of_single_numbers_is_a_sum_without_a_bias() -> None:
    """No "+ 0" is written where the program adds nothing."""
    one = from_jax(lambda w, x: jnp.tanh(w @ x), drawn(2), drawn(2)).at("w[1]")
    assert see(one.output, one.parameter).picture.formula[0] == "∂tanh(w[0]·x[0] + w[1]·x[1])/∂w[1]"


def test_a_formula_of_numbers_is_a_graph_of_values() -> None:
    traced = from_jax(lambda x, y: jnp.sin(x) * y + x**2, 2.0, 3.0)
    assert isinstance(traced.node("x"), ad.Value)
    assert see(traced, "y").picture.formula[0] == "∂(sin(x)·y + x²)/∂y"


def test_one_weight_of_a_large_program_keeps_arrays() -> None:
    """A graph of single numbers would be too large to read; the node is in the graph, even if it is 0."""
    w = drawn(60, 40)
    w[7, 5] = 0.0

    def loss(w: Any) -> Any:
        return jnp.sum(jnp.tanh(w @ w.T))

    one = from_jax(loss, w).at("w[7, 5]")
    one.output.backward()
    assert isinstance(one.output, ad.Tensor)
    assert float(present_gradient(one)) == pytest.approx(float(jax.grad(loss)(w)[7, 5]), rel=1e-12)


def present_gradient(traced: ad.TracedFunction) -> Any:
    """The gradient of the parameter of a trace."""
    assert traced.parameter is not None
    return traced.parameter.grad


def test_float32_stays_float32() -> None:
    """The gradients agree to 1e-5 of the largest."""
    args = [np.float32(drawn(3, 2)), np.float32(drawn(4, 3, seed=1))]

    def loss(w: Any, x: Any) -> Any:
        return jnp.mean(jax.nn.sigmoid(x @ w) ** 2)

    traced = from_jax(loss, *args)
    traced.output.backward()
    slope = traced.node("w").grad
    assert traced.output.data.dtype == np.float32
    assert slope.dtype == np.float32
    np.testing.assert_allclose(slope, jax.grad(loss)(*args), atol=1e-5 * float(np.abs(slope).max()))


def test_an_output_of_several_numbers_takes_a_seed() -> None:
    traced = from_jax(lambda x: x**3, drawn(2, 3))
    traced.output.backward(np.ones((2, 3)))
    np.testing.assert_allclose(traced.node("x").grad, 3 * drawn(2, 3) ** 2, rtol=1e-12)
    one = traced.at("x[1, 0]")
    one.output.backward(np.ones((2, 3)))
    assert present_gradient(one) == pytest.approx(3 * drawn(2, 3)[1, 0] ** 2, rel=1e-12)


def test_kinks_are_those_of_jax() -> None:
    """Ties of max and maximum, ReLU and |x| at 0, bounds of clip and clamp, windows, powers, products."""
    for f in (
        lambda x: jnp.max(x) + jnp.sum(jnp.maximum(x, 0.0)), lambda x: jnp.sum(jax.nn.relu(x) + jnp.abs(x)),
        lambda x: jnp.sum(jnp.clip(x, 0.0, 1.0) + lax.clamp(0.0, x, 1.0)), lambda x: jnp.min(x) * x[0],
        lambda x: jnp.sum(jax.nn.relu6(6 * x) + jax.nn.leaky_relu(x)), lambda x: jnp.prod(x) + jnp.sum(x**0.5),
        lambda x: lax.reduce_window(x, -jnp.inf, lax.max, (2,), (1,), "VALID") @ jnp.arange(3.0),
        lambda x: jnp.sort(x) @ jnp.arange(4.0) + jnp.linalg.norm(x[:1]),
    ):  # fmt: skip
        x = jnp.array([0.0, 1.0, 1.0, 0.0])
        traced = from_jax(f, x)
        np.testing.assert_array_equal(ad.gradients(traced.output, [traced.node("x")])[0], jax.jit(jax.grad(f))(x))


def test_a_closed_gate_blocks_what_is_nan_in_jax() -> None:
    """The branch not taken is log 0, whose slope is infinite."""
    traced = from_jax(lambda x: jnp.where(x > 0, jnp.log(x), 0.0), 0.0)
    traced.output.backward()
    assert traced.node("x").grad == 0.0


# ---- random compositions ---------------------------------------------------------------------------------------------

STEPS: dict[str, Callable[[Any], Any]] = {
    "broadcast": lambda x: x + x[0], "concatenate": lambda x: jnp.concatenate([x, jnp.cos(x)])[1:4],
    "cumulative": lambda x: jnp.cumsum(x, 1) / 3, "exp": lambda x: jnp.exp(-x),
    "gather": lambda x: x[jnp.array([2, 0, 2])],
    "log": lambda x: jnp.log1p(x**2), "mean": lambda x: x - x.mean(0), "norm": lambda x: x / jnp.linalg.norm(x),
    "outer": lambda x: jnp.einsum("ij,kj->ik", x, x), "ReLU": jax.nn.relu, "scan": lambda x: lax.cumsum(jnp.sin(x)),
    "select": lambda x: jnp.where(x > 0.4, x, jnp.tanh(x)), "sigmoid": jax.nn.sigmoid, "softmax": jax.nn.softmax,
    "sort": lambda x: jnp.sort(x, 0), "transpose": lambda x: x.T, "vmap": lambda x: jax.vmap(jnp.roll, (0, None))(x, 1),
}  # fmt: skip


@pytest.mark.slow
@settings(max_examples=25)
@given(st.lists(st.sampled_from(sorted(STEPS)), min_size=1, max_size=4), st.integers(0, 99))
def test_random_compositions_are_those_of_jax(names: list[str], seed: int) -> None:
    """Value and gradient, of compositions without ties."""

    def f(x: Any) -> Any:
        for name in names:
            x = STEPS[name](x)
        return jnp.sum(x * jnp.arange(1.0, 1.0 + x.size).reshape(x.shape))

    x = drawn(3, 3, seed=seed)
    traced = from_jax(f, x)
    value, slope = jax.value_and_grad(f)(x)
    np.testing.assert_allclose(traced.output.data, value, rtol=1e-12, atol=1e-12)
    found = ad.gradients(traced.output, [traced.node("x")])[0]
    np.testing.assert_allclose(found, slope, rtol=1e-11, atol=1e-12 * max(1.0, float(np.abs(slope).max())))


# ---- errors ----------------------------------------------------------------------------------------------------------


def test_a_primitive_without_an_equal_is_named_with_its_line() -> None:
    with pytest.raises(ValueError, match=r"cannot trace lgamma of the jax program \(test_from_jax.py, line \d+, in "):
        from_jax(lambda x: jnp.sum(lax.lgamma(x)), drawn(3))


def test_a_case_without_an_equal_says_why() -> None:
    with pytest.raises(ValueError, match=r"cannot trace convert_element_type .*has no bfloat16"):
        from_jax(lambda x: jnp.sum(x.astype(jnp.bfloat16)), drawn(3))
    with pytest.raises(ValueError, match=r"cannot trace round .*rounding away from zero"):
        from_jax(lambda x: jnp.sum(lax.round(x)), drawn(3))
    with pytest.raises(ValueError, match=r"\(test_from_jax.py, line \d+, in .*no complex128; products with cosines"):
        from_jax(lambda x: jnp.sum(jnp.abs(jnp.fft.fft(x))), drawn(3))
    with pytest.raises(ValueError, match=r"two updates meet in one element.* or compute it before"):
        from_jax(lambda x: jnp.sum(x.at[jnp.array([1, 1])].multiply(x[:2])), drawn(3))


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("w1", ValueError, r"unknown parameter 'w1' \(must be one of params\['b1'\], "),
        ("params['w1'][0]", ValueError, r"not one element of params\['w1'\], which has shape \(4, 3\)"),
        ("params['w1'][0, 3]", ValueError, "not one element"),
        ("params['w1'].T", ValueError, "unknown parameter"),
        ("ids", ValueError, "ids holds no real numbers"),
        (0, TypeError, "by name, such as"),
    ],
)
def test_a_wrong_name_is_refused(name: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        see(from_jax(_loss, _params(), drawn(5, 4), np.array([0, 1, 1, 0, 1])), name)


def test_what_is_no_loss_is_refused() -> None:
    with pytest.raises(ValueError, match="returns one array, such as a loss, but it returned 2"):
        from_jax(lambda x: (x, x), 1.0)
    with pytest.raises(ValueError, match="depends on none of its real arguments"):
        from_jax(lambda x, n: 2.0 * n, 1.0, 3)
    with pytest.raises(ValueError, match=r"expected w as float64 or float32, but it is bfloat16"):
        from_jax(lambda w: w, jnp.ones(2, jnp.bfloat16))
    with pytest.raises(ValueError, match=r"w\[0\] has no node in this trace"):
        from_jax(lambda w: jnp.sum(w), drawn(2)).node("w[0]")


def test_without_jax_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise ModuleNotFoundError(name=name)

    monkeypatch.setattr(tracing, "import_module", missing)
    with pytest.raises(ModuleNotFoundError, match=r"from_jax needs jax: pip install .*peers"):
        from_jax(lambda x: x, 1.0)
