"""A fast reader for letters and layers of many names: most are in our own spelling and need no parser."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from autodiff.flow import FlowNode
from autodiff.flow.order import notes_name
from autodiff.words.notation import ON_THE_LINE

__all__ = ["Place", "place_of"]

_ONE: Final = "[₁-₉][₀-₉]{0,8}"
_AS_PRINTED: Final = re.compile(
    f"(?:([WL])(?:[₁-₉]{{2}}|{_ONE},{_ONE})?|([A-KM-VX-Za-z])(?:{_ONE})?)⁽([¹²³⁴-⁹][⁰¹²³⁴-⁹]{{0,8}})⁾[ᶜ′]*"
)


class Place(NamedTuple):
    """The letter of a quantity of the notes, and its layer."""

    letter: str
    layer: int | None


def place_of(node: FlowNode) -> Place | None:
    """Letter and layer as in `autodiff.flow.order.notes_name`; None where that returns None."""
    printed = _AS_PRINTED.fullmatch(node.name or "")
    if printed is not None:
        return Place(printed[1] or printed[2], int(printed[3].translate(ON_THE_LINE)))
    name = notes_name(node)
    return None if name is None else Place(name.letter, name.layer)
