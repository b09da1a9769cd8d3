"""The recurrent language model: at each step, the probabilities of the next symbol (the notes, section 3)."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from typing import Any, Final

import numpy as np

import autodiff as ad
from autodiff import Value
from autodiff.engine.graph import Node
from autodiff.primitives.operands import as_operand, describe, whole_number
from autodiff.values.refusals import called_as
from autodiff.words.notation import Name
from nn.modules.activations import Activation, name_of, unit
from nn.modules.architecture import field, known
from nn.modules.module import Module
from nn.objectives.entropy import softmax_cross_entropy
from nn.parameters.blocks import keeper, numbers
from nn.parameters.generators import generator
from nn.parameters.init import Init, identity, initializer, xavier
from nn.parameters.naming import name_results
from nn.recurrence.symbols import checked_ids

__all__ = ["RecurrentLM"]

_HH, _HX, _BIAS, _S, _BIAS_S, _START = (Name(letter) for letter in ("W_hh", "W_hx", "b_h", "W_S", "b_S", "h"))
_MOST_ONE_HOT: Final = 256  # symbols; a product with one-hot rows takes a third of the time of look-ups and back


@known
class RecurrentLM(Module):
    """Predict the next symbol: h_t = f(W_hh h_{t−1} + W_hx x_t + b_h), ŷ_t = softmax(s_t) with s_t = W_S h_t + b_S.

    Args:
        symbols: the number V of characters or words; x_t is the one-hot vector of symbol t.
        units: the number m of hidden units.
        activation: f, a name or a callable.
        bias: whether there are b_h and b_S, which begin at 0; the notes have none.
        start: "zero" for h₀ = 0, or "learned" for h₀ as a parameter, h, which begins at 0.
        random: the generator of the initial weights; a new one with seed 0 if left out.
        init: how weights are drawn, as for `Layer`. 'identity', for ReLU units, applies to W_hh; the rest is then drawn
            by `xavier`.
        scalar: whether parameters are named Values, one for each number, instead of Tensors.

    Parameters: W_hh (m, m), W_hx (m, V), b_h (m,), W_S (V, m), b_S (V,). A call with ids (from 0) of shape (T,), or
    (sequences, T), returns the logits s of every step, shape (T, V), or (sequences, T, V): a Tensor, an object array of
    Values, or a plain array. ``start=`` gives h₀, shape (m,) or (sequences, m). Values are named by step, z₁⁽ᵗ⁾, h₁⁽ᵗ⁾
    and s₁⁽ᵗ⁾, followed by ``suffix``; of a one-hot vector, only the 1 is a Value, x₃⁽ᵗ⁾ for the third symbol.

    Raises:
        ValueError: if a size is below 1 or a name is unknown; on a call, if an id is outside 0 … V − 1 or there is no
            step.
        TypeError: if ids are not integers.

    Source: notes, section 3; identity weights: Le, Jaitly and Hinton 2015.

    >>> net = RecurrentLM(3, 2, scalar=True)
    >>> J = net.loss([0, 2], [2, 1])
    >>> J.backward()
    >>> J.name, [str(name) for name in net.parameters()][:2], net([0, 2])[1, 0].name
    ('J (nats)', ['W_hh₁,₁', 'W_hh₁,₂'], 's₁⁽²⁾')
    """

    @called_as("RecurrentLM(65, 100)")
    def __init__(
        self, symbols: int, units: int, *, activation: Activation = "tanh", bias: bool = True, start: str = "zero",
        random: np.random.Generator | None = None, init: Init = "xavier", scalar: bool = False,
    ) -> None:  # fmt: skip
        V, m = whole_number(symbols, "the number of symbols", least=1), whole_number(units, "units", least=1)
        if not isinstance(bias, bool | np.bool):
            raise TypeError(f"bias must be True or False, and got {describe(bias)}")
        if not isinstance(start, str) or start not in ("zero", "learned"):
            raise ValueError(f"start must be 'zero' or 'learned', and got {describe(start)}")
        keep, random, draw = keeper(scalar), generator(random), initializer(init)
        others = xavier if draw is identity else draw
        blocks = {_HH: draw(random, m, m), _HX: others(random, V, m), _S: others(random, m, V)}
        blocks |= {_BIAS: np.zeros(m), _BIAS_S: np.zeros(V)} if bias else {}
        blocks |= {_START: np.zeros(m)} if start == "learned" else {}
        self._hold({name: keep(block, name) for name, block in blocks.items()}, unit(activation))

    def _hold(self, blocks: Mapping[Name, Any], activation: Callable[[Any], Any]) -> None:
        self._blocks, self.activation = dict(blocks), activation
        self.units, self.symbols = blocks[_HX].shape

    def __call__(self, ids: Any, *, start: Any = None, suffix: str = "") -> Any:
        return self.logits(self.states(ids, start=start, suffix=suffix), suffix=suffix)

    def states(self, ids: Any, *, start: Any = None, suffix: str = "") -> Any:
        """The states h₁ … h_T, shape (T, m), or (sequences, T, m).

        >>> RecurrentLM(3, 2).states([[0, 1, 2], [2, 1, 0]]).shape
        (2, 3, 2)
        """
        array = checked_ids(ids, self.symbols)
        if self._is_scalar and array.ndim == 2:
            starts = [start] * len(array) if start is None or np.ndim(start) < 2 else start
            pairs = zip(array, starts, strict=True)
            return np.array([self.states(row, start=first, suffix=suffix) for row, first in pairs])
        states = self._states(array, start, suffix)
        return ad.swapaxes(states, axis1=0, axis2=1) if array.ndim == 2 else states

    def logits(self, states: Any, *, suffix: str = "") -> Any:
        """s = W_S h + b_S of states, shape (…, m): shape (…, V)."""
        logits = ad.affine(self._blocks[_S], states, self._bias(_BIAS_S, self.symbols))
        if logits.dtype == object:
            for sequence in logits.reshape(-1, *logits.shape[-2:]):
                for t, s in enumerate(sequence, start=1):
                    name_results(s, "s", t, suffix)
        return logits

    def loss(self, ids: Any, targets: Any, *, start: Any = None, unit: str = "nats", reduction: str = "mean") -> Any:
        """The cross-entropy of the targets, J = −(1/T) Σ_t ln ŷ_t, a mean over all steps of all sequences.

        Args:
            ids: x₁ … x_T, shape (T,) or (sequences, T), integers from 0.
            targets: the symbols to predict, in the shape of the ids.
            start: h₀, as on a call.
            unit: "nats", or "bits" to divide by ln 2.
            reduction: "mean" over all steps, or "sum".

        Returns:
            a node that holds one number; a plain number from a plain net. Its perplexity is `nn.perplexity`.

        Raises:
            ValueError, TypeError: as on a call; ValueError also if targets and ids differ in shape.

        Source: notes, section 3.

        >>> float(RecurrentLM(4, 2, init=lambda random, n, m: np.zeros((m, n))).loss([0], [1], unit="bits").data)
        2.0
        """
        return self.loss_and_state(ids, targets, start=start, unit=unit, reduction=reduction)[0]

    def loss_and_state(
        self, ids: Any, targets: Any, *, start: Any = None, unit: str = "nats", reduction: str = "mean"
    ) -> tuple[Any, np.ndarray[Any, Any]]:
        """`loss`, and h_T as plain numbers, from which the next stretch of the text can start."""
        array, aims = checked_ids(ids, self.symbols), checked_ids(targets, self.symbols)
        if array.shape != aims.shape:
            raise ValueError(f"the model needs a target for each step: ids {array.shape}, targets {aims.shape}")
        if self._is_scalar:
            states = self.states(array, start=start)
            last = numbers(states[..., -1, :])
        else:  # the axis of time stays in front, so that no array is copied to turn it
            states, aims = self._states(array, start, ""), aims.T
            last = numbers(states)[-1].copy()
        logits = self.logits(states)
        flat = logits.reshape((-1, self.symbols))
        return softmax_cross_entropy(flat, aims.ravel(), unit=unit, reduction=reduction), last

    def following(self, ids: Any) -> Generator[Any, int, None]:
        """A generator of logits as plain numbers: those after ``ids``, then those after each further id sent to it.

        >>> RecurrentLM(3, 2).following([0, 1]).send(None).shape
        (3,)
        """
        plain = self.plain()
        states = plain.states(ids)
        while True:
            symbol = yield numbers(plain.logits(states)[-1])
            states = plain.states([symbol], start=states[-1])

    def unrolled(self, ids: Any, *, start: Any = None, suffix: str = "") -> Iterator[tuple[Any, Any]]:
        """z_t and h_t of each step as nodes of their own, for ids of shape (T,) or, but for Values, (sequences, T).

        >>> [h.name for _, h in RecurrentLM(3, 2).unrolled([0, 1])]
        ['h⁽¹⁾', 'h⁽²⁾']
        """
        array = checked_ids(ids, self.symbols)
        h, weights, bias = self._start(start, array, suffix), self._blocks[_HH], self._bias(_BIAS, self.units)
        table = self._blocks[_HX].T
        for t, symbol in enumerate(array.T, start=1):
            if self._is_scalar:
                x = Value(1.0, name=f"{Name('x', (int(symbol) + 1,), t)}{suffix}")
                both = np.concatenate([weights, table[int(symbol)][:, None]], axis=1)  # Wh + Vx is one sum
                z = ad.affine(both, np.array([*h, x]), bias)
            else:
                z = ad.affine(weights, h, bias) + table[symbol]
            z = name_results(z, "z", t, suffix)
            h = name_results(self.activation(z), "h", t, suffix)
            yield z, h

    def _states(self, ids: np.ndarray[Any, Any], start: Any, suffix: str) -> Any:
        """h₁ … h_T with the axis of time in front: units of tanh in one node, others unrolled."""
        if self._is_scalar:
            return np.array([h for _, h in self.unrolled(ids, start=start, suffix=suffix)])
        if self.activation is not ad.TABLE["tanh"]:
            return ad.stack([h for _, h in self.unrolled(ids, start=start, suffix=suffix)])
        arrived = self._arrived(ids.T.ravel()).reshape((*ids.T.shape, self.units))
        return ad.recurrence(self._blocks[_HH], arrived, self._start(start, ids, suffix))

    def _arrived(self, ids: np.ndarray[Any, Any]) -> Any:
        """W_hx x + b_h for each id, which is a column of W_hx."""
        W, b = self._blocks[_HX], self._bias(_BIAS, self.units)
        return ad.affine(W, _one_hot(ids, self.symbols), b) if self.symbols <= _MOST_ONE_HOT else W.T[ids] + b

    def _start(self, start: Any, ids: np.ndarray[Any, Any], suffix: str) -> Any:
        """h₀ for ids of this shape."""
        shape = (*ids.shape[:-1], self.units)
        if start is None and _START in self._blocks:
            start = self._blocks[_START]
        elif start is None:
            start = np.zeros(shape)
        elif not isinstance(start, Node):
            start = as_operand("the start of a language model", start)
        if start.shape not in (shape, shape[-1:]):
            raise ValueError(f"h₀ must have shape {shape[-1:]} or {shape} for these ids, and got shape {start.shape}")
        if self._is_scalar and start.dtype != object:
            values = [Value(x, name=f"{Name('h', (i,))}⁽⁰⁾{suffix}") for i, x in enumerate(numbers(start).tolist(), 1)]
            return np.array(values)
        return start if start.shape == shape else ad.broadcast_to(start, shape=shape)

    def _bias(self, name: Name, count: int) -> Any:
        return self._blocks[name] if name in self._blocks else np.zeros(count)

    @property
    def _is_scalar(self) -> bool:
        return bool(self._blocks[_HH].dtype == object)

    def blocks(self) -> dict[Name, Any]:
        """The blocks W_hh, W_hx and W_S, b_h and b_S if there are biases, and h if the start is learned, by name."""
        return dict(self._blocks)

    def _kept_as(self, keep: Callable[[Any, Name], Any]) -> RecurrentLM:
        made = RecurrentLM.__new__(RecurrentLM)
        made._hold({name: keep(block, name) for name, block in self._blocks.items()}, self.activation)
        return made

    def _architecture(self) -> dict[str, Any]:
        return {"activation": name_of(self.activation)}

    @classmethod
    def _made(cls, data: Any, blocks: Mapping[Name, Any]) -> RecurrentLM:
        m, V = blocks[_HX].shape
        wanted = {_HH: (m, m), _HX: (m, V), _S: (V, m), _BIAS: (m,), _BIAS_S: (V,), _START: (m,)}
        fits = all(block.shape == wanted.get(name) for name, block in blocks.items())
        if not fits or not m * V or (_BIAS in blocks) != (_BIAS_S in blocks):
            raise ValueError(f"its blocks {', '.join(f'{name} {x.shape}' for name, x in blocks.items())} do not fit")
        net = cls.__new__(cls)
        net._hold({name: blocks[name] for name in wanted if name in blocks}, unit(field(data, "activation", str)))
        return net

    def __repr__(self) -> str:
        parts = [getattr(self.activation, "name", self.activation), *["bias"] * (_BIAS in self._blocks)]
        return f"RecurrentLM({', '.join(map(str, (self.symbols, self.units, *parts)))})"


def _one_hot(ids: np.ndarray[Any, Any], symbols: int) -> np.ndarray[Any, Any]:
    rows = np.zeros((len(ids), symbols))
    rows[np.arange(len(ids)), ids] = 1.0
    return rows
