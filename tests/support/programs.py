"""The operations that every engine can run: what the cross-checks draw, beside the primitives some composites.

`autodiff.testing.random_programs.program` says what a program is; here stand the names that other engines have a
spelling for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

import autodiff as ad
from autodiff.testing.random_programs.operations import Operation
from autodiff.testing.random_programs.program import Instruction


def _above(low: float) -> Callable[..., bool]:
    return lambda x, *_: bool(np.all(np.asarray(x) > low))


def _within(high: float) -> Callable[..., bool]:
    return lambda x, *_: bool(np.all(np.abs(x) < high))


def _broadcast(x: Any, y: Any) -> bool:
    """Whether the shapes broadcast together."""
    return all(m == n or 1 in (m, n) for m, n in zip(np.shape(x)[::-1], np.shape(y)[::-1], strict=False))


def _divisible(x: Any, y: Any) -> bool:
    return _broadcast(x, y) and bool(np.all(np.abs(y) > 0.2))


def _has_axis(x: Any, *_: Any) -> bool:
    return np.ndim(x) > 0


def _is_matrix(x: Any) -> bool:
    return np.ndim(x) == 2


def _multiplies(x: Any, y: Any) -> bool:
    """Whether ``x @ y`` is defined."""
    if not np.ndim(x) or not np.ndim(y):
        return False
    stacks = _broadcast(np.empty(np.shape(x)[:-2]), np.empty(np.shape(y)[:-2]))
    return stacks and np.shape(x)[-1] == np.shape(y)[-2 if np.ndim(y) > 1 else 0]


def _joins(x: Any, y: Any) -> bool:
    return np.ndim(x) > 0 and np.ndim(x) == np.ndim(y) and np.shape(x)[1:] == np.shape(y)[1:]


def _plain(x: Any) -> Any:
    return x.data if isinstance(x, ad.Node) else x


_PICKED = np.array([0, -1, 0])  # the first element twice: its shares must add

_UNARY = (
    "negative square identity exp expm1 sin cos arctan sinh cosh tanh erfc sigmoid log_sigmoid softplus gelu soft_sign "
    "elu absolute relu leaky_relu sign hard_tanh"
)
_BINARY = "add multiply subtract maximum minimum hinge"


def _table() -> list[Operation]:
    """Each operation on each element alone, the simplest first: hypothesis shrinks towards the front."""
    return [
        *(Operation(name, 2, getattr(ad, name), _broadcast) for name in _BINARY.split()),
        *(Operation(name, 1, getattr(ad, name)) for name in _UNARY.split()),
        Operation("divide", 2, ad.divide, _divisible),
        Operation("reciprocal", 1, ad.reciprocal, lambda x: bool(np.all(np.abs(x) > 0.2))),
        Operation("cube", 1, lambda x: x**3),
        Operation("pow", 2, ad.pow, lambda x, y: _broadcast(x, y) and _above(0.1)(x)),
        Operation("root", 1, lambda x: x**0.5, _above(0.05)),
        Operation("log", 1, ad.log, _above(0.05)),
        Operation("log1p", 1, ad.log1p, _above(-0.9)),
        Operation("sqrt", 1, ad.sqrt, _above(0.05)),
        Operation("tan", 1, ad.tan, _within(1.2)),
        Operation("arcsin", 1, ad.arcsin, _within(0.9)),
        Operation("arccos", 1, ad.arccos, _within(0.9)),
        Operation("weighted_sum", 2, lambda x, y: ad.weighted_sum([x, y, 0.5], [y, x, x], y), _broadcast),
        Operation("clip", 1, lambda x: ad.clip(x, -0.5, 2.0)),
        Operation("where", 2, lambda x, y: ad.where(np.less(_plain(x), _plain(y)), x, y), _broadcast),
    ]


def _array_table() -> list[Operation]:
    """Operations on arrays: reductions, products, layout."""
    return [
        Operation("sum", 1, lambda x: ad.sum(x)),
        Operation("sum_first", 1, lambda x: ad.sum(x, axis=0), _has_axis),
        Operation("sum_last", 1, lambda x: ad.sum(x, axis=-1, keepdims=True), _has_axis),
        Operation("mean", 1, lambda x: ad.mean(x)),
        Operation("mean_first", 1, lambda x: ad.mean(x, axis=0), _has_axis),
        Operation("prod_last", 1, lambda x: ad.prod(x, axis=-1), _has_axis),
        Operation("max", 1, lambda x: ad.max(x), _has_axis),
        Operation("max_last", 1, lambda x: ad.max(x, axis=-1, keepdims=True), _has_axis),
        Operation("min_first", 1, lambda x: ad.min(x, axis=0), _has_axis),
        Operation("logsumexp", 1, lambda x: ad.logsumexp(x, axis=-1), _has_axis),
        Operation("softmax", 1, lambda x: ad.softmax(x), _has_axis),
        Operation("log_softmax", 1, lambda x: ad.log_softmax(x), _has_axis),
        Operation("norm_last", 1, lambda x: ad.norm(x, axis=-1), _has_axis),
        Operation("cumsum", 1, lambda x: ad.cumsum(x, axis=0), _has_axis),
        Operation("var", 1, lambda x: ad.var(x, axis=0), lambda x: np.ndim(x) > 0 and np.shape(x)[0] > 1),
        Operation("matmul", 2, ad.matmul, _multiplies),
        Operation("dot_self", 1, lambda x: ad.matmul(x.T, x), _is_matrix),
        Operation("outer", 2, ad.outer, lambda x, y: np.ndim(x) == np.ndim(y) == 1),
        Operation("trace", 1, ad.trace, _is_matrix),
        Operation("row_sums", 1, lambda x: ad.einsum("ij->i", x), _is_matrix),
        Operation("transpose", 1, lambda x: x.T, _is_matrix),
        Operation("flatten", 1, lambda x: ad.reshape(x, shape=(-1,))),
        Operation("lift", 1, lambda x: ad.expand_dims(x, axis=0)),
        Operation("first", 1, lambda x: x[0], _has_axis),
        Operation("tail", 1, lambda x: x[..., -2:], _has_axis),
        Operation("repeat", 1, lambda x: x[_PICKED], _has_axis),
        Operation("flip", 1, lambda x: ad.flip(x, axis=0), _has_axis),
        Operation("concatenate", 2, lambda x, y: ad.concatenate([x, y]), _joins),
        Operation("stack", 2, lambda x, y: ad.stack([x, y], axis=-1), lambda x, y: np.shape(x) == np.shape(y)),
        Operation("pad", 1, lambda x: ad.pad(x, (1, 2)), lambda x: np.ndim(x) == 1),
    ]


ELEMENTWISE = {operation.name: operation for operation in _table()}
OPERATIONS = {**ELEMENTWISE, **{operation.name: operation for operation in _array_table()}}

#: Those with kinks, also of their first derivative.
_KINKED = (
    "soft_sign elu absolute relu leaky_relu sign hard_tanh clip maximum minimum hinge where max max_last min_first "
    "norm_last"
)
SMOOTH = {name: operation for name, operation in OPERATIONS.items() if name not in _KINKED.split()}
#: At y = 0 torch takes ∂(x^y)/∂x for the number 0, and loses ∂²(x^y)/∂x∂y = 1/x: ∂²/∂y∂x is 1/x in torch, too.
SMOOTH["pow"] = replace(OPERATIONS["pow"], fits=lambda x, y: OPERATIONS["pow"].fits(x, y) and bool(np.all(y != 0)))
SMOOTH_SCALARS = {name: operation for name, operation in SMOOTH.items() if name in ELEMENTWISE}


def long_program(seed: int, operations: Sequence[str]) -> list[Instruction]:
    """Twenty instructions of all kinds: longer than hypothesis tends to draw."""
    random = np.random.default_rng(seed)
    names = random.choice(list(operations), 20)
    return [(str(name), int(i), int(j)) for name, i, j in zip(names, *random.integers(0, 8, (2, 20)), strict=True)]
