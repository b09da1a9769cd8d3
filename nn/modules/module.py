"""`Module`: the base class of all nets."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, Self

import numpy as np

from autodiff.engine.graph import Change
from autodiff.words.notation import Name
from nn.modules.net_file import save_net
from nn.parameters.blocks import as_tensor, as_values, entries, numbers
from nn.parameters.state import load, load_changes, look_up, state

__all__ = ["Module"]


class Module:
    """A net with named parameters, kept as named Values, as Tensors or as plain arrays, which it saves and loads.

    A subclass defines its blocks (`blocks`), how to make the same net from other blocks (``_kept_as``), and its
    ``__call__``. ``copy.deepcopy`` and ``pickle`` copy the parameters too.

    >>> from nn import Layer
    >>> net = Layer(2, 1)
    >>> isinstance(net, Module), [str(name) for name in net.parameters()]
    (True, ['W⁽¹⁾', 'b⁽¹⁾'])
    """

    def blocks(self) -> dict[Name, Any]:
        """The blocks of parameters by name, one for each letter and layer."""
        raise NotImplementedError(f"{type(self).__name__} has no blocks of parameters; define blocks()")

    def _kept_as(self, keep: Callable[[Any, Name], Any]) -> Self:
        """The same net with ``keep(block, name)`` instead of each block."""
        raise NotImplementedError(f"{type(self).__name__} cannot be converted to other blocks; define _kept_as()")

    def parameters(self) -> dict[Name, Any]:
        """All parameters by name: each block that is a Tensor or a plain array, or its Values row by row."""
        return dict(item for name, block in self.blocks().items() for item in entries(block, name))

    def parameter(self, name: str | Name) -> Any:
        """The parameter of that name in any spelling, such as ``W14(1)``, ``b1(1)``, ``U1`` or ``L23``.

        Raises:
            ValueError: if there is none (the message lists those that exist), or it is one entry of a Tensor.

        >>> from nn import Network
        >>> Network((4, 2, 1), scalar=True).parameter("W14(1)").name
        'W₁₄⁽¹⁾'
        """
        return look_up(name, self.parameters())

    def state(self) -> dict[str, np.ndarray[Any, Any]]:
        """Copies of all numbers as arrays under ``W(1)``, ``b(1)``, …, for ``numpy.savez(path, **state)``.

        >>> from nn import Network
        >>> {key: array.shape for key, array in Network((4, 2, 1)).state().items()}
        {'W(1)': (2, 4), 'b(1)': (2,), 'W(2)': (1, 2), 'b(2)': (1,)}
        """
        return state(self.blocks())

    def load(self, state: Mapping[str, Any]) -> None:
        """Load the numbers of a `state`, its keys in any spelling; if an error is raised, nothing has changed.

        Raises:
            ValueError: if an array is missing, unknown, of another shape, or not finite.
            TypeError: if ``state`` is not a mapping of numeric arrays, or this net consists of plain arrays.

        >>> from nn import Network
        >>> network = Network((4, 2, 1))
        >>> network.load({**network.state(), "b(2)": [0.5]})
        >>> network.parameter("b(2)").data
        array([0.5])
        """
        load(self.blocks(), state)

    def load_changes(self, state: Mapping[str, Any]) -> list[Change]:
        """The changes that `load` makes, checked but not made: `nn.resume` makes those of all parts in one step.

        Raises:
            ValueError, TypeError: as `load`.

        >>> from nn import Layer
        >>> layer = Layer(2, 1)
        >>> changes = layer.load_changes({**layer.state(), "b(1)": [0.5]})
        >>> layer.b.data
        array([0.])
        """
        return load_changes(self.blocks(), state)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write this net with its architecture as one ``.npz`` file; ``nn.load(path)`` makes it anew.

        An older file is replaced completely or not at all, as by `nn.save`, which also takes nets of your own classes.

        Raises:
            TypeError: if its class, or that of a layer in it, is not one of ours.
            ValueError: if an activation has no name, a number is not finite, or a parameter stands in two places.
            OSError: if the file cannot be written.

        >>> import nn, os, tempfile
        >>> path = os.path.join(tempfile.mkdtemp(), "net.npz")
        >>> nn.Network((4, 2, 1), activation="tanh").save(path)
        >>> nn.load(path)
        Network(Layer(4, 2, tanh, number=1), Layer(2, 1, identity, number=2))
        """
        save_net(self, path)

    def scalar(self) -> Self:
        """The same net made of named Values; gradients agree to the last few bits."""
        return self._kept_as(as_values)

    def tensor(self) -> Self:
        """The same net made of Tensors."""
        return self._kept_as(as_tensor)

    def plain(self) -> Self:
        """The same net made of plain arrays with the current numbers: a call records no graph."""
        return self._kept_as(lambda block, _: numbers(block))
