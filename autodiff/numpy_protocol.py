"""NumPy's own functions on Values and Tensors, read off the table.

A ufunc or function that the table names is recorded; one that only asks (``np.isfinite``, ``np.shape``) answers from
the data; any other raises and names the nearest, so that nobody gets a silently detached array.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any, Final

import numpy as np

from autodiff.compositions import COMPOSITIONS, numpy_functions
from autodiff.plain import plain
from autodiff.primitive import FORGETTING, TABLE, Primitive

__all__ = ["QUESTIONS", "dispatch_function", "dispatch_ufunc", "spelled"]


_COMPOSED: Final[dict[Any, Callable[..., Any]]] = numpy_functions(COMPOSITIONS)

#: The functions that have no derivative and answer from plain data.
QUESTIONS: Final = frozenset({
    np.less, np.less_equal, np.greater, np.greater_equal, np.equal, np.not_equal, np.isfinite, np.isnan, np.isinf,
    np.signbit, np.floor, np.ceil, np.rint, np.trunc, np.logical_not, np.logical_and, np.logical_or, np.shape, np.ndim,
    np.size, np.zeros_like, np.ones_like, np.empty_like, np.full_like, np.argmax, np.argmin, np.argsort, np.array_equal,
    np.allclose, np.isclose, np.any, np.all, np.result_type, np.nonzero, np.count_nonzero, np.array_repr,
    np.array_str, np.array2string, np.may_share_memory, np.shares_memory, np.iscomplexobj, np.isrealobj,
})  # fmt: skip


def _recorded(function: Any) -> Callable[..., Any] | None:
    made = _COMPOSED.get(function)
    if made is not None:
        return made
    entry = _found.get(function)
    if entry is None or TABLE.get(entry.name) is not entry:
        entry = next((each for each in TABLE.values() if function in each.numpy), None)
        if entry is not None:
            _found[function] = entry
    return entry


#: Answers of `_recorded`: looking through the table costs four times what recording a call does.
_found: Final[dict[Any, Primitive]] = {}
FORGETTING.append(_found.clear)


def dispatch_ufunc(ufunc: Any, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What ``ufunc(*inputs)`` means on nodes."""
    if method == "reduce" and ufunc in (np.add, np.maximum, np.minimum, np.multiply):
        reduction = {np.add: "sum", np.maximum: "max", np.minimum: "min", np.multiply: "prod"}[ufunc]
        _refuse_writing(f"{ufunc.__name__}.reduce", kwargs)
        return TABLE[reduction](inputs[0], axis=kwargs.get("axis", 0), keepdims=kwargs.get("keepdims", False))
    if method != "__call__":
        raise TypeError(f"np.{ufunc.__name__}.{method} has no rule on nodes; use the function of that name")
    if kwargs:
        raise TypeError(
            f"np.{ufunc.__name__} on nodes takes no keywords, and got {', '.join(sorted(kwargs))}; "
            "a node is never written to: use where(...) for where=, and the result for out="
        )
    return _dispatched(ufunc, inputs, {})


def dispatch_function(function: Any, args: Any, kwargs: Any) -> Any:
    """What the NumPy function ``function(*args, **kwargs)`` means on nodes."""
    return _dispatched(function, args, kwargs)


def _dispatched(function: Any, args: Any, kwargs: Any) -> Any:
    if function in QUESTIONS:
        return function(*map(_data, args), **{key: _data(item) for key, item in kwargs.items()})
    recorded = _recorded(function)
    if recorded is None:
        raise TypeError(f"{spelled(function)} has no rule on nodes{_nearest(function.__name__)}")
    given = {key: item for key, item in kwargs.items() if not _is_left_out(item) or (key == "axis" and item is None)}
    if given:
        _refuse_writing(function.__name__, given)
    if len(args) > 2 and isinstance(recorded, Primitive) and recorded.reduces:
        raise TypeError(
            f"np.{function.__name__} on nodes takes the array and axis by position, and keepdims by keyword"
        )
    try:
        return recorded(*args, **given)
    except TypeError as error:
        raise _with_signature(function, recorded, args, given) or error from None


def _is_left_out(item: Any) -> bool:
    return item is None or item is np._NoValue


def _refuse_writing(name: str, kwargs: Mapping[str, Any]) -> None:
    for key in ("out", "dtype", "where", "initial"):
        if not _is_left_out(kwargs.get(key)):
            raise TypeError(f"np.{name} on nodes takes no {key}=; a node is never written to or cast")


def _with_signature(function: Any, recorded: Callable[..., Any], args: Any, kwargs: Any) -> TypeError | None:
    """The error for arguments that NumPy's function takes and ours does not; None if it was something else."""
    signature = inspect.signature(recorded)
    try:
        signature.bind(*args, **kwargs)
    except TypeError as error:
        return TypeError(f"np.{function.__name__} on nodes takes {', '.join(signature.parameters)}: {error}")
    return None


def _data(item: Any) -> Any:
    return type(item)(map(_data, item)) if isinstance(item, list | tuple) else plain(item)


def spelled(function: Any) -> str:
    """The name as users write it: np.linalg.inv."""
    place = getattr(function, "__module__", None) or "numpy"
    return f"{place.replace('numpy', 'np', 1)}.{function.__name__}"


def _nearest(name: str) -> str:
    mapped = [*(function for entry in TABLE.values() for function in entry.numpy), *_COMPOSED]
    known = {function.__name__: spelled(function) for function in mapped}
    inside = sorted((other for other in known if other in name), key=lambda other: (len(other), other))
    close = inside[-1:] or get_close_matches(name, sorted(known), n=1, cutoff=0.7)
    advice = f"; the nearest that has one is {known[close[0]]}" if close else ""
    return f"{advice}. Use .data for a plain array outside the graph, or define a primitive for it"
