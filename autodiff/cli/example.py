"""The network and the input that a command line asks for, and the node at which the error starts."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Final

import numpy as np

from autodiff.cli.network_file import read_network
from autodiff.engine.graph import Node
from autodiff.system.search_path import own_modules_first
from autodiff.words.notation import subscript

with own_modules_first():  # every student of backpropagation has an nn.py
    from nn.network import Network

__all__ = ["Example", "example"]

#: The notes' 4-2-1 network and its input (section 1.5): ∂s/∂W₁₄⁽¹⁾ = 1 · 1 · 0.9 · 0.1793 · 0.8 = 0.1291.
_SIZES: Final = (4, 2, 1)
_WEIGHTS: Final[Mapping[str, Any]] = {
    "W(1)": [[0.3, -0.2, 0.5, 0.7], [-0.4, 0.1, 0.6, -0.3]],
    "b(1)": [0.1, -0.05],
    "W(2)": [[0.9, -0.6]],
    "b(2)": [0.2],
}
_INPUT: Final = (1.0, -0.5, 0.25, 0.8)
_MOST_PARAMETERS: Final = 1_000_000  # each is a separate Value: a few seconds and 0.5 GB


@dataclass(frozen=True, slots=True)
class Headed:
    """A network whose output is one unit of the last layer (``unit`` counts from 1) or J = ½ Σ e² with e = a − y."""

    network: Any
    unit: int | None = None
    target: tuple[float, ...] | None = None

    def __call__(self, x: Any) -> Any:
        outputs = self.network(x)
        if self.target is None:
            return outputs if self.unit is None else outputs[self.unit - 1]
        errors = outputs - (np.array(self.target) if np.ndim(outputs) else self.target[0])
        for k, error in enumerate([errors] if isinstance(errors, Node) else errors, start=1):
            error.name = f"e{subscript(str(k))}" if error.scalar else "e"
        squares = errors**2
        J = 0.5 * (squares.sum() if np.ndim(outputs) else squares)
        J.name = "J"
        return J

    def parameter(self, name: Any) -> Any:
        """The parameter of the network with that name."""
        return self.network.parameter(name)

    def scalar(self) -> Headed:
        """The same for a network of Values."""
        return replace(self, network=self.network.scalar())

    def tensor(self) -> Headed:
        """The same for a network of Tensors."""
        return replace(self, network=self.network.tensor())


@dataclass(frozen=True, slots=True)
class Example:
    """A network of named Values, whose output is one number, and an input for it."""

    network: Any
    x: tuple[float, ...]


def example(options: argparse.Namespace) -> Example:
    """The network and its input.

    Raises:
        ValueError: if options contradict each other, or numbers do not fit the network.
    """
    network, x = _network(options)
    inputs, outputs = network.layers[0].W.shape[1], network.layers[-1].W.shape[0]
    if options.input is not None:
        x = options.input
    if x is None:
        raise ValueError(f"{options.network} contains no x; give the input with --input")
    _check_count("--input" if options.input is not None else f"{options.network}: x", x, inputs, "input")
    if options.corrupt is not None:
        _check_count("--corrupt", options.corrupt, inputs, "input")
    return Example(_headed(network, options, outputs), x)


def _headed(network: Network, options: argparse.Namespace, outputs: int) -> Network | Headed:
    """The network with one number as output."""
    if options.target is not None:
        if options.unit is not None or options.corrupt is not None:
            raise ValueError("the loss of --target needs all outputs and one input; leave out --unit and --corrupt")
        _check_count("--target", options.target, outputs, "output")
        return Headed(network, target=options.target)
    if options.unit is not None and options.unit > outputs:
        raise ValueError(f"--unit: expected 1 … {outputs}, a unit of the output layer, and got {options.unit}")
    if outputs == 1:
        return network
    if options.unit is None:
        raise ValueError(
            f"the network has {outputs} outputs; choose one with --unit 1 … {outputs}, or their loss with --target "
            f"{','.join(['Y'] * min(outputs, 2))}{',…' * (outputs > 2)}"
        )
    return Headed(network, options.unit)


def _check_count(option: str, given: Sequence[float], wanted: int, what: str) -> None:
    if len(given) != wanted:
        got = _counted(len(given), "number")
        raise ValueError(f"{option}: the network has {_counted(wanted, what)}, and got {got}")


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'s' * (count != 1)}"


def _network(options: argparse.Namespace) -> tuple[Network, tuple[float, ...] | None]:
    if options.network is not None:
        if options.sizes or options.seed is not None:
            raise ValueError("--network sets the sizes and weights; leave out --sizes and --seed")
        weights, x = read_network(options.network)
        return _loaded(weights, options.activation), x
    if options.seed is None and options.sizes in (None, _SIZES):
        return _loaded(_WEIGHTS, options.activation), _INPUT
    random = np.random.default_rng(options.seed or 0)
    sizes = options.sizes or _SIZES
    network = _made(sizes, options.activation, random)
    return network, tuple(random.uniform(-1.0, 1.0, sizes[0]).tolist())


def _loaded(weights: Mapping[str, Any], activation: str | None) -> Network:
    """A network of Values with these weights, which determine its sizes."""
    blocks = {key: np.asarray(block, dtype=float) for key, block in weights.items()}
    matrices = [blocks[f"W({k})"] for k in range(1, len(blocks) // 2 + 1)]
    sizes = [matrices[0].shape[1], *(matrix.shape[0] for matrix in matrices)]
    network = _made(sizes, activation)
    network.load(blocks)
    return network


def _made(sizes: Sequence[int], activation: str | None, random: np.random.Generator | None = None) -> Network:
    """A network of Values; raises ValueError if it is too large for that."""
    count = sum((inputs + 1) * units for inputs, units in pairwise(sizes))
    if count > _MOST_PARAMETERS:
        most = f"{_MOST_PARAMETERS:,}"
        raise ValueError(f"a network may have at most {most} weights and biases here, and got {count:,}")
    return Network(sizes, activation="sigmoid" if activation is None else activation, random=random, scalar=True)
