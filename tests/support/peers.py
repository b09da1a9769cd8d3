"""The other engines, each as one function: a program's gradients, and its Hessian times a vector.

Every engine gets its own spelling of each operation of `tests.support.programs`; none shares code with this project.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np

import autodiff as ad
from autodiff.testing.random_programs.program import Engine, Program
from autodiff.testing.random_programs.rounding import NUDGE

Arrays = list[np.ndarray[Any, Any]]


@dataclass(frozen=True, repr=False)
class Peer:
    """An engine: the gradients of a program, its Hessian times a vector (None: not asked), and its own error."""

    name: str
    gradients: Callable[[Program], Arrays]
    curvature: Callable[[Program, Sequence[Any]], Arrays] | None = None
    error: float = 0.0

    def __repr__(self) -> str:
        return self.name


def _arrays(parts: Sequence[Any], like: Sequence[Any]) -> Arrays:
    """Gradients as arrays; None, an input that the output does not depend on, is zero."""
    return [np.zeros(np.shape(x)) if part is None else np.asarray(part) for part, x in zip(parts, like, strict=True)]


# ---- this project ----------------------------------------------------------------------------------------------------


def own_output(program: Program, kind: type, nudged: int = -1) -> tuple[Any, list[Any]]:
    """The output by this project and its leaves, of ``kind`` Value or Tensor."""
    leaves = [kind(x) for x in program.inputs]
    return program.output(program.operations, leaves, nudged, NUDGE), leaves


def own_slope(program: Program, vectors: Sequence[Any], kind: type, nudged: int = -1) -> tuple[Any, list[Any]]:
    """⟨∇f, v⟩ by this project, whose gradient is the Hessian times ``vectors``, and its leaves."""
    output, leaves = own_output(program, kind, nudged)
    return _along(ad.gradients(output, leaves, create_graph=True), vectors, ad.sum), leaves


def own_gradients(output: Any, leaves: Sequence[Any]) -> Arrays:
    """The gradients of an output (None: a constant) by this project."""
    return _arrays([None] * len(leaves) if output is None else ad.gradients(output, leaves), leaves)


def _along(slopes: Sequence[Any], vectors: Sequence[Any], total: Callable[[Any], Any]) -> Any:
    """⟨slopes, vectors⟩ as a scalar of the engine; None if there are no slopes."""
    along = None
    for slope, vector in zip(slopes, vectors, strict=True):
        if slope is not None:
            term = total(slope * vector) if np.ndim(vector) else slope * vector
            along = term if along is None else along + term
    return along


# ---- mpmath: 50 digits and differences, no rule of calculus ----------------------------------------------------------


def _mp_sigmoid(x: Any) -> Any:
    return 1 / (1 + mpmath.exp(-x))


_MPMATH: Engine = {
    "add": lambda x, y: x + y, "multiply": lambda x, y: x * y, "subtract": lambda x, y: x - y,
    "negative": lambda x: -x, "square": lambda x: x * x, "identity": lambda x: x, "divide": lambda x, y: x / y,
    "reciprocal": lambda x: 1 / x, "cube": lambda x: x * x * x, "pow": lambda x, y: mpmath.exp(y * mpmath.log(x)),
    "root": mpmath.sqrt, "exp": mpmath.exp, "expm1": mpmath.expm1, "log": mpmath.log,
    "log1p": lambda x: mpmath.log(1 + x), "sqrt": mpmath.sqrt, "sin": mpmath.sin, "cos": mpmath.cos, "tan": mpmath.tan,
    "arcsin": mpmath.asin, "arccos": mpmath.acos, "arctan": mpmath.atan, "sinh": mpmath.sinh, "cosh": mpmath.cosh,
    "tanh": mpmath.tanh, "erfc": mpmath.erfc, "sigmoid": _mp_sigmoid,
    "log_sigmoid": lambda x: mpmath.log(_mp_sigmoid(x)),
    "softplus": lambda x: mpmath.log(1 + mpmath.exp(x)), "gelu": lambda x: x * mpmath.ncdf(x),
    "weighted_sum": lambda x, y: 2 * x * y + x / 2 + y, "soft_sign": lambda x: x / (1 + abs(x)),
    "elu": lambda x: x if x > 0 else mpmath.expm1(x), "absolute": abs, "relu": lambda x: max(x, mpmath.mpf(0)),
    "leaky_relu": lambda x: x if x > 0 else x * mpmath.mpf(0.01), "sign": mpmath.sign,
    "hard_tanh": lambda x: min(max(x, mpmath.mpf(-1)), mpmath.mpf(1)),
    "clip": lambda x: min(max(x, mpmath.mpf(-0.5)), mpmath.mpf(2)), "maximum": max, "minimum": min,
    "hinge": lambda x, y: max(1 + y - x, mpmath.mpf(0)), "where": min,
}  # fmt: skip


def _mpmath_gradients(program: Program) -> Arrays:
    """Central differences in 50 digits with step 1e-16: right to 1e-24."""
    with mpmath.workdps(50):
        point = [mpmath.mpf(x) for x in program.inputs]
        step = mpmath.mpf(10) ** -16
        slopes: list[Any] = []
        for k in range(len(point)):
            ends = [[x + side * (j == k) for j, x in enumerate(point)] for side in (step, -step)]
            above, below = (program.output(_MPMATH, end) for end in ends)
            slopes.append(np.float64((above - below) / (2 * step)))
        return slopes


def mpmath_peer() -> Peer:
    """Differences in 50 digits."""
    return Peer("mpmath", _mpmath_gradients, error=1e-24)  # step² · third derivative / 6, which is below 1e8 here


# ---- torch -----------------------------------------------------------------------------------------------------------


def torch_peer(torch: Any) -> Peer:
    """PyTorch in float64, eager."""
    functional = torch.nn.functional
    same = (
        "add multiply subtract negative square divide reciprocal pow exp expm1 log log1p sqrt sin cos tan arcsin "
        "arccos arctan sinh cosh tanh erfc sigmoid absolute relu sign maximum minimum matmul outer trace"
    )
    picked = torch.tensor([0, -1, 0])
    engine = {
        **{name: getattr(torch, name) for name in same.split()},
        "identity": lambda x: x.clone(), "cube": lambda x: x**3, "root": lambda x: x**0.5,
        "log_sigmoid": functional.logsigmoid, "softplus": lambda x: torch.logaddexp(x, torch.zeros_like(x)),
        "gelu": functional.gelu, "weighted_sum": lambda x, y: x * y + y * x + 0.5 * x + y,
        "soft_sign": functional.softsign, "elu": functional.elu, "leaky_relu": functional.leaky_relu,
        "hard_tanh": lambda x: torch.clamp(x, -1.0, 1.0),  # the notes' derivative is 1 at ±1, hardtanh's 0
        "clip": lambda x: torch.clamp(x, -0.5, 2.0),
        "hinge": lambda x, y: functional.relu(1.0 + y - x), "where": lambda x, y: torch.where(x < y, x, y),
        "sum": torch.sum, "sum_first": lambda x: x.sum(0), "sum_last": lambda x: x.sum(-1, keepdim=True),
        "mean": torch.mean, "mean_first": lambda x: x.mean(0), "prod_last": lambda x: x.prod(-1), "max": torch.amax,
        "max_last": lambda x: x.amax(-1, keepdim=True), "min_first": lambda x: x.amin(0),
        "logsumexp": lambda x: torch.logsumexp(x, -1), "softmax": lambda x: torch.softmax(x, -1),
        "log_softmax": lambda x: torch.log_softmax(x, -1), "norm_last": lambda x: torch.linalg.vector_norm(x, dim=-1),
        "cumsum": lambda x: x.cumsum(0), "var": lambda x: x.var(0, correction=0), "dot_self": lambda x: x.T @ x,
        "row_sums": lambda x: torch.einsum("ij->i", x), "transpose": lambda x: x.T, "flatten": lambda x: x.reshape(-1),
        "lift": lambda x: x[None], "first": lambda x: x[0], "tail": lambda x: x[..., -2:],
        "repeat": lambda x: x[picked], "flip": lambda x: x.flip(0), "concatenate": lambda x, y: torch.cat([x, y]),
        "stack": lambda x, y: torch.stack([x, y], -1), "pad": lambda x: functional.pad(x, (1, 2)),
    }  # fmt: skip

    def recorded(program: Program) -> tuple[Any, list[Any]]:
        leaves = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in program.inputs]
        weights = [(sink, torch.tensor(weight, dtype=torch.float64)) for sink, weight in program.weights]
        return Program(program.inputs, program.steps, tuple(weights)).output(engine, leaves), leaves

    def gradients(program: Program) -> Arrays:
        output, leaves = recorded(program)
        return _arrays(torch.autograd.grad(output, leaves, allow_unused=True), leaves)

    def curvature(program: Program, vectors: Sequence[Any]) -> Arrays:
        output, leaves = recorded(program)
        slopes = torch.autograd.grad(output, leaves, create_graph=True, allow_unused=True)
        directions = [torch.tensor(v, dtype=torch.float64) for v in vectors]
        along = _along([s if s is not None and s.requires_grad else None for s in slopes], directions, torch.sum)
        found = [None] * len(leaves) if along is None else torch.autograd.grad(along, leaves, allow_unused=True)
        return _arrays(found, [leaf.detach() for leaf in leaves])

    return Peer("torch", gradients, curvature)


# ---- jax -------------------------------------------------------------------------------------------------------------


def jax_peer(jax: Any) -> Peer:
    """JAX in float64, not compiled as a whole."""
    jax.config.update("jax_enable_x64", True)
    jnp, nn = jax.numpy, jax.nn
    same = (
        "add multiply subtract negative square divide reciprocal pow exp expm1 log log1p sqrt sin cos tan arcsin "
        "arccos arctan sinh cosh tanh absolute sign maximum minimum matmul outer trace sum mean"
    )
    engine = {
        **{name: getattr(jnp, name) for name in same.split()},
        **{name: getattr(nn, name) for name in ("sigmoid", "log_sigmoid", "softplus", "relu", "elu", "leaky_relu")},
        "identity": lambda x: x, "cube": lambda x: x**3, "root": lambda x: x**0.5, "erfc": jax.scipy.special.erfc,
        "gelu": lambda x: nn.gelu(x, approximate=False), "weighted_sum": lambda x, y: x * y + y * x + 0.5 * x + y,
        "soft_sign": nn.soft_sign, "hard_tanh": nn.hard_tanh, "clip": lambda x: jnp.clip(x, -0.5, 2.0),
        "hinge": lambda x, y: nn.relu(1.0 + y - x), "where": lambda x, y: jnp.where(x < y, x, y),
        "sum_first": lambda x: x.sum(0), "sum_last": lambda x: x.sum(-1, keepdims=True),
        "mean_first": lambda x: x.mean(0), "prod_last": lambda x: x.prod(-1), "max": jnp.max,
        "max_last": lambda x: x.max(-1, keepdims=True), "min_first": lambda x: x.min(0),
        "logsumexp": lambda x: jax.scipy.special.logsumexp(x, -1), "softmax": nn.softmax, "log_softmax": nn.log_softmax,
        "norm_last": lambda x: jnp.linalg.norm(x, axis=-1), "cumsum": lambda x: jnp.cumsum(x, 0),
        "var": lambda x: x.var(0), "dot_self": lambda x: x.T @ x, "row_sums": lambda x: jnp.einsum("ij->i", x),
        "transpose": lambda x: x.T, "flatten": lambda x: x.reshape(-1), "lift": lambda x: x[None],
        "first": lambda x: x[0], "tail": lambda x: x[..., -2:], "repeat": lambda x: x[np.array([0, -1, 0])],
        "flip": lambda x: jnp.flip(x, 0), "concatenate": lambda x, y: jnp.concatenate([x, y]),
        "stack": lambda x, y: jnp.stack([x, y], -1), "pad": lambda x: jnp.pad(x, (1, 2)),
    }  # fmt: skip

    def gradients(program: Program) -> Arrays:
        leaves = [jnp.asarray(x, dtype=jnp.float64) for x in program.inputs]
        return _arrays(jax.grad(lambda given: program.output(engine, given))(leaves), leaves)

    return Peer("jax", gradients)
