"""The origin of a node: the call of a primitive, with immutable params."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from autodiff.primitives.operands import describe
from autodiff.primitives.registry import RECORDERS

if TYPE_CHECKING:
    from autodiff.primitives.primitive import Primitive

__all__ = ["Origin", "SourceLine", "no_constant"]


class SourceLine(NamedTuple):
    """A line of source code: its number in its file, from 1, and its text."""

    number: int
    text: str


class Origin:
    """The origin of a node: its primitive (None for a leaf), the params of the call, and its name if it has one.

    ``line`` is the line that computed the node, if its function was run to be drawn (`autodiff.transforms.run`).
    Params are constants: a node among them raises TypeError, and arrays are copied, because the backward pass must use
    the params of the forward pass.
    """

    __slots__ = ("line", "name", "params", "primitive")

    def __init__(
        self, primitive: Primitive | None, params: Mapping[str, Any] = MappingProxyType({}), name: str | None = None,
        line: SourceLine | None = None,
    ) -> None:  # fmt: skip
        self.primitive = primitive
        if params and primitive is not None:
            primitive.check_params(params)
        if params and not _UNCHANGING.issuperset(map(type, params.values())):
            params = {key: _settled(primitive, key, item) for key, item in params.items()}
        self.params = params
        self.name = name
        self.line = line

    def __reduce__(self) -> tuple[Any, ...]:
        return Origin, (self.primitive, dict(self.params), self.name, self.line)


_UNCHANGING: Final = frozenset({bool, int, float, str, slice, type(None), type(Ellipsis), np.float64, np.int64})


def _settled(entry: Primitive | None, key: str, item: Any) -> Any:
    """A param in an immutable form."""
    if item.__class__ in RECORDERS:
        raise no_constant(entry, key, item)
    if isinstance(item, np.ndarray) and (item.flags.writeable or not item.flags.owndata):  # a view's base may change
        item = item.copy()
        item.setflags(write=False)
    elif item.__class__ is tuple and _UNCHANGING.issuperset(map(type, item)):
        return item
    elif item.__class__ is tuple or item.__class__ is list:
        item = item.__class__(_settled(entry, key, part) for part in item)
    return item


def no_constant(entry: Primitive | None, key: str, item: Any) -> TypeError:
    """The error for a node passed as a param."""
    return TypeError(
        f"{entry.name if entry else 'a node'} takes {key} as a constant, which no error signal reaches, and got "
        f"{describe(item)}; use its .data"
    )
