"""What is known of all primitives together: the table, who records calls of them, what is written for them."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar

if TYPE_CHECKING:
    from autodiff.primitives.primitive import Primitive

__all__ = ["BUILT_IN", "FORGETTING", "RECORDERS", "TABLE", "Objects", "remembered"]


class Objects:
    """Stands in `RECORDERS` for arrays of Values."""


#: For each class of operand that is not plain data: how it records the call of a primitive.
RECORDERS: Final[dict[type, Callable[[Primitive, tuple[Any, ...], dict[str, Any]], Any]]] = {}

#: Every primitive by name, in the order of definition.
TABLE: Final[dict[str, Primitive]] = {}

#: The names that this package itself defines; `autodiff.primitives.table` enters them when its table is full.
BUILT_IN: Final[set[str]] = set()

#: Each forgets what was made from the table, such as written source; called when an entry is replaced.
FORGETTING: Final[list[Callable[[], None]]] = []

_P = ParamSpec("_P")
_T = TypeVar("_T")


def remembered(most: int | None = None) -> Callable[[Callable[_P, _T]], Callable[_P, _T]]:
    """`functools.lru_cache` for what is made of primitives; all of it is forgotten when one is replaced."""

    def keep(function: Callable[_P, _T]) -> Callable[_P, _T]:
        kept = lru_cache(maxsize=most)(function)
        FORGETTING.append(kept.cache_clear)
        return kept  # type: ignore[return-value]

    return keep
