"""Blocks, in which a net keeps its parameters, and the named Values in them.

A *block* is the array of all parameters under one letter: a Tensor, an object array of Values, or a plain array.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

import numpy as np

from autodiff import Tensor, Value
from autodiff.engine.graph import Node
from autodiff.primitives.operands import as_operand, describe
from autodiff.words.notation import Name

__all__ = ["as_tensor", "as_values", "entries", "keeper", "numbers", "row_values", "wrap"]


def as_tensor(block: Any, name: Name) -> Tensor:
    """The numbers of a block as one named Tensor.

    >>> as_tensor(np.zeros((1, 2)), Name("W", (), 1)).name
    'W⁽¹⁾'
    """
    return Tensor(numbers(block), name=str(name))


def as_values(block: Any, name: Name) -> Any:
    """The numbers of a block as an object array of named Values, one for each entry; a single number becomes a Value.

    >>> as_values(np.zeros((1, 2)), Name("W", (), 1))[0, 1]
    Value(data=0, grad=–, name='W₁₂⁽¹⁾')
    """
    plain = numbers(block)
    values = np.empty(plain.shape, dtype=object)
    for place in np.ndindex(plain.shape):
        values[place] = Value(float(plain[place]), name=str(_entry(name, place)))
    return values[()]


def keeper(scalar: bool) -> Callable[[Any, Name], Any]:
    """The function that makes the blocks of a new net: `as_values` if ``scalar``, else `as_tensor`.

    Raises:
        TypeError: if ``scalar`` is not a bool.

    >>> keeper(True) is as_values
    True
    """
    if not isinstance(scalar, bool | np.bool):
        raise TypeError(f"scalar must be True for Values or False for Tensors, and got {describe(scalar)}")
    return as_values if scalar else as_tensor


def row_values(vector: Any, row: int, name: Name) -> dict[Name, Value]:
    """The numbers of one row (counted from 0) of a matrix as named Values.

    >>> list(row_values([0.0, 0.0], 1, Name("L")).values())
    [Value(data=0, grad=–, name='L₂₁'), Value(data=0, grad=–, name='L₂₂')]
    """
    names = [_entry(name, (row, column)) for column in range(len(vector))]
    return {each: Value(item, name=str(each)) for each, item in zip(names, vector, strict=True)}


def numbers(block: Any) -> np.ndarray[Any, Any]:
    """The plain numbers of a block, outside the graph; not a copy if it is a Tensor or a plain array.

    >>> numbers(Tensor([1.0, 2.0]))
    array([1., 2.])
    """
    if isinstance(block, Node):
        return np.asarray(block.data)
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


def wrap(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The inputs of a layer of Values: plain numbers become unnamed Values.

    >>> wrap(np.array([0.5]))
    array([Value(data=0.5, grad=–)], dtype=object)
    """
    if x.dtype == object:
        return x
    values = np.empty(x.size, dtype=object)
    values[:] = [Value(item) for item in x.ravel().tolist()]
    return values.reshape(x.shape)


@lru_cache(maxsize=256)
def _names(name: Name, shape: tuple[int, ...]) -> tuple[Name, ...]:
    return tuple(_entry(name, place) for place in np.ndindex(shape))


def _entry(name: Name, place: tuple[int, ...]) -> Name:
    return Name(name.letter, tuple(index + 1 for index in place), name.layer)
