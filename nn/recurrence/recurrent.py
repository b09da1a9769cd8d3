"""A recurrent network: h_t = f(W h_{t−1} + V x_t), and an output U h_t (the notes, section "Recurrent language model").

Unrolled over its steps, it is a graph like any other: error sharing on it is backpropagation through time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

import autodiff as ad
from autodiff import Value
from autodiff.engine.graph import Node
from autodiff.primitives.operands import as_operand, describe
from autodiff.words.notation import Name
from nn.modules.activations import Activation, name_of, unit
from nn.modules.architecture import field, known
from nn.modules.module import Module
from nn.parameters.blocks import keeper, wrap
from nn.parameters.generators import generator
from nn.parameters.init import Init, identity, initializer, xavier
from nn.parameters.naming import name_results
from nn.parameters.twins import warn_of_twins

__all__ = ["Recurrent"]

_NAMES = (Name("W"), Name("V"), Name("U"))


@known
class Recurrent(Module):
    """Units with a memory: h_t = f(z_t), z_t = W h_{t−1} + V x_t, and the output of each step s_t = U h_t; h₀ = 0.

    Args:
        inputs: n.
        units: m.
        outputs: k.
        activation: f, a name or a callable.
        random: the generator of the initial weights; a new one with seed 0 if left out.
        init: how weights are drawn, as for `Layer`. 'identity', for ReLU units, applies to W; V and U are then drawn by
            `xavier`. A warning names units that begin with equal weights (`twins`).
        scalar: whether parameters are named Values, one for each number, instead of Tensors.

    A call with x₁ … x_T of shape (T, n) returns s₁ … s_T as a tuple, of the kind of the parameters W, shape (m, m), V,
    shape (m, n), and U, shape (k, m): Tensors of shape (k,), plain arrays, or object arrays of Values (for one output,
    the Value itself). Nodes are named with the step as a superscript, z₁⁽ᵗ⁾, h₁⁽ᵗ⁾ and s₁⁽ᵗ⁾, followed by ``suffix``.

    Raises:
        ValueError: if n, m or k is below 1 or the activation is unknown; on a call, if there is no step, or the number
            of inputs differs.
        TypeError: if a network of Values is called with a Tensor.

    Source: notes, section 3 ("Recurrent language model"), without its softmax.

    >>> net = Recurrent(1, 2, scalar=True)
    >>> score = net([[1.0], [0.5], [-1.0]])[-1]
    >>> score.backward()
    >>> score.name, ad.error_flow(score, net.parameter("V1,1")).path_count
    ('s₁⁽³⁾', 7)
    """

    def __init__(
        self, inputs: int, units: int, outputs: int = 1, *, activation: Activation = "tanh",
        random: np.random.Generator | None = None, init: Init = "xavier", scalar: bool = False,
    ) -> None:  # fmt: skip
        keep, random = keeper(scalar), generator(random)
        shapes = ((units, units), (units, inputs), (outputs, units))
        draw = initializer(init)
        draws = (draw, *[xavier if draw is identity else draw] * 2)
        blocks = [keep(f(random, n, m), name) for f, name, (m, n) in zip(draws, _NAMES, shapes, strict=True)]
        self._hold(blocks, unit(activation))
        if init != "xavier":
            warn_of_twins(self)

    def _hold(self, blocks: Sequence[Any], activation: Callable[[Any], Any]) -> None:
        self.W, self.V, self.U = blocks
        self.activation = activation

    def __call__(self, x: Any, *, suffix: str = "") -> tuple[Any, ...]:
        steps = self._steps(x)
        both = np.concatenate([self.W, self.V], axis=1)  # Wh + Vx is one sum, (W V)(h x)
        h = self._start(suffix)
        outputs = []
        for t, step in enumerate(steps, start=1):
            here = np.concatenate([h, name_results(step, "x", t, suffix)])
            z = name_results(ad.affine(both, here, np.zeros(len(self.W))), "z", t, suffix)
            h = name_results(self.activation(z), "h", t, suffix)
            s = name_results(ad.affine(self.U, h, np.zeros(len(self.U))), "s", t, suffix)
            outputs.append(s[0] if s.dtype == object and len(s) == 1 else s)
        return tuple(outputs)

    def _steps(self, x: Any) -> Any:
        if not isinstance(x, Node):
            x = as_operand("a recurrent network", x)
        if len(x.shape) != 2 or not len(x) or x.shape[1] != self.V.shape[1]:
            raise ValueError(
                f"a recurrent network takes inputs of shape (T, {self.V.shape[1]}) with at least one step, "
                f"and got shape {x.shape}"
            )
        if self.W.dtype != object:
            return x
        if isinstance(x, Node):
            raise TypeError(f"a network of Values takes numbers or Values, and got {describe(x)}")
        return wrap(x)

    def _start(self, suffix: str) -> Any:
        h = np.zeros(len(self.W))
        if self.W.dtype != object:
            return h
        return np.array([Value(0.0, name=f"{Name('h', (i,))}⁽⁰⁾{suffix}") for i in range(1, len(h) + 1)])

    def _kept_as(self, keep: Callable[[Any, Name], Any]) -> Recurrent:
        made = Recurrent.__new__(Recurrent)
        made._hold([keep(block, name) for name, block in self.blocks().items()], self.activation)
        return made

    def _architecture(self) -> dict[str, Any]:
        return {"activation": name_of(self.activation)}

    @classmethod
    def _made(cls, data: Any, blocks: Mapping[Name, Any]) -> Recurrent:
        W, V, U = kept = [blocks[name] for name in _NAMES]
        m = W.shape[0] if W.shape else 0
        if not m or W.shape != (m, m) or V.shape[:-1] != (m,) or U.shape[1:] != (m,) or 0 in V.shape + U.shape:
            raise ValueError(f"its blocks W {W.shape}, V {V.shape} and U {U.shape} do not fit each other")
        net = cls.__new__(cls)
        net._hold(kept, unit(field(data, "activation", str)))
        return net

    def blocks(self) -> dict[Name, Any]:
        """The blocks W, V and U, by name."""
        return dict(zip(_NAMES, (self.W, self.V, self.U), strict=True))

    def __repr__(self) -> str:
        (units, inputs), outputs = self.V.shape, self.U.shape[0]
        return f"Recurrent({inputs}, {units}, {outputs}, {getattr(self.activation, 'name', self.activation)})"
