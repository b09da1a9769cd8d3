"""Clipping of gradients: by their norm together, or each number by its value."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from math import inf, isfinite, sqrt
from typing import Any, Final

import numpy as np

from autodiff.engine.graph import commit, set_grad
from autodiff.primitives.rows import Rows
from nn.descent.sources import parameters_of
from nn.parameters.ranges import Hyper, number_in

__all__ = ["checked_bound", "clip_norm", "clip_value", "clipped", "gradient_norm"]


def clip_norm(parameters: Any, most: float) -> float:
    """Scale all gradients by one factor so that their norm ‖g‖ = √(Σ gᵢ²) over all parameters is at most ``most``.

    Args:
        parameters: a net, a dict or an iterable of Values and Tensors; those without a gradient are left alone.
        most: the largest norm, positive; inf only measures.

    Returns:
        the norm before, a float; gradients whose norm is not larger keep their bits.

    Raises:
        ValueError: if a gradient is not finite, or ``most`` is not positive; no gradient has changed.

    Source: notes, section 3 (clipping by norm).

    >>> from autodiff import Value
    >>> x = Value(1.0)
    >>> x.grad = 8.0
    >>> clip_norm([x], 2.0), x.grad
    (8.0, 2.0)
    """
    bound = checked_bound(most, "norm")
    reached = [x for x in parameters_of(parameters) if x.grad_rows is not None]
    grads, norm = clipped([x.grad_rows for x in reached], bound)
    if norm > bound:
        _assign(reached, grads)
    return norm


def gradient_norm(parameters: Any) -> float:
    """The norm ‖g‖ = √(Σ gᵢ²) of all gradients together; nan or inf if a gradient is not finite.

    Args:
        parameters: as for `clip_norm`, or an optimiser.

    >>> from autodiff import Value
    >>> x, y = Value(1.0), Value(1.0)
    >>> x.grad, y.grad = 3.0, 4.0
    >>> gradient_norm([x, y])
    5.0
    """
    grads = (x.grad_rows for x in parameters_of(parameters))  # .grad would make an array of rows
    return _norm([_numbers(g) for g in grads if g is not None])


def clip_value(parameters: Any, most: float) -> None:
    """Bring each number of all gradients into [−most, most].

    Args:
        parameters: as for `clip_norm`.
        most: the largest absolute value, positive.

    An infinite gradient becomes ±most.

    Raises:
        ValueError: if a gradient is nan, or ``most`` is not positive; no gradient has changed.

    >>> from autodiff import Value
    >>> x = Value(1.0)
    >>> x.grad = -8.0
    >>> clip_value([x], 2.0)
    >>> x.grad
    -2.0
    """
    bound = checked_bound(most, "value")
    reached = [x for x in parameters_of(parameters) if x.grad_rows is not None]
    grads = [x.grad_rows for x in reached]
    for x, g in zip(reached, grads, strict=True):
        if np.any(np.isnan(_numbers(g))):
            raise ValueError(f"the gradient of {x.label} holds nan, which cannot be clipped; no gradient has changed")
    _assign(reached, [_within(g, bound) for g in grads])


def _within(grad: Any, bound: float) -> Any:
    return grad.map(partial(_within, bound=bound)) if grad.__class__ is Rows else np.clip(grad, -bound, bound)


def clipped(grads: Sequence[Any], most: float, norm: float | None = None) -> tuple[list[Any], float]:
    """The gradients scaled to a norm of at most ``most``, and their norm before, which is computed unless it is given.

    Raises:
        ValueError: if the norm is not finite.
    """
    if norm is None:
        norm = _norm([_numbers(g) for g in grads])
    if not isfinite(norm):
        raise ValueError(
            "the norm of the gradients is not finite, so they cannot be clipped; nothing has changed. Find the first "
            "such number by autodiff.detect_anomaly"
        )
    factor = most / norm if norm > most else 1.0
    return list(grads) if factor == 1.0 else [factor * g for g in grads], norm


def checked_bound(most: Any, what: str) -> float:
    """A positive number, or inf; raises TypeError or ValueError for anything else."""
    return inf if most is not True and most == inf else number_in(most, Hyper(what, what, 1.0, open_low=True))


def _numbers(grad: Any) -> Any:
    """The numbers of a gradient, without the zeros of a table of which only some rows were reached."""
    return grad.rows if grad.__class__ is Rows else grad


def _norm(grads: Sequence[Any]) -> float:
    """√(Σ g²), computed after scaling if the squares overflow or vanish."""
    total = _squares(grads)
    if _TINY < total < inf or not grads:
        return sqrt(total)
    largest = max(float(np.max(np.abs(g), initial=0.0)) for g in grads)
    if not isfinite(largest) or largest == 0.0:
        return largest
    return largest * sqrt(_squares([g / largest for g in grads]))


def _squares(grads: Sequence[Any]) -> float:
    """Σ g²; `numpy.vdot` warns of no overflow."""
    total = 0.0
    for g in grads:
        total += g * g if g.__class__ is float else float(np.vdot(g, g))
    return total


_TINY: Final = 1e-290  # of a sum of squares: smaller squares lose digits


def _assign(nodes: list[Any], grads: list[Any]) -> None:
    commit((set_grad, nodes, [_like(x._grad, g) for x, g in zip(nodes, grads, strict=True)]))


def _like(grad: Any, fresh: Any) -> Any:
    """A clipped gradient in the type of the gradient."""
    if fresh.__class__ is Rows:
        return fresh.astype(grad.dtype)
    return float(fresh) if grad.__class__ is float else np.asarray(fresh, grad.dtype)
