"""Parameters by the notes' names: joined, looked up in any spelling, saved and loaded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import repeat
from typing import Any

import numpy as np

from autodiff import Value
from autodiff.engine.graph import Change, Node, commit
from autodiff.values.updates import given
from autodiff.words.notation import Name, find, parse
from nn.parameters.blocks import numbers
from nn.parameters.saved import check_mapping, saved_numbers

__all__ = ["joined", "load", "load_changes", "look_up", "state"]


def joined(parts: Sequence[dict[Name, Any]]) -> dict[Name, Any]:
    """Several dicts of parameters as one.

    Raises:
        ValueError: if two of them have the same name.

    >>> joined([{Name("U"): 1.0}, {Name("L"): 2.0}])[Name("L")]
    2.0
    """
    whole: dict[Name, Any] = {}
    for part in parts:
        expected = len(whole) + len(part)
        whole |= part
        if len(whole) != expected:
            raise ValueError(f"two layers have a parameter {_repeated(parts)}; give each layer a different number")
    return whole


def look_up(name: str | Name, known: Mapping[Name, Any]) -> Any:
    """The parameter of that name, in any spelling.

    Raises:
        ValueError: if there is none (the message lists those that exist), or it is one entry of a Tensor.

    >>> look_up("W(1)", {Name("W", (), 1): 0.5})
    0.5
    """
    wanted = name if isinstance(name, Name) else parse(name)
    whole = Name(wanted.letter, (), wanted.layer)
    block = known.get(whole)
    if wanted in known or block is None or not _within(wanted.indices, block.shape):
        return find(wanted, known)
    place = ", ".join(str(index - 1) for index in wanted.indices)
    raise ValueError(
        f"{wanted} is one entry of {whole}, and {whole} is one {type(block).__name__} here; "
        f"use .scalar().parameter({wanted.ascii()!r}), where each weight is a Value, "
        f"or .parameter({whole.ascii()!r})[{place}]"
    )


def state(blocks: Mapping[Name, Any]) -> dict[str, np.ndarray[Any, Any]]:
    """The numbers of all blocks under ASCII keys, for ``numpy.savez(path, **state)``.

    >>> from autodiff import Tensor
    >>> state({Name("b", (), 1): Tensor([1.0])})
    {'b(1)': array([1.])}
    """
    return {name.ascii(): np.array(numbers(block)) for name, block in blocks.items()}


def load(blocks: Mapping[Name, Any], saved: Mapping[str, Any]) -> None:
    """Assign the saved numbers to the Values and Tensors of the blocks; if an error is raised, none has changed.

    Raises:
        ValueError: if a block is missing, a key is unknown or repeated, a shape differs, or a number is not finite.
        TypeError: if the blocks are plain arrays, or ``saved`` is not a mapping of numeric arrays.

    >>> from autodiff import Tensor
    >>> b = Tensor([0.0])
    >>> load({Name("b", (), 1): b}, {"b(1)": [0.5]})
    >>> b.data
    array([0.5])
    """
    commit(*load_changes(blocks, saved))


def load_changes(blocks: Mapping[Name, Any], saved: Mapping[str, Any]) -> list[Change]:
    """The changes that `load` makes, checked but not made. Raises its errors."""
    check_mapping(saved)
    given = {parse(key): key for key in saved}
    if len(given) < len(saved):
        twice = next(name for name, count in Counter(map(parse, saved)).items() if count > 1)
        raise ValueError(f"the state to load contains {twice} twice, in two spellings; nothing was loaded")
    missing = [str(name) for name in blocks if name not in given]
    if missing:
        raise ValueError(f"the state to load has no {', '.join(missing)}; nothing was loaded")
    for name in given:
        find(name, blocks)
    fresh = {name: _checked(saved[given[name]], name, block) for name, block in blocks.items()}
    return _assigned((block, fresh[name]) for name, block in blocks.items())


def _repeated(parts: Sequence[dict[Name, Any]]) -> Name:
    return next(name for name, count in Counter(name for part in parts for name in part).items() if count > 1)


def _within(indices: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    return len(indices) == len(shape) and all(i <= n for i, n in zip(indices, shape, strict=True))


def _checked(data: Any, name: Name, block: Any) -> np.ndarray[Any, Any]:
    if not isinstance(block, Node) and block.dtype != object:
        raise TypeError(f"{name} is a plain array; load into a network of Values or Tensors, then use its .plain()")
    if not isinstance(block, Node) and not block.flags.writeable and not all(isinstance(x, Value) for x in block.flat):
        raise ValueError(f"{name} is a read-only array; nothing was loaded")
    return saved_numbers(data, str(name), block.shape)


def _assigned(pairs: Iterable[tuple[Any, np.ndarray[Any, Any]]]) -> list[Change]:
    """The changes that `load` commits: new data of Tensors and Values, and of plain numbers in object arrays."""
    leaves: list[tuple[Any, Any]] = []
    changes: list[Change] = []
    for block, array in pairs:
        if isinstance(block, Node):
            leaves.append((block, array))
            continue
        entries = list(zip(np.ndindex(block.shape), block.flat, array.ravel().tolist(), strict=True))
        leaves += [(item, float(number)) for _, item, number in entries if isinstance(item, Value)]
        rest = [(place, float(number)) for place, item, number in entries if not isinstance(item, Value)]
        places, numbers = zip(*rest, strict=True) if rest else ((), ())
        changes.append((np.ndarray.__setitem__, repeat(block), places, numbers))
    return [*given(leaves), *changes]
