"""Neurons and layers: a = f(Wx + b) (the notes, sections 1.1 and 1.2).

The same code serves three kinds of parameters. With Tensors, a layer is two nodes, and fast; with object arrays of
named Values, it builds the graph unit by unit, for a learner to read; with plain arrays, it computes without a graph.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import numpy as np

import autodiff as ad
from autodiff.engine.graph import Node
from autodiff.primitives.operands import as_operand, describe, whole_number
from autodiff.values.refusals import called_as
from autodiff.words.notation import Name
from nn.modules.activations import Activation, name_of, unit
from nn.modules.architecture import field, known
from nn.modules.module import Module
from nn.parameters.blocks import entries, keeper, wrap
from nn.parameters.generators import generator
from nn.parameters.init import Init, initializer, xavier
from nn.parameters.naming import name_results

__all__ = ["Layer", "Neuron"]

_w, _b = Name("w"), Name("b")


@cache
def _block_names(layer: int) -> tuple[Name, Name]:
    return Name("W", (), layer), Name("b", (), layer)


@known
class Neuron(Module):
    """One unit with n inputs and one output: a = f(wᵀx + b).

    Args:
        inputs: n.
        activation: f, a name or a callable.
        random: the generator of the initial weights (`xavier`); a new one with seed 0 if left out.
        scalar: whether w and b are Values, one for each number, instead of Tensors.

    A call with x of shape (n,) returns a: a Value, or a Tensor of shape ().

    Raises:
        ValueError: if n is below 1 or the activation is unknown; on a call, if the number of inputs differs.

    Source: notes, section 1.1.

    >>> neuron = Neuron(2, scalar=True)
    >>> neuron([1.0, 0.5]).name
    'a'
    """

    @called_as("Neuron(4, activation='relu')")
    def __init__(
        self,
        inputs: int,
        *,
        activation: Activation = "sigmoid",
        random: np.random.Generator | None = None,
        scalar: bool = False,
    ) -> None:
        keep = keeper(scalar)
        w = keep(xavier(generator(random), inputs, 1)[0], _w)
        self._hold(w, keep(0.0, _b), unit(activation))

    def _hold(self, w: Any, b: Any, activation: Callable[[Any], Any]) -> None:
        self.w, self.b, self.activation = w, b, activation

    def __call__(self, x: Any, *, suffix: str = "") -> Any:
        x = _inputs(x, self.w, "x", None, suffix)
        if x.ndim != 1:
            raise ValueError(f"a neuron takes an input vector of shape {self.w.shape}, and got shape {x.shape}")
        z = name_results(ad.weighted_sum(self.w, x, self.b), "z", None, suffix)
        return name_results(self.activation(z), "a", None, suffix)

    def blocks(self) -> dict[Name, Any]:
        """The parameters w and b, by name."""
        return {_w: self.w, _b: self.b}

    def _kept_as(self, keep: Callable[[Any, Name], Any]) -> Neuron:
        neuron = Neuron.__new__(Neuron)
        neuron._hold(keep(self.w, _w), keep(self.b, _b), self.activation)
        return neuron

    def _architecture(self) -> dict[str, Any]:
        return {"activation": name_of(self.activation)}

    @classmethod
    def _made(cls, data: Any, blocks: Mapping[Name, Any]) -> Neuron:
        w, b = blocks[_w], blocks[_b]
        if len(w.shape) != 1 or not w.shape[0] or b.shape != ():
            raise ValueError(f"a neuron needs w of shape (n,) and b of shape (), and got w {w.shape} and b {b.shape}")
        neuron = cls.__new__(cls)
        neuron._hold(w, b, unit(field(data, "activation", str)))
        return neuron

    def __repr__(self) -> str:
        return f"Neuron({len(self.w)} inputs, {_title(self.activation)})"


@known
class Layer(Module):
    """m neurons with the same inputs: a⁽ᵏ⁺¹⁾ = f(z⁽ᵏ⁺¹⁾), z⁽ᵏ⁺¹⁾ = W⁽ᵏ⁾a⁽ᵏ⁾ + b⁽ᵏ⁾; the first layer has k = 1.

    Args:
        inputs: n.
        units: m.
        activation: f, a name or a callable.
        number: k, for the names of parameters and results.
        random: the generator of the initial weights (biases are 0); a new one with seed 0 if left out.
        init: how weights are drawn: 'xavier', 'xavier_normal', 'he', 'he_normal', 'identity', or a callable of a
            generator, n and m that returns an array of shape (m, n).
        scalar: whether parameters are Values, one for each number, instead of Tensors.

    A call with x of shape (n,), or with rows of shape (…, n), returns a of shape (m,) or (…, m): a Tensor, an object
    array of Values, or a plain array, like the parameters W, shape (m, n), and b, shape (m,). The nodes of a call are
    named z⁽ᵏ⁺¹⁾ and a⁽ᵏ⁺¹⁾, Values z₁⁽ᵏ⁺¹⁾, z₂⁽ᵏ⁺¹⁾, …; ``suffix`` is appended to these names.

    Raises:
        ValueError: if n or m is below 1 or a name is unknown; on a call, if the number of inputs differs.

    Source: notes, section 1.2.

    >>> layer = Layer(3, 2, scalar=True)
    >>> [a.name for a in layer([1.0, 2.0, 3.0])]
    ['a₁⁽²⁾', 'a₂⁽²⁾']
    """

    @called_as("Layer(4, 2, activation='relu')")
    def __init__(
        self,
        inputs: int,
        units: int,
        *,
        activation: Activation = "sigmoid",
        number: int = 1,
        random: np.random.Generator | None = None,
        init: Init = "xavier",
        scalar: bool = False,
    ) -> None:
        number = whole_number(number, "the number of a layer", least=1)
        (W_name, b_name), keep = _block_names(number), keeper(scalar)
        W = keep(initializer(init)(generator(random), inputs, units), W_name)
        self._hold(W, keep(np.zeros(units), b_name), unit(activation), number)

    def _hold(self, W: Any, b: Any, activation: Callable[[Any], Any], number: int) -> None:
        self._W, self._b, self._activation, self._number = W, b, activation, number
        self._parameters = dict(
            item for block, name in zip((W, b), _block_names(number), strict=True) for item in entries(block, name)
        )

    @classmethod
    def of(cls, W: Any, b: Any, *, activation: Activation = "sigmoid", number: int = 1) -> Layer:
        """The layer with these parameters: Tensors, object arrays of Values, or plain numbers, which stay plain.

        Raises:
            ValueError: if W does not have shape (m, n), or b shape (m,).

        >>> Layer.of([[1.0, 2.0]], [0.5], activation="identity")([1.0, 1.0])
        array([3.5])
        """
        W, b = (item if isinstance(item, Node) else as_operand("a layer", item) for item in (W, b))
        if len(W.shape) != 2 or not W.size or b.shape != W.shape[:1]:
            raise ValueError(
                f"a layer needs W of shape (m, n) and b of shape (m,), and got W {W.shape} and b {b.shape}"
            )
        layer = cls.__new__(cls)
        layer._hold(W, b, unit(activation), whole_number(number, "the number of a layer", least=1))
        return layer

    def __call__(self, x: Any, *, suffix: str = "") -> Any:
        k = self._number
        x = _inputs(x, self._W, "a", k, suffix)
        z = name_results(ad.affine(self._W, x, self._b), "z", k + 1, suffix)
        return name_results(self._activation(z), "a", k + 1, suffix)

    @property
    def activation(self) -> Callable[[Any], Any]:
        """The activation f: a = f(z)."""
        return self._activation

    @property
    def W(self) -> Any:
        """The weights, shape (m, n): W[i, j] (from 0) leads from unit j + 1 to unit i + 1."""
        return self._W

    @property
    def b(self) -> Any:
        """The biases, shape (m,)."""
        return self._b

    def blocks(self) -> dict[Name, Any]:
        """The blocks W⁽ᵏ⁾ and b⁽ᵏ⁾, by name."""
        return dict(zip(_block_names(self._number), (self._W, self._b), strict=True))

    def parameters(self) -> dict[Name, Any]:
        """The Tensors W⁽ᵏ⁾ and b⁽ᵏ⁾, or the Values W₁₁⁽ᵏ⁾, W₁₂⁽ᵏ⁾, … row by row, then b₁⁽ᵏ⁾, …"""
        return dict(self._parameters)

    def _kept_as(self, keep: Callable[[Any, Name], Any]) -> Layer:
        layer = Layer.__new__(Layer)
        W, b = (keep(block, name) for name, block in self.blocks().items())
        layer._hold(W, b, self._activation, self._number)
        return layer

    def _architecture(self) -> dict[str, Any]:
        return {"activation": name_of(self._activation), "number": self._number}

    @classmethod
    def _made(cls, data: Any, blocks: Mapping[Name, Any]) -> Layer:
        number = field(data, "number", int)
        W, b = (blocks[name] for name in _block_names(number))
        return cls.of(W, b, activation=field(data, "activation", str), number=number)

    def __repr__(self) -> str:
        units, inputs = self._W.shape
        return f"Layer({inputs}, {units}, {_title(self._activation)}, number={self._number})"


def _inputs(x: Any, weights: Any, letter: str, layer: int | None, suffix: str) -> Any:
    """``x`` as a node or array whose shape fits the weights; for a layer of Values, as named Values."""
    if not isinstance(x, np.ndarray | Node):
        x = _as_array(x, weights)
    shape, length = x.shape, weights.shape[-1]
    if not shape or shape[-1] != length:
        came = f"{shape[-1]}, shape {shape}" if shape else "one number"
        raise ValueError(f"{_taker(layer)} takes {length} inputs, and got {came}")
    if weights.dtype == object:
        if isinstance(x, Node):
            raise TypeError(f"{_taker(layer)} consists of Values and takes numbers or Values, and got {describe(x)}")
        return name_results(wrap(x), letter, layer, suffix)
    if isinstance(x, Node) or x.dtype.kind == "f":
        return x
    return as_operand(_taker(layer), x) if x.dtype != object else _as_array(x, weights)


def _taker(layer: int | None) -> str:
    return "the neuron" if layer is None else f"layer {layer}"


def _as_array(x: Any, weights: Any) -> Any:
    array = as_operand("a layer", x)
    if array.dtype == object and weights.dtype != object:
        return ad.stack([ad.stack(list(row)) for row in array]) if array.ndim > 1 else ad.stack(list(array))
    return array


def _title(activation: Callable[[Any], Any]) -> str:
    name = getattr(activation, "name", None) or getattr(activation, "__name__", None)
    return str(name or activation)
