"""A net with its architecture as one file, and the net made anew from it."""

from __future__ import annotations

import os
from typing import Any, Final

import numpy as np

from nn.modules.architecture import architecture, block_kinds, made, made_blocks
from nn.saving.file import contents, write

__all__ = ["load", "save_net"]

_KIND: Final = "net"
_PART: Final = "model"  # as in nn.resume(path, model=net), which reads this file too


def save_net(net: Any, path: str | os.PathLike[str]) -> None:
    """Write a net as the file that `load` reads; see ``net.save``."""
    extra = {"architecture": architecture(net), "blocks": block_kinds(net.blocks())}
    state = net.state()
    for key, array in state.items():
        if array.dtype.kind == "f" and not np.all(np.isfinite(array)):
            raise ValueError(f"{key} holds a number that is not finite; nothing was saved")
    write(path, _KIND, {_PART: (type(net).__name__, state)}, extra)


def load(path: str | os.PathLike[str]) -> Any:
    """The net that ``net.save(path)`` wrote, made anew: same class, numbers, activations and kind of parameters.

    A file can name our own classes and the activations in the table, nothing else; no code in it is run or imported.

    Raises:
        OSError: if there is no such file, or it cannot be read.
        ValueError: if it is damaged, of another kind, or written by a later version of autodiff.

    >>> import os, tempfile
    >>> from nn import Layer
    >>> path = os.path.join(tempfile.mkdtemp(), "net.npz")
    >>> Layer.of([[1.0, 2.0]], [0.5], activation="identity").save(path)
    >>> load(path)([1.0, 1.0])
    array([3.5])
    """
    found = contents(path)
    if found.kind != _KIND:
        raise ValueError(
            f"{path} holds a {found.kind} with {', '.join(found.parts)}; make these parts in code and use "
            f"nn.resume(path, {', '.join(f'{part}=…' for part in found.parts)})"
        )
    try:
        kinds, state = found.extra["blocks"], found.state(_PART)
        blocks = made_blocks(kinds, {key: state[key] for key in kinds})  # the rest is for nn.resume
        net = made(found.extra["architecture"], blocks)
        if net.blocks().keys() != blocks.keys():
            raise ValueError("it holds blocks that are not in its architecture")
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise ValueError(f"{path} holds no net that this autodiff can make: {error}") from error
    return net
