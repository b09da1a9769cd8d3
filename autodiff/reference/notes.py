"""The sections of the notes, each with the names whose docstrings refer to it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from autodiff.reference.docstrings import parse
from autodiff.reference.names import member_names
from autodiff.reference.operations import Operation

__all__ = ["SECTIONS", "by_section", "sections"]

#: The topics of the sections of the notes.
SECTIONS: Final = {
    "1.1": "A neuron", "1.2": "A layer", "1.3": "The window scorer", "1.4": "The max-margin objective",
    "1.5": "Backpropagation element by element: error sharing", "1.6": "Backpropagation in matrices",
    "2": "Gradient check, units, first weights, AdaGrad", "3": "Recurrent networks",
}  # fmt: skip
_REFERENCE: Final = re.compile(r"notes, sections? (\d(?:\.\d)?)(?: and (\d(?:\.\d)?))?")


def sections(text: str) -> list[str]:
    """The sections to which a text refers.

    >>> sections("notes, sections 1.2 and 1.6.")
    ['1.2', '1.6']
    """
    return [number for found in _REFERENCE.finditer(text) for number in found.groups() if number]


def by_section(
    places: Mapping[str, str], operations: Iterable[Operation], names: Mapping[str, Mapping[str, Any]]
) -> dict[str, list[str]]:
    """The places on the page that refer to each of `SECTIONS`.

    Args:
        places: the place of each operation, by its name.
        operations: the operations of the table.
        names: the exports of each public module, by module and name.
    """
    found: dict[str, list[str]] = {number: [] for number in SECTIONS}
    told = [(places[row.name], row.formula) for row in operations]
    for package, items in names.items():
        told += [each for name, item in items.items() for each in _sources(f"{package}.{name}", item)]
    for place, text in told:
        for number in found.keys() & sections(text):
            found[number].append(place)
    return found


def _sources(place: str, item: Any) -> Iterator[tuple[str, str]]:
    """The sources given by a function or class and by its attributes."""
    if inspect.isclass(item) or inspect.isroutine(item):
        yield place, parse(inspect.getdoc(item) or "").source
    if inspect.isclass(item):
        for name in member_names(item):
            yield f"{place}.{name}", parse(inspect.getdoc(inspect.getattr_static(item, name)) or "").source
