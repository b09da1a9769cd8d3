"""Nets without their numbers, as data from which a file makes them anew; names in a file are looked up, never run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

import numpy as np

from autodiff import Value
from autodiff.engine.graph import Node
from autodiff.primitives.operands import describe
from autodiff.words.notation import Name, parse
from nn.parameters.blocks import as_tensor, as_values

__all__ = ["BY_CODE", "architecture", "block_kinds", "field", "known", "made", "made_blocks"]

_Net = TypeVar("_Net", bound=type)

_KNOWN: Final[dict[str, Any]] = {}  # classes by name; a file can name these and no others
_CLASS: Final = "class"
#: What to do with a net that a file cannot make anew.
BY_CODE: Final = "use nn.save(path, model=net), and nn.resume(path, model=net) with a net that your code made"

#: How a file's numbers become a block.
_KEEP: Final[dict[str, Callable[[Any, Name], Any]]] = {
    "Tensor": as_tensor,
    "Values": as_values,
    "numbers": lambda block, _: block,
    "floats": lambda block, _: block.astype(object),  # the words that a scorer of Values has not met yet
}


def known(kind: _Net) -> _Net:
    """Let files name this class: its ``_architecture()`` gives data for JSON, its ``_made(data, blocks)`` a net."""
    _KNOWN[kind.__name__] = kind
    return kind


def architecture(net: Any) -> dict[str, Any]:
    """The class and the data of a net.

    Raises:
        TypeError: if the class of the net, or of a layer in it, is not one of ours.
        ValueError: if an activation has no name.

    >>> from nn import Layer
    >>> architecture(Layer(2, 1))
    {'class': 'Layer', 'activation': 'sigmoid', 'number': 1}
    """
    kind = type(net)
    if _KNOWN.get(kind.__name__) is not kind:
        raise TypeError(
            f"a file can hold one of {', '.join(sorted(_KNOWN))}, and got {describe(net)}, whose class it cannot; "
            f"{BY_CODE}"
        )
    return {_CLASS: kind.__name__, **kind._architecture(net)}


def made(data: Any, blocks: Mapping[Name, Any]) -> Any:
    """The net of an `architecture` with these blocks.

    Raises:
        ValueError: if the data do not describe a net, or a block is missing.
    """
    kind = field(data, _CLASS, str)
    if kind not in _KNOWN:
        raise ValueError(f"its class {kind!r} is none of {', '.join(sorted(_KNOWN))}")
    return _KNOWN[kind]._made(data, blocks)


def field(data: Any, key: str, kind: type) -> Any:
    """The entry of a dict from a file, which must be of this class; a bool is no int.

    Raises:
        ValueError: if it is not.

    >>> field({"number": 1}, "number", int)
    1
    """
    if not isinstance(data, dict) or type(data.get(key)) is not kind:
        raise ValueError(f"the architecture in it has no {key}")
    return data[key]


def block_kinds(blocks: Mapping[Name, Any]) -> dict[str, str]:
    """How a net keeps each block: as a Tensor, as Values, or as plain numbers.

    Raises:
        ValueError: if a parameter stands in two places, or a block mixes Values and numbers.

    >>> from nn import Layer
    >>> block_kinds(Layer(2, 1, scalar=True).blocks())
    {'W(1)': 'Values', 'b(1)': 'Values'}
    """
    kinds = {name.ascii(): _kind(name, block) for name, block in blocks.items()}
    nodes = [item for block in blocks.values() for item in _nodes(block)]
    if len({id(node) for node in nodes}) < len(nodes):
        raise ValueError(f"a parameter stands in two places of this net, which a file cannot hold; {BY_CODE}")
    return kinds


def made_blocks(kinds: Any, state: Mapping[str, np.ndarray[Any, Any]]) -> dict[Name, Any]:
    """The blocks of these `block_kinds` with the numbers of a state.

    Raises:
        ValueError: if kinds and numbers do not belong together, or a number is not finite.
    """
    if not isinstance(kinds, dict) or kinds.keys() != state.keys() or not all(kind in _KEEP for kind in kinds.values()):
        raise ValueError("the architecture in it does not fit its arrays")
    for key, array in state.items():
        if array.dtype.kind != "f" or not np.all(np.isfinite(array)):
            raise ValueError(f"its {key} does not consist of finite numbers")
    return {(name := parse(key)): _KEEP[kinds[key]](array, name) for key, array in state.items()}


def _kind(name: Name, block: Any) -> str:
    if isinstance(block, Node):
        return "Values" if isinstance(block, Value) else "Tensor"
    if block.dtype != object:
        return "numbers"
    if name.letter == "L":  # which of its words are Values is the scorer's to say
        return "floats"
    count = len(_nodes(block))
    if count not in (0, block.size):
        raise ValueError(f"{name} mixes Values and plain numbers, which a file cannot hold; {BY_CODE}")
    return "Values" if count else "floats"


def _nodes(block: Any) -> list[Node]:
    if isinstance(block, Node):
        return [block]
    return [item for item in block.flat if isinstance(item, Node)] if block.dtype == object else []
