"""Units that never differ, because all their weights are equal (the notes, section 2, "Initialisation")."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np

from autodiff.words.notation import Name
from nn.parameters.blocks import numbers

__all__ = ["twins", "warn_of_twins"]

_MOST_NAMED: Final = 4  # in a warning


def twins(net: Any) -> list[tuple[Name, ...]]:
    """The groups of hidden units whose incoming weights, biases and outgoing weights are equal.

    Args:
        net: a net with ``blocks()`` under the notes' names: W⁽ᵏ⁾, b⁽ᵏ⁾ and W⁽ᵏ⁺¹⁾ or U; or the W, V and U of a
            `nn.Recurrent`. Of other nets nothing is known, and the list is empty.

    Returns:
        a tuple of names a_i⁽ᵏ⁺¹⁾ (h_i in a recurrent net) for each group of two or more; [] if all units differ. The
        units of a group receive equal error signals in every step of training, so that they remain one unit; only
        dropout, which treats them differently, could part them. Units of the last layer are not compared.

    Raises:
        TypeError: if ``net`` has no ``blocks()``.

    Source: notes, section 2, "Initialisation".

    >>> from nn import Network
    >>> net = Network((3, 2, 1))
    >>> twins(net)
    []
    >>> net.load({name: np.zeros_like(block) for name, block in net.state().items()})
    >>> [[str(name) for name in group] for group in twins(net)]
    [['a₁⁽²⁾', 'a₂⁽²⁾']]
    """
    if not callable(getattr(net, "blocks", None)):
        raise TypeError(f"twins takes a net with blocks(), such as nn.Network, and got {type(net).__name__}")
    blocks: Mapping[Name, Any] = net.blocks()
    if {*blocks} == {Name("W"), Name("V"), Name("U")}:
        return _recurrent(*(numbers(blocks[Name(letter)]) for letter in "WVU"))
    layers = sorted({name.layer for name in blocks if name.layer is not None})
    return [group for k in layers for group in _of_layer(blocks, k)]


def warn_of_twins(net: Any, *, stacklevel: int = 2) -> None:
    """Warn with the names of the units that never differ, if any; ``stacklevel`` is that of ``warnings.warn``.

    >>> from nn import Network
    >>> warn_of_twins(Network((3, 2, 1)))
    """
    groups = twins(net)
    if groups:
        said = "; ".join(", ".join(map(str, group[:_MOST_NAMED])) + _rest(group) for group in groups[:_MOST_NAMED])
        warnings.warn(
            f"units with equal weights stay equal in training: {said}{_rest(groups)}; "
            "draw different weights, such as by init='xavier'",
            stacklevel=stacklevel + 1,
        )


def _rest(items: Sequence[Any]) -> str:
    return f", and {len(items) - _MOST_NAMED} more" if len(items) > _MOST_NAMED else ""


def _of_layer(blocks: Mapping[Name, Any], k: int) -> Iterator[tuple[Name, ...]]:
    """The groups of the units a⁽ᵏ⁺¹⁾, unless they are outputs."""
    W, b = (numbers(blocks[name]) if (name := Name(letter, (), k)) in blocks else None for letter in "Wb")
    following = blocks.get(Name("W", (), k + 1), blocks.get(Name("U")))
    if W is None or following is None or following.shape[-1] != len(W):
        return
    units = np.hstack([W, np.atleast_2d(numbers(following)).T, *([] if b is None else [b[:, None]])])
    groups: dict[bytes, list[int]] = {}
    for i, row in enumerate(units + 0.0):  # −0.0 becomes 0.0
        groups.setdefault(row.tobytes(), []).append(i)
    yield from (tuple(Name("a", (i + 1,), k + 1) for i in group) for group in groups.values() if len(group) > 1)


def _recurrent(W: Any, V: Any, U: Any) -> list[tuple[Name, ...]]:
    """The groups of units whose exchange changes no weight, those between the two included."""
    groups: list[list[int]] = []
    for i in range(len(W)):
        for group in groups:
            j, exchanged = group[0], np.arange(len(W))
            exchanged[[i, j]] = j, i
            same = np.array_equal(V[i], V[j]) and np.array_equal(U[:, i], U[:, j])
            if same and np.array_equal(W[exchanged][:, exchanged], W):
                group.append(i)
                break
        else:
            groups.append([i])
    return [tuple(Name("h", (i + 1,)) for i in group) for group in groups if len(group) > 1]
