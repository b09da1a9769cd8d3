"""Cells with gates, GRU and LSTM: one step of a recurrence whose errors can reach far back (the notes' next part)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar

import numpy as np

import autodiff as ad
from autodiff.engine.graph import Node
from autodiff.primitives.operands import as_operand, describe, whole_number
from autodiff.words.notation import Name
from nn.modules.architecture import known
from nn.modules.module import Module
from nn.parameters.blocks import keeper, wrap
from nn.parameters.generators import generator
from nn.parameters.init import Init, initializer
from nn.parameters.naming import name_results

__all__ = ["GRU", "LSTM"]


class Cell(Module):
    """What cells with gates share: for each gate g, W_g (m, n), U_g (m, m) and b_g (m,), and W_g x + U_g h + b_g.

    A subclass lists its gates and computes one step in ``__call__(x, state, step=…, suffix=…)``.
    """

    gates: ClassVar[tuple[str, ...]]

    def __init__(
        self, inputs: int, units: int, *, random: np.random.Generator | None = None, init: Init = "xavier",
        scalar: bool = False,
    ) -> None:  # fmt: skip
        n, m = whole_number(inputs, "the number of inputs", least=1), whole_number(units, "units", least=1)
        keep, random, draw = keeper(scalar), generator(random), initializer(init)
        blocks = {
            name: keep(draw(random, width, m) if width else np.zeros(m), name)
            for gate in self.gates
            for name, width in zip(_names(gate), (n, m, 0), strict=True)
        }
        self._hold(blocks)

    def _hold(self, blocks: Mapping[Name, Any]) -> None:
        self._blocks = dict(blocks)
        self.units, self.inputs = blocks[_names(self.gates[0])[0]].shape

    def __call__(self, x: Any, state: Any = None, *, step: int | None = None, suffix: str = "") -> Any:
        """The next state."""
        raise NotImplementedError(f"{type(self).__name__} has no step; define __call__()")

    def over(self, xs: Any, *, start: Any = None, suffix: str = "") -> Iterator[Any]:
        """The state after each of x₁ … x_T, from the state ``start``, or 0; nodes have their step as a superscript.

        >>> [state.name for state in GRU(2, 3).over([[1.0, 0.0], [0.0, 1.0]])]
        ['h⁽¹⁾', 'h⁽²⁾']
        """
        state = start
        for t, x in enumerate(xs, start=1):
            state = self(x, state, step=t, suffix=suffix)
            yield state

    def _sum(self, gate: str, x: Any, h: Any) -> Any:
        W, U, b = (self._blocks[name] for name in _names(gate))
        return ad.affine(np.concatenate([W, U], axis=1), np.concatenate([x, h], axis=-1), b)

    def _given(self, x: Any, h: Any) -> tuple[Any, Any]:
        """x and h in shapes that fit, as Values in a cell of Values; h = 0 if there is none."""
        scalar = self._blocks[_names(self.gates[0])[0]].dtype == object
        x = x if isinstance(x, Node) else as_operand("a cell", x)
        h = np.zeros((*x.shape[:-1], self.units)) if h is None else h
        h = h if isinstance(h, Node) else as_operand("a cell", h)
        if x.shape[-1:] != (self.inputs,) or len(x.shape) > 2 or h.shape != (*x.shape[:-1], self.units):
            raise ValueError(
                f"a cell takes x of shape (n,) or (rows, n), n = {self.inputs}, and states of shape (m,) or (rows, m), "
                f"m = {self.units}, and got {x.shape} and {h.shape}"
            )
        if scalar and (isinstance(x, Node) or isinstance(h, Node)):
            raise TypeError(f"a cell of Values takes numbers or Values, and got {describe(x)} and {describe(h)}")
        return (wrap(x), wrap(h)) if scalar else (x, h)

    def blocks(self) -> dict[Name, Any]:
        """The blocks W_g, U_g and b_g of each gate g, by name."""
        return dict(self._blocks)

    def _kept_as(self, keep: Callable[[Any, Name], Any]) -> Any:
        made = type(self).__new__(type(self))
        made._hold({name: keep(block, name) for name, block in self._blocks.items()})
        return made

    def _architecture(self) -> dict[str, Any]:
        return {}

    @classmethod
    def _made(cls, _: Any, blocks: Mapping[Name, Any]) -> Any:
        names = [name for gate in cls.gates for name in _names(gate)]
        m, n = blocks[names[0]].shape
        wanted = dict(zip(names, [(m, n), (m, m), (m,)] * len(cls.gates), strict=True))
        if blocks.keys() != wanted.keys() or not m * n or any(blocks[name].shape != wanted[name] for name in names):
            raise ValueError(f"its blocks {', '.join(f'{name} {x.shape}' for name, x in blocks.items())} do not fit")
        cell = cls.__new__(cls)
        cell._hold({name: blocks[name] for name in names})
        return cell

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.inputs}, {self.units})"


def _names(gate: str) -> tuple[Name, Name, Name]:
    return Name(f"W_{gate}"), Name(f"U_{gate}"), Name(f"b_{gate}")


@known
class GRU(Cell):
    """The gated recurrent unit: h_t = (1 − z) ∘ h̃ + z ∘ h_{t−1}, so that a gate z near 1 keeps the state.

    z = σ(W_z x + U_z h + b_z), r = σ(W_r x + U_r h + b_r), h̃ = tanh(W_h x + r ∘ (U_h h) + b_h).

    Args:
        inputs: n.
        units: m.
        random: the generator of the initial weights (biases are 0); a new one with seed 0 if left out.
        init: how each block of weights is drawn, as for `Layer`.
        scalar: whether parameters are named Values, one for each number, instead of Tensors.

    A call ``gru(x, h)`` with x of shape (n,) or (rows, n) returns h_t of shape (m,) or (rows, m); h is 0 if left out.
    ``step=t`` stands in the names of its nodes, z, r, n (that is h̃) and h; ``suffix`` follows them.

    Raises:
        ValueError: if a size is below 1; on a call, if shapes do not fit.

    Source: notes, section 3, and the part after it; Cho et al. 2014. With b_h outside the brackets it is torch.nn.GRU's
    whose ``bias_hh`` is 0.

    >>> gru = GRU(2, 3)
    >>> gru([1.0, 0.5], step=1).name
    'h⁽¹⁾'
    """

    gates = ("z", "r", "h")

    def __call__(self, x: Any, state: Any = None, *, step: int | None = None, suffix: str = "") -> Any:
        x, h = self._given(x, state)
        z = name_results(ad.sigmoid(self._sum("z", x, h)), "z", step, suffix)
        r = name_results(ad.sigmoid(self._sum("r", x, h)), "r", step, suffix)
        W, U, b = (self._blocks[name] for name in _names("h"))
        n = name_results(ad.tanh(ad.affine(W, x, b) + r * ad.affine(U, h, np.zeros(self.units))), "n", step, suffix)
        return name_results((1.0 - z) * n + z * h, "h", step, suffix)


@known
class LSTM(Cell):
    """Long short-term memory: c_t = f ∘ c_{t−1} + i ∘ c̃ and h_t = o ∘ tanh(c_t); where f is near 1, errors reach far.

    i, f, o = σ(W x + U h + b), each with weights of its own, and c̃ = tanh(W_c x + U_c h + b_c).

    Args: as for `GRU`; b_f begins at 0 too, though 1 is often better (`load` it).

    A call ``lstm(x, (h, c))`` returns (h_t, c_t), each of shape (m,) or (rows, m); both are 0 if left out. Nodes are
    named i, f, o, g (that is c̃), c and h, with the step as a superscript.

    Raises:
        ValueError: as `GRU`; TypeError: if the state is no pair.

    Source: notes, section 3, and the part after it; Hochreiter and Schmidhuber 1997.

    >>> h, c = LSTM(2, 3)([1.0, 0.5], step=1)
    >>> h.name, c.name
    ('h⁽¹⁾', 'c⁽¹⁾')
    """

    gates = ("i", "f", "o", "c")

    def __call__(self, x: Any, state: Any = None, *, step: int | None = None, suffix: str = "") -> Any:
        if state is not None and not (isinstance(state, tuple) and len(state) == 2):
            raise TypeError("the state of an LSTM is a pair (h, c), as a call returns it")
        h, c = state or (None, None)
        (x, h), (_, c) = self._given(x, h), self._given(x, c)
        i, f, o = (name_results(ad.sigmoid(self._sum(gate, x, h)), gate, step, suffix) for gate in self.gates[:3])
        g = name_results(ad.tanh(self._sum("c", x, h)), "g", step, suffix)
        c = name_results(f * c + i * g, "c", step, suffix)
        return name_results(o * ad.tanh(c), "h", step, suffix), c
