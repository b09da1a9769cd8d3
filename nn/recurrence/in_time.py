"""Shares in time: how much of a gradient each pair of steps (t, k) gives, and how far an error reaches back.

∂J/∂W = Σ_t Σ_{k ≤ t} (the share of J_t that arrives through step k). Each step is given a copy of the net, so that the
engine itself tells the steps apart: the share (t, k) is the gradient of J_t for the copy at step k.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final

import numpy as np

import autodiff as ad
from autodiff import Tensor
from autodiff.words.notation import Name, number, parse
from nn.objectives.entropy import softmax_cross_entropy
from nn.parameters.blocks import numbers
from nn.recurrence.symbols import checked_ids

__all__ = ["InTime", "shares_in_time"]

_RECURRENT: Final = Name("W_hh")
_INSIDE: Final = ("W_hh", "W_hx", "b_h")
_MOST_NUMBERS: Final = 50_000_000  # of all shares together
Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True, eq=False)
class InTime:
    """The shares of a gradient by the steps t of the objective and k of the parameter, and the reach of errors.

    Attributes:
        name: the parameter.
        shares: the share of each pair, shape (T, T, …) with the parameter's axes behind; 0 for k > t. Their sum over t
            and k is the gradient of J, the mean over all steps.
        reach: ‖∂h_t/∂h_k‖₂, the largest factor by which an error at h_t changes on its way back to h_k, shape (T, T);
            1 for k = t, nan for k > t. Dimensionless.
        bound: Π_{j=k+1…t} max|f′(z_j)| · ‖W_hh‖₂, which ``reach`` cannot exceed, shape (T, T).
    """

    name: Name
    shares: Array
    reach: Array
    bound: Array

    @property
    def gradient(self) -> Array:
        """Σ_t Σ_k of the shares: the gradient."""
        whole: Array = self.shares.sum(axis=(0, 1))
        return whole

    @property
    def sizes(self) -> Array:
        """‖share‖ of each pair, or the share itself if it is one number; nan for k > t; shape (T, T)."""
        steps = len(self.shares)
        flat = self.shares.reshape(steps, steps, -1)
        sizes: Array = self.shares if self.shares.ndim == 2 else np.linalg.norm(flat, axis=-1)
        return np.where(np.tril(np.ones((steps, steps), bool)), sizes, np.nan)

    def table(self) -> str:
        """One line for each distance t − k: the sizes of its shares added up, and the mean reach with its bound.

        >>> from nn import RecurrentLM
        >>> print(shares_in_time(RecurrentLM(2, 1, init=lambda random, n, m: np.ones((m, n))), [0], [1]).table())
        t − k   Σ |share of W_hh|   mean ‖∂h_t/∂h_k‖   at most
            0                   0                  1         1
        """
        rows = [("t − k", f"Σ |share of {self.name}|", "mean ‖∂h_t/∂h_k‖", "at most")]
        for distance in range(len(self.shares)):
            found = (np.diagonal(each, -distance) for each in (np.abs(self.sizes), self.reach, self.bound))
            share, reach, bound = (each.tolist() for each in found)
            rows.append((f"{distance}", number(sum(share)), number(float(np.mean(reach))), number(max(bound))))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return "\n".join("   ".join(text.rjust(k) for text, k in zip(row, widths, strict=True)) for row in rows)

    def svg(self, *, title: str = "", theme: str = "auto") -> str:
        """Heat pictures of the shares and of the reach over t and k; the picture says the scale of its shades.

        Raises:
            ValueError: if there are more than 60 steps, or the theme is unknown.

        >>> from nn import RecurrentLM
        >>> shares_in_time(RecurrentLM(3, 2), [0, 1], [1, 2]).svg().startswith("<svg")
        True
        """
        charts = import_module("autodiff.draw.charts.heat")  # on first use, since drawing takes long to import
        name = f"share of {self.name}" if self.shares.ndim == 2 else f"‖share of {self.name}‖"
        heats = [charts.Heat(name, self.sizes), charts.Heat("‖∂h_t/∂h_k‖", self.reach)]
        chart: str = charts.heat_chart(heats, across="k", down="t", title=title, theme=theme)
        return chart


def shares_in_time(net: Any, ids: Any, targets: Any, *, parameter: str | Name = "W_hh", start: Any = None) -> InTime:
    """Divide the gradient of J = (1/T) Σ_t J_t into the shares of every pair of steps (t, k).

    Args:
        net: a `RecurrentLM`, of any kind of parameters.
        ids: x₁ … x_T, shape (T,).
        targets: the symbols to predict, shape (T,).
        parameter: a weight inside the recurrence, W_hh, W_hx or b_h, or one entry of it, such as "W_hh1,2".
        start: h₀, as on a call of the net.

    Returns:
        the shares, whose sum is the gradient, and ‖∂h_t/∂h_k‖ with its bound: errors vanish where that falls with t − k
        and explode where it grows.

    Raises:
        ValueError: if there is no such parameter, or it is not inside the recurrence; if ids and targets do not fit; or
            if the shares are more than 50 million numbers, for which one entry can be asked.

    Source: notes, section 3 (∂J/∂W = Σ_t Σ_k ∂J_t/∂ŷ_t ∂ŷ_t/∂h_t ∂h_t/∂h_k ∂h_k/∂W); Pascanu, Mikolov and Bengio 2013.

    >>> from nn import RecurrentLM
    >>> found = shares_in_time(RecurrentLM(3, 2), [0, 2, 1], [2, 1, 0])
    >>> found.shares.shape, bool(found.reach[2, 0] <= found.bound[2, 0])
    ((3, 3, 2, 2), True)
    """
    array, aims = checked_ids(ids, net.symbols), checked_ids(targets, net.symbols)
    if array.ndim != 1 or array.shape != aims.shape:
        raise ValueError(f"shares in time take ids and targets of shape (T,), and got {array.shape} and {aims.shape}")
    block, place, name = _asked(net, parameter)
    steps, shape = len(array), () if place is not None else numbers(block).shape
    if steps * steps * np.prod(shape) > _MOST_NUMBERS:
        raise ValueError(f"{steps}² shares of shape {shape} are too many; choose fewer steps, or one entry of {name}")
    copies, states = _unrolled(net, array, start)
    leaves = [copy.blocks()[Name(name.letter)] for copy in copies]
    shares = np.zeros((steps, steps, *shape))
    for t, h in enumerate(states):
        J = softmax_cross_entropy(copies[t].logits(h), int(aims[t])) / steps
        found = ad.gradients(J, leaves[: t + 1])
        shares[t, : t + 1] = [signal if place is None else signal[place] for signal in found]
    return InTime(name, shares, *_reaches(net, array, [h.data for h in states]))


def _asked(net: Any, parameter: str | Name) -> tuple[Any, tuple[int, ...] | None, Name]:
    """The block of a parameter, and the place of its entry if it is one."""
    name = parameter if isinstance(parameter, Name) else parse(parameter)
    inside = {each: block for each, block in net.blocks().items() if each.letter in _INSIDE}
    block = inside.get(Name(name.letter, (), name.layer))
    if block is None:
        raise ValueError(f"the weights in the recurrence are {', '.join(map(str, inside))}, and {name} is none")
    place = tuple(k - 1 for k in name.indices) or None
    if place is not None and (len(place) != len(block.shape) or any(np.greater_equal(place, block.shape))):
        raise ValueError(f"{name.letter} has shape {block.shape}, and {name} is not in it")
    return block, place, name


def _unrolled(net: Any, ids: Array, start: Any) -> tuple[Sequence[Any], list[Any]]:
    """A copy of the net for each step, and h_t of the steps, each computed with the copy of its own."""
    copies = [net.tensor() for _ in ids]
    states: list[Any] = []
    h = start
    for copy, symbol in zip(copies, ids, strict=True):
        [(_, h)] = copy.unrolled([symbol], start=h)
        states.append(h)
    return copies, states


def _reaches(net: Any, ids: Array, states: Sequence[Array]) -> tuple[Array, Array]:
    """‖∂h_t/∂h_k‖ and its bound for all k ≤ t, from the Jacobian of each step, which is one backward pass.

    The step is computed for m equal rows, whose errors are the rows of the identity: row i of the result is ∂h_i.
    """
    tensors, steps, units = net.tensor(), len(ids), len(states[0])
    factor = float(np.linalg.norm(numbers(tensors.blocks()[_RECURRENT]), 2))
    jacobians, factors = [], []
    for before, symbol in zip(states[:-1], ids[1:], strict=True):
        h = Tensor(np.tile(before, (units, 1)))
        [(z, after)] = tensors.unrolled(np.full((units, 1), symbol), start=h)
        jacobian, slopes = ad.gradients(after, [h, z], seed=np.eye(units))
        jacobians.append(jacobian)
        factors.append(float(np.max(np.abs(np.diagonal(slopes)))) * factor)
    reach, bound = np.full((steps, steps), np.nan), np.full((steps, steps), np.nan)
    for k in range(steps):
        reach[k, k] = bound[k, k] = 1.0
        product, limit = np.eye(units), 1.0
        for t in range(k + 1, steps):
            product, limit = jacobians[t - 1] @ product, limit * factors[t - 1]
            reach[t, k], bound[t, k] = float(np.linalg.norm(product, 2)), limit
    return reach, bound
