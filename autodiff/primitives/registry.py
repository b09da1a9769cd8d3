"""State shared by all primitives: the table, the recorders of calls, the caches of generated code."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar

if TYPE_CHECKING:
    from autodiff.primitives.primitive import Primitive

__all__ = ["BUILT_IN", "FORGETTING", "RECORDERS", "TABLE", "Objects", "remembered"]


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
