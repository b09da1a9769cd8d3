"""Traced functions of jax compared with jax: the value, and the gradients of whole arguments and of one element."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import autodiff as ad

__all__ = ["assert_traced_like", "drawn", "with_slopes"]


def drawn(*shape: int, seed: int = 0, low: float = 0.2, high: float = 0.9) -> np.ndarray[Any, Any]:
    """Random numbers between two bounds, without ties."""
    return np.random.default_rng(seed).uniform(low, high, shape)


def with_slopes(jax: Any, f: Callable[..., Any], args: Any) -> Callable[..., Any]:
    """The value of f and its gradients by each argument, by jax."""
    found: Callable[..., Any] = jax.value_and_grad(f, argnums=tuple(range(len(args))), allow_int=True)
    return found


def assert_traced_like(
    jax: Any, f: Callable[..., Any], *args: Any, rel: float = 1e-12, by_jax: Any = None
) -> ad.TracedFunction:
    """The trace of f has jax's value and gradients; those of one element are found both ways, as arrays and Values.

    ``by_jax`` are that value and these gradients, if they are there already.
    """
    traced = ad.from_jax(f, *args)
    value, slopes = jax.jit(with_slopes(jax, f, args))(*args) if by_jax is None else by_jax
    np.testing.assert_allclose(traced.output.data, value, rtol=rel, atol=rel)
    for name, slope in zip(traced.names, jax.tree_util.tree_leaves(slopes), strict=True):
        if slope.dtype == jax.dtypes.float0:
            continue
        _assert_equal(ad.gradients(traced.output, [traced.node(name)])[0], np.asarray(slope), rel, name)
        if slope.size:
            index = tuple(n - 1 for n in slope.shape)
            place = name + (str(list(index)) if index else "")
            one = traced.at(place)
            _assert_equal(ad.gradients(one.output, [one.parameter])[0], np.asarray(slope)[index], rel, place)
    return traced


def _assert_equal(found: Any, slope: Any, rel: float, name: str) -> None:
    np.testing.assert_allclose(
        np.zeros(slope.shape) if found is None else found, slope, rtol=rel, atol=rel, err_msg=name
    )
