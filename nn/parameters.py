"""Parameters and results with the notes' names: made, listed, looked up, saved and put back.

A *block* is the array of all parameters under one letter: a Tensor, an object array of Values, or a plain array.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from autodiff import Tensor, Value
from autodiff.graph import Node
from autodiff.notation import Name, find, parse
from autodiff.primitive import Origin, as_operand, describe

__all__ = [
    "Kept", "Named", "as_tensor", "as_values", "entries", "joined", "load", "look_up", "mark", "numbers", "row_values",
    "state", "wrap",
]  # fmt: skip


def as_tensor(block: Any, name: Name) -> Tensor:
    """The numbers of a block as one named Tensor.

    >>> as_tensor(np.zeros((1, 2)), Name("W", (), 1)).name
    'W⁽¹⁾'
    """
    return Tensor(numbers(block), name=str(name))


def as_values(block: Any, name: Name) -> np.ndarray[Any, Any]:
    """The numbers of a block as an object array of named Values, one for each entry.

    >>> as_values(np.zeros((1, 2)), Name("W", (), 1))[0, 1]
    Value(data=0, grad=–, name='W₁₂⁽¹⁾')
    """
    plain = numbers(block)
    values = np.empty(plain.shape, dtype=object)
    for place in np.ndindex(plain.shape):
        values[place] = Value(float(plain[place]), name=str(_entry(name, place)))
    return values


def row_values(vector: Any, row: int, name: Name) -> dict[Name, Value]:
    """The numbers of one row (counted from 0) of a matrix as named Values.

    >>> list(row_values([0.0, 0.0], 1, Name("L")).values())
    [Value(data=0, grad=–, name='L₂₁'), Value(data=0, grad=–, name='L₂₂')]
    """
    names = [_entry(name, (row, column)) for column in range(len(vector))]
    return {each: Value(item, name=str(each)) for each, item in zip(names, vector, strict=True)}


def numbers(block: Any) -> np.ndarray[Any, Any]:
    """The plain numbers of a block, outside the graph: for a Tensor or a plain array without a copy.

    >>> numbers(Tensor([1.0, 2.0]))
    array([1., 2.])
    """
    if isinstance(block, Node):
        return np.asarray(block.data)  # type: ignore[attr-defined]
    array = as_operand("a parameter", block)
    if array.dtype != object:
        return array
    plain = [item.data if isinstance(item, Value) else float(item) for item in array.flat]
    return np.array(plain).reshape(array.shape)


def entries(block: Any, name: Name) -> Iterator[tuple[Name, Any]]:
    """The parameters of a block with their names: each Value of an object array, or the block itself.

    >>> [str(name) for name, _ in entries(as_values(np.zeros(2), Name("b", (), 1)), Name("b", (), 1))]
    ['b₁⁽¹⁾', 'b₂⁽¹⁾']
    """
    if isinstance(block, Node) or block.dtype != object:
        yield name, block
        return
    yield from zip(_names(name, block.shape), block.flat, strict=True)


def joined(parts: Sequence[dict[Name, Any]]) -> dict[Name, Any]:
    """Several dicts of parameters as one.

    Raises:
        ValueError: two of them have the same name.

    >>> joined([{Name("U"): 1.0}, {Name("L"): 2.0}])[Name("L")]
    2.0
    """
    whole: dict[Name, Any] = {}
    for part in parts:
        expected = len(whole) + len(part)
        whole |= part
        if len(whole) != expected:
            raise ValueError(f"two layers have a parameter {_repeated(parts)}; give each layer a number of its own")
    return whole


def look_up(name: str | Name, known: Mapping[Name, Any]) -> Any:
    """The parameter of that name, in any spelling.

    Raises:
        ValueError: there is none (it says which exist), or it is one entry of a Tensor.

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
        f"{wanted} is one entry of {whole}, and here {whole} is kept as one {type(block).__name__}; "
        f"take .scalar().parameter({wanted.ascii()!r}), where each weight is a Value, "
        f"or read .parameter({whole.ascii()!r})[{place}]"
    )


def state(blocks: Mapping[Name, Any]) -> dict[str, np.ndarray[Any, Any]]:
    """The numbers of all blocks under keys that any keyboard writes; fit for ``numpy.savez(path, **state)``.

    >>> state({Name("b", (), 1): Tensor([1.0])})
    {'b(1)': array([1.])}
    """
    return {name.ascii(): np.array(numbers(block)) for name, block in blocks.items()}


def load(blocks: Mapping[Name, Any], saved: Mapping[str, Any]) -> None:
    """Give the Values and Tensors of the blocks the saved numbers; every check comes before the first assignment.

    Raises:
        ValueError: a block is missing, a key is unknown or there twice, a shape differs or a number is not finite.
        TypeError: the blocks are plain arrays, or what was saved is no mapping of arrays.

    >>> b = Tensor([0.0])
    >>> load({Name("b", (), 1): b}, {"b(1)": [0.5]})
    >>> b.data
    array([0.5])
    """
    if not isinstance(saved, Mapping):
        raise TypeError(f"a state is a mapping of names to arrays, and got {describe(saved)}")
    given = {parse(key): key for key in saved}
    if len(given) < len(saved):
        twice = next(name for name, count in Counter(map(parse, saved)).items() if count > 1)
        raise ValueError(f"the state to load has {twice} twice, in two spellings; nothing was loaded")
    missing = [str(name) for name in blocks if name not in given]
    if missing:
        raise ValueError(f"the state to load has no {', '.join(missing)}; nothing was loaded")
    for name in given:
        find(name, blocks)
    fresh = {name: _checked(saved[given[name]], name, block) for name, block in blocks.items()}
    for name, block in blocks.items():
        _assign(block, fresh[name])


class Kept:
    """What a net offers that is made of blocks, each kept as Values, as a Tensor or as a plain array."""

    if TYPE_CHECKING:

        def _kept_as(self, keep: Callable[[Any, Name], Any]) -> Self:
            """The same net with ``keep(block, name)`` in place of each block."""

    def scalar(self) -> Self:
        """The same of named Values with the same numbers; gradients agree to the last few bits."""
        return self._kept_as(as_values)

    def tensor(self) -> Self:
        """The same of Tensors with the same numbers."""
        return self._kept_as(as_tensor)

    def plain(self) -> Self:
        """The same of plain arrays with the numbers of this moment: calling it makes no graph."""
        return self._kept_as(lambda block, _: numbers(block))


class Named:
    """What a net with ``parameters()`` and ``_blocks()`` offers by name; one entry, all numbers out, all numbers in."""

    if TYPE_CHECKING:

        def parameters(self) -> dict[Name, Any]:
            """All parameters by name."""

        def _blocks(self) -> dict[Name, Any]: ...

    def parameter(self, name: str | Name) -> Any:
        """The parameter of that name in any spelling, such as ``W14(1)``, ``b1(1)``, ``U1`` or ``L23``.

        Raises:
            ValueError: there is none (it says which exist), or it is one entry of a Tensor.

        >>> from nn import Network
        >>> Network((4, 2, 1), scalar=True).parameter("W14(1)").name
        'W₁₄⁽¹⁾'
        """
        return look_up(name, self.parameters())

    def state(self) -> dict[str, np.ndarray[Any, Any]]:
        """Copies of all numbers as arrays, under ``W(1)``, ``b(1)``, …: fit for ``numpy.savez(path, **state)``.

        >>> from nn import Network
        >>> {key: array.shape for key, array in Network((4, 2, 1)).state().items()}
        {'W(1)': (2, 4), 'b(1)': (2,), 'W(2)': (1, 2), 'b(2)': (1,)}
        """
        return state(self._blocks())

    def load(self, state: Mapping[str, Any]) -> None:
        """Take the numbers of a `state`, its keys in any spelling; if anything is wrong, nothing changes.

        Raises:
            ValueError: an array is missing, unknown, of another shape or not finite. TypeError: of another kind.

        >>> from nn import Network
        >>> network = Network((4, 2, 1))
        >>> network.load({**network.state(), "b(2)": [0.5]})
        >>> network.parameter("b(2)").data
        array([0.5])
        """
        load(self._blocks(), state)


def wrap(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The inputs of a layer of Values: plain numbers become Values, without names.

    >>> wrap(np.array([0.5]))
    array([Value(data=0.5, grad=–)], dtype=object)
    """
    if x.dtype == object:
        return x
    values = np.empty(x.size, dtype=object)
    values[:] = [Value(item) for item in x.ravel().tolist()]
    return values.reshape(x.shape)


def mark(result: Any, letter: str, layer: int | None, suffix: str) -> Any:
    """Name the nodes of a result, z or a of one layer, and give it back; what has a name keeps it.

    Plain arrays have nothing to name. ``suffix`` tells two calls of one network apart.
    """
    if isinstance(result, Node):
        _name(result, _text(letter, (), layer, suffix))
    elif isinstance(result, np.ndarray) and result.dtype == object:
        titles = _titles(letter, layer, result.shape[-1], suffix)
        for row in result.reshape(-1, result.shape[-1]):
            for node, title in zip(row, titles, strict=True):
                _name(node, title)
    return result


def _name(node: Any, title: str) -> None:
    if isinstance(node, Node) and node.origin.name is None:
        node.origin = _titled(node.origin, title)


@lru_cache(maxsize=4096)
def _titled(origin: Origin, title: str) -> Origin:
    """One shared origin for all nodes of a kind and name, so that a name costs a node nothing."""
    return Origin(origin.primitive, origin.params, title)


@lru_cache(maxsize=1024)
def _titles(letter: str, layer: int | None, count: int, suffix: str) -> tuple[str, ...]:
    return tuple(_text(letter, (index + 1,), layer, suffix) for index in range(count))


@lru_cache(maxsize=4096)
def _text(letter: str, indices: tuple[int, ...], layer: int | None, suffix: str) -> str:
    return str(Name(letter, indices, layer)) + suffix


@lru_cache(maxsize=256)
def _names(name: Name, shape: tuple[int, ...]) -> tuple[Name, ...]:
    return tuple(_entry(name, place) for place in np.ndindex(shape))


def _entry(name: Name, place: tuple[int, ...]) -> Name:
    return Name(name.letter, tuple(index + 1 for index in place), name.layer)


def _repeated(parts: Sequence[dict[Name, Any]]) -> Name:
    return next(name for name, count in Counter(name for part in parts for name in part).items() if count > 1)


def _within(indices: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    return len(indices) == len(shape) and all(i <= n for i, n in zip(indices, shape, strict=True))


def _checked(data: Any, name: Name, block: Any) -> np.ndarray[Any, Any]:
    if not isinstance(block, Node) and block.dtype != object:
        raise TypeError(f"{name} is a plain array; load into a network of Values or Tensors and take its .plain()")
    array = as_operand(f"the state's {name}", data)
    if array.shape != block.shape:
        raise ValueError(f"{name} has shape {block.shape}, and the state's has {array.shape}; nothing was loaded")
    if array.dtype == object:
        raise TypeError(f"the state's {name} holds objects, and a state is made of plain numbers; nothing was loaded")
    if not np.all(np.isfinite(array)):
        raise ValueError(f"the state's {name} holds a number that is not finite; nothing was loaded")
    return array


def _assign(block: Any, array: np.ndarray[Any, Any]) -> None:
    if isinstance(block, Tensor):
        block.data = array
        return
    for place, number in np.ndenumerate(array):
        if isinstance(block[place], Value):
            block[place].data = float(number)
        else:
            block[place] = float(number)
