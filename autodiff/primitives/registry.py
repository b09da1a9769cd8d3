"""State shared by all primitives: the table, the recorders of calls, the caches of generated code."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache, wraps
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar

if TYPE_CHECKING:
    from autodiff.primitives.primitive import Primitive

__all__ = ["BUILT_IN", "FORGETTING", "RECORDERS", "TABLE", "Objects", "remembered", "remembered_by_params"]


class Objects:
    """The key in `RECORDERS` for object arrays of Values."""


#: For each class of operand that is not plain data, the function that records the call of a primitive.
RECORDERS: Final[dict[type, Callable[[Primitive, tuple[Any, ...], dict[str, Any]], Any]]] = {}

#: All primitives by name, in the order of their definition.
TABLE: Final[dict[str, Primitive]] = {}

#: The names of the built-in primitives; `autodiff.primitives.table` adds them once its table is complete.
BUILT_IN: Final[set[str]] = set()

#: Functions that clear caches derived from the table, such as generated source; called when an entry is replaced.
FORGETTING: Final[list[Callable[[], None]]] = []

_P = ParamSpec("_P")
_T = TypeVar("_T")


def remembered(most: int | None = None) -> Callable[[Callable[_P, _T]], Callable[_P, _T]]:
    """`functools.lru_cache` for results derived from primitives; the cache is cleared when a primitive is replaced."""

    def keep(function: Callable[_P, _T]) -> Callable[_P, _T]:
        kept = lru_cache(maxsize=most)(function)
        FORGETTING.append(kept.cache_clear)
        return kept  # type: ignore[return-value]

    return keep


def remembered_by_params(
    function: Callable[[Primitive, int, int, Mapping[str, Any]], _T],
) -> Callable[[Primitive, int, int, Mapping[str, Any]], _T]:
    """`remembered` for what follows from a primitive, a slot, the number of inputs and the params of a call.

    Params that cannot be hashed, such as an index array, are computed with each time.
    """

    @remembered(65536)
    def kept(entry: Primitive, slot: int, count: int, params: tuple[tuple[str, Any], ...]) -> _T:
        return function(entry, slot, count, dict(params))

    @wraps(function)
    def found(entry: Primitive, slot: int, count: int, params: Mapping[str, Any]) -> _T:
        key = tuple(params.items())
        try:
            hash(key)
        except TypeError:
            return function(entry, slot, count, params)
        return kept(entry, slot, count, key)

    return found
