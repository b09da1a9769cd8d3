"""A reference interpreter of the intermediate form: every statement in plain NumPy, without a thought for speed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autodiff.primitives.namespace import arrays
from autodiff.program.compiling.form import (
    Apply,
    Call,
    Chosen,
    Form,
    Gather,
    Joined,
    Operand,
    Segment,
    Statement,
    View,
)

__all__ = ["Numbers", "computed", "number"]

#: Of each segment its numbers: with the axis of examples, if it has one, and one more axis of its flattened elements.
Numbers = dict[Segment, np.ndarray[Any, Any]]
_POOL = Segment("pool", ())


def computed(form: Form, inputs: Sequence[Any], integers: Sequence[int] = (), *, dtype: Any = np.float64) -> Numbers:
    """The numbers of all segments: ``inputs`` are those of the recording, in order, batched ones with their axis."""
    numbers: Numbers = {}
    for segment, leaves in form.parameters.items():
        flat = [np.ravel(leaf._data) for leaf in leaves]
        numbers[segment] = np.concatenate(flat).astype(dtype) if flat else np.empty(0, dtype)
    for segment, which in form.inputs.items():
        parts = [np.asarray(inputs[k], dtype) for k in which]
        numbers[segment] = np.stack(parts, axis=-1)
    for segment in form.constants:
        numbers[segment] = np.ravel(np.asarray(segment.data, dtype))
    pool = np.full(sum(segment.size for segment in form.pool), np.nan)
    for segment in (*form.parameters, *form.inputs, *form.constants):
        _pooled(form, segment, pool, numbers)
    with np.errstate(all="ignore"):
        for statement in form.statements:
            numbers[_POOL] = pool
            numbers[statement.target] = _flat(statement.target, _result(statement, numbers, integers))
            _pooled(form, statement.target, pool, numbers)
    return numbers


def number(form: Form, numbers: Numbers, node: Any) -> Any:
    """The number of a node: an array of the examples if its segment is batched."""
    segment, place = form.places[node]
    return np.asarray(numbers[segment][..., place])


def _pooled(form: Form, segment: Segment, pool: Any, numbers: Numbers) -> None:
    if segment in form.pool:
        pool[form.pool[segment] :][: segment.size] = numbers[segment]


def _flat(target: Segment, result: Any) -> np.ndarray[Any, Any]:
    result = np.asarray(result)
    wanted = (*result.shape[:1], *target.shape) if target.batched else target.shape
    assert result.shape == wanted, (target, result.shape)
    return np.asarray(result.reshape((*result.shape[:1], -1) if target.batched else -1))


def _result(statement: Statement, numbers: Numbers, integers: Sequence[int]) -> Any:
    def read(operand: Any) -> Any:
        if isinstance(operand, View | Gather | Chosen | Joined):
            return _taken(operand, numbers, integers)
        if isinstance(operand, Segment):
            flat = numbers[operand]
            return flat.reshape(*flat.shape[:-1], *operand.shape)
        return operand

    target = statement.target
    if isinstance(statement, Apply | Call):
        operands = [read(operand) for operand in statement.operands]
        if isinstance(statement, Call):
            return statement.primitive.forward(arrays, *operands, **statement.params)
        operands = [np.float64(operand) if np.ndim(operand) == 0 else operand for operand in operands]
        return np.broadcast_arrays(
            statement.primitive.forward(arrays, *operands, **statement.params), np.empty(target.shape)
        )[0]
    total = np.full(target.shape, statement.constant)
    for product in statement.products:
        total = total + product.factor * (read(product.left) * read(product.right)).sum(axis=-1)
    for term in statement.terms:
        total = total + (read(term.operand) * np.asarray(term.factors)).sum(axis=-1)
    return total


def _taken(operand: Operand, numbers: Numbers, integers: Sequence[int]) -> np.ndarray[Any, Any]:
    """The numbers of an operand: with the axis of examples, if it has one, in the shape of the operand."""
    if isinstance(operand, Joined):
        parts = [_taken(part, numbers, integers) for part in operand.parts]
        lead = np.broadcast_shapes(
            *(part.shape[: part.ndim - len(p.shape)] for part, p in zip(parts, operand.parts, strict=True))
        )
        flat = [
            np.broadcast_to(part, (*lead, *p.shape)).reshape(*lead, -1)
            for part, p in zip(parts, operand.parts, strict=True)
        ]
        return np.concatenate(flat, axis=-1).reshape(*lead, *operand.shape)
    return numbers[_POOL if operand.segment.kind == "pool" else operand.segment][..., _places(operand, integers)]


def _places(operand: Operand, integers: Sequence[int]) -> np.ndarray[Any, Any]:
    if isinstance(operand, View):
        assert len(operand.shape) == len(operand.strides)
        places = np.full(operand.shape, operand.start)
        for axis, stride in enumerate(operand.strides):
            places += stride * np.arange(operand.shape[axis]).reshape(
                [-1 if a == axis else 1 for a in range(places.ndim)]
            )
        assert not places.size or 0 <= places.min() <= places.max() < operand.segment.size
        return places
    if isinstance(operand, Gather):
        assert not operand.places.size or operand.places.min() >= 0
        return operand.places
    assert isinstance(operand, Chosen)
    which = np.asarray(integers, dtype=np.intp)[operand.which]
    if ((which < -operand.limit) | (which >= operand.limit)).any():
        raise IndexError(f"an integer is outside the {operand.limit.max()} candidates")
    return operand.base + operand.step * np.where(which < 0, which + operand.limit, which)
