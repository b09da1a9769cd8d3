"""Arrays of Values, in which a parameter of a small program is followed through single numbers."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from autodiff.engine.graph import Node
from autodiff.engine.plain import plain
from autodiff.primitives.table.choices import where
from autodiff.primitives.table.elementwise import add, multiply
from autodiff.primitives.table.linear import matmul, weighted_sum
from autodiff.values.value import Value

__all__ = ["MOST_SINGLES", "constant_of", "entry_name", "holds_values", "product", "singles", "with_entry"]

MOST_SINGLES: Final = 2000  # elements of all results, up to which one parameter is followed through single numbers


def entry_name(name: str | None, index: tuple[int, ...]) -> str | None:
    """The name of one element, such as ``fc1.weight[0, 3]``."""
    return name and (f"{name}[{', '.join(map(str, index))}]" if index else name)


def singles(data: Any, name: str | None) -> Any:
    """An object array with one Value for each number of an array."""
    made = np.empty(data.shape, dtype=object)
    for index in np.ndindex(data.shape):
        made[index] = Value(float(data[index]), name=entry_name(name, index))
    return made


def with_entry(data: Any, index: tuple[int, ...], entry: Any) -> Any:
    """The array with the node ``entry`` as one of its elements."""
    mask = np.zeros(data.shape, dtype=bool)
    mask[index] = True
    return where(mask, entry, data)


def holds_values(item: Any) -> bool:
    """Whether this is a Value or an array of them."""
    return isinstance(item, Value) or (isinstance(item, np.ndarray) and item.dtype == object)


def constant_of(item: Any) -> Any:
    """The numbers of a node or of an array of Values; anything else unchanged."""
    if isinstance(item, np.ndarray) and item.dtype == object:
        return np.array([plain(value) for value in item.flat], float).reshape(item.shape)
    return np.asarray(plain(item)) if isinstance(item, Node) else item


def product(a: Any, b: Any, bias: Any = None) -> Any:
    """The matrix product ``a @ b``, plus a bias if given; with Values, each element is one `weighted_sum`."""
    if not (holds_values(a) or holds_values(b)) or not np.shape(a)[-1]:
        return matmul(a, b) if bias is None else add(matmul(a, b), bias)
    a, b = np.asarray(a), np.asarray(b)
    rows, columns = np.atleast_2d(a), b[:, None] if b.ndim == 1 else b
    lead = np.broadcast_shapes(rows.shape[:-2], columns.shape[:-2])
    made = np.empty((*lead, rows.shape[-2], columns.shape[-1]), dtype=object)
    rows = np.broadcast_to(rows, (*lead, *rows.shape[-2:]))
    columns = np.broadcast_to(columns, (*lead, *columns.shape[-2:]))
    biases = np.broadcast_to(0.0 if bias is None else bias, made.shape)
    for *k, i, j in np.ndindex(made.shape):
        made[(*k, i, j)] = _neuron(rows[(*k, i)].tolist(), columns[(*k, slice(None), j)].tolist(), biases[(*k, i, j)])
    shape = made.shape[:-2] + made.shape[-2:-1] * (a.ndim > 1) + made.shape[-1:] * (b.ndim > 1)
    return made.reshape(shape) if shape else made.item()


def _neuron(weights: list[Any], inputs: list[Any], bias: Any) -> Any:
    if len(weights) == 1 and not holds_values(bias) and bias == 0.0:
        return multiply(weights[0], inputs[0])
    return weighted_sum(weights, inputs, bias if holds_values(bias) else float(bias))
