"""Primitives of recurrent layers: all steps of a sequence in one node, forwards and back (the notes, section 3).

A step is a few small operations, whose nodes take longer than their arithmetic; and the gradient of W is a sum over the
steps, which is one product of matrices only where all steps are known. A primitive has one result, and one share that
holds those of all its operands, so the operands are packed into one vector, as the parts of a factorisation are.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from autodiff.primitives.definition import primitive
from autodiff.primitives.domain import Domain, Example
from autodiff.primitives.expression import Expression
from autodiff.primitives.operands import as_operand
from autodiff.primitives.primitive import Primitive
from autodiff.primitives.table.layout import concatenate

__all__ = ["recurrence"]

_Shape = tuple[int, int, int]  # steps, rows, units


def recurrence(w: Any, x: Any, h: Any) -> Any:
    """Return the states of a recurrent layer of tanh units, h_t = tanh(W h_{t−1} + x_t) for t = 1 … T, as one node.

    Args:
        w: W, shape (m, m).
        x: what arrives at each step, W_hx x_t + b for example, shape (T, m), or (T, rows, m) for several sequences.
        h: h₀, shape (m,), or (rows, m).

    Returns:
        h₁ … h_T in the shape of x. The slope of tanh is computed as 1 − h², which keeps 16 decimal places and not 16
        digits: behind a unit so saturated that h rounds to ±1 it is 0.

    Raises:
        ValueError: if the shapes do not fit, or there is no step.
        TypeError: if an operand is not an array of real numbers.

    Source: notes, section 3.

    >>> recurrence([[0.0]], [[0.5], [-0.5]], [0.0]).round(4)
    array([[ 0.4621],
           [-0.4621]])
    """
    w, x, h = (item if hasattr(item, "_data") else as_operand("recurrence", item) for item in (w, x, h))
    m = w.shape[-1] if w.shape else 0
    fits = len(w.shape) == 2 and w.shape == (m, m) and x.shape[-1:] == (m,) and len(x.shape) in (2, 3)
    if not fits or h.shape != x.shape[1:] or not prod(x.shape):
        raise ValueError(
            "recurrence needs W of shape (m, m), x of shape (T, m) or (T, rows, m) with at least one step, and h of "
            f"shape (m,) or (rows, m); it got W {w.shape}, x {x.shape}, h {h.shape}"
        )
    shape = (x.shape[0], prod(x.shape[1:-1]), m)
    return _states(_packed(w, x, h), shape=shape).reshape(x.shape)


def _packed(*operands: Any) -> Any:
    return concatenate([item.reshape((-1,)) for item in operands])


def _parts(packed: Any, shape: _Shape) -> tuple[Any, Any, Any]:
    """W (m, m), x (T, rows, m) and h₀ (rows, m), as they were packed."""
    first, second = shape[2] ** 2, shape[2] ** 2 + prod(shape)
    if len(packed) != second + prod(shape[1:]):
        raise ValueError(f"{second + prod(shape[1:])} numbers are needed for shape {shape}")
    square = (shape[2], shape[2])
    return packed[:first].reshape(square), packed[first:second].reshape(shape), packed[second:].reshape(shape[1:])


def _forward(xp: Any, packed: Any, *, shape: _Shape) -> Any:
    w, x, h = _parts(packed, shape)
    out, across = np.empty(shape, packed.dtype), w.T
    for t in range(shape[0]):
        z = h.dot(across)
        z += x[t]
        h = out[t] = np.tanh(z)
    return out


def _linear_forward(xp: Any, w: Any, x: Any, slopes: Any, *, reverse: bool) -> Any:
    out, across, y = np.empty(x.shape, x.dtype), w.T, None
    for t in range(len(x))[:: -1 if reverse else 1]:
        arrived = x[t] if y is None else y.dot(across) + x[t]
        y = np.multiply(arrived, slopes[t], out=out[t]) if out.dtype != object else arrived * slopes[t]
        out[t] = y
    return out


def _share(g: Any, z: Any, packed: Any, shape: _Shape) -> Any:
    """Backpropagation through time: δ_t = (1 − h_t²) ∘ (g_t + Wᵀδ_{t+1}), ∇W = Σ_t δ_t h_{t−1}ᵀ, ∇x_t = δ_t, Wᵀδ₁."""
    if isinstance(packed, Expression):
        return Expression("xp", "share_of_recurrence", g, z)
    w, _, h = _parts(packed, shape)
    delta = _linear(w.T, g, 1.0 - z * z, reverse=True)
    before = concatenate([h.reshape((1, *shape[1:])), z[:-1]])
    return _packed(_outer_sum(delta, before), delta, delta[0] @ w)


def _share_of_weights(g: Any, z: Any, w: Any, slopes: Any, reverse: bool) -> Any:
    if isinstance(w, Expression):
        return Expression("xp", "share_of_linear_recurrence", g, z)
    return _outer_sum(_back(g, w, slopes, reverse), _shifted(z, reverse))


def _share_of_slopes(g: Any, z: Any, w: Any, x: Any, slopes: Any, reverse: bool) -> Any:
    """The error at s_t ∘ (…) times what stands in the brackets, both with the part that came by W."""
    if isinstance(w, Expression):
        return Expression("xp", "share_of_linear_recurrence", g, z)
    u = _back(g, w, slopes, reverse)
    return (g + _on(_shifted(u, not reverse), w)) * (x + _on(_shifted(z, reverse), w.T))


def _back(g: Any, w: Any, slopes: Any, reverse: bool) -> Any:
    """u_t = s_t ∘ (g_t + Wᵀu_{t+1}): the same recurrence, transposed and in the other direction."""
    if isinstance(w, Expression):
        return Expression("xp", "linear_recurrence_back", w, g, slopes)
    return _linear(w.T, g, slopes, reverse=not reverse)


def _shifted(y: Any, reverse: bool) -> Any:
    """y of the step before each, in the direction of time: 0 before the first."""
    nothing = np.zeros((1, *y.shape[1:]), y.dtype)
    return concatenate([y[1:], nothing] if reverse else [nothing, y[:-1]])


def _on(y: Any, w: Any) -> Any:
    return (y.reshape((-1, y.shape[-1])) @ w).reshape(y.shape)


def _outer_sum(delta: Any, before: Any) -> Any:
    """Σ_t δ_t h_{t−1}ᵀ, over all rows, as one product."""
    units = delta.shape[-1]
    return delta.reshape((-1, units)).T @ before.reshape((-1, units))


_SMALL = Domain(-1.0, 1.0, "all reals")

# fmt: off
_states: Primitive = primitive("recurrent_states", _forward,
    [lambda g, z, x, *, shape: _share(g, z, x, shape)],
    symbol="tanh(W h + x)", domain=_SMALL, elementwise=False,
    examples=(Example(((20,),), {"shape": (3, 2, 2)}), Example(((4,),), {"shape": (2, 1, 1)})),
    doc="States h_t = tanh(W h_{t−1} + x_t) of a recurrent layer, from W, x₁ … x_T and h₀ in one vector (notes, section 3).")

_linear: Primitive = primitive("linear_recurrence", _linear_forward,
    [lambda g, z, w, x, s, *, reverse: _share_of_weights(g, z, w, s, reverse),
     lambda g, z, w, x, s, *, reverse: _back(g, w, s, reverse),
     lambda g, z, w, x, s, *, reverse: _share_of_slopes(g, z, w, x, s, reverse)],
    symbol="s ∘ (W y + x)", domain=_SMALL, elementwise=False,
    examples=(Example(((2, 2), (3, 2, 2), (3, 2, 2)), {"reverse": False}), Example(((1, 1), (2, 1, 1), (2, 1, 1)), {"reverse": True})),
    doc="y_t = s_t ∘ (W y_{t−1} + x_t), from the last step on if reversed: backpropagation through time (notes, section 3).")
# fmt: on
