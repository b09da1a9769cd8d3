"""NumPy's functions on Values and Tensors, dispatched by the table.

A ufunc or function that the table names is recorded, and so is one that is composed of primitives. A query
(``np.isfinite``, ``np.argsort``) is answered from the data. Any other function raises an error that says why, so no one
gets a silently detached array.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from itertools import takewhile
from typing import Any, Final

import numpy as np

from autodiff.engine.graph import Node
from autodiff.engine.plain import plain, shape_of
from autodiff.engine.trees import flatten, rebuild
from autodiff.primitives.primitive import Primitive
from autodiff.primitives.registry import FORGETTING, TABLE
from autodiff.values.compositions import COMPOSITIONS, REDUCTIONS, numpy_functions
from autodiff.values.reading import WATCHES, taken
from autodiff.values.refusals import REFUSED

__all__ = ["QUESTIONS", "dispatch_function", "dispatch_ufunc", "spelled"]


_COMPOSED: Final[dict[Any, Callable[..., Any]]] = numpy_functions(COMPOSITIONS)

#: Functions whose result has no derivative: it is computed from the data, and plain.
QUESTIONS: Final = frozenset({
    np.less, np.less_equal, np.greater, np.greater_equal, np.equal, np.not_equal, np.isfinite, np.isnan, np.isinf,
    np.isneginf, np.isposinf, np.signbit, np.logical_not, np.logical_and, np.logical_or, np.logical_xor, np.shape,
    np.ndim, np.size, np.zeros_like, np.ones_like, np.empty_like, np.argmax, np.argmin, np.argsort,
    np.argpartition, np.argwhere, np.flatnonzero, np.lexsort, np.nanargmax, np.nanargmin, np.searchsorted, np.digitize,
    np.array_equal, np.array_equiv, np.allclose, np.isclose, np.isin, np.any, np.all, np.result_type, np.can_cast,
    np.common_type, np.min_scalar_type, np.nonzero, np.count_nonzero, np.array_repr, np.array_str, np.array2string,
    np.may_share_memory, np.shares_memory, np.iscomplex, np.iscomplexobj, np.isreal, np.isrealobj, np.imag,
    np.diag_indices_from, np.tril_indices_from, np.triu_indices_from, np.einsum_path, np.ix_, np.linalg.matrix_rank,
})  # fmt: skip

_REFUSED: Final[dict[Any, str]] = numpy_functions(REFUSED)


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


#: Cached results of `_recorded`: a search of the table takes four times as long as recording a call.
_found: Final[dict[Any, Primitive]] = {}
FORGETTING.append(_found.clear)


def dispatch_ufunc(ufunc: Any, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Compute ``ufunc(*inputs)`` on nodes."""
    if method in ("reduce", "accumulate", "outer") and ufunc in _METHODS[method]:
        return _METHODS[method][ufunc](*inputs, **kwargs)
    if method != "__call__":
        raise TypeError(f"np.{ufunc.__name__}.{method} has no rule on nodes; write it with functions that have one")
    if kwargs.get("where") is True:
        kwargs = {key: item for key, item in kwargs.items() if key != "where"}
    if kwargs and kwargs.keys() != {"axis"}:
        raise TypeError(_about_keywords(ufunc, inputs, kwargs))
    return _dispatched(ufunc, inputs, kwargs)


def _along_axis(function: Any) -> Callable[..., Any]:
    """NumPy's function with the signature of a ufunc's method: along the first axis by default."""
    return lambda x, axis=0, **kwargs: _dispatched(function, (x,), {"axis": axis, **kwargs})


def _of_every_pair(ufunc: Any) -> Callable[..., Any]:
    """The ufunc of each element of x with each element of y."""
    return lambda x, y: ufunc(np.reshape(x, shape_of(x) + (1,) * len(shape_of(y))), y)


_METHODS: Final[dict[str, dict[Any, Callable[..., Any]]]] = {
    "reduce": {
        ufunc: _along_axis(function)
        for ufunc, function in (
            (np.add, np.sum), (np.maximum, np.max), (np.minimum, np.min), (np.multiply, np.prod),
            (np.logical_and, np.all), (np.logical_or, np.any),
        )
    },
    "accumulate": {np.add: _along_axis(np.cumsum), np.multiply: _along_axis(np.cumprod)},
    "outer": {ufunc: _of_every_pair(ufunc) for ufunc in (np.add, np.subtract, np.multiply, np.divide, np.power)},
}  # fmt: skip


def _about_keywords(ufunc: Any, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    out = kwargs.get("out", (None,))[0]
    if len(kwargs) == 1 and out is not None and any(item is out for item in inputs):
        sign = {np.add: "+", np.subtract: "-", np.multiply: "*", np.divide: "/", np.matmul: "@"}.get(ufunc)
        return (
            f"a plain array cannot hold a node: x {sign}= y writes into x; write x = x {sign} y"
            if sign
            else f"np.{ufunc.__name__} cannot write a node into a plain array; use its result"
        )
    return (
        f"np.{ufunc.__name__} on nodes takes no keywords, and got {', '.join(sorted(kwargs))}; "
        "use np.where(...) instead of where=, the result instead of out=, x.astype(...) beforehand instead of dtype="
    )


def dispatch_function(function: Any, args: Any, kwargs: Any) -> Any:
    """Compute the NumPy function ``function(*args, **kwargs)`` on nodes."""
    return _dispatched(function, args, kwargs)


def _dispatched(function: Any, args: Any, kwargs: Any) -> Any:
    if function in QUESTIONS:
        answer = function(*map(_data, args), **{key: _data(item) for key, item in kwargs.items()})
        if WATCHES and function not in _OF_SHAPES:
            _tell(function, args, kwargs, answer)
        return answer
    recorded = _recorded(function)
    if WATCHES and not isinstance(recorded, Primitive) and spelled(function) not in _STRUCTURAL:
        for item in flatten([args, kwargs]):
            if isinstance(item, Node):
                taken((item,), "read", item._data)
    if recorded is None:
        raise TypeError(f"{spelled(function)} has no rule on nodes: {_REFUSED.get(function, _UNKNOWN)}")
    given = _about_the_result(function, kwargs) if kwargs else kwargs
    if recorded in REDUCTIONS and (len(args) > 2 or not given.keys() <= _OF_EVERY_REDUCTION):
        return _reduced(function, recorded, args, given)
    if not args:
        args, given = _in_our_names(function, recorded, args, given) or (args, given)
    try:
        return recorded(*args, **given)
    except TypeError as error:
        misfit = _with_signature(function, recorded, args, given)
        if misfit is None:
            raise error from None
    renamed = _in_our_names(function, recorded, args, given)
    if renamed is None:
        raise misfit
    return recorded(*renamed[0], **renamed[1])


def _tell(function: Any, args: Any, kwargs: Any, answer: Any) -> None:
    """Report the answer to a recording, with how a replay asks again."""
    given = flatten([args, kwargs])
    places = [k for k, item in enumerate(given) if isinstance(item, Node)]

    def ask(*numbers: Any) -> Any:
        filled = list(given)
        for k, number in zip(places, numbers, strict=True):
            filled[k] = number
        operands, keywords = rebuild([args, kwargs], filled)
        return function(*operands, **keywords)

    taken(tuple(given[k] for k in places), ask, answer)


#: Questions whose answer follows from shapes and types.
_OF_SHAPES: Final = frozenset({
    np.shape, np.ndim, np.size, np.zeros_like, np.ones_like, np.empty_like, np.result_type, np.can_cast, np.common_type,
    np.may_share_memory, np.shares_memory, np.iscomplex, np.iscomplexobj, np.isreal, np.isrealobj, np.imag,
    np.diag_indices_from, np.tril_indices_from, np.triu_indices_from, np.einsum_path,
})  # fmt: skip

#: Functions composed of primitives by shapes alone; the others look at the numbers, to sort them or to avoid a nan.
_STRUCTURAL: Final = frozenset(f"np.{name}" for name in (
    "add", "astype", "atleast_1d", "atleast_2d", "atleast_3d", "average", "broadcast_arrays", "column_stack", "concat",
    "copy", "cov", "cumulative_sum", "diagonal", "diff", "dot", "dstack", "ediff1d", "einsum", "gradient", "hsplit",
    "hstack", "inner", "kron", "linalg.matmul", "linalg.multi_dot", "linalg.outer", "linalg.trace", "matvec",
    "mean", "moveaxis",
    "outer", "ptp", "ravel", "repeat", "roll", "rollaxis", "rot90", "std", "sum", "tensordot", "tile", "trace",
    "trapezoid", "tril", "triu", "unstack", "var", "vdot", "vecdot", "vecmat", "vsplit", "vstack",
))  # fmt: skip


def _about_the_result(function: Any, kwargs: dict[str, Any]) -> dict[str, Any]:
    """The keywords that differ from NumPy's defaults and affect the result, not only the use of memory."""
    if kwargs.get("out") is not None:
        raise TypeError(f"{spelled(function)} on nodes takes no out=; a node is never written to, so use the result")
    return {key: item for key, item in kwargs.items() if _says_something(key, item)}


def _says_something(key: str, item: Any) -> bool:
    return key not in _ABOUT_MEMORY and (not _is_left_out(item) or (key == "axis" and item is None))


_OF_EVERY_REDUCTION: Final = frozenset({"axis", "keepdims"})
#: Keywords that only control how NumPy uses memory and do not affect the result.
_ABOUT_MEMORY: Final = frozenset({"copy", "device", "out", "overwrite_input", "subok"})
_UNKNOWN: Final = "use .data for a plain array outside the graph, or define a primitive for it"


def _reduced(function: Any, entry: Any, args: Any, given: dict[str, Any]) -> Any:
    """A reduction with keywords that the primitive does not have: selected elements, an initial value, a dtype."""
    bound = inspect.signature(function).bind(*args, **given).arguments
    how = {key: item for key, item in bound.items() if not _is_left_out(item) or key == "axis"}
    x, dtype = how.pop("a"), how.pop("dtype", None)
    return REDUCTIONS[entry](x if dtype is None else COMPOSITIONS["astype"](x, dtype), **how)


def _is_left_out(item: Any) -> bool:
    return item is None or item is np._NoValue


def _with_signature(function: Any, recorded: Callable[..., Any], args: Any, kwargs: Any) -> TypeError | None:
    """The error for arguments that NumPy's function takes and ours does not; None if the arguments fit."""
    signature = inspect.signature(recorded)
    try:
        signature.bind(*args, **kwargs)
    except TypeError as error:
        return TypeError(f"{spelled(function)} on nodes takes {', '.join(signature.parameters)}: {error}")
    return None


def _in_our_names(
    function: Any, recorded: Callable[..., Any], args: Any, kwargs: dict[str, Any]
) -> tuple[list[Any], dict[str, Any]] | None:
    """The arguments of ``median(a=x, axis=0)`` as ``median(x, axis=0)``: by position where NumPy's names differ.

    None if they still do not fit.
    """
    known = {*recorded.defaults} if isinstance(recorded, Primitive) else {*inspect.signature(recorded).parameters}
    try:
        signature = inspect.signature(function)
        bound = signature.bind(*args, **kwargs).arguments.items()
        others = {key: item for key, item in bound if _says_something(key, item)}
        theirs = takewhile(lambda name: name in others and name not in known, signature.parameters)
        first = [others.pop(name) for name in theirs]
        inspect.signature(recorded).bind(*first, **others)
    except (TypeError, ValueError):
        return None
    return first, others


def _data(item: Any) -> Any:
    return type(item)(map(_data, item)) if isinstance(item, list | tuple) else plain(item)


def spelled(function: Any) -> str:
    """The name as users write it, such as np.linalg.inv."""
    place = getattr(function, "__module__", None) or "numpy"
    return f"{place.replace('numpy', 'np', 1)}.{function.__name__}"
