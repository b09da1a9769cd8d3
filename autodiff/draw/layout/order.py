"""The order in which people read names: x₁ above x₂, W₁₂ above W₁₃, x₉ above x₁₀, the true window above the corrupt."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple
from unicodedata import normalize

from autodiff.draw.model.picture import Box
from autodiff.words.notation import MATRICES

__all__ = ["Rank", "rank", "ranks", "with_names_in_order"]


class Rank(NamedTuple):
    """A family of names, within which order matters, and the place of one name in it: its window and its numbers."""

    of_the_notes: bool
    family: str
    window: str
    numbers: tuple[int, ...]


_OF_THE_NOTES: Final = re.compile(r"([^\W\d_])(\d+(?:,\d+)*)\((\d+)\)(c*′*)")  # without stacked digits
_OTHER: Final = re.compile(r"[^\s()#+−×·/*=]*\d[^\s()#+−×·/*=]*")
_DIGITS: Final = re.compile(r"\d+")
_LONGEST: Final = 80  # characters of a name


def rank(name: str) -> Rank | None:
    """The family of a name and its place there; None for a text that is not a name with a number.

    >>> rank("W₁₂⁽¹⁾") < rank("W₁,₁₀⁽¹⁾") < rank("W₁₂⁽¹⁾ᶜ"), rank("x₉") < rank("x₁₀"), rank("a·b2")
    (True, True, None)
    """
    text = normalize("NFKC", name[:_LONGEST])
    of_the_notes = _OF_THE_NOTES.fullmatch(text)
    if of_the_notes is not None:
        letter, places, layer, window = of_the_notes.groups()
        is_pair = letter in MATRICES and len(places) == 2  # one digit each for row and column
        return Rank(True, f"{letter}({layer})", window, tuple(map(int, places if is_pair else places.split(","))))
    if not _OTHER.fullmatch(text):
        return None
    return Rank(False, _DIGITS.sub("0", text), "", tuple(map(int, _DIGITS.findall(text))))


def ranks(boxes: Iterable[Box]) -> dict[str, Rank]:
    """The ranks of boxes by their ids: a unit's is that of the last name in its first row with names."""
    found = {}
    for box in boxes:
        names = [cell.text for row in box.rows for cell in reversed(row.cells) if cell.role == "name" and cell.text]
        place = rank(names[0]) if names else None
        if place is not None:
            found[box.id] = place
    return found


def with_names_in_order(order: Iterable[str], of: Mapping[str, Rank]) -> list[str]:
    """The items, with each family sorted on the places that it takes; all other items stay.

    >>> with_names_in_order(["b", "x2", "c", "x1"], {name: rank(name) for name in ("x1", "x2")})
    ['b', 'x1', 'c', 'x2']
    """
    items = list(order)
    families: dict[str, list[str]] = {}
    for item in items:
        if item in of:
            families.setdefault(of[item].family, []).append(item)
    sorted_ones = {family: iter(sorted(own, key=of.__getitem__)) for family, own in families.items()}
    return [next(sorted_ones[of[item].family]) if item in of else item for item in items]
