"""Feed-forward networks: layers in a chain (the notes, sections 1.2 and 1.5)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from autodiff.engine.graph import Change, Node
from autodiff.primitives.operands import describe, whole_number
from autodiff.values.refusals import called_as
from autodiff.words.notation import Name
from nn.dropout import Dropout
from nn.layers import Layer
from nn.modules.activations import Activation, unit
from nn.modules.architecture import architecture, field, known, made
from nn.modules.module import Module
from nn.parameters.generators import commit_with_generators, generator
from nn.parameters.init import Init
from nn.parameters.state import joined, load_changes
from nn.parameters.twins import warn_of_twins

__all__ = ["Network"]


@known
class Network(Module):
    """Layers in a chain: a⁽¹⁾ = x, a⁽ᵏ⁺¹⁾ = f(W⁽ᵏ⁾a⁽ᵏ⁾ + b⁽ᵏ⁾).

    Args:
        sizes: the numbers of units from the input layer to the output layer; (4, 2, 1) is the notes' example.
        activation: f of the hidden layers, a name or a callable.
        output: f of the last layer.
        random: the generator of the initial weights (biases are 0); a new one with seed 0 if left out.
        init: how the weights of each layer are drawn, as for `Layer`; a warning names units that begin with equal
            weights, since training never makes them differ (`twins`).
        scalar: whether parameters are named Values, one for each number, instead of Tensors.
        dropout: a `Dropout`, which is applied after each hidden layer; none if left out.

    A call with x of shape (n,), or with rows of shape (…, n), returns a Tensor of shape (m,) or (…, m). A scalar
    network returns an object array of Values; with one output unit, the last axis is dropped, so that one x gives the
    Value itself. Every node of a call has its name in the notes, followed by ``suffix``.

    Raises:
        ValueError: if there are fewer than two sizes, a size is below 1, or an activation is unknown; on a call, if the
            number of inputs differs.
        TypeError: if a size is not an integer.

    Source: notes, sections 1.2 and 1.5.

    >>> network = Network((4, 2, 1), scalar=True)
    >>> score = network([1.0, 0.0, -1.0, 2.0])
    >>> score.backward()
    >>> score.name, network.parameter("b1(2)").grad
    ('a₁⁽³⁾', 1.0)
    """

    @called_as("Network((4, 2, 1), activation='relu')")
    def __init__(
        self,
        sizes: Sequence[int],
        *,
        activation: Activation = "sigmoid",
        output: Activation = "identity",
        random: np.random.Generator | None = None,
        init: Init = "xavier",
        scalar: bool = False,
        dropout: Dropout | None = None,
    ) -> None:
        counts = _counts(sizes)
        hidden, final = unit(activation), unit(output)
        random, last = generator(random), len(counts) - 1
        layers = [
            Layer(n, m, activation=final if k == last else hidden, number=k, random=random, init=init, scalar=scalar)
            for k, (n, m) in enumerate(pairwise(counts), start=1)
        ]
        self.layers: tuple[Any, ...] = tuple(layers if dropout is None else _with_dropout(layers, dropout))
        if init != "xavier" and dropout is None:
            warn_of_twins(self, stacklevel=3)  # the caller of the constructor, which `called_as` wraps

    @classmethod
    def of(cls, *layers: Any) -> Network:
        """The chain of these layers: any callables with ``parameters()``, whose names must differ.

        Raises:
            ValueError: if there are no layers, or two parameters have the same name.
            TypeError: if a layer cannot be called or has no ``parameters()``.

        >>> Network.of(Layer(4, 2), Layer(2, 1, activation="identity", number=2))
        Network(Layer(4, 2, sigmoid, number=1), Layer(2, 1, identity, number=2))
        """
        if not layers:
            raise ValueError("a network needs at least one layer, and got none")
        for layer in layers:
            if not callable(layer) or not hasattr(layer, "parameters"):
                raise TypeError(f"a layer must be a callable with parameters(), and got {describe(layer)}")
        network = cls.__new__(cls)
        parameters = joined([layer.parameters() for layer in layers])
        if parameters and not any(isinstance(item, Node) for item in parameters.values()):
            layers = tuple(layer.plain() if isinstance(layer, Dropout) else layer for layer in layers)
        network.layers = layers
        return network

    def __call__(self, x: Any, *, suffix: str = "") -> Any:
        for layer in self.layers:
            x = layer(x, suffix=suffix) if suffix else layer(x)
        if isinstance(x, np.ndarray) and x.dtype == object and x.shape[-1] == 1:
            return x[0] if x.ndim == 1 else x[..., 0]
        return x

    def predict(self, x: Any) -> np.ndarray[Any, Any]:
        """The output as a plain array of shape (m,) or (…, m), computed without a graph.

        >>> Network((2, 3, 1)).predict([[0.0, 0.0], [0.0, 0.0]])[:, 0].shape
        (2,)
        """
        result: np.ndarray[Any, Any] = self.plain()(x)
        return result

    def parameters(self) -> dict[Name, Any]:
        """All parameters by name, layer by layer: W row by row, then b."""
        return joined([layer.parameters() for layer in self.layers])

    def without_dropout(self) -> Network:
        """The exact network, with the same layers and parameters but no `Dropout`.

        >>> Network((2, 3, 1), dropout=Dropout(0.5, random=np.random.default_rng(0))).without_dropout()
        Network(Layer(2, 3, sigmoid, number=1), Layer(3, 1, identity, number=2))
        """
        kept = (layer for layer in self.layers if not isinstance(layer, Dropout))
        return Network.of(*(layer.without_dropout() if isinstance(layer, Network) else layer for layer in kept))

    def generators(self) -> list[np.random.Generator]:
        """The generators from which a call draws, each once: those of its layers of `Dropout`.

        >>> Network((2, 1)).generators()
        []
        """
        return [layer.random for _, layer in self._dropouts()]

    def _dropouts(self) -> Iterator[tuple[str, Dropout]]:
        """One `Dropout` for each generator, with the key of its state; ``tensor()`` and its kin share generators."""
        found = {id(layer.random): layer for layer in _dropouts_of(self)}
        return ((f"dropout({k})", layer) for k, layer in enumerate(found.values(), start=1))

    def state(self) -> dict[str, np.ndarray[Any, Any]]:
        """Copies of all numbers as arrays under ``W(1)``, ``b(1)``, …, and the state of each `Dropout`."""
        states = {f"{key}/{part}": x for key, layer in self._dropouts() for part, x in layer.state().items()}
        return {**super().state(), **states}

    def load_changes(self, state: Mapping[str, Any]) -> list[Change]:
        """The changes that `load` makes, checked but not made.

        Raises:
            ValueError, TypeError: as `load`.
        """
        is_map = isinstance(state, Mapping)
        drawn = {key: x for key, x in state.items() if str(key).startswith("dropout(")} if is_map else {}
        rest = {key: state[key] for key in state if key not in drawn} if is_map else state
        changes = load_changes(self.blocks(), rest)
        for key, layer in self._dropouts():
            parts = {name: drawn.pop(name) for name in [*drawn] if name.startswith(f"{key}/")}
            if not parts:
                raise ValueError(f"the state to load has no {key}, where this net has a {layer!r}; nothing was loaded")
            changes += layer.load_changes({name.removeprefix(f"{key}/"): x for name, x in parts.items()})
        if drawn:
            raise ValueError(
                f"the state to load has {next(iter(drawn))}, and this net has no such dropout; nothing was loaded "
                "(the state of net.without_dropout() has none)"
            )
        return changes

    def load(self, state: Mapping[str, Any]) -> None:
        """Load the numbers of a `state`, and how each `Dropout` goes on; if an error is raised, nothing has changed.

        Raises:
            ValueError, TypeError: as `Module.load`, or if the states of dropout are missing or too many.
        """
        commit_with_generators(self.load_changes(state))

    # A layer need not be a Module, so these call its own methods.
    def scalar(self) -> Network:
        """The same network made of named Values; gradients agree to the last few bits."""
        return Network.of(*(layer.scalar() for layer in self.layers))

    def tensor(self) -> Network:
        """The same network made of Tensors."""
        return Network.of(*(layer.tensor() for layer in self.layers))

    def plain(self) -> Network:
        """The same network made of plain arrays with the current numbers: a call records no graph."""
        return Network.of(*(layer.plain() for layer in self.layers))

    def blocks(self) -> dict[Name, Any]:
        """The blocks of all layers."""
        return joined([layer.blocks() for layer in self.layers])

    def _architecture(self) -> dict[str, Any]:
        randoms = [id(dropout.random) for dropout in _dropouts_of(self)]
        shared = {"generators": [randoms.index(each) for each in randoms]} if len({*randoms}) < len(randoms) else {}
        return {"layers": [architecture(layer) for layer in self.layers], **shared}

    @classmethod
    def _made(cls, data: Any, blocks: Mapping[Name, Any]) -> Network:
        net = cls.of(*(made(layer, blocks) for layer in field(data, "layers", list)))
        if "generators" in data:  # the places of those whose generators they share
            dropouts, places = list(_dropouts_of(net)), field(data, "generators", list)
            known = all(type(at) is int and 0 <= at <= k for k, at in enumerate(places))
            if not known or len(places) != len(dropouts):
                raise ValueError("its generators are not those of its dropouts")
            for dropout, at in zip(dropouts, places, strict=True):
                dropout.random = dropouts[at].random
        return net

    def __repr__(self) -> str:
        return f"Network({', '.join(map(repr, self.layers))})"


def _dropouts_of(net: Network) -> Iterator[Dropout]:
    """Each layer of dropout in order, also those of networks among the layers."""
    for layer in net.layers:
        if isinstance(layer, Dropout):
            yield layer
        elif isinstance(layer, Network):
            yield from _dropouts_of(layer)


def _with_dropout(layers: Sequence[Layer], dropout: Dropout) -> Iterator[Any]:
    """The layers, with dropout between each two."""
    if not isinstance(dropout, Dropout):
        raise TypeError(
            f"dropout must be a Dropout, such as Dropout(0.5, random=numpy.random.default_rng(0)), "
            f"and got {describe(dropout)}"
        )
    if len(layers) < 2:
        raise ValueError("dropout is applied to hidden layers, and a network of two sizes has none")
    for layer in layers[:-1]:
        yield layer
        yield dropout
    yield layers[-1]


def _counts(sizes: Sequence[int]) -> tuple[int, ...]:
    try:
        counts = tuple(whole_number(size, "a size", least=1) for size in sizes)
    except TypeError as error:
        raise TypeError(f"the sizes of a network must be integers, such as (4, 2, 1), and got {sizes!r}") from error
    except ValueError:
        counts = ()
    if len(counts) < 2:
        raise ValueError(f"a network needs at least two sizes, each at least 1, such as (4, 2, 1), and got {sizes!r}")
    return counts
