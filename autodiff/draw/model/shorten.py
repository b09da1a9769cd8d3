"""Long names, shortened for pictures; tooltips and the description keep the whole names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields, is_dataclass, replace
from typing import Any, Final

from autodiff.draw.model.picture import Cell, Picture
from autodiff.words.gaps import with_gaps
from autodiff.words.printable import shortened

__all__ = ["with_short_factors", "with_short_names"]

_LONGEST: Final = 80
_WHOLE: Final = frozenset({"hint", "description"})


def with_short_names(what: Picture, names: Iterable[str]) -> Picture:
    """The picture, with names longer than 80 characters cut after 79.

    >>> from autodiff import Value
    >>> from autodiff.draw.views.computation import computation
    >>> max(len(cell.text) for cell in computation(Value(1.0, name="x" * 10_000)).boxes[0].rows[0].cells)
    36
    """
    long = sorted((name for name in names if len(name) > _LONGEST), key=len, reverse=True)
    return _with_short(what, long) if long else what


def _with_short(item: Any, names: list[str]) -> Any:
    if isinstance(item, str):
        for name in names if len(item) > _LONGEST else ():
            item = item.replace(name, shortened(name, _LONGEST))
        return item
    if isinstance(item, tuple):
        return tuple(_with_short(part, names) for part in item)
    if is_dataclass(item) and not isinstance(item, type):
        told = (field.name for field in fields(item) if field.name not in _WHOLE)
        return replace(item, **{name: _with_short(getattr(item, name), names) for name in told})
    return item


def with_short_factors(what: Picture, most: int) -> Picture:
    """The picture with gaps in the formulas of local gradients longer than ``most`` characters, or itself without any.

    Tooltips have the whole formula.

    >>> import numpy as np
    >>> from autodiff import Tensor, exp
    >>> from autodiff.draw.views.computation import computation
    >>> keys, query = Tensor(np.eye(2), name="keys"), Tensor(np.ones(2), name="query")
    >>> with_short_factors(computation(exp(keys @ query)), 16).boxes[0].ports[0].text
    '∘ exp′(…)'
    """
    if all(len(cell.text) <= most for box in what.boxes for cell in box.ports):
        return what
    boxes = (replace(box, ports=tuple(_short(cell, most) for cell in box.ports)) for box in what.boxes)
    return replace(what, boxes=tuple(boxes))


def _short(factor: Cell, most: int) -> Cell:
    if len(factor.text) <= most:
        return factor
    return replace(factor, text=with_gaps(factor.text, most), whole=factor.whole or factor.text)
