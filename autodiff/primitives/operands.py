"""Plain data as operands: conversion to numbers and arrays, and descriptions of values for messages."""

from __future__ import annotations

import math
import sys
from operator import index
from typing import TYPE_CHECKING, Any

import numpy as np

from autodiff.primitives.namespace import is_plain_number
from autodiff.primitives.registry import RECORDERS

if TYPE_CHECKING:
    from autodiff.primitives.primitive import Primitive

__all__ = ["as_operand", "describe", "is_ready", "whole_number"]


def as_operand(entry: Primitive | str, item: Any) -> np.ndarray[Any, Any]:
    """Plain data as an array of floats (integers become float64, float32 stays), or of Values.

    Raises:
        TypeError: if ``item`` is a string, a bool, a complex number, a masked array or otherwise not real.
        ValueError: if rows have different lengths, or an integer is beyond the largest float.
    """
    name = entry if isinstance(entry, str) else entry.name
    try:
        array = np.asarray(item)
    except ValueError as error:
        raise ValueError(f"{name} got a sequence whose rows have different lengths: {error}") from error
    if array.dtype.kind in "iu":
        return array.astype(np.float64)
    if array.dtype.kind == "f" and array.dtype.itemsize in (4, 8) and not isinstance(item, np.ma.MaskedArray):
        return array.astype(array.dtype.newbyteorder("="), copy=False)
    if array.dtype == object and all(part.__class__ in RECORDERS or is_plain_number(part) for part in array.flat):
        whole = not isinstance(item, np.ndarray) and all(map(is_plain_number, array.flat))
        return _rounded(name, array) if whole else array
    raise TypeError(f"{name} takes real numbers (float64, float32 or integers), and got {describe(item)}")


def _rounded(name: str, integers: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Integers of more than 64 bits as the nearest floats."""
    try:
        return integers.astype(np.float64)
    except OverflowError:
        raise ValueError(f"{name} takes numbers that fit a float, up to about 1.8e308, and got a larger one") from None


def is_ready(item: Any) -> bool:
    """Whether an operand is an array that a forward takes without conversion; includes long doubles, used in checks."""
    return (item.__class__ is np.ndarray or isinstance(item, np.generic)) and item.dtype.char in "dfgO"


def whole_number(item: Any, what: str, *, least: int = 0) -> int:
    """``item``, which messages call ``what``, as an int from ``least`` to the largest size of a list.

    Raises:
        TypeError: if ``item`` is not an integer; a bool is not.
        ValueError: if it is too small or too large.

    >>> whole_number(np.int8(3), "the size")
    3
    """
    try:
        number = index(item)
    except TypeError:
        number = None
    if number is None or isinstance(item, bool | np.bool):
        raise TypeError(f"{what} must be a whole number, got {describe(item)}")
    if not least <= number <= sys.maxsize:
        bound = f"least {least}" if number < least else f"most {sys.maxsize}"
        raise ValueError(f"{what} must be at {bound}, got {describe(number)}")
    return number


def describe(item: Any) -> str:
    """A short description of a value for messages: class, shape and dtype of an array, else the value itself."""
    data = getattr(item, "data", item) if item.__class__ in RECORDERS else item
    label = type(item).__name__
    if isinstance(data, np.ndarray | np.generic):
        kind = label if data is not item or label != "ndarray" else "array"
        return f"{kind} of shape {data.shape} and type {data.dtype}" if data.ndim or kind == "array" else f"{data}"
    if isinstance(data, float) and data is item and math.isfinite(data):
        return f"{data!r}"
    try:
        text = repr(item)
    except ValueError:  # an int of more digits than Python prints
        text = "one too long to print"
    return f"{text if len(text) <= 60 else text[:57] + '...'} ({label})"
